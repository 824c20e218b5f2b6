/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Looks at a run that repeats itself without changing it: tells when it passes places, and
 * stops it at one of them, for a debugger. A breakpoint of the debugger would cut blocks of
 * code into pieces and so change the schedule.
 */
#ifndef PLUGIN_NOTICE_H
#define PLUGIN_NOTICE_H

#include <stdbool.h>
#include <stdint.h>

struct qemu_plugin_insn;

/**
 * notice_understand - take an argument of the plugin
 * @argument: NAME=VALUE
 *
 * Return: whether it is one of those of this file, see schedule.c, and right.
 */
bool notice_understand(const char *argument);

/**
 * notice_translate - look at an instruction when it is run, if it is one of the places
 * @insn: it
 */
void notice_translate(struct qemu_plugin_insn *insn);

/**
 * notice_block - a block is about to run; perhaps it does not
 * @number: of the block: one more than have run
 * @caller: the address in the block from which the plugin was called
 */
void notice_block(uint64_t number, void *caller);

/**
 * notice_wrong - MARK_WRONG is about to run
 * @caller: as for notice_block()
 */
void notice_wrong(void *caller);

/* schedule.c: how many blocks have run, and the index of the CPU that runs. */
uint64_t blocks_so_far(void);
unsigned int running_cpu(void);

#endif
