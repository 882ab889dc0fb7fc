/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attempt - connects to the addresses of a request, one after the other and side by side (RFC 8305), then through the
 * proxy
 *
 * open_socket is the only place of this program that connects. What it connects to has passed the filter as this very
 * value; nothing is resolved in between.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include "base/io.h"
#include "dial/request.h"

static const struct {
	int error;
	enum dial_status status;
} statuses[] = {
	{ ECONNREFUSED, DIAL_REFUSED },
	{ ETIMEDOUT, DIAL_TIMEOUT },
	{ ENETUNREACH, DIAL_UNREACHABLE },
	{ EHOSTUNREACH, DIAL_UNREACHABLE },
	{ ENETDOWN, DIAL_UNREACHABLE },
	{ EADDRNOTAVAIL, DIAL_UNREACHABLE },
	{ EAFNOSUPPORT, DIAL_UNREACHABLE },
	{ ECONNRESET, DIAL_REFUSED },
	{ EMFILE, DIAL_BUSY },
	{ ENFILE, DIAL_BUSY },
};

static enum dial_status status_of(int error)
{
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		if (statuses[i].error == error)
			return statuses[i].status;
	return DIAL_BROKEN;
}

static void attempt_close(struct attempt *a)
{
	int fd = a->watch.fd;

	if (fd < 0)
		return;
	loop_forget(a->request->dialer->loop, &a->watch);
	close(fd);
	a->request->n_open--;
}

void request_close_attempts(struct request *q)
{
	for (size_t i = 0; i < q->n_tried; i++)
		attempt_close(&q->attempts[i]);
}

static void note_failure(struct request *q, int error)
{
	q->failed = status_of(error);
	q->error = error;
}

/* Out of addresses and of open attempts: the request has failed. */
static void fail_if_over(struct request *q)
{
	if (q->phase == REQUEST_CONNECTING && q->n_open == 0 && q->n_tried == q->n_to)
		request_finish(q, q->failed, NULL, -1);
}

/* --- through the proxy --- */

/* Peeks, so that not one byte of what follows the header is taken from the tunnel. */
static void on_proxy(struct loop_watch *w, uint32_t events)
{
	struct attempt *a = w->owner;
	struct request *q = a->request;
	char answer[PROXY_ANSWER_MAX];
	size_t len;
	ssize_t n = recv(w->fd, answer, sizeof(answer), MSG_PEEK | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	enum proxy_verdict verdict = n <= 0 ? PROXY_MALFORMED : proxy_judge(answer, (size_t)n, &len, &q->proxy_status);
	/* A cut answer that was peeked at stays readable; without its end there will be no more to wait for. */
	if (verdict == PROXY_MORE && !(events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))) {
		int lowat = (int)n + 1;
		(void)setsockopt(w->fd, SOL_SOCKET, SO_RCVLOWAT, &lowat, sizeof(lowat));
		return;
	}
	if (verdict != PROXY_OPEN || recv(w->fd, answer, len, MSG_DONTWAIT) != (ssize_t)len) {
		request_finish(q, DIAL_PROXY, &a->to, -1);
		return;
	}
	int fd = w->fd, one = 1;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof(one));
	loop_forget(q->dialer->loop, w);
	q->n_open--;
	request_finish(q, DIAL_OK, &a->to, fd);
}

static void ask_proxy(struct attempt *a)
{
	struct request *q = a->request;
	char host[NET_NAME_MAX + 1], text[PROXY_REQUEST_MAX];

	snprintf(host, sizeof(host), "%s", q->asked.name);
	if (!host[0])
		net_address_text(&q->asked.address, host, sizeof(host));
	size_t n = proxy_request(host, q->asked.port, text, sizeof(text));
	/* A new socket's buffer takes a request of this size whole. */
	if (n == 0 || send(a->watch.fd, text, n, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)n) {
		request_finish(q, DIAL_PROXY, &a->to, -1);
		return;
	}
	q->phase = REQUEST_PROXY;
	a->watch.ready = on_proxy;
	if (loop_watch(q->dialer->loop, &a->watch, a->watch.fd, EPOLLIN | EPOLLRDHUP) < 0)
		request_finish(q, DIAL_BROKEN, NULL, -1);
}

/* --- attempts --- */

static void on_connected(struct attempt *a)
{
	struct request *q = a->request;
	int fd = a->watch.fd;

	if (q->via_proxy) {
		for (size_t i = 0; i < q->n_tried; i++)
			if (&q->attempts[i] != a)
				attempt_close(&q->attempts[i]);
		ask_proxy(a);
		return;
	}
	loop_forget(q->dialer->loop, &a->watch);
	q->n_open--;
	request_finish(q, DIAL_OK, &a->to, fd);
}

/* A connection to a port of this host that nobody listens on can meet itself, when the kernel happens to choose that
 * port for it (simultaneous open, RFC 9293, 3.5). It would answer what it is told, and keep the port from who should
 * listen there. */
static bool meets_itself(int fd)
{
	struct sockaddr_storage here = { 0 }, there = { 0 };
	struct linger now = { 1, 0 }; /* an orderly end would keep the port for a minute more */
	socklen_t n = sizeof(here), m = sizeof(there);
	uint16_t port, to;

	if (getsockname(fd, (struct sockaddr *)&here, &n) < 0 || getpeername(fd, (struct sockaddr *)&there, &m) < 0)
		return false;
	struct net_address a = net_address_from_sockaddr(&here, &port), b = net_address_from_sockaddr(&there, &to);
	if (port != to || !net_address_equal(&a, &b))
		return false;
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	return true;
}

static void on_ready(struct loop_watch *w, uint32_t events)
{
	struct attempt *a = w->owner;
	struct request *q = a->request;
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error == 0 && meets_itself(w->fd))
		error = ECONNREFUSED;
	if (error == 0) {
		on_connected(a);
		return;
	}
	note_failure(q, error);
	attempt_close(a);
	/* A failure calls the next one at once (RFC 8305, section 5). */
	q->next_attempt_us = 0;
	request_next_attempt(q);
	fail_if_over(q);
}

static int open_socket(struct request *q, struct attempt *a, int fd)
{
	struct sockaddr_storage at;
	socklen_t len = net_address_to_sockaddr(&a->to, q->port, &at);
	int one = 1;

	if (fd < 0)
		fd = socket(at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	a->watch = (struct loop_watch){ .fd = -1, .ready = on_ready, .owner = a };
	/* Small messages of both sides pass through a relay that holds nothing back. */
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0 ||
		(connect(fd, (struct sockaddr *)&at, len) < 0 && errno != EINPROGRESS) ||
		loop_watch(q->dialer->loop, &a->watch, fd, EPOLLOUT) < 0) {
		int e = errno;
		close(fd);
		return -e;
	}
	q->n_open++;
	return 0;
}

void request_next_attempt(struct request *q)
{
	while (q->phase == REQUEST_CONNECTING && q->n_tried < q->n_to && io_now_us() >= q->next_attempt_us) {
		struct attempt *a = &q->attempts[q->n_tried];
		*a = (struct attempt){ .watch.fd = -1, .request = q, .to = q->to[q->n_tried] };
		q->n_tried++;
		int r = open_socket(q, a, -1);
		if (r < 0) {
			note_failure(q, -r);
			continue;
		}
		q->next_attempt_us = io_now_us() + DIALER_STAGGER_MS * 1000;
	}
}

/* Families in turn, beginning with the first address's (RFC 8305, section 4). */
static void interleave(struct net_address *v, size_t n)
{
	struct net_address out[DIAL_ADDRESSES_MAX] = { 0 };
	bool used[DIAL_ADDRESSES_MAX] = { false };
	uint8_t want = n ? v[0].family : 0;

	for (size_t k = 0; k < n; k++) {
		size_t i = 0;
		while (i < n && (used[i] || v[i].family != want))
			i++;
		if (i == n)
			for (i = 0; used[i]; i++)
				;
		used[i] = true;
		out[k] = v[i];
		want = v[i].family == 4 ? 6 : 4;
	}
	memcpy(v, out, n * sizeof(*v));
}

void request_connect(struct request *q)
{
	q->phase = REQUEST_CONNECTING;
	q->failed = DIAL_UNREACHABLE;
	interleave(q->to, q->n_to);
	request_next_attempt(q);
	fail_if_over(q);
}

void request_connect_spare(struct request *q, int fd)
{
	struct attempt *a = &q->attempts[0];
	int r;

	q->phase = REQUEST_CONNECTING;
	*a = (struct attempt){ .watch.fd = -1, .request = q, .to = q->to[0] };
	q->n_tried = 1;
	r = open_socket(q, a, fd);
	if (r < 0)
		note_failure(q, -r);
	fail_if_over(q);
}
