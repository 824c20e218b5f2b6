/* SPDX-License-Identifier: GPL-2.0 */
/* A bare KVM machine, to compare with. What fails ends the program. */
#ifndef BENCH_KVM_H
#define BENCH_KVM_H

#include <stddef.h>
#include <stdint.h>

struct kvm_run;

/**
 * struct kvm_cpu - a processor of a machine
 * @fd: its descriptor
 * @run: memory that it shares with the kernel
 */
struct kvm_cpu {
	int fd;
	struct kvm_run *run;
};

/* A machine of this process; *@max_slots is how many memslots it can have. */
int kvm_create(unsigned int *max_slots);
/* A slot with length 0 is deleted. */
void kvm_slot(int machine, uint32_t slot, uint64_t gpa, const void *hva,
	      size_t length);
/* Give the machine its first processor; it takes memslot 0 for its program. */
void kvm_cpu_create(struct kvm_cpu *cpu, int machine);
/* Give it another one, with the same program. */
void kvm_cpu_add(struct kvm_cpu *cpu, int machine, unsigned int id);
/* Let the guest read a word of each page; @gpa is below 4 GiB. */
void kvm_touch(const struct kvm_cpu *cpu, uint64_t gpa, size_t pages);
/* Let KVM map a range itself. Returns -1 if this kernel cannot. */
int kvm_prefault(const struct kvm_cpu *cpu, uint64_t gpa, size_t length);

/* One of KVM's statistics, of a machine or of a processor. */
uint64_t kvm_stat(int of, const char *name);

/* kvm_<machine>.c: the program, and a processor that is at its start. */
extern const char kvm_program[];
extern const size_t kvm_program_size;
void kvm_arch_make_room(int machine);
void kvm_arch_init(int cpu);
void kvm_arch_start(int cpu, uint64_t gpa, size_t pages);

#endif /* BENCH_KVM_H */
