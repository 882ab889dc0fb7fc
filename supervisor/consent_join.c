/* SPDX-License-Identifier: Apache-2.0 */
/* consent_join - the side of a launch that waits; see consent_pending.h */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include "base/fs.h"
#include "supervisor/canonical.h"
#include "supervisor/consent_pending.h"
#include "supervisor/output.h"
#include "supervisor/question.h"

enum { PENDING_VERSION = 1, NAME_SIZE = 128, TRIES_MAX = 16, ANSWER_MAX = 16 };

int pending_text(const struct effective *e, const struct lineage *l, const json_t *earlier, char **ret, struct diag *d)
{
	_cleanup_free_ char *chain = lineage_words(l);
	char when[OUTPUT_TIME_SIZE];
	json_t *question = question_json(e, earlier), *root = NULL;

	if (chain && question)
		root = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:b, s:O, s:O}", "v", PENDING_VERSION, "digest",
			e->digest, "name", e->name, "subject", e->subject, "lineage", chain, "when",
			output_time(time(NULL), when), "never_remember", e->never_remember, "canonical", e->canonical,
			"question", question);
	json_decref(question);
	*ret = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
	json_decref(root);
	return *ret ? 0
		    : diag_fail(d, -EINVAL,
			      "cannot write down the question for %s: a name in it is not UTF-8, or memory ran out",
			      e->name);
}

/* A file nobody has seen, with our lock on it; a cleaner may hold it for the moment it looks, then another is made. */
static int make_locked(int dir, char *temp, size_t size)
{
	for (unsigned i = 0; i < TRIES_MAX; i++) {
		snprintf(temp, size, ".%d.%u", (int)getpid(), i);
		_cleanup_close_ int fd = openat(dir, temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0 && errno != EEXIST)
			return -errno;
		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
			return steal_fd(&fd);
		unlinkat(dir, temp, 0);
	}
	return -EBUSY;
}

/* Gives the locked file the first free name; a process of that number in another PID namespace may wait as well. */
static int publish(int dir, const char *temp, struct pending_waiter *w)
{
	char answer[NAME_SIZE];

	for (unsigned i = 0; i < TRIES_MAX; i++) {
		snprintf(w->name, sizeof(w->name), i ? "%d-%u" : "%d", (int)getpid(), i);
		snprintf(answer, sizeof(answer), "%s.answer", w->name);
		if (unlinkat(dir, answer, 0) < 0 && errno != ENOENT)
			return -errno;
		if (renameat2(dir, temp, dir, w->name, RENAME_NOREPLACE) == 0)
			return 0;
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

/* Takes a place among the waiters. -ENOENT: a cleaner removed the directory under our hands. */
static int take_place(const struct paths *p, struct pending_waiter *w, struct diag *d)
{
	char name[NAME_SIZE], temp[NAME_SIZE];
	int r;

	snprintf(name, sizeof(name), "pending/%s.waiters", w->digest);
	r = paths_open_runtime(p, name, &w->waiters, d);
	if (r < 0)
		return r;
	w->lock = make_locked(w->waiters, temp, sizeof(temp));
	if (w->lock < 0)
		return diag_fail(
			d, w->lock, "cannot wait for an answer in the runtime directory: %s", strerror(-w->lock));
	r = publish(w->waiters, temp, w);
	return r < 0 ? diag_fail(d, r, "cannot wait for an answer in the runtime directory: %s", strerror(-r)) : 0;
}

static void leave_place(struct pending_waiter *w)
{
	char answer[NAME_SIZE];

	if (w->waiters >= 0 && w->lock >= 0) {
		unlinkat(w->waiters, w->name, 0);
		snprintf(answer, sizeof(answer), "%s.answer", w->name);
		unlinkat(w->waiters, answer, 0);
	}
	if (w->lock >= 0)
		close(steal_fd(&w->lock));
	if (w->waiters >= 0)
		close(steal_fd(&w->waiters));
}

static int write_entry(const struct pending_waiter *w, const char *text, struct diag *d)
{
	char name[NAME_SIZE];

	snprintf(name, sizeof(name), "%s.json", w->digest);
	if (faccessat(w->pending, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	return fs_write_atomic(w->pending, name, text, strlen(text), 0600, d);
}

/* Whatever was taken from us, the directory above may have gone with it. */
static void leave_all(struct pending_waiter *w)
{
	leave_place(w);
	if (w->pending >= 0)
		close(steal_fd(&w->pending));
}

/* All or nothing. The two directories are opened one after the other: a cleaner in between leaves us one that is dead.
 */
static int join_once(const struct paths *p, struct pending_waiter *w, const char *text, struct diag *d)
{
	int r = paths_open_runtime(p, "pending", &w->pending, d);

	if (r == 0)
		r = take_place(p, w, d);
	if (r == 0)
		r = write_entry(w, text, d);
	if (r < 0)
		leave_all(w);
	return r;
}

int pending_join(
	const struct paths *p, const char *digest, const char *text, struct pending_waiter *ret, struct diag *d)
{
	int r = -ENOENT;

	snprintf(ret->digest, sizeof(ret->digest), "%s", digest);
	for (unsigned i = 0; i < TRIES_MAX && r == -ENOENT; i++)
		r = join_once(p, ret, text, d);
	return r;
}

int pending_keep(const struct paths *p, struct pending_waiter *w, const char *text, struct diag *d)
{
	char digest[sizeof(w->digest)];
	struct stat st;
	int r = -ENOENT;

	/* No lock: the last time a cleaner took the directory from under our hands. */
	if (w->lock >= 0 && fstat(w->lock, &st) < 0)
		return diag_fail(d, -errno, "cannot look after the waiting entry: %s", strerror(errno));
	if (w->lock >= 0 && st.st_nlink > 0)
		r = write_entry(w, text, d);
	if (r != -ENOENT)
		return r;
	leave_all(w);
	memcpy(digest, w->digest, sizeof(digest));
	return pending_join(p, digest, text, w, d);
}

int pending_read_answer(const struct paths *p, const struct pending_waiter *w, struct diag *d)
{
	_cleanup_buf_ struct buf b = BUF_INIT(ANSWER_MAX);
	char name[NAME_SIZE];
	int r;

	snprintf(name, sizeof(name), "%s.answer", w->name);
	if (faccessat(w->waiters, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return CONSENT_UNKNOWN;
	r = fs_read_trusted(w->waiters, name, FS_TRUST_USER, p->uid, &b, d);
	if (r < 0)
		return r;
	if (strcmp(b.data ? b.data : "", "approved\n") == 0)
		return CONSENT_APPROVED;
	if (strcmp(b.data ? b.data : "", "refused\n") == 0)
		return CONSENT_REFUSED;
	return diag_fail(d, -EINVAL, "the answer in the runtime directory is neither yes nor no: nothing is started");
}

void pending_leave(struct pending_waiter *w)
{
	char name[NAME_SIZE];

	leave_place(w);
	if (w->pending < 0)
		return;
	snprintf(name, sizeof(name), "%s.waiters", w->digest);
	/* Not empty: somebody else still waits, and keeps the entry. */
	if (unlinkat(w->pending, name, AT_REMOVEDIR) == 0) {
		snprintf(name, sizeof(name), "%s.json", w->digest);
		unlinkat(w->pending, name, 0);
	}
	close(steal_fd(&w->pending));
}
