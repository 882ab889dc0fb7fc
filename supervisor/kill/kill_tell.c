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

/* Answers beyond one of each session that are heard. */
enum { SPARE_ANSWERS = 16 };

void kill_told_done(struct kill_told *t)
{
	const int fds[] = { t->dir, t->sock, t->answers, t->other };

	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	for (size_t i = 0; i < t->n_inits; i++)
		if (t->inits[i].fd >= 0)
			close(t->inits[i].fd);
	free(t->inits);
	free(t->v);
	*t = KILL_TOLD_NONE;
}

/* Takes the descriptor over. */
static int note_init(struct kill_told *t, struct kill_init init)
{
	int r = GROW(t->inits, t->n_inits, t->room_inits);

	if (r == 0)
		t->inits[t->n_inits++] = init;
	else if (init.fd >= 0)
		close(init.fd);
	return r;
}

static bool is_noted(const struct kill_told *t, const struct registry_entry *e)
{
	for (size_t i = 0; i < t->n_inits; i++)
		if (t->inits[i].pid == e->init_pid && t->inits[i].start == e->init_start)
			return true;
	return false;
}

static struct kill_answered *find(const struct kill_told *t, const char *id)
{
	for (size_t i = 0; i < t->n; i++)
		if (strncmp(t->v[i].id, id, AUDIT_SESSION_ID_LEN) == 0)
			return &t->v[i];
	return NULL;
}

/* --- what they are told --- */

static int open_answers(struct kill_told *t)
{
	int pair[2], r;

	if (t->others)
		r = kill_order_hints(pair);
	else
		r = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0 ? -errno : 0;
	if (r < 0)
		return r;
	t->answers = pair[0];
	t->other = pair[1];
	return 0;
}

static int open_ways(struct kill_told *t, struct diag *d)
{
	int r;

	t->sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	r = t->sock < 0 ? -errno : open_answers(t);
	return r < 0 ? diag_fail(d, r, "cannot speak to sessions: %s", strerror(-r)) : 0;
}

static bool is_socket(const char *name)
{
	size_t n = strlen(name);

	return n == AUDIT_SESSION_ID_LEN + strlen(".kill") && strcmp(name + AUDIT_SESSION_ID_LEN, ".kill") == 0;
}

/* What nobody reads takes from what one socket may send, and those behind would go untold. */
static int send_anew(struct kill_told *t, const char *name, const char *text)
{
	int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (sock < 0)
		return -errno;
	close(t->sock);
	t->sock = sock;
	return kill_order_send(t->sock, t->dir, name, t->verb, text, t->other);
}

/* Who cannot be told is found in the registry, or has ended. */
static int send_one(struct kill_told *t, const char *name, const char *text)
{
	int r = GROW(t->v, t->n, t->room), x;

	if (r < 0)
		return r;
	x = kill_order_send(t->sock, t->dir, name, t->verb, text, t->other);
	if (x == -EAGAIN)
		x = send_anew(t, name, text);
	if (x < 0)
		return 0;
	t->v[t->n] = (struct kill_answered){ .heard = false };
	snprintf(t->v[t->n].id, sizeof(t->v[t->n].id), "%.*s", AUDIT_SESSION_ID_LEN, name);
	t->n++;
	return 0;
}

static int send_each(struct kill_told *t, const char *text)
{
	_cleanup_closedir_ DIR *dir = NULL;
	size_t names = 0;
	int r = fs_list(t->dir, &dir);

	t->more = false;
	for (const struct dirent *e; r == 0 && !t->more && (e = readdir(dir));) {
		bool come = is_socket(e->d_name) && !find(t, e->d_name);
		t->more = (come && t->n == KILL_SESSIONS_MAX) || names++ == KILL_NAMES_MAX;
		if (come && !t->more)
			r = send_one(t, e->d_name, text);
	}
	return r;
}

static int send_all(struct kill_told *t, struct diag *d)
{
	_cleanup_free_ char *text = kill_entry_text(t->entry);
	unsigned ms = t->entry->tool ? KILL_TOOL_ANSWER_MS : KILL_ANSWER_MS;
	size_t before = t->n;
	int r = text ? send_each(t, text) : -ENOMEM;

	if (t->n > before)
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
		n += !t->v[i].heard && !t->v[i].settled;
	return n;
}

static int take(struct kill_told *t, char id[AUDIT_SESSION_ID_LEN + 1], enum kill_answer *ret, int *ret_init)
{
	*ret_init = -1;
	return t->others ? kill_order_take_hint(t->answers, id, ret)
			 : kill_order_take_answer(t->answers, id, ret, ret_init);
}

/* One that was killed may have obeyed as well, only too late: it is one session. from: NULL when it was not told. */
static void count(struct kill_answered *from, unsigned *n)
{
	if (!from || !from->counted)
		++*n;
	if (from)
		from->counted = true;
}

static int hear_one(struct kill_told *t)
{
	char id[AUDIT_SESSION_ID_LEN + 1];
	enum kill_answer answer;
	struct kill_answered *from;
	int init, r = take(t, id, &answer, &init);

	if (r < 0)
		return r;
	from = find(t, id);
	if (!from || from->heard) {
		if (init >= 0)
			close(init);
		return 0;
	}
	from->heard = true;
	if (answer == KILL_OBEYED)
		count(from, &t->reached);
	return init >= 0 ? note_init(t, (struct kill_init){ .fd = init }) : 0;
}

/* Who says more than there are to answer is not listened to: one who never ends saying something held us up. What is
 * there already is heard although nobody is waited for: it came too late the time before. */
static int hear_all(struct kill_told *t)
{
	struct pollfd p = { .fd = t->answers, .events = POLLIN };
	size_t most = 2 * t->n + SPARE_ANSWERS;

	for (size_t i = 0; i < most; i++) {
		uint64_t now = io_now_us();
		struct timespec left = { 0 };
		int r;
		if (silent(t) && now < t->until)
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

/* -ESRCH: there is nothing to kill. Checked after it was opened: of one that has ended meanwhile the signal reaches
 * nobody. */
static int open_init(const struct kill_told *t, const struct registry_entry *e, int *ret)
{
	_cleanup_close_ int init = -1;
	int r = e->foreign && !t->others ? -EXDEV : registry_open_verified(e->init_pid, e->init_start, &init);

	if (r == 0 && t->others && !registry_is_init_of(e->init_pid, t->uid))
		r = -ESRCH;
	/* The number of a thread: what lies there may say anything. */
	if (t->others && (r == -EINVAL || r == -ENOENT))
		r = -ESRCH;
	/* What another container calls so is not seen from here. */
	if (r == -ESRCH && e->foreign)
		r = -EXDEV;
	if (r < 0)
		return r;
	*ret = steal_fd(&init);
	return 0;
}

/* from: NULL when it was not told. One that is gone and was told has obeyed; its answer is only not here yet. */
static int kill_init(struct kill_told *t, const struct registry_entry *e, struct kill_answered *from)
{
	_cleanup_close_ int init = -1;
	int r = open_init(t, e, &init);

	if (r == -ESRCH && from && !t->others)
		count(from, &t->reached);
	if (r == -ESRCH)
		return 0;
	if (r == 0 && syscall(SYS_pidfd_send_signal, init, SIGKILL, NULL, 0) < 0 && errno != ESRCH)
		r = -errno;
	if (r < 0) {
		t->left++;
		return diag_fail(&t->why, 0, "session %.12s does not answer and cannot be ended from here: %s", e->id,
			r == -EXDEV ? "it runs in another container" : strerror(-r));
	}
	/* Another's that has answered says that it does so itself. */
	count(from, &t->forced);
	return note_init(
		t, (struct kill_init){
			   .fd = t->others ? -1 : steal_fd(&init), .pid = e->init_pid, .start = e->init_start });
}

static int kill_silent(struct kill_told *t, const struct registry_list *l)
{
	int r = 0;

	t->left = 0;
	for (size_t i = 0; r == 0 && i < l->n; i++) {
		const struct registry_entry *e = &l->v[i];
		struct kill_answered *from = find(t, e->id);
		bool heard = from && from->heard;
		if (from)
			from->listed = true;
		/* Of a tool nothing can be seen from outside: who says that it obeys is left alone. */
		if (heard && (!t->others || t->entry->tool))
			continue;
		if (glob_match(t->entry->server, e->name, strlen(e->name)) && !is_noted(t, e))
			r = kill_init(t, e, from);
	}
	return r;
}

static void settle(struct kill_told *t)
{
	t->unlisted = 0;
	for (size_t i = 0; i < t->n; i++) {
		t->v[i].settled = true;
		t->unlisted += t->others && !t->v[i].heard && !t->v[i].listed;
	}
}

int kill_tell_again(struct kill_told *t, struct diag *d)
{
	return t->dir < 0 ? diag_fail(d, -ENOTCONN, "cannot reach every session: nobody was told") : send_all(t, d);
}

static int kill_listed(const struct paths *p, struct kill_told *t, struct diag *d)
{
	_cleanup_registry_ struct registry_list l = { 0 };
	int r = t->others ? registry_read_others(t->dir, t->uid, &l, d) : registry_read(p, &l, d);

	if (r < 0)
		return r;
	t->more = t->more || l.more;
	r = kill_silent(t, &l);
	return r < 0 ? diag_fail(d, r, "cannot reach every session: %s", strerror(-r)) : 0;
}

int kill_tell_hear(const struct paths *p, struct kill_told *t, enum kill_round round, struct diag *d)
{
	int r = hear_all(t);

	if (r < 0)
		return diag_fail(d, r, "cannot hear the sessions: %s", strerror(-r));
	/* One's own that are listed and were not told are found the second time. */
	if (t->verb == KILL_ORDER_KILL && (round == KILL_ROUND_LAST || t->others || silent(t)))
		r = kill_listed(p, t, d);
	settle(t);
	return r;
}

/* What cannot be opened and held against its start time is gone. */
static bool is_gone(const struct kill_init *init, uint64_t until)
{
	_cleanup_close_ int opened = -1;
	struct pollfd p = { .fd = init->fd, .events = POLLIN };
	uint64_t now = io_now_us();
	int r = p.fd >= 0 ? 0 : registry_open_verified(init->pid, init->start, &opened);

	if (r < 0)
		return r == -ESRCH;
	p.fd = p.fd >= 0 ? p.fd : opened;
	return poll(&p, 1, now < until ? (int)((until - now) / 1000) + 1 : 0) > 0;
}

unsigned kill_told_alive(const struct kill_told *t, uint64_t until)
{
	unsigned n = 0;

	for (size_t i = 0; i < t->n_inits; i++)
		n += !is_gone(&t->inits[i], until);
	return n;
}
