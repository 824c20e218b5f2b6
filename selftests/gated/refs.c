// SPDX-License-Identifier: GPL-2.0
/*
 * What faults take they give back: page references after every way a round can end,
 * tables once no walker can see them any more. Needs a test build.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>

#include "secmmu_actor.h"
#include "secmmu_harness.h"

#define PAGES	64L
/* Pages that one fault asks for. */
#define MANY	8L

FIXTURE(refs)
{
	int dev, mirror, engine;
	struct actor actor;
	struct secmmu_stats before;
};

FIXTURE_SETUP(refs)
{
	ACTOR_START(PAGES, SECMMU_FLUSH_RANGE, 0);
	GET_STATS(self->before);
	SECMMU_CHANGES_OR_SKIP("drops the kernel's caches");
}

FIXTURE_TEARDOWN(refs)
{
	ACTOR_TEARDOWN();
}

static void expect_no_refs(TEST_ARGS(refs), long first, long pages)
{
	long i;

	for (i = first; i < first + pages; i++) {
		EXPECT_EQ(1, page_lasting_refs(self->mirror, ACTOR_MEM(i))) {
			TH_LOG("references to page %ld", i);
		}
	}
}

/* Thread 0 holds references to pages [@page, @page + @pages) in a fault. */
static int hold_fault(TEST_ARGS(refs), unsigned int gate, long page, long pages, bool write)
{
	int post;

	expect_no_refs(_metadata, self, page, pages);
	post = ASSERT_NUMBER(gate_arm(self->dev, gate, actor_tid(&self->actor, 0), 0));
	ACTOR_DO(0, ACT_PREFAULT, ACTOR_GPA(page), pages, write ? SECMMU_PREFAULT_WRITE : 0);
	GATE_WAIT(post);
	/* It counts what we think it does. */
	EXPECT_LE(2, page_refs(self->mirror, ACTOR_MEM(page)));
	return post;
}

/* The retry that it counts, and no other. */
#define EXPECT_RETRIES(event, slot, table)				\
do {									\
	struct secmmu_stats _now;					\
									\
	GET_STATS(_now);						\
	EXPECT_DELTA(event, self->before, _now, retries_event);		\
	EXPECT_DELTA(slot, self->before, _now, retries_slot);		\
	EXPECT_DELTA(table, self->before, _now, retries_table);		\
} while (0)

SECMMU_TEST_F(refs, G1_fault)
{
	int post = hold_fault(_metadata, self, SECMMU_GATE_FAULT_GOT, 3, MANY, true);

	EXPECT_GOES_ON(post, 0);
	EXPECT_RETRIES(0, 0, 0);
	expect_no_refs(_metadata, self, 3, MANY);
}

/* An event on the first page: the round was for nothing. */
SECMMU_TEST_F(refs, G1_retry_by_event)
{
	int post = hold_fault(_metadata, self, SECMMU_GATE_FAULT_GOT, 3, MANY, false);

	PASS_EVENT(ACTOR_MEM(3), 1);
	EXPECT_GOES_ON(post, 0);
	EXPECT_RETRIES(1, 0, 0);
	expect_no_refs(_metadata, self, 3, MANY);
}

/* An event on a later one: the first ones go in. */
SECMMU_TEST_F(refs, G1_event_on_a_part)
{
	int post = hold_fault(_metadata, self, SECMMU_GATE_FAULT_GOT, 3, MANY, true);

	PASS_EVENT(ACTOR_MEM(6), 1);
	EXPECT_GOES_ON(post, 0);
	EXPECT_RETRIES(0, 0, 0);
	expect_no_refs(_metadata, self, 3, MANY);
}

/* The slot shows other memory now. */
SECMMU_TEST_F(refs, G1_retry_by_slot)
{
	int post = hold_fault(_metadata, self, SECMMU_GATE_FAULT_GOT, 3, MANY, false);

	ACTOR_RUN(1, ACT_SLOT, 0, ACTOR_BASE, 16, 32, 0);
	EXPECT_GOES_ON(post, 0);
	EXPECT_RETRIES(0, 1, 0);
	expect_no_refs(_metadata, self, 3, MANY);
	expect_no_refs(_metadata, self, 19, MANY);
	EXPECT_GPA(label(19, 1), self->engine, ACTOR_GPA(3));
}

/* Two faults that install the same. */
SECMMU_TEST_F(refs, G1_found_in_place)
{
	int post = hold_fault(_metadata, self, SECMMU_GATE_FAULT_GOT, 3, 1, true);

	EXPECT_PUT(self->engine, ACTOR_GPA(3), label(3, 2));
	EXPECT_GOES_ON(post, 0);
	EXPECT_RETRIES(0, 0, 0);
	expect_no_refs(_metadata, self, 3, 1);
	EXPECT_COHERENT(self->mirror);
}

/* A page that goes while a fault holds it goes when the fault ends. */
SECMMU_TEST_F(refs, G1_page_replaced)
{
	int post = hold_fault(_metadata, self, SECMMU_GATE_FAULT_GOT, 3, 1, false);

	ACTOR_RUN(1, ACT_MADVISE, 3, 1, MADV_DONTNEED);
	ACTOR_RUN(1, ACT_STORE, 3, label(3, 2));
	EXPECT_GOES_ON(post, 0);
	EXPECT_RETRIES(1, 0, 0);
	expect_no_refs(_metadata, self, 3, 1);
	EXPECT_GPA(label(3, 2), self->engine, ACTOR_GPA(3));
}

/* A read maps pages around it, which are let go like the one that was asked for. */
SECMMU_TEST_F(refs, G1_around_a_read)
{
	int mirror = secmmu_create_mirror_of(self->dev, self->actor.pid), engine;

	ASSERT_LE(0, mirror);
	engine = NEW_ENGINE_WITH(mirror, SECMMU_ENGINE_FAULT_AROUND);
	ASSERT_EQ(0, secmmu_set_slot(mirror, 0, 0, ACTOR_BASE, self->actor.mem, PAGES * PAGE));
	expect_no_refs(_metadata, self, 3, 16);
	EXPECT_GPA(label(3, 1), engine, ACTOR_GPA(3));
	EXPECT_COUNTER_OF(16, mirror, fault_pages);
	expect_no_refs(_metadata, self, 3, 16);
	close(engine);
	close(mirror);
}

/* An entry counts once in its table, also when it has become a writable one. */
SECMMU_TEST_F(refs, G1_tables_after_an_upgrade)
{
	long round;

	for (round = 0; round < 3; round++) {
		EXPECT_GPA(label(3, 1), self->engine, ACTOR_GPA(3));
		EXPECT_COUNTER(4, tables);
		EXPECT_PUT(self->engine, ACTOR_GPA(3), label(3, 1));
		/* Found in place. */
		ACTOR_RUN(0, ACT_PREFAULT, ACTOR_GPA(3), 1, SECMMU_PREFAULT_WRITE);
		PASS_EVENT(ACTOR_MEM(3), 1);
		EXPECT_COUNTER(1, tables);
	}
}

/*
 * A fault has found its table, and an event gives it back because it is empty: it
 * is not freed before the fault has looked at it.
 */
SECMMU_TEST_F(refs, G1_table_under_a_fault)
{
	int post = hold_fault(_metadata, self, SECMMU_GATE_FAULT_LINKED, 3, 1, false);

	EXPECT_COUNTER(4, tables);
	/* Elsewhere in the table, so that no event is in the fault's way. */
	PASS_EVENT(ACTOR_MEM(9), 1);
	/* Only the root is left. */
	EXPECT_COUNTER(1, tables);
	EXPECT_GOES_ON(post, 0);
	EXPECT_RETRIES(0, 0, 1);
	EXPECT_GPA(label(3, 1), self->engine, ACTOR_GPA(3));
	EXPECT_COHERENT(self->mirror);
}

/* The same, and the slot goes, which gives back all there is. */
SECMMU_TEST_F(refs, G1_slot_under_a_fault)
{
	int post = hold_fault(_metadata, self, SECMMU_GATE_FAULT_LINKED, 3, 1, false);

	ACTOR_RUN(1, ACT_SLOT, 0, ACTOR_BASE, 0, 0, 0);
	EXPECT_COUNTER(1, tables);
	GATE_OPEN(post);
	EXPECT_ANSWER(-ENXIO, 0);
	EXPECT_COUNTER(1, tables);
	expect_no_refs(_metadata, self, 3, 1);
}

/* The process ends meanwhile: nothing is installed, nothing stays. */
SECMMU_TEST_F(refs, G1_end_under_a_fault)
{
	int post = hold_fault(_metadata, self, SECMMU_GATE_FAULT_GOT, 3, MANY, true);

	ASSERT_EQ(0, kill(self->actor.pid, SIGKILL));
	GATE_OPEN(post);
	ASSERT_EQ(128 + SIGKILL, child_wait(self->actor.pid));
	self->actor.pid = 0;
	EXPECT_ORACLE(0, sptes);
	EXPECT_COUNTER(1, tables);
	EXPECT_STATE(0, faults);
	EXPECT_GPA_ERROR(ESRCH, self->engine, ACTOR_GPA(3));
}

/* What became of the page while a fault held it, and how the next round ends. */
ACTOR_FIXTURE(retried, PAGES)

FIXTURE_VARIANT(retried)
{
	enum actor_op op;
	__u64 arg[5];
	int error;
	bool write;
};

FIXTURE_VARIANT_ADD(retried, slot_gone) { .op = ACT_SLOT, .error = -ENXIO };
FIXTURE_VARIANT_ADD(retried, slot_read_only) {
	.op = ACT_SLOT,
	.arg = { 0, ACTOR_BASE, 0, PAGES, SECMMU_SLOT_READONLY },
	.error = -EACCES,
	.write = true,
};
FIXTURE_VARIANT_ADD(retried, slot_without_memory) {
	.op = ACT_SLOT,
	/* The page behind the memory is not mapped. */
	.arg = { 0, ACTOR_BASE + 3 * 4096, PAGES, 1 },
	.error = -EFAULT,
};
FIXTURE_VARIANT_ADD(retried, memory_gone) {
	.op = ACT_MUNMAP,
	.arg = { 3, 1 },
	.error = -EFAULT,
};
FIXTURE_VARIANT_ADD(retried, memory_read_only) {
	.op = ACT_MPROTECT,
	.arg = { 3, 1, PROT_READ },
	.error = -EFAULT,
	.write = true,
};

/*
 * The round that was for nothing has linked tables, and no other round follows to use
 * them: they go back.
 */
SECMMU_TEST_F(retried, G1_tables_of_a_failed_fault)
{
	int got = ACTOR_HOLD(FAULT_GOT, ACTOR_MEM(3), 0, ACT_PREFAULT, ACTOR_GPA(3), 1,
			     variant->write ? SECMMU_PREFAULT_WRITE : 0);

	actor_order(&self->actor, 1, variant->op, variant->arg[0], variant->arg[1],
		    variant->arg[2], variant->arg[3], variant->arg[4]);
	ASSERT_EQ(0, actor_answer(&self->actor, 1, NULL));
	GATE_OPEN(got);
	EXPECT_ANSWER(variant->error, 0);
	EXPECT_COUNTER(1, retries);
	EXPECT_COUNTER(1, tables);
	EXPECT_COHERENT(self->mirror);
}

TEST_HARNESS_MAIN
