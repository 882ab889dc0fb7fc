/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main - stockade-gateway: answers names, accepts, reads the ClientHello and carries bytes; opens nothing
 *
 * Process:  gateway
 *
 * Stages:   1 read the sealed config, cease to be root, draw the layout   2 receive the sockets that enter made
 *           3 look at each   4 confine   5 say that it is so   6 the loop. Should: hold every descriptor it will ever
 *           need before 4, but for those that dial hands over. Mustn't: read a byte of the server's before 5.
 */
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include "base/diag.h"
#include "base/io.h"
#include "base/lockdown.h"
#include "base/privilege.h"
#include "gateway/confine.h"
#include "gateway/gateway.h"
#include "gateway/sockets.h"
#include "wire/fds.h"

enum { EXIT_OK, EXIT_FAILED };
/* What is larger than this is given back to the kernel when it is freed: a flood of hellos is not kept for the rest of
 * the session. */
enum { HEAP_BLOCK_MAX = 16 << 10 };

static int take_publish(const struct net_config *c, int *ret, struct diag *d)
{
	for (size_t i = 0; i < c->n_publish; i++) {
		ret[i] = GATEWAY_FD_PUBLISH + (int)i;
		int r = sockets_check_publish(ret[i]);
		if (r < 0)
			return diag_fail(d, r, "descriptor %d is no listener on 127.0.0.1: %s", ret[i], strerror(-r));
	}
	if (close_range((unsigned)(GATEWAY_FD_PUBLISH + c->n_publish), UINT_MAX, 0) < 0)
		return diag_fail(d, -errno, "cannot close other descriptors: %s", strerror(errno));
	return 0;
}

static int receive_sockets(struct gateway *g, const int *publish, struct diag *d)
{
	_cleanup_free_ int *fds = calloc(g->layout.n_sockets, sizeof(*fds));
	int r = fds ? sockets_receive(GATEWAY_FD_SOCKETS, &g->layout, fds, d) : diag_fail(d, -ENOMEM, "out of memory");

	if (r < 0)
		return r;
	close(GATEWAY_FD_SOCKETS);
	r = gateway_listen(g, fds, publish);
	return r < 0 ? diag_fail(d, r, "cannot listen: %s", strerror(-r)) : 0;
}

static int prepare(struct gateway *g, struct net_config *c, struct diag *d)
{
	int publish[NET_PUBLISH_MAX], r = net_config_read(GATEWAY_FD_CONFIG, c, d);

	if (r < 0)
		return r;
	r = privilege_drop(c->uid, c->gid);
	if (r < 0)
		return diag_fail(d, r, "cannot become user %u: %s", c->uid, strerror(-r));
	r = take_publish(c, publish, d);
	if (r < 0)
		return r;
	mallopt(M_MMAP_THRESHOLD, HEAP_BLOCK_MAX);
	lockdown_ignore_signals();
	r = gateway_init(g, c, GATEWAY_FD_EVENTS, GATEWAY_FD_DIAL, io_now_us());
	if (r < 0)
		return diag_fail(d, r, "cannot begin: %s", strerror(-r));
	r = raise_files(gateway_files(c, &g->layout), d);
	if (r == 0)
		r = receive_sockets(g, publish, d);
	return r < 0 ? r : confine(d);
}

static int say(const struct diag *d)
{
	dprintf(STDERR_FILENO, "stockade: the gateway stops: %s\n", d->text);
	return EXIT_FAILED;
}

static int run(struct gateway *g, struct diag *d)
{
	struct event ready = { .type = EVENT_NET_READY };
	int r = record_send(&g->record, &ready);

	if (r == 0)
		r = gateway_run(g);
	if (r < 0)
		return diag_fail(d, r, "%s", r == -EPIPE ? "dial or the supervisor is gone" : strerror(-r));
	return 0;
}

int main(void)
{
	_cleanup_free_ struct gateway *g = calloc(1, sizeof(*g));
	struct net_config c = { 0 };
	struct diag d = { 0 };

	if (!g)
		return EXIT_FAILED;
	if (prepare(g, &c, &d) < 0 || run(g, &d) < 0)
		_exit(say(&d));
	/* What runs at exit in a sanitised build is not allowed any more; the kernel closes what is open. */
	_exit(EXIT_OK);
}
