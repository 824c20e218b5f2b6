// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>

#include "chain.h"
#include "debugfs.h"
#include "ioctl.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

static int __init secmmu_init(void)
{
	int err;

	secmmu_debugfs_init();
	err = secmmu_device_register();
	if (err)
		secmmu_debugfs_exit();
	return err;
}

static void __exit secmmu_exit(void)
{
	secmmu_device_unregister();
	secmmu_debugfs_exit();
	secmmu_chain_exit();
	secmmu_test_exit();
	/* Tables are freed by RCU callbacks of this module. */
	rcu_barrier();
}

module_init(secmmu_init);
module_exit(secmmu_exit);

MODULE_DESCRIPTION("Secondary MMU kept coherent by MMU notifiers");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1");
