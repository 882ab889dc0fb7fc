/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table - where MCP clients keep their servers, and in which shape
 *
 * Process:  inventory
 *
 * A new client is a row of table.c, one of CONFIGS in tests/integration/test_inventory.py, and a line of
 * stockade-inventory(1).
 */
#pragma once
#include <stdbool.h>
#include "inventory/node.h"

enum place_base {
	PLACE_HOME,
	PLACE_CONFIG, /* $XDG_CONFIG_HOME, else ~/.config */
	PLACE_ENV,    /* the directory that the variable names, else below home: "VARIABLE:FALLBACK" in dir */
	PLACE_SYSTEM, /* an absolute path */
	PLACE_PROJECT,
};

typedef int parse_fn(const char *text, size_t n, struct node **ret, struct diag *d);

struct place {
	const char *client;
	enum place_base base;
	const char *dir; /* PLACE_ENV */
	const char *path;
	parse_fn *parse;
	const char *keys[3]; /* the way to the servers */
};

extern const struct place places[];
extern const size_t places_n;
