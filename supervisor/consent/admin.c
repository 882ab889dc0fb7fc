/* SPDX-License-Identifier: Apache-2.0 */
/* admin - see admin.h */
#include "supervisor/consent/admin.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/fs.h"
#include "base/parse.h"
#include "supervisor/canonical.h"
#include "supervisor/output.h"

#define SUFFIX ".json"
enum { FORMAT = 1, ID_DIGITS = 16, REVOKE_MIN = 4, NAME_SIZE = 65 + sizeof(SUFFIX), PATH_SIZE = 256 };

static void set_digest(struct approval *a, const char *digest)
{
	snprintf(a->digest, sizeof(a->digest), "%s", digest);
	snprintf(a->id, sizeof(a->id), "%.*s", ID_DIGITS, digest);
}

/* --- one file --- */

static int take_text(const json_t *root, const char *key, bool needed, char **ret, struct diag *d)
{
	const json_t *v = json_object_get(root, key);
	const char *text = json_string_value(v);

	if (!v && !needed)
		text = "";
	if (!text || strlen(text) > ADMIN_TEXT_MAX || (needed && !*text))
		return diag_fail(d, -EINVAL, v ? "its \"%s\" is no text of 1 to %d bytes" : "it has no \"%s\"", key,
			ADMIN_TEXT_MAX);
	*ret = strdup(text);
	return *ret ? 0 : -ENOMEM;
}

static int check_keys(json_t *root, struct diag *d)
{
	static const char *const known[] = { "stockade", "digest", "who", "when", "why" };
	const json_t *format = json_object_get(root, "stockade");

	for (void *i = json_object_iter(root); i; i = json_object_iter_next(root, i)) {
		size_t k = 0;
		while (k < ARRAY_LEN(known) && strcmp(known[k], json_object_iter_key(i)) != 0)
			k++;
		if (k == ARRAY_LEN(known))
			return diag_fail(d, -EINVAL, "it has a member that nobody knows");
	}
	return json_is_integer(format) && json_integer_value(format) == FORMAT
		       ? 0
		       : diag_fail(d, -EINVAL, "it does not say \"stockade\": 1");
}

static int take(json_t *root, struct approval *a, struct diag *d)
{
	const char *digest = json_string_value(json_object_get(root, "digest"));
	const char *when = json_string_value(json_object_get(root, "when"));
	int r = check_keys(root, d);

	if (r == 0 && (!digest || strcmp(digest, a->digest) != 0))
		r = diag_fail(d, -EINVAL, "its \"digest\" is not that of its name");
	if (r == 0 && (!when || parse_time(when, &a->when) < 0))
		r = diag_fail(d, -EINVAL, "its \"when\" is no time such as 2026-10-01T12:00:00Z");
	if (r == 0)
		r = take_text(root, "who", true, &a->user, d);
	if (r == 0)
		r = take_text(root, "why", false, &a->lineage, d);
	if (r < 0)
		return r;
	a->name = strdup("");
	a->subject = strdup("");
	a->channel = strdup(ADMIN_CHANNEL);
	return a->name && a->subject && a->channel ? 0 : -ENOMEM;
}

int admin_parse(const char *bytes, size_t n, struct approval *ret, struct diag *d)
{
	json_t *root = json_loadb(bytes ? bytes : "", n, JSON_REJECT_DUPLICATES, NULL);
	int r = json_is_object(root) ? take(root, ret, d) : diag_fail(d, -EINVAL, "it is not one JSON object");

	json_decref(root);
	return r;
}

int admin_lookup(const char *digest, struct approval *ret, struct diag *d)
{
	_cleanup_buf_ struct buf b = BUF_INIT(ADMIN_FILE_MAX);
	_cleanup_approval_ struct approval a = { 0 };
	char path[PATH_SIZE];
	struct diag why = { "" };
	int r;

	if (!canonical_is_digest(digest))
		return diag_fail(d, -EINVAL, "not a digest of a plan");
	set_digest(&a, digest);
	snprintf(path, sizeof(path), ADMIN_DIR "/%s" SUFFIX, digest);
	r = fs_read_trusted_file(path, FS_TRUST_ROOT, 0, &b, &why);
	if (r == -ENOENT)
		return CONSENT_UNKNOWN;
	if (r == 0)
		r = admin_parse(b.data, b.len, &a, &why);
	if (r < 0)
		return diag_fail(d, r, "the approval %s approves nothing: %.1024s. Ask who manages this machine", path,
			why.text[0] ? why.text : strerror(-r));
	*ret = a;
	a = (struct approval){ 0 };
	return CONSENT_APPROVED;
}

/* --- all of them --- */

static bool is_name(const char *name, char digest[CANONICAL_DIGEST_HEX])
{
	size_t n = CANONICAL_DIGEST_HEX - 1;

	if (strlen(name) != n + strlen(SUFFIX) || strcmp(name + n, SUFFIX) != 0)
		return false;
	memcpy(digest, name, n);
	digest[n] = '\0';
	return canonical_is_digest(digest);
}

static int list_one(const char *digest, struct approvals *l)
{
	struct approval *more = reallocarray(l->v, l->n + 1, sizeof(*more)), *a;
	struct diag d = { "" };
	int r;

	if (!more)
		return -ENOMEM;
	l->v = more;
	a = &l->v[l->n];
	*a = (struct approval){ 0 };
	r = admin_lookup(digest, a, &d);
	if (r == CONSENT_UNKNOWN || r == -ENOMEM)
		return r == -ENOMEM ? r : 0;
	if (r < 0) {
		set_digest(a, digest);
		a->damaged = strdup(d.text);
		if (!a->damaged)
			return -ENOMEM;
	}
	l->n++;
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct approval *x = a, *y = b;

	return x->when != y->when ? (x->when < y->when ? -1 : 1) : strcmp(x->digest, y->digest);
}

int admin_list(struct approvals *ret, struct diag *d)
{
	_cleanup_approvals_ struct approvals l = { 0 };
	_cleanup_closedir_ DIR *dir = opendir(ADMIN_DIR);
	char digest[CANONICAL_DIGEST_HEX];
	int r = dir || errno == ENOENT ? 0 : -errno;

	for (struct dirent *e; r == 0 && dir && (e = readdir(dir));)
		if (is_name(e->d_name, digest))
			r = list_one(digest, &l);
	if (r < 0)
		return diag_fail(d, r, "cannot list the approvals in " ADMIN_DIR ": %s", strerror(-r));
	if (l.n > 1)
		qsort(l.v, l.n, sizeof(*l.v), by_time);
	*ret = l;
	l = (struct approvals){ 0 };
	return 0;
}

/* --- root's side --- */

bool admin_here(const struct policy_consent *c)
{
	return c->by == CONSENT_BY_ADMIN && geteuid() == 0;
}

static int open_dir(int *ret, struct diag *d)
{
	/* Each user's launches look into it, whatever root's umask. */
	int r = fs_mkdirs(ADMIN_DIR, 0755, ret, d);

	return r < 0 ? r : fs_check_trusted_dir(*ret, ADMIN_DIR, FS_TRUST_ROOT, 0, d);
}

int admin_remember(const struct paths *p, const char *digest, const struct lineage *l, struct diag *d)
{
	_cleanup_free_ char *chain = lineage_words(l), *why = NULL, *text = NULL;
	char when[OUTPUT_TIME_SIZE], name[NAME_SIZE];
	_cleanup_close_ int dir = -1;
	json_t *root = NULL;
	int r = open_dir(&dir, d);

	if (r < 0)
		return r;
	if (!chain || asprintf(&why, "from %.1000s", chain) < 0) {
		why = NULL;
		return -ENOMEM;
	}
	root = json_pack("{s:i, s:s, s:s, s:s, s:s}", "stockade", FORMAT, "digest", digest, "who", p->user, "when",
		output_time(time(NULL), when), "why", why);
	text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
	json_decref(root);
	if (!text)
		return diag_fail(d, -EINVAL, "cannot write down the approval: it holds text that is not UTF-8");
	snprintf(name, sizeof(name), "%s" SUFFIX, digest);
	return fs_write_atomic(dir, name, text, strlen(text), 0644, d);
}

int admin_revoke(const char *prefix, struct approval *ret, struct diag *d)
{
	_cleanup_approvals_ struct approvals l = { 0 };
	struct approval *found = NULL;
	char path[PATH_SIZE];
	size_t n = 0;
	int r = admin_list(&l, d);

	for (size_t i = 0; r == 0 && strlen(prefix) >= REVOKE_MIN && i < l.n; i++)
		if (strncmp(l.v[i].digest, prefix, strlen(prefix)) == 0) {
			found = &l.v[i];
			n++;
		}
	if (r < 0 || n != 1)
		return r < 0 ? r : -ENOENT;
	snprintf(path, sizeof(path), ADMIN_DIR "/%s" SUFFIX, found->digest);
	if (unlink(path) < 0)
		return diag_fail(d, -errno, "cannot remove the approval %s: %s", path, strerror(errno));
	*ret = *found;
	*found = (struct approval){ 0 };
	return 0;
}
