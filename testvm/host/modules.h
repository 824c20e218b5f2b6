/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TESTVM_MODULES_H
#define TESTVM_MODULES_H

#include <stdbool.h>
#include <stddef.h>

struct kernel;

/**
 * struct module - one module to load
 * @path: the file on the host, perhaps compressed
 * @condition: a CPU flag that it needs, or "always"
 * @kvm: loaded when somebody opens /dev/kvm, not before
 */
struct module {
	char *path;
	const char *condition;
	bool kvm;
};

/**
 * struct modules - modules in load order, none twice
 * @list: @count of them
 * @count: how many
 */
struct modules {
	struct module *list;
	size_t count;
};

/**
 * modules_add_kvm() - add what /dev/kvm takes
 * @modules: where to
 * @kernel: modules that it lacks are taken to be built in
 */
void modules_add_kvm(struct modules *modules, const struct kernel *kernel);

/**
 * modules_add_named() - add a module of the kernel's own and what it depends on
 * @modules: where to
 * @kernel: where from; ends the program if it is neither there nor built in
 * @name: as for modprobe
 */
void modules_add_named(struct modules *modules, const struct kernel *kernel,
		       const char *name);

/**
 * modules_add_file() - add a module from anywhere
 * @modules: where to
 * @kernel: the kernel it must have been built for; else the program ends
 * @path: an uncompressed module
 */
void modules_add_file(struct modules *modules, const struct kernel *kernel,
		      const char *path);

/**
 * module_read() - read a module, decompressing it if need be
 * @path: as in struct module
 * @size: where the size goes
 *
 * Return: the content, to be freed; a failure ends the program.
 */
char *module_read(const char *path, size_t *size);

#endif
