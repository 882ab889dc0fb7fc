/* SPDX-License-Identifier: Apache-2.0 */
/* offers - see offers.h */
#include "shim/offers.h"
#include <string.h>
#include "shim/fold.h"
#include "shim/protocol.h"

enum place { ELSEWHERE, TOP, SAMPLING, ELICITATION, TASKS, TASK_REQUESTS };

/* What is narrowed, and what only by what is in it. */
struct offer {
	enum place in;
	const char *name;
	enum place is;
	bool (*denied)(const struct shim_config *c, struct slice value);
};

static bool no_sampling(const struct shim_config *c, struct slice value)
{
	return !c->client.sampling.on;
}

static bool no_sampling_tools(const struct shim_config *c, struct slice value)
{
	return !c->client.sampling.tools;
}

static bool no_context(const struct shim_config *c, struct slice value)
{
	return c->client.sampling.context == SHIM_CONTEXT_NONE;
}

static bool no_form(const struct shim_config *c, struct slice value)
{
	return c->client.elicitation.no_form;
}

static bool no_url(const struct shim_config *c, struct slice value)
{
	return c->client.elicitation.n == 0;
}

static bool has_folded(struct slice object, const char *name)
{
	struct walk w = walk_object(object);
	struct slice key, value;

	while (walk_member(&w, &key, &value))
		if (fold_equal(key.p, key.n, name, strlen(name)))
			return true;
	return false;
}

/* What names no mode offers forms, as it did before there were two. Left empty, an offer of addresses would say that.
 */
static bool no_elicitation(const struct shim_config *c, struct slice value)
{
	bool url = has_folded(value, "url"), form = has_folded(value, "form") || !url;

	return !c->client.elicitation.on || ((!form || no_form(c, value)) && (!url || no_url(c, value)));
}

static bool no_elicitation_tasks(const struct shim_config *c, struct slice value)
{
	return !c->client.elicitation.on;
}

static bool no_roots(const struct shim_config *c, struct slice value)
{
	return c->roots.n == 0;
}

static const struct offer table[] = {
	{ TOP, "sampling", SAMPLING, no_sampling },
	{ TOP, "elicitation", ELICITATION, no_elicitation },
	{ TOP, "roots", ELSEWHERE, no_roots },
	{ TOP, "tasks", TASKS, NULL },
	{ SAMPLING, "tools", ELSEWHERE, no_sampling_tools },
	{ SAMPLING, "context", ELSEWHERE, no_context },
	{ ELICITATION, "form", ELSEWHERE, no_form },
	{ ELICITATION, "url", ELSEWHERE, no_url },
	{ TASKS, "requests", TASK_REQUESTS, NULL },
	{ TASK_REQUESTS, "sampling", ELSEWHERE, no_sampling },
	{ TASK_REQUESTS, "elicitation", ELSEWHERE, no_elicitation_tasks },
};

/* However it is spelt: some servers take keys of any case. */
static const struct offer *find(enum place in, struct slice key)
{
	for (size_t i = 0; in != ELSEWHERE && i < ARRAY_LEN(table); i++)
		if (table[i].in == in && fold_equal(key.p, key.n, table[i].name, strlen(table[i].name)))
			return &table[i];
	return NULL;
}

/* Appends what is left; out NULL: only counts. The depth is that of the table. */
static int put_narrowed(
	const struct shim_config *c, enum place place, struct slice value, struct buf *out, uint64_t *hidden)
{
	struct walk w = walk_object(value);
	struct slice key, item;
	bool first = true;
	int r = out ? buf_putc(out, '{') : 0;

	while (r == 0 && walk_member(&w, &key, &item)) {
		const struct offer *o = find(place, key);
		if (o && o->denied && o->denied(c, item)) {
			*hidden += 1;
			continue;
		}
		if (out && !first)
			r = buf_putc(out, ',');
		first = false;
		if (r == 0 && out)
			r = buf_append(out, key.p - 1, (size_t)(item.p - key.p) + 1);
		if (r == 0 && o && o->is != ELSEWHERE && walk_is_object(item))
			r = put_narrowed(c, o->is, item, out, hidden);
		else if (r == 0 && out)
			r = buf_append(out, item.p, item.n);
	}
	return r || !out ? r : buf_putc(out, '}');
}

int offers_put(struct shim *s, struct slice offers, struct buf *out)
{
	uint64_t hidden = 0;

	if (!walk_is_object(offers))
		return buf_append(out, offers.p, offers.n);
	return put_narrowed(&s->config, TOP, offers, out, &hidden);
}

/* The message with something else in the place of that value. */
static int put_around(struct shim *s, struct slice value, struct buf *out, bool before)
{
	const char *from = s->doc.out.data, *end = from + s->doc.out.len, *after = value.p + value.n;

	if (before)
		buf_clear(out);
	return before ? buf_append(out, from, (size_t)(value.p - from)) : buf_append(out, after, (size_t)(end - after));
}

int offers_filter(struct shim *s, struct slice offers, struct buf *out, uint64_t *ret_hidden)
{
	int r;

	*ret_hidden = 0;
	if (!walk_is_object(offers))
		return 0;
	r = put_narrowed(&s->config, TOP, offers, NULL, ret_hidden);
	if (r || *ret_hidden == 0)
		return r;
	r = put_around(s, offers, out, true);
	if (r == 0)
		r = offers_put(s, offers, out);
	return r ? r : put_around(s, offers, out, false);
}

static bool is_of_logging(struct slice key)
{
	static const char *const names[] = { "logging", META_LOG_LEVEL };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (fold_equal(key.p, key.n, names[i], strlen(names[i])))
			return true;
	return false;
}

int offers_filter_logging(struct shim *s, struct slice object, struct buf *out, uint64_t *ret_hidden)
{
	struct walk w = walk_object(object);
	struct slice key, value;
	uint64_t kept = 0;
	int r;

	*ret_hidden = 0;
	while (s->config.client.logging.off && walk_member(&w, &key, &value))
		*ret_hidden += is_of_logging(key);
	if (*ret_hidden == 0)
		return 0;
	r = put_around(s, object, out, true);
	if (r == 0)
		r = buf_putc(out, '{');
	for (w = walk_object(object); r == 0 && walk_member(&w, &key, &value);) {
		if (is_of_logging(key))
			continue;
		r = kept++ ? buf_putc(out, ',') : 0;
		if (r == 0)
			r = buf_append(out, key.p - 1, (size_t)(value.p + value.n - key.p) + 1);
	}
	if (r == 0)
		r = buf_putc(out, '}');
	return r ? r : put_around(s, object, out, false);
}
