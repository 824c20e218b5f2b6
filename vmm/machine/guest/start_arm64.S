/* SPDX-License-Identifier: GPL-2.0 */
/*
 * First instructions of the guest. The host has set up paging, caches, the vectors and the
 * stack; x0 holds the vCPU's number.
 */
#include "layout_arm64.h"

	.section .text.start, "ax"
	.globl	guest_start
guest_start:
	mov	x29, xzr
	bl	guest_main
1:	wfi
	b	1b

/* Sixteen vectors, 128 bytes apart; the stack stays that of what was interrupted. */
	.org	GUEST_VECTORS_GPA - GUEST_IMAGE_START
	.set	vector, 0
	.rept	16
	.balign	128
	sub	sp, sp, #176
	stp	x0, x1, [sp]
	mov	x0, #vector
	b	exception
	.set	vector, vector + 1
	.endr

exception:
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x30, [sp, #144]
	str	x0, [sp, #160]
	mov	x0, sp
	bl	guest_exception
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x8, x9, [sp, #64]
	ldp	x10, x11, [sp, #80]
	ldp	x12, x13, [sp, #96]
	ldp	x14, x15, [sp, #112]
	ldp	x16, x17, [sp, #128]
	ldp	x18, x30, [sp, #144]
	ldp	x0, x1, [sp]
	add	sp, sp, #176
	eret

/*
 * void hypercall(uint16_t port, uint32_t value): a store to memory that is in no slot, by an
 * instruction whose register and size the processor tells KVM.
 */
	.text
	.globl	hypercall
	.type	hypercall, %function
hypercall:
	movz	x2, #(GUEST_HYPERCALL_GPA >> 32), lsl #32
	movk	x2, #((GUEST_HYPERCALL_GPA >> 16) & 0xffff), lsl #16
	and	x0, x0, #0xffff
	str	w1, [x2, x0]
	ret
	.size	hypercall, . - hypercall

	.section .note.GNU-stack, "", %progbits
