// SPDX-License-Identifier: GPL-2.0
/*
 * Leaves the kernel for a loop with interrupts off, for the test of what testvm makes of a
 * CPU that never gets anywhere. It goes from a no-op, the kernel's own of five bytes, to
 * the first instruction of the handler of breakpoints, and back: as where emulation runs
 * a breakpoint that is gone. With "waits" as argument something that waits for another CPU
 * takes the place of the no-op, with "elsewhere" the handler is not where it goes.
 */
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Where the loop is put: memory in any VM. */
#define PLACE		(64UL << 20)
#define PAGE		4096
/* Below it the loop, above it the descriptors of interrupts, 16 bytes each. */
#define DESCRIPTORS	2048
#define BREAKPOINT	(DESCRIPTORS + 3 * 16)

extern const unsigned char loop[], step[], handler[], table[], loop_end[];

asm(".pushsection .rodata\n"
    "loop:	lidt	table(%rip)\n"
    "	lea	handler(%rip), %rbx\n"
    "	lea	step(%rip), %rcx\n"
    "step:	.byte	0x0f, 0x1f, 0x44, 0x00, 0x00\n"
    "	jmp	*%rbx\n"
    "handler: jmp	*%rcx\n"
    "table:	.word	2047\n"
    "	.quad	0\n"
    "loop_end:\n"
    ".popsection\n");

static const unsigned char waits[] = { 0xf3, 0x90, 0x0f, 0x1f, 0x00 };

int main(int argc, char **argv)
{
	static unsigned char page[PAGE];
	struct kexec_segment segment = {
		.buf = page,
		.bufsz = PAGE,
		.mem = (void *)PLACE,
		.memsz = PAGE,
	};
	unsigned long descriptors = PLACE + DESCRIPTORS;
	unsigned long to = PLACE + (handler - loop);
	const char *how = argc > 1 ? argv[1] : "";

	memcpy(page, loop, loop_end - loop);
	memcpy(page + (table - loop) + 2, &descriptors, sizeof(descriptors));
	if (!strcmp(how, "waits"))
		memcpy(page + (step - loop), waits, sizeof(waits));
	/* The address is below 4 GiB. */
	if (strcmp(how, "elsewhere")) {
		memcpy(page + BREAKPOINT, &to, 2);
		memcpy(page + BREAKPOINT + 6, (char *)&to + 2, 2);
	}
	if (syscall(SYS_kexec_load, PLACE, 1UL, &segment, KEXEC_ARCH_X86_64))
		perror("kexec_load");
	else if (reboot(LINUX_REBOOT_CMD_KEXEC))
		perror("reboot");
	return 1;
}
