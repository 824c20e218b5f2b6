// SPDX-License-Identifier: GPL-2.0
/*
 * Libvirt is asked through virsh, and QEMU through its monitor by virsh's
 * qemu-monitor-command: this program is linked statically, and libvirt's libraries cannot be.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "clock.h"
#include "contents.h"
#include "domain.h"
#include "message.h"
#include "runs.h"

/* The layout is asked for again after this time: no event tells all its changes. */
#define FRESH_MS	2000

/* To be resumed even if this program gives up. */
static struct domain *to_resume;

/* What virsh says to its commands, to be freed; NULL after its message. */
static char *ask_virsh(const struct domain *domain, const char *commands)
{
	const char *argv[] = { "virsh", "-q", "-c", domain->uri, commands, NULL };

	if (!domain->uri) {
		argv[2] = commands;
		argv[3] = NULL;
	}
	return read_program((char **)argv, NULL);
}

/* The same of a single command, whose answer is one word. */
static void ask_word(const struct domain *domain, const char *command, char *word, size_t room)
{
	char *commands = format("%s '%s'", command, domain->name);
	char *said = ask_virsh(domain, commands);

	if (!said)
		die("virsh %s %s fails: is there virsh (package libvirt-clients), and such a domain%s?",
		    command, domain->name, domain->uri ? "" : ", or is --connect missing");
	snprintf(word, room, "%.*s", (int)strcspn(said, "\n"), said);
	free(commands);
	free(said);
}

static char *ask_monitor(const struct domain *domain, const char *command)
{
	char *commands = format("qemu-monitor-command '%s' --hmp '%s'", domain->name, command);
	char *said = ask_virsh(domain, commands);

	if (!said)
		die("the monitor of %s does not answer", domain->name);
	free(commands);
	return said;
}

/* Does the process have an argument @word, followed by one that begins with @next? */
static bool has_words(int proc, const char *word, const char *next)
{
	static char text[1 << 16];
	int fd = openat(proc, "cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	char *at = text;

	if (fd >= 0)
		close(fd);
	text[size > 0 ? size : 0] = '\0';
	while (at < text + size) {
		char *behind = at + strlen(at) + 1;

		if (!strcmp(at, word) && behind < text + size &&
		    !strncmp(behind, next, strlen(next)))
			return true;
		at = behind;
	}
	return false;
}

/**
 * domain_is - is a process the QEMU of a guest?
 * @domain: the guest
 * @proc: descriptor of the process's folder in /proc
 *
 * Return: whether its arguments have the guest's name and UUID.
 */
bool domain_is(const struct domain *domain, int proc)
{
	char *name = format("guest=%s,", domain->name);
	bool is = has_words(proc, "-name", name) && has_words(proc, "-uuid", domain->uuid);

	free(name);
	return is;
}

static pid_t find_process(const struct domain *domain)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	pid_t found = 0;

	if (!dir)
		die("cannot read /proc: %s", strerror(errno));
	while (!found && (entry = readdir(dir))) {
		pid_t pid = atoi(entry->d_name);
		int proc = pid > 0 ? openat(dirfd(dir), entry->d_name,
					    O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

		if (proc < 0)
			continue;
		if (domain_is(domain, proc))
			found = pid;
		close(proc);
	}
	closedir(dir);
	return found;
}

/**
 * domain_open - find the process of a guest
 * @domain: its name, and where libvirt is; the rest is filled in
 *
 * Ends the program after a message if there is no such guest, or it does not run.
 *
 * Return: the number of its QEMU. Another process may have the number by now: open its
 * folder in /proc, then ask domain_is().
 */
pid_t domain_open(struct domain *domain)
{
	char state[32];
	pid_t pid;

	if (!*domain->name || strpbrk(domain->name, "'\\\n"))
		die("\"%s\" is no name of a domain", domain->name);
	ask_word(domain, "domstate", state, sizeof(state));
	if (strcmp(state, "running") && strcmp(state, "paused"))
		die("domain %s does not run: it is %s", domain->name, state);
	ask_word(domain, "domuuid", domain->uuid, sizeof(domain->uuid));
	pid = find_process(domain);
	if (!pid)
		die("no process on this machine is the QEMU of domain %s", domain->name);
	return pid;
}

static void resume_at_exit(void)
{
	if (to_resume)
		domain_resume(to_resume);
}

/* Ctrl-C reaches virsh too, which must not end before the guest runs again. */
static void hold_signals(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(how, &set, NULL);
}

/**
 * domain_suspend - let the guest stand still, unless it does
 * @domain: the guest
 *
 * It runs again after domain_resume(), and if the program ends, but for SIGKILL.
 */
void domain_suspend(struct domain *domain)
{
	static bool registered;
	char state[32], *commands, *said;

	hold_signals(SIG_BLOCK);
	ask_word(domain, "domstate", state, sizeof(state));
	if (strcmp(state, "running"))
		return;
	if (!registered)
		atexit(resume_at_exit);
	registered = true;
	to_resume = domain;
	domain->suspended = true;
	commands = format("suspend '%s'", domain->name);
	said = ask_virsh(domain, commands);
	if (!said)
		die("cannot suspend domain %s", domain->name);
	free(commands);
	free(said);
}

/**
 * domain_resume - let the guest run again, if it ran before
 * @domain: the guest
 */
void domain_resume(struct domain *domain)
{
	char *commands = format("resume '%s'", domain->name), *said;

	to_resume = NULL;
	if (domain->suspended) {
		said = ask_virsh(domain, commands);
		if (!said)
			say("cannot resume domain %s: virsh %s", domain->name, commands);
		free(said);
	}
	free(commands);
	domain->suspended = false;
	hold_signals(SIG_UNBLOCK);
}

static void read_layout(struct domain *domain, struct layout *layout)
{
	char *said = ask_monitor(domain, "info mtree -f");

	layout_parse(layout, said, domain->start, domain->end);
	free(said);
	if (!layout->count)
		die("domain %s has no memory there", domain->name);
}

/**
 * domain_changed - has the layout of the guest's memory changed?
 * @domain: the guest
 *
 * Firmware makes RAM read-only, and memory is plugged in and out, without an event that
 * tells all of that. So the monitor is asked, unless it was asked just before.
 *
 * Return: whether to call domain_locate() again.
 */
bool domain_changed(struct domain *domain)
{
	struct layout now = { 0 };
	bool changed;

	if (domain->layout.count && clock_ms() - domain->read < FRESH_MS)
		return false;
	read_layout(domain, &now);
	domain->read = clock_ms();
	changed = layout_differs(&now, &domain->layout);
	free(now.list);
	return changed;
}

/**
 * domain_locate - find out where the guest's memory lies in its process
 * @domain: the guest, which should be suspended
 */
void domain_locate(struct domain *domain)
{
	struct layout *layout = &domain->layout;
	char *commands = format("%s", ""), *more, *said;

	read_layout(domain, layout);
	for (size_t i = 0; i < layout->count; i++) {
		const struct place *place = &layout->list[i];
		uint64_t last = place->gpa + place->length - PAGE_BYTES;

		more = format("%s qemu-monitor-command '%s' --hmp 'gpa2hva 0x%" PRIx64
			      "'; qemu-monitor-command '%s' --hmp 'gpa2hva 0x%" PRIx64 "';",
			      commands, domain->name, place->gpa, domain->name, last);
		free(commands);
		commands = more;
	}
	said = ask_virsh(domain, commands);
	if (!said || !layout_locate(layout, said))
		die("cannot tell where the memory of domain %s lies", domain->name);
	free(commands);
	free(said);
	domain->read = clock_ms();
}
