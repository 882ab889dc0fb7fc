/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prune - removes the logs of sessions that are old enough
 *
 * Process:  supervisor
 */
#include "audit/prune.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "audit/index.h"
#include "audit/line.h"
#include "audit/log.h"
#include "audit/session_check.h"
#include "audit/tail.h"
#include "base/fs.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/text.h"

enum { PRUNE_WINDOW = 2 * AUDIT_RECORD_MAX, PRUNE_WHY_MAX = 512 };
#define PRUNE_AGE_MAX_S (1000ull * 366 * 24 * 3600)

/* One closed session. */
struct closed {
	char file[LOG_FILE_NAME_MAX], session[AUDIT_SESSION_ID_LEN + 1];
	char head[RECORD_HASH_HEX + 1];
	uint64_t records, size, last_us;
	char delete_after[32]; /* of its profile, "" */
	char why[PRUNE_WHY_MAX];
	bool goes;
};

struct prune {
	struct closed *v;
	size_t n, room;
};

/* What its last record says; false for a session that is not closed and sealed. */
static bool look(int dirfd, const char *name, struct closed *ret)
{
	_cleanup_close_ int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	_cleanup_tail_ struct tail t = { 0 };
	char event[32], time[RECORD_TIME_LEN + 1];
	uint64_t us;
	struct stat st;

	if (!session_of_file(name, ret->session) || fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
		(st.st_mode & S_IWUSR) || log_locked(fd) || tail_read(fd, PRUNE_WINDOW, &t) < 0 || t.n_lines == 0)
		return false;
	const struct tail_line *last = &t.lines[t.n_lines - 1];
	if (t.torn_bytes > 0 || !tail_value(last, "event", event, sizeof event) ||
		strcmp(event, "session.close") != 0 || !tail_value(last, "ts", time, sizeof time) ||
		!record_parse_time(time, &us))
		return false;
	/* Of the one length that session_of_file lets through. */
	(void)snprintf(ret->file, sizeof ret->file, "%.63s", name);
	memcpy(ret->head, last->hash, RECORD_HASH_HEX);
	ret->head[RECORD_HASH_HEX] = '\0';
	ret->records = last->seq;
	ret->size = (uint64_t)st.st_size;
	ret->last_us = us;
	if (!tail_value(last, "delete_after", ret->delete_after, sizeof ret->delete_after))
		ret->delete_after[0] = '\0';
	return true;
}

static int compare_age(const void *a, const void *b)
{
	const struct closed *x = a, *y = b;

	return x->last_us != y->last_us ? (x->last_us < y->last_us ? -1 : 1) : strcmp(x->file, y->file);
}

static int list(int dirfd, struct prune *p, struct diag *d)
{
	_cleanup_closedir_ DIR *dir = NULL;
	const struct dirent *e;
	int r = fs_list(dirfd, &dir);

	while (r == 0 && (e = readdir(dir))) {
		struct closed c = { "" };
		if (!look(dirfd, e->d_name, &c))
			continue;
		if (GROW(p->v, p->n, p->room) < 0)
			r = -ENOMEM;
		else
			p->v[p->n++] = c;
	}
	if (r < 0)
		return diag_fail(d, r, "the audit directory cannot be read: %s", strerror(-r));
	if (p->n > 0)
		qsort(p->v, p->n, sizeof *p->v, compare_age);
	return 0;
}

static void judge_age(const struct prune_rules *rules, uint64_t now_s, struct closed *c)
{
	uint64_t after = rules->older_s, own;
	bool by_profile = rules->profiles && *c->delete_after &&
			  parse_duration(c->delete_after, 1, PRUNE_AGE_MAX_S, &own) == 0 &&
			  !(rules->only_longer && own < after);

	if (by_profile)
		after = own;
	if (after == 0 || now_s < c->last_us / US_PER_S || now_s - c->last_us / US_PER_S < after)
		return;
	c->goes = true;
	if (by_profile)
		(void)snprintf(c->why, sizeof c->why, "age: its profile says %s", c->delete_after);
	else
		(void)snprintf(c->why, sizeof c->why, "age: %s", rules->older_where);
}

/* Oldest first, until what is left is small enough. */
static void judge_size(const struct prune_rules *rules, struct prune *p)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < p->n; i++)
		bytes += p->v[i].goes ? 0 : p->v[i].size;
	for (size_t i = 0; rules->size > 0 && i < p->n && bytes > rules->size; i++) {
		if (p->v[i].goes)
			continue;
		p->v[i].goes = true;
		(void)snprintf(p->v[i].why, sizeof p->v[i].why, "size: %s", rules->size_where);
		bytes -= p->v[i].size;
	}
}

static int drop(int dirfd, const struct closed *c, const struct log_key *key, struct diag *d)
{
	_cleanup_index_ struct index i = INDEX_INIT;
	struct index_entry e = { .event = INDEX_DROP,
		.session = c->session,
		.file = c->file,
		.records = c->records,
		.size = c->size,
		.head = c->head,
		.status = c->why };
	int r = index_begin(dirfd, &i, d);

	if (r == 0)
		r = index_commit(&i, &e, key, d);
	if (r == 0)
		r = index_sync(&i, d);
	if (r == 0 && unlinkat(dirfd, c->file, 0) < 0 && errno != ENOENT)
		r = diag_fail(d, -errno, "%s cannot be removed: %s", c->file, strerror(errno));
	return r;
}

int audit_prune(int dirfd, const struct prune_rules *rules, const struct log_key *key, uint64_t now_s,
	const struct prune_teller *teller, struct diag *d)
{
	struct prune p = { 0 };
	int r = sodium_init() < 0 ? diag_fail(d, -EIO, "libsodium cannot be initialised") : list(dirfd, &p, d);

	for (size_t i = 0; r == 0 && i < p.n; i++)
		judge_age(rules, now_s, &p.v[i]);
	if (r == 0)
		judge_size(rules, &p);
	for (size_t i = 0; r == 0 && i < p.n; i++) {
		const struct closed *c = &p.v[i];
		if (!c->goes)
			continue;
		r = rules->dry ? 0 : drop(dirfd, c, key, d);
		if (r == 0 && teller)
			teller->tell(teller->of, &(struct pruned){ .file = c->file,
							 .session = c->session,
							 .why = c->why,
							 .records = c->records,
							 .bytes = c->size });
	}
	free(p.v);
	return r;
}
