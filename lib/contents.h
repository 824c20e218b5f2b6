/* SPDX-License-Identifier: GPL-2.0 */
/* All that a file has, or a program says. */
#ifndef LIB_CONTENTS_H
#define LIB_CONTENTS_H

#include <stddef.h>

/**
 * read_file() - read a whole file
 * @path: the file
 * @size: where its size goes, or NULL
 *
 * Return: the content with a NUL behind it, to be freed; NULL with errno set
 * if it cannot be read.
 */
char *read_file(const char *path, size_t *size);

/**
 * read_program() - run a program and read what it writes to its stdout
 * @argv: program and arguments; the program is looked up in PATH
 * @size: where the size of the output goes, or NULL
 *
 * Must be called while the process has one thread.
 *
 * Return: the output with a NUL behind it, to be freed; NULL if the program
 * could not be run or failed.
 */
char *read_program(char *const argv[], size_t *size);

#endif /* LIB_CONTENTS_H */
