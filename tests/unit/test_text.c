/* SPDX-License-Identifier: Apache-2.0 */
/* test_text - foreign bytes before a person's eyes: escapes, quoting, UTF-8, the nearest word */
#include "tests/unit/unit.h"
#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/io.h"
#include "base/text.h"

enum { TEXT_TEST_MAX = 4096 };

static const struct {
	const char *in, *out;
	unsigned flags;
} escapes[] = {
	{ "plain", "plain", 0 }, { "grüße 漢字 😀", "grüße 漢字 😀", 0 }, { "\x1b[31m", "\\x1b[31m", 0 },
	{ "a\nb\tc\rd", "a\\x0ab\\x09c\\x0dd", 0 },
	{ "a\nb\tc\rd", "a\nb\tc\\x0dd", TEXT_KEEP_NEWLINE | TEXT_KEEP_TAB }, { "\x7f", "\\x7f", 0 },
	{ "\xc2\x9b"
	  "31m",
		"\\u{9b}31m", 0 },    /* C1 CSI */
	{ "\xc2\x85", "\\u{85}", 0 }, /* C1 next line */
	{ "\xe2\x80\xae"
	  "txt.exe",
		"\\u{202e}txt.exe", 0 },    /* bidirectional override */
	{ "\xe2\x81\xa6", "\\u{2066}", 0 }, /* isolate */
	{ "\xd8\x9c", "\\u{61c}", 0 },	    /* Arabic letter mark */
	{ "a\xe2\x80\x8b"
	  "b",
		"a\\u{200b}b", 0 },		 /* zero width space */
	{ "\xe2\x80\x8d", "\\u{200d}", 0 },	 /* joiner */
	{ "\xef\xbb\xbf", "\\u{feff}", 0 },	 /* BOM */
	{ "\xc2\xad", "\\u{ad}", 0 },		 /* soft hyphen */
	{ "\xe3\x85\xa4", "\\u{3164}", 0 },	 /* Hangul filler */
	{ "\xe2\xa0\x80", "\\u{2800}", 0 },	 /* blank Braille */
	{ "\xef\xb8\x8f", "\\u{fe0f}", 0 },	 /* variation selector */
	{ "\xf3\xa0\x84\x80", "\\u{e0100}", 0 }, /* variation selector supplement */
	{ "\xf3\xa0\x81\xa9", "\\u{e0069}", 0 }, /* tag letter: instructions that only a model sees */
	{ "\xe2\x80\xa8", "\\u{2028}", 0 },	 /* line separator */
	{ "\xe2\x80\xa9", "\\u{2029}", 0 },	 /* paragraph separator */
	{ "\xee\x80\x80", "\\u{e000}", 0 },	 /* private use */
	{ "\xef\xbf\xbe", "\\u{fffe}", 0 },	 /* noncharacter */
	{ "\xf0\x9f\xbf\xbf", "\\u{1ffff}", 0 }, /* noncharacter of a higher plane */
	{ "\\x1b", "\\\\x1b", 0 },		 /* an escape cannot be forged */
	{ "\\x1b", "\\x1b", TEXT_KEEP_BACKSLASH }, { "\xff\xfe", "\\xff\\xfe", 0 },
	{ "\xc0\xaf", "\\xc0\\xaf", 0 },		   /* overlong slash */
	{ "\xed\xa0\x80", "\\xed\\xa0\\x80", 0 },	   /* surrogate */
	{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", 0 }, /* past U+10FFFF */
	{ "a\xe2\x80", "a\\xe2\\x80", 0 },		   /* cut in a character */
};

static void what_a_person_cannot_see_becomes_visible(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(escapes); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT(TEXT_TEST_MAX);
		assert_int_equal(text_escape(&b, escapes[i].in, strlen(escapes[i].in), escapes[i].flags), 0);
		assert_string_equal(b.data, escapes[i].out);
	}
}

static void a_nul_inside_is_escaped_and_does_not_end_the_text(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(TEXT_TEST_MAX);

	assert_int_equal(text_escape(&b, "a\0b", 3, 0), 0);
	assert_string_equal(b.data, "a\\x00b");
}

static void escaped_text_holds_no_deceptive_character_for_any_character(void **state)
{
	for (uint32_t cp = 0; cp <= 0x10ffff; cp++) {
		_cleanup_buf_ struct buf b = BUF_INIT(64);
		char raw[4];
		uint32_t back;

		if (cp >= 0xd800 && cp <= 0xdfff)
			continue;
		size_t n = utf8_encode(cp, raw);
		assert_int_equal(utf8_decode((unsigned char *)raw, n, &back), n);
		assert_int_equal(back, cp);
		assert_int_equal(text_escape(&b, raw, n, 0), 0);
		if (text_is_deceptive(cp))
			for (size_t i = 0; i < b.len; i++)
				assert_in_range(b.data[i], 0x21, 0x7e);
		else if (cp != '\\')
			assert_memory_equal(b.data, raw, n);
	}
}

static void a_fixed_array_is_filled_to_a_whole_character_and_marked_when_cut(void **state)
{
	static const char in[] = "ab\xe2\x80\xae\x1b漢字\\end";
	static const char whole[] = "ab\\u{202e}\\x1b漢字\\\\end";

	for (size_t size = 4; size < sizeof(whole) + 4; size++) {
		char out[64];
		memset(out, 'Z', sizeof(out));
		assert_ptr_equal(text_escape_str(in, out, size), out);
		assert_true(strlen(out) < size);
		assert_int_equal(out[size], 'Z');
		assert_true(utf8_valid(out, strlen(out)));
		if (size >= sizeof(whole)) {
			assert_string_equal(out, whole);
			continue;
		}
		size_t kept = strlen(out) - 3;
		assert_string_equal(out + kept, "...");
		assert_memory_equal(out, whole, kept);
	}
}

static const struct {
	const char *bytes;
	bool valid;
} utf8[] = {
	{ "", true },
	{ "\x7f", true },
	{ "\xc2\x80", true },
	{ "\xdf\xbf", true },
	{ "\xe0\xa0\x80", true },
	{ "\xed\x9f\xbf", true },
	{ "\xee\x80\x80", true },
	{ "\xf4\x8f\xbf\xbf", true },
	{ "\x80", false },
	{ "\xc1\xbf", false },	       /* overlong */
	{ "\xe0\x9f\xbf", false },     /* overlong */
	{ "\xf0\x8f\xbf\xbf", false }, /* overlong */
	{ "\xed\xa0\x80", false },     /* first surrogate */
	{ "\xed\xbf\xbf", false },     /* last surrogate */
	{ "\xf4\x90\x80\x80", false },
	{ "\xf8\x88\x80\x80\x80", false },
	{ "\xc2", false },
	{ "\xe2\x28\xa1", false },
	{ "\xc2\x41", false },
};

static void only_the_shortest_form_of_a_real_character_is_utf8(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(utf8); i++)
		assert_int_equal(utf8_valid(utf8[i].bytes, strlen(utf8[i].bytes)), utf8[i].valid);
}

static void utf8_is_cut_between_characters(void **state)
{
	static const struct {
		const char *text;
		size_t max, cut;
	} cuts[] = { { "abc", 3, 3 }, { "abc", 2, 2 }, { "a\xc3\xa9", 3, 3 }, { "a\xc3\xa9", 2, 1 },
		{ "\xf0\x9f\x98\x80", 3, 0 }, { "a\xe2\x82\xac\xe2\x82\xac", 6, 4 }, { "", 0, 0 } };

	for (size_t i = 0; i < ARRAY_LEN(cuts); i++)
		assert_int_equal(utf8_cut(cuts[i].text, strlen(cuts[i].text), cuts[i].max), cuts[i].cut);
}

static const struct {
	const char *word, *quoted;
} quotes[] = {
	{ "node", "node" },
	{ "--root=/a/b.c:d,e@f%g+h", "--root=/a/b.c:d,e@f%g+h" },
	{ "", "''" },
	{ "a b", "'a b'" },
	{ "$(id)", "'$(id)'" },
	{ "`id`", "'`id`'" },
	{ "~", "'~'" },
	{ "it's", "'it'\\''s'" },
	{ "a\\b", "'a\\b'" },
	{ "a\nb", "$'a\\x0ab'" },
	{ "\x1b"
	  "31",
		"$'\\x1b31'" },
	{ "\x1b'\\", "$'\\x1b\\'\\\\'" },
	{ "\xe2\x80\xae"
	  "fdp",
		"$'\\u202efdp'" },
	{ "\xf3\xa0\x81\xa9"
	  "9",
		"$'\\U000e00699'" },
	{ "\xff", "$'\\xff'" },
	{ "grüße", "'grüße'" },
};

static void a_shell_word_is_quoted_only_as_far_as_it_must_be(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(quotes); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT(TEXT_TEST_MAX);
		assert_int_equal(text_quote_shell(&b, quotes[i].word), 0);
		assert_string_equal(b.data, quotes[i].quoted);
	}
}

/* What bash makes of the words of a line, each ended by a NUL. */
static void bash_words(const char *line, struct buf *ret)
{
	int p[2], status;

	assert_int_equal(pipe(p), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(p[1], 1);
		execl("/bin/bash", "bash", "--norc", "-c", line, (char *)NULL);
		_exit(127);
	}
	close(p[1]);
	assert_int_equal(io_read_all(p[0], ret), 0);
	close(p[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void bash_reads_back_every_quoted_word_byte_for_byte(void **state)
{
	_cleanup_buf_ struct buf line = BUF_INIT(1 << 20), want = BUF_INIT(1 << 20), got = BUF_INIT(1 << 20);
	char bytes[3] = "";

	setenv("LC_ALL", "C.UTF-8", 1);
	assert_int_equal(buf_puts(&line, "printf '%s\\0'"), 0);
	for (size_t i = 0; i < ARRAY_LEN(quotes) + 255 + ARRAY_LEN(escapes); i++) {
		const char *word = bytes;
		if (i < ARRAY_LEN(quotes)) {
			word = quotes[i].word;
		} else if (i < ARRAY_LEN(quotes) + 255) {
			bytes[0] = (char)(i - ARRAY_LEN(quotes) + 1);
			bytes[1] = 'f'; /* a hexadecimal digit after an escape */
		} else {
			word = escapes[i - ARRAY_LEN(quotes) - 255].in;
		}
		assert_int_equal(buf_putc(&line, ' '), 0);
		assert_int_equal(text_quote_shell(&line, word), 0);
		assert_int_equal(buf_append(&want, word, strlen(word) + 1), 0);
	}
	bash_words(line.data, &got);
	assert_int_equal(got.len, want.len);
	assert_memory_equal(got.data, want.data, want.len);
}

static const struct {
	const char *word, *found;
} nearest[] = {
	{ "netwrok", "network" }, { "network", "network" }, { "comand", "command" }, { "tool", "tools" },
	{ "xyz", NULL }, { "", NULL }, { "ab", NULL }, /* three edits from "env": more guess than word */
};

static void the_nearest_word_is_named_only_when_it_is_near(void **state)
{
	static const char *const words[] = { "command", "env", "network", "tools" };
	char longer[200];

	for (size_t i = 0; i < ARRAY_LEN(nearest); i++) {
		const char *got = text_nearest(nearest[i].word, words, ARRAY_LEN(words));
		if (nearest[i].found)
			assert_string_equal(got, nearest[i].found);
		else
			assert_null(got);
	}
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_null(text_nearest(longer, words, ARRAY_LEN(words)));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_person_cannot_see_becomes_visible),
		cmocka_unit_test(a_nul_inside_is_escaped_and_does_not_end_the_text),
		cmocka_unit_test(escaped_text_holds_no_deceptive_character_for_any_character),
		cmocka_unit_test(a_fixed_array_is_filled_to_a_whole_character_and_marked_when_cut),
		cmocka_unit_test(only_the_shortest_form_of_a_real_character_is_utf8),
		cmocka_unit_test(a_shell_word_is_quoted_only_as_far_as_it_must_be),
		cmocka_unit_test(utf8_is_cut_between_characters),
		cmocka_unit_test(bash_reads_back_every_quoted_word_byte_for_byte),
		cmocka_unit_test(the_nearest_word_is_named_only_when_it_is_near),
	};
	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
