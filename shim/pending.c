/* SPDX-License-Identifier: Apache-2.0 */
/* pending - see pending.h */
#include "shim/pending.h"
#include <errno.h>
#include <string.h>

enum { PENDING_FIRST = 8 };

static void entry_done(struct pending_entry *e)
{
	free(e->id);
	free(e->name);
	free(e->tool);
}

void pending_done(struct pending *p)
{
	for (size_t i = 0; i < p->n; i++)
		entry_done(&p->entries[i]);
	free(p->entries);
	*p = (struct pending){ 0 };
}

struct pending_entry *pending_find(struct pending *p, struct slice id)
{
	for (size_t i = 0; i < p->n; i++)
		if (slice_equal((struct slice){ p->entries[i].id, p->entries[i].id_len }, id))
			return &p->entries[i];
	return NULL;
}

static int grow(struct pending *p)
{
	size_t cap = p->cap ? p->cap * 2 : PENDING_FIRST;
	struct pending_entry *entries = realloc(p->entries, cap * sizeof(*entries));

	if (!entries)
		return -ENOMEM;
	p->entries = entries;
	p->cap = cap;
	return 0;
}

int pending_add(struct pending *p, struct slice id, struct slice name, struct slice tool, struct pending_entry **ret)
{
	struct pending_entry e = { .id_len = id.n };
	int r;

	if (pending_find(p, id))
		return PENDING_TAKEN;
	if (p->n >= SHIM_INFLIGHT_MAX)
		return PENDING_FULL;
	r = p->n == p->cap ? grow(p) : 0;
	if (r < 0)
		return r;
	e.id = strndup(id.p, id.n);
	e.name = strndup(name.p, name.n);
	e.tool = tool.n ? strndup(tool.p, tool.n) : NULL;
	if (!e.id || !e.name || (tool.n && !e.tool)) {
		entry_done(&e);
		return -ENOMEM;
	}
	*ret = &p->entries[p->n++];
	**ret = e;
	return 0;
}

void pending_remove(struct pending *p, struct pending_entry *e)
{
	entry_done(e);
	*e = p->entries[--p->n];
}

struct pending_entry *pending_oldest_given_up(struct pending *p)
{
	struct pending_entry *oldest = NULL;

	for (size_t i = 0; i < p->n; i++)
		if ((p->entries[i].cancelled || p->entries[i].expired) &&
			(!oldest || p->entries[i].call_id < oldest->call_id))
			oldest = &p->entries[i];
	return oldest;
}
