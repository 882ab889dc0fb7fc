/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stub - see stub.h
 *
 * Theory of operation. One question has one answer, sent where it came from: a datagram's sender, or a TCP connection.
 * An answer that waits for dial is a `struct waiting`; a connection that ends meanwhile is taken out of it. Answers to
 * TCP are small and written at once; a client that does not read them is closed.
 *
 * Questions beyond the rate are left unread until their time has come: a client whose question is thrown away asks
 * again after five seconds (resolv.conf(5), timeout), and one that opens many connections would stand still. What the
 * sockets cannot hold is lost.
 */
#include "gateway/stub.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include "base/text.h"
#include "gateway/ask.h"

enum { TOKEN = 1000, TCP_PREFIX = 2, SECOND_US = 1000000 };

struct tcp_client {
	struct source source;
	uint64_t since_us;
	size_t len;
	unsigned char in[TCP_PREFIX + DNS_QUERY_MAX];
};

struct waiting {
	struct dns_query query;
	struct tcp_client *tcp; /* or NULL: the datagram's sender is `from` */
	struct sockaddr_in from;
	struct ask *ask;
	const struct name *name;
};

struct stub {
	struct source *udp;
	int64_t tokens; /* thousandths of a question; below 0 after many that came at once by TCP */
	uint64_t since_us;
	bool paused; /* some sockets are not read until resume_us */
	uint64_t resume_us;
	struct tcp_client *tcp[GATEWAY_DNS_TCP_MAX];
	struct waiting *waiting[GATEWAY_PENDING_MAX];
};

int stub_new(struct gateway *g)
{
	g->stub = calloc(1, sizeof(*g->stub));
	if (!g->stub)
		return -ENOMEM;
	g->stub->since_us = g->now_us;
	g->stub->tokens = (int64_t)g->config->limits.queries * TOKEN;
	return 0;
}

static void forget(struct gateway *g, struct waiting **slot)
{
	ask_abandon(g, (*slot)->ask);
	free(*slot);
	*slot = NULL;
}

static void close_tcp(struct gateway *g, struct tcp_client *t)
{
	if (t->source.fd < 0)
		return;
	close(t->source.fd);
	t->source.fd = -1;
	for (size_t i = 0; i < ARRAY_LEN(g->stub->waiting); i++)
		if (g->stub->waiting[i] && g->stub->waiting[i]->tcp == t)
			forget(g, &g->stub->waiting[i]);
}

void stub_free(struct gateway *g)
{
	if (!g->stub)
		return;
	for (size_t i = 0; i < ARRAY_LEN(g->stub->waiting); i++)
		if (g->stub->waiting[i])
			forget(g, &g->stub->waiting[i]);
	for (size_t i = 0; i < ARRAY_LEN(g->stub->tcp); i++) {
		if (g->stub->tcp[i])
			close_tcp(g, g->stub->tcp[i]);
		free(g->stub->tcp[i]);
	}
	free(g->stub);
	g->stub = NULL;
}

/* --- the rate --- */

static bool may_read(struct gateway *g)
{
	struct stub *s = g->stub;
	int64_t most = (int64_t)g->config->limits.queries * TOKEN;
	uint64_t gone_us = g->now_us - s->since_us < SECOND_US ? g->now_us - s->since_us : SECOND_US;
	int64_t more = (int64_t)gone_us * most / SECOND_US;

	if (more > 0) {
		s->tokens = s->tokens + more < most ? s->tokens + more : most;
		s->since_us = g->now_us;
	}
	return s->tokens >= TOKEN;
}

static void pause_reading(struct gateway *g, struct source *s)
{
	int64_t most = (int64_t)g->config->limits.queries * TOKEN, missing = TOKEN - g->stub->tokens;
	uint64_t wait_us = (uint64_t)(missing * SECOND_US / most);

	gateway_fail(g, gateway_watch(g, s, 0));
	g->stub->paused = true;
	g->stub->resume_us = g->now_us + (wait_us > STUB_PAUSE_US ? wait_us : STUB_PAUSE_US);
}

static void resume_reading(struct gateway *g)
{
	if (!g->stub->paused || g->now_us < g->stub->resume_us)
		return;
	g->stub->paused = false;
	if (g->stub->udp)
		gateway_fail(g, gateway_watch(g, g->stub->udp, EPOLLIN));
	for (size_t i = 0; i < ARRAY_LEN(g->stub->tcp); i++)
		if (g->stub->tcp[i] && g->stub->tcp[i]->source.fd >= 0)
			gateway_fail(g, gateway_watch(g, &g->stub->tcp[i]->source, EPOLLIN));
}

/* --- deciding --- */

static int deny_name(struct gateway *g, const struct dns_query *q, const char *rule, const char *reason)
{
	struct denial d = { .type = EVENT_NET_NAME, .protocol = "dns", .rule = rule };

	text_escape_str(q->name, d.host, sizeof(d.host));
	snprintf(d.reason, sizeof(d.reason), "%s", reason);
	return record_denied(&g->record, &d, g->now_us);
}

static int deny_ungranted(struct gateway *g, const struct dns_query *q)
{
	char reason[RECORD_REASON_MAX];

	if (!q->valid)
		return deny_name(
			g, q, "names are letters, digits, hyphens and underscores", "no such name can be granted");
	snprintf(reason, sizeof(reason), "the name is not granted; \"%s:PORT\" in network.allow would grant it",
		q->name);
	return deny_name(g, q, "network.allow does not name it", reason);
}

/* 127.0.0.1 is the sandbox's own (RFC 6761, section 6.3). */
static bool is_localhost(const char *name)
{
	size_t n = strlen(name), tail = strlen(".localhost");

	return strcmp(name, "localhost") == 0 || (n > tail && strcmp(name + n - tail, ".localhost") == 0);
}

static int answer_name(struct gateway *g, const struct dns_query *q, enum dns_rcode *ret_rcode,
	struct net_address *ret_a, const struct name **ret_name)
{
	int r = names_map(&g->names, q->name, ret_name);

	if (r < 0)
		return r;
	if (r == NAMES_FULL) {
		*ret_rcode = DNS_NXDOMAIN;
		r = deny_name(g, q, "network.limits.names", "the session has looked up as many names as it may");
		return r < 0 ? r : STUB_ANSWER;
	}
	if (g->config->addresses == NET_REAL)
		return STUB_ASK;
	*ret_a = (*ret_name)->address;
	return STUB_ANSWER;
}

int stub_decide(struct gateway *g, int parsed, const struct dns_query *q, enum dns_rcode *ret_rcode,
	struct net_address *ret_a, const struct name **ret_name)
{
	int r;

	*ret_rcode = (enum dns_rcode)parsed;
	*ret_a = (struct net_address){ 0 };
	*ret_name = NULL;
	if (parsed == DNS_SILENT)
		return STUB_SILENCE;
	if (parsed != DNS_OK)
		return STUB_ANSWER;
	if (is_localhost(q->name) && q->class == DNS_IN) {
		if (q->type == DNS_A)
			*ret_a = (struct net_address){ .family = 4, .bytes = { 127, 0, 0, 1 } };
		return STUB_ANSWER;
	}
	if (!q->valid || q->class != DNS_IN || !names_granted(&g->names, q->name)) {
		*ret_rcode = DNS_NXDOMAIN;
		r = deny_ungranted(g, q);
		return r < 0 ? r : STUB_ANSWER;
	}
	/* No address but an IPv4 one: everything else that a granted name may have stays outside (NODATA). */
	return q->type == DNS_A ? answer_name(g, q, ret_rcode, ret_a, ret_name) : STUB_ANSWER;
}

/* --- answering --- */

static void send_answer(
	struct gateway *g, const struct waiting *w, enum dns_rcode rcode, const struct net_address *a, size_t n_a)
{
	uint8_t out[TCP_PREFIX + DNS_ANSWER_MAX];
	size_t n = dns_answer(&w->query, rcode, a, n_a, out + TCP_PREFIX);

	out[0] = (uint8_t)(n >> 8);
	out[1] = (uint8_t)n;
	if (!w->tcp) {
		/* A client that cannot take it asks again. */
		(void)!sendto(g->stub->udp->fd, out + TCP_PREFIX, n, MSG_DONTWAIT | MSG_NOSIGNAL,
			(const struct sockaddr *)&w->from, sizeof(w->from));
		return;
	}
	if (w->tcp->source.fd >= 0 &&
		send(w->tcp->source.fd, out, n + TCP_PREFIX, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)(n + TCP_PREFIX))
		close_tcp(g, w->tcp);
}

/* Addresses that find no room in the map are not answered: a connection to them would mean nothing. */
static int map_addresses(
	struct gateway *g, const struct name *name, const struct dial_answer *d, struct net_address *ret, size_t *ret_n)
{
	for (uint32_t i = 0; i < d->n_addresses && *ret_n < DNS_ADDRESSES_MAX; i++) {
		int r;
		if (d->addresses[i].family != 4)
			continue;
		r = names_add(&g->names, name, &d->addresses[i]);
		if (r < 0)
			return r;
		if (r == 0)
			ret[(*ret_n)++] = d->addresses[i];
	}
	return 0;
}

static void resolved(struct gateway *g, void *owner, const struct dial_answer *d, int fd)
{
	struct waiting *w = owner;
	struct net_address a[DNS_ADDRESSES_MAX];
	size_t n = 0;
	enum dns_rcode rcode = DNS_SERVFAIL;

	(void)fd;
	w->ask = NULL;
	if (d->status == DIAL_OK) {
		gateway_fail(g, map_addresses(g, w->name, d, a, &n));
		rcode = n || !d->n_addresses ? DNS_OK : DNS_SERVFAIL;
	} else if (d->status == DIAL_NO_NAME) {
		rcode = DNS_NXDOMAIN;
	} else if (d->status == DIAL_NO_ADDRESS || d->status == DIAL_FORBIDDEN) {
		/* What must not be reached is final; of a failure musl would wait for another answer. */
		rcode = DNS_OK;
	}
	send_answer(g, w, rcode, a, n);
	for (size_t i = 0; i < ARRAY_LEN(g->stub->waiting); i++)
		if (g->stub->waiting[i] == w)
			forget(g, &g->stub->waiting[i]);
}

static void wait_for_dial(struct gateway *g, struct waiting *w)
{
	struct ask like = { .what = DIAL_RESOLVE,
		.name = w->name->text,
		.fd = -1,
		.done = resolved,
		.grant = net_match_name(g->config, w->name->text, 0) };
	size_t i = 0;

	while (i < ARRAY_LEN(g->stub->waiting) && g->stub->waiting[i])
		i++;
	struct waiting *kept = i < ARRAY_LEN(g->stub->waiting) ? malloc(sizeof(*kept)) : NULL;
	if (kept) {
		*kept = *w;
		like.owner = kept;
		kept->ask = ask_new(g, &like);
	}
	if (!kept || !kept->ask) {
		free(kept);
		send_answer(g, w, DNS_SERVFAIL, NULL, 0);
		return;
	}
	g->stub->waiting[i] = kept;
}

static void take_query(struct gateway *g, const void *bytes, size_t n, struct waiting *w)
{
	struct net_address a;
	enum dns_rcode rcode;
	int parsed = dns_parse(bytes, n, &w->query), r = stub_decide(g, parsed, &w->query, &rcode, &a, &w->name);

	g->stub->tokens -= TOKEN;
	gateway_fail(g, r);
	if (g->failed)
		return;
	if (r == STUB_ASK)
		wait_for_dial(g, w);
	else if (r == STUB_ANSWER)
		send_answer(g, w, rcode, &a, a.family ? 1 : 0);
}

void stub_udp_ready(struct gateway *g, struct source *s, uint32_t events)
{
	unsigned char in[DNS_QUERY_MAX + 1];

	(void)events;
	g->stub->udp = s;
	for (unsigned i = 0; i < STUB_A_TURN && !g->failed; i++) {
		struct waiting w = { 0 };
		socklen_t len = sizeof(w.from);
		if (!may_read(g)) {
			pause_reading(g, s);
			return;
		}
		ssize_t n = recvfrom(s->fd, in, sizeof(in), MSG_DONTWAIT, (struct sockaddr *)&w.from, &len);
		if (n < 0)
			return;
		take_query(g, in, (size_t)n, &w);
	}
}

/* --- TCP --- */

static void take_whole_queries(struct gateway *g, struct tcp_client *t)
{
	while (t->len >= TCP_PREFIX && t->source.fd >= 0 && !g->failed) {
		struct waiting w = { .tcp = t };
		size_t n = (size_t)t->in[0] << 8 | t->in[1];
		if (n == 0 || n > DNS_QUERY_MAX) {
			close_tcp(g, t);
			return;
		}
		if (t->len < TCP_PREFIX + n)
			return;
		take_query(g, t->in + TCP_PREFIX, n, &w);
		t->len -= TCP_PREFIX + n;
		memmove(t->in, t->in + TCP_PREFIX + n, t->len);
		t->since_us = g->now_us;
	}
}

static void tcp_ready(struct gateway *g, struct source *s, uint32_t events)
{
	struct tcp_client *t = (struct tcp_client *)s;
	ssize_t n;

	if (!may_read(g)) {
		/* Of an end both ways epoll_ctl(2) tells in any case, and nobody waits for an answer then. */
		if (events & (EPOLLHUP | EPOLLERR))
			close_tcp(g, t);
		else
			pause_reading(g, s);
		return;
	}
	n = recv(s->fd, t->in + t->len, sizeof(t->in) - t->len, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		close_tcp(g, t);
		return;
	}
	t->len += (size_t)n;
	take_whole_queries(g, t);
}

static struct tcp_client **free_slot(struct stub *s)
{
	for (size_t i = 0; i < ARRAY_LEN(s->tcp); i++)
		if (!s->tcp[i])
			return &s->tcp[i];
	return NULL;
}

void stub_accept_ready(struct gateway *g, struct source *s, uint32_t events)
{
	struct tcp_client **slot = free_slot(g->stub), *t;
	_cleanup_close_ int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (fd < 0 || !slot)
		return;
	t = calloc(1, sizeof(*t));
	if (!t)
		return;
	t->source = (struct source){ .fd = steal_fd(&fd), .ready = tcp_ready };
	t->since_us = g->now_us;
	*slot = t;
	gateway_fail(g, gateway_watch(g, &t->source, EPOLLIN));
}

void stub_tick(struct gateway *g)
{
	resume_reading(g);
	for (size_t i = 0; i < ARRAY_LEN(g->stub->tcp); i++) {
		struct tcp_client **t = &g->stub->tcp[i];
		if (!*t)
			continue;
		if (g->now_us >= (*t)->since_us + STUB_TCP_IDLE_US)
			close_tcp(g, *t);
		if ((*t)->source.fd >= 0)
			continue;
		free(*t);
		*t = NULL;
	}
}

uint64_t stub_due(const struct gateway *g)
{
	uint64_t due = g->stub->paused ? g->stub->resume_us : UINT64_MAX;

	for (size_t i = 0; i < ARRAY_LEN(g->stub->tcp); i++)
		if (g->stub->tcp[i] && g->stub->tcp[i]->since_us + STUB_TCP_IDLE_US < due)
			due = g->stub->tcp[i]->since_us + STUB_TCP_IDLE_US;
	return due;
}
