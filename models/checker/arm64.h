/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LITMUS_ARM64_H
#define LITMUS_ARM64_H

#include "lkmm.h"

/**
 * arm64_permits() - may a processor for arm64 go this way?
 * @x: an execution that is coherent by lkmm_coherent()
 *
 * The rules are those of the architecture (Armv8, "ordered before"), for the instructions
 * that the kernel has for marked accesses, in programs without branches and dependencies. Where
 * it has two ways to write an operation, with exclusives or with atomic instructions, and
 * where an acquire may be of the weaker kind (LDAPR), what is kept in order is what both
 * keep in order.
 */
bool arm64_permits(const struct execution *x);

#endif
