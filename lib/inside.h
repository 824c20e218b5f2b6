/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whose machine is this? Programs that change the machine they run on do so in the
 * test VM, and elsewhere only when they are told to in words. Scripts have the same in
 * check/guest/inside.sh.
 */
#ifndef LIB_INSIDE_H
#define LIB_INSIDE_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* testvm puts it into each of its guests. */
#define INSIDE_MARK	"/testvm/inside"
/* "yes" in it means that the machine may be changed. */
#define INSIDE_VARIABLE	"SECMMU_ON_THIS_MACHINE"

/**
 * inside_or_told() - may this program change the machine?
 *
 * Return: true in the test VM, or if the environment says so.
 */
static inline bool inside_or_told(void)
{
	const char *told = getenv(INSIDE_VARIABLE);

	return !access(INSIDE_MARK, F_OK) || (told && !strcmp(told, "yes"));
}

/**
 * is_emulated() - does QEMU emulate the test VM's processors?
 *
 * It loses the state of a vCPU of a nested guest now and then.
 *
 * Return: true if testvm has said so.
 */
static inline bool is_emulated(void)
{
	const char *accel = getenv("SECMMU_ACCEL");

	return accel && !strcmp(accel, "tcg");
}

#endif
