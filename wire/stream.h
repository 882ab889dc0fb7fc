/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream - the messages of this wire one after another through a pipe, each with its length before it
 *
 * Process:  shim (writes), supervisor (reads)
 * Owns:     struct stream its buffer, never the descriptor
 * Limits:   STREAM_MESSAGE_MAX bytes a message; who writes a longer one, or of a length that it has not, is refused
 *
 * A pipe and not a socket, since a write to one costs a fraction of a send, and not memory that both have, since what
 * was written has to be out of the writer's hands: neither its death nor whoever takes it over undoes it. A full pipe
 * has the writer wait. Of a writer that dies within a message that message is not there.
 */
#pragma once
#include "base/buf.h"
#include "wire/codec.h"
#include "wire/confirm.h"
#include "wire/event.h"

enum {
	STREAM_MESSAGE_MAX = CONFIRM_BYTES_MAX,
	STREAM_CHUNK = 15 << 10, /* bytes of one read(2); with what is left of a message a block of 16 KiB */
};
_Static_assert((int)EVENT_BYTES_MAX <= (int)STREAM_MESSAGE_MAX, "every record has room");

/* Hands over what was encoded, which is the whole of it when this returns; the writer's bytes are used up. 0, -errno
 * (-EPIPE: nobody reads any more). */
int stream_send(int pipe, struct wire_writer *w) _must_check_;
/* Encode and hand over. */
int stream_send_event(int pipe, const struct event *e) _must_check_;
int stream_send_confirm(int pipe, const struct confirm *c) _must_check_;

struct stream {
	struct buf buf;
	size_t at; /* messages before it were taken */
};

/* Reads once: how many bytes came (STREAM_CHUNK: more may be there), 0 at the end, -EAGAIN, -errno. What
 * stream_next gave is not valid any more. All that is whole has to be taken first. */
long stream_read(struct stream *s, int pipe) _must_check_;
/* The next message that is whole: 1; 0 when there is none; -EPROTO: what is there is none. */
int stream_next(struct stream *s, const char **ret, size_t *ret_n) _must_check_;
void stream_done(struct stream *s);
