/* SPDX-License-Identifier: GPL-2.0 */
/* What a kernel without CONFIG_ZONE_DEVICE does not declare; test_hmm never comes to call it. */
#ifndef PEER_ABSENT_H
#define PEER_ABSENT_H

#include <linux/err.h>
#include <linux/memremap.h>

static inline void *memremap_pages(struct dev_pagemap *pgmap, int nid)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static inline void memunmap_pages(struct dev_pagemap *pgmap)
{
}

static inline void zone_device_page_init(struct page *page)
{
}

#endif
