/* SPDX-License-Identifier: GPL-2.0 */
/* The interface of KVM, with what kernels since 6.12 have and older headers lack. */
#ifndef LIB_KVM_UAPI_H
#define LIB_KVM_UAPI_H

#include <linux/kvm.h>
#include <sys/ioctl.h>

#ifndef KVM_PRE_FAULT_MEMORY
#define KVM_CAP_PRE_FAULT_MEMORY	236

struct kvm_pre_fault_memory {
	__u64 gpa;
	__u64 size;
	__u64 flags;
	__u64 padding[5];
};

#define KVM_PRE_FAULT_MEMORY	_IOWR(KVMIO, 0xd5, struct kvm_pre_fault_memory)
#endif

#endif /* LIB_KVM_UAPI_H */
