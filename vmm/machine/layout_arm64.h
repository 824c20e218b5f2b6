/* SPDX-License-Identifier: GPL-2.0 */
/* What only guests for arm64 have in their fixed region; for C and assembly. */
#ifndef VMM_LAYOUT_ARM64_H
#define VMM_LAYOUT_ARM64_H

/* The start of the image, for the assembler, which knows no types. */
#define GUEST_IMAGE_START	0x100000
/* In the image; see start_arm64.S. */
#define GUEST_VECTORS_GPA	0x100800

/* Hypercalls are stores here, plus their port: the last 2 MiB mapped, and in no slot. */
#define GUEST_HYPERCALL_GPA	0x23fe00000

/* The vector of what an instruction of the guest's own causes. */
#define GUEST_VECTOR_SYNC	4
/* Exceptions by another one are told as this and its number; classes end at 63. */
#define GUEST_VECTOR_CLASS	64

#endif /* VMM_LAYOUT_ARM64_H */
