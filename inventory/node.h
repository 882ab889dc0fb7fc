/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node - a configuration file as a tree of maps, lists and texts, whatever it is written in
 *
 * Process:  inventory
 * Owns:     what is below a node; free with node_free
 * Returns:  0, -EINVAL with line and words, -E2BIG, -ENOMEM
 * Limits:   NODE_DEPTH_MAX deep, NODES_MAX in a file
 *
 * Numbers, booleans and null are texts in their spelling: nobody counts with them here. Of a key that comes twice the
 * last counts, as in the clients.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "base/diag.h"
#include "inventory/role.h"

enum { NODE_DEPTH_MAX = 64, NODES_MAX = 500000 };

enum node_type { NODE_TEXT, NODE_LIST, NODE_MAP };

struct node {
	enum node_type type;
	char *key; /* of a map's member; else NULL */
	char *text;
	unsigned line;
	struct node **v;
	size_t n, room;
};

struct node_budget {
	unsigned left;
};

/* A new node, the last of parent's (NULL: of nobody's); takes key. NULL: out of memory or over the limit. */
struct node *node_add(struct node_budget *b, struct node *parent, enum node_type type, char *key, unsigned line);
/* The member called key; NULL: there is none, or this (which may be NULL) is no map. */
const struct node *node_get(const struct node *map, const char *key);
/* The text of a member, or NULL. */
const char *node_text(const struct node *map, const char *key);
void node_free(struct node *n);
static inline void node_freep(struct node **n)
{
	node_free(*n);
}
#define _cleanup_node_ _cleanup_(node_freep)

/* text: n bytes with a NUL after them. */
int json_parse(const char *text, size_t n, struct node **ret,
	struct diag *d) _must_check_; /* with comments and trailing commas */
int toml_parse(const char *text, size_t n, struct node **ret, struct diag *d) _must_check_;
int yaml_parse(const char *text, size_t n, struct node **ret, struct diag *d) _must_check_;
