// SPDX-License-Identifier: GPL-2.0
/*
 * The chain of an mm that nobody uses: its callbacks are called as the core would,
 * with every kind of range, and subscribers note what they are told.
 */
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/mman.h>

#include "walk.h"
#include "record_kunit.h"

#define HVA		0x7000000UL
#define PAGES(n)	((n) * PAGE_SIZE)
#define GFNS		4096
#define SPANS		64

/**
 * struct subscriber - a member that notes what it is told
 * @member: the seat in the chain
 * @calls: of any callback
 * @repeated: pages named twice in one round
 * @seen: guest frames named in the latest round
 * @disturb: registrations to make in rounds to come
 * @young: what it says when asked
 */
struct subscriber {
	struct secmmu_member member;
	unsigned int calls;
	unsigned int repeated;
	DECLARE_BITMAP(seen, GFNS);
	unsigned int disturb;
	bool young;
};

struct unit {
	struct secmmu_chain *chain;
	struct subscriber sub[2];
	unsigned int nr_spans;
	struct secmmu_span span[SPANS];
};

static struct subscriber *to_subscriber(struct secmmu_member *member)
{
	return container_of(member, struct subscriber, member);
}

static void sub_invalidate(struct secmmu_member *member, struct secmmu_walk *walk)
{
	struct subscriber *sub = to_subscriber(member);
	struct secmmu_chain *chain = walk->chain;
	unsigned int i, n;
	gfn_t gfn;

	sub->calls++;
	bitmap_zero(sub->seen, GFNS);
	while ((n = secmmu_walk_next(walk, member)))
		for (i = 0; i < n; i++)
			for (gfn = walk->piece[i].first; gfn <= walk->piece[i].last; gfn++)
				sub->repeated += gfn >= GFNS ||
						 __test_and_set_bit(gfn, sub->seen);
	if (!sub->disturb)
		return;
	/* What secmmu_chain_replace() does to those who walk. */
	sub->disturb--;
	spin_lock(&chain->registry);
	write_seqcount_begin(&chain->seq);
	write_seqcount_end(&chain->seq);
	spin_unlock(&chain->registry);
}

static bool sub_age(struct secmmu_member *member, struct secmmu_walk *walk, bool clear)
{
	struct subscriber *sub = to_subscriber(member);

	sub->calls++;
	return sub->young;
}

static void sub_release(struct secmmu_member *member)
{
	to_subscriber(member)->calls++;
}

static const struct secmmu_member_ops sub_ops = {
	.invalidate = sub_invalidate,
	.age = sub_age,
	.release = sub_release,
};

KUNIT_DEFINE_ACTION_WRAPPER(leave, secmmu_chain_leave, struct secmmu_member *);

/* Events of this mm may still look at what has left, which is freed after this. */
static void put(void *chain)
{
	synchronize_rcu();
	secmmu_chain_put(chain);
}

static int chain_init(struct kunit *test)
{
	struct unit *unit = kunit_kzalloc(test, sizeof(*unit), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, unit);
	/* This gives the test an mm. */
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(kunit_vm_mmap(test, NULL, 0, PAGE_SIZE,
							    PROT_READ, MAP_PRIVATE |
							    MAP_ANONYMOUS, 0)));
	unit->chain = secmmu_chain_get(current->mm);
	KUNIT_ASSERT_FALSE(test, IS_ERR(unit->chain));
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, put, unit->chain), 0);
	for (i = 0; i < ARRAY_SIZE(unit->sub); i++) {
		secmmu_chain_join(unit->chain, &unit->sub[i].member, &sub_ops);
		KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, leave,
								&unit->sub[i].member), 0);
	}
	test->priv = unit;
	return 0;
}

/* A span of some pages, of the first subscriber unless said otherwise. */
static struct secmmu_span *add_span(struct unit *unit, struct subscriber *sub,
				    unsigned long hva, gfn_t gfn, unsigned int pages)
{
	struct secmmu_span *span = &unit->span[unit->nr_spans++];

	span->by_hva.start = hva;
	span->by_hva.last = hva + PAGES(pages) - 1;
	span->by_gfn.start = gfn;
	span->by_gfn.last = gfn + pages - 1;
	secmmu_chain_replace(&sub->member, NULL, span);
	return span;
}

static void deliver_event(struct unit *unit, unsigned long start, unsigned long end, bool begin)
{
	struct mmu_notifier_range range = {
		.mm = current->mm,
		.start = start,
		.end = end,
		.event = MMU_NOTIFY_UNMAP,
	};
	struct mmu_notifier *mn = &unit->chain->mn;

	if (begin)
		mn->ops->invalidate_range_start(mn, &range);
	else
		mn->ops->invalidate_range_end(mn, &range);
}

static void event_begin(struct unit *unit, unsigned long start, unsigned long end)
{
	deliver_event(unit, start, end, true);
}

static void event_end(struct unit *unit, unsigned long start, unsigned long end)
{
	deliver_event(unit, start, end, false);
}

static u64 count_events(struct unit *unit)
{
	u64 events, unpaired;

	secmmu_shards_count(&unit->chain->shards, &events, &unpaired);
	return events;
}

static u64 count_unpaired(struct unit *unit)
{
	u64 events, unpaired;

	secmmu_shards_count(&unit->chain->shards, &events, &unpaired);
	return unpaired;
}

static bool in_flight(struct unit *unit, unsigned long start, unsigned long last)
{
	unsigned int i;

	for (i = 0; i < SECMMU_SHARDS; i++)
		if (is_covered(&unit->chain->shards.shard[i], start, last))
			return true;
	return false;
}

/*
 * Two spans, with four pages between that are in none; the first has a second view.
 * Which guest frames does an event of host addresses touch? End is exclusive.
 */
static const struct event_param {
	const char *name;
	unsigned long start, end;
	struct {
		unsigned int first, nr;
	} gfns[3];
} events[] = {
	{ "before", HVA - PAGE_SIZE, HVA, {} },
	{ "up to the first byte", HVA - PAGE_SIZE, HVA + 1,
	  { { 100, 1 }, { 500, 1 } } },
	{ "first page", HVA, HVA + PAGES(1), { { 100, 1 }, { 500, 1 } } },
	{ "second page", HVA + PAGES(1), HVA + PAGES(2), { { 101, 1 }, { 501, 1 } } },
	{ "one byte", HVA + PAGES(1) + 5, HVA + PAGES(1) + 6,
	  { { 101, 1 }, { 501, 1 } } },
	{ "last byte", HVA + PAGES(4) - 1, HVA + PAGES(4), { { 103, 1 }, { 503, 1 } } },
	{ "between", HVA + PAGES(4), HVA + PAGES(8), {} },
	{ "across", HVA + PAGES(3), HVA + PAGES(9),
	  { { 103, 1 }, { 503, 1 }, { 10, 1 } } },
	{ "behind", HVA + PAGES(12), HVA + PAGES(13), {} },
	{ "behind, to the end", HVA + PAGES(12), ULONG_MAX, {} },
	{ "all", 0, ULONG_MAX, { { 100, 4 }, { 500, 4 }, { 10, 4 } } },
	{ "nothing", HVA + PAGES(1), HVA + PAGES(1), {} },
	{ "backwards", HVA + PAGES(2), HVA + PAGES(1), {} },
};

KUNIT_ARRAY_PARAM_DESC(event, events, name);

static void B4_events(struct kunit *test)
{
	const struct event_param *p = test->param_value;
	DECLARE_BITMAP(want, GFNS) = {};
	struct unit *unit = test->priv;
	struct subscriber *sub = &unit->sub[0];
	bool real = p->start < p->end;
	unsigned int i;

	add_span(unit, sub, HVA, 100, 4);
	add_span(unit, sub, HVA + PAGES(8), 10, 4);
	add_span(unit, sub, HVA, 500, 4);
	for (i = 0; i < ARRAY_SIZE(p->gfns); i++)
		bitmap_set(want, p->gfns[i].first, p->gfns[i].nr);

	event_begin(unit, p->start, p->end);
	KUNIT_EXPECT_EQ(test, sub->calls, !bitmap_empty(want, GFNS));
	KUNIT_EXPECT_TRUE(test, bitmap_equal(sub->seen, want, GFNS));
	KUNIT_EXPECT_EQ(test, sub->repeated, 0);
	/* A member that shows nothing of the range is not called. */
	KUNIT_EXPECT_EQ(test, unit->sub[1].calls, 0);
	/* The event is recorded to the byte, even if no member shows the range. */
	KUNIT_EXPECT_EQ(test, in_flight(unit, 0, ULONG_MAX), real);
	if (real) {
		KUNIT_EXPECT_TRUE(test, in_flight(unit, p->start, p->start));
		KUNIT_EXPECT_TRUE(test, in_flight(unit, p->end - 1, p->end - 1));
		KUNIT_EXPECT_FALSE(test, in_flight(unit, p->end, ULONG_MAX));
	}
	event_end(unit, p->start, p->end);
	KUNIT_EXPECT_FALSE(test, in_flight(unit, 0, ULONG_MAX));
	KUNIT_EXPECT_EQ(test, count_unpaired(unit), 0);
	KUNIT_EXPECT_EQ(test, count_events(unit), real);
	KUNIT_EXPECT_EQ(test, sub->calls, !bitmap_empty(want, GFNS));
}

/* More spans than fit into one batch: each is visited, and once. */
static const unsigned int numbers[] = {
	1, SECMMU_WALK_BATCH - 1, SECMMU_WALK_BATCH, SECMMU_WALK_BATCH + 1,
	2 * SECMMU_WALK_BATCH, 2 * SECMMU_WALK_BATCH + 1, SPANS,
};

static void describe_number(const unsigned int *number, char *text)
{
	snprintf(text, KUNIT_PARAM_DESC_SIZE, "%u spans", *number);
}

KUNIT_ARRAY_PARAM(number, numbers, describe_number);

static void many_spans(struct kunit *test)
{
	unsigned int i, nr = *(const unsigned int *)test->param_value;
	struct unit *unit = test->priv;
	struct subscriber *sub = &unit->sub[0];

	for (i = 0; i < nr; i++)
		add_span(unit, sub, HVA + PAGES(2 * i), 7 * i, 1);
	event_begin(unit, HVA, HVA + PAGES(2 * SPANS));
	KUNIT_EXPECT_EQ(test, sub->calls, 1);
	KUNIT_EXPECT_EQ(test, sub->repeated, 0);
	KUNIT_EXPECT_EQ(test, bitmap_weight(sub->seen, GFNS), nr);
	for (i = 0; i < nr; i++)
		KUNIT_EXPECT_TRUE(test, test_bit(7 * i, sub->seen));
	event_end(unit, HVA, HVA + PAGES(2 * SPANS));
}

/* A1: the registration moves under a walk: it comes again, and it ends. */
static const unsigned int moves[] = { 0, 1, SECMMU_REPLAYS_MAX, SECMMU_REPLAYS_MAX + 2 };

static void describe_moves(const unsigned int *nr, char *text)
{
	snprintf(text, KUNIT_PARAM_DESC_SIZE, "moved %u times", *nr);
}

KUNIT_ARRAY_PARAM(moves, moves, describe_moves);

static void A1_replay(struct kunit *test)
{
	unsigned int nr = *(const unsigned int *)test->param_value;
	struct unit *unit = test->priv;

	unit->sub[0].disturb = nr;
	add_span(unit, &unit->sub[0], HVA, 0, 1);
	add_span(unit, &unit->sub[1], HVA, 0, 1);
	event_begin(unit, HVA, HVA + 1);
	KUNIT_EXPECT_EQ(test, unit->sub[0].calls, 1 + nr);
	KUNIT_EXPECT_EQ(test, unit->sub[1].calls, 1 + nr);
	KUNIT_EXPECT_EQ(test, atomic64_read(&unit->chain->replays), nr);
	/* Recorded once all the same, and registration is free again. */
	KUNIT_EXPECT_EQ(test, count_events(unit), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&unit->chain->hold_off), 0);
	event_end(unit, HVA, HVA + 1);
}

/* A3: who joins in between has nothing to balance. */
static void A3_join_between(struct kunit *test)
{
	struct unit *unit = test->priv;
	struct subscriber *late = kunit_kzalloc(test, sizeof(*late), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, late);
	event_begin(unit, HVA, HVA + PAGES(1));
	secmmu_chain_join(unit->chain, &late->member, &sub_ops);
	event_begin(unit, HVA + PAGES(1), HVA + PAGES(2));
	KUNIT_EXPECT_TRUE(test, in_flight(unit, HVA, HVA));
	event_end(unit, HVA, HVA + PAGES(1));
	KUNIT_EXPECT_FALSE(test, in_flight(unit, HVA, HVA));
	KUNIT_EXPECT_TRUE(test, in_flight(unit, HVA + PAGES(1), HVA + PAGES(1)));
	event_end(unit, HVA + PAGES(1), HVA + PAGES(2));
	secmmu_chain_leave(&late->member);
	synchronize_rcu();
	KUNIT_EXPECT_FALSE(test, in_flight(unit, 0, ULONG_MAX));
	KUNIT_EXPECT_EQ(test, count_unpaired(unit), 0);
}

/* A5: an end without a begin counts as both. */
static void A5_end_alone(struct kunit *test)
{
	struct unit *unit = test->priv;
	struct subscriber *sub = &unit->sub[0];

	add_span(unit, sub, HVA, 100, 4);
	event_begin(unit, HVA, HVA + PAGES(1));
	event_end(unit, HVA, HVA + PAGES(2));
	KUNIT_EXPECT_EQ(test, count_unpaired(unit), 1);
	KUNIT_EXPECT_EQ(test, sub->calls, 2);
	KUNIT_EXPECT_EQ(test, bitmap_weight(sub->seen, GFNS), 2);
	/* The one that did begin is still there. */
	KUNIT_EXPECT_TRUE(test, in_flight(unit, HVA, HVA));
	KUNIT_EXPECT_FALSE(test, in_flight(unit, HVA + PAGES(1), ULONG_MAX));
	event_end(unit, HVA, HVA + PAGES(1));
	KUNIT_EXPECT_FALSE(test, in_flight(unit, 0, ULONG_MAX));
	KUNIT_EXPECT_EQ(test, count_unpaired(unit), 1);
}

static const struct young_param {
	bool said[2];
} youngs[] = { { { false, false } }, { { true, false } }, { { false, true } },
	       { { true, true } } };

static void describe_young(const struct young_param *young, char *text)
{
	snprintf(text, KUNIT_PARAM_DESC_SIZE, "%s, %s", young->said[0] ? "young" : "old",
		 young->said[1] ? "young" : "old");
}

KUNIT_ARRAY_PARAM(young, youngs, describe_young);

/* A15: all members age, whatever the first one answers. */
static void A15_young(struct kunit *test)
{
	const struct young_param *p = test->param_value;
	struct unit *unit = test->priv;
	struct mmu_notifier *mn = &unit->chain->mn;
	bool any = p->said[0] || p->said[1];
	unsigned int i;

	for (i = 0; i < 2; i++) {
		unit->sub[i].young = p->said[i];
		add_span(unit, &unit->sub[i], HVA, 0, 2);
	}
	KUNIT_EXPECT_EQ(test, mn->ops->clear_young(mn, current->mm, HVA, HVA + 1), any);
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, unit->sub[i].calls, 1);
	KUNIT_EXPECT_EQ(test, mn->ops->clear_flush_young(mn, current->mm, HVA, HVA + 1),
			any);
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, unit->sub[i].calls, 2);
	KUNIT_EXPECT_EQ(test, mn->ops->test_young(mn, current->mm, HVA + PAGES(2) - 1),
			any);
	/* A range elsewhere, or without bytes, reaches no member. */
	unit->sub[0].calls = 0;
	unit->sub[1].calls = 0;
	KUNIT_EXPECT_FALSE(test, mn->ops->test_young(mn, current->mm, HVA + PAGES(2)));
	KUNIT_EXPECT_FALSE(test, mn->ops->clear_young(mn, current->mm, HVA - 9, HVA));
	KUNIT_EXPECT_FALSE(test, mn->ops->clear_young(mn, current->mm, HVA, HVA));
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, unit->sub[i].calls, 0);
}

/* A11: events find a span that goes until it is forgotten, faults do not. */
static void A11_replace(struct kunit *test)
{
	struct unit *unit = test->priv;
	struct subscriber *sub = &unit->sub[0];
	struct secmmu_span *span = add_span(unit, sub, HVA, 100, 1);
	u64 gen = sub->member.span_gen;

	secmmu_chain_replace(&sub->member, span, NULL);
	KUNIT_EXPECT_NE(test, sub->member.span_gen, gen);
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&sub->member.spans.by_gfn.rb_root));
	event_begin(unit, HVA, HVA + 1);
	event_end(unit, HVA, HVA + 1);
	KUNIT_EXPECT_TRUE(test, test_bit(100, sub->seen));
	secmmu_chain_forget(&sub->member, span);
	event_begin(unit, HVA, HVA + 1);
	event_end(unit, HVA, HVA + 1);
	KUNIT_EXPECT_EQ(test, sub->calls, 1);
}

static void A17_release(struct kunit *test)
{
	struct unit *unit = test->priv;
	struct mmu_notifier *mn = &unit->chain->mn;
	unsigned int i;

	event_begin(unit, HVA, HVA + PAGES(1));
	mn->ops->release(mn, current->mm);
	/* All are told, also those who show nothing. */
	KUNIT_EXPECT_EQ(test, unit->sub[0].calls, 1);
	KUNIT_EXPECT_EQ(test, unit->sub[1].calls, 1);
	for (i = 0; i < SECMMU_SHARDS; i++)
		KUNIT_EXPECT_TRUE(test, unit->chain->shards.shard[i].released);
	KUNIT_EXPECT_FALSE(test, in_flight(unit, 0, ULONG_MAX));
}

static struct kunit_case chain_cases[] = {
	KUNIT_CASE_PARAM(B4_events, event_gen_params),
	KUNIT_CASE_PARAM(many_spans, number_gen_params),
	KUNIT_CASE_PARAM(A1_replay, moves_gen_params),
	KUNIT_CASE(A3_join_between),
	KUNIT_CASE(A5_end_alone),
	KUNIT_CASE_PARAM(A15_young, young_gen_params),
	KUNIT_CASE(A11_replace),
	KUNIT_CASE(A17_release),
	{}
};

static struct kunit_suite chain_suite = {
	.name = "secmmu_chain",
	.init = chain_init,
	.test_cases = chain_cases,
};

kunit_test_suite(chain_suite);
