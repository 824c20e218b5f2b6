// SPDX-License-Identifier: GPL-2.0
/*
 * The lockless searches of the span trees, against a look at every node; the arithmetic
 * between host addresses and guest frames; and the dirty log of a span.
 */
#include <kunit/test.h>
#include <linux/prandom.h>

#include "span.h"

#define NODES_MAX	1000

static void convert_address(struct kunit *test)
{
	unsigned long top = ULONG_MAX & PAGE_MASK;
	struct secmmu_span span = {
		.by_hva = { .start = 0x7000000, .last = 0x7000000 + 4 * PAGE_SIZE - 1 },
		.by_gfn = { .start = 0x123, .last = 0x126 },
	};

	KUNIT_EXPECT_EQ(test, span_hva(&span, 0x123), 0x7000000);
	KUNIT_EXPECT_EQ(test, span_hva(&span, 0x126), 0x7000000 + 3 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, span_gfn(&span, 0x7000000), 0x123);
	KUNIT_EXPECT_EQ(test, span_gfn(&span, 0x7000000 + PAGE_SIZE - 1), 0x123);
	KUNIT_EXPECT_EQ(test, span_gfn(&span, 0x7000000 + PAGE_SIZE), 0x124);
	KUNIT_EXPECT_EQ(test, span_gfn(&span, span.by_hva.last), 0x126);

	span.by_hva.start = top - PAGE_SIZE;
	span.by_hva.last = ULONG_MAX;
	span.by_gfn.start = SECMMU_GFN_LAST - 1;
	span.by_gfn.last = SECMMU_GFN_LAST;
	KUNIT_EXPECT_EQ(test, span_hva(&span, SECMMU_GFN_LAST), top);
	KUNIT_EXPECT_EQ(test, span_gfn(&span, ULONG_MAX), SECMMU_GFN_LAST);
	KUNIT_EXPECT_EQ(test, span_gfn(&span, top - 1), SECMMU_GFN_LAST - 1);
}

/* A range, and how often a search has come to it. */
struct marked_range {
	struct interval_tree_node node;
	unsigned int found;
};

struct unit {
	struct rb_root_cached tree;
	unsigned int nr;
	struct marked_range range[NODES_MAX];
	struct interval_tree_node *found[NODES_MAX];
};

static int span_init(struct kunit *test)
{
	struct unit *unit = kunit_kzalloc(test, sizeof(*unit), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, unit);
	unit->tree = RB_ROOT_CACHED;
	test->priv = unit;
	return 0;
}

static void add_span(struct unit *unit, unsigned long start, unsigned long last)
{
	struct marked_range *range = &unit->range[unit->nr++];

	range->node.start = start;
	range->node.last = last;
	interval_tree_insert(&range->node, &unit->tree);
}

static bool marked_overlaps(const struct marked_range *range, unsigned long start,
			    unsigned long last)
{
	return range->node.start <= last && start <= range->node.last;
}

/* Do both searches find all there is, each once, and nothing else? */
static void search_range(struct kunit *test, unsigned long start, unsigned long last)
{
	struct unit *unit = test->priv;
	unsigned int i, n, want = 0, wrong = 0;
	unsigned long lowest = ULONG_MAX;
	struct interval_tree_node *first;
	bool before = true, behind = true;

	for (i = 0; i < unit->nr; i++) {
		unit->range[i].found = 0;
		before &= last < unit->range[i].node.start;
		behind &= start > unit->range[i].node.last;
		if (!marked_overlaps(&unit->range[i], start, last))
			continue;
		lowest = min(lowest, unit->range[i].node.start);
		want++;
	}

	KUNIT_EXPECT_EQ(test, secmmu_spans_apart(&unit->tree, start, last), before || behind);
	first = secmmu_span_find(&unit->tree, start, last);
	KUNIT_EXPECT_EQ(test, !!first, !!want);
	if (first) {
		KUNIT_EXPECT_EQ(test, first->start, lowest);
		KUNIT_EXPECT_TRUE(test, first->last >= start && first->start <= last);
	}

	n = secmmu_span_collect(&unit->tree, start, last, unit->found, NODES_MAX);
	KUNIT_ASSERT_EQ(test, n, want);
	for (i = 0; i < n; i++)
		container_of(unit->found[i], struct marked_range, node)->found++;
	for (i = 0; i < unit->nr; i++)
		wrong += unit->range[i].found != marked_overlaps(&unit->range[i], start, last);
	KUNIT_EXPECT_EQ(test, wrong, 0);

	/* With just as much room, and with too little. */
	n = secmmu_span_collect(&unit->tree, start, last, unit->found, want);
	KUNIT_EXPECT_EQ(test, n, want);
	if (!want)
		return;
	n = secmmu_span_collect(&unit->tree, start, last, unit->found, want - 1);
	KUNIT_EXPECT_EQ(test, n, want);
}

static void search_edges(struct kunit *test)
{
	struct unit *unit = test->priv;

	search_range(test, 0, ULONG_MAX);
	add_span(unit, 100, 199);
	add_span(unit, 200, 299);
	add_span(unit, 400, 400);
	search_range(test, 0, 99);
	search_range(test, 0, 100);
	search_range(test, 199, 199);
	search_range(test, 199, 200);
	search_range(test, 299, 399);
	search_range(test, 300, 399);
	search_range(test, 300, 400);
	search_range(test, 401, ULONG_MAX);
	add_span(unit, 0, 0);
	add_span(unit, ULONG_MAX, ULONG_MAX);
	search_range(test, 0, 0);
	search_range(test, 1, 99);
	search_range(test, 401, ULONG_MAX - 1);
	search_range(test, ULONG_MAX, ULONG_MAX);
	search_range(test, 0, ULONG_MAX);
	/* One that has the whole space, and its double. */
	add_span(unit, 0, ULONG_MAX);
	add_span(unit, 0, ULONG_MAX);
	search_range(test, 300, 399);
	search_range(test, 0, ULONG_MAX);
}

/* Numbers of ranges; how long they are, at most, in a space of 4096. */
static const struct random_param {
	unsigned int nr;
	unsigned int length;
} randoms[] = {
	{ 1, 4096 }, { 2, 2000 }, { SECMMU_WALK_BATCH, 500 }, { 9, 500 }, { 64, 1 },
	{ 64, 100 }, { 200, 4096 }, { NODES_MAX, 8 },
};

static void describe_random(const struct random_param *random, char *text)
{
	snprintf(text, KUNIT_PARAM_DESC_SIZE, "%u up to %u long", random->nr,
		 random->length);
}

KUNIT_ARRAY_PARAM(random, randoms, describe_random);

static void random_ranges(struct kunit *test)
{
	const struct random_param *p = test->param_value;
	struct unit *unit = test->priv;
	struct rnd_state state;
	unsigned int i;

	prandom_seed_state(&state, p->nr);
	for (i = 0; i < p->nr; i++) {
		unsigned long start = prandom_u32_state(&state) % 4096;

		add_span(unit, start, start + prandom_u32_state(&state) % p->length);
	}
	for (i = 0; i < 100; i++) {
		unsigned long start = prandom_u32_state(&state) % 4096;

		search_range(test, start, start);
		search_range(test, start, start + prandom_u32_state(&state) % 300);
		search_range(test, start, ULONG_MAX);
	}
	/* And as nodes go. */
	while (unit->nr > p->nr / 2)
		interval_tree_remove(&unit->range[--unit->nr].node, &unit->tree);
	for (i = 0; i < 4096; i += 64)
		search_range(test, i, i + 63);
}

/* C2: a part of a log goes out and comes back, and the rest stays where it is. */
static void C2_part_of_log(struct kunit *test)
{
	struct secmmu_log *log = secmmu_log_alloc(5 * BITS_PER_LONG);
	unsigned long part[] = { 0, 0, 77 };
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, log);
	for (i = 0; i < 5; i++)
		secmmu_log_set(log, i * BITS_PER_LONG + i);
	secmmu_log_take(log, 1, part, 2);
	KUNIT_EXPECT_EQ(test, part[0], BIT(1));
	KUNIT_EXPECT_EQ(test, part[1], BIT(2));
	KUNIT_EXPECT_EQ(test, part[2], 77);
	for (i = 0; i < 5; i++)
		KUNIT_EXPECT_EQ(test, log->bits[i], i == 1 || i == 2 ? 0 : BIT(i));
	secmmu_log_give_back(log, 1, part, 2);
	for (i = 0; i < 5; i++)
		KUNIT_EXPECT_EQ(test, log->bits[i], BIT(i));
	secmmu_log_free(log);
}

static struct kunit_case span_cases[] = {
	KUNIT_CASE(convert_address),
	KUNIT_CASE(search_edges),
	KUNIT_CASE_PARAM(random_ranges, random_gen_params),
	KUNIT_CASE(C2_part_of_log),
	{}
};

static struct kunit_suite span_suite = {
	.name = "secmmu_span",
	.init = span_init,
	.test_cases = span_cases,
};

kunit_test_suite(span_suite);
