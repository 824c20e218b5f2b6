// SPDX-License-Identifier: GPL-2.0
/* userfaultfd: faults wait until this process serves them. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/userfaultfd.h>
#include "acts.h"
#include "evidence.h"
#include "message.h"
#include "operation.h"
#include "stamp.h"
#include "userfault.h"

/* How long the first fault is awaited, and how many turns; where somebody is sure to ask. */
#define TURN_MS		1
#define TURNS		20
#define TURNS_ASKED	500

/* How a child that serves faults ends. */
enum {
	SERVED,
	NOT_ASKED,
	SERVED_BADLY,
};

/* linux/userfaultfd.h since 6.8 */
struct uffdio_move_ {
	__u64 dst;
	__u64 src;
	__u64 len;
	__u64 mode;
	__s64 move;
};

#define MOVE		_IOWR(UFFDIO, 0x05, struct uffdio_move_)
#define MOVE_HOLES	(1ull << 1)

/**
 * userfault_open - open a userfaultfd
 * @features: that it must have
 *
 * Return: a descriptor, or a negative errno.
 */
int userfault_open(uint64_t features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	if (!ioctl(fd, UFFDIO_API, &api))
		return fd;
	close(fd);
	return -EOPNOTSUPP;
}

/**
 * usable_userfault - may this process serve its faults?
 */
USABLE(userfault)
{
	const struct subject_ops *ops = instance->ops;
	int fd = userfault_open(0);

	(void)operation;
	if (fd < 0)
		return -snprintf(why, size, "no userfaultfd: %s", strerror(-fd));
	close(fd);
	/* Discarders serve, and use engines. */
	if (ops->limits & SUBJECT_ONE_FAULT)
		return -snprintf(why, size, "faults of %s wait for each other", ops->name);
	return 0;
}

static int register_range(int fd, const char *hva, size_t length, uint64_t mode)
{
	struct uffdio_register range = {
		.range = { .start = (uintptr_t)hva, .len = length },
		.mode = mode,
	};

	return ioctl(fd, UFFDIO_REGISTER, &range) ? -errno : 0;
}

/**
 * userfault_register - register the pages of an operation
 * @fd: what userfault_open() returned
 * @scene: the operation
 * @mode: USERFAULT_MODE_*
 *
 * Return: 0, or a negative errno.
 */
int userfault_register(int fd, const struct scene *scene, uint64_t mode)
{
	return register_range(fd, scene->hva, scene->length, mode);
}

/**
 * userfault_close - let go of the pages of an operation, and wake whoever waits for one
 * @fd: what userfault_open() returned
 * @scene: the operation; its pages need not be registered
 *
 * To close it would not do: a child of another operation may have it open, too. And in 6.1
 * whoever closes it waits for ever for a GUP of these pages, which tries again and again.
 */
void userfault_close(int fd, const struct scene *scene)
{
	struct uffdio_range range = { .start = (uintptr_t)scene->hva, .len = scene->length };

	if (ioctl(fd, UFFDIO_UNREGISTER, &range) && errno != EINVAL)
		say("cannot unregister pages: %s", strerror(errno));
	close(fd);
}

/* Returns 0 if it was delivered, or was there. */
static int deliver_page(const struct scene *scene, int fd, size_t into)
{
	struct uffdio_copy copy = {
		.dst = (uintptr_t)scene->hva + into,
		.src = (uintptr_t)scene->agent->scratch + into,
		.len = GUEST_PAGE_SIZE,
	};

	while (ioctl(fd, UFFDIO_COPY, &copy)) {
		if (errno == EEXIST)
			return 0;
		if (errno != EAGAIN)
			return -errno;
	}
	return 0;
}

/* Serves the faults that come; the rest is delivered without having been asked for. */
static int serve_faults(struct scene *scene, int fd, int turns)
{
	struct pollfd event = { .fd = fd, .events = POLLIN };
	struct uffd_msg message;
	int error = 0;

	for (int i = 0; i < turns && !error && !scene->reached; i++) {
		if (poll(&event, 1, TURN_MS) <= 0)
			continue;
		while (!error && read(fd, &message, sizeof(message)) == sizeof(message)) {
			if (message.event != UFFD_EVENT_PAGEFAULT)
				continue;
			error = deliver_page(scene, fd, (message.arg.pagefault.address -
							 (uintptr_t)scene->hva) /
						 GUEST_PAGE_SIZE * GUEST_PAGE_SIZE);
			scene->reached = true;
		}
	}
	for (size_t into = 0; into < scene->length && !error; into += GUEST_PAGE_SIZE)
		error = deliver_page(scene, fd, into);
	return error;
}

/* The pages' content goes to the scratch range; before they are registered, for this faults. */
static int save_content(const struct scene *scene)
{
	if (mmap(scene->agent->scratch, scene->length, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		return -errno;
	memcpy(scene->agent->scratch, scene->hva, scene->length);
	return 0;
}

static int discard_pages(const struct scene *scene)
{
	const struct memory *memory = scene->agent->judge->memory;

	if (memory->backing == MEMORY_MEMFD)
		return memory_punch(memory, scene->gpa, scene->length);
	return madvise(scene->hva, scene->length, MADV_DONTNEED) ? -errno : 0;
}

static int serve_inside(struct scene *scene, int fd)
{
	return serve_faults(scene, fd, TURNS);
}

/* How child @child has ended. */
static int end_of(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return SERVED_BADLY;
	return WIFEXITED(status) ? WEXITSTATUS(status) : SERVED_BADLY;
}

/* A child serves the faults: it has the pages' content too. */
static int serve_by_child(struct scene *scene, int fd)
{
	pid_t child = fork();
	int end;

	if (!child)
		_exit(serve_faults(scene, fd, TURNS_ASKED) ? SERVED_BADLY :
		      scene->reached ? SERVED : NOT_ASKED);
	end = child < 0 ? SERVED_BADLY : end_of(child);
	if (end == SERVED_BADLY)
		return serve_inside(scene, fd);
	scene->reached = end == SERVED;
	return 0;
}

/* A child that reads from the first page of process @of, and waits until it is there. */
static pid_t ask_for_page(const struct scene *scene, pid_t of)
{
	pid_t child = fork();

	if (!child) {
		char byte;
		struct iovec to = { .iov_base = &byte, .iov_len = 1 };
		struct iovec from = { .iov_base = scene->hva, .iov_len = 1 };

		_exit(process_vm_readv(of, &to, 1, &from, 1, 0) != 1);
	}
	return child;
}

/* Whoever uses the memory may not need these pages for long: a child asks for one. */
static int serve_outside(struct scene *scene, int fd)
{
	pid_t asks = ask_for_page(scene, getpid());
	int error = serve_by_child(scene, fd);

	if (asks > 0) {
		/* It can be killed while it waits, for what could not be delivered. */
		kill(asks, SIGKILL);
		end_of(asks);
	}
	return error;
}

/* Pages go, and come back when they are asked for, as after a migration. */
static int serve_pages(struct scene *scene, int (*serve)(struct scene *scene, int fd))
{
	int fd = userfault_open(0), error;

	if (fd < 0)
		return fd;
	error = save_content(scene) ?: userfault_register(fd, scene, USERFAULT_MODE_MISSING);
	if (!error) {
		error = discard_pages(scene) ?: serve(scene, fd);
		if (error)
			scene_fail(scene, "cannot deliver pages", error);
	}
	/* Who waits still is woken, and finds the pages. */
	userfault_close(fd, scene);
	scene_reserve_scratch(scene);
	return error;
}

/**
 * act_miss - pages go and come back, delivered by this process
 */
ACT(miss)
{
	return serve_pages(scene, serve_inside);
}

/**
 * act_miss_outside - pages go and come back, delivered by another process
 */
ACT(miss_outside)
{
	return serve_pages(scene, serve_outside);
}

static int protect_pages(const struct scene *scene, int fd, uint64_t mode)
{
	struct uffdio_writeprotect range = {
		.range = { .start = (uintptr_t)scene->hva, .len = scene->length },
		.mode = mode,
	};

	while (ioctl(fd, UFFDIO_WRITEPROTECT, &range))
		if (errno != EAGAIN)
			return -errno;
	return 0;
}

/* Does a fault in the sample wait? All that wait go on when the protection goes. */
static bool asks_for_sample(const struct scene *scene, int fd)
{
	uintptr_t sample = (uintptr_t)scene_sample(scene);
	struct uffd_msg message;

	while (read(fd, &message, sizeof(message)) == sizeof(message))
		if (message.event == UFFD_EVENT_PAGEFAULT &&
		    message.arg.pagefault.address - sample < GUEST_PAGE_SIZE)
			return true;
	return false;
}

/**
 * act_protect_by_userfault - writers wait, and content must not change, until they may go on
 */
ACT(protect_by_userfault)
{
	uint64_t before[GUEST_PAGE_WORDS];
	int fd = userfault_open(0), error;
	bool settled;

	if (fd < 0)
		return fd;
	error = userfault_register(fd, scene, USERFAULT_MODE_WP) ?:
		protect_pages(scene, fd, UFFDIO_WRITEPROTECT_MODE_WP);
	if (!error) {
		scene->reached = pagemap_entry(scene_sample(scene)) & PAGEMAP_USERFAULT_WP;
		/* A writer that waits for this operation has not been let in. */
		settled = scene_await_writer(scene) || asks_for_sample(scene, fd);
		scene_copy_sample(scene, before);
		scene_linger(scene);
		if (settled)
			scene_expect_same(scene, before, STAMP_GAP);
		agent_read_page(scene->agent, scene->sample);
		error = protect_pages(scene, fd, 0);
	}
	/* Takes the protection away with it. */
	userfault_close(fd, scene);
	return error;
}

/**
 * usable_userfault_move - can userfaultfd move pages?
 */
USABLE(userfault_move)
{
	int fd = userfault_open(USERFAULT_MOVE);

	(void)operation;
	(void)instance;
	if (fd < 0)
		return -snprintf(why, size, "no UFFDIO_MOVE before 6.8, or no userfaultfd: %s",
				 strerror(-fd));
	close(fd);
	return 0;
}

/* Page by page, so that one that the kernel does not move does not hold up the others. */
static void move_pages(int fd, char *to, char *from, size_t length)
{
	for (size_t into = 0; into < length; into += GUEST_PAGE_SIZE) {
		struct uffdio_move_ move = {
			.dst = (uintptr_t)to + into,
			.src = (uintptr_t)from + into,
			.len = GUEST_PAGE_SIZE,
			.mode = MOVE_HOLES,
		};

		while (ioctl(fd, MOVE, &move) && errno == EAGAIN)
			;
	}
}

/* Pages are away: whoever reads finds zeroes, which must go before they can come back. */
static int bring_back(struct scene *scene, int fd)
{
	int error = userfault_register(fd, scene, USERFAULT_MODE_MISSING);

	if (!error && madvise(scene->hva, scene->length, MADV_DONTNEED))
		error = -errno;
	if (!error)
		move_pages(fd, scene->hva, scene->agent->scratch, scene->length);
	return error;
}

/**
 * act_userfault_move - UFFDIO_MOVE: pages go to another place, and come back
 *
 * What the kernel does not move is lost with the other place, or with what is in its way.
 */
ACT(userfault_move)
{
	char *scratch = scene->agent->scratch;
	int fd = userfault_open(USERFAULT_MOVE), error = 0;
	uint64_t entry = pagemap_entry(scene_sample(scene));

	if (fd < 0)
		return fd;
	if (mmap(scratch, scene->length, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		error = -errno;
	error = error ?: register_range(fd, scratch, scene->length, USERFAULT_MODE_MISSING);
	if (!error) {
		size_t into = (size_t)(scene_sample(scene) - scene->hva);

		move_pages(fd, scratch, scene->hva, scene->length);
		scene->reached = entry & PAGEMAP_PRESENT &&
				 (pagemap_entry(scratch + into) & PAGEMAP_FRAME) ==
				 (entry & PAGEMAP_FRAME);
		scene_linger(scene);
		if (scene->reached)
			scene_expect_zeroes(scene);
		error = bring_back(scene, fd);
	}
	userfault_close(fd, scene);
	scene_reserve_scratch(scene);
	return error;
}
