// SPDX-License-Identifier: GPL-2.0
/* Slots change while faults through them are under way. Needs a test build. */
#include "secmmu_actor.h"
#include "secmmu_harness.h"
#include "secmmu_outsider.h"

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

FIXTURE_VARIANT_ADD(slotchange, read) { .op = ACT_READ };
FIXTURE_VARIANT_ADD(slotchange, write) { .op = ACT_WRITE };
FIXTURE_VARIANT_ADD(slotchange, prefault) { .op = ACT_PREFAULT };
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

/* Start the access. */
static void start(FIXTURE_DATA(slotchange) *self, const FIXTURE_VARIANT(slotchange) *variant)
{
	if (variant->op == ACT_PREFAULT)
		ACTOR_DO(0, ACT_PREFAULT, ACTOR_GPA(P), 4, variant->flags);
	else
		ACTOR_DO(0, variant->op, 0, ACTOR_GPA(P), label(P, 5));
}

/* Start the access and hold it in the gate. Returns the post. */
static int start_and_hold(VARIANT_ARGS(slotchange), enum secmmu_gate gate)
{
	int post = ASSERT_NUMBER(gate_arm(self->dev, gate, 0, (uintptr_t)ACTOR_MEM(P)));

	start(self, variant);
	GATE_WAIT(post);
	return post;
}

/* The first word of a page of the process, as it sees it. */
static __u64 load(FIXTURE_DATA(slotchange) *self, long page)
{
	__u64 word = POISON;

	ACTOR_DO(2, ACT_LOAD, page);
	actor_answer(&self->actor, 2, &word);
	return word;
}

/* It ends well; a read has found this page. */
static void expect_access(VARIANT_ARGS(slotchange), long page)
{
	__u64 word = POISON;

	EXPECT_EQ(0, actor_answer(&self->actor, 0, &word));
	if (variant->op == ACT_READ) {
		EXPECT_EQ(label(page, 1), word);
	}
	EXPECT_COHERENT(self->mirror);
	EXPECT_COUNTER(1, retries_slot);
	EXPECT_EQ(label(P, 1), load(self, P));
}

SECMMU_TEST_F(slotchange, A11_deleted)
{
	int post = start_and_hold(_metadata, self, variant, SECMMU_GATE_FAULT_GOT);

	ACTOR_RUN(1, ACT_SLOT, 0);
	GATE_OPEN(post);
	EXPECT_ANSWER(-ENXIO, 0);
	EXPECT_NOTHING_MAPPED(self->mirror);
	EXPECT_COUNTER(1, retries_slot);
	EXPECT_COUNTER(1, retries);
	EXPECT_COUNTER(0, fault_pages);
	EXPECT_EQ(label(P, 1), load(self, P));
}

SECMMU_TEST_F(slotchange, A11_moved)
{
	bool written = variant->op == ACT_WRITE;
	int post = start_and_hold(_metadata, self, variant, SECMMU_GATE_FAULT_GOT);

	ACTOR_RUN(1, ACT_SLOT, 0, ACTOR_GPA(0), MOVED, PAGES - MOVED);
	GATE_OPEN(post);
	expect_access(_metadata, self, variant, MOVED + P);
	EXPECT_COUNTER(1, retries);
	EXPECT_EQ(written ? label(P, 5) : label(MOVED + P, 1), load(self, MOVED + P));
}

SECMMU_TEST_F(slotchange, A11_made_readonly)
{
	int post = start_and_hold(_metadata, self, variant, SECMMU_GATE_FAULT_GOT);

	ACTOR_RUN(1, ACT_SLOT, 0, ACTOR_GPA(0), 0, PAGES, SECMMU_SLOT_READONLY);
	GATE_OPEN(post);
	EXPECT_ANSWER(writes(variant) ? -EACCES : 0, 0);
	EXPECT_EQ(-EACCES, actor_run(&self->actor, 0, ACT_WRITE, 1, ACTOR_GPA(P), label(P, 6)));
	EXPECT_EQ(label(P, 1), load(self, P));
	EXPECT_ACTOR_READS(label(P, 1), 0, ACTOR_GPA(P));
	EXPECT_COHERENT(self->mirror);
}

/* Another slot changes: the fault does not notice. */
SECMMU_TEST_F(slotchange, A11_another_deleted)
{
	int post;

	ACTOR_RUN(1, ACT_SLOT, 1, ACTOR_GPA(PAGES), 0, PAGES);
	post = start_and_hold(_metadata, self, variant, SECMMU_GATE_FAULT_GOT);
	ACTOR_RUN(1, ACT_SLOT, 1);
	EXPECT_GOES_ON(post, 0);
	EXPECT_COUNTER(0, retries);
	EXPECT_COHERENT(self->mirror);
}

/* The check is passed: what comes in is found by the change. */
SECMMU_TEST_F(slotchange, A11_deleted_at_the_check)
{
	int checked, replaced, ret;

	checked = start_and_hold(_metadata, self, variant, SECMMU_GATE_FAULT_CHECKED);
	replaced = ACTOR_HOLD(SLOT_REPLACED, 0, 1, ACT_SLOT, 0);
	GATE_OPEN(replaced);
	EXPECT_TRUE(actor_stays(&self->actor, 1));
	GATE_OPEN(checked);
	ret = actor_answer(&self->actor, 0, NULL);
	EXPECT_TRUE(!ret || ret == -ENXIO) TH_LOG("%d", ret);
	EXPECT_ANSWER(0, 1);
	EXPECT_NOTHING_MAPPED(self->mirror);
}

/* The slot is gone for faults, its entries are not: none may come. */
SECMMU_TEST_F(slotchange, A11_half_deleted)
{
	int post = ACTOR_HOLD(SLOT_REPLACED, 0, 1, ACT_SLOT, 0);

	start(self, variant);
	EXPECT_ANSWER(-ENXIO, 0);
	EXPECT_GOES_ON(post, 1);
	EXPECT_NOTHING_MAPPED(self->mirror);
}

/*
 * The slot has moved, and its old entries exist: new ones come in at once, and an event on
 * the old memory still finds the old ones.
 */
SECMMU_TEST_F(slotchange, A11_half_moved)
{
	struct secmmu_stats a;
	int post;

	EXPECT_ACTOR_READS(label(P, 1), 0, ACTOR_GPA(P));
	EXPECT_ACTOR_READS(label(P + 1, 1), 0, ACTOR_GPA(P + 1));
	post = ACTOR_HOLD(SLOT_REPLACED, 0, 1, ACT_SLOT, 0, ACTOR_GPA(0), MOVED, PAGES - MOVED);
	start(self, variant);
	EXPECT_ANSWER(0, 0);
	GET_STATS(a);
	ACTOR_RUN(2, ACT_MADVISE, P + 1, 1, MADV_DONTNEED);
	EXPECT_SINCE(1, a, zapped);
	EXPECT_GOES_ON(post, 1);
	EXPECT_COHERENT(self->mirror);
	EXPECT_ACTOR_READS(load(self, MOVED + P), 0, ACTOR_GPA(P));
	EXPECT_ACTOR_READS(label(MOVED + P + 1, 1), 0, ACTOR_GPA(P + 1));
	EXPECT_COHERENT(self->mirror);
}

/* It was looked up, the answer is on its way: what vouches for it is older. */
SECMMU_TEST_F(slotchange, A11_moved_behind_the_lookup)
{
	int post = start_and_hold(_metadata, self, variant, SECMMU_GATE_SLOT_FOUND);

	ACTOR_RUN(1, ACT_SLOT, 0, ACTOR_GPA(0), MOVED, PAGES - MOVED);
	GATE_OPEN(post);
	expect_access(_metadata, self, variant, MOVED + P);
}

/* It was looked up when the change had begun, and nothing was changed yet. */
SECMMU_TEST_F(slotchange, A11_looked_up_just_before)
{
	int replace, post;

	replace = ACTOR_HOLD(REPLACE, 0, 1, ACT_SLOT, 0, ACTOR_GPA(0), MOVED, PAGES - MOVED);
	post = start_and_hold(_metadata, self, variant, SECMMU_GATE_FAULT_GOT);
	EXPECT_GOES_ON(replace, 1);
	GATE_OPEN(post);
	expect_access(_metadata, self, variant, MOVED + P);
}

/* The slot ends within the pages of the fault now: those behind must not come. */
SECMMU_TEST_F(slotchange, A11_cut_at_the_end)
{
	__u64 value = POISON;
	int post = start_and_hold(_metadata, self, variant, SECMMU_GATE_FAULT_GOT);

	ACTOR_RUN(1, ACT_SLOT, 0, ACTOR_GPA(0), 0, P + 2);
	GATE_OPEN(post);
	EXPECT_EQ(0, actor_answer(&self->actor, 0, &value));
	if (variant->op == ACT_PREFAULT) {
		EXPECT_EQ(2, value);
	}
	EXPECT_COUNTER(1, retries_slot);
	EXPECT_COUNTER(variant->op == ACT_PREFAULT ? 2 : 1, fault_pages);
	EXPECT_COHERENT(self->mirror);
	EXPECT_EQ(-ENXIO, actor_run(&self->actor, 0, ACT_READ, 0, ACTOR_GPA(P + 2)));
}

/* The slot that was asked goes, and another one takes its place by growing. */
SECMMU_TEST_F(slotchange, A11_grown_over_another)
{
	bool written = variant->op == ACT_WRITE;
	int post;

	ACTOR_RUN(1, ACT_SLOT, 0, ACTOR_GPA(0), MOVED, P);
	ACTOR_RUN(1, ACT_SLOT, 1, ACTOR_GPA(P), P, 8);
	post = start_and_hold(_metadata, self, variant, SECMMU_GATE_FAULT_GOT);
	ACTOR_RUN(1, ACT_SLOT, 1);
	ACTOR_RUN(1, ACT_SLOT, 0, ACTOR_GPA(0), MOVED, P + 8);
	GATE_OPEN(post);
	expect_access(_metadata, self, variant, MOVED + P);
	EXPECT_EQ(written ? label(P, 5) : label(MOVED + P, 1), load(self, MOVED + P));
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
	engine = NEW_ENGINE(mirror);
	ASSERT_EQ(0, rights_set(engine, SECMMU_KEY_NO_ACCESS(key)));
	ASSERT_EQ(0, secmmu_set_slot(mirror, 0, 0, ACTOR_BASE, self->actor.mem, PAGES * PAGE));
	ASSERT_EQ(0, outsider_start(&outsider));
	post = OUTSIDER_HOLD(outsider, FAULT_GOT, 0, engine, ACTOR_GPA(P));
	ASSERT_EQ(0, secmmu_set_slot_in(mirror, 0, 0, key, 0, ACTOR_BASE, self->actor.mem,
					PAGES * PAGE));
	GATE_OPEN(post);
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

FIXTURE_VARIANT_ADD(view, first) { .domain = 1 };
FIXTURE_VARIANT_ADD(view, fourth) { .domain = 4 };
FIXTURE_VARIANT_ADD(view, last) { .domain = SECMMU_MAX_DOMAINS - 1 };

#define ALL_DOMAINS	((1U << SECMMU_MAX_DOMAINS) - 1)

FIXTURE_SETUP(view)
{
	ACTOR_SETUP(PAGES);
	ACTOR_RUN(0, ACT_DOMAINS, SECMMU_MAX_DOMAINS - 1);
	ACTOR_RUN(0, ACT_SLOT_IN, 0, ACTOR_GPA(0), 0, PAGES, ALL_DOMAINS);
	ASSERT_EQ(0, domain_enter(self->engine, variant->domain));
}

FIXTURE_TEARDOWN(view)
{
	ACTOR_TEARDOWN();
}

/* A read is under way in the domain. */
static void hold_read(TEST_ARGS(view))
{
	self->held = ACTOR_HOLD(FAULT_GOT, ACTOR_MEM(P), 0, ACT_READ, 0, ACTOR_GPA(P));
}

/* The read goes on; sptes of domain 0 and of others are told apart by who can read. */
static int finish_read(TEST_ARGS(view), __u64 *word)
{
	int ret;

	GATE_OPEN(self->held);
	ret = actor_answer(&self->actor, 0, word);
	EXPECT_COUNTER(1, retries_slot);
	EXPECT_ORACLE(0, stale);
	EXPECT_ORACLE(!ret, sptes);
	return ret;
}

SECMMU_TEST_F(view, A11_hidden_from_a_domain)
{
	hold_read(_metadata, self);
	ACTOR_RUN(1, ACT_SLOT_IN, 0, ACTOR_GPA(0), 0, PAGES,
		  ALL_DOMAINS & ~(1U << variant->domain));
	EXPECT_EQ(-EACCES, finish_read(_metadata, self, NULL));
}

SECMMU_TEST_F(view, A11_moved_in_a_domain)
{
	__u64 word = POISON;

	hold_read(_metadata, self);
	ACTOR_RUN(1, ACT_SLOT_IN, 0, ACTOR_GPA(0), MOVED, PAGES - MOVED, ALL_DOMAINS);
	EXPECT_EQ(0, finish_read(_metadata, self, &word));
	EXPECT_EQ(label(MOVED + P, 1), word);
}

/* The slot begins behind the page now. */
SECMMU_TEST_F(view, A11_cut_at_the_front_in_a_domain)
{
	hold_read(_metadata, self);
	ACTOR_RUN(1, ACT_SLOT_IN, 0, ACTOR_GPA(P + 1), P + 1, PAGES - P - 1, ALL_DOMAINS);
	EXPECT_EQ(-ENXIO, finish_read(_metadata, self, NULL));
}

/* A slot that the domain sees grows over one that it sees. */
SECMMU_TEST_F(view, A11_grown_over_another_in_a_domain)
{
	__u64 word = POISON;

	ACTOR_RUN(1, ACT_SLOT_IN, 0, ACTOR_GPA(0), MOVED, P, ALL_DOMAINS);
	ACTOR_RUN(1, ACT_SLOT_IN, 1, ACTOR_GPA(P), P, 8, ALL_DOMAINS);
	hold_read(_metadata, self);
	ACTOR_RUN(1, ACT_SLOT, 1);
	ACTOR_RUN(1, ACT_SLOT_IN, 0, ACTOR_GPA(0), MOVED, P + 8, ALL_DOMAINS);
	EXPECT_EQ(0, finish_read(_metadata, self, &word));
	EXPECT_EQ(label(MOVED + P, 1), word);
}

/* The check is passed: what comes in goes again before the slot is hidden. */
SECMMU_TEST_F(view, A11_hidden_at_the_check)
{
	int checked, replaced, ret;

	checked = ACTOR_HOLD(FAULT_CHECKED, ACTOR_MEM(P), 0, ACT_READ, 0, ACTOR_GPA(P));
	replaced = ACTOR_HOLD(SLOT_REPLACED, 0, 1, ACT_SLOT_IN, 0, ACTOR_GPA(0), 0, PAGES, 1);
	GATE_OPEN(replaced);
	EXPECT_TRUE(actor_stays(&self->actor, 1));
	GATE_OPEN(checked);
	ret = actor_answer(&self->actor, 0, NULL);
	EXPECT_TRUE(!ret || ret == -EACCES) TH_LOG("%d", ret);
	EXPECT_ANSWER(0, 1);
	EXPECT_NOTHING_MAPPED(self->mirror);
}

TEST_HARNESS_MAIN
