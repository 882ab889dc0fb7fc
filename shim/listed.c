/* SPDX-License-Identifier: Apache-2.0 */
/* listed - see listed.h */
#include "shim/listed.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "shim/keyed.h"

enum { FIRST_SLOTS = 64 };

void listed_done(struct listed *l)
{
	free(l->slots);
	*l = (struct listed){ 0 };
}

void listed_begin(struct listed *l, bool first, bool paged)
{
	if (first)
		listed_done(l);
	l->page++;
	l->paged = paged;
}

_Static_assert((int)LISTED_DIGEST_BYTES == (int)KEYED_BYTES, "no server can choose names that share a slot");

/* The slot of that name, or the empty one where it belongs. */
static struct listed_entry *find(struct listed_entry *slots, size_t cap, const uint8_t *name)
{
	uint64_t hash;

	memcpy(&hash, name, sizeof(hash));
	for (size_t i = hash & (cap - 1);; i = (i + 1) & (cap - 1))
		if (slots[i].page == 0 || memcmp(slots[i].name, name, LISTED_DIGEST_BYTES) == 0)
			return &slots[i];
}

static size_t limit_of(const struct listed *l)
{
	return l->paged ? LISTED_PAGED_MAX : LISTED_MAX;
}

/* Never more than half full, so that a look-up meets an empty slot. */
static int make_room(struct listed *l)
{
	size_t cap = l->cap ? 2 * l->cap : FIRST_SLOTS;
	struct listed_entry *slots;

	if (2 * (l->n + 1) <= l->cap || l->n >= limit_of(l))
		return 0;
	slots = calloc(cap, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < l->cap; i++)
		if (l->slots[i].page)
			*find(slots, cap, l->slots[i].name) = l->slots[i];
	free(l->slots);
	l->slots = slots;
	l->cap = cap;
	return 0;
}

int listed_keep(struct listed *l, uint64_t secret, struct slice name, struct slice item, uint32_t at, bool *ret)
{
	struct listed_entry new = { .page = l->page, .at = at }, *e;
	int r = make_room(l);

	*ret = false;
	if (r < 0)
		return r;
	keyed_digest(secret, KEYED_LISTED_NAME, name, new.name);
	if (l->paged)
		keyed_digest(secret, KEYED_LISTED_ITEM, item, new.item);
	e = find(l->slots, l->cap, new.name);
	if (e->page == l->page) {
		*ret = e->at == at;
		return 0;
	}
	if (e->page ? memcmp(e->item, new.item, LISTED_DIGEST_BYTES) != 0 : l->n >= limit_of(l))
		return 0;
	l->n += e->page == 0;
	*e = new;
	*ret = true;
	return 0;
}
