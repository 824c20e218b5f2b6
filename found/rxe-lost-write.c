// SPDX-License-Identifier: GPL-2.0
/* rdma_rxe with on-demand paging does not mark pages dirty, as hmm-lost-write.c. */
#include "checks.h"
#include "found.h"

int main(int argc, char **argv)
{
	begin(argc, argv, "rxe-lost-write",
	      "Runs the judge's checks against rdma_rxe that reclaim what was written.");
	conclude_checks("rxe", "stays-free stays-free-mapped stays-memfd");
}
