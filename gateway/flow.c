/* SPDX-License-Identifier: Apache-2.0 */
/* flow - see flow.h */
#include "gateway/flow.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { HELLO_CHUNK = 4096 };
#define SIDE_EVENTS (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)

static const unsigned char unrecognized_name[] = { 21, 3, 3, 0, 2, 2, 112 }; /* a fatal alert (RFC 8446, section 6) */

void flow_init(struct gateway *g)
{
	for (size_t i = 0; i < TIMER_COUNT; i++)
		TAILQ_INIT(&g->timers[i]);
	TAILQ_INIT(&g->ready);
	TAILQ_INIT(&g->dead);
}

/* --- time --- */

static uint64_t limit_us(const struct gateway *g, enum timer t)
{
	const struct net_limits *l = &g->config->limits;

	switch (t) {
	case TIMER_HELLO:
		return (uint64_t)l->hello_ms * 1000;
	case TIMER_CONNECT:
		return (uint64_t)l->connect_ms * 1000 + FLOW_GRACE_US;
	case TIMER_IDLE:
	case TIMER_COUNT:
		break;
	}
	return (uint64_t)l->idle_s * 1000000;
}

static void leave_timer(struct gateway *g, struct conn *c)
{
	if (c->on_timer)
		TAILQ_REMOVE(&g->timers[c->timer], c, timed);
	c->on_timer = false;
}

static void set_timer(struct gateway *g, struct conn *c, enum timer t)
{
	leave_timer(g, c);
	c->timer = t;
	c->active_us = g->now_us;
	TAILQ_INSERT_TAIL(&g->timers[t], c, timed);
	c->on_timer = true;
}

static void take_turn(struct gateway *g, struct conn *c)
{
	if (!c->on_turn)
		TAILQ_INSERT_TAIL(&g->ready, c, turn);
	c->on_turn = true;
}

/* --- ends --- */

static void reset_fd(int *fd)
{
	struct linger now = { 1, 0 };

	if (*fd < 0)
		return;
	(void)!setsockopt(*fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(*fd);
	*fd = -1;
}

static int record_close(struct gateway *g, const struct conn *c, const char *status)
{
	struct event e = { .type = EVENT_NET_CLOSE, .call_id = c->id, .port = c->port };
	const struct half *to_server = c->published ? &c->out : &c->in, *from_server = c->published ? &c->in : &c->out;

	e.side = c->published ? EVENT_FROM_CLIENT : EVENT_FROM_SERVER;
	e.bytes_in = to_server->total;
	e.bytes_out = from_server->total;
	e.latency_us = g->now_us - c->since_us;
	snprintf(e.host, sizeof(e.host), "%s",
		c->decision.name		? c->decision.name->text
		: decide_is_loopback(&c->meant) ? "localhost"
						: "");
	net_address_text(c->dialled.family ? &c->dialled : &c->meant, e.address, sizeof(e.address));
	snprintf(e.protocol, sizeof(e.protocol), "tcp");
	snprintf(e.status, sizeof(e.status), "%s", status);
	if (c->published)
		snprintf(e.method, sizeof(e.method), "publish");
	return record_send(&g->record, &e);
}

/* Whatever is still open is reset; sockets that were closed well before are not here any more. */
static void finish(struct gateway *g, struct conn *c, const char *status)
{
	if (c->state == CONN_DEAD)
		return;
	if (c->id && status)
		gateway_fail(g, record_close(g, c, status));
	ask_abandon(g, c->ask);
	c->ask = NULL;
	reset_fd(&c->client.source.fd);
	reset_fd(&c->upstream.source.fd);
	half_done(g, &c->out);
	half_done(g, &c->in);
	buf_done(&c->first);
	if (c->hello)
		hello_done(c->hello);
	free(c->hello);
	c->hello = NULL;
	leave_timer(g, c);
	if (c->on_turn)
		TAILQ_REMOVE(&g->ready, c, turn);
	c->on_turn = false;
	c->state = CONN_DEAD;
	TAILQ_INSERT_TAIL(&g->dead, c, timed);
	g->n_conns--;
}

/* A published port's socket is not ours alone to close: it may serve again. What was reset is not so, since only its
 * end tells the server. */
static void close_upstream(struct gateway *g, struct conn *c)
{
	int fd = steal_fd(&c->upstream.source.fd);

	if (c->published && epoll_ctl(g->epoll, EPOLL_CTL_DEL, fd, NULL) == 0)
		gateway_keep_spare(g, c->port, &fd);
	if (fd >= 0)
		close(fd);
}

/* Both ways ended in order: an ordinary close. */
static void finish_well(struct gateway *g, struct conn *c)
{
	gateway_fail(g, record_close(g, c, "ok"));
	close(steal_fd(&c->client.source.fd));
	close_upstream(g, c);
	finish(g, c, NULL);
}

static void deny(struct gateway *g, struct conn *c)
{
	struct denial d;

	decide_denial(&g->names, &c->meant, c->port, "tcp", &c->decision, &d);
	if (c->decision.reason == hello_words(HELLO_NAME))
		snprintf(d.reason, sizeof(d.reason), "%s: %s", c->decision.reason, c->hello->name);
	gateway_fail(g, record_denied(&g->record, &d, g->now_us));
	if (c->hello && c->hello->found >= HELLO_NAME && c->hello->found <= HELLO_BAD_NAME && !g->failed)
		(void)!send(
			c->client.source.fd, unrecognized_name, sizeof(unrecognized_name), MSG_DONTWAIT | MSG_NOSIGNAL);
	finish(g, c, NULL);
}

/* --- carrying --- */

static void mute(struct gateway *g, struct side *s, bool muted)
{
	if (s->muted == muted || s->source.fd < 0)
		return;
	s->muted = muted;
	gateway_fail(g, gateway_watch(g, &s->source, muted ? SIDE_EVENTS & ~(uint32_t)EPOLLIN : SIDE_EVENTS));
}

static void carry(struct gateway *g, struct conn *c)
{
	uint64_t before = c->out.total + c->in.total;
	int a = half_pump(g, &c->out, &c->client, &c->upstream), b;

	if (a < 0) {
		finish(g, c, "reset");
		return;
	}
	b = half_pump(g, &c->in, &c->upstream, &c->client);
	if (b < 0)
		finish(g, c, "reset");
	else if (c->out.shut && c->in.shut)
		finish_well(g, c);
	else if (a == HALF_GOES_ON || b == HALF_GOES_ON)
		take_turn(g, c);
	if (!c->client.readable)
		mute(g, &c->client, false);
	if (!c->upstream.readable)
		mute(g, &c->upstream, false);
	if (c->state == CONN_OPEN && c->out.total + c->in.total != before)
		set_timer(g, c, TIMER_IDLE);
}

static void connected(struct gateway *g, void *owner, const struct dial_answer *d, int fd)
{
	struct conn *c = owner;
	int flags;

	c->ask = NULL;
	if (d->status != DIAL_OK) {
		/* Dial has recorded its verdict before it answered. */
		finish(g, c, NULL);
		return;
	}
	c->dialled = d->address;
	c->upstream.source.fd = fd;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || (!(flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)) {
		finish(g, c, "error");
		return;
	}
	c->state = CONN_OPEN;
	set_timer(g, c, TIMER_IDLE);
	/* What came before the answer stands first in the half that sends it on. */
	c->out.kept = c->first;
	c->out.total = c->first.len;
	c->out.kept.max = c->first.len > GATEWAY_SCRATCH ? c->first.len : GATEWAY_SCRATCH;
	c->first = BUF_INIT(HELLO_MAX);
	/* Whether there is something to read already, epoll says. */
	c->upstream.writable = true;
	gateway_fail(g, gateway_watch(g, &c->upstream.source, SIDE_EVENTS));
	if (!g->failed)
		carry(g, c);
}

static void ask_dial(struct gateway *g, struct conn *c, enum dial_ask what, int spare)
{
	struct ask like = { .what = what,
		.grant = c->decision.grant,
		.address = c->meant,
		.port = c->port,
		.fd = spare,
		.done = connected,
		.owner = c };

	like.name = c->decision.name ? c->decision.name->text : NULL;
	/* In the fake modes the address means nothing outside. */
	if (like.name && g->config->addresses != NET_REAL)
		like.address = (struct net_address){ 0 };
	c->state = CONN_ASKING;
	set_timer(g, c, TIMER_CONNECT);
	c->ask = ask_new(g, &like);
	if (!c->ask) {
		if (spare >= 0)
			close(spare);
		c->decision.rule = "network.limits.connections";
		c->decision.reason = "too many connections wait for their host at once";
		deny(g, c);
		return;
	}
	c->id = c->ask->id;
}

static void judge(struct gateway *g, struct conn *c, enum decide_verdict v)
{
	if (v == DECIDE_DENY)
		deny(g, c);
	else if (v == DECIDE_GO)
		ask_dial(g, c, DIAL_CONNECT, -1);
}

/* Reads until the name is known; what a client sends before that is kept up to HELLO_MAX. */
static void read_hello(struct gateway *g, struct conn *c)
{
	int r = HELLO_MORE;

	while (r == HELLO_MORE) {
		size_t room = HELLO_MAX - c->first.len < HELLO_CHUNK ? HELLO_MAX - c->first.len : HELLO_CHUNK;
		if (room == 0 || buf_reserve(&c->first, room) < 0) {
			c->hello->found = HELLO_TOO_LONG;
			break;
		}
		ssize_t n = recv(c->client.source.fd, c->first.data + c->first.len, room, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			c->client.readable = false;
			return;
		}
		/* An end before the name: nothing was asked for. */
		if (n <= 0) {
			finish(g, c, NULL);
			return;
		}
		r = hello_feed(c->hello, c->first.data + c->first.len, (size_t)n);
		c->first.len += (size_t)n;
		c->first.data[c->first.len] = '\0';
	}
	if (r < 0)
		finish(g, c, NULL);
	else
		judge(g, c, decide_hello(&g->names, &c->meant, c->port, c->hello, &c->decision));
}

static void advance(struct gateway *g, struct conn *c)
{
	if (c->state == CONN_HELLO && c->client.readable)
		read_hello(g, c);
	else if (c->state == CONN_OPEN)
		carry(g, c);
}

static void side_ready(struct gateway *g, struct source *s, uint32_t events)
{
	struct side *side = (struct side *)s;
	struct conn *c = side->conn;
	bool known = side->readable && events & EPOLLIN;

	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		side->readable = true;
	if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		side->writable = true;
	/* Nobody waits any more for what dial is doing. */
	if (c->state == CONN_ASKING && events & (EPOLLERR | EPOLLHUP)) {
		finish(g, c, "abandoned");
		return;
	}
	advance(g, c);
	/* Each segment that comes while the other side is full would wake us for nothing. */
	if (known && side->readable && c->state == CONN_OPEN)
		mute(g, side, true);
}

/* --- beginnings --- */

static struct conn *new_conn(struct gateway *g, int *fd, const struct net_address *meant, uint16_t port)
{
	struct conn *c = calloc(1, sizeof(*c));
	int one = 1;

	if (!c)
		return NULL;
	c->client = (struct side){ .source = { *fd, side_ready }, .conn = c, .readable = true, .writable = true };
	c->upstream = (struct side){ .source = { -1, side_ready }, .conn = c };
	*fd = -1;
	(void)!setsockopt(c->client.source.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	half_init(&c->out);
	half_init(&c->in);
	c->first = BUF_INIT(HELLO_MAX);
	c->meant = *meant;
	c->port = port;
	c->since_us = g->now_us;
	c->decision.grant = NET_NO_GRANT;
	g->n_conns++;
	return c;
}

/* Recorded, then reset; no connection is made of it. */
static void refuse(struct gateway *g, int *fd, const struct net_address *meant, uint16_t port, const struct decision *d)
{
	struct denial denial;

	decide_denial(&g->names, meant, port, "tcp", d, &denial);
	gateway_fail(g, record_denied(&g->record, &denial, g->now_us));
	reset_fd(fd);
}

static bool full(const struct gateway *g, struct decision *ret)
{
	if (g->n_conns < g->config->limits.connections)
		return false;
	/* Any grant but none: it is the number that is denied, and no grant would help. */
	*ret = (struct decision){ .grant = 0,
		.rule = "network.limits.connections",
		.reason = "as many connections as are allowed are open" };
	return true;
}

static void await_hello(struct gateway *g, struct conn *c)
{
	c->hello = malloc(sizeof(*c->hello));
	if (!c->hello) {
		finish(g, c, NULL);
		return;
	}
	hello_init(c->hello);
	c->state = CONN_HELLO;
	set_timer(g, c, TIMER_HELLO);
}

void flow_begin(struct gateway *g, int fd, const struct net_address *meant, uint16_t port)
{
	struct decision d;
	enum decide_verdict v = decide_address(&g->names, meant, port, &d);
	struct conn *c;

	if (v == DECIDE_DENY || full(g, &d)) {
		refuse(g, &fd, meant, port, &d);
		return;
	}
	c = new_conn(g, &fd, meant, port);
	if (!c) {
		reset_fd(&fd);
		return;
	}
	c->decision = d;
	if (v == DECIDE_HELLO)
		await_hello(g, c);
	else
		judge(g, c, v);
	if (c->state != CONN_DEAD)
		gateway_fail(g, gateway_watch(g, &c->client.source, SIDE_EVENTS));
}

void flow_accept_ready(struct gateway *g, struct source *s, uint32_t events)
{
	(void)events;
	for (unsigned i = 0; i < FLOW_ACCEPTS && !g->failed; i++) {
		struct sockaddr_storage at = { 0 };
		socklen_t n = sizeof(at);
		_cleanup_close_ int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		if (getsockname(fd, (struct sockaddr *)&at, &n) < 0)
			continue;
		uint16_t port;
		struct net_address meant = net_address_from_sockaddr(&at, &port);
		flow_begin(g, steal_fd(&fd), &meant, port);
	}
}

/* --- publish --- */

static void begin_published(struct gateway *g, int *fd, uint32_t index)
{
	static const struct net_address inside = { .family = 4, .bytes = { 127, 0, 0, 1 } };
	struct spares *spares = &g->spares[index];
	uint16_t port = g->config->publish[index];
	struct decision d = { .grant = 0,
		.rule = "network.publish",
		.reason = "the published port has no socket left: as many connections as it takes are open, or were "
			  "made in this session" };
	struct conn *c;

	if (full(g, &d) || spares->n == 0) {
		refuse(g, fd, &inside, port, &d);
		return;
	}
	c = new_conn(g, fd, &inside, port);
	if (!c)
		return;
	c->published = true;
	c->decision.grant = NET_NO_GRANT;
	ask_dial(g, c, DIAL_PUBLISH, spares->fds[--spares->n]);
	if (c->state != CONN_DEAD)
		gateway_fail(g, gateway_watch(g, &c->client.source, SIDE_EVENTS));
}

void flow_publish_ready(struct gateway *g, struct source *s, uint32_t events)
{
	const struct layout_source *l = (const struct layout_source *)s;

	(void)events;
	for (unsigned i = 0; i < FLOW_ACCEPTS && !g->failed; i++) {
		_cleanup_close_ int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		begin_published(g, &fd, l->index);
	}
}

/* --- each turn --- */

static void expire(struct gateway *g, struct conn *c)
{
	if (c->state == CONN_HELLO)
		judge(g, c, decide_hello(&g->names, &c->meant, c->port, c->hello, &c->decision));
	else
		finish(g, c, c->state == CONN_OPEN ? "idle" : "time-out");
}

static void run_timers(struct gateway *g)
{
	for (size_t t = 0; t < TIMER_COUNT; t++) {
		struct conn *c;
		for (unsigned i = 0; i < FLOW_TURNS && (c = TAILQ_FIRST(&g->timers[t])); i++) {
			if (g->now_us < c->active_us + limit_us(g, (enum timer)t))
				break;
			expire(g, c);
		}
	}
}

/* What stands by an observed grant alone ends with it. */
static void end_observed(struct gateway *g)
{
	if (g->observed_over || !g->config->observe_until_us || net_observing(g->config))
		return;
	g->observed_over = true;
	for (size_t t = 0; t < TIMER_COUNT; t++) {
		struct conn *c = TAILQ_FIRST(&g->timers[t]), *next;
		for (; c; c = next) {
			next = TAILQ_NEXT(c, timed);
			if (c->decision.grant < g->config->n_grants && g->config->grants[c->decision.grant].observed)
				finish(g, c, "observing has ended");
		}
	}
}

static void run_ready(struct gateway *g)
{
	struct conn *c;
	struct conn *last = TAILQ_LAST(&g->ready, conn_list);

	for (unsigned i = 0; i < FLOW_TURNS && !g->failed && (c = TAILQ_FIRST(&g->ready)); i++) {
		bool end = c == last;
		TAILQ_REMOVE(&g->ready, c, turn);
		c->on_turn = false;
		advance(g, c);
		if (end)
			break;
	}
}

static void reap(struct gateway *g)
{
	struct conn *c;

	while ((c = TAILQ_FIRST(&g->dead))) {
		TAILQ_REMOVE(&g->dead, c, timed);
		free(c);
	}
}

void flow_tick(struct gateway *g)
{
	run_ready(g);
	run_timers(g);
	end_observed(g);
	reap(g);
}

uint64_t flow_due(const struct gateway *g)
{
	uint64_t due = TAILQ_EMPTY(&g->ready) ? UINT64_MAX : 0;

	for (size_t t = 0; t < TIMER_COUNT; t++) {
		const struct conn *c = TAILQ_FIRST(&g->timers[t]);
		uint64_t at = c ? c->active_us + limit_us(g, (enum timer)t) : UINT64_MAX;
		due = at < due ? at : due;
	}
	return due;
}

void flow_close_all(struct gateway *g, const char *words)
{
	for (size_t t = 0; t < TIMER_COUNT; t++) {
		struct conn *c;
		while ((c = TAILQ_FIRST(&g->timers[t])))
			finish(g, c, words);
	}
	reap(g);
}
