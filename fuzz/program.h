/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Programs: sequences of operations, on up to three threads. As text, one operation a
 * line, each with its thread and its arguments:
 *
 *	rounds 8
 *	0 open device=0
 *	0 mirror device=0 mirror=1 policy=0 batch=0 of=0 twist=0
 *	1 advise page=0 pages=512 advice=4
 *
 * Names of arguments may be left out, then their order counts, and so may zeros at
 * the end; ";" is as good as the end of a line; "#" begins a comment. A file may have
 * several programs, which are run one after the other: each begins with "rounds".
 *
 * What comes before the first operation of another thread than 0 is done by thread 0
 * alone. Then all threads do their shares at the same time, so many rounds.
 */
#ifndef FUZZ_PROGRAM_H
#define FUZZ_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "op.h"

#define MAX_OPS		32
#define MAX_ROUNDS	64

/**
 * struct op - one operation
 * @kind: index in op_kinds
 * @thread: who does it
 * @arg: its arguments
 */
struct op {
	uint8_t kind;
	uint8_t thread;
	uint64_t arg[MAX_ARGS];
};

/**
 * struct program - operations
 * @rounds: of the concurrent part
 * @nr: number of operations
 * @op: the operations
 */
struct program {
	uint32_t rounds;
	uint32_t nr;
	struct op op[MAX_OPS];
};

/**
 * struct suite - programs to be run one after the other
 * @nr: number of programs
 * @program: the programs
 */
struct suite {
	uint32_t nr;
	struct program *program;
};

void program_print(const struct program *program, FILE *file, bool brief);
unsigned int program_alone(const struct program *program);

int suite_parse(struct suite *suite, FILE *file, const char *name);
void suite_print(const struct suite *suite, FILE *file);
void suite_copy(struct suite *to, const struct suite *from);
uint32_t suite_ops(const struct suite *suite);

#endif /* FUZZ_PROGRAM_H */
