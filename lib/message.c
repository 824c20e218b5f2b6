// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "message.h"

int die_status = 2;

static void say_va(const char *text, va_list arguments)
{
	char line[2048];
	int length;

	fflush(stdout);
	/* One write, so that lines of two programs on one terminal do not mix. */
	length = snprintf(line, sizeof(line), "%s: ", program_invocation_short_name);
	vsnprintf(line + length, sizeof(line) - length - 1, text, arguments);
	strcat(line, "\n");
	if (write(STDERR_FILENO, line, strlen(line)) < 0)
		return;	/* nobody listens */
}

int say(const char *text, ...)
{
	va_list arguments;

	va_start(arguments, text);
	say_va(text, arguments);
	va_end(arguments);
	return -1;
}

void die(const char *text, ...)
{
	va_list arguments;

	va_start(arguments, text);
	say_va(text, arguments);
	va_end(arguments);
	exit(die_status);
}

char *format(const char *text, ...)
{
	va_list arguments;
	char *result;
	int ret;

	va_start(arguments, text);
	ret = vasprintf(&result, text, arguments);
	va_end(arguments);
	if (ret < 0)
		die("out of memory");
	return result;
}
