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

/*
 * One entry per exception, GUEST_EXCEPTION_SIZE apart, the first at
 * GUEST_EXCEPTION_GPA: where the host's IDT points. Those without an error code
 * push a zero in its place.
 */
	.org	16
	.set	vector, 0
	.rept	32
	.balign	16
	.if	!(vector == 8 || (vector >= 10 && vector <= 14) || \
		  vector == 17 || vector == 21 || vector == 29 || vector == 30)
	pushq	$0
	.endif
	pushq	$vector
	jmp	exception
	.set	vector, vector + 1
	.endr

/* The stack is aligned by 16 again after nine registers: the CPU has aligned it. */
exception:
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	%rcx
	pushq	%rax
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	cld
	movq	%rsp, %rdi
	call	guest_exception
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	popq	%rcx
	popq	%rdx
	popq	%rsi
	popq	%rdi
	addq	$16, %rsp
	iretq

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
