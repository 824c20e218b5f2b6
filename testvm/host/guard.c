// SPDX-License-Identifier: GPL-2.0
/*
 * libvirt detaches the QEMU processes it starts, so they survive whoever asked
 * for them. Each run has a folder whose unique path stands in its QEMU's
 * command line. A guard process in a session of its own waits on a pipe for
 * the end of testvm, which closes the pipe whatever it died of. Should the
 * guard be killed as well, the next run sweeps: the run's lock, held by testvm
 * alone, tells that the owner is gone.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guard.h"
#include "util.h"

/* Short: libvirt puts sockets below it, and their paths end at 108 bytes. */
#define RUN_PARENT	"/tmp"
#define RUN_PREFIX	"smv"
#define RUN_TEMPLATE	RUN_PARENT "/" RUN_PREFIX "XXXXXX"

/* A younger folder without a lock file may be about to get one. */
#define SWEEP_AGE	60

static char run_folder[] = RUN_TEMPLATE;
static volatile int guard_pipe = -1;
static volatile pid_t guard_pid;

/* Is the process a QEMU whose command line names the folder? */
static bool is_qemu_of(const char *pid, const char *folder)
{
	char path[64], exe[256], *cmdline, *base;
	size_t size;
	ssize_t n;
	bool found;

	snprintf(path, sizeof(path), "/proc/%.20s/exe", pid);
	n = readlink(path, exe, sizeof(exe) - 1);
	if (n < 0)
		return false;
	exe[n] = '\0';
	base = strrchr(exe, '/');
	if (!base || strncmp(base, "/qemu-system-", 13))
		return false;
	snprintf(path, sizeof(path), "/proc/%.20s/cmdline", pid);
	cmdline = read_file(path, &size);
	if (!cmdline)
		return false;
	found = memmem(cmdline, size, folder, strlen(folder)) != NULL;
	free(cmdline);
	return found;
}

/* Kills the QEMU processes of a run; returns how many there were. */
static int kill_qemu(const char *folder)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int count = 0;

	while (proc && (entry = readdir(proc))) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9' ||
		    !is_qemu_of(entry->d_name, folder))
			continue;
		kill(atoi(entry->d_name), SIGKILL);
		count++;
	}
	if (proc)
		closedir(proc);
	return count;
}

static void remove_tree(const char *folder)
{
	char *roots[] = { (char *)folder, NULL };
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *entry;

	while (walk && (entry = fts_read(walk))) {
		if (entry->fts_info == FTS_DP)
			rmdir(entry->fts_path);
		else if (entry->fts_info != FTS_D)
			unlink(entry->fts_path);
	}
	if (walk)
		fts_close(walk);
}

static void clean_up(const char *folder)
{
	char *name = format("%s/", folder);
	int quiet = 0;

	/*
	 * Look again after the last one has gone: a killed testvm may have
	 * left a child that is only about to become QEMU.
	 */
	while (quiet < 2) {
		quiet = kill_qemu(name) ? 0 : quiet + 1;
		usleep(30 * 1000);
	}
	remove_tree(folder);
	free(name);
}

__attribute__((noreturn))
static void guard(int end)
{
	int null = open("/dev/null", O_RDWR);
	char done;
	ssize_t n;

	setsid();
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	/* Keep nothing of the caller's open: somebody may wait for its end. */
	for (int fd = 0; fd <= 2; fd++)
		dup2(null, fd);
	dup2(end, 3);
	close_range(4, ~0U, 0);
	do {
		n = read(3, &done, 1);
	} while (n < 0 && errno == EINTR);
	clean_up(run_folder);
	_exit(0);
}

/* Creates the run's lock file, locked before it gets its name. */
static void lock_run(void)
{
	char *young = format("%s/lock.new", run_folder);
	char *name = format("%s/lock", run_folder);
	int fd = open(young, O_CREAT | O_RDWR | O_CLOEXEC, 0600);

	/* The descriptor stays open until the process ends. */
	if (fd < 0 || flock(fd, LOCK_EX) || rename(young, name))
		die("cannot write to %s: %s", run_folder, strerror(errno));
	free(young);
	free(name);
}

const char *guard_start(void)
{
	int pipes[2];

	if (!mkdtemp(run_folder))
		die("cannot make a folder in %s: %s", RUN_PARENT, strerror(errno));
	if (pipe2(pipes, O_CLOEXEC))
		die("pipe: %s", strerror(errno));
	guard_pid = fork();
	if (guard_pid < 0)
		die("fork: %s", strerror(errno));
	if (!guard_pid) {
		close(pipes[1]);
		guard(pipes[0]);
	}
	close(pipes[0]);
	guard_pipe = pipes[1];
	atexit(guard_finish);
	lock_run();
	return run_folder;
}

void guard_finish(void)
{
	int saved = errno, fd = guard_pipe;

	if (fd < 0)
		return;
	guard_pipe = -1;
	close(fd);
	while (waitpid(guard_pid, NULL, 0) < 0 && errno == EINTR)
		;
	errno = saved;
}

static void sweep_one(const char *folder)
{
	char *lock = format("%s/lock", folder);
	struct stat st;
	int fd;

	if (lstat(folder, &st) || !S_ISDIR(st.st_mode) || st.st_uid != geteuid())
		goto out;
	fd = open(lock, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		if (errno == ENOENT && time(NULL) - st.st_mtime > SWEEP_AGE)
			clean_up(folder);
		goto out;
	}
	if (!flock(fd, LOCK_EX | LOCK_NB))
		clean_up(folder);
	close(fd);
out:
	free(lock);
}

void guard_sweep(void)
{
	DIR *parent = opendir(RUN_PARENT);
	struct dirent *entry;

	while (parent && (entry = readdir(parent))) {
		char *folder;

		if (strncmp(entry->d_name, RUN_PREFIX, strlen(RUN_PREFIX)) ||
		    strlen(entry->d_name) != strlen(RUN_PREFIX) + 6)
			continue;
		folder = format("%s/%s", RUN_PARENT, entry->d_name);
		sweep_one(folder);
		free(folder);
	}
	if (parent)
		closedir(parent);
}
