/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel's log must not say; for the host and for the guest. */
#ifndef TESTVM_COMPLAINTS_H
#define TESTVM_COMPLAINTS_H

/* A line with any of these fails a run. */
static const char * const complaints[] = {
	"BUG:",
	"WARNING:",
	"Oops",
	"Kernel panic",
	"general protection fault",
	"Unable to handle kernel",
	"Call Trace:",
	"Call trace:",
	"Internal error:",
	"SError Interrupt",
	"Modules linked in:",
	"Bad page state",
	"bad pmd",
	"bad pud",
	"Bad rss-counter",
	"refcount_t",
	"list_add corruption",
	"list_del corruption",
	"kernel BUG at",
	"KASAN:",
	"KCSAN:",
	"KFENCE:",
	"KMSAN:",
	"UBSAN:",
	"new suspected memory leaks",
	"Kernel memory leak detector disabled",
	"possible circular locking",
	"possible recursive locking",
	"possible irq lock inversion",
	"possible deadlock",
	"inconsistent lock state",
	"lock order detected",
	"suspicious RCU usage",
	"bad unlock balance",
	"held lock freed",
	"trying to register non-static key",
	"DEBUG_LOCKS_WARN_ON",
	"sleeping function called",
	"scheduling while atomic",
	"stalls on CPUs/tasks",
	"self-detected stall",
	"soft lockup",
	"hard LOCKUP",
	"hung task",
	"blocked for more than",
	"unregister_netdevice: waiting",
	"stack guard page",
	"unchecked MSR access error",
	/* A device reaches for memory that its IOMMU does not show it. */
	"DMAR: DRHD: handling fault",
	"AMD-Vi: Event logged",
	"fault from EP ",
};

/* Lines that stock kernels print on healthy machines. */
static const char * const harmless[] = {
	"WARNING: Unprivileged eBPF is enabled",
	"KFENCE: enabled",
};

#endif /* TESTVM_COMPLAINTS_H */
