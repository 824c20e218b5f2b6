/* SPDX-License-Identifier: GPL-2.0 */
/* Demonstrations: a known bug, shown by a test build of the driver in a second. */
#ifndef VMM_DEMO_H
#define VMM_DEMO_H

int demo_lam_switch(void);

#endif /* VMM_DEMO_H */
