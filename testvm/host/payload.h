/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TESTVM_PAYLOAD_H
#define TESTVM_PAYLOAD_H

struct kernel;
struct modules;
struct options;

/**
 * payload_write() - write the root file system of a run's guest
 * @path: the initramfs to write
 * @options: what to run, in what trees
 * @kernel: whose guest it is
 * @modules: what init loads before that
 *
 * Ends the program if something cannot be read or written.
 */
void payload_write(const char *path, const struct options *options,
		   const struct kernel *kernel, const struct modules *modules);

#endif
