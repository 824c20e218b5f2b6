// SPDX-License-Identifier: GPL-2.0
/* Appended to main.c of the copy of the driver that has generated mutants. */
int secmmu_auto_on;

static int auto_mutant_set(const char *val, const struct kernel_param *kp)
{
	int err, n = 0;

	err = sysfs_streq(val, "none") ? 0 : kstrtoint(val, 10, &n);
	if (!err)
		WRITE_ONCE(secmmu_auto_on, n);
	return err;
}

static const struct kernel_param_ops auto_mutant_ops = {
	.set = auto_mutant_set,
};

module_param_cb(auto_mutant, &auto_mutant_ops, NULL, 0200);
