// SPDX-License-Identifier: GPL-2.0
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "inside.h"

#define REPETITIONS_MAX	100000
#define PROGRESS_NS	2000000000

/* The unit of a clock that counts them. */
#define INSTRUCTIONS	"instructions"

static const char *const grids[BENCH_GRIDS] = {
	[BENCH_FULL] = "full",
	[BENCH_QUICK] = "quick",
	[BENCH_TINY] = "tiny",
};

static const unsigned int grid_repetitions[BENCH_GRIDS] = {
	[BENCH_FULL] = 21,
	[BENCH_QUICK] = 7,
	[BENCH_TINY] = 2,
};

/**
 * struct machine - where the results come from; part of each
 * @kernel: its release
 * @accel: what runs it: tcg or kvm in the test VM, which says so; else none on
 *	bare hardware, or vm
 * @cpus: processors
 * @shift: under QEMU's -icount the clock counts instructions, 1 << shift
 *	nanoseconds each; whoever started the VM says so. Else -1.
 */
static struct machine {
	struct utsname kernel;
	const char *accel;
	long cpus;
	int shift;
} machine;

static const struct argp_option options[] = {
	{ "grid", 'g', "full|quick|tiny", 0,
	  "How much to measure: everything (default), what fits into a few minutes, or only whether it works",
	  0 },
	{ "repetitions", 'r', "N", 0,
	  "How often each case is measured (default 21, quick 7, tiny 2)", 0 },
	{ "build", 'b', "normal|test", 0,
	  "Which build of the driver is loaded (default normal); with a test build only what needs one is measured",
	  0 },
	{ "output", 'o', "FILE", 0,
	  "Append the results to FILE (default: standard output)", 0 },
	{ 0 }
};

/**
 * bench_die - say why the benchmark cannot go on, and end it
 * @format: one sentence
 */
void bench_die(const char *format, ...)
{
	va_list arguments;

	fflush(stdout);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

/**
 * bench_text - make a text
 * @format: as for printf()
 *
 * Return: the text, to be freed or kept.
 */
char *bench_text(const char *format, ...)
{
	va_list arguments;
	char *text;
	int ret;

	va_start(arguments, format);
	ret = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (ret < 0)
		bench_die("out of memory");
	return text;
}

/**
 * bench_now - the clock
 *
 * Return: nanoseconds since some moment.
 */
uint64_t bench_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/**
 * bench_changes - end the benchmark unless it may change the machine
 * @what: it would do to it
 */
void bench_changes(const char *what)
{
	if (!inside_or_told())
		bench_die("refused outside of the test VM, for it %s; " INSIDE_VARIABLE
			  "=yes lets it", what);
}

/**
 * bench_open - open a device
 * @path: its path
 * @advice: what to do if it is not there
 *
 * Return: the descriptor.
 */
int bench_open(const char *path, const char *advice)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		bench_die("cannot open %s: %s; %s", path, strerror(errno),
			  errno == EACCES || errno == EPERM ? "be root" :
							      advice);
	return fd;
}

/* The processors that the program was started on. */
static cpu_set_t *allowed(void)
{
	static cpu_set_t set;
	static bool known;

	if (!known && sched_getaffinity(0, sizeof(set), &set))
		bench_die("cannot tell the processors: %s", strerror(errno));
	known = true;
	return &set;
}

/* Two processors show whether it works, and more may be none of the host's. */
static void use_two(void)
{
	cpu_set_t *set = allowed(), two;

	CPU_ZERO(&two);
	for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&two) < 2; i++)
		if (CPU_ISSET(i, set))
			CPU_SET(i, &two);
	*set = two;
}

/**
 * bench_cpus - how many processors are there to stay on?
 *
 * Call it, or bench_pin(), before there are threads.
 *
 * Return: their number.
 */
unsigned int bench_cpus(void)
{
	return CPU_COUNT(allowed());
}

/**
 * bench_pin - stay on one processor
 * @index: 0 for the first one that the program was started on, and so on; the
 *	last one stands in for those that are not there
 */
void bench_pin(unsigned int index)
{
	const cpu_set_t *set = allowed();
	cpu_set_t one;

	CPU_ZERO(&one);
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (!CPU_ISSET(i, set))
			continue;
		CPU_ZERO(&one);
		CPU_SET(i, &one);
		if (!index--)
			break;
	}
	if (sched_setaffinity(0, sizeof(one), &one))
		bench_die("cannot stay on one processor: %s", strerror(errno));
}

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct bench *bench = state->input;
	unsigned long number;
	char *end;

	switch (key) {
	case 'g':
		for (int i = 0; i < BENCH_GRIDS; i++) {
			if (!strcmp(value, grids[i])) {
				bench->grid = i;
				return 0;
			}
		}
		bench_die("--grid takes full, quick or tiny, not '%s'", value);
	case 'r':
		errno = 0;
		number = strtoul(value, &end, 10);
		if (errno || *end || *value < '0' || *value > '9' || !number ||
		    number > REPETITIONS_MAX)
			bench_die("--repetitions takes a number from 1 to %d, not '%s'",
				  REPETITIONS_MAX, value);
		bench->repetitions = number;
		return 0;
	case 'b':
		bench->test_build = !strcmp(value, "test");
		if (!bench->test_build && strcmp(value, "normal"))
			bench_die("--build takes normal or test, not '%s'", value);
		return 0;
	case 'o':
		bench->output = fopen(value, "ae");
		if (!bench->output)
			bench_die("cannot write %s: %s", value, strerror(errno));
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static bool is_vm(void)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[8192];
	bool vm = false;

	while (file && !vm && fgets(line, sizeof(line), file))
		vm = !strncmp(line, "flags", 5) && strstr(line, " hypervisor");
	if (file)
		fclose(file);
	return vm;
}

static void look_at_machine(void)
{
	const char *shift = getenv("SECMMU_ICOUNT");

	uname(&machine.kernel);
	machine.accel = getenv("SECMMU_ACCEL");
	if (!machine.accel)
		machine.accel = is_vm() ? "vm" : "none";
	machine.cpus = sysconf(_SC_NPROCESSORS_ONLN);
	machine.shift = shift ? atoi(shift) : -1;
}

/**
 * bench_init - read the command line
 * @bench: name, sentence and what is enough are set; the rest is filled in
 * @argc: of main()
 * @argv: of main()
 */
void bench_init(struct bench *bench, int argc, char **argv)
{
	const struct argp parser = {
		.options = options,
		.parser = parse,
		.doc = bench->about,
	};

	bench->grid = BENCH_FULL;
	bench->test_build = false;
	bench->repetitions = 0;
	bench->output = stdout;
	argp_err_exit_status = 2;
	argp_parse(&parser, argc, argv, 0, NULL, bench);
	if (!bench->repetitions) {
		bench->repetitions = grid_repetitions[bench->grid];
		if (bench->enough && bench->enough < bench->repetitions)
			bench->repetitions = bench->enough;
	}
	if (bench->grid == BENCH_TINY)
		use_two();
	look_at_machine();
}

/**
 * bench_add - add a case
 * @bench: the benchmark
 * @one: the case; copied, but for what it points to
 */
void bench_add(struct bench *bench, const struct bench_case *one)
{
	bench->cases = reallocarray(bench->cases, bench->nr_cases + 1,
				    sizeof(*one));
	if (!bench->cases)
		bench_die("out of memory");
	bench->cases[bench->nr_cases++] = *one;
}

static void count(FILE *file, const char *key, bool counted, uint64_t value)
{
	if (counted)
		fprintf(file, ",\"%s\":%" PRIu64, key, value);
	else
		fprintf(file, ",\"%s\":null", key);
}

/* One line. Nobody reads half of one: it goes out when it is complete. */
static void emit(const struct bench *bench, const struct bench_case *one,
		 const struct bench_sample *sample, unsigned int repetition)
{
	const char *unit = one->unit ? one->unit : "ns";
	double value = sample->value;
	FILE *file = bench->output;

	if (machine.shift >= 0 && !one->unit) {
		value /= 1 << machine.shift;
		unit = INSTRUCTIONS;
	}
	fprintf(file, "{\"name\":\"%s\",\"variant\":{%s%s},\"pages\":%" PRIu64
		",\"threads\":%u,\"value\":%.10g,\"unit\":\"%s\"", bench->name,
		one->variant, bench->test_build ? ",\"build\":\"test\"" : "",
		one->pages, one->threads, value, unit);
	count(file, "flushes", sample->counted, sample->flushes);
	count(file, "interrupts", sample->counted, sample->interrupts);
	fprintf(file, ",\"kernel\":\"%s\",\"accel\":\"%s\",\"cpus\":%ld,\"repetition\":%u}\n",
		machine.kernel.release, machine.accel, machine.cpus,
		repetition);
	if (fflush(file) || ferror(file))
		bench_die("cannot write the results: %s", strerror(errno));
}

/* Shuffle the cases; the same way each time the program runs. */
static void shuffle(struct bench *bench)
{
	static uint32_t state = 1;

	for (unsigned int i = bench->nr_cases; i > 1; i--) {
		struct bench_case *a = &bench->cases[i - 1], *b, other;

		state = state * 1664525 + 1013904223;
		b = &bench->cases[((uint64_t)state * i) >> 32];
		other = *a;
		*a = *b;
		*b = other;
	}
}

static bool is_due(const struct bench_case *one, unsigned int round)
{
	return !one->enough || (round && round <= one->enough);
}

/**
 * bench_run - measure everything, and close the output
 * @bench: with its cases
 *
 * Each round measures each case once, in another order. Round 0 warms up and is
 * thrown away. Of some cases few rounds are enough.
 */
void bench_run(struct bench *bench)
{
	uint64_t told = 0;

	if (!bench->nr_cases)
		bench_die("there is nothing to measure here");
	for (unsigned int round = 0; round <= bench->repetitions; round++) {
		for (unsigned int i = 0; i < bench->nr_cases; i++) {
			struct bench_case *one = &bench->cases[i];
			struct bench_sample sample = { 0 };

			if (!is_due(one, round))
				continue;
			if (bench_now() - told > PROGRESS_NS) {
				told = bench_now();
				fprintf(stderr, "%s: round %u of %u, case %u of %u\n",
					bench->name, round, bench->repetitions,
					i + 1, bench->nr_cases);
			}
			one->measure(one->data, &sample);
			if (round)
				emit(bench, one, &sample, round);
		}
		/* The first round gives the results their order in the file. */
		if (round)
			shuffle(bench);
	}
	if (fclose(bench->output))
		bench_die("cannot write the results: %s", strerror(errno));
}
