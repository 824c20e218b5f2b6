/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * secmmu: a secondary MMU kept coherent with a process's memory.
 *
 * Every object is a file descriptor obtained from its parent:
 *
 *	open("/dev/secmmu")			the device
 *	  ioctl(SECMMU_CREATE_MIRROR)		a mirror of a process's memory
 *	    ioctl(SECMMU_SET_SLOT)		guest physical -> host virtual
 *	    ioctl(SECMMU_CREATE_DOMAIN)		a restricted view of the mirror
 *	    ioctl(SECMMU_CREATE_ENGINE)		an engine: pread()/pwrite()
 *
 * Callers read and write through an engine with pread(2) and pwrite(2) (and their vector
 * forms). The file offset is the guest physical address (gpa) in bytes, with a tag in its
 * top bits if the mirror permits (SECMMU_SET_TAG_BITS). An engine moves an aligned 8-byte
 * word as a whole: neither it nor a processor that uses the same memory sees half of one.
 */
#ifndef _UAPI_LINUX_SECMMU_H
#define _UAPI_LINUX_SECMMU_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: Argument structures
 *
 * Each structure starts with @size, which the caller sets to the size of the
 * structure it was compiled with, in bytes. A size below that of the
 * first version is -EINVAL. A larger size is accepted if all bytes beyond the
 * structure that the driver knows are zero (-E2BIG otherwise). The driver writes no
 * more than that structure, and no more than @size. A size above one page is -E2BIG,
 * whatever the bytes. Reserved fields and unknown flags must be zero (-EINVAL
 * otherwise). On an error the driver writes no output field, except for -EFAULT while
 * it copies the answer out.
 *
 * Error numbers of the core keep their meaning: pread(2) on a descriptor that is not
 * an engine fails as on any file without content.
 */

/**
 * DOC: Error numbers
 *
 * Each number has one meaning on every descriptor of the driver:
 *
 * =========== ==============================================================
 * EINVAL      malformed: size, alignment, range, flag or reserved field
 * E2BIG       non-zero bytes beyond the structure the driver knows
 * ENXIO       the gpa lies in no slot, or its tag is too wide; there is no such
 *             slot or domain; the engine has left its mirror
 * EFAULT      the process has no memory or no permission at this address, or the
 *             caller's buffer is bad
 * EACCES      the slot's own permission or its key denies the access, or the
 *             domain does not show the slot
 * EBUSY       the slot overlaps another one, the configuration is frozen, or the
 *             domain belongs to another mirror
 * ENOSPC      no object of this kind is left
 * EPERM       the caller is not the process that created the mirror, or may not
 *             mirror the process that it names
 * ESRCH       there is no such process, or the mirrored process is gone: its last
 *             thread has exited or called execve(2)
 * EINTR       a signal arrived before the call did anything
 * ENOTTY      this descriptor has no such call
 * EBADF       the descriptor is closed, or is no mirror where the call needs one
 * ENOMEM      out of memory
 * EMFILE      the caller has too many descriptors (ENFILE: the whole system has)
 * =========== ==============================================================
 *
 * Contention has no number: calls wait. A transfer that fails part-way
 * returns the bytes done; the next one reports the error.
 */

/**
 * DOC: The end of the address space
 *
 * Addresses end at 2^SECMMU_GPA_BITS, with any number of tag bits. A tag belongs to
 * a transfer as a whole; the length never carries into the tag. A transfer that
 * passes the end is short, and a transfer that begins there fails with -ENXIO.
 *
 * With 15 tag bits each offset up to 2^63 - 1 is an address with some tag, so the offset
 * behind the last address is address 0 with the next tag. A pread(2) or an lseek(2) that
 * names this offset gets there. A read(2) or write(2) does not: after a transfer that
 * reached the end the file position is 2^63 - 1, where the kernel refuses every transfer
 * with -EINVAL. The kernel also refuses every transfer that would pass offset 2^63 - 1,
 * before any data move; this affects transfers with the largest tag.
 */

/**
 * DOC: Limits and charges
 *
 * =========== ==============================================================
 * mirror      SECMMU_MAX_SLOTS slots; SECMMU_MAX_KEYS keys, one of which always
 *             exists
 * process     SECMMU_MAX_DOMAINS domains of its memory, shared by all its mirrors
 * engine      one job at a time; a second one waits for the first
 * user        no limit of the driver's own: mirrors and engines are descriptors,
 *             whose number RLIMIT_NOFILE limits per process
 * =========== ==============================================================
 *
 * All memory that a call needs is charged to the memory control group of the caller:
 * mirrors, slots with their logs, engines and domains. So are page tables, which
 * transfers, SECMMU_PREFAULT and jobs need; the first caller that needs one is charged
 * for it. The thread of a job and its stack belong to the kernel and are charged to no
 * group; there is one for each engine whose job runs.
 */

#define SECMMU_ABI_VERSION	1

#define SECMMU_IOC_TYPE		0xB5

/* Limits; SECMMU_GET_INFO reports the driver's own. */
#define SECMMU_GPA_BITS		48
#define SECMMU_MAX_SLOTS	32768
#define SECMMU_MAX_FLUSH_BATCH	4096
#define SECMMU_MAX_DOMAINS	8
#define SECMMU_MAX_KEYS		16

/**
 * struct secmmu_info - SECMMU_GET_INFO: report limits and features of the driver
 * @size: size of this structure
 * @abi_version: SECMMU_ABI_VERSION of the driver
 * @features: SECMMU_FEATURE_* bits
 * @max_slots: slots a mirror can hold; ids are 0 .. @max_slots - 1
 * @max_flush_batch: largest batch of SECMMU_FLUSH_ARRAY
 * @gpa_bits: width of a guest physical address
 * @page_shift: binary logarithm of the smallest page, in bytes
 * @max_domains: domains a process can have; ids are 0 .. @max_domains - 1
 * @max_keys: keys a mirror has; 0 .. @max_keys - 1
 *
 * Called on the device.
 */
struct secmmu_info {
	__u32 size;
	__u32 abi_version;
	__u64 features;
	__u32 max_slots;
	__u32 max_flush_batch;
	__u32 gpa_bits;
	__u32 page_shift;
	__u32 max_domains;
	__u32 max_keys;
};

/*
 * Bits in struct secmmu_info.features.
 *
 * TEST: the driver was built with CONFIG_SECMMU_TEST, and user space can make it
 * misbehave. Never trust such a driver with anything.
 */
#define SECMMU_FEATURE_TEST	(1ULL << 0)

/**
 * enum secmmu_flush_policy - when an invalidation flushes the engines' TLBs
 * @SECMMU_FLUSH_RANGE: once per event, after all its entries were dropped
 * @SECMMU_FLUSH_ARRAY: whenever @flush_batch entries were dropped, and once
 *	for the remainder
 * @SECMMU_FLUSH_EACH: after every dropped entry
 *
 * 3 is reserved; like every other number it is -EINVAL.
 *
 * A non-blockable event flushes at most once. An event that drops no entry flushes nothing,
 * unless it meets a page-table page in which another invalidation has dropped entries and
 * not flushed yet (an assist).
 */
enum secmmu_flush_policy {
	SECMMU_FLUSH_RANGE = 0,
	SECMMU_FLUSH_ARRAY = 1,
	SECMMU_FLUSH_EACH = 2,
};

/*
 * Bring back what an event of a whole 2 MiB block has dropped. To change a part of such a
 * block, or to map over it, the kernel announces an event for all of it. Soon after that event
 * a kernel thread maps the pages of the block that the process still maps, also those that no
 * engine has used; for writing, if engines have written there and the process may. It faults
 * nothing in, and gives up what it cannot have without waiting.
 */
#define SECMMU_MIRROR_REFILL	(1U << 0)

/**
 * struct secmmu_create_mirror - SECMMU_CREATE_MIRROR: mirror an mm
 * @size: size of this structure
 * @flags: SECMMU_MIRROR_* bits
 * @flush_policy: one of enum secmmu_flush_policy
 * @flush_batch: entries per flush for the policies with an array, 1 ..
 *	SECMMU_MAX_FLUSH_BATCH; must be zero for the other policies
 * @pid: zero for the caller, or the process to mirror, in the caller's pid
 *	namespace; a negative number is -EINVAL. The process must exist and have
 *	memory (-ESRCH). Unless this memory is the caller's own, the caller needs
 *	CAP_SYS_PTRACE over the process's user namespace (-EPERM). The driver
 *	makes no other check of ptrace(2): neither the security modules nor the
 *	dumpable attribute count.
 * @tag_bits: as in &struct secmmu_set_tag_bits
 *
 * Called on the device; returns a new descriptor, the mirror. The call waits for
 * changes of the process's areas that are under way, munmap(2) and the like. A mirror
 * never keeps the process's memory alive: once the process has exited or called
 * execve(2), accesses fail with -ESRCH.
 */
struct secmmu_create_mirror {
	__u32 size;
	__u32 flags;
	__u32 flush_policy;
	__u32 flush_batch;
	__s32 pid;
	__u32 tag_bits;
};

/* Engines may read, but not write, through the slot (-EACCES). */
#define SECMMU_SLOT_READONLY	(1U << 0)
/* Log the pages that engines write: see SECMMU_GET_DIRTY_LOG. */
#define SECMMU_SLOT_LOG_DIRTY	(1U << 1)

/**
 * struct secmmu_set_slot - SECMMU_SET_SLOT: add, replace or delete a slot
 * @size: size of this structure
 * @slot: id, 0 .. SECMMU_MAX_SLOTS - 1
 * @flags: SECMMU_SLOT_* bits
 * @key: the key that engines need rights for, see SECMMU_KEY_ALLOC: zero, or one
 *	that is allocated (-EINVAL otherwise)
 * @domains: bit d is set if domain d shows the slot; domain 0 always shows it
 * @gpa: first guest physical address, in bytes, page aligned
 * @hva: first virtual address in the mirrored process, page aligned
 * @length: bytes, page aligned; zero deletes the slot (the call then ignores all
 *	other fields but @slot), or fails with -ENXIO if there is none
 *
 * Called on a mirror, by the process that created it (-EPERM for any other).
 * Guest ranges of two slots must not overlap (-EBUSY, and nothing changes).
 * Host ranges may overlap, and may contain holes. Once the call has returned, no
 * engine uses the old contents of the slot.
 */
struct secmmu_set_slot {
	__u32 size;
	__u32 slot;
	__u32 flags;
	__u16 key;
	__u16 domains;
	__u64 gpa;
	__u64 hva;
	__u64 length;
};

/*
 * When a read misses, also map the pages behind it that the process has already
 * mapped, up to 16 in all.
 */
#define SECMMU_ENGINE_FAULT_AROUND	(1U << 0)
/* An access to a slot that the domain does not show moves the engine to domain 0. */
#define SECMMU_ENGINE_LEAVE_DOMAIN	(1U << 1)
/* For SECMMU_START_JOB, run by a kernel thread: no pread(2), no pwrite(2) (-EINVAL). */
#define SECMMU_ENGINE_BACKGROUND	(1U << 2)
/*
 * A miss maps only pages that the process has mapped at that moment. An access fails with
 * -EFAULT where the same access by the process would first take a page fault. Untouched
 * memory, holes and pages in swap space stay as they are; copy-on-write is not broken.
 */
#define SECMMU_ENGINE_NOFAULT		(1U << 3)

/**
 * struct secmmu_create_engine - SECMMU_CREATE_ENGINE: create an access agent
 * @size: size of this structure
 * @flags: SECMMU_ENGINE_* bits
 *
 * Called on a mirror, by the process that created it (-EPERM for any other).
 * Returns a new descriptor, the engine, for pread(2) and pwrite(2). Any holder of
 * the descriptor may use it. The first engine that is not for background jobs
 * freezes the mirror's tag bits.
 */
struct secmmu_create_engine {
	__u32 size;
	__u32 flags;
};

/**
 * struct secmmu_stats - SECMMU_GET_STATS: read the counters since creation
 * @size: size of this structure
 * @reserved: must be zero
 * @events: invalidation events of the mm seen since the mirror was made
 * @zap_events: events that dropped at least one entry of this mirror
 * @zapped: entries dropped, by events, changes of slots, and the process's end;
 *	an entry maps 4 KiB, or 2 MiB where the process maps a huge page that is
 *	aligned in both address spaces and the slot keeps no dirty log
 * @flushes: TLB flushes, assists included
 * @assists: flushes on behalf of another, unfinished invalidation
 * @interrupts: processors interrupted, by flushes and by changes of the tag bits
 * @replays: event walks repeated because slots or mirrors of the process
 *	changed meanwhile; each round that drops entries counts in @zap_events
 *	and flushes separately
 * @unpaired: ends that matched no event in flight
 * @faults: faults, served or failed
 * @fault_pages: entries that faults installed or found in place, except a 2 MiB entry
 *	that a fault for a small one found
 * @retries: fault rounds repeated, all causes
 * @retries_event: rounds repeated because an overlapping event arrived meanwhile
 * @retries_self: rounds repeated because the fault itself raised that event (it broke
 *	COW)
 * @retries_slot: rounds repeated because the slot changed meanwhile
 * @retries_table: rounds repeated because a page-table page was given back meanwhile
 * @waits: times a fault waited for an event in flight
 * @wait_ns: time of these waits, in nanoseconds
 * @reads: windows in which an engine read, by pread(2) or for a job; a job that only
 *	touches moves no data in them
 * @writes: windows in which an engine wrote, likewise
 * @tables: page-table pages in use now, including those kept for splits
 * @large: 2 MiB entries in place now
 * @splits: 2 MiB entries replaced by small ones, because an event covered a part
 * @unsplit: 2 MiB entries dropped as a whole because no page-table page was left;
 *	the part that the event did not cover comes back with the next fault
 * @left: times an engine left its domain because it accessed a slot that the domain
 *	does not show
 * @direct: accesses past the mirror: events followed each other so closely that a fault
 *	could install no entry, and got the page for this one access
 * @refilled: pages that SECMMU_MIRROR_REFILL has mapped again
 *
 * An entry that several domains map counts once for each of them.
 *
 * Called on a mirror, by any holder of the descriptor. @events, @replays and
 * @unpaired count per mm, from the moment of this mirror's creation.
 */
struct secmmu_stats {
	__u32 size;
	__u32 reserved;
	__u64 events;
	__u64 zap_events;
	__u64 zapped;
	__u64 flushes;
	__u64 assists;
	__u64 interrupts;
	__u64 replays;
	__u64 unpaired;
	__u64 faults;
	__u64 fault_pages;
	__u64 retries;
	__u64 retries_event;
	__u64 retries_self;
	__u64 retries_slot;
	__u64 retries_table;
	__u64 waits;
	__u64 wait_ns;
	__u64 reads;
	__u64 writes;
	__u64 tables;
	__u64 large;
	__u64 splits;
	__u64 unsplit;
	__u64 left;
	__u64 direct;
	__u64 refilled;
};

/* Map for writing too; breaks copy-on-write as a write would. */
#define SECMMU_PREFAULT_WRITE	(1U << 0)

/**
 * struct secmmu_prefault - SECMMU_PREFAULT: map a range before it is used
 * @size: size of this structure
 * @flags: SECMMU_PREFAULT_WRITE or zero
 * @gpa: first guest physical address, in bytes, page aligned; on return, the address
 *	at which to continue
 * @length: bytes, page aligned, not zero; on return, the bytes left
 * @domain: the domain to map for (-ENXIO if there is none, -EACCES where it does not
 *	show the range)
 * @reserved: must be zero
 *
 * Called on a mirror, by any holder of the descriptor. Returns 0 if it made any
 * progress. If @length is then not zero, the call stopped early; a second call
 * with the same structure continues or returns the error. The range may cross slots,
 * but not gaps between them (-ENXIO there).
 */
struct secmmu_prefault {
	__u32 size;
	__u32 flags;
	__u64 gpa;
	__u64 length;
	__u32 domain;
	__u32 reserved;
};

/**
 * struct secmmu_get_dirty_log - SECMMU_GET_DIRTY_LOG: get the pages engines wrote
 * @size: size of this structure
 * @slot: id of a slot with SECMMU_SLOT_LOG_DIRTY (-EINVAL without)
 * @first_page: first page to ask for, counted from the start of the slot; a
 *	multiple of 64
 * @nr_pages: pages to ask for, not zero; a multiple of 64, or up to the end of
 *	the slot
 * @bitmap: address of an array of __u64 words, (@nr_pages + 63) / 64 of them;
 *	bit b of word w stands for page @first_page + 64 * w + b
 *
 * Called on a mirror, by the process that created it (-EPERM for any other).
 * Sets the bits of the pages that engines have written since the previous call for
 * these pages, and clears them in the log: a later write is in the next log. The call
 * flushes at most once. A call that fails clears nothing; -EINTR if a fatal signal ends
 * the wait for another change of the slots. The log remains available after the
 * mirrored process has ended. Replacing or deleting a slot discards its log. The log of
 * the slot that takes its place may also name, once, a page that was written through
 * the old slot.
 */
struct secmmu_get_dirty_log {
	__u32 size;
	__u32 slot;
	__u64 first_page;
	__u64 nr_pages;
	__u64 bitmap;
};

/**
 * struct secmmu_set_tag_bits - SECMMU_SET_TAG_BITS: set the gpa bits engines ignore
 * @size: size of this structure
 * @tag_bits: 0: none; 6: bits 62:57; 15: bits 62:48. Bit 63 is always zero, because
 *	it is the sign of a file offset.
 *
 * Called on a mirror, by the process that created it (-EPERM for any other), before
 * its first engine other than for background jobs (-EBUSY after that). Once the call
 * has returned, every access of every engine follows the new setting, even if the engine
 * was at work, has been idle, or has left the mirror and comes back. An access that
 * runs at the same time follows the old or the new setting, page by page.
 *
 * A gpa with a bit set that belongs neither to the tag nor to the address is -ENXIO.
 */
struct secmmu_set_tag_bits {
	__u32 size;
	__u32 tag_bits;
};

/**
 * struct secmmu_key - SECMMU_KEY_ALLOC, SECMMU_KEY_FREE: manage keys of a mirror
 * @size: size of this structure
 * @key: ALLOC: must be zero; FREE: the key, which must be allocated (-EINVAL) and
 *	not be 0
 *
 * Called on a mirror, by the process that created it (-EPERM for any other). ALLOC
 * returns a key that was free, above zero, or -ENOSPC if there is none. Slots carry a
 * key; engines have rights for each key: SECMMU_SET_RIGHTS. Key 0 always exists.
 *
 * Freeing a key changes no slot. The slots that carry the key keep obeying the rights
 * that engines have for this number, also after ALLOC has returned it again.
 * Give them another key first.
 */
struct secmmu_key {
	__u32 size;
	__u32 key;
};

/* In struct secmmu_rights.rights: engines may not write, or not access at all. */
#define SECMMU_KEY_NO_ACCESS(key)	(1U << (2 * (key)))
#define SECMMU_KEY_NO_WRITE(key)	(2U << (2 * (key)))

/**
 * struct secmmu_rights - SECMMU_SET_RIGHTS, SECMMU_GET_RIGHTS: access rights
 * @size: size of this structure
 * @rights: SECMMU_KEY_NO_ACCESS() and SECMMU_KEY_NO_WRITE() of all keys; zero, as in
 *	a new engine, denies nothing
 *
 * Called on an engine, by any holder of the descriptor. The new rights apply from the
 * next page accessed; nothing is flushed. A denied access leaves no trace: it maps no
 * page, makes none young, and is in no dirty log. The register belongs to this engine;
 * the rights of other engines do not change. The answer of GET may be out of date when
 * the caller reads it, as with stat(2): only the result of an access tells whether it was
 * granted.
 */
struct secmmu_rights {
	__u32 size;
	__u32 rights;
};

/**
 * struct secmmu_domain - SECMMU_CREATE_DOMAIN, SECMMU_ENTER_DOMAIN
 * @size: size of this structure
 * @domain: 1 .. SECMMU_MAX_DOMAINS - 1; ENTER also takes 0
 *
 * A domain is a view of the mirror. It shows the slots that name it, and has a page
 * table of its own. Domain 0 shows all slots, and always exists.
 *
 * CREATE is called on a mirror, by the process that created it (-EPERM for any
 * other). It succeeds if the mirror already has the domain. A domain lives as long as
 * the mirrored process's memory. All mirrors of that memory share the numbers; a number
 * belongs to one mirror until the mirror ends (-EBUSY for others). -ESRCH if the
 * process is gone.
 *
 * ENTER is called on an engine, by any holder of the descriptor; -ENXIO if the
 * mirror has no such domain, or the engine has no mirror. The call waits until the
 * engine is idle; -EINTR if a signal ends the wait. Accesses to slots that the domain
 * does not show fail with -EACCES, or move an engine with SECMMU_ENGINE_LEAVE_DOMAIN to
 * domain 0.
 */
struct secmmu_domain {
	__u32 size;
	__u32 domain;
};

/**
 * struct secmmu_attach - SECMMU_ATTACH: let an engine work on another mirror
 * @size: size of this structure
 * @mirror: descriptor of the mirror (-EBADF if it is none)
 * @domain: first domain to work in (-ENXIO if the mirror has no such domain)
 * @reserved: must be zero
 *
 * Called on an engine, by the process that created the mirror (-EPERM for any
 * other). The call waits until the engine is idle; -EINTR if a signal ends the wait.
 * The previous mirror stays loaded for a while, so that coming back is cheap. As
 * SECMMU_CREATE_ENGINE does, the call freezes the mirror's tag bits, unless the engine
 * is for background jobs.
 */
struct secmmu_attach {
	__u32 size;
	__s32 mirror;
	__u32 domain;
	__u32 reserved;
};

/**
 * struct secmmu_detach - SECMMU_DETACH: let an engine leave its mirror
 * @size: size of this structure
 * @flags: must be zero
 *
 * Called on an engine, by any holder of the descriptor. Accesses fail with
 * -ENXIO until the engine is attached again; until then it keeps no mirror alive. The
 * call waits until the engine is idle; -EINTR if a signal ends the wait.
 */
struct secmmu_detach {
	__u32 size;
	__u32 flags;
};

/* The job writes to the mirror's memory instead of reading it. */
#define SECMMU_JOB_WRITE	(1U << 0)

/**
 * struct secmmu_start_job - SECMMU_START_JOB: transfer in the background
 * @size: size of this structure
 * @flags: SECMMU_JOB_WRITE or zero
 * @gpa: first guest physical address, in bytes, with a tag or without
 * @length: bytes, not zero; @gpa + @length is below 2^63 (-EINVAL otherwise)
 * @data: address of @length bytes in the caller's memory; or zero: touch every page
 *	of the range, so that later accesses find it mapped (with SECMMU_JOB_WRITE: for
 *	writing, which breaks copy-on-write). A touch writes no data, makes no page
 *	young, and adds none to the dirty log
 *
 * Called on an engine with SECMMU_ENGINE_BACKGROUND (-EINVAL on another). The call waits
 * for a job that already runs; -EINTR if a signal ends the wait. -ENOMEM also if no
 * thread can be created. The job's kernel thread borrows the caller's memory while it
 * copies from or to @data, and at no other time. It runs on the processors that the
 * caller is allowed at the time of the call.
 *
 * The driver abandons a job when the last descriptor of its engine is closed, and when
 * the process that started the job exits while it has the descriptor. An abandoned job
 * ends at once, like a killed process, even where it waits for another process
 * (userfaultfd). If the starter has exited, other holders of the engine see ESRCH in
 * SECMMU_WAIT_JOB, and can start a job of their own.
 */
struct secmmu_start_job {
	__u32 size;
	__u32 flags;
	__u64 gpa;
	__u64 length;
	__u64 data;
};

/**
 * struct secmmu_wait_job - SECMMU_WAIT_JOB: wait for the latest job
 * @size: size of this structure
 * @error: zero, or the number of the error that ended the job; ESRCH also if the
 *	process that started the job exited before the job was done
 * @done: bytes that the job has transferred or touched
 *
 * Called on an engine with SECMMU_ENGINE_BACKGROUND (-EINVAL on another). -EINTR if a
 * signal ends the wait.
 */
struct secmmu_wait_job {
	__u32 size;
	__s32 error;
	__u64 done;
};

/* On the device. */
#define SECMMU_GET_INFO		_IO(SECMMU_IOC_TYPE, 0x00)
#define SECMMU_CREATE_MIRROR	_IO(SECMMU_IOC_TYPE, 0x01)

/* On a mirror. */
#define SECMMU_SET_SLOT		_IO(SECMMU_IOC_TYPE, 0x10)
#define SECMMU_CREATE_ENGINE	_IO(SECMMU_IOC_TYPE, 0x11)
#define SECMMU_GET_STATS	_IO(SECMMU_IOC_TYPE, 0x12)
#define SECMMU_PREFAULT		_IO(SECMMU_IOC_TYPE, 0x13)
#define SECMMU_GET_DIRTY_LOG	_IO(SECMMU_IOC_TYPE, 0x14)
#define SECMMU_SET_TAG_BITS	_IO(SECMMU_IOC_TYPE, 0x15)
#define SECMMU_KEY_ALLOC	_IO(SECMMU_IOC_TYPE, 0x16)
#define SECMMU_KEY_FREE		_IO(SECMMU_IOC_TYPE, 0x17)
#define SECMMU_CREATE_DOMAIN	_IO(SECMMU_IOC_TYPE, 0x18)

/* On an engine. */
#define SECMMU_SET_RIGHTS	_IO(SECMMU_IOC_TYPE, 0x20)
#define SECMMU_GET_RIGHTS	_IO(SECMMU_IOC_TYPE, 0x21)
#define SECMMU_ENTER_DOMAIN	_IO(SECMMU_IOC_TYPE, 0x22)
#define SECMMU_ATTACH		_IO(SECMMU_IOC_TYPE, 0x23)
#define SECMMU_DETACH		_IO(SECMMU_IOC_TYPE, 0x24)
#define SECMMU_START_JOB	_IO(SECMMU_IOC_TYPE, 0x25)
#define SECMMU_WAIT_JOB		_IO(SECMMU_IOC_TYPE, 0x26)

#endif /* _UAPI_LINUX_SECMMU_H */
