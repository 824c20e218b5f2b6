// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include "option.h"

/**
 * option_number - understand a number on the command line
 * @state: of the parser
 * @name: of the option
 * @text: its argument
 * @least: smallest number allowed
 * @most: largest one
 *
 * Anything else is answered with a sentence and the end of the program.
 *
 * Return: the number.
 */
uint64_t option_number(struct argp_state *state, const char *name,
		       const char *text, uint64_t least, uint64_t most)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || end == text || *end || *text == '-' || value < least ||
	    value > most)
		argp_error(state, "--%s takes a number from %llu to %llu, not \"%s\"",
			   name, (unsigned long long)least,
			   (unsigned long long)most, text);
	return value;
}
