/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_wire - what gateway, dial and supervisor tell one another: what is believed is within its limits, and written
 * again it means the same
 *
 * The first byte of the input chooses the message; the header of this build is put before the rest.
 */
#include <stdio.h>
#include <string.h>
#include "tests/fuzz/fuzz.h"
#include "wire/dial.h"
#include "wire/event.h"
#include "wire/net.h"

enum { INPUT_MAX = 1 << 16 };

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fuzz_wire: %s\n", what);
	abort();
}

#define ENDS(array) must(memchr((array), '\0', sizeof(array)) != NULL, "a text without its end")

static void check_address(const struct net_address *a)
{
	must(a->family == 0 || a->family == 4 || a->family == 6, "an address of no family");
}

/* Each of these: 1 when the bytes are no such message, else 0 and the same message in w. */

static int request_again(const void *p, size_t n, struct wire_writer *w)
{
	struct dial_request q;

	if (dial_request_decode(p, n, &q) < 0)
		return 1;
	ENDS(q.name);
	check_address(&q.address);
	must((unsigned)q.ask < DIAL_ASK_COUNT, "no such request");
	must(!q.name[0] || net_name_valid(q.name), "a name that is none");
	return dial_request_encode(&q, w);
}

static int answer_again(const void *p, size_t n, struct wire_writer *w)
{
	struct dial_answer a;

	if (dial_answer_decode(p, n, &a) < 0)
		return 1;
	must((unsigned)a.status < DIAL_STATUS_COUNT && a.n_addresses <= DIAL_ADDRESSES_MAX, "no such answer");
	check_address(&a.address);
	for (uint32_t i = 0; i < a.n_addresses; i++)
		check_address(&a.addresses[i]);
	return dial_answer_encode(&a, w);
}

static int event_again(const void *p, size_t n, struct wire_writer *w)
{
	struct event e;

	if (event_decode(p, n, &e) < 0)
		return 1;
	ENDS(e.host);
	ENDS(e.address);
	ENDS(e.method);
	ENDS(e.rule);
	ENDS(e.reason);
	ENDS(e.status);
	ENDS(e.protocol);
	must((unsigned)e.type < EVENT_TYPE_COUNT && (unsigned)e.decision <= EVENT_DROP &&
			(unsigned)e.side <= EVENT_FROM_SERVER,
		"no such event");
	must(e.args_len <= EVENT_ARGS_MAX, "more arguments than there may be");
	return event_encode(&e, w);
}

static void check_grant(const struct net_config *c, const struct net_grant *g)
{
	must((unsigned)g->kind < NET_GRANT_KIND_COUNT && g->n_ports > 0 && g->n_ports <= NET_PORTS_MAX && g->where,
		"half a grant");
	must(g->kind != NET_NAME || net_match_name(c, g->name, g->ports[0]) < c->n_grants,
		"a grant that does not grant itself");
	must(g->kind != NET_PREFIX || net_match_address(c, &g->address, g->ports[0]) < c->n_grants,
		"a prefix that lacks its own address");
	for (size_t i = 0; i < g->n_ports; i++)
		must(g->ports[i] != 0, "port 0");
}

static int config_again(const void *p, size_t n, struct wire_writer *w)
{
	_cleanup_net_config_ struct net_config c;

	if (net_config_decode(p, n, &c) < 0)
		return 1;
	must(c.server && c.n_grants <= NET_GRANTS_MAX && c.n_publish <= NET_PUBLISH_MAX &&
			(unsigned)c.addresses < NET_ADDRESSES_COUNT,
		"a configuration out of form");
	must(c.uid != 0 && c.gid != 0, "a program that would stay root");
	must(!c.proxy_host || c.proxy_port, "a proxy without a port");
	for (size_t i = 0; i < c.n_grants; i++)
		check_grant(&c, &c.grants[i]);
#define X(member, standard, least, most, key)                                                                          \
	must(c.limits.member >= (least) && c.limits.member <= (most), "a limit out of bounds");
	NET_LIMITS(X)
#undef X
	return net_config_encode(&c, w);
}

static const struct {
	enum wire_kind kind;
	size_t max;
	int (*again)(const void *p, size_t n, struct wire_writer *w);
} messages[] = {
	{ WIRE_DIAL_REQUEST, DIAL_BYTES_MAX, request_again },
	{ WIRE_DIAL_ANSWER, DIAL_BYTES_MAX, answer_again },
	{ WIRE_NET_CONFIG, NET_CONFIG_BYTES_MAX, config_again },
	{ WIRE_EVENT, EVENT_BYTES_MAX, event_again },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(wire_writer_done) struct wire_writer in = { 0 }, once = { 0 }, twice = { 0 };

	if (size < 1 || size > INPUT_MAX)
		return 0;
	size_t i = data[0] % (sizeof(messages) / sizeof(messages[0]));
	wire_begin(&in, messages[i].kind, messages[i].max);
	if (buf_append(&in.buf, data + 1, size - 1) < 0)
		return 0;
	int r = messages[i].again(in.buf.data, in.buf.len, &once);
	if (r > 0)
		return 0;
	must(r == 0, "what was read cannot be written");
	must(messages[i].again(once.buf.data, once.buf.len, &twice) == 0, "what was written cannot be read");
	must(once.buf.len == twice.buf.len && memcmp(once.buf.data, twice.buf.data, once.buf.len) == 0,
		"it means something else");
	return 0;
}
