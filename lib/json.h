/* SPDX-License-Identifier: GPL-2.0 */
/* A file with one JSON object, for other programs. */
#ifndef LIB_JSON_H
#define LIB_JSON_H

#include <stdint.h>
#include <stdio.h>

int json_writable(const char *path);
FILE *json_open(const char *path, const char *schema);
void json_text(FILE *file, const char *text);
void json_string(FILE *file, const char *key, const char *text);
void json_number(FILE *file, const char *key, uint64_t value);
int json_close(FILE *file, const char *path);

#endif
