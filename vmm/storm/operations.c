// SPDX-License-Identifier: GPL-2.0
/* The table of operations. Documentation/storm.rst says how to add one. */
#include <sys/mman.h>
#include "operation.h"
#include "operations/acts.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

#ifndef MADV_HWPOISON
#define MADV_HWPOISON	100
#endif

#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE	101
#endif

#define ANON(content, latches) \
	[MEMORY_ANON] = { CONTENT_##content, LATCHES_##latches }
#define MEMFD(content, latches) \
	[MEMORY_MEMFD] = { CONTENT_##content, LATCHES_##latches }

/* A process's own view of what goes and what comes. */
#define GONE		.proof = PROOF_GONE, .path = "the process's page has gone"
#define THERE		.proof = PROOF_THERE, .path = "a page is there that was not"
#define COUNTER(name)	.proof = PROOF_COUNTER, .path = name
#define OWN(words)	.proof = PROOF_OWN, .path = words

const struct operation operations[] = {
	/* madvise.c */
	{
		.name = "dontneed", .summary = "MADV_DONTNEED: pages, or only their entries, go",
		.rules = { ANON(LOST, WAIT), MEMFD(KEPT, OPEN) },
		.weight = 20, GONE, .value = MADV_DONTNEED, .act = act_advise,
	}, {
		.name = "dontneed-slot", .summary = "MADV_DONTNEED of a whole slot, back to back",
		.rules = { ANON(LOST, WAIT), MEMFD(KEPT, OPEN) }, .extent = EXTENT_SLOT,
		.weight = 1, GONE, .value = MADV_DONTNEED, .act = act_discard_slot,
	}, {
		.name = "dontneed-locked", .summary = "MADV_DONTNEED_LOCKED of locked memory",
		.rules = { ANON(LOST, WAIT), MEMFD(KEPT, OPEN) },
		.weight = 4, GONE, .value = MADV_DONTNEED_LOCKED,
		.usable = usable_advice, .act = act_discard_locked,
	}, {
		.name = "split-huge", .summary = "MADV_DONTNEED of one page",
		.rules = { ANON(LOST, WAIT) }, .extent = EXTENT_ONE,
		.weight = 4, COUNTER("thp_split_pmd"), .value = MADV_DONTNEED, .act = act_advise,
	}, {
		.name = "free", .summary = "MADV_FREE: pages may go until they are written",
		.rules = { ANON(UNSURE, WAIT) },
		.weight = 8, COUNTER("pglazyfree"), .value = MADV_FREE, .act = act_advise,
	}, {
		.name = "cold", .summary = "MADV_COLD: pages are the first to be reclaimed",
		.rules = { ANON(KEPT, OPEN), MEMFD(KEPT, OPEN) },
		.weight = 4, COUNTER("pgdeactivate"), .value = MADV_COLD, .act = act_advise,
	}, {
		.name = "pageout", .summary = "MADV_PAGEOUT: pages go to swap space",
		.rules = { ANON(KEPT, OPEN), MEMFD(KEPT, OPEN) },
		.weight = 8, COUNTER("pswpout"), .value = MADV_PAGEOUT,
		.usable = usable_swap, .act = act_advise,
	}, {
		.name = "process-madvise", .summary = "process_madvise(MADV_PAGEOUT)",
		.rules = { ANON(KEPT, OPEN), MEMFD(KEPT, OPEN) },
		.weight = 4, COUNTER("pswpout"), .value = MADV_PAGEOUT,
		.usable = usable_swap, .act = act_advise_process,
	}, {
		.name = "populate-read", .summary = "MADV_POPULATE_READ: faults beforehand",
		.rules = { ANON(KEPT, OPEN), MEMFD(KEPT, OPEN) },
		.weight = 2, THERE, .value = MADV_POPULATE_READ, .act = act_advise,
	}, {
		.name = "populate-write", .summary = "MADV_POPULATE_WRITE: faults beforehand",
		.rules = { ANON(KEPT, OPEN), MEMFD(KEPT, OPEN) },
		.weight = 2, THERE, .value = MADV_POPULATE_WRITE, .act = act_advise,
	}, {
		.name = "hugepage", .summary = "MADV_HUGEPAGE, and a fault that gets a huge page",
		.rules = { ANON(LOST, WAIT) }, .extent = EXTENT_HUGE,
		.weight = 4, COUNTER("thp_fault_alloc"), .value = MADV_HUGEPAGE,
		.usable = usable_advice, .act = act_advise_and_populate,
	}, {
		.name = "nohugepage", .summary = "MADV_NOHUGEPAGE, and faults that get small pages",
		.rules = { ANON(LOST, WAIT) }, .extent = EXTENT_HUGE,
		.weight = 1, GONE, .value = MADV_NOHUGEPAGE,
		.usable = usable_advice, .act = act_advise_and_populate,
	}, {
		.name = "collapse", .summary = "MADV_COLLAPSE: small pages become a huge one",
		/* As for allocate. */
		.rules = { ANON(KEPT, OPEN), MEMFD(KEPT, CLOSE) }, .extent = EXTENT_HUGE,
		.weight = 4, COUNTER("thp_collapse_alloc"), .value = MADV_COLLAPSE,
		.usable = usable_advice, .act = act_collapse,
	}, {
		.name = "remove", .summary = "MADV_REMOVE: a hole in the file, by address",
		.rules = { MEMFD(LOST, WAIT) },
		.weight = 8, GONE, .value = MADV_REMOVE, .act = act_advise,
	},
	/* map.c */
	{
		.name = "map-over", .summary = "mmap(MAP_FIXED) over a mapping",
		.rules = { ANON(LOST, WAIT), MEMFD(KEPT, CLOSE) },
		.weight = 10, GONE, .act = act_replace,
	}, {
		.name = "map-over-one", .summary = "the same, of one page inside a large mapping",
		.rules = { ANON(LOST, WAIT), MEMFD(KEPT, CLOSE) }, .extent = EXTENT_ONE,
		.weight = 4, GONE, .act = act_replace,
	}, {
		.name = "map-over-slot", .summary = "the same, of a slot, which is one mapping again",
		.rules = { ANON(LOST, WAIT), MEMFD(KEPT, CLOSE) }, .extent = EXTENT_SLOT,
		.weight = 1, GONE, .act = act_replace,
	}, {
		.name = "unmap", .summary = "munmap(), and mmap() at the same place",
		.rules = { ANON(LOST, WAIT), MEMFD(KEPT, WAIT) },
		.weight = 10, GONE, .act = act_unmap,
	}, {
		.name = "mremap-resize", .summary = "mremap(): a mapping shrinks and grows again",
		.rules = { ANON(LOST, WAIT), MEMFD(KEPT, WAIT) }, .keeps_first = true,
		.weight = 6, OWN("the gap was there"), .act = act_shrink,
	}, {
		.name = "mremap-move", .summary = "mremap() to another place, and back",
		.rules = { ANON(KEPT, WAIT), MEMFD(KEPT, WAIT) },
		.weight = 6, OWN("pagemap: the frame is at the other place"), .act = act_move,
	}, {
		.name = "mremap-move-huge", .summary = "the same with 2 MiB, whose table moves",
		.rules = { ANON(KEPT, WAIT), MEMFD(KEPT, WAIT) }, .extent = EXTENT_HUGE,
		.weight = 2, OWN("pagemap: the frame is at the other place"), .act = act_move,
	}, {
		.name = "mremap-dontunmap", .summary = "mremap(MREMAP_DONTUNMAP), and back",
		.rules = { ANON(UNSURE, WAIT) },
		.weight = 4, OWN("pagemap: the frame is at the other place"),
		.act = act_move_and_keep,
	}, {
		.name = "protect-all", .summary = "mprotect(PROT_NONE), and back",
		.rules = { ANON(KEPT, WAIT), MEMFD(KEPT, WAIT) },
		.weight = 6, OWN("the call has worked"), .act = act_protect_all,
	}, {
		.name = "protect-writes", .summary = "mprotect(PROT_READ) under writers, and back",
		.rules = { ANON(KEPT, CLOSE), MEMFD(KEPT, CLOSE) },
		.weight = 6, OWN("the call has worked"), .act = act_protect_writes,
	},
	/* file.c */
	{
		.name = "punch-hole", .summary = "fallocate(FALLOC_FL_PUNCH_HOLE)",
		.rules = { MEMFD(LOST, WAIT) },
		.weight = 20, GONE, .act = act_punch,
	}, {
		.name = "truncate", .summary = "ftruncate(): the end of the file goes, and comes back",
		.rules = { MEMFD(LOST, WAIT) }, .extent = EXTENT_TAIL,
		.weight = 6, GONE, .act = act_truncate,
	}, {
		.name = "allocate", .summary = "fallocate(): the file has pages before they are used",
		/* Else it could fill the hole of userfault-missing. */
		.rules = { MEMFD(KEPT, CLOSE) },
		.weight = 2, OWN("the call has worked"), .act = act_allocate,
	},
	{
		.name = "writeback", .summary = "sync_file_range(): pages go to the disk",
		.rules = { MEMFD(KEPT, OPEN) },
		.weight = 4, COUNTER("nr_written"),
		.usable = usable_writeback, .act = act_writeback,
	},
	/* hugetlb.c */
	{
		.name = "hugetlb", .summary = "a page of hugetlbfs in their place, for a while",
		.rules = { ANON(LOST, WAIT) }, .extent = EXTENT_HUGE,
		.weight = 2, OWN("a page has left the pool"),
		.usable = usable_hugetlb, .act = act_hugetlb,
	},
	/* fork.c */
	{
		.name = "fork", .summary = "a child shares all pages, and looks whether its own change",
		.rules = { ANON(KEPT, OPEN) },
		.weight = 3, OWN("the child has seen pages"), .act = act_fork,
	}, {
		.name = "fork-write", .summary = "a child shares a page that an engine then writes",
		.rules = { ANON(KEPT, WAIT) }, .extent = EXTENT_ONE,
		.weight = 3, OWN("the child has seen its page"), .act = act_fork_and_write,
	}, {
		.name = "exec", .summary = "a child becomes another program",
		.rules = { ANON(KEPT, OPEN), MEMFD(KEPT, OPEN) },
		.weight = 1, OWN("the program has run"), .act = act_exec,
	},
	/* child.c */
	{
		.name = "killed", .summary = "a child with an instance of its own is killed at work",
		.rules = { ANON(KEPT, OPEN), MEMFD(KEPT, OPEN) },
		.weight = 1, OWN("it was at work, and died"), .usable = usable_own,
		.act = act_killed,
	}, {
		.name = "replaced", .summary = "such a child becomes another program, at work",
		.rules = { ANON(KEPT, OPEN), MEMFD(KEPT, OPEN) },
		.weight = 1, OWN("it was at work, and the program has run"), .usable = usable_own,
		.act = act_replaced,
	}, {
		.name = "released", .summary = "process_mrelease() of such a child, which was killed",
		.rules = { ANON(KEPT, OPEN), MEMFD(KEPT, OPEN) },
		.weight = 1, OWN("it was at work, and the call has worked"),
		.usable = usable_release, .act = act_released,
	},
	/* daemons.c */
	{
		.name = "khugepaged", .summary = "khugepaged finds small pages, and collapses them",
		.rules = { ANON(KEPT, OPEN) }, .extent = EXTENT_HUGE,
		.weight = 2, COUNTER("thp_collapse_alloc"),
		.usable = usable_khugepaged, .act = act_khugepaged,
	}, {
		.name = "numa-balance", .summary = "the kernel protects pages, to see who uses them",
		.rules = { ANON(KEPT, OPEN), MEMFD(KEPT, OPEN) },
		.weight = 1, COUNTER("numa_pte_updates"),
		.usable = usable_balancing, .act = act_balancing,
	},
	/* lost.c */
	{
		.name = "block-offline", .summary = "the memory block of a page goes, and comes back",
		.rules = { ANON(KEPT, OPEN), MEMFD(KEPT, OPEN) }, .extent = EXTENT_ONE,
		.weight = 1, OWN("the block was offline"), .usable = usable_block, .act = act_block,
	}, {
		.name = "poison", .summary = "MADV_HWPOISON: the memory of a page fails",
		.rules = { ANON(LOST, WAIT) }, .extent = EXTENT_ONE,
		.weight = 1, OWN("pagemap: the page is not there"), .value = MADV_HWPOISON,
		.usable = usable_poison, .act = act_poison,
	},
	/* migrate.c */
	{
		.name = "compact", .summary = "compaction of all memory of the machine",
		.rules = { ANON(KEPT, OPEN), MEMFD(KEPT, OPEN) },
		.weight = 1, COUNTER("pgmigrate_success"),
		.usable = usable_machine, .act = act_compact,
	}, {
		.name = "move-pages", .summary = "move_pages() to a NUMA node",
		.rules = { ANON(KEPT, OPEN), MEMFD(KEPT, OPEN) },
		.weight = 6, COUNTER("pgmigrate_success"),
		.usable = usable_nodes, .act = act_move_pages,
	}, {
		.name = "mbind", .summary = "mbind(MPOL_MF_MOVE) to a NUMA node",
		.rules = { ANON(KEPT, OPEN), MEMFD(KEPT, OPEN) },
		.weight = 4, COUNTER("pgmigrate_success"), .usable = usable_nodes, .act = act_bind,
	}, {
		.name = "migrate-pages", .summary = "migrate_pages() of all of the process",
		.rules = { ANON(KEPT, OPEN), MEMFD(KEPT, OPEN) },
		.weight = 1, COUNTER("pgmigrate_success"),
		.usable = usable_nodes, .act = act_migrate_process,
	}, {
		.name = "soft-offline", .summary = "MADV_SOFT_OFFLINE: another frame, for good",
		.rules = { ANON(KEPT, CLOSE), MEMFD(KEPT, CLOSE) }, .extent = EXTENT_ONE,
		.weight = 1, OWN("pagemap: the page has another frame"), .value = MADV_SOFT_OFFLINE,
		.usable = usable_offline, .act = act_offline,
	}, {
		.name = "ksm-merge", .summary = "MADV_MERGEABLE of equal pages",
		.rules = { ANON(LOST, WAIT) },
		.weight = 4, OWN("KSM has merged pages"), .usable = usable_merging, .act = act_merge,
	}, {
		.name = "ksm-break", .summary = "MADV_UNMERGEABLE: what was merged is copied",
		.rules = { ANON(KEPT, OPEN) },
		.weight = 3, COUNTER("cow_ksm"), .value = MADV_UNMERGEABLE,
		.usable = usable_merging, .act = act_advise,
	},
	{
		.name = "contiguous", .summary = "a gigantic page is taken from CMA, and given back",
		.rules = { ANON(KEPT, OPEN), MEMFD(KEPT, OPEN) },
		.weight = 1, COUNTER("cma_alloc_success"),
		.usable = usable_contiguous, .act = act_contiguous,
	},
	/* device.c */
	{
		.name = "device-memory", .summary = "a page goes to a device's memory until it is touched",
		.rules = { ANON(KEPT, CLOSE) }, .extent = EXTENT_ONE,
		.weight = 4, OWN("the page was in the device"),
		.usable = usable_device, .act = act_to_device,
	}, {
		.name = "device-exclusive", .summary = "a device has a page for itself until it is touched",
		.rules = { ANON(KEPT, OPEN) }, .extent = EXTENT_ONE,
		.weight = 4, OWN("the device had the page"),
		.usable = usable_device, .act = act_make_exclusive,
	},
	/* reclaim.c */
	{
		.name = "reclaim", .summary = "memory.reclaim: a cgroup has to give memory back",
		.rules = { ANON(KEPT, OPEN), MEMFD(KEPT, OPEN) },
		.weight = 1, COUNTER("pswpout"), .usable = usable_reclaim, .act = act_reclaim,
	},
	/* track.c; a shared page that goes from the tables takes its soft-dirty bit with it. */
	{
		.name = "soft-dirty", .summary = "clear_refs: no page is dirty, until it is written",
		.rules = { ANON(KEPT, WAIT) }, .extent = EXTENT_ONE,
		.weight = 2, OWN("pagemap: the page's bit has gone"),
		.usable = usable_soft_dirty, .act = act_clear_dirty,
	}, {
		.name = "pagemap-scan", .summary = "PAGEMAP_SCAN: a page is unwritten, until it is written",
		.rules = { ANON(KEPT, WAIT), MEMFD(KEPT, WAIT) }, .extent = EXTENT_ONE,
		.weight = 4, OWN("pagemap: the page is protected"),
		.usable = usable_scan, .act = act_scan,
	},
	/* userfault.c */
	{
		.name = "userfault-missing", .summary = "pages go and are delivered when they are missed",
		.rules = { ANON(KEPT, WAIT), MEMFD(KEPT, WAIT) },
		.weight = 6, OWN("a fault has come"), .usable = usable_userfault, .act = act_miss,
	}, {
		.name = "userfault-outside", .summary = "the same, delivered by another process",
		.rules = { ANON(KEPT, WAIT), MEMFD(KEPT, WAIT) },
		.weight = 3, OWN("a fault has come"), .usable = usable_userfault,
		.act = act_miss_outside,
	}, {
		.name = "userfault-wp", .summary = "writers wait for userfaultfd",
		.rules = { ANON(KEPT, CLOSE), MEMFD(KEPT, CLOSE) },
		.weight = 6, OWN("pagemap: the page's bit is there"),
		.usable = usable_userfault, .act = act_protect_by_userfault,
	}, {
		.name = "userfault-move", .summary = "UFFDIO_MOVE to another place, and back",
		.rules = { ANON(UNSURE, WAIT) },
		.weight = 4, OWN("pagemap: the frame is at the other place"),
		.usable = usable_userfault_move, .act = act_userfault_move,
	},
	/* slots.c */
	{
		.name = "slot-delete", .summary = "a slot of the subject goes, and comes back",
		.rules = { ANON(KEPT, OPEN), MEMFD(KEPT, OPEN) },
		.weight = 2, OWN("it has watched pages"),
		.usable = usable_slots, .act = act_delete_slot,
	}, {
		.name = "slot-readonly", .summary = "a slot of the subject may not be written for a while",
		.rules = { ANON(KEPT, OPEN), MEMFD(KEPT, OPEN) },
		.weight = 2, OWN("it has watched pages"),
		.usable = usable_slots, .act = act_protect_slot,
	}, {
		.name = "prefault", .summary = "the subject maps beforehand",
		.rules = { ANON(KEPT, OPEN), MEMFD(KEPT, OPEN) },
		.weight = 4, OWN("the call has worked"),
		.usable = usable_prefault, .act = act_prefault,
	}, {
		.name = "prefault-slot", .summary = "the subject maps a whole slot beforehand",
		.rules = { ANON(KEPT, OPEN), MEMFD(KEPT, OPEN) }, .extent = EXTENT_SLOT,
		.weight = 1, OWN("the call has worked"),
		.usable = usable_prefault, .act = act_prefault,
	},
	/* log.c */
	{
		.name = "slot-dirty-log", .summary = "a dirty log goes on and off, and has what is written",
		.rules = { ANON(KEPT, WAIT), MEMFD(KEPT, WAIT) }, .extent = EXTENT_ONE,
		.weight = 3, OWN("the page is in the log"),
		.usable = usable_dirty_log, .act = act_log_slot,
	}, {
		.name = "slot-log-writers", .summary = "such a log has what engines write meanwhile",
		.rules = { ANON(KEPT, OPEN), MEMFD(KEPT, OPEN) },
		.weight = 3, OWN("an engine has written a page"),
		.usable = usable_dirty_log, .act = act_log_writers,
	},
	/* guest.c */
	{
		.name = "guest-log", .summary = "KVM logs what the guest writes, for a while",
		.rules = { ANON(KEPT, OPEN), MEMFD(KEPT, OPEN) },
		.weight = 2, OWN("a write of the guest is in the log"), .act = act_log_guest,
	},
};

const size_t nr_operations = sizeof(operations) / sizeof(*operations);

_Static_assert(sizeof(operations) / sizeof(*operations) <= MIX_MOST, "MIX_MOST is too small");
