/* SPDX-License-Identifier: Apache-2.0 */
/* replay - see replay.h */
#include "supervisor/policy_test/replay.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "supervisor/policy_test/replay_client.h"
#include "wire/net_block.h"

enum { SHOWN = 300, KEY_MAX = 2048 };

char *replay_rule_in(const char *words, const char *file)
{
	size_t n = file ? strlen(file) : 0;

	for (const char *at = words; n && (at = strstr(at, file)); at += n) {
		const char *line = at + n, *end;
		if (*line != ':' || !isdigit((unsigned char)line[1]))
			continue;
		end = strchr(line, ')');
		return strndup(at, end ? (size_t)(end + 1 - at) : n + 1 + strspn(line + 1, "0123456789"));
	}
	return NULL;
}

/* --- whose launch it was --- */

static struct trial *find_trial(const struct replay *r, const char *server, const char *approval, bool profiled)
{
	for (size_t i = 0; i < r->n_trials; i++)
		if (r->trials[i]->approval && strcmp(r->trials[i]->approval->id, approval) == 0)
			return r->trials[i];
	for (size_t i = 0; profiled && i < r->n_trials; i++)
		if (!r->trials[i]->approval && strcmp(r->trials[i]->server, server) == 0)
			return r->trials[i];
	for (size_t i = 0; !profiled && i < r->n_named; i++)
		if (strcmp(r->named[i]->server, server) == 0)
			return r->named[i];
	return NULL;
}

/* NULL: beyond what is kept, and counted. */
static int trial_of(struct replay *r, const struct line *l, struct trial **ret)
{
	const char *server = line_text(l, "server");
	bool profiled = *line_text(l, "version");
	int error;

	*ret = find_trial(r, server, line_text(l, "approval"), profiled);
	if (*ret)
		return 0;
	if (profiled || r->n_named == REPLAY_NAMES_MAX) {
		r->beyond++;
		return 0;
	}
	error = trial_of_name(r->args, server, ret);
	if (error == 0)
		r->named[r->n_named++] = *ret;
	return error;
}

/* --- rows --- */

static int row_new(struct replay *r, const char *key, const char *server, const char *kind, const char *what,
	char *rule, struct replay_row **ret)
{
	struct replay_row *row;

	if (GROW(r->v, r->n, r->room) < 0 || json_object_set_new(r->index, key, json_integer((json_int_t)r->n)) < 0) {
		free(rule);
		return -ENOMEM;
	}
	row = &r->v[r->n++];
	*row = (struct replay_row){ .server = strdup(server), .kind = kind, .what = strdup(what), .rule = rule };
	*ret = row;
	return row->server && row->what ? 0 : -ENOMEM;
}

/* Takes rule. */
static int count(struct replay *r, const struct line *l, const char *kind, const char *what, char *rule)
{
	const char *server = line_text(l, "server");
	uint64_t times = line_number(l, "coalesced");
	struct replay_row *row = NULL;
	char key[KEY_MAX];
	const json_t *at;
	int error = 0;

	snprintf(key, sizeof(key), "%s %s %s", kind, server, what);
	at = json_object_get(r->index, key);
	if (!at && r->n == REPLAY_ROWS_MAX) {
		free(rule);
		r->more++;
		return 0;
	}
	if (at)
		free(rule);
	else
		error = row_new(r, key, server, kind, what, rule, &row);
	if (error < 0)
		return error;
	row = at ? &r->v[json_integer_value(at)] : row;
	row->count += times ? times : 1;
	row->last_us = l->us > row->last_us ? l->us : row->last_us;
	return 0;
}

static int count_rule(struct replay *r, const struct line *l, const char *kind, const char *what, const char *rule)
{
	char *own = rule ? strdup(rule) : NULL;

	return rule && !own ? -ENOMEM : count(r, l, kind, what, own);
}

/* --- each kind of record --- */

static int take_launch(struct replay *r, const struct line *l, const struct trial *t)
{
	const char *file = r->args->other->file;
	struct diag d = { "" };
	char what[SHOWN];

	if (t->now.r < 0)
		return 0;
	if (t->then.r < 0)
		return count(r, l, "launch", "every launch", replay_rule_in(t->then.d.text, file));
	if (replay_client_allowed(&t->now.e.policy.clients, l, what, sizeof(what), &d) &&
		!replay_client_allowed(&t->then.e.policy.clients, l, what, sizeof(what), &d))
		return count(r, l, "launch", what, replay_rule_in(d.text, file));
	return 0;
}

static int take_call(struct replay *r, const struct line *l, const struct trial *t)
{
	const char *tool = line_text(l, "tool");
	struct shim_judgement then = shim_rules_judge(&t->then.e.profile.tools, tool, strlen(tool));

	if (then.allowed || !shim_rules_judge(&t->now.e.profile.tools, tool, strlen(tool)).allowed)
		return 0;
	return count_rule(r, l, "call", tool, then.where);
}

/* Which grant lets it through, and is its address one that this grant reaches? dial/filter.h decides by the same
 * blocks. */
static bool reaches(const struct effective *e, const char *name, const struct net_address *a, uint16_t port)
{
	const struct net_config *c = &e->profile.network;
	uint32_t g = *name ? net_match_name(c, name, port) : a->family ? net_match_address(c, a, port) : NET_NO_GRANT;

	if (g == NET_NO_GRANT)
		return false;
	return !*name || !a->family || net_block_of(a)->level == NET_BLOCK_PUBLIC || c->grants[g].private_allowed ||
	       c->grants[g].kind == NET_LOCALHOST;
}

static int take_connection(struct replay *r, const struct line *l, const struct trial *t)
{
	const struct policy_ceilings *c = &t->then.e.policy.ceilings;
	const char *name = line_text(l, "name"), *text = line_text(l, "address"), *rule;
	uint16_t port = (uint16_t)line_number(l, "port");
	struct net_address a = { 0 };
	char what[SHOWN];

	if (*text && net_address_parse(text, &a) < 0)
		a = (struct net_address){ 0 };
	if (!reaches(&t->now.e, name, &a, port) || reaches(&t->then.e, name, &a, port))
		return 0;
	snprintf(what, sizeof(what), "%s:%u", *name ? name : text, port);
	rule = policy_ceiling(c, "network.allow");
	if (!rule || (*name && net_match_name(&t->then.e.profile.network, name, port) != NET_NO_GRANT))
		rule = policy_ceiling(c, "network.private");
	return count_rule(r, l, "connection", what, rule);
}

static int take(const struct line *l, void *arg)
{
	static const struct {
		const char *event;
		bool decided;
		int (*take)(struct replay *r, const struct line *l, const struct trial *t);
	} rows[] = {
		{ "session.open", false, take_launch },
		{ "tool.call", true, take_call },
		{ "net.connect", true, take_connection },
	};
	struct replay *r = arg;
	struct trial *t = NULL;
	int error;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (strcmp(l->event, rows[i].event) != 0 ||
			(rows[i].decided && strcmp(line_text(l, "decision"), "allow") != 0))
			continue;
		error = trial_of(r, l, &t);
		if (error < 0 || !t)
			return error;
		r->asked++;
		/* Of a server that does not start there are no calls: its launches are what is told. */
		return rows[i].decided && (t->now.r < 0 || t->then.r < 0) ? 0 : rows[i].take(r, l, t);
	}
	return 0;
}

/* --- */

static int by_server(const void *a, const void *b)
{
	const struct replay_row *x = a, *y = b;
	int r = strcmp(x->server, y->server);

	if (r == 0)
		r = -strcmp(x->kind, y->kind);
	if (r == 0 && x->count != y->count)
		r = x->count > y->count ? -1 : 1;
	return r ? r : strcmp(x->what, y->what);
}

int replay_log(struct replay *r, int dirfd, struct diag *d)
{
	const struct each_args a = { .record = take, .progress = r->progress, .arg = r };
	int error;

	r->index = json_object();
	if (!r->index)
		return diag_fail(d, -ENOMEM, "out of memory");
	error = audit_each(dirfd, &a, &r->totals, d);
	if (error == 0 && r->n > 1)
		qsort(r->v, r->n, sizeof(*r->v), by_server);
	return error;
}

void replay_done(struct replay *r)
{
	for (size_t i = 0; i < r->n_named; i++)
		trial_free(r->named[i]);
	for (size_t i = 0; i < r->n; i++) {
		free(r->v[i].server);
		free(r->v[i].what);
		free(r->v[i].rule);
	}
	free(r->v);
	json_decref(r->index);
	*r = (struct replay){ 0 };
}
