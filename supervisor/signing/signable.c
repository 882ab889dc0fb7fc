/* SPDX-License-Identifier: Apache-2.0 */
/* signable - see signable.h */
#include "supervisor/signing/signable.h"
#include <errno.h>
#include <string.h>
#include "base/text.h"
#include "supervisor/bundle/bundle.h"
#include "supervisor/json_file.h"
#include "supervisor/kill/kill_set.h"
#include "supervisor/pin_store.h"
#include "supervisor/profile_parse.h"
#include "supervisor/signing/revocations.h"

#define PINS ".pins"
#define JSON ".json"
enum { SHOWN = 300 };

struct candidate {
	const char *path, *base, *bytes;
	size_t n;
};

static bool ends_with(const char *name, const char *suffix)
{
	size_t n = strlen(name), s = strlen(suffix);

	return n > s && strcmp(name + n - s, suffix) == 0;
}

static int check_pins(const struct candidate *c, struct diag *d)
{
	_cleanup_pin_set_ struct pin_set s = { 0 };
	int r = pin_parse(c->path, c->bytes, c->n, &s, d);

	return r ? r : pin_read_texts(&s, d);
}

static int check_profile(const struct candidate *c, struct diag *d)
{
	_cleanup_free_ char *name = strndup(c->base, strlen(c->base) - strlen(JSON));
	_cleanup_profile_ struct profile p = { 0 };

	if (!name)
		return diag_fail(d, -ENOMEM, "there is no memory for a name");
	return profile_parse(c->path, c->bytes, c->n, name, &p, d);
}

static int check_revocation(const struct candidate *c, struct diag *d)
{
	_cleanup_(revocations_done) struct revocations said = { 0 };

	return revocations_parse(&said, c->path, c->bytes, c->n, d);
}

static int check_statements(const struct candidate *c, const json_t *list, struct diag *d)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		_cleanup_(revocations_done) struct revocations said = { 0 };
		_cleanup_free_ char *text = json_dumps(one, JSON_COMPACT);
		int r = text ? revocations_parse(&said, c->path, text, strlen(text), d) : -ENOMEM;
		if (r < 0)
			return r;
	}
	return 0;
}

/* What is damaged kills more than was meant. */
static int check_kills(const struct candidate *c, const json_t *list, struct diag *d)
{
	_cleanup_kill_set_ struct kill_set set = { 0 };
	int r = kill_set_add_list(&set, list, c->path);

	for (size_t i = 0; r == 0 && i < set.n; i++)
		if (set.v[i].damaged)
			return diag_fail(d, -EINVAL, "a kill entry is damaged, and would kill more than it says: %s",
				set.v[i].damaged);
	return r;
}

/* Each part as what will read it does; that a part's own signatures fit was looked at by bundle_parse. */
static int check_bundle(const struct candidate *c, struct diag *d)
{
	_cleanup_bundle_ struct bundle b = { 0 };
	struct keyring none = { 0 };
	int r = bundle_parse(c->path, c->bytes, c->n, &none, &b, d);

	for (size_t i = 0; r == 0 && i < b.n_profiles; i++) {
		_cleanup_profile_ struct profile p = { 0 };
		const struct bundle_file *f = &b.profiles[i];
		r = profile_parse(f->where, f->verified.bytes.data, f->verified.bytes.len, f->name, &p, d);
	}
	for (size_t i = 0; r == 0 && i < b.n_pins; i++) {
		_cleanup_pin_set_ struct pin_set s = { 0 };
		const struct bundle_file *f = &b.pins[i];
		r = pin_parse(f->where, f->verified.bytes.data, f->verified.bytes.len, &s, d);
		if (r == 0)
			r = pin_read_texts(&s, d);
	}
	if (r == 0)
		r = check_statements(c, b.revocations, d);
	return r < 0 ? r : check_kills(c, b.kills, d);
}

/* Told by the member that only it has. */
static const struct {
	const char *words, *member;
	int (*check)(const struct candidate *c, struct diag *d);
} kinds[] = {
	[SIGNABLE_PROFILE] = { "profile", "command", check_profile },
	[SIGNABLE_PINS] = { "pins", NULL, check_pins },
	[SIGNABLE_BUNDLE] = { "bundle", "bundle", check_bundle },
	[SIGNABLE_REVOCATION] = { "revocation", "revoke", check_revocation },
};
_Static_assert(ARRAY_LEN(kinds) == SIGNABLE_COUNT, "each kind");

const char *signable_words(enum signable s)
{
	return kinds[s].words;
}

/* By its members; one that says "command" wrongly is a profile with a mistake, which the profile's parser words. */
static int find_kind(const struct candidate *c, enum signable *ret, struct diag *d)
{
	_cleanup_json_file_ struct json_file f = { 0 };
	int r;

	if (ends_with(c->base, PINS)) {
		*ret = SIGNABLE_PINS;
		return 0;
	}
	r = json_file_parse(c->path, c->bytes, c->n, &f, d);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i].member && json_object_get(f.root, kinds[i].member)) {
			*ret = (enum signable)i;
			return ends_with(c->base, JSON)
				       ? 0
				       : diag_fail(d, -EINVAL, "%s: a %s is a file NAME" JSON, c->path, kinds[i].words);
		}
	return diag_fail(d, -EINVAL,
		"%s: neither a profile, pins, a bundle nor a revocation, so no signature of it would mean anything to "
		"stockade; minisign signs any file",
		c->path);
}

int signable_check(const char *path, const char *bytes, size_t n, enum signable *ret, struct diag *d)
{
	char shown[SHOWN];
	const char *slash = strrchr(path, '/');
	struct candidate c = { text_escape_str(path, shown, sizeof(shown)), slash ? slash + 1 : path, bytes, n };
	int r = find_kind(&c, ret, d);

	return r ? r : kinds[*ret].check(&c, d);
}
