// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/utsname.h>
#include "json.h"
#include "report.h"

/**
 * json_open - begin a file
 * @path: the file
 * @schema: says what is in it; the kernel's release comes with it
 *
 * Return: the file, or NULL after a message.
 */
FILE *json_open(const char *path, const char *schema)
{
	FILE *file = fopen(path, "w");
	struct utsname system;

	if (!file) {
		report_error("cannot write %s: %s", path, strerror(errno));
		return NULL;
	}
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
 * Return: 0, or -1 after a message: not all could be written.
 */
int json_close(FILE *file, const char *path)
{
	int bad;

	fputs("}\n", file);
	bad = ferror(file);
	if (fclose(file) || bad)
		return report_error("cannot write %s: %s", path, strerror(errno));
	return 0;
}
