/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_parse - from the bytes of a bundle to what is in it (bundle.h); whether they may be believed was judged before
 */
#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <string.h>
#include "base/parse.h"
#include "base/text.h"
#include "supervisor/bundle/bundle.h"
#include "supervisor/json_file.h"
#include "supervisor/policy/policy_keys.h"
#include "supervisor/profile.h"
#include "supervisor/pin_store.h"

#define DIGEST "sha256:"
enum { SHOWN = 128, NAME_MAX_BYTES = 200 };
_Static_assert(BUNDLE_DIGEST_SIZE == sizeof(DIGEST) + 2 * crypto_hash_sha256_BYTES, "a digest has room");

struct taking {
	struct json_file file;
	const struct keyring *keys;
	struct bundle *bundle;
	struct diag *d;
};

static int fail(const struct taking *t, unsigned line, const char *fmt, ...) _printf_(3, 4) _must_check_;
static int fail(const struct taking *t, unsigned line, const char *fmt, ...)
{
	char words[DIAG_MAX / 2];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	return diag_fail(t->d, -EINVAL, "%s:%u: %s", t->file.name, line, words);
}

/* --- single values --- */

static int take_string(const struct taking *t, const char *key, const json_t *v, unsigned line, char **ret)
{
	if (!json_is_string(v) || json_string_length(v) == 0 || json_string_length(v) > NAME_MAX_BYTES)
		return fail(t, line, "\"%s\" must be a text of 1 to %d bytes", key, NAME_MAX_BYTES);
	*ret = strdup(json_string_value(v));
	return *ret ? 0 : -ENOMEM;
}

static int take_moment(const struct taking *t, const char *key, const json_t *v, unsigned line, int64_t *ret)
{
	if (json_is_string(v) && strlen(json_string_value(v)) > 10 && parse_time(json_string_value(v), ret) == 0)
		return 0;
	return fail(t, line, "\"%s\" must be a moment in UTC, as in \"2027-04-01T00:00:00Z\"", key);
}

static int take_format(const struct taking *t, const char *key, json_t *v, unsigned line)
{
	(void)key;
	return json_is_integer(v) && json_integer_value(v) == 1
		       ? 0
		       : fail(t, line, "\"stockade\" must be 1: this version reads no other format of bundles");
}

static int take_name(const struct taking *t, const char *key, json_t *v, unsigned line)
{
	return take_string(t, key, v, line, &t->bundle->name);
}

static int take_version(const struct taking *t, const char *key, json_t *v, unsigned line)
{
	if (!json_is_integer(v) || json_integer_value(v) < 1)
		return fail(t, line, "\"%s\" must be a whole number from 1 on, higher with each bundle", key);
	t->bundle->version = (uint64_t)json_integer_value(v);
	return 0;
}

static int take_issued(const struct taking *t, const char *key, json_t *v, unsigned line)
{
	return take_moment(t, key, v, line, &t->bundle->issued);
}

static int take_expires(const struct taking *t, const char *key, json_t *v, unsigned line)
{
	return take_moment(t, key, v, line, &t->bundle->expires);
}

static int take_text(const struct taking *t, const char *key, json_t *v, unsigned line)
{
	return json_is_string(v) ? 0 : fail(t, line, "\"%s\" must be a text", key);
}

/* --- lists of what others parse --- */

static int take_objects(const struct taking *t, const char *key, json_t *v, unsigned line, json_t **ret)
{
	const json_t *one;
	size_t i;

	if (!json_is_array(v))
		return fail(t, line, "\"%s\" must be a list", key);
	json_array_foreach(v, i, one) if (!json_is_object(one)) return fail(
		t, json_file_line(&t->file, v, i), "\"%s\" is a list of objects", key);
	json_decref(*ret);
	*ret = json_incref(v);
	return 0;
}

static int take_revocations(const struct taking *t, const char *key, json_t *v, unsigned line)
{
	return take_objects(t, key, v, line, &t->bundle->revocations);
}

static int take_kills(const struct taking *t, const char *key, json_t *v, unsigned line)
{
	return take_objects(t, key, v, line, &t->bundle->kills);
}

/* By the policy's own reader: what one says of a group the other does. */
static int take_groups(const struct taking *t, const char *key, json_t *v, unsigned line)
{
	static const struct key_row row = { .path = "groups", .type = KEY_OBJECT, .set = policy_set_groups };
	struct parse ps = { .file = t->file, .d = t->d };
	struct key k = { &ps, &row, key, v, line, &t->bundle->groups };

	if (!json_is_object(v))
		return fail(t, line, "\"%s\" must be an object", key);
	return policy_set_groups(&k);
}

/* --- files --- */

void bundle_digest(const char *text, size_t n, char ret[BUNDLE_DIGEST_SIZE])
{
	unsigned char hash[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(hash, (const unsigned char *)text, n);
	snprintf(ret, BUNDLE_DIGEST_SIZE, DIGEST);
	sodium_bin2hex(ret + strlen(DIGEST), BUNDLE_DIGEST_SIZE - strlen(DIGEST), hash, sizeof(hash));
}

static bool digest_fits(const char *text, size_t n, const char *digest)
{
	char real[BUNDLE_DIGEST_SIZE];

	bundle_digest(text, n, real);
	return strcmp(digest, real) == 0;
}

/* One component of a path: a profile's name, or that of a file of pins. */
static bool is_plain_name(const char *s)
{
	return *s && *s != '.' && strlen(s) <= NAME_MAX_BYTES && !strchr(s, '/') && utf8_valid(s, strlen(s));
}

static int add_signatures(const struct taking *t, const json_t *list, unsigned line, struct bundle_file *f)
{
	const json_t *one;
	size_t i;
	int r = 0;

	if (list && !json_is_array(list))
		return fail(t, line, "\"signatures\" must be a list of texts");
	json_array_foreach(list, i, one)
	{
		if (!json_is_string(one))
			return fail(t, line, "\"signatures\" must be a list of texts");
		r = signed_add(&f->verified, f->where, json_string_value(one), json_string_length(one), t->keys, t->d);
		if (r < 0)
			return r;
	}
	return signed_within(&f->verified, &t->bundle->verified, t->d);
}

static int check_members(const struct taking *t, const json_t *object, unsigned line)
{
	static const char *const known[] = { "name", "digest", "text", "signatures" };
	const char *key;
	const json_t *v;
	char shown[SHOWN];

	json_object_foreach((json_t *)(uintptr_t)object, key, v)
	{
		bool found = false;
		for (size_t i = 0; i < ARRAY_LEN(known); i++)
			found = found || strcmp(key, known[i]) == 0;
		if (!found)
			return fail(t, line, "unknown key '%s'", text_escape_str(key, shown, sizeof(shown)));
	}
	return 0;
}

static int take_file(
	const struct taking *t, const char *key, const json_t *v, unsigned line, size_t max, struct bundle_file *f)
{
	const json_t *text = json_object_get(v, "text");
	const char *name = json_string_value(json_object_get(v, "name")),
		   *digest = json_string_value(json_object_get(v, "digest"));
	char shown[SHOWN];
	int r;

	if (!json_is_object(v) || !name || !digest || !json_is_string(text))
		return fail(
			t, line, "each of \"%s\" is an object with the texts \"name\", \"digest\" and \"text\"", key);
	r = check_members(t, v, line);
	if (r < 0)
		return r;
	text_escape_str(name, shown, sizeof(shown));
	if (!is_plain_name(name))
		return fail(t, line, "'%s' is no name of a file", shown);
	if (!digest_fits(json_string_value(text), json_string_length(text), digest))
		return fail(t, line, "the digest of '%s' is not that of its text", shown);
	f->verified.bytes = BUF_INIT(max);
	f->name = strdup(name);
	if (!f->name || asprintf(&f->where, "%s (%s \"%s\")", t->file.name, key, shown) < 0) {
		f->where = NULL;
		return -ENOMEM;
	}
	r = buf_append(&f->verified.bytes, json_string_value(text), json_string_length(text));
	if (r == -E2BIG)
		return fail(t, line, "'%s' is longer than %zu bytes, the limit for such a file", shown, max);
	return r ? r : add_signatures(t, json_object_get(v, "signatures"), line, f);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct bundle_file *)a)->name, ((const struct bundle_file *)b)->name);
}

static int take_files(
	const struct taking *t, const char *key, const json_t *v, size_t max, struct bundle_file **ret, size_t *ret_n)
{
	unsigned line = json_file_key_line(&t->file, t->file.root, key);
	size_t n = json_array_size(v);
	char shown[SHOWN];

	if (!json_is_array(v) || n > BUNDLE_FILES_MAX)
		return fail(t, line, "\"%s\" must be a list of at most %d", key, BUNDLE_FILES_MAX);
	*ret = calloc(n + 1, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		int r = take_file(t, key, json_array_get(v, i), json_file_line(&t->file, v, i), max, &(*ret)[i]);
		/* Counted first: what is half there is freed with the rest. */
		*ret_n = i + 1;
		if (r < 0)
			return r;
	}
	qsort(*ret, n, sizeof(**ret), by_name);
	for (size_t i = 1; i < n; i++)
		if (strcmp((*ret)[i - 1].name, (*ret)[i].name) == 0)
			return fail(t, line, "\"%s\" has two of the name '%s'", key,
				text_escape_str((*ret)[i].name, shown, sizeof(shown)));
	return 0;
}

static int take_profiles(const struct taking *t, const char *key, json_t *v, unsigned line)
{
	(void)line;
	return take_files(t, key, v, PROFILE_BYTES_MAX, &t->bundle->profiles, &t->bundle->n_profiles);
}

static int take_pins(const struct taking *t, const char *key, json_t *v, unsigned line)
{
	(void)line;
	return take_files(t, key, v, PIN_FILE_MAX, &t->bundle->pins, &t->bundle->n_pins);
}

/* --- the whole --- */

static const struct member {
	const char *key;
	bool required;
	int (*take)(const struct taking *t, const char *key, json_t *v, unsigned line);
} members[] = {
	{ "stockade", true, take_format },
	{ "bundle", true, take_name },
	{ "version", true, take_version },
	{ "issued", true, take_issued },
	{ "expires", true, take_expires },
	{ "description", false, take_text },
	{ "profiles", false, take_profiles },
	{ "pins", false, take_pins },
	{ "revocations", false, take_revocations },
	{ "kill", false, take_kills },
	{ "groups", false, take_groups },
};

static int take_member(const struct taking *t, const char *key, json_t *v)
{
	unsigned line = json_file_key_line(&t->file, t->file.root, key);
	char shown[SHOWN];

	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (strcmp(members[i].key, key) == 0)
			return members[i].take(t, key, v, line);
	return fail(t, line, "unknown key '%s': stockade's format of bundles has no such key",
		text_escape_str(key, shown, sizeof(shown)));
}

static int take_all(const struct taking *t)
{
	const char *key;
	json_t *v;

	if (!json_is_object(t->file.root))
		return fail(t, 1, "a bundle is a JSON object, not %s", json_file_type(t->file.root));
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (members[i].required && !json_object_get(t->file.root, members[i].key))
			return fail(t, 1, "a bundle needs \"%s\"", members[i].key);
	json_object_foreach(t->file.root, key, v)
	{
		int r = take_member(t, key, v);
		if (r < 0)
			return r;
	}
	if (t->bundle->expires <= t->bundle->issued)
		return fail(
			t, json_file_key_line(&t->file, t->file.root, "expires"), "it expires before it was issued");
	return 0;
}

int bundle_parse(
	const char *name, const char *bytes, size_t n, const struct keyring *keys, struct bundle *ret, struct diag *d)
{
	char shown[2 * SHOWN];
	struct taking t = { .keys = keys, .bundle = ret, .d = d };
	int r;

	diag_set(d, "%s", strerror(ENOMEM)); /* whatever else fails says so itself */
	r = json_file_parse(text_escape_str(name, shown, sizeof(shown)), bytes, n, &t.file, d);
	ret->revocations = json_array();
	ret->kills = json_array();
	if (r == 0 && (!ret->revocations || !ret->kills))
		r = -ENOMEM;
	if (r == 0)
		r = take_all(&t);
	json_file_done(&t.file);
	return r;
}
