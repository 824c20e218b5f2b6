// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "clock.h"
#include "kmsg.h"
#include "message.h"
#include "run.h"

#define POLL_US		2000

/* A killed process that is still there after this will stay. */
#define KILL_SECONDS	10

/* The limit of a probe, which may set up devices. What a busy machine makes late is not judged. */
#define PROBE_SECONDS	300

static struct result *map_result(void)
{
	struct result *result = mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (result == MAP_FAILED)
		die("cannot map memory: %s", strerror(errno));
	return result;
}

static void set_result(struct result *result, enum verdict verdict, const char *text)
{
	snprintf(result->text, sizeof(result->text), "%s", text);
	result->verdict = verdict;
}

/*
 * Waits until the process has ended, but no longer than that since it got on: on a busy
 * machine a check of many rounds is not late.
 */
static bool wait_for(pid_t pid, unsigned int seconds, const struct result *result, int *status)
{
	uint64_t end = clock_ms() + seconds * 1000ull;
	unsigned int met = 0;

	do {
		unsigned int now = __atomic_load_n(&result->met, __ATOMIC_RELAXED);
		pid_t ret = waitpid(pid, status, WNOHANG);

		if (ret == pid)
			return true;
		if (ret < 0 && errno != EINTR)
			die("cannot wait for a check: %s", strerror(errno));
		if (now != met)
			end = clock_ms() + seconds * 1000ull;
		met = now;
		usleep(POLL_US);
	} while (clock_ms() < end);
	return false;
}

/* The first three functions that thread @path stands in; nothing if it runs. */
static void append_stack(char *text, size_t size, const char *path)
{
	size_t used = strlen(text);
	FILE *file = fopen(path, "re");
	char line[256], function[64];

	if (!file)
		return;
	for (int i = 0; i < 3 && fgets(line, sizeof(line), file); i++) {
		if (sscanf(line, "[<%*[^>]>] %63[^+ ]", function) != 1)
			break;
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? " < " : "; in ",
					 function);
		if (used >= size)
			break;
	}
	fclose(file);
}

/* Where the threads of a process stand in the kernel. */
static void describe_threads(char *text, size_t size, const char *process)
{
	char path[600];
	struct dirent *entry;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%s/task", process);
	folder = opendir(path);
	while (folder && (entry = readdir(folder))) {
		if (*entry->d_name == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%s/task/%s/stack", process, entry->d_name);
		append_stack(text, size, path);
	}
	if (folder)
		closedir(folder);
}

static bool is_in_group(const char *process, pid_t group)
{
	int number = atoi(process);

	return number > 0 && getpgid(number) == group;
}

/* All processes of a check are a group: where each of them stands. */
static void describe_group(char *text, size_t size, pid_t group)
{
	DIR *folder = opendir("/proc");
	struct dirent *entry;

	while (folder && (entry = readdir(folder)))
		if (is_in_group(entry->d_name, group))
			describe_threads(text, size, entry->d_name);
	if (folder)
		closedir(folder);
}

/*
 * Kills all that is left of a check, and waits until it has gone. Processes whose parent has
 * gone are this one's. Returns false if one does not go.
 */
static bool end_group(pid_t group)
{
	uint64_t end = clock_ms() + KILL_SECONDS * 1000ull;

	do {
		kill(-group, SIGKILL);
		while (waitpid(-group, NULL, WNOHANG) > 0)
			;
		if (kill(-group, 0) && errno == ESRCH)
			return true;
		usleep(POLL_US);
	} while (clock_ms() < end);
	return false;
}

static void judge_status(struct result *result, int status)
{
	char text[96];

	if (result->verdict != VERDICT_NONE)
		return;
	if (WIFSIGNALED(status))
		snprintf(text, sizeof(text), "the check died by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else
		snprintf(text, sizeof(text), "the check ended with status %d and no verdict",
			 WEXITSTATUS(status));
	set_result(result, VERDICT_BROKEN, text);
}

/* Ends what is late, or what a check has left; says where it stands if it is in the way. */
static void judge_rest(struct result *result, pid_t group, bool late, unsigned int seconds)
{
	char text[RESULT_TEXT];

	snprintf(text, sizeof(text), late ? "it has not got on for %u s" : "a process is left",
		 seconds);
	if (late)
		describe_group(text, sizeof(text), group);
	if (end_group(group)) {
		if (late)
			set_result(result, VERDICT_HANG, text);
		return;
	}
	if (!late)
		describe_group(text, sizeof(text), group);
	strncat(text, "; cannot be killed", sizeof(text) - strlen(text) - 1);
	set_result(result, VERDICT_HANG, text);
	result->spoiled = true;
}

/* What the kernel said meanwhile outweighs all else. */
static void judge_log(struct result *result)
{
	char line[RESULT_TEXT];
	enum complaint worst = kmsg_complaint(line, sizeof(line));

	if (worst == COMPLAINT_NONE)
		return;
	/* A check that hangs says more than the kernel's own notice of it. */
	if (result->verdict != VERDICT_HANG)
		set_result(result, VERDICT_SPLAT, line);
	result->spoiled |= worst == COMPLAINT_FATAL;
}

static void __attribute__((noreturn)) carry_out(struct run *run, struct result *result)
{
	struct trial trial = {
		.check = run->check,
		.ops = run->ops,
		.result = result,
	};
	int none = VERDICT_NONE;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!run->check->bare) {
		trial_begin(&trial);
		if (run->check->needs & NEED_PREFAULT &&
		    !subject_can_prefault(trial.ops, trial.subject))
			skip(&trial, "this kernel has no prefault for it");
	}
	run->check->run(&trial);
	if (!run->check->bare)
		trial_end(&trial);
	__atomic_compare_exchange_n(&result->verdict, &none, VERDICT_PASS, false,
				    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
	_exit(0);
}

void run_check(struct run *run, unsigned int slow)
{
	unsigned int seconds = (run->check->seconds ?: CHECK_SECONDS) * slow;
	struct result *result = map_result();
	uint64_t begin = clock_ms();
	int status;
	bool late;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		die("cannot start a check: %s", strerror(errno));
	if (!pid)
		carry_out(run, result);
	/* Whoever is first: the child does the same. */
	setpgid(pid, pid);
	late = !wait_for(pid, seconds, result, &status);
	if (!late)
		judge_status(result, status);
	judge_rest(result, pid, late, seconds);
	judge_log(result);
	run->ms = clock_ms() - begin;
	run->result = *result;
	munmap(result, sizeof(*result));
}

static const char *missing_operation(const struct subject_ops *ops, unsigned int needs)
{
	if (needs & NEED_PREFAULT && !ops->prefault)
		return "it has no prefault";
	if (needs & NEED_DIRTY && !ops->dirty)
		return "it has no dirty log";
	if (needs & NEED_MISSES && !ops->misses)
		return "it does not count misses";
	if (needs & NEED_MAPPED && !ops->mapped)
		return "it does not know what it has mapped";
	if (needs & NEED_SLOT_DELETE && !ops->slot_delete)
		return "it has no deletion of slots";
	if (needs & NEED_MIGRATE && !ops->migrate)
		return "it has no memory of its own";
	if (needs & NEED_EXCLUSIVE && !ops->make_exclusive)
		return "it has no exclusive access";
	if (needs & NEED_AGES && !ops->ages)
		return "it takes no part in aging";
	return NULL;
}

bool run_applies(struct run *run)
{
	unsigned int limits = run->ops->limits & run->check->unless;
	const char *missing = missing_operation(run->ops, run->check->needs);

	if (limits)
		/* One reason is enough. */
		missing = subject_limit_name(limits & -limits);
	if (missing)
		set_result(&run->result, VERDICT_NOT_APPLICABLE, missing);
	return !missing;
}

int run_probe(const struct subject_ops *ops, char *why, size_t size)
{
	struct result *result = map_result();
	int status, ret = -1;
	pid_t pid;

	*why = '\0';
	if (!ops->probe)
		return 0;
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		die("cannot start a probe: %s", strerror(errno));
	if (!pid)
		_exit(ops->probe(result->text, sizeof(result->text)) ? 1 : 0);
	if (!wait_for(pid, PROBE_SECONDS, result, &status)) {
		kill(pid, SIGKILL);
		snprintf(why, size, "its probe did not end");
	} else if (WIFSIGNALED(status)) {
		snprintf(why, size, "its probe died by signal %d", WTERMSIG(status));
	} else if (WEXITSTATUS(status)) {
		snprintf(why, size, "%s", result->text);
	} else {
		ret = 0;
	}
	munmap(result, sizeof(*result));
	return ret;
}
