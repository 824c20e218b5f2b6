// SPDX-License-Identifier: GPL-2.0
/*
 * Each process that is followed has a worker, a fork of this program, that looks at it
 * alone. So a process that ends, executes another program or cannot be looked at
 * concerns its worker only.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "children.h"
#include "clock.h"
#include "exitcode.h"
#include "follow.h"
#include "interrupt.h"
#include "list.h"
#include "message.h"

/* Between two looks at who has been forked, and at which workers have ended. */
#define TURN_US		10000
#define PROGRESS_MS	2000
/* So many are looked at at the same time; others wait. */
#define MOST_WORKERS	32

/**
 * struct followed - a process that is followed
 * @child: the process
 * @worker: who looks at it; 0 if nobody does any more
 * @said: what the worker has said
 * @seen: it is in the latest list of processes
 */
struct followed {
	struct child child;
	pid_t worker;
	FILE *said;
	bool seen;
};

/**
 * struct follow - all of them
 * @options: what was asked for
 * @began: when the first was looked at
 * @told: when progress was told
 * @children: the latest list of processes
 * @list: those that are followed, the first of them first
 * @count: how many
 * @working: workers at work
 * @first: the verdict on the first process, or -1
 * @verdicts: by exit status: how many workers ended with it
 * @ended: processes that ended meanwhile, or before they could be looked at
 */
struct follow {
	const struct attach_options *options;
	uint64_t began;
	uint64_t told;
	struct children children;
	struct followed *list;
	size_t count;
	unsigned int working;
	int first;
	unsigned int verdicts[EXIT_UNPROVEN + 1];
	unsigned int ended;
};

static uint64_t ms_left(const struct follow *follow)
{
	uint64_t limit = follow->options->seconds * 1000ull, now = clock_ms() - follow->began;

	return now < limit ? limit - now : 0;
}

/* What a worker does; it ends the process. */
static void look_at_one(const struct follow *follow, const struct followed *followed)
{
	struct attach_options options = *follow->options;

	if (dup2(fileno(followed->said), STDOUT_FILENO) < 0 ||
	    dup2(fileno(followed->said), STDERR_FILENO) < 0)
		_exit(EXIT_CANNOT);
	options.pid = followed->child.pid;
	options.quiet = true;
	options.seconds = (uint32_t)(ms_left(follow) / 1000);
	if (options.json)
		options.json = format("%s.%d", options.json, options.pid);
	exit(attach_run(&options));
}

static void begin_one(struct follow *follow, const struct child *child)
{
	struct followed *followed;

	follow->list = list_grow(follow->list, follow->count, sizeof(*follow->list));
	followed = &follow->list[follow->count++];
	*followed = (struct followed) { .child = *child, .seen = true };
	followed->said = tmpfile();
	if (!followed->said)
		die("cannot make a temporary file: %s", strerror(errno));
	fflush(NULL);
	followed->worker = fork();
	if (followed->worker < 0)
		die("cannot fork: %s", strerror(errno));
	if (!followed->worker)
		look_at_one(follow, followed);
	follow->working++;
}

static bool is_same(const struct child *a, const struct child *b)
{
	return a->pid == b->pid && a->began == b->began;
}

static struct followed *find_followed(const struct follow *follow, const struct child *child)
{
	for (size_t i = 0; i < follow->count; i++)
		if (is_same(&follow->list[i].child, child))
			return &follow->list[i];
	return NULL;
}

/* Is the parent of a process followed? Our own workers are not. */
static bool is_forked(const struct follow *follow, const struct child *child)
{
	if (child->pid == getpid())
		return false;
	for (size_t i = 0; i < follow->count; i++)
		if (follow->list[i].child.pid == child->parent)
			return true;
	return false;
}

/* Forgets those that have ended and been told about; the first one stays. */
static void forget_ended(struct follow *follow)
{
	size_t kept = 0;

	for (size_t i = 0; i < follow->count; i++)
		if (!i || follow->list[i].seen || follow->list[i].worker)
			follow->list[kept++] = follow->list[i];
	follow->count = kept;
}

/* Who has been forked since? */
static void find_forked(struct follow *follow)
{
	struct children *children = &follow->children;
	size_t before;

	children_read(children);
	for (size_t i = 0; i < follow->count; i++)
		follow->list[i].seen = false;
	for (size_t i = 0; i < children->count; i++) {
		struct followed *followed = find_followed(follow, &children->list[i]);

		if (followed)
			followed->seen = true;
	}
	forget_ended(follow);
	/* Children first, then theirs. */
	do {
		before = follow->count;
		for (size_t i = 0; i < children->count &&
		     follow->working < MOST_WORKERS; i++) {
			const struct child *child = &children->list[i];

			if (child->alive && child->has_memory &&
			    is_forked(follow, child) && !find_followed(follow, child))
				begin_one(follow, child);
		}
	} while (follow->count > before);
}

/* Has it ended, or given up its memory, which comes before? A kernel thread never had any. */
static bool has_ended(const struct child *child)
{
	struct child now;

	return !children_look(child->pid, &now) || !is_same(&now, child) || !now.alive ||
	       (child->has_memory && !now.has_memory);
}

static void show_said(FILE *said)
{
	char text[4096];
	size_t size;

	rewind(said);
	while ((size = fread(text, 1, sizeof(text), said)))
		fwrite(text, 1, size, stdout);
}

/*
 * A worker has come to its verdict. Of processes that ended there may be thousands: they
 * are only counted.
 */
static void end_one(struct follow *follow, struct followed *followed, int status)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_CANNOT;
	bool first = followed == follow->list, told = true;

	if (code == EXIT_UNPROVEN || (code == EXIT_CANNOT && WIFEXITED(status) &&
				      has_ended(&followed->child))) {
		told = first;
		code = EXIT_UNPROVEN;
		follow->ended++;
	} else if (code <= EXIT_CANNOT) {
		follow->verdicts[code]++;
	}
	if (told)
		show_said(followed->said);
	if (first)
		follow->first = code;
	fclose(followed->said);
	followed->worker = 0;
	follow->working--;
}

static void end_workers(struct follow *follow)
{
	int status;

	for (size_t i = 0; i < follow->count; i++) {
		struct followed *followed = &follow->list[i];

		if (followed->worker &&
		    waitpid(followed->worker, &status, WNOHANG) == followed->worker)
			end_one(follow, followed, status);
	}
}

static void interrupt_workers(const struct follow *follow, int signal)
{
	for (size_t i = 0; i < follow->count; i++)
		if (follow->list[i].worker)
			kill(follow->list[i].worker, signal);
}

static void tell_progress(struct follow *follow)
{
	uint64_t now = clock_ms();

	if (now - follow->told < PROGRESS_MS)
		return;
	follow->told = now;
	fprintf(stderr, "[%3llus] %u processes are looked at, %u were\n",
		(unsigned long long)(now - follow->began) / 1000, follow->working,
		follow->verdicts[EXIT_PASS] + follow->verdicts[EXIT_FAIL] + follow->ended);
}

/* Says how it went, and returns the exit status. */
static int conclude_follow(const struct follow *follow)
{
	const unsigned int *verdicts = follow->verdicts;
	int signal = interrupt_signal();
	bool proved = verdicts[EXIT_PASS] || follow->first == EXIT_PASS;
	const char *verdict = verdicts[EXIT_FAIL] ? "FAIL" : signal ? "INTERRUPTED" :
			      proved && !verdicts[EXIT_CANNOT] ? "PASS" : "UNPROVEN";

	printf("attach: %s, processes: %u without a stale page, %u with, %u that ended meanwhile, %u that could not be looked at\n",
	       verdict, verdicts[EXIT_PASS], verdicts[EXIT_FAIL], follow->ended,
	       verdicts[EXIT_CANNOT]);
	if (verdicts[EXIT_FAIL])
		return EXIT_FAIL;
	if (signal)
		return EXIT_INTERRUPTED + signal;
	if (verdicts[EXIT_CANNOT])
		return EXIT_CANNOT;
	return proved ? EXIT_PASS : EXIT_UNPROVEN;
}

/**
 * follow_run - look at a process, and at all that it forks meanwhile
 * @options: which, and how
 *
 * Return: the program's exit status, see exitcode.h.
 */
int follow_run(const struct attach_options *options)
{
	struct follow follow = { .options = options, .began = clock_ms(), .first = -1 };
	struct child child;
	int told = 0;

	if (!children_look(options->pid, &child))
		die("there is no process %d", options->pid);
	follow.told = follow.began;
	interrupt_catch();
	begin_one(&follow, &child);
	while (follow.working) {
		int signal = interrupt_signal();

		usleep(TURN_US);
		if (signal && !told)
			interrupt_workers(&follow, told = signal);
		if (!signal && ms_left(&follow) >= 1000)
			find_forked(&follow);
		end_workers(&follow);
		tell_progress(&follow);
	}
	return conclude_follow(&follow);
}
