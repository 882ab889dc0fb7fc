/* SPDX-License-Identifier: Apache-2.0 */
/*
 * collect - what a supervisor asks of the collector, one message on a SOCK_SEQPACKET socket each, and its answers
 *
 * Process:  supervisor (asks), collector (reads what any user's process may send, and answers)
 * Owns:     nothing; claims, event and detail are borrowed
 * Limits:   COLLECT_BYTES_MAX a request, COLLECT_WINDOW requests without an answer
 *
 * A connection is one session: COLLECT_OPEN first, COLLECT_CLOSE last. Who the user is comes from the socket and not
 * from here, and the session's id is the collector's: the words of its first answer. Each request is done when an
 * answer says so: answers count them, and one may stand for many. What is in the socket is handed over: the sender's
 * death does not undo it.
 */
#pragma once
#include <stdint.h>
#include "wire/codec.h"
#include "wire/event.h"

enum {
	COLLECT_TEXT_MAX = 2048, /* of one field of the identity */
	COLLECT_DETAIL_MAX = 12 << 10,
	COLLECT_BYTES_MAX = 48 << 10,
	COLLECT_ANSWER_MAX = 2 << 10,
	COLLECT_WINDOW = 64,
};

enum collect_type {
	COLLECT_OPEN,	    /* identity, detail */
	COLLECT_IDENTITY,   /* what became known later */
	COLLECT_RECORD,	    /* source, event, detail */
	COLLECT_CHECKPOINT, /* no more than the type */
	COLLECT_CLOSE,	    /* status */
	COLLECT_TYPE_COUNT
};

/* What the sender says of its session; nobody vouches for it. X(member) */
#define COLLECT_CLAIMS(X)                                                                                              \
	X(client)                                                                                                      \
	X(server)                                                                                                      \
	X(version)                                                                                                     \
	X(plan)                                                                                                        \
	X(approval)                                                                                                    \
	X(channel)                                                                                                     \
	X(classification)                                                                                              \
	X(delete_after)

struct collect_claims {
#define X(member) char member[COLLECT_TEXT_MAX];
	COLLECT_CLAIMS(X)
#undef X
};

struct collect_request {
	enum collect_type type;
	struct collect_claims *claims; /* borrowed: OPEN and IDENTITY alone */
	enum event_source source;
	const void *event; /* as event_encode made it */
	size_t event_len;
	const char *detail; /* JSON, an object; none: it has none */
	size_t detail_len;
	char status[64];
};

struct collect_answer {
	uint64_t done; /* requests since the beginning */
	int32_t error; /* 0, or the -errno of the last of them */
	char words[512];
};

int collect_request_encode(const struct collect_request *q, struct wire_writer *w) _must_check_;
/* -EPROTO for anything out of form. ret->event and ret->detail point into bytes; claims go to where it points. */
int collect_request_decode(
	const void *bytes, size_t n, struct collect_claims *claims, struct collect_request *ret) _must_check_;
int collect_answer_encode(const struct collect_answer *a, struct wire_writer *w) _must_check_;
int collect_answer_decode(const void *bytes, size_t n, struct collect_answer *ret) _must_check_;
