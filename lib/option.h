/* SPDX-License-Identifier: GPL-2.0 */
/* What the options of several commands have in common. */
#ifndef LIB_OPTION_H
#define LIB_OPTION_H

#include <argp.h>
#include <stdint.h>

#define OPTION_MAX_SECONDS	86400

uint64_t option_number(struct argp_state *state, const char *name,
		       const char *text, uint64_t least, uint64_t most);

#endif /* LIB_OPTION_H */
