/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log - builds and writes the records of one session
 *
 * Process:  supervisor
 */
#include "audit/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"

void log_file_name(uint64_t us, const char *session, char ret[LOG_FILE_NAME_MAX])
{
	time_t second = (time_t)(us / 1000000);
	struct tm tm = { 0 };
	char stamp[20] = "";

	(void)gmtime_r(&second, &tm);
	(void)strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm);
	(void)snprintf(ret, LOG_FILE_NAME_MAX, "%s-%.*s.jsonl", stamp, AUDIT_SESSION_ID_LEN, session);
}

bool log_lock(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

bool log_locked(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_GETLK, &lock) < 0 || lock.l_type != F_UNLCK;
}

bool log_sealed(int dirfd, const char *file)
{
	struct stat st;

	return fstatat(dirfd, file, &st, AT_SYMLINK_NOFOLLOW) == 0 && !(st.st_mode & S_IWUSR);
}

int log_find_place(struct audit *a, struct diag *d)
{
	char link[64], path[PATH_MAX];
	ssize_t n;

	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", a->dirfd);
	n = readlink(link, path, sizeof path - 1);
	if (n <= 0)
		return diag_fail(
			d, n < 0 ? -errno : -ENOENT, "cannot find out where the audit log is: is /proc mounted?");
	path[n] = '\0';
	a->place = strdup(path);
	a->placed_us = io_now_us();
	return a->place ? 0 : -ENOMEM;
}

static bool same_file(const struct stat *x, const struct stat *y)
{
	return x->st_dev == y->st_dev && x->st_ino == y->st_ino;
}

/* Why readers no longer find what is written, or NULL. */
static const char *misplaced(const struct audit *a)
{
	struct stat ours, named;

	if (fstat(a->fd, &ours) < 0 || ours.st_nlink == 0)
		return "it was removed";
	if (fstatat(a->dirfd, a->file, &named, AT_SYMLINK_NOFOLLOW) < 0)
		return "it was moved away";
	if (!same_file(&ours, &named))
		return "another file has taken its name";
	if (fstat(a->dirfd, &ours) < 0 || stat(a->place, &named) < 0 || !same_file(&ours, &named))
		return "its directory was moved or removed";
	return NULL;
}

static int check_place(struct audit *a, struct diag *d)
{
	const char *why = a->place ? misplaced(a) : NULL;

	a->placed_us = io_now_us();
	if (!why)
		return 0;
	a->state = LOG_BROKEN;
	a->error = -ESTALE;
	return diag_fail(d, -ESTALE,
		"the audit log of this session is gone from where it belongs (%s): %s; nothing goes on unrecorded, so "
		"the "
		"session ends. Find out what did it: 'stockade audit verify' says what is missing",
		a->file, why);
}

int log_seal(struct audit *a, struct diag *d)
{
	if (fchmod(a->fd, S_IRUSR) < 0)
		return diag_fail(d, -errno, "the audit log cannot be sealed: %s", strerror(errno));
	return 0;
}

static const struct {
	enum event_type type;
	enum index_event event;
} noted[] = {
	{ EVENT_SESSION_OPEN, INDEX_OPEN },
	{ EVENT_CHECKPOINT, INDEX_CHECKPOINT },
	{ EVENT_SESSION_CLOSE, INDEX_CLOSE },
};
_Static_assert(ARRAY_LEN(noted) == INDEX_NOTED_COUNT, "a row for every index event");

bool log_noted_event(const char *name, enum index_event *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(noted); i++) {
		if (strcmp(name, event_name(noted[i].type)) != 0)
			continue;
		*ret = noted[i].event;
		return true;
	}
	return false;
}

int log_set_identity(struct audit *a, const struct audit_identity *id, const char *host)
{
	struct utsname machine = { 0 };
	char bytes[LOG_IDENTITY_MAX];
	struct record r = { .data = bytes, .max = sizeof bytes };

	if (!host && uname(&machine) == 0)
		host = machine.nodename;
	const struct {
		const char *key, *value;
	} fields[] = {
		{ "host", host },
		{ "uid", id->uid },
		{ "pid", id->pid },
		{ "user", id->user },
		{ "groups", id->groups },
		{ "client", id->client },
		{ "server", id->server },
		{ "version", id->version },
		{ "plan", id->plan_digest },
		{ "approval", id->approval },
		{ "channel", id->channel },
		{ "classification", id->classification },
		{ "delete_after", id->delete_after },
	};
	_Static_assert(ARRAY_LEN(fields) * (LOG_FIELD_MAX + 32) <= LOG_IDENTITY_MAX, "the identity always fits");
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (fields[i].value)
			(void)record_bytes(&r, fields[i].key, fields[i].value, strlen(fields[i].value), LOG_FIELD_MAX);
	}
	free(a->identity);
	free(a->claimed);
	a->claimed = id->claimed ? strdup(id->claimed) : NULL;
	a->identity = malloc(r.len + 1);
	if (!a->identity || (id->claimed && !a->claimed))
		return -ENOMEM;
	memcpy(a->identity, bytes, r.len);
	a->identity_len = r.len;
	return 0;
}

static const char *side_name(enum event_side s)
{
	return s == EVENT_FROM_CLIENT ? "client" : s == EVENT_FROM_SERVER ? "server" : NULL;
}

static void put_event(struct record *r, const struct event *e)
{
	record_number(r, "call_id", e->call_id);
	record_str(r, "side", side_name(e->side));
	record_str(r, "method", e->method);
	record_str(r, "tool", e->tool);
	record_str(r, "scope", e->scope);
	record_str(r, "subject", e->subject);
	record_str(r, "name", e->host);
	record_number(r, "port", e->port);
	record_str(r, "address", e->address);
	record_str(r, "decision", event_decision_name(e->decision));
	record_str(r, "rule", e->rule);
	record_str(r, "reason", e->reason);
	record_str(r, "status", e->status);
	record_number(r, "bytes", e->bytes);
	record_number(r, "bytes_in", e->bytes_in);
	record_number(r, "bytes_out", e->bytes_out);
	record_number(r, "latency_us", e->latency_us);
	record_number(r, "count", e->count);
	record_str(r, "peer_name", e->peer_name);
	record_str(r, "peer_version", e->peer_version);
	record_str(r, "protocol", e->protocol);
	record_str(r, "arg_keys", e->arg_keys);
	record_str(r, "arg_hash", e->arg_hash);
}

static void put_totals(struct record *r, const struct audit *a, const struct log_extra *x)
{
	record_number(r, "records", x->records);
	if (x->totals) {
		record_number(r, "calls", a->calls);
		record_number(r, "denied", a->denied);
		record_number(r, "dropped", a->dropped);
	}
}

static int put_detail(struct record *r, const json_t *detail)
{
	if (!detail || json_object_size(detail) == 0)
		return 0;
	/* Pure ASCII: what a path or a name brings along stays harmless. */
	_cleanup_free_ char *text = json_dumps(detail, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
	if (!text || strlen(text) > LOG_DETAIL_MAX)
		return text ? -EMSGSIZE : -EINVAL;
	record_text(r, ",\"detail\":");
	record_text(r, text);
	return 0;
}

/* Arguments take what room is left, after everything else; the shim's bytes are a string here, never JSON of ours. */
static void put_args(struct record *r, const struct event *e)
{
	size_t room = r->max - r->len;
	size_t others = RECORD_LINK_LEN + 64;

	if (e->args && record_bytes(r, "args", e->args, e->args_len, room > others ? room - others : 0))
		record_text(r, ",\"args_cut\":true");
}

static int build(struct audit *a, struct record *r, enum event_source source, const struct event *e,
	const struct log_extra *x, char hash[RECORD_HASH_HEX + 1])
{
	record_begin(r, &a->clock, a->seq + 1, io_wall_us());
	record_str(r, "session", a->session);
	record_str(r, "event", event_name(e->type));
	record_str(r, "source", event_source_name(source));
	record_raw(r, a->identity, a->identity_len);
	put_event(r, e);
	if (x) {
		record_number(r, "coalesced", x->coalesced);
		record_number(r, "torn_bytes", x->torn_bytes);
		record_str(r, "torn_hash", x->torn_hash);
		if (x->records > 0)
			put_totals(r, a, x);
		int error = put_detail(r, x->detail);
		if (error < 0)
			return error;
	}
	put_args(r, e);
	if (e->type == EVENT_SESSION_OPEN) {
		record_str(r, "claimed", a->claimed);
		record_str(r, "key", a->key.id);
	}
	return x && x->records > 0 ? record_seal_signed(r, a->head, &a->key, hash) : record_seal(r, a->head, hash);
}

/* More preallocated space, until `end` bytes are there. 0, -ENOSPC, -errno. */
static int allocate(struct audit *a, uint64_t end)
{
	uint64_t want[2] = { end + LOG_CHUNK, end };

	if (a->no_fallocate || end <= a->allocated)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		if (fallocate(a->fd, FALLOC_FL_KEEP_SIZE, (off_t)a->allocated, (off_t)(want[i] - a->allocated)) == 0) {
			a->allocated = want[i];
			return 0;
		}
		if (errno == EOPNOTSUPP || errno == ENOSYS) {
			a->no_fallocate = true;
			return 0;
		}
		if (errno != ENOSPC && errno != EDQUOT)
			return -errno;
	}
	return -ENOSPC;
}

/* One write(2). What of an unacknowledged record did get out is taken back: the file ends with a whole line. */
static int put(struct audit *a, const struct record *r, const char *hash, struct diag *d)
{
	size_t lead = a->lead_newline ? 1 : 0;
	size_t n = r->len + lead;
	ssize_t w;

	a->bytes[0] = '\n';
	do
		w = write(a->fd, r->data - lead, n);
	while (w < 0 && errno == EINTR);
	if (w != (ssize_t)n) {
		int error = w < 0 ? -errno : -ENOSPC;
		if (w > 0 && ftruncate(a->fd, (off_t)a->size) < 0)
			a->state = LOG_BROKEN;
		a->allocated = a->size;
		if (error == -EDQUOT)
			error = -ENOSPC;
		return diag_fail(d, error,
			"the audit log cannot be written: %s; nothing goes on unrecorded, so the session ends",
			error == -ENOSPC ? "the disk under it is full" : strerror(-error));
	}
	memcpy(a->head, hash, RECORD_HASH_HEX + 1);
	a->seq++;
	a->size += n;
	a->lead_newline = false;
	return 0;
}

/* The log can take no more: says so in the log, in the reserve, and remembers why. */
static int end_log(struct audit *a, enum event_type type, int error, struct diag *d)
{
	struct event e = { .type = type, .bytes = a->size };
	struct record r = { .data = a->bytes + 1, .max = AUDIT_RECORD_MAX };
	char hash[RECORD_HASH_HEX + 1];

	if (a->state == LOG_OPEN) {
		a->state = LOG_ENDING;
		a->error = error;
		if (build(a, &r, EVENT_FROM_SUPERVISOR, &e, NULL, hash) == 0)
			(void)!put(a, &r, hash, NULL);
	}
	if (error == -EDQUOT)
		return diag_fail(d, error,
			"this session has used up its audit budget of %llu bytes, so it ends; other sessions go on",
			(unsigned long long)a->budget);
	return diag_fail(d, error,
		"the disk under the audit log is full; nothing goes on unrecorded, so the session ends: free some "
		"space");
}

/* Room for n more bytes while everything is well; in the reserve when the log is ending. */
static int make_room(struct audit *a, size_t n, const struct event *e, enum event_source source, struct diag *d)
{
	size_t keep = e->type == EVENT_SESSION_CLOSE	? 0
		      : source == EVENT_FROM_SUPERVISOR ? LOG_CLOSE_RESERVE
							: LOG_CLOSE_RESERVE + LOG_OWN_RESERVE;

	if (a->state == LOG_ENDING) {
		uint64_t limit = a->error == -EDQUOT ? a->budget + LOG_RESERVE
				 : a->no_fallocate   ? UINT64_MAX
						     : a->allocated;
		if (a->size + n + keep <= limit)
			return 0;
		return end_log(a, EVENT_LOG_FULL, a->error, d);
	}
	if (a->size + n > a->budget)
		return end_log(a, EVENT_LOG_BUDGET, -EDQUOT, d);
	int r = allocate(a, a->size + n + LOG_RESERVE);
	if (r == -ENOSPC)
		return end_log(a, EVENT_LOG_FULL, r, d);
	if (r < 0)
		return diag_fail(d, r, "cannot reserve space for the audit log: %s; the session ends", strerror(-r));
	return 0;
}

int log_write(
	struct audit *a, enum event_source source, const struct event *e, const struct log_extra *x, struct diag *d)
{
	struct record r = { .data = a->bytes + 1, .max = AUDIT_RECORD_MAX };
	char hash[RECORD_HASH_HEX + 1];
	bool open;
	int error;

	if (a->state == LOG_BROKEN || a->state == LOG_CLOSED)
		return diag_fail(d, a->error ? a->error : -EBADF, "the audit log of this session is %s",
			a->state == LOG_CLOSED ? "closed" : "broken");
	if (io_now_us() - a->placed_us >= LOG_PLACE_US) {
		error = check_place(a, d);
		if (error < 0)
			return error;
	}
	error = build(a, &r, source, e, x, hash);
	if (error < 0)
		return diag_fail(d, error, "a record of event %s does not fit into %d bytes; the session ends",
			event_name(e->type), AUDIT_RECORD_MAX);
	open = a->state == LOG_OPEN;
	error = make_room(a, r.len, e, source, d);
	/* The one that found no room was handed over too: it follows the record of why. */
	if (error < 0 && open && a->state == LOG_ENDING)
		(void)!log_write(a, source, e, x, NULL);
	if (error < 0)
		return error;
	error = put(a, &r, hash, d);
	if (error == -ENOSPC)
		(void)!end_log(a, EVENT_LOG_FULL, error, NULL);
	return error;
}

int log_flush(struct audit *a, struct diag *d)
{
	struct tally_row *row;

	while ((row = tally_next(&a->tally))) {
		struct event e = row->kind;
		e.count = row->count;
		e.bytes = row->bytes;
		e.call_id = 0;
		e.latency_us = 0;
		int r = log_write(a, row->source, &e, &(struct log_extra){ .coalesced = row->events }, d);
		if (r < 0)
			return r;
		tally_clear(row, io_now_us());
	}
	return 0;
}

int log_note(struct audit *a, const struct event *e, const struct log_extra *x, struct diag *d)
{
	_cleanup_index_ struct index i = INDEX_INIT;
	struct index_entry entry = { .session = a->session, .file = a->file, .head = a->head, .status = e->status };
	int r = check_place(a, d);

	if (!log_noted_event(event_name(e->type), &entry.event))
		return -EINVAL;
	if (r == 0)
		r = index_begin(a->dirfd, &i, d);
	if (r == 0 && e->type == EVENT_SESSION_OPEN)
		r = index_reserve(&i, d);
	if (r == 0)
		r = log_write(a, EVENT_FROM_SUPERVISOR, e, x, d);
	if (r < 0)
		return r;
	entry.records = a->seq;
	entry.size = a->size;
	r = index_commit(&i, &entry, &a->key, d);
	if (r < 0 || e->type == EVENT_SESSION_OPEN)
		return r;
	a->noted = a->seq;
	if (e->type == EVENT_SESSION_CLOSE)
		r = log_seal(a, d);
	if (r < 0)
		return r;
	if (fdatasync(a->fd) < 0)
		return diag_fail(d, -errno, "the audit log cannot be written: fdatasync failed: %s", strerror(errno));
	return index_sync(&i, d);
}
