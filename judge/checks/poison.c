// SPDX-License-Identifier: GPL-2.0
/* Memory that the hardware says is broken. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include "check.h"

#define PAGE_NUMBER	3

/* Some kernels send the signal at once, and not when the page is touched. */
static void ignore_signal(int number)
{
	(void)number;
}

CHECK(poison, .summary = "a page that is poisoned cannot be accessed")
{
	char *page = page_at(trial, PAGE_NUMBER);

	signal(SIGBUS, ignore_signal);
	expect_write(trial, page);
	if (madvise(page, PAGE, MADV_HWPOISON))
		skip(trial, "the kernel cannot poison memory: %s", strerror(errno));
	expect_hole(trial, page);
	/* The address is good again with another page. */
	map_anon(trial, page, PAGE, PROT_READ | PROT_WRITE);
	expect_read(trial, page, 0);
	expect_write(trial, page);
}
