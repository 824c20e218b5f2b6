// SPDX-License-Identifier: GPL-2.0
/* Everything that is written as JSON. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bench.h"
#include "json.h"
#include "version.h"

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

/* Numbers are no strings. */
static void write_member(struct json *json, const char *key, const char *value)
{
	if (!value)
		json_null(json, key);
	else if (*value && !value[strspn(value, "0123456789")])
		json_number(json, key, strtoull(value, NULL, 10));
	else
		json_string(json, key, value);
}

static void write_count(struct json *json, const char *key, bool counted, uint64_t value)
{
	if (counted)
		json_number(json, key, value);
	else
		json_null(json, key);
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
	struct json json = { .compact = true };

	if (!bench->output)
		return;
	json_begin(&json, bench->output, "{}");
	json_string(&json, "name", bench->question->name);
	json_object(&json, "variant");
	for (size_t i = 0; i < VARIANT_MAX && one->variant[i].key; i++)
		write_member(&json, one->variant[i].key, one->variant[i].value);
	if (bench->test_build)
		json_string(&json, "build", "test");
	json_end(&json);
	json_number(&json, "pages", one->pages);
	json_number(&json, "threads", one->threads);
	json_real(&json, "value", sample->value);
	json_string(&json, "unit", results_unit(one));
	write_count(&json, "flushes", sample->counted, sample->flushes);
	write_count(&json, "interrupts", sample->counted, sample->interrupts);
	json_string(&json, "version", secmmu_version);
	json_string(&json, "kernel", machine.kernel.release);
	json_string(&json, "accel", machine.accel);
	json_number(&json, "cpus", (uint64_t)machine.cpus);
	json_number(&json, "repetition", round);
	json_end(&json);
	if (fflush(bench->output) || ferror(bench->output))
		die("cannot write the results: %s", strerror(errno));
}

static void describe_keys(struct json *json, const char *name, const char *const *keys)
{
	json_list(json, name);
	for (size_t i = 0; i < VARIANT_MAX && keys[i]; i++)
		json_string(json, NULL, keys[i]);
	json_end(json);
}

static void describe_question(struct json *json, const struct question *question)
{
	json_object(json, NULL);
	write_member(json, "name", question->name);
	write_member(json, "text", question->text);
	write_member(json, "across", question->across);
	write_member(json, "plot", question->plot);
	write_member(json, "plotted", question->plotted);
	write_member(json, "each", question->each);
	describe_keys(json, "rows", question->rows);
	describe_keys(json, "panels", question->panels);
	json_list(json, "targets");
	for (const struct target *at = question->targets; at && at->what; at++) {
		json_object(json, NULL);
		write_member(json, "what", at->what);
		write_member(json, "value", at->value);
		write_member(json, "of", at->of);
		json_real(json, "limit", at->limit);
		json_end(json);
	}
	json_end(json);
	json_end(json);
}

/**
 * results_describe - print for other programs what questions say about themselves
 * @questions: the questions
 * @nr: how many
 */
void results_describe(const struct question *const *questions, size_t nr)
{
	struct json json = { 0 };

	json_begin(&json, stdout, "[]");
	for (size_t i = 0; i < nr; i++)
		describe_question(&json, questions[i]);
	json_end(&json);
}
