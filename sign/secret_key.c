/* SPDX-License-Identifier: Apache-2.0 */
/* secret_key - see secret_key.h */
#include "sign/secret_key.h"
#include <errno.h>
#include <sodium.h>
#include <string.h>
#include "base/text.h"
#include "sign/text.h"

enum { SHOWN = 300, SALT_BYTES = 32, NUMBER_BYTES = 8, CHECK_BYTES = 32, SECRET_BYTES = 64, DIGEST_BYTES = 64 };
_Static_assert(SECRET_BYTES == crypto_sign_SECRETKEYBYTES, "Ed25519");
_Static_assert(SALT_BYTES == crypto_pwhash_scryptsalsa208sha256_SALTBYTES, "minisign's");

/* What is encrypted: XORed with what the passphrase derives. */
struct inner {
	uint8_t id[SIGN_ID_BYTES], secret[SECRET_BYTES], check[CHECK_BYTES];
};

/* What the base64 of a .key holds. */
struct outer {
	uint8_t algorithm[2], kdf[2], check_algorithm[2], salt[SALT_BYTES], work[NUMBER_BYTES], memory[NUMBER_BYTES];
	struct inner inner;
};
_Static_assert(sizeof(struct outer) == 158, "no padding");

struct sign_secret {
	uint8_t id[SIGN_ID_BYTES], secret[SECRET_BYTES];
};

/* --- from a passphrase to bytes --- */

typedef int derive_fn(uint8_t *ret, size_t n, const char *passphrase, const struct outer *o, const struct sign_cost *c);

static int derive_argon2id(
	uint8_t *ret, size_t n, const char *passphrase, const struct outer *o, const struct sign_cost *c)
{
	return crypto_pwhash(ret, n, passphrase, strlen(passphrase), o->salt, c->work, (size_t)c->memory,
		crypto_pwhash_ALG_ARGON2ID13);
}

static int derive_scrypt(
	uint8_t *ret, size_t n, const char *passphrase, const struct outer *o, const struct sign_cost *c)
{
	return crypto_pwhash_scryptsalsa208sha256(
		ret, n, passphrase, strlen(passphrase), o->salt, c->work, (size_t)c->memory);
}

/* work_max bounds what a damaged or planted file can make us compute; memory_max is the same for all. */
static const struct kdf {
	uint8_t bytes[2];
	derive_fn *derive;
	size_t salt; /* how many bytes of it are used; the others must be zero, so that no byte of the file is free */
	uint64_t memory_unit; /* memory is counted in these, for the same reason */
	struct sign_cost usual;
	uint64_t work_max;
} kdfs[] = {
	[SIGN_ARGON2ID] = { { 'A', '2' }, derive_argon2id, crypto_pwhash_SALTBYTES, 1024,
		{ crypto_pwhash_OPSLIMIT_MODERATE, crypto_pwhash_MEMLIMIT_MODERATE }, 64 },
	[SIGN_SCRYPT] = { { 'S', 'c' }, derive_scrypt, SALT_BYTES, 1,
		{ crypto_pwhash_scryptsalsa208sha256_OPSLIMIT_SENSITIVE,
			crypto_pwhash_scryptsalsa208sha256_MEMLIMIT_SENSITIVE },
		SIGN_KDF_WORK_MAX },
	[SIGN_BARE] = { { 0, 0 }, NULL, 0, 1, { 0, 0 }, 0 },
};

static uint64_t number(const uint8_t p[NUMBER_BYTES])
{
	uint64_t v = 0;

	for (size_t i = NUMBER_BYTES; i-- > 0;)
		v = v << 8 | p[i];
	return v;
}

static void put_number(uint64_t v, uint8_t ret[NUMBER_BYTES])
{
	for (size_t i = 0; i < NUMBER_BYTES; i++, v >>= 8)
		ret[i] = (uint8_t)v;
}

/* o->inner, encrypted or the other way round: the same operation. */
static int apply_passphrase(struct outer *o, const struct kdf *k, const char *passphrase, struct diag *d)
{
	struct sign_cost cost = { number(o->work), number(o->memory) };
	uint8_t *stream, *inner = (uint8_t *)&o->inner;
	int r;

	if (!k->derive)
		return 0;
	if (!passphrase)
		return diag_fail(d, -EACCES, "the key is protected by a passphrase, and none was given");
	stream = sign_wiped_alloc(sizeof(o->inner));
	if (!stream)
		return diag_fail(d, -ENOMEM, "there is no memory for the key");
	r = k->derive(stream, sizeof(o->inner), passphrase, o, &cost);
	for (size_t i = 0; r == 0 && i < sizeof(o->inner); i++)
		inner[i] ^= stream[i];
	sign_wiped_free(stream);
	if (r == 0)
		return 0;
	return diag_fail(d, -ENOMEM, "cannot derive a key from the passphrase: that takes %llu MiB of memory here",
		(unsigned long long)(cost.memory >> 20));
}

static int check_of(const struct outer *o, uint8_t ret[CHECK_BYTES])
{
	crypto_generichash_state state;
	int r = crypto_generichash_init(&state, NULL, 0, CHECK_BYTES);

	if (r == 0)
		r = crypto_generichash_update(&state, o->algorithm, sizeof(o->algorithm));
	if (r == 0)
		r = crypto_generichash_update(&state, o->inner.id, sizeof(o->inner.id) + sizeof(o->inner.secret));
	if (r == 0)
		r = crypto_generichash_final(&state, ret, CHECK_BYTES);
	sodium_memzero(&state, sizeof(state));
	return r < 0 ? -EIO : 0;
}

/* --- reading --- */

static int find_kdf(const struct sign_text *t, const struct outer *o, enum sign_protection *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(kdfs); i++)
		if (memcmp(kdfs[i].bytes, o->kdf, sizeof(o->kdf)) == 0) {
			*ret = (enum sign_protection)i;
			return 0;
		}
	return sign_text_fail(t, "the key is protected by a function that is neither Argon2id nor scrypt");
}

static int check_cost(const struct sign_text *t, const struct outer *o, const struct kdf *k)
{
	for (size_t i = k->salt; k->derive && i < SALT_BYTES; i++)
		if (o->salt[i] != 0)
			return sign_text_fail(t, "the key is damaged: its salt is longer than its function takes");
	if (number(o->memory) % k->memory_unit != 0)
		return sign_text_fail(t, "the key is damaged: its memory is no number of KiB");
	if (k->derive && (number(o->work) > k->work_max || number(o->memory) > SIGN_KDF_MEMORY_MAX))
		return sign_text_fail(t, "opening the key would take more memory or time than stockade spends: it is "
					 "damaged, or was not "
					 "made by minisign or stockade");
	return 0;
}

/* The file as it is, still encrypted. */
static int take_outer(
	const char *name, const char *bytes, size_t n, struct outer *ret, enum sign_protection *ret_how, struct diag *d)
{
	struct sign_text t = { .p = bytes, .end = bytes + n, .name = name, .d = d };
	int r = sign_take_comment(&t, SIGN_UNTRUSTED, SIGN_COMMENT_MAX, NULL);

	if (r == 0)
		r = sign_take_base64(&t, "the secret key", ret, sizeof(*ret));
	if (r == 0 && memcmp(ret->algorithm, "Ed", sizeof(ret->algorithm)) != 0)
		r = sign_text_fail(&t, "is a key of another algorithm than Ed25519");
	if (r == 0 && memcmp(ret->check_algorithm, "B2", sizeof(ret->check_algorithm)) != 0)
		r = sign_text_fail(&t, "is a key with another checksum than BLAKE2b");
	if (r == 0)
		r = find_kdf(&t, ret, ret_how);
	if (r == 0)
		r = check_cost(&t, ret, &kdfs[*ret_how]);
	return r ? r : sign_take_end(&t);
}

int sign_secret_protection(const char *name, const char *bytes, size_t n, enum sign_protection *ret, struct diag *d)
{
	struct outer *o = sign_wiped_alloc(sizeof(*o));
	int r = o ? take_outer(name, bytes, n, o, ret, d) : diag_fail(d, -ENOMEM, "there is no memory for the key");

	sign_wiped_free(o);
	return r;
}

/* Decrypts o and looks whether that gave a key whose halves belong together. */
static int open_inner(
	const char *name, struct outer *o, enum sign_protection how, const char *passphrase, struct diag *d)
{
	uint8_t check[CHECK_BYTES], public[SIGN_KEY_BYTES], again[SECRET_BYTES];
	char shown[SHOWN];
	int r = apply_passphrase(o, &kdfs[how], passphrase, d);

	if (r == 0)
		r = check_of(o, check);
	if (r < 0)
		return r;
	text_escape_str(name, shown, sizeof(shown));
	/* minisign writes none where there is no passphrase that could be wrong. */
	if (how != SIGN_BARE && sodium_memcmp(check, o->inner.check, sizeof(check)) != 0)
		return diag_fail(d, -EACCES, "%s: this passphrase does not open it, or the file is damaged", shown);
	/* The second half of the secret is the public key. Signing with one that is not the seed's gives the seed away.
	 */
	r = crypto_sign_seed_keypair(public, again, o->inner.secret);
	if (r == 0)
		r = sodium_memcmp(again, o->inner.secret, sizeof(again));
	sodium_memzero(again, sizeof(again));
	return r == 0 ? 0
		      : diag_fail(d, -EINVAL,
				"%s: its two halves are not of one key: the file is damaged, and must not sign "
				"anything",
				shown);
}

int sign_secret_parse(
	const char *name, const char *bytes, size_t n, const char *passphrase, struct sign_secret **ret, struct diag *d)
{
	struct outer *o = sign_wiped_alloc(sizeof(*o));
	struct sign_secret *s = sign_wiped_alloc(sizeof(*s));
	enum sign_protection how = SIGN_BARE;
	int r = o && s ? take_outer(name, bytes, n, o, &how, d)
		       : diag_fail(d, -ENOMEM, "there is no memory for the key");

	if (r == 0)
		r = open_inner(name, o, how, passphrase, d);
	if (r == 0) {
		memcpy(s->id, o->inner.id, sizeof(s->id));
		memcpy(s->secret, o->inner.secret, sizeof(s->secret));
		*ret = STEAL_PTR(s);
	}
	sign_wiped_free(o);
	sign_wiped_free(s);
	return r;
}

/* --- making and writing --- */

int sign_secret_new(struct sign_secret **ret, struct diag *d)
{
	uint8_t public[SIGN_KEY_BYTES];
	struct sign_secret *s = sign_wiped_alloc(sizeof(*s));

	if (!s)
		return diag_fail(d, -ENOMEM, "there is no memory for the key");
	randombytes_buf(s->id, sizeof(s->id));
	if (crypto_sign_keypair(public, s->secret) != 0) {
		sign_wiped_free(s);
		return diag_fail(d, -EIO, "cannot make a key");
	}
	*ret = s;
	return 0;
}

static int fill_outer(const struct sign_secret *s, enum sign_protection how, const struct sign_cost *cost,
	const char *passphrase, struct outer *ret, struct diag *d)
{
	const struct kdf *k = &kdfs[how];
	const struct sign_cost *c = cost ? cost : &k->usual;
	int r;

	memset(ret, 0, sizeof(*ret));
	memcpy(ret->algorithm, "Ed", sizeof(ret->algorithm));
	memcpy(ret->kdf, k->bytes, sizeof(ret->kdf));
	memcpy(ret->check_algorithm, "B2", sizeof(ret->check_algorithm));
	randombytes_buf(ret->salt, k->salt);
	put_number(c->work, ret->work);
	put_number(c->memory, ret->memory);
	memcpy(ret->inner.id, s->id, sizeof(s->id));
	memcpy(ret->inner.secret, s->secret, sizeof(s->secret));
	r = how == SIGN_BARE ? 0 : check_of(ret, ret->inner.check);
	return r ? diag_fail(d, r, "cannot compute the checksum of the key") : apply_passphrase(ret, k, passphrase, d);
}

int sign_secret_text(const struct sign_secret *s, enum sign_protection how, const struct sign_cost *cost,
	const char *passphrase, struct buf *ret, struct diag *d)
{
	static const char *const comments[] = {
		[SIGN_ARGON2ID] = "stockade encrypted secret key",
		[SIGN_SCRYPT] = "minisign encrypted secret key",
		[SIGN_BARE] = "secret key without a passphrase",
	};
	struct outer *o = sign_wiped_alloc(sizeof(*o));
	int r = o ? fill_outer(s, how, cost, passphrase, o, d)
		  : diag_fail(d, -ENOMEM, "there is no memory for the key");

	if (r == 0)
		/* No growing: what a block is copied from is not wiped. */
		r = buf_reserve(ret, SIGN_SECRET_MAX);
	if (r == 0)
		r = sign_put_comment(ret, SIGN_UNTRUSTED, SIGN_COMMENT_MAX, comments[how]);
	if (r == 0)
		r = sign_put_base64(ret, o, sizeof(*o));
	sign_wiped_free(o);
	return r;
}

void sign_secret_public(const struct sign_secret *s, struct sign_key *ret)
{
	memcpy(ret->id, s->id, sizeof(ret->id));
	memcpy(ret->key, s->secret + SECRET_BYTES - SIGN_KEY_BYTES, sizeof(ret->key));
}

static int sign_both(const struct sign_secret *s, const void *bytes, size_t n, struct sign_signature *ret)
{
	uint8_t digest[DIGEST_BYTES], both[SIGN_SIGNATURE_BYTES + SIGN_TRUSTED_MAX];
	size_t trusted_n = strlen(ret->trusted);

	if (crypto_generichash(digest, sizeof(digest), bytes, n, NULL, 0) != 0 ||
		crypto_sign_detached(ret->signature, NULL, digest, sizeof(digest), s->secret) != 0)
		return -EIO;
	memcpy(both, ret->signature, SIGN_SIGNATURE_BYTES);
	memcpy(both + SIGN_SIGNATURE_BYTES, ret->trusted, trusted_n);
	return crypto_sign_detached(ret->global, NULL, both, SIGN_SIGNATURE_BYTES + trusted_n, s->secret) == 0 ? 0
													       : -EIO;
}

int sign_secret_sign(const struct sign_secret *s, const void *bytes, size_t n, const char *trusted,
	struct sign_signature *ret, struct diag *d)
{
	_cleanup_sign_signature_ struct sign_signature made = { .prehashed = true };
	int r;

	if (!sign_comment_valid(trusted, SIGN_TRUSTED_MAX - strlen(SIGN_TRUSTED)))
		return diag_fail(d, -EINVAL,
			"the trusted comment must be one line of at most %zu bytes without controls",
			SIGN_TRUSTED_MAX - strlen(SIGN_TRUSTED));
	made.trusted = strdup(trusted);
	memcpy(made.id, s->id, sizeof(made.id));
	r = made.trusted ? sign_both(s, bytes, n, &made) : -ENOMEM;
	if (r < 0)
		return diag_fail(d, r, "cannot sign: %s", strerror(-r));
	*ret = made;
	made.trusted = NULL;
	return 0;
}

void sign_secret_free(struct sign_secret **s)
{
	sign_wiped_free(*s);
	*s = NULL;
}

/* --- memory --- */

void *sign_wiped_alloc(size_t n)
{
	void *p = sign_init() == 0 ? sodium_malloc(n) : NULL;

	if (p)
		memset(p, 0, n);
	return p;
}

void sign_wiped_free(void *p)
{
	sodium_free(p);
}

void sign_wipe_buf(struct buf *b)
{
	if (b->data)
		sodium_memzero(b->data, b->cap);
	buf_done(b);
}
