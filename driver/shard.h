/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The records of an mm, in shards by address: events and faults of memory far apart do not
 * wait for each other's lock.
 *
 * A block is the memory of one large spte, and belongs to one shard; its neighbours belong to
 * others. A fault lies in one block and is recorded in that block's shard. An event is recorded
 * in the shards of all blocks that it touches, one after the other, before it drops anything,
 * and removed from them one after the other at its end. So an event and a fault that overlap
 * meet in the fault's shard, under its lock, as record.h has it; the other shards do not matter
 * to them.
 *
 * An event of several blocks may be in flight in one shard and have ended in another. Nothing
 * asks two shards about it.
 */
#ifndef SECMMU_SHARD_H
#define SECMMU_SHARD_H

#include "record.h"

/**
 * struct secmmu_shards - all events and faults in flight on an mm
 * @shard: those of the blocks that belong to it; an event of several blocks counts in the
 *	shard of the first one
 */
struct secmmu_shards {
	struct secmmu_records shard[SECMMU_SHARDS];
};

/*
 * Any 15 blocks in a row are in different shards, and so are any 15 that are 2, 4, 8 or 16
 * blocks apart, as the stacks of threads are.
 */
static inline unsigned int secmmu_shard_index(unsigned long address)
{
	unsigned long block = address / SECMMU_LARGE_SIZE;

	return (block + block / SECMMU_SHARDS) % SECMMU_SHARDS;
}

/* The records of the block that @address is in. */
static inline struct secmmu_records *secmmu_shard_of(struct secmmu_shards *shards,
						     unsigned long address)
{
	return &shards->shard[secmmu_shard_index(address)];
}

/* Bytes from an address to the end of its block. */
static inline unsigned long secmmu_block_rest(unsigned long address)
{
	return SECMMU_LARGE_SIZE - address % SECMMU_LARGE_SIZE;
}

void secmmu_shards_init(struct secmmu_shards *shards);
void secmmu_shards_begin_wide(struct secmmu_shards *shards, unsigned long start,
			      unsigned long last);
bool secmmu_shards_end_wide(struct secmmu_shards *shards, unsigned long start,
			    unsigned long last);
void secmmu_shards_release(struct secmmu_shards *shards);
void secmmu_shards_pass(struct secmmu_shards *shards);
void secmmu_shards_count(struct secmmu_shards *shards, u64 *events, u64 *unpaired);

static inline bool secmmu_in_one_block(unsigned long start, unsigned long last)
{
	return (start ^ last) < SECMMU_LARGE_SIZE;
}

/**
 * secmmu_shards_begin - record an event and mark the faults it overlaps
 * @shards: those of the mm
 * @start: first address of the event
 * @last: last address of the event
 *
 * See secmmu_event_begin().
 *
 * Context: never sleeps, allocates or fails.
 */
static inline void secmmu_shards_begin(struct secmmu_shards *shards, unsigned long start,
				       unsigned long last)
{
	if (likely(secmmu_in_one_block(start, last)))
		secmmu_event_begin(secmmu_shard_of(shards, start), start, last);
	else
		secmmu_shards_begin_wide(shards, start, last);
}

/**
 * secmmu_shards_end - remove the record of an event
 * @shards: those of the mm
 * @start: first address, as it began
 * @last: last address, as it began
 *
 * See secmmu_event_end().
 *
 * Context: never sleeps, allocates or fails.
 * Return: false if nothing matched.
 */
static inline bool secmmu_shards_end(struct secmmu_shards *shards, unsigned long start,
				     unsigned long last)
{
	return likely(secmmu_in_one_block(start, last)) ?
		secmmu_event_end(secmmu_shard_of(shards, start), start, last) :
		secmmu_shards_end_wide(shards, start, last);
}

#endif
