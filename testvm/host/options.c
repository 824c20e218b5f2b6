// SPDX-License-Identifier: GPL-2.0
#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arch.h"
#include "guest.h"
#include "options.h"
#include "util.h"

static const struct argp_option table[] = {
	{ "arch", 'H', "x86_64|arm64", 0,
	  "The VM's architecture (default x86_64); arm64 needs make ARCH=arm64 tools", 0 },
	{ "kernel", 'k', "KERNEL", 0,
	  "6.1, 6.12, 7.3, newest, debug, kcsan (made by kernel.sh; default 6.1), a folder "
	  "like theirs, or an image. For arm64 there is no kcsan", 0 },
	{ "cpus", 'c', "N", 0, "Virtual CPUs (default 4)", 0 },
	{ "memory", 'm', "MIB", 0, "Memory (default 2048)", 0 },
	{ "nodes", 'n', "N", 0, "NUMA nodes that share CPUs and memory (default 1)", 0 },
	{ "iommu", 'I', "intel|amd|virtio", 0,
	  "Have an IOMMU, and the machine q35 instead of pc (default: none). A device's access "
	  "that it blocks is logged, which counts as the kernel's complaint", 0 },
	{ "device", 'V', "e1000", 0,
	  "Have a network card, for its DMA, in an IOMMU group of its own: the first one at "
	  "PCI address 00:10.0 (repeatable, up to 8)", 0 },
	{ "accel", 'a', "auto|tcg|kvm", 0,
	  "What runs the VM (default auto: KVM if a trial boot works, else emulation)", 0 },
	{ "deterministic", 'd', "SEED", OPTION_ARG_OPTIONAL,
	  "Emulate CPUs in turn, with clocks that count instructions, 8 ns each: the same "
	  "command, files and SEED (default 1) make the same run, however busy the host is",
	  0 },
	{ "icount", 'i', NULL, 0, "The same with one CPU: times are repeatable then", 0 },
	{ "digest", 'D', "FILE", 0,
	  "Write digests of what all CPUs have run, for --deterministic: where two runs "
	  "part, these files do", 0 },
	{ "checkpoints", 'C', "N", 0,
	  "Blocks of code between two digests (default 1000000)", 0 },
	{ "schedule", 'S', "ARGUMENTS", 0,
	  "Let CPUs give way, for --deterministic, at places that SEED chooses; ARGUMENTS are "
	  "those of testvm/plugin/schedule.c, with commas", 0 },
	{ "record", 'e', "DIR", 0,
	  "Keep there what make replay needs to repeat the run, for --deterministic, with "
	  "its digests and console", 0 },
	{ "initramfs", 'F', "FILE", 0,
	  "Boot with this one, which --record has kept, instead of a COMMAND", 0 },
	{ "gdb", 'g', "SOCKET", 0, "Let gdb connect to QEMU there", 0 },
	{ "connect", 'U', "URI", 0,
	  "Have the libvirt there run the VM (qemu+ssh://HOST/system): the kernel and its files "
	  "go to its storage pool \"default\", and the results come back", 0 },
	{ "trace", 'T', NULL, 0,
	  "Have the driver's tracepoints write to the kernel's ring buffer; if COMMAND fails, "
	  "OUT/trace gets what is there", 0 },
	{ "timeout", 't', "SECONDS", 0,
	  "Limit for the whole VM, or for the command, by the guest's clock, with "
	  "--deterministic (default 300)", 0 },
	{ "retries", 'R', "N", 0,
	  "How often to start over when emulation spoils the run (default 2)", 0 },
	{ "append", 'A', "ARGUMENTS", 0,
	  "Add to the kernel's command line; NAME.PARAMETER=VALUE reaches modules too", 0 },
	{ "root", 'r', "DIR", 0, "Put the content of DIR at / (repeatable)", 0 },
	{ "debian", 'P', "PACKAGES", 0,
	  "First put packages of Debian 12 there, with all that they depend on, fetched into "
	  "the cache; names, with blanks or commas between them (repeatable)", 0 },
	{ "load", 'L', "NAME", 0,
	  "Load this module of the kernel's own, after KVM's (repeatable)", 0 },
	{ "module", 'M', "FILE", 0, "Then load this module (repeatable)", 0 },
	{ "out", 'o', "DIR", 0, "Put the files the command leaves in /out here", 0 },
	{ "log", 'l', "FILE", 0,
	  "The kernel's console (default: a temporary file, kept on failure)", 0 },
	{ "quiet", 'q', NULL, 0, "No progress on stderr", 0 },
	{ 0 }
};

static const char usage[] = "[--] COMMAND...\n--initramfs FILE";

static const char about[] =
	"Boots a kernel in a virtual machine, runs COMMAND in it and passes on its "
	"output and exit status."
	"\v"
	"The guest has busybox (whose shell prefers its own programs to those in PATH), /dev/kvm, an empty /tmp, and the variable OUT=/out; "
	"the caller's SECMMU_* variables are passed on, SECMMU_ACCEL is what runs the "
	"VM (tcg or kvm), SECMMU_ICOUNT the binary logarithm of the nanoseconds per "
	"instruction under --deterministic and --icount. COMMAND's stdin is empty, its "
	"stdout and stderr both go to testvm's stdout.\n\n"
	"The exit status is COMMAND's (128 + N for signal N), or\n"
	"  123  the kernel died or stood still, by the emulation's own mistake, each time:\n"
	"       this says nothing about it\n"
	"  124  the VM did not end in time (the log has the CPUs' registers)\n"
	"  125  the VM ended without the guest's word for it, or the kernel's\n"
	"       console has a warning, a stall, a leak, a race or worse\n"
	"  126  nothing was run: wrong options, or something is missing here\n"
	"  127  the guest could not execute COMMAND\n"
	"  130, 143, 129  interrupted, terminated, hung up\n\n"
	"Each time that testvm starts over, it says so in a line \"testvm: starting over\"; "
	"what the command said before that does not count. "
	"SIGUSR1 ends the VM as if its time were up.\n";

static unsigned int number(const char *option, const char *text, unsigned int min,
			   unsigned int max)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || *text < '0' || *text > '9' || value < min || value > max)
		die("--%s takes a number from %u to %u, not '%s'", option, min, max, text);
	return value;
}

void strings_add(struct strings *strings, char *value)
{
	strings->list = reallocarray(strings->list, strings->count + 1,
				     sizeof(char *));
	if (!strings->list)
		die("out of memory");
	strings->list[strings->count++] = value;
}

/* VM and log are used from other working directories. */
static char *absolute(const char *path)
{
	char *here, *result;

	if (*path == '/')
		return format("%s", path);
	here = getcwd(NULL, 0);
	if (!here)
		die("cannot tell the working directory: %s", strerror(errno));
	result = format("%s/%s", here, path);
	free(here);
	return result;
}

static enum accel accel_of(const char *text)
{
	if (!strcmp(text, "auto"))
		return ACCEL_AUTO;
	if (!strcmp(text, "tcg"))
		return ACCEL_TCG;
	if (!strcmp(text, "kvm"))
		return ACCEL_KVM;
	die("--accel takes auto, tcg or kvm, not '%s'", text);
}

static const struct arch *arch_of(const char *text)
{
	const struct arch *arch = arch_find(text);

	if (!arch)
		die("--arch takes x86_64 or arm64, not '%s'", text);
	return arch;
}

static enum iommu iommu_of(const char *text)
{
	for (enum iommu iommu = IOMMU_INTEL; iommu <= IOMMU_VIRTIO; iommu++)
		if (!strcmp(text, machine_iommu_name(iommu)))
			return iommu;
	die("--iommu takes intel, amd or virtio, not '%s'", text);
}

static void add_device(struct machine *machine, const char *text)
{
	if (strcmp(text, "e1000"))
		die("--device takes e1000, not '%s'", text);
	if (machine->e1000s == MACHINE_DEVICES)
		die("--device is given more than %d times", MACHINE_DEVICES);
	machine->e1000s++;
}

static char *root_of(char *path)
{
	struct stat st;
	size_t length = strlen(path);

	if (stat(path, &st))
		die("--root %s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		die("--root %s: this is no folder", path);
	while (length > 1 && path[length - 1] == '/')
		path[--length] = '\0';
	return path;
}

static void add_packages(struct strings *packages, char *text)
{
	char *save, *word = strtok_r(text, ", ", &save);

	if (!word)
		die("--debian takes names of packages");
	for (; word; word = strtok_r(NULL, ", ", &save))
		strings_add(packages, word);
}

static error_t parse_machine(int key, const char *value, struct machine *machine)
{
	switch (key) {
	case 'H':
		machine->arch = arch_of(value);
		break;
	case 'c':
		machine->cpus = number("cpus", value, 1, 64);
		break;
	case 'm':
		machine->memory = number("memory", value, 1, 1 << 20);
		break;
	case 'n':
		machine->nodes = number("nodes", value, 1, 8);
		break;
	case 'I':
		machine->iommu = iommu_of(value);
		break;
	case 'V':
		add_device(machine, value);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static error_t parse_one(int key, char *value, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 'k':
		options->kernel = value;
		break;
	case 'a':
		options->accel = accel_of(value);
		break;
	case 'i':
		options->icount = true;
		options->deterministic = true;
		break;
	case 'd':
		options->deterministic = true;
		if (value)
			options->seed = number("deterministic", value, 1, UINT_MAX);
		break;
	case 'D':
		options->digest = absolute(value);
		break;
	case 'C':
		options->checkpoints = number("checkpoints", value, 1, UINT_MAX);
		break;
	case 'S':
		options->schedule = value;
		break;
	case 'e':
		options->record = absolute(value);
		break;
	case 'F':
		options->initramfs = absolute(value);
		break;
	case 'g':
		options->gdb = absolute(value);
		break;
	case 'U':
		options->connect = value;
		break;
	case 'T':
		options->trace = true;
		break;
	case 't':
		options->timeout = number("timeout", value, 1, 7 * 24 * 3600);
		break;
	case 'R':
		options->retries = number("retries", value, 0, 9);
		break;
	case 'A':
		options->append = options->append ?
			format("%s %s", options->append, value) : value;
		break;
	case 'r':
		strings_add(&options->roots, root_of(value));
		break;
	case 'P':
		add_packages(&options->packages, value);
		break;
	case 'L':
		strings_add(&options->loads, value);
		break;
	case 'M':
		strings_add(&options->modules, value);
		break;
	case 'o':
		options->out = absolute(value);
		break;
	case 'l':
		options->log = absolute(value);
		break;
	case 'q':
		options->quiet = true;
		break;
	case ARGP_KEY_ARG:
		/* The first word that is no option begins the command. */
		options->command = &state->argv[state->next - 1];
		state->next = state->argc;
		break;
	default:
		return parse_machine(key, value, &options->machine);
	}
	return 0;
}

/* What repeats itself needs emulation, and the rest of its options need it. */
static void check_deterministic(struct options *options)
{
	if (!options->deterministic) {
		if (options->digest || options->schedule || options->record || options->gdb)
			die("--digest, --schedule, --record and --gdb need --deterministic");
		return;
	}
	if (options->connect)
		die("--connect is not for runs that repeat themselves: these need QEMU's plugin here");
	if (options->record && options->digest)
		die("--record has digests of its own");
	if (options->accel == ACCEL_KVM)
		die("--%s needs emulation, not --accel kvm",
		    options->icount ? "icount" : "deterministic");
	options->accel = ACCEL_TCG;
	if (options->icount)
		options->machine.cpus = 1;
}

static void check_machine(const struct options *options)
{
	const struct machine *machine = &options->machine;

	if (machine->iommu != IOMMU_NONE && !machine->arch->iommu_board)
		die("--iommu is not for %s", machine->arch->name);
	if (options->accel == ACCEL_KVM && !arch_is_host(machine->arch))
		die("--accel kvm runs what this machine is, which is not %s",
		    machine->arch->name);
}

/* What is in an initramfs that was kept cannot be chosen. */
static void check_payload(const struct options *options)
{
	if (!options->initramfs) {
		if (!options->command)
			die("no command given, see --help");
		if (options->trace && !options->out)
			die("--trace needs --out");
		return;
	}
	if (options->command || options->roots.count || options->packages.count ||
	    options->modules.count || options->loads.count || options->trace || options->record)
		die("--initramfs has the command and its files in it");
	if (access(options->initramfs, R_OK))
		die("cannot read %s: %s", options->initramfs, strerror(errno));
}

void options_parse(struct options *options, int argc, char **argv)
{
	static const struct argp parser = {
		.options = table,
		.parser = parse_one,
		.args_doc = usage,
		.doc = about,
	};

	*options = (struct options) {
		.kernel = "6.1",
		.machine = { .arch = &arch_x86_64, .cpus = 4, .memory = 2048, .nodes = 1 },
		.timeout = 300,
		.retries = 2,
		.seed = 1,
		.checkpoints = 1000000,
	};
	argp_err_exit_status = STATUS_SETUP;
	argp_parse(&parser, argc, argv, ARGP_IN_ORDER, NULL, options);
	check_machine(options);
	check_deterministic(options);
	check_payload(options);
}
