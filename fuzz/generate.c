// SPDX-License-Identifier: GPL-2.0
/*
 * Most programs begin with what makes the rest meaningful: memory, a mirror, a slot,
 * an engine. Things that an operation uses are mostly those that an earlier one has
 * made. Pages are mostly few and close together, for what never meets shows nothing.
 */
#include <string.h>

#include <linux/secmmu.h>

#include "act.h"
#include "generate.h"

/* One in @n. */
static bool one_in(struct prng *prng, uint32_t n)
{
	return !prng_below(prng, n);
}

static uint64_t one_of(struct prng *prng, const uint64_t *list, uint32_t nr)
{
	return list[prng_below(prng, nr)];
}

#define ONE_OF(prng, ...)						\
	one_of(prng, (const uint64_t[]){ __VA_ARGS__ },			\
	       sizeof((const uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t))

/* A thing that the operations before @at have made, or any. */
static uint64_t choose_thing(struct prng *prng, const struct program *program,
			     unsigned int at, const struct arg *arg)
{
	unsigned int made = 0;
	uint64_t choice = prng_below(prng, arg->bound);

	if (arg->makes || one_in(prng, 16))
		return choice;
	for (unsigned int i = 0; i < at; i++) {
		const struct op *op = &program->op[i];
		const struct arg *its = op_kinds[op->kind].arg;

		for (unsigned int j = 0; its[j].name; j++)
			if (its[j].makes && its[j].means == arg->means &&
			    one_in(prng, ++made))
				choice = op->arg[j];
	}
	return choice;
}

static uint64_t choose_page(struct prng *prng, uint32_t bound)
{
	switch (prng_below(prng, 8)) {
	case 0:
		return prng_below(prng, bound);
	case 1:
		return ONE_OF(prng, 511, 512, 513, 1023, 1024, 2047);
	case 2:
		return 512 * prng_below(prng, bound / 512);
	case 3:
	case 4:
		return 0;
	default:
		return prng_below(prng, 16);
	}
}

static uint64_t choose_pages(struct prng *prng)
{
	switch (prng_below(prng, 8)) {
	case 0:
		return ONE_OF(prng, 0, 511, 513, 1024, 2048, 1ULL << 52);
	case 1:
		return prng_below(prng, ARENA_PAGES);
	case 2:
		return 512;
	case 3:
		return 64;
	default:
		return 1 + prng_below(prng, 16);
	}
}

static uint64_t choose_arg(struct prng *prng, const struct program *program,
			   unsigned int at, const struct arg *arg)
{
	switch (arg->means) {
	case MEANS_DEVICE:
	case MEANS_MIRROR:
	case MEANS_ENGINE:
	case MEANS_FILE:
	case MEANS_CHILD:
		return choose_thing(prng, program, at, arg);
	case MEANS_PAGE:
		return choose_page(prng, arg->bound);
	case MEANS_GPAGE:
		if (one_in(prng, 32))
			return ONE_OF(prng, (1ULL << 36) - 1, 1ULL << 36,
				      (1ULL << 36) - 512, (1ULL << 52) - 1);
		return choose_page(prng, arg->bound);
	case MEANS_PAGES:
		return choose_pages(prng);
	case MEANS_SLOT:
		if (one_in(prng, 32))
			return ONE_OF(prng, 32767, 32768, UINT32_MAX);
		return one_in(prng, 2) ? 0 : prng_below(prng, arg->bound);
	case MEANS_BYTE:
		return one_in(prng, 2) ? 0 : prng_below(prng, arg->bound);
	case MEANS_BYTES:
		return one_in(prng, 2) ? ONE_OF(prng, 1, 8, 4096, 8192) :
					 prng_below(prng, arg->bound);
	case MEANS_TWIST:
		return one_in(prng, 12) ? prng_below(prng, arg->bound) : 0;
	case MEANS_BITS:
		return prng_below(prng, arg->bound);
	case MEANS_SELDOM:
		return one_in(prng, 4) ? prng_below(prng, arg->bound) : 0;
	case MEANS_CHOICE:
		break;
	}
	return one_in(prng, 3) ? 0 : prng_below(prng, arg->bound);
}

static void fill_op(struct prng *prng, struct program *program, unsigned int at)
{
	struct op *op = &program->op[at];

	for (unsigned int i = 0; i < MAX_ARGS; i++)
		op->arg[i] = i < op_args(op->kind) ?
			     choose_arg(prng, program, at,
					&op_kinds[op->kind].arg[i]) : 0;
}

static uint8_t choose_kind(struct prng *prng)
{
	unsigned int sum = 0, choice, i;

	for (i = 0; i < nr_op_kinds; i++)
		sum += op_kinds[i].weight;
	choice = prng_below(prng, sum);
	for (i = 0; choice >= op_kinds[i].weight; i++)
		choice -= op_kinds[i].weight;
	return i;
}

/* A new operation at @at; what is there moves on, and perhaps out. */
static void insert_op(struct prng *prng, struct program *program, unsigned int at,
		      uint8_t kind, uint8_t thread)
{
	if (program->nr < MAX_OPS)
		program->nr++;
	memmove(&program->op[at + 1], &program->op[at],
		(program->nr - at - 1) * sizeof(struct op));
	program->op[at] = (struct op) { .kind = kind, .thread = thread };
	fill_op(prng, program, at);
}

static void append_op(struct prng *prng, struct program *program, const char *name)
{
	insert_op(prng, program, program->nr, op_find(name, strlen(name)), 0);
}

/* The same pages for memory and slot, most often in the same place. */
static void begin_program(struct prng *prng, struct program *program)
{
	uint64_t pages = ONE_OF(prng, 16, 512, 1024, 2048);
	struct op *op = program->op;

	if (one_in(prng, 4)) {
		append_op(prng, program, "file");
		op->arg[1] = pages;
		op++;
	}
	append_op(prng, program, "map");
	op[0].arg[0] = 0;
	op[0].arg[1] = pages;
	op[0].arg[3] = 7;
	append_op(prng, program, "open");
	append_op(prng, program, "mirror");
	if (!one_in(prng, 4))
		op[2].arg[4] = 0;
	append_op(prng, program, "slot");
	if (!one_in(prng, 4)) {
		op[3].arg[2] = 0;
		op[3].arg[3] = 0;
		op[3].arg[4] = pages;
		op[3].arg[5] = ONE_OF(prng, 0, 0, 0, 2);
	}
	append_op(prng, program, "engine");
	/* Who cannot read or write reaches little. */
	if (!one_in(prng, 4))
		op[4].arg[2] &= ~SECMMU_ENGINE_BACKGROUND;
	/* An empty mirror has nothing to lose. */
	if (!one_in(prng, 4))
		append_op(prng, program, one_in(prng, 3) ? "prefault" : "write");
}

static uint32_t choose_rounds(struct prng *prng)
{
	return ONE_OF(prng, 1, 1, 4, 16, 64);
}

/**
 * generate - a new program
 * @program: overwritten
 * @prng: decides
 */
void generate(struct program *program, struct prng *prng)
{
	unsigned int length = 4 + prng_below(prng, 16);
	unsigned int threads = 1 + prng_below(prng, NR_THREADS), alone;

	memset(program, 0, sizeof(*program));
	program->rounds = choose_rounds(prng);
	if (!one_in(prng, 8))
		begin_program(prng, program);
	alone = program->nr + prng_below(prng, length);
	while (length--)
		insert_op(prng, program, program->nr, choose_kind(prng),
			  program->nr < alone ? 0 : prng_below(prng, threads));
}

/* Some of another program, in place of the rest of this one or in its midst. */
static void splice_program(struct program *program, const struct program *other,
			   struct prng *prng)
{
	unsigned int from = prng_below(prng, other->nr);
	unsigned int at = prng_below(prng, program->nr + 1);

	for (unsigned int i = from; i < other->nr && at < MAX_OPS; i++) {
		program->op[at++] = other->op[i];
		if (program->nr < at)
			program->nr = at;
	}
}

static void change_arg(struct program *program, unsigned int at,
		       struct prng *prng)
{
	struct op *op = &program->op[at];
	unsigned int n = op_args(op->kind), i;

	if (!n)
		return;
	i = prng_below(prng, n);
	op->arg[i] = choose_arg(prng, program, at, &op_kinds[op->kind].arg[i]);
}

static void mutate_once(struct program *program, const struct program *other,
			struct prng *prng)
{
	unsigned int at = prng_below(prng, program->nr);

	switch (prng_below(prng, 12)) {
	case 0:
		splice_program(program, other, prng);
		break;
	case 1:
		if (program->nr == 1)
			break;
		program->nr--;
		memmove(&program->op[at], &program->op[at + 1],
			(program->nr - at) * sizeof(struct op));
		break;
	case 2:
		program->op[at].thread = prng_below(prng, NR_THREADS);
		break;
	case 3:
		program->rounds = choose_rounds(prng);
		break;
	case 4:
	case 5:
	case 6:
	case 7:
		insert_op(prng, program, at, choose_kind(prng),
			  program->op[at].thread);
		break;
	default:
		change_arg(program, at, prng);
		break;
	}
}

/**
 * mutate - change a program
 * @program: the program, not empty
 * @other: one to take from, not empty
 * @prng: decides
 */
void mutate(struct program *program, const struct program *other,
	    struct prng *prng)
{
	unsigned int times = 1 + prng_below(prng, 4);

	while (times--)
		mutate_once(program, other, prng);
}
