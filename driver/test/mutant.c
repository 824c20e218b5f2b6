// SPDX-License-Identifier: GPL-2.0
#include <linux/jump_label.h>
#include <linux/module.h>
#include <linux/string.h>

#include "mutant.h"

DEFINE_STATIC_KEY_FALSE(secmmu_mutating);
enum secmmu_mutant secmmu_mutant_on;

#define MUTANT(id, name, property, killer, precedent) name,

static const char *const names[SECMMU_NR_MUTANTS] = {
	"none",
#include "mutants.def"
};

#undef MUTANT

static int mutant_set(const char *val, const struct kernel_param *kp)
{
	int i = __sysfs_match_string(names, ARRAY_SIZE(names), val);

	if (i < 0)
		return i;
	WRITE_ONCE(secmmu_mutant_on, i);
	if (i)
		static_branch_enable(&secmmu_mutating);
	else
		static_branch_disable(&secmmu_mutating);
	return 0;
}

static int mutant_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n", names[READ_ONCE(secmmu_mutant_on)]);
}

static const struct kernel_param_ops mutant_ops = {
	.set = mutant_set,
	.get = mutant_get,
};

module_param_cb(mutant, &mutant_ops, NULL, 0600);
MODULE_PARM_DESC(mutant, "seeded bug to switch on, or none (test builds only)");
