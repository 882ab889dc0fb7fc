/* SPDX-License-Identifier: Apache-2.0 */
/* test_fold - case folding is what Unicode says it is, and what peers do with it */
#include "tests/unit/unit.h"
#include <stdio.h>
#include <stdlib.h>
#include "base/text.h"
#include "shim/fold.h"

static const char DATA[] = "/usr/share/unicode/CaseFolding.txt";

static void the_table_is_that_of_unicode(void **state)
{
	uint32_t *want = calloc(0x110000, sizeof(*want));
	FILE *f = fopen(DATA, "re");

	assert_non_null(want);
	/* Debian's package unicode-data; tools/dev/deps.sh installs it for tests. */
	if (!f)
		fail_msg("%s is missing: install unicode-data", DATA);
	for (uint32_t cp = 0; cp < 0x110000; cp++)
		want[cp] = cp;
	for (char line[256]; fgets(line, sizeof(line), f);) {
		unsigned from, to;
		char status;
		if (sscanf(line, "%x; %c; %x;", &from, &status, &to) == 3 && (status == 'C' || status == 'S'))
			want[from] = to;
	}
	fclose(f);
	want[0x130] = want[0x131] = 'i';
	for (uint32_t cp = 0; cp < 0x110000; cp++)
		if (fold_char(cp) != want[cp])
			fail_msg("U+%04X folds to U+%04X, not to U+%04X", cp, fold_char(cp), want[cp]);
	free(want);
}

static void words_that_peers_confuse_fold_to_the_same(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
		{ "name", "Name", true },
		{ "params", "param\xc5\xbf", true },
		{ "kind", "\xe2\x84\xaaIND", true },
		{ "\xc3\x84pfel", "\xc3\xa4PFEL", true },
		{ "\xce\xa3", "\xcf\x82", true },
		{ "id",
			"\xc4\xb0"
			"d",
			true },
		{ "aKb", "Ak\x42", true },
		{ "as\xc5\xbfS", "ASss", true },
		{ "as\xc5\xbfS", "ASs", false },
		{ "name", "nam", false },
		{ "", "", true },
		{ "a", "", false },
		{ "stra\xc3\x9f"
		  "e",
			"strasse", false },
		{ "@", "`", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(
			fold_equal(cases[i].a, strlen(cases[i].a), cases[i].b, strlen(cases[i].b)), cases[i].same);
}

static void two_letters_of_ascii_are_equal_if_their_folds_are(void **state)
{
	for (unsigned x = 0; x < 128; x++)
		for (unsigned y = 0; y < 128; y++) {
			const char a[] = { 'p', (char)x, '\xc5', '\xbf' }, b[] = { 'P', (char)y, 's' };
			assert_int_equal(fold_equal(a, sizeof(a), b, sizeof(b)), fold_char(x) == fold_char(y));
			assert_int_equal(fold_equal(a, 2, b, 2), fold_char(x) == fold_char(y));
		}
}

static void eight_bytes_at_a_time_fold_like_one(void **state)
{
	for (unsigned c = 0; c < 256; c++)
		for (int at = 0; at < 8; at++) {
			uint64_t x = 0x415a617a40605b7bULL & ~(0xffULL << 8 * at), y, want = 0;
			x |= (uint64_t)c << 8 * at;
			for (int i = 0; i < 8; i++) {
				unsigned b = (unsigned)(x >> 8 * i) & 0xff;
				want |= (uint64_t)(b >= 'A' && b <= 'Z' ? b + 32 : b) << 8 * i;
			}
			y = fold_ascii8(x);
			assert_int_equal(y, want);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_that_of_unicode),
		cmocka_unit_test(words_that_peers_confuse_fold_to_the_same),
		cmocka_unit_test(two_letters_of_ascii_are_equal_if_their_folds_are),
		cmocka_unit_test(eight_bytes_at_a_time_fold_like_one),
	};

	return cmocka_run_group_tests_name("case folding", tests, NULL, NULL);
}
