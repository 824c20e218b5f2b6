// SPDX-License-Identifier: GPL-2.0
#include "arm64.h"

/* From what is before a fence of @fences to what is after it. */
static struct relation across(const struct execution *x, set_t from, set_t fences, set_t to)
{
	return rel_between(from, rel_then(rel_between(x->all, x->po, fences), x->po), to);
}

/* What barriers, and instructions that are half a barrier, keep in order. */
static struct relation barriers(const struct execution *x)
{
	set_t accesses = x->reads | x->writes, reads = x->reads & ~x->no_return;
	set_t dmb = (x->full & ~accesses) | x->before_atomic | x->after_atomic |
		    x->after_spinlock;
	/* The read of such an operation need not come after what is before the operation. */
	set_t before_all = x->acquire | (x->full & accesses);
	set_t after_all = x->release | (x->full & x->writes);
	/* What reads in a read-modify-write is never LDAPR. */
	set_t strong = x->acquire & (x->lock_reads | x->rmw_events);
	struct relation order = across(x, accesses, dmb, accesses);

	order = rel_or(order, across(x, reads, x->rmb, accesses));
	order = rel_or(order, across(x, x->writes, x->wmb, x->writes));
	order = rel_or(order, rel_between(x->release, x->po, strong));
	order = rel_or(order, rel_between(before_all, x->po, accesses));
	return rel_or(order, rel_between(accesses, x->po, after_all));
}

bool arm64_permits(const struct execution *x)
{
	struct relation from_reads = rel_then(rel_inverse(x->rf), x->co);
	struct relation here = rel_and(x->po, x->same_place), seen, order;
	struct relation before = rel_minus(from_reads, x->same_thread);
	struct relation after = rel_minus(x->co, x->same_thread);
	set_t halves = x->rmw_events | x->lock_writes;

	/* Nothing comes between the halves of a read-modify-write. */
	if (!rel_empty(rel_and(x->rmw, rel_then(before, after))))
		return false;

	/* What one thread sees of another, all others see as well. */
	seen = rel_or(rel_minus(x->rf, x->same_thread), rel_or(before, after));

	order = rel_or(barriers(x), rel_between(x->reads | x->writes, here, x->writes));
	order = rel_or(order, x->rmw);
	order = rel_or(order, rel_between(halves & x->writes, rel_and(x->rf, x->same_thread),
					  x->acquire));
	return rel_acyclic(rel_or(seen, order));
}
