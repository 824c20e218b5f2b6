// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "act.h"
#include "op.h"

#define USES(name, what, count)	{ name, what, count, false }
#define MAKES(name, what, count) { name, what, count, true }
#define DEVICE		USES("device", MEANS_DEVICE, NR_DEVICES)
#define MIRROR		USES("mirror", MEANS_MIRROR, NR_MIRRORS)
#define ENGINE		USES("engine", MEANS_ENGINE, NR_ENGINES)
#define A_FILE		USES("file", MEANS_FILE, NR_FILES)
#define CHILD		USES("child", MEANS_CHILD, NR_CHILDREN)
#define AT		USES("page", MEANS_PAGE, ARENA_PAGES)
#define GPAGE		USES("gpage", MEANS_GPAGE, GUEST_PAGES)
#define PAGES		USES("pages", MEANS_PAGES, ARENA_PAGES)
#define SLOT		USES("slot", MEANS_SLOT, 8)
#define TWIST		USES("twist", MEANS_TWIST, NR_TWISTS)
#define FLAGS(bits)	USES("flags", MEANS_BITS, bits)
#define CHOICE(name, count) USES(name, MEANS_CHOICE, count)
#define BYTE		USES("byte", MEANS_BYTE, PAGE)
#define BYTES		USES("bytes", MEANS_BYTES, 4 * PAGE)
#define BUFFER		CHOICE("buffer", NR_BUFFERS)
#define SELDOM(name, count) USES(name, MEANS_SELDOM, count)
#define TAG		SELDOM("tag", NR_TAGS)
/* Of those that there can be, few, so that they meet. */
#define KEYS		4
#define DOMAINS		4

const struct op_kind op_kinds[] = {
	{ "open", 3, act_open, { MAKES("device", MEANS_DEVICE, NR_DEVICES) } },
	{ "info", 1, act_info, { DEVICE, TWIST } },
	/* Of whom: 0 the caller, 1 .. the children, then the program, then nobody. */
	{ "mirror", 8, act_mirror, {
		DEVICE, MAKES("mirror", MEANS_MIRROR, NR_MIRRORS),
		CHOICE("policy", 5), CHOICE("batch", 5),
		CHOICE("of", NR_CHILDREN + 3), TWIST, SELDOM("tag-bits", 4),
		SELDOM("flags", 4) } },
	{ "slot", 8, act_slot, {
		MIRROR, SLOT, GPAGE, AT, PAGES, FLAGS(4), TWIST,
		SELDOM("key", KEYS), USES("domains", MEANS_BITS, 1 << DOMAINS) } },
	{ "engine", 6, act_engine, {
		MIRROR, MAKES("engine", MEANS_ENGINE, NR_ENGINES), FLAGS(16), TWIST } },
	{ "stats", 1, act_stats, { MIRROR, TWIST } },
	{ "prefault", 10, act_prefault, {
		MIRROR, GPAGE, PAGES, FLAGS(4), TWIST,
		SELDOM("domain", DOMAINS) } },
	{ "dirty-log", 5, act_dirty_log, {
		MIRROR, SLOT, USES("first", MEANS_PAGES, ARENA_PAGES), PAGES, BUFFER,
		TWIST } },
	{ "tag-bits", 3, act_tag_bits, { MIRROR, CHOICE("tag-bits", 4), TWIST } },
	/* Test builds only: another way to tell engines of it. */
	{ "refresh", 1, act_refresh, { MIRROR, CHOICE("policy", 3) } },
	{ "key", 3, act_key, { MIRROR, CHOICE("key", KEYS), SELDOM("free", 2), TWIST } },
	{ "rights", 4, act_rights, {
		ENGINE, CHOICE("key", KEYS), USES("rights", MEANS_BITS, 4),
		SELDOM("get", 2), TWIST } },
	{ "domain", 4, act_domain, { MIRROR, CHOICE("domain", DOMAINS), TWIST } },
	{ "enter", 6, act_enter, { ENGINE, CHOICE("domain", DOMAINS), TWIST } },
	{ "attach", 6, act_attach, {
		ENGINE, MIRROR, SELDOM("domain", DOMAINS), TWIST } },
	{ "detach", 2, act_detach, { ENGINE, TWIST } },
	{ "job", 8, act_job, {
		ENGINE, GPAGE, BYTE, PAGES, FLAGS(2), BUFFER, TAG, TWIST } },
	{ "wait-job", 2, act_wait_job, { ENGINE, TWIST } },
	/* Test builds only: a whole event, or aging, that nothing else caused. */
	{ "event", 3, act_event, { MIRROR, AT, PAGES, FLAGS(32) } },
	{ "read", 20, act_read, { ENGINE, GPAGE, BYTE, BYTES, BUFFER, TAG } },
	{ "write", 20, act_write, { ENGINE, GPAGE, BYTE, BYTES, BUFFER, TAG } },
	/* What: 0 a device, 1 a mirror, 2 an engine, 3 a file. */
	{ "odd", 3, act_odd, {
		CHOICE("what", 4), CHOICE("number", 4), CHOICE("call", NR_ODD) } },
	{ "close", 6, act_close, { CHOICE("what", 4), CHOICE("number", 4) } },
	{ "dup", 2, act_dup, {
		CHOICE("what", 4), CHOICE("number", 4), CHOICE("into", 4) } },
	{ "debugfs", 2, act_debugfs, { CHOICE("file", 8) } },

	{ "file", 3, act_file, { MAKES("file", MEANS_FILE, NR_FILES), PAGES } },
	{ "map", 12, act_map, {
		AT, PAGES, CHOICE("kind", NR_MAPS), FLAGS(8), A_FILE } },
	{ "unmap", 6, act_unmap, { AT, PAGES } },
	{ "protect", 8, act_protect, { AT, PAGES, FLAGS(8) } },
	{ "move", 6, act_move, {
		AT, PAGES, USES("to", MEANS_PAGE, ARENA_PAGES), CHOICE("keep", 2) } },
	{ "advise", 20, act_advise, { AT, PAGES, CHOICE("advice", NR_ADVICE) } },
	{ "touch", 12, act_touch, { AT, PAGES, CHOICE("write", 2) } },
	{ "lock", 2, act_lock, { AT, PAGES, CHOICE("on", 3) } },
	{ "truncate", 2, act_truncate, { A_FILE, PAGES } },
	{ "punch", 2, act_punch, { A_FILE, AT, PAGES } },
	{ "clear-refs", 2, act_clear_refs, { CHOICE("value", 6) } },
	{ "compact", 1, act_compact, { { 0 } } },

	{ "fork", 8, act_fork, {
		MAKES("child", MEANS_CHILD, NR_CHILDREN), CHOICE("life", NR_LIVES),
		AT, PAGES, CHOICE("engine", NR_ENGINES) } },
	{ "kill", 4, act_kill, { CHILD, CHOICE("wait", 3) } },
	{ "remote", 4, act_remote, { CHILD, CHOICE("call", NR_REMOTES), AT, PAGES } },
	{ "exec", 1, act_exec, { { 0 } } },
	{ "exit", 1, act_exit, { CHOICE("really", 2) } },
	{ "signal", 2, act_signal, { CHOICE("thread", NR_THREADS) } },
	{ "drop", 1, act_drop, { { 0 } } },
	{ "nap", 2, act_nap, { CHOICE("long", 4) } },
};

const unsigned int nr_op_kinds = sizeof(op_kinds) / sizeof(*op_kinds);

/**
 * op_find - the operation of a name
 * @name: its name
 * @length: of the name, which need not end there
 *
 * Return: its index, or -1.
 */
int op_find(const char *name, unsigned int length)
{
	for (unsigned int i = 0; i < nr_op_kinds; i++)
		if (!strncmp(op_kinds[i].name, name, length) &&
		    !op_kinds[i].name[length])
			return i;
	return -1;
}

/**
 * op_args - how many arguments a kind of operation takes
 * @kind: its index
 *
 * Return: their number.
 */
unsigned int op_args(unsigned int kind)
{
	unsigned int n = 0;

	while (op_kinds[kind].arg[n].name)
		n++;
	return n;
}
