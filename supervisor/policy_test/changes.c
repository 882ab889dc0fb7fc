/* SPDX-License-Identifier: Apache-2.0 */
/*
 * changes - see changes.h
 *
 * Theory: a row or a function a right. Which of the two sides has less decides whether it is worse, and the rule is the
 * ceiling that the side with less has for it.
 */
#include "supervisor/policy_test/changes.h"
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/fs.h"
#include "supervisor/effective_lines.h"
#include "supervisor/policy_test/changes_parts.h"

int changes_add(struct changes *c, bool worse, const char *rule, const char *fmt, ...)
{
	struct change *one;
	va_list ap;
	int n;

	if (GROW(c->v, c->n, c->room) < 0)
		return -ENOMEM;
	one = &c->v[c->n];
	*one = (struct change){ .worse = worse, .rule = rule ? strdup(rule) : NULL };
	va_start(ap, fmt);
	n = vasprintf(&one->what, fmt, ap);
	va_end(ap);
	if (n < 0)
		one->what = NULL;
	c->n++;
	return n < 0 || (rule && !one->rule) ? -ENOMEM : 0;
}

void changes_done(struct changes *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->v[i].what);
		free(c->v[i].rule);
	}
	free(c->v);
	*c = (struct changes){ 0 };
}

const char *changes_rule(const struct sides *s, bool worse, const char *key)
{
	return policy_ceiling(&(worse ? s->then : s->now)->policy.ceilings, key);
}

/* --- lists whose items are or are not there --- */

static const struct list_row {
	const char *key, *before, *after; /* the item stands between them */
	size_t offset;
	bool hides; /* an item takes away */
} lists[] = {
	{ "env.pass", "passing the variable ", "", offsetof(struct profile, env_pass), false },
	{ "env.set", "setting the variable ", "", offsetof(struct profile, env_set), false },
	{ "ipc.unix", "the socket ", "", offsetof(struct profile, unix_sockets), false },
	{ "client.roots", "", " as a root", offsetof(struct profile, roots), false },
	{ "filesystem.deny", "hiding what fits ", "", offsetof(struct profile, fs_deny), true },
};

static const struct profile_items *items_of(const struct effective *e, size_t offset)
{
	return (const struct profile_items *)((const char *)&e->profile + offset);
}

static bool has_item(const struct profile_items *l, const char *value)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].value, value) == 0)
			return true;
	return false;
}

/* Items that only one side has. NAME=VALUE is told by its name. */
static int list_only(struct sides *s, const struct list_row *row, bool of_now)
{
	const struct profile_items *a = items_of(of_now ? s->now : s->then, row->offset);
	const struct profile_items *b = items_of(of_now ? s->then : s->now, row->offset);
	bool names = strncmp(row->key, "env.", 4) == 0, worse = of_now != row->hides;
	int r = 0;

	for (size_t i = 0; r == 0 && i < a->n; i++) {
		const char *v = a->v[i].value;
		if (!has_item(b, v))
			r = changes_add(s->ret, worse, changes_rule(s, worse, row->key), "%s%.*s%s%s", row->before,
				(int)(names ? strcspn(v, "=") : strlen(v)), v, row->after, of_now ? ": no more" : "");
	}
	return r;
}

static int find_lists(struct sides *s)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(lists); i++) {
		r = list_only(s, &lists[i], true);
		if (r == 0)
			r = list_only(s, &lists[i], false);
	}
	return r;
}

/* --- paths --- */

struct path_lists {
	const struct profile_items *v[2];
};

static bool paths_hold(const struct path_lists *l, const char *path)
{
	for (size_t k = 0; k < ARRAY_LEN(l->v); k++)
		for (size_t i = 0; l->v[k] && i < l->v[k]->n; i++)
			if (fs_path_within(path, l->v[k]->v[i].value))
				return true;
	return false;
}

/* What b leaves of a directory: ": only PATH, PATH", or ": no more". */
static int left_of(const struct path_lists *b, const char *path, struct buf *ret)
{
	size_t n = 0;
	int r = 0;

	for (size_t k = 0; k < ARRAY_LEN(b->v); k++)
		for (size_t i = 0; r == 0 && b->v[k] && i < b->v[k]->n; i++)
			if (fs_path_within(b->v[k]->v[i].value, path))
				r = buf_printf(ret, "%s%s", n++ ? ", " : ": only ", b->v[k]->v[i].value);
	return r < 0 || n ? r : buf_puts(ret, ": no more");
}

static int paths_lost(
	struct sides *s, const char *key, const char *what, const struct path_lists *now, const struct path_lists *then)
{
	int r = 0;

	for (size_t k = 0; k < ARRAY_LEN(now->v); k++)
		for (size_t i = 0; r == 0 && now->v[k] && i < now->v[k]->n; i++) {
			_cleanup_buf_ struct buf left = BUF_INIT(CHANGE_TEXT_MAX);
			const char *path = now->v[k]->v[i].value;
			if (paths_hold(then, path))
				continue;
			r = left_of(then, path, &left);
			if (r == 0)
				r = changes_add(
					s->ret, true, changes_rule(s, true, key), "%s %s%s", what, path, left.data);
		}
	return r;
}

static int paths_gained(
	struct sides *s, const char *key, const char *what, const struct path_lists *now, const struct path_lists *then)
{
	int r = 0;

	for (size_t k = 0; k < ARRAY_LEN(then->v); k++)
		for (size_t i = 0; r == 0 && then->v[k] && i < then->v[k]->n; i++) {
			const char *path = then->v[k]->v[i].value;
			if (!paths_hold(now, path))
				r = changes_add(s->ret, false, changes_rule(s, false, key), "%s %s", what, path);
		}
	return r;
}

/* What may be written may be read. */
static int find_paths(struct sides *s)
{
	const struct profile *n = &s->now->profile, *t = &s->then->profile;
	const struct path_lists now_w = { { &n->fs_write } }, then_w = { { &t->fs_write } };
	const struct path_lists now_r = { { &n->fs_read, &n->fs_write } }, then_r = { { &t->fs_read, &t->fs_write } };
	int r = paths_lost(s, "filesystem.write", "writing", &now_w, &then_w);

	if (r == 0)
		r = paths_lost(s, "filesystem.read", "reading", &now_r, &then_r);
	if (r == 0)
		r = paths_gained(s, "filesystem.write", "writing", &now_w, &then_w);
	return r < 0 ? r : paths_gained(s, "filesystem.read", "reading", &now_r, &then_r);
}

/* --- numbers --- */

static const struct number_row {
	const char *key, *what;
	size_t offset, instead; /* instead: what holds where it is 0; 0: nothing does */
} numbers[] = {
	{ "filesystem.tmp", "bytes of /tmp", offsetof(struct profile, tmp_size), 0 },
	{ "limits.processes", "processes and threads", offsetof(struct profile, limit_processes), 0 },
	{ "limits.files", "open files", offsetof(struct profile, limit_files), 0 },
	{ "limits.message", "bytes a message", offsetof(struct profile, limit_message), 0 },
	{ "limits.message_client", "bytes a message of the client", offsetof(struct profile, limit_message_client),
		offsetof(struct profile, limit_message) },
	{ "limits.message_server", "bytes a message of the server", offsetof(struct profile, limit_message_server),
		offsetof(struct profile, limit_message) },
	{ "limits.calls", "calls at once", offsetof(struct profile, meters.in_flight.value), 0 },
	{ "tools.time", "seconds for an answer", offsetof(struct profile, meters.time.value), 0 },
};

static uint64_t number_of(const struct effective *e, const struct number_row *row)
{
	const char *f = (const char *)&e->profile;
	uint64_t v = *(const uint64_t *)(f + row->offset);

	if (v == 0 && row->instead)
		v = *(const uint64_t *)(f + row->instead);
	return v ? v : UINT64_MAX;
}

static const char *number_text(uint64_t v, char ret[32])
{
	if (v == UINT64_MAX)
		snprintf(ret, 32, "any number of");
	else
		snprintf(ret, 32, "%" PRIu64, v);
	return ret;
}

static int find_numbers(struct sides *s)
{
	char from[32], to[32];
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(numbers); i++) {
		uint64_t now = number_of(s->now, &numbers[i]), then = number_of(s->then, &numbers[i]);
		if (now != then)
			r = changes_add(s->ret, then < now, changes_rule(s, then < now, numbers[i].key), "%s %s: %s",
				number_text(now, from), numbers[i].what, number_text(then, to));
	}
	return r;
}

static double rate_of(const struct meters_rate *m)
{
	return m->calls ? (double)m->calls / m->period_s : 1e18;
}

static int find_rate(struct sides *s, const struct meters_rate *now, const struct meters_rate *then, const char *what)
{
	bool worse;

	if (now->calls == then->calls && now->period_s == then->period_s)
		return 0;
	worse = rate_of(then) < rate_of(now) || (then->calls && then->calls < now->calls);
	return changes_add(s->ret, worse, changes_rule(s, worse, "tools.rate"),
		"%" PRIu32 " calls in %" PRIu32 " s of %s: %" PRIu32 " in %" PRIu32 " s", now->calls, now->period_s,
		what, then->calls, then->period_s);
}

static int find_rates(struct sides *s)
{
	const struct meters *now = &s->now->profile.meters, *then = &s->then->profile.meters;
	int r = find_rate(s, &now->each, &then->each, "each tool");

	for (size_t i = 0; r == 0 && i < now->n && i < then->n; i++)
		r = find_rate(s, &now->tools[i].rate, &then->tools[i].rate, now->tools[i].glob);
	return r;
}

/* --- switches --- */

static int find_switch(struct sides *s, const char *key, const char *what, bool now, bool then)
{
	return now == then ? 0
			   : changes_add(s->ret, now, changes_rule(s, now, key), "%s%s", what, then ? "" : ": no more");
}

static int find_scopes(struct sides *s)
{
	const struct scopes *now = &s->now->profile.scopes, *then = &s->then->profile.scopes;
	int r = 0;

	for (size_t i = 0; r == 0 && i < now->n && i < then->n; i++) {
		bool worse = now->v[i].lift && !then->v[i].lift;
		const struct effective *e = worse ? s->then : s->now;
		if (!now->v[i].lift != !then->v[i].lift)
			r = changes_add(s->ret, worse, e->policy.persons.no_grants, "a person lifts the scope %s%s",
				now->v[i].name, worse ? " no more" : "");
	}
	return r;
}

static int find_switches(struct sides *s)
{
	const struct profile *n = &s->now->profile, *t = &s->then->profile;
	bool worse = strcmp(t->seccomp, "default") == 0;
	const struct {
		const char *key, *what;
		bool now, then;
	} rows[] = {
		{ "filesystem.home", "a home that is kept", n->home == HOME_PRIVATE, t->home == HOME_PRIVATE },
		{ "filesystem.protect", "writing what the user's own tools execute", !n->protect, !t->protect },
		{ "tools.text", "escape sequences and invisible characters in what it says", n->text.pass,
			t->text.pass },
		{ "client.sampling", "asking the client's model", n->client.sampling.on, t->client.sampling.on },
		{ "client.elicitation", "asking the user through the client", n->client.elicitation.on,
			t->client.elicitation.on },
		{ "network.publish", "a published port", n->network.n_publish > 0, t->network.n_publish > 0 },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(rows); i++)
		r = find_switch(s, rows[i].key, rows[i].what, rows[i].now, rows[i].then);
	if (r == 0 && strcmp(n->seccomp, t->seccomp) != 0)
		r = changes_add(s->ret, worse, changes_rule(s, worse, "seccomp"),
			"the system calls of \"%s\": of \"%s\"", n->seccomp, t->seccomp);
	if (r == 0 && n->audit_args != t->audit_args) {
		worse = t->audit_args < n->audit_args;
		r = changes_add(s->ret, worse, changes_rule(s, worse, "audit.arguments"),
			"arguments of calls in the log, %s: %s", effective_audit_words(n->audit_args),
			effective_audit_words(t->audit_args));
	}
	return r < 0 ? r : find_scopes(s);
}

/* --- what is provided: neither more nor less --- */

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static int find_provided(struct sides *s)
{
	const struct net_config *n = &s->now->profile.network, *t = &s->then->profile.network;
	const struct policy_provide *was = &s->now->policy.provide, *is = &s->then->policy.provide;
	int r = 0;

	if (n->proxy_host && !t->proxy_host)
		r = changes_add(s->ret, false, n->proxy_where, "its connections go through no proxy");
	else if (!same_text(n->proxy_host, t->proxy_host) || n->proxy_port != t->proxy_port)
		r = changes_add(s->ret, false, t->proxy_where, "its connections go through the proxy %s:%u",
			t->proxy_host, t->proxy_port);
	if (r == 0 && t->n_grants && !same_text(was->ca, is->ca))
		r = changes_add(s->ret, false, is->ca ? is->ca_where : was->ca_where, "in TLS it trusts %s",
			is->ca ? "another authority as well" : "no further authority");
	return r;
}

int changes_find(const struct effective *now, const struct effective *then, struct changes *ret)
{
	static int (*const parts[])(struct sides * s) = { changes_observe, find_paths, find_lists, changes_network,
		changes_names, find_numbers, find_rates, find_switches, find_provided };
	struct sides s = { now, then, ret };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(parts); i++)
		r = parts[i](&s);
	return r;
}
