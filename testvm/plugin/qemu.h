/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the plugin uses of QEMU 10: version 4 of the interface for plugins, and functions of
 * the program itself, which it exports for its modules. Debian ships no header for either.
 */
#ifndef PLUGIN_QEMU_H
#define PLUGIN_QEMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* QEMU refuses a plugin of a version that it does not know. */
#define QEMU_PLUGIN_VERSION	4

/* How a callback uses registers: not at all. */
#define QEMU_PLUGIN_NO_REGS	0

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id,
		void (*cb)(plugin_id id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
		void (*cb)(unsigned int cpu, void *data), int flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
		void (*cb)(unsigned int cpu, void *data), int flags, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb,
						 size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *data, size_t size);

/* Not of the interface. */
struct CPUState;
/*
 * The one that runs. With one thread for all, QEMU 10 tells callbacks the CPU that was the
 * first to run the block instead. The program itself has this variable, so that no call is
 * needed to find it.
 */
extern __thread struct CPUState *current_cpu __attribute__((tls_model("initial-exec")));
struct CPUState *qemu_get_cpu(int index);
/* Does it wait for an interrupt? */
bool cpu_thread_is_idle(struct CPUState *cpu);
/* Lets the virtual CPU give way at the end of the block. */
void cpu_exit(struct CPUState *cpu);
/* Ends the block that calls from @address, where it has got to. */
void cpu_loop_exit_restore(struct CPUState *cpu, uintptr_t address)
	__attribute__((noreturn));

/* Stops the machine soon, as its monitor does. */
#define QEMU_RUN_STATE_PAUSED	4
int vm_stop(int state);
/* Calls @cb when the machine stops, or runs again. */
struct VMChangeStateEntry;
struct VMChangeStateEntry *qemu_add_vm_change_state_handler(
		void (*cb)(void *opaque, bool running, int state), void *opaque);

#endif
