// SPDX-License-Identifier: GPL-2.0
/*
 * QEMU's board "virt", whose kernel starts at EL2, so that the guest has KVM. The console is
 * the board's own serial line; the other three are PCI cards, ttyS0 to ttyS2 of the guest.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arch.h"
#include "machine.h"
#include "util.h"

/* The boot protocol's header: what stands where. */
#define HEADER_MAGIC	56
#define MAGIC		"ARM\x64"

/* What the kernel says first; its image is not compressed. */
#define BANNER		"Linux version "

/* PCI slots of the serial lines, from the second one on. */
#define FIRST_SLOT	0x8

static char *image_release(const char *path)
{
	size_t size;
	char *image = read_file(path, &size), *banner, *release;

	if (!image)
		die("cannot read the kernel %s: %s", path, strerror(errno));
	if (size < HEADER_MAGIC + 4 || memcmp(image + HEADER_MAGIC, MAGIC, 4))
		die("%s is no kernel for arm64 that is not compressed", path);
	banner = memmem(image, size, BANNER, strlen(BANNER));
	/* A format for the same sentence may stand before it. */
	while (banner && banner[strlen(BANNER)] == '%')
		banner = memmem(banner + 1, size - (banner + 1 - image), BANNER,
				strlen(BANNER));
	if (!banner)
		die("%s does not tell its release", path);
	banner += strlen(BANNER);
	release = format("%.*s", (int)strcspn(banner, " "), banner);
	free(image);
	return release;
}

static char *features_xml(void)
{
	return format("<features><gic version='3'/></features>\n");
}

static char *cpu_xml(const struct machine *machine)
{
	(void)machine;
	return format("%s", "");
}

static char *serial_xml(unsigned int number)
{
	if (!number)
		return format("%s", "");
	return format("<target type='pci-serial' port='%u'/>"
		      "<address type='pci' domain='0' bus='0' slot='0x%x' function='0'/>",
		      number, FIRST_SLOT + number);
}

/* The default algorithm of pointer authentication takes half of an emulated boot. */
static char *qemu_xml(const struct machine *machine)
{
	return format("<qemu:arg value='-machine'/><qemu:arg value='virtualization=on,acpi=off'/>%s",
		      machine->kvm ? "" :
		      "<qemu:arg value='-global'/>"
		      "<qemu:arg value='max-arm-cpu.pauth-impdef=on'/>");
}

/* The libvirt of Debian 12 has an option for this that QEMU 10 no longer has. */
static const char domain_xml[] =
	"<qemu:capabilities><qemu:del capability='no-acpi'/></qemu:capabilities>\n";

const struct arch arch_arm64 = {
	.name = "arm64",
	.libvirt = "aarch64",
	.suffix = "-arm64",
	.emulator = "qemu-system-aarch64",
	.emulator_folder = "qemu-arm64",
	.init = "init-arm64",
	.image = "Image",
	.board = "virt",
	.console = "console=ttyAMA0",
	.arguments = "",
	.deterministic_arguments = "",
	.image_release = image_release,
	.features_xml = features_xml,
	.cpu_xml = cpu_xml,
	.serial_xml = serial_xml,
	.qemu_xml = qemu_xml,
	.domain_xml = domain_xml,
};
