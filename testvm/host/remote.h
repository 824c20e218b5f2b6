/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TESTVM_REMOTE_H
#define TESTVM_REMOTE_H

#include <libvirt/libvirt.h>

/**
 * remote_begin() - use the storage of a libvirt elsewhere
 * @connection: to it
 * @run: what the names of volumes begin with
 *
 * Ends the program with one sentence if it has no pool. What is left there goes when the
 * program ends by itself.
 */
void remote_begin(virConnectPtr connection, const char *run);

/**
 * remote_put() - copy a file there, or make an empty one
 * @name: its name there, after that of the run
 * @file: the file here, or NULL
 *
 * Ends the program with one sentence if that fails.
 *
 * Return: its path there, to be freed.
 */
char *remote_put(const char *name, const char *file);

/**
 * remote_listen() - have a serial line's output here while the VM runs
 * @domain: the VM, which does not run yet
 * @alias: of the serial line
 * @file: what gets the output
 */
void remote_listen(virDomainPtr domain, const char *alias, const char *file);

/**
 * remote_drain() - wait for the end of what remote_listen() passes on
 */
void remote_drain(void);

/**
 * remote_get() - copy a file here
 * @name: as for remote_put()
 * @file: the file here; what it has already is taken for the beginning
 *
 * Ends the program with one sentence if that fails.
 */
void remote_get(const char *name, const char *file);

/**
 * remote_end() - remove all files there
 */
void remote_end(void);

#endif
