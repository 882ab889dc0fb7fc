/* SPDX-License-Identifier: Apache-2.0 */
/* test_gateway_hello - which name a ClientHello is found to hold, however it arrives */
#include "tests/unit/unit.h"
#include "gateway/hello.h"

enum { RECORD_HEADER = 5, BIG_HELLO = 20000 };

struct bytes {
	unsigned char p[HELLO_MAX + 4096];
	size_t n;
};

static void put(struct bytes *b, const void *p, size_t n)
{
	assert_true(b->n + n <= sizeof(b->p));
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

static void put_number(struct bytes *b, size_t v, unsigned bytes)
{
	while (bytes-- > 0)
		put(b, &(unsigned char){ (unsigned char)(v >> (8 * bytes)) }, 1);
}

static void put_sni(struct bytes *b, unsigned type, const char *name, size_t n)
{
	put_number(b, 0, 2);
	put_number(b, n + 5, 2);
	put_number(b, n + 3, 2);
	put_number(b, type, 1);
	put_number(b, n, 2);
	put(b, name, n);
}

static void put_extension(struct bytes *b, unsigned type, size_t n)
{
	put_number(b, type, 2);
	put_number(b, n, 2);
	for (size_t i = 0; i < n; i++)
		put(b, "k", 1);
}

/* The handshake message around the extensions; NULL: none at all. */
static struct bytes message(const struct bytes *extensions)
{
	struct bytes m = { .n = 0 };
	size_t body = 2 + 32 + 1 + 32 + 2 + 6 + 2 + (extensions ? 2 + extensions->n : 0);

	put_number(&m, 1, 1);
	put_number(&m, body, 3);
	put_number(&m, 0x0303, 2);
	for (int i = 0; i < 32; i++)
		put(&m, "r", 1);
	put_number(&m, 32, 1);
	for (int i = 0; i < 32; i++)
		put(&m, "s", 1);
	put(&m, "\0\6\x0a\x0a\x13\x01\x13\x02\1\0", 10); /* GREASE first (RFC 8701) */
	if (extensions) {
		put_number(&m, extensions->n, 2);
		put(&m, extensions->p, extensions->n);
	}
	return m;
}

static struct bytes records(const struct bytes *m, size_t each)
{
	struct bytes r = { .n = 0 };

	for (size_t at = 0; at < m->n; at += each) {
		size_t n = m->n - at < each ? m->n - at : each;
		put(&r, "\x16\3\1", 3);
		put_number(&r, n, 2);
		put(&r, m->p + at, n);
	}
	return r;
}

static enum hello_found feed(const struct bytes *b, size_t each, char name[NET_NAME_MAX + 1])
{
	struct hello h;
	int r = 0;

	hello_init(&h);
	for (size_t at = 0; at < b->n; at += each)
		r = hello_feed(&h, b->p + at, b->n - at < each ? b->n - at : each);
	strcpy(name, h.name);
	hello_done(&h);
	assert_true(r >= 0);
	return (enum hello_found)r;
}

static struct bytes usual(const char *name, size_t key_share)
{
	struct bytes e = { .n = 0 };

	put_extension(&e, 0x2a2a, 0);
	put_extension(&e, 51, key_share);
	put_sni(&e, 0, name, strlen(name));
	put_extension(&e, 0xfe0d, 100); /* encrypted_client_hello: the outer name counts */
	put_extension(&e, 0x3a3a, 1);
	return message(&e);
}

static void the_name_is_found_however_the_bytes_are_cut(void **state)
{
	static const size_t records_of[] = { 16384, 1000, 100, 40 }, segments[] = { 1 << 20, 1460, 100, 7, 1 };
	char name[NET_NAME_MAX + 1];
	struct bytes m = usual("API.Example.com", 1216);

	for (size_t i = 0; i < ARRAY_LEN(records_of); i++) {
		struct bytes r = records(&m, records_of[i]);
		for (size_t k = 0; k < ARRAY_LEN(segments); k++) {
			assert_int_equal(feed(&r, segments[k], name), HELLO_NAME);
			assert_string_equal(name, "api.example.com");
		}
	}
	struct bytes tiny = usual("a.test", 8), r = records(&tiny, 1);
	assert_int_equal(feed(&r, 1, name), HELLO_NAME);
}

static void a_hello_that_is_cut_off_wants_more(void **state)
{
	char name[NET_NAME_MAX + 1];
	struct bytes m = usual("a.test", 64), r = records(&m, 50);

	for (size_t n = 1; n < r.n; n++) {
		struct bytes cut = r;
		cut.n = n;
		assert_int_equal(feed(&cut, n, name), HELLO_MORE);
	}
}

static void large_hellos_are_read_up_to_the_limit(void **state)
{
	char name[NET_NAME_MAX + 1];
	struct bytes m = usual("a.test", BIG_HELLO), r = records(&m, 16384);

	assert_int_equal(feed(&r, 1460, name), HELLO_NAME);
	/* One that says it is longer than may be is refused at its first bytes. */
	m.p[1] = 1;
	r = records(&m, 16384);
	assert_int_equal(feed(&r, 100, name), HELLO_TOO_LONG);
}

static void what_is_no_client_hello_is_told_from_one(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		enum hello_found found;
	} cases[] = {
		{ "GET / HTTP/1.1\r\n", 16, HELLO_NOT_TLS },
		{ "\x80\x2e\x01\x03\x01", 5, HELLO_NOT_TLS }, /* SSLv2 */
		{ "SSH-2.0-x\r\n", 11, HELLO_NOT_TLS },
		{ "\x16\x02\x00\x00\x05", 5, HELLO_NOT_TLS },
		{ "\x17\x03\x03\x00\x05hello", 10, HELLO_NOT_TLS },
		{ "\x16\x03\x01\x00\x04\x02\x00\x00\x00", 9, HELLO_NOT_TLS }, /* a ServerHello */
		{ "\x16\x03\x01\x00\x00", 5, HELLO_MALFORMED },		      /* an empty record */
		{ "\x16\x03\x01\x40\x01", 5, HELLO_MALFORMED },		      /* a record that is too long */
		{ "\x16\x03\x01\x00\x01\x01\x17", 7, HELLO_MALFORMED },	      /* something else in between */
		{ "\x16\x03\x01\x00\x05\x01\x00\x00\x00\x00", 10, HELLO_MALFORMED },
		{ "\x16\x03\x01\x00\x04\x01\x00\x00\x00", 9, HELLO_MALFORMED },
	};
	char name[NET_NAME_MAX + 1];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bytes b = { .n = 0 };
		put(&b, cases[i].bytes, cases[i].n);
		assert_int_equal(feed(&b, b.n, name), cases[i].found);
		assert_int_equal(feed(&b, 1, name), cases[i].found);
	}
}

static enum hello_found of_extensions(const struct bytes *e)
{
	char name[NET_NAME_MAX + 1];
	struct bytes m = message(e), r = records(&m, 16384);

	return feed(&r, r.n, name);
}

static void exactly_one_host_name_is_a_name(void **state)
{
	static const struct {
		const char *name;
		size_t n;
		unsigned type;
		enum hello_found found;
	} cases[] = {
		{ "a.test", 6, 0, HELLO_NAME },
		{ "a.test", 6, 1, HELLO_BAD_NAME },
		{ "", 0, 0, HELLO_BAD_NAME },
		{ "a.test.", 7, 0, HELLO_BAD_NAME },
		{ "a.t\0st", 6, 0, HELLO_BAD_NAME },
		{ "a.test\0", 7, 0, HELLO_BAD_NAME },
		{ "10.0.0.1", 8, 0, HELLO_BAD_NAME },
		{ "a b.test", 8, 0, HELLO_BAD_NAME },
		{ "b\xc3\xbc.test", 8, 0, HELLO_BAD_NAME },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bytes e = { .n = 0 };
		put_sni(&e, cases[i].type, cases[i].name, cases[i].n);
		assert_int_equal(of_extensions(&e), cases[i].found);
	}
}

static void two_names_are_none(void **state)
{
	struct bytes twice = { .n = 0 }, list = { .n = 0 };

	put_sni(&twice, 0, "a.test", 6);
	put_sni(&twice, 0, "b.test", 6);
	assert_int_equal(of_extensions(&twice), HELLO_MALFORMED);
	put(&list, "\0\0\0\x14\0\x12\0\0\6a.test\0\0\6b.test", 24);
	assert_int_equal(of_extensions(&list), HELLO_BAD_NAME);
}

static void lengths_that_do_not_add_up_are_malformed(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} cases[] = {
		{ "\0\0\0\x0c\0\x09\0\0\6a.test", 15 },	 /* the extension is longer than what is there */
		{ "\0\0\0\x0b\0\x0a\0\0\6a.test", 15 },	 /* the list */
		{ "\0\0\0\x0b\0\x09\0\0\7a.test", 15 },	 /* the name */
		{ "\0\0\0\x0c\0\x09\0\0\6a.testx", 16 }, /* bytes behind the list */
		{ "\0\0\0\0", 4 },
		{ "\0", 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bytes e = { .n = 0 };
		put(&e, cases[i].bytes, cases[i].n);
		assert_int_equal(of_extensions(&e), HELLO_MALFORMED);
	}
}

static void a_hello_without_a_name_is_whole(void **state)
{
	struct bytes e = { .n = 0 };

	assert_int_equal(of_extensions(NULL), HELLO_NO_NAME);
	assert_int_equal(of_extensions(&e), HELLO_NO_NAME);
	put_extension(&e, 51, 32);
	assert_int_equal(of_extensions(&e), HELLO_NO_NAME);
}

static void what_follows_the_hello_in_its_record_is_refused_and_what_follows_it_is_not(void **state)
{
	char name[NET_NAME_MAX + 1];
	struct bytes m = usual("a.test", 8), r = records(&m, 16384);

	put(&r, "\x14\3\3\0\1\1\x17\3\3\0\2ab", 13);
	assert_int_equal(feed(&r, r.n, name), HELLO_NAME);
	put(&m, "\1\0\0\0", 4);
	r = records(&m, 16384);
	assert_int_equal(feed(&r, r.n, name), HELLO_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_name_is_found_however_the_bytes_are_cut),
		cmocka_unit_test(a_hello_that_is_cut_off_wants_more),
		cmocka_unit_test(large_hellos_are_read_up_to_the_limit),
		cmocka_unit_test(what_is_no_client_hello_is_told_from_one),
		cmocka_unit_test(exactly_one_host_name_is_a_name),
		cmocka_unit_test(two_names_are_none),
		cmocka_unit_test(lengths_that_do_not_add_up_are_malformed),
		cmocka_unit_test(a_hello_without_a_name_is_whole),
		cmocka_unit_test(what_follows_the_hello_in_its_record_is_refused_and_what_follows_it_is_not),
	};

	return cmocka_run_group_tests_name("gateway_hello", tests, NULL, NULL);
}
