/* SPDX-License-Identifier: Apache-2.0 */
/* denied_line - see denied_line.h */
#include "audit/denied_line.h"

#include <errno.h>
#include <string.h>

#include "wire/net.h"
#include "wire/net_block.h"
#include "wire/shim_client.h"

enum { HTTPS_PORT = 443 };

static bool rule_is(const struct line *l, const char *rule)
{
	return strcmp(line_text(l, "rule"), rule) == 0;
}

/* Is the rule an item of that list? Rules of profiles end so: FILE:LINE (KEY "VALUE"). */
static bool rule_of(const struct line *l, const char *key)
{
	const char *at = strstr(line_text(l, "rule"), key);

	return at && at > line_text(l, "rule") && at[-1] == '(';
}

static int take(struct denied_line *ret, const char *key, json_t *value)
{
	ret->key = key;
	ret->value = value;
	return value ? 1 : -ENOMEM;
}

static int none(struct denied_line *ret, const char *note)
{
	ret->note = note;
	return 1;
}

/* --- hosts --- */

static json_t *host_string(const char *host, uint64_t port)
{
	return json_sprintf(strchr(host, ':') ? "[%s]:%llu" : "%s:%llu", host, (unsigned long long)port);
}

static int of_name(const struct line *l, struct denied_line *ret)
{
	if (strncmp(line_text(l, "rule"), "network.limits.", 15) == 0)
		return none(ret, "more names were looked up below a wildcard than network.limits.names allows");
	if (!net_name_valid(ret->thing))
		return none(ret, "no line can grant it: it is no host name");
	ret->note = "only the name was asked for, so its port is not known: 443 is that of https";
	return take(ret, "network.allow", host_string(ret->thing, HTTPS_PORT));
}

/* The rule is the grant itself: the port was open, and what was said on it was not what the grant names. */
static int of_hello(struct denied_line *ret)
{
	ret->note = "the host is granted; what it said in TLS was not that name. This line, in place of what the "
		    "rule says of this host and port, no longer compares the two";
	return take(ret, "network.allow",
		json_pack("{s:s, s:[I], s:b}", "host", ret->thing, "ports", (json_int_t)ret->port, "sni", 0));
}

static int of_connection(const struct line *l, struct denied_line *ret)
{
	struct net_address a;
	bool literal = net_address_parse(ret->thing, &a) == 0;

	if (strcmp(line_text(l, "protocol"), "udp") == 0)
		return none(ret, "no line can grant it: only TCP leaves a sandbox");
	if (strncmp(line_text(l, "rule"), "network.limits.", 15) == 0)
		return none(
			ret, "the host is granted; there were more connections than network.limits.connections allows");
	if (rule_of(l, "network.allow"))
		return of_hello(ret);
	if (!rule_is(l, "network.allow has no such port") && !rule_is(l, "network.allow names no such address"))
		return none(ret, NULL);
	/* Stands for names inside one sandbox only. */
	if (literal && !strstr(line_text(l, "reason"), "would grant it"))
		return none(ret, "no line can grant it: it is no address of the world, but one that stands for a name, "
				 "or for none");
	return take(ret, "network.allow", host_string(ret->thing, ret->port));
}

/* dial's verdict: the name is granted, and led to where names do not lead by themselves (dial/filter.c). */
static int of_dial(const struct line *l, struct denied_line *ret)
{
	const char *reason = line_text(l, "reason"), *address = line_text(l, "address");
	struct net_address a;

	if (strstr(reason, "private address")) {
		ret->note = ret->port ? "the host is granted and led to a private address; this line, in place of what "
					"the rule says of this host and port, allows that"
				      : "the host is granted and led to a private address; this line, with the ports "
					"and in place of the rule, allows that";
		return take(ret, "network.allow",
			ret->port ? json_pack("{s:s, s:[I], s:b}", "host", ret->thing, "ports", (json_int_t)ret->port,
					    "private", 1)
				  : json_pack("{s:s, s:b}", "host", ret->thing, "private", 1));
	}
	if (strstr(reason, "loopback"))
		return none(ret, "the host is granted and led to this machine itself; if that is meant, network.allow "
				 "has \"localhost:PORT\"");
	if (strncmp(reason, "the name leads to ", 18) != 0 || !*address)
		return none(ret, NULL);
	if (net_address_parse(address, &a) == 0 && net_block_of(&a)->level == NET_BLOCK_NEVER)
		return none(ret, "no line can grant it: the host is granted and led to an address that nobody is ever "
				 "connected to");
	ret->note = "the host is granted and led to this address, which must be named by itself; whose it is, is worth "
		    "knowing first";
	return take(ret, "network.allow", host_string(address, ret->port ? ret->port : HTTPS_PORT));
}

/* --- what clients and servers ask --- */

static bool is_by_pins(const struct line *l)
{
	static const char begins[] = "the pins of '";

	return strncmp(line_text(l, "rule"), begins, sizeof(begins) - 1) == 0;
}

/* A '*' in a rule stands for anything, so it cannot name one thing. */
static int of_rules(const struct line *l, const char *allow, const char *deny, struct denied_line *ret)
{
	if (rule_of(l, deny)) {
		ret->key = deny;
		ret->remove = true;
		return 1;
	}
	if (is_by_pins(l))
		return none(ret,
			"no rule forbids it: it is not what was pinned, or was not there; 'stockade diff' shows what "
			"is different, 'stockade pin' takes it as it is now");
	if (!rule_of(l, allow))
		return none(ret, NULL);
	if (!*ret->thing)
		return none(ret, "the record does not say which");
	if (strstr(ret->thing, "[removed]"))
		return none(ret, "its password is not recorded: write the line with a '*' in its place");
	if (strchr(ret->thing, '\\'))
		return none(ret, "no line can be written for it: its name is recorded with escapes");
	if (strchr(ret->thing, '*'))
		return none(ret, "no line can grant it alone: a '*' in a rule stands for anything");
	return take(ret, allow, json_string(ret->thing));
}

static int of_method(const struct line *l, struct denied_line *ret)
{
	static const char *const switches[] = { "client.sampling", "client.elicitation", "client.sampling.tools" };

	for (size_t i = 0; i < ARRAY_LEN(switches); i++)
		if (rule_is(l, switches[i]))
			return take(ret, switches[i], json_true());
	if (rule_is(l, "client.elicitation.url"))
		return none(ret,
			"client.elicitation.url names the hosts that the user may be sent to; whose this one is, is "
			"worth knowing first");
	if (rule_of(l, "client.") || rule_is(l, SHIM_SAMPLING_DEFAULT_WORDS) ||
		rule_is(l, SHIM_ELICITATION_DEFAULT_WORDS))
		return none(ret, "the profile allows it, and a limit of client.* holds it down");
	if (rule_is(l, "client.roots"))
		return none(ret, "roots name granted directories, and none is granted");
	return of_rules(l, "extensions.allow", "extensions.deny", ret);
}

static int of_request(const struct line *l, struct denied_line *ret)
{
	if (rule_of(l, "resources."))
		ret->kind = DENIED_RESOURCE;
	else if (rule_of(l, "prompts."))
		ret->kind = DENIED_PROMPT;
	else
		return of_method(l, ret);
	return ret->kind == DENIED_RESOURCE ? of_rules(l, "resources.allow", "resources.deny", ret)
					    : of_rules(l, "prompts.allow", "prompts.deny", ret);
}

/* FILE:LINE (tools.allow "NAME" arguments), (tools.allow "NAME" strict), (tools.strict): the name is allowed. */
static bool rule_of_arguments(const struct line *l)
{
	static const char *const ends[] = { "\" arguments)", "\" strict)", "(tools.strict)" };
	const char *rule = line_text(l, "rule");
	size_t n = strlen(rule);

	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		if (n > strlen(ends[i]) && strcmp(rule + n - strlen(ends[i]), ends[i]) == 0)
			return true;
	return false;
}

static int of_tool(const struct line *l, struct denied_line *ret)
{
	static const char *const meters[] = { "tools.rate", "tools.total", "tools.time", "tools.output", "tools.allow.",
		"limits.calls", METERS_CALLS_DEFAULT_WORDS };

	if (rule_of_arguments(l))
		return none(ret, "the tool is allowed; what its arguments must be is that rule's");

	for (size_t i = 0; i < ARRAY_LEN(meters); i++)
		if (rule_of(l, meters[i]) || strncmp(line_text(l, "rule"), meters[i], strlen(meters[i])) == 0)
			return none(ret, "the tool is allowed; its rule holds calls down, or asks a person about each");
	if (rule_of(l, "tools.scopes"))
		return none(ret, "its scope is not there: tools.allow_scopes says which are, and a person may lift one "
				 "that tools.grant_scopes names");
	return of_rules(l, "tools.allow", "tools.deny", ret);
}

/* --- the table --- */

static const struct {
	const char *event;
	enum denied_kind kind;
	const char *things[2]; /* the members that say what, the first that is there */
	int (*line)(const struct line *l, struct denied_line *ret);
} rows[] = {
	{ "net.name", DENIED_HOST, { "name" }, of_name },
	{ "net.denied", DENIED_HOST, { "name", "address" }, of_connection },
	{ "net.connect", DENIED_HOST, { "name", "address" }, of_dial },
	{ "tool.call", DENIED_TOOL, { "tool" }, of_tool },
	{ "request", DENIED_METHOD, { "subject", "method" }, of_request },
	{ "notification", DENIED_METHOD, { "method" }, of_method },
};

/* A sum over a flood of many kinds says no decision any more (tally.c); of these events each is a denial. */
static bool is_denial(const struct line *l)
{
	const char *decision = line_text(l, "decision");

	return strcmp(decision, "deny") == 0 || strcmp(decision, "drop") == 0 ||
	       (!*decision && (strcmp(l->event, "net.name") == 0 || strcmp(l->event, "net.denied") == 0));
}

int denied_line_of(const struct line *l, struct denied_line *ret)
{
	size_t i = 0;

	*ret = (struct denied_line){ 0 };
	if (!is_denial(l))
		return 0;
	while (i < ARRAY_LEN(rows) && strcmp(l->event, rows[i].event) != 0)
		i++;
	if (i == ARRAY_LEN(rows))
		return 0;
	const char *thing = line_text(l, rows[i].things[0]);
	if (!*thing && rows[i].things[1])
		thing = line_text(l, rows[i].things[1]);
	ret->kind = rows[i].kind;
	ret->port = line_number(l, "port");
	ret->thing = strdup(thing);
	if (!ret->thing)
		return -ENOMEM;
	/* The gateway tells a flood by its number alone. */
	return ret->kind == DENIED_HOST && !*thing ? none(ret, "more of them came at once than are recorded one by one")
						   : rows[i].line(l, ret);
}

void denied_line_done(struct denied_line *d)
{
	free(d->thing);
	json_decref(d->value);
	*d = (struct denied_line){ 0 };
}
