// SPDX-License-Identifier: GPL-2.0
/* Agents that perform operations, which take memory away from the guest, or change it. */
#include <errno.h>
#include <unistd.h>
#include "agent.h"
#include "evidence.h"
#include "mix.h"
#include "operation.h"

/* The longest ranges have 64 pages; short ones are as frequent as long ones. */
#define MAX_SHIFT		7
#define SAMPLES			4

/* Unthrottled, discarders starve the guest, and the storm proves nothing. */
#define PAUSE_MIN_US		200
#define PAUSE_SPREAD_US		800

/* In a storm that aims, half go to an engine's write under way, unless they would wait for it. */
static uint32_t choose_first(const struct scene *scene)
{
	struct judge *judge = scene->agent->judge;
	bool waits = scene->operation->rules[judge->memory->backing].latches == LATCHES_WAIT;
	uint32_t page = judge_choose_near(judge, &judge->used, scene->prng);
	uint32_t engines = judge->owners - judge->vcpus, one = prng_below(scene->prng, engines);

	if (!prng_below(scene->prng, 2) || !judge->aim || waits)
		return page;
	/* The one who writes for longest is found most often. */
	for (uint32_t i = 0; i < engines; i++) {
		if (!judge_find_busy(judge, judge->vcpus + (one + i) % engines, &page))
			continue;
		weather_note(scene->agent->weather, CHANCE_BUSY);
		break;
	}
	return page;
}

/* A range within one slot, at the first page or around it; EXTENT_SOME takes up to @most. */
static void take_pages(struct scene *scene, uint32_t most)
{
	struct judge *judge = scene->agent->judge;
	const struct memory *memory = judge->memory;
	const struct arena_slot *slot =
		&memory->arena[memory_slot_of(memory, scene->first) - MEMORY_ARENA_SLOT];

	switch (scene->operation->extent) {
	case EXTENT_ONE:
		most = 1;
		break;
	case EXTENT_HUGE:
		/* Slots begin at a huge page. */
		scene->first -= (scene->first - slot->first) % HUGE_PAGES;
		most = HUGE_PAGES;
		break;
	case EXTENT_SLOT:
		scene->first = slot->first;
		most = slot->pages;
		break;
	case EXTENT_TAIL:
		scene->first = memory->pages - most;
		break;
	default:
		break;
	}
	scene->count = memory_pages_from(memory, scene->first, most);
}

/* Who comes to another operation takes its page. */
static void choose_pages(struct scene *scene)
{
	if (scene->comes) {
		take_pages(scene, 1 + scene->operation->keeps_first);
		return;
	}
	scene->first = choose_first(scene);
	take_pages(scene, 1 + prng_below(scene->prng, 1 << prng_below(scene->prng, MAX_SHIFT)));
}

/* Is what is left of the pages enough? */
static bool is_whole(const struct scene *scene, uint32_t wanted)
{
	switch (scene->operation->extent) {
	case EXTENT_HUGE:
		return scene->count == HUGE_PAGES;
	case EXTENT_TAIL:
		return scene->count == wanted;
	default:
		return scene->count > scene->operation->keeps_first;
	}
}

/*
 * Some of the pages, the sample first. Read before an operation, they are in the TLB of this
 * agent's engine when they become stale. Read again afterwards, while the latches are closed
 * and nobody writes, their content is known.
 */
static void read_samples(struct scene *scene, const uint32_t *samples)
{
	for (unsigned int i = 0; i < SAMPLES; i++)
		agent_read_page(scene->agent, samples[i]);
}

static void note_meeting(struct weather *weather, const struct operation_rule *rule)
{
	weather_note(weather, CHANCE_MET);
	if (rule->content == CONTENT_LOST)
		weather_note(weather, CHANCE_TAKING);
}

/* Returns false if the agent cannot go on. */
static bool perform(struct scene *scene, const struct operation_rule *rule)
{
	const struct operation *operation = scene->operation;
	uint32_t first = scene->first + operation->keeps_first;
	uint32_t count = scene->count - operation->keeps_first;
	struct agent *agent = scene->agent;
	struct judge *judge = agent->judge;
	size_t index = (size_t)(operation - operations);
	bool prove = mix_wants_proof(agent->mix, index);
	uint32_t samples[SAMPLES];
	struct evidence evidence;
	uint64_t turn;
	int error;

	scene->sample = samples[0] = first + prng_below(scene->prng, count);
	for (unsigned int i = 1; i < SAMPLES; i++)
		samples[i] = scene->first + prng_below(scene->prng, scene->count);
	trail_note(&judge->lost, scene->sample);
	/* Who comes to another operation comes at once. */
	if (scene->comes)
		note_meeting(agent->weather, rule);
	else
		read_samples(scene, samples);
	if (prove)
		evidence_begin(&evidence, scene);
	scene->unsure = judge_is_unsure(judge, scene->sample);
	if (rule->content != CONTENT_KEPT)
		judge_discard_begin(judge, first, count);
	track_hail(scene);
	turn = history_begin(agent->history, agent->name, operation->name, scene->first,
			     scene->count);
	scene_call(scene);
	__atomic_store_n(&agent->doing, operation->name, __ATOMIC_RELAXED);
	error = operation->act(scene);
	__atomic_store_n(&agent->doing, NULL, __ATOMIC_RELAXED);
	history_end(agent->history, turn, error);
	if (__atomic_load_n(&agent->failed, __ATOMIC_RELAXED))
		return false;
	prove = prove && !error && evidence_end(&evidence, scene);
	/* What was refused may be done in part: nobody knows the content until it is written. */
	if (rule->content == CONTENT_LOST && !error)
		judge_discard_end(judge, first, count);
	mix_note(agent->mix, index, error, prove);
	scene->refused = error;
	read_samples(scene, samples);
	agent_count(&agent->operations);
	return true;
}

static void write_down(const struct scene *scene)
{
	const struct script_step step = {
		.operation = (uint32_t)(scene->operation - operations),
		.first = scene->first,
		.count = scene->count,
	};

	script_append(scene->agent->written, &step);
}

/* Returns false if the agent cannot go on. */
static bool run_operation(struct scene *scene)
{
	struct judge *judge = scene->agent->judge;
	const struct operation_rule *rule =
		&scene->operation->rules[judge->memory->backing];
	uint32_t wanted = scene->count;
	bool ready = true;

	if (scene->agent->written)
		write_down(scene);
	if (rule->latches != LATCHES_OPEN)
		scene->count = judge_close(judge, scene->first, wanted);
	if (rule->latches == LATCHES_WAIT)
		ready = judge_wait(judge, scene->first, scene->count, scene->agent->stop);
	scene->refused = true;
	scene->gpa = judge_gpa(judge, scene->first);
	scene->length = (size_t)scene->count * GUEST_PAGE_SIZE;
	/* After a failure the latches stay closed over what is not there. */
	if (ready && is_whole(scene, wanted)) {
		scene->hva = memory_range(judge->memory, scene->gpa, scene->length);
		if (!perform(scene, rule))
			return false;
	}
	if (rule->latches != LATCHES_OPEN)
		judge_open(judge, scene->first, scene->count);
	return true;
}

/*
 * An operation called @name around another. Sets @done to whether the kernel has not refused it.
 * Returns false if the agent cannot go on.
 */
static bool run_around(const struct scene *scene, const char *name, bool *done)
{
	struct scene around = {
		.operation = mix_find(scene->agent->mix, name),
		.agent = scene->agent,
		.prng = scene->prng,
		.first = scene->first,
		.around = true,
	};
	bool fine;

	if (!around.operation)
		return true;
	take_pages(&around, 1);
	fine = run_operation(&around);
	*done = !around.refused;
	return fine;
}

/*
 * There is a huge page where the operation is about to begin: of small ones, or, where these lie
 * in several areas, a new one. Returns false if the agent cannot go on.
 */
static bool bring_huge_page(const struct scene *scene)
{
	bool done = false;
	bool fine = run_around(scene, "collapse", &done);

	if (fine && !done)
		fine = run_around(scene, "hugepage", &done);
	if (done)
		weather_note(scene->agent->weather, CHANCE_HUGE);
	return fine;
}

/*
 * What the operation shall find, but in large memories, which stay sparse. Returns false if the
 * agent cannot go on.
 */
static bool prepare_pages(const struct scene *scene)
{
	const struct weather *weather = scene->agent->weather;
	const struct judge *judge = scene->agent->judge;
	bool fills = !prng_below(scene->prng, 2), done;

	if (judge->memory->pages > MEMORY_LOW / GUEST_PAGE_SIZE)
		return true;
	if (weather_has(weather, PRELUDE_HUGE) && !bring_huge_page(scene))
		return false;
	/* A mirror that has all of a slot, unless hail takes that away. */
	return scene->operation->extent != EXTENT_SLOT || !judge->aim || !fills ||
	       weather_has(weather, PRELUDE_HAIL) || run_around(scene, "prefault-slot", &done);
}

/*
 * What one event leaves to another is often seen only if the other takes the content away: half of
 * those that come do so. On a closed page no such operation could begin.
 */
static size_t choose_operation(const struct scene *scene)
{
	const struct agent *agent = scene->agent;
	const struct judge *judge = agent->judge;

	if (!scene->comes || judge_is_closed(judge, scene->first) || prng_below(scene->prng, 2))
		return mix_choose(agent->mix, scene->prng);
	return mix_choose_losing(agent->mix, judge->memory->backing, scene->prng);
}

/* Returns false if the agent cannot go on. */
static bool run_random(struct agent *agent, struct prng *prng)
{
	uint32_t pause_us = PAUSE_MIN_US + prng_below(prng, PAUSE_SPREAD_US);
	struct judge *judge = agent->judge;
	struct scene scene = {
		.agent = agent,
		.prng = prng,
	};

	if (judge->aim && prng_below(prng, 2))
		scene.comes = meeting_await(&judge->begun, pause_us, &scene.first);
	else
		usleep(pause_us);
	scene.operation = &operations[choose_operation(&scene)];
	choose_pages(&scene);
	return (scene.comes || prepare_pages(&scene)) && run_operation(&scene);
}

/* Returns false if the agent cannot go on. */
static bool run_step(struct agent *agent, struct prng *prng, const struct script_step *step)
{
	struct scene scene = {
		.agent = agent,
		.prng = prng,
		.first = step->first,
		.count = step->count,
	};

	switch (step->kind) {
	case SCRIPT_BARRIER:
		script_wait(agent->script, agent->stop);
		return true;
	case SCRIPT_PAUSE:
		usleep(step->first);
		return true;
	default:
		scene.operation = &operations[step->operation];
		/* What was left out of the mix cannot be done here. */
		return !agent->mix->entries[step->operation].weight || run_operation(&scene);
	}
}

/* Returns false if the agent cannot go on. */
static bool run_script(struct agent *agent, struct prng *prng)
{
	for (size_t i = 0; i < agent->part->count && !agent_stopping(agent); i++)
		if (!run_step(agent, prng, &agent->part->steps[i]))
			return false;
	script_wait(agent->script, agent->stop);
	return true;
}

/**
 * agent_discarder - perform operations of the mix, or those of a script
 * @argument: the agent
 *
 * Return: NULL.
 */
void *agent_discarder(void *argument)
{
	struct agent *agent = argument;
	struct prng prng;
	bool fine = true;

	prng_init(&prng, agent->seed, agent->participant);
	if (agent->script && !agent->part->count)
		return NULL;
	while (fine && !agent_stopping(agent))
		fine = agent->script ? run_script(agent, &prng) : run_random(agent, &prng);
	return NULL;
}
