/* SPDX-License-Identifier: Apache-2.0 */
/*
 * changes_observe - what is let through for no other reason than to be recorded, begun or ended (changes.h)
 *
 * Whose tool or host it is nobody has granted, so that it ends takes no right away; which recorded calls and
 * connections it is about is what replay.h tells. It comes first: where observing begins or ends, it is why a digest is
 * another one.
 */
#include <string.h>
#include "supervisor/network.h"
#include "supervisor/policy_test/changes_parts.h"
#include "supervisor/policy_test/verdict.h"

#define RECORDED "let through, and only recorded, until %s"

static int note(struct sides *s, int r)
{
	if (r == 0)
		s->ret->v[s->ret->n - 1].recorded = true;
	return r;
}

static int find_mode(struct sides *s)
{
	const char *was = s->now->observe_until, *is = s->then->observe_until;
	const struct policy_mode *m = &s->then->policy.mode;

	if (was && is)
		return strcmp(was, is) == 0 ? 0
					    : note(s, changes_add(s->ret, false, m->until_where,
							      "what the profile denies of tools and hosts, only "
							      "recorded until %s: until %s",
							      was, is));
	if (is)
		return note(s, changes_add(s->ret, false, m->where,
				       "what the profile denies of tools and hosts: " RECORDED, is));
	return note(s, changes_add(s->ret, false, m->observe ? m->until_where : NULL,
			       "what the profile denies of tools and hosts, only recorded now: denied"));
}

static int find_tools(struct sides *s)
{
	_cleanup_strv_ struct strv names = { 0 };
	int r = changes_tool_names(s, &names);

	for (size_t i = 0; r == 0 && i < names.n; i++) {
		const char *name = names.v[i], *was_where, *is_where;
		enum verdict was = verdict_tool(s->now, name, &was_where), is = verdict_tool(s->then, name, &is_where);
		bool all = strcmp(name, "*") == 0;
		const char *other = all ? "every other tool" : "the tool ";
		if (was == VERDICT_DENIED && is == VERDICT_RECORDED)
			r = note(s, changes_add(s->ret, false, is_where, "%s%s: " RECORDED, other, all ? "" : name,
					    s->then->observe_until));
		else if (was == VERDICT_RECORDED && is == VERDICT_DENIED)
			r = note(s, changes_add(s->ret, false, is_where, "%s%s, only recorded now: denied", other,
					    all ? "" : name));
	}
	return r;
}

static int find_hosts(struct sides *s, const struct effective *of, const struct effective *other, bool ends)
{
	const struct net_config *c = &of->profile.network, *o = &other->profile.network;
	char text[NETWORK_TEXT_MAX];
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->n_grants; i++) {
		const struct net_grant *g = &c->grants[i];
		if (!g->observed || changes_holds_host(o, true, g) || changes_holds_host(o, false, g))
			continue;
		network_grant_text(g, text, sizeof(text));
		if (ends)
			r = note(s, changes_add(s->ret, false, changes_rule(s, true, "network.allow"),
					    "connecting to %s, only recorded now: denied", text));
		else
			r = note(s, changes_add(s->ret, false, changes_rule(s, false, "network.allow"),
					    "connecting to %s: " RECORDED, text, of->observe_until));
	}
	return r;
}

int changes_observe(struct sides *s)
{
	int r;

	if (!s->now->observe_until && !s->then->observe_until)
		return 0;
	r = find_mode(s);
	if (r == 0)
		r = find_tools(s);
	if (r == 0)
		r = find_hosts(s, s->now, s->then, true);
	return r < 0 ? r : find_hosts(s, s->then, s->now, false);
}
