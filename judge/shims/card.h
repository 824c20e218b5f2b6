/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JUDGE_SHIMS_CARD_H
#define JUDGE_SHIMS_CARD_H

#include <linux/pci.h>
#include <linux/types.h>

struct card_rings;

/* What it needs of the device's address space for itself, in bytes. */
#define CARD_MEMORY	PAGE_SIZE
/* Network packets that are shorter are filled up to this size. */
#define CARD_LEAST	60
#define CARD_MOST	4096

/**
 * struct card - an Intel e1000 that copies from one DMA address to another
 * @registers: of the device
 * @rings: descriptors, in memory of the caller's
 * @next: number of the descriptors that come next, the same in both rings
 *
 * No lock of its own: one caller at a time.
 */
struct card {
	void __iomem *registers;
	struct card_rings *rings;
	unsigned int next;
};

int card_start(struct card *card, struct pci_dev *pci, void *memory, dma_addr_t memory_dma);
void card_stop(struct card *card, struct pci_dev *pci);
int card_copy(struct card *card, dma_addr_t to, dma_addr_t from, size_t length);

#endif /* JUDGE_SHIMS_CARD_H */
