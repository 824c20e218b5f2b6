/* SPDX-License-Identifier: GPL-2.0 */
/*
 * JSON for other programs: one object, of members that may be objects and lists. A file
 * is written whole or not at all, a member a line; a stream gets one line.
 */
#ifndef LIB_JSON_H
#define LIB_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_DEPTH	8

/**
 * struct json - an object that is being written
 * @file: where to
 * @target: the file in the end; NULL for a stream
 * @draft: what it is called until it is whole; NULL if @target is no regular file
 * @close: what ends the objects and lists that are open
 * @depth: how many are
 * @behind: something is in the innermost already
 * @compact: no spaces
 */
struct json {
	FILE *file;
	char *target;
	char *draft;
	char close[JSON_DEPTH];
	unsigned int depth;
	bool behind;
	bool compact;
};

int json_writable(const char *path);
int json_create(struct json *json, const char *path, const char *schema);
int json_finish(struct json *json);

/* On a stream; @brackets: "{}" or "[]". @json has zeroes, or is compact. */
void json_begin(struct json *json, FILE *stream, const char *brackets);

/* Members; in a list @key is NULL. */
void json_string(struct json *json, const char *key, const char *text);
void json_number(struct json *json, const char *key, uint64_t value);
void json_real(struct json *json, const char *key, double value);
void json_null(struct json *json, const char *key);
void json_object(struct json *json, const char *key);
void json_list(struct json *json, const char *key);
/* Members "version" and "kernel". */
void json_origin(struct json *json);
/* The end of the innermost object or list. */
void json_end(struct json *json);

#endif /* LIB_JSON_H */
