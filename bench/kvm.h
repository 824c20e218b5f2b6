/* SPDX-License-Identifier: GPL-2.0 */
/* A bare KVM machine, to compare with. What fails ends the program with a sentence. */
#ifndef BENCH_KVM_H
#define BENCH_KVM_H

#include <stddef.h>
#include <stdint.h>

/* A machine of this process, and how many memslots it can have. */
int kvm_create(unsigned int *max_slots);
void kvm_slot(int machine, uint32_t slot, uint64_t gpa, const void *hva,
	      size_t length);

#endif /* BENCH_KVM_H */
