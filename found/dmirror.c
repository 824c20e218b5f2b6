// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include "dmirror.h"
#include "message.h"
#include "test_hmm.h"

int dmirror_open(void)
{
	int fd = open(HMM_DMIRROR_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die("cannot open " HMM_DMIRROR_DEVICE " (module test_hmm): %s", strerror(errno));
	return fd;
}

static unsigned int copy_page(int dmirror, unsigned long command, const char *what,
			      const char *page, const char *buffer)
{
	struct hmm_dmirror_cmd cmd;
	int err = hmm_dmirror_call(dmirror, command, (uintptr_t)page, buffer, 1, &cmd);

	if (err)
		die("the mirror cannot %s a page: %s", what, strerror(-err));
	return (unsigned int)cmd.faults;
}

unsigned int dmirror_read(int dmirror, const char *page, char *buffer)
{
	return copy_page(dmirror, HMM_DMIRROR_READ, "read", page, buffer);
}

unsigned int dmirror_write(int dmirror, char *page, const char *buffer)
{
	return copy_page(dmirror, HMM_DMIRROR_WRITE, "write", page, buffer);
}

void dmirror_migrate(int dmirror, const char *page)
{
	struct hmm_dmirror_cmd cmd;
	int ret = hmm_dmirror_migrate(dmirror, (uintptr_t)page, &cmd);

	if (ret < 0)
		die("the mirror cannot move a page: %s", strerror(-ret));
	if (!ret)
		die("the page has not moved: does this kernel have memory of devices?");
}
