/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VMM_ATTACHOPTIONS_H
#define VMM_ATTACHOPTIONS_H

int attach_main(int argc, char **argv);

#endif /* VMM_ATTACHOPTIONS_H */
