/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TESTVM_OPTIONS_H
#define TESTVM_OPTIONS_H

#include <stdbool.h>

#include "machine.h"

/**
 * struct strings - a list of option values, in the order they were given
 * @list: @count of them
 * @count: how many
 */
struct strings {
	char **list;
	unsigned int count;
};

void strings_add(struct strings *strings, char *value);

enum accel { ACCEL_AUTO, ACCEL_TCG, ACCEL_KVM };

/**
 * struct options - what the command line asks for
 * @kernel: name, folder or image
 * @append: appended to the kernel's command line
 * @out: folder for the files from the guest, or NULL
 * @log: where the kernel's console goes, or NULL
 * @roots: folders whose content goes to the guest's root
 * @packages: names of Debian's packages whose files go there before
 * @loads: names of the kernel's own modules
 * @modules: files of other modules
 * @command: what to run, NULL at the end
 * @machine: the VM's board; what runs it is not decided yet
 * @timeout: seconds
 * @retries: how often a VM that emulation spoils is started over
 * @accel: emulation, KVM, or what works
 * @icount: emulation that counts instructions, and has one processor
 * @deterministic: emulation that repeats itself; true with @icount too
 * @seed: of what the guest sees as chance, and of schedules
 * @digest: file for the digests of a deterministic run, or NULL
 * @checkpoints: blocks of code between two of them
 * @schedule: the arguments of the plugin that choose schedules, or NULL
 * @record: folder for what it takes to repeat the run, or NULL
 * @initramfs: file to boot with instead of a command, or NULL
 * @gdb: socket for a debugger, or NULL
 * @connect: URI of a libvirt that runs the VM, or NULL
 * @trace: whether tracepoints are on
 * @quiet: no progress on stderr
 */
struct options {
	const char *kernel;
	const char *append;
	char *out;
	char *log;
	struct strings roots;
	struct strings packages;
	struct strings loads;
	struct strings modules;
	char **command;
	struct machine machine;
	unsigned int timeout;
	unsigned int retries;
	enum accel accel;
	bool icount;
	bool deterministic;
	unsigned int seed;
	char *digest;
	unsigned int checkpoints;
	char *schedule;
	char *record;
	char *initramfs;
	char *gdb;
	const char *connect;
	bool trace;
	bool quiet;
};

/**
 * options_parse() - read the command line
 * @options: filled
 * @argc: of main()
 * @argv: of main()
 *
 * Ends the program with STATUS_SETUP and one sentence if something is wrong.
 */
void options_parse(struct options *options, int argc, char **argv);

#endif
