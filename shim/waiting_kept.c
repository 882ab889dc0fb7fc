/* SPDX-License-Identifier: Apache-2.0 */
/* waiting_kept - what of the client's is kept for its server, a subscription for its client too; see waiting.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "shim/answers.h"
#include "shim/envelope.h"
#include "shim/handle.h"
#include "shim/waiting_parts.h"

static void forget_kept(struct waiting *w, size_t i)
{
	w->kept_bytes -= w->kept[i].n;
	free(w->kept[i].line);
	free(w->kept[i].id);
	w->n_kept--;
	memmove(&w->kept[i], &w->kept[i + 1], (w->n_kept - i) * sizeof(w->kept[0]));
}

void waiting_done(struct waiting *w)
{
	while (w->n_kept > 0)
		forget_kept(w, w->n_kept - 1);
	buf_done(&w->hello);
	buf_done(&w->greeting);
}

static size_t find_kept(const struct waiting *w, struct slice id)
{
	size_t i = 0;

	while (i < w->n_kept && !slice_is(id, w->kept[i].id))
		i++;
	return i;
}

bool waiting_holds(const struct shim *s, struct slice id)
{
	const struct waiting *w = &s->waiting;
	size_t i = find_kept(w, id);

	/* On its way to the server it is nobody's yet. */
	return i < w->n_kept && w->kept[i].listens && !w->replays;
}

bool waiting_forget(struct shim *s, struct slice id)
{
	bool held = waiting_holds(s, id);

	if (held)
		forget_kept(&s->waiting, find_kept(&s->waiting, id));
	return held;
}

bool waiting_has_room(const struct shim *s)
{
	const struct waiting *w = &s->waiting;

	return w->n_kept < WAITING_KEPT_MAX && s->doc.out.len <= WAITING_BYTES_MAX - w->kept_bytes;
}

int waiting_keep(struct shim *s, const struct message *m, struct waiting_kept k)
{
	struct waiting *w = &s->waiting;

	k.n = s->doc.out.len;
	k.line = strndup(s->doc.out.data, k.n);
	k.id = strndup(m->envelope->id.p, m->envelope->id.n);
	if (!k.line || !k.id) {
		free(k.line);
		free(k.id);
		return -ENOMEM;
	}
	w->kept[w->n_kept++] = k;
	w->kept_bytes += k.n;
	return 0;
}

void waiting_forget_level(struct waiting *w)
{
	for (size_t i = w->n_kept; i-- > 0;)
		if (!w->kept[i].listens)
			forget_kept(w, i);
}

int waiting_abandon(struct shim *s, const char *text)
{
	struct waiting *w = &s->waiting;
	int r = 0;

	while (r == 0 && w->n_kept > 0) {
		const struct waiting_kept *k = &w->kept[0];
		if (k->listens)
			r = handle_answer_error(
				s, EVENT_FROM_CLIENT, (struct slice){ k->id, strlen(k->id) }, ANSWER_GONE, text);
		forget_kept(w, 0);
	}
	return r;
}

int waiting_say_kept(struct shim *s, bool logs)
{
	struct waiting *w = &s->waiting;
	int r = 0;

	while (r == 0 && w->n_kept > 0) {
		struct waiting_kept *k = &w->kept[0];
		struct pending_entry *e;
		if (k->listens || logs)
			r = waiting_say(s, k->line, k->n);
		e = pending_find(&s->calls, (struct slice){ k->id, strlen(k->id) });
		if (e && !k->listens)
			e->own = true;
		if (r == 0 && k->listens)
			r = waiting_tell_changes(s, k->changes, k->id);
		forget_kept(w, 0);
	}
	return r;
}
