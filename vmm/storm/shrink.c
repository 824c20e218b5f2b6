// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "exitcode.h"
#include "message.h"
#include "script.h"
#include "shrink.h"

#define MOST_WORDS	64

/**
 * struct shrinker - a script that is being cut
 * @options: what was asked for
 * @words: the command line of a storm; the script is its third word
 * @script: the smallest one that has failed so far
 * @storms: storms that were run
 */
struct shrinker {
	const struct shrink_options *options;
	char *words[MOST_WORDS];
	struct script script;
	unsigned int storms;
};

static void make_command(struct shrinker *shrinker)
{
	char *text = strdup(shrinker->options->storm ?: ""), *rest = text;
	int count = 0;

	if (!text)
		die("out of memory");
	shrinker->words[count++] = "secmmu-vmm";
	shrinker->words[count++] = "storm";
	shrinker->words[count++] = (char *)shrinker->options->output;
	for (char *word; (word = strsep(&rest, " "));) {
		if (count == MOST_WORDS - 1)
			die("--storm has too many words");
		if (*word)
			shrinker->words[count++] = word;
	}
}

/* Returns the exit status of a storm with the script in the output file; it says nothing. */
static int run_once(struct shrinker *shrinker)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		die("cannot run a storm: %s", strerror(errno));
	if (!child) {
		int fd = open("/dev/null", O_WRONLY);

		if (fd >= 0)
			dup2(fd, STDOUT_FILENO);
		execv("/proc/self/exe", shrinker->words);
		_exit(EXIT_CANNOT);
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			die("cannot wait for a storm: %s", strerror(errno));
	shrinker->storms++;
	/* A storm that dies of what it does has failed. */
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAIL;
}

static bool fails(struct shrinker *shrinker, const struct script *script)
{
	int status = EXIT_PASS;

	if (script_write(script, shrinker->options->output))
		exit(EXIT_CANNOT);
	for (uint32_t i = 0; i < shrinker->options->tries && status != EXIT_FAIL; i++) {
		status = run_once(shrinker);
		if (status != EXIT_FAIL && status != EXIT_PASS && status != EXIT_UNPROVEN)
			die("a storm ended with status %d, see secmmu-vmm storm %s %s", status,
			    shrinker->options->output, shrinker->options->storm ?: "");
	}
	return status == EXIT_FAIL;
}

static size_t count_steps(const struct script *script)
{
	size_t count = 0;

	for (int i = 0; i < SCRIPT_THREADS; i++)
		count += script->parts[i].count;
	return count;
}

/* A copy of @from without @count steps from @first, counted over all parts. */
static void cut_script(struct script *to, const struct script *from, size_t first, size_t count)
{
	size_t number = 0;

	*to = (struct script) { 0 };
	for (int i = 0; i < SCRIPT_THREADS; i++)
		for (size_t j = 0; j < from->parts[i].count; j++, number++)
			if (number - first >= count)
				script_append(&to->parts[i], &from->parts[i].steps[j]);
}

/* Leaves out what can be, @count steps at a time; returns true if something could. */
static bool cut_pieces(struct shrinker *shrinker, size_t count)
{
	bool cut = false;

	for (size_t first = 0; first < count_steps(&shrinker->script);) {
		struct script smaller;

		cut_script(&smaller, &shrinker->script, first, count);
		if (!count_steps(&smaller) || !fails(shrinker, &smaller)) {
			script_free(&smaller);
			first += count;
			continue;
		}
		script_free(&shrinker->script);
		shrinker->script = smaller;
		cut = true;
		printf("shrink: %zu steps fail, after %u storms\n", count_steps(&smaller),
		       shrinker->storms);
	}
	return cut;
}

/**
 * shrink_run - cut a script
 * @options: what to cut
 *
 * Each storm is a process of its own. What brings the kernel down ends the shrinking; the
 * output file then has the script that did.
 *
 * Return: the program's exit status: 0 if what is left fails.
 */
int shrink_run(const struct shrink_options *options)
{
	struct shrinker shrinker = { .options = options };
	size_t piece;

	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	make_command(&shrinker);
	script_read(&shrinker.script, options->script);
	piece = count_steps(&shrinker.script);
	printf("shrink: %zu steps\n", piece);
	if (!fails(&shrinker, &shrinker.script)) {
		printf("shrink: no storm of %s fails\n", options->script);
		return EXIT_FAIL;
	}
	for (piece = (piece + 1) / 2; piece; piece /= 2)
		while (cut_pieces(&shrinker, piece) && piece == 1)
			;
	if (script_write(&shrinker.script, options->output))
		return EXIT_CANNOT;
	printf("shrink: %zu steps are left, after %u storms: secmmu-vmm storm %s %s\n",
	       count_steps(&shrinker.script), shrinker.storms, options->output,
	       options->storm ?: "");
	script_free(&shrinker.script);
	return EXIT_PASS;
}
