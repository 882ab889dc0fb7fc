/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_key - any bytes as a .pub and as a .key: a key, or refused in one line that is fit for a terminal
 *
 * What must hold: a public key that is read and written again is the same but for its comment; no secret key makes us
 * spend more than the limits, and one without a passphrase that opens has two halves that belong together.
 */
#include <string.h>
#include "sign/secret_key.h"
#include "tests/fuzz/fuzz.h"

enum { INPUT_MAX = 4096 };

static void check_public(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf again = BUF_INIT(SIGN_PUB_MAX);
	const uint8_t *rest = memchr(data, '\n', size);
	uint8_t id[SIGN_ID_BYTES];
	char text[SIGN_ID_HEX];
	struct diag d = { "" };
	struct sign_key k;

	if (sign_key_parse("fuzz.pub", (const char *)data, size, &k, &d) < 0) {
		check_words(d.text);
		return;
	}
	must(sign_key_text(&k, NULL, &again) == 0, "a key that cannot be written");
	must(rest && strcmp(strndupa((const char *)rest, size - (size_t)(rest - data)), strchr(again.data, '\n')) == 0,
		"two spellings of one key");
	must(sign_id_parse(sign_id_text(k.id, text), id) == 0 && memcmp(id, k.id, sizeof(id)) == 0,
		"an id that is another");
}

static void check_signs(const struct sign_secret *s)
{
	_cleanup_sign_signature_ struct sign_signature made = { 0 };
	struct diag d = { "" };
	struct sign_key k;

	sign_secret_public(s, &k);
	must(sign_secret_sign(s, "x", 1, "c", &made, &d) == 0 && sign_verify(&k, &made, "x", "x", 1, &d) == 0,
		"what it signs does not verify");
}

static void check_secret(const uint8_t *data, size_t size)
{
	_cleanup_sign_secret_ struct sign_secret *s = NULL;
	enum sign_protection how;
	struct diag d = { "" };

	if (sign_secret_protection("fuzz.key", (const char *)data, size, &how, &d) < 0) {
		check_words(d.text);
		return;
	}
	/* Deriving is the same for all of them, and takes a second. */
	if (how != SIGN_BARE)
		return;
	if (sign_secret_parse("fuzz.key", (const char *)data, size, NULL, &s, &d) < 0)
		check_words(d.text);
	else
		check_signs(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > INPUT_MAX || sign_init() < 0)
		return 0;
	check_public(data, size);
	check_secret(data, size);
	return 0;
}
