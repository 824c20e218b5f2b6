/* SPDX-License-Identifier: GPL-2.0 */
/* A mirror of the calling process by lib/test_hmm.c of the kernel. */
#ifndef FOUND_DMIRROR_H
#define FOUND_DMIRROR_H

/* Opens a mirror, or dies. */
int dmirror_open(void);
/*
 * Copies a whole page between @page, through the mirror, and @buffer. Returns how often the
 * mirror had to ask the process for the page: 0 or 1.
 */
unsigned int dmirror_read(int dmirror, const char *page, char *buffer);
unsigned int dmirror_write(int dmirror, char *page, const char *buffer);
/* Moves a page to the memory of the mirror's device. */
void dmirror_migrate(int dmirror, const char *page);

#endif /* FOUND_DMIRROR_H */
