// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "message.h"
#include "options.h"

#define FIRST_KEY	0x100

/* Passed on by argp. */
struct parser {
	const struct command_line *line;
	void *values;
};

static void parse_number(struct argp_state *state, const struct option_entry *option,
			 const char *text, void *to)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || end == text || *end || *text == '-' || value < option->least ||
	    value > option->most)
		argp_error(state, "--%s takes a number from %llu to %llu, not \"%s\"",
			   option->name, (unsigned long long)option->least,
			   (unsigned long long)option->most, text);
	if (option->size == sizeof(uint64_t))
		*(uint64_t *)to = value;
	else
		*(uint32_t *)to = (uint32_t)value;
}

static error_t parse_option(const struct parser *parser, const struct option_entry *option,
			    char *text, struct argp_state *state)
{
	void *to = (char *)parser->values + option->offset;

	if (option->parse)
		option->parse(state, text, parser->values);
	else if (option->most)
		parse_number(state, option, text, to);
	else if (option->argument)
		*(char **)to = text;
	else
		*(bool *)to = true;
	return 0;
}

static error_t parse_key(int key, char *text, struct argp_state *state)
{
	const struct parser *parser = state->input;
	const struct command_line *line = parser->line;

	switch (key) {
	case ARGP_KEY_ARG:
		if (line->argument)
			line->argument(state, text, parser->values);
		else
			argp_error(state, "unexpected argument \"%s\"", text);
		return 0;
	case ARGP_KEY_END:
		if (line->check)
			line->check(state, parser->values);
		return 0;
	default:
		break;
	}
	for (unsigned int i = 0; line->table && line->table[i].name; i++)
		if (key == FIRST_KEY + (int)i || (key && key == line->table[i].letter))
			return parse_option(parser, &line->table[i], text, state);
	return ARGP_ERR_UNKNOWN;
}

/**
 * options_parse - understand the command line
 * @line: what the program takes
 * @argc: of main()
 * @argv: of main()
 * @values: where the values go: the structure that @line's table is about
 */
void options_parse(const struct command_line *line, int argc, char **argv, void *values)
{
	struct parser parser = { line, values };
	struct argp_option *options;
	struct argp argp = {
		.parser = parse_key,
		.args_doc = line->arguments,
		.doc = line->help,
	};
	unsigned int count = 0;

	while (line->table && line->table[count].name)
		count++;
	options = calloc(count + 1, sizeof(*options));
	if (!options)
		die("out of memory");
	for (unsigned int i = 0; i < count; i++) {
		const struct option_entry *option = &line->table[i];

		options[i] = (struct argp_option) {
			.name = option->name,
			.key = option->letter ? option->letter : FIRST_KEY + (int)i,
			.arg = option->argument,
			.doc = option->help,
			.flags = option->flags,
		};
	}
	argp.options = options;
	argp_err_exit_status = die_status;
	if (argp_parse(&argp, argc, argv, line->flags, NULL, &parser))
		exit(die_status);
	free(options);
}
