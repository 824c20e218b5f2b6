// SPDX-License-Identifier: GPL-2.0
/* Protection keys: of slots, and what engines may do with them. */
#include <pthread.h>

#include "secmmu_harness.h"

#define PAGES	8L
#define BASE	0x10000000ULL
#define GPA(page)	(BASE + (page) * PAGE)

#define THREADS	8
#define ROUNDS	2000

FIXTURE(keys)
{
	int dev, mirror, engine;
	int other;	/* another engine */
	char *mem;
	int key;	/* of pages 4 to 7, slot 1; slot 0 has the others */
};

FIXTURE_SETUP(keys)
{
	SECMMU_SETUP(SECMMU_FLUSH_RANGE, 0);
	self->other = NEW_ENGINE(self->mirror);
	REGION_SETUP(PAGES);
	self->key = key_alloc(self->mirror);
	ASSERT_LT(0, self->key);
	SET_SLOT(0, 0, GPA(0), 0, 4);
	SET_SLOT_IN(1, 0, self->key, 0, GPA(4), 4, 4);
}

FIXTURE_TEARDOWN(keys)
{
	region_unmap(self->mem, PAGES);
	close(self->other);
	SECMMU_TEARDOWN();
}

SECMMU_TEST_F(keys, F1_each_key_once)
{
	bool seen[SECMMU_MAX_KEYS] = { [0] = true };
	int i, key;

	seen[self->key] = true;
	for (i = 2; i < SECMMU_MAX_KEYS; i++) {
		key = key_alloc(self->mirror);
		ASSERT_LT(0, key);
		ASSERT_GT(SECMMU_MAX_KEYS, key);
		EXPECT_FALSE(seen[key]);
		seen[key] = true;
	}
	EXPECT_EQ(-ENOSPC, key_alloc(self->mirror));
	EXPECT_EQ(0, key_free(self->mirror, 5));
	EXPECT_EQ(-EINVAL, key_free(self->mirror, 5));
	EXPECT_EQ(5, key_alloc(self->mirror));
	EXPECT_EQ(-EINVAL, key_free(self->mirror, 0));
	EXPECT_EQ(-EINVAL, key_free(self->mirror, SECMMU_MAX_KEYS));
	EXPECT_EQ(-EINVAL, key_free(self->mirror, UINT32_MAX));
}

/* Slots carry only keys that there are. */
SECMMU_TEST_F(keys, slot_of_an_unknown_key)
{
	EXPECT_EQ(-EINVAL, secmmu_set_slot_in(self->mirror, 1, 0, self->key + 1, 0,
					      GPA(4), self->mem, PAGE));
	EXPECT_EQ(-EINVAL, secmmu_set_slot_in(self->mirror, 1, 0, UINT16_MAX, 0,
					      GPA(4), self->mem, PAGE));
	EXPECT_GPA(label(4, 1), self->engine, GPA(4));
}

struct mapper {
	int mirror;
	int *owner;	/* of each key: how many threads think it theirs */
	int errors;
};

static void *alloc_and_free(void *arg)
{
	struct mapper *mapper = arg;
	int i, key;

	for (i = 0; i < ROUNDS; i++) {
		key = key_alloc(mapper->mirror);
		if (key == -ENOSPC)
			continue;
		if (key <= 0 || key >= SECMMU_MAX_KEYS) {
			mapper->errors++;
			continue;
		}
		if (__atomic_fetch_add(&mapper->owner[key], 1, __ATOMIC_SEQ_CST))
			mapper->errors++;
		__atomic_fetch_sub(&mapper->owner[key], 1, __ATOMIC_SEQ_CST);
		if (key_free(mapper->mirror, key))
			mapper->errors++;
	}
	return NULL;
}

SECMMU_TEST_F(keys, F1_threads)
{
	struct mapper mapper[THREADS];
	int owner[SECMMU_MAX_KEYS] = {};
	pthread_t thread[THREADS];
	int i, keys = 0;

	for (i = 0; i < THREADS; i++) {
		mapper[i] = (struct mapper){ self->mirror, owner, 0 };
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, alloc_and_free, &mapper[i]));
	}
	for (i = 0; i < THREADS; i++) {
		ASSERT_EQ(0, pthread_join(thread[i], NULL));
		EXPECT_EQ(0, mapper[i].errors);
	}
	/* None is lost: all but key 0 and the fixture's. */
	while (key_alloc(self->mirror) > 0)
		keys++;
	EXPECT_EQ(SECMMU_MAX_KEYS - 2, keys);
}

SECMMU_TEST_F(keys, read_and_write_denied)
{
	EXPECT_GPA(label(4, 1), self->engine, GPA(4));
	EXPECT_PUT(self->engine, GPA(4), label(4, 2));

	EXPECT_EQ(0, rights_set(self->engine, SECMMU_KEY_NO_WRITE(self->key)));
	EXPECT_GPA(label(4, 2), self->engine, GPA(4));
	EXPECT_EQ(-EACCES, gpa_put(self->engine, GPA(4), label(4, 3)));
	EXPECT_EQ(label(4, 2), *word_at(self->mem, 4));

	EXPECT_EQ(0, rights_set(self->engine, SECMMU_KEY_NO_ACCESS(self->key)));
	EXPECT_GPA_ERROR(EACCES, self->engine, GPA(4));
	EXPECT_EQ(-EACCES, gpa_put(self->engine, GPA(4), label(4, 3)));
	EXPECT_EQ(label(4, 2), *word_at(self->mem, 4));

	/* Other keys go on, and so does a transfer up to there. */
	EXPECT_GPA(label(0, 1), self->engine, GPA(0));
	EXPECT_EQ(0, rights_set(self->engine, SECMMU_KEY_NO_ACCESS(0)));
	EXPECT_GPA_ERROR(EACCES, self->engine, GPA(0));
	EXPECT_GPA(label(4, 2), self->engine, GPA(4));
}

SECMMU_TEST_F(keys, transfer_ends_at_the_denied_page)
{
	static char buf[2 * 65536];

	EXPECT_EQ(0, rights_set(self->engine, SECMMU_KEY_NO_ACCESS(self->key)));
	EXPECT_EQ(PAGE, gpa_read(self->engine, buf, 2 * PAGE, GPA(3)));
}

/* What is denied has no effects: no page appears, none is copied or gets dirty. */
SECMMU_TEST_F(keys, denied_untouched)
{
	unsigned char in_core;
	char *fresh = ASSERT_MEMORY(region_map(1));

	ASSERT_EQ(0, secmmu_set_slot_in(self->mirror, 2, 0, self->key, 0, GPA(16),
					fresh, PAGE));
	EXPECT_EQ(0, rights_set(self->engine, SECMMU_KEY_NO_WRITE(self->key)));
	EXPECT_EQ(-EACCES, gpa_put(self->engine, GPA(16), 1));
	ASSERT_EQ(0, mincore(fresh, PAGE, &in_core));
	EXPECT_EQ(0, in_core & 1);
	region_unmap(fresh, 1);
}

/* An engine's register is its own, and no part of the map. */
SECMMU_TEST_F(keys, F2_own_register)
{
	__u32 rights = 1;

	EXPECT_EQ(0, rights_get(self->other, &rights));
	EXPECT_EQ(0, rights);
	EXPECT_EQ(0, rights_set(self->engine, SECMMU_KEY_NO_ACCESS(self->key)));
	EXPECT_EQ(0, rights_get(self->other, &rights));
	EXPECT_EQ(0, rights);
	EXPECT_GPA(label(5, 1), self->other, GPA(5));
	EXPECT_GPA_ERROR(EACCES, self->engine, GPA(5));

	EXPECT_EQ(0, rights_set(self->other, UINT32_MAX));
	EXPECT_EQ(0, rights_get(self->engine, &rights));
	EXPECT_EQ(SECMMU_KEY_NO_ACCESS(self->key), rights);
	/* The next key is what it would have been. */
	EXPECT_EQ(self->key + 1, key_alloc(self->mirror));
	EXPECT_EQ(-EINVAL, key_free(self->mirror, self->key + 2));
}

/* Engines hold the translation, and no flush comes; yet the next access obeys. */
SECMMU_TEST_F(keys, F3_no_flush)
{
	struct secmmu_stats a;
	int i;

	EXPECT_PUT(self->engine, GPA(6), label(6, 2));
	GET_STATS(a);
	for (i = 0; i < 100; i++) {
		EXPECT_EQ(0, rights_set(self->engine, SECMMU_KEY_NO_WRITE(self->key)));
		EXPECT_EQ(-EACCES, gpa_put(self->engine, GPA(6), 0));
		EXPECT_EQ(0, rights_set(self->engine, SECMMU_KEY_NO_ACCESS(self->key)));
		EXPECT_GPA_ERROR(EACCES, self->engine, GPA(6));
		EXPECT_EQ(0, rights_set(self->engine, 0));
		EXPECT_GPA(label(6, 2), self->engine, GPA(6));
	}
	EXPECT_SINCE(0, a, flushes);
	EXPECT_SINCE(0, a, interrupts);
	EXPECT_SINCE(0, a, zapped);
	EXPECT_SINCE(0, a, faults);
}

/*
 * The answer may be old when it is used, as with stat(2): another user of the engine can
 * change the register in between.
 */
SECMMU_TEST_F(keys, F4_asked_before)
{
	__u32 rights;

	ASSERT_EQ(0, rights_get(self->engine, &rights));
	ASSERT_EQ(0, rights & SECMMU_KEY_NO_ACCESS(self->key));
	ASSERT_EQ(0, rights_set(self->engine, SECMMU_KEY_NO_ACCESS(self->key)));
	EXPECT_GPA_ERROR(EACCES, self->engine, GPA(4));
}

/* Slots keep the number of a key that was freed, even if it is allocated again. */
SECMMU_TEST_F(keys, F5_freed_key)
{
	EXPECT_GPA(label(7, 1), self->engine, GPA(7));
	EXPECT_EQ(0, key_free(self->mirror, self->key));
	EXPECT_GPA(label(7, 1), self->engine, GPA(7));
	EXPECT_EQ(0, rights_set(self->engine, SECMMU_KEY_NO_ACCESS(self->key)));
	EXPECT_GPA_ERROR(EACCES, self->engine, GPA(7));
	EXPECT_EQ(self->key, key_alloc(self->mirror));
	EXPECT_GPA_ERROR(EACCES, self->engine, GPA(7));
}

/* Another key for a slot: at once, for what is mapped already too. */
SECMMU_TEST_F(keys, A11_slot_gets_another)
{
	int second = key_alloc(self->mirror);

	ASSERT_LT(0, second);
	EXPECT_GPA(label(4, 1), self->engine, GPA(4));
	EXPECT_EQ(0, rights_set(self->engine, SECMMU_KEY_NO_ACCESS(second)));
	EXPECT_GPA(label(4, 1), self->engine, GPA(4));
	SET_SLOT_IN(1, 0, second, 0, GPA(4), 4, 4);
	EXPECT_GPA_ERROR(EACCES, self->engine, GPA(4));
	EXPECT_GPA(label(4, 1), self->other, GPA(4));
}

/* A write that is denied is denied before anything is done for it. */
SECMMU_TEST_F(keys, F6_denied_write_faults_nothing)
{
	struct secmmu_stats a;
	__u64 word;

	/* One page is not mapped, one only for reading. */
	EXPECT_EQ(0, gpa_get(self->engine, GPA(5), &word));
	ASSERT_EQ(0, rights_set(self->engine, SECMMU_KEY_NO_WRITE(self->key)));
	GET_STATS(a);
	EXPECT_EQ(-EACCES, gpa_put(self->engine, GPA(4), 1));
	EXPECT_EQ(-EACCES, gpa_put(self->engine, GPA(5), 1));
	ASSERT_EQ(0, rights_set(self->engine, SECMMU_KEY_NO_ACCESS(self->key)));
	EXPECT_EQ(-EACCES, gpa_get(self->engine, GPA(6), &word));
	EXPECT_SINCE(0, a, fault_pages);
	EXPECT_SINCE(0, a, reads);
	EXPECT_SINCE(0, a, writes);
}

TEST_HARNESS_MAIN
