// SPDX-License-Identifier: GPL-2.0
/* Pages of hugetlbfs in the place of others, for a while. */
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include "acts.h"
#include "operation.h"
#include "text.h"

#define POOL	"/sys/kernel/mm/hugepages/hugepages-2048kB/"
#define PAGES	"8"

#ifndef MAP_HUGE_2MB
#define MAP_HUGE_2MB	(21 << 26)
#endif

/**
 * usable_hugetlb - are there pages in the pool? From now on there are
 */
USABLE(hugetlb)
{
	if (access(POOL "nr_hugepages", F_OK))
		return -snprintf(why, size, "this kernel has no hugetlbfs of 2 MiB");
	if (text_number(POOL "free_hugepages"))
		return 0;
	if (usable_machine(operation, instance, why, size))
		return -EPERM;
	if (text_write(POOL "nr_hugepages", PAGES) || !text_number(POOL "free_hugepages"))
		return -snprintf(why, size, "the pool of huge pages stays empty");
	return 0;
}

/* The subject has the page, with something in it that must not be seen later. */
static int use_huge_page(struct scene *scene)
{
	int error;

	scene_expect_zeroes(scene);
	error = scene_write_page(scene);
	/* It goes again, in a moment. */
	judge_discard_begin(scene->agent->judge, scene->first, 1);
	return error;
}

/**
 * act_hugetlb - a page of hugetlbfs comes in the place of pages, is written, and goes
 */
ACT(hugetlb)
{
	const struct memory *memory = scene->agent->judge->memory;
	int error = 0, back;

	if (mmap(scene->hva, scene->length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS |
		 MAP_FIXED | MAP_HUGETLB | MAP_HUGE_2MB, -1, 0) == MAP_FAILED)
		error = -errno;
	else
		error = use_huge_page(scene);
	scene->reached = !error &&
			 text_number(POOL "free_hugepages") < text_number(POOL "nr_hugepages");
	scene_linger(scene);
	back = memory_replace(memory, scene->gpa, scene->length);
	if (back)
		scene_fail(scene, "cannot map memory again", back);
	return error;
}
