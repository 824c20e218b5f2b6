// SPDX-License-Identifier: GPL-2.0
/* By what the kernel tells which pages were written: an accessor's writes count. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/types.h>
#include "acts.h"
#include "agent.h"
#include "evidence.h"
#include "operation.h"
#include "stamp.h"
#include "text.h"
#include "userfault.h"

#define CLEAR_REFS	"/proc/self/clear_refs"
#define PAGEMAP		"/proc/self/pagemap"

/* linux/fs.h since 6.7 */
struct page_region_ {
	__u64 start;
	__u64 end;
	__u64 categories;
};

struct pm_scan_arg_ {
	__u64 size;
	__u64 flags;
	__u64 start;
	__u64 end;
	__u64 walk_end;
	__u64 vec;
	__u64 vec_len;
	__u64 max_pages;
	__u64 category_inverted;
	__u64 category_mask;
	__u64 category_anyof_mask;
	__u64 return_mask;
};

#define SCAN			_IOWR('f', 16, struct pm_scan_arg_)
#define SCAN_WP_MATCHING	(1ull << 0)
#define SCAN_CHECK_WPASYNC	(1ull << 1)
#define PAGE_WRITTEN		(1ull << 1)

/* An access gives up on an entry after a few events; others may come between two of these. */
#define HAILSTONES		16

/**
 * usable_soft_dirty - does pagemap say which pages were written?
 */
USABLE(soft_dirty)
{
	uint64_t local = 0;

	(void)operation;
	(void)instance;
	__atomic_store_n(&local, 1, __ATOMIC_RELAXED);
	if (pagemap_entry(&local) & PAGEMAP_SOFT_DIRTY)
		return 0;
	return -snprintf(why, size, "this kernel has no soft-dirty bits");
}

/* Else others clear the bit that one looks at. */
static pthread_mutex_t soft_dirty_lock = PTHREAD_MUTEX_INITIALIZER;

/*
 * Does the kernel notice when the process itself writes? clear_refs skips an entry whose page, or
 * another of its folio, is pinned; if it is writable and its bit is clear, no write sets that.
 * What moves the page meanwhile may: then nobody knows.
 */
static bool is_tracked(const struct scene *scene, uint64_t entry)
{
	uint64_t now;

	scene_touch(scene);
	now = pagemap_entry(scene->hva);
	return now & PAGEMAP_SOFT_DIRTY &&
	       !((now ^ entry) & (PAGEMAP_PRESENT | PAGEMAP_FRAME));
}

/**
 * act_clear_dirty - clear all soft-dirty bits of the process; a write sets one again
 */
ACT(clear_dirty)
{
	uint64_t before, cleared;
	int error;

	pthread_mutex_lock(&soft_dirty_lock);
	before = pagemap_entry(scene->hva);
	error = text_write(CLEAR_REFS, "4");
	cleared = pagemap_entry(scene->hva);
	scene->reached = before & PAGEMAP_SOFT_DIRTY && !(cleared & PAGEMAP_SOFT_DIRTY);
	error = error ?: scene_write_page(scene);
	if (!error && !(pagemap_entry(scene->hva) & PAGEMAP_SOFT_DIRTY) &&
	    is_tracked(scene, cleared))
		scene_violate(scene, scene->first, STAMP_UNLOGGED, 0);
	pthread_mutex_unlock(&soft_dirty_lock);
	return error;
}

/**
 * track_empty - empty all tables by one event over all memory, which takes nothing away
 *
 * Does nothing if somebody is about to do the same, or if this kernel cannot.
 */
void track_empty(void)
{
	if (pthread_mutex_trylock(&soft_dirty_lock))
		return;
	text_write(CLEAR_REFS, "4");
	pthread_mutex_unlock(&soft_dirty_lock);
}

/**
 * track_hail - if it hails, have one such event follow the other
 * @scene: the operation
 *
 * Accesses under way have met so many events then that they go on without an entry.
 */
void track_hail(const struct scene *scene)
{
	struct weather *weather = scene->agent->weather;

	for (int i = 0; i < HAILSTONES && weather_has(weather, PRELUDE_HAIL); i++) {
		pthread_mutex_lock(&soft_dirty_lock);
		if (!text_write(CLEAR_REFS, "4"))
			weather_note(weather, CHANCE_HAIL);
		pthread_mutex_unlock(&soft_dirty_lock);
	}
}

/**
 * usable_scan - does pagemap know PAGEMAP_SCAN, and userfaultfd asynchronous protection?
 */
USABLE(scan)
{
	int fd = userfault_open(USERFAULT_WP_ASYNC | USERFAULT_WP_UNPOPULATED);

	(void)operation;
	(void)instance;
	if (fd < 0)
		return -snprintf(why, size, "no PAGEMAP_SCAN before 6.7, or no userfaultfd: %s",
				 strerror(-fd));
	close(fd);
	return 0;
}

/* Asks whether the first page was written, and protects it again; 1, 0 or a negative errno. */
static int scan_page(const struct scene *scene)
{
	struct page_region_ region;
	struct pm_scan_arg_ scan = {
		.size = sizeof(scan),
		.flags = SCAN_WP_MATCHING | SCAN_CHECK_WPASYNC,
		.start = (uintptr_t)scene->hva,
		.end = (uintptr_t)scene->hva + GUEST_PAGE_SIZE,
		.vec = (uintptr_t)&region,
		.vec_len = 1,
		.category_mask = PAGE_WRITTEN,
		.return_mask = PAGE_WRITTEN,
	};
	int fd = open(PAGEMAP, O_RDONLY | O_CLOEXEC);
	int regions;

	if (fd < 0)
		return -errno;
	regions = ioctl(fd, SCAN, &scan);
	if (regions < 0)
		regions = -errno;
	close(fd);
	return regions;
}

/**
 * act_scan - PAGEMAP_SCAN takes a page for unwritten until it is written
 */
ACT(scan)
{
	int fd = userfault_open(USERFAULT_WP_ASYNC | USERFAULT_WP_UNPOPULATED);
	int error, written;

	if (fd < 0)
		return fd;
	error = userfault_register(fd, scene, USERFAULT_MODE_WP);
	if (!error) {
		written = scan_page(scene);
		error = written < 0 ? written : 0;
		scene->reached = !error && pagemap_entry(scene->hva) & PAGEMAP_USERFAULT_WP;
	}
	error = error ?: scene_write_page(scene);
	if (!error) {
		written = scan_page(scene);
		error = written < 0 ? written : 0;
		if (!written)
			scene_violate(scene, scene->first, STAMP_UNLOGGED, 0);
	}
	userfault_close(fd, scene);
	return error;
}
