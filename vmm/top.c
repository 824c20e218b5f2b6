// SPDX-License-Identifier: GPL-2.0
/*
 * Shows what happens to all mirrors of the machine, from debugfs: events, zaps, flushes,
 * faults, and retries by cause, per second. Debugfs numbers mirrors and does not name their
 * processes; those that hold mirrors are found by their descriptors in /proc.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "clock.h"
#include "exitcode.h"
#include "interrupt.h"
#include "json.h"
#include "list.h"
#include "message.h"
#include "options.h"
#include "top.h"

#define DEBUGFS		"/sys/kernel/debug/secmmu"
#define MIRROR_LINK	"anon_inode:[secmmu-mirror]"
/* Moves to the upper left corner, and clears what is below. */
#define HOME		"\033[H\033[J"

/**
 * struct column - a counter
 * @counter: its name in debugfs
 * @title: what stands above it
 */
static const struct column {
	const char *counter;
	const char *title;
} columns[] = {
	{ "events", "events" },
	{ "zap_events", "zaps" },
	{ "zapped", "zapped" },
	{ "flushes", "flushes" },
	{ "interrupts", "IPIs" },
	{ "faults", "faults" },
	{ "retries_event", "r:event" },
	{ "retries_self", "r:self" },
	{ "retries_slot", "r:slot" },
	{ "retries_table", "r:table" },
	{ "direct", "direct" },
};

#define COLUMNS		(sizeof(columns) / sizeof(*columns))

/**
 * struct sample - the counters of a mirror at a moment
 * @mirror: its number in debugfs
 * @when: in seconds
 * @value: of each column
 */
struct sample {
	unsigned int mirror;
	double when;
	uint64_t value[COLUMNS];
};

/**
 * struct samples - those of all mirrors, by number
 * @list: the array
 * @nr: how many
 */
struct samples {
	struct sample *list;
	size_t nr;
};

/**
 * struct top_options - the command line
 * @interval: seconds between two views
 * @count: views; 0: until a signal
 * @json: file for the counters in the end, or NULL
 */
struct top_options {
	unsigned int interval;
	unsigned int count;
	const char *json;
};

/* Returns whether the mirror is still there. */
static bool read_stats(struct sample *sample)
{
	char *path = format(DEBUGFS "/mirror-%u/stats", sample->mirror);
	FILE *file = fopen(path, "re");
	uint64_t value;
	char name[32];

	free(path);
	if (!file)
		return false;
	sample->when = (double)clock_ns() / 1e9;
	while (fscanf(file, "%31s %" SCNu64, name, &value) == 2)
		for (size_t i = 0; i < COLUMNS; i++)
			if (!strcmp(name, columns[i].counter))
				sample->value[i] = value;
	fclose(file);
	return true;
}

static int compare_samples(const void *left, const void *right)
{
	const struct sample *a = left, *b = right;

	return (a->mirror > b->mirror) - (a->mirror < b->mirror);
}

static void take_samples(struct samples *samples)
{
	DIR *folder = opendir(DEBUGFS);
	struct dirent *entry;

	samples->nr = 0;
	if (!folder)
		die("cannot read " DEBUGFS ": %s; is the driver loaded, and debugfs mounted?",
		    strerror(errno));
	while ((entry = readdir(folder))) {
		struct sample sample = { 0 };

		if (sscanf(entry->d_name, "mirror-%u", &sample.mirror) != 1 ||
		    !read_stats(&sample))
			continue;
		samples->list = list_grow(samples->list, samples->nr, sizeof(sample));
		samples->list[samples->nr++] = sample;
	}
	closedir(folder);
	if (samples->nr)
		qsort(samples->list, samples->nr, sizeof(*samples->list), compare_samples);
}

/* How many descriptors of mirrors a process has. */
static unsigned int count_mirrors(const char *pid)
{
	char *path = format("/proc/%s/fd", pid), target[64];
	DIR *folder = opendir(path);
	struct dirent *entry;
	unsigned int found = 0;

	while (folder && (entry = readdir(folder))) {
		ssize_t length = readlinkat(dirfd(folder), entry->d_name, target,
					    sizeof(target) - 1);

		if (length < 0)
			continue;
		target[length] = '\0';
		found += !strcmp(target, MIRROR_LINK);
	}
	if (folder)
		closedir(folder);
	free(path);
	return found;
}

static void print_holder(const char *pid, unsigned int mirrors)
{
	char *path = format("/proc/%s/comm", pid), name[32] = "?\n";
	FILE *file = fopen(path, "re");

	if (file && !fgets(name, sizeof(name), file))
		strcpy(name, "?\n");
	if (file)
		fclose(file);
	free(path);
	name[strcspn(name, "\n")] = '\0';
	printf("held by %s (%s): %u mirror%s\n", pid, name, mirrors, mirrors == 1 ? "" : "s");
}

static void print_holders(void)
{
	DIR *folder = opendir("/proc");
	struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		unsigned int mirrors;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		mirrors = count_mirrors(entry->d_name);
		if (mirrors)
			print_holder(entry->d_name, mirrors);
	}
	if (folder)
		closedir(folder);
}

static const struct sample *find_before(const struct samples *before, unsigned int mirror)
{
	for (size_t i = 0; i < before->nr; i++)
		if (before->list[i].mirror == mirror)
			return &before->list[i];
	return NULL;
}

/* A mirror that has just come has no rates yet. */
static void print_view(const struct samples *before, const struct samples *now)
{
	bool terminal = isatty(STDOUT_FILENO);

	printf("%s%-10s", terminal ? HOME : "", "per second");
	for (size_t i = 0; i < COLUMNS; i++)
		printf(" %8s", columns[i].title);
	putchar('\n');
	for (size_t n = 0; n < now->nr; n++) {
		const struct sample *at = &now->list[n];
		const struct sample *then = find_before(before, at->mirror);

		printf("mirror-%-3u", at->mirror);
		for (size_t i = 0; i < COLUMNS; i++)
			if (then)
				printf(" %8.0f", (double)(at->value[i] - then->value[i]) /
						 (at->when - then->when));
			else
				printf(" %8s", "new");
		putchar('\n');
	}
	if (!now->nr)
		puts("no mirrors");
	print_holders();
	fflush(stdout);
}

static int write_json(const char *path, const struct samples *now)
{
	struct json json;

	if (json_create(&json, path, "secmmu-top-1"))
		return -1;
	json_list(&json, "mirrors");
	for (size_t n = 0; n < now->nr; n++) {
		json_object(&json, NULL);
		json_number(&json, "mirror", now->list[n].mirror);
		for (size_t i = 0; i < COLUMNS; i++)
			json_number(&json, columns[i].counter, now->list[n].value[i]);
		json_end(&json);
	}
	json_end(&json);
	return json_finish(&json);
}

static int watch_mirrors(const struct top_options *options)
{
	struct samples samples[2] = { 0 };
	unsigned int now = 0;

	interrupt_catch();
	take_samples(&samples[now]);
	for (unsigned int view = 0; !options->count || view < options->count; view++) {
		struct timespec pause = { .tv_sec = options->interval };

		while (!interrupt_signal() && nanosleep(&pause, &pause))
			;
		if (interrupt_signal())
			break;
		now = !now;
		take_samples(&samples[now]);
		print_view(&samples[!now], &samples[now]);
	}
	if (options->json && write_json(options->json, &samples[now]))
		return EXIT_CANNOT;
	free(samples[0].list);
	free(samples[1].list);
	return EXIT_PASS;
}

#define NUMBER(member, to)	OPTION_NUMBER(struct top_options, member, 1, to)

static const struct option_entry table[] = {
	{ "interval", 0, "S", "seconds between two views (default 1)", NUMBER(interval, 3600) },
	{ "count", 0, "N", "end after N views (default: with Ctrl-C)", NUMBER(count, INT32_MAX) },
	{ "json", 0, "FILE", "write the counters to FILE in the end",
	  OPTION_VALUE(struct top_options, json) },
	{ 0 },
};

static const struct command_line line = {
	.table = table,
	.help = "Show what happens to all mirrors of the machine, per second, and which "
		"processes hold mirrors.\v"
		"Documentation/looking.rst says what each column means. What is no terminal "
		"gets plain lines, one for each mirror and second.\n\n"
		"Exits with 0, also by Ctrl-C, or with 2 if it cannot look: this takes root, a "
		"driver that is loaded, and debugfs.",
};

/**
 * top_main - the command "top"
 * @argc: number of arguments
 * @argv: the arguments
 *
 * Return: the program's exit status.
 */
int top_main(int argc, char **argv)
{
	struct top_options options = { .interval = 1 };

	options_parse(&line, argc, argv, &options);
	if (options.json && json_writable(options.json))
		return EXIT_CANNOT;
	return watch_mirrors(&options);
}
