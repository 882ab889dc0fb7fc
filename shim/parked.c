/* SPDX-License-Identifier: Apache-2.0 */
/* parked - see parked.h */
#include "shim/parked.h"
#include <errno.h>
#include <string.h>
#include "base/cleanup.h"
#include "shim/handle.h"

void parked_entry_done(struct parked_entry *e)
{
	free(e->id);
	free(e->text);
	*e = (struct parked_entry){ 0 };
}

void parked_done(struct parked *p)
{
	for (size_t i = 0; i < p->n; i++)
		parked_entry_done(&p->v[i]);
	*p = (struct parked){ 0 };
}

int parked_add(struct parked *p, struct slice id, struct slice text, int why, const struct message *m)
{
	struct parked_entry e = { .id_len = id.n,
		.n = text.n,
		.why = why,
		.call_id = m->call_id,
		.modern = m->modern,
		.confirmed = m->confirmed };

	if (p->n >= PARKED_MAX || text.n > PARKED_BYTES_MAX - p->bytes)
		return PARKED_FULL;
	e.id = strndup(id.p, id.n);
	e.text = strndup(text.p, text.n);
	if (!e.id || !e.text) {
		parked_entry_done(&e);
		return -ENOMEM;
	}
	p->v[p->n++] = e;
	p->bytes += e.n;
	return 0;
}

struct parked_entry *parked_find(struct parked *p, struct slice id)
{
	for (size_t i = 0; i < p->n; i++)
		if (slice_equal((struct slice){ p->v[i].id, p->v[i].id_len }, id))
			return &p->v[i];
	return NULL;
}

/* Closes the gap that e leaves. */
static void drop(struct parked *p, struct parked_entry *e)
{
	size_t i = (size_t)(e - p->v);

	p->bytes -= e->n;
	p->n--;
	memmove(e, e + 1, (p->n - i) * sizeof(*e));
}

bool parked_take(struct parked *p, int why, struct parked_entry *ret)
{
	for (size_t i = 0; i < p->n; i++) {
		if (p->v[i].why != why)
			continue;
		*ret = p->v[i];
		drop(p, &p->v[i]);
		return true;
	}
	return false;
}

struct parked_entry parked_steal(struct parked *p, struct parked_entry *e)
{
	struct parked_entry taken = *e;

	drop(p, e);
	return taken;
}

void parked_remove(struct parked *p, struct parked_entry *e)
{
	struct parked_entry taken = parked_steal(p, e);

	parked_entry_done(&taken);
}
