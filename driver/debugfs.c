// SPDX-License-Identifier: GPL-2.0
/*
 * The state of a mirror, for people: secmmu/mirror-N/ in debugfs. These files are no
 * interface; their formats change as the driver does.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "debugfs.h"

static struct dentry *root;
static atomic_t next_mirror;

static int stats_show(struct seq_file *file, void *unused)
{
	struct secmmu_stats stats = {};

	secmmu_mirror_stats(file->private, &stats);
#define SHOW(name) seq_printf(file, "%-14s %llu\n", #name, stats.name)
	SHOW(events);
	SHOW(zap_events);
	SHOW(zapped);
	SHOW(flushes);
	SHOW(assists);
	SHOW(interrupts);
	SHOW(replays);
	SHOW(unpaired);
	SHOW(faults);
	SHOW(fault_pages);
	SHOW(retries);
	SHOW(retries_event);
	SHOW(retries_self);
	SHOW(retries_slot);
	SHOW(retries_table);
	SHOW(waits);
	SHOW(wait_ns);
	SHOW(reads);
	SHOW(writes);
	SHOW(tables);
	SHOW(large);
	SHOW(splits);
	SHOW(unsplit);
	SHOW(left);
	SHOW(direct);
	SHOW(refilled);
#undef SHOW
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

static int slots_show(struct seq_file *file, void *unused)
{
	struct secmmu_mirror *mirror = file->private;
	struct secmmu_slot *slot;
	unsigned long id;

	if (mutex_lock_killable(&mirror->slots.lock))
		return -EINTR;
	seq_puts(file, "slot gpa hva pages flags key domains\n");
	xa_for_each(&mirror->slots.by_id, id, slot)
		seq_printf(file, "%lu 0x%llx 0x%lx %lu 0x%x %u 0x%lx\n", id,
			   (u64)slot->span.by_gfn.start << PAGE_SHIFT,
			   slot->span.by_hva.start,
			   slot->span.by_gfn.last - slot->span.by_gfn.start + 1,
			   slot->flags, slot->key, slot->span.domains);
	mutex_unlock(&mirror->slots.lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(slots);

/* An event of several shards is shown with the first of its blocks. */
static void show_events(struct seq_file *file, const struct secmmu_records *records,
			unsigned int shard)
{
	const struct secmmu_event *event = records->events;

	for (; event != records->events + records->nr_recorded; event++)
		if (secmmu_shard_index(event->start) == shard)
			seq_printf(file, "event 0x%lx-0x%lx\n", event->start, event->last);
}

static void show_faults(struct seq_file *file, struct secmmu_records *records)
{
	struct interval_tree_node *node;

	for (node = interval_tree_iter_first(&records->faults, 0, ULONG_MAX); node;
	     node = interval_tree_iter_next(node, 0, ULONG_MAX))
		seq_printf(file, "fault 0x%lx-0x%lx\n", node->start, node->last);
}

/* All mirrors of the mm have the same in flight. */
static int inflight_show(struct seq_file *file, void *unused)
{
	struct secmmu_mirror *mirror = file->private;
	struct secmmu_shards *shards = &mirror->chain->shards;
	bool released = false;
	unsigned int i;

	for (i = 0; i < SECMMU_SHARDS; i++) {
		struct secmmu_records *records = &shards->shard[i];

		spin_lock(&records->lock);
		show_events(file, records, i);
		show_faults(file, records);
		if (records->overflow)
			seq_printf(file, "overflow %u 0x%lx-0x%lx\n", records->overflow,
				   records->overflow_start, records->overflow_last);
		released |= records->released;
		spin_unlock(&records->lock);
	}
	if (released)
		seq_puts(file, "released\n");
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(inflight);

static void show_pgtable(struct seq_file *file, struct secmmu_pgtable *pt)
{
	gfn_t gfn = 0;

	seq_printf(file, "tables %ld\nlarge %ld\nspare %u\n",
		   atomic_long_read(&pt->nr_tables),
		   atomic_long_read(&pt->nr_large), READ_ONCE(pt->spare.nr));
	while (gfn <= SECMMU_GFN_LAST) {
		struct secmmu_table *table;

		rcu_read_lock();
		table = secmmu_pgtable_next(pt, &gfn, SECMMU_GFN_LAST);
		if (table) {
			if (!table->level)
				seq_printf(file, "leaf gfn 0x%llx present %u\n",
					   gfn, READ_ONCE(table->nr));
			else if (secmmu_table_read(table, gfn) & SPTE_PRESENT)
				seq_printf(file, "large gfn 0x%llx\n", gfn);
			gfn = secmmu_table_last(gfn, 1) + 1;
		}
		rcu_read_unlock();
	}
}

static int pgtable_show(struct seq_file *file, void *unused)
{
	struct secmmu_mirror *mirror = file->private;
	unsigned int i;

	for (i = 0; i < SECMMU_MAX_DOMAINS; i++) {
		struct secmmu_pgtable *pt = secmmu_root(&mirror->roots, i);

		if (pt && i)
			seq_printf(file, "domain %u\n", i);
		if (pt)
			show_pgtable(file, pt);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pgtable);

/* Show how long invalidate_range_start took, for the whole mm. */
static int latency_show(struct seq_file *file, void *unused)
{
	struct secmmu_mirror *mirror = file->private;
	unsigned int i;

	seq_puts(file, "below_ns events\n");
	for (i = 0; i < SECMMU_LATENCY_BUCKETS; i++) {
		u64 n = atomic64_read(&mirror->chain->latency[i]);

		if (n)
			seq_printf(file, "%llu %llu\n", 2ULL << i, n);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(latency);

/* Timing costs two clock reads per event, so it is off at first. */
static int timing_set(void *unused, u64 on)
{
	if (on)
		static_branch_enable(&secmmu_timing);
	else
		static_branch_disable(&secmmu_timing);
	return 0;
}

static int timing_get(void *unused, u64 *on)
{
	*on = static_key_enabled(&secmmu_timing);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(timing_fops, timing_get, timing_set, "%llu\n");

/**
 * secmmu_debugfs_add - show a mirror
 * @mirror: the mirror; its end removes the files
 *
 * Context: may sleep.
 */
void secmmu_debugfs_add(struct secmmu_mirror *mirror)
{
	char name[32];

	snprintf(name, sizeof(name), "mirror-%d",
		 atomic_inc_return(&next_mirror));
	mirror->debugfs = debugfs_create_dir(name, root);
	debugfs_create_file("stats", 0400, mirror->debugfs, mirror,
			    &stats_fops);
	debugfs_create_file("slots", 0400, mirror->debugfs, mirror,
			    &slots_fops);
	debugfs_create_file("inflight", 0400, mirror->debugfs, mirror,
			    &inflight_fops);
	debugfs_create_file("pgtable", 0400, mirror->debugfs, mirror,
			    &pgtable_fops);
	debugfs_create_file("latency", 0400, mirror->debugfs, mirror,
			    &latency_fops);
}

/**
 * secmmu_debugfs_init - make the folder; without debugfs, do nothing
 */
void secmmu_debugfs_init(void)
{
	root = debugfs_create_dir("secmmu", NULL);
	debugfs_create_file_unsafe("timing", 0600, root, NULL, &timing_fops);
}

/**
 * secmmu_debugfs_exit - remove the folder; no mirror is left
 */
void secmmu_debugfs_exit(void)
{
	debugfs_remove_recursive(root);
}
