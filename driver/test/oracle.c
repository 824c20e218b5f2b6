// SPDX-License-Identifier: GPL-2.0
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "../compat/gup.h"
#include "../engine.h"

/* Host ranges that events and slots have touched since the last MARK. */
#define NR_NOTES	4096

static struct {
	unsigned long start;
	unsigned long last;
} notes[NR_NOTES];

/* Protects the notes; one mirror at a time is marked, tests see to that. */
static DEFINE_SPINLOCK(notes_lock);
static unsigned int nr_notes;
static const struct secmmu_chain *noting;

/* Protects what follows. */
static DEFINE_MUTEX(oracle_lock);
/* Guest frames with their domains that one mirror had mapped at the last MARK. */
static struct {
	u64 mirror_id;
	u64 nr;
	u64 *place;
} marked;

/**
 * secmmu_oracle_note - sptes of a range may go
 * @chain: the chain
 * @start: first host address
 * @last: last host address
 *
 * Context: any; never sleeps.
 */
void secmmu_oracle_note(struct secmmu_chain *chain, unsigned long start,
			unsigned long last)
{
	if (READ_ONCE(noting) != chain)
		return;
	spin_lock(&notes_lock);
	if (nr_notes < NR_NOTES) {
		notes[nr_notes].start = start;
		notes[nr_notes].last = last;
	}
	nr_notes++;
	spin_unlock(&notes_lock);
}

static bool was_noted(unsigned long hva)
{
	bool found = false;
	unsigned int i;

	spin_lock(&notes_lock);
	for (i = 0; i < min_t(unsigned int, nr_notes, NR_NOTES) && !found; i++)
		found = notes[i].start <= hva && hva <= notes[i].last;
	spin_unlock(&notes_lock);
	return found;
}

/**
 * secmmu_test_exit - free what the last MARK has noted
 */
void secmmu_test_exit(void)
{
	kvfree(marked.place);
}

/* The spte of a gfn in a domain, as an engine would find it, or zero. */
static u64 spte_of(struct secmmu_mirror *mirror, unsigned int domain, gfn_t gfn)
{
	struct secmmu_pgtable *pt = secmmu_root(&mirror->roots, domain);
	struct secmmu_table *table;
	u64 spte;

	rcu_read_lock();
	table = secmmu_pgtable_walk(pt, gfn);
	spte = secmmu_table_read(table, gfn);
	if (!(spte & SPTE_PRESENT))
		spte = 0;
	else if (table->level)
		spte = spte_small(spte, secmmu_table_index(gfn, 0));
	rcu_read_unlock();
	return spte;
}

/* Where an spte is. */
struct place {
	unsigned int domain;
	gfn_t gfn;
};

/* The first gfn from *@gfn on that has an spte. */
static bool next_in(struct secmmu_pgtable *pt, gfn_t *gfn)
{
	while (*gfn <= SECMMU_GFN_LAST) {
		struct secmmu_table *table;
		bool mapped;

		rcu_read_lock();
		table = secmmu_pgtable_next(pt, gfn, SECMMU_GFN_LAST);
		mapped = table && secmmu_table_read(table, *gfn) &
				  SPTE_PRESENT;
		if (table && !mapped)
			*gfn = secmmu_table_last(*gfn, table->level) + 1;
		rcu_read_unlock();
		if (mapped)
			return true;
		cond_resched();
	}
	return false;
}

/* The first place from *@at on that has an spte. */
static bool next_mapped(struct secmmu_mirror *mirror, struct place *at)
{
	for (; at->domain < SECMMU_MAX_DOMAINS; at->domain++) {
		struct secmmu_pgtable *pt = secmmu_root(&mirror->roots, at->domain);

		if (pt && next_in(pt, &at->gfn))
			return true;
		at->gfn = 0;
	}
	return false;
}

/* A number that moves with every event, or zero while one covers the address. */
static u64 quiet_since(struct secmmu_records *records, unsigned long hva)
{
	unsigned long covered;
	u64 events;

	spin_lock(&records->lock);
	events = records->nr_events + 1;
	if (secmmu_records_cover(records, hva, hva, &covered))
		events = 0;
	spin_unlock(&records->lock);
	return events;
}

/**
 * struct answer - what GUP says of the page of an spte
 * @same: the CPU maps it there
 * @writable: ... and may write
 */
struct answer {
	bool same;
	bool writable;
};

/* mmap_lock is held. */
static void ask_gup(struct mm_struct *mm, unsigned long hva, u64 spte,
		    struct answer *answer)
{
	unsigned int flags = FOLL_NOFAULT | SECMMU_FOLL_HONOR_NUMA_FAULT;
	struct page *page;

	if (secmmu_get_user_pages_remote(mm, hva, 1, flags, &page, NULL) == 1) {
		answer->same = page_to_pfn(page) == spte_pfn(spte);
		put_page(page);
	}
	if (secmmu_get_user_pages_remote(mm, hva, 1, flags | FOLL_WRITE, &page,
					 NULL) == 1) {
		answer->writable = true;
		/* Memory may be writable and, as far as GUP knows, not readable. */
		answer->same |= page_to_pfn(page) == spte_pfn(spte);
		put_page(page);
	}
}

/*
 * Ask the CPU's page table. munmap() takes an area away, downgrades mmap_lock, and only
 * then begins its event: GUP finds nothing meanwhile, and the spte is right. So a no
 * counts only with mmap_lock held for writing. It is not waited for, as the thread that
 * holds it may stand in a gate. Returns false if there is no answer.
 */
static bool ask_cpu(struct mm_struct *mm, unsigned long hva, u64 spte,
		    struct answer *answer)
{
	mmap_read_lock(mm);
	ask_gup(mm, hva, spte, answer);
	mmap_read_unlock(mm);
	if (answer->same)
		return true;
	/* The bare lock: no area is about to change, which mmap_write_lock() would tell. */
	if (!down_write_trylock(&mm->mmap_lock))
		return false;
	*answer = (struct answer) {};
	ask_gup(mm, hva, spte, answer);
	up_write(&mm->mmap_lock);
	return true;
}

/* Judge one translation; @again says whether it still stands. */
static void judge_spte(struct secmmu_mirror *mirror, struct place at, u64 spte,
		       bool (*again)(struct secmmu_mirror *mirror, struct place at,
				     u64 spte),
		  struct secmmu_test_oracle *result)
{
	struct mm_struct *mm = mirror->chain->mn.mm;
	struct secmmu_records *records;
	struct secmmu_target target;
	struct answer answer = {};
	bool answered = true;
	u64 events;

	if (secmmu_slot_find(&mirror->member, at.gfn, &target) ||
	    !(target.domains & BIT(at.domain)) || target.key != spte_key(spte)) {
		result->stale += again(mirror, at, spte);
		return;
	}
	records = secmmu_shard_of(&mirror->chain->shards, target.hva);
	events = quiet_since(records, target.hva);
	if (mmget_not_zero(mm)) {
		answered = ask_cpu(mm, target.hva, spte, &answer);
		mmput(mm);
	}
	if (!answered || !events || events != quiet_since(records, target.hva) ||
	    !again(mirror, at, spte)) {
		result->unjudged++;
		return;
	}
	result->stale += !answer.same;
	result->too_wide += answer.same && (spte & SPTE_WRITE) && !answer.writable;
}

static bool spte_stands(struct secmmu_mirror *mirror, struct place at, u64 spte)
{
	return !((spte_of(mirror, at.domain, at.gfn) ^ spte) &
		 (SPTE_PRESENT | SPTE_WRITE | SPTE_PFN_MASK));
}

/* The engine is locked, and entries are void only when an event comes. */
static bool entry_stands(struct secmmu_mirror *mirror, struct place at, u64 spte)
{
	return true;
}

/* Of the engines that work on the mirror, the next by address; @last may be freed. */
static struct secmmu_engine *find_engine(struct secmmu_mirror *mirror,
					 const struct secmmu_engine *last)
{
	struct secmmu_engine *engine, *found = NULL;
	struct secmmu_space *space;

	list_for_each_entry(space, &mirror->loaded, link) {
		engine = container_of(space - space->asid, struct secmmu_engine,
				      spaces.space[0]);
		/* Engines that are elsewhere may stand still for long. */
		if (READ_ONCE(engine->spaces.current_space) == space &&
		    engine > last && (!found || engine < found))
			found = engine;
	}
	return found;
}

/* Likewise, with a reference. An engine leaves the list before it is freed. */
static struct secmmu_engine *get_engine(struct secmmu_mirror *mirror,
					const struct secmmu_engine *last)
{
	struct secmmu_engine *engine;

	spin_lock(&secmmu_loaded_lock);
	do {
		engine = find_engine(mirror, last);
		last = engine;
	} while (engine && !refcount_inc_not_zero(&engine->refs));
	spin_unlock(&secmmu_loaded_lock);
	return engine;
}

static void check_tlb(struct secmmu_mirror *mirror, struct secmmu_engine *engine,
		      struct secmmu_test_oracle *result)
{
	struct secmmu_tlb *tlb = &engine->spaces.tlb;
	unsigned int i;

	mutex_lock(&engine->lock);
	for (i = 0; i < SECMMU_TLB_ENTRIES; i++) {
		struct secmmu_space *space =
			&engine->spaces.space[secmmu_tlb_asid(tlb, i)];
		struct place at = {
			.domain = space->domain,
			.gfn = tlb->entry[i].place & SECMMU_GFN_LAST,
		};

		if (space->mirror_id != mirror->id || tlb->entry[i].gen !=
		    (u64)atomic64_read(&mirror->tlbs.gen))
			continue;
		result->tlb_entries++;
		judge_spte(mirror, at, tlb->entry[i].spte, entry_stands, result);
	}
	mutex_unlock(&engine->lock);
}

static void look_for_lost(struct secmmu_mirror *mirror,
			  struct secmmu_test_oracle *result)
{
	struct secmmu_target target;
	u64 i;

	for (i = 0; i < marked.nr; i++) {
		struct place at = {
			.domain = marked.place[i] >> SECMMU_GFN_BITS,
			.gfn = marked.place[i] & SECMMU_GFN_LAST,
		};

		if (spte_of(mirror, at.domain, at.gfn) ||
		    secmmu_slot_find(&mirror->member, at.gfn, &target))
			continue;
		result->lost += !was_noted(target.hva);
		cond_resched();
	}
}

/**
 * secmmu_oracle_mark - note which sptes there are
 * @mirror: the mirror
 *
 * Context: process; sleeps.
 * Return: 0, -ENOMEM.
 */
long secmmu_oracle_mark(struct secmmu_mirror *mirror)
{
	u64 room = 0, nr = 0, *places;
	struct place at;

	/* From now on, what goes is noted; what has gone before is not there. */
	spin_lock(&notes_lock);
	nr_notes = 0;
	WRITE_ONCE(noting, mirror->chain);
	spin_unlock(&notes_lock);

	for (at = (struct place) {}; next_mapped(mirror, &at); at.gfn++)
		room++;
	places = kvmalloc_array(room + 1, sizeof(*places), GFP_KERNEL_ACCOUNT);
	if (!places)
		return -ENOMEM;
	for (at = (struct place) {}; nr < room && next_mapped(mirror, &at); at.gfn++)
		places[nr++] = at.gfn | (u64)at.domain << SECMMU_GFN_BITS;
	mutex_lock(&oracle_lock);
	swap(marked.place, places);
	marked.mirror_id = mirror->id;
	marked.nr = nr;
	mutex_unlock(&oracle_lock);
	kvfree(places);
	return 0;
}

/**
 * secmmu_oracle_check - judge
 * @mirror: the mirror
 * @result: filled in
 *
 * Context: process; sleeps.
 * Return: 0, -EINTR.
 */
long secmmu_oracle_check(struct secmmu_mirror *mirror,
			 struct secmmu_test_oracle *result)
{
	struct secmmu_engine *engine;
	struct place at = {};

	for (; next_mapped(mirror, &at); at.gfn++) {
		u64 spte = spte_of(mirror, at.domain, at.gfn);

		if (!spte)
			continue;
		result->sptes++;
		judge_spte(mirror, at, spte, spte_stands, result);
		cond_resched();
		if (signal_pending(current))
			return -EINTR;
	}
	for (engine = get_engine(mirror, NULL); engine; engine = get_engine(mirror, engine)) {
		check_tlb(mirror, engine, result);
		secmmu_engine_put(engine);
	}
	mutex_lock(&oracle_lock);
	if (marked.mirror_id == mirror->id) {
		look_for_lost(mirror, result);
		spin_lock(&notes_lock);
		if (nr_notes > NR_NOTES)
			result->overflow = nr_notes;
		spin_unlock(&notes_lock);
	}
	mutex_unlock(&oracle_lock);
	return 0;
}

/**
 * secmmu_oracle_page - look at a page of the process
 * @mirror: the mirror
 * @arg: see &struct secmmu_test_page
 *
 * Context: process; sleeps.
 * Return: 0, -EFAULT, or -ESRCH if the mm is gone.
 */
long secmmu_oracle_page(struct secmmu_mirror *mirror,
			struct secmmu_test_page *arg)
{
	struct mm_struct *mm = mirror->chain->mn.mm;
	struct page *page;
	long got;

	if (!mmget_not_zero(mm))
		return -ESRCH;
	mmap_read_lock(mm);
	got = secmmu_get_user_pages_remote(mm, arg->address, 1, FOLL_NOFAULT,
					   &page, NULL);
	mmap_read_unlock(mm);
	mmput(mm);
	if (got != 1)
		return -EFAULT;
	/* But for our own. */
	arg->refs = page_count(page) - 1;
	arg->dirty = PageDirty(page);
	put_page(page);
	return 0;
}
