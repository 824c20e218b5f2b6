// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>

#include "secmmu_actor.h"
#include "secmmu_outsider.h"
#include "secmmu_sys.h"
#include "secmmu_test.h"

#define WORDS	2

struct outsider_line {
	unsigned int ordered;
	unsigned int done;
	bool write;
	int engine;
	__u64 gpa;
	unsigned int words;
	__u64 value[WORDS];
	int result;
};

bool cpus_enough(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN) >= OUTSIDER_CPUS;
}

static int pin(pid_t pid, int first, int last)
{
	cpu_set_t set;
	int cpu;

	CPU_ZERO(&set);
	for (cpu = first; cpu <= last; cpu++)
		CPU_SET(cpu, &set);
	return sched_setaffinity(pid, sizeof(set), &set) ? -errno : 0;
}

int cpus_spread(const struct actor *actor)
{
	int i, ret = pin(0, 0, 0);

	for (i = 0; actor && i < ACTOR_THREADS && !ret; i++)
		ret = pin(actor_tid(actor, i), 2, OUTSIDER_CPUS - 1);
	return ret;
}

int cpus_spread_for(const struct actor *actor, int thread)
{
	return cpus_spread(actor) ?: pin(actor_tid(actor, thread), 1, 1);
}

int cpus_aside(void)
{
	return pin(0, 2, OUTSIDER_CPUS - 1);
}

pid_t child_start_aside(int (*run)(void *), void *arg)
{
	cpu_set_t before;
	pid_t pid;

	if (!cpus_enough())
		return child_start(run, arg);
	if (sched_getaffinity(0, sizeof(before), &before))
		return -errno;
	pid = cpus_aside() ?: child_start(run, arg);
	return sched_setaffinity(0, sizeof(before), &before) ? -errno : pid;
}

static int serve(void *data)
{
	struct outsider_line *line = data;
	unsigned int seen = 0, ordered;
	size_t len;
	ssize_t ret;

	CHECK(!pin(0, 1, 1));
	for (;;) {
		ordered = __atomic_load_n(&line->ordered, __ATOMIC_ACQUIRE);
		if (ordered == seen) {
			usleep(200);
			continue;
		}
		seen = ordered;
		len = line->words * sizeof(*line->value);
		ret = line->write ?
			gpa_write(line->engine, line->value, len, line->gpa) :
			gpa_read(line->engine, line->value, len, line->gpa);
		line->result = ret == (ssize_t)len ? 0 : ret < 0 ? ret : -EIO;
		__atomic_store_n(&line->done, seen, __ATOMIC_RELEASE);
	}
	return 0;
}

int outsider_start(struct outsider *outsider)
{
	void *line = mmap(NULL, sizeof(*outsider->line), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (line == MAP_FAILED)
		return -errno;
	outsider->line = line;
	outsider->pid = child_start(serve, line);
	return outsider->pid < 0 ? outsider->pid : 0;
}

void outsider_stop(struct outsider *outsider)
{
	if (outsider->pid > 0)
		child_kill(outsider->pid);
	if (outsider->line)
		munmap(outsider->line, sizeof(*outsider->line));
	memset(outsider, 0, sizeof(*outsider));
}

static void order(struct outsider *outsider, bool write, int engine, __u64 gpa,
		  unsigned int words)
{
	struct outsider_line *line = outsider->line;

	line->write = write;
	line->engine = engine;
	line->gpa = gpa;
	line->words = words;
	__atomic_store_n(&line->ordered, line->ordered + 1, __ATOMIC_RELEASE);
}

void outsider_read(struct outsider *outsider, int engine, __u64 gpa, unsigned int words)
{
	memset(outsider->line->value, POISON_BYTE, sizeof(outsider->line->value));
	order(outsider, false, engine, gpa, words);
}

void outsider_write(struct outsider *outsider, int engine, __u64 gpa,
		    unsigned int words, const __u64 *value)
{
	memcpy(outsider->line->value, value, words * sizeof(*value));
	order(outsider, true, engine, gpa, words);
}

bool outsider_done(const struct outsider *outsider)
{
	const struct outsider_line *line = outsider->line;

	return __atomic_load_n(&line->done, __ATOMIC_ACQUIRE) == line->ordered;
}

int outsider_answer(struct outsider *outsider, __u64 *value)
{
	long until = now_ms() + GATE_PATIENCE;

	while (!outsider_done(outsider)) {
		if (now_ms() > until)
			return -ETIMEDOUT;
		usleep(200);
	}
	if (value)
		memcpy(value, outsider->line->value, sizeof(outsider->line->value));
	return outsider->line->result;
}
