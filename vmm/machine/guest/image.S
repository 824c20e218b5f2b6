/* SPDX-License-Identifier: GPL-2.0 */
/* The flat guest image, as data of the host program. */
	.section .rodata
	.balign	16
	.globl	guest_image
	.globl	guest_image_end
guest_image:
	.incbin	GUEST_IMAGE
guest_image_end:
	.section .note.GNU-stack, "", @progbits
