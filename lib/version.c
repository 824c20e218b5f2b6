// SPDX-License-Identifier: GPL-2.0
#include <argp.h>
#include "version.h"

const char secmmu_version[] = SECMMU_VERSION;

static void print_version(FILE *stream, struct argp_state *state)
{
	fprintf(stream, "%s (secmmu) %s\n", state->name, secmmu_version);
}

void (*argp_program_version_hook)(FILE *stream, struct argp_state *state) = print_version;
