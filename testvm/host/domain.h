/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TESTVM_DOMAIN_H
#define TESTVM_DOMAIN_H

#include <stdbool.h>

#include "machine.h"

#define DOMAIN_SERIALS		4
#define DOMAIN_ICOUNT_SHIFT	3

/**
 * struct domain_config - the VM to start
 * @run: the run's folder, for libvirt's own files
 * @image: the kernel
 * @initramfs: its root
 * @arguments: its command line
 * @serial: files that take what comes over the serial lines
 * @machine: its board
 * @emulator: path or name of QEMU
 * @digest: file for the plugin's digests
 * @plugin: what stands behind QEMU's -plugin, or NULL
 * @gdb: socket for a debugger, or NULL
 * @connect: URI of the libvirt that runs it, or NULL: the one inside of this process
 * @deterministic: whether emulation counts instructions: the guest's clocks then move
 *	1 << DOMAIN_ICOUNT_SHIFT nanoseconds with each, and start at a fixed time
 * @seed: what the guest sees as chance follows from it, if @deterministic
 */
struct domain_config {
	const char *run;
	const char *image;
	const char *initramfs;
	const char *arguments;
	const char *serial[DOMAIN_SERIALS];
	struct machine machine;
	const char *emulator;
	const char *digest;
	const char *plugin;
	const char *gdb;
	const char *connect;
	bool deterministic;
	unsigned int seed;
};

/**
 * domain_start() - start a VM by libvirt
 * @config: what to start
 *
 * There is one VM per process. From here on the process has more threads.
 * Ends the program with one sentence if it cannot be started.
 *
 * Return: a descriptor that becomes readable when the guest has ended; QEMU may
 * still be there then, but writes nothing any more.
 */
int domain_start(const struct domain_config *config);

/**
 * domain_offers_kvm() - can a libvirt elsewhere run a machine by KVM?
 * @uri: of it
 * @machine: the machine
 *
 * Ends the program with one sentence if it does not answer.
 */
bool domain_offers_kvm(const char *uri, const struct machine *machine);

/**
 * domain_ask() - ask QEMU's monitor
 * @question: as a person would type it
 *
 * Return: its answer, to be freed, or NULL.
 */
char *domain_ask(const char *question);

/**
 * domain_destroy() - end a VM that still runs, and let go of libvirt
 *
 * Afterwards QEMU writes nothing any more, and what it has written elsewhere is here.
 */
void domain_destroy(void);

#endif
