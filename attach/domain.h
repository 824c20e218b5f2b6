/* SPDX-License-Identifier: GPL-2.0 */
/* A guest of libvirt: its process, and the layout of its memory. */
#ifndef ATTACH_DOMAIN_H
#define ATTACH_DOMAIN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "layout.h"

/**
 * struct domain - a running guest
 * @name: as libvirt calls it
 * @uri: of libvirt, or NULL for the one that virsh chooses
 * @uuid: its own
 * @start: first guest address of interest
 * @end: address behind the last one
 * @suspended: by this program
 * @layout: where its memory lies
 * @read: when that was found out
 */
struct domain {
	const char *name;
	const char *uri;
	char uuid[64];
	uint64_t start;
	uint64_t end;
	bool suspended;
	struct layout layout;
	uint64_t read;
};

pid_t domain_open(struct domain *domain);
bool domain_is(const struct domain *domain, int proc);
void domain_suspend(struct domain *domain);
void domain_resume(struct domain *domain);
bool domain_changed(struct domain *domain);
void domain_locate(struct domain *domain);

#endif /* ATTACH_DOMAIN_H */
