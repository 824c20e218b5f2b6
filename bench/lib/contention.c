// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "basics.h"
#include "contention.h"
#include "histogram.h"

#define GROUP	"secmmu_bench"
#define KEYS	"stacktrace"

/* Functions where an acquisition begins to wait. A kernel may lack some of them. */
static const char *const waits[] = {
	"native_queued_spin_lock_slowpath",
	"queued_read_lock_slowpath",
	"queued_write_lock_slowpath",
	"__mutex_lock_slowpath",
	"__mutex_lock_interruptible_slowpath",
	"__mutex_lock_killable_slowpath",
	"rwsem_down_read_slowpath",
	"rwsem_down_write_slowpath",
};

/* What lies between such a function and the one that wanted the lock, and the tracing itself. */
static const char *const passed[] = {
	"0x", "ftrace_", "kprobe_", "_raw_", "__raw_", "native_queued_", "queued_", "__pv_",
	"__mutex_", "mutex_", "rwsem_", "down_", "__down_",
};

static bool begins_with_one_of(const char *text, const char *const *list, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (!strncmp(text, list[i], strlen(list[i])))
			return true;
	return false;
}

static const char *event_of(const char *wait)
{
	return format(GROUP "/%s", wait);
}

/* Returns whether the kernel has the function. */
static bool add_probe(const char *wait)
{
	int ret = tracing_write("kprobe_events", format("p:%s %s", event_of(wait), wait));

	return !ret || ret == -EEXIST;
}

static void remove_probe(const char *wait)
{
	int ret = tracing_write("kprobe_events", format("-:%s", event_of(wait)));

	if (ret)
		die("cannot remove the probe of %s: %s", wait, strerror(-ret));
}

bool contention_is_counted(void)
{
	bool counted = add_probe(waits[0]);

	if (counted)
		remove_probe(waits[0]);
	return counted;
}

void contention_begin(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(waits); i++)
		if (add_probe(waits[i]))
			histogram_begin(event_of(waits[i]), KEYS);
}

/* Does the function of this line of a stack, "name+0x1/0x2 [module]", belong to the module? */
static bool belongs_to(const char *line, const char *module)
{
	const char *bracket = strchr(line, '[');

	return bracket && !strncmp(bracket + 1, module, strlen(module));
}

/*
 * A stack is a line "{ ...:", a line for each function, innermost first, and a line
 * "} hitcount: N". Who waits for a read-write lock may wait for the spinlock in it, too: that is
 * one acquisition.
 */
static void read_histogram(FILE *file, const char *module, struct contention *counts)
{
	bool mine = false, known = false;
	unsigned int waiting = 0;
	char text[256];

	while (fgets(text, sizeof(text), file)) {
		const char *line = text + strspn(text, " \t");
		unsigned long long hits = histogram_hits(line);

		if (*line == '{') {
			mine = known = false;
			waiting = 0;
		} else if (hits && waiting == 1) {
			*(mine ? &counts->module : &counts->rest) += hits;
		} else if (begins_with_one_of(line, waits, ARRAY_SIZE(waits))) {
			waiting++;
		} else if (!known && !begins_with_one_of(line, passed, ARRAY_SIZE(passed))) {
			known = true;
			mine = belongs_to(line, module);
		}
	}
}

void contention_end(const char *module, struct contention *counts)
{
	*counts = (struct contention) { 0 };
	for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
		FILE *file = histogram_open(event_of(waits[i]));

		if (!file)
			continue;
		read_histogram(file, module, counts);
		fclose(file);
		histogram_end(event_of(waits[i]), KEYS);
		remove_probe(waits[i]);
	}
}
