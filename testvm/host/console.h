/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TESTVM_CONSOLE_H
#define TESTVM_CONSOLE_H

#include <stdbool.h>

/**
 * console_copy() - pass on what has been added to a growing file
 * @from: the file, read on from where the last call stopped
 * @to: where to
 *
 * Return: 0, or -1 with errno set if @to cannot be written.
 */
int console_copy(int from, int to);

/**
 * console_token() - look for the token
 * @path: what came over the token's serial line
 * @status: where the command's status goes, 128 + N for a fatal signal N, and -1 if the
 *	guest has ended it since its time was up
 *
 * Return: whether there is exactly one well-formed token and nothing else.
 */
bool console_token(const char *path, int *status);

/**
 * console_scan() - look for a kernel's complaints
 * @path: its log
 * @prefix: put before each offending line
 *
 * Prints the first offending lines to stderr, and the data races that do not offend:
 * see races.h.
 *
 * Return: how many lines offend; -1 if the log cannot be read.
 */
int console_scan(const char *path, const char *prefix);

/**
 * console_patterns() - what console_scan() looks for
 * @bad: words that offend, or those that excuse a line with such a word
 *
 * Return: one per line, to be freed.
 */
char *console_patterns(bool bad);

/**
 * console_stale_code() - did emulation run instructions that were gone?
 * @path: the kernel's log
 *
 * The kernel patches its own code by way of a breakpoint. QEMU may run that breakpoint on
 * another emulated CPU when it is long gone, 7.2 about once in a hundred boots; the kernel dies
 * of "int3" then.
 *
 * Return: whether that is the first thing the kernel complains of.
 */
bool console_stale_code(const char *path);

/**
 * console_out_of_memory() - did the kernel have too little memory to come up?
 * @path: the kernel's log
 *
 * Return: whether it could not unpack its files, or found nothing to kill.
 */
bool console_out_of_memory(const char *path);

#endif
