// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <unistd.h>

#include "arch.h"
#include "emulator.h"
#include "util.h"

static const struct arch *arch;

static const char *find(void)
{
	char *path = format("%s/%s/%s", cache_folder(), arch->emulator_folder, arch->emulator);

	if (!access(path, X_OK))
		return path;
	free(path);
	return arch->emulator;
}

void emulator_choose(const struct arch *of)
{
	arch = of;
}

const char *emulator_find(void)
{
	static const char *found;

	if (!found)
		found = find();
	return found;
}

bool emulator_is_known(void)
{
	return *emulator_find() == '/';
}

bool emulator_runs_stale_code(void)
{
	return arch->stale_code;
}
