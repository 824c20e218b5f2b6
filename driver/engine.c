// SPDX-License-Identifier: GPL-2.0
/*
 * Engines: who accesses memory through a mirror. A transfer is cut into pieces
 * of at most one page. Each piece crosses a window, in which it is copied from or
 * to the engine's bounce buffer; user memory is touched outside of windows only.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "engine.h"
#include "fault.h"
#include "test/gate.h"
#include "test/inject.h"
#include "test/mutant.h"
#include "tlb.h"

/**
 * struct engine - one access agent
 * @mirror: the mirror; a reference is held
 * @lock: serialises the threads that use the engine: protects @tlb and
 *	@bounce; outside of mmap_lock, for user buffers may fault under it
 * @bounce: one page; data stand in it where they stand in the guest's
 * @fault_flags: SECMMU_FAULT_* of all its faults
 * @watched: test builds: for the oracle
 * @tlb: the TLB
 */
struct engine {
	struct secmmu_mirror *mirror;
	struct mutex lock;
	void *bounce;
	unsigned int fault_flags;
	struct secmmu_watched watched;
	struct secmmu_tlb tlb;
};

/*
 * The processors see this memory too: aligned words are copied whole, as a device
 * would, where memcpy() may go byte by byte. Both sides are aligned alike.
 */
static void copy(void *to, const void *from, unsigned int len)
{
	const unsigned int word = sizeof(u64);

	while (len) {
		bool whole = len >= word && IS_ALIGNED((unsigned long)to, word);
		unsigned int step = whole ? word : 1;

		if (whole)
			WRITE_ONCE(*(u64 *)to, READ_ONCE(*(const u64 *)from));
		else
			WRITE_ONCE(*(u8 *)to, READ_ONCE(*(const u8 *)from));
		to += step;
		from += step;
		len -= step;
	}
}

/* Move one piece inside one window. Returns false if a fault must come first. */
static bool cross(struct engine *engine, gfn_t gfn, unsigned int offset,
		  unsigned int len, bool write)
{
	struct secmmu_mirror *mirror = engine->mirror;
	struct secmmu_window window;
	u64 spte = 0;
	char *page;

	secmmu_window_open(&mirror->tlbs, &window);
	if (secmmu_mutant(WINDOW_TWO_PAGES) && !write && (gfn & 1))
		spte = secmmu_tlb_translate(&engine->tlb, &mirror->pt, &window,
					    gfn - 1, false);
	if (spte)
		spte = spte_small(spte, 1);
	else
		spte = secmmu_tlb_translate(&engine->tlb, &mirror->pt, &window,
					    gfn, write);
	if (spte) {
		secmmu_gate_spin(WINDOW_TRANSLATED, (u64)gfn << PAGE_SHIFT);
		page = kmap_local_pfn(spte_pfn(spte));
		if (write)
			copy(page + offset, engine->bounce + offset, len);
		else
			copy(engine->bounce + offset, page + offset, len);
		kunmap_local(page);
		secmmu_count(mirror->counters, write ? SECMMU_COUNT_WRITES :
						       SECMMU_COUNT_READS, 1);
	}
	secmmu_window_close(&mirror->tlbs, &window);
	return spte;
}

/* Move one piece; @left bytes of the transfer, itself included, remain. */
static int move(struct engine *engine, loff_t pos, unsigned int len,
		size_t left, bool write)
{
	unsigned int offset = offset_in_page(pos);
	gfn_t gfn = pos >> PAGE_SHIFT;
	u64 pages = DIV_ROUND_UP(offset + left, PAGE_SIZE);
	unsigned int flags = engine->fault_flags |
			     (write ? SECMMU_FAULT_WRITE : 0);
	int ret;

	if (gfn > SECMMU_GFN_LAST)
		return -ENXIO;
	for (;;) {
		if (cross(engine, gfn, offset, len, write))
			return 0;
		ret = secmmu_fault(engine->mirror, gfn, pages, flags);
		if (ret < 0)
			return ret;
		/* An event may drop the entry before the window opens. */
		if (cross(engine, gfn, offset, len, write))
			return 0;
		if (signal_pending(current))
			return -EINTR;
	}
}

/* One piece. Returns the bytes done, which are fewer only on an error. */
static size_t piece(struct engine *engine, loff_t pos, struct iov_iter *iter,
		    bool write, int *err)
{
	size_t left = iov_iter_count(iter);
	size_t len = min_t(size_t, left, PAGE_SIZE - offset_in_page(pos));
	void *bounce = engine->bounce + offset_in_page(pos);
	size_t done;

	*err = 0;
	if (write) {
		len = secmmu_may_fault(copy_from_iter(bounce, len, iter), 0);
		if (!len) {
			*err = -EFAULT;
			return 0;
		}
		*err = move(engine, pos, len, left, true);
		if (*err)
			iov_iter_revert(iter, len);
		return *err ? 0 : len;
	}

	*err = move(engine, pos, len, left, false);
	if (*err)
		return 0;
	done = secmmu_may_fault(copy_to_iter(bounce, len, iter), 0);
	if (done < len)
		*err = -EFAULT;
	return done;
}

static ssize_t transfer(struct kiocb *iocb, struct iov_iter *iter, bool write)
{
	struct engine *engine = iocb->ki_filp->private_data;
	ssize_t done = 0;
	int err = 0;

	if (mutex_lock_interruptible(&engine->lock))
		return -EINTR;
	while (!err && iov_iter_count(iter)) {
		done += piece(engine, iocb->ki_pos + done, iter, write, &err);
		if (fatal_signal_pending(current))
			break;
		cond_resched();
	}
	mutex_unlock(&engine->lock);

	iocb->ki_pos += done;
	return done ?: err;
}

static ssize_t engine_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	return transfer(iocb, to, false);
}

static ssize_t engine_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	return transfer(iocb, from, true);
}

static loff_t engine_llseek(struct file *file, loff_t offset, int whence)
{
	return fixed_size_llseek(file, offset, whence,
				 BIT_ULL(SECMMU_GPA_BITS));
}

static void engine_free(struct engine *engine)
{
	secmmu_oracle_unwatch(&engine->mirror->oracle, &engine->watched);
	secmmu_mirror_put(engine->mirror);
	free_page((unsigned long)engine->bounce);
	mutex_destroy(&engine->lock);
	kvfree(engine);
}

static int engine_release(struct inode *inode, struct file *file)
{
	engine_free(file->private_data);
	return 0;
}

static const struct file_operations engine_fops = {
	.owner = THIS_MODULE,
	.read_iter = engine_read_iter,
	.write_iter = engine_write_iter,
	.llseek = engine_llseek,
	.release = engine_release,
};

static struct engine *engine_create(struct secmmu_mirror *mirror, u32 flags)
{
	struct engine *engine;

	engine = secmmu_may_fail(kvzalloc(sizeof(*engine), GFP_KERNEL_ACCOUNT), NULL);
	if (!engine)
		return NULL;
	engine->bounce =
		(void *)secmmu_may_fail(__get_free_page(GFP_KERNEL_ACCOUNT), 0);
	if (!engine->bounce) {
		kvfree(engine);
		return NULL;
	}
	mutex_init(&engine->lock);
	secmmu_mirror_get(mirror);
	engine->mirror = mirror;
	secmmu_oracle_watch(&mirror->oracle, &engine->watched, &engine->lock,
			    &engine->tlb);
	if (flags & SECMMU_ENGINE_FAULT_AROUND)
		engine->fault_flags = SECMMU_FAULT_AROUND;
	return engine;
}

/**
 * secmmu_engine_open - make an engine and a descriptor for it
 * @mirror: the mirror
 * @flags: SECMMU_ENGINE_*, checked
 *
 * Context: may sleep; no locks.
 * Return: the descriptor, or a negative errno.
 */
int secmmu_engine_open(struct secmmu_mirror *mirror, u32 flags)
{
	struct engine *engine = engine_create(mirror, flags);
	struct file *file;
	int fd;

	if (!engine)
		return -ENOMEM;
	fd = secmmu_may_fail(get_unused_fd_flags(O_CLOEXEC), -ENOMEM);
	if (fd < 0) {
		engine_free(engine);
		return fd;
	}
	file = secmmu_may_fail(anon_inode_getfile("[secmmu-engine]", &engine_fops,
						  engine, O_RDWR), ERR_PTR(-ENOMEM));
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		engine_free(engine);
		return PTR_ERR(file);
	}
	/* The offset is an address. */
	file->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE;
	fd_install(fd, file);
	return fd;
}
