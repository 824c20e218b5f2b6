/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECMMU_ENGINE_H
#define SECMMU_ENGINE_H

#include "mirror.h"

int secmmu_engine_open(struct secmmu_mirror *mirror, u32 flags);

#endif
