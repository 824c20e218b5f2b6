// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "accel.h"
#include "emulator.h"
#include "guest.h"
#include "kernel.h"
#include "util.h"

/* Seconds; real KVM boots such a kernel in two. */
#define TRIAL_LIMIT	"8"

enum answer { NO, YES, UNKNOWN };

static bool kvm_is_there(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	bool there;

	if (fd < 0)
		return false;
	there = ioctl(fd, KVM_GET_API_VERSION, 0) == KVM_API_VERSION;
	close(fd);
	return there;
}

/* One line of text that changes when the answer may change. */
static char *describe(const struct kernel *kernel)
{
	char *version[] = { (char *)emulator_find(), "--version", NULL };
	char *qemu = read_program(version, NULL);
	char *cpus = read_file("/proc/cpuinfo", NULL);
	char *model = cpus ? strstr(cpus, "model name") : NULL;
	struct utsname host;
	char *text;

	uname(&host);
	text = format("host %s, %.*s, %.*s, guest %s", host.release,
		      model ? (int)strcspn(model, "\n") : 0, model ? model : "",
		      qemu ? (int)strcspn(qemu, "\n") : 0, qemu ? qemu : "",
		      kernel->release);
	free(qemu);
	free(cpus);
	return text;
}

/*
 * Runs this program again: a VM that hangs cannot harm the caller then. The
 * guest's own KVM has to open, or emulation is the better choice.
 */
static enum answer trial_boot(const char *name)
{
	int status, null;
	pid_t pid = fork();

	if (pid < 0)
		return UNKNOWN;
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		null = open("/dev/null", O_RDWR);
		for (int fd = 0; fd <= 2; fd++)
			dup2(null, fd);
		execl("/proc/self/exe", "testvm", "--accel", "kvm", "--quiet",
		      "--timeout", TRIAL_LIMIT, "--cpus", "1", "--memory", "512",
		      "--kernel", name, "--log", "/dev/null", "--",
		      "sh", "-c", ": <>/dev/kvm", NULL);
		_exit(1);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return UNKNOWN;
	if (WIFEXITED(status) && WEXITSTATUS(status) == STATUS_SETUP)
		return UNKNOWN;
	return status ? NO : YES;
}

/* FNV-1a: short names for answers; the answer repeats the whole text. */
static uint64_t hash(const char *text)
{
	uint64_t value = 0xcbf29ce484222325;

	while (*text)
		value = (value ^ (unsigned char)*text++) * 0x100000001b3;
	return value;
}

static void remember(const char *path, const char *answer)
{
	char *young = format("%s.%d", path, getpid());
	int fd = open(young, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	/* Not being able to remember only costs time. */
	if (fd < 0 || write_all(fd, answer, strlen(answer)) || rename(young, path))
		unlink(young);
	if (fd >= 0)
		close(fd);
	free(young);
}

bool accel_kvm_works(const struct kernel *kernel, const char *name)
{
	char *text, *folder, *path, *yes, *no, *answer;
	bool works;

	if (!kvm_is_there())
		return false;
	text = describe(kernel);
	folder = format("%s/accel", cache_folder());
	path = format("%s/%016llx", folder, (unsigned long long)hash(text));
	yes = format("%s: kvm\n", text);
	no = format("%s: tcg\n", text);
	answer = read_file(path, NULL);
	if (answer && !strcmp(answer, yes)) {
		works = true;
	} else if (answer && !strcmp(answer, no)) {
		works = false;
	} else {
		enum answer trial = trial_boot(name);

		works = trial == YES;
		if (trial != UNKNOWN && !make_folders(folder))
			remember(path, works ? yes : no);
	}
	free(text);
	free(folder);
	free(path);
	free(yes);
	free(no);
	free(answer);
	return works;
}
