/* SPDX-License-Identifier: Apache-2.0 */
/* test_sign - minisign's keys and signatures: read as they are or not at all, and no changed byte verifies */
#include "tests/unit/unit.h"
#include <errno.h>
#include <stdlib.h>
#include "sign/keyring.h"
#include "tests/unit/sign_unit.h"

static int setup(void **state)
{
	return sign_init();
}

static struct sign_key key_of(const char *text)
{
	struct sign_key k;
	struct diag d = { "" };

	if (sign_key_parse("a.pub", text, strlen(text), &k, &d) < 0)
		fail_msg("%s", d.text);
	return k;
}

/* Parses and verifies: 0, or the first that fails, with words. */
static int verify(const struct sign_key *k, const char *signature, size_t n, const char *bytes, size_t bytes_n)
{
	_cleanup_sign_signature_ struct sign_signature s = { 0 };
	struct diag d = { "" };
	int r = sign_signature_parse("notes.json.minisig", signature, n, &s, &d);

	if (r == 0)
		r = sign_verify(k, &s, "notes.json.minisig", bytes, bytes_n, &d);
	assert_true((r < 0) == (d.text[0] != '\0'));
	return r;
}

static const char *const signatures[] = { HASHED_A, LEGACY_A };

static void what_minisign_signed_verifies_prehashed_and_legacy(void **state)
{
	struct sign_key k = key_of(KEY_A);
	_cleanup_sign_signature_ struct sign_signature s = { 0 };
	struct diag d = { "" };
	char id[SIGN_ID_HEX];

	assert_string_equal(sign_id_text(k.id, id), ID_A);
	for (size_t i = 0; i < ARRAY_LEN(signatures); i++)
		assert_int_equal(verify(&k, signatures[i], strlen(signatures[i]), NOTES, strlen(NOTES)), 0);
	assert_int_equal(sign_signature_parse("x", HASHED_A, strlen(HASHED_A), &s, &d), 0);
	assert_true(s.prehashed);
	assert_string_equal(s.trusted, "timestamp:1790000000\tfile:notes.json\thashed");
	assert_int_equal(sign_timestamp(s.trusted), 1790000000);
}

/* Every bit of every byte from `from` on; returns how many did not fail. */
static size_t survivors(const struct sign_key *k, const char *signature, size_t from)
{
	size_t n = strlen(signature), survived = 0;
	_cleanup_free_ char *text = strdup(signature);

	for (size_t i = from; i < n; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			text[i] = (char)(signature[i] ^ (1 << bit));
			survived += verify(k, text, n, NOTES, strlen(NOTES)) == 0;
			text[i] = signature[i];
		}
	return survived;
}

static void no_signature_verifies_in_which_one_bit_is_another_but_in_the_untrusted_comment(void **state)
{
	struct sign_key k = key_of(KEY_A);
	size_t begin = strlen("untrusted comment: ");
	_cleanup_free_ char *text = strdup(HASHED_A);

	for (size_t i = 0; i < ARRAY_LEN(signatures); i++)
		assert_int_equal(survivors(&k, signatures[i], strcspn(signatures[i], "\n")), 0);
	/* The words before the comment are the form's. */
	for (size_t i = 0; i < begin; i++) {
		text[i] ^= 1;
		assert_int_equal(verify(&k, text, strlen(text), NOTES, strlen(NOTES)), -EINVAL);
		text[i] ^= 1;
	}
	/* And that is why nothing is drawn from the comment itself: it is anybody's. */
	text[begin] = 'X';
	assert_int_equal(verify(&k, text, strlen(text), NOTES, strlen(NOTES)), 0);
}

static void no_file_verifies_in_which_one_bit_is_another_or_that_is_longer_or_shorter(void **state)
{
	struct sign_key k = key_of(KEY_A);
	_cleanup_free_ char *bytes = strdup(NOTES "x");
	size_t n = strlen(NOTES);

	for (size_t s = 0; s < ARRAY_LEN(signatures); s++) {
		for (size_t i = 0; i < 8 * n; i++) {
			bytes[i / 8] = (char)(bytes[i / 8] ^ (1 << i % 8));
			assert_int_equal(verify(&k, signatures[s], strlen(signatures[s]), bytes, n), -EBADMSG);
			bytes[i / 8] = (char)(bytes[i / 8] ^ (1 << i % 8));
		}
		for (size_t i = 0; i <= n + 1; i++)
			assert_int_equal(
				verify(&k, signatures[s], strlen(signatures[s]), bytes, i), i == n ? 0 : -EBADMSG);
	}
}

static void no_key_verifies_in_which_one_bit_is_another_but_in_its_comment(void **state)
{
	_cleanup_free_ char *text = strdup(KEY_A);

	for (size_t i = strcspn(KEY_A, "\n"); i < strlen(KEY_A); i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			struct sign_key k;
			struct diag d = { "" };
			text[i] = (char)(KEY_A[i] ^ (1 << bit));
			if (sign_key_parse("a.pub", text, strlen(KEY_A), &k, &d) == 0)
				assert_int_equal(
					verify(&k, HASHED_A, strlen(HASHED_A), NOTES, strlen(NOTES)), -EBADMSG);
			else
				assert_true(d.text[0]);
			text[i] = KEY_A[i];
		}
}

static void neither_key_nor_signature_is_read_that_was_cut_or_to_which_something_was_added(void **state)
{
	struct sign_key k = key_of(KEY_A);
	struct diag d = { "" };

	for (size_t n = 0; n < strlen(HASHED_A); n++)
		assert_int_equal(verify(&k, HASHED_A, n, NOTES, strlen(NOTES)), -EINVAL);
	for (size_t n = 0; n < strlen(KEY_A); n++)
		assert_int_equal(sign_key_parse("a.pub", KEY_A, n, &k, &d), -EINVAL);
	assert_int_equal(verify(&k, HASHED_A "\n", strlen(HASHED_A) + 1, NOTES, strlen(NOTES)), -EINVAL);
	assert_int_equal(verify(&k, HASHED_A HASHED_A, 2 * strlen(HASHED_A), NOTES, strlen(NOTES)), -EINVAL);
	assert_int_equal(sign_key_parse("a.pub", KEY_A KEY_B, strlen(KEY_A KEY_B), &k, &d), -EINVAL);
	assert_int_equal(sign_key_parse("a.pub", KEY_A " ", strlen(KEY_A) + 1, &k, &d), -EINVAL);
}

static void the_signature_of_another_key_or_of_another_file_does_not_verify(void **state)
{
	struct sign_key a = key_of(KEY_A), b = key_of(KEY_B), mixed = a;

	assert_int_equal(verify(&b, HASHED_B, strlen(HASHED_B), NOTES, strlen(NOTES)), 0);
	assert_int_equal(verify(&a, HASHED_B, strlen(HASHED_B), NOTES, strlen(NOTES)), -EBADMSG);
	assert_int_equal(verify(&b, HASHED_A, strlen(HASHED_A), NOTES, strlen(NOTES)), -EBADMSG);
	/* A key that only calls itself like the other. */
	memcpy(mixed.key, b.key, sizeof(mixed.key));
	assert_int_equal(verify(&mixed, HASHED_A, strlen(HASHED_A), NOTES, strlen(NOTES)), -EBADMSG);
	assert_int_equal(verify(&a, HASHED_A, strlen(HASHED_A), "{}\n", 3), -EBADMSG);
}

static void the_parts_of_two_signatures_of_one_key_make_no_third(void **state)
{
	struct sign_key k = key_of(KEY_A);
	_cleanup_sign_signature_ struct sign_signature hashed = { 0 }, legacy = { 0 };
	struct sign_signature mixed;
	struct diag d = { "" };

	assert_int_equal(sign_signature_parse("x", HASHED_A, strlen(HASHED_A), &hashed, &d), 0);
	assert_int_equal(sign_signature_parse("x", LEGACY_A, strlen(LEGACY_A), &legacy, &d), 0);
	mixed = hashed;
	mixed.trusted = legacy.trusted;
	assert_int_equal(sign_verify(&k, &mixed, "x", NOTES, strlen(NOTES), &d), -EBADMSG);
	assert_non_null(strstr(d.text, "trusted comment"));
	memcpy(mixed.global, legacy.global, sizeof(mixed.global));
	assert_int_equal(sign_verify(&k, &mixed, "x", NOTES, strlen(NOTES), &d), -EBADMSG);
	mixed = hashed;
	mixed.prehashed = false;
	assert_int_equal(sign_verify(&k, &mixed, "x", NOTES, strlen(NOTES), &d), -EBADMSG);
}

#define COMMENT "untrusted comment: x\n"
#define BODY	"RWQdjmboYXyAqOVydhyJff74WN0F0NepmMMstU7GyG39J0wDebYRvd/x"

/* A key in another spelling, and what is said of it. */
static const struct {
	const char *text, *words;
} spellings[] = {
	{ COMMENT BODY "\r\n", "carriage return" },
	{ "untrusted comment: x\r\n" BODY "\n", "carriage return" },
	{ COMMENT " " BODY "\n", "limit" },
	{ COMMENT BODY " \n", "limit" },
	{ "comment: x\n" BODY "\n", "does not begin with" },
	{ "untrusted comment:x\n" BODY "\n", "does not begin with" },
	{ BODY "\n", "does not begin with" },
	{ COMMENT "RWQdjmboYXyAqOVydhyJff74WN0F0NepmMMstU7GyG39J0wDebYRvd_x\n", "canonical" },
	{ COMMENT "RWQdjmboYXyAqOVydhyJff74WN0F0NepmMMstU7GyG39J0wDebYRvd/\n", "55 characters" },
	{ COMMENT "RUQdjmboYXyAqOVydhyJff74WN0F0NepmMMstU7GyG39J0wDebYRvd/x\n", "another algorithm" },
	{ COMMENT "\n" BODY "\n", "0 characters" },
	{ COMMENT BODY "\n\n", "line 3: nothing may follow" },
	{ "", "line 1: it ends" },
	{ COMMENT, "line 2: it ends" },
	{ COMMENT BODY, "line feed" },
};

static void each_other_spelling_of_a_key_is_refused_in_words(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(spellings); i++) {
		struct sign_key k;
		struct diag d = { "" };

		assert_int_equal(
			sign_key_parse("a.pub", spellings[i].text, strlen(spellings[i].text), &k, &d), -EINVAL);
		if (!strstr(d.text, spellings[i].words))
			fail_msg("%zu: %s", i, d.text);
		assert_int_equal(strncmp(d.text, "a.pub, line ", 12), 0);
	}
}

static void base64_with_bits_that_no_byte_needs_is_refused(void **state)
{
	_cleanup_free_ char *text = strdup(HASHED_A);
	struct sign_key k = key_of(KEY_A);
	char *last = strchr(text, '=') - 1;

	/* "E=" ends in two bits that are zero; "F=" decodes to the same bytes elsewhere. */
	*last = (char)(*last + 1);
	assert_int_equal(verify(&k, text, strlen(text), NOTES, strlen(NOTES)), -EINVAL);
}

static void comments_have_limits(void **state)
{
	enum { LONG = 8400 };
	_cleanup_free_ char *x = malloc(LONG + 1), *text = NULL;
	struct sign_key k = key_of(KEY_A);
	const char *rest = strchr(HASHED_A, '\n');
	size_t room = SIGN_COMMENT_MAX - strlen("untrusted comment: ");

	memset(x, 'x', LONG);
	x[LONG] = '\0';
	assert_true(asprintf(&text, "untrusted comment: %.*s%s", (int)room, x, rest) > 0);
	assert_int_equal(verify(&k, text, strlen(text), NOTES, strlen(NOTES)), 0);
	free(STEAL_PTR(text));
	assert_true(asprintf(&text, "untrusted comment: %.*s%s", (int)room + 1, x, rest) > 0);
	assert_int_equal(verify(&k, text, strlen(text), NOTES, strlen(NOTES)), -EINVAL);
}

static void what_is_written_is_what_was_read(void **state)
{
	struct sign_key k = key_of(KEY_A);
	_cleanup_sign_signature_ struct sign_signature s = { 0 };
	_cleanup_buf_ struct buf key = BUF_INIT(SIGN_PUB_MAX), signature = BUF_INIT(SIGN_FILE_MAX);
	struct diag d = { "" };

	assert_int_equal(sign_key_text(&k, NULL, &key), 0);
	assert_string_equal(key.data, KEY_A);
	assert_int_equal(sign_signature_parse("x", HASHED_A, strlen(HASHED_A), &s, &d), 0);
	assert_int_equal(sign_signature_text(&s, "signature from minisign secret key", &signature), 0);
	assert_string_equal(signature.data, HASHED_A);
	buf_clear(&signature);
	assert_int_equal(sign_signature_text(&s, "two\nlines", &signature), -EINVAL);
}

static void an_id_is_sixteen_capitals_and_nothing_else(void **state)
{
	static const char *const wrong[] = { "", "A8807C61E8668E1", "A8807C61E8668E1D0", "a8807c61e8668e1d",
		"A8807C61E8668E1G", " A8807C61E8668E1", "0xA8807C61E8668E" };
	struct sign_key k = key_of(KEY_A);
	uint8_t id[SIGN_ID_BYTES];

	assert_int_equal(sign_id_parse(ID_A, id), 0);
	assert_memory_equal(id, k.id, sizeof(id));
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_int_equal(sign_id_parse(wrong[i], id), -EINVAL);
}

static void a_moment_is_taken_from_the_trusted_comment_in_one_form_alone(void **state)
{
	assert_int_equal(sign_timestamp("timestamp:1790000000"), 1790000000);
	assert_int_equal(sign_timestamp("timestamp:1790000000\tfile:x"), 1790000000);
	assert_int_equal(sign_timestamp("timestamp: 1790000000"), 0);
	assert_int_equal(sign_timestamp("timestamp:-1"), 0);
	assert_int_equal(sign_timestamp("timestamp:99999999999999999999999"), 0);
	assert_int_equal(sign_timestamp("file:x\ttimestamp:1790000000"), 0);
	assert_int_equal(sign_timestamp(""), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_minisign_signed_verifies_prehashed_and_legacy),
		cmocka_unit_test(no_signature_verifies_in_which_one_bit_is_another_but_in_the_untrusted_comment),
		cmocka_unit_test(no_file_verifies_in_which_one_bit_is_another_or_that_is_longer_or_shorter),
		cmocka_unit_test(no_key_verifies_in_which_one_bit_is_another_but_in_its_comment),
		cmocka_unit_test(neither_key_nor_signature_is_read_that_was_cut_or_to_which_something_was_added),
		cmocka_unit_test(the_signature_of_another_key_or_of_another_file_does_not_verify),
		cmocka_unit_test(the_parts_of_two_signatures_of_one_key_make_no_third),
		cmocka_unit_test(each_other_spelling_of_a_key_is_refused_in_words),
		cmocka_unit_test(base64_with_bits_that_no_byte_needs_is_refused),
		cmocka_unit_test(comments_have_limits),
		cmocka_unit_test(what_is_written_is_what_was_read),
		cmocka_unit_test(an_id_is_sixteen_capitals_and_nothing_else),
		cmocka_unit_test(a_moment_is_taken_from_the_trusted_comment_in_one_form_alone),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
