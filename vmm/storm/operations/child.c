// SPDX-License-Identifier: GPL-2.0
/*
 * Children that have an instance of the subject of their own, for the memory that they have
 * inherited, and come to their end while it is at work. What they do to their memory must
 * not be seen here.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "acts.h"
#include "operation.h"

#define CHILD_PATTERN	0x6c6c6c6c6c6c6c6cull

/* How long a child may take to get to work, and how long it may work at most. */
#define READY_MS	5000
#define WORK_US		2000u

#ifndef SYS_process_mrelease
#define SYS_process_mrelease	448
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open		434
#endif

/**
 * struct worker - what works in a child
 * @scene: the operation, inherited
 * @instance: of the subject, the child's own
 * @engine: of it
 * @ready: where to say that the first access has been
 */
struct worker {
	const struct scene *scene;
	struct instance instance;
	struct engine engine;
	int ready;
};

/**
 * usable_own - can a process have an instance of the subject beside that of its parent?
 */
USABLE(own)
{
	const struct subject_ops *ops = instance->ops;

	(void)operation;
	if (ops->limits & (SUBJECT_ONE_SLOT | SUBJECT_IDENTITY))
		return -snprintf(why, size, "%s has no slots to show a child's memory in", ops->name);
	return 0;
}

/**
 * usable_release - is there process_mrelease()?
 */
USABLE(release)
{
	if (syscall(SYS_process_mrelease, -1, 0) && errno == ENOSYS)
		return -snprintf(why, size, "no process_mrelease() before 5.15");
	return usable_own(operation, instance, why, size);
}

/* In the child. Returns 0 or a negative errno. */
static int begin_work(struct worker *worker)
{
	struct instance *instance = &worker->instance;
	const struct instance *parents = worker->scene->agent->engine.instance;
	int error;

	*instance = (struct instance) { .ops = parents->ops, .memory = parents->memory };
	error = instance->ops->create(&instance->subject);
	for (uint32_t i = 0; i < MEMORY_SLOTS && !error; i++)
		error = instance_set_slot(instance, i, 0);
	worker->engine = (struct engine) { .instance = instance };
	return error ?: instance->ops->accessor_open(instance->subject, &worker->engine.accessor);
}

/* In the child: reads and writes its memory until it is no more. */
static void *work(void *argument)
{
	const struct scene *scene = ((struct worker *)argument)->scene;
	struct judge *judge = scene->agent->judge;
	struct worker *worker = argument;
	struct prng prng = *scene->prng;
	uint64_t words[GUEST_PAGE_WORDS];
	bool told = false;

	for (unsigned int i = 0; i < GUEST_PAGE_WORDS; i++)
		words[i] = CHILD_PATTERN;
	for (;;) {
		uint64_t gpa = judge_gpa(judge, prng_below(&prng, judge->memory->pages));
		uint64_t copy[GUEST_PAGE_WORDS];
		ssize_t done = engine_read(&worker->engine, gpa, copy, sizeof(copy));

		if (done == (ssize_t)sizeof(copy) && judge->memory->backing == MEMORY_ANON)
			done = engine_write(&worker->engine, gpa, words, sizeof(words));
		if (done > 0 && !told)
			told = write(worker->ready, "", 1) == 1;
	}
	return NULL;
}

/* In the child. Becomes another program while a thread is at work, or works itself. */
static void live(struct scene *scene, int ready, bool become)
{
	static char *const argv[] = { "secmmu-vmm", "storm", "--list", NULL };
	static char *const environment[] = { NULL };
	struct worker worker = { .scene = scene, .ready = ready };
	pthread_t thread;

	if (begin_work(&worker))
		_exit(1);
	if (!become)
		work(&worker);
	if (pthread_create(&thread, NULL, work, &worker))
		_exit(1);
	usleep(prng_below(scene->prng, WORK_US));
	if (dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO) >= 0)
		execve("/proc/self/exe", argv, environment);
	_exit(1);
}

/* Starts a child; returns its number once it is at work, or a negative errno. */
static pid_t start_child(struct scene *scene, bool become)
{
	struct pollfd event = { .events = POLLIN };
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	child = fork();
	if (!child)
		live(scene, ends[1], become);
	close(ends[1]);
	event.fd = ends[0];
	if (child > 0)
		poll(&event, 1, READY_MS);
	close(ends[0]);
	if (child > 0 && event.revents & POLLIN)
		return child;
	if (child < 0)
		return -errno;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return -ETIMEDOUT;
}

/**
 * act_killed - a child is killed in the middle of an access
 */
ACT(killed)
{
	pid_t child = start_child(scene, false);
	int status;

	if (child < 0)
		return child;
	usleep(prng_below(scene->prng, WORK_US));
	kill(child, SIGKILL);
	if (waitpid(child, &status, 0) != child)
		return -ECHILD;
	scene->reached = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	return 0;
}

/**
 * act_replaced - a child becomes another program in the middle of another thread's access
 */
ACT(replaced)
{
	pid_t child = start_child(scene, true);
	int status;

	if (child < 0)
		return child;
	if (waitpid(child, &status, 0) != child)
		return -ECHILD;
	scene->reached = WIFEXITED(status) && !WEXITSTATUS(status);
	return 0;
}

/**
 * act_released - the memory of a child that is being killed is reaped, while accesses are
 * under way
 */
ACT(released)
{
	pid_t child = start_child(scene, false);
	int fd, error = 0;

	if (child < 0)
		return child;
	fd = (int)syscall(SYS_pidfd_open, child, 0);
	kill(child, SIGKILL);
	if (fd < 0 || syscall(SYS_process_mrelease, fd, 0))
		error = -errno;
	if (fd >= 0)
		close(fd);
	waitpid(child, NULL, 0);
	scene->reached = !error;
	return error;
}
