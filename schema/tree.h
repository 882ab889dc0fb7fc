/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree - a JSON text as an array of its values, in the order in which they stand
 *
 * Process:  shim, supervisor
 * Owns:     the nodes and the unescaped strings; the text itself stays the caller's and must outlive the tree
 * Returns:  0, -ENOMEM, or TREE_* (tree_error_text() words it)
 * Limits:   TREE_NODES_MAX values, TREE_DEPTH_MAX nested, TREE_BYTES_MAX bytes, NUMBER_EXPONENT_DIGITS (number.h)
 *
 * What is given has been judged by a parser before: objects without duplicate keys, valid UTF-8. Nothing here relies on
 * it for its safety. Strings without an escape point into the text; half of a surrogate pair keeps its own three bytes,
 * so that it equals nothing but itself.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"

enum { TREE_NODES_MAX = 1 << 19, TREE_DEPTH_MAX = 64, TREE_BYTES_MAX = 16 << 20 };

enum tree_type { TREE_NULL, TREE_BOOLEAN, TREE_NUMBER, TREE_STRING, TREE_ARRAY, TREE_OBJECT, TREE_TYPE_COUNT };

#define TREE_IS(type) (1u << TREE_##type)

/* X(enum, words) */
#define TREE_ERRORS(X)                                                                                                 \
	X(BAD_SYNTAX, "it is not valid JSON")                                                                          \
	X(TOO_DEEP, "it is nested too deep")                                                                           \
	X(TOO_LARGE, "it holds too many values")                                                                       \
	X(BAD_NUMBER, "it holds a number with an exponent out of all proportion")

enum tree_error {
	TREE_OK,
#define X(name, text) TREE_##name,
	TREE_ERRORS(X)
#undef X
		TREE_ERROR_COUNT
};

struct tree_node {
	const char *text; /* of a string its value, of a number as it was spelt */
	const char *key;  /* of a member */
	uint32_t len, key_len, key_hash;
	uint32_t end;	/* the node that follows this one and all in it */
	uint32_t count; /* of members or elements; of a boolean 1 for true */
	enum tree_type type;
};

struct tree {
	struct tree_node *nodes; /* the outermost value is node 0 */
	uint32_t n, cap;
	struct buf unescaped;
};

void tree_init(struct tree *t);
void tree_done(struct tree *t);
/* Gives memory back after a large text: the tree is empty then. Was it one? */
bool tree_trim(struct tree *t);
/* Replaces what the tree held. There is room for one node more than it has. */
int tree_read(struct tree *t, const char *text, size_t n) _must_check_;
const char *tree_error_text(int error);
uint32_t tree_hash(const char *p, size_t n);
/* The member of that name, or 0: no member is the outermost value. */
uint32_t tree_find(const struct tree *t, uint32_t object, const char *key, size_t n, uint32_t hash);
uint32_t tree_get(const struct tree *t, uint32_t object, const char *key);
/* Appends how a person would point to the node: root.path[2].name. What is shown is to be escaped. */
int tree_where(const struct tree *t, uint32_t node, const char *root, struct buf *b) _must_check_;

static inline bool tree_is(const struct tree *t, uint32_t node, enum tree_type type)
{
	return t->nodes[node].type == type;
}

/* The members or elements of a node, one after the other. */
#define TREE_EACH(t, child, node)                                                                                      \
	for (uint32_t child = (node) + 1, end_##child = (t)->nodes[node].end; child < end_##child;                     \
		child = (t)->nodes[child].end)
