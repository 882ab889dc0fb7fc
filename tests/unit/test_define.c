/* SPDX-License-Identifier: Apache-2.0 */
/* test_define - the one form of a definition, its digest, and its parts by their paths */
#include "tests/unit/unit.h"
#include <stdio.h>
#include <stdlib.h>
#include "shim/define.h"
#include "shim/json.h"

/* The canonical bytes of a message with that result, as the shim would have them. */
static struct slice canonical(struct json_doc *d, const char *value)
{
	char text[4096];

	snprintf(text, sizeof(text), "{\"a\":%s}", value);
	json_doc_init(d, 1 << 20, 7);
	assert_int_equal(json_parse(d, text, strlen(text)), 0);
	return walk_get((struct slice){ d->out.data, d->out.len }, "a");
}

static void digest_of(const char *value, uint8_t ret[DEFINITION_DIGEST_BYTES])
{
	_cleanup_buf_ struct buf room = BUF_INIT(DEFINITION_BYTES_MAX);
	struct json_doc d;

	assert_int_equal(define_digest(&room, canonical(&d, value), ret), 0);
	json_doc_done(&d);
}

static bool same(const char *a, const char *b)
{
	uint8_t x[DEFINITION_DIGEST_BYTES], y[DEFINITION_DIGEST_BYTES];

	digest_of(a, x);
	digest_of(b, y);
	return memcmp(x, y, sizeof(x)) == 0;
}

static void keys_are_in_the_order_of_their_bytes_at_every_depth(void **state)
{
	static const struct {
		const char *value, *sorted;
	} cases[] = {
		{ "{}", "{}" },
		{ "[]", "[]" },
		{ "\"text\"", "\"text\"" },
		{ "{\"b\":1,\"a\":2}", "{\"a\":2,\"b\":1}" },
		{ "{\"b\":{\"d\":1,\"c\":[{\"f\":1,\"e\":2}]},\"a\":[3,1,2]}",
			"{\"a\":[3,1,2],\"b\":{\"c\":[{\"e\":2,\"f\":1}],\"d\":1}}" },
		{ "{\"ab\":1,\"a\":2,\"\":3,\"B\":4}", "{\"\":3,\"B\":4,\"a\":2,\"ab\":1}" },
		{ "{\"n\":1.50e+3,\"m\":12345678901234567890}", "{\"m\":12345678901234567890,\"n\":1.50e+3}" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct buf out = BUF_INIT(DEFINITION_BYTES_MAX);
		struct json_doc d;
		assert_int_equal(define_sorted(&out, canonical(&d, cases[i].value)), 0);
		assert_string_equal(out.data, cases[i].sorted);
		json_doc_done(&d);
	}
}

static void the_digest_counts_everything_but_the_order_of_keys(void **state)
{
	static const char whole[] = "{\"name\":\"n\",\"description\":\"d\",\"inputSchema\":{\"type\":\"object\","
				    "\"required\":[\"a\",\"b\"]},\"_meta\":{\"x\":1}}";
	static const char *const others[] = {
		"{\"name\":\"m\",\"description\":\"d\",\"inputSchema\":{\"type\":\"object\",\"required\":[\"a\",\"b\"]}"
		","
		"\"_meta\":{\"x\":1}}",
		"{\"name\":\"n\",\"description\":\"d \",\"inputSchema\":{\"type\":\"object\",\"required\":[\"a\",\"b\"]"
		"},\"_meta\":{\"x\":1}}",
		"{\"name\":\"n\",\"description\":\"d\",\"inputSchema\":{\"type\":\"object\",\"required\":[\"b\",\"a\"]}"
		","
		"\"_meta\":{\"x\":1}}",
		"{\"name\":\"n\",\"description\":\"d\",\"inputSchema\":{\"type\":\"object\",\"required\":[\"a\",\"b\"]}"
		","
		"\"_meta\":{\"x\":1.0}}",
		"{\"name\":\"n\",\"description\":\"d\",\"inputSchema\":{\"type\":\"object\",\"required\":[\"a\",\"b\"]}"
		","
		"\"_meta\":{\"x\":1},\"unheard\":null}",
	};

	assert_true(same(whole, "{\"_meta\":{\"x\":1},\"inputSchema\":{\"required\":[\"a\",\"b\"],\"type\":\"object\"},"
				"\"name\":\"\\u006e\",\"description\":\"d\"}"));
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_false(same(whole, others[i]));
}

static void every_scalar_has_a_path_and_no_key_can_pass_for_another(void **state)
{
	static const struct {
		const char *value, *fields; /* "path=value;" */
	} cases[] = {
		{ "\"text\"", "=\"text\";" },
		{ "{\"b\":{\"c\":1},\"a\":[true,{\"d\":null}]}", "a[0]=true;a[1]/d=null;b/c=1;" },
		{ "{\"o\":{},\"l\":[]}", "l=[];o={};" },
		{ "{\"a/b\":1,\"a\":{\"b\":2}}", "a/b=2;a~1b=1;" },
		{ "{\"a[0]\":1,\"a\":[2],\"~\":3}", "a[0]=2;a~20]=1;~0=3;" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct buf room = BUF_INIT(DEFINITION_BYTES_MAX), text = BUF_INIT(4096);
		struct definitions l = { 0 };
		struct definition *f;
		struct json_doc d;
		assert_int_equal(definitions_add(&l, &f), 0);
		assert_int_equal(define_fields(&room, canonical(&d, cases[i].value), f), 0);
		for (size_t j = 0; j < f->n; j++)
			assert_int_equal(buf_printf(&text, "%s=%s;", f->fields[j].path, f->fields[j].value), 0);
		assert_string_equal(text.data, cases[i].fields);
		definitions_done(&l);
		json_doc_done(&d);
	}
}

static void what_is_too_large_is_said_to_be(void **state)
{
	_cleanup_buf_ struct buf room = BUF_INIT(8);
	uint8_t digest[DEFINITION_DIGEST_BYTES];
	struct json_doc d;

	assert_int_equal(define_digest(&room, canonical(&d, "{\"a\":\"longer\"}"), digest), DEFINE_TOO_LARGE);
	json_doc_done(&d);
	assert_int_equal(define_digest(&room, canonical(&d, "{\"a\":1}"), digest), 0);
	json_doc_done(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_in_the_order_of_their_bytes_at_every_depth),
		cmocka_unit_test(the_digest_counts_everything_but_the_order_of_keys),
		cmocka_unit_test(every_scalar_has_a_path_and_no_key_can_pass_for_another),
		cmocka_unit_test(what_is_too_large_is_said_to_be),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
