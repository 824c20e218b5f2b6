// SPDX-License-Identifier: GPL-2.0
/*
 * PID 1 of the test VM: prepares the guest, runs one command, sends back what
 * it left, writes the token, powers off. Static; the only other program in
 * the guest that it relies on is busybox.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <net/if.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "guest.h"
#include "init.h"
#include "mark.h"

#define BUSYBOX		"/bin/busybox"
#define TRACING		"/sys/kernel/tracing/"

/* Of a CPU; this comes over a serial line, as text. */
#define TRACE_KB	"16"

/* Seconds a killed process may take to die before that counts as a failure. */
#define KILL_PATIENCE	10

void say(const char *format, ...)
{
	static int fd = -1;
	char line[512];
	va_list ap;
	int length;

	if (fd < 0)
		fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	length = snprintf(line, sizeof(line), "<4>testvm-init: ");
	va_start(ap, format);
	vsnprintf(line + length, sizeof(line) - length, format, ap);
	va_end(ap);
	if (write(fd, line, strlen(line)) < 0)
		return;	/* nowhere left to complain */
}

void give_up(const char *what)
{
	say("%s: %s", what, strerror(errno));
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -1;
	if (write(fd, text, strlen(text)) < 0) {
		say("%s: %s", path, strerror(errno));
		ret = -1;
	}
	close(fd);
	return ret;
}

char *read_file(const char *path, size_t *size)
{
	size_t used = 0, room = 4096;
	char *data = malloc(room + 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0 || !data)
		goto fail;
	while ((n = read(fd, data + used, room - used)) > 0) {
		char *more;

		used += n;
		if (used < room)
			continue;
		room *= 2;
		more = realloc(data, room + 1);
		if (!more)
			goto fail;
		data = more;
	}
	if (n < 0)
		goto fail;
	close(fd);
	data[used] = '\0';
	if (size)
		*size = used;
	return data;
fail:
	if (fd >= 0)
		close(fd);
	free(data);
	return NULL;
}

static void mount_all(void)
{
	static const struct {
		const char *type, *where, *options;
	} table[] = {
		{ "proc", "/proc", NULL },
		{ "sysfs", "/sys", NULL },
		{ "devtmpfs", "/dev", NULL },
		{ "devpts", "/dev/pts", "ptmxmode=0666" },
		{ "tmpfs", "/dev/shm", "mode=1777" },
		{ "tmpfs", "/tmp", "mode=1777" },
		{ "tmpfs", "/run", "mode=0755" },
		{ "debugfs", "/sys/kernel/debug", NULL },
		{ "tracefs", "/sys/kernel/tracing", NULL },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		mkdir(table[i].where, 0755);
		/* A kernel may lack debugfs or tracefs: tests notice. */
		if (mount(table[i].type, table[i].where, table[i].type, 0,
			  table[i].options) && errno != EBUSY && errno != ENODEV)
			say("mount %s: %s", table[i].where, strerror(errno));
	}
	mkdir("/root", 0700);
	mkdir("/out", 0755);
	if (symlink("/proc/self/fd", "/dev/fd") && errno != EEXIST)
		say("/dev/fd: %s", strerror(errno));
}

static void loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;	/* a kernel without network */
	if (ioctl(fd, SIOCSIFFLAGS, &request))
		say("lo: %s", strerror(errno));
	close(fd);
}

/*
 * With its first machine KVM has the kernel patch its scheduler, and with the last one undo
 * that; an emulated CPU may go on running the breakpoint that is there meanwhile, for ever. So
 * one that does nothing is there before anything else, and stays.
 */
static void keep_machine(void)
{
	int kvm;

	if (access(GUEST_KEEP_MACHINE, F_OK))
		return;
	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		return;	/* a machine without KVM */
	if (ioctl(kvm, KVM_CREATE_VM, 0) < 0)
		say("a machine of KVM: %s", strerror(errno));
	close(kvm);
}

/* Opens a serial line that passes bytes as they are. */
static int open_serial(const char *path)
{
	int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct termios t;

	if (fd < 0 || tcgetattr(fd, &t))
		give_up(path);
	cfmakeraw(&t);
	t.c_cflag |= CLOCAL;
	cfsetspeed(&t, B115200);
	if (tcsetattr(fd, TCSANOW, &t))
		give_up(path);
	return fd;
}

/* Splits NUL-separated strings into a NULL-terminated vector. */
static char **split_strings(const char *path)
{
	size_t size, count = 0, i = 0;
	char *data = read_file(path, &size), **vector;

	if (!data)
		give_up(path);
	for (size_t at = 0; at < size; at++)
		count += !data[at];
	vector = calloc(count + 1, sizeof(*vector));
	if (!vector)
		give_up(path);
	for (char *s = data; i < count; s += strlen(s) + 1)
		vector[i++] = s;
	return vector;
}

/* Runs a program of ours to its end; output goes to @out. */
static int run_helper(char *const argv[], int out)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		give_up("fork");
	if (!pid) {
		dup2(out, STDOUT_FILENO);
		execv(BUSYBOX, argv);
		_exit(STATUS_NOT_FOUND);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* Runs the command and reaps every orphan meanwhile; returns a wait status. */
static int run_command(int output)
{
	char **argv = split_strings(GUEST_ARGV), **env = split_strings(GUEST_ENV);
	pid_t pid, dead;
	int status;

	pid = fork();
	if (pid < 0)
		give_up("fork");
	if (!pid) {
		setsid();
		dup2(output, STDOUT_FILENO);
		dup2(output, STDERR_FILENO);
		if (chdir("/root"))
			_exit(STATUS_NOT_FOUND);
		environ = env;
		execvp(argv[0], argv);
		dprintf(output, "testvm: cannot execute %s: %s\n", argv[0],
			strerror(errno));
		_exit(STATUS_NOT_FOUND);
	}
	do {
		dead = wait(&status);
	} while (dead != pid);
	return status;
}

/*
 * Kills what the command left running. A process that does not die hangs in
 * the kernel, which must fail the run.
 */
static void kill_leftovers(void)
{
	for (int tenths = 0; tenths < KILL_PATIENCE * 10; tenths++) {
		pid_t dead;

		kill(-1, SIGKILL);
		do {
			dead = waitpid(-1, NULL, WNOHANG);
		} while (dead > 0);
		if (dead < 0)
			return;	/* ECHILD */
		usleep(100 * 1000);
	}
	say("BUG: a process survives SIGKILL for %d seconds", KILL_PATIENCE);
	write_file("/proc/sysrq-trigger", "w");
}

/* The command's time is up: shows where every CPU and every process that waits is. */
static void on_limit(int number)
{
	static const char word[] = TOKEN_PREFIX "timeout\n";
	int token = open_serial(GUEST_TOKEN);

	(void)number;
	write_file("/proc/sysrq-trigger", "l");
	write_file("/proc/sysrq-trigger", "w");
	if (write(token, word, sizeof(word) - 1) > 0)
		tcdrain(token);
	mark_here(MARK_OVER);
	reboot(RB_POWER_OFF);
}

/* On a host that is busy a guest's clock may stand, but then so does its command. */
static void limit_time(void)
{
	char *seconds = read_file(GUEST_LIMIT, NULL);

	if (!seconds)
		return;
	signal(SIGALRM, on_limit);
	alarm(atoi(seconds));
	free(seconds);
}

/* The latest events of each CPU, not more than can be read. */
static void begin_trace(void)
{
	if (access(GUEST_TRACE, F_OK))
		return;
	write_file(TRACING "buffer_size_kb", TRACE_KB);
	/* Modules of later have to be asked for by whoever loads them. */
	write_file(TRACING "events/secmmu/enable", "1");
}

static void end_trace(void)
{
	static char *const cp[] = { "cp", TRACING "trace", "/out/trace", NULL };

	write_file(TRACING "tracing_on", "0");
	/* Perhaps the command has done so, before it unloaded the driver. */
	if (access("/out/trace", F_OK) && run_helper(cp, STDOUT_FILENO))
		say("the trace cannot be copied");
}

static void send_files(void)
{
	static char *const tar[] = { "tar", "-c", "-C", "/out", "-f", "-", ".", NULL };
	int fd, status;

	if (access(GUEST_WANT_OUT, F_OK))
		return;
	fd = open_serial(GUEST_FILES);
	status = run_helper(tar, fd);
	if (status)
		say("tar of /out failed with wait status %d", status);
	tcdrain(fd);
	close(fd);
}

static void prepare(void)
{
	static char *const install[] = { "busybox", "--install", "-s", NULL };
	static const char * const folders[] = {
		"/bin", "/sbin", "/usr", "/usr/bin", "/usr/sbin", "/etc", "/lib",
	};
	int null;

	umask(022);
	mount_all();
	null = open("/dev/null", O_RDWR);
	if (null < 0)
		give_up("/dev/null");
	for (int fd = 0; fd <= 2; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);

	/* From here on the console gets everything, at any speed. */
	write_file("/proc/sys/kernel/printk", "8");
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		mkdir(folders[i], 0755);
	if (run_helper(install, STDOUT_FILENO))
		say("busybox could not install its links");
	if (sethostname("testvm", 6))
		say("hostname: %s", strerror(errno));
	loopback_up();
	load_modules();
	keep_machine();
	begin_trace();
	checkup_begin();
}

int main(int argc, char **argv)
{
	int token, output, status;

	if (getpid() != 1)
		return argc > 1 ? load_kvm(argv[argc - 1]) : STATUS_SETUP;
	prepare();
	token = open_serial(GUEST_TOKEN);
	output = open_serial(GUEST_OUTPUT);
	limit_time();
	status = run_command(output);
	kill_leftovers();
	tcdrain(output);
	if (status && !access(GUEST_TRACE, F_OK))
		end_trace();
	send_files();
	checkup_end();
	alarm(0);
	if (WIFSIGNALED(status))
		dprintf(token, TOKEN_PREFIX "signal %d\n", WTERMSIG(status));
	else
		dprintf(token, TOKEN_PREFIX "exit %d\n", WEXITSTATUS(status));
	tcdrain(token);
	sync();
	mark_here(MARK_OVER);
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}
