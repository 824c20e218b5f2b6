// SPDX-License-Identifier: GPL-2.0
/*
 * A data race on purpose, for a kernel with KCSAN that must be seen to report it: a
 * number written to the module parameter "planted_race" says how often to count a
 * variable up that nothing protects. Two writers race.
 */
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

static u64 planted;

/* The lock of the parameters would serialise the writers: it is given up meanwhile. */
static int planted_set(const char *text, const struct kernel_param *param)
{
	unsigned long times;
	int err = kstrtoul(text, 10, &times);

	if (err)
		return err;
	kernel_param_unlock(THIS_MODULE);
	while (times-- && !signal_pending(current)) {
		/* Keep the compiler from merging the additions. */
		barrier();
		planted++;
		cond_resched();
	}
	kernel_param_lock(THIS_MODULE);
	return 0;
}

static const struct kernel_param_ops planted_ops = {
	.set = planted_set,
};
module_param_cb(planted_race, &planted_ops, NULL, 0200);
