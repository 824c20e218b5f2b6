// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "complaints.h"
#include "kmsg.h"
#include "message.h"

/* The kernel's own limit of a record. */
#define RECORD_SIZE	8192

static int log_fd = -1;

/* Behind one of these, locks stay locked and lists are torn. */
static const char * const fatal[] = {
	"BUG: unable to handle",
	"BUG: kernel NULL pointer",
	"Oops",
	"kernel BUG at",
	"general protection fault",
	"Unable to handle kernel",
	"list_add corruption",
	"list_del corruption",
	"soft lockup",
	"hard LOCKUP",
};

void kmsg_open(void)
{
	log_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (log_fd < 0)
		die("cannot read the kernel's log: %s", strerror(errno));
	lseek(log_fd, 0, SEEK_END);
}

static bool has_any(const char *line, const char * const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strstr(line, words[i]))
			return true;
	return false;
}

static enum complaint judge_line(const char *line)
{
	if (has_any(line, harmless, sizeof(harmless) / sizeof(*harmless)))
		return COMPLAINT_NONE;
	if (has_any(line, fatal, sizeof(fatal) / sizeof(*fatal)))
		return COMPLAINT_FATAL;
	return has_any(line, complaints, sizeof(complaints) / sizeof(*complaints)) ?
	       COMPLAINT_WARNING : COMPLAINT_NONE;
}

enum complaint kmsg_complaint(char *line, size_t size)
{
	enum complaint worst = COMPLAINT_NONE;
	char record[RECORD_SIZE];
	ssize_t length;

	for (;;) {
		enum complaint now;
		const char *text;

		length = read(log_fd, record, sizeof(record) - 1);
		/* -EPIPE: records were overwritten; go on with those that are left. */
		if (length < 0 && (errno == EPIPE || errno == EINTR))
			continue;
		if (length <= 0)
			return worst;
		record[length] = '\0';
		text = strchr(record, ';');
		text = text ? text + 1 : record;
		now = judge_line(text);
		if (now && worst == COMPLAINT_NONE)
			snprintf(line, size, "%.*s", (int)strcspn(text, "\n"), text);
		if (now > worst)
			worst = now;
	}
}
