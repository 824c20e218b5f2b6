// SPDX-License-Identifier: GPL-2.0
/*
 * Calls that wait for a lock, which another thread keeps, end when they are killed. Needs a
 * test build.
 */
#include <pthread.h>
#include <signal.h>

#include "secmmu_actor.h"
#include "secmmu_harness.h"

#define PAGES	64L
/* The page that an event is about. */
#define HELD	5L

/* Milliseconds in which a thread comes to its end if it can. */
#define MUST	20000

ACTOR_FIXTURE(killable, PAGES)

/* The letter for what a process does: D if it sleeps and only a fatal signal can wake it. */
static char state_of(pid_t pid)
{
	char path[64], text[512];
	const char *name_end;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (text_read(path, text, sizeof(text)))
		return 0;
	name_end = strrchr(text, ')');
	return name_end ? name_end[2] : 0;
}

static bool comes_to(pid_t pid, char state)
{
	long end = now_ms() + MUST * secmmu_slow();

	while (state_of(pid) != state && now_ms() < end)
		sleep_ms(1);
	return state_of(pid) == state;
}

static int read_page(void *data)
{
	FIXTURE_DATA(killable) *self = data;
	__u64 word;

	return gpa_get(self->engine, ACTOR_GPA(HELD + 9), &word);
}

static int make_mirror(void *data)
{
	FIXTURE_DATA(killable) *self = data;

	return secmmu_create_mirror_of(self->dev, self->actor.pid) < 0;
}

/* mprotect(2) keeps mmap_lock as long as its event is held; a call wants the lock. */
static void kill_at_mmap_lock(TEST_ARGS(killable), int (*call)(void *))
{
	int post = ACTOR_HOLD(START_RECORDED, ACTOR_MEM(HELD), 1, ACT_MPROTECT, HELD, 1,
			      PROT_READ);
	pid_t pid = ASSERT_NUMBER(child_start(call, self));

	EXPECT_TRUE(comes_to(pid, 'D'));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	EXPECT_TRUE(child_ended(pid, MUST));
	EXPECT_GOES_ON(post, 1);
	EXPECT_EQ(128 + SIGKILL, child_wait(pid));
	EXPECT_STATE(1, members);
	EXPECT_STATE(0, faults);
}

SECMMU_TEST_CALL(killable, G4_fault_at_mmap_lock, kill_at_mmap_lock, read_page)
SECMMU_TEST_CALL(killable, G4_mirror_at_mmap_lock, kill_at_mmap_lock, make_mirror)

/* What a process asks for while one of its threads changes the slots of its mirror. */
enum request { ADD_SLOT, DELETE_SLOT, GET_LOG };

struct owner {
	int dev, mirror;
	int sock;		/* says when the other thread is held */
	enum request request;
};

static void *delete_first(void *data)
{
	struct owner *owner = data;

	secmmu_delete_slot(owner->mirror, 0);
	return NULL;
}

static int want_slots(void *data)
{
	struct owner *owner = data;
	char *mem = region_map(2);
	pthread_t thread;
	__u64 log;

	owner->mirror = secmmu_create_mirror(owner->dev, SECMMU_FLUSH_RANGE, 0);
	CHECK(owner->mirror >= 0 && mem);
	CHECK(!secmmu_set_slot(owner->mirror, 0, 0, ACTOR_GPA(0), mem, PAGE));
	CHECK(!secmmu_set_slot(owner->mirror, 1, SECMMU_SLOT_LOG_DIRTY, ACTOR_GPA(1),
			       mem + PAGE, PAGE));
	CHECK(!pthread_create(&thread, NULL, delete_first, owner));
	CHECK(!byte_wait(owner->sock));
	switch (owner->request) {
	case ADD_SLOT:
		return secmmu_set_slot(owner->mirror, 2, 0, ACTOR_GPA(2), mem, PAGE);
	case DELETE_SLOT:
		return secmmu_delete_slot(owner->mirror, 1);
	default:
		return secmmu_dirty_log(owner->mirror, 1, 0, 1, &log);
	}
}

/* The first thread dies although the second, which is held, cannot yet. */
static void kill_before_its_turn(TEST_ARGS(killable), enum request request)
{
	struct owner owner = { .dev = self->dev, .request = request };
	int post = GATE_ARM(SLOT_REPLACED, 0), sock[2];
	pid_t pid;

	ASSERT_EQ(0, socket_pair(sock));
	owner.sock = sock[1];
	pid = ASSERT_NUMBER(child_start(want_slots, &owner));
	GATE_WAIT(post);
	ASSERT_EQ(0, byte_send(sock[0]));
	EXPECT_TRUE(comes_to(pid, 'D'));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	EXPECT_TRUE(comes_to(pid, 'Z'));
	GATE_OPEN(post);
	EXPECT_EQ(128 + SIGKILL, child_wait(pid));
	close(sock[0]);
	close(sock[1]);
}

SECMMU_TEST_CALL(killable, G4_slot_that_comes, kill_before_its_turn, ADD_SLOT)
SECMMU_TEST_CALL(killable, G4_slot_that_goes, kill_before_its_turn, DELETE_SLOT)
SECMMU_TEST_CALL(killable, G4_log, kill_before_its_turn, GET_LOG)

TEST_HARNESS_MAIN
