// SPDX-License-Identifier: GPL-2.0
#include "stamp.h"

/* A read that met a writer has so many words in pieces: where one was, or both. */
#define MOST_PIECES	3
/* They are compared with so many epochs, the latest ones. */
#define MOST_EPOCHS	16

/**
 * stamp_sample_word - where a sample is
 * @sample: 0 .. STAMP_SAMPLES - 1
 *
 * Return: index of the first of its two words in the page.
 */
unsigned int stamp_sample_word(unsigned int sample)
{
	if (sample == STAMP_SAMPLES - 1)
		return GUEST_PAGE_WORDS - 2;
	return sample * 9 * 8;
}

static uint64_t sample_id(uint32_t page, uint32_t epoch)
{
	return STAMP_TAG << 56 | (uint64_t)(page & 0xffffff) << 32 | epoch;
}

static uint64_t sample_turn(uint32_t seq, uint32_t owner, unsigned int sample)
{
	return (uint64_t)seq << 32 | (uint64_t)(owner & 0xff) << 24 |
	       (uint64_t)sample << 16 | STAMP_CONSTANT;
}

/* The tag keeps a checksum from ever looking like a canary or like zero. */
static uint64_t stamp_sum(const struct stamp *stamp)
{
	uint64_t sum = STAMP_MAGIC;

	for (unsigned int i = 0; i < STAMP_SAMPLES; i++) {
		sum ^= sample_id(stamp->page, stamp->epoch);
		sum *= 0x9e3779b97f4a7c15ull;
		sum ^= sample_turn(stamp->seq, stamp->owner, i);
		sum *= 0x9e3779b97f4a7c15ull;
		sum ^= sum >> 29;
	}
	return STAMP_SUM_TAG << 56 | sum >> 8;
}

/* Others read the page meanwhile: no word may be stored in pieces. */
static void store_word(uint64_t *word, uint64_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELAXED);
}

/**
 * stamp_write - write a stamp
 * @words: the page, or a buffer that is zero elsewhere
 * @stamp: what to write
 *
 * The words between the samples are left alone: they are zero already, and
 * would hide a foreign word if they were written.
 */
void stamp_write(uint64_t *words, const struct stamp *stamp)
{
	store_word(&words[STAMP_MAGIC_WORD], STAMP_MAGIC);
	for (unsigned int i = 0; i < STAMP_SAMPLES; i++) {
		uint64_t *sample = words + stamp_sample_word(i);

		store_word(&sample[0], sample_id(stamp->page, stamp->epoch));
		store_word(&sample[1], sample_turn(stamp->seq, stamp->owner, i));
	}
	store_word(&words[STAMP_SUM_WORD], stamp_sum(stamp));
}

static bool report_word(struct stamp_finding *finding, enum stamp_fault fault,
			const uint64_t *words, unsigned int word)
{
	finding->fault = fault;
	finding->word = word;
	finding->value = words[word];
	return false;
}

static bool report_foreign(struct stamp_finding *finding, const uint64_t *words,
			   unsigned int word)
{
	return report_word(finding, words[word] >> 48 == CANARY_TAG ?
			   STAMP_CANARY : STAMP_FOREIGN, words, word);
}

/* Every word outside the stamp is zero, whoever is writing. */
static bool check_blank(const uint64_t *words, struct stamp_finding *finding)
{
	unsigned int from = STAMP_SUM_WORD + 1;

	for (unsigned int i = 1; i < STAMP_SAMPLES; i++) {
		unsigned int to = stamp_sample_word(i);
		uint64_t all = 0;

		for (unsigned int word = from; word < to; word++)
			all |= words[word];
		for (unsigned int word = from; all && word < to; word++)
			if (words[word])
				return report_foreign(finding, words, word);
		from = to + 2;
	}
	return true;
}

/**
 * stamp_first - read the first sample
 * @words: two, of the page's beginning
 * @stamp: filled in
 *
 * A word that a vCPU writes byte by byte may be seen in pieces: of no stamp, or with a number between
 * the one before and its own.
 *
 * Return: false if they are of no stamp.
 */
bool stamp_first(const uint64_t *words, struct stamp *stamp)
{
	*stamp = (struct stamp) {
		.page = words[0] >> 32 & 0xffffff,
		.epoch = (uint32_t)words[0],
		.seq = words[1] >> 32,
		.owner = words[1] >> 24 & 0xff,
	};
	return words[0] == sample_id(stamp->page, stamp->epoch) &&
	       words[1] == sample_turn(stamp->seq, stamp->owner, 0);
}

/*
 * Who copies byte by byte, as a vCPU may, has a word of an empty page in pieces. Has each byte of
 * @word that of @whole, or none?
 */
static bool is_piece(uint64_t word, uint64_t whole)
{
	for (unsigned int bits = 0; bits < 64; bits += 8) {
		uint64_t byte = word >> bits & 0xff;

		if (byte && byte != (whole >> bits & 0xff))
			return false;
	}
	return true;
}

/* Of one of the epochs that are allowed? There are few. */
static bool is_piece_of_id(uint64_t id, const struct stamp_rule *rule)
{
	for (uint32_t i = 0; i < MOST_EPOCHS && i <= rule->newest - rule->oldest; i++)
		if (is_piece(id, sample_id(rule->page, rule->newest - i)))
			return true;
	return false;
}

static bool check_id(const uint64_t *words, unsigned int word, const struct stamp_rule *rule,
		     struct stamp_finding *finding)
{
	uint64_t id = words[word];
	uint32_t epoch = (uint32_t)id;

	if (!id)
		return true;
	if (id >> 56 != STAMP_TAG)
		return report_foreign(finding, words, word);
	finding->epoch = epoch;
	if ((id >> 32 & 0xffffff) != rule->page)
		return report_word(finding, STAMP_WRONG_PAGE, words, word);
	if (epoch < rule->oldest)
		return report_word(finding, STAMP_OLD_EPOCH, words, word);
	if (epoch > rule->newest)
		return report_word(finding, STAMP_NEW_EPOCH, words, word);
	return true;
}

static bool check_turn(const uint64_t *words, unsigned int word, unsigned int sample,
		       const struct stamp_rule *rule, struct stamp_finding *finding)
{
	uint64_t turn = words[word];

	finding->seen_seq = turn >> 32;
	if (!turn)
		return true;
	if ((turn & 0xffff) != STAMP_CONSTANT || (turn >> 16 & 0xff) != sample)
		return report_foreign(finding, words, word);
	if ((turn >> 24 & 0xff) != rule->owner)
		return report_word(finding, STAMP_WRONG_OWNER, words, word);
	return true;
}

/* What holds for each sample alone, even if a writer is at work; so many @pieces may be seen. */
static bool check_sample(const uint64_t *words, unsigned int sample, const struct stamp_rule *rule,
			 int *pieces, struct stamp_finding *finding)
{
	unsigned int word = stamp_sample_word(sample);
	uint64_t turn = words[word + 1];

	if (!check_id(words, word, rule, finding) &&
	    (--*pieces < 0 || !is_piece_of_id(words[word], rule)))
		return false;
	return check_turn(words, word + 1, sample, rule, finding) ||
	       (--*pieces >= 0 && is_piece(turn, sample_turn(turn >> 32, rule->owner, sample)));
}

/* With nobody writing, the page equals what the shared state says. */
static bool check_exact(const uint64_t *words, const struct stamp_rule *rule,
			struct stamp_finding *finding)
{
	const struct stamp stamp = {
		.page = rule->page,
		.epoch = rule->stamped,
		.seq = rule->seq,
		.owner = rule->owner,
	};
	bool blank = true, same = true;
	unsigned int differs = 0;

	for (unsigned int i = 0; i < STAMP_SAMPLES; i++) {
		unsigned int word = stamp_sample_word(i);

		if (words[word] || words[word + 1])
			blank = false;
		if (words[word] != words[0] ||
		    words[word + 1] >> 32 != words[1] >> 32) {
			same = false;
			differs = word;
		}
	}
	if (!rule->stamped) {
		if (!blank || words[STAMP_MAGIC_WORD] || words[STAMP_SUM_WORD])
			return report_word(finding, STAMP_REVENANT, words, differs);
		return true;
	}
	if (!same)
		return report_word(finding, STAMP_TORN, words, differs);
	if (blank || words[0] != sample_id(stamp.page, stamp.epoch) ||
	    words[1] >> 32 != stamp.seq)
		return report_word(finding, STAMP_LOST, words, 0);
	if (words[STAMP_MAGIC_WORD] != STAMP_MAGIC)
		return report_word(finding, STAMP_TORN, words, STAMP_MAGIC_WORD);
	if (words[STAMP_SUM_WORD] != stamp_sum(&stamp))
		return report_word(finding, STAMP_TORN, words, STAMP_SUM_WORD);
	return true;
}

/**
 * stamp_check - judge a page
 * @words: a copy of the page that nobody else writes
 * @rule: what it may contain
 * @finding: filled in if it contains something else
 *
 * Return: true if the page obeys @rule.
 */
bool stamp_check(const uint64_t *words, const struct stamp_rule *rule,
		 struct stamp_finding *finding)
{
	uint64_t magic = words[STAMP_MAGIC_WORD];
	uint64_t sum = words[STAMP_SUM_WORD];

	int pieces = rule->exact ? 0 : MOST_PIECES;

	*finding = (struct stamp_finding) {
		.page = rule->page,
		.oldest = rule->oldest,
		.newest = rule->newest,
		.seq = rule->seq,
	};
	for (unsigned int i = 0; i < STAMP_SAMPLES; i++)
		if (!check_sample(words, i, rule, &pieces, finding))
			return false;
	finding->fault = STAMP_CLEAN;
	if (magic && magic != STAMP_MAGIC && (rule->exact || !is_piece(magic, STAMP_MAGIC)))
		return report_foreign(finding, words, STAMP_MAGIC_WORD);
	/* Of a sum that is not complete nobody knows the beginning. */
	if (sum && sum >> 56 != STAMP_SUM_TAG && (rule->exact || sum >> 56))
		return report_foreign(finding, words, STAMP_SUM_WORD);
	if (!check_blank(words, finding))
		return false;
	return !rule->exact || check_exact(words, rule, finding);
}
