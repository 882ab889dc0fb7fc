/* SPDX-License-Identifier: Apache-2.0 */
/* revocations - see revocations.h */
#include "supervisor/signing/revocations.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/glob.h"
#include "base/text.h"
#include "supervisor/keys.h"

enum { SHOWN = 200 };

/* One statement, borrowed from the document. */
struct statement {
	const char *key, *profile, *versions, *who, *when, *why;
};

/* --- the format --- */

static int set_text(const struct key *k)
{
	*KEY_FIELD(k, const char *) = json_string_value(k->v);
	return 0;
}

static int set_accepted(const struct key *k)
{
	(void)k;
	return 0;
}

static int set_format(const struct key *k)
{
	return json_integer_value(k->v) == 1 ? 0 : key_fail(k, "must be 1: this version reads no other format");
}

static int set_revoke(const struct key *k);

static const struct key_row rows[] = {
	{ "$schema", KEY_STRING, set_accepted },
	{ "stockade", KEY_INTEGER, set_format },
	{ "description", KEY_STRING, set_accepted },
	{ "revoke", KEY_LIST, set_revoke },
	{ "revoke[].key", KEY_STRING, set_text, offsetof(struct statement, key) },
	{ "revoke[].profile", KEY_STRING, set_text, offsetof(struct statement, profile) },
	{ "revoke[].versions", KEY_STRING, set_text, offsetof(struct statement, versions) },
	{ "revoke[].who", KEY_STRING, set_text, offsetof(struct statement, who) },
	{ "revoke[].when", KEY_STRING, set_text, offsetof(struct statement, when) },
	{ "revoke[].why", KEY_STRING, set_text, offsetof(struct statement, why) },
};

static const struct key_table table = { .rows = rows, .n = ARRAY_LEN(rows), .format = "revocation" };

static int add_key(const struct key *k, unsigned line, const struct statement *s, struct revocations *r)
{
	uint8_t id[SIGN_ID_BYTES];
	void *grown;

	if (s->versions)
		return key_fail_at(k, line, "revokes a key, which has no versions: \"versions\" goes with \"profile\"");
	if (sign_id_parse(s->key, id) < 0)
		return key_fail_at(k, line,
			"names no key: \"key\" is the id, sixteen digits of hexadecimal in capitals, as 'stockade "
			"profile verify' shows it (minisign leaves zeros at its beginning out: put them back)");
	if (r->n_keys + r->n_profiles >= REVOCATIONS_MAX)
		return key_fail(k, "revokes more than %d things, with the files before it", REVOCATIONS_MAX);
	grown = reallocarray(r->keys, r->n_keys + 1, sizeof(*r->keys));
	if (!grown)
		return -ENOMEM;
	r->keys = grown;
	memcpy(r->keys[r->n_keys++], id, sizeof(id));
	return 0;
}

static int add_profile(const struct key *k, unsigned line, const struct statement *s, struct revocations *r)
{
	struct revoked_profile *grown, v = { .versions = VERSION_RANGE_ALL };
	char why[SHOWN];

	if (s->versions && version_range_parse(s->versions, &v.versions) < 0)
		return key_fail_at(k, line, "has versions that are none: write \"3\", \"3..9\", \"..9\" or \"3..\"");
	if (r->n_keys + r->n_profiles >= REVOCATIONS_MAX)
		return key_fail(k, "revokes more than %d things, with the files before it", REVOCATIONS_MAX);
	grown = reallocarray(r->profiles, r->n_profiles + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	r->profiles = grown;
	v.glob = strdup(s->profile);
	if (!v.glob || asprintf(&v.where, "%s:%u (revoke)%s%s", k->parse->file.name, line, s->why ? ": " : "",
			       s->why ? text_escape_str(s->why, why, sizeof(why)) : "") < 0) {
		free(v.glob);
		return -ENOMEM;
	}
	r->profiles[r->n_profiles++] = v;
	return 0;
}

static int set_revoke(const struct key *k)
{
	const json_t *item;
	size_t i;
	int r = 0;

	json_array_foreach((json_t *)(uintptr_t)k->v, i, item)
	{
		unsigned line = key_item_line(k, i);
		struct statement s = { 0 };

		if (!json_is_object(item))
			return key_fail_at(k, line, "must hold objects, and one is %s", json_file_type(item));
		r = key_walk(k->parse, "revoke[]", k->shown, item, &s);
		if (r == 0 && !s.key == !s.profile)
			return key_fail_at(k, line, "revokes a \"key\" or a \"profile\", one of the two");
		if (r == 0)
			r = s.key ? add_key(k, line, &s, k->target) : add_profile(k, line, &s, k->target);
		if (r < 0)
			return r;
	}
	return r;
}

/* --- files --- */

static int parse(struct parse *ps, const char *name, const char *bytes, size_t n, struct revocations *r)
{
	int x = json_file_parse(name, bytes, n, &ps->file, ps->d);

	if (x < 0)
		return x;
	if (!json_is_object(ps->file.root))
		return diag_fail(ps->d, -EINVAL, "%s:1: a revocation is a JSON object, not %s", name,
			json_file_type(ps->file.root));
	if (!json_object_get(ps->file.root, "stockade") || !json_object_get(ps->file.root, "revoke"))
		return diag_fail(ps->d, -EINVAL,
			"%s: needs \"stockade\": 1, which says the format, and \"revoke\", which says what is revoked",
			name);
	return key_walk(ps, "", "", ps->file.root, r);
}

/* Whoever reads this wanted to start a server, and has to know why a file about others keeps it. */
static int explain(int r, struct diag *d)
{
	struct diag why = *d;

	return diag_fail(d, r,
		"what is revoked on this machine cannot be read whole, so nothing is started: %s. Ask who manages it",
		why.text[0] ? why.text : strerror(-r));
}

int revocations_parse(struct revocations *r, const char *name, const char *bytes, size_t n, struct diag *d)
{
	struct parse ps = { .table = &table, .d = d };
	int x = parse(&ps, name, bytes, n, r);

	json_file_done(&ps.file);
	return x;
}

int revocations_add(struct revocations *r, const char *name, const char *bytes, size_t n, struct diag *d)
{
	int x = revocations_parse(r, name, bytes, n, d);

	return x < 0 ? explain(x, d) : 0;
}

static bool is_named(const struct policy_signatures *s, const char *name)
{
	for (size_t i = 0; name && i < s->n; i++)
		if (strcmp(s->keys[i].name, name) == 0)
			return true;
	return false;
}

/* One of the keys that the policy names, whatever has become of it. */
static int check_signed(const struct policy_signatures *s, const char *path, const struct verified *v, struct diag *d)
{
	for (size_t i = 0; s->where && i < v->n; i++)
		if (is_named(s, v->v[i].name))
			return 0;
	return s->where ? diag_fail(d, -EACCES,
				  "%s is not signed by a key of %s: one of them has to sign what revokes "
				  "(stockade profile sign)",
				  path, s->where)
			: 0;
}

static int add_file(struct revocations *r, const struct signed_place *at, const char *name, const struct keyring *keys,
	const struct policy *policy, struct diag *d)
{
	_cleanup_verified_ struct verified v = { 0 };
	_cleanup_free_ char *path = NULL;
	int x;

	if (asprintf(&path, "%s/%s", at->dir, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	x = signed_read(at, name, REVOCATIONS_BYTES_MAX, keys, &v, d);
	if (x == 0)
		x = check_signed(&policy->signatures, path, &v, d);
	if (x < 0)
		return explain(x, d);
	return revocations_add(r, path, v.bytes.data ? v.bytes.data : "", v.bytes.len, d);
}

static bool is_json(const char *name)
{
	size_t n = strlen(name);

	return n > 5 && strcmp(name + n - 5, ".json") == 0;
}

/* In the order of their names, so that two looks find the same first mistake. */
static int list(int dir, struct strv *ret)
{
	_cleanup_closedir_ DIR *dp = NULL;
	const struct dirent *e;
	int r = fs_list(dir, &dp);

	for (errno = 0; r == 0 && (e = readdir(dp)); errno = 0)
		if (is_json(e->d_name))
			r = ret->n < REVOCATIONS_FILES_MAX ? strv_add(ret, e->d_name) : -E2BIG;
	if (r == 0 && errno)
		r = -errno;
	strv_sort(ret);
	return r;
}

int revocations_add_dir(struct revocations *r, const char *dir, enum fs_trust trust, uid_t uid,
	const struct keyring *keys, const struct policy *policy, struct diag *d)
{
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_strv_ struct strv names = { 0 };
	struct signed_place at = { fd, dir, trust, uid };
	int x;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0) {
		x = diag_fail(d, -errno, "%s: %s", dir, strerror(errno));
		return explain(x, d);
	}
	x = fs_check_trusted_dir(fd, dir, trust, uid, d);
	if (x == 0) {
		x = list(fd, &names);
		if (x < 0)
			x = diag_fail(d, x, "%s: %s", dir, x == -E2BIG ? "too many files" : strerror(-x));
	}
	if (x < 0)
		return explain(x, d);
	for (size_t i = 0; x == 0 && i < names.n; i++)
		x = add_file(r, &at, names.v[i], keys, policy, d);
	return x;
}

bool revocations_has_key(const struct revocations *r, const uint8_t id[SIGN_ID_BYTES])
{
	for (size_t i = 0; i < r->n_keys; i++)
		if (memcmp(r->keys[i], id, SIGN_ID_BYTES) == 0)
			return true;
	return false;
}

int revocations_check(const struct revocations *r, const char *name, uint64_t version, struct diag *d)
{
	char shown[64] = "without a version", shown_name[SHOWN];

	if (version)
		snprintf(shown, sizeof(shown), "version %llu", (unsigned long long)version);
	for (size_t i = 0; i < r->n_profiles; i++)
		if (version_range_may_have(&r->profiles[i].versions, version) &&
			glob_match(r->profiles[i].glob, name, strlen(name)))
			return diag_fail(d, -EPERM,
				"the profile '%s' (%s) was revoked by %s: nothing is started with it; ask who manages "
				"this machine for a newer one",
				text_escape_str(name, shown_name, sizeof(shown_name)), shown, r->profiles[i].where);
	return 0;
}

void revocations_done(struct revocations *r)
{
	for (size_t i = 0; i < r->n_profiles; i++) {
		free(r->profiles[i].glob);
		free(r->profiles[i].where);
	}
	free(r->profiles);
	free(r->keys);
	*r = (struct revocations){ 0 };
}
