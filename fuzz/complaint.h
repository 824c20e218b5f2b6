/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Complaints of the kernel, found in its log as the test VM finds them; see
 * testvm/guest.h.
 */
#ifndef FUZZ_COMPLAINT_H
#define FUZZ_COMPLAINT_H

#include <stdbool.h>
#include <stddef.h>

bool complaint_open(void);
bool complaint_read(char *text, size_t size);

#endif /* FUZZ_COMPLAINT_H */
