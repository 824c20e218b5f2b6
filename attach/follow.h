/* SPDX-License-Identifier: GPL-2.0 */
/* A process and all that it forks, each looked at by a process of ours. */
#ifndef ATTACH_FOLLOW_H
#define ATTACH_FOLLOW_H

#include "attach.h"

int follow_run(const struct attach_options *options);

#endif /* ATTACH_FOLLOW_H */
