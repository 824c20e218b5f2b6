/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of the guest know of each other. */
#ifndef VMM_GUEST_GUEST_H
#define VMM_GUEST_GUEST_H

#include <stdint.h>

/* start_<machine>.S */
void hypercall(uint16_t port, uint32_t value);

/* exception.c */
struct guest_exception;
void guest_report_exception(uint64_t stack, const struct guest_exception *facts);
void guest_mistake(uint32_t mistake);

/* fault_<machine>.c: an instruction that does not exist. */
void guest_no_instruction(void);
/* ... an exception, and no table of handlers, where a processor shuts down by that. */
void guest_no_handlers(void);
/* ... page tables are as memory has them now. */
void guest_tables_changed(void);

#endif /* VMM_GUEST_GUEST_H */
