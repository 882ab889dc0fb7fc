/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dial - what the gateway may ask of dial, and what comes back
 *
 * Process:  gateway (asks), dial (answers)
 * Limits:   DIAL_BYTES_MAX a message, DIAL_ADDRESSES_MAX addresses an answer
 * Standard: one SOCK_SEQPACKET message each; a connected socket travels with the answer (SCM_RIGHTS, unix(7))
 *
 * The request names a grant, a name and a port and nothing more; dial looks the grant up by itself.
 */
#pragma once
#include "wire/net.h"

enum { DIAL_BYTES_MAX = 1024, DIAL_ADDRESSES_MAX = 16, DIAL_IN_FLIGHT_MAX = 8192 };

enum dial_ask {
	/* The socket that comes back is non-blocking, with TCP_NODELAY. */
	DIAL_CONNECT, /* to name (or address, for NET_PREFIX and NET_REAL) and port */
	DIAL_RESOLVE, /* NET_REAL: the addresses of name now */
	DIAL_PUBLISH, /* one spare socket comes along: connect it to 127.0.0.1:port of the sandbox */
	DIAL_ASK_COUNT,
};

struct dial_request {
	uint64_t id; /* the gateway's, echoed */
	enum dial_ask ask;
	uint32_t grant;
	char name[NET_NAME_MAX + 1]; /* "" when address is meant */
	struct net_address address;
	uint16_t port;
};

/* Words for people are in dial_status_words. */
/* clang-format off: a table */
#define DIAL_STATUSES(X)                                                                                               \
	X(OK, "connected")                                                                                             \
	X(NOT_GRANTED, "not granted")                                                                                  \
	X(NO_NAME, "the name does not exist")                                                                          \
	X(NO_ADDRESS, "the name has no address")                                                                       \
	X(RESOLVER, "no name server answered")                                                                         \
	X(FORBIDDEN, "the name leads to an address that is not granted")                                               \
	X(REFUSED, "the host refused the connection")                                                                  \
	X(UNREACHABLE, "the host cannot be reached")                                                                   \
	X(TIMEOUT, "the host did not answer in time")                                                                  \
	X(PROXY, "the proxy refused the connection")                                                                   \
	X(BUSY, "too many connections at once")                                                                        \
	X(BROKEN, "dial could not do its work")
/* clang-format on */

enum dial_status {
#define X(name, words) DIAL_##name,
	DIAL_STATUSES(X)
#undef X
		DIAL_STATUS_COUNT
};
const char *dial_status_words(enum dial_status s);
const char *dial_status_name(enum dial_status s); /* "FORBIDDEN" */

struct dial_answer {
	uint64_t id;
	enum dial_status status;
	int error;					  /* positive errno behind it, or 0 */
	struct net_address address;			  /* dialled, or forbidden */
	struct net_address addresses[DIAL_ADDRESSES_MAX]; /* DIAL_RESOLVE, checked */
	uint32_t n_addresses;
};

int dial_request_encode(const struct dial_request *q, struct wire_writer *w) _must_check_;
int dial_request_decode(const void *bytes, size_t n, struct dial_request *ret) _must_check_;
int dial_answer_encode(const struct dial_answer *a, struct wire_writer *w) _must_check_;
int dial_answer_decode(const void *bytes, size_t n, struct dial_answer *ret) _must_check_;
