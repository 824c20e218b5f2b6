/* SPDX-License-Identifier: GPL-2.0 */
/* Everything a storm consists of, for the files that run it and count what it does. */
#ifndef STORM_PARTS_H
#define STORM_PARTS_H

#include <stdbool.h>
#include <stdint.h>
#include "agent.h"
#include "canary.h"
#include "fixed.h"
#include "live.h"
#include "report.h"
#include "storm.h"
#include "vcpu.h"
#include "views.h"

#define MAX_AGENTS	(MAX_ENGINES + 1 + MAX_DISCARDERS)

/**
 * struct storm - everything a storm consists of
 * @options: what was asked for
 * @report: violations
 * @memory: guest memory
 * @vm: the machine
 * @vcpus: its vCPUs
 * @fixed: what the guest must not have changed
 * @lost: vCPUs that the emulator has shut down
 * @silent: vCPUs that were taken out before the guest greeted on them
 * @instances: of the subject, as many as @options says; engines are dealt to them
 * @judge: the judge
 * @mix: the operations
 * @weather: the window, and which of the operations rest
 * @script: what discarders do, if there is one
 * @written: what each has done, if that is asked for
 * @views: who can be asked about a page
 * @timeline: how it goes
 * @live: what is on the terminal
 * @canary: the canary process
 * @agents: engines, then the inspector, then discarders
 * @nr_agents: how many
 * @stop: agents finish when this is true
 * @steps: taken on the way to the end; for the watchdog
 * @turns: of the main thread while the storm goes on; for the watchdog
 * @rounds: the watchdog's: so often all agents that have to have got on
 * @seen_turn: the watchdog's: how far the main thread was then
 * @worked: the watchdog's: what each agent had done when it last looked
 * @moved: the watchdog's: agents that have got on since the last round
 * @vcpu_worked: the main thread's: what each vCPU had done when it last looked
 * @vcpu_moved: vCPUs that have got on since the last round
 */
struct storm {
	const struct storm_options *options;
	struct report report;
	struct memory memory;
	struct vm vm;
	struct vcpu vcpus[MAX_VCPUS];
	struct fixed fixed;
	uint64_t lost;
	uint64_t silent;
	struct instance instances[MAX_MIRRORS];
	struct judge judge;
	struct mix mix;
	struct weather weather;
	struct script script;
	struct script written;
	struct views views;
	struct timeline timeline;
	struct live live;
	struct canary canary;
	struct agent agents[MAX_AGENTS];
	uint32_t nr_agents;
	bool stop;
	uint64_t steps;
	uint64_t turns;
	uint64_t rounds;
	uint64_t seen_turn;
	uint64_t worked[MAX_AGENTS];
	bool moved[MAX_AGENTS];
	uint64_t vcpu_worked[MAX_VCPUS];
	bool vcpu_moved[MAX_VCPUS];
};

bool storm_vcpu_silent(const struct vcpu *vcpu);
void storm_count(struct storm *storm, struct totals *totals);
void storm_note_vcpus(struct storm *storm);
uint64_t storm_progress(void *context);
void storm_laggards(void *context, char *text, size_t size);

#endif /* STORM_PARTS_H */
