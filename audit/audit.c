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
	r = log_note(a, &e, &(struct log_extra){ .detail = id->opening }, d);
	/* Without its index record the session never was: nothing ran, and no file stays behind. */
	if (r < 0)
		(void)unlinkat(a->dirfd, a->file, 0);
	return r;
}

int audit_set_identity(struct audit *a, const struct audit_identity *id)
{
	return log_set_identity(a, id, NULL);
}

int audit_open(const struct audit_options *o, const struct audit_identity *id, struct audit **ret, struct diag *d)
{
	_cleanup_audit_ struct audit *a = calloc(1, sizeof *a);

	if (!a)
		return -ENOMEM;
	a->fd = -1;
	a->dirfd = -1;
	if (sodium_init() < 0)
		return diag_fail(d, -EIO, "libsodium cannot be initialised, so nothing can be recorded");
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

int audit_append(struct audit *a, enum event_source source, const struct event *e, const json_t *extra, struct diag *d)
{
	struct log_extra x = { .detail = extra };
	int r = check_event(source, e, extra, d);

	if (r < 0)
		return r;
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
	int r = log_flush(a, d);

	if (r < 0 || a->seq == a->noted)
		return r;
	return log_note(a, &e, &(struct log_extra){ .records = a->seq + 1 }, d);
}

int audit_close(struct audit *a, const char *status, struct diag *d)
{
	struct event e = { .type = EVENT_SESSION_CLOSE };
	int r = log_flush(a, d);

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
	if (a->fd >= 0)
		close(a->fd);
	if (a->dirfd >= 0)
		close(a->dirfd);
	free(a->identity);
	free(a->place);
	free(a->bytes);
	log_key_done(&a->key);
	free(a);
}
