/* SPDX-License-Identifier: Apache-2.0 */
/*
 * export - see export.h
 *
 * Theory. One pass: the index's new lines name the sessions that were opened; of each session that is not through, what
 * was added to its file is taken, looked at, put into the form, and gathered; when EXPORT_BATCH bytes are there, and at
 * the end of the pass, they are committed with the positions that they lead to. To follow is to wait and do it again.
 *
 * Should:   move a position only with the record that it stands for.
 * Mustn't:  go past a line that a writer may still be at: one without its newline, or one that is no record and has
 *           nothing behind it yet (the log ends a torn line and accounts for it in one write).
 */
#include "audit/export/export.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <sys/stat.h>
#include <time.h>

#include "audit/export/form.h"
#include "audit/export/output.h"
#include "audit/session_check.h"
#include "audit/show.h"
#include "base/io.h"

enum {
	EXPORT_BATCH = 64 << 10,
	EXPORT_SESSIONS = 256, /* opened at once: as many positions the cursor holds beside those that run */
	EXPORT_BATCH_MAX = EXPORT_BATCH + 2 * FORM_RECORD_MAX,
};

const char *const export_formats[] = {
	[EXPORT_JSONL] = "jsonl",
	[EXPORT_SYSLOG] = "syslog",
	[EXPORT_JOURNALD] = "journald",
	[EXPORT_CEF] = "cef",
	[EXPORT_OTLP] = "otlp",
};
_Static_assert(ARRAY_LEN(export_formats) == EXPORT_FORMAT_COUNT, "a word for every format");

static int (*const puts_of[])(const struct form_record *r, struct buf *b) = {
	[EXPORT_JSONL] = form_jsonl,
	[EXPORT_SYSLOG] = form_rfc5424,
	[EXPORT_JOURNALD] = form_journald,
	[EXPORT_CEF] = form_cef,
	[EXPORT_OTLP] = form_otlp,
};
_Static_assert(ARRAY_LEN(puts_of) == EXPORT_FORMAT_COUNT, "a form for every format");

struct export
{
	int dirfd;
	const struct export_options *o;
	struct cursor cursor;
	struct output output;
	struct buf batch, one, words;
	bool moved;	/* a position since the last commit */
	bool findings;	/* the log is not whole */
	bool index_end; /* all that the index says is known */
	bool again;	/* a file is gone: the index may say why by now */
	struct diag *d;
};

/* A line that is no record: a torn one is accounted for by the record after it. */
struct bad {
	bool there;
	uint64_t bytes;
	char hash[RECORD_HASH_HEX + 1];
};

static int commit(struct export *e)
{
	int r = 0;

	if (e->moved)
		r = output_commit(&e->output, e->batch.data ? e->batch.data : "", e->batch.len, &e->cursor, e->d);
	buf_clear(&e->batch);
	e->moved = r < 0;
	return r;
}

/* --- records --- */

/* RFC 6587: the length counts the message alone, in octets. */
static int put_framed(struct export *e)
{
	int r = 0;

	if (e->o->format != EXPORT_SYSLOG)
		return buf_append(&e->batch, e->one.data, e->one.len);
	if (e->o->octets)
		r = buf_printf(&e->batch, "%zu ", e->one.len);
	if (r == 0)
		r = buf_append(&e->batch, e->one.data, e->one.len);
	return r < 0 || e->o->octets ? r : buf_putc(&e->batch, '\n');
}

static int put(struct export *e, const struct line *l, const char *text, size_t len)
{
	struct form_record r = { .line = l, .text = text, .len = len, .severity = severity_of(l) };
	int error;

	buf_clear(&e->words);
	buf_clear(&e->one);
	error = form_words(l, &e->words);
	r.words = e->words.data ? e->words.data : "";
	if (error == 0)
		error = puts_of[e->o->format](&r, &e->one);
	if (error == 0)
		error = put_framed(e);
	return error < 0 ? diag_fail(e->d, error, "record %" PRIu64 " of session %s cannot be put into the form %s: %s",
				   l->seq, l->session, export_formats[e->o->format], strerror(-error))
			 : 0;
}

/* A record of the export's own, in the place of what is not there or not to be believed. It has no hash. */
static int put_finding(struct export *e, const char *event, const struct position *p, const char *reason)
{
	char session[AUDIT_SESSION_ID_LEN + 1] = "", ts[RECORD_TIME_LEN + 16];
	uint64_t now = io_wall_us();
	time_t second = (time_t)(now / 1000000);
	struct tm tm = { 0 };
	struct line l = { .us = now, .seq = p->seq };
	_cleanup_free_ char *text = NULL;
	int r;

	(void)session_of_file(p->file, session);
	(void)gmtime_r(&second, &tm);
	(void)strftime(ts, sizeof ts, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(ts + strlen(ts), sizeof ts - strlen(ts), ".%06uZ", (unsigned)(now % 1000000));
	l.root = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "v", RECORD_VERSION, "ts", ts, "session",
		session, "event", event, "source", "export", "reason", reason, "file", p->file, "after",
		(json_int_t)p->seq);
	text = l.root ? json_dumps(l.root, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
	if (!text)
		return -ENOMEM;
	l.session = session;
	l.event = event;
	r = put(e, &l, text, strlen(text));
	line_done(&l);
	e->moved = true;
	return r;
}

static int damaged(struct export *e, const struct position *p)
{
	e->findings = true;
	return put_finding(e, "export.damaged", p,
		"a line of the log is no record, or was altered: it is not exported; 'stockade audit verify' says "
		"more");
}

static int gap(struct export *e, const struct position *p)
{
	e->findings = true;
	return put_finding(e, "export.gap", p,
		"the next record is not the one that follows: records in between are missing, or it is from elsewhere; "
		"'stockade audit verify' says more");
}

/* --- one session --- */

static bool accounts_for(const struct line *l, const struct bad *bad)
{
	return strcmp(l->event, "log.torn") == 0 && line_number(l, "torn_bytes") == bad->bytes &&
	       strcmp(line_text(l, "torn_hash"), bad->hash) == 0;
}

static bool follows(const struct position *p, const struct line *l)
{
	return l->seq == p->seq + 1 && strcmp(l->prev, *p->hash ? p->hash : RECORD_HASH_NONE) == 0;
}

static void move(struct export *e, struct position *p, const struct line *l, uint64_t offset)
{
	p->seq = l->seq;
	memcpy(p->hash, l->hash, sizeof p->hash);
	p->offset = offset;
	p->over = strcmp(l->event, event_name(EVENT_SESSION_CLOSE)) == 0;
	e->moved = true;
}

static int take_record(struct export *e, struct position *p, const struct reader *reader, const struct line *l,
	const char *text, size_t len, struct bad *bad)
{
	int r = 0;

	if (bad->there && !accounts_for(l, bad))
		r = damaged(e, p);
	if (r == 0 && !bad->there && !follows(p, l))
		r = gap(e, p);
	bad->there = false;
	if (r == 0 && show_wants(&e->o->filter, l))
		r = put(e, l, text, len);
	if (r < 0)
		return r;
	move(e, p, l, reader->offset);
	return e->batch.len >= EXPORT_BATCH ? commit(e) : 0;
}

/* Two in a row cannot both be accounted for. */
static int take_bad(struct export *e, const struct position *p, const char *text, size_t len, struct bad *bad)
{
	int r = bad->there ? damaged(e, p) : 0;

	bad->there = true;
	bad->bytes = len;
	record_hash(text, len, bad->hash);
	return r;
}

static int take_lines(struct export *e, struct position *p, struct reader *reader)
{
	struct bad bad = { .there = false };
	const char *text;
	size_t len;
	int outcome, r = 0;

	while (r == 0 && (outcome = reader_next(reader, &text, &len)) > 0) {
		_cleanup_line_ struct line l = { 0 };
		bool good = outcome == READER_LINE && line_parse(text, len, &l) == LINE_OK && l.hash_ok;
		r = good ? take_record(e, p, reader, &l, text, len, &bad) : take_bad(e, p, text, len, &bad);
	}
	if (r < 0 || outcome < 0)
		return r < 0 ? r : diag_fail(e->d, outcome, "%s cannot be read: %s", p->file, strerror(-outcome));
	/* Nothing comes after it any more in a file that is closed for good. */
	if (bad.there && log_sealed(e->dirfd, p->file)) {
		p->over = true;
		return damaged(e, p);
	}
	return 0;
}

/* A drop is in the index before the file is removed: it is known once the index was read to its end after that. */
static int gone(struct export *e, struct position *p)
{
	if (!p->dropped && !(p->gone && e->index_end)) {
		p->gone = e->again = true;
		return 0;
	}
	p->over = true;
	if (p->dropped)
		return put_finding(e, "export.dropped", p,
			"the session's file was removed because it was old enough, as the index tells: what came after "
			"this record was not exported before");
	e->findings = true;
	return put_finding(e, "export.missing", p,
		p->seq > 0 ? "the session's file is gone, and what came after this record with it; 'stockade audit "
			     "verify' says more"
			   : "the session's file is gone; 'stockade audit verify' says more");
}

static int take_session(struct export *e, struct position *p)
{
	struct reader reader = READER_INIT(-1);
	struct stat st;
	int r;

	if (fstatat(e->dirfd, p->file, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? gone(e, p)
				       : diag_fail(e->d, -errno, "%s cannot be examined: %s", p->file, strerror(errno));
	if ((uint64_t)st.st_size == p->offset)
		return 0;
	reader.fd = log_open_read(e->dirfd, p->file, e->d);
	if (reader.fd < 0)
		return reader.fd == -ENOENT ? gone(e, p) : reader.fd;
	reader.offset = p->offset;
	r = position_holds(reader.fd, p);
	if (r == 0) {
		p->over = e->findings = true;
		r = put_finding(e, "export.damaged", p,
			"the record that was exported last is not there any more: the file was cut off or replaced, "
			"and nothing more of it is exported; 'stockade audit verify' says more");
	} else if (r > 0) {
		r = take_lines(e, p, &reader);
	}
	reader_done(&reader);
	return r;
}

/* --- the index --- */

static int take_index_line(struct export *e, const struct line *l, uint64_t offset)
{
	const char *file = line_text(l, "file");
	char session[AUDIT_SESSION_ID_LEN + 1];
	struct position *p = &e->cursor.index, *known = cursor_find(&e->cursor, file);
	int r = 0;

	if (strcmp(l->event, index_event_name(INDEX_OPEN)) == 0 && session_of_file(file, session) &&
		session_matches(e->o->filter.session, session) && !known)
		r = cursor_add(&e->cursor, file);
	if (known && strcmp(l->event, "index.drop") == 0)
		known->dropped = true;
	p->seq = l->seq;
	memcpy(p->hash, l->hash, sizeof p->hash);
	p->offset = offset;
	e->moved = true;
	return r;
}

/* Its own damage is verify's to report: each session that it names is looked at. 1: there may be more. */
static int take_index(struct export *e)
{
	struct reader reader = READER_INIT(log_open_read(e->dirfd, INDEX_FILE, e->d));
	size_t limit = e->cursor.n + EXPORT_SESSIONS;
	const char *text;
	size_t len;
	int r;

	if (reader.fd < 0)
		return reader.fd == -ENOENT && e->cursor.index.offset == 0 ? 0 : reader.fd;
	reader.offset = e->cursor.index.offset;
	do {
		_cleanup_line_ struct line l = { 0 };
		r = reader_next(&reader, &text, &len);
		if (r == READER_LINE && line_parse(text, len, &l) == LINE_OK && l.hash_ok &&
			take_index_line(e, &l, reader.offset) < 0)
			r = -ENOMEM;
	} while (r > 0 && e->cursor.n < limit);
	reader_done(&reader);
	e->index_end = r == READER_END;
	return r < 0 ? diag_fail(e->d, r, "%s cannot be read: %s", INDEX_FILE, strerror(-r)) : r > 0;
}

static int check_index(struct export *e)
{
	_cleanup_close_ int fd = -1;
	int r = 1;

	if (e->cursor.index.offset == 0)
		return 0;
	fd = log_open_read(e->dirfd, INDEX_FILE, e->d);
	if (fd >= 0)
		r = position_holds(fd, &e->cursor.index);
	if (fd == -ENOENT || r == 0)
		return diag_fail(e->d, -ESTALE,
			"the cursor %s is that of another log, or the index of this one was altered ('stockade audit "
			"verify' says): nothing was exported. Name the cursor of this log, or begin anew with another",
			e->cursor.path);
	return fd < 0 ? fd : r < 0 ? r : 0;
}

/* --- passes --- */

static int pass(struct export *e)
{
	int more = 1, r = output_follow_name(&e->output, &e->cursor, e->d);

	while (r == 0 && more > 0) {
		e->again = false;
		more = take_index(e);
		r = more < 0 ? more : 0;
		for (size_t i = 0; r == 0 && i < e->cursor.n; i++)
			r = take_session(e, &e->cursor.v[i]);
		cursor_collapse(&e->cursor);
		if (r == 0)
			r = commit(e);
		more = more > 0 || e->again;
	}
	return r;
}

static int follow(struct export *e)
{
	struct follow f;
	int r = follow_init(e->dirfd, &f, e->d);

	/* The watch is there before the first look: nothing falls between. */
	while (r == 0) {
		r = pass(e);
		if (r == 0)
			r = follow_wait(&f, e->output.stream);
	}
	follow_done(&f);
	return r == FOLLOW_STOP ? 0 : r;
}

/* What the cursor is bound to. Times are not: "the last two hours" are others each time. */
static char *what_of(const struct export_options *o)
{
	const struct audit_filter *f = &o->filter;
	const char *decision = f->decision == EVENT_NONE ? "" : event_decision_name(f->decision);
	const char *parts[] = { export_formats[o->format], o->octets ? "octets" : "", f->session ? f->session : "",
		f->server ? f->server : "", f->client ? f->client : "", f->tool ? f->tool : "", decision };
	json_t *all = json_array();
	char *text = NULL;

	for (size_t i = 0; all && i < ARRAY_LEN(parts); i++)
		(void)json_array_append_new(all, json_string(parts[i]));
	/* A pattern that is no UTF-8 has no place in a list of text. */
	if (all && json_array_size(all) == ARRAY_LEN(parts))
		text = json_dumps(all, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(all);
	return text;
}

int audit_export(int dirfd, const struct export_options *o, FILE *out, struct diag *d)
{
	struct export e = { .dirfd = dirfd,
		.o = o,
		.cursor = CURSOR_INIT,
		.batch = BUF_INIT(EXPORT_BATCH_MAX),
		.one = BUF_INIT(FORM_RECORD_MAX),
		.words = BUF_INIT(FORM_RECORD_MAX),
		.d = d };
	_cleanup_free_ char *what = what_of(o);
	int r = what ? 0 : diag_fail(d, -EINVAL, "a filter is not UTF-8");

	if (r == 0 && sodium_init() < 0)
		r = diag_fail(d, -EIO, "libsodium cannot be initialised");
	if (r == 0)
		r = cursor_open(&e.cursor, o->cursor, what, d);
	if (r == 0)
		r = check_index(&e);
	if (r == 0)
		r = output_open(&e.output, o->output, out, &e.cursor, d);
	if (r == 0)
		r = o->follow ? follow(&e) : pass(&e);
	output_done(&e.output);
	cursor_done(&e.cursor);
	buf_done(&e.batch);
	buf_done(&e.one);
	buf_done(&e.words);
	return r < 0 ? r : e.findings ? EXPORT_FINDINGS : EXPORT_WHOLE;
}
