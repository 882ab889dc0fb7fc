/* SPDX-License-Identifier: Apache-2.0 */
/* channel - see channel.h */
#include "dial/channel.h"
#include <ares.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/time.h>

struct channel {
	struct loop *loop;
	ares_channel ares;
	struct loop_watch sockets[CHANNEL_SOCKETS_MAX];
	size_t questions;
};

struct asked {
	struct channel *channel;
	resolve_fn fn;
	void *ctx;
};

/* --- sockets --- */

static void on_socket(struct loop_watch *w, uint32_t events)
{
	struct channel *c = w->owner;
	int fd = w->fd;
	bool broken = events & (EPOLLERR | EPOLLHUP);

	ares_process_fd(c->ares, events & EPOLLIN || broken ? fd : ARES_SOCKET_BAD,
		events & EPOLLOUT || broken ? fd : ARES_SOCKET_BAD);
}

static struct loop_watch *find_socket(struct channel *c, int fd)
{
	for (size_t i = 0; i < CHANNEL_SOCKETS_MAX; i++)
		if (c->sockets[i].fd == fd)
			return &c->sockets[i];
	return NULL;
}

/* A socket that there is no room for is never ready: its question times out and is answered so. */
static void on_state(void *data, ares_socket_t fd, int readable, int writable)
{
	struct channel *c = data;
	struct loop_watch *w = find_socket(c, fd);

	if (!readable && !writable) {
		if (w)
			loop_forget(c->loop, w);
		return;
	}
	if (!w)
		w = find_socket(c, -1);
	if (!w)
		return;
	w->ready = on_socket;
	w->owner = c;
	if (loop_watch(c->loop, w, fd, (readable ? EPOLLIN : 0u) | (writable ? EPOLLOUT : 0u)) < 0)
		w->fd = -1;
}

/* --- life --- */

int channel_library_init(void)
{
	return ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS ? 0 : -ENOMEM;
}

void channel_library_done(void)
{
	ares_library_cleanup();
}

void channel_free(struct channel *c)
{
	ares_destroy(c->ares);
	for (size_t i = 0; i < CHANNEL_SOCKETS_MAX; i++)
		loop_forget(c->loop, &c->sockets[i]);
	free(c);
}

int channel_new(struct loop *l, struct channel **ret)
{
	char lookups[] = "fb";
	struct ares_options o = { .flags = ARES_FLAG_NOSEARCH,
		.timeout = RESOLVE_TRY_MS,
		.tries = RESOLVE_TRIES,
		.lookups = lookups,
		.sock_state_cb = on_state };
	int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB;
	struct channel *c = calloc(1, sizeof(*c));
	int e;

	if (!c)
		return -ENOMEM;
	c->loop = l;
	for (size_t i = 0; i < CHANNEL_SOCKETS_MAX; i++)
		c->sockets[i].fd = -1;
	o.sock_state_cb_data = c;
	e = ares_init_options(&c->ares, &o, mask);
	if (e != ARES_SUCCESS) {
		free(c);
		return e == ARES_ENOMEM ? -ENOMEM : -EINVAL;
	}
	*ret = c;
	return 0;
}

/* --- questions --- */

static const struct {
	int ares;
	enum dial_status status;
} statuses[] = {
	{ ARES_SUCCESS, DIAL_OK },
	{ ARES_ENOTFOUND, DIAL_NO_NAME },
	{ ARES_ENODATA, DIAL_NO_ADDRESS },
};

static enum dial_status status_of(int ares)
{
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		if (statuses[i].ares == ares)
			return statuses[i].status;
	return DIAL_RESOLVER;
}

static void take_addresses(const struct ares_addrinfo *info, struct resolve_result *ret)
{
	for (const struct ares_addrinfo_node *i = info->nodes; i && ret->n < RESOLVE_ADDRESSES_MAX; i = i->ai_next) {
		struct sockaddr_storage at = { 0 };
		if (i->ai_addrlen > sizeof(at) || (i->ai_family != AF_INET && i->ai_family != AF_INET6))
			continue;
		memcpy(&at, i->ai_addr, i->ai_addrlen);
		ret->v[ret->n++] = net_address_from_sockaddr(&at, NULL);
	}
}

static void on_answer(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
	_cleanup_free_ struct asked *a = arg;
	struct resolve_result result = { .status = status_of(status) };

	if (info) {
		take_addresses(info, &result);
		ares_freeaddrinfo(info);
	}
	if (result.status == DIAL_OK && result.n == 0)
		result.status = DIAL_NO_ADDRESS;
	a->channel->questions--;
	a->fn(a->ctx, &result);
}

void channel_ask(struct channel *c, const char *name, resolve_fn fn, void *ctx)
{
	struct ares_addrinfo_hints hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct asked *a = malloc(sizeof(*a));

	if (!a) {
		fn(ctx, &(struct resolve_result){ .status = DIAL_BROKEN });
		return;
	}
	*a = (struct asked){ c, fn, ctx };
	c->questions++;
	ares_getaddrinfo(c->ares, name, NULL, &hints, on_answer, a);
}

void channel_cancel(struct channel *c)
{
	ares_cancel(c->ares);
}

bool channel_is_idle(const struct channel *c)
{
	return c->questions == 0;
}

int channel_timeout_ms(const struct channel *c, int max)
{
	struct timeval tv;
	int ms;

	if (!ares_timeout(c->ares, NULL, &tv))
		return max;
	ms = (int)(tv.tv_sec * 1000 + tv.tv_usec / 1000 + 1);
	return max < 0 || ms < max ? ms : max;
}

void channel_tick(struct channel *c)
{
	ares_process_fd(c->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}
