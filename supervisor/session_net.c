/* SPDX-License-Identifier: Apache-2.0 */
/* session_net - a session's dealings with gateway and dial (session_internal.h) */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include "base/io.h"
#include "supervisor/session_internal.h"

enum { NET_CLOSE_MS = 500 };

/* Neither ends before the session does: without it nothing that is granted can be reached, and nobody would record what
 * is tried. Each ends when the other does, so which end is seen first says nothing about whose was the fault. */
static int on_net_gone(struct session *s, struct spawned_net *from)
{
	close(steal_fd(&from->events));
	if (s->phase > PHASE_RUNNING)
		return 0;
	return diag_fail(&s->diag, -EPIPE,
		"stockade-gateway or stockade-dial ended unexpectedly: without them the granted hosts cannot be "
		"reached, so the server is stopped");
}

static int on_net(struct session *s, struct spawned_net *from, enum event_source source, enum part part)
{
	char bytes[EVENT_BYTES_MAX];
	struct event e;
	const char *name = source == EVENT_FROM_GATEWAY ? "stockade-gateway" : "stockade-dial";
	int r = event_receive(from->events, bytes, &e);

	if (r == 0)
		return on_net_gone(s, from);
	if (r < 0)
		return diag_fail(&s->diag, r,
			"%s sent what is no record of this build: was stockade upgraded meanwhile? Start the server "
			"again",
			name);
	r = session_record(s, source, &e, NULL);
	if (r < 0)
		return r;
	session_count(s, &e);
	return e.type == EVENT_NET_READY ? session_on_part(s, part) : 0;
}

int session_on_gateway(struct session *s)
{
	return on_net(s, &s->spawned.gateway, EVENT_FROM_GATEWAY, PART_GATEWAY);
}

int session_on_dial(struct session *s)
{
	return on_net(s, &s->spawned.dial, EVENT_FROM_DIAL, PART_DIAL);
}

/* What one of them has still to say, until it ends. */
static void hear_out(struct session *s, const struct spawned_net *from, int (*take)(struct session *s), uint64_t until)
{
	for (uint64_t now = io_now_us(); from->events >= 0 && now < until; now = io_now_us()) {
		struct pollfd p = { .fd = from->events, .events = POLLIN };
		if (poll(&p, 1, (int)((until - now) / 1000) + 1) <= 0 || take(s) < 0)
			return;
	}
}

/* Connections that are still open are closed and recorded by the gateway, which takes the end of this socket for the
 * session's; dial takes the gateway's end for its own. */
int session_close_network(struct session *s)
{
	uint64_t until = io_now_us() + (uint64_t)NET_CLOSE_MS * 1000;

	if (s->spawned.gateway.events < 0 || !s->log)
		return 0;
	if (shutdown(s->spawned.gateway.events, SHUT_WR) < 0)
		return diag_fail(&s->diag, -errno,
			"the gateway cannot be told that it is over, so the log lacks the end of connections that are "
			"open now: %s",
			strerror(errno));
	hear_out(s, &s->spawned.gateway, session_on_gateway, until);
	hear_out(s, &s->spawned.dial, session_on_dial, until);
	return 0;
}
