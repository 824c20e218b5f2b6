// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "secmmu_actor.h"
#include "secmmu_outsider.h"
#include "secmmu_player.h"
#include "secmmu_sys.h"
#include "secmmu_test.h"

/* Milliseconds in which a thread that can move does. */
#define WHILE_MS	300

static int start_with(struct actor *actor, struct player_start *start)
{
	int fds[1 + ACTOR_ENGINES], sock[2], ret;

	memset(actor, 0, sizeof(*actor));
	actor->mirror = -1;
	memset(actor->engine, -1, sizeof(actor->engine));
	actor->shared = mmap(NULL, sizeof(*actor->shared), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (actor->shared == MAP_FAILED)
		return -errno;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sock))
		return -errno;
	start->shared = actor->shared;
	start->sock = sock[1];
	actor->pid = child_start_aside(player_run, start);
	close(sock[1]);
	ret = fds_receive(sock[0], fds, 1 + ACTOR_ENGINES);
	close(sock[0]);
	if (ret)
		return ret;
	actor->mirror = fds[0];
	memcpy(actor->engine, fds + 1, sizeof(actor->engine));
	actor->mem = actor->shared->mem;
	actor->pages = start->pages;
	return 0;
}

int actor_start(struct actor *actor, int dev, long pages, __u32 policy, __u32 batch)
{
	struct player_start start = {
		.dev = dev,
		.pages = pages,
		.policy = policy,
		.batch = batch,
	};

	return start_with(actor, &start);
}

int actor_start_huge(struct actor *actor, int dev, long pages)
{
	struct player_start start = { .dev = dev, .pages = pages, .huge = true };
	int ret = start_with(actor, &start);

	if (!ret && actor->shared->huge < pages * PAGE >> 10)
		return -EOPNOTSUPP;
	return ret;
}

void actor_stop(struct actor *actor)
{
	int i;

	if (actor->pid > 0) {
		kill(actor->pid, SIGKILL);
		waitpid(actor->pid, NULL, 0);
	}
	for (i = 0; i < ACTOR_ENGINES; i++)
		close(actor->engine[i]);
	close(actor->mirror);
	munmap(actor->shared, sizeof(*actor->shared));
	actor->pid = 0;
}

pid_t actor_tid(const struct actor *actor, int thread)
{
	return actor->shared->line[thread].tid;
}

void actor_order(struct actor *actor, int thread, enum actor_op op, __u64 a,
		 __u64 b, __u64 c, __u64 d, __u64 e)
{
	struct line *line = &actor->shared->line[thread];

	line->op = op;
	line->arg[0] = a;
	line->arg[1] = b;
	line->arg[2] = c;
	line->arg[3] = d;
	line->arg[4] = e;
	line->value = POISON;
	__atomic_store_n(&line->ordered, line->ordered + 1, __ATOMIC_RELEASE);
}

bool actor_done(const struct actor *actor, int thread)
{
	const struct line *line = &actor->shared->line[thread];

	return __atomic_load_n(&line->done, __ATOMIC_ACQUIRE) == line->ordered;
}

int actor_answer(struct actor *actor, int thread, __u64 *value)
{
	long until = now_ms() + GATE_PATIENCE;

	while (!actor_done(actor, thread)) {
		if (now_ms() > until)
			return -ETIMEDOUT;
		usleep(200);
	}
	if (value)
		*value = actor->shared->line[thread].value;
	return actor->shared->line[thread].result;
}

bool actor_waits(const struct actor *actor, int thread, unsigned int waiters)
{
	long until = now_ms() + GATE_PATIENCE;
	struct secmmu_test_state state;

	while (!actor_done(actor, thread) && now_ms() < until) {
		if (state_get(actor->mirror, &state))
			return false;
		/* Who is woken leaves the queue, and comes back if need be. */
		if (state.waiters == waiters)
			return true;
		usleep(200);
	}
	return false;
}

bool actor_reaches(const struct actor *actor, int thread, int dev, int post)
{
	long until = now_ms() + GATE_PATIENCE;
	struct secmmu_test_state state;

	while (gate_wait_ms(dev, post, 1)) {
		if (state_get(actor->mirror, &state) || state.waiters ||
		    actor_done(actor, thread) || now_ms() > until)
			return false;
	}
	return true;
}

bool actor_stays(const struct actor *actor, int thread)
{
	long until = now_ms() + WHILE_MS;

	while (!actor_done(actor, thread)) {
		if (now_ms() > until)
			return true;
		usleep(200);
	}
	return false;
}

int actor_wait_gate(const struct actor *actor, int thread, int dev, int post)
{
	long until = now_ms() + GATE_PATIENCE;
	bool done;
	int ret;

	do {
		/* In this order: it may pass, and answer, in between. */
		done = actor_done(actor, thread);
		ret = gate_wait_ms(dev, post, 1);
	} while (ret == -ETIMEDOUT && !done && now_ms() < until);
	return ret == -ETIMEDOUT && done ? -ECANCELED : ret;
}
