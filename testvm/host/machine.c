// SPDX-License-Identifier: GPL-2.0
/* The VM's board, as libvirt wants it said. */
#include <stdlib.h>
#include <string.h>

#include "arch.h"
#include "machine.h"
#include "util.h"

/* Far from the slots that libvirt gives to its own devices. */
#define FIRST_SLOT	0x10

/* Appends @more to @text; both were allocated. */
static char *join(char *text, char *more)
{
	char *joined = format("%s%s", text, more);

	free(text);
	free(more);
	return joined;
}

/* What node @node of @nodes has of @total, which may leave a remainder for the first ones. */
static unsigned int share(unsigned int total, unsigned int node, unsigned int nodes)
{
	return total / nodes + (node < total % nodes);
}

static char *numa_xml(const struct machine *machine)
{
	unsigned int cpu = 0;
	char *xml = format("<numa>");

	for (unsigned int node = 0; node < machine->nodes; node++) {
		unsigned int cpus = share(machine->cpus, node, machine->nodes);
		unsigned int memory = share(machine->memory, node, machine->nodes);
		char *of_node = cpus ? format(" cpus='%u-%u'", cpu, cpu + cpus - 1) : format("%s", "");

		xml = join(xml, format("<cell id='%u'%s memory='%u' unit='MiB'/>", node, of_node,
				       memory));
		free(of_node);
		cpu += cpus;
	}
	return join(xml, format("</numa>"));
}

static char *cpu_xml(const struct machine *machine)
{
	char *numa = machine->nodes > 1 ? numa_xml(machine) : format("%s", "");
	char *features = machine->arch->cpu_xml(machine);
	char *xml = format("<cpu mode='%s'>%s%s</cpu>\n",
			   machine->kvm ? "host-passthrough" : "maximum", features, numa);

	free(features);
	free(numa);
	return xml;
}

char *machine_xml(const struct machine *machine)
{
	char *xml = format("<memory unit='MiB'>%u</memory>\n<vcpu>%u</vcpu>\n",
			   machine->memory, machine->cpus);

	xml = join(xml, machine->arch->features_xml());
	return join(xml, cpu_xml(machine));
}

char *machine_devices_xml(const struct machine *machine)
{
	char *xml = format("%s", "");

	if (machine->iommu == IOMMU_INTEL)
		xml = join(xml, format("<iommu model='intel'/>\n"));
	if (machine->iommu == IOMMU_VIRTIO)
		xml = join(xml, format("<iommu model='virtio'/>\n"));
	return xml;
}

/*
 * A card without a network: what QEMU's own sends now and then, such as router advertisements,
 * would take the place of what the card is to receive in loopback.
 */
static char *card_xml(const struct machine *machine, unsigned int slot)
{
	return format("<qemu:arg value='-device'/>"
		      "<qemu:arg value='e1000,bus=%s,addr=0x%x,romfile='/>",
		      strcmp(machine_name(machine), "pc") ? "pcie.0" : "pci.0", slot);
}

char *machine_qemu_xml(const struct machine *machine)
{
	char *xml = machine->arch->qemu_xml(machine);

	for (unsigned int i = 0; i < machine->e1000s; i++)
		xml = join(xml, card_xml(machine, FIRST_SLOT + i));
	return xml;
}

const char *machine_name(const struct machine *machine)
{
	return machine->iommu == IOMMU_NONE ? machine->arch->board : machine->arch->iommu_board;
}

/*
 * Interrupts go past the IOMMU: on a busy host, a kernel that sends its timer's through it may
 * find that they come too late. Beside AMD's, those of QEMU 10's IO-APIC never come: the
 * kernel takes the interrupt controller of older machines instead.
 */
const char *machine_arguments(const struct machine *machine)
{
	switch (machine->iommu) {
	case IOMMU_NONE:
		return "";
	case IOMMU_INTEL:
		return "intel_iommu=on intremap=off";
	case IOMMU_AMD:
		return "noapic intremap=off";
	default:
		return "intremap=off";
	}
}

const char *machine_iommu_name(enum iommu iommu)
{
	static const char *const names[] = {
		[IOMMU_INTEL] = "intel",
		[IOMMU_AMD] = "amd",
		[IOMMU_VIRTIO] = "virtio",
	};

	return names[iommu];
}
