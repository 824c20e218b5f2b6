// SPDX-License-Identifier: GPL-2.0
#include <linux/slab.h>

#include "domain.h"

/**
 * struct domain - one domain of an mm, other than domain 0 of a mirror
 * @kept: in the chain
 * @id: its number, unique in the chain
 * @owner: page tables of the mirror that uses it, or NULL; under the registry lock
 * @pt: the page table; empty while there is no owner
 */
struct domain {
	struct secmmu_kept kept;
	unsigned int id;
	struct secmmu_roots *owner;
	struct secmmu_pgtable pt;
};

static struct domain *to_domain(struct secmmu_kept *kept)
{
	return container_of(kept, struct domain, kept);
}

/* Free a domain with its chain; must not sleep. Only the root table is left. */
static void domain_free(struct secmmu_kept *kept)
{
	struct domain *domain = to_domain(kept);

	secmmu_pgtable_destroy(&domain->pt, false);
	kfree(domain);
}

static struct domain *domain_alloc(unsigned int id)
{
	struct domain *domain;

	domain = kzalloc(sizeof(*domain), GFP_KERNEL_ACCOUNT);
	if (!domain)
		return NULL;
	domain->id = id;
	domain->kept.free = domain_free;
	if (secmmu_pgtable_init(&domain->pt)) {
		kfree(domain);
		return NULL;
	}
	return domain;
}

/*
 * Return the domain with the number of @new, or @new if there is none yet; NULL if another
 * mirror has it.
 */
static struct domain *claim_domain(struct secmmu_chain *chain, struct secmmu_roots *owner,
				   struct domain *new)
{
	struct secmmu_kept *kept;
	struct domain *found = new;

	spin_lock(&chain->registry);
	list_for_each_entry(kept, &chain->kept, link)
		if (to_domain(kept)->id == new->id)
			found = to_domain(kept);
	if (found == new)
		list_add(&new->kept.link, &chain->kept);
	if (found->owner && found->owner != owner)
		found = NULL;
	else
		found->owner = owner;
	spin_unlock(&chain->registry);
	return found;
}

/**
 * secmmu_domain_create - create a domain of a mirror
 * @roots: the page tables of the mirror
 * @chain: the chain of the mirror
 * @id: number of the domain, above zero
 *
 * Context: may sleep; takes mmap_lock for writing. Callers that create the same domain at
 * the same time get the same one.
 * Return: 0, also if the mirror has it already; -EBUSY if it is another mirror's,
 * -ESRCH if the mm is gone, -ENOMEM, -EINTR. An error leaves nothing behind.
 */
int secmmu_domain_create(struct secmmu_roots *roots, struct secmmu_chain *chain,
			 unsigned int id)
{
	struct domain *new, *domain;
	int err;

	if (secmmu_root(roots, id))
		return 0;
	new = domain_alloc(id);
	if (!new)
		return -ENOMEM;
	err = secmmu_chain_keep(chain);
	domain = err ? NULL : claim_domain(chain, roots, new);
	if (domain != new)
		domain_free(&new->kept);
	if (!domain)
		return err ?: -EBUSY;
	/* Pairs with the acquire in secmmu_root(). */
	smp_store_release(&roots->pt[id], &domain->pt);
	return 0;
}

static void disown_domains(struct secmmu_roots *roots, struct secmmu_chain *chain)
{
	struct secmmu_kept *kept;

	spin_lock(&chain->registry);
	list_for_each_entry(kept, &chain->kept, link)
		if (to_domain(kept)->owner == roots)
			to_domain(kept)->owner = NULL;
	spin_unlock(&chain->registry);
}

/**
 * secmmu_domains_leave - empty the domains of a mirror that ends, and give them up
 * @roots: the page tables of the mirror
 * @tlbs: the TLBs of the mirror, no longer in use
 * @spans: the spans of the mirror
 * @chain: the chain, which the mirror has left
 *
 * Context: may sleep.
 */
void secmmu_domains_leave(struct secmmu_roots *roots, struct secmmu_tlbs *tlbs,
			  struct secmmu_spans *spans, struct secmmu_chain *chain)
{
	struct secmmu_gather gather;
	unsigned int i;

	for (i = 1; i < SECMMU_MAX_DOMAINS; i++) {
		if (!roots->pt[i])
			continue;
		secmmu_gather_begin(&gather, tlbs, spans, true);
		secmmu_roots_zap(roots, &gather, BIT(i), 0, SECMMU_GFN_LAST);
		secmmu_gather_finish(&gather);
	}
	disown_domains(roots, chain);
}

/**
 * secmmu_roots_zap - drop the sptes of a range in several domains
 * @roots: the page tables
 * @gather: the invalidation
 * @domains: bit d: domain d, if there is one
 * @first: first gfn of the range
 * @last: last gfn of the range
 *
 * Context: as secmmu_gather_zap().
 */
void secmmu_roots_zap(struct secmmu_roots *roots, struct secmmu_gather *gather,
		      unsigned long domains, gfn_t first, gfn_t last)
{
	unsigned int i;

	for_each_set_bit(i, &domains, SECMMU_MAX_DOMAINS) {
		struct secmmu_pgtable *pt = secmmu_root(roots, i);

		if (pt)
			secmmu_gather_zap(gather, pt, first, last);
	}
}
