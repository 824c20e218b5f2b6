/* SPDX-License-Identifier: GPL-2.0 */
/* What driver/hooks.h has the driver include in a test build. */
#ifndef SECMMU_TEST_HOOKS_H
#define SECMMU_TEST_HOOKS_H

#include "control.h"
#include "delay.h"
#include "gate.h"
#include "oracle.h"
#include "refresh.h"

#endif
