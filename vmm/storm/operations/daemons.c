// SPDX-License-Identifier: GPL-2.0
/* What threads of the kernel do to memory by themselves: a storm has them hurry. */
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "acts.h"
#include "clock.h"
#include "operation.h"
#include "text.h"

#define KHUGEPAGED	"/sys/kernel/mm/transparent_hugepage/khugepaged/"
#define BALANCING	"/proc/sys/kernel/numa_balancing"
#define SCAN		"/sys/kernel/debug/sched/numa_balancing/"

#define AWAIT_US	20000
#define SPIN_NS		5000000

/**
 * usable_khugepaged - does khugepaged run? From now on it hurries
 */
USABLE(khugepaged)
{
	if (access(KHUGEPAGED "pages_to_scan", F_OK))
		return -snprintf(why, size, "this kernel has no khugepaged");
	if (usable_machine(operation, instance, why, size))
		return -EPERM;
	if (text_write(KHUGEPAGED "scan_sleep_millisecs", "10") ||
	    text_write(KHUGEPAGED "alloc_sleep_millisecs", "10") ||
	    text_write(KHUGEPAGED "pages_to_scan", "4096"))
		return -snprintf(why, size, "khugepaged cannot be told to hurry");
	return 0;
}

/**
 * act_khugepaged - small pages that khugepaged may collapse, and a moment for it to do so
 */
ACT(khugepaged)
{
	if (madvise(scene->hva, scene->length, MADV_HUGEPAGE) ||
	    madvise(scene->hva, scene->length, MADV_POPULATE_WRITE))
		return -errno;
	usleep(AWAIT_US);
	return 0;
}

/**
 * usable_balancing - does the kernel balance two nodes? From now on it hurries
 */
USABLE(balancing)
{
	int error = usable_nodes(operation, instance, why, size) ?:
		    usable_machine(operation, instance, why, size);

	if (error)
		return error;
	if (text_write(BALANCING, "1"))
		return -snprintf(why, size, "this kernel does not balance NUMA nodes");
	/* Without these it takes a second to begin. */
	text_write(SCAN "scan_delay_ms", "1");
	text_write(SCAN "scan_period_min_ms", "10");
	text_write(SCAN "scan_period_max_ms", "100");
	return 0;
}

/**
 * act_balancing - run for a while: the kernel scans the memory of what runs, and protects it
 */
ACT(balancing)
{
	uint64_t until = clock_ns() + SPIN_NS;

	(void)scene;
	while (clock_ns() < until)
		;
	return 0;
}
