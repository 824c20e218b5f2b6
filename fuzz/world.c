// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "world.h"

/**
 * world_init - an empty one, for this process
 * @world: to fill in
 */
void world_init(struct world *world)
{
	memset(world, 0, sizeof(*world));
	memset(world->device, -1, sizeof(world->device));
	memset(world->mirror, -1, sizeof(world->mirror));
	memset(world->engine, -1, sizeof(world->engine));
	memset(world->file, -1, sizeof(world->file));
	world->zero = open("/dev/zero", O_RDWR | O_CLOEXEC);
	world->self = getpid();
}

/**
 * world_end_children - kill and reap the processes that the program has made
 * @world: of the caller
 */
void world_end_children(struct world *world)
{
	for (int i = 0; i < NR_CHILDREN; i++)
		if (world->child[i] > 0)
			kill(world->child[i], SIGKILL);
	while (waitpid(-1, NULL, __WALL) > 0)
		;
}
