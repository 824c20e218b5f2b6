// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "program.h"
#include "world.h"

static void print_op(const struct op *op, FILE *file, bool brief)
{
	const struct op_kind *kind = &op_kinds[op->kind];
	unsigned int nr = op_args(op->kind);

	while (brief && nr && !op->arg[nr - 1])
		nr--;
	fprintf(file, "%u %s", op->thread, kind->name);
	for (unsigned int i = 0; i < nr; i++) {
		if (brief)
			fprintf(file, " %llu", (unsigned long long)op->arg[i]);
		else
			fprintf(file, " %s=%llu", kind->arg[i].name,
				(unsigned long long)op->arg[i]);
	}
}

/**
 * program_print - write a program as text
 * @program: the program
 * @file: where to
 * @brief: all in one line, without names of arguments
 */
void program_print(const struct program *program, FILE *file, bool brief)
{
	const char *separator = brief ? ";" : "\n";

	fprintf(file, "rounds %u", program->rounds);
	for (uint32_t i = 0; i < program->nr; i++) {
		fputs(separator, file);
		print_op(&program->op[i], file, brief);
	}
	fputc('\n', file);
}

/**
 * program_alone - how much of a program thread 0 does before there are others
 * @program: the program
 *
 * Return: number of operations.
 */
unsigned int program_alone(const struct program *program)
{
	unsigned int i = 0;

	while (i < program->nr && !program->op[i].thread)
		i++;
	return i;
}

/* A number that ends where a word may end. */
static bool parse_number(const char **at, uint64_t most, uint64_t *value)
{
	char *end;

	if (!isdigit((unsigned char)**at))
		return false;
	errno = 0;
	*value = strtoull(*at, &end, 0);
	if (errno || *value > most || (*end && !isspace((unsigned char)*end)))
		return false;
	*at = end;
	return true;
}

static void skip_space(const char **at)
{
	while (isspace((unsigned char)**at))
		(*at)++;
}

/* The arguments behind a name. Says what is wrong, or NULL. */
static const char *parse_args(struct op *op, const char *at)
{
	const struct arg *arg = op_kinds[op->kind].arg;
	unsigned int n = op_args(op->kind), i;

	for (i = 0; i < n; i++) {
		size_t length = strlen(arg[i].name);

		skip_space(&at);
		if (!*at)
			break;
		if (!strncmp(at, arg[i].name, length) && at[length] == '=')
			at += length + 1;
		if (!parse_number(&at, UINT64_MAX, &op->arg[i]))
			return "an argument is no number, or not the next one of this operation";
		/* Numbers of things index tables. */
		if (arg[i].means >= MEANS_DEVICE && arg[i].means <= MEANS_CHILD &&
		    op->arg[i] >= arg[i].bound)
			return "there are not so many things of that kind";
	}
	skip_space(&at);
	return *at ? "too many arguments" : NULL;
}

/* One line, or what stands before a semicolon. */
static const char *parse_op(struct program *program, const char *at)
{
	struct op *op = &program->op[program->nr];
	uint64_t thread;
	int kind;

	if (program->nr == MAX_OPS)
		return "too many operations in one program";
	memset(op, 0, sizeof(*op));
	if (!parse_number(&at, NR_THREADS - 1, &thread))
		return "a line begins with a thread, 0 to 2, or with \"rounds\"";
	skip_space(&at);
	kind = op_find(at, strcspn(at, " \t"));
	if (kind < 0)
		return "there is no such operation";
	op->kind = kind;
	op->thread = thread;
	program->nr++;
	return parse_args(op, at + strlen(op_kinds[kind].name));
}

static const char *parse_piece(struct suite *suite, const char *at)
{
	struct program *program;
	uint64_t rounds;

	skip_space(&at);
	if (!*at || *at == '#')
		return NULL;
	if (strncmp(at, "rounds ", 7)) {
		if (!suite->nr)
			return "a program begins with \"rounds N\"";
		return parse_op(&suite->program[suite->nr - 1], at);
	}
	at += 7;
	if (!parse_number(&at, MAX_ROUNDS, &rounds) || !rounds || *at)
		return "\"rounds\" takes a number from 1 to 64";
	suite->program = reallocarray(suite->program, suite->nr + 1,
				      sizeof(*suite->program));
	if (!suite->program)
		return "out of memory";
	program = &suite->program[suite->nr++];
	memset(program, 0, sizeof(*program));
	program->rounds = rounds;
	return NULL;
}

/**
 * suite_parse - read programs
 * @suite: filled in
 * @file: read to its end
 * @name: of the file, for messages
 *
 * Return: 0, or -1 after a message that says where and what is wrong.
 */
int suite_parse(struct suite *suite, FILE *file, const char *name)
{
	const char *wrong = NULL;
	unsigned int nr = 0;
	char *line = NULL;
	size_t room = 0;

	memset(suite, 0, sizeof(*suite));
	while (!wrong && getline(&line, &room, file) > 0) {
		char *save, *piece = line;

		nr++;
		line[strcspn(line, "\n")] = '\0';
		skip_space((const char **)&piece);
		if (*piece == '#')
			continue;
		for (piece = strtok_r(piece, ";", &save); piece && !wrong;
		     piece = strtok_r(NULL, ";", &save))
			wrong = parse_piece(suite, piece);
	}
	free(line);
	if (!wrong && ferror(file))
		wrong = "cannot be read";
	if (!wrong && !suite->nr)
		wrong = "there is no program in it";
	if (wrong)
		fprintf(stderr, "%s:%u: %s\n", name, nr, wrong);
	return wrong ? -1 : 0;
}

/**
 * suite_print - write programs as text, for people
 * @suite: the programs
 * @file: where to
 */
void suite_print(const struct suite *suite, FILE *file)
{
	for (uint32_t i = 0; i < suite->nr; i++)
		program_print(&suite->program[i], file, false);
}

/**
 * suite_copy - copy programs
 * @to: overwritten; its own programs are not freed
 * @from: what to copy
 */
void suite_copy(struct suite *to, const struct suite *from)
{
	to->nr = from->nr;
	to->program = calloc(from->nr + 1, sizeof(*to->program));
	if (!to->program)
		die("out of memory");
	if (from->nr)
		memcpy(to->program, from->program, from->nr * sizeof(*to->program));
}

/**
 * suite_ops - how long a suite is
 * @suite: the programs
 *
 * Return: number of operations in all.
 */
uint32_t suite_ops(const struct suite *suite)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < suite->nr; i++)
		nr += suite->program[i].nr;
	return nr;
}
