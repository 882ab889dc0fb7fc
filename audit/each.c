/* SPDX-License-Identifier: Apache-2.0 */
/* each - see each.h */
#include "audit/each.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sodium.h>
#include <sys/stat.h>

#include "audit/session_check.h"
#include "base/fs.h"
#include "base/text.h"

enum { EACH_NAME_SHOWN = 100, EACH_STEP = 4 << 20 };

struct each {
	const struct each_args *a;
	struct each_totals *t;
	uint64_t done, all; /* bytes */
};

static void tell(const struct each *e, uint64_t now)
{
	if (e->a->progress)
		e->a->progress(e->done + now, e->all, e->a->arg);
}

static void note_damage(struct each *e, const char *name, uint64_t number)
{
	char shown[EACH_NAME_SHOWN];

	if (e->t->damaged++ == 0)
		snprintf(e->t->first, sizeof(e->t->first), "%s:%" PRIu64, text_escape_str(name, shown, sizeof(shown)),
			number);
}

static int take_line(struct each *e, const char *name, const struct reader *r, const char *text, size_t n)
{
	_cleanup_line_ struct line l = { 0 };

	if (line_parse(text, n, &l) != LINE_OK || !l.hash_ok) {
		note_damage(e, name, r->number);
		return 0;
	}
	e->t->records++;
	return e->a->record(&l, e->a->arg);
}

static int read_file(struct each *e, int dirfd, const char *name, struct diag *d)
{
	_cleanup_reader_ struct reader r = READER_INIT(log_open_read(dirfd, name, d));
	uint64_t told = 0;
	const char *text;
	size_t n;
	int outcome;

	if (r.fd < 0)
		return r.fd == -ENOENT ? 0 : r.fd;
	e->t->files++;
	while ((outcome = reader_next(&r, &text, &n)) > 0) {
		int error = outcome == READER_LINE ? take_line(e, name, &r, text, n) : 0;
		if (error < 0)
			return error;
		if (outcome == READER_TOO_LONG)
			note_damage(e, name, r.number);
		if (r.offset - told >= EACH_STEP)
			tell(e, told = r.offset);
	}
	/* A line without its end is one that is being written, or the last of a writer that was killed. */
	if (outcome < 0)
		return diag_fail(d, outcome, "%s cannot be read: %s", name, strerror(-outcome));
	tell(e, r.offset);
	e->done += r.offset;
	return 0;
}

/* do_read false: only how much there is. */
static int walk(struct each *e, int dirfd, bool do_read, struct diag *d)
{
	_cleanup_closedir_ DIR *dir = NULL;
	char session[AUDIT_SESSION_ID_LEN + 1];
	const struct dirent *entry;
	struct stat st;
	int r = fs_list(dirfd, &dir);

	if (r < 0)
		return diag_fail(d, r, "the audit directory cannot be read: %s", strerror(-r));
	while (r == 0 && (entry = readdir(dir))) {
		if (!session_of_file(entry->d_name, session) ||
			fstatat(dirfd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
			continue;
		if (do_read)
			r = read_file(e, dirfd, entry->d_name, d);
		else
			e->all += (uint64_t)st.st_size;
	}
	return r;
}

int audit_each(int dirfd, const struct each_args *a, struct each_totals *ret, struct diag *d)
{
	struct each e = { .a = a, .t = ret };
	int r;

	*ret = (struct each_totals){ 0 };
	if (sodium_init() < 0)
		return diag_fail(d, -EIO, "libsodium cannot be initialised");
	r = walk(&e, dirfd, false, d);
	return r < 0 ? r : walk(&e, dirfd, true, d);
}
