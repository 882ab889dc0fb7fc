/* SPDX-License-Identifier: Apache-2.0 */
/*
 * repair - gives an end to the log of a session whose supervisor ended without one
 *
 * Process:  supervisor
 */
#include "audit/repair.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/log.h"
#include "audit/tail.h"
#include "base/text.h"

enum {
	REPAIR_WINDOW = 2 * AUDIT_RECORD_MAX, /* holds a whole record and a torn one */
	REPAIR_NEIGHBOURS_MAX = 4,
};

static int open_log(int dirfd, const char *file, struct diag *d)
{
	_cleanup_close_ int fd = openat(dirfd, file, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char shown[LOG_FILE_NAME_MAX * 4];
	struct stat st;

	if (fd < 0)
		return diag_fail(d, -errno, "%s cannot be opened for writing: %s",
			text_escape_str(file, shown, sizeof shown), strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return diag_fail(d, -EINVAL, "%s is not a regular file", text_escape_str(file, shown, sizeof shown));
	return steal_fd(&fd);
}

static const char *member(const json_t *record, const char *key)
{
	return json_string_value(json_object_get(record, key));
}

/* The log as its own supervisor had it after its last whole record. */
static int resume(struct audit *a, const struct tail *t, const json_t *record)
{
	const struct tail_line *last = &t->lines[t->n_lines - 1];
	struct audit_identity id = {
		.uid = member(record, "uid"),
		.pid = member(record, "pid"),
		.user = member(record, "user"),
		.groups = member(record, "groups"),
		.client = member(record, "client"),
		.server = member(record, "server"),
		.version = member(record, "version"),
		.plan_digest = member(record, "plan"),
		.approval = member(record, "approval"),
		.channel = member(record, "channel"),
		.classification = member(record, "classification"),
		.delete_after = member(record, "delete_after"),
	};
	const char *session = member(record, "session");

	if (!session || strlen(session) != AUDIT_SESSION_ID_LEN)
		return REPAIR_NOT_WHOLE;
	memcpy(a->session, session, sizeof a->session);
	memcpy(a->head, last->hash, RECORD_HASH_HEX);
	a->seq = last->seq;
	a->size = t->size;
	a->budget = UINT64_MAX;
	/* The record is small and the session is over: no space is reserved for more. */
	a->no_fallocate = true;
	a->lead_newline = t->torn_bytes > 0;
	a->bytes = malloc(AUDIT_RECORD_MAX + 1);
	return a->bytes ? log_set_identity(a, &id, member(record, "host") ? member(record, "host") : "") : -ENOMEM;
}

static int write_end(struct audit *a, const struct tail *t, struct diag *d)
{
	struct event torn = { .type = EVENT_LOG_TORN };
	struct event end = { .type = EVENT_SESSION_CLOSE,
		.status = "unclosed",
		.reason = "the supervisor ended without closing its log" };
	char hash[RECORD_HASH_HEX + 1];
	int r = 0;

	if (t->torn_bytes > 0) {
		record_hash(t->torn, t->torn_bytes, hash);
		r = log_write(a, EVENT_FROM_SUPERVISOR, &torn,
			&(struct log_extra){ .torn_bytes = t->torn_bytes, .torn_hash = hash }, d);
	}
	return r < 0 ? r : log_note(a, &end, &(struct log_extra){ .records = a->seq + 1 }, d);
}

static bool ends_with_last(const struct tail *t)
{
	const struct tail_line *last = &t->lines[t->n_lines - 1];

	return last->text + last->len + 1 == t->torn;
}

/* The index record that the killed supervisor did not come to write, for the last record of the file. */
static int write_index(const struct audit *a, const struct tail *t, enum index_event event, struct diag *d)
{
	_cleanup_index_ struct index i = INDEX_INIT;
	struct index_entry e = { .event = event,
		.session = a->session,
		.file = a->file,
		.records = a->seq,
		.size = t->size - t->torn_bytes,
		.head = a->head };
	int r = index_begin(a->dirfd, &i, d);

	if (r == 0)
		r = index_commit(&i, &e, &a->key, d);
	return r < 0 ? r : index_sync(&i, d);
}

static int repair_record(struct audit *a, const struct tail *t, const json_t *record, uint64_t lacks, struct diag *d)
{
	const char *event_text = member(record, "event");
	enum index_event event;
	bool noted = event_text && log_noted_event(event_text, &event);
	bool lacking = noted && lacks == t->lines[t->n_lines - 1].seq;
	int r = event_text ? resume(a, t, record) : REPAIR_NOT_WHOLE;

	if (r == 0 && noted && event == INDEX_CLOSE && !lacking)
		return REPAIR_NOT_NEEDED;
	if (r == 0 && lacking)
		r = write_index(a, t, event, d);
	if (r != 0)
		return r;
	if (noted && event == INDEX_CLOSE)
		return log_seal(a, d);
	return write_end(a, t, d);
}

static int repair_locked(struct audit *a, uint64_t lacks, struct diag *d)
{
	_cleanup_tail_ struct tail t = { 0 };
	int r = tail_read(a->fd, REPAIR_WINDOW, &t);

	if (r < 0)
		return diag_fail(d, r, "%s cannot be read: %s", a->file, strerror(-r));
	if (t.n_lines == 0 || !ends_with_last(&t))
		return REPAIR_NOT_WHOLE;
	const struct tail_line *last = &t.lines[t.n_lines - 1];
	json_t *record = json_loadb(last->text, last->len, JSON_REJECT_DUPLICATES, NULL);
	r = repair_record(a, &t, record, lacks, d);
	json_decref(record);
	return r;
}

int repair_session(int dirfd, const char *file, uint64_t lacks, const struct log_key *key, struct diag *d)
{
	_cleanup_audit_ struct audit *a = calloc(1, sizeof *a);

	if (!a)
		return -ENOMEM;
	a->dirfd = -1;
	a->fd = -1;
	a->remote.sock = -1;
	if (key)
		a->key = *key;
	if (snprintf(a->file, sizeof a->file, "%s", file) >= (int)sizeof a->file)
		return REPAIR_NOT_WHOLE;
	if (log_sealed(dirfd, file))
		return REPAIR_NOT_NEEDED;
	a->fd = open_log(dirfd, file, d);
	if (a->fd < 0)
		return a->fd;
	a->dirfd = fcntl(dirfd, F_DUPFD_CLOEXEC, 3);
	if (a->dirfd < 0)
		return -errno;
	if (!log_lock(a->fd))
		return REPAIR_RUNNING;
	/* Another repair may have come first. */
	return log_sealed(dirfd, file) ? REPAIR_NOT_NEEDED : repair_locked(a, lacks, d);
}

static bool is_event(const struct tail_line *l, enum index_event e)
{
	char event[32];

	return tail_value(l, "event", event, sizeof event) && strcmp(event, index_event_name(e)) == 0;
}

/* Does the index close this session? Else *ret_records is the last record of it that the index knows. */
static bool has_close(const struct tail *t, size_t from, const char *session, uint64_t *ret_records)
{
	char other[AUDIT_SESSION_ID_LEN + 1];

	*ret_records = 0;
	for (size_t i = from; i < t->n_lines; i++) {
		if (!tail_value(&t->lines[i], "session", other, sizeof other) || strcmp(other, session) != 0)
			continue;
		if (is_event(&t->lines[i], INDEX_CLOSE))
			return true;
		*ret_records = tail_number(&t->lines[i], "records");
	}
	return false;
}

/* The seq of the file's last record when that is beyond what the index knows, else 0. */
static uint64_t last_unknown(int dirfd, const char *file, uint64_t known)
{
	_cleanup_close_ int fd = openat(dirfd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	_cleanup_tail_ struct tail t = { 0 };

	if (fd < 0 || log_locked(fd) || tail_read(fd, REPAIR_WINDOW, &t) < 0 || t.n_lines == 0)
		return 0;
	uint64_t seq = t.lines[t.n_lines - 1].seq;
	return seq > known ? seq : 0;
}

void repair_neighbours(int dirfd, const struct log_key *key)
{
	_cleanup_close_ int fd = openat(dirfd, INDEX_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	_cleanup_tail_ struct tail t = { 0 };
	char session[AUDIT_SESSION_ID_LEN + 1], file[LOG_FILE_NAME_MAX];
	unsigned repaired = 0;
	uint64_t known;

	if (fd < 0 || tail_read(fd, INDEX_WINDOW_MAX, &t) < 0)
		return;
	for (size_t i = 0; i < t.n_lines && repaired < REPAIR_NEIGHBOURS_MAX; i++) {
		const struct tail_line *l = &t.lines[i];
		if (!is_event(l, INDEX_OPEN) || !tail_value(l, "session", session, sizeof session) ||
			!tail_value(l, "file", file, sizeof file) || strchr(file, '/') ||
			has_close(&t, i, session, &known))
			continue;
		if (repair_session(dirfd, file, last_unknown(dirfd, file, known), key, NULL) == REPAIR_DONE)
			repaired++;
	}
}
