/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Count how often each block of code runs between MARK_BEGIN and MARK_END.
 */
#ifndef PLUGIN_PROFILE_H
#define PLUGIN_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

struct qemu_plugin_tb;

/* "profile=FILE"; returns false if @path cannot be written. */
bool profile_open(const char *path);

void profile_translate(struct qemu_plugin_tb *block);
void profile_begin(void);
void profile_end(void);

#endif
