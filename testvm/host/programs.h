/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TESTVM_PROGRAMS_H
#define TESTVM_PROGRAMS_H

#include "arch.h"
#include "options.h"

/**
 * programs_find() - find Debian's packages in the cache, or get them
 * @packages: their names
 * @arch: the guest's
 *
 * Runs programs/programs.sh of the checkout that this program is built from. Ends the
 * program with a sentence if a package is not to be had.
 *
 * Return: the folder that has their files, never freed.
 */
char *programs_find(const struct strings *packages, const struct arch *arch);

#endif
