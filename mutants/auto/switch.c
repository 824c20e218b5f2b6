// SPDX-License-Identifier: GPL-2.0
/* Appended to main.c of the copy of the driver that has generated mutants. */
#include <linux/moduleparam.h>
#include <linux/string.h>

int secmmu_auto_on;
bool secmmu_auto_reached[SECMMU_AUTO_PLACES];

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

/* Which places have been reached: a hexadecimal digit for each four, the first bit first. */
static int auto_reached_get(char *buffer, const struct kernel_param *kp)
{
	int n, digit = 0, length = 0;

	BUILD_BUG_ON(SECMMU_AUTO_PLACES / 4 + 2 > PAGE_SIZE);
	for (n = 0; n < SECMMU_AUTO_PLACES; n++) {
		digit |= secmmu_auto_reached[n] << n % 4;
		if (n % 4 < 3)
			continue;
		buffer[length++] = "0123456789abcdef"[digit];
		digit = 0;
	}
	buffer[length++] = '\n';
	return length;
}

/* Whatever is written: from now on. */
static int auto_reached_set(const char *val, const struct kernel_param *kp)
{
	memset(secmmu_auto_reached, 0, sizeof(secmmu_auto_reached));
	return 0;
}

static const struct kernel_param_ops auto_reached_ops = {
	.set = auto_reached_set,
	.get = auto_reached_get,
};

module_param_cb(auto_reached, &auto_reached_ops, NULL, 0600);
