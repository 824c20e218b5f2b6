/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TESTVM_MACHINE_H
#define TESTVM_MACHINE_H

#include <stdbool.h>

/* Devices are at slots of their own on the first PCI bus, so that each can have an IOMMU group. */
#define MACHINE_DEVICES		8

struct arch;

enum iommu { IOMMU_NONE, IOMMU_INTEL, IOMMU_AMD, IOMMU_VIRTIO };

/**
 * struct machine - what the VM's board has
 * @arch: its architecture
 * @cpus: how many
 * @memory: MiB
 * @nodes: NUMA nodes that share them
 * @kvm: whether KVM runs it rather than emulation
 * @plain_moves: its processors do not claim fast instructions for moving bytes
 * @iommu: the model that QEMU emulates
 * @e1000s: network cards that nothing is connected to, up to %MACHINE_DEVICES: they can do DMA
 */
struct machine {
	const struct arch *arch;
	unsigned int cpus;
	unsigned int memory;
	unsigned int nodes;
	bool kvm;
	bool plain_moves;
	enum iommu iommu;
	unsigned int e1000s;
};

/**
 * machine_xml() - say it to libvirt
 * @machine: the board
 *
 * Return: elements for <domain>, to be freed.
 */
char *machine_xml(const struct machine *machine);

/**
 * machine_devices_xml() - say to libvirt which devices it has
 * @machine: the board
 *
 * Return: elements for <devices>, to be freed.
 */
char *machine_devices_xml(const struct machine *machine);

/**
 * machine_qemu_xml() - say to QEMU what libvirt has no words for
 * @machine: the board
 *
 * Return: elements for <qemu:commandline>, to be freed.
 */
char *machine_qemu_xml(const struct machine *machine);

/**
 * machine_name() - name the kind of board
 * @machine: the board
 *
 * Return: for libvirt; static.
 */
const char *machine_name(const struct machine *machine);

/**
 * machine_iommu_name() - name an IOMMU
 * @iommu: not %IOMMU_NONE
 *
 * Return: what --iommu calls it; static.
 */
const char *machine_iommu_name(enum iommu iommu);

/**
 * machine_arguments() - make the kernel use the IOMMU
 * @machine: the board
 *
 * Return: words for the kernel's command line; static.
 */
const char *machine_arguments(const struct machine *machine);

#endif
