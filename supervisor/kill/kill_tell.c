/* SPDX-License-Identifier: Apache-2.0 */
/* kill_tell - see kill_tell.h */
#include "supervisor/kill/kill_tell.h"
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include "base/fs.h"
#include "base/glob.h"
#include "base/io.h"
#include "supervisor/registry.h"

void kill_told_done(struct kill_told *t)
{
	const int fds[] = { t->dir, t->sock, t->answers, t->other };

	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	for (size_t i = 0; i < t->n_inits; i++)
		close(t->inits[i]);
	free(t->inits);
	free(t->v);
	*t = KILL_TOLD_NONE;
}

/* Takes the descriptor over. */
static int note_init(struct kill_told *t, int init)
{
	bool taken = !t->others || t->n_inits < KILL_WAITED_MAX;
	int r = taken ? GROW(t->inits, t->n_inits, t->room_inits) : 0;

	if (r < 0 || !taken)
		close(init);
	else
		t->inits[t->n_inits++] = init;
	return r;
}

static struct kill_answered *find(const struct kill_told *t, const char *id)
{
	for (size_t i = 0; i < t->n; i++)
		if (strncmp(t->v[i].id, id, AUDIT_SESSION_ID_LEN) == 0)
			return &t->v[i];
	return NULL;
}

/* --- what they are told --- */

static int open_ways(struct kill_told *t, struct diag *d)
{
	int pair[2];

	t->sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (t->sock < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return diag_fail(d, -errno, "cannot speak to sessions: %s", strerror(errno));
	t->answers = pair[0];
	t->other = pair[1];
	return 0;
}

static bool is_socket(const char *name)
{
	size_t n = strlen(name);

	return n == AUDIT_SESSION_ID_LEN + strlen(".kill") && strcmp(name + AUDIT_SESSION_ID_LEN, ".kill") == 0;
}

/* Who cannot be told is found in the registry, or has ended. */
static int send_one(struct kill_told *t, const char *name, const char *text)
{
	int r = GROW(t->v, t->n, t->room);

	if (r < 0 || kill_order_send(t->sock, t->dir, name, t->verb, text, t->other) < 0)
		return r;
	t->v[t->n] = (struct kill_answered){ .heard = false };
	snprintf(t->v[t->n].id, sizeof(t->v[t->n].id), "%.*s", AUDIT_SESSION_ID_LEN, name);
	t->n++;
	return 0;
}

static int send_all(struct kill_told *t, struct diag *d)
{
	_cleanup_free_ char *text = kill_entry_text(t->entry);
	_cleanup_closedir_ DIR *dir = NULL;
	unsigned ms = t->entry->tool ? KILL_TOOL_ANSWER_MS : KILL_ANSWER_MS;
	int r = text ? fs_list(t->dir, &dir) : -ENOMEM;

	for (const struct dirent *e; r == 0 && t->n < KILL_SESSIONS_MAX && (e = readdir(dir));)
		if (is_socket(e->d_name) && !find(t, e->d_name))
			r = send_one(t, e->d_name, text);
	t->until = io_now_us() + (uint64_t)ms * 1000;
	return r < 0 ? diag_fail(d, r, "cannot look for sessions: %s", strerror(-r)) : 0;
}

static int begin(enum kill_verb verb, const struct kill_entry *e, struct kill_told *t, struct diag *d)
{
	int r;

	t->entry = e;
	t->verb = verb;
	r = open_ways(t, d);
	return r < 0 ? r : send_all(t, d);
}

int kill_tell(
	const struct paths *p, enum kill_verb verb, const struct kill_entry *e, struct kill_told *t, struct diag *d)
{
	int r;

	*t = KILL_TOLD_NONE;
	t->uid = p->uid;
	r = paths_open_runtime(p, "sessions", &t->dir, d);
	return r < 0 ? r : begin(verb, e, t, d);
}

int kill_tell_other(
	int dir, uid_t uid, enum kill_verb verb, const struct kill_entry *e, struct kill_told *t, struct diag *d)
{
	*t = KILL_TOLD_NONE;
	t->dir = dir;
	t->uid = uid;
	t->others = true;
	return begin(verb, e, t, d);
}

/* --- what they say --- */

static size_t silent(const struct kill_told *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		n += !t->v[i].heard;
	return n;
}

static int hear_one(struct kill_told *t)
{
	char id[AUDIT_SESSION_ID_LEN + 1];
	enum kill_answer answer;
	struct kill_answered *from;
	int init = -1, r = kill_order_take_answer(t->answers, id, &answer, &init);

	if (r < 0)
		return r;
	from = find(t, id);
	if (!from || from->heard) {
		if (init >= 0)
			close(init);
		return 0;
	}
	from->heard = true;
	t->reached += answer == KILL_OBEYED;
	return init >= 0 ? note_init(t, init) : 0;
}

static int hear_all(struct kill_told *t)
{
	struct pollfd p = { .fd = t->answers, .events = POLLIN };

	while (silent(t)) {
		uint64_t now = io_now_us();
		struct timespec left = { 0 };
		int r;
		if (now < t->until)
			left.tv_nsec = (long)(t->until - now) * 1000;
		if (ppoll(&p, 1, &left, NULL) <= 0)
			return 0;
		r = hear_one(t);
		/* One that speaks otherwise has said nothing. */
		if (r < 0 && r != -EPROTO && r != -EMSGSIZE)
			return r == -EAGAIN || r == -ECONNRESET ? 0 : r;
	}
	return 0;
}

/* --- without them --- */

static int kill_init(struct kill_told *t, const struct registry_entry *e)
{
	_cleanup_close_ int init = -1;
	int r = e->foreign ? -EXDEV : registry_open_verified(e->init_pid, e->init_start, &init);

	/* After it was opened: of one that has ended meanwhile the signal reaches nobody. */
	if (r == -ESRCH || (r == 0 && t->others && !registry_is_init_of(e->init_pid, t->uid)))
		return 0;
	if (r == 0 && syscall(SYS_pidfd_send_signal, init, SIGKILL, NULL, 0) < 0 && errno != ESRCH)
		r = -errno;
	if (r < 0) {
		t->left++;
		return diag_fail(&t->why, 0, "session %.12s does not answer and cannot be ended from here: %s", e->id,
			e->foreign ? "it runs in another container" : strerror(-r));
	}
	t->forced++;
	return note_init(t, steal_fd(&init));
}

static int kill_silent(struct kill_told *t, const struct registry_list *l)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < l->n; i++) {
		const struct registry_entry *e = &l->v[i];
		const struct kill_answered *from = find(t, e->id);
		if (glob_match(t->entry->server, e->name, strlen(e->name)) && !(from && from->heard))
			r = kill_init(t, e);
	}
	return r;
}

int kill_tell_rest(const struct paths *p, struct kill_told *t, struct diag *d)
{
	_cleanup_registry_ struct registry_list l = { 0 };
	int r = t->dir < 0 ? -ENOTCONN : send_all(t, d);

	/* Read while they are about it. */
	if (r == 0)
		r = t->others ? registry_read_others(t->dir, t->uid, &l, d) : registry_read(p, &l, d);
	if (r < 0)
		return r;
	r = hear_all(t);
	if (r == 0 && t->verb == KILL_ORDER_KILL)
		r = kill_silent(t, &l);
	return r < 0 ? diag_fail(d, r, "cannot reach every session: %s", strerror(-r)) : 0;
}

void kill_told_wait(struct kill_told *t)
{
	kill_told_wait_until(t, io_now_us() + (uint64_t)KILL_GONE_MS * 1000);
}

void kill_told_wait_until(struct kill_told *t, uint64_t until)
{
	for (size_t i = 0; i < t->n_inits; i++) {
		struct pollfd p = { .fd = t->inits[i], .events = POLLIN };
		uint64_t now = io_now_us();
		if (poll(&p, 1, now < until ? (int)((until - now) / 1000) + 1 : 0) <= 0)
			t->left_alive++;
	}
}
