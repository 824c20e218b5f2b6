// SPDX-License-Identifier: GPL-2.0
/*
 * Slots change while faults through them are under way. Needs a test build.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/mman.h>

#include "secmmu_actor.h"
#include "secmmu_gates.h"
#include "secmmu_harness.h"
#include "secmmu_outsider.h"
#include "secmmu_sys.h"

#define PAGES	64L

/* The page in question, and what it becomes. */
#define P	3L
#define MOVED	32L

FIXTURE(slotchange)
{
	int dev, mirror, engine;
	struct actor actor;
};

/* What is under way. */
FIXTURE_VARIANT(slotchange)
{
	enum actor_op op;
	__u32 flags;
};

FIXTURE_VARIANT_ADD(slotchange, read) {
	.op = ACT_READ,
};

FIXTURE_VARIANT_ADD(slotchange, write) {
	.op = ACT_WRITE,
};

FIXTURE_VARIANT_ADD(slotchange, prefault) {
	.op = ACT_PREFAULT,
};

FIXTURE_VARIANT_ADD(slotchange, prefault_write) {
	.op = ACT_PREFAULT,
	.flags = SECMMU_PREFAULT_WRITE,
};

FIXTURE_SETUP(slotchange)
{
	ACTOR_SETUP(PAGES);
}

FIXTURE_TEARDOWN(slotchange)
{
	ACTOR_TEARDOWN();
}

static bool writes(const FIXTURE_VARIANT(slotchange) *variant)
{
	return variant->op == ACT_WRITE || variant->flags;
}

/* The access goes on its way. */
static void start(FIXTURE_DATA(slotchange) *self,
		  const FIXTURE_VARIANT(slotchange) *variant)
{
	if (variant->op == ACT_PREFAULT)
		actor_do(&self->actor, 0, ACT_PREFAULT, ACTOR_GPA(P), 4,
			 variant->flags);
	else
		actor_do(&self->actor, 0, variant->op, 0, ACTOR_GPA(P),
			 stamp(P, 5));
}

/* ... and is held in the gate. Returns the post. */
static int start_and_hold(struct __test_metadata *_metadata,
			  FIXTURE_DATA(slotchange) *self,
			  const FIXTURE_VARIANT(slotchange) *variant,
			  enum secmmu_gate gate)
{
	int post = gate_arm(self->dev, gate, 0, (uintptr_t)ACTOR_MEM(P));

	ASSERT_LE(0, post);
	start(self, variant);
	ASSERT_EQ(0, gate_wait(self->dev, post));
	return post;
}

static void expect_nothing_mapped(struct __test_metadata *_metadata,
				  FIXTURE_DATA(slotchange) *self)
{
	struct secmmu_test_oracle result;

	EXPECT_EQ(0, oracle_check(self->mirror, &result));
	EXPECT_EQ(0, result.sptes);
	EXPECT_EQ(0, result.tlb_entries);
}

/* The first word of a page of the process, as it sees it. */
static __u64 load(FIXTURE_DATA(slotchange) *self, long page)
{
	__u64 word = POISON;

	actor_do(&self->actor, 2, ACT_LOAD, page);
	actor_answer(&self->actor, 2, &word);
	return word;
}

SECMMU_TEST_F(slotchange, A11_deleted)
{
	struct secmmu_stats stats;
	int post;

	post = start_and_hold(_metadata, self, variant, SECMMU_GATE_FAULT_GOT);
	ASSERT_EQ(0, actor_run(&self->actor, 1, ACT_SLOT, 0));
	ASSERT_EQ(0, gate_open(self->dev, post));
	EXPECT_EQ(-ENXIO, actor_answer(&self->actor, 0, NULL));
	expect_nothing_mapped(_metadata, self);
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &stats));
	EXPECT_EQ(1, stats.retries_slot);
	EXPECT_EQ(1, stats.retries);
	EXPECT_EQ(0, stats.fault_pages);
	EXPECT_EQ(stamp(P, 1), load(self, P));
}

SECMMU_TEST_F(slotchange, A11_moved)
{
	bool written = variant->op == ACT_WRITE;
	struct secmmu_stats stats;
	__u64 word = POISON;
	int post;

	post = start_and_hold(_metadata, self, variant, SECMMU_GATE_FAULT_GOT);
	ASSERT_EQ(0, actor_run(&self->actor, 1, ACT_SLOT, 0, ACTOR_GPA(0),
			       MOVED, PAGES - MOVED));
	ASSERT_EQ(0, gate_open(self->dev, post));
	EXPECT_EQ(0, actor_answer(&self->actor, 0, &word));
	if (variant->op == ACT_READ) {
		EXPECT_EQ(stamp(MOVED + P, 1), word);
	}
	EXPECT_COHERENT(self->mirror);
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &stats));
	EXPECT_EQ(1, stats.retries_slot);
	EXPECT_EQ(1, stats.retries);
	EXPECT_EQ(stamp(P, 1), load(self, P));
	EXPECT_EQ(written ? stamp(P, 5) : stamp(MOVED + P, 1),
		  load(self, MOVED + P));
}

SECMMU_TEST_F(slotchange, A11_made_readonly)
{
	int post;

	post = start_and_hold(_metadata, self, variant, SECMMU_GATE_FAULT_GOT);
	ASSERT_EQ(0, actor_run(&self->actor, 1, ACT_SLOT, 0, ACTOR_GPA(0), 0,
			       PAGES, SECMMU_SLOT_READONLY));
	ASSERT_EQ(0, gate_open(self->dev, post));
	EXPECT_EQ(writes(variant) ? -EACCES : 0,
		  actor_answer(&self->actor, 0, NULL));
	EXPECT_EQ(-EACCES, actor_run(&self->actor, 0, ACT_WRITE, 1,
				     ACTOR_GPA(P), stamp(P, 6)));
	EXPECT_EQ(stamp(P, 1), load(self, P));
	EXPECT_ACTOR_READS(stamp(P, 1), &self->actor, 0, ACTOR_GPA(P));
	EXPECT_COHERENT(self->mirror);
}

/* Another slot: not its affair. */
SECMMU_TEST_F(slotchange, A11_another_deleted)
{
	struct secmmu_stats stats;
	int post;

	ASSERT_EQ(0, actor_run(&self->actor, 1, ACT_SLOT, 1, ACTOR_GPA(PAGES),
			       0, PAGES));
	post = start_and_hold(_metadata, self, variant, SECMMU_GATE_FAULT_GOT);
	ASSERT_EQ(0, actor_run(&self->actor, 1, ACT_SLOT, 1));
	ASSERT_EQ(0, gate_open(self->dev, post));
	EXPECT_EQ(0, actor_answer(&self->actor, 0, NULL));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &stats));
	EXPECT_EQ(0, stats.retries);
	EXPECT_COHERENT(self->mirror);
}

/* The check is passed: what comes in is found by the change. */
SECMMU_TEST_F(slotchange, A11_deleted_at_the_check)
{
	int checked, replaced, ret;

	checked = start_and_hold(_metadata, self, variant,
				 SECMMU_GATE_FAULT_CHECKED);
	replaced = GATE_ARM(SLOT_REPLACED, 0);
	actor_do(&self->actor, 1, ACT_SLOT, 0);
	ASSERT_EQ(0, gate_wait(self->dev, replaced));
	ASSERT_EQ(0, gate_open(self->dev, replaced));
	EXPECT_TRUE(actor_stays(&self->actor, 1));
	ASSERT_EQ(0, gate_open(self->dev, checked));
	ret = actor_answer(&self->actor, 0, NULL);
	EXPECT_TRUE(!ret || ret == -ENXIO) TH_LOG("%d", ret);
	EXPECT_EQ(0, actor_answer(&self->actor, 1, NULL));
	expect_nothing_mapped(_metadata, self);
}

/* The slot is gone for faults, its entries are not: none may come. */
SECMMU_TEST_F(slotchange, A11_half_deleted)
{
	int post;

	post = GATE_ARM(SLOT_REPLACED, 0);
	actor_do(&self->actor, 1, ACT_SLOT, 0);
	ASSERT_EQ(0, gate_wait(self->dev, post));
	start(self, variant);
	EXPECT_EQ(-ENXIO, actor_answer(&self->actor, 0, NULL));
	ASSERT_EQ(0, gate_open(self->dev, post));
	EXPECT_EQ(0, actor_answer(&self->actor, 1, NULL));
	expect_nothing_mapped(_metadata, self);
}

/*
 * ... or it has moved: what is there by now comes in at once, and an event about
 * what was there before still finds that.
 */
SECMMU_TEST_F(slotchange, A11_half_moved)
{
	struct secmmu_stats a, b;
	int post;

	EXPECT_ACTOR_READS(stamp(P, 1), &self->actor, 0, ACTOR_GPA(P));
	EXPECT_ACTOR_READS(stamp(P + 1, 1), &self->actor, 0, ACTOR_GPA(P + 1));
	post = GATE_ARM(SLOT_REPLACED, 0);
	actor_do(&self->actor, 1, ACT_SLOT, 0, ACTOR_GPA(0), MOVED,
		 PAGES - MOVED);
	ASSERT_EQ(0, gate_wait(self->dev, post));
	start(self, variant);
	EXPECT_EQ(0, actor_answer(&self->actor, 0, NULL));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &a));
	ASSERT_EQ(0, actor_run(&self->actor, 2, ACT_MADVISE, P + 1, 1,
			       MADV_DONTNEED));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &b));
	EXPECT_DELTA(1, a, b, zapped);
	ASSERT_EQ(0, gate_open(self->dev, post));
	EXPECT_EQ(0, actor_answer(&self->actor, 1, NULL));
	EXPECT_COHERENT(self->mirror);
	EXPECT_ACTOR_READS(load(self, MOVED + P), &self->actor, 0,
			   ACTOR_GPA(P));
	EXPECT_ACTOR_READS(stamp(MOVED + P + 1, 1), &self->actor, 0,
			   ACTOR_GPA(P + 1));
	EXPECT_COHERENT(self->mirror);
}

/* It was looked up, the answer is on its way: what vouches for it is older. */
SECMMU_TEST_F(slotchange, A11_moved_behind_the_lookup)
{
	struct secmmu_stats stats;
	__u64 word = POISON;
	int post;

	post = start_and_hold(_metadata, self, variant, SECMMU_GATE_SLOT_FOUND);
	ASSERT_EQ(0, actor_run(&self->actor, 1, ACT_SLOT, 0, ACTOR_GPA(0),
			       MOVED, PAGES - MOVED));
	ASSERT_EQ(0, gate_open(self->dev, post));
	EXPECT_EQ(0, actor_answer(&self->actor, 0, &word));
	if (variant->op == ACT_READ) {
		EXPECT_EQ(stamp(MOVED + P, 1), word);
	}
	EXPECT_COHERENT(self->mirror);
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &stats));
	EXPECT_EQ(1, stats.retries_slot);
	EXPECT_EQ(stamp(P, 1), load(self, P));
}

/* It was looked up when the change had begun, and nothing was changed yet. */
SECMMU_TEST_F(slotchange, A11_looked_up_just_before)
{
	struct secmmu_stats stats;
	__u64 word = POISON;
	int replace, post;

	replace = GATE_ARM(REPLACE, 0);
	actor_do(&self->actor, 1, ACT_SLOT, 0, ACTOR_GPA(0), MOVED, PAGES - MOVED);
	ASSERT_EQ(0, gate_wait(self->dev, replace));
	post = start_and_hold(_metadata, self, variant, SECMMU_GATE_FAULT_GOT);
	ASSERT_EQ(0, gate_open(self->dev, replace));
	EXPECT_EQ(0, actor_answer(&self->actor, 1, NULL));
	ASSERT_EQ(0, gate_open(self->dev, post));
	EXPECT_EQ(0, actor_answer(&self->actor, 0, &word));
	if (variant->op == ACT_READ) {
		EXPECT_EQ(stamp(MOVED + P, 1), word);
	}
	EXPECT_COHERENT(self->mirror);
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &stats));
	EXPECT_EQ(1, stats.retries_slot);
	EXPECT_EQ(stamp(P, 1), load(self, P));
}

/* The slot ends within the pages of the fault now: those behind must not come. */
SECMMU_TEST_F(slotchange, A11_cut_at_the_end)
{
	struct secmmu_stats stats;
	__u64 value = POISON;
	int post;

	post = start_and_hold(_metadata, self, variant, SECMMU_GATE_FAULT_GOT);
	ASSERT_EQ(0, actor_run(&self->actor, 1, ACT_SLOT, 0, ACTOR_GPA(0), 0,
			       P + 2));
	ASSERT_EQ(0, gate_open(self->dev, post));
	EXPECT_EQ(0, actor_answer(&self->actor, 0, &value));
	if (variant->op == ACT_PREFAULT) {
		EXPECT_EQ(2, value);
	}
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &stats));
	EXPECT_EQ(1, stats.retries_slot);
	EXPECT_EQ(variant->op == ACT_PREFAULT ? 2 : 1, stats.fault_pages);
	EXPECT_COHERENT(self->mirror);
	EXPECT_EQ(-ENXIO, actor_run(&self->actor, 0, ACT_READ, 0, ACTOR_GPA(P + 2)));
}

/* The slot that was asked goes, and another one takes its place by growing. */
SECMMU_TEST_F(slotchange, A11_grown_over_another)
{
	bool written = variant->op == ACT_WRITE;
	struct secmmu_stats stats;
	__u64 word = POISON;
	int post;

	ASSERT_EQ(0, actor_run(&self->actor, 1, ACT_SLOT, 0, ACTOR_GPA(0), MOVED, P));
	ASSERT_EQ(0, actor_run(&self->actor, 1, ACT_SLOT, 1, ACTOR_GPA(P), P, 8));
	post = start_and_hold(_metadata, self, variant, SECMMU_GATE_FAULT_GOT);
	ASSERT_EQ(0, actor_run(&self->actor, 1, ACT_SLOT, 1));
	ASSERT_EQ(0, actor_run(&self->actor, 1, ACT_SLOT, 0, ACTOR_GPA(0), MOVED,
			       P + 8));
	ASSERT_EQ(0, gate_open(self->dev, post));
	EXPECT_EQ(0, actor_answer(&self->actor, 0, &word));
	if (variant->op == ACT_READ) {
		EXPECT_EQ(stamp(MOVED + P, 1), word);
	}
	EXPECT_COHERENT(self->mirror);
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &stats));
	EXPECT_EQ(1, stats.retries_slot);
	EXPECT_EQ(stamp(P, 1), load(self, P));
	EXPECT_EQ(written ? stamp(P, 5) : stamp(MOVED + P, 1),
		  load(self, MOVED + P));
}

/* The slot gets a key that the engine has no rights for. */
SECMMU_TEST_F(slotchange, A11_gets_a_key)
{
	int mirror = secmmu_create_mirror_of(self->dev, self->actor.pid), engine, key, post;
	struct secmmu_test_oracle result;
	struct outsider outsider = {};

	ASSERT_LE(0, mirror);
	key = key_alloc(mirror);
	ASSERT_LT(0, key);
	engine = secmmu_create_engine(mirror);
	ASSERT_LE(0, engine);
	ASSERT_EQ(0, rights_set(engine, SECMMU_KEY_NO_ACCESS(key)));
	ASSERT_EQ(0, secmmu_set_slot(mirror, 0, 0, ACTOR_BASE, self->actor.mem,
				     PAGES * PAGE));
	ASSERT_EQ(0, outsider_start(&outsider));
	post = gate_arm(self->dev, SECMMU_GATE_FAULT_GOT, outsider.pid, 0);
	ASSERT_LE(0, post);
	outsider_read(&outsider, engine, ACTOR_GPA(P), 1);
	ASSERT_EQ(0, gate_wait(self->dev, post));
	ASSERT_EQ(0, secmmu_set_slot_in(mirror, 0, 0, key, 0, ACTOR_BASE, self->actor.mem,
					PAGES * PAGE));
	ASSERT_EQ(0, gate_open(self->dev, post));
	EXPECT_EQ(-EACCES, outsider_answer(&outsider, NULL));
	EXPECT_EQ(0, oracle_check(mirror, &result));
	EXPECT_EQ(0, result.sptes);
	outsider_stop(&outsider);
	close(engine);
	close(mirror);
}

/* The engine is in a domain: the last one there can be. */
FIXTURE(view)
{
	int dev, mirror, engine;
	struct actor actor;
	int held;	/* gate in which a read of page P stands */
};

FIXTURE_VARIANT(view)
{
	__u32 domain;
};

FIXTURE_VARIANT_ADD(view, first) {
	.domain = 1,
};

FIXTURE_VARIANT_ADD(view, fourth) {
	.domain = 4,
};

FIXTURE_VARIANT_ADD(view, last) {
	.domain = SECMMU_MAX_DOMAINS - 1,
};

#define ALL_DOMAINS	((1U << SECMMU_MAX_DOMAINS) - 1)

FIXTURE_SETUP(view)
{
	ACTOR_SETUP(PAGES);
	self->engine = self->actor.engine[0];
	ASSERT_EQ(0, actor_run(&self->actor, 0, ACT_DOMAINS, SECMMU_MAX_DOMAINS - 1));
	ASSERT_EQ(0, actor_run(&self->actor, 0, ACT_SLOT_IN, 0, ACTOR_GPA(0), 0,
			       PAGES, ALL_DOMAINS));
	ASSERT_EQ(0, domain_enter(self->engine, variant->domain));
}

FIXTURE_TEARDOWN(view)
{
	ACTOR_TEARDOWN();
}

/* A read is under way in the domain. */
static void hold_read(struct __test_metadata *_metadata, FIXTURE_DATA(view) *self)
{
	self->held = GATE_ARM(FAULT_GOT, ACTOR_MEM(P));
	actor_do(&self->actor, 0, ACT_READ, 0, ACTOR_GPA(P));
	ASSERT_EQ(0, gate_wait(self->dev, self->held));
}

/* The read goes on; sptes of domain 0 and of others are told apart by who can read. */
static int finish_read(struct __test_metadata *_metadata, FIXTURE_DATA(view) *self,
		       __u64 *word)
{
	struct secmmu_test_oracle result;
	struct secmmu_stats stats;
	int ret;

	ASSERT_EQ(0, gate_open(self->dev, self->held));
	ret = actor_answer(&self->actor, 0, word);
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &stats));
	EXPECT_EQ(1, stats.retries_slot);
	EXPECT_EQ(0, oracle_check(self->mirror, &result));
	EXPECT_EQ(0, result.stale);
	EXPECT_EQ(!ret, result.sptes);
	return ret;
}

SECMMU_TEST_F(view, A11_hidden_from_a_domain)
{
	hold_read(_metadata, self);
	ASSERT_EQ(0, actor_run(&self->actor, 1, ACT_SLOT_IN, 0, ACTOR_GPA(0), 0,
			       PAGES, ALL_DOMAINS & ~(1U << variant->domain)));
	EXPECT_EQ(-EACCES, finish_read(_metadata, self, NULL));
}

SECMMU_TEST_F(view, A11_moved_in_a_domain)
{
	__u64 word = POISON;

	hold_read(_metadata, self);
	ASSERT_EQ(0, actor_run(&self->actor, 1, ACT_SLOT_IN, 0, ACTOR_GPA(0), MOVED,
			       PAGES - MOVED, ALL_DOMAINS));
	EXPECT_EQ(0, finish_read(_metadata, self, &word));
	EXPECT_EQ(stamp(MOVED + P, 1), word);
}

/* The slot begins behind the page now. */
SECMMU_TEST_F(view, A11_cut_at_the_front_in_a_domain)
{
	hold_read(_metadata, self);
	ASSERT_EQ(0, actor_run(&self->actor, 1, ACT_SLOT_IN, 0, ACTOR_GPA(P + 1), P + 1,
			       PAGES - P - 1, ALL_DOMAINS));
	EXPECT_EQ(-ENXIO, finish_read(_metadata, self, NULL));
}

/* A slot that the domain sees grows over one that it sees. */
SECMMU_TEST_F(view, A11_grown_over_another_in_a_domain)
{
	__u64 word = POISON;

	ASSERT_EQ(0, actor_run(&self->actor, 1, ACT_SLOT_IN, 0, ACTOR_GPA(0), MOVED, P,
			       ALL_DOMAINS));
	ASSERT_EQ(0, actor_run(&self->actor, 1, ACT_SLOT_IN, 1, ACTOR_GPA(P), P, 8,
			       ALL_DOMAINS));
	hold_read(_metadata, self);
	ASSERT_EQ(0, actor_run(&self->actor, 1, ACT_SLOT, 1));
	ASSERT_EQ(0, actor_run(&self->actor, 1, ACT_SLOT_IN, 0, ACTOR_GPA(0), MOVED,
			       P + 8, ALL_DOMAINS));
	EXPECT_EQ(0, finish_read(_metadata, self, &word));
	EXPECT_EQ(stamp(MOVED + P, 1), word);
}

/* The check is passed: what comes in goes again before the slot is hidden. */
SECMMU_TEST_F(view, A11_hidden_at_the_check)
{
	struct secmmu_test_oracle result;
	int checked, replaced, ret;

	checked = GATE_ARM(FAULT_CHECKED, ACTOR_MEM(P));
	actor_do(&self->actor, 0, ACT_READ, 0, ACTOR_GPA(P));
	ASSERT_EQ(0, gate_wait(self->dev, checked));
	replaced = GATE_ARM(SLOT_REPLACED, 0);
	actor_do(&self->actor, 1, ACT_SLOT_IN, 0, ACTOR_GPA(0), 0, PAGES, 1);
	ASSERT_EQ(0, gate_wait(self->dev, replaced));
	ASSERT_EQ(0, gate_open(self->dev, replaced));
	EXPECT_TRUE(actor_stays(&self->actor, 1));
	ASSERT_EQ(0, gate_open(self->dev, checked));
	ret = actor_answer(&self->actor, 0, NULL);
	EXPECT_TRUE(!ret || ret == -EACCES) TH_LOG("%d", ret);
	EXPECT_EQ(0, actor_answer(&self->actor, 1, NULL));
	EXPECT_EQ(0, oracle_check(self->mirror, &result));
	EXPECT_EQ(0, result.sptes);
	EXPECT_EQ(0, result.tlb_entries);
}

TEST_HARNESS_MAIN
