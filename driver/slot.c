// SPDX-License-Identifier: GPL-2.0
#include <linux/overflow.h>
#include <linux/slab.h>

#include "slot.h"

/**
 * secmmu_slots_init - start without slots
 * @slots: the slots
 * @member: the mirror's seat in the chain
 * @tlbs: the mirror's TLBs
 * @roots: the mirror's page tables
 */
void secmmu_slots_init(struct secmmu_slots *slots, struct secmmu_member *member,
		       struct secmmu_tlbs *tlbs, struct secmmu_roots *roots)
{
	mutex_init(&slots->lock);
	xa_init_flags(&slots->by_id, XA_FLAGS_ACCOUNT);
	slots->member = member;
	slots->tlbs = tlbs;
	slots->roots = roots;
}

/* Events that look whether they touch a member may still look at the slot's range. */
static void slot_free(struct secmmu_slot *slot)
{
	secmmu_log_free(slot->span.log);
	kfree_rcu(slot, rcu);
}

/**
 * secmmu_slots_destroy - free all slots
 * @slots: the slots; the member has left the chain, no fault runs
 *
 * Context: may sleep.
 */
void secmmu_slots_destroy(struct secmmu_slots *slots)
{
	struct secmmu_slot *slot;
	unsigned long id;

	xa_for_each(&slots->by_id, id, slot) {
		slot_free(slot);
		cond_resched();
	}
	xa_destroy(&slots->by_id);
	mutex_destroy(&slots->lock);
}

static struct secmmu_slot *to_slot(struct secmmu_span *span)
{
	return container_of(span, struct secmmu_slot, span);
}

/* Validate @arg; the caller handles length 0 (deletion). */
static int slot_check(const struct secmmu_set_slot *arg)
{
	u64 last;

	if (arg->flags & ~(SECMMU_SLOT_READONLY | SECMMU_SLOT_LOG_DIRTY) ||
	    arg->domains >> SECMMU_MAX_DOMAINS)
		return -EINVAL;
	if (!PAGE_ALIGNED(arg->gpa) || !PAGE_ALIGNED(arg->hva) ||
	    !PAGE_ALIGNED(arg->length))
		return -EINVAL;
	if (check_add_overflow(arg->gpa, arg->length - 1, &last) ||
	    last >> SECMMU_GPA_BITS)
		return -EINVAL;
	if (check_add_overflow(arg->hva, arg->length - 1, &last) ||
	    last >= TASK_SIZE)
		return -EINVAL;
	return 0;
}

static struct secmmu_slot *slot_alloc(const struct secmmu_set_slot *arg)
{
	gfn_t gfn = arg->gpa >> PAGE_SHIFT;
	u64 pages = arg->length >> PAGE_SHIFT;
	struct secmmu_slot *slot;

	slot = kzalloc(sizeof(*slot), GFP_KERNEL_ACCOUNT);
	if (!slot)
		return NULL;
	if (arg->flags & SECMMU_SLOT_LOG_DIRTY) {
		slot->span.log = secmmu_log_alloc(pages);
		if (!slot->span.log) {
			kfree(slot);
			return NULL;
		}
	}
	slot->flags = arg->flags;
	slot->key = arg->key;
	/* Domain 0 shows everything. */
	slot->span.domains = arg->domains | BIT(0);
	slot->span.by_hva.start = arg->hva;
	slot->span.by_hva.last = arg->hva + arg->length - 1;
	slot->span.by_gfn.start = gfn;
	slot->span.by_gfn.last = gfn + pages - 1;
	return slot;
}

/* Does any slot other than @except overlap the guest frames of @slot? */
static bool slot_overlaps(struct secmmu_slots *slots, struct secmmu_slot *slot,
			  struct secmmu_slot *except)
{
	struct interval_tree_node *range = &slot->span.by_gfn, *node;
	struct rb_root_cached *tree = &slots->member->spans.by_gfn;

	/* Only holders of the lock write the tree. */
	lockdep_assert_held(&slots->lock);
	for (node = interval_tree_iter_first(tree, range->start, range->last);
	     node;
	     node = interval_tree_iter_next(node, range->start, range->last))
		if (!except || node != &except->span.by_gfn)
			return true;
	return false;
}

/* Replace @old by @new; either may be NULL. */
static void slot_replace(struct secmmu_slots *slots, struct secmmu_slot *old,
			 struct secmmu_slot *new)
{
	struct secmmu_gather gather;

	secmmu_chain_replace(slots->member, old ? &old->span : NULL,
			     new ? &new->span : NULL);
	if (!old)
		return;
	secmmu_gate_range(SLOT_REPLACED, slots->member->chain, old->span.by_hva.start,
			  old->span.by_hva.last, true);
	secmmu_gather_begin(&gather, slots->tlbs, &slots->member->spans, true);
	secmmu_roots_zap(slots->roots, &gather, old->span.domains,
			 old->span.by_gfn.start, old->span.by_gfn.last);
	secmmu_gather_finish(&gather);
	/* Accesses past the mirror have no spte: wait for their windows; pairs with (A). */
	smp_mb();
	secmmu_tlbs_wait(slots->tlbs);
	secmmu_chain_forget(slots->member, &old->span);
	secmmu_log_put(old->span.log);
	kfree_rcu(old, rcu);
}

static int slot_delete(struct secmmu_slots *slots, u32 id)
{
	struct secmmu_slot *old;

	if (mutex_lock_killable(&slots->lock))
		return -EINTR;
	old = xa_erase(&slots->by_id, id);
	if (old)
		slot_replace(slots, old, NULL);
	mutex_unlock(&slots->lock);
	return old ? 0 : -ENXIO;
}

/**
 * secmmu_slot_set - add, replace or delete a slot
 * @slots: the slots of the mirror
 * @arg: as the user gave it; its key is allocated, unless it deletes
 *
 * After this returns, no engine uses the old contents of the slot.
 *
 * Context: may sleep; no locks.
 * Return: 0, or -EINVAL, -ENXIO, -EBUSY, -ENOMEM, -EINTR with nothing changed.
 */
int secmmu_slot_set(struct secmmu_slots *slots,
		    const struct secmmu_set_slot *arg)
{
	struct secmmu_slot *old, *new;
	int err;

	if (arg->slot >= SECMMU_MAX_SLOTS)
		return -EINVAL;
	if (!arg->length)
		return slot_delete(slots, arg->slot);
	err = slot_check(arg);
	if (err)
		return err;
	new = slot_alloc(arg);
	if (!new)
		return -ENOMEM;

	if (mutex_lock_killable(&slots->lock)) {
		slot_free(new);
		return -EINTR;
	}
	old = xa_load(&slots->by_id, arg->slot);
	if (slot_overlaps(slots, new, old))
		err = -EBUSY;
	else
		err = xa_err(xa_store(&slots->by_id, arg->slot, new,
				      GFP_KERNEL_ACCOUNT));
	if (!err)
		slot_replace(slots, old, new);
	mutex_unlock(&slots->lock);

	if (err)
		slot_free(new);
	return err;
}

/**
 * secmmu_slot_find - look up the slot of a gfn
 * @member: the mirror's seat in the chain
 * @gfn: the guest frame
 * @target: filled in
 *
 * Context: never sleeps; takes no lock.
 * Return: 0, or -ENXIO if no slot has the gfn.
 */
int secmmu_slot_find(struct secmmu_member *member, gfn_t gfn,
		     struct secmmu_target *target)
{
	struct secmmu_span *span;

	/* Before the lookup; pairs with the release in secmmu_chain_replace(). */
	target->span_gen = smp_load_acquire(&member->span_gen);

	rcu_read_lock();
	span = secmmu_span_at(&member->spans, gfn);
	if (span) {
		target->hva = span_hva(span, gfn);
		target->before = gfn - span->by_gfn.start;
		target->pages = span->by_gfn.last - gfn + 1;
		target->flags = to_slot(span)->flags;
		target->key = to_slot(span)->key;
		target->domains = span->domains;
	}
	rcu_read_unlock();

	secmmu_gate_spin(SLOT_FOUND, span ? target->hva : 0);
	return span ? 0 : -ENXIO;
}

/**
 * secmmu_target_current - check that a look-up still holds
 * @member: the mirror's seat in the chain
 * @gfn: the guest frame
 * @target: the result of the look-up; renewed if only other slots have gone since
 *
 * Context: never sleeps; takes no lock.
 * Return: false if the slot of @gfn has changed.
 */
bool secmmu_target_current(struct secmmu_member *member, gfn_t gfn,
			   struct secmmu_target *target)
{
	struct secmmu_target now;

	/* Pairs with the release in secmmu_chain_replace(). */
	if (smp_load_acquire(&member->span_gen) == target->span_gen)
		return true;
	if (secmmu_slot_find(member, gfn, &now) ||
	    now.hva != target->hva ||
	    now.pages < target->pages ||
	    now.before < target->before ||
	    now.flags != target->flags ||
	    now.key != target->key ||
	    now.domains != target->domains)
		return false;
	*target = now;
	return true;
}
