/* SPDX-License-Identifier: GPL-2.0 */
/* Running a program: in a process of its own, for so long at most. */
#ifndef FUZZ_EXEC_H
#define FUZZ_EXEC_H

#include <stdbool.h>
#include <stdint.h>

#include "program.h"

/* From FAILURE on it is a failure of the kernel. */
enum verdict {
	VERDICT_FINE,
	VERDICT_KILLED,		/* it took too long, and died when it was killed */
	VERDICT_FAILURE,
	VERDICT_INCOHERENT = VERDICT_FAILURE,	/* the oracle says so */
	VERDICT_LEFT,		/* faults in flight, and nobody who makes them */
	VERDICT_LEAK,		/* the driver is in use, and nobody uses it */
	VERDICT_COMPLAINT,	/* the kernel says so */
	VERDICT_STUCK,		/* it cannot be killed */
};

/**
 * struct outcome - how a program ended
 * @verdict: what it shows
 * @ops: operations done
 * @judged: mirrors that the oracle has judged
 * @entries: entries of theirs, in tables and TLBs
 * @text: more of the verdict
 */
struct outcome {
	enum verdict verdict;
	uint32_t ops;
	uint32_t judged;
	uint64_t entries;
	char text[256];
};

extern const char *const verdict_name[];

void exec_open(unsigned int limit_s);
void exec_program(const struct program *program, struct outcome *outcome);

#endif /* FUZZ_EXEC_H */
