/* SPDX-License-Identifier: GPL-2.0 */
/* Where the threads of this process are, for one that does not end. */
#ifndef VMM_THREADS_H
#define VMM_THREADS_H

void threads_tell(int fd, const char *suspects);
void threads_write(int fd, const char *line);

#endif /* VMM_THREADS_H */
