/* SPDX-License-Identifier: GPL-2.0 */
/* What unit tests ask the records of an mm. */
#ifndef SECMMU_TEST_RECORD_KUNIT_H
#define SECMMU_TEST_RECORD_KUNIT_H

#include "record.h"

/* Does an event in flight cover a part of the range? If so, from @address on. */
static inline bool cover_from(struct secmmu_records *records, unsigned long start,
			      unsigned long last, unsigned long *address)
{
	bool found;

	spin_lock(&records->lock);
	found = secmmu_records_cover(records, start, last, address);
	spin_unlock(&records->lock);
	return found;
}

static inline bool is_covered(struct secmmu_records *records, unsigned long start,
			      unsigned long last)
{
	unsigned long address;

	return cover_from(records, start, last, &address);
}

/* The first address that is covered, or zero. */
static inline unsigned long first_covered(struct secmmu_records *records,
					  unsigned long start, unsigned long last)
{
	unsigned long address = 0;

	cover_from(records, start, last, &address);
	return address;
}

#endif
