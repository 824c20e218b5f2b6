/* SPDX-License-Identifier: GPL-2.0 */
/* Files of the kernel that hold a word; nothing is allocated. */
#ifndef STORM_TEXT_H
#define STORM_TEXT_H

int text_write(const char *path, const char *text);
unsigned long text_number(const char *path);

#endif /* STORM_TEXT_H */
