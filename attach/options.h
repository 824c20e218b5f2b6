/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ATTACH_OPTIONS_H
#define ATTACH_OPTIONS_H

int attach_main(int argc, char **argv);

#endif /* ATTACH_OPTIONS_H */
