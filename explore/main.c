// SPDX-License-Identifier: GPL-2.0
/*
 * secmmu-explore: plays a scenario under one schedule after the other, until one shows
 * something wrong. Without QEMU's plugin all schedules are much the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mark.h"
#include "message.h"
#include "options.h"
#include "scenario.h"

/* Seconds of one schedule; the clock is that of a machine with little to do. */
#define PATIENCE	20

/* How often to tell how far it is. */
#define PROGRESS	100

extern const struct scenario *const __start_scenarios[], *const __stop_scenarios[];

struct settings {
	const char *name;
	uint32_t first;
	uint32_t last;
	bool list;
};

/*
 * The threads of a play; each keeps to a processor, the first one is left to others. An
 * outsider shares it.
 */
struct play {
	const struct scenario *scenario;
	struct arena arena;
	pthread_barrier_t start, end;
	unsigned int nr_actors;
	atomic_uint awake;
	atomic_bool begun;
};

struct actor {
	struct play *play;
	unsigned int number;
};

static unsigned int current;

/* Where the kernel's tracepoints write to, or -1. */
static int trace_marker = -1;

static void keep_to_cpu(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("this takes %d processors", ACTORS + 1);
}

/* It takes long until all have woken up; then they begin at the same time. */
static void begin_together(struct play *play)
{
	if (atomic_fetch_add(&play->awake, 1) + 1 < play->nr_actors) {
		while (!atomic_load(&play->begun))
			__builtin_ia32_pause();
		return;
	}
	mark_here(MARK_BEGIN);
	atomic_store(&play->begun, true);
}

static void *act(void *data)
{
	const struct actor *actor = data;
	struct play *play = actor->play;

	keep_to_cpu(actor->number + 1);
	for (;;) {
		pthread_barrier_wait(&play->start);
		begin_together(play);
		play->scenario->actors[actor->number](&play->arena);
		pthread_barrier_wait(&play->end);
	}
	return NULL;
}

static void on_child(int number)
{
	static const char text[] = "secmmu-explore: the outsider has ended\n";

	(void)number;
	_exit(write(STDERR_FILENO, text, sizeof(text) - 1) < 0 ? 3 : 2);
}

/* A process with the same descriptors, also those that this one opens later. */
static void start_outsider(struct actor *actor)
{
	pid_t parent = getpid();
	long child;

	signal(SIGCHLD, on_child);
	child = syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);
	if (child < 0)
		die("cannot start a process: %s", strerror(errno));
	if (child)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent)
		act(actor);
	_exit(2);
}

static void start_actors(struct play *play)
{
	static struct actor actors[ACTORS];
	pthread_barrierattr_t shared;
	pthread_t thread;
	unsigned int n;

	while (play->nr_actors < ACTORS && play->scenario->actors[play->nr_actors])
		play->nr_actors++;
	n = play->nr_actors;
	pthread_barrierattr_init(&shared);
	pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&play->start, &shared, n + 1);
	pthread_barrier_init(&play->end, &shared, n + 1);
	for (unsigned int i = 0; i < n; i++) {
		actors[i] = (struct actor) { .play = play, .number = i };
		if (!i && play->scenario->outsider)
			start_outsider(&actors[i]);
		else if (pthread_create(&thread, NULL, act, &actors[i]))
			die("cannot start a thread");
	}
}

static struct play *create_play(const struct scenario *scenario)
{
	struct play *play = mmap(NULL, sizeof(*play), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (play == MAP_FAILED)
		die("cannot map memory: %s", strerror(errno));
	play->scenario = scenario;
	tell_ranges(scenario->trees);
	arena_open(&play->arena);
	start_actors(play);
	return play;
}

/* So that a trace tells the schedules apart. */
static void tell_trace(unsigned int schedule)
{
	char text[32];
	int length = snprintf(text, sizeof(text), "schedule %u", schedule);

	if (trace_marker >= 0 && write(trace_marker, text, length) < 0)
		trace_marker = -1;
}

/* Something is wrong: let who looks at the run stop here, and the trace end. */
static void mark_wrong(void)
{
	int fd = open("/sys/kernel/tracing/tracing_on", O_WRONLY | O_CLOEXEC);

	mark_here(MARK_WRONG);
	if (fd >= 0 && write(fd, "0", 1) < 0)
		printf("# the trace goes on\n");
	close(fd);
}

static const char *play_once(struct play *play, unsigned int schedule)
{
	const struct scenario *scenario = play->scenario;
	const char *wrong;

	current = schedule;
	tell_trace(schedule);
	alarm(PATIENCE);
	play->arena.schedule = schedule;
	arena_begin(&play->arena);
	if (scenario->before)
		scenario->before(&play->arena);
	play->awake = 0;
	play->begun = false;
	pthread_barrier_wait(&play->start);
	pthread_barrier_wait(&play->end);
	mark_here(MARK_END);
	wrong = scenario->judge(&play->arena);
	if (wrong)
		mark_wrong();
	arena_end(&play->arena);
	alarm(0);
	return wrong;
}

static void on_alarm(int number)
{
	(void)number;
	mark_wrong();
	printf("not ok - schedule %u: it does not end\n", current);
	fflush(stdout);
	_exit(1);
}

static const struct scenario *find(const char *name)
{
	for (const struct scenario *const *at = __start_scenarios; at < __stop_scenarios; at++)
		if (!strcmp((*at)->name, name))
			return *at;
	die("there is no scenario '%s', see --list", name);
}

static void list(void)
{
	for (const struct scenario *const *at = __start_scenarios; at < __stop_scenarios; at++)
		printf("%-18s %s\n", (*at)->name, (*at)->about);
}

static void take_name(struct argp_state *state, char *text, void *values)
{
	struct settings *settings = values;

	if (settings->name)
		argp_error(state, "one scenario at a time, not '%s' too", text);
	settings->name = text;
}

static void check(struct argp_state *state, void *values)
{
	struct settings *settings = values;

	if (!settings->name && !settings->list)
		argp_error(state, "no scenario given, see --list");
	if (settings->last < settings->first)
		argp_error(state, "the last schedule is before the first one");
}

int main(int argc, char **argv)
{
	static const struct option_entry table[] = {
		{ "first", 'f', "N", "Number of the first schedule (default 1)",
		  OPTION_NUMBER(struct settings, first, 1, UINT32_MAX) },
		{ "last", 'l', "N", "Number of the last one (default 1000)",
		  OPTION_NUMBER(struct settings, last, 1, UINT32_MAX) },
		{ "list", 0, NULL, "Print the scenarios",
		  OPTION_VALUE(struct settings, list) },
		{ 0 }
	};
	static const struct command_line line = {
		.table = table,
		.arguments = "SCENARIO",
		.help = "Plays SCENARIO under one schedule after the other, until one shows "
			"something wrong. See make explore.",
		.argument = take_name,
		.check = check,
	};
	struct settings settings = { .first = 1, .last = 1000 };
	struct play *play;
	const char *wrong;

	options_parse(&line, argc, argv, &settings);
	if (settings.list) {
		list();
		return 0;
	}
	keep_to_cpu(0);
	play = create_play(find(settings.name));
	trace_marker = open("/sys/kernel/tracing/trace_marker", O_WRONLY | O_CLOEXEC);
	signal(SIGALRM, on_alarm);
	for (unsigned int schedule = settings.first; schedule <= settings.last; schedule++) {
		wrong = play_once(play, schedule);
		if (wrong) {
			printf("not ok - schedule %u: %s\n", schedule, wrong);
			return 1;
		}
		if (!(schedule % PROGRESS))
			printf("# %u schedules\n", schedule);
		fflush(stdout);
	}
	printf("ok - %s, schedules %u to %u\n", settings.name, settings.first, settings.last);
	return 0;
}
