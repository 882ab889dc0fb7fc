/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request - the state of one request (dial/dialer.h)
 *
 * Process:  dial
 */
#pragma once
#include "dial/dialer.h"
#include "dial/proxy.h"

enum request_phase { REQUEST_RESOLVING, REQUEST_CONNECTING, REQUEST_PROXY, REQUEST_DONE };

struct attempt {
	struct loop_watch watch; /* watch.fd is the socket; -1: none */
	struct request *request;
	struct net_address to;
};

struct request {
	struct dialer *dialer;
	struct request *next;
	struct dial_request asked;
	enum request_phase phase;
	struct lookup lookup;
	bool via_proxy; /* to[] is the proxy, which policy names: no answer of a name server led there */
	uint16_t port;	/* to connect to: the proxy's where there is one */
	uint64_t since_us, resolve_by_us, deadline_us, next_attempt_us;
	struct net_address to[DIAL_ADDRESSES_MAX]; /* passed the filter */
	size_t n_to, n_tried, n_open;
	struct attempt attempts[DIAL_ADDRESSES_MAX];
	struct net_address forbidden;
	const char *forbidden_words;
	enum dial_status failed; /* of the last attempt that failed */
	int error;
	unsigned proxy_status;
};

/* dialer.c */
void request_finish(struct request *q, enum dial_status status, const struct net_address *address, int fd);
/* attempt.c */
void request_connect(struct request *q);	       /* to[] is filled */
void request_connect_spare(struct request *q, int fd); /* the one socket, taken over, to to[0] */
void request_next_attempt(struct request *q);
void request_close_attempts(struct request *q);
