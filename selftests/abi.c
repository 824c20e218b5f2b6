// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctl edge: every call with every wrong size, tail, flag, pointer and descriptor.
 */
#include <fcntl.h>
#include <limits.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "secmmu_harness.h"

enum kind { DEVICE, MIRROR, ENGINE, KINDS };

/* The slot that prefault and get_dirty_log use. */
#define LOG_SLOT	1
#define LOG_GPA		0x40000000ULL

/* Bytes appended to a structure, as a later version might. */
#define TAIL	64

struct call {
	const char *name;
	unsigned long cmd;
	enum kind kind;
	size_t size;
	bool returns_fd;
	bool writes;
};

static const struct call calls[] = {
	{ "get_info", SECMMU_GET_INFO, DEVICE,
	  sizeof(struct secmmu_info), false, true },
	{ "create_mirror", SECMMU_CREATE_MIRROR, DEVICE,
	  sizeof(struct secmmu_create_mirror), true, false },
	{ "set_slot", SECMMU_SET_SLOT, MIRROR,
	  sizeof(struct secmmu_set_slot), false, false },
	{ "create_engine", SECMMU_CREATE_ENGINE, MIRROR,
	  sizeof(struct secmmu_create_engine), true, false },
	{ "get_stats", SECMMU_GET_STATS, MIRROR,
	  sizeof(struct secmmu_stats), false, true },
	{ "prefault", SECMMU_PREFAULT, MIRROR,
	  sizeof(struct secmmu_prefault), false, false },
	{ "get_dirty_log", SECMMU_GET_DIRTY_LOG, MIRROR,
	  sizeof(struct secmmu_get_dirty_log), false, false },
	{ "create_domain", SECMMU_CREATE_DOMAIN, MIRROR,
	  sizeof(struct secmmu_domain), false, false },
	{ "set_rights", SECMMU_SET_RIGHTS, ENGINE,
	  sizeof(struct secmmu_rights), false, false },
	{ "get_rights", SECMMU_GET_RIGHTS, ENGINE,
	  sizeof(struct secmmu_rights), false, true },
	{ "enter_domain", SECMMU_ENTER_DOMAIN, ENGINE,
	  sizeof(struct secmmu_domain), false, false },
	{ "detach", SECMMU_DETACH, ENGINE,
	  sizeof(struct secmmu_detach), false, false },
};

#define for_each_call(call)						\
	for (call = calls; call < calls + ARRAY_SIZE(calls); call++)

FIXTURE(abi)
{
	int dev, mirror, engine;
	int fds[KINDS];
	char *mem;		/* what the slots map */
	char *arg;		/* four pages for arguments, then a guard */
};

FIXTURE_SETUP(abi)
{
	SECMMU_SETUP(SECMMU_FLUSH_RANGE, 0);
	self->fds[DEVICE] = self->dev;
	self->fds[MIRROR] = self->mirror;
	self->fds[ENGINE] = self->engine;
	self->mem = ASSERT_MEMORY(region_map(1));
	self->arg = ASSERT_MEMORY(region_map(4));
	/* For the calls that need a slot; set_slot uses another one. */
	SET_SLOT(LOG_SLOT, SECMMU_SLOT_LOG_DIRTY, LOG_GPA, 0, 1);
}

FIXTURE_TEARDOWN(abi)
{
	region_unmap(self->arg, 4);
	region_unmap(self->mem, 1);
	SECMMU_TEARDOWN();
}

/* A correct argument at @arg; its outputs are poisoned. */
static void fill(const struct call *call, void *arg, const void *mem)
{
	static __u64 log;
	struct secmmu_set_slot *slot = arg;
	struct secmmu_stats *stats = arg;
	struct secmmu_prefault *prefault = arg;
	struct secmmu_get_dirty_log *dirty = arg;

	memset(arg, call->writes ? POISON_BYTE : 0, call->size);
	*(__u32 *)arg = call->size;
	if (call->cmd == SECMMU_SET_SLOT) {
		slot->hva = (uintptr_t)mem;
		slot->length = PAGE;
	}
	if (call->cmd == SECMMU_GET_STATS)
		stats->reserved = 0;
	if (call->cmd == SECMMU_PREFAULT) {
		prefault->gpa = LOG_GPA;
		prefault->length = PAGE;
	}
	if (call->cmd == SECMMU_CREATE_DOMAIN)
		((struct secmmu_domain *)arg)->domain = 1;
	if (call->cmd == SECMMU_GET_DIRTY_LOG) {
		dirty->slot = LOG_SLOT;
		dirty->nr_pages = 1;
		dirty->bitmap = (uintptr_t)&log;
	}
}

/* Calls; drops the descriptor of a success. @len: bytes to watch at @arg. */
static int try_call(int fd, const struct call *call, void *arg, size_t len)
{
	int ret = secmmu_call(fd, call->cmd, arg, len);

	if (ret < 0 || !call->returns_fd)
		return ret;
	close(ret);
	return 0;
}

SECMMU_TEST_F(abi, G2_size_exact)
{
	const struct call *call;

	for_each_call(call) {
		fill(call, self->arg, self->mem);
		EXPECT_EQ(0, try_call(self->fds[call->kind], call, self->arg, call->size))
			TH_LOG("%s", call->name);
	}
}

/* Of the structure's first version. */
static size_t first_size(const struct call *call)
{
	return call->cmd == SECMMU_GET_STATS ? offsetof(struct secmmu_stats, direct) :
					       call->size;
}

SECMMU_TEST_F(abi, G2_size_short)
{
	const struct call *call;
	__u32 size;

	for_each_call(call) {
		for (size = 0; size < call->size; size++) {
			fill(call, self->arg, self->mem);
			*(__u32 *)self->arg = size;
			EXPECT_EQ(size < first_size(call) ? -EINVAL : 0,
				  try_call(self->fds[call->kind], call, self->arg,
					   call->size))
				TH_LOG("%s, size %u", call->name, size);
		}
	}
}

SECMMU_TEST_F(abi, G2_size_longer_zero_tail)
{
	static const char zeroes[TAIL];
	const struct call *call;
	__u32 tail;

	for_each_call(call) {
		for (tail = 1; tail <= TAIL; tail++) {
			fill(call, self->arg, self->mem);
			memset(self->arg + call->size, 0, TAIL);
			*(__u32 *)self->arg = call->size + tail;
			EXPECT_EQ(0, try_call(self->fds[call->kind], call,
					      self->arg, call->size + TAIL))
				TH_LOG("%s, tail %u", call->name, tail);
			EXPECT_EQ(0, memcmp(self->arg + call->size, zeroes, TAIL))
				TH_LOG("%s wrote too much", call->name);
		}
	}
}

SECMMU_TEST_F(abi, G2_size_longer_dirty_tail)
{
	const struct call *call;
	__u32 at;

	for_each_call(call) {
		for (at = 0; at < TAIL; at++) {
			fill(call, self->arg, self->mem);
			memset(self->arg + call->size, 0, TAIL);
			self->arg[call->size + at] = 1;
			*(__u32 *)self->arg = call->size + TAIL;
			EXPECT_EQ(-E2BIG, try_call(self->fds[call->kind], call, self->arg,
						   call->size + TAIL))
				TH_LOG("%s, byte %u", call->name, at);
		}
	}
}

/* No structure grows beyond a page: such a size is a mistake, zero or not. */
SECMMU_TEST_F(abi, G2_size_absurd)
{
	const __u32 sizes[] = { PAGE + 1, 2 * PAGE, INT_MAX, UINT_MAX };
	const struct call *call;
	size_t i;

	for_each_call(call) {
		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			memset(self->arg, 0, 2 * PAGE);
			fill(call, self->arg, self->mem);
			*(__u32 *)self->arg = sizes[i];
			EXPECT_EQ(-E2BIG, try_call(self->fds[call->kind],
						   call, self->arg, 2 * PAGE))
				TH_LOG("%s, size %u", call->name, sizes[i]);
		}
	}
}

SECMMU_TEST_F(abi, G2_pointer_bad)
{
	char *end = self->arg + 4 * PAGE;
	const struct call *call;
	size_t inside;

	for_each_call(call) {
		int fd = self->fds[call->kind];
		char whole[512];
		char *arg;

		EXPECT_EQ(-EFAULT, try_call(fd, call, NULL, 0))
			TH_LOG("%s, NULL", call->name);
		EXPECT_EQ(-EFAULT, try_call(fd, call, end, 0))
			TH_LOG("%s, guard page", call->name);

		/* All but the last bytes can be read, from one byte on. */
		fill(call, whole, self->mem);
		for (inside = 1; inside < call->size; inside++) {
			arg = end - inside;
			memcpy(arg, whole, inside);
			EXPECT_EQ(-EFAULT, try_call(fd, call, arg, inside))
				TH_LOG("%s, %zu bytes", call->name, inside);
		}

		/* The structure is there, the announced tail is not. */
		arg = end - call->size - 8;
		memset(arg, 0, call->size + 8);
		fill(call, arg, self->mem);
		*(__u32 *)arg = call->size + 16;
		EXPECT_EQ(-EFAULT, try_call(fd, call, arg, call->size + 8))
			TH_LOG("%s, tail", call->name);
	}
}

SECMMU_TEST_F(abi, G2_pointer_readonly_output)
{
	const struct call *call;

	for_each_call(call) {
		if (!call->writes)
			continue;
		fill(call, self->arg, self->mem);
		ASSERT_EQ(0, mprotect(self->arg, PAGE, PROT_READ));
		EXPECT_EQ(-EFAULT, try_call(self->fds[call->kind], call, self->arg, call->size))
			TH_LOG("%s", call->name);
		ASSERT_EQ(0, mprotect(self->arg, PAGE, PROT_READ | PROT_WRITE));
	}
}

SECMMU_TEST_F(abi, G2_wrong_descriptor)
{
	const struct call *call;
	int kind;

	for_each_call(call) {
		for (kind = DEVICE; kind < KINDS; kind++) {
			if (kind == (int)call->kind)
				continue;
			fill(call, self->arg, self->mem);
			EXPECT_EQ(-ENOTTY, try_call(self->fds[kind], call,
						    self->arg, call->size))
				TH_LOG("%s, kind %d", call->name, kind);
		}
	}
}

/* A number with the structure's size in it is another, unknown number. */
SECMMU_TEST_F(abi, G2_unknown_call)
{
	const unsigned long cmds[] = {
		_IO(SECMMU_IOC_TYPE, 0x0f),
		_IO(SECMMU_IOC_TYPE, 0x1f),
		_IO(SECMMU_IOC_TYPE, 0xff),
		_IO(SECMMU_IOC_TYPE + 1, 0x00),
		_IO(SECMMU_IOC_TYPE + 1, 0x10),
		_IOWR(SECMMU_IOC_TYPE, 0x00, struct secmmu_info),
		_IOW(SECMMU_IOC_TYPE, 0x10, struct secmmu_set_slot),
		TCGETS,
	};
	size_t i;
	int kind;

	for (kind = DEVICE; kind < KINDS; kind++) {
		for (i = 0; i < ARRAY_SIZE(cmds); i++) {
			memset(self->arg, 0, PAGE);
			*(__u32 *)self->arg = 32;
			EXPECT_EQ(-ENOTTY,
				  secmmu_call(self->fds[kind], cmds[i], self->arg, PAGE))
				TH_LOG("kind %d, %#lx", kind, cmds[i]);
		}
	}
}

/*
 * Only engines move data. ESPIPE: the kernel itself says so for files without
 * positions, before it asks whether they can be read at all.
 */
SECMMU_TEST_F(abi, G2_transfer_on_wrong_descriptor)
{
	int kind;

	for (kind = DEVICE; kind < ENGINE; kind++) {
		__u64 word = POISON;
		ssize_t ret = gpa_read(self->fds[kind], &word, 8, 0);

		EXPECT_TRUE(ret == -EINVAL || ret == -ESPIPE)
			TH_LOG("kind %d: read gave %zd", kind, ret);
		EXPECT_EQ(POISON, word);
		ret = gpa_write(self->fds[kind], &word, 8, 0);
		EXPECT_TRUE(ret == -EINVAL || ret == -ESPIPE)
			TH_LOG("kind %d: write gave %zd", kind, ret);
	}
}

SECMMU_TEST_F(abi, G2_no_mmap)
{
	int kind;

	for (kind = DEVICE; kind < KINDS; kind++) {
		EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED,
					   self->fds[kind], 0));
		EXPECT_EQ(ENODEV, errno) TH_LOG("kind %d", kind);
	}
}

TEST_HARNESS_MAIN
