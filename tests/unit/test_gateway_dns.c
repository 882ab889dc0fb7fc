/* SPDX-License-Identifier: Apache-2.0 */
/* test_gateway_dns - what the name server inside the sandbox understands, and what it answers */
#include "tests/unit/unit.h"
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/io.h"
#include "gateway/ask.h"
#include "gateway/stub.h"

#define W	.where = (char *)(uintptr_t) "t"
#define N(text) .name = (char *)(uintptr_t)(text)

enum { TYPE_PTR = 12, TYPE_AAAA = 28, TYPE_SVCB = 64, TYPE_HTTPS = 65, TYPE_ANY = 255, CLASS_CHAOS = 3 };

struct packet {
	uint8_t bytes[1024];
	size_t n;
};

static void put(struct packet *p, const void *bytes, size_t n)
{
	assert_true(p->n + n <= sizeof(p->bytes));
	memcpy(p->bytes + p->n, bytes, n);
	p->n += n;
}

/* name: labels with dots between them; raw: the bytes of a name as they are */
static struct packet question_raw(const void *raw, size_t n, unsigned type, unsigned class)
{
	struct packet p = { .n = 0 };
	const uint8_t tail[] = { (uint8_t)(type >> 8), (uint8_t)type, (uint8_t)(class >> 8), (uint8_t) class };

	put(&p, "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00", DNS_HEADER);
	put(&p, raw, n);
	put(&p, tail, sizeof(tail));
	return p;
}

static struct packet question(const char *name, unsigned type)
{
	struct packet raw = { .n = 0 };

	while (*name) {
		uint8_t n = (uint8_t)strcspn(name, ".");
		put(&raw, &n, 1);
		put(&raw, name, n);
		name += n + (name[n] == '.');
	}
	put(&raw, "", 1);
	return question_raw(raw.bytes, raw.n, type, DNS_IN);
}

static void add_opt(struct packet *p, unsigned version, bool dnssec_ok)
{
	const uint8_t opt[] = { 0, 0, DNS_OPT, 0x10, 0, 0, (uint8_t)version, dnssec_ok ? 0x80 : 0, 0, 0, 0 };

	p->bytes[11]++;
	put(p, opt, sizeof(opt));
}

static void names_are_read_in_lower_case_and_echoed_as_they_came(void **state)
{
	struct packet p = question("aPi.GitHub.Com", DNS_A);
	struct net_address a = { 4, { 198, 18, 0, 16 } };
	struct dns_query q;
	uint8_t out[DNS_ANSWER_MAX];

	assert_int_equal(dns_parse(p.bytes, p.n, &q), DNS_OK);
	assert_string_equal(q.name, "api.github.com");
	assert_true(q.valid && q.rd);
	size_t n = dns_answer(&q, DNS_OK, &a, 1, out);
	assert_int_equal(n, p.n + 16);
	assert_memory_equal(out, "\x12\x34\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00", DNS_HEADER);
	assert_memory_equal(out + DNS_HEADER, p.bytes + DNS_HEADER, p.n - DNS_HEADER);
	assert_memory_equal(out + p.n, "\xc0\x0c\x00\x01\x00\x01", 6);
	assert_memory_equal(out + n - 6, "\x00\x04\xc6\x12\x00\x10", 6);
}

static void malformed_names_are_formerr(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} cases[] = {
		{ "\3a\0b\3com\0", 9 }, /* a NUL in a label */
		{ "\3a.b\3com\0", 9 },	/* a dot in a label */
		{ "\xc0\x0c", 2 },	/* a pointer to itself */
		{ "\1a\xc0\x0c", 4 },	/* a pointer loop */
		{ "\x40"
		  "a\0",
			3 },   /* a label type that does not exist */
		{ "\5ab", 3 }, /* cut off */
		{ "\1a", 2 },  /* without its end */
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct packet p = question_raw(cases[i].bytes, cases[i].n, DNS_A, DNS_IN);
		struct dns_query q;
		uint8_t out[DNS_ANSWER_MAX];
		assert_int_equal(dns_parse(p.bytes, p.n, &q), DNS_FORMERR);
		assert_int_equal(dns_answer(&q, DNS_FORMERR, NULL, 0, out), DNS_HEADER);
		assert_memory_equal(out, "\x12\x34\x81\x81\x00\x00", 6);
	}
}

static void messages_out_of_form_are_formerr_notimp_or_nothing(void **state)
{
	static const struct {
		size_t at;
		uint8_t byte;
		int want;
	} cases[] = {
		{ 2, 0x80, DNS_SILENT },
		{ 2, 0x10, DNS_NOTIMP },
		{ 2, 0x28, DNS_NOTIMP },
		{ 2, 0x03, DNS_FORMERR },
		{ 5, 0, DNS_FORMERR },
		{ 5, 2, DNS_FORMERR },
		{ 7, 1, DNS_FORMERR },
		{ 9, 1, DNS_FORMERR },
		{ 11, 1, DNS_FORMERR },
		{ 10, 1, DNS_FORMERR },
	};
	struct dns_query q;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct packet p = question("a.example", DNS_A);
		p.bytes[cases[i].at] = cases[i].byte;
		assert_int_equal(dns_parse(p.bytes, p.n, &q), cases[i].want);
	}
	for (size_t n = 0; n < DNS_HEADER; n++)
		assert_int_equal(dns_parse("\0\0\0\0\0\0\0\0\0\0\0", n, &q), DNS_SILENT);
	struct packet p = question("a.example", DNS_A);
	put(&p, "x", 1);
	assert_int_equal(dns_parse(p.bytes, p.n, &q), DNS_FORMERR);
}

static void edns_is_answered_without_its_options(void **state)
{
	struct packet p = question("a.example", DNS_A), two, bad;
	struct dns_query q;
	uint8_t out[DNS_ANSWER_MAX];

	add_opt(&p, 0, true);
	two = p;
	add_opt(&two, 0, false);
	assert_int_equal(dns_parse(p.bytes, p.n, &q), DNS_OK);
	size_t n = dns_answer(&q, DNS_NXDOMAIN, NULL, 0, out);
	assert_memory_equal(out + n - 11, "\x00\x00\x29\x04\xd0\x00\x00\x80\x00\x00\x00", 11);
	assert_int_equal(out[11], 1);
	assert_int_equal(dns_parse(two.bytes, two.n, &q), DNS_FORMERR);
	bad = question("a.example", DNS_A);
	add_opt(&bad, 1, false);
	assert_int_equal(dns_parse(bad.bytes, bad.n, &q), DNS_BADVERS);
	n = dns_answer(&q, DNS_BADVERS, NULL, 0, out);
	assert_int_equal(out[3] & 0xf, 0);
	assert_int_equal(out[n - 6], 1);
}

static void the_longest_name_with_the_most_addresses_fits_a_datagram(void **state)
{
	char name[260];
	struct net_address a[20];
	struct dns_query q;
	uint8_t out[DNS_ANSWER_MAX];

	for (size_t i = 0; i < ARRAY_LEN(a); i++)
		a[i] = (struct net_address){ 4, { 1, 2, 3, (uint8_t)i } };
	for (size_t i = 0; i < 253; i++)
		name[i] = i % 2 ? '.' : 'a';
	name[253] = '\0';
	struct packet p = question(name, DNS_A);
	add_opt(&p, 0, false);
	assert_int_equal(dns_parse(p.bytes, p.n, &q), DNS_OK);
	assert_true(q.valid);
	size_t n = dns_answer(&q, DNS_OK, a, ARRAY_LEN(a), out);
	assert_true(n <= DNS_ANSWER_MAX);
	assert_int_equal(out[7], DNS_ADDRESSES_MAX);
	memcpy(name + 253, ".a", 3);
	p = question(name, DNS_A);
	assert_int_equal(dns_parse(p.bytes, p.n, &q), DNS_FORMERR);
}

/* --- what is decided --- */

static struct net_grant grants[] = {
	{ .kind = NET_NAME, N("api.example.com"), .ports = { 443 }, .n_ports = 1, W },
	{ .kind = NET_WILDCARD, N("w.example"), .ports = { 443 }, .n_ports = 1, W },
};

struct world {
	struct net_config config;
	struct gateway g;
	int events[2], dial[2];
};

static void world_begin(struct world *w, struct net_grant *g, size_t n, enum net_addresses addresses)
{
	*w = (struct world){
		.config = { .grants = g, .n_grants = n, .addresses = addresses, .limits = net_limits_default() }
	};
	w->config.limits.names = 2;
	w->config.limits.queries = 50;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, w->events), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, w->dial), 0);
	assert_int_equal(gateway_init(&w->g, &w->config, w->events[0], w->dial[0], 1000000), 0);
}

static void world_end(struct world *w)
{
	gateway_done(&w->g);
	for (int i = 0; i < 2; i++) {
		close(w->events[i]);
		close(w->dial[i]);
	}
}

static bool next_event(struct world *w, struct event *ret)
{
	char bytes[EVENT_BYTES_MAX];
	ssize_t n = recv(w->events[1], bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n > 0)
		assert_int_equal(event_decode(bytes, (size_t)n, ret), 0);
	return n > 0;
}

struct expect {
	const char *name;
	unsigned type;
	enum dns_rcode rcode;
	const char *address; /* NULL: none */
	bool recorded;
};

static void check(struct world *w, const struct expect *e)
{
	struct packet p = question(e->name, e->type);
	struct net_address a, want = { 0 };
	const struct name *name;
	enum dns_rcode rcode;
	struct dns_query q;
	struct event event;
	int parsed = dns_parse(p.bytes, p.n, &q);

	assert_int_equal(stub_decide(&w->g, parsed, &q, &rcode, &a, &name), STUB_ANSWER);
	assert_int_equal(rcode, e->rcode);
	if (e->address)
		assert_int_equal(net_address_parse(e->address, &want), 0);
	assert_int_equal(a.family, want.family);
	assert_memory_equal(a.bytes, want.bytes, sizeof(a.bytes));
	assert_int_equal(next_event(w, &event), e->recorded);
	if (e->recorded)
		assert_int_equal(event.type, EVENT_NET_NAME);
}

static void granted_names_have_addresses_and_all_others_do_not_exist(void **state)
{
	static const struct expect cases[] = {
		{ "api.example.com", DNS_A, DNS_OK, "198.18.0.16", false },
		{ "API.example.COM", DNS_A, DNS_OK, "198.18.0.16", false },
		{ "api.example.com", TYPE_AAAA, DNS_OK, NULL, false },
		{ "api.example.com", TYPE_HTTPS, DNS_OK, NULL, false },
		{ "api.example.com", TYPE_SVCB, DNS_OK, NULL, false },
		{ "api.example.com", TYPE_ANY, DNS_OK, NULL, false },
		{ "api.example.com", TYPE_PTR, DNS_OK, NULL, false },
		{ "example.com", DNS_A, DNS_NXDOMAIN, NULL, true },
		{ "api.example.com.corp.test", DNS_A, DNS_NXDOMAIN, NULL, true },
		{ "secret.attacker.test", 16, DNS_NXDOMAIN, NULL, true },
		{ "16.0.18.198.in-addr.arpa", TYPE_PTR, DNS_NXDOMAIN, NULL, true },
		{ "printer", DNS_A, DNS_NXDOMAIN, NULL, true },
		{ "with space.test", DNS_A, DNS_NXDOMAIN, NULL, true },
		{ "1.2.3.4", DNS_A, DNS_NXDOMAIN, NULL, true },
		{ "", DNS_A, DNS_NXDOMAIN, NULL, true },
		{ "localhost", DNS_A, DNS_OK, "127.0.0.1", false },
		{ "a.localhost", DNS_A, DNS_OK, "127.0.0.1", false },
		{ "localhost", TYPE_AAAA, DNS_OK, NULL, false },
		{ "a.w.example", DNS_A, DNS_OK, "198.18.0.18", false },
		{ "w.example", DNS_A, DNS_NXDOMAIN, NULL, true },
		{ "b.w.example", TYPE_AAAA, DNS_OK, NULL, false },
		{ "b.w.example", DNS_A, DNS_OK, "198.18.0.19", false },
		{ "c.w.example", DNS_A, DNS_NXDOMAIN, NULL, true },
		{ "a.w.example", DNS_A, DNS_OK, "198.18.0.18", false },
	};
	struct world w;

	world_begin(&w, grants, ARRAY_LEN(grants), NET_BENCHMARK);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check(&w, &cases[i]);
	world_end(&w);
}

static void a_denied_name_is_recorded_with_what_would_grant_it(void **state)
{
	static const struct expect denied = { "Evil.Test", DNS_A, DNS_NXDOMAIN, NULL, false };
	struct packet p = question(denied.name, denied.type);
	struct net_address a;
	const struct name *name;
	enum dns_rcode rcode;
	struct dns_query q;
	struct event e;
	struct world w;

	world_begin(&w, grants, ARRAY_LEN(grants), NET_BENCHMARK);
	assert_int_equal(dns_parse(p.bytes, p.n, &q), DNS_OK);
	for (int i = 0; i < 3; i++)
		assert_int_equal(stub_decide(&w.g, 0, &q, &rcode, &a, &name), STUB_ANSWER);
	assert_true(next_event(&w, &e));
	assert_string_equal(e.host, "evil.test");
	assert_int_equal(e.decision, EVENT_DENY);
	assert_non_null(strstr(e.reason, "\"evil.test:PORT\" in network.allow"));
	assert_false(next_event(&w, &e));
	assert_int_equal(record_flush(&w.g.record), 0);
	assert_true(next_event(&w, &e));
	assert_int_equal(e.count, 2);
	world_end(&w);
}

static void a_flood_of_names_costs_the_log_a_few_lines_and_none_goes_uncounted(void **state)
{
	struct denial d = { .type = EVENT_NET_NAME };
	uint64_t told = 0, lines = 0;
	struct event e;
	struct world w;

	world_begin(&w, grants, ARRAY_LEN(grants), NET_BENCHMARK);
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(d.host, sizeof(d.host), "x%u.test", i);
		assert_int_equal(record_denied(&w.g.record, &d, w.g.now_us), 0);
		while (next_event(&w, &e))
			lines++, told++;
	}
	assert_int_equal(record_flush(&w.g.record), 0);
	while (next_event(&w, &e))
		lines++, told += e.count;
	assert_int_equal(told, 20000);
	assert_true(lines <= RECORD_BURST + 1);
	world_end(&w);
}

static void a_grant_of_every_name_is_none_for_a_single_label(void **state)
{
	static struct net_grant any[] = { { .kind = NET_ANY_NAME, .ports = { 443 }, .n_ports = 1, W },
		{ .kind = NET_NAME, N("intranet"), .ports = { 443 }, .n_ports = 1, W } };
	static const struct expect cases[] = {
		{ "printer", DNS_A, DNS_NXDOMAIN, NULL, true },
		{ "intranet", DNS_A, DNS_OK, "198.18.0.17", false },
		{ "any.test", DNS_A, DNS_OK, "198.18.0.18", false },
	};
	struct world w;

	world_begin(&w, any, ARRAY_LEN(any), NET_BENCHMARK);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check(&w, &cases[i]);
	world_end(&w);
}

/* --- over sockets --- */

static size_t exchange(struct world *w, int fd, const void *q, size_t n, uint8_t *out, size_t size)
{
	assert_int_equal(send(fd, q, n, 0), (ssize_t)n);
	assert_int_equal(gateway_turn(&w->g, 1000), 0);
	ssize_t got = recv(fd, out, size, MSG_DONTWAIT);
	return got < 0 ? 0 : (size_t)got;
}

static int udp_pair(struct world *w, struct source *s)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int client = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	*s = (struct source){ socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), stub_udp_ready };
	assert_int_equal(bind(s->fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&at, &len), 0);
	assert_int_equal(connect(client, (struct sockaddr *)&at, len), 0);
	assert_int_equal(gateway_watch(&w->g, s, 1 /* EPOLLIN */), 0);
	return client;
}

static unsigned answers(int client)
{
	uint8_t answer[DNS_ANSWER_MAX];
	unsigned n = 0;

	while (recv(client, answer, sizeof(answer), MSG_DONTWAIT) > 0)
		n++;
	return n;
}

static void questions_beyond_the_rate_wait_for_their_time(void **state)
{
	enum { ASKED = 55, AT_ONCE = 50 /* what a second may see */, TURNS = 10000 /* of 1 ms at most */ };
	struct packet p = question("api.example.com", DNS_A);
	unsigned answered = 0;
	struct source s;
	struct world w;

	world_begin(&w, grants, ARRAY_LEN(grants), NET_BENCHMARK);
	w.g.now_us = io_now_us();
	int client = udp_pair(&w, &s);
	assert_int_equal(gateway_turn(&w.g, 0), 0);
	for (unsigned i = 0; i < ASKED; i++)
		assert_int_equal(send(client, p.bytes, p.n, 0), (ssize_t)p.n);
	uint64_t before = io_now_us();
	for (unsigned turn = 0; answered < ASKED && turn < TURNS; turn++) {
		assert_int_equal(gateway_turn(&w.g, 1), 0);
		answered += answers(client);
	}
	assert_int_equal(answered, ASKED);
	assert_true(io_now_us() - before >= (ASKED - AT_ONCE) * 1000000 / AT_ONCE - 1000);
	close(client);
	close(s.fd);
	world_end(&w);
}

static void the_real_addresses_of_a_name_come_from_dial_and_mean_the_name(void **state)
{
	struct packet p = question("api.example.com", DNS_A);
	char bytes[DIAL_BYTES_MAX];
	struct dial_request q;
	struct dial_answer a = { .status = DIAL_OK,
		.n_addresses = 3,
		.addresses = { { 4, { 93, 184, 216, 34 } }, { 6, { 32 } }, { 4, { 93, 184, 216, 35 } } } };
	struct wire_writer out;
	struct source s;
	struct world w;
	uint8_t answer[DNS_ANSWER_MAX];

	world_begin(&w, grants, ARRAY_LEN(grants), NET_REAL);
	int client = udp_pair(&w, &s);
	assert_int_equal(exchange(&w, client, p.bytes, p.n, answer, sizeof(answer)), 0);
	ssize_t n = recv(w.dial[1], bytes, sizeof(bytes), MSG_DONTWAIT);
	assert_true(n > 0);
	assert_int_equal(dial_request_decode(bytes, (size_t)n, &q), 0);
	assert_int_equal(q.ask, DIAL_RESOLVE);
	assert_string_equal(q.name, "api.example.com");
	assert_int_equal(q.grant, 0);
	a.id = q.id;
	assert_int_equal(dial_answer_encode(&a, &out), 0);
	assert_true(send(w.dial[1], out.buf.data, out.buf.len, 0) > 0);
	wire_writer_done(&out);
	assert_int_equal(gateway_turn(&w.g, 1000), 0);
	n = recv(client, answer, sizeof(answer), MSG_DONTWAIT);
	assert_int_equal(n, p.n + 2 * 16);
	assert_int_equal(answer[7], 2);
	const struct name_set *set = names_at(&w.g.names, &a.addresses[2]);
	assert_non_null(set);
	assert_string_equal(set->names[0]->text, "api.example.com");
	close(client);
	close(s.fd);
	world_end(&w);
}

static void questions_over_tcp_are_answered_in_order_however_they_arrive(void **state)
{
	struct packet one = question("api.example.com", DNS_A), two = question("evil.test", DNS_A), all = { .n = 0 };
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	struct source s = { socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), stub_accept_ready };
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint8_t answer[1024];
	struct world w;

	world_begin(&w, grants, ARRAY_LEN(grants), NET_BENCHMARK);
	assert_int_equal(bind(s.fd, (struct sockaddr *)&at, len) | listen(s.fd, 4) |
				 getsockname(s.fd, (struct sockaddr *)&at, &len),
		0);
	assert_int_equal(connect(client, (struct sockaddr *)&at, len), 0);
	assert_int_equal(gateway_watch(&w.g, &s, 1), 0);
	put(&all, (uint8_t[]){ 0, (uint8_t)one.n }, 2);
	put(&all, one.bytes, one.n);
	put(&all, (uint8_t[]){ 0, (uint8_t)two.n }, 2);
	put(&all, two.bytes, two.n);
	assert_int_equal(gateway_turn(&w.g, 1000), 0);
	for (size_t i = 0; i + 1 < all.n; i++) {
		assert_int_equal(send(client, all.bytes + i, 1, 0), 1);
		assert_int_equal(gateway_turn(&w.g, 1000), 0);
	}
	size_t n = exchange(&w, client, all.bytes + all.n - 1, 1, answer, sizeof(answer));
	assert_int_equal(n, 2 + one.n + 16 + 2 + two.n);
	assert_int_equal(answer[1], one.n + 16);
	assert_int_equal(answer[2 + one.n + 16 + 2 + 3] & 0xf, DNS_NXDOMAIN);
	close(client);
	close(s.fd);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_read_in_lower_case_and_echoed_as_they_came),
		cmocka_unit_test(malformed_names_are_formerr),
		cmocka_unit_test(messages_out_of_form_are_formerr_notimp_or_nothing),
		cmocka_unit_test(edns_is_answered_without_its_options),
		cmocka_unit_test(the_longest_name_with_the_most_addresses_fits_a_datagram),
		cmocka_unit_test(granted_names_have_addresses_and_all_others_do_not_exist),
		cmocka_unit_test(a_denied_name_is_recorded_with_what_would_grant_it),
		cmocka_unit_test(a_flood_of_names_costs_the_log_a_few_lines_and_none_goes_uncounted),
		cmocka_unit_test(questions_beyond_the_rate_wait_for_their_time),
		cmocka_unit_test(a_grant_of_every_name_is_none_for_a_single_label),
		cmocka_unit_test(the_real_addresses_of_a_name_come_from_dial_and_mean_the_name),
		cmocka_unit_test(questions_over_tcp_are_answered_in_order_however_they_arrive),
	};

	return cmocka_run_group_tests_name("gateway_dns", tests, NULL, NULL);
}
