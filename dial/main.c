/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main - stockade-dial: holds the grants; resolves, filters and connects for the gateway, which can do none of that
 *
 * Process:  dial
 *
 * Stages:   1 read the sealed configuration   2 stop being root   3 start the reader of name servers' answers, which
 * locks itself down   4 confine   5 say so to the supervisor   6 answer requests. Should: do all that needs the
 * kernel's good will before 4. Mustn't: read a byte of the gateway or of the network before 5.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include "base/io.h"
#include "base/privilege.h"
#include "dial/confine.h"
#include "dial/dialer.h"
#include "dial/reader.h"
#include "wire/event.h"
#include "wire/fds.h"

enum { EXIT_OK = 0, EXIT_FAILED = 1 };

struct dial {
	struct net_config config;
	struct loop loop;
	struct dialer dialer;
	struct loop_watch gateway, supervisor;
	bool over;
	int error;
};

static int read_config(struct net_config *ret, struct diag *d)
{
	int r = net_config_read(DIAL_FD_CONFIG, ret, d);

	if (r < 0)
		return r;
	return close_range(DIAL_FD_END, UINT_MAX, 0) < 0
		       ? diag_fail(d, -errno, "cannot close other descriptors: %s", strerror(errno))
		       : 0;
}

static void on_gateway(struct loop_watch *w, uint32_t events)
{
	struct dial *p = w->owner;
	char bytes[DIAL_BYTES_MAX];
	int fd = -1;
	size_t n_fds = 1;
	long n = io_recv_msg(DIAL_FD_GATEWAY, bytes, sizeof(bytes), &fd, &n_fds);

	if (n == 0 || n == -ECONNRESET)
		p->over = true;
	else
		p->error = n < 0 ? (int)n : dialer_take(&p->dialer, bytes, (size_t)n, &fd, n_fds);
}

/* The supervisor sends nothing on this socket: readable is its end. */
static void on_supervisor(struct loop_watch *w, uint32_t events)
{
	((struct dial *)w->owner)->over = true;
}

static int watch_peers(struct dial *p)
{
	int r;

	p->gateway = (struct loop_watch){ .fd = -1, .ready = on_gateway, .owner = p };
	p->supervisor = (struct loop_watch){ .fd = -1, .ready = on_supervisor, .owner = p };
	r = loop_watch(&p->loop, &p->gateway, DIAL_FD_GATEWAY, EPOLLIN);
	return r < 0 ? r : loop_watch(&p->loop, &p->supervisor, DIAL_FD_EVENTS, EPOLLIN | EPOLLRDHUP);
}

static int prepare(struct dial *p, struct diag *d)
{
	int r = read_config(&p->config, d), reader;

	if (r < 0)
		return r;
	r = privilege_drop(p->config.uid, p->config.gid);
	if (r < 0)
		return diag_fail(d, r, "cannot become user %u: %s", p->config.uid, strerror(-r));
	signal(SIGPIPE, SIG_IGN);
	r = reader_start(&p->config, &reader, d);
	if (r < 0)
		return r;
	r = loop_init(&p->loop);
	if (r == 0)
		r = dialer_init(&p->dialer, &p->loop, &p->config, DIAL_FD_GATEWAY, DIAL_FD_EVENTS, reader);
	if (r == 0)
		r = watch_peers(p);
	if (r < 0)
		return diag_fail(d, r, "cannot prepare to connect: %s", strerror(-r));
	return confine(&p->config, d);
}

static int run(struct dial *p)
{
	const struct event ready = { .type = EVENT_NET_READY };
	int r = event_send(DIAL_FD_EVENTS, &ready);

	while (r == 0 && !p->over) {
		r = loop_turn(&p->loop, dialer_timeout_ms(&p->dialer));
		if (r == 0)
			r = p->error;
		dialer_tick(&p->dialer);
		if (r == 0)
			r = p->dialer.error;
	}
	return r;
}

/* A peer that went away is the end of the session, not an error of ours. */
static bool is_end(int r)
{
	return r == -EPIPE || r == -ECONNRESET;
}

int main(void)
{
	struct dial p = { .loop = { -1 } };
	struct diag d = { 0 };
	int r = prepare(&p, &d);

	if (r == 0) {
		r = run(&p);
		if (r < 0)
			diag_set(&d, "%s", r == -ECHILD ? "its reader of names ended" : strerror(-r));
	}
	if (r < 0 && !is_end(r))
		dprintf(STDERR_FILENO, "stockade: dial stops: %s\n", d.text);
	_exit(r < 0 && !is_end(r) ? EXIT_FAILED : EXIT_OK);
}
