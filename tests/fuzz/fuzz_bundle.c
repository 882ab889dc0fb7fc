/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_bundle - any bytes as a bundle: its parts, or refused in one line that is fit for a terminal
 *
 * "#" in the place of a digest becomes that of the text that follows, which nothing random would hit. What must hold:
 * there is one file of each name, every list is one of objects, and it was issued before it expires. And what a session
 * takes out of the bytes without parsing all of them is what jansson finds there, or nothing where that refuses them.
 */
#include <sodium.h>
#include <string.h>
#include "supervisor/bundle/bundle.h"
#include "supervisor/bundle/bundle_members.h"
#include "supervisor/json_file.h"
#include "tests/fuzz/fuzz.h"

enum { INPUT_MAX = 1 << 15, HEX = 2 * crypto_hash_sha256_BYTES + 1 };

static void check_files(const struct bundle_file *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		must(v[i].name && v[i].where && v[i].verified.bytes.data, "half a file");
		must(i == 0 || strcmp(v[i - 1].name, v[i].name) < 0, "two of one name, or no order");
		must(v[i].verified.known == 0, "a signer that nobody knows vouches");
	}
}

static void check_members(const char *bytes, size_t n)
{
	struct bundle_member v[] = { { .key = "version" }, { .key = "kill" }, { .key = "profiles" } };
	_cleanup_json_file_ struct json_file f = { 0 };
	struct diag d = { "" };
	bool parsed = json_file_parse("fuzz.json", bytes, n, &f, &d) == 0 && json_is_object(f.root);

	must(parsed == (bundle_members_find(bytes, n, v, ARRAY_LEN(v)) == 0), "one takes it and the other does not");
	for (size_t i = 0; parsed && i < ARRAY_LEN(v); i++) {
		const json_t *whole = json_object_get(f.root, v[i].key);
		json_t *part = v[i].at ? json_loadb(v[i].at, v[i].n, JSON_DECODE_ANY, NULL) : NULL;
		must(whole ? part && json_equal(whole, part) : !v[i].at, "another member");
		json_decref(part);
	}
}

/* "sha256:#" and "text":"..." with no escapes in it. */
static int put_input(const uint8_t *data, size_t size, struct buf *ret)
{
	static const char mark[] = "sha256:#\",\"text\":\"";
	const char *at = size ? memmem(data, size, mark, sizeof(mark) - 1) : NULL, *end = (const char *)data + size;
	unsigned char hash[crypto_hash_sha256_BYTES];
	char hex[HEX];
	int r;

	if (!at)
		return buf_append(ret, data, size);
	const char *text = at + sizeof(mark) - 1, *quote = memchr(text, '"', (size_t)(end - text));
	crypto_hash_sha256(hash, (const unsigned char *)text, quote ? (size_t)(quote - text) : 0);
	sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	r = buf_append(ret, data, (size_t)(at + 7 - (const char *)data));
	if (r == 0)
		r = buf_puts(ret, hex);
	return r ? r : buf_append(ret, at + 8, (size_t)(end - at - 8));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf b = BUF_INIT(INPUT_MAX + HEX);
	_cleanup_bundle_ struct bundle u = { 0 };
	struct keyring none = { 0 };
	struct diag d = { "" };

	if (size > INPUT_MAX || sign_init() < 0 || put_input(data, size, &b) < 0)
		return 0;
	check_members(b.data ? b.data : "", b.len);
	if (bundle_parse("fuzz.json", b.data ? b.data : "", b.len, &none, &u, &d) < 0) {
		check_words(d.text);
		return 0;
	}
	must(u.name && u.version > 0 && u.issued < u.expires, "half a bundle");
	check_files(u.profiles, u.n_profiles);
	check_files(u.pins, u.n_pins);
	for (size_t i = 0; i < json_array_size(u.kills); i++)
		must(json_is_object(json_array_get(u.kills, i)), "a kill entry that is no object");
	must(json_is_array(u.revocations), "a list that is none");
	return 0;
}
