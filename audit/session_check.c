/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_check - checks the chain of one session's file
 *
 * Process:  supervisor
 *
 * First pass: every line, on its own. Second pass: the good ones in the order of the file against the order of their
 * sequence numbers, so that what is wrong gets its name: missing, reordered, duplicated, replaced.
 */
#include "audit/session_check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "audit/line.h"
#include "base/glob.h"

struct reading {
	struct session_view *v;
	struct findings *f;
	struct signatures *s;
};

/* Carried along the lines of the first pass. */
struct bad_line {
	bool pending;
	uint64_t number;
	size_t len; /* 0: too long to be accounted for */
	char hash[RECORD_HASH_HEX + 1];
};

static struct place at_entry(const struct session_view *v, const struct entry *e)
{
	return (struct place){ v->file, e->line, e->seq };
}

bool session_of_file(const char *file, char ret[AUDIT_SESSION_ID_LEN + 1])
{
	static const char form[] = "ddddddddTddddddZ-";
	static const char ending[] = ".jsonl";
	size_t at = sizeof form - 1;

	if (strlen(file) != at + AUDIT_SESSION_ID_LEN + sizeof ending - 1 ||
		strcmp(file + at + AUDIT_SESSION_ID_LEN, ending) != 0 ||
		strspn(file + at, "0123456789abcdef") != AUDIT_SESSION_ID_LEN)
		return false;
	for (size_t i = 0; i < at; i++) {
		if (form[i] == 'd' ? file[i] < '0' || file[i] > '9' : file[i] != form[i])
			return false;
	}
	memcpy(ret, file + at, AUDIT_SESSION_ID_LEN);
	ret[AUDIT_SESSION_ID_LEN] = '\0';
	return true;
}

bool session_matches(const char *pattern, const char *session)
{
	return !pattern || glob_match(pattern, session, strlen(session)) ||
	       (*pattern && strncmp(pattern, session, strlen(pattern)) == 0);
}

static struct entry *add_entry(struct session_view *v)
{
	if (GROW(v->entries, v->n, v->room) < 0)
		return NULL;
	v->entries[v->n] = (struct entry){ 0 };
	return &v->entries[v->n++];
}

static void report_bad(const struct session_view *v, struct bad_line *bad, struct findings *f)
{
	uint64_t expected = v->n > 0 ? v->entries[v->n - 1].seq + 1 : 1;

	if (bad->pending)
		finding_add(f, FINDING_ALTERED, (struct place){ v->file, bad->number, 0 },
			"this is no record of this session, or its hash is not that of its bytes (record %" PRIu64
			" was expected)",
			expected);
	bad->pending = false;
}

/* The record log.torn gives the line before it its account. */
static void check_torn(
	const struct session_view *v, const struct line *l, uint64_t number, struct bad_line *bad, struct findings *f)
{
	struct place here = { v->file, number, l->seq };

	if (line_number(l, "torn_bytes") == 0)
		return;
	if (bad->pending && bad->len == line_number(l, "torn_bytes") &&
		strcmp(bad->hash, line_text(l, "torn_hash")) == 0) {
		finding_add(f, FINDING_TORN, (struct place){ v->file, bad->number, 0 },
			"its writer was killed; the record after it accounts for it");
		bad->pending = false;
	} else {
		finding_add(f, FINDING_ALTERED, here, "it tells of a torn line before it, which is not there as told");
	}
}

/* Checkpoints and closes carry signatures, where the session's first record names a key. */
static void check_signature(struct reading *r, const char *text, size_t n, struct entry *e)
{
	struct place at = at_entry(r->v, e);

	if (!e->noted || e->event == INDEX_OPEN)
		return;
	e->signature = signature_look(r->s, text, n, r->f, at);
	if (e->signature == SIGNATURE_GOOD)
		r->v->covered = e->seq;
	else if (e->signature == SIGNATURE_NONE && r->v->keyed)
		finding_add(
			r->f, FINDING_UNSIGNED, at, "it has no signature, and the session's first record names a key");
}

static int take_line(struct reading *r, const char *text, size_t n, uint64_t number, struct bad_line *bad)
{
	_cleanup_line_ struct line l = { 0 };
	struct session_view *v = r->v;
	struct findings *f = r->f;
	struct entry *e;

	if (line_parse(text, n, &l) != LINE_OK || !l.hash_ok || strcmp(l.session, v->session) != 0) {
		report_bad(v, bad, f);
		bad->pending = true;
		bad->number = number;
		bad->len = n;
		record_hash(text, n, bad->hash);
		return 0;
	}
	check_torn(v, &l, number, bad, f);
	report_bad(v, bad, f);
	e = add_entry(v);
	if (!e)
		return -ENOMEM;
	e->line = number;
	e->seq = l.seq;
	memcpy(e->hash, l.hash, sizeof e->hash);
	memcpy(e->prev, l.prev, sizeof e->prev);
	e->noted = log_noted_event(l.event, &e->event);
	if (e->noted && e->event == INDEX_OPEN)
		v->keyed = *line_text(&l, "key") != '\0';
	check_signature(r, text, n, e);
	return 0;
}

static int read_lines(struct reader *r, struct reading *reading)
{
	struct session_view *v = reading->v;
	struct findings *f = reading->f;
	struct bad_line bad = { 0 };
	static const char begin[] = "{\"v\":";
	const char *text;
	size_t n;
	int outcome;

	while ((outcome = reader_next(r, &text, &n)) > 0) {
		int error = take_line(reading, text, outcome == READER_LINE ? n : 0, r->number, &bad);
		if (error < 0)
			return error;
	}
	report_bad(v, &bad, f);
	v->lines = r->number;
	v->rest = reader_rest(r, &text);
	v->rest_foreign = v->rest >= AUDIT_RECORD_MAX ||
			  strncmp(text, begin, v->rest < strlen(begin) ? v->rest : strlen(begin)) != 0;
	return outcome;
}

static int compare_seq(const void *a, const void *b, void *view)
{
	const struct session_view *v = view;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	if (v->entries[x].seq != v->entries[y].seq)
		return v->entries[x].seq < v->entries[y].seq ? -1 : 1;
	return x < y ? -1 : x > y;
}

const struct entry *session_view_find(const struct session_view *v, uint64_t seq)
{
	size_t low = 0, high = v->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (v->entries[v->by_seq[middle]].seq < seq)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == v->n || v->entries[v->by_seq[low]].seq != seq)
		return NULL;
	return &v->entries[v->by_seq[low]];
}

/* Records first..last are not where they should be: those that are nowhere in the file are missing. bad lines that
 * stand in their place were reported as altered. */
static void report_gap(
	const struct session_view *v, const struct entry *e, uint64_t first, uint64_t bad, struct findings *f)
{
	uint64_t gone = 0, from = 0, to = 0;

	/* A number can be anything: what lies beyond the count of lines cannot be there. */
	uint64_t end = e->seq - first > v->lines ? first + v->lines : e->seq;
	for (uint64_t seq = first; seq < end; seq++) {
		if (session_view_find(v, seq))
			continue;
		from = gone == 0 ? seq : from;
		to = seq;
		gone++;
	}
	if (end < e->seq) {
		gone += e->seq - end;
		to = e->seq - 1;
	}
	if (gone <= bad)
		return;
	if (from == to)
		finding_add(f, FINDING_MISSING, at_entry(v, e), "record %" PRIu64 " before it is missing", from);
	else
		finding_add(f, FINDING_MISSING, at_entry(v, e),
			"%" PRIu64 " of the records %" PRIu64 " to %" PRIu64 " before it are missing", gone - bad, from,
			to);
}

/* A record whose number has passed already. */
static void check_late(const struct session_view *v, const struct entry *e, struct findings *f)
{
	const struct entry *first = session_view_find(v, e->seq);

	if (first == e)
		finding_add(f, FINDING_REORDERED, at_entry(v, e), "it stands after records that were written later");
	else if (strcmp(first->hash, e->hash) == 0)
		finding_add(f, FINDING_DUPLICATED, at_entry(v, e), "the same record is line %" PRIu64, first->line);
	else
		finding_add(f, FINDING_REPLACED, at_entry(v, e), "line %" PRIu64 " is another record with this number",
			first->line);
}

static void check_chain(const struct session_view *v, struct findings *f)
{
	uint64_t expected = 1, line = 0;

	for (size_t i = 0; i < v->n; i++) {
		const struct entry *e = &v->entries[i];
		const struct entry *before = e->seq > 1 ? session_view_find(v, e->seq - 1) : NULL;
		uint64_t bad = e->line - line - 1;
		line = e->line;
		if (e->seq < expected) {
			check_late(v, e, f);
			continue;
		}
		if (e->seq > expected)
			report_gap(v, e, expected, bad, f);
		if (strcmp(e->prev, before ? before->hash : RECORD_HASH_NONE) != 0 && (before || e->seq == 1))
			finding_add(f, FINDING_REPLACED, at_entry(v, e),
				"the record before it is not the one that it names by hash");
		expected = e->seq + 1;
	}
}

/* The first record opens the session, the last may close it, and none between does either. */
static void check_ends(const struct session_view *v, struct findings *f)
{
	for (size_t i = 0; i < v->n; i++) {
		const struct entry *e = &v->entries[i];
		bool opens = e->noted && e->event == INDEX_OPEN, closes = e->noted && e->event == INDEX_CLOSE;
		if (opens != (e->seq == 1))
			finding_add(f, FINDING_REPLACED, at_entry(v, e),
				opens ? "the session is opened a second time"
				      : "the first record does not open the session");
		if (closes && i + 1 < v->n)
			finding_add(
				f, FINDING_ALTERED, at_entry(v, e), "records follow the one that closes the session");
	}
}

void session_view_judge(struct session_view *v, struct findings *f)
{
	bool in_order = true;

	for (size_t i = 0; i < v->n; i++) {
		v->by_seq[i] = i;
		in_order = in_order && (i == 0 || v->entries[i - 1].seq <= v->entries[i].seq);
	}
	/* As it is with every log that nobody touched. */
	if (!in_order)
		qsort_r(v->by_seq, v->n, sizeof *v->by_seq, compare_seq, v);
	v->closed = v->n > 0 && v->entries[v->n - 1].noted && v->entries[v->n - 1].event == INDEX_CLOSE;
	check_chain(v, f);
	check_ends(v, f);
}

int session_view_read(
	int fd, const char *file, struct findings *f, struct signatures *s, struct session_view *ret, struct diag *d)
{
	_cleanup_reader_ struct reader r = READER_INIT(fd);
	_cleanup_session_view_ struct session_view v = { .file = file };
	int error;

	(void)session_of_file(file, v.session);
	error = read_lines(&r, &(struct reading){ &v, f, s });
	if (error == 0) {
		v.by_seq = calloc(v.n + 1, sizeof *v.by_seq);
		error = v.by_seq ? 0 : -ENOMEM;
	}
	if (error < 0)
		return diag_fail(d, error, "%s cannot be read: %s", file, strerror(-error));
	session_view_judge(&v, f);
	*ret = v;
	v = (struct session_view){ 0 };
	return 0;
}

void session_view_done(struct session_view *v)
{
	free(v->entries);
	free(v->by_seq);
	*v = (struct session_view){ 0 };
}
