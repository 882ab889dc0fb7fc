/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer - see writer.h
 *
 * Stages:   1 ask the kernel who sends   2 open that user's directory   3 confine to it   4 read requests. Should: know
 * all that is needed of the system before 3. Mustn't: look at a byte of the sender's before 4.
 */
#include "collector/writer.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include "audit/audit.h"
#include "base/fs.h"
#include "base/io.h"
#include "base/text.h"
#include "collector/confine.h"
#include "wire/collect.h"

static const char claimed[] = "client,server,version,plan,approval,channel,classification,delete_after,detail";

struct writer {
	const struct writer_args *args;
	int dir;
	struct audit *log;
	char session[AUDIT_SESSION_ID_LEN + 1];
	uint64_t done;
	unsigned after_error;
	bool dirty, over, closed;
	unsigned after_end;
	uint64_t checkpoint_us;
	struct collect_request request; /* the one that is worked on */
	struct collect_claims claims;
	char bytes[COLLECT_BYTES_MAX];
};

static void sleep_us(uint64_t us)
{
	struct timespec t = { .tv_sec = (time_t)(us / US_PER_S), .tv_nsec = (long)(us % US_PER_S) * 1000 };

	/* A sleep of nothing is one of the timer's slack (50 us; prctl(2), PR_SET_TIMERSLACK), for each record. */
	while (us > 0 && clock_nanosleep(CLOCK_MONOTONIC, 0, &t, &t) == EINTR)
		;
}

/* --- what it stands on --- */

static int count_files(int dir, struct users_account *a)
{
	_cleanup_closedir_ DIR *list = NULL;
	uint64_t files = 0, bytes = 0;
	const struct dirent *e;
	struct stat st;
	int r = fs_list(dir, &list);

	while (r == 0 && (e = readdir(list)))
		if (fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode)) {
			files++;
			bytes += (uint64_t)st.st_size;
		}
	if (r == 0)
		users_counted(a, files, bytes, io_now_us());
	return r;
}

static int open_directory(struct writer *w, struct diag *d)
{
	const struct sender *s = w->args->sender;
	struct stat st;

	if (mkdirat(w->args->logs, s->owner_text, 0700) < 0 && errno != EEXIST)
		return diag_fail(d, -errno, "the collector cannot make a directory for the records of user %s: %s",
			s->owner_text, strerror(errno));
	w->dir = openat(w->args->logs, s->owner_text, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (w->dir < 0 || fstat(w->dir, &st) < 0)
		return diag_fail(d, -errno, "the collector cannot open the directory of user %s: %s", s->owner_text,
			strerror(errno));
	if (st.st_uid != geteuid() || (st.st_mode & 077))
		return diag_fail(d, -EPERM,
			"the directory of user %s in the collector's log is not the collector's alone", s->owner_text);
	return 0;
}

static bool is_full(const struct writer *w)
{
	const struct users_account *a = w->args->account;

	return atomic_load(&a->bytes) >= w->args->user_bytes || atomic_load(&a->files) >= w->args->user_files;
}

/* Counted by one session for those that begin soon after: a user of many files begins as many a second as any other. */
static int check_share(const struct writer *w, struct diag *d)
{
	struct users_account *a = w->args->account;
	int r = users_must_count(a, is_full(w), io_now_us()) ? count_files(w->dir, a) : 0;

	if (r < 0)
		return diag_fail(d, r, "the collector cannot look through the records of user %s: %s",
			w->args->sender->owner_text, strerror(-r));
	if (is_full(w))
		return diag_fail(d, -EDQUOT,
			"the records of user %s take %llu bytes in %llu files already, of %llu in %llu that the "
			"collector "
			"keeps for one; nothing runs unrecorded: ask who manages this machine",
			w->args->sender->owner_text, (unsigned long long)atomic_load(&a->bytes),
			(unsigned long long)atomic_load(&a->files), (unsigned long long)w->args->user_bytes,
			(unsigned long long)w->args->user_files);
	return 0;
}

static int prepare(struct writer *w, struct diag *d)
{
	const struct timeval first = { .tv_sec = WRITER_FIRST_S };
	int r = sender_name(w->args->sock, w->args->sender);

	if (r < 0)
		return diag_fail(d, r, "the collector cannot tell who connects: %s", strerror(-r));
	if (setsockopt(w->args->sock, SOL_SOCKET, SO_RCVTIMEO, &first, sizeof(first)) < 0)
		return -errno;
	r = open_directory(w, d);
	if (r == 0)
		r = check_share(w, d);
	return r < 0 ? r : confine_writer(w->dir, d);
}

/* --- answers --- */

static void answer(struct writer *w, int error, const char *words)
{
	_cleanup_(wire_writer_done) struct wire_writer out = { 0 };
	struct collect_answer a = { .done = w->done, .error = error };

	snprintf(a.words, sizeof(a.words), "%s", words);
	/* A sender that reads no answers holds up nobody but itself. One that has died gets none, and what it handed
	 * over before is written all the same. */
	if (collect_answer_encode(&a, &out) == 0)
		(void)!io_send_msg(w->args->sock, out.buf.data, out.buf.len, NULL, 0);
}

static int refuse(struct writer *w, struct diag *d, const char *words)
{
	w->over = true;
	return diag_fail(d, -EPROTO, "the collector takes no such request: %s; the session ends", words);
}

/* --- requests --- */

static struct audit_identity identity_of(const struct writer *w)
{
	const struct sender *s = w->args->sender;
	const struct collect_claims *q = &w->claims;

	return (struct audit_identity){ .session = w->session,
		.user = s->user,
		.groups = s->groups,
		.uid = s->uid_text,
		.pid = s->pid_text,
		.claimed = claimed,
		.opening_text = w->request.detail,
		.opening_len = w->request.detail_len,
		.client = q->client,
		.server = q->server,
		.version = q->version,
		.plan_digest = q->plan,
		.approval = q->approval,
		.channel = q->channel,
		.classification = q->classification,
		.delete_after = q->delete_after };
}

static int on_open(struct writer *w, struct diag *d)
{
	const struct timeval no_limit = { 0 };
	struct audit_identity id;
	int r;

	if (w->log)
		return refuse(w, d, "the session is open already");
	if (setsockopt(w->args->sock, SOL_SOCKET, SO_RCVTIMEO, &no_limit, sizeof(no_limit)) < 0)
		return -errno;
	audit_new_session_id(w->session);
	id = identity_of(w);
	atomic_fetch_add(&w->args->account->files, 1);
	r = audit_open(&(struct audit_options){ .dirfd = w->dir, .key = w->args->key }, &id, &w->log, d);
	w->checkpoint_us = io_now_us();
	w->over = w->over || r < 0;
	return r;
}

static int on_identity(struct writer *w, struct diag *d)
{
	struct audit_identity id = identity_of(w);

	return audit_set_identity(w->log, &id);
}

static int on_record(struct writer *w, struct diag *d)
{
	const struct collect_request *q = &w->request;
	struct event e;
	int r = event_decode(q->event, q->event_len, &e);

	if (r < 0)
		return refuse(w, d, "this is no event");
	sleep_us(users_charge(w->args->account, q->event_len + q->detail_len, io_now_us()));
	w->dirty = true;
	r = audit_append_text(w->log, q->source, &e, q->detail, q->detail_len, d);
	/* The log itself has no more to say to a sender that breaks the rules. */
	w->over = w->over || r == -EACCES || r == -EINVAL;
	return r;
}

static int checkpoint(struct writer *w, struct diag *d)
{
	uint64_t now = io_now_us(), due = w->checkpoint_us + WRITER_CHECKPOINT_US;

	if (now < due)
		sleep_us(due - now);
	w->checkpoint_us = io_now_us();
	w->dirty = false;
	return audit_checkpoint(w->log, d);
}

static int on_close(struct writer *w, struct diag *d)
{
	w->over = true;
	w->closed = true;
	return audit_close(w->log, w->request.status, d);
}

static int (*const handlers[COLLECT_TYPE_COUNT])(struct writer *w, struct diag *d) = {
	[COLLECT_OPEN] = on_open,
	[COLLECT_IDENTITY] = on_identity,
	[COLLECT_RECORD] = on_record,
	[COLLECT_CHECKPOINT] = checkpoint,
	[COLLECT_CLOSE] = on_close,
};

static int take_request(struct writer *w, size_t n, struct diag *d)
{
	w->done++;
	if (collect_request_decode(w->bytes, n, &w->claims, &w->request) < 0)
		return refuse(w, d,
			"it is not of this build; was stockade upgraded? Then restart stockade-collector.service");
	if (!w->log && w->request.type != COLLECT_OPEN)
		return refuse(w, d, "the session is not open");
	return handlers[w->request.type](w, d);
}

/* --- the loop --- */

/* One request: its length, 0 when there is none (flags: MSG_DONTWAIT) or never will be, then w->over. Descriptors that
 * come along are dropped by the kernel, since nobody asks for them. */
static size_t receive(struct writer *w, int flags)
{
	for (unsigned resets = 0;;) {
		ssize_t n = recv(w->args->sock, w->bytes, sizeof(w->bytes), flags | MSG_TRUNC);
		/* A peer that ended with answers unread: what it sent before is still there (af_unix.c,
		 * unix_release_sock). */
		if (n < 0 && (errno == EINTR || (errno == ECONNRESET && resets++ == 0)))
			continue;
		if (n < 0 && errno == EAGAIN && (flags & MSG_DONTWAIT))
			return 0;
		if (n <= 0 || (size_t)n > sizeof(w->bytes)) {
			w->over = true;
			return 0;
		}
		return (size_t)n;
	}
}

/* All that is there, up to a batch; one answer for them, or for those up to the first that fails. */
static void take_batch(struct writer *w, int flags)
{
	uint64_t done = w->done;

	for (unsigned i = 0; i < WRITER_BATCH && !w->over; i++) {
		struct diag d = { "" };
		size_t n = receive(w, i == 0 ? flags : MSG_DONTWAIT);
		if (n == 0)
			break;
		int r = take_request(w, n, &d);
		bool opened = r == 0 && w->request.type == COLLECT_OPEN;
		if (r < 0 || opened || w->over) {
			answer(w, r, opened ? w->session : d.text[0] || r == 0 ? d.text : strerror(-r));
			w->over = w->over || (r < 0 && ++w->after_error > WRITER_AFTER_ERROR);
			return;
		}
	}
	if (!w->over && w->done > done)
		answer(w, 0, "");
}

/* True while there may be requests. The process that connected is the one whose records these are: its end is theirs,
 * also when another holds the socket still. */
static bool wait_for_request(struct writer *w)
{
	struct pollfd p[] = { { .fd = w->args->sock, .events = POLLIN },
		{ .fd = w->args->sender->pidfd, .events = POLLIN } };
	int n = poll(p, ARRAY_LEN(p), w->dirty ? WRITER_OWN_CHECKPOINT_MS : -1);
	struct diag d;

	if (n == 0 && checkpoint(w, &d) < 0)
		w->over = true;
	if (n > 0 && p[1].revents && ++w->after_end > WRITER_AFTER_ERROR)
		return false;
	return n <= 0 || p[0].revents || !p[1].revents;
}

static void run(struct writer *w)
{
	take_batch(w, 0);
	while (!w->over && w->log) {
		if (!wait_for_request(w))
			break;
		take_batch(w, MSG_DONTWAIT);
	}
}

void writer_run(const struct writer_args *a)
{
	struct writer *w = calloc(1, sizeof(*w));
	struct diag d = { "" };
	int r;

	if (!w)
		_exit(1);
	w->args = a;
	w->dir = -1;
	r = prepare(w, &d);
	if (r < 0) {
		w->done = 1;
		answer(w, r, d.text[0] ? d.text : strerror(-r));
		_exit(1);
	}
	run(w);
	/* A close of the sender's has been done; else nobody was there any more to ask for one. */
	if (w->log && !w->closed && audit_close(w->log, "the sender ended without a close", &d) < 0)
		r = 1;
	audit_free(w->log);
	_exit(r ? 1 : 0);
}
