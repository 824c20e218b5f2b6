/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What testvm on the host and its init in the guest agree on.
 *
 * Serial lines: the first is the kernel's console, the second carries the token, the
 * third the files of /out as a tar stream, the fourth the command's output. Without the
 * token a run has failed, whatever else it printed: a panic, a hang and a
 * power-off by someone else cannot write it.
 */
#ifndef TESTVM_GUEST_H
#define TESTVM_GUEST_H

/* On arm64 the console, ttyAMA0, is of another kind, and does not count. */
#ifdef __aarch64__
#define GUEST_TOKEN	"/dev/ttyS0"
#define GUEST_FILES	"/dev/ttyS1"
#define GUEST_OUTPUT	"/dev/ttyS2"
#else
#define GUEST_TOKEN	"/dev/ttyS1"
#define GUEST_FILES	"/dev/ttyS2"
#define GUEST_OUTPUT	"/dev/ttyS3"
#endif

/* Followed by "exit STATUS", "signal NUMBER" or "timeout", and a line feed. */
#define TOKEN_PREFIX	"secmmu-testvm 1 "

/* NUL-separated arguments of the command. */
#define GUEST_ARGV	"/testvm/argv"
/* NUL-separated NAME=VALUE strings for the command's environment. */
#define GUEST_ENV	"/testvm/env"
/*
 * One "WHEN CONDITION PATH" per line in load order: at boot, or when somebody opens
 * /dev/kvm; a CPU flag or "always".
 */
#define GUEST_MODULES	"/testvm/modules"
#define GUEST_AT_BOOT	"boot"
#define GUEST_FOR_KVM	"kvm"
/* The seconds of the guest's clock that the command may take; or it does not exist. */
#define GUEST_LIMIT	"/testvm/limit"
/* Exists when the host wants the files of /out. */
#define GUEST_WANT_OUT	"/testvm/want-out"
/* Exists when QEMU's emulation errs while KVM's first machine is made. */
#define GUEST_KEEP_MACHINE	"/testvm/keep-machine"
/* Exists when tracepoints are to be on, and /out/trace to get what they wrote. */
#define GUEST_TRACE	"/testvm/trace"
/*
 * What the host looks for on the console, one word list per line, for a command that
 * wants to know which part of it the kernel complained about: words that offend, and
 * words that excuse a line.
 */
#define GUEST_COMPLAINTS	"/testvm/complaints"
#define GUEST_HARMLESS		"/testvm/harmless"

/* Exit statuses of testvm that are not the command's. */
enum testvm_status {
	STATUS_EMULATION = 123,		/* emulation spoilt the run: says nothing */
	STATUS_TIMEOUT = 124,		/* the VM did not end in time */
	STATUS_VM = 125,		/* no token, or the kernel complained */
	STATUS_SETUP = 126,		/* nothing was run */
	STATUS_NOT_FOUND = 127,		/* the guest could not execute it */
};

#endif
