/* SPDX-License-Identifier: GPL-2.0 */
/* Bugs that checks of the judge show: secmmu-judge runs them. */
#ifndef FOUND_CHECKS_H
#define FOUND_CHECKS_H

/*
 * Runs checks, names with blanks between them, against the control of the judge, which must
 * pass, and then against @subject; ends with conclude(). The bug is shown if all of them convict,
 * and not if all pass: dies if they differ.
 */
void conclude_checks(const char *subject, const char *checks) __attribute__((noreturn));

#endif /* FOUND_CHECKS_H */
