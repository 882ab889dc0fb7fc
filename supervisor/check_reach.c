/* SPDX-License-Identifier: Apache-2.0 */
/* check_reach - see check_reach.h */
#include "supervisor/check_reach.h"
#include <errno.h>
#include <jansson.h>
#include "supervisor/exit.h"
#include "supervisor/network.h"
#include "supervisor/output.h"
#include "supervisor/question_words.h"

static uint32_t find_localhost(const struct net_config *c, uint16_t port)
{
	for (uint32_t i = 0; i < c->n_grants; i++)
		if (c->grants[i].kind == NET_LOCALHOST && (!port || net_grant_has_port(&c->grants[i], port)))
			return i;
	return NET_NO_GRANT;
}

/* Port 0: any. */
static uint32_t find(const struct net_config *c, const struct net_grant *asked, uint16_t port)
{
	if (asked->kind == NET_LOCALHOST)
		return find_localhost(c, port);
	return asked->kind == NET_NAME ? net_match_name(c, asked->name, port)
				       : net_match_address(c, &asked->address, port);
}

static bool is_one(const struct net_grant *g)
{
	return g->n_ports == 1 && (g->kind == NET_NAME || g->kind == NET_LOCALHOST ||
					  (g->kind == NET_PREFIX && g->prefix == (g->address.family == 4 ? 32 : 128)));
}

static int tell(FILE *out, const char *host, const char *rule, const char *note, bool allowed, bool json)
{
	int status;

	if (!json) {
		fprintf(out, "%s: host '%s' %s%s\n", allowed ? "allowed" : "denied", host, allowed ? "by " : "since ",
			rule);
		if (note)
			fprintf(out, "%s\n", note);
		return allowed ? EXIT_OK : EXIT_FINDINGS;
	}
	status = output_json(out,
		json_pack("{s:s, s:s, s:s, s:s*}", "reach", host, "decision", allowed ? "allow" : "deny", "rule", rule,
			"note", note),
		"the decision");
	return status != EXIT_OK || allowed ? status : EXIT_FINDINGS;
}

static int decide(FILE *out, const struct net_config *c, const struct net_grant *asked, bool json)
{
	char text[NETWORK_TEXT_MAX];
	uint32_t i = find(c, asked, asked->ports[0]);
	bool allowed = i != NET_NO_GRANT;
	const char *why = find(c, asked, 0) != NET_NO_GRANT ? "network.allow names the host, but not this port"
							    : "network.allow does not name it";
	_cleanup_free_ char *where = question_shown(allowed	    ? c->grants[i].where
						    : network_on(c) ? why
								    : "it is granted no network");

	if (!where)
		return -ENOMEM;
	return tell(out, network_grant_text(asked, text, sizeof(text)), where,
		allowed && asked->kind == NET_NAME && !c->proxy_host && !c->grants[i].private_allowed
			? "What it leads to is looked at for each connection: loopback, private and metadata addresses "
			  "are refused."
			: NULL,
		allowed, json);
}

int check_reach(FILE *out, const struct net_config *c, const char *host, bool json, struct diag *d)
{
	struct net_grant asked = { 0 };
	int r = network_grant_parse(host, "--reach", &asked, d);

	if (r == 0)
		r = is_one(&asked) ? decide(out, c, &asked, json)
				   : diag_fail(d, -EINVAL,
					     "--reach takes one host and one port, as in --reach api.example.com:443");
	network_grant_done(&asked);
	return r;
}
