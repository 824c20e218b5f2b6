// SPDX-License-Identifier: GPL-2.0
/* "rep movsb; hlt", in 32-bit protected mode without paging. */
#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

#include "copy_vcpu.h"
#include "flat_vcpu.h"

static const char program[] = "\xf3\xa4\xf4";

int copy_vcpu_make_room(int machine)
{
	return flat_vcpu_make_room(machine);
}

int copy_vcpu_set_up(int machine, int vcpu, void *own, uint64_t own_gpa)
{
	(void)machine;
	(void)own_gpa;
	memcpy(own, program, sizeof(program));
	return flat_vcpu_set_up(vcpu);
}

int copy_vcpu_begin(int vcpu, uint64_t own_gpa, uint64_t to, uint64_t from, size_t length)
{
	struct kvm_regs regs = {
		.rip = own_gpa,
		.rsi = from,
		.rdi = to,
		.rcx = length,
		.rflags = FLAT_VCPU_RFLAGS,
	};

	return ioctl(vcpu, KVM_SET_REGS, &regs) ? -errno : 0;
}

bool copy_vcpu_done(const struct kvm_run *run)
{
	return run->exit_reason == KVM_EXIT_HLT;
}

ssize_t copy_vcpu_moved(int vcpu, const struct kvm_run *run, size_t length)
{
	struct kvm_regs regs;
	ssize_t done;

	if (ioctl(vcpu, KVM_GET_REGS, &regs))
		return 0;
	done = (ssize_t)(length - regs.rcx);
	/* For the program, a byte that nobody stores is stored. */
	if (run && run->exit_reason == KVM_EXIT_MMIO && run->mmio.is_write)
		done -= run->mmio.len;
	return done;
}

void copy_vcpu_end_mmio(int vcpu, struct kvm_run *run, uint64_t own_gpa)
{
	/*
	 * The access is the last one then, or the program goes on behind it, to the next
	 * byte that is not there.
	 */
	copy_vcpu_begin(vcpu, own_gpa, own_gpa + COPY_VCPU_OWN, 0, 1);
	run->immediate_exit = 1;
	ioctl(vcpu, KVM_RUN, 0);
	run->immediate_exit = 0;
}
