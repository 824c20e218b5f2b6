// SPDX-License-Identifier: GPL-2.0
/*
 * Runs that repeat themselves: the plugin that digests them and has CPUs give way.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch.h"
#include "emulator.h"
#include "options.h"
#include "repeat.h"
#include "util.h"

/* The last line of a digest that is complete; see plugin/schedule.c. */
#define OVER	"\nover "

char *repeat_plugin(const struct options *options, const char *digest)
{
	char *self, *plugin;

	if (!emulator_is_known()) {
		if (options->machine.cpus > 1)
			die("--deterministic with %u CPUs needs QEMU 10, run: testvm/emulator/qemu.sh",
			    options->machine.cpus);
		if (options->digest || options->schedule)
			die("--digest and --schedule need QEMU 10, run: testvm/emulator/qemu.sh");
		return NULL;
	}
	self = realpath("/proc/self/exe", NULL);
	if (!self)
		die("cannot tell where this program is: %s", strerror(errno));
	plugin = format("file=%.*s/schedule.so,digest=%s,every=%u,cpus=%u,seed=%u%s%s",
			(int)(strrchr(self, '/') - self), self, digest,
			options->checkpoints, options->machine.cpus, options->seed,
			options->schedule ? "," : "",
			options->schedule ? options->schedule : "");
	free(self);
	return plugin;
}

static void record_machine(FILE *file, const struct machine *machine)
{
	fprintf(file, "--arch\n%s\n", machine->arch->name);
	fprintf(file, "--cpus\n%u\n--memory\n%u\n--nodes\n%u\n", machine->cpus,
		machine->memory, machine->nodes);
	if (machine->iommu != IOMMU_NONE)
		fprintf(file, "--iommu\n%s\n", machine_iommu_name(machine->iommu));
	for (unsigned int i = 0; i < machine->e1000s; i++)
		fprintf(file, "--device\ne1000\n");
}

void repeat_record(const struct options *options)
{
	char *path = format("%s/options", options->record);
	char *kernel = strchr(options->kernel, '/') ? realpath(options->kernel, NULL) :
		       format("%s", options->kernel);
	FILE *file = fopen(path, "we");

	if (!file || !kernel)
		die("cannot write %s: %s", path, strerror(errno));
	fprintf(file, "--kernel\n%s\n--timeout\n%u\n", kernel, options->timeout);
	record_machine(file, &options->machine);
	fprintf(file, "--deterministic=%u\n--checkpoints\n%u\n", options->seed,
		options->checkpoints);
	if (options->icount)
		fprintf(file, "--icount\n");
	if (options->append)
		fprintf(file, "--append\n%s\n", options->append);
	if (options->schedule)
		fprintf(file, "--schedule\n%s\n", options->schedule);
	if (fclose(file))
		die("cannot write %s: %s", path, strerror(errno));
	free(path);
	free(kernel);
}

void repeat_say(const struct options *options, const char *digest)
{
	char *text = read_file(digest, NULL);
	char *over = text ? strstr(text, OVER) : NULL;
	char *blocks = over ? over + strlen(OVER) : NULL;

	/* Short runs have no checkpoint. */
	if (text && !strncmp(text, OVER + 1, strlen(OVER + 1)))
		blocks = text + strlen(OVER + 1);
	if (blocks)
		say("seed %u, blocks and digest %.*s", options->seed,
		    (int)strcspn(blocks, "\n"), blocks);
	else
		say("seed %u, no digest: the guest did not get to its end", options->seed);
	free(text);
}
