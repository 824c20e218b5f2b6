/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TESTVM_GUARD_H
#define TESTVM_GUARD_H

/**
 * guard_start() - make a folder for this run, with a process that guards it
 *
 * The guard outlives this process, however it ends, ends the run's QEMU and
 * removes the folder. Must be called while the process has one thread.
 *
 * Return: the folder's path, short and unique, never freed.
 */
const char *guard_start(void);

/**
 * guard_finish() - have the guard clean up, and wait until it has
 *
 * Safe in a signal handler, and to call twice.
 */
void guard_finish(void);

/**
 * guard_sweep() - clean up after runs whose process and guard are both gone
 *
 * Leaves the runs of living processes alone.
 */
void guard_sweep(void);

#endif
