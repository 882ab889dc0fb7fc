/* SPDX-License-Identifier: Apache-2.0 */
/* test_shim_invisible - what nobody sees goes out of text, and the text of every language stays as it is */
#include "tests/unit/shim_unit.h"
#include "shim/invisible.h"
#include "shim/json_string.h"

#define GONE "\xef\xbf\xbd"

static struct json_doc doc;

/* The inside of the string that the text, as a JSON string's inside, is in canonical form. */
static struct slice canonical(const char *text)
{
	char line[4096];
	int n = snprintf(line, sizeof(line), "{\"a\":\"%s\"}\n", text);

	assert_in_range(n, 1, sizeof(line) - 1);
	assert_int_equal(json_parse(&doc, line, (size_t)n - 1), 0);
	return walk_string(walk_get((struct slice){ doc.out.data, doc.out.len }, "a"));
}

static void expect(const char *text, const char *want, uint64_t runs)
{
	_cleanup_buf_ struct buf out = BUF_INIT(1 << 20), again = BUF_INIT(1 << 20);
	struct slice inside = canonical(text);
	bool odd = doc.seen & JSON_STRING_ODD;
	uint64_t count = 0;

	assert_int_equal(invisible_replace(&out, inside, &count), 0);
	if (!inside.n || out.len != strlen(want) || memcmp(out.data, want, out.len) != 0)
		fail_msg("'%s' becomes '%.*s', not '%s'", text, (int)out.len, out.data, want);
	assert_int_equal(count, runs);
	assert_int_equal(invisible_is_in(inside), runs > 0);
	if (runs && !odd)
		fail_msg("'%s': the reader did not say that it is odd", text);
	count = 0;
	assert_int_equal(invisible_replace(&again, (struct slice){ out.data, out.len }, &count), 0);
	assert_int_equal(count, 0);
}

static void stays(const char *text)
{
	_cleanup_buf_ struct buf copy = BUF_INIT(1 << 20);
	struct slice inside = canonical(text);

	assert_int_equal(buf_append(&copy, inside.p, inside.n), 0);
	expect(text, copy.data, 0);
}

static void escape_sequences_go_whole(void **state)
{
	expect("a\\u001b[31mred\\u001b[0mb", "a" GONE "red" GONE "b", 2);
	expect("a\\u001b[31m\\u001b[1;4mb", "a" GONE "b", 1);
	expect("\\u001b]0;title\\u0007x", GONE "x", 1);
	expect("\\u001b]8;;http://evil/\\u001b\\\\link\\u001b]8;;\\u001b\\\\", GONE "link" GONE, 2);
	expect("\\u009b31mx\\u009d0;t\\u009cy", GONE "x" GONE "y", 2);
	expect("\\u001bPq...\\u001b\\\\x", GONE "x", 1);
	expect("\\u001b(Bx\\u001bcy", GONE "x" GONE "y", 2);
	/* What is never ended is no sequence: its text stays in sight. */
	expect("\\u001b]0;hidden", GONE "]0;hidden", 1);
	expect("\\u001b[31\\nx", GONE "[31\\nx", 1);
	expect("\\u001b]0;a\\nb\\u0007", GONE "]0;a\\nb" GONE, 2);
	expect("x\\u001b", "x" GONE, 1);
	expect("\\u001b[", GONE "[", 1);
}

static void controls_go_and_line_ends_and_tabs_stay(void **state)
{
	stays("a\\nb\\tc\\r\\nd\\r");
	stays("a\\r\\r\\nb");
	expect("a\\rb", "a" GONE "b", 1);
	expect("a\\b\\fb\\u0000c\\u007fd\\u0085e", "a" GONE "b" GONE "c" GONE "d" GONE "e", 4);
	expect("\\ud800x", GONE "x", 1);
}

static void what_nobody_sees_goes(void **state)
{
	static const char *const hidden[] = { "\u200b", "\u00ad", "\u034f", "\u061c", "\u200c", "\u200d", "\u200e",
		"\u200f", "\u202a", "\u202e", "\u2060", "\u2063", "\u2066", "\u2069", "\ufe0f", "\ufe00", "\ufeff",
		"\U000e0041", "\U000e007f", "\U000e0100", "\u3164", "\uffa0", "\u115f", "\u180e", "\u17b4", "\ufff9",
		"\U0001bca0", "\U0001d173", "\ufdd0", "\U0001ffff", "\U00013430" };
	char text[64], want[64];

	for (size_t i = 0; i < ARRAY_LEN(hidden); i++) {
		snprintf(text, sizeof(text), "a%sb", hidden[i]);
		expect(text, "a" GONE "b", 1);
		/* A run of them says no more than one, whatever it spells. */
		snprintf(text, sizeof(text), "ab%s\u200b%s\u200b\u202ecd", hidden[i], hidden[i]);
		snprintf(want, sizeof(want), "ab" GONE "cd");
		expect(text, want, 1);
	}
	expect("\U0001f3f4\U000e0069\U000e0067\U000e006e\U000e007fx", "\U0001f3f4" GONE "x", 1);
	expect("\U0001f600\U000e0101\U000e0102", "\U0001f600" GONE, 1);
	expect("\U0001f600\ufe0f\ufe0f", "\U0001f600\ufe0f" GONE, 1);
}

static void text_of_every_language_stays(void **state)
{
	stays("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \u06a9\u062a\u0627\u0628\u200c\u0647\u0627"); /* Persian
													       */
	stays("\u200f\u0627\u0644\u0639\u0631\u0628\u064a\u0629\u200f (\u200eC++\u200e) \u061c!"); /* Arabic */
	stays("\u05e9\u05dc\u05d5\u05dd \u200e(abc)\u200e \u2066file.txt\u2069");		   /* Hebrew */
	stays("\u202b\u05e9\u05dc\u05d5\u05dd\u202c\\nplain");
	stays("\u0915\u094d\u200d\u0937 \u0930\u094d\u200d \u0915\u094d\u200c\u0937"); /* Devanagari */
	stays("\u0dc1\u0dca\u200d\u0dbb\u0dd3 \u0d28\u0d4d\u200d");		       /* Sinhala, Malayalam */
	stays("\u1781\u17d2\u1798\u17c2\u179a\u200b\u1797\u17b6\u179f\u17b6");	       /* Khmer */
	stays("\u0e44\u0e17\u0e22\u200b\u0e41\u0e25\u0e30");			       /* Thai */
	stays("\u182e\u1824\u1829\u182d\u180b\u1824\u182f\u180e\u1820");	       /* Mongolian */
	stays("\u845b\U000e0100\u57ce \u6f22\ufe00 \u3001\ufe00");		       /* Japanese, Chinese */
	stays("\u1112\u119e\u11ab \u115f\u1161 \u1100\u1160\u11ab");		       /* Korean */
	stays("\u05d0\u05bc\u034f\u05b0");
	stays("\u4f60\u597d\uff0c\u4e16\u754c\u3002 Gr\u00fc\u00dfe \u2014 \u201cquoted\u201d \u2026 \u20ac x\u00b2");
	stays("\u00a0\u2003\u3000\u2028 \u2800 \ue0b0 \ufffd");
}

/* Bytes can be written as selectors: a whole one in each, or a bit in whether there is one. */
static void selectors_that_spell_something_go(void **state)
{
	char text[512] = "", want[16];
	_cleanup_buf_ struct buf out = BUF_INIT(1 << 16);
	uint64_t count = 0;

	expect("\u6f22\U000e0120\u5b57\ufe03", "\u6f22" GONE "\u5b57" GONE, 2);
	expect("1\ufe0e2\ufe0f3\ufe0f\u20e3 0\ufe01", "1" GONE "2" GONE "3\ufe0f\u20e3 0" GONE, 3);
	for (int i = 0; i < 28; i++) {
		size_t n = strlen(text);
		snprintf(text + n, sizeof(text) - n, "\u6f22\xf3\xa0\x84%c", (char)(0x80 + i));
	}
	assert_int_equal(invisible_replace(&out, slice_of(text), &count), 0);
	assert_in_range(count, 20, 24);
	/* In running text some are names. */
	snprintf(want, sizeof(want), "\u845b\U000e0100");
	text[0] = '\0';
	for (int i = 0; i < 8; i++) {
		size_t n = strlen(text);
		snprintf(text + n, sizeof(text) - n,
			"%s\u57ce\u5e02\u306f\u6771\u4eac\u306e\u5317\u306b\u3042\u308b\u6f22\u5b57\u8449", want);
	}
	stays(text);
}

static void emoji_stay(void **state)
{
	stays("\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"); /* a family */
	stays("\U0001f469\U0001f3fd\u200d\U0001f4bb \U0001f3f3\ufe0f\u200d\U0001f308 \u2764\ufe0f\u200d\U0001f525");
	stays("\U0001f3f4\u200d\u2620\ufe0f \U0001f1e9\U0001f1ea 1\ufe0f\u20e3 #\ufe0f\u20e3 \u00a9\ufe0f "
	      "\u2603\ufe0e");
	stays("\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f!"); /* England */
}

static void direction_is_only_turned_where_letters_need_it(void **state)
{
	expect("if (access \u202e\u2066// admin\u2069\u2066)", "if (access " GONE "// admin" GONE ")", 2);
	expect("\u05d0\\nx \u2067y\u2069", "\u05d0\\nx " GONE "y" GONE, 2);
	expect("\u05d0 \u2067y", "\u05d0 " GONE "y", 1);
	expect("\u05d0 \u2069\u2067y", "\u05d0 " GONE "y", 1);
	expect("\u05d0 \u202ey\u202c", "\u05d0 " GONE "y" GONE, 2);
	expect("\u05d0 \u200e\\u001b[1mx", "\u05d0 " GONE "x", 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escape_sequences_go_whole),
		cmocka_unit_test(controls_go_and_line_ends_and_tabs_stay),
		cmocka_unit_test(what_nobody_sees_goes),
		cmocka_unit_test(text_of_every_language_stays),
		cmocka_unit_test(selectors_that_spell_something_go),
		cmocka_unit_test(emoji_stay),
		cmocka_unit_test(direction_is_only_turned_where_letters_need_it),
	};

	json_doc_init(&doc, 1 << 20, 1);
	int failed = cmocka_run_group_tests_name("invisible", tests, NULL, NULL);
	json_doc_done(&doc);
	return failed;
}
