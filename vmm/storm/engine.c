// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "engine.h"
#include "message.h"

/* Where a subject of one slot has it. */
#define ONE_SLOT_GPA	0x1000000ul

/* After how long, and how, a prefault is interrupted where it may be stuck. */
#define PREFAULT_SECONDS	1
#define PREFAULT_SIGNAL		SIGRTMIN

static bool cannot(const struct instance *instance, enum subject_limit limit)
{
	return instance->ops->limits & limit;
}

static void need_call(const struct instance *instance, int ret, const char *what)
{
	if (ret < 0)
		die("%s: cannot %s: %s", instance->ops->name, what, strerror(-ret));
}

/**
 * instance_probe - make a subject usable, once
 * @ops: the subject
 *
 * Ends the program, with the reason, if it is not usable here.
 */
void instance_probe(const struct subject_ops *ops)
{
	char why[256] = "";

	if (ops->limits & SUBJECT_ONE_ACCESSOR)
		die("not applicable: it has one accessor, and a storm needs several");
	if (ops->probe && ops->probe(why, sizeof(why)))
		die("%s", why);
}

/**
 * instance_create - make an instance of a subject
 * @instance: filled in
 * @ops: the subject, which is usable
 * @memory: guest memory
 */
void instance_create(struct instance *instance, const struct subject_ops *ops,
		   const struct memory *memory)
{
	*instance = (struct instance) { .ops = ops, .memory = memory };
	pthread_mutex_init(&instance->lock, NULL);
	need_call(instance, ops->create(&instance->subject), "make an instance");
}

/**
 * instance_vary - let engines vary something
 * @instance: without slots
 * @what: a word that the subject knows
 */
void instance_vary(struct instance *instance, const char *what)
{
	if (!instance->ops->vary)
		die("%s has no %s", instance->ops->name, what);
	need_call(instance, instance->ops->vary(instance->subject, what), "vary what was asked for");
	instance->varied = true;
}

/* Where the subject has a host address that lies in guest memory. */
static uint64_t place_of(const struct instance *instance, const void *hva, uint64_t gpa)
{
	if (cannot(instance, SUBJECT_IDENTITY))
		return (uintptr_t)hva;
	if (cannot(instance, SUBJECT_ONE_SLOT))
		return ONE_SLOT_GPA + (uint64_t)((const char *)hva - instance->memory->hull);
	return gpa;
}

/**
 * instance_show - hand guest memory to the subject
 * @instance: the subject, without engines
 *
 * Engines may look at the fixed region, but not change it, where that can be said. A subject
 * of one slot gets all that lies between the first and the last one.
 */
void instance_show(struct instance *instance)
{
	const struct memory *memory = instance->memory;
	const struct subject_ops *ops = instance->ops;
	bool readonly = !cannot(instance, SUBJECT_NO_READONLY_SLOTS);

	if (cannot(instance, SUBJECT_ONE_SLOT)) {
		need_call(instance, ops->slot_set(instance->subject, 0, 0,
						place_of(instance, memory->hull, 0), memory->hull,
						memory->hull_length), "set a slot");
		return;
	}
	for (uint32_t i = 0; i < MEMORY_SLOTS; i++)
		need_call(instance, instance_set_slot(instance, i, i == MEMORY_FIXED_SLOT && readonly ?
						      SLOT_READONLY : 0), "set a slot");
}

/**
 * instance_set_slot - set a slot of guest memory, perhaps once more
 * @instance: the subject, which has several slots
 * @id: number of the slot
 * @flags: as in judge/subject.h
 *
 * Return: 0 or a negative errno.
 */
int instance_set_slot(struct instance *instance, uint32_t id, unsigned int flags)
{
	const struct memory_slot *slot = &instance->memory->slots[id];

	return instance->ops->slot_set(instance->subject, id, flags,
				       place_of(instance, slot->hva, slot->gpa), slot->hva,
				       slot->length);
}

/**
 * instance_slot_begin - a slot is about to be changed, while engines are at work
 * @instance: the subject
 * @id: number of the slot
 *
 * One thread at a time may change slots: takes the lock.
 */
void instance_slot_begin(struct instance *instance, uint32_t id)
{
	pthread_mutex_lock(&instance->lock);
	motion_step(&instance->motion[id]);
}

/**
 * instance_slot_end - it has been changed, and is what it was
 * @instance: the subject
 * @id: number of the slot
 */
void instance_slot_end(struct instance *instance, uint32_t id)
{
	motion_step(&instance->motion[id]);
	pthread_mutex_unlock(&instance->lock);
}

/**
 * instance_destroy - end the instance
 * @instance: its engines are closed
 */
void instance_destroy(struct instance *instance)
{
	if (instance->ops->destroy)
		instance->ops->destroy(instance->subject);
}

/**
 * engine_open - make an engine
 * @engine: filled in
 * @instance: its subject
 */
void engine_open(struct engine *engine, struct instance *instance)
{
	*engine = (struct engine) { .instance = instance };
	need_call(instance, instance->ops->accessor_open(instance->subject, &engine->accessor),
		  "open an accessor");
}

/**
 * engine_close - end it
 * @engine: not in a transfer
 */
void engine_close(struct engine *engine)
{
	if (engine->instance->ops->accessor_close)
		engine->instance->ops->accessor_close(engine->accessor);
}

/* Sets @place to where the subject has a gpa; -ENXIO if guest memory has nothing there. */
static int find_place(const struct engine *engine, uint64_t gpa, size_t length, uint64_t *place)
{
	const struct instance *instance = engine->instance;
	const void *hva;

	*place = gpa;
	if (!cannot(instance, SUBJECT_IDENTITY | SUBJECT_ONE_SLOT))
		return 0;
	hva = memory_range(instance->memory, gpa, length);
	if (!hva)
		return -ENXIO;
	*place = place_of(instance, hva, gpa);
	return 0;
}

/* What holds in the slot of a gpa. */
static struct motion motion_at(const struct engine *engine, uint64_t gpa)
{
	const struct memory *memory = engine->instance->memory;

	for (uint32_t i = 0; i < MEMORY_SLOTS; i++)
		if (gpa - memory->slots[i].gpa < memory->slots[i].length)
			return motion_look(&engine->instance->motion[i]);
	return (struct motion) { 0 };
}

/**
 * engine_settled - is the slot what it shall be?
 * @engine: the engine
 * @gpa: where
 *
 * Return: false while it is changed: transfers may fail.
 */
bool engine_settled(const struct engine *engine, uint64_t gpa)
{
	struct motion look = motion_at(engine, gpa);

	return motion_is_settled(&look);
}

/*
 * To be called again is no more than an interruption; what a slot in motion refuses is no
 * more than memory that is not there. @before is from before the transfer.
 */
static ssize_t result_of(const struct engine *engine, uint64_t gpa, const struct motion *before,
			 bool write, ssize_t done)
{
	struct motion after = motion_at(engine, gpa);
	enum motion_rule rule = motion_rule(before, &after);

	if (done == -EAGAIN)
		return -EINTR;
	if (done >= 0 && (rule == MOTION_GONE || (rule == MOTION_READONLY && write)))
		return -EBADSLT;
	if ((done == -ENXIO || done == -EACCES) &&
	    (!motion_is_settled(before) || after.turn != before->turn))
		return -EFAULT;
	return done;
}

static size_t limit_length(const struct engine *engine, size_t length)
{
	size_t most = engine->instance->ops->most;

	return most && length > most ? most : length;
}

/**
 * engine_read - read guest memory as the engine sees it
 * @engine: the engine
 * @gpa: guest physical address
 * @buffer: where to put it
 * @length: bytes, in one slot; at least engine_least()
 *
 * Return: bytes read, perhaps fewer, or a negative errno as in judge/subject.h; -EBADSLT
 * if it has worked though the slot has gone.
 */
ssize_t engine_read(const struct engine *engine, uint64_t gpa, void *buffer,
		    size_t length)
{
	struct motion before = motion_at(engine, gpa);
	uint64_t place;
	int err = find_place(engine, gpa, length, &place);

	return err ?: result_of(engine, gpa, &before, false,
				engine->instance->ops->read(engine->accessor, place, buffer,
							    limit_length(engine, length)));
}

/**
 * engine_write - write guest memory as the engine sees it
 * @engine: the engine
 * @gpa: guest physical address
 * @buffer: what to write
 * @length: bytes, in one slot; at least engine_least()
 *
 * Return: bytes written, perhaps fewer, or a negative errno as in judge/subject.h; -EBADSLT
 * if it has worked though the slot has gone, or may not be written.
 */
ssize_t engine_write(const struct engine *engine, uint64_t gpa,
		     const void *buffer, size_t length)
{
	struct motion before = motion_at(engine, gpa);
	uint64_t place;
	int err = find_place(engine, gpa, length, &place);

	return err ?: result_of(engine, gpa, &before, true,
				engine->instance->ops->write(engine->accessor, place, buffer,
							     limit_length(engine, length)));
}

static void say_stuck(int signal)
{
	static const char said[] =
		"storm: a prefault has not returned for a second, and takes a signal; if a slot is "
		"being deleted, each waits for the other: kvm-prefault in found.rst\n";
	static bool once;
	int error = errno;

	(void)signal;
	if (__atomic_exchange_n(&once, true, __ATOMIC_RELAXED))
		return;
	if (write(STDERR_FILENO, said, sizeof(said) - 1) < 0)
		errno = error;	/* there is nobody to tell */
	errno = error;
}

/* Signals interrupt what the calling thread waits for, until the timer is deleted. */
static int begin_signals(timer_t *timer)
{
	const struct itimerspec each = { { PREFAULT_SECONDS, 0 }, { PREFAULT_SECONDS, 0 } };
	struct sigaction action = { .sa_handler = say_stuck };
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD_ID,
		.sigev_signo = PREFAULT_SIGNAL,
		._sigev_un._tid = (pid_t)syscall(SYS_gettid),
	};

	if (sigaction(PREFAULT_SIGNAL, &action, NULL) ||
	    timer_create(CLOCK_MONOTONIC, &event, timer))
		return -errno;
	timer_settime(*timer, 0, &each, NULL);
	return 0;
}

/**
 * engine_prefault - map beforehand, if the subject can
 * @engine: the engine
 * @gpa: guest physical address
 * @length: bytes, in one slot
 * @write: for writing
 *
 * Return: 0 or a negative errno.
 */
int engine_prefault(const struct engine *engine, uint64_t gpa, size_t length, bool write)
{
	const struct subject_ops *ops = engine->instance->ops;
	uint64_t place;
	timer_t timer;
	int ret = find_place(engine, gpa, length, &place);

	if (!ret && ops->stuck_prefault)
		ret = begin_signals(&timer);
	if (ret)
		return ret;
	ret = ops->prefault(engine->accessor, place, length, write);
	if (ops->stuck_prefault)
		timer_delete(timer);
	return ret;
}

/**
 * engine_least - find the smallest transfer
 * @engine: the engine
 *
 * Return: its bytes; if that is a page, transfers are of whole pages.
 */
size_t engine_least(const struct engine *engine)
{
	size_t least = engine->instance->ops->least_write;

	if (cannot(engine->instance, SUBJECT_WHOLE_PAGES))
		return GUEST_PAGE_SIZE;
	return least ?: 1;
}

static void expect_result(const char *what, ssize_t done, ssize_t expected)
{
	if (done != expected)
		die("%s gives %zd, not %zd", what, done, expected);
}

/**
 * instance_check_slots - does the subject know what it was told?
 * @instance: after instance_show()
 * @engine: one of its engines
 *
 * Says what it cannot be asked.
 */
void instance_check_slots(const struct instance *instance, const struct engine *engine)
{
	const struct memory_slot *arena = &instance->memory->slots[MEMORY_ARENA_SLOT];
	const void *image = memory_range(instance->memory, GUEST_IMAGE_GPA,
					 GUEST_PAGE_SIZE);
	char page[GUEST_PAGE_SIZE];

	expect_result("reading the guest image",
		      engine_read(engine, GUEST_IMAGE_GPA, page, sizeof(page)), sizeof(page));
	if (!image || memcmp(page, image, sizeof(page)))
		die("the mirror shows another guest image");
	if (cannot(instance, SUBJECT_NO_READONLY_SLOTS | SUBJECT_ONE_SLOT))
		printf("storm: not applicable: writing a read-only slot\n");
	else
		expect_result("writing the read-only slot",
			      engine_write(engine, GUEST_IMAGE_GPA, page, sizeof(page)), -EACCES);
	if (cannot(instance, SUBJECT_NO_SLOTS | SUBJECT_ONE_SLOT))
		printf("storm: not applicable: reading between two slots\n");
	else
		expect_result("reading between two slots",
			      engine_read(engine, arena->gpa + arena->length, page, sizeof(page)),
			      -ENXIO);
}

/**
 * engine_change - vary what was asked for, if anything was
 * @engine: the engine, not in a transfer
 * @prng: decides
 *
 * Return: 0, or -1 after a message.
 */
int engine_change(struct engine *engine, struct prng *prng)
{
	int err;

	if (!engine->instance->varied)
		return 0;
	err = engine->instance->ops->change(engine->accessor, prng_next(prng));
	return err ? say("cannot change an engine: %s", strerror(-err)) : 0;
}

/**
 * engine_denies - must a transfer fail?
 * @engine: the engine
 * @gpa: where
 * @write: which way
 *
 * Return: true if it must.
 */
bool engine_denies(const struct engine *engine, uint64_t gpa, bool write)
{
	return engine->instance->varied && engine->instance->ops->denies &&
	       engine->instance->ops->denies(engine->accessor, gpa, write);
}
