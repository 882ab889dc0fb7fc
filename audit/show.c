/* SPDX-License-Identifier: Apache-2.0 */
/*
 * show - prints the records of all sessions in order of time
 *
 * Process:  supervisor
 *
 * A merge over the files. A file's name says when it begins, so it is opened only when the merge has come to that time,
 * and closed when it has no more: only sessions that ran side by side are open together. Within a session the order of
 * the file holds, whatever the clock did. To follow is to do the same again from where each file was left. For the last
 * records alone it is gone through twice: to count, and to print; what comes between is printed as well. What was
 * denied is counted over all of them, and printed at the end.
 */
#include "audit/show.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/denied.h"
#include "audit/session_check.h"
#include "base/fs.h"
#include "base/glob.h"
#include "base/text.h"

enum { SHOW_NAME_SHOWN = 300 };

struct source {
	char *name;
	uint64_t start_us; /* by its name */
	uint64_t floor_us; /* of the records given so far */
	uint64_t size;	   /* as last seen */
	struct reader reader;
	bool open;
	const char *text;
	size_t len;
	struct line line;
	bool parsed;
};

struct show {
	int dirfd;
	const struct audit_show_options *o;
	FILE *out;
	bool shown;	  /* was any record printed? */
	struct source *v; /* sorted by name, which is by start */
	size_t n, room;
	size_t *open; /* positions of those that have a record */
	size_t n_open;
	bool counting; /* nothing is printed yet */
	uint64_t seen, skip;
	struct denied *denied; /* NULL: the records themselves are asked for */
};

/* The stamp YYYYMMDDTHHMMSSZ in front of the name; its form was checked. */
static uint64_t name_time(const char *name)
{
	char ts[RECORD_TIME_LEN + 1];
	uint64_t us = 0;

	(void)snprintf(ts, sizeof ts,
		"%.4s-%.2s-%.2s"
		"T"
		"%.2s:%.2s:%.2s.000000Z",
		name, name + 4, name + 6, name + 9, name + 11, name + 13);
	return record_parse_time(ts, &us) ? us : 0;
}

static bool glob_wants(const char *pattern, const char *text)
{
	return !pattern || glob_match(pattern, text, strlen(text));
}

static bool wants_file(const struct audit_filter *f, const char *name, const struct stat *st)
{
	char session[AUDIT_SESSION_ID_LEN + 1];

	if (!session_of_file(name, session) || !S_ISREG(st->st_mode) || !session_matches(f->session, session))
		return false;
	if (f->until && (int64_t)(name_time(name) / 1000000) > f->until)
		return false;
	return !f->since || st->st_mtime >= f->since;
}

static bool client_wants(const char *pattern, const char *chain)
{
	return !pattern ||
	       (strchr(pattern, '*') ? glob_match(pattern, chain, strlen(chain)) : strstr(chain, pattern) != NULL);
}

bool show_wants(const struct audit_filter *f, const struct line *l)
{
	const char *decision = f->decision == EVENT_NONE ? NULL : event_decision_name(f->decision);

	if ((f->since && (int64_t)l->us < f->since * 1000000) || (f->until && (int64_t)l->us > f->until * 1000000))
		return false;
	return session_matches(f->session, l->session) && glob_wants(f->server, line_text(l, "server")) &&
	       client_wants(f->client, line_text(l, "client")) &&
	       (!f->tool || (*line_text(l, "tool") && glob_wants(f->tool, line_text(l, "tool")))) &&
	       (!decision || strcmp(decision, line_text(l, "decision")) == 0);
}

static int compare_name(const void *a, const void *b)
{
	const struct source *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int add_source(struct show *s, const char *name, uint64_t size)
{
	if (GROW(s->v, s->n, s->room) < 0)
		return -ENOMEM;
	s->v[s->n] = (struct source){
		.name = strdup(name), .start_us = name_time(name), .size = size, .reader = READER_INIT(-1)
	};
	return s->v[s->n++].name ? 0 : -ENOMEM;
}

static struct source *find_source(struct show *s, size_t known, const char *name)
{
	size_t low = 0, high = known;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int c = strcmp(s->v[middle].name, name);
		if (c == 0)
			return &s->v[middle];
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* Looks at the directory: new files, and sizes of those that are known. */
static int scan(struct show *s, struct diag *d)
{
	_cleanup_closedir_ DIR *dir = NULL;
	const struct dirent *e;
	size_t known = s->n;
	struct stat st;
	int r = fs_list(s->dirfd, &dir);

	if (r < 0)
		return diag_fail(d, r, "the audit directory cannot be read: %s", strerror(-r));
	while ((e = readdir(dir))) {
		if (fstatat(s->dirfd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
			!wants_file(&s->o->filter, e->d_name, &st))
			continue;
		struct source *old = find_source(s, known, e->d_name);
		if (old)
			old->size = (uint64_t)st.st_size;
		else if (add_source(s, e->d_name, (uint64_t)st.st_size) < 0)
			return -ENOMEM;
	}
	if (s->n > known) {
		qsort(s->v, s->n, sizeof *s->v, compare_name);
		size_t *open = reallocarray(s->open, s->n, sizeof *open);
		if (!open)
			return -ENOMEM;
		s->open = open;
	}
	return 0;
}

/* Parks the file: the place is kept, descriptor and buffer are not. */
static void park(struct source *src)
{
	uint64_t offset = src->reader.offset, number = src->reader.number;

	line_done(&src->line);
	reader_done(&src->reader);
	src->reader.offset = offset;
	src->reader.number = number;
	src->open = false;
}

/* Takes the next line of the file: 1, 0 when there is none yet, -errno. */
static int advance(struct source *src)
{
	int outcome;

	line_done(&src->line);
	outcome = reader_next(&src->reader, &src->text, &src->len);
	if (outcome <= 0) {
		park(src);
		return outcome;
	}
	src->parsed = outcome == READER_LINE && line_parse(src->text, src->len, &src->line) == LINE_OK;
	if (src->parsed && src->line.us > src->floor_us)
		src->floor_us = src->line.us;
	if (src->floor_us == 0)
		src->floor_us = src->start_us;
	return 1;
}

static int read_error(const struct source *src, int error, struct diag *d)
{
	return diag_fail(d, error, "%s cannot be read: %s", src->name, strerror(-error));
}

static int open_source(struct show *s, size_t at, struct diag *d)
{
	struct source *src = &s->v[at];
	int fd = log_open_read(s->dirfd, src->name, d);

	/* Gone since the directory was read: not ours to report. */
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return fd;
	src->reader.fd = fd;
	src->open = true;
	int r = advance(src);
	if (r > 0)
		s->open[s->n_open++] = at;
	return r < 0 ? read_error(src, r, d) : 0;
}

/* Is it counted only, or one of those before the last? */
static bool pass_over(struct show *s)
{
	if (s->counting)
		s->seen++;
	else if (s->skip > 0)
		s->skip--;
	else
		return false;
	return true;
}

static int print_record(struct show *s, const struct source *src)
{
	char name[SHOW_NAME_SHOWN];

	if (src->parsed && !show_wants(&s->o->filter, &src->line))
		return 0;
	if (s->denied)
		return src->parsed ? denied_add(s->denied, &src->line) : 0;
	s->shown = true;
	if (pass_over(s))
		return 0;
	if (!src->parsed) {
		text_escape_str(src->name, name, sizeof name);
		if (s->o->json)
			return fprintf(s->out, "{\"unreadable\":{\"file\":\"%s\",\"line\":%" PRIu64 "}}\n", name,
				       src->reader.number) < 0
				       ? -EIO
				       : 0;
		return fprintf(s->out,
			       "%s:%" PRIu64 ": torn or altered, and unreadable; `stockade audit verify` says more\n",
			       name, src->reader.number) < 0
			       ? -EIO
			       : 0;
	}
	if (!s->o->json)
		return show_text(&src->line, s->o->colour, s->out);
	/* As it is, when it is what our writer wrote; else only what JSON makes of it. */
	if (src->line.hash_ok)
		(void)fwrite(src->text, 1, src->len, s->out);
	else
		(void)json_dumpf(src->line.root, s->out, JSON_COMPACT | JSON_ENSURE_ASCII);
	return fputc('\n', s->out) == EOF ? -EIO : 0;
}

static bool has_more(const struct source *src)
{
	return src->size > src->reader.offset;
}

/* The open source with the earliest record. */
static size_t earliest(const struct show *s)
{
	size_t best = 0;

	for (size_t i = 1; i < s->n_open; i++) {
		if (s->v[s->open[i]].floor_us < s->v[s->open[best]].floor_us)
			best = i;
	}
	return best;
}

/* One pass over all that is there now. */
static int merge(struct show *s, struct diag *d)
{
	size_t next = 0;

	for (;;) {
		size_t best = earliest(s);
		while (next < s->n && (s->n_open == 0 || s->v[next].start_us <= s->v[s->open[best]].floor_us)) {
			int r = has_more(&s->v[next]) ? open_source(s, next, d) : 0;
			if (r < 0)
				return r;
			next++;
			best = earliest(s);
		}
		if (s->n_open == 0)
			return 0;
		struct source *src = &s->v[s->open[best]];
		int r = print_record(s, src);
		if (r < 0)
			return diag_fail(
				d, errno == EPIPE ? -EPIPE : r, "the records cannot be written: %s", strerror(errno));
		r = advance(src);
		if (r < 0)
			return read_error(src, r, d);
		if (r == 0)
			s->open[best] = s->open[--s->n_open];
	}
}

static int show_pass(struct show *s, struct diag *d)
{
	int r = scan(s, d);

	if (r == 0)
		r = merge(s, d);
	s->skip = 0;
	if (r == 0 && fflush(s->out) != 0)
		r = diag_fail(d, -errno, "the records cannot be written: %s", strerror(errno));
	return r;
}

/* Finds out how many records come before the last ones. */
static int skip_to_last(struct show *s, struct diag *d)
{
	int r;

	s->counting = true;
	r = show_pass(s, d);
	s->counting = false;
	s->skip = s->seen > s->o->last ? s->seen - s->o->last : 0;
	for (size_t i = 0; i < s->n; i++) {
		s->v[i].reader.offset = s->v[i].reader.number = 0;
		s->v[i].floor_us = 0;
	}
	return r;
}

static int show_follow(struct show *s, struct diag *d)
{
	struct follow f;
	int r = follow_init(s->dirfd, &f, d);

	/* The watch is there before the first look: nothing falls between. */
	while (r == 0) {
		r = show_pass(s, d);
		if (r == 0)
			r = follow_wait(&f, s->out);
	}
	follow_done(&f);
	return r == FOLLOW_STOP ? 0 : r;
}

static int show_denied(struct show *s, struct diag *d)
{
	int r = denied_new(&s->denied);

	if (r == 0)
		r = show_pass(s, d);
	if (r == 0)
		r = denied_print(s->denied, s->o->json, s->o->colour, s->out);
	s->shown = s->denied && denied_rows(s->denied) > 0;
	denied_free(s->denied);
	return r;
}

int audit_show(int dirfd, const struct audit_show_options *o, FILE *out, struct diag *d)
{
	struct show s = { .dirfd = dirfd, .o = o, .out = out };
	int r = sodium_init() < 0 ? diag_fail(d, -EIO, "libsodium cannot be initialised") : 0;

	if (r == 0 && o->tail)
		r = skip_to_last(&s, d);
	if (r == 0)
		r = o->denied ? show_denied(&s, d) : o->follow ? show_follow(&s, d) : show_pass(&s, d);
	for (size_t i = 0; i < s.n; i++) {
		line_done(&s.v[i].line);
		reader_done(&s.v[i].reader);
		free(s.v[i].name);
	}
	free(s.v);
	free(s.open);
	return r < 0 ? r : s.shown ? AUDIT_SHOWN : AUDIT_NOTHING_SHOWN;
}
