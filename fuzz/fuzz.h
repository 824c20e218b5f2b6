/* SPDX-License-Identifier: GPL-2.0 */
/*
 * In the test VM: run programs until one fails, or run those of a file again.
 *
 * The host reads what is said here, in lines that begin with "@", and a program is
 * told before it is run, for the machine may not survive it:
 *	@ run PROGRAM			in one line
 *	@ keep PLACES			the last one goes to the corpus
 *	@ found VERDICT WORDS		it failed
 *	@ shrunk PROGRAM		a program of the suite that fails still, shrunk
 *	@ unshrunk			it did not fail again here
 *	@ json {...}			how it went
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdbool.h>
#include <stdint.h>

#include "program.h"

/**
 * struct fuzz_options - what is asked for
 * @seconds: how long
 * @programs: how many at most; 0 for no limit
 * @seed: of all choices
 * @places: instrumented places of the driver, 0 if unknown
 * @limit: of one program, in seconds
 * @times: run again so often
 * @tries: shrink in so many tries
 * @on_this_machine: whatever that is: outside of the test VM too
 */
struct fuzz_options {
	uint32_t seconds;
	uint32_t programs;
	uint64_t seed;
	uint32_t places;
	uint32_t limit;
	uint32_t times;
	uint32_t tries;
	bool on_this_machine;
};

int fuzz_allowed(const struct fuzz_options *options);
int fuzz_run(const struct fuzz_options *options);
int fuzz_replay(const struct fuzz_options *options, struct suite *suite);

#endif /* FUZZ_FUZZ_H */
