/* SPDX-License-Identifier: Apache-2.0 */
/* consent_store - STATE/approvals: one file an approval (consent.h) */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <time.h>
#include "base/fs.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/text.h"
#include "supervisor/canonical.h"
#include "supervisor/consent.h"
#include "supervisor/output.h"

#define APPROVALS_DIR "approvals"
#define SUFFIX	      ".json"
enum { APPROVAL_VERSION = 1, REVOKE_MIN = 4, NAME_SIZE = 65 + sizeof(SUFFIX) };

void approval_done(struct approval *a)
{
	free(a->name);
	free(a->subject);
	free(a->channel);
	free(a->user);
	free(a->lineage);
	free(a->damaged);
	json_decref(a->canonical);
	json_decref(a->client);
	json_decref(a->signers);
	*a = (struct approval){ 0 };
}

void approvals_done(struct approvals *l)
{
	for (size_t i = 0; i < l->n; i++)
		approval_done(&l->v[i]);
	free(l->v);
	*l = (struct approvals){ 0 };
}

static void set_digest(struct approval *a, const char *digest)
{
	snprintf(a->digest, sizeof(a->digest), "%s", digest);
	snprintf(a->id, sizeof(a->id), "%.16s", digest);
}

static int take_string(const json_t *root, const char *key, char **ret)
{
	const char *s = json_string_value(json_object_get(root, key));

	if (!s)
		return -EINVAL;
	*ret = strdup(s);
	return *ret ? 0 : -ENOMEM;
}

/* The words say what is wrong; the caller says with which file. */
static int take_fields(const json_t *root, struct approval *a, const char **ret_why)
{
	const struct {
		const char *key;
		char **to;
	} strings[] = { { "name", &a->name }, { "subject", &a->subject }, { "channel", &a->channel },
		{ "user", &a->user }, { "lineage", &a->lineage } };
	const char *when = json_string_value(json_object_get(root, "when"));
	char digest[CANONICAL_DIGEST_HEX];
	int r;

	*ret_why = "it has not the members of an approval";
	if (json_integer_value(json_object_get(root, "v")) != APPROVAL_VERSION || !when ||
		parse_time(when, &a->when) < 0)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
		r = take_string(root, strings[i].key, strings[i].to);
		if (r < 0)
			return r;
	}
	a->canonical = json_incref(json_object_get(root, "canonical"));
	a->client = json_incref(json_object_get(root, "client"));
	a->signers = json_incref(json_object_get(root, "signers"));
	if (!json_is_object(a->canonical))
		return -EINVAL;
	*ret_why = "the plan inside is not the one of its name: it was changed after the approval";
	r = canonical_digest(a->canonical, digest);
	return r < 0 ? r : strcmp(digest, a->digest) == 0 ? 0 : -EINVAL;
}

/* -ENOENT: no such approval. Everything else that is wrong denies. */
static int read_approval(int dir, uid_t uid, const char *digest, struct approval *ret, struct diag *d)
{
	_cleanup_buf_ struct buf b = BUF_INIT(CONSENT_FILE_MAX);
	struct approval a = { 0 };
	struct diag untrusted = { "" };
	const char *why = "it is not JSON";
	char name[NAME_SIZE];
	json_t *root;
	int r;

	set_digest(&a, digest);
	snprintf(name, sizeof(name), "%s" SUFFIX, digest);
	r = fs_read_trusted(dir, name, FS_TRUST_USER, uid, &b, &untrusted);
	if (r < 0)
		return diag_fail(d, r,
			"the approval file " APPROVALS_DIR "/%s in stockade's state directory approves nothing: "
			"%.1024s; remove it and the question is asked "
			"again",
			name, untrusted.text);
	root = json_loadb(b.data, b.len, JSON_REJECT_DUPLICATES, NULL);
	r = root ? take_fields(root, &a, &why) : -EINVAL;
	json_decref(root);
	if (r == 0) {
		*ret = a;
		return 0;
	}
	approval_done(&a);
	if (r == -ENOMEM)
		return diag_fail(d, r, "out of memory");
	return diag_fail(d, -EINVAL,
		"the approval file " APPROVALS_DIR
		"/%s in stockade's state directory is damaged and approves nothing: %s; "
		"remove that file and the question is asked again",
		name, why);
}

int consent_lookup(const struct paths *p, const char *digest, struct approval *ret, struct diag *d)
{
	_cleanup_close_ int dir = -1;
	int r = paths_open_state(p, APPROVALS_DIR, &dir, d);

	if (r < 0)
		return r;
	if (!canonical_is_digest(digest))
		return diag_fail(d, -EINVAL, "not a digest of a plan");
	r = read_approval(dir, p->uid, digest, ret, d);
	return r == -ENOENT ? CONSENT_UNKNOWN : r;
}

/* Fills digest from "DIGEST.json"; false for any other name (a temporary, a stray file). */
static bool is_approval_name(const char *name, char digest[CANONICAL_DIGEST_HEX])
{
	size_t n = strlen(name), len = CANONICAL_DIGEST_HEX - 1;

	if (n != len + strlen(SUFFIX) || strcmp(name + len, SUFFIX) != 0)
		return false;
	memcpy(digest, name, len);
	digest[len] = '\0';
	return canonical_is_digest(digest);
}

static int list_add(struct approvals *l, struct approval *a)
{
	struct approval *grown = reallocarray(l->v, l->n + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	l->v = grown;
	l->v[l->n++] = *a;
	*a = (struct approval){ 0 };
	return 0;
}

static int list_one(int dir, uid_t uid, const char *digest, struct approvals *l)
{
	_cleanup_approval_ struct approval a = { 0 };
	struct diag d = { "" };
	int r = read_approval(dir, uid, digest, &a, &d);

	if (r == -ENOENT) /* revoked while we read */
		return 0;
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		set_digest(&a, digest);
		a.damaged = strdup(d.text);
		if (!a.damaged)
			return -ENOMEM;
	}
	return list_add(l, &a);
}

static int by_time(const void *a, const void *b)
{
	const struct approval *x = a, *y = b;

	return x->when != y->when ? (x->when < y->when ? -1 : 1) : strcmp(x->digest, y->digest);
}

int consent_list(const struct paths *p, struct approvals *ret, struct diag *d)
{
	_cleanup_approvals_ struct approvals l = { 0 };
	_cleanup_close_ int fd = -1;
	char digest[CANONICAL_DIGEST_HEX];
	int r = paths_open_state(p, APPROVALS_DIR, &fd, d);

	if (r < 0)
		return r;
	_cleanup_closedir_ DIR *dir = NULL;
	r = fs_list(fd, &dir);
	if (r < 0)
		return diag_fail(d, r, "cannot list the approvals: %s", strerror(-r));
	for (struct dirent *e; (e = readdir(dir));) {
		if (!is_approval_name(e->d_name, digest))
			continue;
		r = list_one(fd, p->uid, digest, &l);
		if (r < 0)
			return diag_fail(d, r, "cannot list the approvals: %s", strerror(-r));
	}
	if (l.n > 1)
		qsort(l.v, l.n, sizeof(*l.v), by_time);
	*ret = l;
	l = (struct approvals){ 0 };
	return 0;
}

const struct approval *consent_earlier(const struct approvals *l, const char *subject, const char *digest)
{
	/* A damaged one is passed over here: it could only have shown a difference, and the whole question is asked
	 * anyway. */
	for (size_t i = l->n; i-- > 0;) {
		const struct approval *a = &l->v[i];
		if (!a->damaged && strcmp(a->subject, subject) == 0 && strcmp(a->digest, digest) != 0)
			return a;
	}
	return NULL;
}

static json_t *approval_json(
	const struct paths *p, const struct consent_facts *f, const char *channel, const char *chain)
{
	char when[OUTPUT_TIME_SIZE];

	return json_pack("{s:i, s:s#, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:O, s:O*, s:O*}", "v", APPROVAL_VERSION, "id",
		f->digest, 16, "digest", f->digest, "name", f->name, "subject", f->subject, "channel", channel, "user",
		p->user, "lineage", chain, "when", output_time(time(NULL), when), "canonical", f->canonical, "client",
		json_is_object(f->client) ? f->client : NULL, "signers", json_is_array(f->signers) ? f->signers : NULL);
}

int consent_remember_facts(const struct paths *p, const struct consent_facts *f, const char *channel,
	const struct lineage *l, struct diag *d)
{
	_cleanup_free_ char *chain = lineage_words(l), *text = NULL;
	_cleanup_close_ int dir = -1;
	char digest[CANONICAL_DIGEST_HEX], name[NAME_SIZE], shown[80];
	json_t *root;
	int r;

	text_escape_str(f->name, shown, sizeof(shown));
	if (f->never_remember)
		return diag_fail(d, -EPERM,
			"%s can rewrite its own code, so an answer is never remembered: it is asked at each start",
			shown);
	r = canonical_digest(f->canonical, digest);
	if (r == 0 && strcmp(digest, f->digest) != 0)
		return diag_fail(d, -EINVAL, "the plan is not the one that was shown: its digest is %s, not %s", digest,
			f->digest);
	root = r == 0 && chain ? approval_json(p, f, channel, chain) : NULL;
	text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
	json_decref(root);
	if (!text)
		return diag_fail(d, r < 0 ? r : -EINVAL, "cannot write down the approval of %s: %s", shown,
			r < 0 ? strerror(-r) : "it holds text that is not UTF-8");
	r = paths_open_state(p, APPROVALS_DIR, &dir, d);
	if (r < 0)
		return r;
	snprintf(name, sizeof(name), "%s" SUFFIX, f->digest);
	return fs_write_atomic(dir, name, text, strlen(text), 0600, d);
}

int consent_remember(
	const struct paths *p, const struct effective *e, const char *channel, const struct lineage *l, struct diag *d)
{
	json_t *client = client_json(&e->client);
	json_t *signers = e->profile.vouched.n ? vouched_json(&e->profile.vouched) : NULL;
	const struct consent_facts f = { e->digest, e->name, e->subject, e->canonical, e->never_remember, client,
		signers };
	int r = client && (signers || !e->profile.vouched.n) ? consent_remember_facts(p, &f, channel, l, d) : -ENOMEM;

	json_decref(client);
	json_decref(signers);
	return r;
}

static int several(const char *prefix, const struct approval *a, const struct approval *b, struct diag *d)
{
	return diag_fail(d, -EEXIST, "'%s' begins more than one approval (%s and %s among them): give more digits",
		prefix, a->id, b->id);
}

/* "1" is what somebody types who means the first of the list. */
static int too_short(const char *prefix, const struct approval *a, struct diag *d)
{
	return diag_fail(d, -EEXIST,
		"'%s' begins %s alone, but is too short to be sure that it is meant: give %d digits", prefix, a->id,
		REVOKE_MIN);
}

/* Somebody gave the name of the server: which approvals are its? */
static int say_none(const struct approvals *l, const char *word, const char *shown, struct diag *d)
{
	_cleanup_buf_ struct buf ids = BUF_INIT(DIAG_MAX / 2);

	for (size_t i = 0; i < l->n; i++)
		if (!l->v[i].damaged && strcmp(l->v[i].name, word) == 0 &&
			buf_printf(&ids, "%s%s", ids.len ? ", " : "", l->v[i].id) < 0)
			break;
	if (ids.len > 0)
		return diag_fail(
			d, -ENOENT, "'%s' is a server; revoke its approvals by their ids: %s", shown, ids.data);
	return diag_fail(d, -ENOENT, "no approval begins with '%s'; 'stockade approvals' lists them", shown);
}

int consent_revoke(const struct paths *p, const char *prefix, struct approval *ret, struct diag *d)
{
	_cleanup_approvals_ struct approvals l = { 0 };
	_cleanup_close_ int dir = -1;
	char name[NAME_SIZE], shown[80];
	struct approval *found = NULL;
	int r = consent_list(p, &l, d);

	r = r < 0 ? r : paths_open_state(p, APPROVALS_DIR, &dir, d);
	if (r < 0)
		return r;
	text_escape_str(prefix, shown, sizeof(shown));
	for (size_t i = 0; i < l.n && *prefix; i++) {
		if (strncmp(l.v[i].digest, prefix, strlen(prefix)) != 0)
			continue;
		if (found)
			return several(shown, found, &l.v[i], d);
		found = &l.v[i];
	}
	if (!found)
		return say_none(&l, prefix, shown, d);
	if (strlen(prefix) < REVOKE_MIN)
		return too_short(shown, found, d);
	snprintf(name, sizeof(name), "%s" SUFFIX, found->digest);
	if (unlinkat(dir, name, 0) < 0) {
		int error = errno;
		char state[1024];
		return diag_fail(d, -error, "cannot remove the approval %s: %s%s%s/" APPROVALS_DIR "/%s%s", found->id,
			strerror(error),
			error == EISDIR ? "; it approves nothing, and a directory lies in the place of its file: look "
					  "through it and remove "
					: " (",
			text_escape_str(p->state, state, sizeof(state)), name, error == EISDIR ? "" : ")");
	}
	*ret = *found;
	*found = (struct approval){ 0 };
	return fsync(dir) < 0
		       ? diag_fail(d, -errno, "removed the approval, but cannot make that last: %s", strerror(errno))
		       : 0;
}
