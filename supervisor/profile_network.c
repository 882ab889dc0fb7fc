/* SPDX-License-Identifier: Apache-2.0 */
/* profile_network - the profile's section on the network becomes grants (profile_parse.h, supervisor/network.h) */
#include <errno.h>
#include <string.h>
#include "base/parse.h"
#include "base/text.h"
#include "supervisor/network.h"
#include "supervisor/profile_parse.h"

enum { MS = 1000 };

static const char *const address_words[] = {
	[NET_BENCHMARK] = "198.18.0.0/15",
	[NET_RESERVED] = "240.0.0.0/4",
	[NET_REAL] = "real",
};
_Static_assert(ARRAY_LEN(address_words) == NET_ADDRESSES_COUNT, "a word for every kind of address");

/* An address is granted as it is, whatever it is, and no name comes with it. */
static int check_switches(const struct key *k, const json_t *item, unsigned line, const struct net_grant *g)
{
	static const char *const switches[] = { "sni", "private" };

	if (g->kind != NET_PREFIX && g->kind != NET_LOCALHOST)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(switches); i++)
		if (json_object_get(item, switches[i]))
			return key_fail_at(k, line,
				"has \"%s\" beside %s, where it would change nothing: it is for names; leave it out",
				switches[i], g->kind == NET_PREFIX ? "an address" : "localhost");
	return 0;
}

/* {"host": "api.example.com", "ports": [443], "sni": false, "private": true} */
static int take_object(const struct key *k, const json_t *item, unsigned line, const char *where, struct net_grant *ret)
{
	const char *host = json_string_value(json_object_get(item, "host"));
	char prefix[PROFILE_SHOWN_MAX];
	int r;

	if (!host)
		return key_fail_at(k, line, "has an item without \"host\"");
	r = network_host_parse(host, where, ret, k->parse->d);
	if (r == 0)
		r = check_switches(k, item, line, ret);
	if (r < 0)
		return r;
	snprintf(prefix, sizeof(prefix), "%s[]", k->row->path);
	r = key_walk(k->parse, prefix, k->shown, item, ret);
	if (r == 0 && ret->n_ports == 0)
		r = network_port_add(ret, NETWORK_PORT_DEFAULT, where, k->parse->d);
	return r;
}

static int take_host(const struct key *k, const json_t *item, unsigned line, struct net_grant *ret)
{
	_cleanup_free_ char *where = NULL;
	const char *text = json_string_value(json_is_object(item) ? json_object_get(item, "host") : item);
	int r = key_where(k, line, text, &where);

	if (r < 0)
		return r;
	if (json_is_object(item))
		return take_object(k, item, line, where, ret);
	if (!text)
		return key_fail_at(k, line,
			"must hold hosts: strings such as \"api.example.com:443\", or objects with \"host\"; there is "
			"%s",
			json_file_type(item));
	return network_grant_parse(text, where, ret, k->parse->d);
}

/* "${name}", whose values are known when the profile is expanded. */
static int take_parameter(const struct key *k, const char *text, unsigned line)
{
	struct profile_items *items = &k->parse->profile->net_hosts;
	struct profile_item *more = reallocarray(items->v, items->n + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	items->v = more;
	more += items->n++;
	*more = (struct profile_item){ .value = strdup(text) };
	return more->value ? key_where(k, line, text, &more->where) : -ENOMEM;
}

static bool is_parameter(const char *text)
{
	const char *close = text && strncmp(text, "${", 2) == 0 ? strchr(text, '}') : NULL;

	return close && !close[1];
}

int key_set_hosts(const struct key *k)
{
	const json_t *item;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)k->v, i, item)
	{
		struct net_grant g = { 0 };
		unsigned line = key_item_line(k, i);
		bool later = is_parameter(json_string_value(item));
		int r = later ? take_parameter(k, json_string_value(item), line) : take_host(k, item, line, &g);

		if (r == 0 && !later)
			r = network_add(KEY_FIELD(k, struct net_config), &g, k->parse->d);
		network_grant_done(&g);
		if (r < 0)
			return r;
	}
	return 0;
}

int key_set_host_ports(const struct key *k)
{
	struct net_grant *g = k->target;
	const json_t *item;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)k->v, i, item)
	{
		json_int_t port = json_integer_value(item);
		int r;

		if (!json_is_integer(item) || port < 0)
			return key_fail_at(k, key_item_line(k, i), "must hold port numbers, 1 to 65535");
		r = network_port_add(g, (uint64_t)port, g->where, k->parse->d);
		if (r < 0)
			return r;
	}
	return json_array_size(k->v)
		       ? 0
		       : key_fail(k, "is empty: a host without a port grants nothing; leave \"ports\" out for 443");
}

int key_set_publish(const struct key *k)
{
	struct net_config *c = KEY_FIELD(k, struct net_config);
	const json_t *item;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)k->v, i, item)
	{
		json_int_t port = json_integer_value(item);
		unsigned line = key_item_line(k, i);

		if (!json_is_integer(item) || port < NETWORK_PUBLISH_MIN || port > UINT16_MAX)
			return key_fail_at(k, line, "must hold port numbers from %d to %d: lower ones are the system's",
				NETWORK_PUBLISH_MIN, UINT16_MAX);
		if (c->n_publish == NET_PUBLISH_MAX)
			return key_fail_at(k, line, "has more than %d ports", NET_PUBLISH_MAX);
		for (size_t n = 0; n < c->n_publish; n++)
			if (c->publish[n] == port)
				return key_fail_at(k, line, "names port %d twice", (int)port);
		c->publish[c->n_publish++] = (uint16_t)port;
	}
	return key_where(k, k->line, NULL, &((struct profile *)k->target)->publish_where);
}

int key_set_addresses(const struct key *k)
{
	size_t i = 0;
	int r = key_word(k, address_words, ARRAY_LEN(address_words), &i);

	if (r == 0)
		KEY_FIELD(k, struct net_config)->addresses = (enum net_addresses)i;
	return r;
}

int key_set_network_limit(const struct key *k)
{
	json_int_t v = json_integer_value(k->v);

	if (v < (json_int_t)k->row->min || v > (json_int_t)k->row->max)
		return key_fail(k, "is %lld; it must lie between %llu and %llu", (long long)v,
			(unsigned long long)k->row->min, (unsigned long long)k->row->max);
	*KEY_FIELD(k, uint32_t) = (uint32_t)v;
	return 0;
}

int key_set_network_time(const struct key *k)
{
	bool in_ms = k->row->offset != offsetof(struct profile, network.limits.idle_s);
	uint64_t seconds;

	if (parse_duration(json_string_value(k->v), k->row->min, k->row->max, &seconds) < 0)
		return key_fail(k, "must be a time such as \"30s\" or \"10min\", %llu to %llu seconds",
			(unsigned long long)k->row->min, (unsigned long long)k->row->max);
	*KEY_FIELD(k, uint32_t) = (uint32_t)(in_ms ? seconds * MS : seconds);
	return 0;
}

int profile_hosts_add(struct profile *p, struct diag *d)
{
	for (size_t i = 0; i < p->net_hosts.n; i++) {
		struct net_grant g = { 0 };
		int r = network_grant_parse(p->net_hosts.v[i].value, p->net_hosts.v[i].where, &g, d);

		if (r == 0)
			r = network_add(&p->network, &g, d);
		if (r < 0)
			return r;
	}
	/* The others were checked when the profile was read. */
	return p->net_hosts.n ? network_check(&p->network, d) : 0;
}
