/* SPDX-License-Identifier: Apache-2.0 */
/* gateway - see gateway.h */
#include "gateway/gateway.h"
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include "base/io.h"
#include "gateway/ask.h"
#include "gateway/flow.h"
#include "gateway/stub.h"
#include "gateway/watch.h"

enum { SPLICE_FROM = 256 << 10, WAIT_MAX_MS = 60000 };

/* Spares are connected by dial, and listened to by nobody. */
static void (*const ready_of[])(struct gateway *, struct source *, uint32_t) = {
	[NET_SOCKET_DNS_UDP] = stub_udp_ready,
	[NET_SOCKET_DNS_TCP] = stub_accept_ready,
	[NET_SOCKET_LISTEN] = flow_accept_ready,
	[NET_SOCKET_SPARE] = NULL,
	[NET_SOCKET_WATCH] = watch_ready,
};
_Static_assert(ARRAY_LEN(ready_of) == NET_SOCKET_KIND_COUNT, "a row for every kind");

int gateway_watch(struct gateway *g, struct source *s, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = s };

	/* New ones are many, so that is tried first. */
	if (epoll_ctl(g->epoll, EPOLL_CTL_ADD, s->fd, &e) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	return epoll_ctl(g->epoll, EPOLL_CTL_MOD, s->fd, &e) < 0 ? -errno : 0;
}

/* The supervisor says nothing here but that it is gone, or that the session is over. */
static void events_ready(struct gateway *g, struct source *s, uint32_t events)
{
	char byte;
	ssize_t n = recv(s->fd, &byte, sizeof(byte), MSG_DONTWAIT);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		gateway_fail(g, -EPROTO);
	g->ending = true;
}

uint64_t gateway_files(const struct net_config *c, const struct net_layout *l)
{
	return GATEWAY_FILES_BASE + l->n_sockets + c->n_publish + GATEWAY_DNS_TCP_MAX +
	       2 * (uint64_t)c->limits.connections + 2 * GATEWAY_PIPES_MAX;
}

int gateway_init(struct gateway *g, const struct net_config *c, int events, int dial, uint64_t now_us)
{
	int r;

	*g = (struct gateway){ .config = c, .epoll = -1, .now_us = now_us, .splice_from = SPLICE_FROM };
	g->events = (struct source){ events, events_ready };
	g->dial = (struct source){ dial, ask_ready };
	flow_init(g);
	record_init(&g->record, events, now_us);
	r = net_layout_draw(c, &g->layout);
	if (r == 0)
		r = names_init(&g->names, c, &g->layout);
	if (r == 0)
		r = ask_init(g, c->limits.connections + GATEWAY_PENDING_MAX < DIAL_IN_FLIGHT_MAX
					? c->limits.connections + GATEWAY_PENDING_MAX
					: DIAL_IN_FLIGHT_MAX);
	if (r == 0)
		r = stub_new(g);
	if (r < 0)
		return r;
	g->scratch = malloc(GATEWAY_SCRATCH);
	g->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!g->scratch || g->epoll < 0)
		return g->scratch ? -errno : -ENOMEM;
	r = gateway_watch(g, &g->events, EPOLLIN);
	return r < 0 ? r : gateway_watch(g, &g->dial, EPOLLIN);
}

static int listen_one(struct gateway *g, struct layout_source *s)
{
	if (s->source.fd < 0 || !s->source.ready)
		return 0;
	return gateway_watch(g, &s->source, EPOLLIN);
}

/* Else whoever knocks while the server does not listen would use them up, and the callback that it waits for later
 * would find none; so would a page with many requests. Dial makes a socket new before it connects it again. */
void gateway_keep_spare(struct gateway *g, uint16_t port, int *fd)
{
	for (size_t i = 0; *fd >= 0 && i < g->config->n_publish; i++) {
		struct spares *s = &g->spares[i];
		if (g->config->publish[i] != port || s->n == NET_SPARES || s->reused == GATEWAY_REUSED_MAX)
			continue;
		s->reused++;
		s->fds[s->n++] = steal_fd(fd);
	}
}

static void keep_spare(struct gateway *g, const struct net_socket *s, int fd)
{
	struct spares *spares = &g->spares[s->publish];

	if (fd >= 0)
		spares->fds[spares->n++] = fd;
}

int gateway_listen(struct gateway *g, const int *fds, const int *publish)
{
	size_t n = g->layout.n_sockets, all = n + g->config->n_publish;
	int r = 0;

	g->sources = calloc(all ? all : 1, sizeof(*g->sources));
	if (!g->sources)
		return -ENOMEM;
	for (size_t i = 0; i < all; i++) {
		struct layout_source *s = &g->sources[i];
		const struct net_socket *socket = i < n ? &g->layout.sockets[i] : NULL;
		s->index = (uint32_t)(i < n ? i : i - n);
		s->source.fd = i < n ? fds[i] : publish[i - n];
		s->source.ready = socket ? ready_of[socket->kind] : flow_publish_ready;
		if (socket && socket->kind == NET_SOCKET_SPARE) {
			keep_spare(g, socket, s->source.fd);
			s->source.fd = -1;
		}
	}
	for (size_t i = 0; r == 0 && i < all; i++)
		r = listen_one(g, &g->sources[i]);
	return r;
}

void gateway_done(struct gateway *g)
{
	size_t all = g->layout.n_sockets + g->config->n_publish;

	flow_close_all(g, NULL);
	stub_free(g);
	ask_close(g);
	for (size_t i = 0; g->sources && i < all; i++)
		if (g->sources[i].source.fd >= 0)
			close(g->sources[i].source.fd);
	for (size_t p = 0; p < g->config->n_publish; p++)
		while (g->spares[p].n > 0)
			close(g->spares[p].fds[--g->spares[p].n]);
	if (g->epoll >= 0)
		close(g->epoll);
	free(g->sources);
	free(g->scratch);
	names_done(&g->names);
	net_layout_done(&g->layout);
}

static int wait_ms(const struct gateway *g)
{
	uint64_t due = flow_due(g), other = stub_due(g);

	due = other < due ? other : due;
	other = record_due(&g->record);
	due = other < due ? other : due;
	if (due <= g->now_us)
		return 0;
	return due - g->now_us >= (uint64_t)WAIT_MAX_MS * 1000 ? WAIT_MAX_MS : (int)((due - g->now_us + 999) / 1000);
}

int gateway_turn(struct gateway *g, int wait)
{
	struct epoll_event events[GATEWAY_EVENTS_A_TURN];
	int n = epoll_wait(g->epoll, events, GATEWAY_EVENTS_A_TURN, wait);

	if (n < 0 && errno != EINTR)
		return -errno;
	g->now_us = io_now_us();
	for (int i = 0; i < n && !g->failed; i++) {
		struct source *s = events[i].data.ptr;
		if (s->fd >= 0)
			s->ready(g, s, events[i].events);
	}
	if (g->failed)
		return g->failed;
	flow_tick(g);
	stub_tick(g);
	gateway_fail(g, record_tick(&g->record, g->now_us));
	return g->failed;
}

/* What is open is recorded before the end, whoever is gone: a supervisor that is hears nothing, and a dial that is has
 * no part in what is carried. */
static void say_goodbye(struct gateway *g)
{
	flow_close_all(g, "session over");
	gateway_fail(g, record_flush(&g->record));
}

int gateway_run(struct gateway *g)
{
	int r = 0;

	while (r == 0 && !g->ending)
		r = gateway_turn(g, wait_ms(g));
	say_goodbye(g);
	r = r < 0 ? r : g->failed;
	return g->ending && (r == -EPIPE || r == -ECONNRESET || r == -ENOTCONN) ? 0 : r;
}
