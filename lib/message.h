/* SPDX-License-Identifier: GPL-2.0 */
/* What a program tells its user on standard error: a sentence behind its name. */
#ifndef LIB_MESSAGE_H
#define LIB_MESSAGE_H

/* What die() exits with; 2 unless the program sets it. */
extern int die_status;

/* A line, in one write. Returns -1, so that a function can fail with it. */
int say(const char *text, ...) __attribute__((format(printf, 1, 2)));
/* The same, and the end of the program, with its exit handlers. */
void die(const char *text, ...) __attribute__((noreturn, format(printf, 1, 2)));
/* A text to be freed, or kept. */
char *format(const char *text, ...) __attribute__((format(printf, 1, 2)));

#endif /* LIB_MESSAGE_H */
