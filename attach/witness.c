// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
#include "message.h"
#include "runs.h"
#include "witness.h"

static int open_file(int proc, const char *name)
{
	int fd = openat(proc, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("cannot open the process's %s: %s%s", name, strerror(errno),
		    errno == EACCES || errno == EPERM ?
		    "; that takes CAP_SYS_PTRACE, and no security module against it" : "");
	return fd;
}

/**
 * witness_open - look at a process through /proc
 * @witness: filled in
 * @proc: descriptor of the process's folder in /proc
 * @pid: the process
 * @reads: witness_read() will be called, which takes more rights than the rest
 */
void witness_open(struct witness *witness, int proc, pid_t pid, bool reads)
{
	witness->pid = pid;
	witness->pagemap = open_file(proc, "pagemap");
	witness->mem = reads ? open_file(proc, "mem") : -1;
}

/**
 * witness_present - ask whether the CPU's page table has a page
 * @witness: of the process
 * @page: address of the page
 *
 * An address in no area has no page, whatever munmap(2) has yet to take out of the
 * table: the kernel looks for the area first.
 *
 * Return: 1 if so, 0 if not, or -ESRCH if the process has no memory any more.
 */
int witness_present(const struct witness *witness, uint64_t page)
{
	return runs_count_present(witness->pagemap, page, 1);
}

/**
 * witness_read_present - read pages of the process that are there
 * @witness: of the process
 * @start: address of the first page
 * @buffer: where to put them
 * @pages: how many, at most RUNS_COUNT
 *
 * What the process gives up between the look at pagemap and the read it gets back. The
 * fewer pages, the rarer that is.
 *
 * Return: pages read, up to the first that is not there, or -ESRCH as witness_read().
 */
int witness_read_present(const struct witness *witness, uint64_t start, void *buffer,
			 unsigned int pages)
{
	int present = runs_count_present(witness->pagemap, start, pages);
	ssize_t got;

	if (present <= 0)
		return present;
	got = witness_read(witness, start, buffer, (size_t)present * PAGE_BYTES);
	return got < 0 ? (int)got : (int)(got / (ssize_t)PAGE_BYTES);
}

/**
 * witness_read - read the process's memory
 * @witness: of the process
 * @start: address of the first page
 * @buffer: where to put it
 * @length: whole pages
 *
 * /proc/N/mem takes a reference to each page, and does not pin it: merged and
 * copy-on-write pages stay shared. A page that is not there is faulted in, so ask
 * witness_present() before. It also reads what the process may not read itself.
 *
 * Return: bytes read, perhaps fewer than asked for, or -ESRCH if the process has no
 * memory any more.
 */
ssize_t witness_read(const struct witness *witness, uint64_t start, void *buffer,
		     size_t length)
{
	ssize_t got = pread(witness->mem, buffer, length, (off_t)start);

	if (got > 0)
		return got;
	if (!got || errno == ESRCH)
		return -ESRCH;
	if (errno != EIO && errno != EFAULT)
		die("cannot read the process's mem: %s", strerror(errno));
	return 0;
}

/**
 * witness_grants - ask whether the process could read a page
 * @witness: of the process
 * @page: address of the page
 *
 * process_vm_readv(2) looks at areas and permissions as a mirror's fault does. It
 * faults the page in if it is not there, and pins it: if the page is merged, or
 * shared by fork(2), the process gets a copy. So ask it of suspects only.
 *
 * Return: 1 if so, 0 if not, or -ESRCH if the process has no memory any more.
 */
int witness_grants(const struct witness *witness, uint64_t page)
{
	uint64_t word;
	const struct iovec local = { &word, sizeof(word) };
	const struct iovec remote = { (void *)(uintptr_t)page, sizeof(word) };

	if (process_vm_readv(witness->pid, &local, 1, &remote, 1, 0) >= 0)
		return 1;
	if (errno == EPERM)
		die("process_vm_readv(2) of process %d is not allowed: --verify needs CAP_SYS_PTRACE, and no security module against it",
		    witness->pid);
	if (errno != EFAULT && errno != ESRCH)
		die("process_vm_readv(2) fails: %s", strerror(errno));
	return errno == EFAULT ? 0 : -ESRCH;
}

/**
 * witness_has - ask whether the process has a page and could read it
 * @witness: of the process
 * @page: address of the page
 *
 * Return: as witness_grants().
 */
int witness_has(const struct witness *witness, uint64_t page)
{
	int present = witness_present(witness, page);

	return present > 0 ? witness_grants(witness, page) : present;
}
