/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify - holds the sessions' files and the index against each other
 *
 * Process:  supervisor
 *
 * Sessions may start, go on and end meanwhile, and that is no damage. The order makes it so: (1) list the directory and
 * see who holds the lock of which file, (2) read the index, (3) read the files. A session that did not run at (1) has
 * all its index records at (2); one that ran may have more in its file at (3) than the index had at (2), never less.
 */
#include "audit/audit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>

#include "audit/index_check.h"
#include "audit/line.h"
#include "audit/repair.h"
#include "audit/session_check.h"
#include "audit/verify.h"
#include "base/fs.h"
#include "base/text.h"

enum { VERIFY_NAME_SHOWN = 300 };

static bool is_log_name(const char *name)
{
	size_t n = strlen(name);

	return n > 6 && strcmp(name + n - 6, ".jsonl") == 0 && strcmp(name, INDEX_FILE) != 0;
}

static int list_add(struct listing *l, int dirfd, const char *name)
{
	_cleanup_close_ int fd = log_open_read(dirfd, name, NULL);

	if (GROW(l->v, l->n, l->room) < 0)
		return -ENOMEM;
	l->v[l->n] = (struct listed){ .name = strdup(name), .running = fd >= 0 && log_locked(fd) };
	return l->v[l->n++].name ? 0 : -ENOMEM;
}

static int compare_name(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int list_files(int dirfd, struct listing *ret, struct diag *d)
{
	_cleanup_closedir_ DIR *dir = NULL;
	const struct dirent *e;
	int r = fs_list(dirfd, &dir);

	if (r < 0)
		return diag_fail(d, r, "the audit directory cannot be read: %s", strerror(-r));
	while (r == 0 && (e = readdir(dir))) {
		if (is_log_name(e->d_name))
			r = list_add(ret, dirfd, e->d_name);
	}
	if (ret->n > 0)
		qsort(ret->v, ret->n, sizeof *ret->v, compare_name);
	return r;
}

static struct listed *find_listed(struct listing *l, const char *name)
{
	struct listed key = { .name = strdup(name) };
	struct listed *found = key.name && l->n > 0 ? bsearch(&key, l->v, l->n, sizeof *l->v, compare_name) : NULL;

	free(key.name);
	return found;
}

static void check_index_line(struct verify *v, const struct session_view *s, const struct index_line *l)
{
	const struct entry *e = session_view_find(s, l->records);
	uint64_t last = s->n > 0 ? s->entries[s->n - 1].seq : 0;

	if (e && strcmp(e->hash, l->head) == 0)
		return;
	if (e)
		finding_add(&v->f, FINDING_REPLACED, (struct place){ s->file, e->line, e->seq },
			"the index has another hash for this record (" INDEX_FILE " line %" PRIu64 ")", l->number);
	else if (l->records > last)
		finding_add(&v->f, FINDING_TRUNCATED, (struct place){ s->file, s->lines, last },
			"it ends here, but the index knows of %" PRIu64 " records (" INDEX_FILE " line %" PRIu64 ")",
			l->records, l->number);
	else
		finding_add(&v->f, FINDING_MISSING, (struct place){ s->file, 0, l->records },
			"the index knows of this record (" INDEX_FILE " line %" PRIu64 ")", l->number);
}

static const struct index_line *index_line_at(const struct verify *v, size_t n)
{
	return &v->index.lines[v->index.by_session[n]];
}

/* May the supervisor have been killed between the record in the file and the one in the index? */
static bool killed_between(const struct verify *v, const struct session_view *s, const struct entry *e, uint64_t newest)
{
	return e == &s->entries[s->n - 1] && e->seq > newest && !log_sealed(v->dirfd, s->file);
}

/* Each open, checkpoint and close has its record in the index; a session that runs may be ahead of what we read.
 * Returns the seq of a record that the index never got, or 0. */
static uint64_t check_noted(struct verify *v, const struct session_view *s, size_t first, size_t count, bool running)
{
	uint64_t newest = count > 0 ? index_line_at(v, first + count - 1)->records : 0;

	for (size_t i = 0, n = 0; i < s->n; i++) {
		const struct entry *e = &s->entries[i];
		/* Both go up: a session writes one after the other. */
		while (e->noted && n < count && index_line_at(v, first + n)->records < e->seq)
			n++;
		const struct index_line *l = n < count ? index_line_at(v, first + n) : NULL;
		if (!e->noted || (running && e->seq > newest) || (l && l->records == e->seq && l->event == e->event))
			continue;
		if (killed_between(v, s, e, newest))
			return e->seq;
		finding_add(&v->f, FINDING_UNINDEXED, (struct place){ s->file, e->line, e->seq },
			"the index lacks the %s of this session: it was removed there", index_event_name(e->event));
	}
	return 0;
}

/* What follows the last whole line. */
static void check_rest(struct verify *v, const struct session_view *s, bool index_closed)
{
	if (s->rest == 0)
		return;
	if (s->closed || index_closed)
		finding_add(&v->f, FINDING_ALTERED, (struct place){ s->file, s->lines + 1, 0 },
			"%" PRIu64 " bytes without a line's end follow in a session that is closed", s->rest);
	else
		finding_add(&v->f, FINDING_TORN, (struct place){ s->file, s->lines + 1, 0 },
			"the last line has no end: its writer was killed before the record was acknowledged");
}

static void repair(struct verify *v, const struct session_view *s, uint64_t lacks)
{
	struct diag d = { "" };
	struct place at = { .file = s->file };
	int r;

	finding_add(&v->f, FINDING_UNCLOSED, at,
		"the supervisor was killed before it had closed it; %zu records are whole", s->n);
	if (v->o->read_only)
		return;
	if (s->keyed && !v->o->key) {
		finding_add(
			&v->f, FINDING_UNREPAIRED, at, "its end has to be signed, and the key for that is not here");
		return;
	}
	r = repair_session(v->dirfd, s->file, lacks, v->o->key, &d);
	if (r == REPAIR_DONE)
		finding_add(&v->f, FINDING_REPAIRED, at, "%sits end was recorded",
			s->rest > 0 ? "the torn line was accounted for, and " : "");
	else if (r < 0)
		finding_add(&v->f, FINDING_UNREPAIRED, at, "%s", d.text);
}

void verify_session(struct verify *v, const struct session_view *s, const char *session, bool running)
{
	uint64_t damage = v->f.damage, lacks;
	bool index_closed = false;
	size_t first = 0, count = index_view_session(&v->index, session, &first);

	for (size_t n = 0; n < count; n++) {
		const struct index_line *l = index_line_at(v, first + n);
		if (l->event == INDEX_DROP)
			finding_add(&v->f, FINDING_NOT_REMOVED, (struct place){ .file = s->file },
				"the index tells of its removal, and it is still here: 'stockade audit prune' was "
				"killed in between");
		index_closed = index_closed || l->event == INDEX_CLOSE;
		check_index_line(v, s, l);
	}
	if (count == 0 && s->n == 0 && !running) {
		enum finding what = s->lines == 0 && !s->rest_foreign ? FINDING_EMPTY : FINDING_UNINDEXED;
		finding_add(&v->f, what, (struct place){ .file = s->file }, "%s",
			what == FINDING_EMPTY ? "its supervisor was killed before the first record, and nothing ran"
					      : "no record of it is whole, and the index does not know it");
		return;
	}
	lacks = check_noted(v, s, first, count, running);
	if (running)
		return;
	check_rest(v, s, index_closed);
	if (!(s->closed && index_closed) && !s->damaged && v->f.damage == damage)
		repair(v, s, lacks);
}

/* What signatures cover of a session: to its own last one, or to the last record that a covered one of the index knows.
 */
static void check_covered(struct verify *v, const struct session_view *s, const char *session)
{
	size_t first = 0, count = index_view_session(&v->index, session, &first), covered = 0;
	uint64_t to = s->covered;

	for (size_t n = 0; n < count; n++) {
		const struct index_line *l = index_line_at(v, first + n);
		to = l->covered && l->records > to ? l->records : to;
	}
	while (covered < s->n && s->entries[covered].seq <= to)
		covered++;
	v->covered += covered;
	if (v->signatures.good > 0 && covered < s->n)
		finding_add(&v->f, FINDING_TAIL, (struct place){ .file = s->file, .seq = s->entries[covered].seq },
			"no signature covers this record and what follows, %zu in all", s->n - covered);
}

static int check_file(struct verify *v, const char *name, bool running, struct diag *d)
{
	_cleanup_session_view_ struct session_view s = { 0 };
	char session[AUDIT_SESSION_ID_LEN + 1];
	uint64_t damage = v->f.damage;
	struct diag why = { "" };
	int fd, r;

	v->sessions++;
	v->running += running;
	if (!session_of_file(name, session)) {
		finding_add(&v->f, FINDING_UNINDEXED, (struct place){ .file = name },
			"this is not the name of a session's file");
		return 0;
	}
	fd = log_open_read(v->dirfd, name, &why);
	if (fd < 0) {
		finding_add(&v->f, FINDING_NO_FILE, (struct place){ .file = name }, "%s", why.text);
		return 0;
	}
	r = session_view_read(fd, name, &v->f, &v->signatures, &s, d);
	if (r < 0)
		return r;
	v->records += s.n;
	s.damaged = v->f.damage > damage;
	check_covered(v, &s, session);
	verify_session(v, &s, session, running);
	return 0;
}

static bool wanted(const struct verify *v, const char *name)
{
	char session[AUDIT_SESSION_ID_LEN + 1];

	if (!v->o->session)
		return true;
	return session_of_file(name, session) && session_matches(v->o->session, session);
}

/* Does the index tell of its removal (index.drop), with the head that its close had? */
static bool is_dropped(const struct verify *v, const struct index_line *of)
{
	size_t first = 0, count = index_view_session(&v->index, of->session, &first);
	const struct index_line *close = NULL;

	for (size_t n = 0; n < count; n++) {
		const struct index_line *l = index_line_at(v, first + n);
		if (strcmp(l->file, of->file) != 0)
			continue;
		if (l->event == INDEX_CLOSE)
			close = l;
		else if (l->event == INDEX_DROP && close && l->records == close->records &&
			 strcmp(l->head, close->head) == 0)
			return true;
	}
	return false;
}

/* Files that the index knows and the listing does not: gone, or younger than the listing. */
static int check_unlisted(struct verify *v, struct diag *d)
{
	const char *before = "";

	for (size_t n = 0; n < v->index.n_by_session; n++) {
		const struct index_line *l = index_line_at(v, n);
		if (strcmp(l->file, before) == 0 || find_listed(&v->files, l->file) || !wanted(v, l->file))
			continue;
		before = l->file;
		if (is_dropped(v, l)) {
			v->dropped++;
			continue;
		}
		_cleanup_close_ int fd = log_open_read(v->dirfd, l->file, NULL);
		if (fd >= 0) {
			int r = check_file(v, l->file, true, d);
			if (r < 0)
				return r;
			continue;
		}
		v->sessions++;
		finding_add(&v->f, FINDING_NO_FILE, (struct place){ .file = l->file },
			"the index knows this session (" INDEX_FILE " line %" PRIu64 "), but its file is gone",
			l->number);
	}
	return 0;
}

/* Nothing is neither whole nor damaged: from a log that was removed with its index nothing is left to tell of it. */
static bool is_empty(const struct verify *v)
{
	return v->f.damage == 0 && v->sessions == 0 && !v->index.exists;
}

/* Which keys, with a word before each but the first. */
static void print_keys(const struct verify *v, const char *before, const char *between, const char *after)
{
	const struct signatures *s = &v->signatures;
	const char *lead = before;

	for (size_t i = 0; s->keys && i < s->keys->n; i++) {
		if (s->used[i] == 0)
			continue;
		(void)fprintf(v->f.out, "%s%s%s", lead, s->keys->v[i].id, after);
		lead = between;
	}
}

static void summary_json(const struct verify *v, const char *verdict)
{
	(void)fprintf(v->f.out,
		"{\"verdict\":\"%s\",\"findings\":%" PRIu64 ",\"sessions\":%" PRIu64 ",\"running\":%" PRIu64
		",\"records\":%" PRIu64 ",\"signatures\":%" PRIu64 ",\"unchecked\":%" PRIu64 ",\"covered\":%" PRIu64
		",\"index_records\":%zu,\"index_covered\":%zu,\"removed\":%" PRIu64 ",\"keys\":[",
		verdict, v->f.damage, v->sessions, v->running, v->records, v->signatures.good, v->signatures.unchecked,
		v->covered, v->index.n, v->index.n_covered, v->dropped);
	print_keys(v, "\"", ",\"", "\"");
	(void)fputs("]}\n", v->f.out);
}

static void summary_signed(const struct verify *v)
{
	if (v->signatures.good > 0) {
		(void)fprintf(v->f.out, "signed: %" PRIu64 " of %" PRIu64 " records and %zu of %zu of the index, by ",
			v->covered, v->records, v->index.n_covered, v->index.n);
		print_keys(v, "key ", " and key ", "");
		(void)fputc('\n', v->f.out);
	}
	if (v->signatures.unchecked > 0)
		(void)fprintf(v->f.out, "not checked: %" PRIu64 " signatures, since no key was given\n",
			v->signatures.unchecked);
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void summary(struct verify *v)
{
	const char *verdict = v->f.damage > 0 ? "damaged" : is_empty(v) ? "empty" : "whole";

	if (v->o->json) {
		summary_json(v, verdict);
		return;
	}
	if (v->f.damage > 0)
		(void)fprintf(v->f.out, "damaged: %" PRIu64 " finding%s in %" PRIu64 " session%s\n", v->f.damage,
			plural(v->f.damage), v->sessions, plural(v->sessions));
	else if (is_empty(v))
		(void)fprintf(v->f.out, "empty: no session and no index; either nothing ever ran, or all of the log "
					"was moved or removed\n");
	else
		(void)fprintf(v->f.out, "whole: %" PRIu64 " session%s (%" PRIu64 " running), %" PRIu64 " record%s\n",
			v->sessions, plural(v->sessions), v->running, v->records, plural(v->records));
	if (v->dropped > 0)
		(void)fprintf(v->f.out, "removed: %" PRIu64 " session%s, as the index tells\n", v->dropped,
			plural(v->dropped));
	summary_signed(v);
}

/* Who replaces all of a log has no signature to show for it. A log without a checkpoint has none to show yet. */
static void check_demand(struct verify *v)
{
	const struct index_view *x = &v->index;

	for (size_t i = 0; v->o->demand && v->signatures.good == 0 && i < x->n; i++) {
		if (!x->lines[i].good || x->lines[i].event == INDEX_OPEN)
			continue;
		finding_add(&v->f, FINDING_UNSIGNED, (struct place){ .file = INDEX_FILE },
			"nothing in this log is signed by a key that was given: all of it may have been replaced");
		return;
	}
}

static int verify_all(struct verify *v, struct diag *d)
{
	char shown[VERIFY_NAME_SHOWN];
	int r = list_files(v->dirfd, &v->files, d);

	if (r == 0)
		r = index_view_read(v->dirfd, &v->f, &v->signatures, &v->index, d);
	for (size_t i = 0; r == 0 && i < v->files.n; i++) {
		if (wanted(v, v->files.v[i].name))
			r = check_file(v, v->files.v[i].name, v->files.v[i].running, d);
	}
	if (r == 0)
		r = check_unlisted(v, d);
	/* Without an index and without damage the first supervisor ever was killed while it began. */
	if (r == 0 && !v->index.exists && v->f.damage > 0)
		finding_add(&v->f, FINDING_NO_FILE, (struct place){ .file = INDEX_FILE },
			"there are sessions, but the index is gone");
	if (r == 0)
		check_demand(v);
	if (r == 0 && v->o->session && v->sessions == 0)
		r = diag_fail(d, -ENOENT, "no session in the audit log matches '%s'",
			text_escape_str(v->o->session, shown, sizeof shown));
	return r;
}

int audit_verify(int dirfd, const struct audit_verify_options *o, FILE *out, struct diag *d)
{
	struct verify v = { .dirfd = dirfd, .o = o, .f = { .out = out, .json = o->json } };
	int r = sodium_init() < 0 ? diag_fail(d, -EIO, "libsodium cannot be initialised")
				  : signatures_init(&v.signatures, o->keys);

	if (r == 0)
		r = verify_all(&v, d);
	if (r == 0) {
		summary(&v);
		r = v.f.damage > 0 ? AUDIT_DAMAGED : AUDIT_WHOLE;
	}
	if (fflush(out) != 0 && r >= 0)
		r = diag_fail(d, -errno, "the findings cannot be written: %s", strerror(errno));
	for (size_t i = 0; i < v.files.n; i++)
		free(v.files.v[i].name);
	free(v.files.v);
	index_view_done(&v.index);
	signatures_done(&v.signatures);
	return r;
}
