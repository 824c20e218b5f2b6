/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The version, which is the module's. A program that is linked with version.o has
 * --version, if it understands its command line by argp.
 */
#ifndef LIB_VERSION_H
#define LIB_VERSION_H

extern const char secmmu_version[];

#endif /* LIB_VERSION_H */
