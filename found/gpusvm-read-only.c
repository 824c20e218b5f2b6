// SPDX-License-Identifier: GPL-2.0
/*
 * drm_gpusvm gives a driver that wants to write the pages which the driver got for reading
 * before. Here it is a page of a file that is mapped privately: the device writes to the file.
 * The driver is the judge's shim, which drops such pages first unless it is told not to.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "found.h"
#include "message.h"
#include "shims/shims.h"

#define DEVICE		"/dev/judge_gpusvm"
#define PARAMETER	"/sys/module/judge_gpusvm/parameters/no_drop"

/* Where a write of the device went. */
struct outcome {
	int error;
	bool in_mapping;
	bool in_file;
};

static void set_no_drop(bool value)
{
	int fd = open(PARAMETER, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value ? "1" : "0", 1) != 1)
		die("cannot write to " PARAMETER ": %s", strerror(errno));
	close(fd);
}

/* Copies a page between the device and @buffer; 0 or an errno. */
static int move_page(int device, unsigned long command, const char *page, const char *buffer)
{
	struct judge_transfer transfer = {
		.address = (uintptr_t)page,
		.buffer = (uintptr_t)buffer,
		.length = PAGE,
	};
	int done = ioctl(device, command, &transfer);

	if (done >= 0 && done != PAGE)
		die("the device has moved %d bytes, not a page", done);
	return done < 0 ? errno : 0;
}

static struct outcome write_after_read(void)
{
	int fd = memfd_create("found", MFD_CLOEXEC), device = open(DEVICE, O_RDWR | O_CLOEXEC);
	char buffer[PAGE], *page;
	struct outcome outcome;

	if (device < 0)
		die("cannot open " DEVICE ": %s", strerror(errno));
	memset(buffer, 'A', PAGE);
	if (fd < 0 || write(fd, buffer, PAGE) != PAGE)
		die("cannot make a memfd: %s", strerror(errno));
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (page == MAP_FAILED)
		die("cannot map a memfd: %s", strerror(errno));
	if (move_page(device, JUDGE_READ, page, buffer) || *buffer != 'A')
		die("the device does not read what the process has");
	memset(buffer, 'B', PAGE);
	outcome.error = move_page(device, JUDGE_WRITE, page, buffer);
	outcome.in_mapping = *(volatile char *)page == 'B';
	if (pread(fd, buffer, PAGE, 0) != PAGE)
		die("cannot read a memfd: %s", strerror(errno));
	outcome.in_file = *buffer == 'B';
	return outcome;
}

int main(int argc, char **argv)
{
	struct outcome outcome;

	begin(argc, argv, "gpusvm-read-only",
	      "Has a device read and then write a page of a file that is mapped privately, and "
	      "looks if the file has changed.");
	set_no_drop(false);
	outcome = write_after_read();
	if (outcome.error || !outcome.in_mapping || outcome.in_file)
		die("a driver that drops the page in between does not write right, either");
	set_no_drop(true);
	outcome = write_after_read();
	conclude(outcome.in_file, "the device's write to a private mapping: %s; the file is %s",
		 outcome.error ? strerror(outcome.error) :
		 outcome.in_mapping ? "the process sees it" : "the process does not see it",
		 outcome.in_file ? "written" : "as it was");
}
