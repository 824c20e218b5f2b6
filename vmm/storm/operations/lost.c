// SPDX-License-Identifier: GPL-2.0
/* Memory of the machine that goes: blocks that go offline, frames that are poisoned. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "acts.h"
#include "evidence.h"
#include "operation.h"
#include "text.h"

#define BLOCKS		"/sys/devices/system/memory/"

/* The kernel tries again for ever: so many turns of a hundredth of a second are enough. */
#define OFFLINE_TURNS	1000
#define OFFLINE_TURN_US	10000

/* Frames that are poisoned stay so: a storm takes no more than these from the machine. */
#define MOST_POISONED	64

/* The kernel has it in hexadecimal, without 0x. */
static unsigned long block_size(void)
{
	char text[32] = "";
	FILE *file = fopen(BLOCKS "block_size_bytes", "re");
	unsigned long size = 0;

	if (!file)
		return 0;
	if (fgets(text, sizeof(text), file))
		size = strtoul(text, NULL, 16);
	fclose(file);
	return size;
}

/* Only blocks of the zone Movable: others hold pages of the kernel, which stay. */
static bool have_movable(void)
{
	FILE *file = fopen("/proc/zoneinfo", "re");
	bool movable = false, found = false;
	unsigned long pages;
	char line[128];

	while (file && !found && fgets(line, sizeof(line), file)) {
		if (strstr(line, ", zone"))
			movable = strstr(line, "Movable");
		found = movable && sscanf(line, " managed %lu", &pages) == 1 && pages;
	}
	if (file)
		fclose(file);
	return found;
}

/**
 * usable_block - can blocks of memory go offline?
 */
USABLE(block)
{
	if (!block_size())
		return -snprintf(why, size, "no blocks of memory can go offline with this kernel");
	if (!have_movable())
		return -snprintf(why, size, "no zone Movable; the test VM takes --append "
				 "movablecore=1G");
	return usable_machine(operation, instance, why, size);
}

static bool is_movable(const char *block)
{
	int fd = open(block, O_RDONLY | O_CLOEXEC);
	char text[16] = "";

	if (fd < 0)
		return false;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return !strncmp(text, "Movable", 7);
}

/* Has a child do it, which can be killed. Returns 0, or a negative errno. */
static int write_offline(const char *path)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		return -errno;
	if (!child)
		_exit(-text_write(path, "offline"));
	for (int turn = 0; turn < OFFLINE_TURNS; turn++) {
		if (waitpid(child, &status, WNOHANG) == child)
			return WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
		usleep(OFFLINE_TURN_US);
	}
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	return -ETIMEDOUT;
}

/**
 * act_block - the block of memory that a page lies in goes offline, and comes back
 */
ACT(block)
{
	static unsigned long bytes;
	unsigned long block;
	uint64_t entry = pagemap_entry(scene->hva);
	char path[96];
	int error;

	if (!(entry & PAGEMAP_PRESENT))
		return -ENOENT;
	if (!__atomic_load_n(&bytes, __ATOMIC_RELAXED))
		__atomic_store_n(&bytes, block_size(), __ATOMIC_RELAXED);
	block = (unsigned long)((entry & PAGEMAP_FRAME) * GUEST_PAGE_SIZE /
				__atomic_load_n(&bytes, __ATOMIC_RELAXED));
	snprintf(path, sizeof(path), BLOCKS "memory%lu/valid_zones", block);
	if (!is_movable(path))
		return -EBUSY;
	snprintf(path, sizeof(path), BLOCKS "memory%lu/state", block);
	error = write_offline(path);
	scene->reached = !error;
	/* Refused if it never went. "online" alone may leave it to another zone. */
	text_write(path, "online_movable");
	return error;
}

static void on_poison(int signal, siginfo_t *info, void *context)
{
	const struct sigaction fatal = { .sa_handler = SIG_DFL };

	(void)context;
	/* Anything else is fatal, as it would be without this: the access is tried again. */
	if (info->si_code != BUS_MCEERR_AR && info->si_code != BUS_MCEERR_AO)
		sigaction(signal, &fatal, NULL);
}

/**
 * usable_poison - can frames be poisoned? From now on this process survives that
 */
USABLE(poison)
{
	struct sigaction survive = { .sa_sigaction = on_poison, .sa_flags = SA_SIGINFO };
	int error = usable_offline(operation, instance, why, size);

	if (!error)
		sigaction(SIGBUS, &survive, NULL);
	return error;
}

/**
 * act_poison - a page's memory fails; it cannot be accessed, until another takes its place
 */
ACT(poison)
{
	const struct memory *memory = scene->agent->judge->memory;
	static unsigned int poisoned;
	int error, back;

	if (__atomic_load_n(&poisoned, __ATOMIC_RELAXED) >= MOST_POISONED)
		return -EDQUOT;
	error = scene_own_page(scene);
	if (error)
		return error;
	error = madvise(scene->hva, scene->length, (int)scene->operation->value) ? -errno : 0;
	__atomic_add_fetch(&poisoned, 1, __ATOMIC_RELAXED);
	scene->reached = !error && !(pagemap_entry(scene->hva) & PAGEMAP_PRESENT);
	if (scene->reached)
		scene_expect_gap(scene);
	/* After an error, too: a part of a huge page that the kernel cannot split stays poisoned. */
	back = memory_replace(memory, scene->gpa, scene->length);
	if (back)
		scene_fail(scene, "cannot map memory again", back);
	return error;
}
