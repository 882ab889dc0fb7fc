/* SPDX-License-Identifier: Apache-2.0 */
/* node - see node.h */
#include "inventory/node.h"
#include <string.h>

struct node *node_add(struct node_budget *b, struct node *parent, enum node_type type, char *key, unsigned line)
{
	struct node *n = b->left > 0 ? calloc(1, sizeof(*n)) : NULL;

	if (!n || (parent && GROW(parent->v, parent->n, parent->room) < 0)) {
		free(key);
		free(n);
		return NULL;
	}
	b->left--;
	*n = (struct node){ .type = type, .key = key, .line = line };
	if (parent)
		parent->v[parent->n++] = n;
	return n;
}

const struct node *node_get(const struct node *map, const char *key)
{
	if (!map || map->type != NODE_MAP)
		return NULL;
	for (size_t i = map->n; i-- > 0;)
		if (strcmp(map->v[i]->key, key) == 0)
			return map->v[i];
	return NULL;
}

const char *node_text(const struct node *map, const char *key)
{
	const struct node *n = node_get(map, key);

	return n && n->type == NODE_TEXT ? n->text : NULL;
}

void node_free(struct node *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->n; i++)
		node_free(n->v[i]);
	free(n->v);
	free(n->key);
	free(n->text);
	free(n);
}
