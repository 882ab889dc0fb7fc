/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill_show - what is killed, as other commands tell it
 *
 * Process:  supervisor
 */
#pragma once
#include <stdio.h>
#include "supervisor/kill/kill_set.h"

/* The entries that hit the server or tools of it, an array; NULL: out of memory. */
json_t *kill_show_json(const struct kill_set *set, const char *server);
/* How many tools of it are killed, by entries. */
size_t kill_show_tools(const struct kill_set *set, const char *server);
/* A line for each entry of that array, under a title; nothing for none. */
void kill_show_lines(FILE *out, const json_t *entries, const char *title);
