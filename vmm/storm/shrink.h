/* SPDX-License-Identifier: GPL-2.0 */
/* Cuts a script that fails to one that fails with as few steps as possible. */
#ifndef STORM_SHRINK_H
#define STORM_SHRINK_H

#include <stdint.h>

/**
 * struct shrink_options - what to cut, and how
 * @script: file of the script, which fails
 * @output: file of what is left
 * @storm: options of the storms, between blanks, or NULL
 * @tries: a script that does not fail in so many storms does not fail
 */
struct shrink_options {
	const char *script;
	const char *output;
	const char *storm;
	uint32_t tries;
};

int shrink_run(const struct shrink_options *options);

#endif /* STORM_SHRINK_H */
