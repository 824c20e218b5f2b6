// SPDX-License-Identifier: GPL-2.0
/* Names of things. */
#include <string.h>
#include "check.h"

/**
 * subject_find - find a subject
 * @name: its name
 *
 * Return: it, or NULL.
 */
const struct subject_ops *subject_find(const char *name)
{
	for (const struct subject_entry *entry = __start_subjects; entry < __stop_subjects; entry++)
		if (!strcmp(entry->ops->name, name))
			return entry->ops;
	return NULL;
}

/**
 * subject_limit_name - say a limit in words
 * @limit: one of them
 *
 * Return: half a sentence.
 */
const char *subject_limit_name(enum subject_limit limit)
{
	switch (limit) {
	case SUBJECT_WHOLE_PAGES:
		return "WHOLE_PAGES: it moves whole pages only";
	case SUBJECT_IDENTITY:
		return "IDENTITY: a gpa is the virtual address";
	case SUBJECT_NO_SLOTS:
		return "NO_SLOTS: it shows all that the process has";
	case SUBJECT_NO_READONLY_SLOTS:
		return "NO_READONLY_SLOTS: it has no read-only slots";
	case SUBJECT_ONE_SLOT:
		return "ONE_SLOT: it has one slot";
	case SUBJECT_ONE_ACCESSOR:
		return "ONE_ACCESSOR: it has one accessor";
	case SUBJECT_NO_EACCES:
		return "NO_EACCES: it tells no permission from no memory";
	case SUBJECT_NO_USERFAULT:
		return "NO_USERFAULT: its faults do not wait for user space";
	case SUBJECT_NO_CHILD:
		return "NO_CHILD: children cannot use its accessors";
	case SUBJECT_ONE_FAULT:
		return "ONE_FAULT: its faults wait for each other";
	case SUBJECT_NO_PERMISSION:
		return "NO_PERMISSION: it does not ask for the process's permission";
	}
	return "?";
}

/**
 * verdict_name - the word of a verdict
 * @verdict: the verdict
 *
 * Return: the word.
 */
const char *verdict_name(enum verdict verdict)
{
	static const char * const names[VERDICTS] = {
		[VERDICT_NONE] = "none",
		[VERDICT_PASS] = "pass",
		[VERDICT_STALE] = "stale",
		[VERDICT_LOST_WRITE] = "lost write",
		[VERDICT_WRONG_DATA] = "wrong data",
		[VERDICT_OVER_INVALIDATED] = "over-invalidated",
		[VERDICT_WRONG_PERMISSION] = "wrong permission",
		[VERDICT_STARVED] = "starved",
		[VERDICT_HANG] = "hang",
		[VERDICT_SPLAT] = "splat",
		[VERDICT_LEAK] = "leak",
		[VERDICT_BROKEN] = "broken",
		[VERDICT_NOT_APPLICABLE] = "not applicable",
		[VERDICT_SKIPPED] = "skipped",
	};

	return names[verdict];
}
