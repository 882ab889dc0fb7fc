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
#include "supervisor/policy_test/trial_word.h"
#include "supervisor/policy_test/verdict.h"

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

/* What a row is about, while it is not there yet. */
struct found {
	const char *kind, *what, *rule, *now;
};

static int row_new(struct replay *r, const char *key, const char *server, const struct found *f)
{
	struct replay_row *row;

	if (GROW(r->v, r->n, r->room) < 0 || json_object_set_new(r->index, key, json_integer((json_int_t)r->n)) < 0)
		return -ENOMEM;
	row = &r->v[r->n++];
	*row = (struct replay_row){ .server = strdup(server),
		.kind = f->kind,
		.now = f->now,
		.what = strdup(f->what),
		.rule = f->rule ? strdup(f->rule) : NULL };
	return row->server && row->what && (row->rule || !f->rule) ? 0 : -ENOMEM;
}

static int count(struct replay *r, const struct line *l, const struct found *f)
{
	const char *server = line_text(l, "server");
	uint64_t times = line_number(l, "coalesced");
	struct replay_row *row;
	char key[KEY_MAX];
	const json_t *at;
	int error = 0;

	snprintf(key, sizeof(key), "%s %s %s %s", f->now ? f->now : "", f->kind, server, f->what);
	at = json_object_get(r->index, key);
	if (!at && r->n == REPLAY_ROWS_MAX) {
		r->more++;
		return 0;
	}
	if (!at)
		error = row_new(r, key, server, f);
	if (error < 0)
		return error;
	row = at ? &r->v[json_integer_value(at)] : &r->v[r->n - 1];
	row->count += times ? times : 1;
	row->last_us = l->us > row->last_us ? l->us : row->last_us;
	return 0;
}

/* passed: it was let through. */
static int weigh(
	struct replay *r, const struct line *l, bool passed, enum verdict now, enum verdict then, const struct found *f)
{
	struct found one = *f;

	if (then == VERDICT_RECORDED)
		one.now = verdict_word(now);
	else if (!passed || then != VERDICT_DENIED || now == VERDICT_DENIED)
		return 0;
	return count(r, l, &one);
}

/* --- each kind of record --- */

static int refuse_launch(struct replay *r, const struct line *l, const char *what, const char *words)
{
	_cleanup_free_ char *rule = replay_rule_in(words, r->args->other->file);

	return count(r, l, &(struct found){ "launch", what, rule, NULL });
}

static int take_launch(struct replay *r, const struct line *l, const struct trial *t, bool passed)
{
	struct diag d = { "" };
	char what[SHOWN];

	if (!trial_starts(&t->now) || !passed)
		return 0;
	if (t->then.r < 0)
		return refuse_launch(r, l, "every launch", t->then.d.text);
	if (t->then.word == WORD_REFUSED)
		return refuse_launch(r, l, "every launch", t->then.word_why);
	if (replay_client_allowed(&t->now.e.policy.clients, l, what, sizeof(what), &d) &&
		!replay_client_allowed(&t->then.e.policy.clients, l, what, sizeof(what), &d))
		return refuse_launch(r, l, what, d.text);
	return 0;
}

static int take_call(struct replay *r, const struct line *l, const struct trial *t, bool passed)
{
	const char *tool = line_text(l, "tool"), *unused, *rule;
	enum verdict now = verdict_tool(&t->now.e, tool, &unused), then = verdict_tool(&t->then.e, tool, &rule);

	return weigh(r, l, passed, now, then, &(struct found){ "call", tool, rule, NULL });
}

/* Of a host that is denied: the ceiling that has it not, else the profile, whose list no ceiling cut. */
static const char *host_rule(const struct effective *e, const char *name, uint16_t port, char ret[KEY_MAX])
{
	const struct policy_ceilings *c = &e->policy.ceilings;
	const char *rule = policy_ceiling(c, "network.allow");

	if (!rule || (*name && net_match_name(&e->profile.network, name, port) != NET_NO_GRANT))
		rule = policy_ceiling(c, "network.private");
	if (rule || !e->profile.file)
		return rule;
	snprintf(ret, KEY_MAX, "%s (network.allow)", e->profile.file);
	return ret;
}

static int take_connection(struct replay *r, const struct line *l, const struct trial *t, bool passed)
{
	const char *name = line_text(l, "name"), *text = line_text(l, "address"), *unused, *rule;
	uint16_t port = (uint16_t)line_number(l, "port");
	struct net_address a = { 0 };
	enum verdict now, then;
	char what[SHOWN], by[KEY_MAX];

	if (*text && net_address_parse(text, &a) < 0)
		a = (struct net_address){ 0 };
	now = verdict_host(&t->now.e, name, &a, port, &unused);
	then = verdict_host(&t->then.e, name, &a, port, &rule);
	snprintf(what, sizeof(what), "%s:%u", *name ? name : text, port);
	if (then == VERDICT_DENIED)
		rule = host_rule(&t->then.e, name, port, by);
	return weigh(r, l, passed, now, then, &(struct found){ "connection", what, rule, NULL });
}

/* What was let through, if only to be recorded. */
static bool has_passed(const struct line *l)
{
	const char *decision = line_text(l, "decision");

	return strcmp(decision, "allow") == 0 || strcmp(decision, "would deny") == 0;
}

static const struct take_row {
	const char *event;
	bool decided;
	int (*take)(struct replay *r, const struct line *l, const struct trial *t, bool passed);
} takes[] = {
	{ "session.open", false, take_launch },
	{ "tool.call", true, take_call },
	{ "net.connect", true, take_connection },
};

/* What was denied is asked about where it might be let through to be recorded: of a launch of a profile. */
static int take_denied(struct replay *r, const struct take_row *row, const struct line *l)
{
	const struct trial *t =
		find_trial(r, line_text(l, "server"), line_text(l, "approval"), *line_text(l, "version") != '\0');

	return t && t->then.e.observe_until && trial_starts(&t->then) ? row->take(r, l, t, false) : 0;
}

static int take_passed(struct replay *r, const struct take_row *row, const struct line *l)
{
	struct trial *t = NULL;
	int error = trial_of(r, l, &t);

	if (error < 0 || !t)
		return error;
	r->asked++;
	/* Of a server that does not start there are no calls: its launches are what is told. */
	return row->decided && (!trial_starts(&t->now) || !trial_starts(&t->then)) ? 0 : row->take(r, l, t, true);
}

static int take(const struct line *l, void *arg)
{
	struct replay *r = arg;

	for (size_t i = 0; i < ARRAY_LEN(takes); i++)
		if (strcmp(l->event, takes[i].event) == 0)
			return !takes[i].decided || has_passed(l) ? take_passed(r, &takes[i], l)
								  : take_denied(r, &takes[i], l);
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
