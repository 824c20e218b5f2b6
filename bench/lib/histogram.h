/* SPDX-License-Identifier: GPL-2.0 */
/* Histograms of trace events, which the kernel keeps; they need tracefs. */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdbool.h>
#include <stdio.h>

#define TRACING	"/sys/kernel/tracing/"

/* Write to a file of tracefs. Returns 0 or a negative errno. */
int tracing_write(const char *file, const char *text);

/* @event: "group/name"; @keys: fields of it, or "stacktrace". What fails ends the program. */
bool histogram_is_possible(const char *event);
void histogram_begin(const char *event, const char *keys);
/* Its text; NULL if there is no such event. */
FILE *histogram_open(const char *event);
void histogram_end(const char *event, const char *keys);

/*
 * The hits that a line tells, if it ends an entry; else 0. If it says that the histogram was
 * too small, the program ends.
 */
unsigned long long histogram_hits(const char *line);

#endif /* BENCH_HISTOGRAM_H */
