/* SPDX-License-Identifier: Apache-2.0 */
/* test_secret_key - the half that signs: written, opened with the passphrase alone, and of minisign's form */
#include "tests/unit/unit.h"
#include <errno.h>
#include <stdlib.h>
#include "sign/keyring.h"
#include "sign/secret_key.h"
#include "tests/unit/sign_unit.h"

#define PASSPHRASE "correct horse"

/* As little work as the functions take: what is tested is the form. */
static const struct sign_cost cheap[] = {
	[SIGN_ARGON2ID] = { 1, 8192 },
	[SIGN_SCRYPT] = { 32768, 1 << 20 },
	[SIGN_BARE] = { 0, 0 },
};

static int setup(void **state)
{
	return sign_init();
}

static struct sign_secret *new_secret(void)
{
	struct sign_secret *s = NULL;
	struct diag d = { "" };

	if (sign_secret_new(&s, &d) < 0)
		fail_msg("%s", d.text);
	return s;
}

static void put(const struct sign_secret *s, enum sign_protection how, struct buf *ret)
{
	struct diag d = { "" };

	if (sign_secret_text(s, how, &cheap[how], PASSPHRASE, ret, &d) < 0)
		fail_msg("%s", d.text);
}

static int parse(const char *text, size_t n, const char *passphrase, struct sign_secret **ret)
{
	struct diag d = { "" };
	int r = sign_secret_parse("x.key", text, n, passphrase, ret, &d);

	assert_true((r < 0) == (d.text[0] != '\0'));
	return r;
}

/* Does it open? Whatever comes out is freed. */
static int opens(const char *text, size_t n, const char *passphrase)
{
	_cleanup_sign_secret_ struct sign_secret *s = NULL;

	return parse(text, n, passphrase, &s);
}

static void a_key_that_was_written_opens_with_its_passphrase_and_no_other(void **state)
{
	for (size_t how = 0; how < ARRAY_LEN(cheap); how++) {
		_cleanup_sign_secret_ struct sign_secret *s = new_secret(), *again = NULL;
		_cleanup_wiped_buf_ struct buf text = BUF_INIT(SIGN_SECRET_MAX);
		enum sign_protection protection;
		struct sign_key a, b;
		struct diag d = { "" };

		put(s, (enum sign_protection)how, &text);
		assert_int_equal(parse(text.data, text.len, PASSPHRASE, &again), 0);
		sign_secret_public(s, &a);
		sign_secret_public(again, &b);
		assert_true(sign_key_is(&a, &b));
		assert_int_equal(sign_secret_protection("x", text.data, text.len, &protection, &d), 0);
		assert_int_equal(protection, how);
		if (how == SIGN_BARE)
			continue;
		assert_int_equal(opens(text.data, text.len, "correct horse "), -EACCES);
		assert_int_equal(opens(text.data, text.len, ""), -EACCES);
		assert_int_equal(opens(text.data, text.len, NULL), -EACCES);
	}
}

static void what_it_signs_verifies_with_its_public_key(void **state)
{
	_cleanup_sign_secret_ struct sign_secret *s = new_secret();
	_cleanup_sign_signature_ struct sign_signature made = { 0 };
	struct sign_key k;
	struct diag d = { "" };

	sign_secret_public(s, &k);
	assert_int_equal(sign_secret_sign(s, NOTES, strlen(NOTES), "timestamp:1\tfile:notes.json", &made, &d), 0);
	assert_true(made.prehashed);
	assert_int_equal(sign_verify(&k, &made, "x", NOTES, strlen(NOTES), &d), 0);
	assert_int_equal(sign_verify(&k, &made, "x", NOTES, strlen(NOTES) - 1, &d), -EBADMSG);
}

static void it_signs_as_minisign_does_with_the_same_key(void **state)
{
	_cleanup_sign_secret_ struct sign_secret *s = NULL;
	_cleanup_sign_signature_ struct sign_signature made = { 0 };
	_cleanup_buf_ struct buf text = BUF_INIT(SIGN_FILE_MAX);
	struct diag d = { "" };

	assert_int_equal(parse(SECRET_A, strlen(SECRET_A), NULL, &s), 0);
	assert_int_equal(
		sign_secret_sign(s, NOTES, strlen(NOTES), "timestamp:1790000000\tfile:notes.json\thashed", &made, &d),
		0);
	assert_int_equal(sign_signature_text(&made, "signature from minisign secret key", &text), 0);
	assert_string_equal(text.data, HASHED_A);
}

static void a_trusted_comment_is_one_line(void **state)
{
	_cleanup_sign_secret_ struct sign_secret *s = new_secret();
	struct sign_signature made = { 0 };
	struct diag d = { "" };

	assert_int_equal(sign_secret_sign(s, "x", 1, "a\nb", &made, &d), -EINVAL);
	assert_int_equal(sign_secret_sign(s, "x", 1, "a\x1b[2J", &made, &d), -EINVAL);
	assert_null(made.trusted);
}

/* A protected key, of which every bit is turned once. */
static void check_flips(enum sign_protection how)
{
	_cleanup_sign_secret_ struct sign_secret *s = new_secret();
	_cleanup_wiped_buf_ struct buf text = BUF_INIT(SIGN_SECRET_MAX);

	put(s, how, &text);
	for (size_t i = strcspn(text.data, "\n"); i < text.len; i++) {
		char was = text.data[i];
		for (unsigned bit = 0; bit < 8; bit++) {
			text.data[i] = (char)(was ^ (1 << bit));
			assert_true(opens(text.data, text.len, PASSPHRASE) < 0);
		}
		text.data[i] = was;
	}
	for (size_t n = 0; n < text.len; n++)
		assert_int_equal(opens(text.data, n, PASSPHRASE), -EINVAL);
	assert_int_equal(opens(text.data, text.len, PASSPHRASE), 0);
}

static void no_key_of_ours_opens_in_which_one_bit_is_another_or_that_was_cut(void **state)
{
	check_flips(SIGN_ARGON2ID);
}

static void a_bare_key_whose_halves_are_not_of_one_key_signs_nothing(void **state)
{
	_cleanup_free_ char *text = strdup(SECRET_A);
	/* 62 bytes stand before the secret. Its id alone is covered by nothing; minisign computes no checksum here. */
	size_t first = strcspn(text, "\n") + 1 + (62 + 2) / 3 * 4, last = strcspn(text, "\n") + 1 + 126 / 3 * 4;

	for (size_t i = first; i < last; i++) {
		text[i] = text[i] == 'A' ? 'B' : 'A';
		if (text[i] != SECRET_A[i])
			assert_int_equal(opens(text, strlen(text), NULL), -EINVAL);
		text[i] = SECRET_A[i];
	}
}

/* The second line of a key with one character of base64 more in its place: bytes 38 to 53 are work and memory, lowest
 * first. */
static void work_beyond_the_limits_is_refused_before_it_is_done(void **state)
{
	static const size_t high_bytes[] = { 38 + 6, 46 + 6 };
	_cleanup_sign_secret_ struct sign_secret *s = new_secret();

	for (size_t i = 0; i < ARRAY_LEN(high_bytes); i++) {
		_cleanup_wiped_buf_ struct buf text = BUF_INIT(SIGN_SECRET_MAX);
		enum sign_protection how;
		struct diag d = { "" };
		put(s, SIGN_ARGON2ID, &text);
		strchr(text.data, '\n')[1 + (high_bytes[i] * 8 + 5) / 6] = '/';
		assert_int_equal(sign_secret_protection("x.key", text.data, text.len, &how, &d), -EINVAL);
		assert_non_null(strstr(d.text, "more memory or time"));
	}
}

static void a_key_of_an_unknown_form_is_refused_in_words(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ KEY_A, "56 characters" },
		{ HASHED_A, "100 characters" },
		{ "-----BEGIN OPENSSH PRIVATE KEY-----\n", "does not begin with" },
		{ "", "it ends" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_sign_secret_ struct sign_secret *s = NULL;
		struct diag d = { "" };
		assert_int_equal(
			sign_secret_parse("x.key", cases[i].text, strlen(cases[i].text), "x", &s, &d), -EINVAL);
		if (!strstr(d.text, cases[i].words))
			fail_msg("%s", d.text);
	}
}

static void two_new_keys_are_two(void **state)
{
	_cleanup_sign_secret_ struct sign_secret *a = new_secret(), *b = new_secret();
	struct sign_key x, y;

	sign_secret_public(a, &x);
	sign_secret_public(b, &y);
	assert_memory_not_equal(x.id, y.id, sizeof(x.id));
	assert_memory_not_equal(x.key, y.key, sizeof(x.key));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_that_was_written_opens_with_its_passphrase_and_no_other),
		cmocka_unit_test(what_it_signs_verifies_with_its_public_key),
		cmocka_unit_test(it_signs_as_minisign_does_with_the_same_key),
		cmocka_unit_test(a_trusted_comment_is_one_line),
		cmocka_unit_test(no_key_of_ours_opens_in_which_one_bit_is_another_or_that_was_cut),
		cmocka_unit_test(a_bare_key_whose_halves_are_not_of_one_key_signs_nothing),
		cmocka_unit_test(work_beyond_the_limits_is_refused_before_it_is_done),
		cmocka_unit_test(a_key_of_an_unknown_form_is_refused_in_words),
		cmocka_unit_test(two_new_keys_are_two),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
