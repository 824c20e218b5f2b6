// SPDX-License-Identifier: GPL-2.0
/*
 * An Intel e1000 network card as a DMA engine, of which QEMU has one: with its transceiver in
 * loopback, it stores at one address the packet that it has fetched from another. Registers
 * and descriptors are those of Intel's "PCI/PCI-X Family of Gigabit Ethernet Controllers
 * Software Developer's Manual", chapters 3 and 13.
 */
#include <linux/build_bug.h>
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/iopoll.h>
#include <linux/mii.h>
#include "card.h"

#define CTRL		0x0000
#define CTRL_SLU	BIT(6)		/* link up */
#define CTRL_RST	BIT(26)
#define MDIC		0x0020
#define MDIC_PHY	(1 << 21)
#define MDIC_WRITE	BIT(26)
#define RCTL		0x0100
#define RCTL_EN		BIT(1)
#define RCTL_UPE	BIT(3)		/* whatever its address is */
#define RCTL_MPE	BIT(4)
#define RCTL_LPE	BIT(5)		/* long packets */
#define RCTL_BAM	BIT(15)
#define RCTL_SIZE_8K	(2 << 16 | BIT(25))
#define RCTL_SECRC	BIT(26)		/* without its checksum */
#define TCTL		0x0400
#define TCTL_EN		BIT(1)
#define TCTL_PSP	BIT(3)
#define RDBAL		0x2800
#define TDBAL		0x3800
/* Of each ring, from its base register on. */
#define RING_HIGH	0x04
#define RING_LENGTH	0x08
#define RING_HEAD	0x10
#define RING_TAIL	0x18

#define SEND_LAST	BIT(24)
#define SEND_CHECKSUM	BIT(25)
#define SEND_REPORT	BIT(27)
#define RECEIVED	BIT(0)

/* The smallest ring there is: 128 bytes. */
#define ENTRIES		8

/* QEMU's card receives nothing for a second after it was told to. */
#define START_MS	1200
#define COPY_TIMEOUT_US	100000

/**
 * struct card_rings - what the card reads and writes of its own
 * @send: packets to fetch
 * @receive: where to store packets
 */
struct card_rings {
	struct {
		__le64 address;
		__le32 command;
		__le32 status;
	} send[ENTRIES];
	struct {
		__le64 address;
		__le16 length;
		__le16 checksum;
		u8 status;
		u8 errors;
		__le16 special;
	} receive[ENTRIES];
};

static_assert(sizeof(struct card_rings) == 2 * ENTRIES * 16);

static void set_ring(struct card *card, unsigned int base, dma_addr_t ring)
{
	void __iomem *registers = card->registers + base;

	writel(lower_32_bits(ring), registers);
	writel(upper_32_bits(ring), registers + RING_HIGH);
	writel(ENTRIES * 16, registers + RING_LENGTH);
	writel(0, registers + RING_HEAD);
	writel(0, registers + RING_TAIL);
}

/**
 * card_start - make the card ready to copy
 * @card: filled
 * @pci: the device, managed and enabled, and allowed to do DMA to @memory_dma
 * @memory: CARD_MEMORY bytes for the rings
 * @memory_dma: where the device has them
 *
 * Context: sleeps for more than a second.
 * Return: 0, or a negative errno if its registers cannot be mapped.
 */
int card_start(struct card *card, struct pci_dev *pci, void *memory, dma_addr_t memory_dma)
{
	card->registers = pcim_iomap_region(pci, 0, KBUILD_MODNAME);
	if (IS_ERR(card->registers))
		return PTR_ERR(card->registers);
	card->rings = memory;
	card->next = 0;
	pci_set_master(pci);
	writel(CTRL_RST, card->registers + CTRL);
	usleep_range(10000, 20000);
	writel(CTRL_SLU, card->registers + CTRL);
	writel(MDIC_WRITE | MDIC_PHY | MII_BMCR << 16 |
	       BMCR_LOOPBACK | BMCR_FULLDPLX | BMCR_SPEED1000, card->registers + MDIC);
	usleep_range(1000, 2000);
	set_ring(card, TDBAL, memory_dma + offsetof(struct card_rings, send));
	set_ring(card, RDBAL, memory_dma + offsetof(struct card_rings, receive));
	writel(RCTL_EN | RCTL_UPE | RCTL_MPE | RCTL_LPE | RCTL_BAM | RCTL_SIZE_8K | RCTL_SECRC,
	       card->registers + RCTL);
	writel(TCTL_EN | TCTL_PSP, card->registers + TCTL);
	msleep(START_MS);
	return 0;
}

/**
 * card_stop - end all DMA
 * @card: that was started
 * @pci: its device
 */
void card_stop(struct card *card, struct pci_dev *pci)
{
	writel(CTRL_RST, card->registers + CTRL);
	pci_clear_master(pci);
}

/**
 * card_copy - copy within the device's address space
 * @card: that was started
 * @to: where it stores; at least %CARD_LEAST bytes are overwritten
 * @from: where it fetches
 * @length: bytes, up to %CARD_MOST
 *
 * What the IOMMU does not let the card do is not done, and that is no error here.
 *
 * Context: any; spins until the copy is done, which QEMU does within writel().
 * Return: 0, or -EIO if the card does not do it.
 */
int card_copy(struct card *card, dma_addr_t to, dma_addr_t from, size_t length)
{
	typeof(card->rings->receive[0]) *receive = &card->rings->receive[card->next];
	typeof(card->rings->send[0]) *send = &card->rings->send[card->next];
	u8 status;

	receive->address = cpu_to_le64(to);
	receive->status = 0;
	send->address = cpu_to_le64(from);
	send->command = cpu_to_le32(length | SEND_LAST | SEND_CHECKSUM | SEND_REPORT);
	send->status = 0;
	card->next = (card->next + 1) % ENTRIES;
	/* The card may look at the descriptors once it knows of them: writel() orders that. */
	writel(card->next, card->registers + RDBAL + RING_TAIL);
	writel(card->next, card->registers + TDBAL + RING_TAIL);
	return read_poll_timeout_atomic(READ_ONCE, status, status & RECEIVED, 1, COPY_TIMEOUT_US,
					false, receive->status) ? -EIO : 0;
}
