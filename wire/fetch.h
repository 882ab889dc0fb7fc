/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fetch - what stockade-fetch is to get: one address, and how
 *
 * Process:  supervisor, fetch
 * Owns:     its strings; free with fetch_request_done
 * Returns:  0, -errno; -EPROTO: of another build
 * Limits:   FETCH_REQUEST_MAX bytes
 *
 * The answer is the memfd FETCH_FD_BODY, the exit status (enum fetch_status), and one line of words in FETCH_FD_WORDS.
 */
#pragma once
#include <stdbool.h>
#include "base/diag.h"
#include "wire/codec.h"

enum { FETCH_REQUEST_MAX = 2 << 20, FETCH_URL_MAX = 2048, FETCH_WORDS_MAX = 512 };

enum fetch_status {
	FETCH_DONE = 0,
	FETCH_FAILED = 1,
	FETCH_ABSENT = 2, /* the server says that there is no such thing (404, 410) */
};

struct fetch_request {
	uint32_t uid, gid; /* whom to become, where started by root */
	char *url;
	uint16_t port;	  /* that the address leads to */
	char *proxy_host; /* NULL: none. No variable of the environment counts */
	uint16_t proxy_port;
	char *ca;	  /* certificates in PEM beside the system's, or NULL */
	uint64_t max;	  /* bytes of the body */
	uint32_t seconds; /* for all of it */
};

/* ret is fetch_request_done's in any case. */
int fetch_request_encode(const struct fetch_request *f, struct wire_writer *w) _must_check_;
int fetch_request_decode(const void *p, size_t n, struct fetch_request *ret) _must_check_;
/* From a sealed memfd. */
int fetch_request_read(int fd, struct fetch_request *ret, struct diag *d) _must_check_;
void fetch_request_done(struct fetch_request *f);
#define _cleanup_fetch_request_ _cleanup_(fetch_request_done)

/* Is that an address to fetch from: https://HOST[:PORT]/PATH, or http:// of this machine's own loopback? The sentence
 * that is wanted, else NULL with the port. */
const char *fetch_url_form(const char *url, uint16_t *ret_port);
