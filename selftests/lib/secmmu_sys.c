// SPDX-License-Identifier: GPL-2.0
/* Helpers of the secmmu tests for what else the kernel has to offer. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include <linux/userfaultfd.h>

#include "inside.h"
#include "secmmu_sys.h"
#include "secmmu_test.h"

/* What is not the process's own is the machine's. */
static bool is_own(const char *path)
{
	return !strncmp(path, "/proc/self/", 11) ||
	       !strncmp(path, "/proc/thread-self/", 18);
}

int text_write(const char *path, const char *text)
{
	size_t len = strlen(text);
	ssize_t ret;
	int fd;

	if (!is_own(path) && !inside_or_told())
		return -EPERM;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = write(fd, text, len);
	if (ret < 0)
		ret = -errno;
	else
		ret = ret == (ssize_t)len ? 0 : -EIO;
	close(fd);
	return ret;
}

int text_read(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t done = 0;
	ssize_t ret;

	if (fd < 0)
		return -errno;
	do {
		ret = read(fd, buf + done, size - 1 - done);
		if (ret > 0)
			done += ret;
	} while (ret > 0 && done < size - 1);
	ret = ret < 0 ? -errno : 0;
	close(fd);
	buf[done] = 0;
	return ret;
}

long number_read(const char *path, const char *key)
{
	char buf[16384], *at;
	int ret = text_read(path, buf, sizeof(buf));

	if (ret)
		return ret;
	at = strstr(buf, key);
	return at ? strtol(at + strlen(key), NULL, 10) : -ENOENT;
}

int number_write(const char *path, long number)
{
	char text[24];

	snprintf(text, sizeof(text), "%ld", number);
	return text_write(path, text);
}

pid_t task_find(const char *name)
{
	DIR *tasks = opendir("/proc");
	struct dirent *task;
	pid_t found = 0;

	while (tasks && !found && (task = readdir(tasks))) {
		char path[300], comm[32];

		snprintf(path, sizeof(path), "/proc/%s/comm", task->d_name);
		if (text_read(path, comm, sizeof(comm)))
			continue;
		comm[strcspn(comm, "\n")] = 0;
		if (!strcmp(comm, name))
			found = atoi(task->d_name);
	}
	if (tasks)
		closedir(tasks);
	return found;
}

__u64 page_state(const void *addr)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	__u64 state = 0;
	off_t at = (uintptr_t)addr / PAGE * sizeof(state);

	if (fd < 0)
		return 0;
	if (pread(fd, &state, sizeof(state), at) != sizeof(state))
		state = 0;
	close(fd);
	return state;
}

long pages_with(const char *mem, long pages, __u64 bits)
{
	long i, n = 0;

	for (i = 0; i < pages; i++)
		n += !!(page_state(mem + i * PAGE) & bits);
	return n;
}

long huge_kilobytes(const char *mem)
{
	unsigned long start, end, addr = (uintptr_t)mem;
	char line[512];
	bool inside = false;
	long found = 0;
	FILE *smaps = fopen("/proc/self/smaps", "r");

	if (!smaps)
		return 0;
	while (fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = addr >= start && addr < end;
		else if (inside)
			sscanf(line, "AnonHugePages: %ld kB", &found);
	}
	fclose(smaps);
	return found;
}

long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void sleep_ms(long ms)
{
	struct timespec left = {
		.tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000,
	};

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

bool child_ended(pid_t pid, long ms)
{
	long end = now_ms() + ms * secmmu_slow();
	siginfo_t info;

	do {
		info.si_pid = 0;
		if (waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT))
			return false;
		if (info.si_pid)
			return true;
		sleep_ms(1);
	} while (now_ms() < end);
	return false;
}

int uffd_open(__u64 features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	int ret;

	if (uffd < 0)
		return -errno;
	if (!ioctl(uffd, UFFDIO_API, &api))
		return uffd;
	ret = -errno;
	close(uffd);
	return ret;
}

int uffd_register(int uffd, const void *mem, long pages, __u64 mode)
{
	struct uffdio_register arg = {
		.range = { .start = (uintptr_t)mem, .len = pages * PAGE },
		.mode = mode,
	};

	return ioctl(uffd, UFFDIO_REGISTER, &arg) ? -errno : 0;
}

char *uffd_wait(int uffd, long ms)
{
	struct pollfd poll_fd = { .fd = uffd, .events = POLLIN };
	struct uffd_msg msg;

	if (poll(&poll_fd, 1, ms * secmmu_slow()) != 1 ||
	    read(uffd, &msg, sizeof(msg)) != sizeof(msg) ||
	    msg.event != UFFD_EVENT_PAGEFAULT)
		return NULL;
	return (char *)(uintptr_t)(msg.arg.pagefault.address & -PAGE);
}

int uffd_fill(int uffd, void *page, const void *from)
{
	struct uffdio_copy arg = {
		.dst = (uintptr_t)page,
		.src = (uintptr_t)from,
		.len = PAGE,
	};
	int tries;

	/* Again: the memory of the process is just being changed. */
	for (tries = 0; tries < 1000; tries++) {
		arg.copy = 0;
		if (!ioctl(uffd, UFFDIO_COPY, &arg))
			return 0;
		if (errno != EAGAIN)
			break;
	}
	return -errno;
}

int uffd_wake(int uffd, const void *page)
{
	struct uffdio_range range = {
		.start = (uintptr_t)page,
		.len = PAGE,
	};

	return ioctl(uffd, UFFDIO_WAKE, &range) ? -errno : 0;
}

int uffd_protect(int uffd, const void *mem, long pages, bool protect)
{
	struct uffdio_writeprotect arg = {
		.range = { .start = (uintptr_t)mem, .len = pages * PAGE },
		.mode = protect ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	return ioctl(uffd, UFFDIO_WRITEPROTECT, &arg) ? -errno : 0;
}

int drain_lists(void)
{
	char *mem = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int caches = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
	cpu_set_t all, one;
	int cpu, ret = 0;

	if (mem == MAP_FAILED || sched_getaffinity(0, sizeof(all), &all))
		return -errno;
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		if (sched_setaffinity(0, sizeof(one), &one) ||
		    madvise(mem, PAGE, MADV_DONTNEED))
			ret = -errno;
	}
	sched_setaffinity(0, sizeof(all), &all);
	munmap(mem, PAGE);
	if (caches < 0 || write(caches, "1", 1) != 1)
		ret = -errno;
	close(caches);
	return ret;
}
