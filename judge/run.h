/* SPDX-License-Identifier: GPL-2.0 */
/* A check in a process of its own, with a limit. */
#ifndef JUDGE_RUN_H
#define JUDGE_RUN_H

#include "check.h"

/**
 * struct run - how a check of a subject went
 * @ops: the subject
 * @check: the check
 * @result: the verdict
 * @ms: how long it took
 */
struct run {
	const struct subject_ops *ops;
	const struct check *check;
	struct result result;
	uint64_t ms;
};

/* Can the subject serve the check? If not, the verdict says why. */
bool run_applies(struct run *run);
/* Let the check run; @slow makes its limit longer. */
void run_check(struct run *run, unsigned int slow);
/* The subject's probe in a process of its own: 0, or -1 with the reason. */
int run_probe(const struct subject_ops *ops, char *why, size_t size);

#endif /* JUDGE_RUN_H */
