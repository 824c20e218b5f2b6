/* SPDX-License-Identifier: GPL-2.0 */
/* Which operations a storm performs, how often, and what became of them. */
#ifndef STORM_MIX_H
#define STORM_MIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "json.h"
#include "memory.h"
#include "prng.h"

#define MIX_MOST	64

struct instance;
struct operation;
struct script;

/**
 * struct mix_entry - what a storm knows of an operation
 * @weight: how often it is chosen; 0: never
 * @named: --mix names it
 * @resting: it is not chosen for now; written by the storm, see mix_rest()
 * @why: the reason why it is left out, or empty
 * @done: times it was performed; these are written by all discarders
 * @refused: times the kernel refused it
 * @error: the errno of the last time
 * @proofs: times it was seen to reach its path; a few are enough
 */
struct mix_entry {
	uint32_t weight;
	bool named;
	bool resting;
	char why[96];
	uint64_t done;
	uint64_t refused;
	int error;
	uint64_t proofs;
};

/**
 * struct mix - the operations of a storm
 * @text: what --mix says, or what stands for it
 * @asked: it was given on the command line
 * @total: of all weights
 * @entries: one for each of the table's rows
 */
struct mix {
	const char *text;
	bool asked;
	uint32_t total;
	struct mix_entry entries[MIX_MOST];
};

bool mix_parse(struct mix *mix, const char *text, char *why, size_t size);
void mix_of_script(struct mix *mix, const struct script *script);
void mix_list(void);
void mix_prepare(struct mix *mix, const struct instance *instance);
void mix_rest(struct mix *mix, struct prng *prng);
const struct operation *mix_find(const struct mix *mix, const char *name);
size_t mix_choose(const struct mix *mix, struct prng *prng);
size_t mix_choose_losing(const struct mix *mix, enum memory_backing backing, struct prng *prng);

bool mix_wants_proof(const struct mix *mix, size_t index);
void mix_note(struct mix *mix, size_t index, int error, bool reached);
bool mix_proven(const struct mix *mix);
void mix_print(const struct mix *mix);
void mix_print_most(const struct mix *mix);
void mix_json(const struct mix *mix, struct json *json);

#endif /* STORM_MIX_H */
