/* SPDX-License-Identifier: GPL-2.0 */
/* userfaultfd(2), for operations that use it. */
#ifndef STORM_USERFAULT_H
#define STORM_USERFAULT_H

#include <stdint.h>

struct scene;

/* linux/userfaultfd.h, some since 6.7 or 6.8. */
#define USERFAULT_WP_UNPOPULATED	(1ull << 13)
#define USERFAULT_WP_ASYNC		(1ull << 15)
#define USERFAULT_MOVE			(1ull << 16)
#define USERFAULT_MODE_MISSING		(1ull << 0)
#define USERFAULT_MODE_WP		(1ull << 1)

int userfault_open(uint64_t features);
int userfault_register(int fd, const struct scene *scene, uint64_t mode);
void userfault_close(int fd, const struct scene *scene);

#endif /* STORM_USERFAULT_H */
