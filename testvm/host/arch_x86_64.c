// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "arch.h"
#include "machine.h"
#include "util.h"

/* The boot protocol's header, in bytes from the start of the image. */
#define HEADER_MAGIC	0x202
#define HEADER_VERSION	0x20e
#define HEADER_BASE	0x200
#define HEADER_SIZE	0x8000

/* The release stands as text in the image's real-mode part. */
static char *image_release(const char *path)
{
	char header[HEADER_SIZE + 1] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint16_t version;
	ssize_t size;

	if (fd < 0)
		die("cannot read the kernel %s: %s", path, strerror(errno));
	size = read(fd, header, HEADER_SIZE);
	close(fd);
	if (size < HEADER_BASE + 0x100 || memcmp(header + HEADER_MAGIC, "HdrS", 4))
		die("%s is no bzImage", path);
	memcpy(&version, header + HEADER_VERSION, sizeof(version));
	if (!version || version + HEADER_BASE >= size)
		die("%s does not tell its release", path);
	return format("%.*s", (int)strcspn(header + HEADER_BASE + version, " "),
		      header + HEADER_BASE + version);
}

static char *features_xml(void)
{
	return format("<features><acpi/><apic/></features>\n");
}

/*
 * QEMU 7.2 emulates cmpxchg16b wrongly, which corrupts the slab allocator of kernels that
 * use it. Whether 10 does is not known. AMD's IOMMU cannot do without.
 *
 * A processor that is said to move bytes fast has the kernel clear and copy pages by the
 * byte. With -icount each of these ends a block of code, which took a third of a boot.
 */
static char *cpu_xml(const struct machine *machine)
{
	return format("%s%s", machine->kvm || machine->iommu == IOMMU_AMD ? "" :
		      "<feature policy='disable' name='cx16'/>",
		      machine->plain_moves ? "<feature policy='disable' name='erms'/>"
					     "<feature policy='disable' name='fsrm'/>" : "");
}

static char *serial_xml(unsigned int number)
{
	return format("<target port='%u'/>", number);
}

static char *qemu_xml(const struct machine *machine)
{
	/*
	 * The libvirt of Debian 12 does not know it. With QEMU's default of pt all DMA passes
	 * untranslated.
	 */
	return machine->iommu == IOMMU_AMD ?
		format("<qemu:arg value='-device'/><qemu:arg value='amd-iommu,intremap=off,pt=off'/>") :
		format("%s", "");
}

/*
 * No page tables of five levels: while the kernel looks at its first CPU's features anew, it
 * takes itself for one of four levels, and an interrupt then makes KASAN report a good
 * address. No test of the timer, which gives it ten ticks to come by a count of its own: on a
 * busy host they may not, and the kernel panics.
 *
 * If clocks count instructions, the kernel must neither distrust them nor calibrate
 * anything by them, for both end in endless loops.
 */
const struct arch arch_x86_64 = {
	.name = "x86_64",
	.libvirt = "x86_64",
	.suffix = "",
	.emulator = "qemu-system-x86_64",
	.emulator_folder = "qemu",
	.init = "init",
	.image = "bzImage",
	.board = "pc",
	.iommu_board = "q35",
	.console = "console=ttyS0",
	.arguments = "no5lvl no_timer_check",
	.deterministic_arguments = "tsc=reliable clocksource=tsc lpj=1000000",
	.stale_code = true,
	.busybox = "/bin/busybox",
	.image_release = image_release,
	.features_xml = features_xml,
	.cpu_xml = cpu_xml,
	.serial_xml = serial_xml,
	.qemu_xml = qemu_xml,
	.domain_xml = "",
};
