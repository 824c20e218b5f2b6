// SPDX-License-Identifier: GPL-2.0
#include "shard.h"

/**
 * secmmu_shards_init - start with nothing in flight
 * @shards: the shards, in zeroed memory
 */
void secmmu_shards_init(struct secmmu_shards *shards)
{
	unsigned int i;

	for (i = 0; i < SECMMU_SHARDS; i++)
		secmmu_records_init(&shards->shard[i]);
}

/* The shards of the blocks of a range, a bit for each. */
static unsigned long shards_touched(unsigned long start, unsigned long last)
{
	unsigned long touched = 0, address = start;
	unsigned long blocks = last / SECMMU_LARGE_SIZE - start / SECMMU_LARGE_SIZE + 1;

	/* So many blocks in a row are in all of them. */
	if (blocks >= 2 * SECMMU_SHARDS)
		return GENMASK(SECMMU_SHARDS - 1, 0);
	for (; blocks; blocks--, address += SECMMU_LARGE_SIZE)
		touched |= BIT(secmmu_shard_index(address));
	return touched;
}

/**
 * secmmu_shards_begin_wide - secmmu_shards_begin() for an event of several blocks
 * @shards: those of the mm
 * @start: first address of the event
 * @last: last address of the event
 *
 * Context: never sleeps, allocates or fails.
 */
void secmmu_shards_begin_wide(struct secmmu_shards *shards, unsigned long start,
			      unsigned long last)
{
	unsigned long touched = shards_touched(start, last);
	unsigned int first = secmmu_shard_index(start), i;

	secmmu_event_begin(&shards->shard[first], start, last);
	__clear_bit(first, &touched);
	for_each_set_bit(i, &touched, SECMMU_SHARDS)
		secmmu_event_repeat(&shards->shard[i], start, last);
}

/**
 * secmmu_shards_end_wide - secmmu_shards_end() for an event of several blocks
 * @shards: those of the mm
 * @start: first address, as it began
 * @last: last address, as it began
 *
 * An end that the first block's shard does not know has no begin: the others are left alone,
 * or it would end what else they have beyond their arrays.
 *
 * Context: never sleeps, allocates or fails.
 * Return: false if nothing matched.
 */
bool secmmu_shards_end_wide(struct secmmu_shards *shards, unsigned long start,
			    unsigned long last)
{
	unsigned long touched = shards_touched(start, last);
	unsigned int first = secmmu_shard_index(start), i;

	if (!secmmu_event_end(&shards->shard[first], start, last))
		return false;
	__clear_bit(first, &touched);
	for_each_set_bit(i, &touched, SECMMU_SHARDS)
		secmmu_event_end(&shards->shard[i], start, last);
	return true;
}

/**
 * secmmu_shards_release - forbid installs, because the mm goes away
 * @shards: those of the mm
 *
 * Context: never sleeps.
 */
void secmmu_shards_release(struct secmmu_shards *shards)
{
	unsigned int i;

	for (i = 0; i < SECMMU_SHARDS; i++)
		secmmu_records_release(&shards->shard[i]);
}

/**
 * secmmu_shards_pass - hold each record lock once
 * @shards: those of the mm
 *
 * Who takes one of them afterwards sees what the caller has written before. Who held one
 * before has written what the caller reads next.
 *
 * Context: never sleeps.
 */
void secmmu_shards_pass(struct secmmu_shards *shards)
{
	unsigned int i;

	for (i = 0; i < SECMMU_SHARDS; i++) {
		spin_lock(&shards->shard[i].lock);
		spin_unlock(&shards->shard[i].lock);
	}
}

/**
 * secmmu_shards_count - count what has been
 * @shards: those of the mm
 * @events: set to the number of events, ever
 * @unpaired: set to the number of ends that matched no event, ever
 *
 * Context: never sleeps.
 */
void secmmu_shards_count(struct secmmu_shards *shards, u64 *events, u64 *unpaired)
{
	unsigned int i;

	*events = *unpaired = 0;
	for (i = 0; i < SECMMU_SHARDS; i++) {
		struct secmmu_records *records = &shards->shard[i];

		spin_lock(&records->lock);
		*events += records->nr_events - records->nr_repeated;
		*unpaired += records->nr_unpaired;
		spin_unlock(&records->lock);
	}
}
