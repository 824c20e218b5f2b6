// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "notice.h"
#include "qemu.h"

#define PLACES	16u

static enum { STOP_NEVER, STOP_BLOCK, STOP_AT, STOP_WRONG } stop;
static uint64_t from;
static uint64_t places[PLACES];
static unsigned int nr_places;
static FILE *notes;

/* The machine is to stop, and has not yet: no CPU gets any further. */
static bool stopping;

/* It runs again. */
static void on_change(void *opaque, bool running, int state)
{
	(void)opaque;
	(void)state;
	if (running)
		stopping = false;
}

__attribute__((format(printf, 1, 2)))
static void note(const char *format, ...)
{
	va_list values;

	if (!notes)
		return;
	va_start(values, format);
	vfprintf(notes, format, values);
	va_end(values);
	fflush(notes);
}

/* The CPU is where it was before the instruction that called. */
static void stay(void *caller)
{
	cpu_exit(current_cpu);
	cpu_loop_exit_restore(current_cpu, (uintptr_t)caller);
}

static void stop_machine(void *caller)
{
	stop = STOP_NEVER;
	stopping = true;
	note("stopped %" PRIu64 " %u\n", blocks_so_far(), running_cpu());
	qemu_add_vm_change_state_handler(on_change, NULL);
	vm_stop(QEMU_RUN_STATE_PAUSED);
	stay(caller);
}

void notice_block(uint64_t number, void *caller)
{
	if (stopping)
		stay(caller);
	if (stop == STOP_BLOCK && number >= from)
		stop_machine(caller);
}

void notice_wrong(void *caller)
{
	if (stopping)
		stay(caller);
	if (stop == STOP_WRONG && blocks_so_far() >= from)
		stop_machine(caller);
}

static void pass_place(unsigned int told, void *address)
{
	void *caller = __builtin_return_address(0);

	(void)told;
	if (stopping)
		stay(caller);
	if (blocks_so_far() < from)
		return;
	note("at %" PRIu64 " %u %" PRIxPTR "\n", blocks_so_far(), running_cpu(),
	     (uintptr_t)address);
	if (stop == STOP_AT)
		stop_machine(caller);
}

void notice_translate(struct qemu_plugin_insn *insn)
{
	uint64_t address = qemu_plugin_insn_vaddr(insn);

	for (unsigned int i = 0; i < nr_places; i++)
		if (places[i] == address)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, pass_place,
							       QEMU_PLUGIN_NO_REGS,
							       (void *)(uintptr_t)address);
}

static bool choose_stop(const char *name)
{
	static const char * const names[] = {
		[STOP_BLOCK] = "block", [STOP_AT] = "at", [STOP_WRONG] = "wrong",
	};

	for (unsigned int i = STOP_BLOCK; i <= STOP_WRONG; i++)
		if (!strcmp(name, names[i])) {
			stop = i;
			return true;
		}
	return false;
}

bool notice_understand(const char *argument)
{
	if (!strncmp(argument, "notes=", 6))
		return (notes = fopen(argument + 6, "we"));
	if (!strncmp(argument, "stop=", 5))
		return choose_stop(argument + 5);
	if (!strncmp(argument, "from=", 5))
		return (from = strtoull(argument + 5, NULL, 10));
	if (!strncmp(argument, "at=", 3) && nr_places < PLACES)
		return (places[nr_places++] = strtoull(argument + 3, NULL, 16));
	return false;
}
