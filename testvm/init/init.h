/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the guest's init share. */
#ifndef TESTVM_INIT_H
#define TESTVM_INIT_H

#include <stddef.h>

/**
 * say() - print one line to the kernel's log
 * @format: as for printf, without a line feed
 *
 * One place, in order with the kernel's own messages.
 */
__attribute__((format(printf, 1, 2)))
void say(const char *format, ...);

/**
 * give_up() - end the run without a token, so that the host reports a failure
 * @what: could not be done, for the reason in errno
 */
__attribute__((noreturn))
void give_up(const char *what);

/**
 * read_file() - read a whole file
 * @path: the file
 * @size: where its size goes, or NULL
 *
 * Return: the content with a NUL behind it, to be freed, or NULL.
 */
char *read_file(const char *path, size_t *size);

/**
 * write_file() - write a text to a file that exists
 * @path: the file
 * @text: its content
 *
 * Complains if the file refuses the text, not if there is no such file.
 *
 * Return: 0 or -1.
 */
int write_file(const char *path, const char *text);

/**
 * load_modules() - load what the host put into GUEST_MODULES for the boot
 *
 * Gives up if one cannot be loaded. Those of KVM take an emulated CPU a fifth of its boot;
 * the kernel asks for them when /dev/kvm, which is there, is opened.
 */
void load_modules(void);

/**
 * load_kvm() - load what the host put there for KVM
 * @name: what the kernel asks for
 *
 * For a process which the kernel has started as its modprobe.
 *
 * Return: an exit status.
 */
int load_kvm(const char *name);

/**
 * checkup_begin() - forget what leaked before the command
 */
void checkup_begin(void);

/**
 * checkup_end() - tell what leaked, and whether lockdep has given up
 *
 * Only on kernels that watch for these.
 */
void checkup_end(void);

#endif
