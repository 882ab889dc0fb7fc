/* SPDX-License-Identifier: Apache-2.0 */
/* consent_pending - the side of `stockade approve`; see consent_pending.h */
#include "supervisor/consent_pending.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fs.h"
#include "base/parse.h"
#include "supervisor/canonical.h"
#include "supervisor/state_json.h"

#define PENDING_DIR "pending"
#define ANSWER	    ".answer"
enum { PENDING_VERSION = 1, NAME_SIZE = 96, DIGEST_LEN = CANONICAL_DIGEST_HEX - 1 };

void pending_done(struct pending *e)
{
	free(e->name);
	free(e->subject);
	free(e->lineage);
	free(e->damaged);
	json_decref(e->canonical);
	json_decref(e->question);
	*e = (struct pending){ 0 };
}

void pendings_done(struct pendings *l)
{
	for (size_t i = 0; i < l->n; i++)
		pending_done(&l->v[i]);
	free(l->v);
	*l = (struct pendings){ 0 };
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), k = strlen(end);

	return n >= k && strcmp(s + n - k, end) == 0;
}

typedef int (*waiter_fn)(int dir, const char *name, void *arg);

/* Calls fn for each waiter that lives and removes the files of those that do not. *ret counts the living. */
static int each_waiter(int dir, waiter_fn fn, void *arg, unsigned *ret)
{
	_cleanup_closedir_ DIR *list = NULL;
	int r = fs_list(dir, &list);

	*ret = 0;
	if (r < 0)
		return r;
	for (struct dirent *e; r == 0 && (e = readdir(list));) {
		if (e->d_name[0] == '.' || ends_with(e->d_name, ANSWER))
			continue;
		if (fs_is_locked(dir, e->d_name)) {
			++*ret;
			r = fn ? fn(dir, e->d_name, arg) : 0;
		} else {
			unlinkat(dir, e->d_name, 0);
		}
	}
	return r;
}

/* No waiter lives: answers nobody fetched and half-made files go too, then the directory and the entry. */
static void remove_entry(int pending, int waiters, const char *digest)
{
	_cleanup_closedir_ DIR *list = NULL;
	char name[NAME_SIZE];

	if (fs_list(waiters, &list) < 0)
		return;
	for (struct dirent *e; (e = readdir(list));)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 && !fs_is_locked(waiters, e->d_name))
			unlinkat(waiters, e->d_name, 0);
	snprintf(name, sizeof(name), "%s.waiters", digest);
	if (unlinkat(pending, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return;
	snprintf(name, sizeof(name), "%s.json", digest);
	unlinkat(pending, name, 0);
}

/* The directory of the waiters of an entry, or -errno. */
static int open_waiters(int pending, const char *digest, int *ret)
{
	char name[NAME_SIZE];

	snprintf(name, sizeof(name), "%s.waiters", digest);
	*ret = openat(pending, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return *ret < 0 ? -errno : 0;
}

static int take_entry(const json_t *root, struct pending *e)
{
	const char *name = NULL, *subject = NULL, *lineage = NULL, *when = NULL, *digest = NULL;
	char computed[CANONICAL_DIGEST_HEX];
	json_t *canonical = NULL, *question = NULL;
	int never = 0, v = 0, r;

	if (json_unpack((json_t *)(uintptr_t)root, "{s:i, s:s, s:s, s:s, s:s, s:s, s:b, s:o, s:o}", "v", &v, "digest",
		    &digest, "name", &name, "subject", &subject, "lineage", &lineage, "when", &when, "never_remember",
		    &never, "canonical", &canonical, "question", &question) < 0)
		return -EINVAL;
	if (v != PENDING_VERSION || parse_time(when, &e->when) < 0 || !json_is_object(canonical) ||
		!json_is_object(question))
		return -EINVAL;
	r = canonical_digest(canonical, computed);
	if (r < 0 || strcmp(computed, e->digest) != 0 || strcmp(digest, e->digest) != 0)
		return r < 0 ? r : -EINVAL;
	e->name = strdup(name);
	e->subject = strdup(subject);
	e->lineage = strdup(lineage);
	e->never_remember = never;
	e->canonical = json_incref(canonical);
	e->question = json_incref(question);
	return e->name && e->subject && e->lineage ? 0 : -ENOMEM;
}

static int read_entry(int pending, uid_t uid, struct pending *e)
{
	char name[NAME_SIZE];
	struct diag d = { "" };
	json_t *root;
	int r;

	snprintf(name, sizeof(name), "%s.json", e->digest);
	r = state_json_read(pending, name, uid, CONSENT_FILE_MAX, &root, &d);
	if (r == 0) {
		diag_set(&d, "the entry is damaged, or its plan is not the one of its name");
		r = take_entry(root, e);
	}
	json_decref(root);
	if (r == 0 || r == -ENOMEM || r == -ENOENT)
		return r;
	e->damaged = strdup(d.text);
	return e->damaged ? 0 : -ENOMEM;
}

static int list_entry(int pending, uid_t uid, const char *digest, struct pendings *l)
{
	struct pending e = { 0 }, *grown;
	_cleanup_close_ int waiters = -1;
	int r = open_waiters(pending, digest, &waiters);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = each_waiter(waiters, NULL, NULL, &e.waiters);
	if (r < 0)
		return r;
	if (e.waiters == 0) {
		remove_entry(pending, waiters, digest);
		return 0;
	}
	memcpy(e.digest, digest, sizeof(e.digest));
	r = read_entry(pending, uid, &e);
	grown = r == 0 ? reallocarray(l->v, l->n + 1, sizeof(*grown)) : NULL;
	if (!grown) {
		pending_done(&e);
		return r == -ENOENT ? 0 : -ENOMEM; /* -ENOENT: its waiter is just writing it */
	}
	l->v = grown;
	l->v[l->n++] = e;
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct pending *x = a, *y = b;

	return x->when != y->when ? (x->when < y->when ? -1 : 1) : strcmp(x->digest, y->digest);
}

int pending_list(const struct paths *p, struct pendings *ret, struct diag *d)
{
	_cleanup_pendings_ struct pendings l = { 0 };
	_cleanup_close_ int fd = -1;
	char digest[CANONICAL_DIGEST_HEX] = "";
	int r = paths_open_runtime(p, PENDING_DIR, &fd, d);

	if (r < 0)
		return r;
	_cleanup_closedir_ DIR *dir = NULL;
	r = fs_list(fd, &dir);
	if (r < 0)
		return diag_fail(d, r, "cannot list what waits: %s", strerror(-r));
	for (struct dirent *e; (e = readdir(dir));) {
		if (strlen(e->d_name) != DIGEST_LEN + strlen(".waiters") || !ends_with(e->d_name, ".waiters"))
			continue;
		memcpy(digest, e->d_name, DIGEST_LEN);
		r = canonical_is_digest(digest) ? list_entry(fd, p->uid, digest, &l) : 0;
		if (r < 0)
			return diag_fail(d, r, "cannot list what waits: %s", strerror(-r));
	}
	if (l.n > 1)
		qsort(l.v, l.n, sizeof(*l.v), by_time);
	*ret = l;
	l = (struct pendings){ 0 };
	return 0;
}

struct answer {
	const char *text;
	struct diag *d;
};

static int answer_one(int dir, const char *name, void *arg)
{
	const struct answer *a = arg;
	char file[NAME_SIZE];

	if (snprintf(file, sizeof(file), "%s" ANSWER, name) >= (int)sizeof(file))
		return -ENAMETOOLONG;
	return fs_write_atomic(dir, file, a->text, strlen(a->text), 0600, a->d);
}

int pending_answer(const struct paths *p, const char *digest, bool approved, struct diag *d)
{
	struct answer a = { approved ? "approved\n" : "refused\n", d };
	_cleanup_close_ int pending = -1, waiters = -1;
	unsigned n;
	int r = paths_open_runtime(p, PENDING_DIR, &pending, d);

	if (r < 0)
		return r;
	r = open_waiters(pending, digest, &waiters);
	if (r == -ENOENT)
		return 0;
	diag_set(d, "cannot answer the launches that wait: %s", strerror(-r));
	return r < 0 ? r : each_waiter(waiters, answer_one, &a, &n);
}
