// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "client.h"
#include "compare.h"
#include "proof.h"
#include "message.h"
#include "runs.h"

/* One look at one page. */
struct look {
	bool readable;
	unsigned char bytes[PAGE_BYTES];
};

/* What the mirror calls an address. */
static uint64_t to_gpa(const struct compare *compare, uint64_t address)
{
	const struct place *place = compare->layout ?
		layout_find(compare->layout, address) : NULL;

	return place ? address - place->hva + place->gpa : address;
}

static void dump_pages(const struct compare *compare, uint64_t gpa, const void *bytes,
		       size_t length)
{
	if (compare->dump >= 0 &&
	    pwrite(compare->dump, bytes, length, (off_t)gpa) != (ssize_t)length)
		die("cannot write the dump: %s", strerror(errno));
}

/* The process has given a page up that the dump may have. */
static void dump_hole(const struct compare *compare, uint64_t page)
{
	if (compare->dump >= 0 &&
	    fallocate(compare->dump, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		      (off_t)to_gpa(compare, page), PAGE_BYTES))
		die("cannot make a hole in the dump: %s", strerror(errno));
}

/*
 * What an engine reads: bytes, perhaps fewer than asked for, zero if the first page
 * cannot be read, -ESRCH or -EINTR.
 */
static ssize_t ask_engine(const struct compare *compare, int engine, uint64_t start,
			  void *buffer, size_t length)
{
	uint64_t gpa = to_gpa(compare, start);
	ssize_t got = gpa_read(engine, buffer, length, gpa);

	if (got == -EFAULT || got == -ENXIO)
		return 0;
	if (got < 0 && got != -ESRCH && got != -EINTR)
		die("the mirror cannot read 0x%llx: %s", (unsigned long long)gpa,
		    strerror((int)-got));
	if (got > 0)
		dump_pages(compare, gpa, buffer, (size_t)got);
	return got;
}

/* The engine that reads whole runs. */
static int first_engine(const struct compare *compare)
{
	return compare->fills ? compare->engine : compare->quiet;
}

/*
 * A page that is there may want a fault all the same, to tell the kernel which NUMA
 * node uses it. Zero or an errno.
 */
static int look_at_mirror(const struct compare *compare, uint64_t page,
			  struct look *result)
{
	ssize_t got = ask_engine(compare, first_engine(compare), page, result->bytes,
				 PAGE_BYTES);
	int present;

	if (!got && !compare->fills) {
		present = witness_present(&compare->witness, page);
		if (present < 0)
			return present;
		if (present)
			got = ask_engine(compare, compare->engine, page,
					 result->bytes, PAGE_BYTES);
	}
	result->readable = got == (ssize_t)PAGE_BYTES;
	return got < 0 ? (int)got : 0;
}

/* Reads pages of the process, up to the first that is not there. Pages or an errno. */
static int read_process(const struct compare *compare, uint64_t start, void *buffer,
			unsigned int pages)
{
	ssize_t got;

	if (!compare->fills)
		return witness_read_present(&compare->witness, start, buffer, pages);
	got = witness_read(&compare->witness, start, buffer, pages * PAGE_BYTES);
	return got < 0 ? (int)got : (int)(got / (ssize_t)PAGE_BYTES);
}

/* Zero or an errno. */
static int look_at_process(const struct compare *compare, uint64_t page,
			   struct look *result)
{
	int got = read_process(compare, page, result->bytes, 1);

	result->readable = got == 1;
	return got < 0 ? got : 0;
}

/**
 * compare_mirror_shows - ask whether the mirror shows a page
 * @compare: mirror and process
 * @page: address of the page
 *
 * Return: 1 if so, 0 if not, or -ESRCH or -EINTR.
 */
int compare_mirror_shows(const struct compare *compare, uint64_t page)
{
	static struct look look;
	int err = look_at_mirror(compare, page, &look);

	return err ? err : look.readable;
}

/**
 * struct suspect - a page under judgement
 * @address: of the page
 * @first: what the mirror showed when suspicion arose
 * @mirror: the mirror's look of this round
 * @process: the others
 * @odd: which bytes have been odd in every round
 */
struct suspect {
	uint64_t address;
	struct look first;
	struct look mirror;
	struct look process[COMPARE_LOOKS - 1];
	bool odd[PAGE_BYTES];
};

static bool byte_is_odd(const struct suspect *suspect, unsigned int i)
{
	unsigned char byte = suspect->mirror.bytes[i];
	bool agree = true;

	for (unsigned int n = 0; n < COMPARE_LOOKS - 1; n++) {
		if (suspect->process[n].bytes[i] == byte)
			return false;
		agree &= suspect->process[n].bytes[i] ==
			 suspect->process[0].bytes[i];
	}
	return agree || suspect->first.bytes[i] == byte;
}

/* Takes back what this round does not bear out. True if anything is left. */
static bool weigh_round(struct suspect *suspect)
{
	bool left = false;

	if (!suspect->mirror.readable)
		return false;
	for (unsigned int n = 0; n < COMPARE_LOOKS - 1; n++)
		if (!suspect->process[n].readable)
			return false;
	for (unsigned int i = 0; i < PAGE_BYTES; i++) {
		suspect->odd[i] = suspect->odd[i] && byte_is_odd(suspect, i);
		left |= suspect->odd[i];
	}
	return left;
}

static int look_round(struct compare *compare, struct suspect *suspect)
{
	uint32_t lot = prng_below(&compare->prng, COMPARE_LOOKS);
	struct look *process = suspect->process;
	int err = 0;

	for (uint32_t n = 0; n < COMPARE_LOOKS && !err; n++)
		err = n == lot ?
		      look_at_mirror(compare, suspect->address, &suspect->mirror) :
		      look_at_process(compare, suspect->address, process++);
	return err;
}

/* Describes a page by a byte that differs: the first, or the first that was odd. */
static void note_bytes(struct compare *compare, uint64_t page,
		       const struct look *mirror, const struct look *process,
		       const bool *odd)
{
	unsigned int i = 0;

	while (i < PAGE_BYTES - 1 &&
	       (odd ? !odd[i] : mirror->bytes[i] == process->bytes[i]))
		i++;
	compare->finding = (struct finding) {
		.page = page,
		.mirror_reads = true,
		.process_reads = true,
		.offset = i,
		.mirror = mirror->bytes[i],
		.process = process->bytes[i],
	};
}

/* Judges a page of which the mirror has shown @first. A verdict or an errno. */
static int judge_bytes(struct compare *compare, uint64_t page,
		       const struct look *first)
{
	static struct suspect suspect;

	suspect.address = page;
	suspect.first = *first;
	memset(suspect.odd, true, sizeof(suspect.odd));
	for (unsigned int round = 0; round < COMPARE_ROUNDS; round++) {
		int err = look_round(compare, &suspect);

		if (err)
			return err;
		if (!weigh_round(&suspect))
			return VERDICT_CHANGING;
	}
	note_bytes(compare, page, &suspect.mirror, &suspect.process[0], suspect.odd);
	return VERDICT_STALE;
}

/* Judges a page that only one of the two has shown. A verdict or an errno. */
static int judge_access(struct compare *compare, uint64_t page, bool shown)
{
	bool proved;
	int err = proof_of_access(compare, page, &proved);

	if (err)
		return err;
	if (!proved)
		return VERDICT_CHANGING;
	compare->finding = (struct finding) {
		.page = page,
		.mirror_reads = shown,
		.process_reads = !shown,
	};
	return VERDICT_STALE;
}

/* Compares a page that both have shown. A verdict or an errno. */
static int compare_bytes(struct compare *compare, uint64_t page,
			 const struct look *mirror, const struct look *process,
			 unsigned int flags)
{
	if (!memcmp(mirror->bytes, process->bytes, PAGE_BYTES))
		return VERDICT_READ;
	if (!(flags & COMPARE_STILL))
		return judge_bytes(compare, page, mirror);
	note_bytes(compare, page, mirror, process, NULL);
	return VERDICT_STALE;
}

/* Compares a page that the mirror has shown. A verdict or an errno. */
static int compare_shown(struct compare *compare, uint64_t page,
			 const struct look *mirror, unsigned int flags)
{
	static struct look process;
	int err;

	if (compare->single)
		return VERDICT_READ;
	if (flags & COMPARE_REFUSES)
		return judge_access(compare, page, true);
	err = look_at_process(compare, page, &process);
	if (err)
		return err;
	return process.readable ?
	       compare_bytes(compare, page, mirror, &process, flags) :
	       judge_access(compare, page, true);
}

/* Looks at a page that the first engine refuses. A verdict or an errno. */
static int compare_refused(struct compare *compare, uint64_t page,
			   unsigned int flags)
{
	static struct look mirror;
	int has = compare->fills ? 1 : witness_present(&compare->witness, page), err;

	if (has <= 0)
		return has ? has : VERDICT_ABSENT;
	err = look_at_mirror(compare, page, &mirror);
	if (err)
		return err;
	if (mirror.readable)
		return compare_shown(compare, page, &mirror, flags);
	if (compare->single || flags & COMPARE_REFUSES)
		return VERDICT_REFUSED;
	has = witness_grants(&compare->witness, page);
	if (has < 0)
		return has;
	return has ? judge_access(compare, page, false) : VERDICT_REFUSED;
}

/*
 * Compares what the mirror has shown, a few pages at a time where a page that the
 * process gets back takes no memory, else one. Verdicts, or an errno.
 */
static int compare_run(struct compare *compare, uint64_t start,
		       const unsigned char *mirror_bytes, unsigned int pages,
		       unsigned int flags, enum verdict *verdicts)
{
	static unsigned char process_bytes[RUNS_COUNT * PAGE_BYTES];
	static struct look mirror = { .readable = true }, process = { .readable = true };
	unsigned int limit = flags & COMPARE_OWN ? RUNS_COUNT : 1;
	bool alone = compare->single || flags & COMPARE_REFUSES;
	int read = 0, done, verdict;

	if (!alone)
		read = read_process(compare, start, process_bytes,
				    pages < limit ? pages : limit);
	if (read < 0)
		return read;
	for (done = 0; done < (read ? read : 1); done++) {
		size_t offset = (size_t)done * PAGE_BYTES;
		uint64_t page = start + offset;

		memcpy(mirror.bytes, mirror_bytes + offset, PAGE_BYTES);
		memcpy(process.bytes, process_bytes + offset, PAGE_BYTES);
		verdict = read ? compare_bytes(compare, page, &mirror, &process, flags) :
				 compare_shown(compare, page, &mirror, flags);
		if (verdict < 0)
			return verdict;
		verdicts[done] = (enum verdict)verdict;
		if (verdict == VERDICT_STALE)
			return done + 1;
	}
	return done;
}

/**
 * compare_pages - judge some pages in a row
 * @compare: mirror and process
 * @start: address of the first page
 * @pages: how many, at most COMPARE_PAGES
 * @flags: COMPARE_*
 * @verdicts: one for each page judged
 *
 * Stops early behind a stale page, so that @compare->finding describes it.
 *
 * Return: how many pages were judged, at least one, or -ESRCH or -EINTR.
 */
int compare_pages(struct compare *compare, uint64_t start, unsigned int pages,
		  unsigned int flags, enum verdict *verdicts)
{
	static unsigned char mirror_bytes[COMPARE_PAGES * PAGE_BYTES];
	ssize_t got = ask_engine(compare, first_engine(compare), start, mirror_bytes,
				 pages * PAGE_BYTES);
	unsigned int shown = got > 0 ? (unsigned int)(got / (ssize_t)PAGE_BYTES) : 0;
	unsigned int done = 0;
	int verdict;

	if (got < 0)
		return (int)got;
	if (!shown) {
		verdict = compare_refused(compare, start, flags);
		if (verdict < 0)
			return verdict;
		verdicts[0] = (enum verdict)verdict;
		if (verdict == VERDICT_ABSENT)
			dump_hole(compare, start);
		return 1;
	}
	while (done < shown) {
		size_t offset = done * PAGE_BYTES;
		int more = compare_run(compare, start + offset, mirror_bytes + offset,
				       shown - done, flags, verdicts + done);

		if (more < 0)
			return more;
		done += (unsigned int)more;
		if (verdicts[done - 1] == VERDICT_STALE)
			break;
	}
	return (int)done;
}
