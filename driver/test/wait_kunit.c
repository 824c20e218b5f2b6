// SPDX-License-Identifier: GPL-2.0
/* Faults that wait for events in flight, each in a thread of its own. */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>

#include <kunit/test.h>

#include "record.h"

#define BASE		0x7000000UL
#define BYTES		(4 * PAGE_SIZE)

/* How long something that must come may take to come: then the test has failed. */
#define LIMIT		(10 * HZ)

struct unit {
	struct secmmu_records records;
	struct secmmu_inflight fault;
	struct secmmu_patience patience;
	struct task_struct *thread;
	struct completion done;
	int err;
};

static int fault_thread(void *context)
{
	struct unit *unit = context;

	allow_signal(SIGUSR1);
	unit->err = secmmu_inflight_begin(&unit->records, &unit->fault, BASE,
					  BASE + BYTES - 1, &unit->patience);
	if (!unit->err)
		secmmu_inflight_end(&unit->records, &unit->fault);
	complete(&unit->done);
	return 0;
}

static int wait_init(struct kunit *test)
{
	struct unit *unit = kunit_kzalloc(test, sizeof(*unit), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, unit);
	secmmu_records_init(&unit->records);
	init_completion(&unit->done);
	test->priv = unit;
	return 0;
}

/* No thread waits any more, even after a failure. */
static void wait_exit(struct kunit *test)
{
	struct unit *unit = test->priv;

	if (IS_ERR_OR_NULL(unit->thread))
		return;
	secmmu_records_release(&unit->records);
	kthread_stop(unit->thread);
	put_task_struct(unit->thread);
}

static bool is_queued(struct unit *unit)
{
	bool active;

	spin_lock(&unit->records.lock);
	/* Waiters enter the queue and check under this lock. */
	active = waitqueue_active(&unit->records.wait);
	spin_unlock(&unit->records.lock);
	return active;
}

/* Start a fault, and come back when it waits, or is through. */
static void start_fault(struct kunit *test)
{
	struct unit *unit = test->priv;
	unsigned long limit = jiffies + LIMIT;

	unit->thread = kthread_create(fault_thread, unit, "secmmu-kunit");
	KUNIT_ASSERT_FALSE(test, IS_ERR(unit->thread));
	get_task_struct(unit->thread);
	wake_up_process(unit->thread);
	while (!is_queued(unit) && !completion_done(&unit->done) &&
	       time_before(jiffies, limit))
		usleep_range(100, 200);
}

static void expect_waiting(struct kunit *test)
{
	struct unit *unit = test->priv;

	KUNIT_ASSERT_TRUE(test, is_queued(unit));
	KUNIT_ASSERT_FALSE(test, completion_done(&unit->done));
}

static void expect_done(struct kunit *test, int err)
{
	struct unit *unit = test->priv;

	KUNIT_ASSERT_NE(test, wait_for_completion_timeout(&unit->done, LIMIT), 0);
	KUNIT_EXPECT_EQ(test, unit->err, err);
	KUNIT_EXPECT_FALSE(test, is_queued(unit));
}

static void no_wait(struct kunit *test)
{
	struct unit *unit = test->priv;

	secmmu_event_begin(&unit->records, BASE - BYTES, BASE - 1);
	secmmu_event_begin(&unit->records, BASE + PAGE_SIZE, BASE + BYTES);
	start_fault(test);
	expect_done(test, 0);
	KUNIT_EXPECT_EQ(test, unit->fault.waited_ns, 0);
	KUNIT_EXPECT_EQ(test, unit->fault.range.last, BASE + PAGE_SIZE - 1);
}

static void A8_event_ends(struct kunit *test)
{
	struct unit *unit = test->priv;

	secmmu_event_begin(&unit->records, BASE + PAGE_SIZE - 1, BASE + PAGE_SIZE - 1);
	start_fault(test);
	expect_waiting(test);
	secmmu_event_end(&unit->records, BASE + PAGE_SIZE - 1, BASE + PAGE_SIZE - 1);
	expect_done(test, 0);
	KUNIT_EXPECT_NE(test, unit->fault.waited_ns, 0);
	KUNIT_EXPECT_EQ(test, unit->fault.range.last, BASE + BYTES - 1);
}

/* Has the thread seen all there is, and gone back to sleep? */
static bool is_asleep(struct unit *unit)
{
	unsigned long limit = jiffies + LIMIT;

	while (time_before(jiffies, limit)) {
		if (completion_done(&unit->done))
			return false;
		if (is_queued(unit) &&
		    READ_ONCE(unit->thread->__state) == TASK_INTERRUPTIBLE)
			return true;
		usleep_range(100, 200);
	}
	return false;
}

/* A3: the end of one event is not the end of all. */
static void A3_one_of_two_ends(struct kunit *test)
{
	struct unit *unit = test->priv;

	secmmu_event_begin(&unit->records, BASE, BASE + 9);
	secmmu_event_begin(&unit->records, BASE - 5, BASE + 5);
	start_fault(test);
	expect_waiting(test);
	secmmu_event_end(&unit->records, BASE, BASE + 9);
	KUNIT_EXPECT_TRUE(test, is_asleep(unit));
	secmmu_event_end(&unit->records, BASE - 5, BASE + 5);
	expect_done(test, 0);
}

/* The same where only the hull has room. */
static void A4_hull_ends(struct kunit *test)
{
	struct unit *unit = test->priv;
	unsigned int i;

	for (i = 0; i < SECMMU_EVENTS_MAX; i++)
		secmmu_event_begin(&unit->records, 0, 10);
	secmmu_event_begin(&unit->records, BASE + 7, BASE + 7);
	secmmu_event_begin(&unit->records, BASE + 8, BASE + 8);
	start_fault(test);
	expect_waiting(test);
	secmmu_event_end(&unit->records, BASE + 7, BASE + 7);
	KUNIT_EXPECT_TRUE(test, is_asleep(unit));
	secmmu_event_end(&unit->records, BASE + 8, BASE + 8);
	expect_done(test, 0);
}

/* A18: events leave no gap; the hull is elsewhere, and the patience ends. */
static void end_patience(struct kunit *test, unsigned long hull)
{
	struct unit *unit = test->priv;
	unsigned int i;

	for (i = 0; i < SECMMU_EVENTS_MAX; i++)
		secmmu_event_begin(&unit->records, 0, 10);
	secmmu_event_begin(&unit->records, hull, hull);
	/* Room for two that are not in the hull. */
	secmmu_event_end(&unit->records, 0, 10);
	secmmu_event_end(&unit->records, 0, 10);
	secmmu_event_begin(&unit->records, BASE, BASE);
	start_fault(test);
	expect_waiting(test);
	for (i = 0; i < 2 * SECMMU_PATIENCE && is_asleep(unit); i++) {
		secmmu_event_begin(&unit->records, BASE, BASE + i + 1);
		secmmu_event_end(&unit->records, BASE, BASE + i);
	}
	expect_done(test, -EBUSY);
}

static void A18_hull_in_front(struct kunit *test)
{
	end_patience(test, BASE - 1);
}

static void A18_hull_behind(struct kunit *test)
{
	end_patience(test, BASE + PAGE_SIZE);
}

static void G4_signal(struct kunit *test)
{
	struct unit *unit = test->priv;

	secmmu_event_begin(&unit->records, BASE, BASE);
	start_fault(test);
	expect_waiting(test);
	KUNIT_EXPECT_EQ(test, send_sig(SIGUSR1, unit->thread, 1), 0);
	expect_done(test, -EINTR);
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&unit->records.faults.rb_root));
}

static void A17_release(struct kunit *test)
{
	struct unit *unit = test->priv;

	secmmu_event_begin(&unit->records, 0, ULONG_MAX);
	start_fault(test);
	expect_waiting(test);
	secmmu_records_release(&unit->records);
	expect_done(test, -ESRCH);
}

static struct kunit_case wait_cases[] = {
	KUNIT_CASE(no_wait),
	KUNIT_CASE(A8_event_ends),
	KUNIT_CASE(A3_one_of_two_ends),
	KUNIT_CASE(A4_hull_ends),
	KUNIT_CASE(A18_hull_in_front),
	KUNIT_CASE(A18_hull_behind),
	KUNIT_CASE(G4_signal),
	KUNIT_CASE(A17_release),
	{}
};

static struct kunit_suite wait_suite = {
	.name = "secmmu_wait",
	.init = wait_init,
	.exit = wait_exit,
	.test_cases = wait_cases,
};

kunit_test_suite(wait_suite);
