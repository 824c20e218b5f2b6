/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel says in its log. */
#ifndef JUDGE_KMSG_H
#define JUDGE_KMSG_H

#include <stdbool.h>
#include <stddef.h>

/**
 * enum complaint - how bad a line of the kernel's log is
 * @COMPLAINT_NONE: it says nothing bad
 * @COMPLAINT_WARNING: something is wrong
 * @COMPLAINT_FATAL: something is broken: what comes after it proves nothing
 */
enum complaint {
	COMPLAINT_NONE,
	COMPLAINT_WARNING,
	COMPLAINT_FATAL,
};

/* Opens the log behind its last line; without it the kernel is not heard. */
void kmsg_open(void);
/* The worst complaint since the call before; its first line goes to @line. */
enum complaint kmsg_complaint(char *line, size_t size);

#endif /* JUDGE_KMSG_H */
