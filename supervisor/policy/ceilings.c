/* SPDX-License-Identifier: Apache-2.0 */
/* ceilings - see ceilings.h */
#include "supervisor/policy/ceilings.h"
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/glob.h"
#include "supervisor/effective_lines.h"
#include "supervisor/policy/ceiling_parts.h"

__attribute__((format(printf, 3, 0))) static int say(
	struct effective *e, const char *where, const char *fmt, va_list ap)
{
	char *text = NULL;
	int r;

	if (vasprintf(&text, fmt, ap) < 0)
		return -ENOMEM;
	r = effective_add_line(e, LINE_CUT, 0, where, "%s", text);
	free(text);
	return r;
}

int ceiling_say(struct effective *e, const char *where, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = say(e, where, fmt, ap);
	va_end(ap);
	return r;
}

int ceiling_cut(struct effective *e, const char *key, const char *where, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = say(e, where, fmt, ap);
	va_end(ap);
	return r < 0 ? r : places_cut(&e->profile.places, key, where);
}

int ceiling_where(char **where, const char *by)
{
	return place_cut(where, NULL, by);
}

/* --- environment --- */

static bool allows_name(const struct profile_items *patterns, const char *name, size_t n)
{
	for (size_t i = 0; i < patterns->n; i++)
		if (glob_match(patterns->v[i].value, name, n))
			return true;
	return false;
}

/* NAME or NAME=VALUE; only names are told. */
static int cut_variables(struct effective *e, struct profile_items *items, const struct profile_items *patterns,
	const char *where, const char *what)
{
	size_t kept = 0;
	int r = 0;

	for (size_t i = 0; where && i < items->n; i++) {
		struct profile_item *v = &items->v[i];
		size_t n = strcspn(v->value, "=");
		if (allows_name(patterns, v->value, n)) {
			items->v[kept++] = *v;
			continue;
		}
		if (r == 0)
			r = ceiling_say(e, where, "the variable %.*s, %s by %s", (int)n, v->value, what, v->where);
		free(v->value);
		free(v->where);
	}
	if (where)
		items->n = kept;
	return r;
}

static int cut_environment(struct effective *e)
{
	const struct policy_ceilings *c = &e->policy.ceilings;
	int r = cut_variables(e, &e->profile.env_pass, &c->env_pass, policy_ceiling(c, "env.pass"), "passed");

	return r < 0 ? r : cut_variables(e, &e->profile.env_set, &c->env_set, policy_ceiling(c, "env.set"), "set");
}

/* --- numbers --- */

/* by: the ceiling, which is that of the same key but for messages. */
static int cut_number(struct effective *e, const char *key, const char *by, uint64_t *of, uint64_t to, const char *what)
{
	const char *where = policy_ceiling(&e->policy.ceilings, by);
	uint64_t was = *of;

	if (!where || was <= to)
		return 0;
	*of = to;
	return ceiling_cut(e, key, where, "%" PRIu64 " %s: it is %" PRIu64, was, what, to);
}

/* One side's messages: where it has no limit of its own, limits.message holds for it. */
static int cut_side(struct effective *e, const char *path, uint64_t *of, uint64_t to, const char *what)
{
	const char *where = policy_ceiling(&e->policy.ceilings, path);
	uint64_t both = e->policy.ceilings.bounds.limit_message;
	int r = *of ? cut_number(e, path, "limits.message", of, both, what) : 0;

	if (r < 0 || !where || (*of ? *of : e->profile.limit_message) <= to)
		return r;
	if (!*of)
		*of = e->profile.limit_message;
	return cut_number(e, path, path, of, to, what);
}

static int cut_limits(struct effective *e)
{
	struct profile *f = &e->profile;
	const struct profile *b = &e->policy.ceilings.bounds;
	const struct {
		const char *key, *what;
		uint64_t *of, to;
	} rows[] = {
		{ "filesystem.tmp", "bytes of /tmp", &f->tmp_size, b->tmp_size },
		{ "limits.processes", "processes and threads", &f->limit_processes, b->limit_processes },
		{ "limits.files", "open files", &f->limit_files, b->limit_files },
		{ "limits.message", "bytes a message", &f->limit_message, b->limit_message },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(rows); i++)
		r = cut_number(e, rows[i].key, rows[i].key, rows[i].of, rows[i].to, rows[i].what);
	if (r == 0)
		r = cut_side(e, "limits.message_client", &f->limit_message_client, b->limit_message_client,
			"bytes a message of the client");
	return r < 0 ? r
		     : cut_side(e, "limits.message_server", &f->limit_message_server, b->limit_message_server,
			       "bytes a message of the server");
}

/* --- switches --- */

/* The default set is within each other. */
static int cut_seccomp(struct effective *e)
{
	const struct policy_ceilings *c = &e->policy.ceilings;
	const char *where = policy_ceiling(c, "seccomp");
	int r;

	if (!where || strcmp(e->profile.seccomp, "default") == 0)
		return 0;
	for (size_t i = 0; i < c->seccomp.n; i++)
		if (strcmp(c->seccomp.v[i].value, e->profile.seccomp) == 0)
			return 0;
	r = ceiling_cut(e, "seccomp", where, "the system calls of the set \"%s\": they are those of \"default\"",
		e->profile.seccomp);
	free(e->profile.seccomp);
	e->profile.seccomp = strdup("default");
	return r < 0 ? r : e->profile.seccomp ? 0 : -ENOMEM;
}

/* Where the policy does not allow what a switch grants, it is as it is without. */
static int cut_switches(struct effective *e)
{
	const struct policy_ceilings *c = &e->policy.ceilings;
	struct profile *f = &e->profile;
	const struct {
		const char *path, *what;
		bool allowed, *of, without;
	} rows[] = {
		{ "filesystem.protect",
			"writing what the user's own tools execute (.git/hooks and the like): it is protected",
			!c->bounds.protect, &f->protect, true },
		{ "tools.text",
			"escape sequences and invisible characters in what the server says: they are neutralised",
			c->bounds.text.pass, &f->text.pass, false },
		{ "client.sampling", "asking the client's model", c->sampling, &f->client.sampling.on, false },
		{ "client.elicitation", "asking the user through the client", c->elicitation, &f->client.elicitation.on,
			false },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(rows); i++) {
		const char *where = policy_ceiling(c, rows[i].path);
		if (!where || rows[i].allowed || *rows[i].of == rows[i].without)
			continue;
		*rows[i].of = rows[i].without;
		r = ceiling_cut(e, rows[i].path, where, "%s", rows[i].what);
	}
	return r;
}

static int cut_home(struct effective *e)
{
	const char *where = policy_ceiling(&e->policy.ceilings, "filesystem.home");

	if (!where || e->policy.ceilings.bounds.home != HOME_EMPTY || e->profile.home == HOME_EMPTY)
		return 0;
	e->profile.home = HOME_EMPTY;
	return ceiling_cut(e, "filesystem.home", where, "a home that is kept: it is empty, and forgotten at the end");
}

/* How much of each call's arguments the log gets. */
static int cut_audit(struct effective *e)
{
	_Static_assert(SHIM_ARGS_KEYS < SHIM_ARGS_HASH && SHIM_ARGS_HASH < SHIM_ARGS_FULL, "each says more");
	const char *where = policy_ceiling(&e->policy.ceilings, "audit.arguments");
	enum shim_args to = e->policy.ceilings.bounds.audit_args, was = e->profile.audit_args;

	if (!where || was <= to)
		return 0;
	e->profile.audit_args = to;
	return ceiling_cut(e, "audit.arguments", where, "arguments of calls in the log, %s: %s",
		effective_audit_words(was), effective_audit_words(to));
}

int ceilings_apply_rules(struct effective *e, struct diag *d)
{
	static int (*const parts[])(struct effective * e) = { cut_environment, cut_limits, cut_home, cut_seccomp,
		cut_switches, cut_audit, ceiling_calls };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(parts); i++)
		r = parts[i](e);
	return r < 0 ? r : ceiling_network(e, d);
}

/* Not a grant, but what the answer that it waits for is worth. */
static int add_channels(struct effective *e)
{
	const struct policy_consent *c = &e->policy.consent;
	_cleanup_buf_ struct buf b = BUF_INIT(256);
	int r = c->where ? policy_channel_words(c, &b) : 0;

	if (r == 0 && c->by == CONSENT_BY_ADMIN)
		r = effective_add_line(e, LINE_NOTE, 0, c->by_where,
			"only who manages this machine can approve it, no answer of its user's does");
	return r < 0 || !c->where ? r
				  : effective_add_line(e, LINE_NOTE, 0, c->where, "its approval counts %s%s",
					    b.len ? "only when it came through " : "through no channel at all",
					    b.len ? b.data : "");
}

int ceilings_apply_paths(const struct paths *p, struct effective *e, struct diag *d)
{
	return ceiling_paths(p, e, d);
}

int ceilings_apply(const struct paths *p, struct effective *e, struct diag *d)
{
	int r = ceilings_apply_rules(e, d);

	if (r == 0)
		r = add_channels(e);
	return r < 0 ? r : ceiling_paths(p, e, d);
}
