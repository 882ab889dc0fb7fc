/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_wire - what gateway, dial, shim and supervisor tell one another: what is believed is within its limits, and
 * written again it means the same
 *
 * The first byte of the input chooses the message; the header of this build is put before the rest.
 */
#include <string.h>
#include "tests/fuzz/fuzz.h"
#include "wire/collect.h"
#include "wire/confirm.h"
#include "wire/control.h"
#include "wire/definition.h"
#include "wire/dial.h"
#include "wire/event.h"
#include "wire/fetch.h"
#include "wire/net.h"
#include "wire/shim_config.h"

enum { INPUT_MAX = 1 << 16 };

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

static void check_rate(const struct meters_rate *r)
{
	must(r->calls <= METERS_CALLS_MAX && r->period_s <= METERS_PERIOD_MAX,
		"a rate that overflows the shim's count");
	must(!r->calls || (r->period_s && r->where), "half a rate");
}

static void check_bound(const struct meters_bound *b, uint64_t max)
{
	must(b->value <= max && (!b->value || b->where), "a bound out of bounds, or of nobody");
}

static void check_meters(const struct meters *m)
{
	check_rate(&m->each);
	check_rate(&m->total);
	check_bound(&m->time, METERS_TIME_MAX);
	check_bound(&m->output, UINT64_MAX);
	check_bound(&m->in_flight, METERS_INFLIGHT_MAX);
	must(m->n <= METERS_TOOLS_MAX, "a crowd of tools");
	for (size_t i = 0; i < m->n; i++) {
		must(m->tools[i].glob != NULL, "meters of no tool");
		check_rate(&m->tools[i].rate);
		check_bound(&m->tools[i].time, METERS_TIME_MAX);
		check_bound(&m->tools[i].output, UINT64_MAX);
		check_bound(&m->tools[i].confirm, 1);
	}
}

static int shim_config_again(const void *p, size_t n, struct wire_writer *w)
{
	struct shim_config c;
	int r;

	if (shim_config_decode(p, n, &c) < 0)
		return 1;
	must(c.name && c.stderr_prefix && c.uid != 0 && c.gid != 0, "a configuration out of form");
	must(c.line_max > 0 && c.line_max <= SHIM_LINE_MAX && c.server_line_max <= SHIM_LINE_MAX, "lines too long");
	check_meters(&c.meters);
	r = shim_config_encode(&c, w);
	shim_config_done(&c);
	return r;
}

static int confirm_again(const void *p, size_t n, struct wire_writer *w)
{
	struct confirm c;

	if (confirm_decode(p, n, &c) < 0)
		return 1;
	ENDS(c.tool);
	ENDS(c.rule);
	ENDS(c.status);
	must((unsigned)c.type < CONFIRM_TYPE_COUNT && c.args_len <= CONFIRM_ARGS_MAX, "no such question");
	must(!c.args_len || !memchr(c.args, '\0', c.args_len), "arguments that end before their end");
	return confirm_encode(&c, w);
}

static int collect_again(const void *p, size_t n, struct wire_writer *w)
{
	struct collect_claims claims = { .client = "" };
	struct collect_request q;

	if (collect_request_decode(p, n, &claims, &q) < 0)
		return 1;
#define X(member) ENDS(claims.member);
	COLLECT_CLAIMS(X)
#undef X
	ENDS(q.status);
	must((unsigned)q.type < COLLECT_TYPE_COUNT && (unsigned)q.source < EVENT_SOURCE_COUNT, "no such request");
	must(q.event_len <= EVENT_BYTES_MAX && q.detail_len <= COLLECT_DETAIL_MAX, "a request out of bounds");
	return collect_request_encode(&q, w);
}

static int collected_again(const void *p, size_t n, struct wire_writer *w)
{
	struct collect_answer a;

	if (collect_answer_decode(p, n, &a) < 0)
		return 1;
	ENDS(a.words);
	must(a.error <= 0, "an error that is none");
	return collect_answer_encode(&a, w);
}

static int fetch_again(const void *p, size_t n, struct wire_writer *w)
{
	_cleanup_fetch_request_ struct fetch_request f = { 0 };

	if (fetch_request_decode(p, n, &f) < 0)
		return 1;
	must(f.url && f.port && strlen(f.url) <= FETCH_URL_MAX, "an address out of form");
	return fetch_request_encode(&f, w);
}

static int control_again(const void *p, size_t n, struct wire_writer *w)
{
	struct control c;

	if (control_decode(p, n, &c) < 0)
		return 1;
	ENDS(c.text);
	must((unsigned)c.type < CONTROL_TYPE_COUNT, "no such word");
	return control_encode(&c, w);
}

static int definitions_again(const void *p, size_t n, struct wire_writer *w)
{
	_cleanup_definitions_ struct definitions l;
	size_t bytes = 0;
	int r;

	if (definitions_decode(p, n, &l) < 0)
		return 1;
	must(l.n <= DEFINITIONS_MAX, "a crowd of definitions");
	for (size_t i = 0; i < l.n; i++) {
		const struct definition *d = &l.v[i];
		must(d->name && (unsigned)d->kind < DEFINITION_KIND_COUNT, "half a definition");
		must(d->n <= DEFINITION_FIELDS_MAX && d->n_findings <= DEFINITION_FINDINGS_MAX, "too much in one");
		for (size_t j = 0; j < d->n; j++)
			must(d->fields[j].path && d->fields[j].value, "half a field");
		for (size_t j = 0; j < d->n_findings; j++)
			must((unsigned)d->findings[j].severity < DEFINITION_SEVERITY_COUNT && d->findings[j].rule &&
					d->findings[j].shown,
				"half a finding");
		bytes += definition_size(d);
	}
	r = definitions_encode(&l, w);
	must(r < 0 || bytes < w->buf.len, "a size that is none");
	definitions_sort(&l);
	for (size_t i = 1; i < l.n; i++)
		must(definition_compare(&l.v[i - 1], &l.v[i]) <= 0, "an order that is none");
	return r;
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
	{ WIRE_SHIM_CONFIG, SHIM_CONFIG_BYTES_MAX, shim_config_again },
	{ WIRE_CONFIRM, CONFIRM_BYTES_MAX, confirm_again },
	{ WIRE_CONTROL, CONTROL_BYTES_MAX, control_again },
	{ WIRE_DEFINITIONS, DEFINITIONS_BYTES_MAX, definitions_again },
	{ WIRE_COLLECT, COLLECT_BYTES_MAX, collect_again },
	{ WIRE_COLLECTED, COLLECT_ANSWER_MAX, collected_again },
	{ WIRE_FETCH, FETCH_REQUEST_MAX, fetch_again },
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
