/* SPDX-License-Identifier: Apache-2.0 */
/* test_pin_diff - pin files, what changed between two of them, word by word, and which change matters */
#include "tests/unit/unit.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "supervisor/pin_diff.h"
#include "supervisor/pin_show.h"
#include "supervisor/pin_store.h"
#include "supervisor/pin_weigh.h"
#include "supervisor/word_diff.h"

#define ZEROS		     "0000000000000000000000000000000000000000000000000000000000000000"
#define ONES		     "1111111111111111111111111111111111111111111111111111111111111111"
#define FILE_OF(definitions) "{\"stockade_pins\":1,\"server\":\"profile:x\",\"definitions\":[" definitions "]}"
#define TOOL(name, digest, fields)                                                                                     \
	"{\"kind\":\"tool\",\"name\":\"" name "\",\"digest\":\"" digest "\",\"fields\":[" fields "]}"

static void parse(const char *text, struct pin_set *ret)
{
	struct diag d = { "" };

	if (pin_parse("x.json", text, strlen(text), ret, &d) < 0)
		fail_msg("%s: %s", text, d.text);
}

static void a_pin_file_is_read_as_it_was_written(void **state)
{
	_cleanup_pin_set_ struct pin_set s = { 0 }, again = { 0 };
	_cleanup_buf_ struct buf text = { 0 }, twice = { 0 };

	parse(FILE_OF(TOOL("a\\\\n", ONES,
		      "[\"description\",\"\\\"\\\\u202e\\\"\"],[\"x\",\"1e400\"]") ","
										   "{\"kind\":\"instructions\","
										   "\"name\":\"\",\"digest\":\"" ZEROS
										   "\",\"fields\":[[\"\",\"\\\"I\\\"\"]"
										   "]}"),
		&s);
	assert_int_equal(pin_text(&s.definitions, s.subject, &text), 0);
	parse(text.data, &again);
	assert_int_equal(pin_text(&again.definitions, again.subject, &twice), 0);
	assert_string_equal(text.data, twice.data);
	assert_int_equal(again.definitions.n, 2);
	assert_string_equal(again.definitions.v[0].fields[1].value, "1e400");
	assert_int_equal(again.definitions.v[0].digest[31], 0x11);
}

static void a_damaged_pin_file_denies(void **state)
{
	static const char *const damaged[] = {
		"",
		"{}",
		"[]",
		"{\"stockade_pins\":2,\"server\":\"s\",\"definitions\":[]}",
		"{\"stockade_pins\":1,\"definitions\":[]}",
		"{\"stockade_pins\":1,\"server\":\"s\",\"definitions\":{}}",
		"{\"stockade_pins\":1,\"server\":\"s\",\"definitions\":[],\"more\":1}",
		FILE_OF("1"),
		FILE_OF("{}"),
		FILE_OF(TOOL("", ONES, "")),
		FILE_OF(TOOL("a", "11", "")),
		FILE_OF(TOOL("a", "X111111111111111111111111111111111111111111111111111111111111111", "")),
		FILE_OF(TOOL("a", ONES, "1")),
		FILE_OF(TOOL("a", ONES, "[\"x\"]")),
		FILE_OF(TOOL("a", ONES, "[\"x\",1]")),
		FILE_OF("{\"kind\":\"toll\",\"name\":\"a\",\"digest\":\"" ONES "\",\"fields\":[]}"),
		FILE_OF("{\"kind\":\"instructions\",\"name\":\"a\",\"digest\":\"" ONES "\",\"fields\":[]}"),
		FILE_OF(TOOL("a", ONES, "") "," TOOL("a", ZEROS, "")),
		FILE_OF(TOOL("b", ONES, "") "," TOOL("a", ZEROS, "")),
		FILE_OF(TOOL("a", ONES, "")) "x",
	};

	for (size_t i = 0; i < ARRAY_LEN(damaged); i++) {
		struct pin_set s;
		struct diag d = { "" };
		if (pin_parse("x.json", damaged[i], strlen(damaged[i]), &s, &d) != -EINVAL || !strstr(d.text, "x.json"))
			fail_msg("%s: %s", damaged[i], d.text);
	}
}

static void words_that_went_and_came_are_marked(void **state)
{
	static const struct {
		const char *old, *new, *marked;
	} cases[] = {
		{ "the same", "the same", "the same" },
		{ "", "new text", "{+new text+}" },
		{ "old text", "", "[-old text-]" },
		{ "Reads a file.", "Reads any file.", "Reads [-a-]{+any+} file." },
		{ "one two three", "one 2 three", "one [-two-]{+2+} three" },
		{ "a  b", "a b", "a[-  -]{+ +}b" },
		{ "", "[-x-] {+y+}", "{+\\[-x\\-] \\{+y\\+}+}" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT(4096);
		assert_int_equal(word_diff(cases[i].old, cases[i].new, false, &b), 0);
		if (strcmp(b.data, cases[i].marked) != 0)
			fail_msg("%s", b.data);
	}
}

static void very_long_texts_are_one_change(void **state)
{
	_cleanup_buf_ struct buf old = BUF_INIT(1 << 20), new = BUF_INIT(1 << 20), marked = BUF_INIT(1 << 22);

	for (int i = 0; i < 2 * WORD_DIFF_WORDS_MAX; i++) {
		assert_int_equal(buf_printf(&old, "a%d ", i), 0);
		assert_int_equal(buf_printf(&new, "b%d ", i), 0);
	}
	assert_int_equal(word_diff(old.data, new.data, false, &marked), 0);
	assert_int_equal(strncmp(marked.data, "[-a0 a1 ", 8), 0);
}

static void a_table_says_which_change_matters(void **state)
{
	static const struct {
		const char *path, *old, *new;
		bool matters;
		const char *words;
	} cases[] = {
		{ "description", "\"a\"", "\"b\"", true, "a model reads" },
		{ "", "\"a\"", "\"b\"", true, "a model reads" },
		{ "title", NULL, "\"b\"", true, "a model reads" },
		{ "unheard/of", NULL, "\"b\"", true, "a model reads" },
		{ "inputSchema/properties/a/description", "\"a\"", "\"b\"", true, "a model reads" },
		{ "inputSchema/properties/description/maxLength", "1", "2", true, "more than before" },
		{ "inputSchema/properties/a/maxLength", "2", "1", false, "less than before" },
		{ "inputSchema/properties/a/minimum", "2", "1", true, "more than before" },
		{ "inputSchema/properties/a/pattern", "\"a\"", NULL, true, "more than before" },
		{ "inputSchema/properties/a/pattern", NULL, "\"a\"", false, "less than before" },
		{ "inputSchema/properties/a/pattern", "\"a\"", "\"b\"", true, "other things" },
		{ "inputSchema/properties/a/enum[0]", NULL, "\"b\"", true, "more than before" },
		{ "inputSchema/properties/a/enum[0]", "\"b\"", NULL, false, "less than before" },
		{ "inputSchema/required[1]", "\"b\"", NULL, true, "more than before" },
		{ "inputSchema/required[1]", NULL, "\"b\"", false, "less than before" },
		{ "inputSchema/additionalProperties", "false", NULL, true, "more than before" },
		{ "inputSchema/additionalProperties", NULL, "false", false, "less than before" },
		{ "inputSchema/properties/additionalProperties", NULL, "false", true, "other things" },
		{ "annotations/readOnlyHint", NULL, "true", true, "claims that it changes nothing" },
		{ "annotations/readOnlyHint", "true", NULL, true, "no longer claims" },
		{ "annotations/readOnlyHint", "false", NULL, false, "means the same" },
		{ "annotations/destructiveHint", "true", "false", true, "no longer says" },
		{ "annotations/destructiveHint", "true", NULL, false, "means the same" },
		{ "annotations/title", "\"a\"", "\"b\"", true, "a model reads" },
		{ "icons[0]/src", "\"a\"", "\"b\"", true, "picture" },
		{ "_meta/x", "1", "2", false, "programs" },
		{ "execution/taskSupport", NULL, "\"optional\"", false, "may be run" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pin_weight w = pin_weigh(cases[i].path, cases[i].old, cases[i].new);
		if (w.matters != cases[i].matters || !strstr(w.words, cases[i].words))
			fail_msg("%s %s %s: %d %s", cases[i].path, cases[i].old ? cases[i].old : "-",
				cases[i].new ? cases[i].new : "-", w.matters, w.words);
	}
}

static void a_difference_names_each_field_and_takes_sets_as_sets(void **state)
{
	_cleanup_pin_set_ struct pin_set old = { 0 }, new = { 0 };
	_cleanup_pin_diff_ struct pin_diff d = { 0 };

	parse(
		FILE_OF(
			TOOL("a", ONES,
				"[\"description\",\"\\\"d\\\"\"],[\"inputSchema/properties/p/"
				"type\",\"\\\"string\\\"\"],"
				"[\"inputSchema/required[0]\",\"\\\"p\\\"\"],[\"inputSchema/"
				"required[1]\",\"\\\"q\\\"\"]") "," TOOL("gone", ONES, "")),
		&old);
	parse(FILE_OF(TOOL("a", ZEROS,
		      "[\"description\",\"\\\"d\\\"\"],[\"inputSchema/properties/n/maxLength\",\"3\"],"
		      "[\"inputSchema/properties/p/type\",\"\\\"string\\\"\"],[\"inputSchema/"
		      "required[0]\",\"\\\"q\\\"\"]") "," TOOL("new", ONES, "")),
		&new);
	assert_int_equal(pin_diff(&old.definitions, &new.definitions, &d), 0);
	assert_int_equal(d.n, 3);
	assert_true(d.matters);
	assert_int_equal(d.v[0].kind, PIN_CHANGED);
	assert_int_equal(d.v[0].n, 2);
	assert_string_equal(d.v[0].fields[0].path, "inputSchema/properties/n/maxLength");
	assert_string_equal(d.v[0].fields[0].words, "a new argument");
	assert_string_equal(d.v[0].fields[1].old, "\"p\"");
	assert_null(d.v[0].fields[1].new);
	assert_int_equal(d.v[1].kind, PIN_GONE);
	assert_false(d.v[1].matters);
	assert_int_equal(d.v[2].kind, PIN_NEW);
	assert_true(d.v[2].matters);
}

static void foreign_text_is_shown_as_it_is_meant_and_drives_no_terminal(void **state)
{
	static const struct {
		const char *lexeme, *shown;
	} cases[] = {
		{ "\"plain\"", "plain" },
		{ "\"a\\nb\\\"c\\\"\"", "a\nb\"c\"" },
		{ "\"a\\\\nb\"", "a\\\\nb" },
		{ "\"\\u001b[31m\"", "\\u001b[31m" },
		{ "\"a\xe2\x80\xae"
		  "b\"",
			"a\\u{202e}b" },
		{ "12", "12" },
		{ "{}", "{}" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT(4096);
		assert_int_equal(pin_show_text(cases[i].lexeme, &b), 0);
		assert_string_equal(b.data, cases[i].shown);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pin_file_is_read_as_it_was_written),
		cmocka_unit_test(a_damaged_pin_file_denies),
		cmocka_unit_test(words_that_went_and_came_are_marked),
		cmocka_unit_test(very_long_texts_are_one_change),
		cmocka_unit_test(a_table_says_which_change_matters),
		cmocka_unit_test(a_difference_names_each_field_and_takes_sets_as_sets),
		cmocka_unit_test(foreign_text_is_shown_as_it_is_meant_and_drives_no_terminal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
