/* SPDX-License-Identifier: GPL-2.0 */
/* What only guests for x86-64 have in their fixed region. */
#ifndef VMM_LAYOUT_X86_64_H
#define VMM_LAYOUT_X86_64_H

#define GUEST_GDT_GPA		0x1000ul
#define GUEST_IDT_GPA		0xe000ul
/* In the image; see start_x86_64.S. */
#define GUEST_EXCEPTION_GPA	0x100010ul
#define GUEST_EXCEPTION_SIZE	16
#define GUEST_EXCEPTIONS	32

#endif /* VMM_LAYOUT_X86_64_H */
