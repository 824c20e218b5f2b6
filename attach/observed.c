// SPDX-License-Identifier: GPL-2.0
/*
 * secmmu-observed: a process for "secmmu-vmm attach" to be tested on, or one that stands
 * in the way of "secmmu-vmm run". It says "ready", and goes on until killed.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/secmmu_test.h>
#include "fragile.h"
#include "message.h"
#include "prng.h"

#define PAGE		4096ul
#define PAGES		256u
#define SLICE_PAGES	32u
#define SLICES		(PAGES / SLICE_PAGES)
#define HUGE_BYTES	(1ul << 40)
#define LARGE_BYTES	(1ul << 36)
#define THREADS		2
#define TURN_NS		1000000
#define WINDOW_PAGES	1024u
#define WINDOW_BYTES	(WINDOW_PAGES * PAGE)
/* Longer than a pass of attach takes: memory must be seen before it goes. */
#define WINDOW_TURNS	200
/* ... and so that a pass falls into it. */
#define HELD_MS		3000

static char *map_memory(void *at, size_t bytes, int protection, int flags)
{
	char *memory = mmap(at, bytes, protection,
			    MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	if (memory == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	return memory;
}

static void say_ready(void)
{
	puts("ready");
	fflush(stdout);
}

static void take_nap(void)
{
	const struct timespec time = { .tv_nsec = TURN_NS };

	nanosleep(&time, NULL);
}

/* Much is mapped, little of it there, and nothing happens. */
static void play_sparse(void)
{
	char *reserved, *guarded;

	/* Never touched. */
	map_memory(NULL, HUGE_BYTES, PROT_READ | PROT_WRITE, MAP_NORESERVE);
	/* In between, or the two would be one area. */
	map_memory(NULL, HUGE_BYTES, PROT_NONE, MAP_NORESERVE);
	reserved = map_memory(NULL, LARGE_BYTES, PROT_READ | PROT_WRITE, MAP_NORESERVE);
	for (unsigned int i = 0; i < 3; i++)
		reserved[i * (LARGE_BYTES / 4) + 1] = 's';
	guarded = map_memory(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, 0);
	memset(guarded, 'g', 3 * PAGE);
	mprotect(guarded + PAGE, PAGE, PROT_NONE);
	say_ready();
	while (pause())
		;
}

/* Every byte of a page tells which round wrote it. */
static void fill_slice(char *slice, uint64_t round)
{
	uint64_t *words = (uint64_t *)slice;

	for (size_t i = 0; i < SLICE_PAGES * PAGE / sizeof(*words); i++)
		words[i] = (round << 32 | (i + 1)) * 0x9e3779b97f4a7c15ull;
}

/*
 * Slices of memory take turns: written; discarded, and so zero; written again;
 * forbidden; unmapped; and mapped and written again. An area comes and goes.
 */
static void play_churn(void)
{
	char *memory = map_memory(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, 0);
	unsigned int turn[SLICES] = { 0 };
	struct prng prng;

	prng_init(&prng, 1, 0);
	say_ready();
	for (uint64_t round = 1;; round++) {
		uint32_t slice = prng_below(&prng, SLICES);
		char *at = memory + slice * SLICE_PAGES * PAGE, *visitor;
		size_t bytes = SLICE_PAGES * PAGE;

		switch (turn[slice]++ % 5) {
		case 0:
			map_memory(at, bytes, PROT_READ | PROT_WRITE, MAP_FIXED);
			fill_slice(at, round);
			break;
		case 1:
			madvise(at, bytes, MADV_DONTNEED);
			break;
		case 2:
			fill_slice(at, round);
			break;
		case 3:
			mprotect(at, bytes, PROT_NONE);
			break;
		case 4:
			munmap(at, bytes);
			break;
		}
		visitor = map_memory(NULL, bytes, PROT_READ | PROT_WRITE, 0);
		fill_slice(visitor, round);
		take_nap();
		munmap(visitor, bytes);
	}
}

static void *flip_forever(void *memory)
{
	for (unsigned char byte = 0;; byte = ~byte)
		memset(memory, byte, PAGES * PAGE);
	return NULL;
}

/* Memory goes back and forth between two contents, as fast as it can. */
static void play_flip(void)
{
	for (unsigned int i = 0; i < THREADS; i++) {
		char *memory = map_memory(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
					  0);
		pthread_t thread;

		if (pthread_create(&thread, NULL, flip_forever, memory))
			exit(2);
	}
	say_ready();
	while (pause())
		;
}

static void on_signal(int signal)
{
	(void)signal;
	execl("/bin/busybox", "sleep", "1000", (char *)NULL);
	_exit(2);
}

/* Is another program after SIGUSR1. */
static void play_become(void)
{
	signal(SIGUSR1, on_signal);
	say_ready();
	while (pause())
		;
}

/* Keeps a thread of another process from getting on, as a debugger does. */
static void hold_thread(const char *thread)
{
	pid_t tid = (pid_t)atoi(thread);
	int status;

	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) ||
	    ptrace(PTRACE_INTERRUPT, tid, NULL, NULL))
		die("ptrace: %s", strerror(errno));
	say_ready();
	/* It cannot end before this process has heard of it. */
	while (waitpid(tid, &status, __WALL) == tid && WIFSTOPPED(status))
		;
	while (pause())
		;
}

/*
 * A test build of the driver holds munmap(2) for a while, when it has taken the areas
 * out, and has not announced the change.
 */
static void arm_gate(const char *memory)
{
	struct secmmu_test_gate gate = {
		.size = sizeof(gate),
		.gate = SECMMU_GATE_START_ENTERED,
		.tid = gettid(),
		.address = (uintptr_t)memory,
		.timeout_ms = HELD_MS,
	};
	int device = open("/dev/secmmu", O_RDWR | O_CLOEXEC);

	if (device < 0 || ioctl(device, SECMMU_TEST_GATE_ARM, &gate))
		die("a gate of a test build: %s", strerror(errno));
}

/* Run on the first processor only, and only if no other process wants to. */
static void run_last(void)
{
	const struct sched_param none = { 0 };
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	if (sched_setaffinity(0, sizeof(first), &first) ||
	    sched_setscheduler(0, SCHED_IDLE, &none))
		die("SCHED_IDLE: %s", strerror(errno));
}

/* Many areas, with a page in each. */
static void fill_areas(char *memory)
{
	for (unsigned int i = 0; i < WINDOW_PAGES; i++) {
		memory[i * PAGE] = 'w';
		if (i % 2)
			madvise(memory + i * PAGE, PAGE, MADV_DONTDUMP);
	}
}

/* One more page stays: below a stack munmap(2) lets no reader in. */
static char *map_window(void)
{
	char *memory = map_memory(NULL, WINDOW_BYTES + PAGE, PROT_READ, 0);

	printf("range %lx-%lx\n", (unsigned long)memory,
	       (unsigned long)memory + WINDOW_BYTES + PAGE);
	return memory;
}

/*
 * Memory is unmapped and mapped again. Now and then others want the processor when
 * munmap(2) has taken the areas out, and has not yet cleared the page table.
 */
static void play_window(void)
{
	char *memory = map_window();

	run_last();
	say_ready();
	for (;;) {
		map_memory(memory, WINDOW_BYTES, PROT_READ | PROT_WRITE, MAP_FIXED);
		fill_areas(memory);
		for (unsigned int i = 0; i < WINDOW_TURNS; i++)
			take_nap();
		munmap(memory, WINDOW_BYTES);
	}
}

/* Memory is unmapped after SIGUSR1, and a gate keeps munmap(2) from going on. */
static void play_held(void)
{
	char *memory = map_window();
	sigset_t set;
	int signal;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	map_memory(memory, WINDOW_BYTES, PROT_READ | PROT_WRITE, MAP_FIXED);
	fill_areas(memory);
	say_ready();
	sigwait(&set, &signal);
	arm_gate(memory);
	munmap(memory, WINDOW_BYTES);
	while (pause())
		;
}

static const struct {
	const char *name;
	void (*run)(void);
} modes[] = {
	{ "sparse", play_sparse },
	{ "churn", play_churn },
	{ "flip", play_flip },
	{ "become", play_become },
	{ "window", play_window },
	{ "held", play_held },
	{ "fragile", fragile_run },
};

static error_t choose_mode(int key, char *text, struct argp_state *state)
{
	if (key == ARGP_KEY_NO_ARGS)
		argp_usage(state);
	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (!strcmp(text, modes[i].name))
			modes[i].run();
	if (!strcmp(text, "hold") && state->next < state->argc)
		hold_thread(state->argv[state->next]);
	argp_error(state, "there is no \"%s\"", text);
	return 0;
}

int main(int argc, char **argv)
{
	const struct argp argp = {
		.parser = choose_mode,
		.args_doc = "sparse|churn|flip|become|window|held|fragile|hold THREAD",
		.doc = "A process to be looked at by secmmu-vmm attach.\v"
		       "  sparse  large reservations, hardly touched\n"
		       "  churn   memory is discarded, forbidden, unmapped, and "
		       "comes again\n"
		       "  flip    memory goes back and forth between two "
		       "contents\n"
		       "  become  executes another program after SIGUSR1\n"
		       "  window  memory is unmapped, slowly, and comes again\n"
		       "  held    unmaps memory after SIGUSR1, held by a gate\n"
		       "  fragile notices what an observer does to it\n"
		       "  hold    keeps a thread of another process from getting on",
	};

	return argp_parse(&argp, argc, argv, 0, NULL, NULL);
}
