/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index_check - reads the whole index, checks its chain and hands out what it says of each session
 *
 * Process:  supervisor
 */
#include "audit/index_check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "audit/line.h"

static struct place at_line(const struct index_line *l)
{
	return (struct place){ .file = INDEX_FILE, .line = l->number, .seq = l->seq };
}

static struct index_line *add_line(struct index_view *v)
{
	if (GROW(v->lines, v->n, v->room) < 0)
		return NULL;
	v->lines[v->n] = (struct index_line){ 0 };
	return &v->lines[v->n++];
}

static bool take_event(struct index_line *ret, const char *event)
{
	for (unsigned e = 0; e < INDEX_EVENT_COUNT; e++) {
		ret->event = e;
		if (strcmp(event, index_event_name(e)) == 0)
			return true;
	}
	return false;
}

static bool take_text(const struct line *l, const char *key, char *ret, size_t size)
{
	const char *s = line_text(l, key);

	return *s && snprintf(ret, size, "%s", s) < (int)size;
}

static int take_merges(const json_t *merges, struct index_line *ret)
{
	size_t n = json_array_size(merges);

	if (n == 0)
		return 0;
	ret->merges = calloc(n, sizeof *ret->merges);
	if (!ret->merges)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const char *hash = json_string_value(json_array_get(merges, i));
		(void)snprintf(ret->merges[i], sizeof ret->merges[i], "%s", hash ? hash : "");
	}
	ret->n_merges = n;
	return 0;
}

/* Fills a good line; a record with a right hash but not of the index stays bad. */
static int take_record(const struct line *l, struct index_line *ret)
{
	memcpy(ret->hash, l->hash, sizeof ret->hash);
	if (!l->hash_ok || !take_event(ret, l->event) || !take_text(l, "session", ret->session, sizeof ret->session) ||
		!take_text(l, "file", ret->file, sizeof ret->file) ||
		!take_text(l, "head", ret->head, sizeof ret->head))
		return 0;
	ret->seq = l->seq;
	memcpy(ret->prev, l->prev, sizeof ret->prev);
	ret->records = line_number(l, "records");
	ret->size = line_number(l, "size");
	ret->unlocked = json_is_true(json_object_get(l->root, "unlocked"));
	ret->good = true;
	return take_merges(json_object_get(l->root, "merges"), ret);
}

/* A line that is no record may be what a killed writer left: then the next record tells its length and hash. */
static void account_for_torn(
	struct index_view *v, const struct line *l, size_t bad_len, const char *bad_hash, struct findings *f)
{
	struct index_line *bad = v->n >= 2 ? &v->lines[v->n - 2] : NULL;
	const struct index_line *now = &v->lines[v->n - 1];

	if (!now->good || line_number(l, "torn_bytes") == 0)
		return;
	if (bad && !bad->good && line_number(l, "torn_bytes") == bad_len &&
		strcmp(line_text(l, "torn_hash"), bad_hash) == 0)
		bad->torn = true;
	else
		finding_add(f, FINDING_ALTERED, at_line(now),
			"it tells of a torn line before it, which is not there as told");
}

/* From the first signed record on every checkpoint and close is signed: who has no key cannot begin without one. */
static void check_signature(struct index_view *v, struct index_line *l, const char *text, size_t n, struct findings *f,
	struct signatures *s)
{
	if (!l->good || l->event == INDEX_OPEN)
		return;
	l->signature = signature_look(s, text, n, f, at_line(l));
	if (l->signature == SIGNATURE_NONE && v->n_signed > 0)
		finding_add(f, FINDING_UNSIGNED, at_line(l), "it has no signature, and records before it have");
	v->n_signed += l->signature != SIGNATURE_NONE;
}

static int read_lines(struct reader *r, struct findings *f, struct signatures *s, struct index_view *v)
{
	char bad_hash[RECORD_HASH_HEX + 1] = "";
	size_t bad_len = 0, n;
	const char *text;
	int outcome;

	while ((outcome = reader_next(r, &text, &n)) > 0) {
		_cleanup_line_ struct line l = { 0 };
		struct index_line *ret = add_line(v);
		if (!ret)
			return -ENOMEM;
		ret->number = r->number;
		if (outcome == READER_LINE && line_parse(text, n, &l) == LINE_OK) {
			int error = take_record(&l, ret);
			if (error < 0)
				return error;
			account_for_torn(v, &l, bad_len, bad_hash, f);
			check_signature(v, ret, text, n, f, s);
		}
		bad_len = outcome == READER_LINE ? n : 0;
		record_hash(text, bad_len, bad_hash);
	}
	if (outcome == 0 && reader_rest(r, &text) > 0)
		finding_add(f, FINDING_TORN, (struct place){ INDEX_FILE, r->number + 1, 0 },
			"the last line has no end: its writer was killed; the next writer closes it");
	return outcome;
}

static int compare_hash(const void *a, const void *b, void *view)
{
	const struct index_view *v = view;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	int c = strcmp(v->lines[x].hash, v->lines[y].hash);

	return c ? c : x < y ? -1 : x > y;
}

static int compare_session(const void *a, const void *b, void *view)
{
	const struct index_view *v = view;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	int c = strcmp(v->lines[x].session, v->lines[y].session);

	return c ? c : x < y ? -1 : x > y;
}

static int sort_lines(struct index_view *v)
{
	v->by_hash = calloc(v->n + 1, sizeof *v->by_hash);
	v->by_session = calloc(v->n + 1, sizeof *v->by_session);
	if (!v->by_hash || !v->by_session)
		return -ENOMEM;
	for (size_t i = 0; i < v->n; i++) {
		v->by_hash[i] = i;
		if (v->lines[i].good)
			v->by_session[v->n_by_session++] = i;
	}
	qsort_r(v->by_hash, v->n, sizeof *v->by_hash, compare_hash, v);
	qsort_r(v->by_session, v->n_by_session, sizeof *v->by_session, compare_session, v);
	return 0;
}

/* The first line with that hash: true and its position. */
static bool find_hash(const struct index_view *v, const char *hash, size_t *ret)
{
	size_t low = 0, high = v->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(v->lines[v->by_hash[middle]].hash, hash) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == v->n || strcmp(v->lines[v->by_hash[low]].hash, hash) != 0)
		return false;
	*ret = v->by_hash[low];
	return true;
}

static bool fork_explained(const struct index_view *v, size_t from, size_t to)
{
	for (size_t i = from + 1; i <= to; i++) {
		if (v->lines[i].unlocked)
			return true;
	}
	return false;
}

/* One record that line i names. Returns its seq, 0 when there is nothing to go by. */
static uint64_t check_named(const struct index_view *v, size_t i, const char *hash, bool is_prev, struct findings *f)
{
	const struct index_line *l = &v->lines[i];
	bool after_bad = i > 0 && !v->lines[i - 1].good && !v->lines[i - 1].torn;
	size_t at, before = i;

	/* A writer passes over what is no good record. */
	while (before > 0 && !v->lines[before - 1].good)
		before--;
	if (is_prev && strcmp(hash, RECORD_HASH_NONE) == 0) {
		if (before > 0 && !after_bad)
			finding_add(f, FINDING_REPLACED, at_line(l),
				"it says it is the first record of the index, and it is not");
		return 0;
	}
	if (!find_hash(v, hash, &at)) {
		if (!after_bad)
			finding_add(f, FINDING_MISSING, at_line(l),
				"the record before it, which it names by hash, is missing");
		return 0;
	}
	if (at >= i) {
		finding_add(f, FINDING_REORDERED, at_line(l), "it follows the record that is now line %" PRIu64,
			v->lines[at].number);
		return 0;
	}
	if (is_prev && at + 1 < before && !fork_explained(v, at, i))
		finding_add(f, FINDING_REORDERED, at_line(l),
			"it follows line %" PRIu64 ", and no record without the lock explains why",
			v->lines[at].number);
	return v->lines[at].seq;
}

static void check_line(const struct index_view *v, size_t i, struct findings *f)
{
	const struct index_line *l = &v->lines[i];
	size_t first = i;
	uint64_t seq = 0, other;

	if (l->torn) {
		finding_add(f, FINDING_TORN, at_line(l), "its writer was killed; the record after it accounts for it");
		return;
	}
	if (!l->good) {
		finding_add(f, FINDING_ALTERED, at_line(l),
			"this is no record of the index, or its hash is not that of its bytes");
		return;
	}
	if (find_hash(v, l->hash, &first) && first < i) {
		finding_add(
			f, FINDING_DUPLICATED, at_line(l), "the same record is line %" PRIu64, v->lines[first].number);
		return;
	}
	seq = check_named(v, i, l->prev, true, f);
	for (size_t n = 0; n < l->n_merges; n++) {
		other = check_named(v, i, l->merges[n], false, f);
		seq = other > seq ? other : seq;
	}
	if (seq > 0 && l->seq != seq + 1)
		finding_add(f, FINDING_REPLACED, at_line(l), "its sequence number should be %" PRIu64, seq + 1);
}

static void cover(struct index_view *v, size_t before, const char *hash)
{
	size_t at;

	if (find_hash(v, hash, &at) && at < before)
		v->lines[at].covered = true;
}

/* What a good signature covers: its record, those that it names, those that these name. */
static void find_covered(struct index_view *v)
{
	for (size_t i = v->n; i-- > 0;) {
		struct index_line *l = &v->lines[i];
		l->covered = l->good && (l->covered || l->signature == SIGNATURE_GOOD);
		if (!l->covered)
			continue;
		v->n_covered++;
		cover(v, i, l->prev);
		for (size_t n = 0; n < l->n_merges; n++)
			cover(v, i, l->merges[n]);
	}
}

int index_view_read(int dirfd, struct findings *f, struct signatures *s, struct index_view *ret, struct diag *d)
{
	_cleanup_reader_ struct reader r = READER_INIT(log_open_read(dirfd, INDEX_FILE, d));
	_cleanup_index_view_ struct index_view v = { .exists = r.fd >= 0 };
	int error = r.fd == -ENOENT ? 0 : r.fd < 0 ? r.fd : read_lines(&r, f, s, &v);

	if (error == 0)
		error = sort_lines(&v);
	if (error < 0)
		return r.fd < 0 ? error : diag_fail(d, error, INDEX_FILE " cannot be read: %s", strerror(-error));
	for (size_t i = 0; i < v.n; i++)
		check_line(&v, i, f);
	find_covered(&v);
	*ret = v;
	v = (struct index_view){ 0 };
	return 0;
}

size_t index_view_session(const struct index_view *v, const char *session, size_t *ret_first)
{
	size_t low = 0, high = v->n_by_session, n = 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(v->lines[v->by_session[middle]].session, session) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	while (low + n < v->n_by_session && strcmp(v->lines[v->by_session[low + n]].session, session) == 0)
		n++;
	*ret_first = low;
	return n;
}

void index_view_done(struct index_view *v)
{
	for (size_t i = 0; i < v->n; i++)
		free(v->lines[i].merges);
	free(v->lines);
	free(v->by_hash);
	free(v->by_session);
	*v = (struct index_view){ 0 };
}
