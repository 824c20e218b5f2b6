// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include <sys/utsname.h>

#include "arch.h"
#include "util.h"

const struct arch *arch_find(const char *name)
{
	static const struct arch * const archs[] = { &arch_x86_64, &arch_arm64 };

	for (size_t i = 0; i < ARRAY_SIZE(archs); i++)
		if (!strcmp(name, archs[i]->name))
			return archs[i];
	return NULL;
}

bool arch_is_host(const struct arch *arch)
{
	struct utsname host;

	return !uname(&host) && !strcmp(host.machine, arch->libvirt);
}
