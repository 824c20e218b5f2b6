/* SPDX-License-Identifier: GPL-2.0 */
/* A process that notices when an observer changes it. */
#ifndef VMM_FRAGILE_H
#define VMM_FRAGILE_H

void fragile_run(void);

#endif /* VMM_FRAGILE_H */
