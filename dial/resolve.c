/* SPDX-License-Identifier: Apache-2.0 */
/* resolve - see resolve.h */
#include "dial/resolve.h"
#include <ares.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/time.h>

#define RESOLV_CONF "/etc/resolv.conf"

/* One reading of the configuration. An old one lives until its last question is answered. */
struct channel {
	struct resolver *owner;
	ares_channel ares;
	struct loop_watch sockets[RESOLVE_SOCKETS_MAX];
	size_t questions;
	struct channel *older;
};

struct resolver {
	struct loop *loop;
	struct channel *newest;
	struct stat conf; /* as it was read; st_nlink 0: there was none */
};

struct question {
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
	for (size_t i = 0; i < RESOLVE_SOCKETS_MAX; i++)
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
			loop_forget(c->owner->loop, w);
		return;
	}
	if (!w)
		w = find_socket(c, -1);
	if (!w)
		return;
	w->ready = on_socket;
	w->owner = c;
	if (loop_watch(c->owner->loop, w, fd, (readable ? EPOLLIN : 0u) | (writable ? EPOLLOUT : 0u)) < 0)
		w->fd = -1;
}

/* --- channels --- */

static void channel_free(struct channel *c)
{
	ares_destroy(c->ares);
	for (size_t i = 0; i < RESOLVE_SOCKETS_MAX; i++)
		loop_forget(c->owner->loop, &c->sockets[i]);
	free(c);
}

static int channel_new(struct resolver *r, struct channel **ret)
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
	c->owner = r;
	for (size_t i = 0; i < RESOLVE_SOCKETS_MAX; i++)
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

static void free_idle(struct resolver *r)
{
	struct channel **at = &r->newest->older;

	while (*at) {
		struct channel *c = *at;
		if (c->questions > 0) {
			at = &c->older;
			continue;
		}
		*at = c->older;
		channel_free(c);
	}
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_nlink == b->st_nlink && a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void look_at_conf(struct stat *ret)
{
	if (stat(RESOLV_CONF, ret) < 0)
		*ret = (struct stat){ 0 };
}

/* A configuration that cannot be read now is tried again at the next question; the one before still stands. */
static void read_again(struct resolver *r)
{
	struct stat now;
	struct channel *c;

	look_at_conf(&now);
	if (same_file(&now, &r->conf) || channel_new(r, &c) < 0)
		return;
	r->conf = now;
	c->older = r->newest;
	r->newest = c;
}

int resolver_new(struct loop *l, struct resolver **ret)
{
	struct resolver *r = calloc(1, sizeof(*r));
	int e;

	if (!r)
		return -ENOMEM;
	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
		free(r);
		return -ENOMEM;
	}
	r->loop = l;
	look_at_conf(&r->conf);
	e = channel_new(r, &r->newest);
	if (e < 0) {
		free(r);
		return e;
	}
	*ret = r;
	return 0;
}

void resolver_free(struct resolver *r)
{
	if (!r)
		return;
	while (r->newest) {
		struct channel *c = r->newest;
		r->newest = c->older;
		channel_free(c);
	}
	free(r);
	ares_library_cleanup();
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
	_cleanup_free_ struct question *q = arg;
	struct resolve_result result = { .status = status_of(status) };

	if (info) {
		take_addresses(info, &result);
		ares_freeaddrinfo(info);
	}
	if (result.status == DIAL_OK && result.n == 0)
		result.status = DIAL_NO_ADDRESS;
	q->channel->questions--;
	q->fn(q->ctx, &result);
}

void resolver_ask(struct resolver *r, const char *name, resolve_fn fn, void *ctx)
{
	struct ares_addrinfo_hints hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct question *q = malloc(sizeof(*q));

	if (!q) {
		fn(ctx, &(struct resolve_result){ .status = DIAL_BROKEN });
		return;
	}
	read_again(r);
	*q = (struct question){ r->newest, fn, ctx };
	r->newest->questions++;
	ares_getaddrinfo(r->newest->ares, name, NULL, &hints, on_answer, q);
}

int resolver_timeout_ms(const struct resolver *r, int max)
{
	for (const struct channel *c = r->newest; c; c = c->older) {
		struct timeval tv;
		if (!ares_timeout(c->ares, NULL, &tv))
			continue;
		int ms = (int)(tv.tv_sec * 1000 + tv.tv_usec / 1000 + 1);
		if (max < 0 || ms < max)
			max = ms;
	}
	return max;
}

void resolver_tick(struct resolver *r)
{
	for (struct channel *c = r->newest; c; c = c->older)
		ares_process_fd(c->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	/* Only here: no channel is inside one of its own callbacks now. */
	free_idle(r);
}
