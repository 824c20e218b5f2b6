// SPDX-License-Identifier: GPL-2.0
/* What an invalidation drops, how often it flushes, and what it leaves behind. */
#include "mmu_kunit.h"
#include "rival_kunit.h"

#define MARGIN		3ULL

static u64 spte_for(gfn_t gfn)
{
	return spte_make(gfn & 0xffffff, true, 0);
}

static void drop_range(struct secmmu_mmu_kunit *mmu, struct secmmu_gather *gather,
		       gfn_t first, gfn_t last)
{
	secmmu_gather_begin(gather, &mmu->tlbs, &mmu->spans, true);
	secmmu_gather_zap(gather, &mmu->pt, first, last);
	secmmu_gather_finish(gather);
}

/* Flushes and no more: all that was dropped is flushed, and each was counted. */
static void expect_flushes(struct kunit *test, struct secmmu_mmu_kunit *mmu, u64 nr)
{
	KUNIT_EXPECT_EQ(test, secmmu_kunit_counted(mmu, SECMMU_COUNT_FLUSHES), nr);
	KUNIT_EXPECT_EQ(test, atomic64_read(&mmu->tlbs.gen), 1 + nr);
	KUNIT_EXPECT_EQ(test, atomic64_read(&mmu->tlbs.flushed), 1 + nr);
	/* No CPU had a window open. */
	KUNIT_EXPECT_EQ(test, secmmu_kunit_counted(mmu, SECMMU_COUNT_INTERRUPTS), 0);
}

/* N sptes dropped under the policies range, each, and arrays. */
static const struct count_param {
	unsigned int batch;
	unsigned int n;
} counts[] = {
	{ UINT_MAX, 0 }, { UINT_MAX, 1 }, { UINT_MAX, 2 }, { UINT_MAX, 512 },
	{ UINT_MAX, 513 }, { UINT_MAX, 1025 },
	{ 1, 0 }, { 1, 1 }, { 1, 2 }, { 1, 1025 },
	{ 2, 0 }, { 2, 1 }, { 2, 2 }, { 2, 3 },
	{ 16, 0 }, { 16, 1 }, { 16, 15 }, { 16, 16 }, { 16, 17 }, { 16, 32 },
	{ 16, 33 }, { 16, 1025 },
	{ 512, 511 }, { 512, 512 }, { 512, 513 },
	{ 1024, 1025 }, { 1025, 1024 }, { 1025, 1025 },
};

static void describe_count(const struct count_param *count, char *text)
{
	if (count->batch == UINT_MAX)
		snprintf(text, KUNIT_PARAM_DESC_SIZE, "range, %u", count->n);
	else
		snprintf(text, KUNIT_PARAM_DESC_SIZE, "array:%u, %u", count->batch,
			 count->n);
}

KUNIT_ARRAY_PARAM(count, counts, describe_count);

/* Drop N sptes, one every @stride pages. */
static void drop_spread(struct kunit *test, gfn_t first, unsigned int stride)
{
	const struct count_param *p = test->param_value;
	struct secmmu_mmu_kunit *mmu = secmmu_mmu_kunit(test, p->batch);
	struct secmmu_gather gather;
	unsigned int i, left = 0;
	gfn_t last = first + (gfn_t)(p->n + 1) * stride;

	for (i = 0; i < p->n; i++)
		secmmu_kunit_map(test, mmu, first + i * stride, spte_for(i));
	drop_range(mmu, &gather, first, last);
	for (i = 0; i < p->n; i++)
		left += !!secmmu_kunit_spte(mmu, first + i * stride);
	KUNIT_EXPECT_EQ(test, left, 0);
	KUNIT_EXPECT_EQ(test, gather.zapped, p->n);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_counted(mmu, SECMMU_COUNT_ZAPPED), p->n);
	expect_flushes(test, mmu, DIV_ROUND_UP_ULL((u64)p->n, p->batch));
	KUNIT_EXPECT_EQ(test, secmmu_kunit_counted(mmu, SECMMU_COUNT_ASSISTS), 0);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_tables(mmu), 1);
}

static void B1_dense(struct kunit *test)
{
	drop_spread(test, 510, 1);
}

/* The same with few to a table. */
static const struct count_param spreads[] = {
	{ UINT_MAX, 1 }, { UINT_MAX, 65 }, { 1, 1 }, { 1, 2 }, { 16, 15 }, { 16, 16 },
	{ 16, 17 }, { 16, 65 }, { 1024, 1025 },
};

KUNIT_ARRAY_PARAM(spread, spreads, describe_count);

static void B1_spread(struct kunit *test)
{
	drop_spread(test, BIT_ULL(18) - 100, 171);
}

/* The ranges of one invalidation share a flush, or an array. */
static const struct piece_param {
	unsigned int batch, pieces, flushes;
} pieces[] = {
	{ UINT_MAX, 3, 1 }, { UINT_MAX, 40, 1 },
	{ 1, 3, 15 },
	{ 4, 1, 2 }, { 4, 3, 4 }, { 4, 4, 5 },
	{ 5, 3, 3 }, { 15, 3, 1 }, { 16, 3, 1 }, { 14, 3, 2 },
};

static void describe_piece(const struct piece_param *piece, char *text)
{
	snprintf(text, KUNIT_PARAM_DESC_SIZE, "array:%u, %u times 5", piece->batch,
		 piece->pieces);
}

KUNIT_ARRAY_PARAM(piece, pieces, describe_piece);

static void B1_pieces(struct kunit *test)
{
	const struct piece_param *p = test->param_value;
	struct secmmu_mmu_kunit *mmu = secmmu_mmu_kunit(test, p->batch);
	struct secmmu_gather gather;
	unsigned int i, j;

	for (i = 0; i < p->pieces; i++)
		for (j = 0; j < 5; j++)
			secmmu_kunit_map(test, mmu, i * 700 + j, spte_for(j));
	/* Backwards, and with more of them than hulls of empty tables. */
	secmmu_gather_begin(&gather, &mmu->tlbs, &mmu->spans, true);
	for (i = p->pieces; i-- > 0;)
		secmmu_gather_zap(&gather, &mmu->pt, i * 700, i * 700 + 4);
	secmmu_gather_finish(&gather);
	KUNIT_EXPECT_EQ(test, gather.zapped, p->pieces * 5);
	expect_flushes(test, mmu, p->flushes);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_tables(mmu), 1);
}

/* Ranges: both neighbours survive, first and last go. */
static const struct range_param {
	gfn_t first, last;
} ranges[] = {
	{ 0, 0 }, { 5, 5 }, { 5, 6 }, { 0, 511 }, { 512, 1023 }, { 511, 512 },
	{ 510, 1030 }, { BIT_ULL(18) - 1, BIT_ULL(18) - 1 },
	{ BIT_ULL(18) - 1, BIT_ULL(18) }, { BIT_ULL(27) - 2, BIT_ULL(27) + 1 },
	{ SECMMU_GFN_LAST - 512, SECMMU_GFN_LAST }, { SECMMU_GFN_LAST, SECMMU_GFN_LAST },
};

static void describe_range(const struct range_param *range, char *text)
{
	snprintf(text, KUNIT_PARAM_DESC_SIZE, "0x%llx to 0x%llx", range->first,
		 range->last);
}

KUNIT_ARRAY_PARAM(range, ranges, describe_range);

static void B4_range(struct kunit *test)
{
	const struct range_param *p = test->param_value;
	struct secmmu_mmu_kunit *mmu = secmmu_mmu_kunit(test, UINT_MAX);
	gfn_t from = p->first - min(p->first, MARGIN), gfn;
	gfn_t to = min(p->last + MARGIN, SECMMU_GFN_LAST);
	struct secmmu_gather gather;

	for (gfn = from; gfn <= to; gfn++)
		secmmu_kunit_map(test, mmu, gfn, spte_for(gfn));
	drop_range(mmu, &gather, p->first, p->last);
	for (gfn = from; gfn <= to; gfn++) {
		bool inside = gfn >= p->first && gfn <= p->last;

		KUNIT_EXPECT_EQ(test, secmmu_kunit_spte(mmu, gfn),
				inside ? 0 : spte_for(gfn));
	}
	KUNIT_EXPECT_EQ(test, gather.zapped, p->last - p->first + 1);
	expect_flushes(test, mmu, 1);
}

static void whole_space(struct kunit *test)
{
	static const gfn_t gfns[] = { 0, 513, BIT_ULL(18), BIT_ULL(35), SECMMU_GFN_LAST };
	struct secmmu_mmu_kunit *mmu = secmmu_mmu_kunit(test, UINT_MAX);
	struct secmmu_gather gather;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(gfns); i++)
		secmmu_kunit_map(test, mmu, gfns[i], spte_for(i));
	drop_range(mmu, &gather, 0, SECMMU_GFN_LAST);
	KUNIT_EXPECT_EQ(test, gather.zapped, ARRAY_SIZE(gfns));
	expect_flushes(test, mmu, 1);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_tables(mmu), 1);
}

/* Nothing there, or no range: no flush. */
static void flush_nothing(struct kunit *test)
{
	struct secmmu_mmu_kunit *mmu = secmmu_mmu_kunit(test, 1);
	struct secmmu_gather gather;

	secmmu_kunit_map(test, mmu, 100, spte_for(100));
	drop_range(mmu, &gather, 0, 99);
	drop_range(mmu, &gather, 101, SECMMU_GFN_LAST);
	drop_range(mmu, &gather, 101, 100);
	secmmu_gather_begin(&gather, &mmu->tlbs, &mmu->spans, true);
	secmmu_gather_finish(&gather);
	expect_flushes(test, mmu, 0);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_spte(mmu, 100), spte_for(100));
	/* The second time there is nothing either, and no flush to wait for. */
	drop_range(mmu, &gather, 100, 100);
	drop_range(mmu, &gather, 100, 100);
	expect_flushes(test, mmu, 1);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_counted(mmu, SECMMU_COUNT_ASSISTS), 0);
}

/* B2: what another has dropped and not flushed yet is flushed by the second, too. */
static void B2_assists(struct kunit *test)
{
	struct secmmu_mmu_kunit *mmu = secmmu_mmu_kunit(test, UINT_MAX);
	struct secmmu_gather other, gather;

	secmmu_kunit_map(test, mmu, 5, spte_for(5));
	secmmu_kunit_map(test, mmu, 600, spte_for(600));
	secmmu_gather_begin(&other, &mmu->tlbs, &mmu->spans, true);
	secmmu_gather_zap(&other, &mmu->pt, 5, 5);
	expect_flushes(test, mmu, 0);

	/* In another table the second event need not flush. */
	drop_range(mmu, &gather, 700, 701);
	expect_flushes(test, mmu, 0);
	drop_range(mmu, &gather, 5, 5);
	KUNIT_EXPECT_EQ(test, gather.zapped, 0);
	expect_flushes(test, mmu, 1);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_counted(mmu, SECMMU_COUNT_ASSISTS), 1);
	drop_range(mmu, &gather, 5, 5);
	expect_flushes(test, mmu, 1);

	/* The first does not know, and flushes what it has dropped. */
	secmmu_gather_finish(&other);
	expect_flushes(test, mmu, 2);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_counted(mmu, SECMMU_COUNT_ASSISTS), 1);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_spte(mmu, 600), spte_for(600));
}

/* B2: the pending flush is in any one of the tables that the second event meets. */
static void B2_pending_in_one_of_many(struct kunit *test)
{
	struct secmmu_mmu_kunit *mmu = secmmu_mmu_kunit(test, UINT_MAX);
	struct secmmu_gather other, gather;
	unsigned int i;

	for (i = 0; i < 4; i++)
		secmmu_kunit_map(test, mmu, i * 512, spte_for(i));
	for (i = 0; i < 4; i++) {
		secmmu_kunit_map(test, mmu, i * 512 + 5, spte_for(5));
		secmmu_gather_begin(&other, &mmu->tlbs, &mmu->spans, true);
		secmmu_gather_zap(&other, &mmu->pt, i * 512 + 5, i * 512 + 5);
		/* From behind the first entry to the front of the last one. */
		drop_range(mmu, &gather, 1, 511);
		KUNIT_EXPECT_EQ(test, gather.zapped, 0);
		secmmu_gather_begin(&gather, &mmu->tlbs, &mmu->spans, true);
		secmmu_gather_zap(&gather, &mmu->pt, 513, 1023);
		secmmu_gather_zap(&gather, &mmu->pt, 1025, 1535);
		secmmu_gather_zap(&gather, &mmu->pt, 1537, 2047);
		secmmu_gather_finish(&gather);
		KUNIT_EXPECT_EQ(test, gather.zapped, 0);
		/* One of the two has flushed for the other. */
		KUNIT_EXPECT_EQ(test, secmmu_kunit_counted(mmu, SECMMU_COUNT_ASSISTS),
				i + 1);
		expect_flushes(test, mmu, 2 * i + 1);
		secmmu_gather_finish(&other);
		expect_flushes(test, mmu, 2 * i + 2);
	}
}

/* An array that was flushed on the way leaves no table pending. */
static void B2_batch_flushed(struct kunit *test)
{
	struct secmmu_mmu_kunit *mmu = secmmu_mmu_kunit(test, 2);
	struct secmmu_gather other, gather;

	secmmu_kunit_map(test, mmu, 5, spte_for(5));
	secmmu_kunit_map(test, mmu, 6, spte_for(6));
	secmmu_gather_begin(&other, &mmu->tlbs, &mmu->spans, true);
	secmmu_gather_zap(&other, &mmu->pt, 5, 6);
	expect_flushes(test, mmu, 1);
	drop_range(mmu, &gather, 5, 6);
	expect_flushes(test, mmu, 1);
	secmmu_gather_finish(&other);
	expect_flushes(test, mmu, 1);
}

/* C2: what sptes know of writes goes to the log of the span, and nothing else does. */
static void C2_dirty_bits(struct kunit *test)
{
	struct secmmu_mmu_kunit *mmu = secmmu_mmu_kunit(test, UINT_MAX);
	struct secmmu_span span = {
		.by_gfn = { .start = 1000, .last = 1127 },
		.by_hva = { .start = 1UL << 20, .last = (1UL << 20) + 128 * PAGE_SIZE - 1 },
		.log = secmmu_log_alloc(128),
	};
	unsigned long wanted[2] = {};
	struct secmmu_gather gather;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, span.log);
	spin_lock(&mmu->registry);
	write_seqcount_begin(&mmu->seq);
	secmmu_spans_insert(&mmu->spans, &span);
	write_seqcount_end(&mmu->seq);
	spin_unlock(&mmu->registry);
	for (i = 0; i < 128; i++) {
		bool written = i % 7 == 0 || i == 127;

		secmmu_kunit_map(test, mmu, 1000 + i, spte_for(i) |
				 (written ? SPTE_ACCESSED | SPTE_DIRTY : SPTE_ACCESSED));
		if (written && i >= 7)
			set_bit(i, wanted);
	}
	secmmu_gather_begin(&gather, &mmu->tlbs, &mmu->spans, true);
	secmmu_gather_zap(&gather, &mmu->pt, 1007, 1127);
	secmmu_gather_finish(&gather);
	KUNIT_EXPECT_EQ(test, span.log->bits[0], wanted[0]);
	KUNIT_EXPECT_EQ(test, span.log->bits[1], wanted[1]);
	secmmu_log_put(span.log);
}

/* Empty tables go and others stay, in any order. */
static void empty_tables(struct kunit *test)
{
	struct secmmu_mmu_kunit *mmu = secmmu_mmu_kunit(test, UINT_MAX);
	struct secmmu_gather gather;
	unsigned int i;

	for (i = 0; i < 5; i++)
		secmmu_kunit_map(test, mmu, i * 512 + 100, spte_for(i));
	secmmu_kunit_map(test, mmu, 50, spte_for(50));
	secmmu_kunit_map(test, mmu, 4 * 512 + 200, spte_for(200));
	KUNIT_EXPECT_EQ(test, secmmu_kunit_tables(mmu), 8);
	drop_range(mmu, &gather, 100, 4 * 512 + 100);
	KUNIT_EXPECT_EQ(test, gather.zapped, 5);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_tables(mmu), 5);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_spte(mmu, 50), spte_for(50));
	KUNIT_EXPECT_EQ(test, secmmu_kunit_spte(mmu, 4 * 512 + 200), spte_for(200));
}

#ifdef CONFIG_PREEMPT_RCU
static void drop_page(void *context)
{
	struct secmmu_gather gather;

	drop_range(context, &gather, 5, 5);
}

/* G1: an RCU read-side section keeps the table that an invalidation has found. */
static void G1_zap_keeps_table(struct kunit *test)
{
	struct secmmu_mmu_kunit *mmu = secmmu_mmu_kunit(test, UINT_MAX);
	struct secmmu_rival rival = { .work = drop_page, .context = mmu };
	struct secmmu_table *leaf;
	unsigned int i;
	int depth = 0;
	bool waits;

	secmmu_kunit_map(test, mmu, 5, spte_for(5));
	secmmu_rival_create(test, &rival);
	rcu_read_lock();
	leaf = secmmu_pgtable_walk(&mmu->pt, 5);
	spin_lock(&leaf->lock);
	waits = secmmu_rival_waits(&rival);
	/* What rcu_preempt_depth() says of the rival, which may not have come there yet. */
	for (i = 0; waits && !depth && i < 100; i++) {
		depth = READ_ONCE(rival.thread->rcu_read_lock_nesting);
		if (!depth)
			waits = secmmu_rival_waits(&rival);
	}
	spin_unlock(&leaf->lock);
	rcu_read_unlock();
	secmmu_rival_destroy(&rival);
	KUNIT_EXPECT_TRUE(test, waits);
	KUNIT_EXPECT_GT(test, depth, 0);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_tables(mmu), 1);
}
#endif

static struct kunit_case flush_cases[] = {
	KUNIT_CASE_PARAM(B1_dense, count_gen_params),
	KUNIT_CASE_PARAM(B1_spread, spread_gen_params),
	KUNIT_CASE_PARAM(B1_pieces, piece_gen_params),
	KUNIT_CASE_PARAM(B4_range, range_gen_params),
	KUNIT_CASE(whole_space),
	KUNIT_CASE(flush_nothing),
	KUNIT_CASE(B2_assists),
	KUNIT_CASE(B2_pending_in_one_of_many),
	KUNIT_CASE(B2_batch_flushed),
	KUNIT_CASE(C2_dirty_bits),
	KUNIT_CASE(empty_tables),
#ifdef CONFIG_PREEMPT_RCU
	KUNIT_CASE(G1_zap_keeps_table),
#endif
	{}
};

static struct kunit_suite flush_suite = {
	.name = "secmmu_flush",
	.test_cases = flush_cases,
};

kunit_test_suite(flush_suite);
