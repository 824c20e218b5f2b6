// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"
#include "programs.h"
#include "util.h"

/* Of the checkout; the makefile says where that is. */
#define SCRIPT	TESTVM_SOURCE "/programs/programs.sh"

char *programs_find(const struct strings *packages, const struct arch *arch)
{
	char **argv = xalloc((packages->count + 4) * sizeof(*argv)), *root;

	if (access(SCRIPT, X_OK))
		die("%s is missing: this program is not in the checkout that it was built from",
		    SCRIPT);
	argv[0] = SCRIPT;
	argv[1] = "--arch";
	argv[2] = (char *)arch->name;
	memcpy(argv + 3, packages->list, packages->count * sizeof(*argv));
	root = read_program(argv, NULL);
	/* It has said why. */
	if (!root)
		exit(STATUS_SETUP);
	root[strcspn(root, "\n")] = '\0';
	free(argv);
	return root;
}
