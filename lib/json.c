// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "json.h"
#include "message.h"
#include "version.h"

/*
 * What is no regular file, a terminal or a pipe, is written to as it is; a link stays, and
 * its target is replaced. Returns 0, or -1 after a message.
 */
static int open_draft(struct json *json, const char *path)
{
	struct stat old;
	bool regular = stat(path, &old) || S_ISREG(old.st_mode);

	*json = (struct json) { .target = realpath(path, NULL) };
	if (!json->target)
		json->target = format("%s", path);
	if (regular)
		json->draft = format("%s.%d.tmp", json->target, getpid());
	/* What may not be written may not be replaced. */
	if (!access(json->target, W_OK) || errno == ENOENT)
		json->file = fopen(json->draft ? json->draft : json->target, "we");
	return json->file ? 0 : say("cannot write %s: %s", path, strerror(errno));
}

/* Gives the draft its name, or does away with it. */
static int close_draft(struct json *json, bool whole)
{
	bool bad = fflush(json->file) || ferror(json->file);
	int ret = 0;

	bad = fclose(json->file) || bad;
	if (json->draft && whole && !bad)
		bad = rename(json->draft, json->target);
	if (bad)
		ret = say("cannot write %s: %s", json->target, strerror(errno));
	if (json->draft && (bad || !whole))
		unlink(json->draft);
	free(json->draft);
	free(json->target);
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
	struct json json;
	struct stat old;

	/* To open a pipe would mean something to its reader. */
	if (!stat(path, &old) && !S_ISREG(old.st_mode) && !S_ISDIR(old.st_mode))
		return access(path, W_OK) ?
		       say("cannot write %s: %s", path, strerror(errno)) : 0;
	return open_draft(&json, path) ? -1 : close_draft(&json, false);
}

/**
 * json_create - begin a file
 * @json: filled in
 * @path: the file; it is there, whole, once json_finish() says so
 * @schema: says what is in it; the version and the kernel's release come with it
 *
 * Return: 0, or -1 after a message.
 */
int json_create(struct json *json, const char *path, const char *schema)
{
	if (open_draft(json, path))
		return -1;
	json_begin(json, json->file, "{}");
	json_string(json, "schema", schema);
	json_origin(json);
	return 0;
}

/**
 * json_finish - end a file
 * @json: from json_create()
 *
 * Return: 0, or -1 after a message: not all could be written, and nothing is left.
 */
int json_finish(struct json *json)
{
	json_end(json);
	return close_draft(json, true);
}

static void open_bracket(struct json *json, const char *brackets)
{
	fputc(brackets[0], json->file);
	json->close[json->depth++] = brackets[1];
	json->behind = false;
}

void json_begin(struct json *json, FILE *stream, const char *brackets)
{
	json->file = stream;
	open_bracket(json, brackets);
}

static void begin_member(struct json *json, const char *key)
{
	bool own_line = json->target && json->depth == 1;

	if (json->behind)
		fputc(',', json->file);
	if (own_line)
		fputs("\n\t", json->file);
	else if (json->behind && !json->compact)
		fputc(' ', json->file);
	if (key)
		fprintf(json->file, json->compact ? "\"%s\":" : "\"%s\": ", key);
	json->behind = true;
}

void json_string(struct json *json, const char *key, const char *text)
{
	begin_member(json, key);
	fputc('"', json->file);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < ' ')
			fprintf(json->file, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			fprintf(json->file, "\\%c", c);
		else
			fputc(c, json->file);
	}
	fputc('"', json->file);
}

void json_number(struct json *json, const char *key, uint64_t value)
{
	begin_member(json, key);
	fprintf(json->file, "%" PRIu64, value);
}

void json_real(struct json *json, const char *key, double value)
{
	begin_member(json, key);
	fprintf(json->file, "%.10g", value);
}

void json_null(struct json *json, const char *key)
{
	begin_member(json, key);
	fputs("null", json->file);
}

/**
 * json_origin - say where numbers come from: the version of secmmu, and the kernel
 * @json: an object that is open
 */
void json_origin(struct json *json)
{
	struct utsname system;

	uname(&system);
	json_string(json, "version", secmmu_version);
	json_string(json, "kernel", system.release);
}

void json_object(struct json *json, const char *key)
{
	begin_member(json, key);
	open_bracket(json, "{}");
}

void json_list(struct json *json, const char *key)
{
	begin_member(json, key);
	open_bracket(json, "[]");
}

void json_end(struct json *json)
{
	json->depth--;
	if (json->target && !json->depth)
		fputc('\n', json->file);
	fputc(json->close[json->depth], json->file);
	if (!json->depth)
		fputc('\n', json->file);
	json->behind = true;
}
