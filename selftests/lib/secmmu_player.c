// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "secmmu_gates.h"
#include "secmmu_player.h"
#include "secmmu_sys.h"
#include "secmmu_test.h"

#define MIRRORS		8

/* One in each process. */
static struct self {
	struct actor_shared *shared;
	char *mem;
	int dev;
	__u32 policy, batch;
	int mirror[MIRRORS];
	int engine[MIRRORS][ACTOR_ENGINES];
	unsigned int nr_mirrors;
} self;

static char *at(__u64 page)
{
	return self.mem + page * PAGE;
}

/* Engines count on from mirror to mirror. */
static int engine(__u64 n)
{
	return self.engine[n / ACTOR_ENGINES][n % ACTOR_ENGINES];
}

static int add_mirror(__u64 *number)
{
	unsigned int n = self.nr_mirrors, i;
	int mirror;

	if (n == MIRRORS)
		return -ENOSPC;
	mirror = secmmu_create_mirror(self.dev, self.policy, self.batch);
	if (mirror < 0)
		return mirror;
	self.mirror[n] = mirror;
	for (i = 0; i < ACTOR_ENGINES; i++) {
		self.engine[n][i] = secmmu_create_engine(mirror);
		if (self.engine[n][i] < 0)
			return self.engine[n][i];
	}
	self.nr_mirrors++;
	*number = n;
	return secmmu_set_slot(mirror, 0, 0, ACTOR_BASE, self.mem, self.shared->pages * PAGE);
}

static int close_mirror(__u64 number)
{
	unsigned int i;

	for (i = 0; i < ACTOR_ENGINES; i++)
		close(self.engine[number][i]);
	return close(self.mirror[number]) ? -errno : 0;
}

static int check_mirror(__u64 number, __u64 *objections)
{
	struct secmmu_test_oracle result;
	int ret = oracle_check(self.mirror[number], &result);

	*objections = result.stale + result.too_wide + result.unjudged;
	return ret;
}

static int prefault(__u64 gpa, __u64 pages, __u64 flags, __u64 *left)
{
	struct secmmu_prefault range;
	int ret = secmmu_prefault(self.mirror[0], flags, gpa, pages * PAGE, &range);

	*left = range.length / PAGE;
	return ret;
}

static int create_domains(__u64 last)
{
	__u64 domain;
	int ret = 0;

	for (domain = 1; !ret && domain <= last; domain++)
		ret = domain_create(self.mirror[0], domain);
	return ret;
}

static int map_anew(__u64 page, __u64 pages, int prot)
{
	void *mem = mmap(at(page), pages * PAGE, prot, MAP_PRIVATE |
			 MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	if (mem == MAP_FAILED)
		return -errno;
	madvise(mem, pages * PAGE, MADV_NOHUGEPAGE);
	return 0;
}

static int fork_sleeper(__u64 *pid)
{
	pid_t child = fork();

	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	*pid = child;
	return child < 0 ? -errno : 0;
}

static int result(int ret)
{
	return ret ? -errno : 0;
}

static int obey(enum actor_op op, const __u64 *arg, __u64 *value)
{
	__u64 i;

	switch (op) {
	case ACT_READ:
		return gpa_get(engine(arg[0]), arg[1], value);
	case ACT_WRITE:
		return gpa_put(engine(arg[0]), arg[1], arg[2]);
	case ACT_PREFAULT:
		return prefault(arg[0], arg[1], arg[2], value);
	case ACT_LOAD:
		*value = *word_at(self.mem, arg[0]);
		return 0;
	case ACT_STORE:
		*word_at(self.mem, arg[0]) = arg[1];
		return 0;
	case ACT_LABEL:
		for (i = arg[0]; i < arg[0] + arg[1]; i++)
			*word_at(self.mem, i) = label(i, arg[2]);
		return 0;
	case ACT_MADVISE:
		return result(madvise(at(arg[0]), arg[1] * PAGE, arg[2]));
	case ACT_MPROTECT:
		return result(mprotect(at(arg[0]), arg[1] * PAGE, arg[2]));
	case ACT_MUNMAP:
		return result(munmap(at(arg[0]), arg[1] * PAGE));
	case ACT_MMAP:
		return map_anew(arg[0], arg[1], arg[2]);
	case ACT_SLOT:
		return secmmu_set_slot(self.mirror[0], arg[0], arg[4], arg[1],
				       at(arg[2]), arg[3] * PAGE);
	case ACT_SLOT_IN:
		return secmmu_set_slot_in(self.mirror[0], arg[0], 0, 0, arg[4],
					  arg[1], at(arg[2]), arg[3] * PAGE);
	case ACT_DOMAINS:
		return create_domains(arg[0]);
	case ACT_MIRROR:
		return add_mirror(value);
	case ACT_CLOSE:
		return close_mirror(arg[0]);
	case ACT_FORK:
		return fork_sleeper(value);
	case ACT_DIRTY:
		return secmmu_dirty_log(self.mirror[0], arg[0], 0, arg[1], value);
	case ACT_EVENT:
		return event_inject(self.mirror[0], arg[2], at(arg[0]), arg[1]);
	case ACT_ATTACH:
		return engine_attach(engine(arg[0]), self.mirror[arg[1]], 0);
	case ACT_TAG_BITS:
		return tag_bits_set(self.mirror[0], arg[0]);
	case ACT_CHECK:
		return check_mirror(arg[0], value);
	case ACT_EXIT:
		_exit(0);
	case ACT_EXEC:
		execlp("sleep", "sleep", "1000", NULL);
		return -errno;
	default:
		return -EINVAL;
	}
}

static void *serve(void *data)
{
	struct line *line = data;
	unsigned int seen = 0, ordered;

	__atomic_store_n(&line->tid, syscall(SYS_gettid), __ATOMIC_RELEASE);
	for (;;) {
		ordered = __atomic_load_n(&line->ordered, __ATOMIC_ACQUIRE);
		if (ordered == seen) {
			usleep(200);
			continue;
		}
		seen = ordered;
		line->result = obey(line->op, line->arg, &line->value);
		__atomic_store_n(&line->done, seen, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* For the life of the process; without guard pages. */
static char *map_huge(long pages)
{
	char *mem = mmap(NULL, pages * PAGE + HUGE_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED)
		return NULL;
	mem += -(uintptr_t)mem & (HUGE_SIZE - 1);
	return madvise(mem, pages * PAGE, MADV_HUGEPAGE) ? NULL : mem;
}

int player_run(void *data)
{
	const struct player_start *start = data;
	int fds[1 + ACTOR_ENGINES];
	pthread_t thread;
	__u64 number;
	int i;

	self.shared = start->shared;
	self.dev = start->dev;
	self.policy = start->policy;
	self.batch = start->batch;
	self.mem = start->huge ? map_huge(start->pages) :
				 region_map(start->pages);
	CHECK(self.mem);
	self.shared->mem = self.mem;
	self.shared->pages = start->pages;
	pages_label(self.mem, 0, start->pages, 1);
	self.shared->huge = huge_kilobytes(self.mem);
	CHECK(!add_mirror(&number));
	fds[0] = self.mirror[0];
	memcpy(fds + 1, self.engine[0], sizeof(self.engine[0]));
	for (i = 1; i < ACTOR_THREADS; i++)
		CHECK(!pthread_create(&thread, NULL, serve, &self.shared->line[i]));
	for (i = 1; i < ACTOR_THREADS; i++)
		while (!__atomic_load_n(&self.shared->line[i].tid, __ATOMIC_ACQUIRE))
			usleep(200);
	self.shared->line[0].tid = syscall(SYS_gettid);
	CHECK(!fds_send(start->sock, fds, 1 + ACTOR_ENGINES));
	serve(&self.shared->line[0]);
	return 0;
}

