/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns - one question as bytes, and its answer as bytes; nothing here knows what is granted
 *
 * Process:  gateway
 * Owns:     nothing; a question is copied into the struct
 * Returns:  dns_parse: 0, DNS_SILENT, or the enum dns_rcode to answer with
 * Limits:   DNS_QUERY_MAX bytes in, DNS_ANSWER_MAX out, so that nothing is ever cut and TC is never needed
 * Standard: RFC 1035, section 4; RFC 6891 (EDNS); RFC 3225 (DO); RFC 2181, section 11 (names)
 */
#pragma once
#include "gateway/role.h"
#include <stdbool.h>
#include "wire/net.h"

enum {
	DNS_HEADER = 12,
	DNS_QUERY_MAX = 4096,
	DNS_NAME_WIRE = 255,
	DNS_QUESTION_MAX = DNS_NAME_WIRE + 4,
	DNS_ANSWER_MAX = 512,
	DNS_ADDRESSES_MAX = 13, /* with the longest question and an OPT record that is DNS_ANSWER_MAX at most */
	DNS_UDP_SIZE = 1232,
	DNS_TTL_S = 60,
};

enum dns_type { DNS_A = 1, DNS_OPT = 41 };
enum dns_class { DNS_IN = 1 };
enum dns_rcode {
	DNS_OK = 0,
	DNS_FORMERR = 1,
	DNS_SERVFAIL = 2,
	DNS_NXDOMAIN = 3,
	DNS_NOTIMP = 4,
	DNS_BADVERS = 16,
	DNS_SILENT = 1000
};

struct dns_query {
	uint16_t id;
	bool rd;
	uint8_t opcode;
	char name[DNS_NAME_WIRE]; /* lower-cased, dots between labels, none at the end; "" is the root; no NUL inside */
	bool valid;		  /* name is in our form (net_name_valid) */
	uint16_t type, class;
	uint8_t question[DNS_QUESTION_MAX]; /* as it came: the case of a question is echoed */
	size_t question_len;
	bool edns, dnssec_ok;
};

/* Reads one message. What was understood of it is in ret in every case but DNS_SILENT (no question: an answer, or too
 * short). */
int dns_parse(const void *bytes, size_t n, struct dns_query *ret) _must_check_;
/* Writes the answer with up to DNS_ADDRESSES_MAX of the IPv4 addresses; returns its length. */
size_t dns_answer(const struct dns_query *q, enum dns_rcode rcode, const struct net_address *a, size_t n_a,
	uint8_t ret[DNS_ANSWER_MAX]);
