/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the reproducers share: each is a program that tries one bug of the kernel, and ends
 * with one line,
 *
 *	found: NAME: shown: WHAT WAS SEEN
 *	found: NAME: not shown: WHAT WAS SEEN
 */
#ifndef FOUND_H
#define FOUND_H

#include <stdbool.h>
#include <stddef.h>

#define PAGE	4096ul

/* The command line. @help says what the program does, as a sentence. */
void begin(int argc, char **argv, const char *name, const char *help);

/*
 * The last line, and the end: status 0 if --recorded says the same or is not given, else 1.
 * What cannot be tried ends with die(), status 2.
 */
void conclude(bool shown, const char *text, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

/* Private anonymous memory in small pages, or a shared memfd; zeroes, not touched. */
char *map_private(size_t length);
char *map_memfd(size_t length);

/* Reclaims a page that the process has; dies if it stays. */
void reclaim_page(char *page);

#endif /* FOUND_H */
