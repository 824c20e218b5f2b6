// SPDX-License-Identifier: GPL-2.0
#include <signal.h>
#include <stddef.h>

#include "interrupt.h"

static volatile sig_atomic_t latest;

static void note_signal(int signal)
{
	latest = signal;
}

void interrupt_catch(void)
{
	const struct sigaction action = {
		.sa_handler = note_signal,
		.sa_flags = (int)SA_RESETHAND,
	};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

int interrupt_signal(void)
{
	return latest;
}
