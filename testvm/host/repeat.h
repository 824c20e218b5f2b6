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

#endif
