/* SPDX-License-Identifier: GPL-2.0 */
/* What operations do: calls of the driver, of memory, of processes. See op.c. */
#ifndef FUZZ_ACT_H
#define FUZZ_ACT_H

#include <stdint.h>
#include <sys/mman.h>

#include "world.h"

/* What older C libraries do not know. */
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ	22
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE		25
#endif
/* Since Linux 6.13. */
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL	102
#define MADV_GUARD_REMOVE	103
#endif

/* Variants of "odd", of spoilt structures, of memory advice. */
#define NR_ODD		8
#define NR_TWISTS	20
#define NR_ADVICE	16
#define NR_BUFFERS	5
#define NR_TAGS		5
#define NR_MAPS		7
#define NR_LIVES	8
#define NR_REMOTES	4

#define ACT(name)	void name(struct world *world, const uint64_t *arg)

/* driver.c */
ACT(act_open);
ACT(act_info);
ACT(act_mirror);
ACT(act_slot);
ACT(act_engine);
ACT(act_stats);
ACT(act_prefault);
ACT(act_dirty_log);
ACT(act_event);

/* views.c */
ACT(act_tag_bits);
ACT(act_refresh);
ACT(act_key);
ACT(act_rights);
ACT(act_domain);
ACT(act_enter);
ACT(act_attach);
ACT(act_detach);
ACT(act_job);
ACT(act_wait_job);

/* file.c */
ACT(act_read);
ACT(act_write);
ACT(act_odd);
ACT(act_close);
ACT(act_dup);
ACT(act_debugfs);

/* memory.c */
ACT(act_file);
ACT(act_map);
ACT(act_unmap);
ACT(act_protect);
ACT(act_move);
ACT(act_advise);
ACT(act_touch);
ACT(act_lock);
ACT(act_truncate);
ACT(act_punch);
ACT(act_clear_refs);
ACT(act_compact);

/* process.c */
ACT(act_fork);
ACT(act_kill);
ACT(act_remote);
ACT(act_exec);
ACT(act_exit);
ACT(act_signal);
ACT(act_drop);
ACT(act_nap);

#undef ACT

/* Call the driver with a structure that begins with its size, spoilt by @twist. */
int driver_call(int fd, unsigned long cmd, const void *arg, uint32_t size,
		uint64_t twist);

/* The bits of a file offset, or gpa, that tag number @number sets. */
uint64_t tag_of(uint64_t number);

/* The descriptor of a thing: @what is 0 device, 1 mirror, 2 engine, 3 file. */
int *world_entry(struct world *world, uint64_t what, uint64_t number);

#endif /* FUZZ_ACT_H */
