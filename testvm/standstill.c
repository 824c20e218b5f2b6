// SPDX-License-Identifier: GPL-2.0
/*
 * Leaves the kernel for a loop of two instructions with interrupts off, for the test of
 * what testvm makes of a CPU that stands still: the first is the kernel's own no-op of
 * five bytes, as where emulation leaves a CPU for ever, or, with "waits" as argument,
 * one that waits for another CPU.
 */
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Where the loop is put: memory in any VM. */
#define PLACE	(64UL << 20)
#define PAGE	4096

static const unsigned char noop[] = { 0x0f, 0x1f, 0x44, 0x00, 0x00, 0xeb, 0xf9 };
static const unsigned char waits[] = { 0xf3, 0x90, 0xeb, 0xfc };

int main(int argc, char **argv)
{
	struct kexec_segment loop = {
		.buf = noop,
		.bufsz = sizeof(noop),
		.mem = (void *)PLACE,
		.memsz = PAGE,
	};

	if (argc > 1 && !strcmp(argv[1], "waits")) {
		loop.buf = waits;
		loop.bufsz = sizeof(waits);
	}
	if (syscall(SYS_kexec_load, PLACE, 1UL, &loop, KEXEC_ARCH_X86_64))
		perror("kexec_load");
	else if (reboot(LINUX_REBOOT_CMD_KEXEC))
		perror("reboot");
	return 1;
}
