// SPDX-License-Identifier: GPL-2.0
/* userfaultfd: an accessor's fault waits until the process has served it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "check.h"

#define PAGE_NUMBER	3

/* Longer than any fault takes; the check's own limit comes later. */
#define FAULT_MS	10000

static int open_userfault(const struct trial *trial, uint64_t features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api))
		skip(trial, "no userfaultfd: %s", strerror(errno));
	return fd;
}

static void register_page(const struct trial *trial, int fd, char *page, uint64_t mode)
{
	struct uffdio_register range = {
		.range = { .start = (uintptr_t)page, .len = PAGE },
		.mode = mode,
	};

	need(trial, !ioctl(fd, UFFDIO_REGISTER, &range), "register a page");
}

/* Waits for a fault at the page; false if an access ended before it came. */
static bool await_fault(const struct trial *trial, int fd, const char *page, const bool *done)
{
	struct pollfd event = { .fd = fd, .events = POLLIN };
	struct uffd_msg message;

	for (int ms = 0; ms < FAULT_MS; ms += 10) {
		if (poll(&event, 1, 10) == 1) {
			need(trial, read(fd, &message, sizeof(message)) == sizeof(message),
			     "read a fault");
			if (message.event != UFFD_EVENT_PAGEFAULT ||
			    (message.arg.pagefault.address & ~(PAGE - 1)) != (uintptr_t)page)
				convict(trial, VERDICT_BROKEN, "userfaultfd tells of another fault");
			return true;
		}
		if (__atomic_load_n(done, __ATOMIC_ACQUIRE))
			return false;
	}
	convict(trial, VERDICT_HANG, "an access neither ends nor faults");
}

/* What the other thread does, and says when it is done. */
struct access {
	const struct trial *trial;
	char *page;
	uint32_t stamp;
	bool write;
	bool done;
};

static void *access_page(void *argument)
{
	struct access *access = argument;

	if (access->write)
		access->stamp = expect_write(access->trial, access->page);
	else
		expect_read(access->trial, access->page, access->stamp);
	__atomic_store_n(&access->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static pthread_t begin_access(const struct trial *trial, struct access *access)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, access_page, access);
	need(trial, !errno, "start a thread");
	return thread;
}

CHECK(userfault_missing, .summary = "a page that userfaultfd delivers is what a read gets",
      .unless = SUBJECT_NO_USERFAULT)
{
	static uint64_t content[WORDS] __attribute__((aligned(PAGE)));
	struct access access = { .trial = trial, .page = page_at(trial, PAGE_NUMBER) };
	struct uffdio_copy copy = {
		.dst = (uintptr_t)access.page,
		.src = (uintptr_t)content,
		.len = PAGE,
	};
	int fd = open_userfault(trial, 0);
	pthread_t thread;

	access.stamp = next_stamp();
	for (size_t i = 0; i < WORDS; i++)
		content[i] = stamp_word(trial, access.stamp, access.page, i);
	register_page(trial, fd, access.page, UFFDIO_REGISTER_MODE_MISSING);
	thread = begin_access(trial, &access);
	if (!await_fault(trial, fd, access.page, &access.done))
		convict(trial, VERDICT_WRONG_DATA, "a read of a missing page does not fault");
	need(trial, !ioctl(fd, UFFDIO_COPY, &copy), "deliver a page");
	pthread_join(thread, NULL);
	close(fd);
	expect_write(trial, access.page);
}

CHECK(userfault_wp, .summary = "a write to what userfaultfd protects waits until it may be",
      .unless = SUBJECT_NO_USERFAULT)
{
	struct access access = {
		.trial = trial,
		.page = page_at(trial, PAGE_NUMBER),
		.write = true,
	};
	struct uffdio_writeprotect protect = {
		.range = { .start = (uintptr_t)access.page, .len = PAGE },
		.mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};
	int fd = open_userfault(trial, UFFD_FEATURE_PAGEFAULT_FLAG_WP);
	uint32_t stamp;
	pthread_t thread;

	/* The accessor may write, before it may not. */
	stamp = expect_write(trial, access.page);
	register_page(trial, fd, access.page, UFFDIO_REGISTER_MODE_WP);
	need(trial, !ioctl(fd, UFFDIO_WRITEPROTECT, &protect), "protect a page");
	expect_read(trial, access.page, stamp);
	thread = begin_access(trial, &access);
	if (!await_fault(trial, fd, access.page, &access.done))
		convict(trial, VERDICT_WRONG_PERMISSION, "a write to a protected page does not fault");
	expect_cpu(trial, access.page, stamp);
	protect.mode = 0;
	need(trial, !ioctl(fd, UFFDIO_WRITEPROTECT, &protect), "allow writes to a page");
	pthread_join(thread, NULL);
	close(fd);
	expect_cpu(trial, access.page, access.stamp);
}
