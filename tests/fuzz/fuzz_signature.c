/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_signature - any bytes as a .minisig: a signature, or refused in one line that is fit for a terminal
 *
 * What must hold: what is read and written again is the same bytes but for the untrusted comment, so that there is one
 * spelling; and it verifies nothing, since nobody has the key.
 */
#include <string.h>
#include "sign/minisign.h"
#include "tests/fuzz/fuzz.h"

enum { INPUT_MAX = 1 << 15 };

/* The part behind the first line is what was read, byte for byte. */
static void check_again(const struct sign_signature *s, const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf again = BUF_INIT(INPUT_MAX);
	const uint8_t *rest = memchr(data, '\n', size);
	const char *rest_again;

	if (sign_signature_text(s, NULL, &again) < 0)
		return; /* a comment with controls is read, since minisign takes it, and never written */
	rest_again = strchr(again.data, '\n');
	must(rest && strlen(rest_again) == size - (size_t)(rest - data) &&
			memcmp(rest, rest_again, strlen(rest_again)) == 0,
		"two spellings of one signature");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char bytes[] = "{\"stockade\": 1}";
	_cleanup_sign_signature_ struct sign_signature s = { 0 };
	struct sign_key k = { 0 };
	struct diag d = { "" };

	if (size > INPUT_MAX || sign_init() < 0)
		return 0;
	if (sign_signature_parse("fuzz.minisig", (const char *)data, size, &s, &d) < 0) {
		check_words(d.text);
		return 0;
	}
	check_again(&s, data, size);
	(void)sign_timestamp(s.trusted);
	memcpy(k.id, s.id, sizeof(k.id));
	memset(k.key, 0x5a, sizeof(k.key));
	must(sign_verify(&k, &s, "fuzz.minisig", bytes, sizeof(bytes) - 1, &d) < 0, "it verifies");
	check_words(d.text);
	return 0;
}
