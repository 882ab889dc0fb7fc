/* SPDX-License-Identifier: Apache-2.0 */
/* test_schema_limits - what a schema or a value may cost, and that what costs more is refused with words */
#include "tests/unit/schema_unit.h"
#include "schema/checker.h"

static void what_takes_too_much_work_is_undecided_and_says_why(void **state)
{
	/* Each form doubles the work of the one before it. */
	static const char nest[] =
		"{\"$ref\":\"#/$defs/a\",\"$defs\":{"
		"\"a\":{\"allOf\":[{\"$ref\":\"#/$defs/b\"},{\"$ref\":\"#/$defs/b\"},{\"$ref\":\"#/$defs/b\"}]},"
		"\"b\":{\"allOf\":[{\"$ref\":\"#/$defs/c\"},{\"$ref\":\"#/$defs/c\"},{\"$ref\":\"#/$defs/c\"}]},"
		"\"c\":{\"properties\":{\"n\":{\"$ref\":\"#/$defs/a\"}}}}}";
	static const struct {
		const char *schema, *head, *unit;
		size_t n;
		const char *tail, *why;
	} cases[] = {
		{ nest, "", "{\"n\":", 60, "1", "more work than is allowed" },
		{ "{\"pattern\":\"^(a+)+$\"}", "\"", "a", 5000, "!\"", "match its pattern takes more work" },
		{ "{\"patternProperties\":{\"^(a+)+$\":true}}", "{\"", "a", 5000, "!\":1}",
			"name with its pattern takes more work" },
		{ "{\"items\":{\"allOf\":[{\"$ref\":\"#/$defs/e\"},{\"$ref\":\"#/$defs/e\"},{\"$ref\":\"#/$defs/"
		  "e\"},{\"$ref\":\"#/$defs/e\"},{\"$ref\":\"#/$defs/e\"},{\"$ref\":\"#/$defs/"
		  "e\"}]},\"$defs\":{\"e\":{\"enum\":[[1,2,3,4,5,6,7,8,9],[1,2,3,4,5,6,7,8,8],[1,2,3,4,5,6,7,8,7],[1,2,"
		  "3,4,5,6,7,8,0]]}}}",
			"[", "[1,2,3,4,5,6,7,8,0],", 50000, "[1,2,3,4,5,6,7,8,0]]", "more work than is allowed" },
		{ "{\"$ref\":\"#\"}", "", "", 0, "1", "refers to itself again and again" },
		{ "{\"anyOf\":[{\"$ref\":\"#\"},{\"type\":\"number\"}]}", "", "", 0, "1",
			"refers to itself again and again" },
		{ "{\"not\":{\"$ref\":\"#\"}}", "", "", 0, "1", "refers to itself again and again" },
		{ "true", "[", "1,", 600000, "1]", "too many values" },
		{ "true", "", "[", 65, "1", "nested too deep" },
		{ "true", "", "1e99999999999", 1, "", "out of all proportion" },
	};
	_cleanup_buf_ struct buf value = BUF_INIT(TEXT_MAX);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct schema_error error;
		repeat(&value, cases[i].head, cases[i].unit, cases[i].n, cases[i].tail);
		for (size_t j = 0; i == 0 && j < 60; j++)
			assert_int_equal(buf_puts(&value, "}"), 0);
		assert_int_equal(judge(cases[i].schema, false, value.data, value.len, &error), SCHEMA_UNDECIDED);
		if (!strstr(error.text, "arguments cannot be judged: ") || !strstr(error.text, cases[i].why))
			fail_msg("%zu: %s", i, error.text);
	}
}

/* References that lead to one another, the last to what anything fits. */
static int judge_chain(unsigned n)
{
	_cleanup_buf_ struct buf b = BUF_INIT(TEXT_MAX);
	struct schema_error error;

	assert_int_equal(buf_puts(&b, "{\"$ref\":\"#/$defs/0\",\"$defs\":{"), 0);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(buf_printf(&b, "\"%u\":{\"$ref\":\"#/$defs/%u\"},", i, i + 1), 0);
	assert_int_equal(buf_printf(&b, "\"%u\":true}}", n), 0);
	return judge(b.data, false, "1", 1, &error);
}

static void a_value_is_judged_by_so_many_schemas_within_one_another(void **state)
{
	assert_int_equal(judge_chain(SCHEMA_DEPTH_MAX - 12), SCHEMA_FITS);
	assert_int_equal(judge_chain(SCHEMA_DEPTH_MAX + 12), SCHEMA_UNDECIDED);
}

static void a_large_honest_value_is_judged(void **state)
{
	_cleanup_buf_ struct buf value = BUF_INIT(TEXT_MAX);
	struct schema_error error;

	repeat(&value, "[", "{\"id\":182,\"name\":\"a name\",\"tags\":[\"x\",\"y\"],\"open\":true},", 40000,
		"{\"id\":1,\"name\":\"\",\"tags\":[]}]");
	assert_int_equal(
		judge("{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"integer\"}"
		      ","
		      "\"name\":{\"type\":\"string\"},\"tags\":{\"items\":{\"type\":\"string\"},\"uniqueItems\":true},"
		      "\"open\":{\"type\":\"boolean\"}},\"required\":[\"id\",\"name\"]}}",
			true, value.data, value.len, &error),
		SCHEMA_FITS);
	assert_string_equal(error.text, "");
}

static void a_large_value_does_not_make_the_checker_large_for_good(void **state)
{
	struct schema_compiled *s =
		compiled("{\"uniqueItems\":true,\"items\":{\"properties\":{}},\"unevaluatedItems\":false}", true);
	struct schema_checker *c = schema_checker_new();
	_cleanup_buf_ struct buf value = BUF_INIT(TEXT_MAX);
	struct schema_error error;

	assert_non_null(c);
	repeat(&value, "[", "\"\\n\",", 100000, "{}]");
	assert_int_equal(schema_check(s, c, value.data, value.len, &error), SCHEMA_MISFIT);
	assert_true(c->tree.cap == 0 && c->n_marks == 0 && c->cap_trail == 0 && c->cap_hashed == 0 &&
		    c->tree.unescaped.cap == 0);
	assert_int_equal(schema_check(s, c, "[1,2,{}]", 8, &error), SCHEMA_FITS);
	assert_true(c->tree.cap > 0);
	schema_checker_free(c);
	schema_compiled_free(s);
}

static void a_schema_has_limits_of_its_own(void **state)
{
	static const struct {
		const char *head, *unit;
		size_t n;
		const char *tail, *why;
	} cases[] = {
		{ "{\"description\":\"", "a", SCHEMA_TEXT_MAX, "\"}", "longer than" },
		{ "{\"allOf\":[", "{\"pattern\":\"(?:[a-z]{900}){9}\"},", 2000, "true]}", "too much memory" },
		{ "", "{\"not\":", 70, "true", "nested too deep" },
	};
	_cleanup_buf_ struct buf b = BUF_INIT(TEXT_MAX);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct schema_options options = { .root = "arguments" };
		struct schema_compiled *s;
		struct diag d = { 0 };
		repeat(&b, cases[i].head, cases[i].unit, cases[i].n, cases[i].tail);
		assert_int_equal(schema_compile(b.data, b.len, &options, &s, &d), -EINVAL);
		if (!strstr(d.text, cases[i].why))
			fail_msg("%zu: %s", i, d.text);
	}
}

struct many {
	const char *head;
	unsigned n;
	const char *member;
	unsigned references;
	const char *reference, *why;
};

/* A schema of n members and as many references as wanted to one of them. */
static void put_many(struct buf *b, const struct many *m)
{
	buf_clear(b);
	assert_int_equal(buf_printf(b, "{%s\"$defs\":{", m->head), 0);
	for (unsigned i = 0; i < m->n; i++)
		assert_int_equal(buf_printf(b, "\"%u\":{%s%u\"},", i, m->member, i), 0);
	assert_int_equal(buf_puts(b, "\"y\":{\"properties\":{}},\"z\":{\"$ref\":\"#/$defs/y\"}},\"allOf\":["), 0);
	for (unsigned i = 0; i < m->references; i++)
		assert_int_equal(buf_printf(b, "{%s},", m->reference), 0);
	assert_int_equal(buf_puts(b, "true]}"), 0);
}

#define LONG   "a/path/of/some/length/that/all/have/in/common/and/goes/on/and/on/"
#define LONGER "\"$id\":\"http://example.com/" LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG "\","
#define MUCH   "takes more work to compile than is allowed"

static void a_schema_of_many_names_and_references_is_refused_when_it_takes_too_much_work(void **state)
{
	static const struct many cases[] = {
		{ "", 500, "\"$anchor\":\"a", 500, "\"$ref\":\"#a1\"", "" },
		{ "", SCHEMA_ANCHORS_MAX + 1, "\"$anchor\":\"a", 0, "", "is one anchor too many" },
		{ "", SCHEMA_RESOURCES_MAX, "\"$id\":\"a", 0, "", "is one schema too many with an $id" },
		{ "", 500, "\"title\":\"", 500, "\"$ref\":\"#/$defs/z\"", "" },
		{ "", 5000, "\"title\":\"", 5000, "\"$ref\":\"#/$defs/z\"", MUCH },
		{ "", 250, "\"$id\":\"a", 500, "\"$ref\":\"a1\"", "" },
		{ LONGER, 250, "\"$id\":\"a", 5000, "\"$ref\":\"a1\"", MUCH },
		{ "", 300, "\"$dynamicAnchor\":\"a", 300, "\"$dynamicRef\":\"#a1\"", "" },
		{ "", 700, "\"$dynamicAnchor\":\"a", 9500, "\"$dynamicRef\":\"#a1\"", MUCH },
	};
	_cleanup_buf_ struct buf b = BUF_INIT(TEXT_MAX);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct schema_compiled *s;
		struct diag d = { 0 };
		put_many(&b, &cases[i]);
		int e = schema_compile(b.data, b.len, &(struct schema_options){ .root = "r", .strict = true }, &s, &d);
		if (e != (cases[i].why[0] ? -EINVAL : 0) || !strstr(d.text, cases[i].why))
			fail_msg("%zu: %d, '%s'", i, e, d.text);
		schema_compiled_free(s);
	}
}

enum { HASH_BITS = 14, LETTERS = 64, CHOICES = 8, PLACES = 5 };

static uint32_t hash_on(uint32_t h, const char text[3])
{
	for (int i = 0; i < 3; i++)
		h = (h ^ (unsigned char)text[i]) * 16777619u;
	return h & ((1u << HASH_BITS) - 1);
}

/* Texts of three letters that all lead from one state of the hash's lower bits to the same next one. */
static uint32_t find_choices(uint32_t state, char choices[CHOICES][3])
{
	static const char letters[LETTERS + 1] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	static char found[1 << HASH_BITS][CHOICES][3];
	static uint8_t n[1 << HASH_BITS];

	memset(n, 0, sizeof(n));
	for (unsigned i = 0; i < LETTERS * LETTERS * LETTERS; i++) {
		char text[3] = { letters[i % 64], letters[i / 64 % 64], letters[i / 64 / 64] };
		uint32_t next = hash_on(state, text);
		memcpy(found[next][n[next]], text, 3);
		if (++n[next] < CHOICES)
			continue;
		memcpy(choices, found[next], sizeof(found[next]));
		return next;
	}
	fail_msg("too few texts have the same hash");
	return 0;
}

static void names_made_to_have_one_hash_are_paid_for(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(TEXT_MAX);
	char choices[PLACES][CHOICES][3];
	struct schema_compiled *s;
	struct diag d = { 0 };
	uint32_t hash = tree_hash("", 0);

	for (int i = 0; i < PLACES; i++)
		hash = find_choices(hash, choices[i]);
	assert_int_equal(buf_puts(&b, "{\"properties\":{"), 0);
	for (unsigned i = 0; i < 8000; i++) {
		assert_int_equal(buf_puts(&b, i ? ",\"" : "\""), 0);
		for (unsigned j = 0, left = i; j < PLACES; j++, left /= CHOICES)
			assert_int_equal(buf_append(&b, choices[j][left % CHOICES], 3), 0);
		assert_int_equal(buf_puts(&b, "\":true"), 0);
	}
	assert_int_equal(buf_puts(&b, "}}"), 0);
	assert_int_equal(schema_compile(b.data, b.len, &(struct schema_options){ .root = "r" }, &s, &d), -EINVAL);
	assert_string_equal(d.text, "schema.properties takes more work to compile than is allowed");
}

static void what_does_not_fit_is_told_in_few_words_however_long_the_keys_are(void **state)
{
	static const struct {
		const char *schema, *tail, *why;
	} cases[] = {
		{ "{\"additionalProperties\":{\"uniqueItems\":true}}", "\":[1,1]}", " must not be there twice" },
		{ "{\"additionalProperties\":{\"type\":\"string\"}}", "\":1}", "..." },
		{ "{\"additionalProperties\":{\"propertyNames\":{\"maxLength\":1}}}", "\":{\"ab\":1}}",
			"the name \"ab\"" },
	};
	_cleanup_buf_ struct buf value = BUF_INIT(TEXT_MAX);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct schema_error error;
		/* A soft hyphen has two bytes and is shown as six. */
		repeat(&value, "{\"", "\xc2\xad", 3 << 20, cases[i].tail);
		assert_int_equal(judge(cases[i].schema, false, value.data, value.len, &error), SCHEMA_MISFIT);
		if (!strstr(error.text, cases[i].why))
			fail_msg("%zu: %s", i, error.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_takes_too_much_work_is_undecided_and_says_why),
		cmocka_unit_test(a_value_is_judged_by_so_many_schemas_within_one_another),
		cmocka_unit_test(a_large_honest_value_is_judged),
		cmocka_unit_test(a_large_value_does_not_make_the_checker_large_for_good),
		cmocka_unit_test(a_schema_has_limits_of_its_own),
		cmocka_unit_test(a_schema_of_many_names_and_references_is_refused_when_it_takes_too_much_work),
		cmocka_unit_test(names_made_to_have_one_hash_are_paid_for),
		cmocka_unit_test(what_does_not_fit_is_told_in_few_words_however_long_the_keys_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
