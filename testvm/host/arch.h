/* SPDX-License-Identifier: GPL-2.0 */
/* What depends on the architecture of the VM, one file for each: arch_<name>.c. */
#ifndef TESTVM_ARCH_H
#define TESTVM_ARCH_H

#include <stdbool.h>

struct machine;

/**
 * struct arch - an architecture
 * @name: as --arch has it
 * @libvirt: as libvirt and uname -m have it
 * @suffix: what names of kernels in the cache end with
 * @emulator: QEMU's program
 * @emulator_folder: where qemu.sh puts it in the cache
 * @init: the file beside testvm that becomes /init in the guest
 * @image: what a kernel's image is called
 * @board: libvirt's name of the machine without an IOMMU
 * @iommu_board: the one with an IOMMU, or NULL if that is not supported
 * @console: the kernel's, on its command line
 * @arguments: more for that
 * @deterministic_arguments: more of them, if clocks count instructions
 * @stale_code: whether QEMU runs breakpoints that the kernel has taken away
 * @busybox: busybox of this machine, or NULL if kernel.sh puts one beside each kernel
 * @image_release: what uname -r prints under the kernel whose image has this path; ends
 *	the program if it is no such image
 * @features_xml: libvirt's <features>, to be freed
 * @cpu_xml: what goes into libvirt's <cpu>, to be freed
 * @serial_xml: what goes into libvirt's <serial> of this number, to be freed
 * @qemu_xml: what libvirt has no words for, to be freed
 * @domain_xml: what else goes into <domain>
 */
struct arch {
	const char *name;
	const char *libvirt;
	const char *suffix;
	const char *emulator;
	const char *emulator_folder;
	const char *init;
	const char *image;
	const char *board;
	const char *iommu_board;
	const char *console;
	const char *arguments;
	const char *deterministic_arguments;
	bool stale_code;
	const char *busybox;
	char *(*image_release)(const char *path);
	char *(*features_xml)(void);
	char *(*cpu_xml)(const struct machine *machine);
	char *(*serial_xml)(unsigned int number);
	char *(*qemu_xml)(const struct machine *machine);
	const char *domain_xml;
};

extern const struct arch arch_x86_64;
extern const struct arch arch_arm64;

/**
 * arch_find() - find an architecture
 * @name: its name
 *
 * Return: it, or NULL.
 */
const struct arch *arch_find(const char *name);

/**
 * arch_is_host() - is it that of this machine?
 * @arch: the architecture
 */
bool arch_is_host(const struct arch *arch);

#endif
