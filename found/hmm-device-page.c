// SPDX-License-Identifier: GPL-2.0
/*
 * A page in the memory of test_hmm's device stands in the mirror as the page that the kernel
 * keeps for it, not as the memory behind it, once the mirror has had to look it up again: the
 * next read is of an address that nobody has mapped. Any event does for that; here it is fork().
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "dmirror.h"
#include "found.h"
#include "message.h"

/* What a read of the page brought. */
enum outcome { RIGHT, WRONG, KILLED };

static enum outcome read_by_child(int dmirror, const char *page)
{
	char buffer[PAGE];
	int status;
	pid_t pid = fork();

	if (pid < 0)
		die("cannot fork: %s", strerror(errno));
	if (!pid) {
		dmirror_read(dmirror, page, buffer);
		_exit(buffer[0] == 'A' && buffer[PAGE - 1] == 'A' ? RIGHT : WRONG);
	}
	if (waitpid(pid, &status, 0) != pid)
		die("cannot wait: %s", strerror(errno));
	if (WIFSIGNALED(status))
		return KILLED;
	return WEXITSTATUS(status);
}

/* In a process of its own: after an oops it cannot end, for the mirror's lock is held. */
static void __attribute__((noreturn)) own_mirror(int answer)
{
	char buffer[PAGE], *page = map_private(PAGE);
	int dmirror = dmirror_open();
	char outcome;

	memset(buffer, 'A', PAGE);
	dmirror_write(dmirror, page, buffer);
	dmirror_migrate(dmirror, page);
	memset(buffer, 0, PAGE);
	dmirror_read(dmirror, page, buffer);
	if (buffer[0] != 'A')
		die("the page is wrong even before the fork");
	outcome = (char)read_by_child(dmirror, page);
	if (write(answer, &outcome, 1) != 1)
		die("cannot tell the parent: %s", strerror(errno));
	_exit(0);
}

int main(int argc, char **argv)
{
	static const char * const outcomes[] = {
		[RIGHT] = "right", [WRONG] = "wrong", [KILLED] = "killed the reader",
	};
	int answer[2];
	char outcome;
	pid_t pid;

	begin(argc, argv, "hmm-device-page",
	      "Has the mirror move a page to its device, forks, and reads the page through the "
	      "mirror. This may be an oops: for a test VM only.");
	if (pipe(answer))
		die("cannot make a pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		die("cannot fork: %s", strerror(errno));
	if (!pid)
		own_mirror(answer[1]);
	close(answer[1]);
	if (read(answer[0], &outcome, 1) != 1)
		die("the mirror's owner has no answer");
	conclude(outcome != RIGHT, "a page of the device, read after a fork: %s",
		 outcomes[(int)outcome]);
}
