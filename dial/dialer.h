/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dialer - one request of the gateway from its arrival to its answer, and all of them together
 *
 *    CONNECT   granted? ─► resolve ─► filter ─► attempts (RFC 8305) ─► [proxy] ─► record ─► answer with the socket
 *    RESOLVE   granted? ─► resolve ─► filter ─► answer with addresses
 *    PUBLISH   published? ─► connect the spare socket inside ─► record ─► answer with it
 *
 * Process:  dial
 * Owns:     its requests and every socket that was not handed over
 * Limits:   limits.connections requests at once (more are answered BUSY), DIAL_ADDRESSES_MAX attempts each
 */
#pragma once
#include "dial/filter.h"
#include "dial/known.h"
#include "dial/lookup.h"

/* Next attempt while the one before is still silent (RFC 8305, section 8). */
enum { DIALER_STAGGER_MS = 250 };

struct request;

struct dialer {
	struct loop *loop;
	const struct net_config *config;
	struct lookups lookups;
	struct filter_host host;
	struct known *known;
	int gateway, events; /* SOCK_SEQPACKET, borrowed */
	uint64_t own_netns;  /* SO_NETNS_COOKIE of this program's sockets */
	struct request *requests;
	size_t n;
	int error; /* a record or an answer could not be sent: the session cannot go on */
};

/* reader: the socket of reader_start(), taken over. */
int dialer_init(
	struct dialer *d, struct loop *l, const struct net_config *c, int gateway, int events, int reader) _must_check_;
void dialer_done(struct dialer *d);
/* One message of the gateway; takes the descriptors over. -EPROTO: it is none of this build. */
int dialer_take(struct dialer *d, const void *bytes, size_t n, const int *fds, size_t n_fds) _must_check_;
int dialer_timeout_ms(const struct dialer *d);
/* Starts attempts that are due, ends what took too long, frees what is done. */
void dialer_tick(struct dialer *d);
