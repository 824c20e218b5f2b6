// SPDX-License-Identifier: GPL-2.0
#include "lkmm.h"

/* From a read to the writes that come after what it has read. */
static struct relation from_reads(const struct execution *x)
{
	return rel_then(rel_inverse(x->rf), x->co);
}

bool lkmm_coherent(const struct execution *x)
{
	struct relation here = rel_and(x->po, x->same_place);

	return rel_acyclic(rel_or(rel_or(here, x->rf), rel_or(x->co, from_reads(x))));
}

/* Nothing comes between the halves of a read-modify-write. */
static bool atomic(const struct execution *x)
{
	struct relation before = rel_minus(from_reads(x), x->same_thread);
	struct relation after = rel_minus(x->co, x->same_thread);

	return rel_empty(rel_and(x->rmw, rel_then(before, after)));
}

/* From what is before a fence of @kind to what is after it. */
static struct relation fenced(const struct execution *x, set_t kind)
{
	return rel_then(rel_between(x->all, x->po, kind), x->po);
}

/* What is on both sides of a full barrier; an operation that is one has it around it. */
static struct relation strong_fence(const struct execution *x)
{
	set_t accesses = x->reads | x->writes;
	struct relation maybe_po = rel_maybe(x->po);
	struct relation smp_mb, operation, before, after, lock;

	smp_mb = rel_between(accesses, fenced(x, x->full & ~accesses), accesses);
	operation = rel_or(rel_between(accesses, x->po, x->full & x->reads),
			   rel_between(x->full & x->writes, x->po, accesses));
	before = rel_then(rel_between(accesses, fenced(x, x->before_atomic),
				      x->rmw_events),
			  rel_between(x->rmw_events, maybe_po, accesses));
	after = rel_then(rel_between(accesses, maybe_po, x->rmw_events),
			 rel_between(x->rmw_events, fenced(x, x->after_atomic),
				     accesses));
	lock = rel_then(rel_between(accesses, maybe_po, x->lock_writes),
			rel_between(x->lock_writes, fenced(x, x->after_spinlock),
				    accesses));
	return rel_or(rel_or(smp_mb, operation), rel_or(rel_or(before, after), lock));
}

/* From what is before an unlock to what is after a lock that comes after it. */
static struct relation unlock_lock(const struct execution *x)
{
	return rel_then(rel_between(x->all, x->po, x->unlocks),
			rel_then(rel_between(x->unlocks, rel_or(x->po, x->rf),
					     x->lock_reads),
				 x->po));
}

bool lkmm_permits(const struct execution *x)
{
	set_t accesses = x->reads | x->writes, rmb_reads = x->reads & ~x->no_return;
	struct relation overwrite = rel_or(x->co, from_reads(x));
	struct relation rfe = rel_minus(x->rf, x->same_thread);
	struct relation strong = strong_fence(x), locks = unlock_lock(x);
	struct relation release = rel_between(accesses, x->po, x->release);
	struct relation acquire = rel_between(x->acquire, x->po, accesses);
	struct relation wmb = rel_between(x->writes, fenced(x, x->wmb), x->writes);
	struct relation rmb = rel_between(rmb_reads, fenced(x, x->rmb), rmb_reads);
	struct relation ordered, ppo, cumul_fence, prop, hb, pb;

	if (!atomic(x))
		return false;

	/* What the order within a thread is kept for. */
	ordered = rel_or(rel_or(strong, rel_or(release, acquire)), rel_or(wmb, rmb));
	ppo = rel_and(rel_or(overwrite, rel_or(ordered, locks)), x->same_thread);

	/* A write comes to a thread no later than what it is in front of. */
	cumul_fence = rel_or(rel_then(rel_maybe(rfe), rel_or(strong, release)),
			     rel_or(wmb, locks));
	cumul_fence = rel_then(cumul_fence, rel_any(rel_then(x->rf, x->rmw)));
	prop = rel_then(rel_maybe(rel_minus(overwrite, x->same_thread)),
			rel_then(rel_any(cumul_fence), rel_maybe(rfe)));

	/* What is executed before what. */
	hb = rel_minus(prop, rel_identity());
	hb = rel_or(rel_or(ppo, rfe), rel_and(hb, x->same_thread));
	if (!rel_acyclic(hb))
		return false;

	/* What has come to all threads before what is executed. */
	pb = rel_then(prop, rel_then(strong, rel_any(hb)));
	return rel_acyclic(pb);
}
