// SPDX-License-Identifier: GPL-2.0
#include <linux/debugfs.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "age.h"
#include "compat/uncleared.h"
#include "mirror.h"
#include "tag.h"
#include "trace.h"
#include "walk.h"

static struct secmmu_mirror *to_mirror(struct secmmu_member *member)
{
	return container_of(member, struct secmmu_mirror, member);
}

static void zap_piece(struct secmmu_mirror *mirror, struct secmmu_gather *gather,
		      const struct secmmu_piece *piece)
{
	u64 before = gather->zapped;

	secmmu_roots_zap(&mirror->roots, gather, piece->domains, piece->first,
			 piece->last);
	trace_secmmu_zap(mirror, piece->first, piece->last,
			 gather->zapped - before);
}

/* The same, and note the domains that had mapped some of it. */
static void zap_noted(struct secmmu_mirror *mirror, struct secmmu_gather *gather,
		      const struct secmmu_piece *piece)
{
	struct secmmu_piece part = *piece;
	unsigned int i;

	for_each_set_bit(i, &piece->domains, SECMMU_MAX_DOMAINS) {
		u64 before = gather->zapped;

		/* Of this domain: another's writes are no reason to write here. */
		gather->dirty = false;
		part.domains = BIT(i);
		zap_piece(mirror, gather, &part);
		if (gather->zapped != before)
			secmmu_refill_note(&mirror->refill, &part, i, gather->dirty);
	}
}

/* Callback: see secmmu_member_ops. */
static void mirror_invalidate(struct secmmu_member *member,
			      struct secmmu_walk *walk)
{
	struct secmmu_mirror *mirror = to_mirror(member);
	bool refill = secmmu_refill_wants(&mirror->refill, walk);
	struct secmmu_gather gather secmmu_uncleared;
	unsigned int i, n;

	secmmu_gather_begin(&gather, &mirror->tlbs, &member->spans, walk->may_sleep);
	while ((n = secmmu_walk_next(walk, member)))
		for (i = 0; i < n; i++)
			if (refill)
				zap_noted(mirror, &gather, &walk->piece[i]);
			else
				zap_piece(mirror, &gather, &walk->piece[i]);
	secmmu_gather_finish(&gather);
	if (gather.zapped)
		secmmu_count(mirror->counters, SECMMU_COUNT_ZAP_EVENTS, 1);
}

static bool age_piece(struct secmmu_mirror *mirror, const struct secmmu_piece *piece,
		      bool clear)
{
	bool young = false;
	unsigned int i;

	for_each_set_bit(i, &piece->domains, SECMMU_MAX_DOMAINS) {
		struct secmmu_pgtable *pt = secmmu_root(&mirror->roots, i);

		if (pt)
			young |= secmmu_age(pt, piece->first, piece->last, clear);
	}
	return young;
}

/* Callback: see secmmu_member_ops. */
static bool mirror_age(struct secmmu_member *member, struct secmmu_walk *walk,
		       bool clear)
{
	struct secmmu_mirror *mirror = to_mirror(member);
	unsigned int i, n;
	bool young = false;

	secmmu_gate_spin(AGE, walk->start);
	while ((n = secmmu_walk_next(walk, member)))
		for (i = 0; i < n; i++)
			young |= age_piece(mirror, &walk->piece[i], clear);
	if (young && clear)
		/* A full barrier: a window that sees this sees the bits cleared. */
		atomic64_inc_return(&mirror->tlbs.age);
	return young;
}

/* Callback: see secmmu_member_ops. No fault installs any more. */
static void mirror_release(struct secmmu_member *member)
{
	struct secmmu_mirror *mirror = to_mirror(member);
	struct secmmu_piece all = {
		.last = SECMMU_GFN_LAST,
		.domains = GENMASK(SECMMU_MAX_DOMAINS - 1, 0),
	};
	struct secmmu_gather gather;

	secmmu_gather_begin(&gather, &mirror->tlbs, &mirror->member.spans, true);
	zap_piece(mirror, &gather, &all);
	secmmu_gather_finish(&gather);
}

static const struct secmmu_member_ops mirror_ops = {
	.invalidate = mirror_invalidate,
	.age = mirror_age,
	.release = mirror_release,
};

static void note_before(struct secmmu_mirror *mirror)
{
	secmmu_shards_count(&mirror->chain->shards, &mirror->events_before,
			    &mirror->unpaired_before);
	mirror->replays_before = atomic64_read(&mirror->chain->replays);
}

static u64 new_id(void)
{
	static atomic64_t last;

	return atomic64_inc_return(&last);
}

/**
 * secmmu_mirror_create - mirror an mm
 * @mm: the mm; the caller is one of its users
 * @batch: dropped sptes that make a flush due
 *
 * Context: may sleep; no locks.
 * Return: the mirror with one reference, or an error pointer: -ENOMEM, -EINTR.
 */
struct secmmu_mirror *secmmu_mirror_create(struct mm_struct *mm,
					   unsigned int batch)
{
	struct secmmu_mirror *mirror;
	int err = -ENOMEM;

	mirror = kzalloc(sizeof(*mirror), GFP_KERNEL_ACCOUNT);
	if (!mirror)
		return ERR_PTR(-ENOMEM);
	refcount_set(&mirror->refs, 1);
	mirror->id = new_id();
	mirror->untag = secmmu_untag_mask(0);
	INIT_LIST_HEAD(&mirror->loaded);
	secmmu_keys_init(&mirror->keys);
	secmmu_refill_init(&mirror->refill);
	mirror->counters = alloc_percpu_gfp(struct secmmu_counters, GFP_KERNEL_ACCOUNT);
	if (!mirror->counters)
		goto free_mirror;
	err = secmmu_tlbs_init(&mirror->tlbs, batch, mirror->counters);
	if (err)
		goto free_counters;
	err = secmmu_pgtable_init(&mirror->pt);
	if (err)
		goto destroy_tlbs;
	mirror->roots.pt[0] = &mirror->pt;
	secmmu_slots_init(&mirror->slots, &mirror->member, &mirror->tlbs,
			  &mirror->roots);
	mirror->chain = secmmu_chain_get(mm);
	if (IS_ERR(mirror->chain)) {
		err = PTR_ERR(mirror->chain);
		goto destroy_slots;
	}
	/* Pin it, so that no other mm ever has the address of the creator's. */
	mmgrab(current->mm);
	mirror->creator = current->mm;
	note_before(mirror);
	secmmu_chain_join(mirror->chain, &mirror->member, &mirror_ops);
	return mirror;

destroy_slots:
	secmmu_slots_destroy(&mirror->slots);
	secmmu_pgtable_destroy(&mirror->pt, true);
destroy_tlbs:
	secmmu_tlbs_destroy(&mirror->tlbs);
free_counters:
	free_percpu(mirror->counters);
free_mirror:
	kfree(mirror);
	return ERR_PTR(err);
}

/**
 * secmmu_mirror_get - take a reference
 * @mirror: a mirror the caller has a reference to
 */
void secmmu_mirror_get(struct secmmu_mirror *mirror)
{
	refcount_inc(&mirror->refs);
}

/* Protects the lists of all mirrors: an engine may be on several. */
DEFINE_SPINLOCK(secmmu_loaded_lock);

/* Engines that have left the mirror are on its list, but have no reference. */
static void forget_loaded(struct secmmu_mirror *mirror)
{
	struct list_head *at, *next;

	spin_lock(&secmmu_loaded_lock);
	list_for_each_safe(at, next, &mirror->loaded)
		list_del_init(at);
	spin_unlock(&secmmu_loaded_lock);
}

/**
 * secmmu_mirror_put - drop a reference; the last one ends the mirror
 * @mirror: the mirror
 *
 * When the last descriptor is closed and no engine is attached, no thread of a process
 * faults, opens a window or changes a slot. These can still reach the mirror: readers in
 * debugfs, until its files are removed; the worker of its refill, which this waits for;
 * engines that were attached once, until its list of them is empty; callbacks through the
 * chain's list, until secmmu_chain_leave() returns. Events that look whether they touch a
 * member may see this one, and its slots, for a grace period more, so RCU frees these, as it
 * frees tables unlinked before. Other lookups by RCU come from descriptors, so there are none.
 *
 * Context: may sleep; no locks.
 */
void secmmu_mirror_put(struct secmmu_mirror *mirror)
{
	if (!refcount_dec_and_test(&mirror->refs))
		return;
	debugfs_remove_recursive(mirror->debugfs);
	forget_loaded(mirror);
	secmmu_refill_end(&mirror->refill);
	secmmu_chain_leave(&mirror->member);
	secmmu_domains_leave(&mirror->roots, &mirror->tlbs, &mirror->member.spans,
			     mirror->chain);
	secmmu_chain_put(mirror->chain);
	mmdrop(mirror->creator);
	secmmu_slots_destroy(&mirror->slots);
	secmmu_pgtable_destroy(&mirror->pt, true);
	secmmu_tlbs_destroy(&mirror->tlbs);
	free_percpu(mirror->counters);
	kfree_rcu(mirror, rcu);
}

/**
 * secmmu_mirror_owned - check whether the caller may configure the mirror
 * @mirror: the mirror
 *
 * Return: true if the caller runs in the mm that made the mirror; false for a
 * forked child, or after execve(2).
 */
bool secmmu_mirror_owned(struct secmmu_mirror *mirror)
{
	return current->mm == mirror->creator;
}

static void sum_tables(struct secmmu_mirror *mirror, struct secmmu_stats *stats)
{
	unsigned int i;

	stats->tables = 0;
	stats->large = 0;
	for (i = 0; i < SECMMU_MAX_DOMAINS; i++) {
		struct secmmu_pgtable *pt = secmmu_root(&mirror->roots, i);

		if (!pt)
			continue;
		stats->tables += atomic_long_read(&pt->nr_tables);
		stats->large += atomic_long_read(&pt->nr_large);
	}
}

/**
 * secmmu_mirror_stats - sum up the counters
 * @mirror: the mirror
 * @stats: filled in, but for the size
 *
 * Context: never sleeps.
 */
void secmmu_mirror_stats(struct secmmu_mirror *mirror,
			 struct secmmu_stats *stats)
{
	u64 events, unpaired;

#define SUM(which) \
	secmmu_counter_sum(mirror->counters, SECMMU_COUNT_##which)
	stats->zap_events = SUM(ZAP_EVENTS);
	stats->zapped = SUM(ZAPPED);
	stats->flushes = SUM(FLUSHES);
	stats->assists = SUM(ASSISTS);
	stats->interrupts = SUM(INTERRUPTS);
	stats->faults = SUM(FAULTS);
	stats->fault_pages = SUM(FAULT_PAGES);
	stats->retries_event = SUM(RETRIES_EVENT);
	stats->retries_self = SUM(RETRIES_SELF);
	stats->retries_slot = SUM(RETRIES_SLOT);
	stats->retries_table = SUM(RETRIES_TABLE);
	stats->retries = stats->retries_event + stats->retries_self +
			 stats->retries_slot + stats->retries_table;
	stats->waits = SUM(WAITS);
	stats->wait_ns = SUM(WAIT_NS);
	stats->reads = SUM(READS);
	stats->writes = SUM(WRITES);
	stats->splits = SUM(SPLITS);
	stats->unsplit = SUM(UNSPLIT);
	stats->left = SUM(LEFT);
	stats->direct = SUM(DIRECT);
	stats->refilled = SUM(REFILLED);
#undef SUM
	sum_tables(mirror, stats);

	secmmu_shards_count(&mirror->chain->shards, &events, &unpaired);
	stats->events = events - mirror->events_before;
	stats->unpaired = unpaired - mirror->unpaired_before;
	stats->replays = atomic64_read(&mirror->chain->replays) -
			 mirror->replays_before;
}
