/* SPDX-License-Identifier: GPL-2.0 */
/* A process that notices when an observer changes it. */
#ifndef ATTACH_FRAGILE_H
#define ATTACH_FRAGILE_H

void fragile_run(void);

#endif /* ATTACH_FRAGILE_H */
