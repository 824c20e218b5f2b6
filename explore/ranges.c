// SPDX-License-Identifier: GPL-2.0
/*
 * Tells QEMU's plugin in which code processors may give way (testvm/mark.h). A program
 * cannot know that when it is compiled, so the no-ops that say so are made here.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "mark.h"
#include "message.h"
#include "scenario.h"

#define CODE	4096u

/* Functions in which the kernel changes a tree of ranges. */
static const char *const trees[] = {
	"interval_tree_insert", "interval_tree_remove", "interval_tree_augment_rotate",
	"__rb_insert_augmented", "__rb_erase_color",
};

struct code {
	unsigned char *bytes;
	unsigned int length;
};

static void emit(struct code *code, const unsigned char *bytes, unsigned int n)
{
	if (code->length + n > CODE)
		die("there are too many ranges");
	memcpy(code->bytes + code->length, bytes, n);
	code->length += n;
}

static void emit_address(struct code *code, const unsigned char opcode[4], uint64_t address)
{
	uint32_t value = address;

	emit(code, opcode, 4);
	emit(code, (const unsigned char *)&value, sizeof(value));
}

static void emit_range(struct code *code, uint64_t low, uint64_t high)
{
	static const unsigned char low_opcode[] = MARK_LOW, high_opcode[] = MARK_HIGH;

	emit_address(code, low_opcode, low);
	emit_address(code, high_opcode, high);
}

static FILE *open_list(const char *name)
{
	FILE *file = fopen(name, "re");

	if (!file)
		die("cannot read %s: %s", name, strerror(errno));
	return file;
}

static void emit_driver(struct code *code)
{
	FILE *file = open_list("/proc/modules");
	unsigned long long address;
	unsigned long size;
	char line[256];

	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "secmmu %lu %*s %*s %*s %llx", &size, &address) == 2)
			emit_range(code, address, address + size);
	fclose(file);
	if (!code->length)
		die("/proc/modules does not tell where the driver lies");
}

static bool is_tree(const char *name)
{
	for (unsigned int i = 0; i < sizeof(trees) / sizeof(*trees); i++)
		if (!strcmp(trees[i], name))
			return true;
	return false;
}

/* The kernel lists its own functions by their addresses: one ends where the next begins. */
static void emit_trees(struct code *code)
{
	FILE *file = open_list("/proc/kallsyms");
	unsigned long long address, begin = 0;
	char line[256], name[128];

	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%llx %*c %127s", &address, name) != 2)
			continue;
		if (begin && address > begin) {
			emit_range(code, begin, address);
			begin = 0;
		}
		if (is_tree(name))
			begin = address;
	}
	fclose(file);
}

void tell_ranges(bool with_trees)
{
	struct code code = {
		.bytes = mmap(NULL, CODE, PROT_READ | PROT_WRITE | PROT_EXEC,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
	};
	static const unsigned char end[] = { 0xc3 };
	void (*say_it)(void);

	if (code.bytes == MAP_FAILED)
		die("cannot map memory: %s", strerror(errno));
	emit_driver(&code);
	if (with_trees)
		emit_trees(&code);
	emit(&code, end, sizeof(end));
	memcpy(&say_it, &code.bytes, sizeof(say_it));
	mark_here(MARK_RANGES);
	say_it();
	munmap(code.bytes, CODE);
}
