/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit - opens, appends to and closes the log of one session
 *
 * Process:  supervisor
 */
#include "audit/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sodium.h>
#include <unistd.h>

#include "audit/log.h"
#include "audit/repair.h"
#include "base/io.h"
#include "base/text.h"

enum { CREATE_TRIES = 100 };

/* Records that this library writes itself: from a caller they would break the chain's own account. */
static const bool own_events[EVENT_TYPE_COUNT] = {
	[EVENT_SESSION_OPEN] = true,
	[EVENT_SESSION_CLOSE] = true,
	[EVENT_CHECKPOINT] = true,
	[EVENT_LOG_BUDGET] = true,
	[EVENT_LOG_FULL] = true,
	[EVENT_LOG_TORN] = true,
};

void audit_new_session_id(char ret[AUDIT_SESSION_ID_LEN + 1])
{
	unsigned char raw[AUDIT_SESSION_ID_LEN / 2];

	randombytes_buf(raw, sizeof raw);
	(void)sodium_bin2hex(ret, AUDIT_SESSION_ID_LEN + 1, raw, sizeof raw);
}

static bool is_session_id(const char *s)
{
	return s && strlen(s) == AUDIT_SESSION_ID_LEN && strspn(s, "0123456789abcdef") == AUDIT_SESSION_ID_LEN;
}

static int create_file(struct audit *a, struct diag *d)
{
	log_file_name(io_wall_us(), a->session, a->file);
	a->fd = openat(a->dirfd, a->file, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (a->fd < 0) {
		int error = errno == EDQUOT ? ENOSPC : errno;
		return diag_fail(d, -error,
			"the audit log cannot be written: creating %s failed: %s; nothing runs unrecorded", a->file,
			strerror(error));
	}
	/* Before the first record: a file with a record and no lock is dead to every reader. A reader may hold the lock
	 * for a moment; a filesystem without locks leaves readers in doubt, and then they repair nothing. */
	for (unsigned tries = 0; !log_lock(a->fd) && (errno == EAGAIN || errno == EACCES); tries++) {
		if (tries == CREATE_TRIES)
			return diag_fail(
				d, -EBUSY, "the audit log's new file %s is locked by another process", a->file);
		(void)poll(NULL, 0, 1);
	}
	return 0;
}

static int start(struct audit *a, const struct audit_identity *id, struct diag *d)
{
	struct event e = { .type = EVENT_SESSION_OPEN };
	int r = log_set_identity(a, id, NULL);

	if (r < 0)
		return r;
	r = create_file(a, d);
	if (r < 0)
		return r;
	json_t *told = id->opening_len > 0 ? json_loadb(id->opening_text, id->opening_len, JSON_REJECT_DUPLICATES, NULL)
					   : NULL;
	if (id->opening_len > 0 && !json_is_object(told))
		r = diag_fail(d, -EINVAL, "the members added to session.open are no JSON object");
	else
		r = log_note(a, &e, &(struct log_extra){ .detail = told ? told : id->opening }, d);
	json_decref(told);
	/* Without its index record the session never was: nothing ran, and no file stays behind. */
	if (r < 0)
		(void)unlinkat(a->dirfd, a->file, 0);
	return r;
}

static void claim(char *ret, const char *value)
{
	(void)snprintf(ret, COLLECT_TEXT_MAX, "%s", value ? value : "");
}

/* User and groups are not among it: the collector asks the kernel. */
static int send_identity(
	struct audit *a, enum collect_type type, const struct audit_identity *id, char *ret_words, struct diag *d)
{
	_cleanup_free_ char *detail = id->opening ? json_dumps(id->opening, JSON_COMPACT) : NULL;
	struct collect_claims c;

	if (id->opening && (!detail || strlen(detail) > COLLECT_DETAIL_MAX))
		return diag_fail(
			d, -EMSGSIZE, "what session.open has to hold does not fit into a record; the session ends");
	claim(c.client, id->client);
	claim(c.server, id->server);
	claim(c.version, id->version);
	claim(c.plan, id->plan_digest);
	claim(c.approval, id->approval);
	claim(c.channel, id->channel);
	claim(c.classification, id->classification);
	claim(c.delete_after, id->delete_after);
	return remote_ask(&a->remote,
		&(struct collect_request){
			.type = type, .claims = &c, .detail = detail, .detail_len = detail ? strlen(detail) : 0 },
		true, ret_words, d);
}

int audit_set_identity(struct audit *a, const struct audit_identity *id)
{
	return a->remote.on ? send_identity(a, COLLECT_IDENTITY, id, NULL, NULL) : log_set_identity(a, id, NULL);
}

const char *audit_session(const struct audit *a)
{
	return a->session;
}

int audit_socket(const struct audit *a)
{
	return a->remote.sock;
}

static int open_remote(struct audit *a, int sock, const struct audit_identity *id, struct diag *d)
{
	char words[512] = "";
	int r = remote_init(&a->remote, sock, d);

	if (r == 0)
		r = send_identity(a, COLLECT_OPEN, id, words, d);
	if (r == 0 && !is_session_id(words))
		r = diag_fail(d, -EPROTO, "the collector of audit records gave no id for this session");
	if (r == 0)
		memcpy(a->session, words, sizeof a->session);
	return r;
}

int audit_open(const struct audit_options *o, const struct audit_identity *id, struct audit **ret, struct diag *d)
{
	_cleanup_audit_ struct audit *a = calloc(1, sizeof *a);

	if (!a)
		return -ENOMEM;
	a->fd = -1;
	a->dirfd = -1;
	a->remote.sock = -1;
	if (sodium_init() < 0)
		return diag_fail(d, -EIO, "libsodium cannot be initialised, so nothing can be recorded");
	if (o->sender > 0) {
		int error = open_remote(a, o->sender, id, d);
		if (error == 0)
			*ret = STEAL_PTR(a);
		return error;
	}
	if (!is_session_id(id->session))
		return diag_fail(d, -EINVAL, "the session's id is not %d hex digits", AUDIT_SESSION_ID_LEN);
	memcpy(a->session, id->session, sizeof a->session);
	memcpy(a->head, RECORD_HASH_NONE, sizeof a->head);
	a->budget = o->budget ? o->budget : AUDIT_BUDGET_DEFAULT;
	if (o->key)
		a->key = *o->key;
	a->bytes = malloc(AUDIT_RECORD_MAX + 1);
	a->dirfd = fcntl(o->dirfd, F_DUPFD_CLOEXEC, 3);
	if (!a->bytes || a->dirfd < 0)
		return a->bytes ? -errno : -ENOMEM;
	int r = log_find_place(a, d);
	if (r == 0)
		r = start(a, id, d);
	if (r < 0)
		return r;
	*ret = STEAL_PTR(a);
	return 0;
}

static int check_event(enum event_source source, const struct event *e, const json_t *extra, struct diag *d)
{
	if (!event_allowed(e->type, source))
		return diag_fail(d, -EACCES, "%s may not send the event %s; the session ends",
			event_source_name(source), event_name(e->type));
	if (own_events[e->type])
		return diag_fail(d, -EINVAL, "the event %s is written by the log itself", event_name(e->type));
	if (extra && source != EVENT_FROM_SUPERVISOR)
		return diag_fail(d, -EACCES, "%s may not add members to the event %s", event_source_name(source),
			event_name(e->type));
	if (extra && !json_is_object(extra))
		return diag_fail(
			d, -EINVAL, "the members added to the event %s are not an object", event_name(e->type));
	return 0;
}

static void count_event(struct audit *a, const struct event *e)
{
	a->calls += e->type == EVENT_CALL;
	a->denied += e->decision == EVENT_DENY;
	a->dropped += e->decision == EVENT_DROP;
}

/* What the shim hands over comes in batches, which are settled as such. */
static int send_record(
	struct audit *a, enum event_source source, const struct event *e, const json_t *extra, struct diag *d)
{
	_cleanup_(wire_writer_done) struct wire_writer w = { 0 };
	_cleanup_free_ char *detail = extra ? json_dumps(extra, JSON_COMPACT) : NULL;
	struct collect_request q = { .type = COLLECT_RECORD, .source = source };
	int r = event_encode(e, &w);

	if (r == 0 && extra && (!detail || strlen(detail) > COLLECT_DETAIL_MAX))
		r = -EMSGSIZE;
	if (r < 0)
		return diag_fail(d, r, "a record of event %s is too long; the session ends", event_name(e->type));
	q.event = w.buf.data;
	q.event_len = w.buf.len;
	q.detail = detail;
	q.detail_len = detail ? strlen(detail) : 0;
	return remote_ask(&a->remote, &q, source != EVENT_FROM_SHIM, NULL, d);
}

int audit_settle(struct audit *a, struct diag *d)
{
	return remote_settle(&a->remote, d);
}

int audit_append_text(
	struct audit *a, enum event_source source, const struct event *e, const char *text, size_t n, struct diag *d)
{
	json_t *extra = n > 0 ? json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL) : NULL;
	int r = n > 0 && !extra
			? diag_fail(d, -EINVAL, "the members added to the event %s are no JSON", event_name(e->type))
			: audit_append(a, source, e, extra, d);

	json_decref(extra);
	return r;
}

int audit_append(struct audit *a, enum event_source source, const struct event *e, const json_t *extra, struct diag *d)
{
	struct log_extra x = { .detail = extra };
	int r = check_event(source, e, extra, d);

	if (r < 0)
		return r;
	if (a->remote.on)
		return send_record(a, source, e, extra, d);
	if (a->state == LOG_OPEN && tally_take(&a->tally, source, e, io_now_us())) {
		count_event(a, e);
		return 0;
	}
	r = log_write(a, source, e, extra ? &x : NULL, d);
	if (r == 0)
		count_event(a, e);
	return r;
}

int audit_checkpoint(struct audit *a, struct diag *d)
{
	struct event e = { .type = EVENT_CHECKPOINT };
	int r;

	if (a->remote.on)
		return remote_ask(&a->remote, &(struct collect_request){ .type = COLLECT_CHECKPOINT }, true, NULL, d);
	r = log_flush(a, d);

	if (r < 0 || a->seq == a->noted)
		return r;
	return log_note(a, &e, &(struct log_extra){ .records = a->seq + 1 }, d);
}

static int close_remote(struct audit *a, const char *status, struct diag *d)
{
	struct collect_request q = { .type = COLLECT_CLOSE };
	struct diag why = { "" };
	int earlier = remote_settle(&a->remote, &why), r;

	(void)snprintf(q.status, sizeof q.status, "%s", status ? status : "");
	r = remote_ask(&a->remote, &q, true, NULL, d);
	remote_done(&a->remote);
	/* A log that has been gone before says so once more, in the words of then. */
	return earlier < 0 && r < 0 ? diag_fail(d, earlier, "%s", why.text) : r;
}

int audit_close(struct audit *a, const char *status, struct diag *d)
{
	struct event e = { .type = EVENT_SESSION_CLOSE };
	int r;

	if (a->remote.on)
		return close_remote(a, status, d);
	r = log_flush(a, d);
	/* Counts that no longer fit are lost; the record of why is there. */
	if (r < 0 && a->state != LOG_ENDING)
		return r;
	text_escape_str(status ? status : "", e.status, sizeof e.status);
	r = log_note(a, &e, &(struct log_extra){ .records = a->seq + 1, .totals = true }, d);
	if (r < 0)
		return r;
	/* Gives back what was preallocated beyond the end. */
	(void)!ftruncate(a->fd, (off_t)a->size);
	close(steal_fd(&a->fd));
	a->state = LOG_CLOSED;
	repair_neighbours(a->dirfd, &a->key);
	return 0;
}

void audit_free(struct audit *a)
{
	if (!a)
		return;
	remote_done(&a->remote);
	if (a->fd >= 0)
		close(a->fd);
	if (a->dirfd >= 0)
		close(a->dirfd);
	free(a->identity);
	free(a->claimed);
	free(a->place);
	free(a->bytes);
	log_key_done(&a->key);
	free(a);
}
