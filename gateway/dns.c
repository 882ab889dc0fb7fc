/* SPDX-License-Identifier: Apache-2.0 */
/* dns - see dns.h */
#include "gateway/dns.h"
#include <string.h>

enum {
	LABEL_MAX = 63,
	FLAG_QR = 0x80, /* in the third byte */
	FLAG_TC = 0x02,
	FLAG_RD = 0x01,
	FLAG_RA = 0x80,	   /* in the fourth */
	RECORD_FIXED = 10, /* type, class, ttl, length */
	EDNS_DO = 0x80,
	ADDITIONAL_MAX = 4, /* OPT, and what signs (TSIG, SIG(0)) */
};

struct cursor {
	const uint8_t *p;
	size_t n, at;
};

static bool has(const struct cursor *c, size_t n)
{
	return c->n - c->at >= n;
}

static uint16_t get16(struct cursor *c)
{
	uint16_t v = (uint16_t)(c->p[c->at] << 8 | c->p[c->at + 1]);

	c->at += 2;
	return v;
}

static char lower(uint8_t c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/* One label; a dot or a NUL in it would make another name of it in text, and a pointer has nothing earlier to point to.
 */
static bool read_label(struct cursor *c, size_t length, char *name, size_t *len)
{
	if (length > LABEL_MAX || !has(c, length))
		return false;
	if (*len + length + 2 > DNS_NAME_WIRE - 1)
		return false;
	if (*len > 0)
		name[(*len)++] = '.';
	for (size_t i = 0; i < length; i++) {
		uint8_t b = c->p[c->at++];
		if (b == 0 || b == '.')
			return false;
		name[(*len)++] = lower(b);
	}
	return true;
}

static bool read_name(struct cursor *c, char name[DNS_NAME_WIRE])
{
	size_t len = 0;

	while (has(c, 1)) {
		size_t length = c->p[c->at++];
		if (length == 0) {
			name[len] = '\0';
			return true;
		}
		if (!read_label(c, length, name, &len))
			return false;
	}
	return false;
}

static bool read_question(struct cursor *c, struct dns_query *q)
{
	size_t start = c->at, len;

	if (!read_name(c, q->name) || !has(c, 4))
		return false;
	q->type = get16(c);
	q->class = get16(c);
	len = c->at - start;
	memcpy(q->question, c->p + start, len);
	q->question_len = len;
	q->valid = net_name_valid(q->name);
	return true;
}

/* RFC 6891: one OPT at most, and its name is the root. Returns an enum dns_rcode. */
static int read_opt(struct dns_query *q, const uint8_t *ttl)
{
	if (q->edns)
		return DNS_FORMERR;
	q->edns = true;
	q->dnssec_ok = ttl[2] & EDNS_DO;
	return ttl[1] ? DNS_BADVERS : DNS_OK;
}

static int read_additional(struct cursor *c, struct dns_query *q)
{
	char owner[DNS_NAME_WIRE];
	size_t length;
	uint16_t type;
	const uint8_t *ttl;

	if (!read_name(c, owner) || !has(c, RECORD_FIXED))
		return DNS_FORMERR;
	type = get16(c);
	c->at += 2;
	ttl = c->p + c->at;
	c->at += 4;
	length = get16(c);
	if (!has(c, length))
		return DNS_FORMERR;
	c->at += length;
	if (type != DNS_OPT)
		return DNS_OK;
	return owner[0] ? DNS_FORMERR : read_opt(q, ttl);
}

int dns_parse(const void *bytes, size_t n, struct dns_query *ret)
{
	struct cursor c = { bytes, n, DNS_HEADER };
	unsigned counts[4];
	int r = 0;

	*ret = (struct dns_query){ 0 };
	if (n < DNS_HEADER || c.p[2] & FLAG_QR)
		return DNS_SILENT;
	ret->id = (uint16_t)(c.p[0] << 8 | c.p[1]);
	ret->rd = c.p[2] & FLAG_RD;
	ret->opcode = c.p[2] >> 3 & 0xf;
	if (ret->opcode != 0)
		return DNS_NOTIMP;
	for (size_t i = 0; i < 4; i++)
		counts[i] = (unsigned)(c.p[4 + 2 * i] << 8 | c.p[5 + 2 * i]);
	if (c.p[2] & FLAG_TC || counts[0] != 1 || counts[1] || counts[2] || counts[3] > ADDITIONAL_MAX ||
		n > DNS_QUERY_MAX)
		return DNS_FORMERR;
	if (!read_question(&c, ret)) {
		ret->name[0] = '\0';
		return DNS_FORMERR;
	}
	for (unsigned i = 0; i < counts[3] && r == 0; i++)
		r = read_additional(&c, ret);
	return r ? r : c.at == n ? DNS_OK : DNS_FORMERR;
}

static void put16(uint8_t *out, size_t *at, unsigned v)
{
	out[(*at)++] = (uint8_t)(v >> 8);
	out[(*at)++] = (uint8_t)v;
}

static void put_address(uint8_t *out, size_t *at, const struct net_address *a)
{
	put16(out, at, 0xc000 | DNS_HEADER); /* the question's name */
	put16(out, at, DNS_A);
	put16(out, at, DNS_IN);
	put16(out, at, 0);
	put16(out, at, DNS_TTL_S);
	put16(out, at, 4);
	memcpy(out + *at, a->bytes, 4);
	*at += 4;
}

/* No options: what a client's options say (subnet, cookie, padding) goes nowhere and is answered by nothing. */
static void put_opt(uint8_t *out, size_t *at, const struct dns_query *q, unsigned rcode)
{
	out[(*at)++] = 0;
	put16(out, at, DNS_OPT);
	put16(out, at, DNS_UDP_SIZE);
	out[(*at)++] = (uint8_t)(rcode >> 4);
	out[(*at)++] = 0;
	put16(out, at, q->dnssec_ok ? EDNS_DO << 8 : 0);
	put16(out, at, 0);
}

size_t dns_answer(const struct dns_query *q, enum dns_rcode rcode, const struct net_address *a, size_t n_a,
	uint8_t ret[DNS_ANSWER_MAX])
{
	size_t at = 0;

	n_a = rcode == DNS_OK && q->question_len ? n_a : 0;
	n_a = n_a < DNS_ADDRESSES_MAX ? n_a : DNS_ADDRESSES_MAX;
	put16(ret, &at, q->id);
	ret[at++] = (uint8_t)(FLAG_QR | q->opcode << 3 | (q->rd ? FLAG_RD : 0));
	ret[at++] = (uint8_t)(FLAG_RA | (rcode & 0xf));
	put16(ret, &at, q->question_len ? 1 : 0);
	put16(ret, &at, (unsigned)n_a);
	put16(ret, &at, 0);
	put16(ret, &at, q->edns ? 1 : 0);
	memcpy(ret + at, q->question, q->question_len);
	at += q->question_len;
	for (size_t i = 0; i < n_a; i++)
		put_address(ret, &at, &a[i]);
	if (q->edns)
		put_opt(ret, &at, q, rcode);
	return at;
}
_Static_assert(DNS_HEADER + DNS_QUESTION_MAX + 16 * DNS_ADDRESSES_MAX + 11 <= DNS_ANSWER_MAX, "an answer always fits");
