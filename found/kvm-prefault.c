// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_PRE_FAULT_MEMORY holds the VM's SRCU and tries again while the slot is being deleted, or
 * with a root that the deletion made obsolete; the deletion waits for SRCU. Neither ends, until a
 * signal reaches the one that prefaults: this program sends one, and so tells a hang from a slow
 * machine.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "clock.h"
#include "found.h"
#include "kvm_uapi.h"
#include "message.h"

/* Few pages, so that a prefault that takes long is stuck. */
#define SIZE		(64 * PAGE)
#define GPA		(16ul << 20)
/* How long it is tried, and after how long without progress a signal is sent. */
#define TRY_SECONDS	120
#define STILL_SECONDS	30
#define MANY_DELETIONS	2000

static int vm, vcpu;
static char *memory;
static unsigned long prefaults, deletions;
static bool stop;

static void set_slot(uint64_t size)
{
	struct kvm_userspace_memory_region region = {
		.guest_phys_addr = GPA,
		.memory_size = size,
		.userspace_addr = (uintptr_t)memory,
	};

	if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region))
		die("cannot set a slot of %lu bytes: %s", (unsigned long)size, strerror(errno));
}

/* Errors are expected: without the slot it is ENOENT, with a signal EINTR. */
static void *prefault(void *unused)
{
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		struct kvm_pre_fault_memory range = { .gpa = GPA, .size = SIZE };

		ioctl(vcpu, KVM_PRE_FAULT_MEMORY, &range);
		__atomic_fetch_add(&prefaults, 1, __ATOMIC_RELAXED);
	}
	return unused;
}

static void *delete_slot(void *unused)
{
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		set_slot(0);
		__atomic_fetch_add(&deletions, 1, __ATOMIC_RELAXED);
		set_slot(SIZE);
	}
	return unused;
}

static void ignore_signal(int signal)
{
	(void)signal;
}

static void make_vm(void)
{
	struct sigaction action = { .sa_handler = ignore_signal };
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (kvm < 0)
		die("cannot open /dev/kvm: %s", strerror(errno));
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm < 0)
		die("cannot make a VM: %s", strerror(errno));
	if (ioctl(vm, KVM_CHECK_EXTENSION, KVM_CAP_PRE_FAULT_MEMORY) <= 0)
		die("this kernel has no KVM_PRE_FAULT_MEMORY");
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	if (vcpu < 0)
		die("cannot make a vCPU: %s", strerror(errno));
	memory = map_private(SIZE);
	memset(memory, 1, SIZE);
	set_slot(SIZE);
	sigaction(SIGUSR1, &action, NULL);
}

/* Where each thread stands, as far as the kernel tells. */
static void print_stacks(void)
{
	DIR *folder = opendir("/proc/self/task");
	char path[300], line[256];
	struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		FILE *file;

		if (*entry->d_name == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%s/stack", entry->d_name);
		file = fopen(path, "re");
		if (!file)
			continue;
		printf("thread %s:\n", entry->d_name);
		while (fgets(line, sizeof(line), file))
			printf("  %s", line);
		fclose(file);
	}
	if (folder)
		closedir(folder);
}

/* Has either thread come further within that time? */
static bool moves_within(unsigned int seconds)
{
	unsigned long p = __atomic_load_n(&prefaults, __ATOMIC_RELAXED);
	unsigned long d = __atomic_load_n(&deletions, __ATOMIC_RELAXED);
	uint64_t limit = clock_ms() + seconds * 1000ull;

	while (clock_ms() < limit) {
		if (__atomic_load_n(&prefaults, __ATOMIC_RELAXED) != p ||
		    __atomic_load_n(&deletions, __ATOMIC_RELAXED) != d)
			return true;
		usleep(10000);
	}
	return false;
}

int main(int argc, char **argv)
{
	uint64_t limit = clock_ms() + TRY_SECONDS * 1000ull;
	pthread_t one, other;
	unsigned long d;

	begin(argc, argv, "kvm-prefault",
	      "Prefaults a slot of a VM in one thread while another deletes it and puts it back, "
	      "for up to a minute. If both stand still, a signal to the first must free them.");
	make_vm();
	if (pthread_create(&one, NULL, prefault, NULL) ||
	    pthread_create(&other, NULL, delete_slot, NULL))
		die("cannot start threads");
	while (clock_ms() < limit && deletions < MANY_DELETIONS) {
		if (moves_within(STILL_SECONDS))
			continue;
		print_stacks();
		d = __atomic_load_n(&deletions, __ATOMIC_RELAXED);
		pthread_kill(one, SIGUSR1);
		if (!moves_within(STILL_SECONDS))
			die("both threads stand still, and a signal does not free them");
		conclude(true, "after %lu prefaults and %lu deletions neither moved for %d s; a "
			 "signal to the prefault freed both", prefaults, d, STILL_SECONDS);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(one, NULL);
	pthread_join(other, NULL);
	if (!prefaults || !deletions)
		die("%lu prefaults, %lu deletions: nothing was tried", prefaults, deletions);
	conclude(false, "%lu prefaults and %lu deletions, without a hang", prefaults, deletions);
}
