/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TESTVM_KERNEL_H
#define TESTVM_KERNEL_H

struct arch;

/**
 * struct kernel - a kernel to boot
 * @image: path of its image
 * @modules: its module tree, the folder with modules.dep; NULL if it has none
 * @release: what uname -r prints under it, as the image itself says
 * @busybox: a program for its guests
 */
struct kernel {
	char *image;
	char *modules;
	char *release;
	char *busybox;
};

/**
 * kernel_find() - find a kernel
 * @kernel: filled
 * @name: a name kernel.sh knows, a folder as it makes them, or an image
 * @arch: what it is for
 *
 * Ends the program with one sentence if there is no such kernel.
 */
void kernel_find(struct kernel *kernel, const char *name, const struct arch *arch);

#endif
