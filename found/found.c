// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "exitcode.h"
#include "found.h"
#include "inside.h"
#include "json.h"
#include "message.h"
#include "options.h"

/* A page that is under way to swap space leaves with one of the next tries. */
#define RECLAIM_TRIES	200
#define RECLAIM_PAUSE	10000

/**
 * struct found_options - what was asked for
 * @recorded: "shown" or "not-shown", or NULL
 */
struct found_options {
	const char *recorded;
};

static const char *the_name;
static struct found_options options;

static const struct option_entry table[] = {
	{ "recorded", 'r', "shown|not-shown", "What is recorded for this kernel: the exit "
	  "status is 1 if it comes out otherwise",
	  OPTION_VALUE(struct found_options, recorded) },
	{ 0 }
};

static void check_options(struct argp_state *state, void *values)
{
	const struct found_options *given = values;

	if (given->recorded && strcmp(given->recorded, "shown") &&
	    strcmp(given->recorded, "not-shown"))
		argp_error(state, "--recorded is shown or not-shown, not \"%s\"",
			   given->recorded);
}

void begin(int argc, char **argv, const char *name, const char *help)
{
	const char *text = format("%s\v"
		"Refuses to run outside of a test VM unless SECMMU_ON_THIS_MACHINE=yes, for it may "
		"leave the machine broken. The exit status is 0 if the result is what is recorded, "
		"1 if it is not, 2 if it could not be tried.", help);
	const struct command_line line = { .table = table, .help = text, .check = check_options };

	the_name = name;
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	options_parse(&line, argc, argv, &options);
	if (!inside_or_told())
		die("refused outside of the test VM, for it may leave the machine broken; "
		    INSIDE_VARIABLE "=yes lets it");
}

/* For programs: a file in the folder that testvm brings back. */
static void write_json(bool shown, const char *text)
{
	const char *folder = getenv("OUT");
	struct utsname system;
	struct json json = { 0 };

	if (!folder || access(folder, W_OK))
		return;
	uname(&system);
	if (json_create(&json, format("%s/%s.json", folder, the_name), "secmmu-found-1"))
		exit(EXIT_CANNOT);
	json_string(&json, "bug", the_name);
	json_string(&json, "kernel", system.release);
	json_string(&json, "result", shown ? "shown" : "not-shown");
	json_string(&json, "recorded", options.recorded ?: "");
	json_string(&json, "text", text);
	if (json_finish(&json))
		exit(EXIT_CANNOT);
}

void conclude(bool shown, const char *text, ...)
{
	const char *result = shown ? "shown" : "not-shown";
	va_list arguments;
	char line[512];

	va_start(arguments, text);
	vsnprintf(line, sizeof(line), text, arguments);
	va_end(arguments);
	write_json(shown, line);
	printf("found: %s: %s: %s\n", the_name, shown ? "shown" : "not shown", line);
	fflush(stdout);
	/* No clean-up: memory or a thread may be stuck. */
	_exit(options.recorded && strcmp(options.recorded, result) ? EXIT_FAIL : EXIT_PASS);
}

char *map_private(size_t length)
{
	char *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);

	if (memory == MAP_FAILED)
		die("cannot map memory: %s", strerror(errno));
	madvise(memory, length, MADV_NOHUGEPAGE);
	return memory;
}

char *map_memfd(size_t length)
{
	int fd = memfd_create("found", MFD_CLOEXEC);
	char *memory;

	if (fd < 0 || ftruncate(fd, (off_t)length))
		die("cannot make a memfd: %s", strerror(errno));
	memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		die("cannot map a memfd: %s", strerror(errno));
	close(fd);
	return memory;
}

void reclaim_page(char *page)
{
	for (int i = 0; i < RECLAIM_TRIES; i++) {
		unsigned char resident;

		if (madvise(page, PAGE, MADV_PAGEOUT))
			die("MADV_PAGEOUT: %s", strerror(errno));
		if (mincore(page, PAGE, &resident))
			die("mincore: %s", strerror(errno));
		if (!(resident & 1))
			return;
		usleep(RECLAIM_PAUSE);
	}
	die("a page does not leave with MADV_PAGEOUT; is there swap space?");
}
