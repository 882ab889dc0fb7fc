/* SPDX-License-Identifier: Apache-2.0 */
/* test_schema_patterns - ECMA-262 through PCRE2: what differs, what is refused, what it may cost */
#include "tests/unit/unit.h"
#include <errno.h>
#include "base/buf.h"
#include "schema/regex.h"
#include "schema/schema.h"

static int match(const char *pattern, const char *text, size_t n, uint64_t *steps)
{
	struct regex_memory *m = regex_memory_new();
	struct diag d = { 0 };
	struct regex *r;
	int e = regex_compile(pattern, strlen(pattern), &r, &d);

	if (e)
		fail_msg("%s: %s", pattern, d.text);
	assert_non_null(m);
	e = regex_match(r, m, text, n, steps);
	regex_free(r);
	regex_memory_free(m);
	return e;
}

static void patterns_mean_what_ecma_262_says(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool matches;
	} cases[] = {
		{ "b", "abc", true },
		{ "^b", "abc", false },
		{ "^a$", "a\n", false },
		{ "^a.c$",
			"a\xc3\xa9"
			"c",
			true },
		{ "^.$", "\xf0\x9f\x90\xb2", true },
		{ "^.$", "\xe2\x80\xa8", false },
		{ "^.$", "\r", false },
		{ "^\\d$", "\xd9\xa3", false },
		{ "^\\w$", "\xc3\xa9", false },
		{ "^\\W$", "\xc3\xa9", true },
		{ "^\\s\\s\\s$", "\xc2\xa0\xef\xbb\xbf\x0b", true },
		{ "^[\\s]$", "\xe3\x80\x80", true },
		{ "^\\S$", "\xc2\xa0", false },
		{ "^[\\Sx]$", "\xe2\x80\xa8", false },
		{ "^[\\Sx]$", "\xf0\x9f\x90\xb2", true },
		{ "^[\\s-x]+$", " -x", true },
		{ "^[\\w-.]+$", "a-b.c", true },
		{ "^\\cC$", "\x03", true },
		{ "^\\v\\f$", "\x0b\x0c", true },
		{ "^\\u0041\\u{1f432}\\x42$",
			"A\xf0\x9f\x90\xb2"
			"B",
			true },
		{ "^\\ud83d\\udc32$", "\xf0\x9f\x90\xb2", true },
		{ "^\\p{Letter}\\p{Lu}\\p{Script=Greek}\\P{Nd}$",
			"\xc3\xa9"
			"A\xce\xb1"
			"x",
			true },
		{ "^\\p{gc=Decimal_Number}$", "\xd9\xa3", true },
		{ "^[^]$", "\n", true },
		{ "^[]$", "", false },
		{ "^[[a]+$", "[a", true },
		{ "^[[:alpha:]]$", "a]", true },
		{ "^a{,2}$", "a{,2}", true },
		{ "^a{x}$", "a{x}", true },
		{ "^a{2}$", "aa", true },
		{ "^]}$", "]}", true },
		{ "^[\\b]$", "\b", true },
		{ "\\bfoo\\b", "a foo b", true },
		{ "^(a)?b\\1$", "b", true },
		{ "^(?<x>a)\\k<x>$", "aa", true },
		{ "(?<=a)b", "ab", true },
		{ "(?<!a)b", "ab", false },
		{ "^\\-\\_\\\"\\@\\/\\ $", "-_\"@/ ", true },
		{ "^a|b$", "xb", true },
		{ "^\xc3\xa9+$", "\xc3\xa9\xc3\xa9", true },
		{ "", "anything", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t steps = 10000;
		int e = match(cases[i].pattern, cases[i].text, strlen(cases[i].text), &steps);
		if (e != (cases[i].matches ? REGEX_MATCH : REGEX_NO_MATCH))
			fail_msg("%s on '%s': %d", cases[i].pattern, cases[i].text, e);
	}
}

static void what_only_pcre2_knows_is_refused_with_words(void **state)
{
	static const struct {
		const char *pattern, *why;
	} cases[] = {
		{ "\\Aa", "no meaning of its own in ECMA-262" },
		{ "a\\Z", "no meaning of its own in ECMA-262" },
		{ "a\\z", "no meaning of its own in ECMA-262" },
		{ "\\Ga", "no meaning of its own in ECMA-262" },
		{ "a\\Kb", "no meaning of its own in ECMA-262" },
		{ "\\Qa\\E", "no meaning of its own in ECMA-262" },
		{ "\\R", "no meaning of its own in ECMA-262" },
		{ "\\h", "no meaning of its own in ECMA-262" },
		{ "\\a", "no meaning of its own in ECMA-262" },
		{ "\\e", "no meaning of its own in ECMA-262" },
		{ "[\\Q]", "no meaning of its own in ECMA-262" },
		{ "(?i)a", "does not know" },
		{ "(?>a)", "does not know" },
		{ "(?P<x>a)", "does not know" },
		{ "(?#c)", "does not know" },
		{ "(?|a)", "does not know" },
		{ "(*ACCEPT)", "nothing that could be repeated" },
		{ "(*UCP)a", "nothing that could be repeated" },
		{ "a++", "nothing that could be repeated" },
		{ "a{2}+", "nothing that could be repeated" },
		{ "*a", "nothing that could be repeated" },
		{ "^*", "nothing that could be repeated" },
		{ "a**", "nothing that could be repeated" },
		{ "\\c1", "not followed by a letter" },
		{ "\\01", "\\0 is followed by a digit" },
		{ "\\u12", "character's number" },
		{ "\\u{110000}", "character's number" },
		{ "\\ud800", "surrogate" },
		{ "\\p{Nonsense}", "unknown property" },
		{ "\\pL", "property in braces" },
		{ "\\p{^L}", "odd character" },
		{ "[a", "not closed" },
		{ "[b-a]", "out of order" },
		{ "(a", "parenthesis" },
		{ "a)", "parenthesis" },
		{ "a\\", "ends in a backslash" },
		{ "\\1", "non-existent" },
		{ "(?<=a+)b", "lookbehind" },
		{ "((((((a{100}){100}){100}){100}){100}){100})", "too large" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct diag d = { 0 };
		struct regex *r;
		assert_int_equal(regex_compile(cases[i].pattern, strlen(cases[i].pattern), &r, &d), -EINVAL);
		assert_null(r);
		if (!strstr(d.text, cases[i].why) || !strstr(d.text, "holds the pattern '"))
			fail_msg("%s: %s", cases[i].pattern, d.text);
	}
}

static void a_pattern_that_would_try_for_ever_ends_with_its_budget(void **state)
{
	static const char *const slow[] = { "^(a+)+$", "^(a|a)*$", "^(a*)*[bc]$", "^([a-z]+)*[0-9]$",
		"(.*)*(.*)*(.*)*[!?]" };
	char text[4097];

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '-';
	for (size_t i = 0; i < ARRAY_LEN(slow); i++) {
		uint64_t steps = 100000;
		assert_int_equal(match(slow[i], text, sizeof(text), &steps), REGEX_TOO_COSTLY);
	}
}

static void a_match_takes_steps_for_what_it_tries_and_for_the_length_of_the_text(void **state)
{
	char text[6400];
	uint64_t few = 1000, many = 1000;

	memset(text, 'a', sizeof(text));
	assert_int_equal(match("^a", text, 1, &few), REGEX_MATCH);
	assert_int_equal(match("^a", text, sizeof(text), &many), REGEX_MATCH);
	assert_true(few < 1000 && many + 100 < few);
}

static void a_match_ends_where_its_steps_do(void **state)
{
	uint64_t enough = 50, few = 5;

	assert_int_equal(match("^(a|b)*$", "abababab", 8, &enough), REGEX_MATCH);
	assert_int_equal(match("^(a|b)*$", "abababab", 8, &few), REGEX_TOO_COSTLY);
}

static void a_match_takes_no_more_memory_than_is_allowed(void **state)
{
	static char text[1 << 20];
	uint64_t steps = UINT64_MAX;

	memset(text, 'a', sizeof(text));
	assert_int_equal(match("^(a|b)*$", text, 1000, &steps), REGEX_MATCH);
	assert_int_equal(match("^(a|b)*$", text, sizeof(text), &steps), REGEX_TOO_COSTLY);
	assert_int_equal(match("^[ab]*$", text, sizeof(text), &steps), REGEX_MATCH);
}

static void half_of_a_surrogate_pair_matches_nothing_and_harms_nothing(void **state)
{
	uint64_t steps = 1000;

	assert_int_equal(match("^.$", "\xed\xa0\x80", 3, &steps), REGEX_NO_MATCH);
	assert_int_equal(match("b",
				 "\xed\xa0\x80"
				 "b",
				 4, &steps),
		REGEX_MATCH);
}

static void a_pattern_that_is_too_long_is_refused(void **state)
{
	static char text[REGEX_PATTERN_MAX + 2];
	struct diag d = { 0 };
	struct regex *r;

	memset(text, 'a', REGEX_PATTERN_MAX + 1);
	assert_int_equal(regex_compile(text, REGEX_PATTERN_MAX + 1, &r, &d), -EINVAL);
	assert_non_null(strstr(d.text, "longer than"));
	assert_int_equal(regex_compile(text, REGEX_PATTERN_MAX, &r, &d), 0);
	regex_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_mean_what_ecma_262_says),
		cmocka_unit_test(what_only_pcre2_knows_is_refused_with_words),
		cmocka_unit_test(a_pattern_that_would_try_for_ever_ends_with_its_budget),
		cmocka_unit_test(a_match_takes_steps_for_what_it_tries_and_for_the_length_of_the_text),
		cmocka_unit_test(a_match_ends_where_its_steps_do),
		cmocka_unit_test(a_match_takes_no_more_memory_than_is_allowed),
		cmocka_unit_test(half_of_a_surrogate_pair_matches_nothing_and_harms_nothing),
		cmocka_unit_test(a_pattern_that_is_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
