/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An outsider: a process that uses an engine from a processor of its own and has
 * nothing to do with the mirrored memory. A window that is held keeps interrupts
 * off there: no one else may need that processor, nor wait for the process's own
 * TLB, for that would hide that the driver does not wait.
 *
 * Functions return zero or a negative error number.
 */
#ifndef SECMMU_OUTSIDER_H
#define SECMMU_OUTSIDER_H

#include <stdbool.h>
#include <sys/types.h>

#include <linux/types.h>

struct actor;
struct outsider_line;

struct outsider {
	pid_t pid;
	struct outsider_line *line;
};

/* Processors that the layout below needs. */
#define OUTSIDER_CPUS	4

/* Has the machine that many processors? */
bool cpus_enough(void);
/* The test to the first processor, the outsider has the second, the actor others. */
int cpus_spread(const struct actor *actor);
/* The same, with a thread of the actor in the outsider's place: it will stand in a window. */
int cpus_spread_for(const struct actor *actor, int thread);
/* The calling thread goes to where the actor would be. */
int cpus_aside(void);
/*
 * child_start(), of a child whose memory has never been on the outsider's processor, if
 * there are enough. Once a second x86 interrupts even the processors where that was so.
 */
pid_t child_start_aside(int (*run)(void *), void *arg);

/* It inherits the descriptors that are open now. */
int outsider_start(struct outsider *outsider);
void outsider_stop(struct outsider *outsider);

/* One or two words, one transfer. */
void outsider_read(struct outsider *outsider, int engine, __u64 gpa, unsigned int words);
void outsider_write(struct outsider *outsider, int engine, __u64 gpa,
		    unsigned int words, const __u64 *value);
bool outsider_done(const struct outsider *outsider);
/* @value: two words or NULL. */
int outsider_answer(struct outsider *outsider, __u64 *value);

/* For the harness: a read of one word goes as far as a gate, of which this is the post. */
#define OUTSIDER_HOLD(outsider, gate, address, engine, gpa)		\
({									\
	int _held = ASSERT_NUMBER(gate_arm(self->dev, SECMMU_GATE_##gate, \
					   (outsider).pid, address));	\
									\
	outsider_read(&(outsider), engine, gpa, 1);			\
	GATE_WAIT(_held);						\
	_held;								\
})

/* The transfer has come to its end, and this is its first word. */
#define EXPECT_OUTSIDER_READ(expected, outsider)			\
do {									\
	__u64 _words[2] = { POISON, POISON };				\
									\
	EXPECT_EQ(0, outsider_answer(&(outsider), _words));		\
	EXPECT_EQ((__u64)(expected), _words[0]);			\
} while (0)

#endif /* SECMMU_OUTSIDER_H */
