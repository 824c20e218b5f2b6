// SPDX-License-Identifier: GPL-2.0
/*
 * What the oracle convicts, and what it must let pass: rule after rule, by one thread, over a
 * subject that sees what it is told to.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "agent.h"
#include "operation.h"
#include "report.h"
#include "stamp.h"

#define OWNERS	4
#define PAGE	41
#define LONG	4	/* pages: one of each owner */

/*
 * What the subject's next transfers return if it is no success, and what reads see if it is one;
 * and what happens to a slot while the next one is under way, if anything does.
 */
static struct {
	ssize_t read;
	ssize_t write;
	uint64_t words[GUEST_PAGE_WORDS];
	void (*meanwhile)(struct motion *motion);
} told;

static struct memory memory;
static struct report report;
static struct judge judge;
static struct instance instance;
static struct agent agent;
static uint64_t known;
static int status;

static void pass_time(void)
{
	void (*meanwhile)(struct motion *motion) = told.meanwhile;

	told.meanwhile = NULL;
	if (meanwhile)
		meanwhile(&instance.motion[memory_slot_of(&memory, PAGE)]);
}

static ssize_t told_read(void *accessor, uint64_t gpa, void *buffer, size_t length)
{
	(void)accessor;
	(void)gpa;
	pass_time();
	if (told.read <= 0)
		return told.read;
	memcpy(buffer, told.words, length);
	return (ssize_t)length;
}

static ssize_t told_write(void *accessor, uint64_t gpa, const void *buffer, size_t length)
{
	(void)accessor;
	(void)gpa;
	(void)buffer;
	pass_time();
	return told.write <= 0 ? told.write : (ssize_t)length;
}

static struct subject_ops ops = { .name = "told", .read = told_read, .write = told_write };

static void begin(void)
{
	memory_create(&memory, MEMORY_MIN, MEMORY_ANON, NULL);
	report_init(&report);
	/* Only the first ones are described. */
	report.violations = known = REPORT_DETAILS;
	judge_init(&judge, &memory, OWNERS, 1, 1, &report);
	instance = (struct instance) { .ops = &ops, .memory = &memory };
	agent = (struct agent) {
		.judge = &judge,
		.engine = { .instance = &instance },
		.participant = OWNERS,
		.name = "the test",
	};
	ops.limits = 0;
	ops.late_writes = false;
	memset(&told, 0, sizeof(told));
	told.read = told.write = GUEST_PAGE_SIZE;
}

static void end(void)
{
	judge_destroy(&judge);
	memory_destroy(&memory);
}

static void tell(bool fine, const char *what)
{
	printf("%s - judge: %s\n", fine ? "ok" : "not ok", what);
	status |= !fine;
}

/* Has anything been convicted since this was asked last? */
static bool convicted(void)
{
	uint64_t before = known;

	known = report_violations(&report);
	return known != before;
}

/* Readers see the stamp of an epoch, with a sequence number; zeroes in epoch 0. */
static void show(uint32_t epoch, uint32_t seq)
{
	const struct stamp stamp = {
		.page = PAGE, .epoch = epoch, .seq = seq, .owner = judge_owner(&judge, PAGE),
	};

	memset(told.words, 0, sizeof(told.words));
	if (epoch)
		stamp_write(told.words, &stamp);
}

static bool is_read_right(void)
{
	agent_read_page(&agent, PAGE);
	return !convicted();
}

/* The owner writes the page in the epoch in which it is. */
static uint32_t write_page(void)
{
	uint32_t seq = latch_write_begin(&judge.states[PAGE]);

	latch_write_end(&judge.states[PAGE], seq, judge.epochs[PAGE]);
	return seq;
}

static void discard_page(void)
{
	judge_close(&judge, PAGE, 1);
	judge_discard_begin(&judge, PAGE, 1);
	judge_discard_end(&judge, PAGE, 1);
	judge_open(&judge, PAGE, 1);
}

static void test_writes(void)
{
	uint32_t first, second;

	begin();
	tell(is_read_right(), "a page begins with zeroes");
	show(1, 2);
	tell(!is_read_right(), "it has no stamp that nobody has written");
	first = write_page();
	show(1, first);
	tell(is_read_right(), "a stamp that was written may be read");
	show(0, 0);
	tell(!is_read_right(), "zeroes in its place may not");
	second = latch_write_begin(&judge.states[PAGE]);
	show(1, first);
	tell(is_read_right(), "while the next is written, it is right");
	show(1, second);
	tell(is_read_right(), "so is the next");
	show(2, second);
	tell(!is_read_right(), "but none of an epoch that has not begun");
	show(1, second);
	latch_write_end(&judge.states[PAGE], second, 1);
	tell(is_read_right(), "which is right afterwards");
	show(1, first);
	tell(!is_read_right(), "and the one before is not");
	end();
}

/* Does a read pass that is over before a discard is? */
static bool is_early_read_right(uint32_t epoch, uint32_t seq)
{
	struct judge_read read;

	judge_close(&judge, PAGE, 1);
	judge_read_begin(&judge, PAGE, &read);
	judge_discard_begin(&judge, PAGE, 1);
	show(epoch, seq);
	judge_read_end(&judge, &read, told.words, "the test");
	judge_discard_end(&judge, PAGE, 1);
	judge_open(&judge, PAGE, 1);
	return !convicted();
}

/* Does a read pass that begins in one half of a discard and ends after it? */
static bool is_overlap_right(bool late, uint32_t epoch, uint32_t seq)
{
	struct judge_read read;

	judge_close(&judge, PAGE, 1);
	if (!late)
		judge_read_begin(&judge, PAGE, &read);
	judge_discard_begin(&judge, PAGE, 1);
	if (late)
		judge_read_begin(&judge, PAGE, &read);
	judge_discard_end(&judge, PAGE, 1);
	judge_open(&judge, PAGE, 1);
	show(epoch, seq);
	judge_read_end(&judge, &read, told.words, "the test");
	return !convicted();
}

static void test_discards(void)
{
	uint32_t seq;

	begin();
	seq = write_page();
	discard_page();
	show(1, seq);
	tell(!is_read_right(), "what was discarded is not read again");
	show(2, seq + 2);
	tell(!is_read_right(), "nor is a stamp that nobody has written since");
	show(0, 0);
	tell(is_read_right(), "zeroes are");
	seq = write_page();
	show(2, seq);
	tell(is_read_right(), "and what is written then");
	tell(is_overlap_right(false, 2, seq), "a read that began before a discard may see the page");
	seq = write_page();
	tell(is_overlap_right(false, 0, 0), "or zeroes");
	tell(is_overlap_right(false, 5, seq), "or what is written afterwards");
	seq = write_page();
	tell(is_overlap_right(true, 5, seq), "so may one that began during it");
	seq = write_page();
	tell(!is_overlap_right(true, 5, seq), "but none what an earlier discard has taken");
	seq = write_page();
	tell(is_early_read_right(judge.epochs[PAGE], seq), "one that is over before may see the page");
	seq = write_page();
	tell(is_early_read_right(0, 0), "or zeroes as well");
	/* As an operation does after which the page is zeroes or what it was. */
	seq = write_page();
	latch_write_begin(&judge.states[PAGE]);
	tell(judge_is_unsure(&judge, PAGE), "a page that is being given up is unsure");
	show(judge.epochs[PAGE], seq);
	tell(is_read_right(), "it may be what it was");
	show(0, 0);
	tell(is_read_right(), "or zeroes");
	show(judge.epochs[PAGE] - 1, seq);
	tell(!is_read_right(), "but no page of before");
	write_page();
	tell(!judge_is_unsure(&judge, PAGE), "until it is written");
	end();
}

static void test_latches(void)
{
	struct participant *self;
	bool stop = true;
	uint32_t epoch;

	begin();
	self = &judge.mailbox->participants[0];
	tell(latch_enter(self, &judge.states[PAGE], PAGE, &epoch) && epoch == 1,
	     "an open page may be entered");
	tell(judge_close(&judge, PAGE - 1, LONG) == LONG && !judge_wait(&judge, PAGE - 1, LONG, &stop),
	     "who closes it waits");
	tell(judge_wait(&judge, PAGE + 1, LONG - 2, &stop) && judge_wait(&judge, PAGE - 1, 1, &stop),
	     "not for who is elsewhere");
	latch_leave(self);
	tell(judge_wait(&judge, PAGE - 1, LONG, &stop), "nor for who has left");
	tell(!latch_enter(self, &judge.states[PAGE], PAGE, &epoch) && !self->busy,
	     "a closed page may not be entered");
	tell(judge_close(&judge, PAGE - 3, LONG) == 2, "nor be closed by another");
	judge_discard_begin(&judge, PAGE, 1);
	judge_discard_end(&judge, PAGE, 1);
	tell(judge_is_closed(&judge, PAGE), "it stays closed when it has lost its content");
	judge_open(&judge, PAGE - 1, LONG);
	tell(latch_enter(self, &judge.states[PAGE], PAGE, &epoch) && epoch == 2,
	     "until it is opened, in the next epoch");
	latch_leave(self);
	tell(!convicted(), "nothing of that is convicted");
	judge.states[PAGE].latch += 2;
	judge_close(&judge, PAGE, 1);
	tell(convicted(), "a latch that somebody else has changed is");
	end();
}

/* Is a transfer that returns this convicted, of a page that is read while all is at rest or not? */
static bool is_convicted(ssize_t result, bool at_rest)
{
	told.read = result;
	if (at_rest)
		agent_sweep_page(&agent, PAGE);
	else
		agent_read_page(&agent, PAGE);
	return convicted();
}

static void test_failures(void)
{
	begin();
	tell(!is_convicted(-EFAULT, false) && !is_convicted(-EINTR, false) &&
	     !is_convicted(-EAGAIN, false), "a read may meet a hole, or be interrupted");
	tell(is_convicted(-EIO, false) && is_convicted(-ENXIO, false) &&
	     is_convicted(-EACCES, false) && is_convicted(0, false), "it may not fail otherwise");
	tell(is_convicted(-EFAULT, true), "nor meet a hole when all is at rest");
	judge_close(&judge, PAGE, 1);
	tell(!is_convicted(-EFAULT, true), "a page that an operation could not bring back may");
	judge_open(&judge, PAGE, 1);
	tell(!is_convicted(GUEST_PAGE_SIZE, true), "a read that works is right");
	end();
}

static struct scene make_scene(struct prng *prng)
{
	static const struct operation operation = { .name = "test" };
	char *hva = memory_range(&memory, judge_gpa(&judge, PAGE), GUEST_PAGE_SIZE);

	prng_init(prng, 1, 0);
	return (struct scene) {
		.operation = &operation,
		.agent = &agent,
		.prng = prng,
		.first = PAGE,
		.count = 1,
		.gpa = judge_gpa(&judge, PAGE),
		.hva = hva,
		.length = GUEST_PAGE_SIZE,
		.sample = PAGE,
	};
}

static void hold_gone(struct motion *motion)
{
	motion_hold(motion, MOTION_GONE);
}

static void test_slots(void)
{
	struct motion *motion;
	struct scene scene;
	struct prng prng;

	begin();
	scene = make_scene(&prng);
	motion = &instance.motion[memory_slot_of(&memory, PAGE)];
	told.meanwhile = motion_step;
	tell(!is_convicted(-ENXIO, false), "a slot may go while a page is read");
	tell(!is_convicted(-ENXIO, false) && !is_convicted(GUEST_PAGE_SIZE, false),
	     "while it is changed, it may be there or not");
	told.meanwhile = hold_gone;
	tell(!is_convicted(GUEST_PAGE_SIZE, false), "it may have gone when a read is over");
	tell(is_convicted(GUEST_PAGE_SIZE, false) && !is_convicted(-ENXIO, false),
	     "but not when it begins, if it works");
	told.meanwhile = motion_release;
	tell(!is_convicted(GUEST_PAGE_SIZE, false), "it may come back meanwhile");
	tell(!is_convicted(GUEST_PAGE_SIZE, false) && !is_convicted(-ENXIO, false),
	     "then it may be there or not");
	motion_hold(motion, MOTION_READONLY);
	tell(!is_convicted(GUEST_PAGE_SIZE, false), "one that may not be written can be read");
	scene_write_page(&scene);
	tell(convicted(), "a write that works there is convicted");
	motion_release(motion);
	told.meanwhile = motion_step;
	tell(!is_convicted(-ENXIO, false), "it may be there at last when a read is over");
	tell(is_convicted(-ENXIO, false), "after that, it is there");
	end();
}

static void test_scenes(void)
{
	struct scene scene;
	struct prng prng;

	begin();
	scene = make_scene(&prng);
	told.read = told.write = -EFAULT;
	scene_expect_gap(&scene);
	tell(!convicted(), "where nothing is mapped, transfers fail");
	told.read = -EIO;
	scene_expect_gap(&scene);
	tell(convicted(), "for that reason");
	told.read = GUEST_PAGE_SIZE;
	scene_expect_gap(&scene);
	tell(convicted(), "a read that works is convicted");
	told.read = -EFAULT;
	told.write = GUEST_PAGE_SIZE;
	scene_expect_gap(&scene);
	tell(convicted(), "a write that does, too");
	told.read = GUEST_PAGE_SIZE;
	scene_expect_read_only(&scene);
	tell(convicted(), "so is a write of what may not be written");
	ops.limits = SUBJECT_NO_PERMISSION;
	scene_expect_read_only(&scene);
	tell(!convicted(), "not if the subject does not heed that");
	scene_expect_zeroes(&scene);
	tell(!convicted(), "new memory is empty");
	told.words[GUEST_PAGE_WORDS - 1] = 1;
	scene_expect_zeroes(&scene);
	tell(convicted(), "to its last word");
	end();
}

/* Is it convicted if a word of the sample, which was 5, is this? */
static bool is_change_convicted(struct scene *scene, uint64_t word)
{
	uint64_t *last = (uint64_t *)scene->hva + GUEST_PAGE_WORDS - 1;
	uint64_t copy[GUEST_PAGE_WORDS];

	*last = 5;
	scene_copy_sample(scene, copy);
	*last = word;
	scene_expect_same(scene, copy, STAMP_LOST);
	*last = 0;
	return convicted();
}

static void test_protected(void)
{
	struct participant *owner;
	struct scene scene;
	struct prng prng;

	begin();
	scene = make_scene(&prng);
	owner = &judge.mailbox->participants[judge_owner(&judge, PAGE)];
	tell(!is_change_convicted(&scene, 5) && is_change_convicted(&scene, 6) &&
	     is_change_convicted(&scene, 0), "what is protected does not change");
	scene.unsure = true;
	tell(!is_change_convicted(&scene, 0), "if it is being given up, it may go");
	tell(is_change_convicted(&scene, 6), "but not become another");
	owner->busy = PAGE + 1;
	judge_write_begin(&judge, judge_owner(&judge, PAGE));
	tell(scene_await_writer(&scene), "a write under way is over when that is protected");
	ops.late_writes = true;
	tell(!scene_await_writer(&scene), "not if the subject's writes are late");
	judge_write_end(&judge, judge_owner(&judge, PAGE));
	tell(scene_await_writer(&scene), "until they have come");
	judge_write_begin(&judge, judge_owner(&judge, PAGE));
	owner->busy = PAGE + OWNERS + 1;
	tell(scene_await_writer(&scene), "one of another page does not matter");
	end();
}

int main(void)
{
	test_writes();
	test_discards();
	test_latches();
	test_failures();
	test_slots();
	test_scenes();
	test_protected();
	return status;
}
