/* SPDX-License-Identifier: GPL-2.0 */
/* What a trial can come to. */
#ifndef JUDGE_VERDICT_H
#define JUDGE_VERDICT_H

/**
 * enum verdict - the end of a trial
 * @VERDICT_NONE: it has none yet
 * @VERDICT_PASS: all is as it must be
 * @VERDICT_STALE: an accessor saw or reached what the process has no more
 * @VERDICT_LOST_WRITE: the process does not have what an accessor wrote
 * @VERDICT_WRONG_DATA: an accessor moved other bytes than those it was asked for
 * @VERDICT_OVER_INVALIDATED: more was taken away than had to be
 * @VERDICT_WRONG_PERMISSION: an access was refused that is allowed, or the reverse
 * @VERDICT_STARVED: an accessor did not get on while something else went on
 * @VERDICT_HANG: something did not end
 * @VERDICT_SPLAT: the kernel complained, or died
 * @VERDICT_LEAK: memory did not come back
 * @VERDICT_BROKEN: the check could not be carried out
 * @VERDICT_NOT_APPLICABLE: the subject cannot serve the check, by its nature
 * @VERDICT_SKIPPED: this machine lacks something
 * @VERDICTS: number of the above
 */
enum verdict {
	VERDICT_NONE,
	VERDICT_PASS,
	VERDICT_STALE,
	VERDICT_LOST_WRITE,
	VERDICT_WRONG_DATA,
	VERDICT_OVER_INVALIDATED,
	VERDICT_WRONG_PERMISSION,
	VERDICT_STARVED,
	VERDICT_HANG,
	VERDICT_SPLAT,
	VERDICT_LEAK,
	VERDICT_BROKEN,
	VERDICT_NOT_APPLICABLE,
	VERDICT_SKIPPED,
	VERDICTS,
};

#define RESULT_TEXT	400

/**
 * struct result - a verdict with its reason
 * @verdict: enum verdict
 * @spoiled: the machine cannot be trusted any more
 * @met: expectations of content that were met so far: the check goes on
 * @text: the reason, one line
 */
struct result {
	int verdict;
	int spoiled;
	unsigned int met;
	char text[RESULT_TEXT];
};

const char *verdict_name(enum verdict verdict);

#endif /* JUDGE_VERDICT_H */
