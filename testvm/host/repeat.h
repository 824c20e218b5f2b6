/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TESTVM_REPEAT_H
#define TESTVM_REPEAT_H

#include <stdbool.h>

struct options;

/**
 * repeat_plugin() - what QEMU's plugin is told
 * @options: deterministic
 * @digest: file for its digests
 *
 * Ends the program with a sentence if the options need a plugin that this QEMU cannot load.
 *
 * Return: the value of QEMU's option, or NULL for none.
 */
char *repeat_plugin(const struct options *options, const char *digest);

/**
 * repeat_say() - tell how the run was, on stderr
 * @options: deterministic
 * @digest: the file
 */
void repeat_say(const struct options *options, const char *digest);

/**
 * repeat_record() - keep what it takes to repeat the run
 * @options: deterministic, with a folder to keep it in
 *
 * The folder gets a file "options", one word of testvm's command line in each line. The
 * initramfs, which has all else, and the digests are written there by others.
 */
void repeat_record(const struct options *options);

#endif
