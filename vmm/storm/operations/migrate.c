// SPDX-License-Identifier: GPL-2.0
/* What gives pages other frames: migration, merging, offlining. */
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/mempolicy.h>
#include "acts.h"
#include "evidence.h"
#include "inside.h"
#include "operation.h"
#include "text.h"

#define COMPACT		"/proc/sys/vm/compact_memory"
#define SECOND_NODE	"/sys/devices/system/node/node1"
#define KSM		"/sys/kernel/mm/ksm/"
#define MERGED		"/proc/self/ksm_merging_pages"
#define GIGANTIC	"/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages"

#define NODES		2u

/* Frames that are offline stay so: a storm takes no more than these from the machine. */
#define MOST_OFFLINE	128

/**
 * usable_machine - may the machine be changed?
 */
USABLE(machine)
{
	(void)operation;
	(void)instance;
	if (inside_or_told())
		return 0;
	return -snprintf(why, size, "concerns all of the machine: only in the test VM");
}

/**
 * usable_nodes - are there two NUMA nodes?
 */
USABLE(nodes)
{
	(void)operation;
	(void)instance;
	if (!access(SECOND_NODE, F_OK))
		return 0;
	return -snprintf(why, size, "one NUMA node; the test VM takes --nodes 2");
}

/**
 * act_compact - compact all memory of the machine
 */
ACT(compact)
{
	(void)scene;
	return text_write(COMPACT, "1");
}

/**
 * act_move_pages - move_pages(2) to a node
 */
ACT(move_pages)
{
	unsigned int node = prng_below(scene->prng, NODES);
	int nodes[SOME_PAGES], status[SOME_PAGES];
	void *pages[SOME_PAGES];

	for (uint32_t i = 0; i < scene->count; i++) {
		pages[i] = scene->hva + (size_t)i * GUEST_PAGE_SIZE;
		nodes[i] = (int)node;
	}
	return syscall(SYS_move_pages, 0, (unsigned long)scene->count, pages, nodes, status,
		       MPOL_MF_MOVE) < 0 ? -errno : 0;
}

/**
 * act_bind - mbind(2) to a node, with what is there, and back
 */
ACT(bind)
{
	unsigned long node = 1ul << prng_below(scene->prng, NODES);
	long done = syscall(SYS_mbind, scene->hva, scene->length, MPOL_BIND, &node,
			    8 * sizeof(node), MPOL_MF_MOVE);
	int error = done < 0 ? -errno : 0;

	/* Areas become one again. */
	syscall(SYS_mbind, scene->hva, scene->length, MPOL_DEFAULT, NULL, 0UL, 0);
	return error;
}

/**
 * act_migrate_process - migrate_pages(2): all of the process from a node to another
 */
ACT(migrate_process)
{
	unsigned long from = 1ul << prng_below(scene->prng, NODES);
	unsigned long to = from ^ ((1ul << NODES) - 1);

	return syscall(SYS_migrate_pages, 0, 8 * sizeof(from), &from, &to) < 0 ? -errno : 0;
}

/**
 * usable_offline - can frames go offline?
 */
USABLE(offline)
{
	return usable_machine(operation, instance, why, size) ?:
	       usable_advice(operation, instance, why, size);
}

/**
 * act_offline - MADV_SOFT_OFFLINE: a page moves, and its frame is not used any more
 */
ACT(offline)
{
	static unsigned int offline;
	uint64_t before, after;
	int error;

	if (__atomic_load_n(&offline, __ATOMIC_RELAXED) >= MOST_OFFLINE)
		return -EDQUOT;
	error = scene_own_page(scene);
	if (error)
		return error;
	before = pagemap_entry(scene->hva);
	if (madvise(scene->hva, scene->length, (int)scene->operation->value))
		return -errno;
	__atomic_add_fetch(&offline, 1, __ATOMIC_RELAXED);
	after = pagemap_entry(scene->hva);
	scene->reached = before & PAGEMAP_PRESENT &&
			 (before & PAGEMAP_FRAME) != (after & PAGEMAP_FRAME);
	return 0;
}

/**
 * usable_merging - does the kernel merge pages? From now on it does
 */
USABLE(merging)
{
	(void)operation;
	(void)instance;
	if (access(KSM "run", F_OK))
		return -snprintf(why, size, "this kernel has no KSM");
	if (!inside_or_told())
		return -snprintf(why, size, "KSM is the machine's: only in the test VM");
	if (text_write(KSM "sleep_millisecs", "20") || text_write(KSM "pages_to_scan", "500") ||
	    text_write(KSM "run", "1"))
		return -snprintf(why, size, "KSM cannot be switched on");
	return 0;
}

/**
 * act_merge - pages that are equal and may be merged, which KSM does some time later
 */
ACT(merge)
{
	if (madvise(scene->hva, scene->length, MADV_DONTNEED) ||
	    madvise(scene->hva, scene->length, MADV_POPULATE_WRITE) ||
	    madvise(scene->hva, scene->length, MADV_MERGEABLE))
		return -errno;
	scene->reached = text_number(MERGED) > 0;
	return 0;
}

/* Is some of the machine's memory for CMA? */
static bool have_cma(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	unsigned long kib = 0;
	char line[128];

	while (file && !kib && fgets(line, sizeof(line), file))
		sscanf(line, "CmaTotal: %lu", &kib);
	if (file)
		fclose(file);
	return kib;
}

/**
 * usable_contiguous - is there memory for CMA, and something that takes it?
 */
USABLE(contiguous)
{
	if (!have_cma() || access(GIGANTIC, F_OK))
		return -snprintf(why, size, "no CMA of a gigabyte; the test VM takes --append "
				 "hugetlb_cma=1:1G, where the kernel has it");
	return usable_machine(operation, instance, why, size);
}

/**
 * act_contiguous - a gigantic page takes memory of CMA: who is there, migrates
 */
ACT(contiguous)
{
	int error = text_write(GIGANTIC, "1");

	(void)scene;
	return text_write(GIGANTIC, "0") ?: error;
}
