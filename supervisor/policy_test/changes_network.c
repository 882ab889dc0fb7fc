/* SPDX-License-Identifier: Apache-2.0 */
/* changes_network - hosts that a launch reaches no more, or reaches now (changes.h); observed ones are
 * changes_observe.c's */
#include <string.h>
#include "supervisor/network.h"
#include "supervisor/policy_test/changes_parts.h"

bool changes_holds_host(const struct net_config *b, bool observed, const struct net_grant *g)
{
	char want[NETWORK_TEXT_MAX], have[NETWORK_TEXT_MAX];

	network_grant_text(g, want, sizeof(want));
	for (size_t i = 0; i < b->n_grants; i++) {
		struct net_grant both = { 0 };
		bool same = b->grants[i].observed == observed && network_grant_common(g, &b->grants[i], &both) == 1 &&
			    strcmp(want, network_grant_text(&both, have, sizeof(have))) == 0;
		network_grant_done(&both);
		if (same)
			return true;
	}
	return false;
}

static int left_of(const struct net_config *b, const struct net_grant *g, struct buf *ret)
{
	char text[NETWORK_TEXT_MAX];
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < b->n_grants; i++) {
		struct net_grant both = { 0 };
		if (!b->grants[i].observed && network_grant_common(g, &b->grants[i], &both) == 1)
			r = buf_printf(
				ret, "%s%s", n++ ? ", " : ": only ", network_grant_text(&both, text, sizeof(text)));
		network_grant_done(&both);
	}
	return r < 0 || n ? r : buf_puts(ret, ": no more");
}

static int lost(struct sides *s, const struct net_grant *g)
{
	_cleanup_buf_ struct buf left = BUF_INIT(CHANGE_TEXT_MAX);
	char text[NETWORK_TEXT_MAX];
	const char *rule = changes_rule(s, true, "network.allow");
	int r = left_of(&s->then->profile.network, g, &left);

	return r < 0 ? r
		     : changes_add(s->ret, true, rule ? rule : changes_rule(s, true, "network.private"),
			       "connecting to %s%s", network_grant_text(g, text, sizeof(text)), left.data);
}

static int host_switch(
	struct sides *s, const struct net_grant *g, const char *key, const char *what, bool now, bool then)
{
	char text[NETWORK_TEXT_MAX];

	return now == then ? 0
			   : changes_add(s->ret, now, changes_rule(s, now, key), "%s %s%s", what,
				     network_grant_text(g, text, sizeof(text)), now ? ": no more" : "");
}

/* What else is granted for the same host. */
static int find_host_switches(struct sides *s, const struct net_grant *now)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->then->profile.network.n_grants; i++) {
		const struct net_grant *then = &s->then->profile.network.grants[i];
		if (then->observed || !network_same_host(now, then))
			continue;
		r = host_switch(s, now, "network.private", "a private address answers for", now->private_allowed,
			then->private_allowed);
		if (r == 0)
			r = host_switch(s, now, "network.sni", "another name in TLS than", !now->sni, !then->sni);
	}
	return r;
}

int changes_network(struct sides *s)
{
	const struct net_config *now = &s->now->profile.network, *then = &s->then->profile.network;
	char text[NETWORK_TEXT_MAX];
	int r = 0;

	for (size_t i = 0; r == 0 && i < now->n_grants; i++)
		if (!now->grants[i].observed)
			r = changes_holds_host(then, false, &now->grants[i]) ? find_host_switches(s, &now->grants[i])
									     : lost(s, &now->grants[i]);
	for (size_t i = 0; r == 0 && i < then->n_grants; i++)
		if (!then->grants[i].observed && !changes_holds_host(now, false, &then->grants[i]))
			r = changes_add(s->ret, false, changes_rule(s, false, "network.allow"), "connecting to %s",
				network_grant_text(&then->grants[i], text, sizeof(text)));
	return r;
}
