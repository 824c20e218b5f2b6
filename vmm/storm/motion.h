/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A slot in motion: it is changed while engines are at work. Whoever changes it says what
 * holds meanwhile, and each transfer is judged by what held from its beginning to its end:
 *
 *	who changes the slot			a transfer
 *	--------------------			----------
 *	turn + 1, which is odd			look: turn and rule
 *	delete it; when that has returned:	transfer
 *	rule = nothing gets through		the same turn still? Then the rule
 *	any rule, turn + 2			held all the time
 *	put it back
 *	turn + 1, which is even
 *
 * Atomics are sequentially consistent: slots change seldom.
 */
#ifndef STORM_MOTION_H
#define STORM_MOTION_H

#include <stdbool.h>
#include <stdint.h>

/**
 * enum motion_rule - what holds while a slot is in motion
 * @MOTION_ANY: transfers succeed, or fail as without a slot, or as in one that is read-only
 * @MOTION_GONE: no transfer succeeds
 * @MOTION_READONLY: no write succeeds
 */
enum motion_rule {
	MOTION_ANY,
	MOTION_GONE,
	MOTION_READONLY,
};

/**
 * struct motion - how a slot is changed
 * @turn: odd while it is
 * @rule: enum motion_rule; of odd turns
 */
struct motion {
	uint32_t turn;
	uint32_t rule;
};

/**
 * motion_step - the slot is about to be changed, or has been
 * @motion: of the slot; one thread at a time changes it
 */
static inline void motion_step(struct motion *motion)
{
	__atomic_add_fetch(&motion->turn, 1, __ATOMIC_SEQ_CST);
}

/**
 * motion_hold - a rule holds from now on
 * @motion: of a slot that is in motion
 * @rule: enum motion_rule, true already
 */
static inline void motion_hold(struct motion *motion, enum motion_rule rule)
{
	__atomic_store_n(&motion->rule, rule, __ATOMIC_SEQ_CST);
}

/**
 * motion_release - it need not hold any more
 * @motion: of a slot that is in motion
 */
static inline void motion_release(struct motion *motion)
{
	motion_hold(motion, MOTION_ANY);
	__atomic_add_fetch(&motion->turn, 2, __ATOMIC_SEQ_CST);
}

/**
 * motion_look - see what holds
 * @motion: of the slot
 *
 * Return: both members.
 */
static inline struct motion motion_look(const struct motion *motion)
{
	return (struct motion) {
		.turn = __atomic_load_n(&motion->turn, __ATOMIC_SEQ_CST),
		.rule = __atomic_load_n(&motion->rule, __ATOMIC_SEQ_CST),
	};
}

/**
 * motion_is_settled - is the slot what it shall be?
 * @look: what motion_look() gave
 *
 * Return: false while it is changed.
 */
static inline bool motion_is_settled(const struct motion *look)
{
	return !(look->turn & 1);
}

/**
 * motion_rule - find what held from one moment to another
 * @before: the first look
 * @after: the second one
 *
 * Return: enum motion_rule; MOTION_ANY where nothing did.
 */
static inline enum motion_rule motion_rule(const struct motion *before, const struct motion *after)
{
	return motion_is_settled(before) || before->turn != after->turn ? MOTION_ANY : before->rule;
}

#endif /* STORM_MOTION_H */
