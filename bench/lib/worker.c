// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker.h"

/* Measurements in a row in which no engine may get a processor; a busy host needs a few. */
#define TRIES	100u

static struct worker *workers;

/**
 * worker_start - start a worker
 * @worker: filled in; stays where it is
 * @prepare: called once in the worker, while the caller goes on; or NULL
 * @measure: called in the worker for each worker_request()
 * @data: for both
 *
 * The first answer comes after @prepare has returned.
 */
void worker_start(struct worker *worker, void (*prepare)(void *data),
		  void (*measure)(void *data, unsigned char what,
				  struct bench_sample *sample),
		  void *data)
{
	int ask[2], answer[2];
	unsigned char what;

	if (pipe(ask) || pipe(answer))
		die("cannot make a pipe: %s", strerror(errno));
	fflush(NULL);
	worker->pid = fork();
	if (worker->pid < 0)
		die("cannot fork: %s", strerror(errno));
	if (worker->pid) {
		worker->next = workers;
		workers = worker;
		close(ask[0]);
		close(answer[1]);
		worker->ask = ask[1];
		worker->answer = answer[0];
		return;
	}

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(ask[1]);
	close(answer[0]);
	if (prepare)
		prepare(data);
	while (read(ask[0], &what, 1) == 1) {
		struct bench_sample sample = { 0 };

		measure(data, what, &sample);
		if (write(answer[1], &sample, sizeof(sample)) != sizeof(sample))
			die("cannot answer: %s", strerror(errno));
	}
	_exit(0);
}

/* The worker has said why it has ended, unless a signal has killed it. */
static void end_with(const struct worker *worker)
{
	int status;

	if (waitpid(worker->pid, &status, 0) == worker->pid && WIFSIGNALED(status))
		die("a process that measures was killed by signal %d",
		    WTERMSIG(status));
	exit(1);
}

void worker_request(const struct worker *worker, unsigned char what)
{
	signal(SIGPIPE, SIG_IGN);
	if (write(worker->ask, &what, 1) != 1)
		end_with(worker);
}

void worker_await(const struct worker *worker, struct bench_sample *sample)
{
	if (read(worker->answer, sample, sizeof(*sample)) != sizeof(*sample))
		end_with(worker);
}

void worker_ask(const struct worker *worker, unsigned char what,
		struct bench_sample *sample)
{
	unsigned int tries = TRIES;

	do {
		worker_request(worker, what);
		worker_await(worker, sample);
	} while (sample->again && --tries);
	if (!tries)
		die("in %u measurements no engine ran", TRIES);
}

void workers_stop(void)
{
	for (; workers; workers = workers->next) {
		kill(workers->pid, SIGKILL);
		waitpid(workers->pid, NULL, 0);
	}
}
