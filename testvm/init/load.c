// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/major.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "guest.h"
#include "init.h"

/* The kernel's <linux/miscdevice.h>, which user space does not get. */
#define KVM_MINOR	232

/*
 * Collects from the kernel's command line what is meant for one module, the
 * way modprobe does: NAME.PARAMETER=VALUE. Dashes and underscores are equal.
 */
static void module_parameters(const char *path, char *out, size_t room)
{
	char name[64], *line = read_file("/proc/cmdline", NULL);
	const char *base = strrchr(path, '/') + 1;
	size_t length = 0, used = 0;
	char *word, *save;

	while (base[length] && base[length] != '.' && length < sizeof(name) - 1) {
		name[length] = base[length] == '-' ? '_' : base[length];
		length++;
	}
	out[0] = '\0';
	word = line ? strtok_r(line, " \n", &save) : NULL;
	for (; word; word = strtok_r(NULL, " \n", &save)) {
		size_t i = 0;

		while (i < length &&
		       (word[i] == '-' ? '_' : word[i]) == name[i])
			i++;
		if (i == length && word[i] == '.' && used < room)
			used += snprintf(out + used, room - used, "%s ",
					 word + i + 1);
	}
	free(line);
}

/* Is the module for this machine? The word is a CPU flag, or "always". */
static bool condition_holds(const char *condition)
{
	char *info, *flags, *save;
	bool found = false;

	if (!strcmp(condition, "always"))
		return true;
	info = read_file("/proc/cpuinfo", NULL);
	flags = info ? strstr(info, "\nflags") : NULL;
	if (flags) {
		flags[1 + strcspn(flags + 1, "\n")] = '\0';
		for (char *flag = strtok_r(flags, " \n", &save);
		     flag && !found; flag = strtok_r(NULL, " ", &save))
			found = !strcmp(flag, condition);
	}
	free(info);
	return found;
}

/* For a debugger: where the parts of a module lie. */
static void tell_sections(const char *path)
{
	static const char * const parts[] = {
		".text", ".text.unlikely", ".rodata", ".data", ".bss",
	};
	char name[64], text[256] = "", file[128];
	const char *base = strrchr(path, '/') + 1;
	size_t used = 0;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(base, "."), base);
	for (char *at = name; *at; at++)
		if (*at == '-')
			*at = '_';
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		char *where;

		snprintf(file, sizeof(file), "/sys/module/%s/sections/%s", name, parts[i]);
		where = read_file(file, NULL);
		if (where)
			used += snprintf(text + used, sizeof(text) - used, " %s %.*s", parts[i],
					 (int)strcspn(where, "\n"), where);
		free(where);
	}
	say("sections of %s:%s", name, text);
}

/* Returns whether this kernel can be given the module, or has it already. */
static bool load(const char *path)
{
	char parameters[1024];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool loaded;

	module_parameters(path, parameters, sizeof(parameters));
	loaded = fd >= 0 && (!syscall(SYS_finit_module, fd, parameters, 0) || errno == EEXIST);
	if (loaded)
		tell_sections(path);
	if (fd >= 0)
		close(fd);
	return loaded;
}

/*
 * Calls @visit for each module of the list that is for now and for this machine, until it
 * returns false for one; returns that one's path, to be freed, or NULL.
 */
static char *for_each(const char *when, bool (*visit)(const char *path))
{
	char *list = read_file(GUEST_MODULES, NULL), *line, *save, *failed = NULL;

	line = list ? strtok_r(list, "\n", &save) : NULL;
	for (; line && !failed; line = strtok_r(NULL, "\n", &save)) {
		char *condition = strchr(line, ' '), *path;

		*condition++ = '\0';
		path = strchr(condition, ' ');
		*path++ = '\0';
		if (!strcmp(line, when) && condition_holds(condition) && !visit(path))
			failed = strdup(path);
	}
	free(list);
	return failed;
}

static bool stop_here(const char *path)
{
	(void)path;
	return false;
}

void load_modules(void)
{
	char *path = for_each(GUEST_AT_BOOT, load);

	if (path)
		give_up(path);
	if (!condition_holds("svm") && !condition_holds("vmx"))
		return;
	path = for_each(GUEST_FOR_KVM, stop_here);
	if (!path)
		return;
	if (mknod("/dev/kvm", S_IFCHR | 0600, makedev(MISC_MAJOR, KVM_MINOR)))
		give_up("/dev/kvm");
	write_file("/proc/sys/kernel/modprobe", "/init");
	free(path);
}

int load_kvm(const char *name)
{
	char kvm[32], *failed;

	snprintf(kvm, sizeof(kvm), "char-major-%d-%d", MISC_MAJOR, KVM_MINOR);
	if (strcmp(name, kvm))
		return EXIT_FAILURE;
	failed = for_each(GUEST_FOR_KVM, load);
	if (failed)
		say("%s: %s", failed, strerror(errno));
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
