// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arch.h"
#include "console.h"
#include "emulator.h"
#include "guest.h"
#include "initramfs.h"
#include "inside.h"
#include "kernel.h"
#include "modules.h"
#include "options.h"
#include "payload.h"
#include "programs.h"
#include "util.h"

/* Adds NUL-terminated strings one behind the other. */
static void add_string(char **data, size_t *size, const char *string)
{
	size_t length = strlen(string) + 1;

	*data = realloc(*data, *size + length);
	if (!*data)
		die("out of memory");
	memcpy(*data + *size, string, length);
	*size += length;
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(char * const *)a, *(char * const *)b);
}

static void add_command(struct initramfs *fs, const struct options *options)
{
	static const char * const fixed[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=/root", "USER=root", "SHELL=/bin/sh", "TERM=dumb", "OUT=/out",
	};
	struct strings ours = { 0 };
	char *data = NULL;
	size_t size = 0;

	for (char **word = options->command; *word; word++)
		add_string(&data, &size, *word);
	initramfs_data(fs, GUEST_ARGV, 0644, data, size);
	size = 0;
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		add_string(&data, &size, fixed[i]);
	for (char **variable = environ; *variable; variable++)
		if (!strncmp(*variable, "SECMMU_", 7) &&
		    strncmp(*variable, "SECMMU_CACHE=", 13))
			strings_add(&ours, *variable);
	/* In which order they stand is chance. */
	if (ours.count)
		qsort(ours.list, ours.count, sizeof(*ours.list), compare_strings);
	for (unsigned int i = 0; i < ours.count; i++)
		add_string(&data, &size, ours.list[i]);
	free(ours.list);
	initramfs_data(fs, GUEST_ENV, 0644, data, size);
	free(data);
	if (options->out)
		initramfs_data(fs, GUEST_WANT_OUT, 0644, "", 0);
	if (!options->deterministic && emulator_runs_stale_code())
		initramfs_data(fs, GUEST_KEEP_MACHINE, 0644, "", 0);
	if (options->trace)
		initramfs_data(fs, GUEST_TRACE, 0644, "", 0);
	if (options->deterministic) {
		data = format("%u", options->timeout);
		initramfs_data(fs, GUEST_LIMIT, 0644, data, strlen(data));
		free(data);
	}
}

static void add_patterns(struct initramfs *fs)
{
	char *bad = console_patterns(true), *harmless = console_patterns(false);

	initramfs_data(fs, GUEST_COMPLAINTS, 0644, bad, strlen(bad));
	initramfs_data(fs, GUEST_HARMLESS, 0644, harmless, strlen(harmless));
	free(bad);
	free(harmless);
}

static void add_modules(struct initramfs *fs, const struct modules *modules)
{
	char *list = format("%s", "");

	for (size_t i = 0; i < modules->count; i++) {
		const struct module *module = &modules->list[i];
		const char *base = strrchr(module->path, '/') + 1;
		char *path = format("/testvm/%zu/%.*s.ko", i,
				    (int)strcspn(base, "."), base);
		char *folder = format("/testvm/%zu", i), *more;
		size_t size;
		char *data = module_read(module->path, &size);

		initramfs_folder(fs, folder);
		initramfs_data(fs, path, 0644, data, size);
		more = format("%s%s %s %s\n", list, module->kvm ? GUEST_FOR_KVM : GUEST_AT_BOOT,
			      module->condition, path);
		free(list);
		list = more;
		free(data);
		free(folder);
		free(path);
	}
	initramfs_data(fs, GUEST_MODULES, 0644, list, strlen(list));
	free(list);
}

void payload_write(const char *path, const struct options *options,
		   const struct kernel *kernel, const struct modules *modules)
{
	static const char * const folders[] = {
		"/testvm", "/bin", "/sbin", "/etc", "/dev", "/proc", "/sys",
		"/tmp", "/run", "/root", "/out", "/lib", "/usr", "/usr/bin",
		"/usr/sbin",
	};
	static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n";
	static const char group[] = "root:x:0:\n";
	struct initramfs *fs = initramfs_open(path);
	char *self = realpath("/proc/self/exe", NULL), *init;

	if (!self)
		die("cannot tell where this program is: %s", strerror(errno));
	init = format("%.*s/%s", (int)(strrchr(self, '/') - self), self,
		      options->machine.arch->init);
	if (access(init, R_OK))
		die("%s is missing, run: make ARCH=%s tools", init,
		    options->machine.arch->name);
	if (access(kernel->busybox, R_OK))
		die("%s is missing, run setup.sh and kernel.sh", kernel->busybox);
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		initramfs_folder(fs, folders[i]);
	initramfs_data(fs, "/etc/passwd", 0644, passwd, sizeof(passwd) - 1);
	initramfs_data(fs, "/etc/group", 0644, group, sizeof(group) - 1);
	initramfs_file(fs, "/bin/busybox", 0755, kernel->busybox);
	if (options->packages.count)
		initramfs_tree(fs, programs_find(&options->packages, options->machine.arch));
	for (unsigned int i = 0; i < options->roots.count; i++)
		initramfs_tree(fs, options->roots.list[i]);
	/* Last, so that no tree replaces what the run relies on. */
	initramfs_file(fs, "/init", 0755, init);
	add_command(fs, options);
	initramfs_data(fs, INSIDE_MARK, 0644, "", 0);
	add_patterns(fs);
	add_modules(fs, modules);
	initramfs_close(fs);
	free(init);
	free(self);
}
