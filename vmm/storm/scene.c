// SPDX-License-Identifier: GPL-2.0
/* What operations may use while they are under way. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "operation.h"
#include "stamp.h"

#define GAP_PATTERN		0x6a6a6a6a6a6a6a6aull

#define LINGER_US		100

/* Of a write that others may interrupt. */
#define WRITE_ATTEMPTS		1000

/**
 * scene_cannot - has the subject a limit?
 * @scene: the operation
 * @limit: the limit
 *
 * Return: true if it has.
 */
bool scene_cannot(const struct scene *scene, enum subject_limit limit)
{
	return scene->agent->engine.instance->ops->limits & limit;
}

/**
 * scene_fail - end the storm: pages are not as they were, and cannot be made so
 * @scene: the operation
 * @what: what has failed, as a sentence
 * @error: a negative errno
 *
 * To go on would kill the process.
 */
void scene_fail(struct scene *scene, const char *what, int error)
{
	struct agent *agent = scene->agent;
	char line[128];

	snprintf(line, sizeof(line), "%s: %s: %s", scene->operation->name, what, strerror(-error));
	report_line(agent->judge->report, agent->name, line);
	__atomic_store_n(&agent->failed, true, __ATOMIC_RELEASE);
}

/**
 * scene_violate - report what must not be
 * @scene: the operation
 * @page: number of the page
 * @fault: enum stamp_fault
 * @value: what says so
 */
void scene_violate(struct scene *scene, uint32_t page, uint32_t fault, int64_t value)
{
	judge_fault(scene->agent->judge, page, fault, value, scene->agent->name);
}

static ssize_t try_access(struct scene *scene, uint32_t page, bool write)
{
	const struct engine *engine = &scene->agent->engine;
	uint64_t gpa = judge_gpa(scene->agent->judge, page), words[GUEST_PAGE_WORDS];
	size_t length = engine_least(engine);

	if (length < sizeof(*words))
		length = sizeof(*words);
	if (!write)
		return engine_read(engine, gpa, words, length);
	for (size_t i = 0; i < length / sizeof(*words); i++)
		words[i] = GAP_PATTERN;
	return engine_write(engine, gpa, words, length);
}

static void expect_refusal(struct scene *scene, uint32_t page, bool write)
{
	ssize_t done = try_access(scene, page, write);

	if (done == -EFAULT || done == -EINTR || (write && done == -EACCES))
		return;
	scene_violate(scene, page, done >= 0 || done == -EBADSLT ? STAMP_GAP : STAMP_ERROR, done);
}

/**
 * scene_touch - have the process write the first page, with what is there
 * @scene: the operation; the page can be written, by its owner too
 */
void scene_touch(const struct scene *scene)
{
	uint64_t *word = (uint64_t *)scene->hva, old = __atomic_load_n(word, __ATOMIC_RELAXED);

	while (!__atomic_compare_exchange_n(word, &old, old, false, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED))
		;
}

/**
 * scene_own_page - have the operation's first page in a frame that nothing else uses
 * @scene: the operation; no other one has its pages
 *
 * A frame may be the zero page, one of KSM's, or a child's as well. What happens to it then
 * happens to pages that the operation does not know of.
 *
 * Return: 0 or a negative errno.
 */
int scene_own_page(const struct scene *scene)
{
	/* Without KSM there is nothing to do. */
	if (madvise(scene->hva, GUEST_PAGE_SIZE, MADV_UNMERGEABLE) && errno != EINVAL)
		return -errno;
	scene_touch(scene);
	return 0;
}

/**
 * scene_expect_gap - memory that is not there cannot be accessed, not even by a stale entry
 * @scene: the operation; it has taken its pages away, and nobody accesses them directly
 */
void scene_expect_gap(struct scene *scene)
{
	uint32_t page = scene->first + scene->operation->keeps_first;

	page += prng_below(scene->prng, scene->first + scene->count - page);
	expect_refusal(scene, page, false);
	expect_refusal(scene, page, true);
	agent_count(&scene->agent->faults);
}

/**
 * scene_expect_zeroes - memory that is new is empty, for an engine too
 * @scene: the operation; its pages are new, and nobody writes them
 */
void scene_expect_zeroes(struct scene *scene)
{
	uint64_t words[GUEST_PAGE_WORDS];
	ssize_t done = engine_read(&scene->agent->engine,
				   judge_gpa(scene->agent->judge, scene->sample), words,
				   sizeof(words));

	for (ssize_t i = 0; i < done / (ssize_t)sizeof(*words); i++) {
		if (!words[i])
			continue;
		scene_violate(scene, scene->sample, STAMP_REVENANT, (int64_t)words[i]);
		return;
	}
}

/**
 * scene_expect_read_only - memory that may not be written can be read, and no more
 * @scene: the operation; it has write-protected its pages
 *
 * Says nothing of a subject that does not heed protections.
 */
void scene_expect_read_only(struct scene *scene)
{
	uint32_t page = scene->first + prng_below(scene->prng, scene->count);

	agent_read_page(scene->agent, page);
	if (scene_cannot(scene, SUBJECT_NO_PERMISSION))
		return;
	expect_refusal(scene, page, true);
	agent_count(&scene->agent->faults);
}

/**
 * scene_write_page - write the first page by the engine, in the name of its owner
 * @scene: the operation; nobody accesses its pages directly
 *
 * Return: 0, or a negative errno, after which nobody knows the content.
 */
int scene_write_page(struct scene *scene)
{
	struct judge *judge = scene->agent->judge;
	struct page_state *state = &judge->states[scene->first];
	struct stamp stamp = {
		.page = scene->first,
		.epoch = judge->epochs[scene->first],
		.owner = judge_owner(judge, scene->first),
	};
	uint64_t words[GUEST_PAGE_WORDS] = { 0 };
	ssize_t done = 0;

	/* Whatever its owner writes through, this is another. */
	judge_note_writer(judge, scene->first, NULL);
	stamp.seq = latch_write_begin(state);
	stamp_write(words, &stamp);
	for (int i = 0; i < WRITE_ATTEMPTS && done != GUEST_PAGE_SIZE && done != -EBADSLT; i++)
		done = engine_write(&scene->agent->engine, scene->gpa, words, sizeof(words));
	if (done == -EBADSLT)
		scene_violate(scene, scene->first, STAMP_GAP, done);
	if (done != GUEST_PAGE_SIZE)
		return done < 0 ? (int)done : -EIO;
	latch_write_end(state, stamp.seq, stamp.epoch);
	return 0;
}

/**
 * scene_sample - find the sample in the process
 * @scene: the operation
 *
 * Return: its address.
 */
char *scene_sample(const struct scene *scene)
{
	return scene->hva + (size_t)(scene->sample - scene->first) * GUEST_PAGE_SIZE;
}

/**
 * scene_copy_sample - copy the sample as the process sees it
 * @scene: the operation; it has closed its pages, and they can be read
 * @copy: where to, a page
 */
void scene_copy_sample(const struct scene *scene, uint64_t *copy)
{
	const uint64_t *words = (const void *)scene_sample(scene);

	for (unsigned int i = 0; i < GUEST_PAGE_WORDS; i++)
		copy[i] = __atomic_load_n(&words[i], __ATOMIC_RELAXED);
}

/**
 * scene_await_writer - wait for a write of the sample that was under way when it was protected
 * @scene: the operation; it has write-protected its pages
 *
 * Return: false if such a write may still arrive.
 */
bool scene_await_writer(const struct scene *scene)
{
	const struct agent *agent = scene->agent;

	return !agent->engine.instance->ops->late_writes ||
	       judge_await_writer(agent->judge, scene->sample);
}

/**
 * scene_expect_same - the sample is what it was, for the process
 * @scene: the operation; nothing may write its pages
 * @copy: what scene_copy_sample() copied
 * @fault: what it means if it is not, enum stamp_fault
 */
void scene_expect_same(struct scene *scene, const uint64_t *copy, uint32_t fault)
{
	uint64_t now[GUEST_PAGE_WORDS];

	scene_copy_sample(scene, now);
	for (unsigned int i = 0; i < GUEST_PAGE_WORDS; i++) {
		if (now[i] == copy[i] || (scene->unsure && !now[i]))
			continue;
		scene_violate(scene, scene->sample, fault, (int64_t)now[i]);
		return;
	}
}

/**
 * scene_reserve_scratch - reserve the scratch range again, which was used
 * @scene: the operation
 *
 * Nobody else has mapped anything there: no thread maps at a place that it does not name.
 */
void scene_reserve_scratch(struct scene *scene)
{
	if (mmap(scene->agent->scratch, scene->length, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED)
		scene_fail(scene, "cannot reserve memory", -errno);
}

/**
 * scene_slot - find the slot of the pages
 * @scene: the operation
 *
 * Return: its number, for the subject.
 */
uint32_t scene_slot(const struct scene *scene)
{
	return memory_slot_of(scene->agent->judge->memory, scene->first);
}

/**
 * scene_set_slot - set the slot of the pages once more
 * @scene: the operation, between instance_slot_begin() and instance_slot_end()
 * @flags: as in judge/subject.h
 */
void scene_set_slot(struct scene *scene, unsigned int flags)
{
	int error = instance_set_slot(scene->agent->engine.instance, scene_slot(scene), flags);

	if (error)
		scene_fail(scene, "cannot set the slot", error);
}

/**
 * scene_call - let others come to the sample of the operation, if the storm aims
 * @scene: the operation
 *
 * Return: true if somebody comes.
 */
bool scene_call(const struct scene *scene)
{
	struct judge *judge = scene->agent->judge;

	return judge->aim && !scene->comes && !scene->around &&
	       meeting_call(&judge->begun, scene->sample);
}

/**
 * scene_linger - let others meet what the operation has done
 * @scene: the operation
 *
 * Mostly returns at once if nobody comes.
 */
void scene_linger(struct scene *scene)
{
	bool stays = !prng_below(scene->prng, 4);

	if (scene_call(scene) || stays)
		usleep(LINGER_US);
}
