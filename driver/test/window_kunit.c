// SPDX-License-Identifier: GPL-2.0
/* Windows, and flushes that meet one. */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>

#include "mmu_kunit.h"

static void mask_and_generations(struct kunit *test)
{
	struct secmmu_mmu_kunit *mmu = secmmu_mmu_kunit(test, UINT_MAX);
	struct secmmu_window window;
	bool off, in_mask, others;
	unsigned int cpu;

	atomic64_set(&mmu->tlbs.gen, 41);
	atomic64_set(&mmu->tlbs.age, 51);
	KUNIT_EXPECT_TRUE(test, cpumask_empty(mmu->tlbs.mask));
	secmmu_window_open(&mmu->tlbs, &window);
	cpu = smp_processor_id();
	off = irqs_disabled();
	in_mask = cpumask_test_cpu(cpu, mmu->tlbs.mask);
	others = cpumask_weight(mmu->tlbs.mask) != 1;
	secmmu_window_close(&mmu->tlbs, &window);
	KUNIT_EXPECT_TRUE(test, off);
	KUNIT_EXPECT_TRUE(test, in_mask);
	KUNIT_EXPECT_FALSE(test, others);
	KUNIT_EXPECT_EQ(test, window.gen, 41);
	KUNIT_EXPECT_EQ(test, window.age, 51);
	KUNIT_EXPECT_FALSE(test, irqs_disabled());
	KUNIT_EXPECT_TRUE(test, cpumask_empty(mmu->tlbs.mask));
}

static void flush_generations(struct kunit *test)
{
	struct secmmu_mmu_kunit *mmu = secmmu_mmu_kunit(test, UINT_MAX);

	KUNIT_EXPECT_EQ(test, atomic64_read(&mmu->tlbs.gen), 1);
	KUNIT_EXPECT_EQ(test, atomic64_read(&mmu->tlbs.flushed), 1);
	secmmu_flush(&mmu->tlbs, 3);
	KUNIT_EXPECT_EQ(test, atomic64_read(&mmu->tlbs.gen), 2);
	KUNIT_EXPECT_EQ(test, atomic64_read(&mmu->tlbs.flushed), 2);
	/* Another, later flush was faster: what is complete stays so. */
	atomic64_set(&mmu->tlbs.flushed, 9);
	secmmu_flush(&mmu->tlbs, 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&mmu->tlbs.gen), 3);
	KUNIT_EXPECT_EQ(test, atomic64_read(&mmu->tlbs.flushed), 9);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_counted(mmu, SECMMU_COUNT_FLUSHES), 2);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_counted(mmu, SECMMU_COUNT_INTERRUPTS), 0);
}

/* An engine with a window open on a CPU of its own, until a flush has begun. */
struct engine {
	struct secmmu_mmu_kunit *mmu;
	struct completion open;
	bool met;
	bool closed;
};

static int keep_window(void *context)
{
	struct engine *engine = context;
	struct secmmu_tlbs *tlbs = &engine->mmu->tlbs;
	struct secmmu_window window;
	unsigned int i;

	secmmu_window_open(tlbs, &window);
	complete(&engine->open);
	/* Five seconds for the flush to begin, then some for it to end too early. */
	for (i = 0; i < 1000000 && atomic64_read(&tlbs->gen) == window.gen; i++)
		udelay(5);
	engine->met = atomic64_read(&tlbs->gen) != window.gen;
	mdelay(2);
	WRITE_ONCE(engine->closed, true);
	secmmu_window_close(tlbs, &window);
	return 0;
}

/* B3, B5: a flush does not return before a window that it met has closed. */
static void B5_flush_waits(struct kunit *test)
{
	struct secmmu_mmu_kunit *mmu = secmmu_mmu_kunit(test, UINT_MAX);
	struct engine engine = { .mmu = mmu };
	struct task_struct *thread;
	unsigned int here, other;
	bool closed = false;

	init_completion(&engine.open);
	thread = kthread_create(keep_window, &engine, "secmmu-kunit");
	KUNIT_ASSERT_FALSE(test, IS_ERR(thread));
	get_task_struct(thread);
	migrate_disable();
	here = raw_smp_processor_id();
	other = cpumask_any_but(cpu_online_mask, here);
	if (other < nr_cpu_ids) {
		kthread_bind(thread, other);
		wake_up_process(thread);
		wait_for_completion(&engine.open);
		secmmu_flush(&mmu->tlbs, 1);
		closed = READ_ONCE(engine.closed);
	}
	migrate_enable();
	kthread_stop(thread);
	put_task_struct(thread);
	if (other >= nr_cpu_ids)
		kunit_skip(test, "needs two CPUs");
	KUNIT_EXPECT_TRUE(test, engine.met);
	KUNIT_EXPECT_TRUE(test, closed);
	/* One CPU had a window open, and got the one interrupt. */
	KUNIT_EXPECT_EQ(test, secmmu_kunit_counted(mmu, SECMMU_COUNT_INTERRUPTS), 1);
}

static struct kunit_case window_cases[] = {
	KUNIT_CASE(mask_and_generations),
	KUNIT_CASE(flush_generations),
	KUNIT_CASE(B5_flush_waits),
	{}
};

static struct kunit_suite window_suite = {
	.name = "secmmu_window",
	.test_cases = window_cases,
};

kunit_test_suite(window_suite);
