// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <unistd.h>

#include "emulator.h"
#include "util.h"

#define PROGRAM	"qemu-system-x86_64"

static const char *find(void)
{
	char *path = format("%s/qemu/" PROGRAM, cache_folder());

	if (!access(path, X_OK))
		return path;
	free(path);
	return PROGRAM;
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
	return !emulator_is_known();
}
