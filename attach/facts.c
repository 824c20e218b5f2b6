// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include "attach.h"
#include "facts.h"
#include "json.h"
#include "runs.h"

static uint64_t pages_of(const struct area *area)
{
	return (area->end - area->start) / PAGE_BYTES;
}

/* Where nobody may read, one page was tried for all. */
static uint64_t refused_of(const struct area *area)
{
	return area->refuses ? pages_of(area) - area->read : area->refused;
}

static uint64_t untouched_of(const struct area *area)
{
	return pages_of(area) - area->read - refused_of(area);
}

/**
 * facts_finding - describe a stale page, if it is one of the first
 * @facts: in which it is counted already
 * @finding: what is wrong with it
 * @area: where it lies
 * @still: the process is stopped
 */
void facts_finding(const struct attach_facts *facts,
		   const struct finding *finding,
		   const struct area *area, bool still)
{
	const char *often = still ? "while the process is stopped" :
				    "in every round";

	if (facts->stale > ATTACH_DETAILS)
		return;
	printf("stale %" PRIu64 ": page 0x%" PRIx64 ", %s: ", facts->stale,
	       finding->page, *area->name ? area->name : "anonymous");
	if (!finding->mirror_reads)
		puts("the mirror refuses what the process has, and no event was in between");
	else if (!finding->process_reads)
		puts("the mirror shows what the process has not, and no event was in between");
	else
		printf("byte 0x%x is 0x%02x in the mirror, 0x%02x in the process, %s\n",
		       finding->offset, finding->mirror, finding->process,
		       often);
}

static void print_area(const struct attach_facts *facts,
		       const struct area *area, bool gone)
{
	if (gone)
		printf("%-30s %10d %8" PRIu64 " %10" PRIu64 " %10d", "", 0,
		       area->read, area->refused, 0);
	else
		printf("%012" PRIx64 "-%012" PRIx64 " %s %10" PRIu64 " %8"
		       PRIu64 " %10" PRIu64 " %10" PRIu64, area->start, area->end,
		       area->mode, pages_of(area), area->read,
		       refused_of(area), untouched_of(area));
	if (facts->verified)
		printf(" %8" PRIu64 " %6" PRIu64, area->changing, area->stale);
	printf("  %s\n", area->name);
}

static bool is_suspect(const struct area *area)
{
	return area->changing || area->stale;
}

static void print_areas(const struct attach_facts *facts)
{
	const struct areas *areas = &facts->areas;

	printf("%-25s %s %10s %8s %10s %10s%s  name\n", "area", "mode", "pages",
	       "read", "refused", "untouched",
	       facts->verified ? " changing  stale" : "");
	for (size_t i = 0; i < areas->count; i++)
		if (!facts->brief || is_suspect(&areas->list[i]))
			print_area(facts, &areas->list[i], false);
	if (facts->brief ? is_suspect(&facts->gone) :
	    facts->gone.read || facts->gone.refused)
		print_area(facts, &facts->gone, true);
}

/* What the comparison may have done to the process. */
static void print_traces(const struct attach_facts *facts)
{
	if (facts->merged > facts->merged_after)
		printf("warning: %" PRIu64 " merged pages were copied meanwhile, by the process's own writes or by looking at suspects\n",
		       facts->merged - facts->merged_after);
	if (facts->filled)
		puts("warning: --all has given the process pages where it had none, and brought back what was in swap space");
}

static const char *verdict_of(const struct attach_facts *facts)
{
	if (facts->stale)
		return "FAIL";
	if (facts->signal)
		return "INTERRUPTED";
	return facts->complete && facts->pages ? "PASS" : "UNPROVEN";
}

/**
 * facts_print - the table and the verdict
 * @facts: of the process
 */
void facts_print(const struct attach_facts *facts)
{
	const struct secmmu_stats *stats = &facts->stats;

	if (facts->complete)
		print_areas(facts);
	printf("mirror  %" PRIu64 " faults, %" PRIu64 " pages mapped; %" PRIu64
	       " events, %" PRIu64 " pages dropped, %" PRIu64 " flushes\n",
	       (uint64_t)stats->faults, (uint64_t)stats->fault_pages,
	       (uint64_t)stats->events, (uint64_t)stats->zapped,
	       (uint64_t)stats->flushes);
	print_traces(facts);
	if (!facts->verified)
		printf("attach: %" PRIu64 " pages read\n", facts->pages);
	else
		printf("attach: %s, %" PRIu64 " pages compared in %u passes, %"
		       PRIu64 " changing, %" PRIu64 " stale\n",
		       verdict_of(facts), facts->pages, facts->passes,
		       facts->changing, facts->stale);
}

static void write_area(struct json *json, const struct area *area, bool guest)
{
	json_object(json, NULL);
	if (guest)
		json_number(json, "gpa", area->gpa);
	json_number(json, "start", area->start);
	json_number(json, "end", area->end);
	json_string(json, "mode", area->mode);
	json_number(json, "read", area->read);
	json_number(json, "refused", refused_of(area));
	json_number(json, "untouched", untouched_of(area));
	json_number(json, "changing", area->changing);
	json_number(json, "stale", area->stale);
	json_string(json, "name", area->name);
	json_end(json);
}

/**
 * facts_json - write the same for other programs
 * @path: the file
 * @facts: of the process
 *
 * Return: 0, or -1 after a message.
 */
int facts_json(const char *path, const struct attach_facts *facts)
{
	const struct areas *areas = &facts->areas;
	size_t count = facts->complete ? areas->count : 0;
	struct json json;

	if (json_create(&json, path, "secmmu-attach-1"))
		return -1;
	json_number(&json, "pid", (uint64_t)facts->pid);
	json_string(&json, "command", facts->command);
	if (facts->domain)
		json_string(&json, "domain", facts->domain);
	json_number(&json, "verified", facts->verified);
	json_number(&json, "complete", facts->complete);
	json_number(&json, "signal", (uint64_t)facts->signal);
	json_number(&json, "passes", facts->passes);
	json_number(&json, "seconds", facts->seconds);
	json_number(&json, "pages", facts->pages);
	json_number(&json, "refused", facts->refused);
	json_number(&json, "absent", facts->absent);
	json_number(&json, "changing", facts->changing);
	json_number(&json, "stale", facts->stale);
	json_number(&json, "merged", facts->merged);
	json_number(&json, "merged_after", facts->merged_after);
	json_number(&json, "faults", facts->stats.faults);
	json_number(&json, "fault_pages", facts->stats.fault_pages);
	json_number(&json, "events", facts->stats.events);
	json_number(&json, "zapped", facts->stats.zapped);
	json_number(&json, "flushes", facts->stats.flushes);
	json_number(&json, "retries", facts->stats.retries);
	json_list(&json, "areas");
	for (size_t i = 0; i < count; i++)
		write_area(&json, &areas->list[i], facts->domain);
	json_end(&json);
	return json_finish(&json);
}
