/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hello - the name in a ClientHello, from bytes as they come
 *
 * Process:  gateway
 * Owns:     a copy of the handshake message until hello_done
 * Returns:  enum hello_found, -ENOMEM
 * Limits:   HELLO_MAX bytes of stream; HELLO_RECORDS_MAX records
 * Standard: RFC 8446, sections 4.1.2 and 5.1; RFC 6066, section 3 (server_name). With ECH it is the outer name that is
 * found.
 *
 * Each byte is looked at once on arrival, and the message once when it is whole: a client that sends it byte by byte
 * costs no more than another.
 */
#pragma once
#include "gateway/role.h"
#include <stdbool.h>
#include "base/buf.h"
#include "wire/net.h"

/* Post-quantum key shares make 2 KiB usual; certificates' worth of padding or many shares stay far below this. */
enum { HELLO_MAX = 64 << 10, HELLO_RECORDS_MAX = 1024 };

enum hello_found {
	HELLO_MORE,	 /* not whole yet */
	HELLO_NAME,	 /* whole, with one name */
	HELLO_NO_NAME,	 /* whole, without a server_name */
	HELLO_BAD_NAME,	 /* a server_name that is no name in our form, or more than one */
	HELLO_NOT_TLS,	 /* the stream does not open with a ClientHello */
	HELLO_MALFORMED, /* it does, and is not well formed */
	HELLO_TOO_LONG,
	HELLO_FOUND_COUNT,
};

struct hello {
	struct buf message; /* the handshake message, out of its records */
	unsigned char header[5];
	unsigned n_header;
	size_t in_record; /* bytes of the record that are still to come */
	unsigned records;
	size_t seen;
	enum hello_found found;
	char name[NET_NAME_MAX + 1]; /* HELLO_NAME: lower-cased */
};

void hello_init(struct hello *h);
void hello_done(struct hello *h);
/* Takes the next bytes of the stream; after anything but HELLO_MORE further bytes change nothing. */
int hello_feed(struct hello *h, const void *bytes, size_t n) _must_check_;
/* "the connection does not open with a TLS ClientHello" and the like. */
const char *hello_words(enum hello_found f);
