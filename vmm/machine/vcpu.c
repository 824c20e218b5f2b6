// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/kvm.h>
#include "hypercall.h"
#include "message.h"
#include "vcpu.h"

/* Takes a vCPU thread out of KVM_RUN; it has nothing else to do. */
#define VCPU_KICK	SIGUSR1

/*
 * A guest that meets no faults needs no more speed: the pause leaves the
 * processors to those who take its memory away.
 */
#define TICK_PAUSE_US	5000

/* So often an instruction may meet an exception, if the vCPU does nothing else. */
#define EXCEPTION_TRIES	3u

static void on_kick(int signal)
{
	(void)signal;
}

static void tell_crash(const struct vcpu *vcpu, const char *what,
		       unsigned long detail)
{
	char why[160];

	snprintf(why, sizeof(why), "vCPU %u: %s (%#lx) at %#lx", vcpu->index,
		 what, detail, (unsigned long)vcpu_arch_pc(vcpu));
	vcpu->ops->crashed(vcpu->context, vcpu->index, why);
}

/* Returns false if trying again has been tried enough. */
static bool handle_exception(struct vcpu *vcpu)
{
	const struct mailbox *mailbox =
		memory_range(vcpu->vm->memory, GUEST_MAILBOX_GPA,
			     sizeof(*mailbox));
	const struct vcpu_box *box = &mailbox->vcpus[vcpu->index];
	const struct guest_exception exception = box->exception;
	uint64_t work = box->writes + box->reads + box->closed;
	char facts[160], what[224];

	__atomic_fetch_add(&vcpu->exceptions, 1, __ATOMIC_RELAXED);
	if (exception.pc != vcpu->exception_pc ||
	    work != vcpu->exception_work)
		vcpu->tries = 0;
	vcpu->exception_pc = exception.pc;
	vcpu->exception_work = work;
	vcpu->tries++;
	vcpu_arch_describe(&exception, facts, sizeof(facts));
	snprintf(what, sizeof(what), "vCPU %u: %s, try %u of %u", vcpu->index,
		 facts, vcpu->tries, EXCEPTION_TRIES);
	if (vcpu->tries >= EXCEPTION_TRIES) {
		vcpu->ops->crashed(vcpu->context, vcpu->index, what);
		return false;
	}
	vcpu->ops->exception(vcpu->context, vcpu->index, what);
	return true;
}

/* Returns false if the vCPU has nothing more to do. */
static bool handle_hypercall(struct vcpu *vcpu, uint16_t port, uint32_t value)
{
	switch (port) {
	case HYPERCALL_HELLO:
		if (value != HYPERCALL_ABI) {
			tell_crash(vcpu, "the guest has another ABI", value);
			return false;
		}
		__atomic_store_n(&vcpu->hello, true, __ATOMIC_RELEASE);
		return true;
	case HYPERCALL_TICK:
		usleep(TICK_PAUSE_US);
		return true;
	case HYPERCALL_VIOLATION:
		vcpu->ops->violation(vcpu->context, vcpu->index);
		return true;
	case HYPERCALL_EXCEPTION:
		return handle_exception(vcpu);
	case HYPERCALL_DONE:
		return false;
	default:
		tell_crash(vcpu, "unknown hypercall", port);
		return false;
	}
}

/* Returns false if the vCPU has nothing more to do. */
static bool handle_exit(struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;
	uint16_t port;
	uint32_t value;

	if (vcpu_arch_hypercall(vcpu, &port, &value))
		return handle_hypercall(vcpu, port, value);
	switch (run->exit_reason) {
	case KVM_EXIT_INTR:
		return true;
	case KVM_EXIT_HLT:
		return false;
	case KVM_EXIT_SHUTDOWN:
		vcpu->ops->shut_down(vcpu->context, vcpu->index);
		return false;
	case KVM_EXIT_MMIO:
		tell_crash(vcpu, "access to no memory", run->mmio.phys_addr);
		return false;
	case KVM_EXIT_INTERNAL_ERROR:
		tell_crash(vcpu, "KVM internal error", run->internal.suberror);
		return false;
	default:
		tell_crash(vcpu, "unexpected exit", run->exit_reason);
		return false;
	}
}

/* Returns false if KVM_RUN failed for good. */
static bool handle_error(struct vcpu *vcpu, int error)
{
	switch (error) {
	case EINTR:
	case EAGAIN:
		return true;
	case EFAULT:
		/* A munmap gap: it will be mapped again, so run again. */
		__atomic_fetch_add(&vcpu->faults, 1, __ATOMIC_RELAXED);
		usleep(50);
		return true;
	default:
		tell_crash(vcpu, "KVM_RUN failed", (unsigned long)error);
		return false;
	}
}

static void *vcpu_loop(void *argument)
{
	struct vcpu *vcpu = argument;
	bool go = true;

	while (go && !__atomic_load_n(&vcpu->stop, __ATOMIC_ACQUIRE)) {
		int ret = ioctl(vcpu->fd, KVM_RUN, 0);

		__atomic_fetch_add(&vcpu->exits, 1, __ATOMIC_RELAXED);
		go = ret ? handle_error(vcpu, errno) : handle_exit(vcpu);
	}
	__atomic_store_n(&vcpu->finished, true, __ATOMIC_RELEASE);
	return NULL;
}

/**
 * vcpu_create - make a vCPU, ready to enter the guest
 * @vcpu: filled in
 * @vm: its machine, with the guest image loaded
 * @index: its number
 * @ops: callbacks
 * @context: their first argument
 */
void vcpu_create(struct vcpu *vcpu, const struct vm *vm, unsigned int index,
		 const struct vcpu_ops *ops, void *context)
{
	const struct sigaction kick = { .sa_handler = on_kick };

	*vcpu = (struct vcpu) {
		.vm = vm,
		.ops = ops,
		.context = context,
		.index = index,
	};
	vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)index);
	if (vcpu->fd < 0)
		die("cannot create vCPU %u: %s", index, strerror(errno));
	vcpu->run = mmap(NULL, vm->run_size, PROT_READ | PROT_WRITE,
			 MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED)
		die("cannot map vCPU %u: %s", index, strerror(errno));
	vcpu_arch_init(vcpu);
	/* Without SA_RESTART, so that KVM_RUN returns. */
	sigaction(VCPU_KICK, &kick, NULL);
}

/**
 * vcpu_start - enter the guest, on a thread of its own
 * @vcpu: the vCPU
 */
void vcpu_start(struct vcpu *vcpu)
{
	int error = pthread_create(&vcpu->thread, NULL, vcpu_loop, vcpu);
	char name[16];

	if (error)
		die("cannot start a thread: %s", strerror(error));
	snprintf(name, sizeof(name), "vCPU %u", vcpu->index);
	pthread_setname_np(vcpu->thread, name);
	vcpu->started = true;
}

/**
 * vcpu_greeted - has the guest greeted on this vCPU?
 * @vcpu: the vCPU
 *
 * Return: true if so, with the right ABI.
 */
bool vcpu_greeted(const struct vcpu *vcpu)
{
	return __atomic_load_n(&vcpu->hello, __ATOMIC_ACQUIRE);
}

/**
 * vcpu_finished - has the vCPU left the guest for good?
 * @vcpu: the vCPU
 *
 * Return: true once its run loop has ended.
 */
bool vcpu_finished(const struct vcpu *vcpu)
{
	return __atomic_load_n(&vcpu->finished, __ATOMIC_ACQUIRE);
}

/**
 * vcpu_stop - take the vCPU out of the guest, wherever it stands
 * @vcpu: the vCPU
 *
 * Sleeps until its thread has ended. A page it was writing stays half written.
 */
void vcpu_stop(struct vcpu *vcpu)
{
	if (!vcpu->started)
		return;
	__atomic_store_n(&vcpu->stop, true, __ATOMIC_RELEASE);
	/* Closes the window between the check of @stop and KVM_RUN. */
	__atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_RELEASE);
	if (!vcpu_finished(vcpu))
		pthread_kill(vcpu->thread, VCPU_KICK);
	pthread_join(vcpu->thread, NULL);
	vcpu->started = false;
}

/**
 * vcpu_destroy - stop and close the vCPU
 * @vcpu: what vcpu_create() filled in
 */
void vcpu_destroy(struct vcpu *vcpu)
{
	vcpu_stop(vcpu);
	munmap(vcpu->run, vcpu->vm->run_size);
	close(vcpu->fd);
}
