// SPDX-License-Identifier: GPL-2.0
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/uaccess.h>

#include "../ioctl.h"
#include "../mirror.h"
#include "control.h"
#include "history.h"
#include "inject.h"
#include "stranger.h"

static long gate_call(unsigned int cmd, struct secmmu_test_gate *arg)
{
	switch (cmd) {
	case SECMMU_TEST_GATE_ARM:
		return secmmu_gate_arm(arg);
	case SECMMU_TEST_GATE_WAIT:
		return secmmu_gate_wait(arg);
	default:
		return secmmu_gate_open(arg);
	}
}

static unsigned int list_count(const struct list_head *head)
{
	const struct list_head *at;
	unsigned int n = 0;

	list_for_each(at, head)
		n++;
	return n;
}

static void age_call(struct secmmu_mirror *mirror,
		     struct secmmu_test_event *arg)
{
	struct mmu_notifier *mn = &mirror->chain->mn;

	if (arg->flags & SECMMU_TEST_EVENT_AGE_CLEAR)
		arg->young |= mn->ops->clear_young(mn, mn->mm, arg->start,
						   arg->end);
	if (arg->flags & SECMMU_TEST_EVENT_AGE_TEST)
		arg->young |= mn->ops->test_young(mn, mn->mm, arg->start);
}

static long event_call(struct secmmu_mirror *mirror,
		       struct secmmu_test_event *arg)
{
	const struct mmu_notifier_ops *ops = mirror->chain->mn.ops;
	struct mmu_notifier_range range = {
		.mm = mirror->chain->mn.mm,
		.start = arg->start,
		.end = arg->end,
	};
	int ret = 0;

	if (arg->flags & ~(SECMMU_TEST_EVENT_BEGIN | SECMMU_TEST_EVENT_END |
			   SECMMU_TEST_EVENT_NONBLOCK |
			   SECMMU_TEST_EVENT_AGE_CLEAR |
			   SECMMU_TEST_EVENT_AGE_TEST))
		return -EINVAL;
	arg->young = 0;
	/* Not in the core's SRCU section: no mirror of the mm leaves meanwhile. */
	if (arg->flags & SECMMU_TEST_EVENT_NONBLOCK)
		non_block_start();
	else
		range.flags = MMU_NOTIFIER_RANGE_BLOCKABLE;
	if (arg->flags & SECMMU_TEST_EVENT_BEGIN)
		ret = ops->invalidate_range_start(&mirror->chain->mn, &range);
	if (!ret && (arg->flags & SECMMU_TEST_EVENT_END))
		ops->invalidate_range_end(&mirror->chain->mn, &range);
	if (arg->flags & SECMMU_TEST_EVENT_NONBLOCK)
		non_block_end();
	age_call(mirror, arg);
	return ret;
}

static unsigned int count_ranges(struct rb_root_cached *tree)
{
	struct interval_tree_node *node;
	unsigned int n = 0;

	for (node = interval_tree_iter_first(tree, 0, ULONG_MAX); node;
	     node = interval_tree_iter_next(node, 0, ULONG_MAX))
		n++;
	return n;
}

/* An event of several shards counts once, unless it is beyond the arrays. */
static void add_shard(struct secmmu_records *records, unsigned int shard,
		      struct secmmu_test_state *arg)
{
	unsigned int i;

	spin_lock(&records->lock);
	for (i = 0; i < records->nr_recorded; i++)
		arg->events += secmmu_shard_index(records->events[i].start) == shard;
	arg->overflow += records->overflow;
	arg->faults += count_ranges(&records->faults);
	/* Who has been woken leaves the queue under its own lock only. */
	spin_lock_irq(&records->wait.lock);
	arg->waiters += list_count(&records->wait.head);
	spin_unlock_irq(&records->wait.lock);
	spin_unlock(&records->lock);
}

static long state_call(struct secmmu_mirror *mirror,
		       struct secmmu_test_state *arg)
{
	struct secmmu_chain *chain = mirror->chain;
	unsigned int i;

	arg->events = 0;
	arg->overflow = 0;
	arg->faults = 0;
	arg->waiters = 0;
	for (i = 0; i < SECMMU_SHARDS; i++)
		add_shard(&chain->shards.shard[i], i, arg);
	spin_lock(&chain->registry);
	arg->members = list_count(&chain->members);
	spin_unlock(&chain->registry);
	arg->tlb_gen = atomic64_read(&mirror->tlbs.gen);
	return 0;
}

union argument {
	u32 size;
	struct secmmu_test_gate gate;
	struct secmmu_test_event event;
	struct secmmu_test_state state;
	struct secmmu_test_oracle oracle;
	struct secmmu_test_page page;
	struct secmmu_test_subscribe subscribe;
	struct secmmu_test_refresh refresh;
	struct secmmu_test_fail fail;
	struct secmmu_test_stranger stranger;
};

static u32 size_of_call(unsigned int cmd)
{
	switch (cmd) {
	case SECMMU_TEST_GATE_ARM:
	case SECMMU_TEST_GATE_WAIT:
	case SECMMU_TEST_GATE_OPEN:
		return sizeof(struct secmmu_test_gate);
	case SECMMU_TEST_EVENT:
		return sizeof(struct secmmu_test_event);
	case SECMMU_TEST_STATE:
		return sizeof(struct secmmu_test_state);
	case SECMMU_TEST_MARK:
	case SECMMU_TEST_CHECK:
		return sizeof(struct secmmu_test_oracle);
	case SECMMU_TEST_PAGE:
		return sizeof(struct secmmu_test_page);
	case SECMMU_TEST_SUBSCRIBE:
		return sizeof(struct secmmu_test_subscribe);
	case SECMMU_TEST_REFRESH:
		return sizeof(struct secmmu_test_refresh);
	case SECMMU_TEST_FAIL:
		return sizeof(struct secmmu_test_fail);
	case SECMMU_TEST_STRANGER:
		return sizeof(struct secmmu_test_stranger);
	default:
		return 0;
	}
}

static long handle_call(struct secmmu_mirror *mirror, unsigned int cmd,
			union argument *arg)
{
	switch (cmd) {
	case SECMMU_TEST_EVENT:
		return event_call(mirror, &arg->event);
	case SECMMU_TEST_STATE:
		return state_call(mirror, &arg->state);
	case SECMMU_TEST_MARK:
		return secmmu_oracle_mark(mirror);
	case SECMMU_TEST_CHECK:
		arg->oracle = (struct secmmu_test_oracle) {
			.size = arg->size,
		};
		return secmmu_oracle_check(mirror, &arg->oracle);
	case SECMMU_TEST_PAGE:
		return secmmu_oracle_page(mirror, &arg->page);
	case SECMMU_TEST_SUBSCRIBE:
		return secmmu_history_subscribe(mirror, &arg->subscribe);
	case SECMMU_TEST_REFRESH:
		return secmmu_refresh_choose(mirror, &arg->refresh);
	case SECMMU_TEST_FAIL:
		return secmmu_inject_arm(&arg->fail);
	case SECMMU_TEST_STRANGER:
		return secmmu_stranger_register(&arg->stranger);
	default:
		return gate_call(cmd, &arg->gate);
	}
}

/**
 * secmmu_test_call - make a call of test builds
 * @file: the file of a mirror, or of the device; others have none
 * @cmd: a number that is not a call of the interface
 * @user: the caller's structure
 *
 * Return: 0 or a negative errno; -ENOTTY if it is not one of these either.
 */
long secmmu_test_call(struct file *file, unsigned int cmd, void __user *user)
{
	struct secmmu_mirror *mirror = secmmu_mirror_from_file(file);
	u32 size = size_of_call(cmd);
	bool on_device = cmd <= SECMMU_TEST_GATE_OPEN || cmd == SECMMU_TEST_FAIL ||
			 cmd == SECMMU_TEST_STRANGER;
	union argument arg = {};
	long ret;

	if (!size || on_device != S_ISCHR(file_inode(file)->i_mode) || on_device == !!mirror)
		return -ENOTTY;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (copy_from_user(&arg, user, size))
		return -EFAULT;
	if (arg.size != size)
		return -EINVAL;
	ret = handle_call(mirror, cmd, &arg);
	if (!ret && copy_to_user(user, &arg, size))
		return -EFAULT;
	return ret;
}
