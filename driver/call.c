// SPDX-License-Identifier: GPL-2.0
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "call.h"
#include "mirror.h"

/**
 * secmmu_call - find a call, fetch its argument, make it, copy its answer back
 * @calls: the calls of the descriptor
 * @nr: number of those
 * @file: the descriptor's file
 * @cmd: the call's number
 * @user: the caller's structure
 *
 * Context: process; no locks.
 * Return: the handler's result; -ENOTTY if there is no such call; -EFAULT; -EINVAL if the
 * structure is too short; -E2BIG if it has non-zero bytes that the driver does not know;
 * -EPERM if the call is the owner's and the caller is another.
 */
long secmmu_call(const struct secmmu_call *calls, unsigned int nr,
		 struct file *file, unsigned int cmd, void __user *user)
{
	const struct secmmu_call *call = calls;
	union secmmu_argument arg;
	u32 size;
	long ret;

	while (call < calls + nr && call->cmd != cmd)
		call++;
	if (call == calls + nr)
		return secmmu_test_call(file, cmd, user);

	if (get_user(size, (u32 __user *)user))
		return -EFAULT;
	if (size < call->min_size)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	ret = copy_struct_from_user(&arg, call->size, user, size);
	if (ret)
		return ret;
	arg.size = size;
	if (call->flags & CALL_OWNER && !secmmu_mirror_owned(file->private_data))
		return -EPERM;

	ret = call->handler(file, &arg);
	if (ret >= 0 && call->flags & CALL_ANSWERS &&
	    copy_to_user(user, &arg, min(size, call->size)))
		return -EFAULT;
	return ret;
}
