/* SPDX-License-Identifier: GPL-2.0 */
/*
 * First instructions of the guest. The host has set up 64-bit mode, paging and
 * the stack; %rdi holds the vCPU's number.
 */
	.section .text.start, "ax"
	.globl	guest_start
guest_start:
	xorl	%ebp, %ebp
	call	guest_main
1:	hlt
	jmp	1b

/* void hypercall(uint16_t port, uint32_t value) */
	.text
	.globl	hypercall
	.type	hypercall, @function
hypercall:
	movl	%edi, %edx
	movl	%esi, %eax
	outl	%eax, %dx
	ret
	.size	hypercall, . - hypercall

	.section .note.GNU-stack, "", @progbits
