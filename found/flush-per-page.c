// SPDX-License-Identifier: GPL-2.0
/*
 * Where reclaim unmaps pages in a batch, x86 flushes the CPUs' TLBs once for all of them,
 * but tells an IOMMU for every page to flush everything. Reclaim batches only if the process
 * has run on another CPU, so a second thread does.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "found.h"
#include "message.h"
#include "module/mn_list.h"

#define PAGES	512ul

static volatile bool stop;

static void run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("needs two CPUs: %s", strerror(errno));
}

static void *stay_on_the_other(void *barrier)
{
	run_on(1);
	pthread_barrier_wait(barrier);
	while (!stop)
		sched_yield();
	return NULL;
}

static struct mn_list_counts take_counts(int list)
{
	struct mn_list_counts counts;

	if (ioctl(list, MN_LIST_TAKE, &counts))
		die("cannot take the counts: %s", strerror(errno));
	return counts;
}

/* What the subscriber is told while PAGES lazily freed pages are reclaimed. */
static struct mn_list_counts reclaim_counted(int list)
{
	char *memory = map_private(PAGES * PAGE);
	unsigned char resident[PAGES];
	struct mn_list_counts counts;

	memset(memory, 1, PAGES * PAGE);
	if (madvise(memory, PAGES * PAGE, MADV_FREE))
		die("MADV_FREE: %s", strerror(errno));
	take_counts(list);
	if (madvise(memory, PAGES * PAGE, MADV_PAGEOUT))
		die("MADV_PAGEOUT: %s", strerror(errno));
	counts = take_counts(list);
	if (mincore(memory, PAGES * PAGE, resident))
		die("mincore: %s", strerror(errno));
	for (unsigned long i = 0; i < PAGES; i++)
		if (resident[i] & 1)
			die("page %lu was not reclaimed", i);
	munmap(memory, PAGES * PAGE);
	return counts;
}

static void __attribute__((noreturn)) count_both(void)
{
	struct mn_list_counts alone, batched;
	pthread_barrier_t barrier;
	pthread_t thread;
	int list;

	list = open("/dev/" MN_LIST_NAME, O_RDWR | O_CLOEXEC);
	if (list < 0 || ioctl(list, MN_LIST_COUNT))
		die("cannot subscribe by /dev/" MN_LIST_NAME ": %s", strerror(errno));
	alone = reclaim_counted(list);
	if (alone.flushes < PAGES || alone.full)
		die("one thread: %llu flushes for %lu pages, %llu of everything", alone.flushes,
		    PAGES, alone.full);
	pthread_barrier_init(&barrier, NULL, 2);
	if (pthread_create(&thread, NULL, stay_on_the_other, &barrier))
		die("cannot start a thread");
	pthread_barrier_wait(&barrier);
	batched = reclaim_counted(list);
	stop = true;
	pthread_join(thread, NULL);
	conclude(batched.full > 1,
		 "%lu pages: one thread %llu flushes, %llu of everything; two CPUs %llu, %llu of "
		 "everything", PAGES, alone.flushes, alone.full, batched.flushes, batched.full);
}

int main(int argc, char **argv)
{
	int status;
	pid_t pid;

	begin(argc, argv, "flush-per-page",
	      "Has 512 pages reclaimed, with and without a second thread on another CPU, and "
	      "counts the calls of arch_invalidate_secondary_tlbs and those for everything.");
	/* A child has a new mm, which has run on no other CPU yet. */
	run_on(0);
	pid = fork();
	if (pid < 0)
		die("cannot fork: %s", strerror(errno));
	if (!pid)
		count_both();
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		die("the child did not end by itself");
	return WEXITSTATUS(status);
}
