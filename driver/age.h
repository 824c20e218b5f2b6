/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECMMU_AGE_H
#define SECMMU_AGE_H

#include "pgtable.h"

bool secmmu_age(struct secmmu_pgtable *pt, gfn_t first, gfn_t last, bool clear);

#endif
