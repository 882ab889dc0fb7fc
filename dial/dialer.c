/* SPDX-License-Identifier: Apache-2.0 */
/* dialer - see dialer.h */
#include "dial/dialer.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include "base/io.h"
#include "dial/request.h"
#include "wire/event.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

static const struct net_address loopback4 = { .family = 4, .bytes = { 127, 0, 0, 1 } };
static const struct net_address loopback6 = { .family = 6, .bytes = { [15] = 1 } };

/* --- records and answers --- */

static const char *rule_of(const struct request *q)
{
	const struct net_config *c = q->dialer->config;

	return q->asked.grant < c->n_grants ? c->grants[q->asked.grant].where : "";
}

static bool is_observed(const struct request *q)
{
	const struct net_config *c = q->dialer->config;

	return q->asked.ask != DIAL_PUBLISH && q->asked.grant < c->n_grants && c->grants[q->asked.grant].observed;
}

/* A name is asked for without one. Where its grant has one alone, that is what was meant. */
static uint16_t port_of(const struct request *q)
{
	const struct net_config *c = q->dialer->config;

	if (q->asked.port || q->asked.grant >= c->n_grants || c->grants[q->asked.grant].n_ports != 1)
		return q->asked.port;
	return c->grants[q->asked.grant].ports[0];
}

static void fill_event(
	const struct request *q, enum dial_status status, const struct net_address *address, struct event *e)
{
	bool denied = status == DIAL_FORBIDDEN || status == DIAL_NOT_GRANTED || status == DIAL_BUSY;

	*e = (struct event){ .type = EVENT_NET_CONNECT, .call_id = q->asked.id, .port = port_of(q) };
	e->decision = denied ? EVENT_DENY : is_observed(q) ? EVENT_WOULD_DENY : EVENT_ALLOW;
	e->latency_us = io_now_us() - q->since_us;
	snprintf(e->host, sizeof(e->host), "%s", q->asked.name);
	if (address && address->family)
		net_address_text(address, e->address, sizeof(e->address));
	snprintf(e->rule, sizeof(e->rule), "%.*s", (int)sizeof(e->rule) - 1, rule_of(q));
	snprintf(e->status, sizeof(e->status), "%s", dial_status_words(status));
	if (status == DIAL_FORBIDDEN && q->forbidden_words)
		snprintf(e->reason, sizeof(e->reason), "the name leads to %s", q->forbidden_words);
	else if (status == DIAL_PROXY && q->proxy_status)
		snprintf(e->reason, sizeof(e->reason), "the proxy answered %u", q->proxy_status);
	else if (q->error)
		snprintf(e->reason, sizeof(e->reason), "%s", strerror(q->error));
	else if (q->via_proxy)
		snprintf(e->reason, sizeof(e->reason), "through the proxy of %.400s",
			q->dialer->config->proxy_where ? q->dialer->config->proxy_where : "policy");
}

static int record(const struct request *q, enum dial_status status, const struct net_address *address)
{
	struct event e;

	fill_event(q, status, address, &e);
	return event_send(q->dialer->events, &e);
}

static int answer(const struct request *q, enum dial_status status, const struct net_address *address, int fd)
{
	_cleanup_(wire_writer_done) struct wire_writer w = { 0 };
	struct dial_answer a = { .id = q->asked.id, .status = status, .error = q->error };
	int r;

	if (address)
		a.address = *address;
	if (q->asked.ask == DIAL_RESOLVE && status == DIAL_OK) {
		a.n_addresses = (uint32_t)q->n_to;
		memcpy(a.addresses, q->to, q->n_to * sizeof(q->to[0]));
	}
	r = dial_answer_encode(&a, &w);
	return r < 0 ? r : io_send_msg(q->dialer->gateway, w.buf.data, w.buf.len, &fd, fd >= 0 ? 1 : 0);
}

/* The record first: what is not in the log does not happen. */
void request_finish(struct request *q, enum dial_status status, const struct net_address *address, int fd)
{
	int r = 0;

	if (q->phase == REQUEST_DONE)
		return;
	q->phase = REQUEST_DONE;
	if (status == DIAL_OK)
		q->error = 0;
	request_close_attempts(q);
	lookup_forget(&q->dialer->lookups, &q->lookup);
	if (q->asked.ask != DIAL_RESOLVE || status == DIAL_FORBIDDEN || status == DIAL_NOT_GRANTED)
		r = record(q, status, address);
	if (r == 0)
		r = answer(q, status, address, fd);
	if (r < 0)
		q->dialer->error = r;
	if (fd >= 0)
		close(fd);
}

/* --- what a request goes through --- */

/* Before the ports are looked at: could the grant be one of this name? */
static bool may_name(const struct net_grant *g, const char *name)
{
	size_t n = g->name ? strlen(g->name) : 0, all = strlen(name);

	if (g->kind == NET_NAME)
		return strcmp(g->name, name) == 0;
	if (g->kind == NET_WILDCARD)
		return all > n && strcmp(name + all - n, g->name) == 0;
	return g->kind == NET_ANY_NAME;
}

/* A name is asked for without a port: what any grant of it lets through on a port of its own may be known. Each
 * connection is looked at again, with its port. */
static const char *forbids_all(const struct request *q, const struct net_address *a)
{
	const struct net_config *c = q->dialer->config;
	const char *words;

	for (uint32_t i = 0; i < c->n_grants; i++)
		for (size_t k = 0; may_name(&c->grants[i], q->asked.name) && k < c->grants[i].n_ports; k++)
			if (net_match_name(c, q->asked.name, c->grants[i].ports[k]) == i &&
				!filter_forbids(c, i, &q->dialer->host, a, c->grants[i].ports[k]))
				return NULL;
	filter_level(&q->dialer->host, a, &words);
	return words;
}

static const char *forbids(const struct request *q, const struct net_address *a)
{
	if (q->via_proxy)
		return NULL;
	return q->asked.ask == DIAL_RESOLVE
		       ? forbids_all(q, a)
		       : filter_forbids(q->dialer->config, q->asked.grant, &q->dialer->host, a, q->port);
}

/* Keeps of the answer what may be dialled; what may not is remembered for the record. */
static void let_through(struct request *q, const struct resolve_result *answered)
{
	for (size_t i = 0; i < answered->n && q->n_to < DIAL_ADDRESSES_MAX; i++) {
		const struct net_address *a = &answered->v[i];
		const char *words = forbids(q, a);

		if (!words) {
			q->to[q->n_to++] = *a;
			continue;
		}
		q->forbidden = *a;
		q->forbidden_words = words;
	}
}

static void finish_resolve(struct request *q)
{
	size_t kept = 0;

	for (size_t i = 0; i < q->n_to; i++)
		if (known_add(q->dialer->known, q->asked.name, &q->to[i]) == 0)
			q->to[kept++] = q->to[i];
	q->n_to = kept;
	request_finish(q, kept ? DIAL_OK : DIAL_BUSY, NULL, -1);
}

static void on_resolved(void *ctx, const struct resolve_result *answered)
{
	struct request *q = ctx;

	if (answered->status != DIAL_OK) {
		request_finish(q, answered->status, NULL, -1);
		return;
	}
	if (filter_host_refresh(&q->dialer->host) < 0) {
		request_finish(q, DIAL_BROKEN, NULL, -1);
		return;
	}
	let_through(q, answered);
	if (q->n_to == 0)
		request_finish(q, DIAL_FORBIDDEN, &q->forbidden, -1);
	else if (q->asked.ask == DIAL_RESOLVE)
		finish_resolve(q);
	else
		request_connect(q);
}

/* Until when what it does now may take. */
static uint64_t deadline_us(const struct request *q)
{
	return q->phase == REQUEST_RESOLVING && q->resolve_by_us < q->deadline_us ? q->resolve_by_us : q->deadline_us;
}

static uint32_t left_ms(const struct request *q)
{
	uint64_t now = io_now_us(), until = deadline_us(q);

	return until <= now ? 0 : (uint32_t)((until - now) / 1000 + 1);
}

static void resolve(struct request *q, const char *name)
{
	struct resolve_result literal = { .status = DIAL_OK, .n = 1 };

	/* A proxy may be given as an address. */
	if (net_address_parse(name, &literal.v[0]) == 0) {
		on_resolved(q, &literal);
		return;
	}
	q->lookup.fn = on_resolved;
	q->lookup.ctx = q;
	lookup_ask(&q->dialer->lookups, &q->lookup, name, left_ms(q));
}

/* A literal address, or one of NET_REAL: what was asked for is what is dialled, or nothing. */
static void connect_literal(struct request *q)
{
	struct resolve_result one = { .status = DIAL_OK, .v = { q->asked.address }, .n = 1 };

	on_resolved(q, &one);
}

static void connect_localhost(struct request *q)
{
	q->to[0] = q->asked.address.family == 6 ? loopback6 : loopback4;
	q->n_to = 1;
	request_connect(q);
}

/* Does the request name what the grant grants? Asked of the configuration, not of the gateway. */
static bool is_granted(const struct dialer *d, const struct dial_request *a)
{
	const struct net_grant *g;

	if (a->ask == DIAL_PUBLISH) {
		for (size_t i = 0; i < d->config->n_publish; i++)
			if (d->config->publish[i] == a->port)
				return true;
		return false;
	}
	if (a->grant >= d->config->n_grants)
		return false;
	g = &d->config->grants[a->grant];
	if (a->ask == DIAL_RESOLVE)
		return d->config->addresses == NET_REAL && a->name[0] &&
		       net_match_name(d->config, a->name, 0) != NET_NO_GRANT;
	if (g->kind == NET_LOCALHOST)
		return a->port && net_grant_has_port(g, a->port);
	if (g->kind == NET_PREFIX)
		return a->port && net_match_address(d->config, &a->address, a->port) == a->grant;
	if (!a->name[0] || !a->port || net_match_name(d->config, a->name, a->port) != a->grant)
		return false;
	return d->config->addresses != NET_REAL || known_has(d->known, a->name, &a->address);
}

static void begin_connect(struct request *q)
{
	const struct net_config *c = q->dialer->config;
	const struct net_grant *g = &c->grants[q->asked.grant];

	if (g->kind == NET_LOCALHOST) {
		connect_localhost(q);
		return;
	}
	if (c->proxy_host) {
		q->via_proxy = true;
		q->port = c->proxy_port;
		resolve(q, c->proxy_host);
		return;
	}
	if (g->kind == NET_PREFIX || c->addresses == NET_REAL)
		connect_literal(q);
	else
		resolve(q, q->asked.name);
}

/* A socket of the sandbox's network cannot reach anything of ours; one of our own network could. */
static bool is_spare(const struct dialer *d, int fd)
{
	uint64_t cookie = 0;
	int type = 0, family = 0;
	socklen_t n = sizeof(cookie), m = sizeof(type), k = sizeof(family);

	return fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &n) == 0 && cookie != d->own_netns &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &m) == 0 && type == SOCK_STREAM &&
	       getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &k) == 0 && family == AF_INET;
}

/* A spare that was refused before remembers it: the next connect(2) would fail once more. */
static void forget_refusal(int spare)
{
	struct sockaddr nowhere = { .sa_family = AF_UNSPEC };

	(void)!connect(spare, &nowhere, sizeof(nowhere));
}

static void begin(struct request *q, int spare)
{
	if (q->asked.ask == DIAL_PUBLISH && is_granted(q->dialer, &q->asked) && is_spare(q->dialer, spare)) {
		forget_refusal(spare);
		q->to[0] = loopback4;
		q->n_to = 1;
		request_connect_spare(q, spare);
		return;
	}
	if (spare >= 0)
		close(spare);
	if (q->asked.ask == DIAL_PUBLISH || !is_granted(q->dialer, &q->asked))
		request_finish(q, DIAL_NOT_GRANTED, &q->asked.address, -1);
	else if (q->asked.ask == DIAL_RESOLVE)
		resolve(q, q->asked.name);
	else
		begin_connect(q);
}

/* --- all of them --- */

static struct request *request_new(struct dialer *d, const struct dial_request *asked)
{
	struct request *q = calloc(1, sizeof(*q));
	const struct net_limits *l = &d->config->limits;

	if (!q)
		return NULL;
	q->dialer = d;
	q->asked = *asked;
	q->port = asked->port;
	q->since_us = io_now_us();
	q->resolve_by_us = q->since_us + (uint64_t)l->resolve_ms * 1000;
	q->deadline_us = asked->ask == DIAL_RESOLVE ? q->resolve_by_us : q->since_us + (uint64_t)l->connect_ms * 1000;
	q->next = d->requests;
	d->requests = q;
	d->n++;
	return q;
}

int dialer_take(struct dialer *d, const void *bytes, size_t n, const int *fds, size_t n_fds)
{
	struct dial_request asked;
	struct request *q;
	int r = dial_request_decode(bytes, n, &asked);

	if (r == 0 && n_fds > (asked.ask == DIAL_PUBLISH ? 1u : 0u))
		r = -EPROTO;
	if (r < 0) {
		for (size_t i = 0; i < n_fds; i++)
			close(fds[i]);
		return r;
	}
	q = request_new(d, &asked);
	if (!q) {
		for (size_t i = 0; i < n_fds; i++)
			close(fds[i]);
		return -ENOMEM;
	}
	if (d->n > d->config->limits.connections) {
		if (n_fds)
			close(fds[0]);
		request_finish(q, DIAL_BUSY, NULL, -1);
		return 0;
	}
	begin(q, n_fds ? fds[0] : -1);
	return 0;
}

static void expire(struct request *q)
{
	request_finish(q, q->phase == REQUEST_RESOLVING ? DIAL_RESOLVER : DIAL_TIMEOUT, NULL, -1);
}

static uint64_t due_us(const struct request *q)
{
	bool more = q->phase == REQUEST_CONNECTING && q->n_tried < q->n_to;

	if (q->phase == REQUEST_DONE)
		return 0;
	return more && q->next_attempt_us < q->deadline_us ? q->next_attempt_us : deadline_us(q);
}

int dialer_timeout_ms(const struct dialer *d)
{
	uint64_t first = UINT64_MAX, now = io_now_us();
	int ms = -1;

	for (const struct request *q = d->requests; q; q = q->next)
		if (due_us(q) < first)
			first = due_us(q);
	if (first != UINT64_MAX)
		ms = first <= now ? 0 : (int)((first - now) / 1000 + 1);
	return ms;
}

void dialer_tick(struct dialer *d)
{
	struct request **at = &d->requests;
	uint64_t now = io_now_us();

	while (*at) {
		struct request *q = *at;
		if (q->phase != REQUEST_DONE && now >= deadline_us(q))
			expire(q);
		request_next_attempt(q);
		if (q->phase != REQUEST_DONE) {
			at = &q->next;
			continue;
		}
		*at = q->next;
		d->n--;
		free(q);
	}
	if (d->error == 0)
		d->error = d->lookups.error;
}

static int read_netns(uint64_t *ret)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t n = sizeof(*ret);

	return fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, ret, &n) < 0 ? -errno : 0;
}

int dialer_init(struct dialer *d, struct loop *l, const struct net_config *c, int gateway, int events, int reader)
{
	int r;

	*d = (struct dialer){ .loop = l, .config = c, .gateway = gateway, .events = events };
	r = read_netns(&d->own_netns);
	if (r == 0)
		r = known_new(&d->known);
	if (r == 0)
		r = filter_host_refresh(&d->host);
	return r < 0 ? r : lookups_init(&d->lookups, l, reader);
}

void dialer_done(struct dialer *d)
{
	lookups_done(&d->lookups);
	while (d->requests) {
		struct request *q = d->requests;
		d->requests = q->next;
		request_close_attempts(q);
		free(q);
	}
	filter_host_done(&d->host);
	known_free(d->known);
}
