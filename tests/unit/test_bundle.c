/* SPDX-License-Identifier: Apache-2.0 */
/* test_bundle - one signed file: what is in it, when it holds, and that the last good one stays */
#include "tests/unit/unit.h"
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "base/io.h"
#include "sign/secret_key.h"
#include "supervisor/bundle/bundle.h"
#include "supervisor/bundle/bundle_members.h"
#include "supervisor/json_file.h"
#include "tests/unit/tree.h"

enum { ISSUED = 1790000000, EXPIRES = 1800000000, NOW = 1790001000, TEXT_MAX = 8192, DAY = 86400 };
#define ISSUED_TEXT  "2026-09-21T14:13:20Z"
#define EXPIRES_TEXT "2027-01-15T08:00:00Z"
#define HEAD(version)                                                                                                  \
	"{\"stockade\": 1, \"bundle\": \"acme\", \"version\": " version ", \"issued\": \"" ISSUED_TEXT                 \
	"\", \"expires\": \"" EXPIRES_TEXT "\""

struct world {
	char path[64], placed[96], kept[96], confirmed[96], highest[96];
	struct sign_secret *it, *other;
	struct keyring keys;
	struct judge_key named[2];
	struct judge_rule rule;
	struct bundle_args args;
	struct bundle_places places;
	struct diag d;
};

static struct sign_secret *new_key(struct world *w, const char *name)
{
	struct sign_secret *s = NULL;
	struct sign_key k;

	assert_int_equal(sign_secret_new(&s, &w->d), 0);
	sign_secret_public(s, &k);
	assert_int_equal(keyring_add(&w->keys, name, name, &k, &w->d), 0);
	return s;
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	snprintf(w->path, sizeof(w->path), "/tmp/stockade-bundle-XXXXXX");
	if (sign_init() < 0 || !mkdtemp(w->path))
		return -1;
	snprintf(w->placed, sizeof(w->placed), "%s/placed.json", w->path);
	snprintf(w->kept, sizeof(w->kept), "%s/kept.json", w->path);
	snprintf(w->confirmed, sizeof(w->confirmed), "%s/confirmed", w->path);
	snprintf(w->highest, sizeof(w->highest), "%s/highest", w->path);
	w->it = new_key(w, "it");
	w->other = new_key(w, "other");
	w->named[0].name = "it";
	w->rule = (struct judge_rule){ .need = 1, .keys = w->named, .n_keys = 1, .now = NOW, .where = "the test" };
	w->args = (struct bundle_args){ .keys = &w->keys, .rule = &w->rule, .now = NOW };
	w->places = (struct bundle_places){ w->placed, w->kept, w->confirmed, w->highest, FS_TRUST_USER, getuid() };
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	sign_secret_free(&w->it);
	sign_secret_free(&w->other);
	keyring_done(&w->keys);
	remove_tree(w->path);
	free(w);
	return 0;
}

static void put(const char *path, const char *text, int64_t when)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	struct timespec t[2] = { { .tv_sec = when }, { .tv_sec = when } };

	assert_true(fd >= 0);
	assert_int_equal(io_write_full(fd, text, strlen(text)), 0);
	assert_int_equal(futimens(fd, t), 0);
}

static void sign_text(const struct sign_secret *s, const char *text, struct buf *ret)
{
	_cleanup_sign_signature_ struct sign_signature made = { 0 };
	struct diag d;

	assert_int_equal(sign_secret_sign(s, text, strlen(text), "timestamp:1790000000", &made, &d), 0);
	assert_int_equal(sign_signature_text(&made, NULL, ret), 0);
}

static void put_signed(const char *path, const struct sign_secret *s, const char *text)
{
	_cleanup_buf_ struct buf b = BUF_INIT(SIGN_FILE_MAX);
	char name[128];

	sign_text(s, text, &b);
	snprintf(name, sizeof(name), "%s.minisig", path);
	put(path, text, NOW);
	put(name, b.data, NOW);
}

/* {"name": ..., "digest": ..., "text": ...}, and a signature where one is given. */
static void file_json(const char *name, const char *text, const char *signature, struct buf *ret)
{
	unsigned char hash[crypto_hash_sha256_BYTES];
	char hex[2 * crypto_hash_sha256_BYTES + 1];
	json_t *v;
	_cleanup_free_ char *out = NULL;

	crypto_hash_sha256(hash, (const unsigned char *)text, strlen(text));
	sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	v = json_pack("{s:s, s:s+, s:s}", "name", name, "digest", "sha256:", hex, "text", text);
	if (signature)
		json_object_set_new(v, "signatures", json_pack("[s]", signature));
	out = json_dumps(v, JSON_COMPACT);
	json_decref(v);
	assert_int_equal(buf_puts(ret, out), 0);
}

static int load(struct world *w, struct bundle *ret)
{
	w->d.text[0] = '\0';
	return bundle_load_from(&w->places, &w->args, ret, &w->d);
}

static const char *refused(struct world *w, int err)
{
	_cleanup_bundle_ struct bundle b = { 0 };
	int r = load(w, &b);

	if (r != err)
		fail_msg("%d, not %d: %s", r, err, w->d.text);
	return w->d.text;
}

static void where_there_is_no_bundle_there_is_none(void **state)
{
	_cleanup_bundle_ struct bundle b = { 0 };

	assert_int_equal(load(*state, &b), BUNDLE_NONE);
}

static void it_gives_each_file_with_its_bytes_and_who_vouches_for_them(void **state)
{
	struct world *w = *state;
	_cleanup_buf_ struct buf text = BUF_INIT(TEXT_MAX), own = BUF_INIT(SIGN_FILE_MAX);
	_cleanup_bundle_ struct bundle b = { 0 };
	const char *notes = "{\"name\": \"notes\"}\n";

	sign_text(w->other, notes, &own);
	assert_int_equal(buf_puts(&text, HEAD("3") ", \"profiles\": ["), 0);
	file_json("notes", notes, own.data, &text);
	assert_int_equal(buf_puts(&text, ","), 0);
	file_json("db", "{}", NULL, &text);
	assert_int_equal(buf_puts(&text, "], \"pins\": ["), 0);
	file_json("notes.pins", "{}\n", NULL, &text);
	assert_int_equal(
		buf_puts(&text,
			"], \"revocations\": [{\"stockade\": 1, \"revoke\": []}], \"kill\": [{\"server\": \"x\"}, {}], "
			"\"groups\": {\"dev\": {\"servers\": [\"db-*\"]}}}"),
		0);
	put_signed(w->placed, w->it, text.data);
	assert_int_equal(load(w, &b), 0);
	assert_string_equal(b.name, "acme");
	assert_int_equal(b.version, 3);
	assert_int_equal(b.issued, ISSUED);
	assert_int_equal(b.expires, EXPIRES);
	assert_int_equal(b.n_profiles, 2);
	assert_string_equal(bundle_profile(&b, "notes")->verified.bytes.data, notes);
	assert_int_equal(bundle_profile(&b, "notes")->verified.known, 2);
	assert_string_equal(bundle_profile(&b, "db")->verified.v[0].name, "it");
	assert_string_equal(bundle_pins(&b, "notes.pins")->verified.bytes.data, "{}\n");
	assert_null(bundle_profile(&b, "notes.pins"));
	assert_int_equal(json_array_size(b.kills), 2);
	assert_int_equal(json_array_size(b.revocations), 1);
	assert_int_equal(b.groups.n, 1);
	assert_string_equal(b.groups.v[0].name, "dev");
	assert_string_equal(b.warning, "");
}

static void a_profile_whose_own_signature_does_not_fit_makes_the_bundle_useless(void **state)
{
	struct world *w = *state;
	_cleanup_buf_ struct buf text = BUF_INIT(TEXT_MAX), own = BUF_INIT(SIGN_FILE_MAX);

	sign_text(w->other, "another text", &own);
	assert_int_equal(buf_puts(&text, HEAD("3") ", \"profiles\": ["), 0);
	file_json("notes", "{}", own.data, &text);
	assert_int_equal(buf_puts(&text, "]}"), 0);
	put_signed(w->placed, w->it, text.data);
	assert_non_null(strstr(refused(w, -EBADMSG), "notes"));
}

static void nobody_but_the_keys_of_the_rule_makes_a_bundle(void **state)
{
	struct world *w = *state;

	put(w->placed, HEAD("1") "}", NOW);
	assert_non_null(strstr(refused(w, -EACCES), "it is not signed"));
	put_signed(w->placed, w->other, HEAD("1") "}");
	assert_non_null(strstr(refused(w, -EACCES), "not a key that the rule names"));
}

/* A key for some servers is none for what is about all of them. */
static void a_key_that_is_for_some_servers_makes_no_bundle(void **state)
{
	static const char *const scope[] = { "db-*" };
	struct world *w = *state;

	w->named[0].scope = scope;
	w->named[0].n_scope = 1;
	w->rule.server = "db-main";
	put_signed(w->placed, w->it, HEAD("1") "}");
	assert_non_null(strstr(refused(w, -EACCES), "not for this server"));
}

static void the_higher_version_counts_wherever_it_lies(void **state)
{
	struct world *w = *state;
	static const char *const versions[][2] = { { HEAD("4") "}", HEAD("5") "}" }, { HEAD("5") "}", HEAD("4") "}" } };

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		_cleanup_bundle_ struct bundle b = { 0 };
		put_signed(w->placed, w->it, versions[i][0]);
		put_signed(w->kept, w->it, versions[i][1]);
		assert_int_equal(load(w, &b), 0);
		assert_int_equal(b.version, 5);
	}
}

static void a_half_copied_bundle_leaves_the_last_good_one_and_warns(void **state)
{
	struct world *w = *state;
	const char *newer = HEAD("2") ", \"kill\": [{}]}";
	char half[TEXT_MAX];

	put_signed(w->kept, w->it, HEAD("1") "}");
	put_signed(w->placed, w->it, newer);
	for (size_t n = 0; n < strlen(newer); n += 7) {
		_cleanup_bundle_ struct bundle b = { 0 };
		snprintf(half, sizeof(half), "%.*s", (int)n, newer);
		put(w->placed, half, NOW);
		assert_int_equal(load(w, &b), 0);
		assert_int_equal(b.version, 1);
		assert_non_null(strstr(b.warning, "does not fit these bytes"));
	}
	assert_int_equal(remove(w->kept), 0);
	assert_non_null(strstr(refused(w, -EBADMSG), "does not fit these bytes"));
}

static void put_bytes(const char *path, const char *bytes, size_t n)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(io_write_full(fd, bytes, n), 0);
}

/* Of a newer one that lies there so nothing is taken, and it is told. */
static void keeps_the_last_good_one(struct world *w, const char *what, size_t at)
{
	_cleanup_bundle_ struct bundle b = { 0 };
	int r = load(w, &b);

	if (r != 0 || b.version != 1 || !b.warning[0])
		fail_msg("%s at %zu: %d, version %llu, '%s'", what, at, r, (unsigned long long)b.version, b.warning);
}

/* The untrusted comment at the head of a signature is anybody's. */
static void no_byte_of_a_bundle_or_its_signature_can_be_changed_or_be_missing(void **state)
{
	struct world *w = *state;
	const char *newer = HEAD("2") ", \"kill\": [{}]}";
	_cleanup_buf_ struct buf signature = BUF_INIT(SIGN_FILE_MAX);
	_cleanup_bundle_ struct bundle control = { 0 };
	char path[128], changed[TEXT_MAX];

	put_signed(w->kept, w->it, HEAD("1") "}");
	put_signed(w->placed, w->it, newer);
	assert_int_equal(load(w, &control), 0);
	assert_int_equal(control.version, 2);
	sign_text(w->it, newer, &signature);
	snprintf(path, sizeof(path), "%s.minisig", w->placed);
	const struct {
		const char *path, *bytes;
		size_t n, from;
	} files[] = { { w->placed, newer, strlen(newer), 0 },
		{ path, signature.data, signature.len,
			(size_t)((const char *)memchr(signature.data, '\n', signature.len) - signature.data) } };
	for (size_t f = 0; f < ARRAY_LEN(files); f++) {
		for (size_t i = files[f].from; i < files[f].n; i++) {
			memcpy(changed, files[f].bytes, files[f].n);
			changed[i] = (char)(changed[i] ^ 1 << i % 8);
			put_bytes(files[f].path, changed, files[f].n);
			keeps_the_last_good_one(w, "a bit flipped", i);
		}
		for (size_t n = 0; n < files[f].n; n++) {
			put_bytes(files[f].path, files[f].bytes, n);
			keeps_the_last_good_one(w, "cut", n);
		}
		memcpy(changed, files[f].bytes, files[f].n);
		changed[files[f].n] = '\n';
		put_bytes(files[f].path, changed, files[f].n + 1);
		keeps_the_last_good_one(w, "longer", files[f].n);
		put_bytes(files[f].path, files[f].bytes, files[f].n);
	}
	bundle_done(&control);
	assert_int_equal(load(w, &control), 0);
	assert_int_equal(control.version, 2);
}

static void it_ends_when_it_expires_and_denies_by_a_clock_that_is_before_it_was_made(void **state)
{
	struct world *w = *state;

	put_signed(w->placed, w->it, HEAD("1") "}");
	w->args.now = EXPIRES;
	assert_non_null(strstr(refused(w, -EPERM), "expired on " EXPIRES_TEXT));
	w->args.now = ISSUED - 601;
	assert_non_null(strstr(refused(w, -EPERM), "was issued on " ISSUED_TEXT));
	for (int64_t now = EXPIRES - 1; now; now = now == EXPIRES - 1 ? ISSUED - 600 : 0) {
		_cleanup_bundle_ struct bundle b = { 0 };
		w->args.now = now;
		assert_int_equal(load(w, &b), 0);
		assert_int_equal(strstr(b.warning, "expires on") != NULL, now == EXPIRES - 1);
	}
}

/* How long ago it was put there, how long ago it was confirmed, what then */
static const struct {
	int placed, confirmed, result;
	bool warned;
} ages[] = {
	{ 0, -1, 0, false },
	{ 35, -1, 0, false },
	{ 36, -1, 0, true },
	{ 71, -1, 0, true },
	{ 72, -1, -EPERM, false },
	{ 500, 35, 0, false },
	{ 500, 40, 0, true },
	{ 500, 72, -EPERM, false },
	{ 10, 500, 0, false },
	{ -1, -1, -EPERM, false },
	{ -1, 0, -EPERM, false },
};

static void one_that_nobody_confirmed_for_long_warns_and_then_denies(void **state)
{
	enum { HOUR = 3600 };
	struct world *w = *state;

	w->args.stale = 72 * HOUR;
	for (size_t i = 0; i < ARRAY_LEN(ages); i++) {
		_cleanup_bundle_ struct bundle b = { 0 };
		put_signed(w->placed, w->it, HEAD("1") "}");
		put(w->placed, HEAD("1") "}", NOW - (int64_t)ages[i].placed * HOUR);
		remove(w->confirmed);
		if (ages[i].confirmed >= 0)
			put(w->confirmed, "", NOW - (int64_t)ages[i].confirmed * HOUR);
		assert_int_equal(load(w, &b), ages[i].result);
		assert_int_equal(b.warning[0] != '\0', ages[i].warned);
	}
}

/* --- never back --- */

static const char kept_five[] = "{\"stockade\":1,\"bundle\":\"acme\",\"version\":5}";

/* What lies where the newest was kept; all of them leave only version 4. */
static void kept_by_another_key(struct world *w)
{
	put_signed(w->kept, w->other, HEAD("5") "}");
}

static void kept_is_cut(struct world *w)
{
	put_signed(w->kept, w->it, HEAD("5") "}");
	put(w->kept, HEAD("5"), NOW);
}

static void kept_is_gone(struct world *w)
{
	remove(w->kept);
}

static void kept_is_older(struct world *w)
{
	put_signed(w->kept, w->it, HEAD("3") "}");
}

static void an_older_one_is_refused_once_a_newer_was_kept_whatever_became_of_that(void **state)
{
	static void (*const ways[])(struct world *) = { kept_by_another_key, kept_is_cut, kept_is_gone, kept_is_older };
	struct world *w = *state;

	put_signed(w->placed, w->it, HEAD("4") "}");
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		_cleanup_bundle_ struct bundle control = { 0 };
		ways[i](w);
		remove(w->highest);
		assert_int_equal(load(w, &control), 0);
		assert_int_equal(control.version, 4);
		put(w->highest, kept_five, NOW);
		assert_non_null(strstr(refused(w, -EPERM), "kept version 5 of the bundle 'acme'"));
		assert_non_null(strstr(w->d.text, "version 4"));
	}
	for (unsigned i = 0; i < 2; i++) {
		_cleanup_bundle_ struct bundle b = { 0 };
		put_signed(w->placed, w->it, i ? HEAD("6") "}" : HEAD("5") "}");
		assert_int_equal(load(w, &b), 0);
		assert_int_equal(b.version, 5 + i);
	}
}

static void where_one_was_kept_none_at_all_is_refused(void **state)
{
	struct world *w = *state;

	put(w->highest, kept_five, NOW);
	assert_non_null(strstr(refused(w, -EPERM), "none is there"));
}

/* Whatever is left of it, nobody reads a lower number out of it. */
static void what_remembers_the_highest_denies_when_it_is_damaged(void **state)
{
	static const char *const rows[] = { "[]", "{}", "{\"stockade\":1,\"bundle\":\"acme\",\"version\":0}",
		"{\"stockade\":1,\"bundle\":\"acme\",\"version\":-5}",
		"{\"stockade\":2,\"bundle\":\"a\",\"version\":5}",
		"{\"stockade\":1,\"bundle\":\"acme\",\"version\":\"5\"}", "{\"stockade\":1,\"version\":5}",
		"{\"stockade\":1,\"bundle\":\"acme\",\"version\":5,\"version\":1}" };
	struct world *w = *state;
	char cut[sizeof(kept_five)];

	put_signed(w->placed, w->it, HEAD("7") "}");
	for (size_t n = 0; n < strlen(kept_five); n++) {
		snprintf(cut, sizeof(cut), "%.*s", (int)n, kept_five);
		put(w->highest, cut, NOW);
		assert_non_null(strstr(refused(w, -EINVAL), "it is damaged"));
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		put(w->highest, rows[i], NOW);
		assert_non_null(strstr(refused(w, -EINVAL), "it is damaged"));
	}
	put(w->highest, kept_five, NOW);
	assert_int_equal(chmod(w->highest, 0666), 0);
	assert_non_null(strstr(refused(w, -EINVAL), "can be written by others"));
}

#define ENDED(version)                                                                                                 \
	"{\"stockade\": 1, \"bundle\": \"acme\", \"version\": " version                                                \
	", \"issued\": \"2026-01-01T00:00:00Z\", \"expires\": \"2026-02-01T00:00:00Z\"}"
#define AHEAD(version)                                                                                                 \
	"{\"stockade\": 1, \"bundle\": \"acme\", \"version\": " version                                                \
	", \"issued\": \"2026-12-01T00:00:00Z\", \"expires\": \"2027-02-01T00:00:00Z\"}"

/* An older one would hold, and lifts what the newest had killed. */
static void when_the_newest_does_not_hold_now_no_older_one_stands_in_for_it(void **state)
{
	struct world *w = *state;
	const char *const kept[] = { w->kept, w->placed }, *const placed[] = { w->placed, w->kept };

	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		put_signed(kept[i], w->it, HEAD("1") "}");
		put_signed(placed[i], w->it, ENDED("2"));
		assert_non_null(strstr(refused(w, -EPERM), "expired on 2026-02-01T00:00:00Z"));
		put_signed(placed[i], w->it, AHEAD("2"));
		assert_non_null(strstr(refused(w, -EPERM), "was issued on 2026-12-01T00:00:00Z"));
		put_signed(kept[i], w->it, HEAD("3") "}");
		_cleanup_bundle_ struct bundle b = { 0 };
		assert_int_equal(load(w, &b), 0);
		assert_int_equal(b.version, 3);
	}
}

/* --- who may sign the next --- */

/* Both keys make bundles. revoking: what the one that is kept says of a key. */
static void revoke_in(struct world *w, const char *name, char *ret, size_t size)
{
	char id[SIGN_ID_HEX];

	w->named[1].name = "other";
	w->rule.n_keys = 2;
	snprintf(ret, size, HEAD("5") ", \"revocations\": [{\"stockade\": 1, \"revoke\": [{\"key\": \"%s\"}]}]}",
		sign_id_text(keyring_by_name(&w->keys, name)->key.id, id));
}

static void a_key_that_the_kept_one_revokes_makes_no_newer_one(void **state)
{
	struct world *w = *state;
	_cleanup_bundle_ struct bundle b = { 0 }, after = { 0 }, same = { 0 };
	char five[TEXT_MAX];

	revoke_in(w, "other", five, sizeof(five));
	put_signed(w->placed, w->other, HEAD("6") "}");
	assert_int_equal(load(w, &same), 0);
	assert_int_equal(same.version, 6);
	put_signed(w->kept, w->it, five);
	assert_int_equal(load(w, &b), 0);
	assert_int_equal(b.version, 5);
	assert_non_null(strstr(b.warning, "'other' was revoked"));
	put_signed(w->placed, w->it, HEAD("6") "}");
	assert_int_equal(load(w, &after), 0);
	assert_int_equal(after.version, 6);
	assert_string_equal(after.warning, "");
}

static void what_it_revokes_holds_when_it_cannot_be_used_itself(void **state)
{
	struct world *w = *state;
	char five[TEXT_MAX];

	revoke_in(w, "other", five, sizeof(five));
	put_signed(w->placed, w->other, HEAD("6") "}");
	put_signed(w->kept, w->it, five);
	w->named[0].expires = NOW - 1;
	assert_non_null(strstr(refused(w, -EACCES), "'other' was revoked"));
	put_signed(w->kept, w->it, HEAD("5") ", \"revocations\": [{\"stockade\": 1, \"revoke\": 7}]}");
	assert_non_null(strstr(refused(w, -EINVAL), "what is revoked"));
}

/* Its copy in the other place is no newer one. */
static void one_that_revokes_its_own_signer_stays(void **state)
{
	struct world *w = *state;
	char five[TEXT_MAX];

	revoke_in(w, "it", five, sizeof(five));
	for (int i = 0; i < 2; i++) {
		_cleanup_bundle_ struct bundle b = { 0 };
		put_signed(w->kept, w->it, five);
		put_signed(w->placed, w->it, i ? five : HEAD("4") "}");
		assert_int_equal(load(w, &b), 0);
		assert_int_equal(b.version, 5);
		assert_string_equal(b.warning, "");
	}
}

#define ONE_FILE(more) HEAD("1") ", \"profiles\": [" more "]}"

static const struct {
	const char *text, *words;
} wrong[] = {
	{ "[]", "a bundle is a JSON object" },
	{ "{}", "a bundle needs \"stockade\"" },
	{ "{", "JSON" },
	{ HEAD("1") ", \"profile\": []}", "unknown key 'profile'" },
	{ HEAD("1") ", \"version\": 2}", "version" },
	{ HEAD("0") "}", "from 1 on" },
	{ HEAD("1.5") "}", "from 1 on" },
	{ HEAD("\"1\"") "}", "from 1 on" },
	{ HEAD("1") ", \"kill\": {}}", "must be a list" },
	{ HEAD("1") ", \"kill\": [1]}", "a list of objects" },
	{ HEAD("1") ", \"revocations\": [[]]}", "a list of objects" },
	{ HEAD("1") ", \"groups\": []}", "must be an object" },
	{ HEAD("1") ", \"groups\": {\"dev\": {}}}", "without \"servers\"" },
	{ HEAD("1") ", \"groups\": {\"dev\": {\"servers\": [\"a\"], \"tool\": []}}}", "has a group with more" },
	{ HEAD("1") ", \"pins\": {}}", "must be a list" },
	{ ONE_FILE("{}"), "with the texts" },
	{ ONE_FILE("{\"name\": \"a\", \"digest\": \"sha256:00\", \"text\": \"x\"}"), "digest of 'a'" },
	{ ONE_FILE("{\"name\": \"../a\", \"digest\": \"\", \"text\": \"x\"}"), "no name of a file" },
	{ ONE_FILE("{\"name\": \"a\", \"digest\": \"\", \"text\": \"x\", \"more\": 1}"), "unknown key 'more'" },
	{ "{\"stockade\": 2, \"bundle\": \"a\", \"version\": 1, \"issued\": \"\", \"expires\": \"\"}",
		"no other format" },
	{ "{\"stockade\": 1, \"bundle\": \"a\", \"version\": 1, \"issued\": \"2026-01-01\", \"expires\": \"\"}",
		"a moment" },
	{ "{\"stockade\": 1, \"bundle\": \"a\", \"version\": 1, \"issued\": \"" EXPIRES_TEXT
	  "\", \"expires\": \"" ISSUED_TEXT "\"}",
		"before it was issued" },
};

static void a_mistake_in_it_is_told_with_its_line(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		_cleanup_bundle_ struct bundle b = { 0 };
		struct diag d = { "" };
		int r = bundle_parse("b.json", wrong[i].text, strlen(wrong[i].text), &w->keys, &b, &d);
		if (r >= 0 || !strstr(d.text, wrong[i].words) || strncmp(d.text, "b.json:", 7) != 0)
			fail_msg("%zu: %d %s", i, r, d.text);
	}
}

static void two_profiles_of_one_name_are_refused(void **state)
{
	struct world *w = *state;
	_cleanup_buf_ struct buf text = BUF_INIT(TEXT_MAX);
	_cleanup_bundle_ struct bundle b = { 0 };

	assert_int_equal(buf_puts(&text, HEAD("3") ", \"profiles\": ["), 0);
	file_json("notes", "{}", NULL, &text);
	assert_int_equal(buf_puts(&text, ","), 0);
	file_json("notes", "[]", NULL, &text);
	assert_int_equal(buf_puts(&text, "]}"), 0);
	assert_int_equal(bundle_parse("b.json", text.data, text.len, &w->keys, &b, &w->d), -EINVAL);
	assert_non_null(strstr(w->d.text, "two of the name"));
}

#define scene(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* --- members --- */

static void members_are_found_without_parsing_the_rest(void **state)
{
	static const char text[] =
		" {\"a\": \"kill\\\"}\", \"x\": {\"kill\": [1]}, \"k\\u0069ll\" : [ {\"]\": \"}\"} ] ,"
		"\"version\":7}\n";
	struct bundle_member v[] = { { .key = "kill" }, { .key = "version" }, { .key = "absent" } };

	(void)state;
	assert_int_equal(bundle_members_find(text, strlen(text), v, ARRAY_LEN(v)), 0);
	assert_int_equal(strncmp(v[0].at, "[ {\"]\": \"}\"} ]", 14), 0);
	assert_int_equal(strncmp(v[1].at, "7", v[1].n), 0);
	assert_null(v[2].at);
}

static void what_is_not_one_object_to_its_end_or_has_a_member_twice_is_refused(void **state)
{
	static const char *const rows[] = { "", "[]", "{", "{}x", "{\"a\"}", "{\"a\":}", "{\"a\":1", "{\"a\":1,}",
		"{\"a\":\"", "{\"a\":\"\\", "{\"kill\":[],\"kill\":[]}", "{\"kill\":[],\"\\u006bill\":[]}", "{\"a\":{}",
		"{,}" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bundle_member v[] = { { .key = "kill" } };
		_cleanup_free_ char *exact = strndup(rows[i], strlen(rows[i]));
		if (bundle_members_find(exact, strlen(exact), v, 1) != -EINVAL)
			fail_msg("taken: %s", rows[i]);
	}
}

/* One that both take, and all that comes of it when a byte is changed or left out. */
static const char specimen[] = "{\"version\": 7, \"a\": [1, -2.5e+3, true, false, null, {}, [], "
			       "\"\\u00e9\\ud83d\\ude00\\n\\\\\"],\n\t\"k\\u0069ll\": "
			       "[{\"server\": \"x\", \"n\": {\"b\": {\"c\": 0}}}], \"\xc3\xa9\": \"\x7f\"} ";

static void same_as_parsed(const char *bytes, size_t n)
{
	struct bundle_member v[] = { { .key = "kill" }, { .key = "version" }, { .key = "a" }, { .key = "\xc3\xa9" } };
	_cleanup_json_file_ struct json_file f = { 0 };
	struct diag d = { "" };
	_cleanup_free_ char *exact = malloc(n + 1);
	bool parsed, found;

	memcpy(exact, bytes, n);
	exact[n] = '\0';
	parsed = json_file_parse("b", bytes, n, &f, &d) == 0 && json_is_object(f.root);
	exact = realloc(exact, n ? n : 1);
	found = bundle_members_find(exact, n, v, ARRAY_LEN(v)) == 0;
	if (parsed != found)
		fail_msg("%s but %s: %.*s", parsed ? "parsed" : d.text, found ? "found" : "not found", (int)n, bytes);
	for (size_t i = 0; found && i < ARRAY_LEN(v); i++) {
		const json_t *whole = json_object_get(f.root, v[i].key);
		json_t *part = v[i].at ? json_loadb(v[i].at, v[i].n, JSON_DECODE_ANY, NULL) : NULL;
		if (whole ? !part || !json_equal(whole, part) : v[i].at != NULL)
			fail_msg("another %s: %.*s", v[i].key, (int)n, bytes);
		json_decref(part);
	}
}

static void the_members_are_those_that_parsing_all_of_it_gives_or_none(void **state)
{
	static const char *const rows[] = { "{}", "[]", "1", "{\"a\":1e999}", "{\"a\":1e99}",
		"{\"a\":9223372036854775807}", "{\"a\":9223372036854775808}", "{\"a\":01}", "{\"a\":-}", "{\"a\":1.}",
		"{\"a\":1.5.5}", "{\"a\":+1}", "{\"a\":truex}", "{\"a\":\"\\u0000\"}", "{\"a\":\"\\ud800\"}",
		"{\"a\":\"\\udc00\"}", "{\"a\":\"\\ud800\\u0041\"}", "{\"a\":\"\\x\"}", "{\"a\":\"\xff\"}",
		"{\"a\":\"\xed\xa0\x80\"}", "\xef\xbb\xbf{}", "{\"b\":{\"x\":1,\"x\":2}}",
		"{\"b\":[{\"x\":1,\"\\u0078\":2}]}", "{\"b\":[{\"x\":1},{\"x\":2}],\"x\":{\"x\":3}}",
		"{\"a\":1,\"\\u0061\":1}", "{\"a\" :\t1\r\n,\"b\": 2 }\n", "{\"a\":1}}", "{\"a\":[1,]}", "{\"a\":[,]}",
		"{\"a\":{,}}", "{\"a\":[1}", "{\"a\":1 2}", "{\"\":{\"\":0}}" };
	char changed[sizeof(specimen)], deep[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		same_as_parsed(rows[i], strlen(rows[i]));
	for (int depth = 29; depth < 36; depth++) {
		int n = snprintf(deep, sizeof(deep), "{\"a\":%.*s%.*s}", depth, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
			depth, "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
		same_as_parsed(deep, (size_t)n);
	}
	same_as_parsed(specimen, strlen(specimen));
	for (size_t i = 0; i < strlen(specimen); i++) {
		same_as_parsed(specimen, i);
		for (int byte = 0; byte < 256; byte++) {
			memcpy(changed, specimen, sizeof(specimen));
			changed[i] = (char)byte;
			same_as_parsed(changed, strlen(specimen));
		}
		memcpy(changed, specimen, i);
		memcpy(changed + i, specimen + i + 1, strlen(specimen) - i);
		same_as_parsed(changed, strlen(specimen) - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scene(where_there_is_no_bundle_there_is_none),
		scene(it_gives_each_file_with_its_bytes_and_who_vouches_for_them),
		scene(a_profile_whose_own_signature_does_not_fit_makes_the_bundle_useless),
		scene(nobody_but_the_keys_of_the_rule_makes_a_bundle),
		scene(a_key_that_is_for_some_servers_makes_no_bundle),
		scene(the_higher_version_counts_wherever_it_lies),
		scene(a_half_copied_bundle_leaves_the_last_good_one_and_warns),
		scene(no_byte_of_a_bundle_or_its_signature_can_be_changed_or_be_missing),
		scene(it_ends_when_it_expires_and_denies_by_a_clock_that_is_before_it_was_made),
		scene(one_that_nobody_confirmed_for_long_warns_and_then_denies),
		scene(an_older_one_is_refused_once_a_newer_was_kept_whatever_became_of_that),
		scene(where_one_was_kept_none_at_all_is_refused),
		scene(what_remembers_the_highest_denies_when_it_is_damaged),
		scene(when_the_newest_does_not_hold_now_no_older_one_stands_in_for_it),
		scene(a_key_that_the_kept_one_revokes_makes_no_newer_one),
		scene(what_it_revokes_holds_when_it_cannot_be_used_itself),
		scene(one_that_revokes_its_own_signer_stays),
		scene(a_mistake_in_it_is_told_with_its_line),
		scene(two_profiles_of_one_name_are_refused),
		cmocka_unit_test(members_are_found_without_parsing_the_rest),
		cmocka_unit_test(what_is_not_one_object_to_its_end_or_has_a_member_twice_is_refused),
		cmocka_unit_test(the_members_are_those_that_parsing_all_of_it_gives_or_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
