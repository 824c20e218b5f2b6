// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest.h"
#include "init.h"

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

void load_modules(void)
{
	char *list = read_file(GUEST_MODULES, NULL), *line, *save;
	char parameters[1024];

	line = list ? strtok_r(list, "\n", &save) : NULL;
	for (; line; line = strtok_r(NULL, "\n", &save)) {
		char *path = strchr(line, ' ');
		int fd;

		*path++ = '\0';
		if (!condition_holds(line))
			continue;
		module_parameters(path, parameters, sizeof(parameters));
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || (syscall(SYS_finit_module, fd, parameters, 0) &&
			       errno != EEXIST))
			give_up(path);
		close(fd);
		tell_sections(path);
	}
	free(list);
}
