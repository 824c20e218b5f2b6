/* SPDX-License-Identifier: GPL-2.0 */
/* The programs worth changing: those that came by places that no other had. */
#ifndef FUZZ_CORPUS_H
#define FUZZ_CORPUS_H

#include "prng.h"
#include "program.h"

void corpus_add(struct suite *corpus, const struct program *program);
void corpus_next(const struct suite *corpus, struct prng *prng,
		 struct program *program);

#endif /* FUZZ_CORPUS_H */
