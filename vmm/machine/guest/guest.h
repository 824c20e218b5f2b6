/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of the guest know of each other. */
#ifndef VMM_GUEST_GUEST_H
#define VMM_GUEST_GUEST_H

#include <stdint.h>

/* start_<machine>.S */
void hypercall(uint16_t port, uint32_t value);

/* exception_<machine>.c */
void guest_mistake(uint32_t mistake);

#endif /* VMM_GUEST_GUEST_H */
