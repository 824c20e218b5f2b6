// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "json.h"
#include "message.h"

/*
 * A file is written under another name beside it, and gets its own when it is whole.
 * What is no regular file, a terminal or a pipe, is written to as it is.
 */
struct place {
	char *target;
	char *draft;
	bool renamed;
};

static void free_place(struct place *place)
{
	free(place->target);
	free(place->draft);
}

/* Finds where to write @path. Returns 0, or -1 with errno set. */
static int find_place(const char *path, struct place *place)
{
	struct stat old;

	*place = (struct place) { 0 };
	place->renamed = stat(path, &old) || S_ISREG(old.st_mode);
	/* A link stays, and its target is replaced. */
	place->target = realpath(path, NULL);
	if (!place->target)
		place->target = strdup(path);
	if (!place->target)
		return -1;
	if (!place->renamed)
		place->draft = strdup(place->target);
	else if (asprintf(&place->draft, "%s.%d.tmp", place->target, getpid()) < 0)
		place->draft = NULL;
	if (place->draft)
		return 0;
	free(place->target);
	return -1;
}

/* Opens the draft of @path. Returns NULL after a message. */
static FILE *open_draft(const char *path)
{
	struct place place;
	FILE *file = NULL;

	if (!find_place(path, &place)) {
		/* What may not be written may not be replaced. */
		if (!access(place.target, W_OK) || errno == ENOENT)
			file = fopen(place.draft, "we");
		free_place(&place);
	}
	if (!file)
		say("cannot write %s: %s", path, strerror(errno));
	return file;
}

/* Gives the draft of @path its name, or does away with it if it is @bad. */
static int finish_draft(const char *path, bool bad)
{
	int error = errno, ret = bad ? -1 : 0;
	struct place place;

	if (find_place(path, &place))
		return -1;
	if (place.renamed && !bad) {
		ret = rename(place.draft, place.target);
		error = errno;
	}
	if (place.renamed && ret)
		unlink(place.draft);
	free_place(&place);
	errno = error;
	return ret;
}

/**
 * json_writable - can a file be written?
 * @path: the file; it is neither made nor changed
 *
 * Return: 0, or -1 after a message: better now than after the work is done.
 */
int json_writable(const char *path)
{
	struct stat old;
	FILE *file;

	/* To open a pipe would mean something to its reader. */
	if (!stat(path, &old) && !S_ISREG(old.st_mode)) {
		if (S_ISDIR(old.st_mode))
			errno = EISDIR;
		else if (!access(path, W_OK))
			return 0;
		return say("cannot write %s: %s", path, strerror(errno));
	}
	file = open_draft(path);
	if (!file)
		return -1;
	fclose(file);
	finish_draft(path, true);
	return 0;
}

/**
 * json_open - begin a file
 * @path: the file; it is there, whole, once json_close() says so
 * @schema: says what is in it; the kernel's release comes with it
 *
 * Return: the file, or NULL after a message.
 */
FILE *json_open(const char *path, const char *schema)
{
	FILE *file = open_draft(path);
	struct utsname system;

	if (!file)
		return NULL;
	uname(&system);
	fputs("{\n", file);
	json_string(file, "schema", schema);
	json_string(file, "kernel", system.release);
	return file;
}

/**
 * json_text - write a string, in quotes
 * @file: where to
 * @text: the string
 */
void json_text(FILE *file, const char *text)
{
	fputc('"', file);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < ' ')
			fprintf(file, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			fprintf(file, "\\%c", c);
		else
			fputc(c, file);
	}
	fputc('"', file);
}

/**
 * json_string - write a member, and a comma
 * @file: where to
 * @key: its name
 * @text: its value
 */
void json_string(FILE *file, const char *key, const char *text)
{
	fprintf(file, "\t\"%s\": ", key);
	json_text(file, text);
	fputs(",\n", file);
}

/**
 * json_number - write a member, and a comma
 * @file: where to
 * @key: its name
 * @value: its value
 */
void json_number(FILE *file, const char *key, uint64_t value)
{
	fprintf(file, "\t\"%s\": %" PRIu64 ",\n", key, value);
}

/**
 * json_close - end a file, after a member without a comma
 * @file: the file
 * @path: its name
 *
 * Return: 0, or -1 after a message: not all could be written, and nothing is left.
 */
int json_close(FILE *file, const char *path)
{
	bool bad;

	fputs("}\n", file);
	bad = fflush(file) || ferror(file);
	bad = fclose(file) || bad;
	if (finish_draft(path, bad))
		return say("cannot write %s: %s", path, strerror(errno));
	return 0;
}
