// SPDX-License-Identifier: GPL-2.0
/* Everything that is written as JSON. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bench.h"

/**
 * struct machine - where the results come from; part of each result
 * @kernel: its release
 * @accel: what runs it: tcg or kvm in the test VM, which says so; elsewhere none (bare
 *	hardware) or vm
 * @cpus: processors
 * @shift: under QEMU's -icount the clock counts instructions, 1 << @shift nanoseconds
 *	each; the test VM says so. Else -1.
 */
static struct machine {
	struct utsname kernel;
	const char *accel;
	long cpus;
	int shift;
} machine;

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

void results_inspect_machine(void)
{
	const char *shift = getenv("SECMMU_ICOUNT");

	uname(&machine.kernel);
	machine.accel = getenv("SECMMU_ACCEL");
	if (!machine.accel)
		machine.accel = is_vm() ? "vm" : "none";
	machine.cpus = sysconf(_SC_NPROCESSORS_ONLN);
	machine.shift = shift ? atoi(shift) : -1;
}

double results_convert(const struct bench_case *one, double ns)
{
	return one->unit || machine.shift < 0 ? ns : ns / (1 << machine.shift);
}

const char *results_unit(const struct bench_case *one)
{
	return one->unit ? one->unit : machine.shift < 0 ? "ns" : "instructions";
}

static void write_string(FILE *file, const char *text)
{
	fputc('"', file);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', file);
		fputc(*text, file);
	}
	fputc('"', file);
}

static void write_member(FILE *file, const char *key, const char *value)
{
	fprintf(file, "\"%s\":", key);
	if (!value)
		fputs("null", file);
	else if (*value && !value[strspn(value, "0123456789")])
		fputs(value, file);
	else
		write_string(file, value);
}

static void write_count(FILE *file, const char *key, bool counted, uint64_t value)
{
	if (counted)
		fprintf(file, ",\"%s\":%" PRIu64, key, value);
	else
		fprintf(file, ",\"%s\":null", key);
}

/**
 * results_write - write one line, if there is a file to write to
 * @bench: the question that is being measured
 * @one: the case
 * @sample: the measurement, in the unit of the case
 * @round: its number
 *
 * The line leaves the program in one piece, so that a reader sees all of it or nothing.
 */
void results_write(const struct bench *bench, const struct bench_case *one,
		   const struct bench_sample *sample, unsigned int round)
{
	FILE *file = bench->output;

	if (!file)
		return;
	fprintf(file, "{\"name\":\"%s\",\"variant\":{", bench->question->name);
	for (size_t i = 0; i < VARIANT_MAX && one->variant[i].key; i++) {
		fputs(i ? "," : "", file);
		write_member(file, one->variant[i].key, one->variant[i].value);
	}
	fprintf(file, "%s},\"pages\":%" PRIu64 ",\"threads\":%u,\"value\":%.10g,\"unit\":\"%s\"",
		bench->test_build ? ",\"build\":\"test\"" : "", one->pages, one->threads,
		sample->value, results_unit(one));
	write_count(file, "flushes", sample->counted, sample->flushes);
	write_count(file, "interrupts", sample->counted, sample->interrupts);
	fprintf(file, ",\"kernel\":\"%s\",\"accel\":\"%s\",\"cpus\":%ld,\"repetition\":%u}\n",
		machine.kernel.release, machine.accel, machine.cpus, round);
	if (fflush(file) || ferror(file))
		bench_die("cannot write the results: %s", strerror(errno));
}

static void describe_target(const struct target *target)
{
	write_member(stdout, "what", target->what);
	putchar(',');
	write_member(stdout, "value", target->value);
	putchar(',');
	write_member(stdout, "of", target->of);
	printf(",\"limit\":%.10g", target->limit);
}

static void describe_question(const struct question *question)
{
	const struct pair members[] = {
		{ "name", question->name },
		{ "text", question->text },
		{ "across", question->across },
		{ "plot", question->plot },
		{ "plotted", question->plotted },
		{ "each", question->each },
	};

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		write_member(stdout, members[i].key, members[i].value);
		puts(",");
	}
	printf("\"rows\":[");
	for (size_t i = 0; i < VARIANT_MAX && question->rows[i]; i++) {
		fputs(i ? "," : "", stdout);
		write_string(stdout, question->rows[i]);
	}
	printf("],\n\"targets\":[");
	for (size_t i = 0; question->targets && question->targets[i].what; i++) {
		fputs(i ? "},\n{" : "{", stdout);
		describe_target(&question->targets[i]);
		fputs(question->targets[i + 1].what ? "" : "}", stdout);
	}
	putchar(']');
}

/**
 * results_describe - print for other programs what questions say about themselves
 * @questions: the questions
 * @nr: how many
 */
void results_describe(const struct question *const *questions, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		fputs(i ? "},\n{" : "[{", stdout);
		describe_question(questions[i]);
	}
	puts("}]");
}
