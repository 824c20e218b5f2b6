// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin of QEMU for runs that repeat themselves: with instructions counted, one thread
 * runs all virtual CPUs in turn, and what they do follows from what they are given.
 *
 * It hashes which CPU runs which block of code, so that two runs can be shown to be equal,
 * and where they part. And it lets CPUs give way at blocks that a seed chooses: another
 * seed is another schedule, and the same seed the same one.
 *
 * Arguments, NAME=VALUE:
 *	digest=FILE	gets a line "BLOCKS DIGEST" for each checkpoint, and a last one
 *			"over BLOCKS DIGEST" at MARK_OVER; "wrong BLOCKS DIGEST" at each
 *			MARK_WRONG. At each MARK_END comes
 *			"schedule SEED BLOCKS DIGEST STEPS YIELDS": the blocks in ranges
 *			that it had, and how often a CPU gave way
 *	every=N		blocks between checkpoints
 *	seed=N		of the first schedule; with marks the next one has the next seed
 *	cpus=N		how many there are, 64 at most
 *	policy=NAME	random: give way at one of PERIOD blocks
 *			pct: run the CPU with the highest priority, see pct.c
 *	period=N	for random
 *	depth=N		for pct
 *	range=LO-HI	blocks at which CPUs may give way, hexadecimal; repeatable. The guest
 *			can say so too (../mark.h)
 *	marks=1		only between MARK_BEGIN and MARK_END
 * To look at a run, which does not change it (notice.c):
 *	notes=FILE	gets a line "at BLOCKS CPU ADDRESS" for each place that is passed,
 *			and "stopped BLOCKS CPU"
 *	at=ADDRESS	a place, hexadecimal: before this instruction; repeatable
 *	from=N		notice places once N blocks have run
 *	stop=WHAT	stop the machine once, from then on: before the "block" N, "at" the
 *			first place that is passed, or at MARK_WRONG ("wrong")
 *	profile=FILE	gets a line "ADDRESS INSTRUCTIONS TIMES" for each block of code that
 *			ran between MARK_BEGIN and MARK_END, and "end" at each MARK_END
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../mark.h"
#include "notice.h"
#include "policy.h"
#include "profile.h"
#include "qemu.h"

#define EXPORT	__attribute__((visibility("default")))
#define RANGES	16u

EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;
EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv);

static FILE *digest_file;
static uint64_t every = 1000000, blocks, digest = 0xcbf29ce484222325;
static bool over;

static struct policy policy;
static struct { uint64_t low, high; } ranges[RANGES];
static unsigned int nr_ranges;
static uint64_t seed = 1;
static bool marks, scheduling;
static uint64_t yields;

static void checkpoint(const char *what)
{
	if (!digest_file)
		return;
	fprintf(digest_file, "%s%" PRIu64 " %016" PRIx64 "\n", what, blocks, digest);
	fflush(digest_file);
}

/* What follows depends on when QEMU's main loop sees that the guest is off. */
static void finish(void)
{
	if (over)
		return;
	over = true;
	checkpoint("over ");
}

uint64_t blocks_so_far(void)
{
	return blocks;
}

/* Asked for each block, and mostly the same one as for the block before. */
unsigned int running_cpu(void)
{
	static struct CPUState *latest;
	static unsigned int index;

	if (current_cpu == latest)
		return index;
	latest = current_cpu;
	for (index = 0; index + 1 < policy.cpus && qemu_get_cpu(index) != latest; index++)
		;
	return index;
}

/* FNV-1a, a block at a time. No two CPUs share the multiples. */
static void hash_block(void *address)
{
	if (over)
		return;
	digest = (digest ^ ((uintptr_t)address * 64 + running_cpu())) * 0x100000001b3;
	if (!(++blocks % every))
		checkpoint("");
}

static bool is_idle(unsigned int cpu)
{
	return cpu_thread_is_idle(qemu_get_cpu(cpu));
}

static bool is_in_range(uint64_t address)
{
	for (unsigned int i = 0; i < nr_ranges; i++)
		if (address >= ranges[i].low && address < ranges[i].high)
			return true;
	return false;
}

static void run_block(unsigned int told, void *address)
{
	void *caller = __builtin_return_address(0);
	enum turn turn;

	(void)told;
	notice_block(blocks + 1, caller);
	hash_block(address);
	if (!scheduling || !is_in_range((uintptr_t)address))
		return;
	turn = policy_step(&policy, running_cpu(), (uintptr_t)address, is_idle);
	if (turn == TURN_GOES_ON)
		return;
	yields++;
	cpu_exit(current_cpu);
	if (turn == TURN_IS_REFUSED)
		cpu_loop_exit_restore(current_cpu, (uintptr_t)caller);
}

static void begin_schedule(void)
{
	policy_begin(&policy, seed);
	yields = 0;
	scheduling = true;
}

static void end_schedule(void)
{
	if (!scheduling)
		return;
	scheduling = false;
	if (digest_file)
		fprintf(digest_file, "schedule %" PRIu64 " %" PRIu64 " %016" PRIx64
			" %" PRIu64 " %" PRIu64 "\n", seed, blocks, digest, policy.step,
			yields);
	seed++;
}

static void pass_mark(unsigned int cpu, void *mark)
{
	(void)cpu;
	switch ((enum mark)(uintptr_t)mark) {
	case MARK_OVER:
		finish();
		break;
	case MARK_BEGIN:
		if (marks)
			begin_schedule();
		profile_begin();
		break;
	case MARK_END:
		profile_end();
		if (marks)
			end_schedule();
		break;
	case MARK_WRONG:
		notice_wrong(__builtin_return_address(0));
		checkpoint("wrong ");
		break;
	case MARK_RANGES:
		nr_ranges = 0;
		break;
	}
}

static void pass_low(unsigned int cpu, void *address)
{
	(void)cpu;
	if (nr_ranges < RANGES)
		ranges[nr_ranges].low = (uintptr_t)address;
}

static void pass_high(unsigned int cpu, void *address)
{
	(void)cpu;
	if (nr_ranges < RANGES)
		ranges[nr_ranges++].high = (uintptr_t)address;
}

static void find_arm64_mark(struct qemu_plugin_insn *insn)
{
	const uint32_t mark_bits = 0xff << MARK_ARM64_SHIFT;
	uint32_t word;

	if (qemu_plugin_insn_size(insn) != MARK_ARM64_LENGTH ||
	    qemu_plugin_insn_data(insn, &word, MARK_ARM64_LENGTH) != MARK_ARM64_LENGTH ||
	    (word & ~mark_bits) != MARK_ARM64(0))
		return;
	qemu_plugin_register_vcpu_insn_exec_cb(insn, pass_mark, QEMU_PLUGIN_NO_REGS,
					       (void *)(uintptr_t)((word & mark_bits) >>
								   MARK_ARM64_SHIFT));
}

/* Have a mark noticed when it is run, if the instruction is one. */
static void find_mark(struct qemu_plugin_insn *insn)
{
	static const unsigned char opcodes[][4] = { MARK_OPCODE, MARK_LOW, MARK_HIGH };
	static void (* const passes[])(unsigned int, void *) = {
		pass_mark, pass_low, pass_high,
	};
	unsigned char bytes[MARK_LENGTH];
	uintptr_t told;
	int32_t value;
	unsigned int i;

	if (qemu_plugin_insn_size(insn) != MARK_LENGTH ||
	    qemu_plugin_insn_data(insn, bytes, MARK_LENGTH) != MARK_LENGTH)
		return;
	for (i = 0; i < 3 && memcmp(bytes, opcodes[i], sizeof(opcodes[i])); i++)
		;
	if (i == 3)
		return;
	memcpy(&value, bytes + sizeof(opcodes[i]), sizeof(value));
	if (!i && (value & 0xffffff00) != MARK_MAGIC)
		return;
	/* Addresses are told by their lowest 32 bits; those above are the sign. */
	told = i ? (uintptr_t)(intptr_t)value : value & 0xff;
	qemu_plugin_register_vcpu_insn_exec_cb(insn, passes[i], QEMU_PLUGIN_NO_REGS,
					       (void *)told);
}

static void translate(plugin_id id, struct qemu_plugin_tb *block)
{
	uint64_t address = qemu_plugin_tb_vaddr(block);
	size_t n = qemu_plugin_tb_n_insns(block);

	(void)id;
	qemu_plugin_register_vcpu_tb_exec_cb(block, run_block, QEMU_PLUGIN_NO_REGS,
					     (void *)(uintptr_t)address);
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(block, i);

		find_mark(insn);
		find_arm64_mark(insn);
		notice_translate(insn);
	}
	profile_translate(block);
}

static bool add_range(const char *text)
{
	char *end;

	if (nr_ranges == RANGES)
		return false;
	ranges[nr_ranges].low = strtoull(text, &end, 16);
	if (*end++ != '-')
		return false;
	ranges[nr_ranges++].high = strtoull(end, &end, 16);
	return !*end;
}

/* @at is what is behind NAME=, if the argument is of that name. */
static bool is_named(const char *argument, const char *name, const char **at)
{
	size_t length = strlen(name);

	*at = argument + length + 1;
	return !strncmp(argument, name, length) && argument[length] == '=';
}

static bool understand(const char *argument)
{
	const char *value;

	if (is_named(argument, "digest", &value))
		return (digest_file = fopen(value, "we"));
	if (is_named(argument, "range", &value))
		return add_range(value);
	if (is_named(argument, "policy", &value))
		return policy_choose(&policy, value);
	if (is_named(argument, "every", &value))
		return (every = strtoull(value, NULL, 10));
	if (is_named(argument, "seed", &value))
		return (seed = strtoull(value, NULL, 10));
	if (is_named(argument, "cpus", &value))
		return (policy.cpus = strtoull(value, NULL, 10)) &&
		       policy.cpus <= POLICY_CPUS;
	if (is_named(argument, "period", &value))
		return (policy.period = strtoull(value, NULL, 10));
	if (is_named(argument, "depth", &value))
		return (policy.depth = strtoull(value, NULL, 10));
	if (is_named(argument, "profile", &value))
		return profile_open(value);
	if (is_named(argument, "marks", &value))
		return marks = true;
	return notice_understand(argument);
}

int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++)
		if (!understand(argv[i])) {
			fprintf(stderr, "schedule.so: %s is wrong\n", argv[i]);
			return -1;
		}
	if (!marks)
		begin_schedule();
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	return 0;
}
