/* SPDX-License-Identifier: Apache-2.0 */
/* test_shim_schemas - what is kept of the tools of a list: names, compiled schemas, and for how many of them */
#include "tests/unit/unit.h"
#include <stdio.h>
#include <stdlib.h>
#include "shim/schemas.h"

static const struct slice NONE = { NULL, 0 };

static struct slice slice_of(const char *s)
{
	return (struct slice){ s, strlen(s) };
}

static int learn(struct schemas *s, const char *name, const char *input, const char *output, const char **why)
{
	return schemas_learn(
		s, slice_of(name), input ? slice_of(input) : NONE, output ? slice_of(output) : NONE, false, why);
}

static void nothing_is_left(struct schemas *s)
{
	schemas_done(s);
	assert_int_equal(s->bytes, 0);
	assert_int_equal(s->name_bytes, 0);
}

static void keys_that_imitate_a_schemas_names_are_found_at_any_depth(void **state)
{
	static const char input[] =
		"{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\"},\"Mode\":{},\"mode\":{},\"opts\":"
		"{\"properties\":{\"Depth\":{}}}}}";
	static const struct {
		const char *value, *key;
	} cases[] = {
		{ "{\"path\":1}", NULL },
		{ "{\"Path\":1}", "Path" },
		{ "{\"mode\":1,\"Mode\":2}", NULL },
		{ "{\"MODE\":1}", "MODE" },
		{ "{\"opts\":{\"depth\":1}}", "depth" },
		{ "{\"x\":[[{\"PATH\":1}]]}", "PATH" },
		{ "{\"x\":\"PATH\",\"y\":[\"Path\"]}", NULL },
		{ "{\"free\":1,\"Free\":2}", NULL },
		{ "[{\"PATH\":1}]", "PATH" },
		{ "7", NULL },
	};
	struct schemas s;
	const char *why;

	schemas_init(&s, 99);
	assert_int_equal(learn(&s, "t", input, NULL, &why), 0);
	assert_null(schemas_output(&s, slice_of("t")));
	assert_null(schemas_input(&s, slice_of("u")));
	for (int again = 0; again < 2; again++) {
		const struct schema_names *x = schemas_input(&s, slice_of("t"));
		assert_non_null(x);
		for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
			struct slice key;
			bool found = schema_names_imitated(x, s.secret, slice_of(cases[i].value), &key);
			assert_int_equal(found, cases[i].key != NULL);
			if (found)
				assert_true(slice_is(key, cases[i].key));
		}
		assert_int_equal(learn(&s, "t", input, "{\"properties\":{\"out\":{}}}", &why), 0);
	}
	assert_non_null(schemas_output(&s, slice_of("t")));
	nothing_is_left(&s);
}

static void names_that_do_not_fit_are_not_known_and_the_schema_is_judged_all_the_same(void **state)
{
	_cleanup_buf_ struct buf big = BUF_INIT(4 << 20);
	struct schemas s;
	const char *why;
	int r = buf_puts(&big, "{\"properties\":{\"p\":true");

	for (int i = 0; r == 0 && i < SCHEMA_NAMES_MAX; i++)
		r = buf_printf(&big, ",\"name%d\":true", i);
	assert_int_equal(r ? r : buf_puts(&big, "}}"), 0);
	schemas_init(&s, 99);
	assert_int_equal(learn(&s, "big", big.data, NULL, &why), 0);
	assert_null(schemas_input(&s, slice_of("big")));
	assert_non_null(schemas_of_tool(&s, slice_of("big"))->input.compiled);
	nothing_is_left(&s);
}

static void a_schema_that_cannot_be_compiled_makes_its_tool_unusable_and_says_why(void **state)
{
	static const struct {
		const char *input, *output, *why;
	} cases[] = {
		{ "{\"$ref\":\"https://example.com/x\"}", NULL, "schema.$ref" },
		{ "{\"$ref\":\"other.json\"}", NULL, "schema" },
		{ "{\"properties\":[]}", NULL, "schema.properties" },
		{ "{\"type\":\"text\"}", NULL, "schema.type" },
		{ "{\"pattern\":\"(\"}", NULL, "schema.pattern" },
		{ "{\"$schema\":\"http://json-schema.org/draft-04/schema#\"}", NULL, "dialect" },
		{ "7", NULL, "must be a schema" },
		{ "[]", NULL, "must be a schema" },
		{ "{}", "{\"minimum\":\"1\"}", "schema.minimum" },
		{ NULL, "\"x\"", "must be a schema" },
	};
	struct schemas s;
	const char *why;

	schemas_init(&s, 99);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		for (int again = 0; again < 2; again++) {
			assert_int_equal(learn(&s, "t", cases[i].input, cases[i].output, &why), SCHEMAS_UNUSABLE);
			if (!strstr(why, cases[i].why))
				fail_msg("%zu: '%s' does not hold '%s'", i, why, cases[i].why);
		}
		const struct schema_tool *t = schemas_of_tool(&s, slice_of("t"));
		assert_true(t && (t->input.why || t->output.why));
	}
	/* Mended, it is usable. */
	assert_int_equal(learn(&s, "t", "{}", "null", &why), 0);
	assert_null(why);
	nothing_is_left(&s);
}

static void a_schema_that_is_absent_or_null_is_none(void **state)
{
	struct schemas s;
	const char *why;

	schemas_init(&s, 99);
	assert_int_equal(learn(&s, "t", NULL, NULL, &why), 0);
	assert_int_equal(learn(&s, "u", "null", "null", &why), 0);
	assert_null(schemas_of_tool(&s, slice_of("u")));
	/* What had one and has none any more is not judged by it. */
	assert_int_equal(learn(&s, "t", "{}", NULL, &why), 0);
	assert_int_equal(learn(&s, "t", NULL, NULL, &why), 0);
	assert_null(schemas_of_tool(&s, slice_of("t"))->input.compiled);
	assert_null(schemas_of_tool(&s, slice_of("v")));
	nothing_is_left(&s);
}

#define REFERS "{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"type\":\"object\"}}}"

static void a_schema_is_compiled_once_and_again_when_its_text_is_another(void **state)
{
	struct schemas s;
	const char *why;

	schemas_init(&s, 99);
	assert_int_equal(learn(&s, "t", REFERS, NULL, &why), 0);
	const struct schema_compiled *first = schemas_of_tool(&s, slice_of("t"))->input.compiled;
	uint64_t steps = s.steps;
	assert_true(steps < SCHEMAS_STEPS);
	assert_int_equal(learn(&s, "t", REFERS, NULL, &why), 0);
	assert_ptr_equal(schemas_of_tool(&s, slice_of("t"))->input.compiled, first);
	assert_int_equal(s.steps, steps);
	struct schema_error e;
	assert_int_equal(schemas_check(&s, first, SLICE("{}"), &e), SCHEMA_FITS);
	assert_int_equal(learn(&s, "t", "{\"type\":\"object\",\"required\":[\"a\"]}", NULL, &why), 0);
	assert_int_equal(
		schemas_check(&s, schemas_of_tool(&s, slice_of("t"))->input.compiled, SLICE("{}"), &e), SCHEMA_MISFIT);
	nothing_is_left(&s);
}

static void a_flood_of_tools_is_withheld_and_the_tools_of_an_older_list_give_way(void **state)
{
	struct schemas s;
	const char *why;
	char name[32];

	schemas_init(&s, 99);
	for (int list = 0; list < 3; list++) {
		schemas_begin(&s, true, true);
		for (int i = 0; i < SCHEMAS_TOOLS_MAX + 10; i++) {
			snprintf(name, sizeof(name), "tool%d.%d", list, i);
			int r = learn(&s, name, "{\"properties\":{\"a\":true}}", NULL, &why);
			assert_int_equal(r, i < SCHEMAS_TOOLS_MAX ? 0 : SCHEMAS_UNUSABLE);
			assert_true(r == 0 || strstr(why, "more tools than"));
		}
		assert_int_equal(s.n, SCHEMAS_TOOLS_MAX);
		assert_true(s.full);
		assert_true(s.name_bytes <= SCHEMA_NAMES_BYTES_MAX);
		assert_null(schemas_of_tool(&s, slice_of(name)));
		snprintf(name, sizeof(name), "tool%d.0", list);
		assert_non_null(schemas_of_tool(&s, slice_of(name))->input.compiled);
	}
	schemas_begin(&s, true, true);
	assert_false(s.full);
	nothing_is_left(&s);
}

static void compiled_schemas_stay_within_their_budget_of_memory(void **state)
{
	_cleanup_buf_ struct buf large = BUF_INIT(SCHEMA_TEXT_MAX);
	struct schemas s;
	const char *why;
	int r = buf_puts(&large, "{\"enum\":[1"), unusable = 0;

	while (r == 0 && large.len < SCHEMA_TEXT_MAX - 16)
		r = buf_puts(&large, ",1");
	assert_int_equal(r ? r : buf_puts(&large, "]}"), 0);
	schemas_init(&s, 99);
	schemas_begin(&s, true, true);
	for (int i = 0; i < 40; i++) {
		char name[32];
		snprintf(name, sizeof(name), "tool%d", i);
		r = learn(&s, name, large.data, NULL, &why);
		assert_true(r == 0 || r == SCHEMAS_UNUSABLE);
		assert_true(s.bytes <= SCHEMAS_BYTES_MAX);
		unusable += r == SCHEMAS_UNUSABLE;
		if (r)
			assert_non_null(strstr(why, "more memory"));
	}
	assert_in_range(unusable, 1, 39);
	/* A list without them leaves room again. */
	schemas_begin(&s, true, true);
	assert_int_equal(learn(&s, "other", large.data, NULL, &why), 0);
	nothing_is_left(&s);
}

static void compiling_has_a_budget_of_work_for_each_message(void **state)
{
	struct schemas s;
	const char *why;

	schemas_init(&s, 99);
	schemas_begin(&s, true, true);
	s.steps = 0;
	assert_int_equal(learn(&s, "t", "{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{}}}", NULL, &why), SCHEMAS_UNUSABLE);
	assert_non_null(strstr(why, "more work"));
	/* That was not its own fault: the next message is another try. */
	schemas_begin(&s, false, true);
	assert_int_equal(learn(&s, "t", "{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{}}}", NULL, &why), 0);
	assert_true(s.steps < SCHEMAS_STEPS);
	nothing_is_left(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_that_imitate_a_schemas_names_are_found_at_any_depth),
		cmocka_unit_test(names_that_do_not_fit_are_not_known_and_the_schema_is_judged_all_the_same),
		cmocka_unit_test(a_schema_that_cannot_be_compiled_makes_its_tool_unusable_and_says_why),
		cmocka_unit_test(a_schema_that_is_absent_or_null_is_none),
		cmocka_unit_test(a_schema_is_compiled_once_and_again_when_its_text_is_another),
		cmocka_unit_test(a_flood_of_tools_is_withheld_and_the_tools_of_an_older_list_give_way),
		cmocka_unit_test(compiled_schemas_stay_within_their_budget_of_memory),
		cmocka_unit_test(compiling_has_a_budget_of_work_for_each_message),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
