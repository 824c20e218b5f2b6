// SPDX-License-Identifier: GPL-2.0
/* Helpers of the secmmu tests. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "secmmu_test.h"

#define MAX_FDS		8
/* Seconds until a silent child is given up. */
#define PATIENCE	30

/* Newer than some C libraries. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL	0x0008U
#endif

long secmmu_slow(void)
{
	const char *text = getenv("SECMMU_TEST_SLOW");
	long factor = text ? strtol(text, NULL, 10) : 1;

	return factor < 1 ? 1 : factor > 1000 ? 1000 : factor;
}

int gpa_get(int engine, __u64 gpa, __u64 *value)
{
	ssize_t ret = gpa_read(engine, value, sizeof(*value), gpa);

	if (ret < 0)
		return ret;
	return ret == sizeof(*value) ? 0 : -EIO;
}

int gpa_put(int engine, __u64 gpa, __u64 value)
{
	ssize_t ret = gpa_write(engine, &value, sizeof(value), gpa);

	if (ret < 0)
		return ret;
	return ret == sizeof(value) ? 0 : -EIO;
}

void pages_label(void *mem, long first, long pages, __u64 round)
{
	long i;

	for (i = first; i < first + pages; i++)
		*word_at(mem, i) = label(i, round);
}

/* Half a store lasts an instant; this many in a row are no accident. */
#define MAX_TORN	10000

struct pair {
	__u64 value, inverse;
};

int pair_get(int engine, __u64 gpa, __u64 *value)
{
	struct pair pair;
	int tries;

	for (tries = 0; tries < MAX_TORN; tries++) {
		ssize_t ret = gpa_read(engine, &pair, sizeof(pair), gpa);

		if (ret < 0)
			return ret;
		if (ret != sizeof(pair))
			return -EIO;
		if (pair.value == ~pair.inverse || (!pair.value && !pair.inverse)) {
			*value = pair.value;
			return 0;
		}
		sched_yield();
	}
	return -EPROTO;
}

int pair_put(int engine, __u64 gpa, __u64 value)
{
	struct pair pair = { value, ~value };
	ssize_t ret = gpa_write(engine, &pair, sizeof(pair), gpa);

	if (ret < 0)
		return ret;
	return ret == sizeof(pair) ? 0 : -EIO;
}

void pair_store(char *mem, long page, __u64 value)
{
	volatile __u64 *word = word_at(mem, page);

	word[0] = value;
	word[1] = ~value;
}

int region_replace(char *region, long page, long pages, int prot)
{
	char *start = region + page * PAGE;
	char *mem = mmap(start, pages * PAGE, prot,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	if (mem == MAP_FAILED)
		return -errno;
	/* EINVAL where the kernel has no huge pages: just as well. */
	madvise(mem, pages * PAGE, MADV_NOHUGEPAGE);
	return 0;
}

char *region_reserve(long pages)
{
	long size = pages * PAGE;
	/* As much more as aligning takes, and guards. */
	long more = HUGE_SIZE + 2 * PAGE;
	char *map = mmap(NULL, size + more, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *mem;

	if (map == MAP_FAILED)
		return NULL;
	mem = (char *)(((uintptr_t)map + PAGE + HUGE_SIZE - 1) & -HUGE_SIZE);
	munmap(map, mem - PAGE - map);
	munmap(mem + size + PAGE, map + more - mem - PAGE);
	return mem;
}

char *region_map(long pages)
{
	char *mem = region_reserve(pages);

	if (mem && region_replace(mem, 0, pages, PROT_READ | PROT_WRITE)) {
		region_unmap(mem, pages);
		return NULL;
	}
	return mem;
}

void region_unmap(char *region, long pages)
{
	if (region)
		munmap(region - PAGE, (pages + 2) * PAGE);
}

char *blocks_map(long blocks, int advice)
{
	long size = blocks * HUGE_SIZE;
	char *mem = region_reserve(size / PAGE);

	if (!mem)
		return NULL;
	if (mprotect(mem, size, PROT_READ | PROT_WRITE)) {
		blocks_unmap(mem, blocks);
		return NULL;
	}
	/* EINVAL where the kernel has no huge pages: callers look. */
	madvise(mem, size, advice);
	return mem;
}

void blocks_unmap(char *mem, long blocks)
{
	if (mem)
		munmap(mem - PAGE, blocks * HUGE_SIZE + 2 * PAGE);
}

int memfd_new(long pages)
{
	int fd, ret;

	/* Later kernels complain without this flag, earlier ones refuse it. */
	fd = memfd_create("secmmu", MFD_CLOEXEC | MFD_NOEXEC_SEAL);
	if (fd < 0)
		fd = memfd_create("secmmu", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, pages * PAGE)) {
		ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

pid_t child_start(int (*fn)(void *arg), void *arg)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* The parent may have died before the line above. */
	if (getppid() != parent)
		_exit(1);
	/* Never back into the harness: it would go on with the next test. */
	_exit(fn(arg));
}

int child_wait(pid_t pid)
{
	int status;
	pid_t ret;

	do {
		ret = waitpid(pid, &status, 0);
	} while (ret < 0 && errno == EINTR);
	if (ret < 0)
		return -errno;
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	return WEXITSTATUS(status);
}

int child_kill(pid_t pid)
{
	if (kill(pid, SIGKILL))
		return -errno;
	return child_wait(pid);
}

int child_mirror(int dev, pid_t pid, __u64 gpa, const void *mem, long pages, int *mirror,
		 int *engine)
{
	*mirror = secmmu_create_mirror_of(dev, pid);
	if (*mirror < 0)
		return *mirror;
	*engine = secmmu_create_engine(*mirror);
	if (*engine < 0)
		return *engine;
	return secmmu_set_slot(*mirror, 0, 0, gpa, mem, pages * PAGE);
}

int child_sleep(void *unused)
{
	(void)unused;
	while (pause())
		;
	return 1;
}

/* Tells a copy that it is to wait on this descriptor. */
#define WAIT_ENV	"SECMMU_TEST_WAIT_FD"

/* A constructor, so that it comes before any test. */
static void __attribute__((constructor)) wait_after_exec(void)
{
	const char *fd = getenv(WAIT_ENV);

	if (!fd)
		return;
	byte_send(atoi(fd));
	byte_wait(atoi(fd));
	_exit(0);
}

int exec_to_wait(int sock)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", sock);
	setenv(WAIT_ENV, number, 1);
	execl("/proc/self/exe", "secmmu-test", NULL);
	return 1;
}

int socket_pair(int sock[2])
{
	const struct timeval patience = { .tv_sec = PATIENCE * secmmu_slow() };
	int i;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sock))
		return -errno;
	for (i = 0; i < 2; i++)
		if (setsockopt(sock[i], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
			return -errno;
	return 0;
}

int fds_send(int sock, const int *fds, int count)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int) * MAX_FDS)];
	} control = {};
	char byte = 0;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = CMSG_SPACE(sizeof(int) * count),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int) * count);
	memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * count);
	return sendmsg(sock, &msg, 0) == 1 ? 0 : -errno;
}

int fds_receive(int sock, int *fds, int count)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int) * MAX_FDS)];
	} control = {};
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = CMSG_SPACE(sizeof(int) * count),
	};
	struct cmsghdr *cmsg;
	ssize_t ret = recvmsg(sock, &msg, 0);

	if (ret < 0)
		return -errno;
	cmsg = CMSG_FIRSTHDR(&msg);
	/* The sender died, or sent something else. */
	if (!ret || !cmsg || cmsg->cmsg_len != CMSG_LEN(sizeof(int) * count))
		return -EPIPE;
	memcpy(fds, CMSG_DATA(cmsg), sizeof(int) * count);
	return 0;
}

int byte_send(int fd)
{
	char byte = 0;

	return write(fd, &byte, 1) == 1 ? 0 : -errno;
}

int byte_wait(int fd)
{
	char byte;
	ssize_t ret = read(fd, &byte, 1);

	if (ret < 0)
		return -errno;
	return ret ? 0 : -EPIPE;
}
