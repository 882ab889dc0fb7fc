/* SPDX-License-Identifier: Apache-2.0 */
/* minisign - see minisign.h; the format is that of minisign(1), section "Signature format" */
#include "sign/minisign.h"
#include <errno.h>
#include <sodium.h>
#include <string.h>
#include "base/parse.h"
#include "base/text.h"
#include "sign/text.h"

enum { SHOWN = 300, ALGORITHM_BYTES = 2, DIGEST_BYTES = 64 };
_Static_assert(SIGN_KEY_BYTES == crypto_sign_PUBLICKEYBYTES, "Ed25519");
_Static_assert(SIGN_SIGNATURE_BYTES == crypto_sign_BYTES, "Ed25519");

static const char legacy[] = "Ed", prehashed[] = "ED";

int sign_init(void)
{
	return sodium_init() < 0 ? -EIO : 0;
}

/* What the base64 of a .pub holds. */
struct key_bytes {
	uint8_t algorithm[ALGORITHM_BYTES], id[SIGN_ID_BYTES], key[SIGN_KEY_BYTES];
};
_Static_assert(sizeof(struct key_bytes) == 42, "no padding");

/* And that of a signature's second line. */
struct signature_bytes {
	uint8_t algorithm[ALGORITHM_BYTES], id[SIGN_ID_BYTES], signature[SIGN_SIGNATURE_BYTES];
};
_Static_assert(sizeof(struct signature_bytes) == 74, "no padding");

int sign_key_parse(const char *name, const char *bytes, size_t n, struct sign_key *ret, struct diag *d)
{
	struct sign_text t = { .p = bytes, .end = bytes + n, .name = name, .d = d };
	struct key_bytes k;
	int r = sign_take_comment(&t, SIGN_UNTRUSTED, SIGN_COMMENT_MAX, NULL);

	if (r == 0)
		r = sign_take_base64(&t, "the public key", &k, sizeof(k));
	if (r == 0 && memcmp(k.algorithm, legacy, ALGORITHM_BYTES) != 0)
		r = sign_text_fail(&t, "is a key of another algorithm than Ed25519");
	if (r == 0)
		r = sign_take_end(&t);
	if (r < 0)
		return r;
	memcpy(ret->id, k.id, sizeof(ret->id));
	memcpy(ret->key, k.key, sizeof(ret->key));
	return 0;
}

int sign_signature_parse(const char *name, const char *bytes, size_t n, struct sign_signature *ret, struct diag *d)
{
	struct sign_text t = { .p = bytes, .end = bytes + n, .name = name, .d = d };
	_cleanup_sign_signature_ struct sign_signature s = { 0 };
	struct signature_bytes b;
	int r = sign_take_comment(&t, SIGN_UNTRUSTED, SIGN_COMMENT_MAX, NULL);

	if (r == 0)
		r = sign_take_base64(&t, "the signature", &b, sizeof(b));
	if (r == 0 && memcmp(b.algorithm, legacy, ALGORITHM_BYTES) != 0 &&
		memcmp(b.algorithm, prehashed, ALGORITHM_BYTES) != 0)
		r = sign_text_fail(&t, "is a signature of another algorithm than Ed25519");
	if (r == 0)
		r = sign_take_comment(&t, SIGN_TRUSTED, SIGN_TRUSTED_MAX, &s.trusted);
	if (r == 0)
		r = sign_take_base64(&t, "the signature of the trusted comment", s.global, sizeof(s.global));
	if (r == 0)
		r = sign_take_end(&t);
	if (r < 0)
		return r;
	memcpy(s.id, b.id, sizeof(s.id));
	memcpy(s.signature, b.signature, sizeof(s.signature));
	s.prehashed = memcmp(b.algorithm, prehashed, ALGORITHM_BYTES) == 0;
	*ret = s;
	s.trusted = NULL;
	return 0;
}

void sign_signature_done(struct sign_signature *s)
{
	free(s->trusted);
	s->trusted = NULL;
}

static bool covers_bytes(const struct sign_key *k, const struct sign_signature *s, const void *bytes, size_t n)
{
	uint8_t digest[DIGEST_BYTES];

	if (!s->prehashed)
		return crypto_sign_verify_detached(s->signature, bytes, n, k->key) == 0;
	return crypto_generichash(digest, sizeof(digest), bytes, n, NULL, 0) == 0 &&
	       crypto_sign_verify_detached(s->signature, digest, sizeof(digest), k->key) == 0;
}

/* minisign signs the signature with the comment behind it, so that neither can be put to another. */
static bool covers_comment(const struct sign_key *k, const struct sign_signature *s)
{
	uint8_t both[SIGN_SIGNATURE_BYTES + SIGN_TRUSTED_MAX];
	size_t n = strlen(s->trusted);

	if (n > SIGN_TRUSTED_MAX)
		return false;
	memcpy(both, s->signature, SIGN_SIGNATURE_BYTES);
	memcpy(both + SIGN_SIGNATURE_BYTES, s->trusted, n);
	return crypto_sign_verify_detached(s->global, both, SIGN_SIGNATURE_BYTES + n, k->key) == 0;
}

int sign_verify(const struct sign_key *k, const struct sign_signature *s, const char *name, const void *bytes, size_t n,
	struct diag *d)
{
	char shown[SHOWN], has[SIGN_ID_HEX], wants[SIGN_ID_HEX];

	text_escape_str(name, shown, sizeof(shown));
	if (memcmp(k->id, s->id, sizeof(k->id)) != 0)
		return diag_fail(d, -EBADMSG, "%s: made by the key %s, not by %s", shown, sign_id_text(s->id, has),
			sign_id_text(k->id, wants));
	if (!covers_bytes(k, s, bytes, n))
		return diag_fail(d, -EBADMSG,
			"%s: the signature of key %s does not fit these bytes: the file was changed after it was "
			"signed, or "
			"this is the signature of another file",
			shown, sign_id_text(s->id, has));
	if (!covers_comment(k, s))
		return diag_fail(d, -EBADMSG,
			"%s: its trusted comment is not the one that key %s signed: the signature file was changed",
			shown, sign_id_text(s->id, has));
	return 0;
}

/* --- names of keys --- */

const char *sign_id_text(const uint8_t id[SIGN_ID_BYTES], char ret[SIGN_ID_HEX])
{
	/* minisign takes the bytes for a number with the lowest first. */
	for (size_t i = 0; i < SIGN_ID_BYTES; i++)
		snprintf(ret + 2 * i, 3, "%02X", id[SIGN_ID_BYTES - 1 - i]);
	return ret;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int sign_id_parse(const char *text, uint8_t ret[SIGN_ID_BYTES])
{
	uint8_t id[SIGN_ID_BYTES];

	if (strlen(text) != SIGN_ID_HEX - 1)
		return -EINVAL;
	for (size_t i = 0; i < SIGN_ID_BYTES; i++) {
		int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return -EINVAL;
		id[SIGN_ID_BYTES - 1 - i] = (uint8_t)(high * 16 + low);
	}
	memcpy(ret, id, sizeof(id));
	return 0;
}

bool sign_key_is(const struct sign_key *a, const struct sign_key *b)
{
	return memcmp(a->id, b->id, sizeof(a->id)) == 0 && memcmp(a->key, b->key, sizeof(a->key)) == 0;
}

int64_t sign_timestamp(const char *trusted)
{
	static const char word[] = "timestamp:";
	char number[24];
	uint64_t when;
	size_t n;

	if (strncmp(trusted, word, sizeof(word) - 1) != 0)
		return 0;
	trusted += sizeof(word) - 1;
	n = strcspn(trusted, "\t");
	if (n >= sizeof(number))
		return 0;
	memcpy(number, trusted, n);
	number[n] = '\0';
	return parse_u64(number, 0, INT64_MAX, &when) == 0 ? (int64_t)when : 0;
}

/* --- writing --- */

int sign_key_text(const struct sign_key *k, const char *comment, struct buf *ret)
{
	struct key_bytes b;
	char usual[64], id[SIGN_ID_HEX];
	int r;

	snprintf(usual, sizeof(usual), "minisign public key %s", sign_id_text(k->id, id));
	memcpy(b.algorithm, legacy, sizeof(b.algorithm));
	memcpy(b.id, k->id, sizeof(b.id));
	memcpy(b.key, k->key, sizeof(b.key));
	r = sign_put_comment(ret, SIGN_UNTRUSTED, SIGN_COMMENT_MAX, comment ? comment : usual);
	return r ? r : sign_put_base64(ret, &b, sizeof(b));
}

int sign_signature_text(const struct sign_signature *s, const char *comment, struct buf *ret)
{
	struct signature_bytes b;
	int r;

	memcpy(b.algorithm, s->prehashed ? prehashed : legacy, sizeof(b.algorithm));
	memcpy(b.id, s->id, sizeof(b.id));
	memcpy(b.signature, s->signature, sizeof(b.signature));
	r = sign_put_comment(ret, SIGN_UNTRUSTED, SIGN_COMMENT_MAX, comment ? comment : "signature from stockade");
	if (r == 0)
		r = sign_put_base64(ret, &b, sizeof(b));
	if (r == 0)
		r = sign_put_comment(ret, SIGN_TRUSTED, SIGN_TRUSTED_MAX, s->trusted);
	return r ? r : sign_put_base64(ret, s->global, sizeof(s->global));
}
