// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "secmmu_actor.h"
#include "secmmu_gates.h"
#include "secmmu_sys.h"
#include "secmmu_test.h"

#define MIRRORS		8

/* Milliseconds in which a thread that can move does. */
#define WHILE_MS	300

/* One thread's orders and answers. The test writes @ordered, the thread @done. */
struct line {
	unsigned int ordered;
	unsigned int done;
	pid_t tid;
	enum actor_op op;
	__u64 arg[5];
	int result;
	__u64 value;
};

struct actor_shared {
	char *mem;
	long pages;
	long huge;
	struct line line[ACTOR_THREADS];
};

/* The actor's own side. */
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
	return secmmu_set_slot(mirror, 0, 0, ACTOR_BASE, self.mem,
			       self.shared->pages * PAGE);
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
	int ret = secmmu_prefault(self.mirror[0], flags, gpa, pages * PAGE,
				  &range);

	*left = range.length / PAGE;
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
	case ACT_STAMP:
		for (i = arg[0]; i < arg[0] + arg[1]; i++)
			*word_at(self.mem, i) = stamp(i, arg[2]);
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
	case ACT_MIRROR:
		return add_mirror(value);
	case ACT_CLOSE:
		return close_mirror(arg[0]);
	case ACT_FORK:
		return fork_sleeper(value);
	case ACT_DIRTY:
		return secmmu_dirty_log(self.mirror[0], arg[0], 0, arg[1],
					value);
	case ACT_EVENT:
		return event_inject(self.mirror[0], arg[2], at(arg[0]), arg[1]);
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

struct start {
	struct actor_shared *shared;
	int dev, sock;
	long pages;
	__u32 policy, batch;
	bool huge;
};

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

/* In the child: set up, hand the descriptors over, then do as told. */
static int play(void *data)
{
	struct start *start = data;
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
	for (i = 0; i < start->pages; i++)
		*word_at(self.mem, i) = stamp(i, 1);
	self.shared->huge = huge_kilobytes(self.mem);
	CHECK(!add_mirror(&number));
	fds[0] = self.mirror[0];
	memcpy(fds + 1, self.engine[0], sizeof(self.engine[0]));
	for (i = 1; i < ACTOR_THREADS; i++)
		CHECK(!pthread_create(&thread, NULL, serve,
				      &self.shared->line[i]));
	for (i = 1; i < ACTOR_THREADS; i++)
		while (!__atomic_load_n(&self.shared->line[i].tid,
					__ATOMIC_ACQUIRE))
			usleep(200);
	self.shared->line[0].tid = syscall(SYS_gettid);
	CHECK(!fds_send(start->sock, fds, 1 + ACTOR_ENGINES));
	serve(&self.shared->line[0]);
	return 0;
}

static int start_with(struct actor *actor, struct start *start)
{
	int fds[1 + ACTOR_ENGINES], sock[2], ret;

	memset(actor, 0, sizeof(*actor));
	actor->mirror = -1;
	memset(actor->engine, -1, sizeof(actor->engine));
	actor->shared = mmap(NULL, sizeof(*actor->shared),
			     PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (actor->shared == MAP_FAILED)
		return -errno;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sock))
		return -errno;
	start->shared = actor->shared;
	start->sock = sock[1];
	actor->pid = child_start(play, start);
	close(sock[1]);
	ret = fds_receive(sock[0], fds, 1 + ACTOR_ENGINES);
	close(sock[0]);
	if (ret)
		return ret;
	actor->mirror = fds[0];
	memcpy(actor->engine, fds + 1, sizeof(actor->engine));
	actor->mem = actor->shared->mem;
	actor->pages = start->pages;
	return 0;
}

int actor_start(struct actor *actor, int dev, long pages, __u32 policy,
		__u32 batch)
{
	struct start start = {
		.dev = dev,
		.pages = pages,
		.policy = policy,
		.batch = batch,
	};

	return start_with(actor, &start);
}

int actor_start_huge(struct actor *actor, int dev, long pages)
{
	struct start start = { .dev = dev, .pages = pages, .huge = true };
	int ret = start_with(actor, &start);

	if (!ret && actor->shared->huge < pages * PAGE >> 10)
		return -EOPNOTSUPP;
	return ret;
}

void actor_stop(struct actor *actor)
{
	int i;

	if (actor->pid > 0) {
		kill(actor->pid, SIGKILL);
		waitpid(actor->pid, NULL, 0);
	}
	for (i = 0; i < ACTOR_ENGINES; i++)
		close(actor->engine[i]);
	close(actor->mirror);
	munmap(actor->shared, sizeof(*actor->shared));
	actor->pid = 0;
}

pid_t actor_tid(const struct actor *actor, int thread)
{
	return actor->shared->line[thread].tid;
}

void actor_order(struct actor *actor, int thread, enum actor_op op, __u64 a,
		 __u64 b, __u64 c, __u64 d, __u64 e)
{
	struct line *line = &actor->shared->line[thread];

	line->op = op;
	line->arg[0] = a;
	line->arg[1] = b;
	line->arg[2] = c;
	line->arg[3] = d;
	line->arg[4] = e;
	line->value = POISON;
	__atomic_store_n(&line->ordered, line->ordered + 1, __ATOMIC_RELEASE);
}

bool actor_done(const struct actor *actor, int thread)
{
	const struct line *line = &actor->shared->line[thread];

	return __atomic_load_n(&line->done, __ATOMIC_ACQUIRE) == line->ordered;
}

int actor_answer(struct actor *actor, int thread, __u64 *value)
{
	long until = now_ms() + GATE_PATIENCE;

	while (!actor_done(actor, thread)) {
		if (now_ms() > until)
			return -ETIMEDOUT;
		usleep(200);
	}
	if (value)
		*value = actor->shared->line[thread].value;
	return actor->shared->line[thread].result;
}

bool actor_waits(const struct actor *actor, int thread, unsigned int waiters)
{
	long until = now_ms() + GATE_PATIENCE;
	struct secmmu_test_state state;

	while (!actor_done(actor, thread) && now_ms() < until) {
		if (state_get(actor->mirror, &state))
			return false;
		/* Who is woken leaves the queue, and comes back if need be. */
		if (state.waiters == waiters)
			return true;
		usleep(200);
	}
	return false;
}

bool actor_reaches(const struct actor *actor, int thread, int dev, int post)
{
	long until = now_ms() + GATE_PATIENCE;
	struct secmmu_test_state state;

	while (gate_wait_ms(dev, post, 1)) {
		if (state_get(actor->mirror, &state) || state.waiters ||
		    actor_done(actor, thread) || now_ms() > until)
			return false;
	}
	return true;
}

bool actor_stays(const struct actor *actor, int thread)
{
	long until = now_ms() + WHILE_MS;

	while (!actor_done(actor, thread)) {
		if (now_ms() > until)
			return true;
		usleep(200);
	}
	return false;
}

int actor_wait_gate(const struct actor *actor, int thread, int dev, int post)
{
	long until = now_ms() + GATE_PATIENCE;
	bool done;
	int ret;

	do {
		/* In this order: it may pass, and answer, in between. */
		done = actor_done(actor, thread);
		ret = gate_wait_ms(dev, post, 1);
	} while (ret == -ETIMEDOUT && !done && now_ms() < until);
	return ret == -ETIMEDOUT && done ? -ECANCELED : ret;
}
