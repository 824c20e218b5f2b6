// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include "compare.h"
#include "report.h"
#include "runs.h"

/* One look at one page. */
struct look {
	bool readable;
	unsigned char bytes[PAGE_BYTES];
};

/*
 * Each witness tells the bytes it read, perhaps fewer than asked for, zero if the
 * first page cannot be read, or an errno if that means something else.
 */
static ssize_t ask_mirror(const struct compare *compare, uint64_t start,
			  void *buffer, size_t length)
{
	ssize_t got = engine_read(compare->engine, start, buffer, length);

	switch (got) {
	case -EFAULT:
	case -ENXIO:
		return 0;
	case -ESRCH:
	case -EINTR:
		return got;
	default:
		break;
	}
	if (got < 0)
		report_error("the mirror cannot read 0x%llx: %s",
			     (unsigned long long)start, strerror((int)-got));
	return got;
}

static ssize_t ask_process(const struct compare *compare, uint64_t start,
			   void *buffer, size_t length)
{
	const struct iovec local = { buffer, length };
	const struct iovec remote = { (void *)(uintptr_t)start, length };
	ssize_t got = process_vm_readv(compare->pid, &local, 1, &remote, 1, 0);
	int err = errno;

	if (got >= 0)
		return got;
	if (err == EFAULT)
		return 0;
	if (err == EPERM)
		report_error("process_vm_readv(2) of process %d is not allowed: --verify needs CAP_SYS_PTRACE, and no security module against it",
			     compare->pid);
	else if (err != ESRCH)
		report_error("process_vm_readv(2) fails: %s", strerror(err));
	return -err;
}

/* Zero or an errno. */
static int look(const struct compare *compare, uint64_t page, bool mirror,
		struct look *result)
{
	ssize_t got = (mirror ? ask_mirror : ask_process)
		(compare, page, result->bytes, PAGE_BYTES);

	result->readable = got == (ssize_t)PAGE_BYTES;
	return got < 0 ? (int)got : 0;
}

/**
 * struct suspect - a page under judgement
 * @address: of the page
 * @first: what the mirror showed when suspicion arose
 * @mirror: the mirror's look of this round
 * @process: the others
 * @odd: which bytes have been odd in every round
 * @odd_access: whether the mirror could read it was odd in every round
 */
struct suspect {
	uint64_t address;
	struct look first;
	struct look mirror;
	struct look process[COMPARE_LOOKS - 1];
	bool odd[PAGE_BYTES];
	bool odd_access;
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
	return agree || (suspect->first.readable &&
			 suspect->first.bytes[i] == byte);
}

/* Takes back what this round does not bear out. True if anything is left. */
static bool weigh(struct suspect *suspect)
{
	bool all_read = suspect->mirror.readable, left;

	for (unsigned int n = 0; n < COMPARE_LOOKS - 1; n++) {
		all_read &= suspect->process[n].readable;
		/* All others must say the opposite. */
		suspect->odd_access &= suspect->process[n].readable !=
				       suspect->mirror.readable;
	}
	left = suspect->odd_access;
	for (unsigned int i = 0; i < PAGE_BYTES; i++) {
		suspect->odd[i] = suspect->odd[i] && all_read &&
				  byte_is_odd(suspect, i);
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
		err = look(compare, suspect->address, n == lot,
			   n == lot ? &suspect->mirror : process++);
	return err;
}

/* Describes the page by two looks at it. */
static void note_finding(struct compare *compare, uint64_t page,
			 const struct look *mirror, const struct look *process,
			 const bool *odd)
{
	struct finding *finding = &compare->finding;
	unsigned int i = 0;

	*finding = (struct finding) {
		.page = page,
		.mirror_reads = mirror->readable,
		.process_reads = process->readable,
	};
	if (!mirror->readable || !process->readable)
		return;
	while (i < PAGE_BYTES - 1 &&
	       (odd ? !odd[i] : mirror->bytes[i] == process->bytes[i]))
		i++;
	finding->offset = i;
	finding->mirror = mirror->bytes[i];
	finding->process = process->bytes[i];
}

/* Judges a page of which the mirror has shown @first. A verdict or an errno. */
static int judge(struct compare *compare, uint64_t page,
		 const struct look *first)
{
	static struct suspect suspect;

	suspect.address = page;
	suspect.first = *first;
	suspect.odd_access = true;
	memset(suspect.odd, true, sizeof(suspect.odd));
	for (unsigned int round = 0; round < COMPARE_ROUNDS; round++) {
		int err = look_round(compare, &suspect);

		if (err)
			return err;
		if (!weigh(&suspect))
			return VERDICT_CHANGING;
	}
	note_finding(compare, page, &suspect.mirror, &suspect.process[0],
		     suspect.odd_access ? NULL : suspect.odd);
	return VERDICT_STALE;
}

static int judge_difference(struct compare *compare, uint64_t page,
			    const struct look *mirror,
			    const struct look *process, bool still)
{
	if (!still)
		return judge(compare, page, mirror);
	note_finding(compare, page, mirror, process, NULL);
	return VERDICT_STALE;
}

/* One page, which one witness could not read, or both. A verdict or an errno. */
static int compare_one(struct compare *compare, uint64_t page, bool still)
{
	static struct look mirror, process;
	int err = look(compare, page, true, &mirror);

	if (err)
		return err;
	if (compare->single)
		return mirror.readable ? VERDICT_READ : VERDICT_REFUSED;
	err = look(compare, page, false, &process);
	if (err)
		return err;
	if (!mirror.readable && !process.readable)
		return VERDICT_REFUSED;
	if (mirror.readable && process.readable &&
	    !memcmp(mirror.bytes, process.bytes, PAGE_BYTES))
		return VERDICT_READ;
	return judge_difference(compare, page, &mirror, &process, still);
}

static unsigned char mirror_bytes[COMPARE_PAGES * PAGE_BYTES];
static unsigned char process_bytes[COMPARE_PAGES * PAGE_BYTES];

/* One page that both have read. */
static int compare_read(struct compare *compare, uint64_t page, size_t offset,
			bool still)
{
	static struct look mirror, process;

	if (compare->single ||
	    !memcmp(mirror_bytes + offset, process_bytes + offset, PAGE_BYTES))
		return VERDICT_READ;
	mirror.readable = true;
	process.readable = true;
	memcpy(mirror.bytes, mirror_bytes + offset, PAGE_BYTES);
	memcpy(process.bytes, process_bytes + offset, PAGE_BYTES);
	return judge_difference(compare, page, &mirror, &process, still);
}

/* How many pages both witnesses could read in one go, or an errno. */
static ssize_t read_both(struct compare *compare, uint64_t start,
			 unsigned int pages)
{
	ssize_t mirror, process;

	mirror = ask_mirror(compare, start, mirror_bytes, pages * PAGE_BYTES);
	if (mirror < 0 || compare->single)
		return mirror < 0 ? mirror : mirror / (ssize_t)PAGE_BYTES;
	process = ask_process(compare, start, process_bytes,
			      pages * PAGE_BYTES);
	if (process < 0)
		return process;
	return (mirror < process ? mirror : process) / (ssize_t)PAGE_BYTES;
}

/**
 * compare_pages - judge some pages in a row
 * @compare: the witnesses
 * @start: address of the first page
 * @pages: how many, at most COMPARE_PAGES
 * @still: nothing but the process writes there, and it is stopped
 * @verdicts: one for each page judged
 *
 * Stops early behind a stale page, so that @compare->finding describes it.
 *
 * Return: how many pages were judged, at least one, or a negative errno: -ESRCH
 * and -EINTR without a message, others after one.
 */
int compare_pages(struct compare *compare, uint64_t start, unsigned int pages,
		  bool still, enum verdict *verdicts)
{
	ssize_t got = read_both(compare, start, pages);
	int done, verdict;

	if (got < 0)
		return (int)got;
	if (!got) {
		verdict = compare_one(compare, start, still);
		if (verdict < 0)
			return verdict;
		verdicts[0] = (enum verdict)verdict;
		return 1;
	}
	for (done = 0; done < got; done++) {
		size_t offset = (size_t)done * PAGE_BYTES;

		verdict = compare_read(compare, start + offset, offset, still);
		if (verdict < 0)
			return verdict;
		verdicts[done] = (enum verdict)verdict;
		if (verdict == VERDICT_STALE)
			return done + 1;
	}
	return done;
}
