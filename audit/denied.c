/* SPDX-License-Identifier: Apache-2.0 */
/* denied - see denied.h */
#include "audit/denied.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit/denied_line.h"
#include "base/text.h"

enum { SHOWN_MAX = 1024, STAMP_SHOWN = 19 };

struct row {
	char *server;
	struct denied_line line;
	char *rule, *reason;
	uint64_t count;
	uint64_t last_us;
	char first[RECORD_TIME_LEN + 1], last[RECORD_TIME_LEN + 1];
};

struct denied {
	struct row *v;
	size_t n, room;
	uint64_t more; /* denials beyond DENIED_ROWS_MAX */
};

static const char *const kind_words[] = {
	[DENIED_HOST] = "host",
	[DENIED_TOOL] = "tool",
	[DENIED_RESOURCE] = "resource",
	[DENIED_PROMPT] = "prompt",
	[DENIED_METHOD] = "method",
};
_Static_assert(ARRAY_LEN(kind_words) == DENIED_KIND_COUNT, "a word for every kind");

int denied_new(struct denied **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

static void row_done(struct row *r)
{
	free(r->server);
	free(r->rule);
	free(r->reason);
	denied_line_done(&r->line);
}

void denied_free(struct denied *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++)
		row_done(&t->v[i]);
	free(t->v);
	free(t);
}

size_t denied_rows(const struct denied *t)
{
	return t->n;
}

/* The same thing, to be granted by the same line. */
static bool same(const struct row *r, const char *server, const struct denied_line *d)
{
	return r->line.kind == d->kind && r->line.port == d->port && r->line.key == d->key && r->line.note == d->note &&
	       r->line.remove == d->remove && strcmp(r->line.thing, d->thing) == 0 && strcmp(r->server, server) == 0;
}

/* A flood of names makes no table too long to look through: it has DENIED_ROWS_MAX rows. */
static struct row *find(struct denied *t, const char *server, const struct denied_line *d)
{
	for (size_t i = 0; i < t->n; i++)
		if (same(&t->v[i], server, d))
			return &t->v[i];
	return NULL;
}

/* Takes what d holds. */
static int add_row(struct denied *t, const char *server, struct denied_line *d, struct row **ret)
{
	struct row *r;

	if (t->n == t->room) {
		size_t room = t->room ? 2 * t->room : 32;
		struct row *v = reallocarray(t->v, room, sizeof(*v));
		if (!v)
			return -ENOMEM;
		t->v = v;
		t->room = room;
	}
	r = &t->v[t->n];
	*r = (struct row){ .server = strdup(server), .line = *d };
	if (!r->server)
		return -ENOMEM;
	*d = (struct denied_line){ 0 };
	t->n++;
	*ret = r;
	return 0;
}

static int replace(char **at, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		return -ENOMEM;
	free(*at);
	*at = copy;
	return 0;
}

/* Records of one session keep their order whatever the clock did; the latest by its stamp speaks. */
static int count_in(struct row *r, const struct line *l)
{
	uint64_t count = line_number(l, "count");
	int e;

	r->count += count ? count : 1;
	if (!r->first[0])
		snprintf(r->first, sizeof(r->first), "%s", line_text(l, "ts"));
	if (l->us < r->last_us)
		return 0;
	r->last_us = l->us;
	snprintf(r->last, sizeof(r->last), "%s", line_text(l, "ts"));
	e = replace(&r->rule, line_text(l, "rule"));
	return e < 0 ? e : replace(&r->reason, line_text(l, "reason"));
}

int denied_add(struct denied *t, const struct line *l)
{
	_cleanup_denied_line_ struct denied_line d;
	const char *server = line_text(l, "server");
	struct row *row;
	int r = denied_line_of(l, &d);

	if (r <= 0)
		return r;
	row = find(t, server, &d);
	if (!row && t->n == DENIED_ROWS_MAX) {
		t->more++;
		return 0;
	}
	r = row ? 0 : add_row(t, server, &d, &row);
	return r < 0 ? r : count_in(row, l);
}

/* --- printing --- */

static int compare(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int c = strcmp(x->server, y->server);

	if (c != 0)
		return c;
	if (x->line.kind != y->line.kind)
		return x->line.kind < y->line.kind ? -1 : 1;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	c = strcmp(x->line.thing, y->line.thing);
	return c ? c : x->line.port < y->line.port ? -1 : x->line.port > y->line.port;
}

static void put_shown(FILE *out, const char *text)
{
	char shown[SHOWN_MAX];

	(void)fputs(text_escape_str(text, shown, sizeof(shown)), out);
}

static void put_thing(FILE *out, const struct denied_line *d)
{
	(void)fprintf(out, "  %-8s ", kind_words[d->kind]);
	if (!*d->thing)
		(void)fputs("(several)", out);
	put_shown(out, d->thing);
	if (d->port)
		(void)fprintf(out, strchr(d->thing, ':') ? " port %" PRIu64 : ":%" PRIu64, d->port);
	else if (d->kind == DENIED_HOST && *d->thing)
		(void)fputs(" (a name, without a port)", out);
}

/* ASCII without controls: what a server put into a name cannot speak to the terminal, and the line is JSON as it
 * stands. */
static void put_grant(FILE *out, const struct denied_line *d)
{
	_cleanup_free_ char *value = d->value ? json_dumps(d->value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;

	if (d->remove)
		(void)fprintf(out, "\n           forbidden by that line of %s: take it away to allow", d->key);
	else if (value)
		(void)fprintf(out, "\n           would be granted by  %s: %s", d->key, value);
	if (d->note)
		(void)fprintf(out, "\n           (%s)", d->note);
}

static void print_row(const struct row *r, FILE *out)
{
	put_thing(out, &r->line);
	(void)fprintf(out, "\n           denied %" PRIu64 " time%s, last %.10s %.8s", r->count,
		r->count == 1 ? "" : "s", r->last, r->last + 11);
	if (*r->rule) {
		(void)fputs(", by ", out);
		put_shown(out, r->rule);
	}
	put_grant(out, &r->line);
	(void)fputc('\n', out);
}

static int print_object(const struct row *r, FILE *out)
{
	const struct denied_line *d = &r->line;
	json_t *o = json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:s}", "server", r->server, "kind",
		kind_words[d->kind], "thing", d->thing, "count", (json_int_t)r->count, "first", r->first, "last",
		r->last, "rule", r->rule, "reason", r->reason);
	int e = o ? 0 : -ENOMEM;

	if (e == 0 && d->port)
		e = json_object_set_new(o, "port", json_integer((json_int_t)d->port));
	if (e == 0 && d->key)
		e = json_object_set_new(o, d->remove ? "remove" : "grant",
			d->remove ? json_pack("{s:s, s:s}", "key", d->key, "rule", r->rule)
				  : json_pack("{s:s, s:O}", "key", d->key, "value", d->value));
	if (e == 0 && d->note)
		e = json_object_set_new(o, "note", json_string(d->note));
	if (e == 0)
		e = json_dumpf(o, out, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(o);
	return e < 0 || fputc('\n', out) == EOF ? -EIO : 0;
}

static void print_server(const struct row *r, bool colour, bool first, FILE *out)
{
	(void)fprintf(out, "%s%s", first ? "" : "\n", colour ? "\033[1m" : "");
	put_shown(out, r->server);
	(void)fprintf(out, "%s\n", colour ? "\033[0m" : "");
}

static int print_end(const struct denied *t, bool json, FILE *out)
{
	if (json)
		return t->more && fprintf(out, "{\"not_shown\":%" PRIu64 "}\n", t->more) < 0 ? -EIO : 0;
	if (t->more)
		(void)fprintf(out,
			"\nand %" PRIu64 " more denials, of more things than %d: narrow it with --server or --since\n",
			t->more, DENIED_ROWS_MAX);
	return t->n == 0 || fputs("\nTimes are UTC. A line goes into the server's profile, or stands on its command "
				  "line (--host). Names are what the server or its\n"
				  "client chose to ask for: grant what you know. The next start then asks, and shows "
				  "the difference.\n",
				    out) >= 0
		       ? 0
		       : -EIO;
}

int denied_print(struct denied *t, bool json, bool colour, FILE *out)
{
	int r = 0;

	if (t->n)
		qsort(t->v, t->n, sizeof(*t->v), compare);
	for (size_t i = 0; r == 0 && i < t->n; i++) {
		bool first = i == 0 || strcmp(t->v[i].server, t->v[i - 1].server) != 0;
		if (!json && first)
			print_server(&t->v[i], colour, i == 0, out);
		if (json)
			r = print_object(&t->v[i], out);
		else
			print_row(&t->v[i], out);
	}
	return r < 0 ? r : print_end(t, json, out);
}
