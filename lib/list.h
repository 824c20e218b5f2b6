/* SPDX-License-Identifier: GPL-2.0 */
/* Arrays that grow. */
#ifndef LIB_LIST_H
#define LIB_LIST_H

#include <stdlib.h>
#include "message.h"

/* Makes room behind @count elements for one more; returns the array, which may move. */
static inline void *list_grow(void *list, size_t count, size_t size)
{
	list = reallocarray(list, count + 1, size);
	if (!list)
		die("out of memory");
	return list;
}

#endif /* LIB_LIST_H */
