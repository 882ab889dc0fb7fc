/* SPDX-License-Identifier: Apache-2.0 */
/* test_schema - what is refused, in which words, and how strict closes objects */
#include "tests/unit/schema_unit.h"
#include <errno.h>
#include "base/text.h"
#include "schema/checker.h"

static const struct misfit {
	const char *schema, *value, *where, *text;
} misfits[] = {
	{ "{\"type\":\"object\"}", "[1]", "arguments", "arguments must be an object, but is an array of 1 element" },
	{ "{\"properties\":{\"path\":{\"items\":{\"properties\":{\"name\":{\"maxLength\":3}}}}}}",
		"{\"path\":[{},{},{\"name\":\"h\xc3\xa9llo\"}]}", "arguments.path[2].name",
		"arguments.path[2].name must be at most 3 characters long, but has 5" },
	{ "{\"properties\":{\"a b\":{\"maximum\":10}}}", "{\"a b\":12.50}", "arguments[\"a b\"]",
		"arguments[\"a b\"] must be at most 10, but is 12.50" },
	{ "{\"minimum\":9007199254740993}", "9007199254740992", "arguments",
		"arguments must be at least 9007199254740993, but is 9007199254740992" },
	{ "{\"exclusiveMaximum\":1e2}", "100", "arguments", "arguments must be below 1e2, but is 100" },
	{ "{\"exclusiveMinimum\":0}", "0", "arguments", "arguments must be above 0, but is 0" },
	{ "{\"multipleOf\":0.05}", "0.07", "arguments", "arguments must be a multiple of 0.05, but is 0.07" },
	{ "{\"type\":[\"integer\",\"null\"]}", "1.5", "arguments",
		"arguments must be a whole number or null, but is 1.5" },
	{ "{\"enum\":[\"asc\",\"desc\",1,null]}", "\"up\"", "arguments",
		"arguments must be one of \"asc\", \"desc\", 1 or null, but is \"up\"" },
	{ "{\"const\":\"yes\"}", "true", "arguments", "arguments must be \"yes\", but is true" },
	{ "{\"pattern\":\"^[a-z]+\\\\d$\"}", "\"A1\"", "arguments",
		"arguments must match the pattern ^[a-z]+\\d$, but is \"A1\"" },
	{ "{\"minItems\":2}", "[1]", "arguments", "arguments must hold at least 2 elements, but holds 1" },
	{ "{\"maxProperties\":1}", "{\"a\":1,\"b\":2}", "arguments",
		"arguments must hold at most 1 properties, but holds 2" },
	{ "{\"properties\":{\"o\":{\"required\":[\"id\",\"name\"]}}}", "{\"o\":{\"id\":1}}", "arguments.o",
		"arguments.o.name must be there, but is missing" },
	{ "{\"dependentRequired\":{\"a\":[\"b\"]}}", "{\"a\":1}", "arguments",
		"arguments.b must be there, but is missing beside another property that asks for it" },
	{ "{\"properties\":{\"path\":{},\"recursive\":{}},\"additionalProperties\":false}", "{\"pth\":1}",
		"arguments.pth", "arguments.pth is not known here; did you mean path?" },
	{ "{\"properties\":{\"path\":{},\"recursive\":{}},\"additionalProperties\":false}", "{\"other\":1}",
		"arguments.other", "arguments.other is not known here; known are path and recursive" },
	{ "{\"unevaluatedProperties\":false}", "{\"x\":1}", "arguments.x", "arguments.x is not known here" },
	{ "{\"propertyNames\":{\"maxLength\":2}}", "{\"abc\":1}", "the name \"abc\" in arguments",
		"the name \"abc\" in arguments must be at most 2 characters long, but has 3" },
	/* The last name that was looked at is another one. */
	{ "{\"anyOf\":[{\"propertyNames\":{\"maxLength\":2}},{\"propertyNames\":{\"type\":\"null\"}}]}",
		"{\"b\":1,\"abc\":2}", "the name \"abc\" in arguments",
		"the name \"abc\" in arguments must be at most 2 characters long, but has 3" },
	{ "{\"prefixItems\":[{}],\"items\":false}", "[1,2]", "arguments[1]",
		"arguments[1] is an element more than is allowed" },
	{ "{\"uniqueItems\":true}", "[{\"a\":1,\"b\":2},1,{\"b\":2.0,\"a\":1}]", "arguments[2]",
		"arguments[2] must not be there twice, but is the same as arguments[0]" },
	{ "{\"contains\":{\"const\":1},\"minContains\":2}", "[1]", "arguments",
		"arguments must hold at least 2 elements of the form that is asked for, but holds 1" },
	{ "{\"properties\":{\"x\":false}}", "{\"x\":1}", "arguments.x", "arguments.x is not allowed here" },
	{ "{\"not\":{\"type\":\"null\"}}", "null", "arguments", "arguments has a form that is excluded here" },
	{ "{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}", "1", "arguments",
		"arguments must be a string or null, but is 1" },
	{ "{\"anyOf\":[{\"type\":\"object\",\"required\":[\"id\"]},{\"type\":\"null\"}]}", "{}", "arguments",
		"arguments.id must be there, but is missing" },
	{ "{\"oneOf\":[{\"properties\":{\"kind\":{\"const\":\"a\"},\"n\":{\"maximum\":1}}},"
	  "{\"properties\":{\"kind\":{\"const\":\"b\"}}}]}",
		"{\"kind\":\"a\",\"n\":2}", "arguments.n", "arguments.n must be at most 1, but is 2" },
	{ "{\"anyOf\":[{\"type\":\"null\"},{\"const\":1},{\"properties\":{\"a\":{\"maximum\":1}}}]}", "{\"a\":2}",
		"arguments.a", "arguments.a must be at most 1, but is 2" },
	{ "{\"anyOf\":[{\"minimum\":5},{\"maximum\":1}]}", "3", "arguments",
		"arguments fits none of the 2 forms that are allowed here" },
	{ "{\"oneOf\":[{\"minimum\":1},{\"maximum\":5}]}", "3", "arguments",
		"arguments fits several of the 2 forms of which it must fit exactly one" },
	{ "{\"type\":\"null\"}", "\"a\\u001b[31m\\u202eb\"", "arguments",
		"arguments must be null, but is \"a\\x1b[31m\\u{202e}b\"" },
};

static void a_misfit_is_told_by_place_rule_and_what_is_there(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(misfits); i++) {
		struct schema_error error;
		assert_int_equal(judge(misfits[i].schema, false, misfits[i].value, strlen(misfits[i].value), &error),
			SCHEMA_MISFIT);
		assert_string_equal(error.where, misfits[i].where);
		assert_string_equal(error.text, misfits[i].text);
	}
}

/* Each becomes eight characters when it is made visible. */
#define HIDDEN "\xe2\x80\xae\xe2\x80\xae\xe2\x80\xae"

static void words_are_of_bounded_length_and_end_between_characters(void **state)
{
	_cleanup_buf_ struct buf value = BUF_INIT(TEXT_MAX), schema = BUF_INIT(TEXT_MAX);
	struct schema_error error;

	assert_int_equal(buf_puts(&value, "{\""), 0);
	for (int i = 0; i < 2000; i++)
		assert_int_equal(buf_puts(&value, "\xe2\x80\xae"), 0);
	assert_int_equal(buf_puts(&value, "\":1}"), 0);
	assert_int_equal(
		judge("{\"additionalProperties\":false}", false, value.data, value.len, &error), SCHEMA_MISFIT);
	assert_true(strlen(error.where) < SCHEMA_WHERE_MAX && strlen(error.text) < SCHEMA_TEXT_SHOWN_MAX);
	assert_int_equal(buf_puts(&schema, "{\"enum\":["), 0);
	for (int i = 0; i < 500; i++)
		assert_int_equal(buf_printf(&schema, "%s\"%0200d\"", i ? "," : "", i), 0);
	assert_int_equal(buf_puts(&schema, "]}"), 0);
	assert_int_equal(judge(schema.data, false, "1", 1, &error), SCHEMA_MISFIT);
	assert_true(strlen(error.text) < SCHEMA_TEXT_SHOWN_MAX);
	assert_non_null(strstr(error.text, "or 488 others, but is 1"));
	repeat(&value, "\"a", "\xe2\x82\xac", 100, "\"");
	assert_int_equal(judge("{\"type\":\"null\"}", false, value.data, value.len, &error), SCHEMA_MISFIT);
	assert_true(utf8_valid(error.text, strlen(error.text)));
	assert_non_null(strstr(error.text, "\xe2\x82\xac...\""));
	repeat(&schema, "{\"enum\":[", "\"" HIDDEN HIDDEN HIDDEN HIDDEN "\",", 20, "1]}");
	assert_int_equal(judge(schema.data, false, "1.5", 3, &error), SCHEMA_MISFIT);
	assert_in_range(strlen(error.text), SCHEMA_TEXT_SHOWN_MAX - 8, SCHEMA_TEXT_SHOWN_MAX - 1);
	assert_string_equal(error.text + strlen(error.text) - 3, "...");
}

static const struct {
	const char *schema, *value;
	bool open, closed; /* does it fit without strict, and with it */
} strict_cases[] = {
	{ "{\"properties\":{\"a\":{}}}", "{\"a\":1,\"b\":2}", true, false },
	{ "{\"properties\":{\"a\":{}}}", "{\"a\":1}", true, true },
	{ "{\"properties\":{}}", "{\"b\":2}", true, false },
	{ "{\"type\":\"object\"}", "{\"b\":2}", true, false },
	{ "{\"type\":\"object\"}", "{}", true, true },
	{ "{}", "{\"b\":2}", true, false },
	{ "true", "{\"b\":2}", true, false },
	{ "{\"required\":[\"a\"]}", "{\"a\":2}", true, false },
	{ "{\"patternProperties\":{\"^a$\":{}}}", "{\"b\":2}", true, false },
	{ "{\"additionalProperties\":{}}", "{\"b\":2}", true, true },
	{ "{\"properties\":{\"a\":{\"type\":\"object\"}}}", "{\"a\":{\"b\":2}}", true, true },
	{ "{\"properties\":{\"a\":{}},\"additionalProperties\":true}", "{\"b\":2}", true, true },
	{ "{\"properties\":{\"a\":{}},\"additionalProperties\":{\"type\":\"number\"}}", "{\"b\":2}", true, true },
	{ "{\"properties\":{\"a\":{}},\"unevaluatedProperties\":true}", "{\"b\":2}", true, true },
	{ "{\"properties\":{\"a\":{}},\"patternProperties\":{\"^x\":{}}}", "{\"xy\":2}", true, true },
	{ "{\"properties\":{\"a\":{\"properties\":{\"b\":{}}}}}", "{\"a\":{\"c\":1}}", true, false },
	{ "{\"items\":{\"properties\":{\"b\":{}}}}", "[{\"c\":1}]", true, false },
	/* what applies to one object counts together */
	{ "{\"allOf\":[{\"properties\":{\"a\":{}}},{\"properties\":{\"b\":{}}}]}", "{\"a\":1,\"b\":2}", true, true },
	{ "{\"allOf\":[{\"properties\":{\"a\":{}}},{\"properties\":{\"b\":{}}}]}", "{\"a\":1,\"c\":2}", true, false },
	{ "{\"$ref\":\"#/$defs/t\",\"properties\":{\"b\":{}},\"$defs\":{\"t\":{\"properties\":{\"a\":{}}}}}",
		"{\"a\":1,\"b\":2}", true, true },
	{ "{\"$ref\":\"#/$defs/t\",\"$defs\":{\"t\":{\"properties\":{\"a\":{}}}}}", "{\"c\":1}", true, false },
	{ "{\"anyOf\":[{\"properties\":{\"a\":{\"type\":\"number\"}},\"required\":[\"a\"]},{\"properties\":{"
	  "\"b\":{}}}]}",
		"{\"b\":1}", true, true },
	{ "{\"anyOf\":[{\"properties\":{\"a\":{\"type\":\"number\"}},\"required\":[\"a\"]},{\"properties\":{"
	  "\"b\":{}}}]}",
		"{\"a\":\"no number\",\"b\":1}", true, false },
	{ "{\"if\":{\"properties\":{\"k\":{\"const\":1}}},\"then\":{\"properties\":{\"a\":{}}}}", "{\"k\":1,\"a\":2}",
		true, true },
	{ "{\"if\":{\"properties\":{\"k\":{\"const\":1}}},\"then\":{\"properties\":{\"a\":{}}}}", "{\"k\":1,\"b\":2}",
		true, false },
	{ "{\"dependentSchemas\":{\"a\":{\"properties\":{\"b\":{}}}},\"properties\":{\"a\":{}}}", "{\"a\":1,\"b\":2}",
		true, true },
	{ "{\"$dynamicRef\":\"#t\",\"$defs\":{\"t\":{\"$dynamicAnchor\":\"t\",\"properties\":{\"a\":{}}}}}",
		"{\"b\":1}", true, false },
	{ "{\"$id\":\"http://a/"
	  "o\",\"$dynamicAnchor\":\"n\",\"$ref\":\"i\",\"properties\":{\"a\":{}},\"$defs\":{\"i\":{\"$id\":"
	  "\"i\","
	  "\"items\":{\"allOf\":[{\"$dynamicRef\":\"#n\"}]},\"$defs\":{\"n\":{\"$dynamicAnchor\":\"n\"}}}}}",
		"[{\"b\":1}]", true, false },
	/* strict refuses more, and never less: what is asked to decide something else stays as it is */
	{ "{\"not\":{\"properties\":{\"a\":{\"properties\":{\"b\":{}}}},\"required\":[\"a\"]}}", "{\"a\":{\"c\":1}}",
		false, false },
	{ "{\"if\":{\"properties\":{\"a\":{\"properties\":{\"b\":{}}}},\"required\":[\"a\"]},\"then\":false}",
		"{\"a\":{\"c\":1}}", false, false },
	{ "{\"contains\":{\"properties\":{\"a\":{}}},\"maxContains\":1}", "[{\"a\":1},{\"c\":1}]", false, false },
	{ "{\"oneOf\":[{\"properties\":{\"a\":{\"properties\":{\"b\":{}}}}},{\"properties\":{\"a\":{}}}]}",
		"{\"a\":{\"c\":1}}", false, false },
};

static void strict_closes_objects_whose_properties_are_named(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(strict_cases); i++) {
		struct schema_error error;
		const char *v = strict_cases[i].value;
		if (judge(strict_cases[i].schema, false, v, strlen(v), &error) !=
			(strict_cases[i].open ? SCHEMA_FITS : SCHEMA_MISFIT))
			fail_msg("%s, open, on %s: '%s'", strict_cases[i].schema, v, error.text);
		if (judge(strict_cases[i].schema, true, v, strlen(v), &error) !=
			(strict_cases[i].closed ? SCHEMA_FITS : SCHEMA_MISFIT))
			fail_msg("%s, strict, on %s: '%s'", strict_cases[i].schema, v, error.text);
	}
}

static void what_strict_refuses_is_named_with_what_is_known(void **state)
{
	const char *schema = "{\"allOf\":[{\"properties\":{\"path\":{}}},{\"$ref\":\"#/$defs/"
			     "o\"}],\"$defs\":{\"o\":{\"properties\":{\"depth\":{}}}}}";
	struct schema_error error;

	assert_int_equal(judge(schema, true, "{\"path\":1,\"dept\":2}", 19, &error), SCHEMA_MISFIT);
	assert_string_equal(error.text, "arguments.dept is not known here; did you mean depth?");
	assert_int_equal(judge(schema, true, "{\"path\":1,\"zzz\":2}", 18, &error), SCHEMA_MISFIT);
	assert_string_equal(error.text, "arguments.zzz is not known here; known are path and depth");
}

static void a_schema_that_cannot_be_kept_is_refused_with_words(void **state)
{
	static const struct {
		const char *schema, *text;
	} cases[] = {
		{ "{", "the schema cannot be read: it is not valid JSON" },
		{ "3", "schema must be a schema: an object, true or false" },
		{ "{\"type\":\"text\"}",
			"schema.type must be null, boolean, number, integer, string, array or object" },
		{ "{\"type\":[]}", "schema.type must name a type" },
		{ "{\"properties\":{\"a\":1}}", "schema.properties.a must be a schema: an object, true or false" },
		{ "{\"properties\":[]}", "schema.properties must be an object" },
		{ "{\"required\":true}", "schema.required must be an array of names of properties" },
		{ "{\"required\":[1]}", "schema.required[0] must be the name of a property" },
		{ "{\"maximum\":\"3\"}", "schema.maximum must be a number" },
		{ "{\"multipleOf\":0}",
			"schema.multipleOf must be a number above 0 with at most 18 digits that count" },
		{ "{\"minLength\":-1}", "schema.minLength must be a whole number from 0 up" },
		{ "{\"minLength\":1.5}", "schema.minLength must be a whole number from 0 up" },
		{ "{\"uniqueItems\":1}", "schema.uniqueItems must be true or false" },
		{ "{\"enum\":1}", "schema.enum must be an array of values" },
		{ "{\"allOf\":[]}", "schema.allOf must hold a schema" },
		{ "{\"anyOf\":{}}", "schema.anyOf must be an array of schemas" },
		{ "{\"items\":[{}]}", "schema.items is an array, which in JSON Schema 2020-12 is called prefixItems" },
		{ "{\"pattern\":\"(\"}",
			"schema.pattern holds the pattern '(', which cannot be used: missing closing parenthesis" },
		{ "{\"patternProperties\":{\"\\\\A\":{}}}", "schema.patternProperties[\"\\\\A\"] holds the pattern "
							    "'\\A', which cannot be used: a letter is escaped "
							    "that has no meaning of its own in ECMA-262, at byte 2" },
		{ "{\"$ref\":\"https://example.com/a.json\"}",
			"schema.$ref refers to 'https://example.com/a.json', which is not in this schema; nothing is "
			"fetched from elsewhere" },
		{ "{\"$ref\":\"#/$defs/a\"}", "schema.$ref refers to '#/$defs/a', and there is nothing at that place" },
		{ "{\"$ref\":\"#a\"}", "schema.$ref refers to '#a', and no schema here has that name" },
		{ "{\"$ref\":1}", "schema.$ref must be a URI reference of no great length" },
		{ "{\"$ref\":\"#/type\",\"type\":\"object\"}",
			"schema.type must be a schema: an object, true or false" },
		{ "{\"$id\":\"a#b\"}", "schema.$id holds a fragment, which $anchor is for" },
		{ "{\"$id\":\"a\\u0000\"}", "schema.$id must be a URI reference of no great length" },
		{ "{\"$defs\":{\"a\":{\"$id\":\"x\"},\"b\":{\"$id\":\"x\"}}}",
			"schema.$defs.b has the $id of another schema in this one" },
		{ "{\"$defs\":{\"a\":{\"$anchor\":\"x\"},\"b\":{\"$anchor\":\"x\"}}}",
			"schema.$defs.b.$anchor has the name of another schema in this one" },
		{ "{\"$schema\":\"http://json-schema.org/draft-04/schema#\"}",
			"schema.$schema names a dialect that is not known here; known are JSON Schema 2020-12 and "
			"draft-07" },
		{ "{\"properties\":{\"a\":{\"$schema\":\"http://json-schema.org/draft-07/schema#\"}}}",
			"schema.properties.a.$schema names another draft, which takes an $id beside it" },
		{ "{\"maximum\":1e9999999999}",
			"the schema cannot be read: it holds a number with an exponent out of all proportion" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct schema_options options = { .root = "arguments" };
		struct schema_compiled *s;
		struct diag d = { 0 };
		assert_int_equal(schema_compile(cases[i].schema, strlen(cases[i].schema), &options, &s, &d), -EINVAL);
		assert_null(s);
		assert_string_equal(d.text, cases[i].text);
	}
}

static void the_draft_is_the_one_that_is_named_and_else_2020_12(void **state)
{
	static const struct {
		const char *schema, *value;
		int result;
	} cases[] = {
		{ "{\"dependentRequired\":{\"a\":[\"b\"]}}", "{\"a\":1}", SCHEMA_MISFIT },
		{ "{\"$schema\":\"https://json-schema.org/draft/2020-12/"
		  "schema\",\"dependentRequired\":{\"a\":[\"b\"]}}",
			"{\"a\":1}", SCHEMA_MISFIT },
		{ "{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"dependentRequired\":{\"a\":[\"b\"]}}",
			"{\"a\":1}", SCHEMA_FITS },
		{ "{\"$schema\":\"https://json-schema.org/draft-07/schema\",\"items\":[{\"type\":\"null\"}]}", "[1]",
			SCHEMA_MISFIT },
		/* beside a $ref nothing counts in draft-07 */
		{ "{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"$ref\":\"#/definitions/a\",\"maximum\":1,"
		  "\"definitions\":{\"a\":{}}}",
			"2", SCHEMA_FITS },
		{ "{\"$ref\":\"#/definitions/a\",\"maximum\":1,\"definitions\":{\"a\":{}}}", "2", SCHEMA_MISFIT },
		/* a resource of the other draft inside */
		{ "{\"properties\":{\"x\":{\"$id\":\"x\",\"$schema\":\"http://json-schema.org/draft-07/"
		  "schema#\",\"items\":[{\"type\":"
		  "\"null\"}]}},\"prefixItems\":[{\"type\":\"null\"}]}",
			"{\"x\":[1]}", SCHEMA_MISFIT },
		{ "{\"$defs\":{\"x\":{\"$id\":\"x\",\"$schema\":\"http://json-schema.org/draft-07/"
		  "schema#\",\"dependentRequired\":{\"a\":[\"b\"]}"
		  "}},\"$ref\":\"x\"}",
			"{\"a\":1}", SCHEMA_FITS },
		{ "{\"$schema\":\"http://json-schema.org/draft-07/"
		  "schema#\",\"definitions\":{\"x\":{\"$id\":\"x\",\"$schema\":"
		  "\"https://json-schema.org/draft/2020-12/"
		  "schema\",\"dependentRequired\":{\"a\":[\"b\"]}}},\"allOf\":[{\"$ref\":\"x\"}]}",
			"{\"a\":1}", SCHEMA_MISFIT },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct schema_error error;
		if (judge(cases[i].schema, false, cases[i].value, strlen(cases[i].value), &error) != cases[i].result)
			fail_msg("%s on %s: '%s'", cases[i].schema, cases[i].value, error.text);
	}
}

static void values_are_equal_as_json_schema_means_it(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} cases[] = {
		{ "true", "true", true },
		{ "true", "false", false },
		{ "true", "1", false },
		{ "null", "false", false },
		{ "0", "-0.0", true },
		{ "\"1\"", "1", false },
		{ "\"\\u00e9\"", "\"\xc3\xa9\"", true },
		{ "\"\\ud83d\\udc32\"", "\"\xf0\x9f\x90\xb2\"", true },
		{ "\"\\ud800\"", "\"\\ufffd\"", false },
		{ "\"\\ud800\"", "\"\\ud801\"", false },
		{ "\"a\\u0000b\"", "\"a\\u0000c\"", false },
		{ "[1,[2]]", "[1.0,[2e0]]", true },
		{ "[1,2]", "[2,1]", false },
		{ "[1]", "[1,2]", false },
		{ "{\"a\":1,\"b\":[{}]}", "{\"b\":[{}],\"a\":1}", true },
		{ "{\"a\":1}", "{\"a\":1,\"b\":2}", false },
		{ "{\"a\":1}", "{\"b\":1}", false },
		{ "{\"\":1}", "[1]", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct buf constant = BUF_INIT(TEXT_MAX), both = BUF_INIT(TEXT_MAX);
		struct schema_error error;
		assert_int_equal(buf_printf(&constant, "{\"const\":%s}", cases[i].a), 0);
		assert_int_equal(buf_printf(&both, "[%s,%s]", cases[i].a, cases[i].b), 0);
		assert_int_equal(judge(constant.data, false, cases[i].b, strlen(cases[i].b), &error),
			cases[i].equal ? SCHEMA_FITS : SCHEMA_MISFIT);
		assert_int_equal(judge("{\"uniqueItems\":true}", false, both.data, both.len, &error),
			cases[i].equal ? SCHEMA_MISFIT : SCHEMA_FITS);
	}
}

static void references_take_the_dynamic_way_only_where_they_say_so(void **state)
{
	/* The inner schema has the outer one's anchor. */
	static const struct {
		const char *more, *reference, *value;
		int result;
	} cases[] = {
		{ "", "\"$dynamicRef\":\"#n\"", "{\"in\":{\"x\":\"\"}}", SCHEMA_FITS },
		{ "", "\"$dynamicRef\":\"#n\"", "{\"in\":{\"x\":null}}", SCHEMA_MISFIT },
		{ "", "\"$ref\":\"#n\"", "{\"in\":{\"x\":\"\"}}", SCHEMA_MISFIT },
		{ "", "\"$ref\":\"#n\"", "{\"in\":{\"x\":null}}", SCHEMA_FITS },
		{ "\"$anchor\":\"n\",", "\"$dynamicRef\":\"#n\"", "{\"in\":{\"x\":\"\"}}", SCHEMA_FITS },
		{ "", "\"$dynamicRef\":\"#\"", "{\"in\":{\"x\":null}}", SCHEMA_FITS },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct buf schema = BUF_INIT(TEXT_MAX);
		struct schema_error error;
		assert_int_equal(
			buf_printf(&schema,
				"{\"$id\":\"http://a/"
				"outer\",\"$dynamicAnchor\":\"n\",\"type\":[\"object\",\"string\"],\"properties\":"
				"{\"in\":{\"$ref\":\"inner\"}},\"$defs\":{\"i\":{\"$id\":\"inner\",\"$dynamicAnchor\":"
				"\"n\",%s"
				"\"type\":[\"object\",\"null\"],\"properties\":{\"x\":{%s}}}}}",
				cases[i].more, cases[i].reference),
			0);
		if (judge(schema.data, false, cases[i].value, strlen(cases[i].value), &error) != cases[i].result)
			fail_msg("%zu: '%s'", i, error.text);
	}
}

static void what_a_pointer_finds_in_another_resource_refers_to_that_one(void **state)
{
	static const char schema[] = "{\"$ref\":\"#/$defs/i/"
				     "unknown\",\"$defs\":{\"i\":{\"$id\":\"inner\",\"unknown\":{\"$ref\":\"#/other\"},"
				     "\"other\":{\"type\":\"null\"}}},\"other\":{\"type\":\"string\"}}";
	struct schema_error error;

	assert_int_equal(judge(schema, false, "null", 4, &error), SCHEMA_FITS);
	assert_int_equal(judge(schema, false, "\"\"", 2, &error), SCHEMA_MISFIT);
}

static void names_of_an_object_of_any_size_are_judged(void **state)
{
	_cleanup_buf_ struct buf value = BUF_INIT(TEXT_MAX);

	for (unsigned n = 1; n < 260; n++) {
		struct schema_error error;
		buf_clear(&value);
		for (unsigned i = 0; i < n; i++)
			assert_int_equal(buf_printf(&value, "%s\"%u\":0", i ? "," : "{", i), 0);
		assert_int_equal(buf_puts(&value, "}"), 0);
		assert_int_equal(judge("{\"propertyNames\":{\"maxLength\":3}}", false, value.data, value.len, &error),
			SCHEMA_FITS);
	}
}

static void one_checker_serves_many_schemas(void **state)
{
	struct schema_compiled *a = compiled("{\"properties\":{\"a\":{}}}", true),
			       *b = compiled("{\"uniqueItems\":true}", false);
	struct schema_checker *c = schema_checker_new();
	_cleanup_buf_ struct buf value = BUF_INIT(TEXT_MAX);
	struct schema_error error;

	assert_non_null(c);
	repeat(&value, "[", "\"\\u00e9\",", 100, "1]");
	for (int i = 0; i < 20; i++) {
		assert_int_equal(schema_check(b, c, value.data, value.len, &error), SCHEMA_MISFIT);
		assert_int_equal(schema_check(a, c, "{\"a\":1}", 7, &error), SCHEMA_FITS);
		assert_int_equal(schema_check(a, c, "{\"b\":1}", 7, &error), SCHEMA_MISFIT);
		assert_int_equal(schema_check(b, c, "[1,2]", 5, &error), SCHEMA_FITS);
	}
	schema_checker_free(c);
	schema_compiled_free(a);
	schema_compiled_free(b);
}

/* What is let go of, nothing is said about any more: its text may be another by then. */
static void what_is_read_once_is_judged_by_many_schemas(void **state)
{
	struct schema_compiled *fits = compiled("{\"properties\":{\"a\":{\"const\":\"\u00e9\"}}}", true),
			       *marks = compiled("{\"unevaluatedProperties\":false,\"properties\":{\"b\":{}}}", false);
	struct schema_checker *c = schema_checker_new();
	static const char text[] = "{\"a\":\"\\u00e9\"}", bad[] = "{\"a\":";
	struct schema_error error;

	assert_non_null(c);
	assert_int_equal(schema_judge(fits, c, &error), -EINVAL);
	assert_int_equal(schema_read(c, text, sizeof(text) - 1), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(schema_judge(fits, c, &error), SCHEMA_FITS);
		assert_string_equal(error.text, "");
		assert_int_equal(schema_judge(marks, c, &error), SCHEMA_MISFIT);
		assert_string_equal(error.where, "arguments.a");
	}
	schema_let_go(c);
	assert_int_equal(schema_judge(fits, c, &error), -EINVAL);
	assert_int_equal(schema_read(c, bad, sizeof(bad) - 1), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(schema_judge(fits, c, &error), SCHEMA_UNDECIDED);
		assert_string_equal(error.text, "arguments cannot be judged: it is not valid JSON");
	}
	schema_let_go(c);
	assert_int_equal(c->tree.unescaped.cap, 0);
	schema_checker_free(c);
	schema_compiled_free(fits);
	schema_compiled_free(marks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_misfit_is_told_by_place_rule_and_what_is_there),
		cmocka_unit_test(words_are_of_bounded_length_and_end_between_characters),
		cmocka_unit_test(strict_closes_objects_whose_properties_are_named),
		cmocka_unit_test(what_strict_refuses_is_named_with_what_is_known),
		cmocka_unit_test(a_schema_that_cannot_be_kept_is_refused_with_words),
		cmocka_unit_test(the_draft_is_the_one_that_is_named_and_else_2020_12),
		cmocka_unit_test(values_are_equal_as_json_schema_means_it),
		cmocka_unit_test(references_take_the_dynamic_way_only_where_they_say_so),
		cmocka_unit_test(what_a_pointer_finds_in_another_resource_refers_to_that_one),
		cmocka_unit_test(names_of_an_object_of_any_size_are_judged),
		cmocka_unit_test(one_checker_serves_many_schemas),
		cmocka_unit_test(what_is_read_once_is_judged_by_many_schemas),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
