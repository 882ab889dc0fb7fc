/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_dns - one question: whatever it is, the answer is small, well formed, and says nothing that was not asked
 */
#include <string.h>
#include "gateway/dns.h"
#include "tests/fuzz/fuzz.h"

static void check_name(const struct dns_query *q)
{
	must(strnlen(q->name, sizeof(q->name)) < sizeof(q->name), "a name without its end");
	must(q->valid == net_name_valid(q->name), "a name that is called valid and is not");
	for (const char *c = q->name; *c; c++)
		must(!(*c >= 'A' && *c <= 'Z'), "an upper-case letter for the policy");
}

/* The question of an answer is the question, byte for byte. */
static void check_answer(const struct dns_query *q, int rcode, const uint8_t *in)
{
	static const struct net_address a[DNS_ADDRESSES_MAX + 1] = { { 4, { 198, 18, 0, 16 } } };
	uint8_t out[DNS_ANSWER_MAX];
	size_t n = dns_answer(q, (enum dns_rcode)rcode, a, DNS_ADDRESSES_MAX + 1, out);

	must(n >= DNS_HEADER && n <= DNS_ANSWER_MAX, "an answer too long or too short");
	must(out[0] == in[0] && out[1] == in[1], "another id");
	must((out[2] & 0x80) && (out[3] & 0x80) && !(out[2] & 0x02), "QR and RA set, TC not");
	must((out[3] & 0xf) != 5, "REFUSED");
	must(q->question_len == 0 || memcmp(out + DNS_HEADER, in + DNS_HEADER, q->question_len) == 0,
		"another question");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_query q;
	int r = dns_parse(data, size, &q);

	if (r == DNS_SILENT)
		return 0;
	check_name(&q);
	must(r != DNS_OK || q.question_len > 0, "understood, and no question");
	check_answer(&q, r, data);
	if (r == DNS_OK) {
		check_answer(&q, DNS_NXDOMAIN, data);
		check_answer(&q, DNS_SERVFAIL, data);
	}
	return 0;
}
