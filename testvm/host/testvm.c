// SPDX-License-Identifier: GPL-2.0
/*
 * testvm: boot a kernel in a VM, run a command in it, tell how it went.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "accel.h"
#include "arch.h"
#include "console.h"
#include "domain.h"
#include "emulator.h"
#include "files.h"
#include "frozen.h"
#include "guard.h"
#include "guest.h"
#include "kernel.h"
#include "modules.h"
#include "options.h"
#include "payload.h"
#include "repeat.h"
#include "util.h"

/* libvirt without its configuration, or a sick QEMU, may hang for ever. */
#define SETUP_LIMIT	60
/* ... and files may take longer to another machine. */
#define CONNECT_LIMIT	900
/* What libvirt may take on top of the VM's own limit. */
#define END_LIMIT	60

/* Megabytes that a kernel needs for itself. */
#define KERNEL_MEMORY	64

/* The longest command line a kernel takes. */
#define ARGUMENTS_MAX	2047

/* One letter for each time that a boot was started over. */
#define RETRY_VARIABLE	"TESTVM_RETRIES"

/* Output is passed on at most this often. */
#define COALESCE_MS	20

/*
 * The console gets everything. Emulated CPUs that share a host core look
 * stuck when they are not, hence the longer limits; kernel addresses stay
 * where System.map has them, so that registers can be read. No tests of
 * the kernel's ciphers, a third of the instructions of a boot; and no mitigations, whose
 * returns and indirect jumps cost an emulated CPU a tenth of its time.
 */
#define ARGUMENTS								\
	"%s 8250.nr_uarts=4 rdinit=/init panic=-1 ignore_loglevel "		\
	"printk.devkmsg=on nokaslr random.trust_cpu=on watchdog_thresh=30 "	\
	"rcupdate.rcu_cpu_stall_timeout=60 %s cryptomgr.notests mitigations=off"

/*
 * If clocks count instructions, time flies while all CPUs wait; a watchdog would see one
 * that has been away for long.
 */
#define DETERMINISTIC_ARGUMENTS	"%s nowatchdog"

/*
 * The guest ends a deterministic run when its time is up by its own clock. A second of that
 * takes one of a host's core, or several of a busy host's; a guest that stands still takes
 * for ever.
 */
#define HOST_SECONDS	20

enum serial { CONSOLE, TOKEN, FILES, OUTPUT };

/* How a VM came to its end. */
enum end { ENDED, STALE, TIMED_OUT, FROZEN, INTERRUPTED, NOBODY_LISTENS };

static volatile sig_atomic_t caught;
static volatile sig_atomic_t given_up;
static volatile sig_atomic_t vm_runs;

static void on_signal(int number)
{
	caught = number;
	if (vm_runs)
		return;	/* watch() sees it, and the VM is ended in order */
	guard_finish();
	_exit(128 + number);
}

/* Who watches the VM has lost patience before its time was up. */
static void on_given_up(int number)
{
	given_up = number;
}

static void on_alarm(int number)
{
	static const char text[] = "testvm: libvirt or QEMU hangs, giving up\n";

	(void)number;
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		caught = number;	/* nothing to be done about it */
	guard_finish();
	_exit(vm_runs ? STATUS_VM : STATUS_SETUP);
}

static void catch_signals(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = on_signal };

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		sigaddset(&action.sa_mask, numbers[i]);
		sigaddset(&action.sa_mask, SIGALRM);
	}
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		sigaction(numbers[i], &action, NULL);
	action.sa_handler = on_alarm;
	sigaction(SIGALRM, &action, NULL);
	action.sa_handler = on_given_up;
	sigaction(SIGUSR1, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* Passes the command's output on until the VM ends, one way or another. */
static enum end watch(int ended, int from, const char *output, double limit)
{
	int bell = inotify_init1(IN_CLOEXEC);
	struct pollfd fds[] = {
		{ .fd = ended, .events = POLLIN },
		{ .fd = bell, .events = POLLIN },
	};
	enum end end = TIMED_OUT;
	double left;

	if (from < 0 || bell < 0 || inotify_add_watch(bell, output, IN_MODIFY) < 0)
		die("cannot watch %s: %s", output, strerror(errno));
	while (!given_up && (left = limit - seconds()) > 0) {
		char events[4096];
		int n;

		if (console_copy(from, STDOUT_FILENO)) {
			end = NOBODY_LISTENS;
			break;
		}
		if (caught) {
			end = INTERRUPTED;
			break;
		}
		n = poll(fds, ARRAY_SIZE(fds), left < 0.2 ? 10 : 200);
		if (n > 0 && fds[0].revents) {
			end = ENDED;
			break;
		}
		if (n > 0 && fds[1].revents) {
			poll(fds, 1, COALESCE_MS);
			if (read(bell, events, sizeof(events)) < 0)
				die("inotify: %s", strerror(errno));
		}
	}
	close(bell);
	return end;
}

/* QEMU must have ended: it does not append. */
static void append_registers(const char *log, const char *registers)
{
	int fd = open(log, O_WRONLY | O_APPEND | O_CLOEXEC);
	static const char title[] = "\ntestvm: timed out; registers of all CPUs:\n";

	if (fd < 0 || write_all(fd, title, sizeof(title) - 1) ||
	    write_all(fd, registers, strlen(registers)))
		say("cannot write the registers to %s", log);
	close(fd);
}

/* Starts the whole program over: a VM is thrown away, so its command can be repeated. */
static void start_over(const struct options *options, char **argv)
{
	const char *tried = getenv(RETRY_VARIABLE);

	/* It would err in the same way. */
	if (options->deterministic)
		return;
	if (given_up || (tried ? strlen(tried) : 0) >= options->retries)
		return;
	say("starting over");
	setenv(RETRY_VARIABLE, format("%sx", tried ? tried : ""), 1);
	guard_finish();
	execv("/proc/self/exe", argv);
	die("cannot start over: %s", strerror(errno));
}

static int judge(enum end end, const struct domain_config *config,
		 const struct options *options)
{
	int status = 0, count;
	bool token;

	if (end == INTERRUPTED)
		return 128 + caught;
	if (end == NOBODY_LISTENS)
		return 128 + SIGPIPE;
	count = console_scan(config->serial[CONSOLE], "kernel: ");
	token = console_token(config->serial[TOKEN], &status);
	if (token && status < 0)
		end = TIMED_OUT;
	if (options->out && token && end == ENDED && count == 0 &&
	    files_unpack(config->serial[FILES], options->out))
		return STATUS_VM;
	if (given_up)
		say("the VM was given up");
	else if (end == TIMED_OUT || end == FROZEN)
		say("the VM did not end within %u s", options->timeout);
	if (end == STALE || end == FROZEN)
		say("%s a breakpoint that QEMU's emulation should have dropped",
		    end == STALE ? "the kernel met" : "a CPU runs");
	if (end == STALE)
		return STATUS_EMULATION;
	if (end == FROZEN)
		return count ? STATUS_VM : STATUS_EMULATION;
	if (end == TIMED_OUT)
		return STATUS_TIMEOUT;
	if (!token && console_out_of_memory(config->serial[CONSOLE]))
		say("--memory %u is too little", config->machine.memory);
	if (!token)
		say("the VM ended without saying how the command ended");
	if (!token || count)
		return STATUS_VM;
	return status;
}

/* Without --log the console's file stays only if somebody needs it. */
static void keep_log(const struct options *options, const char *console, int status)
{
	char path[] = "/tmp/testvm-XXXXXX.log";
	size_t size;
	char *data;
	int fd;

	if (status < STATUS_EMULATION || status > STATUS_VM)
		return;
	if (options->log || options->record) {
		if (!options->log || strcmp(options->log, "/dev/null"))
			say("the kernel's console is in %s", console);
		return;
	}
	data = read_file(console, &size);
	fd = data ? mkostemps(path, 4, O_CLOEXEC) : -1;
	if (fd >= 0 && !write_all(fd, data, size))
		say("the kernel's console is in %s", path);
	free(data);
	close(fd);
}

static void collect_modules(struct modules *modules, const struct kernel *kernel,
			    const struct options *options)
{
	modules_add_kvm(modules, kernel);
	if (options->machine.iommu == IOMMU_VIRTIO)
		modules_add_named(modules, kernel, "virtio-iommu");
	for (unsigned int i = 0; i < options->loads.count; i++)
		modules_add_named(modules, kernel, options->loads.list[i]);
	for (unsigned int i = 0; i < options->modules.count; i++)
		modules_add_file(modules, kernel, options->modules.list[i]);
}

/* A run that is kept has its console beside it, even if that is elsewhere. */
static const char *record_console(const struct options *options)
{
	const char *path = format("%s/console", options->record);

	if (!options->log)
		return path;
	if ((unlink(path) && errno != ENOENT) || symlink(options->log, path))
		die("cannot write %s: %s", path, strerror(errno));
	return options->log;
}

static void prepare_files(struct domain_config *config, const struct options *options)
{
	static const char * const names[] = { "console", "token", "files", "output" };

	/* First, since the log may be in there. */
	if (options->out && make_folders(options->out))
		die("cannot make %s: %s", options->out, strerror(errno));
	if (options->record && make_folders(options->record))
		die("cannot make %s: %s", options->record, strerror(errno));
	for (int i = 0; i < DOMAIN_SERIALS; i++) {
		const char *path = format("%s/%s", config->run, names[i]);
		int fd;

		if (i == CONSOLE && options->record)
			path = record_console(options);
		else if (i == CONSOLE && options->log)
			path = options->log;
		config->serial[i] = path;
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		if (fd < 0)
			die("cannot write %s: %s", path, strerror(errno));
		close(fd);
	}
}

static int run(const struct options *options, struct domain_config *config,
	       const char *release, char **argv)
{
	double begin = seconds();
	char *registers = NULL;
	enum end end;
	unsigned int limit;
	int ended, status, from = open(config->serial[OUTPUT], O_RDONLY | O_CLOEXEC);
	bool stale = !config->machine.kvm && !options->deterministic && emulator_runs_stale_code();

	if (!options->quiet)
		say("kernel %s, %s, %u cpus", release,
		    config->machine.kvm ? "kvm" : "tcg", config->machine.cpus);
	alarm(config->connect ? CONNECT_LIMIT : SETUP_LIMIT);
	ended = domain_start(config);
	vm_runs = 1;
	limit = options->timeout * (options->deterministic ? HOST_SECONDS : 1);
	alarm(limit + END_LIMIT);
	end = watch(ended, from, config->serial[OUTPUT], begin + limit);
	if (end == TIMED_OUT) {
		registers = domain_ask("info registers -a");
		if (stale && frozen_vm())
			end = FROZEN;
	}
	if (end != ENDED || config->connect)
		domain_destroy();
	if (end == ENDED && stale && console_stale_code(config->serial[CONSOLE]))
		end = STALE;
	console_copy(from, STDOUT_FILENO);
	close(from);
	alarm(0);
	if (end == TIMED_OUT || end == FROZEN)
		append_registers(config->serial[CONSOLE], registers ? registers :
				 "QEMU did not answer\n");
	free(registers);
	status = judge(end, config, options);
	if (status == STATUS_EMULATION && end != ENDED)
		start_over(options, argv);
	keep_log(options, config->serial[CONSOLE], status);
	if (config->plugin && !options->quiet)
		repeat_say(options, config->digest);
	guard_finish();
	if (!options->quiet)
		say("exit %d, %.1f s", status, seconds() - begin);
	if (options->record && status)
		say("to repeat this run: make replay RUN=%s", options->record);
	return status;
}

/* The kernel has its files twice while it unpacks them. It may still need more than this. */
static void check_memory(const struct domain_config *config)
{
	struct stat files;
	unsigned int least;

	if (stat(config->initramfs, &files))
		die("cannot read %s: %s", config->initramfs, strerror(errno));
	least = KERNEL_MEMORY + 2 * (unsigned int)(files.st_size >> 20);
	if (config->machine.memory < least)
		die("--memory %u is too little: the kernel and these files need at least %u",
		    config->machine.memory, least);
}

static char *arguments(const struct options *options)
{
	const struct arch *arch = options->machine.arch;
	char *always = format(ARGUMENTS, arch->console, arch->arguments);
	char *deterministic = options->deterministic ?
		format(DETERMINISTIC_ARGUMENTS, arch->deterministic_arguments) : format("%s", "");
	char *text = format("%s %s %s %s", always, deterministic,
			    machine_arguments(&options->machine),
			    options->append ? options->append : "");

	if (strlen(text) > ARGUMENTS_MAX)
		die("the kernel's command line gets longer than %d characters",
		    ARGUMENTS_MAX);
	free(always);
	free(deterministic);
	return text;
}

static bool kvm_works(const struct options *options, const struct kernel *kernel)
{
	if (options->connect)
		return domain_offers_kvm(options->connect, &options->machine);
	return arch_is_host(options->machine.arch) && accel_kvm_works(kernel, options->kernel);
}

int main(int argc, char **argv)
{
	struct domain_config config = { 0 };
	struct modules modules = { 0 };
	struct options options;
	struct kernel kernel;

	die_status = STATUS_SETUP;
	options_parse(&options, argc, argv);
	emulator_choose(options.machine.arch);
	kernel_find(&kernel, options.kernel, options.machine.arch);
	collect_modules(&modules, &kernel, &options);
	catch_signals();
	guard_sweep();
	config.machine = options.machine;
	config.machine.kvm = options.accel == ACCEL_KVM ||
		(options.accel == ACCEL_AUTO && kvm_works(&options, &kernel));
	/* Whoever counts instructions wants those of a processor that people use. */
	config.machine.plain_moves = options.deterministic && !options.icount;
	/* Goes into the guest with the caller's own. */
	setenv("SECMMU_ACCEL", config.machine.kvm ? "kvm" : "tcg", 1);
	if (options.deterministic)
		setenv("SECMMU_ICOUNT", format("%d", DOMAIN_ICOUNT_SHIFT), 1);
	else
		unsetenv("SECMMU_ICOUNT");
	config.run = guard_start();
	config.image = kernel.image;
	config.initramfs = options.initramfs ? options.initramfs :
		format("%s/initramfs", options.record ? options.record : config.run);
	config.arguments = arguments(&options);
	config.connect = options.connect;
	config.emulator = options.connect ? "" : emulator_find();
	config.deterministic = options.deterministic;
	config.seed = options.seed;
	config.digest = options.digest ? options.digest :
		format("%s/digest", options.record ? options.record : config.run);
	config.gdb = options.gdb;
	if (options.deterministic)
		config.plugin = repeat_plugin(&options, config.digest);
	if (!config.machine.kvm && !options.connect && !emulator_is_known() && !options.quiet)
		say("the machine's own QEMU is used; testvm/emulator/qemu.sh --arch %s gets a better one",
		    options.machine.arch->name);
	prepare_files(&config, &options);
	if (!options.initramfs)
		payload_write(config.initramfs, &options, &kernel, &modules);
	check_memory(&config);
	if (options.record)
		repeat_record(&options);
	return run(&options, &config, kernel.release, argv);
}
