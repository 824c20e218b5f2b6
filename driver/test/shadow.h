/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Failures on demand. In a test build the compiler includes this header ahead of every
 * file of the driver (driver/Makefile). What the driver calls to get memory or to copy
 * from or to user space is then a wrapper, which fails when a test wants it to, see
 * &struct secmmu_test_fail. The driver itself knows nothing of it.
 *
 * A wrapper is an inline function, because some kernels have macros by these names. The
 * headers come first, so that inline functions of the kernel keep what they call.
 */
#ifndef SECMMU_TEST_SHADOW_H
#define SECMMU_TEST_SHADOW_H

/* The headers bring printk.h along. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/anon_inodes.h>
#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/file.h>
#include <linux/idr.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <linux/vmalloc.h>
#include <linux/xarray.h>

#include "../compat/gup.h"
#include "inject.h"

#define SHADOW(what, type, name, params, args, failure)			\
static __always_inline type shadow_##name params			\
{									\
	return secmmu_fails(SECMMU_TEST_FAIL_##what) ? (failure) : name args; \
}

/* Memory, and what needs memory. */
SHADOW(ALLOCATION, void *, kmalloc, (size_t size, gfp_t gfp), (size, gfp), NULL)
SHADOW(ALLOCATION, void *, kzalloc, (size_t size, gfp_t gfp), (size, gfp), NULL)
SHADOW(ALLOCATION, void *, kcalloc, (size_t n, size_t size, gfp_t gfp), (n, size, gfp), NULL)
SHADOW(ALLOCATION, void *, kvmalloc, (size_t size, gfp_t gfp), (size, gfp), NULL)
SHADOW(ALLOCATION, void *, kvzalloc, (size_t size, gfp_t gfp), (size, gfp), NULL)
SHADOW(ALLOCATION, void *, kvcalloc, (size_t n, size_t size, gfp_t gfp), (n, size, gfp), NULL)
SHADOW(ALLOCATION, unsigned long, __get_free_pages, (gfp_t gfp, unsigned int order),
       (gfp, order), 0)
SHADOW(ALLOCATION, unsigned long, get_zeroed_page, (gfp_t gfp), (gfp), 0)
SHADOW(ALLOCATION, void __percpu *, __alloc_percpu_gfp,
       (size_t size, size_t align, gfp_t gfp), (size, align, gfp), NULL)
SHADOW(ALLOCATION, bool, zalloc_cpumask_var, (cpumask_var_t *mask, gfp_t gfp), (mask, gfp),
       false)
SHADOW(ALLOCATION, void *, xa_store,
       (struct xarray *xa, unsigned long index, void *entry, gfp_t gfp),
       (xa, index, entry, gfp), XA_ERROR(-ENOMEM))
SHADOW(ALLOCATION, int, anon_inode_getfd,
       (const char *name, const struct file_operations *ops, void *data, int flags),
       (name, ops, data, flags), -ENOMEM)
SHADOW(ALLOCATION, struct file *, anon_inode_getfile,
       (const char *name, const struct file_operations *ops, void *data, int flags),
       (name, ops, data, flags), ERR_PTR(-ENOMEM))
SHADOW(ALLOCATION, int, get_unused_fd_flags, (unsigned int flags), (flags), -ENOMEM)
SHADOW(ALLOCATION, struct dentry *, debugfs_create_dir,
       (const char *name, struct dentry *parent), (name, parent), ERR_PTR(-ENOMEM))
SHADOW(ALLOCATION, struct mmu_notifier *, mmu_notifier_get_locked,
       (const struct mmu_notifier_ops *ops, struct mm_struct *mm), (ops, mm),
       ERR_PTR(-ENOMEM))
SHADOW(ALLOCATION, long, secmmu_get_user_pages_remote,
       (struct mm_struct *mm, unsigned long start, unsigned long nr, unsigned int flags,
	struct page **pages, int *locked),
       (mm, start, nr, flags, pages, locked), -ENOMEM)
SHADOW(ALLOCATION, long, secmmu_pin_user_pages_remote,
       (struct mm_struct *mm, unsigned long start, unsigned long nr, unsigned int flags,
	struct page **pages, int *locked),
       (mm, start, nr, flags, pages, locked), -ENOMEM)

/* User memory. */
SHADOW(COPY, int, get_user, (u32 *value, const u32 __user *user), (*value, user), -EFAULT)
SHADOW(COPY, int, put_user, (u32 value, u32 __user *user), (value, user), -EFAULT)
SHADOW(COPY, unsigned long, copy_from_user,
       (void *to, const void __user *from, unsigned long n), (to, from, n), n)
SHADOW(COPY, unsigned long, copy_to_user,
       (void __user *to, const void *from, unsigned long n), (to, from, n), n)
SHADOW(COPY, int, copy_struct_from_user,
       (void *to, size_t to_size, const void __user *from, size_t from_size),
       (to, to_size, from, from_size), -EFAULT)
SHADOW(COPY, size_t, copy_from_iter, (void *to, size_t n, struct iov_iter *iter),
       (to, n, iter), 0)
SHADOW(COPY, size_t, copy_to_iter, (const void *from, size_t n, struct iov_iter *iter),
       (from, n, iter), 0)

#undef kmalloc
#define kmalloc				shadow_kmalloc
#undef kzalloc
#define kzalloc				shadow_kzalloc
#undef kcalloc
#define kcalloc				shadow_kcalloc
#undef kvmalloc
#define kvmalloc			shadow_kvmalloc
#undef kvzalloc
#define kvzalloc			shadow_kvzalloc
#undef kvcalloc
#define kvcalloc			shadow_kvcalloc
#undef __get_free_pages
#define __get_free_pages		shadow___get_free_pages
#undef get_zeroed_page
#define get_zeroed_page			shadow_get_zeroed_page
#undef __alloc_percpu_gfp
#define __alloc_percpu_gfp		shadow___alloc_percpu_gfp
#undef zalloc_cpumask_var
#define zalloc_cpumask_var		shadow_zalloc_cpumask_var
#undef xa_store
#define xa_store			shadow_xa_store
#undef anon_inode_getfd
#define anon_inode_getfd		shadow_anon_inode_getfd
#undef anon_inode_getfile
#define anon_inode_getfile		shadow_anon_inode_getfile
#undef get_unused_fd_flags
#define get_unused_fd_flags		shadow_get_unused_fd_flags
#undef debugfs_create_dir
#define debugfs_create_dir		shadow_debugfs_create_dir
#undef mmu_notifier_get_locked
#define mmu_notifier_get_locked		shadow_mmu_notifier_get_locked
#undef secmmu_get_user_pages_remote
#define secmmu_get_user_pages_remote	shadow_secmmu_get_user_pages_remote
#undef secmmu_pin_user_pages_remote
#define secmmu_pin_user_pages_remote	shadow_secmmu_pin_user_pages_remote
#undef get_user
#define get_user(value, user)		shadow_get_user(&(value), user)
#undef put_user
#define put_user(value, user)		shadow_put_user(value, user)
#undef copy_from_user
#define copy_from_user			shadow_copy_from_user
#undef copy_to_user
#define copy_to_user			shadow_copy_to_user
#undef copy_struct_from_user
#define copy_struct_from_user		shadow_copy_struct_from_user
#undef copy_from_iter
#define copy_from_iter			shadow_copy_from_iter
#undef copy_to_iter
#define copy_to_iter			shadow_copy_to_iter

/* Not inline, as its arguments vary; it is no macro in any kernel. */
#define kthread_create_on_node(...)					\
	(secmmu_fails(SECMMU_TEST_FAIL_ALLOCATION) ? ERR_PTR(-ENOMEM) :	\
	 kthread_create_on_node(__VA_ARGS__))

/* Others have no wrapper: the driver must not call them before they get one here. */
void *shadow_is_missing(void) __compiletime_error("it has no wrapper in test/shadow.h");
#undef alloc_pages
#define alloc_pages(...)		shadow_is_missing()
#undef clear_user
#define clear_user(...)			((unsigned long)shadow_is_missing())
#undef get_user_pages
#define get_user_pages(...)		((long)shadow_is_missing())
#undef idr_alloc
#define idr_alloc(...)			((int)(long)shadow_is_missing())
#undef kasprintf
#define kasprintf(...)			shadow_is_missing()
#undef kmem_cache_alloc
#define kmem_cache_alloc(...)		shadow_is_missing()
#undef kmemdup
#define kmemdup(...)			shadow_is_missing()
#undef kstrdup
#define kstrdup(...)			shadow_is_missing()
#undef memdup_user
#define memdup_user(...)		shadow_is_missing()
#undef strndup_user
#define strndup_user(...)		shadow_is_missing()
#undef vmalloc
#define vmalloc(...)			shadow_is_missing()
#undef vzalloc
#define vzalloc(...)			shadow_is_missing()
#undef xa_alloc
#define xa_alloc(...)			((int)(long)shadow_is_missing())
#undef xa_insert
#define xa_insert(...)			((int)(long)shadow_is_missing())

#endif
