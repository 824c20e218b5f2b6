/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Domains: views of a mirror, each with a page table of its own.
 *
 * Slots say which domains show them. The memory of a domain belongs to the mm: it is
 * created once and has no reference count. The chain keeps it, and stays itself until the
 * mm is released. The callback that frees the chain also frees its domains; it must not
 * sleep. A mirror that ends leaves its domains empty, and another mirror of the mm can
 * take them over.
 */
#ifndef SECMMU_DOMAIN_H
#define SECMMU_DOMAIN_H

#include "chain.h"
#include "flush.h"

/**
 * struct secmmu_roots - the page tables of a mirror
 * @pt: for each domain its page table, or NULL if there is no such domain; set
 *	once, before any fault in the domain, so no event misses an spte
 */
struct secmmu_roots {
	struct secmmu_pgtable *pt[SECMMU_MAX_DOMAINS];
};

/* The page table of a domain, or NULL. */
static inline struct secmmu_pgtable *secmmu_root(struct secmmu_roots *roots,
						 unsigned int domain)
{
	/* Pairs with the release in secmmu_domain_create(). */
	return smp_load_acquire(&roots->pt[domain]);
}

int secmmu_domain_create(struct secmmu_roots *roots, struct secmmu_chain *chain,
			 unsigned int id);
void secmmu_domains_leave(struct secmmu_roots *roots, struct secmmu_tlbs *tlbs,
			  struct secmmu_spans *spans, struct secmmu_chain *chain);
void secmmu_roots_zap(struct secmmu_roots *roots, struct secmmu_gather *gather,
		      unsigned long domains, gfn_t first, gfn_t last);

#endif
