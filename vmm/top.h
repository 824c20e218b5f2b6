/* SPDX-License-Identifier: GPL-2.0 */
/* A live view of all mirrors of the machine. */
#ifndef VMM_TOP_H
#define VMM_TOP_H

int top_main(int argc, char **argv);

#endif /* VMM_TOP_H */
