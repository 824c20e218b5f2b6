// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "profile.h"
#include "qemu.h"

/**
 * struct counted - a block of code as it was translated once
 * @next: the one translated before
 * @address: where it begins
 * @instructions: how many it has
 * @times: how often it ran since MARK_BEGIN
 */
struct counted {
	struct counted *next;
	uint64_t address;
	uint64_t instructions;
	uint64_t times;
};

static FILE *file;
static struct counted *all;
static bool counting;

bool profile_open(const char *path)
{
	file = fopen(path, "we");
	return file;
}

static void count_block(unsigned int told, void *data)
{
	struct counted *block = data;

	(void)told;
	if (counting)
		block->times++;
}

void profile_translate(struct qemu_plugin_tb *tb)
{
	struct counted *block;

	if (!file)
		return;
	block = calloc(1, sizeof(*block));
	if (!block)
		abort();
	*block = (struct counted) {
		.next = all,
		.address = qemu_plugin_tb_vaddr(tb),
		.instructions = qemu_plugin_tb_n_insns(tb),
	};
	all = block;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, count_block, QEMU_PLUGIN_NO_REGS, block);
}

void profile_begin(void)
{
	counting = true;
}

void profile_end(void)
{
	if (!counting)
		return;
	counting = false;
	if (!file)
		return;
	for (struct counted *block = all; block; block = block->next) {
		if (block->times)
			fprintf(file, "%" PRIx64 " %" PRIu64 " %" PRIu64 "\n", block->address,
				block->instructions, block->times);
		block->times = 0;
	}
	fprintf(file, "end\n");
	fflush(file);
}
