/* SPDX-License-Identifier: GPL-2.0 */
/* What "secmmu-vmm attach" tells. */
#ifndef ATTACH_FACTS_H
#define ATTACH_FACTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <linux/secmmu.h>
#include "areas.h"
#include "compare.h"

/**
 * struct attach_facts - what was found out about a process
 * @pid: the process
 * @command: what it is called
 * @domain: the guest of libvirt that it runs, or NULL
 * @verified: pages were compared, not just read
 * @filled: pages were read that the process had not
 * @brief: only areas with pages that are changing or stale are printed
 * @complete: the last pass was finished, so that @areas tells all
 * @signal: that ended it early, or zero
 * @passes: over its memory, finished ones
 * @seconds: they took
 * @pages: read, in all passes together
 * @refused: pages that were refused, by the mirror and by the process alike
 * @absent: pages that neither the process nor the mirror had, most of them given up
 *	since the pass before
 * @changing: of @pages, pages that changed under comparison
 * @stale: of @pages, pages of which the mirror showed something else
 * @merged: pages of the process that KSM had merged at the start
 * @merged_after: ... and in the end
 * @areas: its areas, as the last pass saw them
 * @gone: pages the pass before saw, where there is no area any more
 * @stats: of the mirror
 */
struct attach_facts {
	pid_t pid;
	const char *command;
	const char *domain;
	bool verified;
	bool filled;
	bool brief;
	bool complete;
	int signal;
	unsigned int passes;
	uint64_t seconds;
	uint64_t pages;
	uint64_t refused;
	uint64_t absent;
	uint64_t changing;
	uint64_t stale;
	uint64_t merged;
	uint64_t merged_after;
	struct areas areas;
	struct area gone;
	struct secmmu_stats stats;
};

void facts_finding(const struct attach_facts *facts,
		   const struct finding *finding,
		   const struct area *area, bool still);
void facts_print(const struct attach_facts *facts);
int facts_json(const char *path, const struct attach_facts *facts);

#endif /* ATTACH_FACTS_H */
