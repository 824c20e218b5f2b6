// SPDX-License-Identifier: GPL-2.0
/* rdma_rxe with on-demand paging copies from and to the first byte of each page. */
#include "checks.h"
#include "found.h"

int main(int argc, char **argv)
{
	begin(argc, argv, "rxe-offset",
	      "Runs the judge's checks of offsets and lengths against rdma_rxe.");
	conclude_checks("rxe", "geometry-read geometry-write");
}
