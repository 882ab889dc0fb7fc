/* SPDX-License-Identifier: Apache-2.0 */
/* profile_client - what a server may ask of the client, and log there (profile_parse.h, wire/shim_client.h) */
#include <errno.h>
#include <string.h>
#include "supervisor/network.h"
#include "supervisor/profile_parse.h"

enum { PERIOD_DEFAULT = 60 };

int profile_client_defaults(struct shim_client *c)
{
	const struct meters_rate rate = { SHIM_ASKS_DEFAULT, PERIOD_DEFAULT, NULL };

	c->sampling.rate = c->elicitation.rate = rate;
	c->sampling.rate.where = strdup(SHIM_SAMPLING_DEFAULT_WORDS);
	c->elicitation.rate.where = strdup(SHIM_ELICITATION_DEFAULT_WORDS);
	return c->sampling.rate.where && c->elicitation.rate.where ? 0 : -ENOMEM;
}

/* A switch, or an object with limits, whose members have rows of their own. */
static int take_switch(const struct key *k, bool *ret)
{
	*ret = json_is_true(k->v) || json_is_object(k->v);
	if (json_is_object(k->v))
		return key_walk(k->parse, k->row->path, k->shown, k->v, k->target);
	if (!json_is_boolean(k->v))
		return key_fail(k, "must be true, false or an object with limits, not %s", json_file_type(k->v));
	return 0;
}

int key_set_sampling(const struct key *k)
{
	return take_switch(k, &KEY_FIELD(k, struct shim_sampling)->on);
}

int key_set_max_tokens(const struct key *k)
{
	struct meters_bound *b = KEY_FIELD(k, struct meters_bound);
	json_int_t v = json_integer_value(k->v);

	if (v < 1 || v > SHIM_TOKENS_MAX)
		return key_fail(k, "is %lld; it must lie between 1 and %d", (long long)v, SHIM_TOKENS_MAX);
	b->value = (uint64_t)v;
	return key_where(k, k->line, NULL, &b->where);
}

int key_set_context(const struct key *k)
{
	const char *words[SHIM_CONTEXT_COUNT];
	size_t i = 0;
	int r;

	for (unsigned n = 0; n < SHIM_CONTEXT_COUNT; n++)
		words[n] = shim_context_word(n);
	r = key_word(k, words, ARRAY_LEN(words), &i);
	if (r == 0)
		*KEY_FIELD(k, enum shim_context) = (enum shim_context)i;
	return r;
}

int key_set_elicitation(const struct key *k)
{
	struct shim_elicitation *e = KEY_FIELD(k, struct shim_elicitation);
	int r = take_switch(k, &e->on);

	if (r == 0 && e->on && e->no_form && e->n == 0)
		return key_fail(k, "allows neither forms nor a host to send the user to; write false");
	return r;
}

int key_set_form(const struct key *k)
{
	*KEY_FIELD(k, bool) = json_is_false(k->v);
	return 0;
}

static int add_grant(const struct key *k, const struct net_grant *g, unsigned line)
{
	int r = 0;

	if (g->kind != NET_NAME && g->kind != NET_WILDCARD)
		return key_fail_at(k, line,
			"must name hosts, such as \"login.example.com\" or \"*.example.com\": nobody is sent to any "
			"host at all, to an address or to this machine");
	for (size_t i = 0; r == 0 && i < g->n_ports; i++)
		r = shim_client_add_host(
			KEY_FIELD(k, struct shim_client), g->name, g->kind == NET_WILDCARD, g->ports[i]);
	return r == -E2BIG ? key_fail_at(k, line, "has more than %d hosts", SHIM_HOSTS_MAX) : r;
}

static int take_host(const struct key *k, const json_t *item, unsigned line)
{
	_cleanup_free_ char *where = NULL;
	const char *text = json_string_value(item);
	struct net_grant g = { 0 };
	int r;

	if (!text || strlen(text) > PROFILE_STRING_MAX)
		return key_fail_at(k, line, "must hold strings such as \"login.example.com\"");
	r = key_where(k, line, text, &where);
	if (r == 0)
		r = network_grant_parse(text, where, &g, k->parse->d);
	if (r == 0)
		r = add_grant(k, &g, line);
	network_grant_done(&g);
	return r;
}

int key_set_ask_hosts(const struct key *k)
{
	const json_t *item;
	size_t i;
	int r = 0;

	if (json_is_false(k->v))
		return 0;
	if (!json_array_size(k->v))
		return key_fail(k, "must be false or a list of hosts that a person may be sent to");
	json_array_foreach((json_t *)(uintptr_t)k->v, i, item)
	{
		r = take_host(k, item, key_item_line(k, i));
		if (r < 0)
			return r;
	}
	return r;
}

int key_set_logging(const struct key *k)
{
	struct shim_logging *l = KEY_FIELD(k, struct shim_logging);
	bool on;
	int r = take_switch(k, &on);

	l->off = r == 0 && !on;
	return l->off ? key_where(k, k->line, NULL, &l->where) : r;
}

int key_set_level(const struct key *k)
{
	struct shim_logging *l = KEY_FIELD(k, struct shim_logging);
	const char *words[SHIM_LEVEL_COUNT];
	size_t i = 0;
	int r;

	for (unsigned n = 0; n < SHIM_LEVEL_COUNT; n++)
		words[n] = shim_level_word(n);
	r = key_word(k, words, ARRAY_LEN(words), &i);
	if (r < 0)
		return r;
	l->level = (enum shim_level)i;
	return key_where(k, k->line, words[i], &l->where);
}
