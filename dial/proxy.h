/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proxy - the CONNECT method of HTTP/1.1, the client's side (RFC 9110, section 9.3.6; RFC 9112)
 *
 * Process:  dial
 * Limits:   PROXY_ANSWER_MAX bytes of status line and header fields
 */
#pragma once
#include "dial/role.h"
#include "wire/dial.h"

enum { PROXY_ANSWER_MAX = 16 << 10, PROXY_REQUEST_MAX = 1024 };

enum proxy_verdict { PROXY_MORE, PROXY_OPEN, PROXY_REFUSED, PROXY_MALFORMED };

/* The request for HOST:PORT, an IPv6 address in brackets; its length. */
size_t proxy_request(const char *host, uint16_t port, char *ret, size_t size);
/* Judges the first n bytes of the answer. OPEN: *ret_len bytes are the header, what follows is the tunnel's. REFUSED:
 * *ret_status is the proxy's. Anything but a whole, well-formed header of HTTP/1.x is MORE or MALFORMED. */
enum proxy_verdict proxy_judge(const char *p, size_t n, size_t *ret_len, unsigned *ret_status);
