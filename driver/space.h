/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The address spaces of an engine. It is attached to one mirror, in one domain, and keeps
 * a few more loaded that it has left, to come back to them cheaply.
 *
 * A loaded space has TLB entries, under a small number (ASID), and the mode, which says
 * which bits of an address count. A TLB entry is void if the mirror's generation has moved.
 * The mode has no generation, and equal TLB generations prove nothing about it. So a change
 * of the mode writes it into every engine that has the mirror loaded, attached or not, and
 * then waits for open windows:
 *
 *	engine loads a mirror			mode changes
 *	---------------------			------------
 *	loaded lock				loaded lock
 *	join the mirror's list			change the mirror's mode
 *	copy the mirror's mode			change all copies on the list
 *	unlock					unlock
 *	window: read the copy, once		wait for open windows
 *
 * A mirror that ends takes engines off its list. They find loaded spaces by the id of the
 * mirror, which no other mirror ever has, so they never find these again.
 */
#ifndef SECMMU_SPACE_H
#define SECMMU_SPACE_H

#include "mirror.h"
#include "tlb.h"

/**
 * struct secmmu_space - one loaded address space
 * @mirror_id: its mirror, or zero
 * @domain: its domain
 * @asid: its number in the TLB
 * @pt: page table of the domain; valid while the engine is attached
 * @untag: the mode; written under the loaded lock
 * @looked: test builds: for secmmu_refresh()
 * @used: value of &secmmu_spaces.clock when the engine last switched to it
 * @link: in &secmmu_mirror.loaded, unless that mirror has ended
 */
struct secmmu_space {
	u64 mirror_id;
	unsigned int domain;
	unsigned int asid;
	struct secmmu_pgtable *pt;
	u64 untag;
	struct secmmu_looked looked;
	u64 used;
	struct list_head link;
};

/**
 * struct secmmu_spaces - the address spaces of an engine; under its lock
 * @mirror: the mirror that the engine is attached to, or NULL; a reference is held
 * @current_space: the space that it works in; valid while attached
 * @clock: counts switches
 * @space: all spaces
 * @tlb: the TLB
 */
struct secmmu_spaces {
	struct secmmu_mirror *mirror;
	struct secmmu_space *current_space;
	u64 clock;
	struct secmmu_space space[SECMMU_ASIDS];
	struct secmmu_tlb tlb;
};

void secmmu_spaces_init(struct secmmu_spaces *spaces);
void secmmu_spaces_destroy(struct secmmu_spaces *spaces);
int secmmu_spaces_attach(struct secmmu_spaces *spaces,
			 struct secmmu_mirror *mirror, unsigned int domain);
void secmmu_spaces_detach(struct secmmu_spaces *spaces);
int secmmu_spaces_enter(struct secmmu_spaces *spaces, unsigned int domain);

int secmmu_set_tag_bits(struct secmmu_mirror *mirror, u32 bits);
void secmmu_freeze_tag_bits(struct secmmu_mirror *mirror);

/**
 * secmmu_space_address - compute the address of a piece of a transfer
 * @spaces: the engine's, attached
 * @window: the window
 * @gpa: where the transfer begins, as the user of the engine gave it
 * @done: bytes of the transfer before this piece
 *
 * The tag belongs to the transfer, so the sum is made without it. Behind the last address
 * comes no address, rather than the first one with the next tag.
 *
 * Context: in the window.
 * Return: the gpa of the piece without a tag. Bits beyond the address may be set.
 */
static inline u64 secmmu_space_address(struct secmmu_spaces *spaces,
				       const struct secmmu_window *window, u64 gpa,
				       u64 done)
{
	struct secmmu_space *space = spaces->current_space;

	secmmu_refresh(spaces->mirror, space, window->gen);
	return (gpa & READ_ONCE(space->untag)) + done;
}

/**
 * secmmu_space_carries - check whether the next address would have another tag
 * @spaces: the engine's, attached
 * @gpa: where the transfer began, as the user of the engine gave it
 * @done: its bytes
 *
 * Context: the engine is locked.
 * Return: true if the transfer has come to the end of the address space.
 */
static inline bool secmmu_space_carries(const struct secmmu_spaces *spaces, u64 gpa,
					u64 done)
{
	u64 untag = READ_ONCE(spaces->current_space->untag);

	return ((gpa + done) & untag) != (gpa & untag) + done;
}

#endif
