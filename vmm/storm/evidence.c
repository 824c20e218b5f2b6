// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "evidence.h"

/* Half as much is enough for kernel 7. */
#define VMSTAT_BYTES	16384

/**
 * pagemap_entry - ask what the process has at an address
 * @hva: the address
 *
 * Return: the entry of /proc/self/pagemap, without a frame for a process without
 * privileges; 0 if there is none.
 */
uint64_t pagemap_entry(const void *hva)
{
	off_t offset = (off_t)((uintptr_t)hva / GUEST_PAGE_SIZE * sizeof(uint64_t));
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	if (fd < 0)
		return 0;
	if (pread(fd, &entry, sizeof(entry), offset) != sizeof(entry))
		entry = 0;
	close(fd);
	return entry;
}

/**
 * vmstat_counter - read a counter of /proc/vmstat
 * @name: its name
 *
 * Return: its value, of the whole machine; 0 if this kernel has none of that name.
 */
uint64_t vmstat_counter(const char *name)
{
	int fd = open("/proc/vmstat", O_RDONLY | O_CLOEXEC);
	size_t size = 0, length = strlen(name);
	static __thread char text[VMSTAT_BYTES];
	ssize_t got;

	if (fd < 0)
		return 0;
	while (size < sizeof(text) - 1 &&
	       (got = read(fd, text + size, sizeof(text) - 1 - size)) > 0)
		size += (size_t)got;
	close(fd);
	text[size] = '\0';
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, name, length) && line[length] == ' ')
			return strtoull(line + length, NULL, 10);
	}
	return 0;
}

static uint64_t take_value(const struct scene *scene)
{
	switch (scene->operation->proof) {
	case PROOF_COUNTER:
		return vmstat_counter(scene->operation->path);
	case PROOF_GONE:
		return pagemap_entry(scene_sample(scene));
	case PROOF_THERE:
		return pagemap_entry(scene->hva + scene->length - GUEST_PAGE_SIZE);
	default:
		return 0;
	}
}

/**
 * evidence_begin - an operation is about to be performed
 * @evidence: filled in
 * @scene: the operation
 */
void evidence_begin(struct evidence *evidence, const struct scene *scene)
{
	evidence->value = take_value(scene);
}

/**
 * evidence_end - it has been performed
 * @evidence: what evidence_begin() filled in
 * @scene: the operation
 *
 * Reads may have brought a page back meanwhile, but not the same frame. A counter is that of
 * the whole machine.
 *
 * Return: true if the operation has reached its path.
 */
bool evidence_end(const struct evidence *evidence, const struct scene *scene)
{
	uint64_t before = evidence->value, after = take_value(scene);

	switch (scene->operation->proof) {
	case PROOF_COUNTER:
		return after > before;
	case PROOF_GONE:
		return before & PAGEMAP_PRESENT &&
		       (!(after & PAGEMAP_PRESENT) ||
			(after & PAGEMAP_FRAME) != (before & PAGEMAP_FRAME));
	case PROOF_THERE:
		return !(before & PAGEMAP_PRESENT) && after & PAGEMAP_PRESENT;
	default:
		return scene->reached;
	}
}
