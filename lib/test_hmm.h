/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The calls of lib/test_hmm.c of the kernel. Its header, lib/test_hmm_uapi.h, is not among
 * those that user space gets.
 */
#ifndef TEST_HMM_H
#define TEST_HMM_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <linux/types.h>

#define HMM_DMIRROR_DEVICE	"/dev/hmm_dmirror0"

/**
 * struct hmm_dmirror_cmd - what each call takes and answers
 * @addr: first address in the mirrored process
 * @ptr: the buffer
 * @npages: how many pages
 * @cpages: out: pages copied
 * @faults: out: faults taken
 */
struct hmm_dmirror_cmd {
	__u64 addr;
	__u64 ptr;
	__u64 npages;
	__u64 cpages;
	__u64 faults;
};

#define HMM_DMIRROR_READ		_IOWR('H', 0x00, struct hmm_dmirror_cmd)
#define HMM_DMIRROR_WRITE		_IOWR('H', 0x01, struct hmm_dmirror_cmd)
#define HMM_DMIRROR_MIGRATE_TO_DEV	_IOWR('H', 0x02, struct hmm_dmirror_cmd)
#define HMM_DMIRROR_SNAPSHOT		_IOWR('H', 0x04, struct hmm_dmirror_cmd)
#define HMM_DMIRROR_EXCLUSIVE		_IOWR('H', 0x05, struct hmm_dmirror_cmd)

/* A byte of the answer of HMM_DMIRROR_SNAPSHOT, one for each page: where the page is. */
#define HMM_DMIRROR_WHERE		0x70
#define HMM_DMIRROR_IN_DEVICE		0x20

/**
 * hmm_dmirror_call - have pages copied, or do something else with them
 * @fd: an open %HMM_DMIRROR_DEVICE: a mirror of the process that opened it
 * @number: one of the calls
 * @address: first page in the mirrored process
 * @buffer: what is copied to or from; some calls copy both ways
 * @pages: how many
 * @cmd: filled in; what it answers is there after an error, too
 *
 * Return: 0 or a negative errno.
 */
static inline int hmm_dmirror_call(int fd, unsigned long number, uint64_t address,
				   const void *buffer, size_t pages, struct hmm_dmirror_cmd *cmd)
{
	*cmd = (struct hmm_dmirror_cmd) {
		.addr = address,
		.ptr = (uintptr_t)buffer,
		.npages = pages,
	};
	return ioctl(fd, number, cmd) ? -errno : 0;
}

/**
 * hmm_dmirror_migrate - move a page to the device's memory
 * @fd: as above
 * @address: the page in the mirrored process
 * @cmd: filled in
 *
 * The call that moves says how many pages it has copied, whether they have moved or not: the
 * mirror is asked where the page is. A kernel without memory of devices moves none.
 *
 * Return: 1 if the page is there now, 0 if not, or a negative errno.
 */
static inline int hmm_dmirror_migrate(int fd, uint64_t address, struct hmm_dmirror_cmd *cmd)
{
	static char content[4096];
	unsigned char where = 0;
	int ret = hmm_dmirror_call(fd, HMM_DMIRROR_MIGRATE_TO_DEV, address, content, 1, cmd);

	if (!ret)
		ret = hmm_dmirror_call(fd, HMM_DMIRROR_SNAPSHOT, address, &where, 1, cmd);
	return ret ?: (where & HMM_DMIRROR_WHERE) == HMM_DMIRROR_IN_DEVICE;
}

#endif /* TEST_HMM_H */
