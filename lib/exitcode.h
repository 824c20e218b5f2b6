/* SPDX-License-Identifier: GPL-2.0 */
/* What the program's exit status means; the table in README.md is this one. */
#ifndef LIB_EXITCODE_H
#define LIB_EXITCODE_H

/**
 * enum exit_code - how a command ended
 * @EXIT_PASS: it did what it was to do, and found nothing wrong
 * @EXIT_FAIL: something is wrong: violations, whatever else happened
 * @EXIT_CANNOT: it could not run: usage or set-up
 * @EXIT_UNPROVEN: nothing is wrong, but too little happened to prove that
 * @EXIT_STUCK: a thread did not get on, and all were given up
 * @EXIT_INTERRUPTED: plus the number of the signal that ended it early
 */
enum exit_code {
	EXIT_PASS = 0,
	EXIT_FAIL = 1,
	EXIT_CANNOT = 2,
	EXIT_UNPROVEN = 3,
	EXIT_STUCK = 4,
	EXIT_INTERRUPTED = 128,
};

#endif /* LIB_EXITCODE_H */
