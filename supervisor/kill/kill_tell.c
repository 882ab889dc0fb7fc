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

struct answer {
	char id[AUDIT_SESSION_ID_LEN + 1];
	enum kill_answer answer;
};

struct telling {
	struct kill_told *told;
	const struct kill_entry *entry;
	int dir, sock;	      /* sessions/, and what the orders go through */
	int answers, other;   /* a pair: ours, and theirs */
	unsigned sent;
	struct answer *heard;
	size_t n_heard, room_heard;
};

void kill_told_done(struct kill_told *t)
{
	for (size_t i = 0; i < t->n_inits; i++)
		close(t->inits[i]);
	free(t->inits);
	*t = (struct kill_told){ 0 };
}

static void telling_done(struct telling *t)
{
	const int fds[] = { t->dir, t->sock, t->answers, t->other };

	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	free(t->heard);
}

/* Takes the descriptor over. */
static int note_init(struct kill_told *t, int init)
{
	int r = GROW(t->inits, t->n_inits, t->room_inits);

	if (r < 0)
		close(init);
	else
		t->inits[t->n_inits++] = init;
	return r;
}

/* --- what they are told, and what they say --- */

static int open_ways(const struct paths *p, struct telling *t, struct diag *d)
{
	int pair[2], r = paths_open_runtime(p, "sessions", &t->dir, d);

	if (r < 0)
		return r;
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

static int send_all(struct telling *t, enum kill_verb verb, const char *text)
{
	_cleanup_closedir_ DIR *dir = NULL;
	int r = fs_list(t->dir, &dir);

	if (r < 0)
		return r;
	for (const struct dirent *e; (e = readdir(dir));)
		/* Who cannot be told is found in the registry, or has ended. */
		if (is_socket(e->d_name))
			t->sent += kill_order_send(t->sock, t->dir, e->d_name, verb, text, t->other) == 0;
	return 0;
}

static int hear_one(struct telling *t)
{
	struct answer a;
	int init = -1, r = GROW(t->heard, t->n_heard, t->room_heard);

	if (r == 0)
		r = kill_order_take_answer(t->answers, a.id, &a.answer, &init);
	if (r < 0)
		return r;
	t->heard[t->n_heard++] = a;
	t->told->reached += a.answer == KILL_OBEYED;
	return init >= 0 ? note_init(t->told, init) : 0;
}

static int hear_until(struct telling *t, uint64_t until)
{
	struct pollfd p = { .fd = t->answers, .events = POLLIN };
	int r = 0;

	while (t->n_heard < t->sent) {
		uint64_t now = io_now_us();
		struct timespec left = { 0 };
		if (now < until)
			left.tv_nsec = (long)(until - now) * 1000;
		if (ppoll(&p, 1, &left, NULL) <= 0)
			return 0;
		r = hear_one(t);
		/* One that speaks otherwise has said nothing. */
		if (r < 0 && r != -EPROTO && r != -EMSGSIZE)
			return r == -EAGAIN || r == -ECONNRESET ? 0 : r;
	}
	return 0;
}

static bool has_answered(const struct telling *t, const char *id)
{
	for (size_t i = 0; i < t->n_heard; i++)
		if (strcmp(t->heard[i].id, id) == 0)
			return true;
	return false;
}

/* --- without them --- */

static int kill_init(struct telling *t, const struct registry_entry *e)
{
	_cleanup_close_ int init = -1;
	int r = e->foreign ? -EXDEV : registry_open_verified(e->init_pid, e->init_start, &init);

	if (r == -ESRCH)
		return 0;
	if (r == 0 && syscall(SYS_pidfd_send_signal, init, SIGKILL, NULL, 0) < 0 && errno != ESRCH)
		r = -errno;
	if (r < 0) {
		t->told->left++;
		return diag_fail(&t->told->why, 0, "session %.12s does not answer and cannot be ended from here: %s",
			e->id, e->foreign ? "it runs in another container" : strerror(-r));
	}
	t->told->forced++;
	return note_init(t->told, steal_fd(&init));
}

static int kill_silent(struct telling *t, const struct registry_list *l)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < l->n; i++)
		if (glob_match(t->entry->server, l->v[i].name, strlen(l->v[i].name)) && !has_answered(t, l->v[i].id))
			r = kill_init(t, &l->v[i]);
	return r;
}

static int tell(const struct paths *p, struct telling *t, enum kill_verb verb, struct diag *d)
{
	_cleanup_free_ char *text = kill_entry_text(t->entry);
	_cleanup_registry_ struct registry_list l = { 0 };
	unsigned ms = t->entry->tool ? KILL_TOOL_ANSWER_MS : KILL_ANSWER_MS;
	uint64_t until;
	int r;

	if (!text)
		return -ENOMEM;
	r = send_all(t, verb, text);
	until = io_now_us() + (uint64_t)ms * 1000;
	if (r < 0)
		return diag_fail(d, r, "cannot look for sessions: %s", strerror(-r));
	/* Read while they are about it. */
	r = registry_read(p, &l, d);
	if (r == 0)
		r = hear_until(t, until);
	if (r == 0 && verb == KILL_ORDER_KILL)
		r = kill_silent(t, &l);
	return r < 0 && !d->text[0] ? diag_fail(d, r, "cannot reach every session: %s", strerror(-r)) : r;
}

int kill_tell(const struct paths *p, enum kill_verb verb, const struct kill_entry *e, struct kill_told *ret,
	struct diag *d)
{
	struct telling t = { .told = ret, .entry = e, .dir = -1, .sock = -1, .answers = -1, .other = -1 };
	int r;

	*ret = (struct kill_told){ 0 };
	d->text[0] = '\0';
	r = open_ways(p, &t, d);
	if (r == 0)
		r = tell(p, &t, verb, d);
	telling_done(&t);
	return r;
}

void kill_told_wait(struct kill_told *t)
{
	uint64_t until = io_now_us() + (uint64_t)KILL_GONE_MS * 1000;

	for (size_t i = 0; i < t->n_inits; i++) {
		struct pollfd p = { .fd = t->inits[i], .events = POLLIN };
		uint64_t now = io_now_us();
		if (poll(&p, 1, now < until ? (int)((until - now) / 1000) + 1 : 0) <= 0)
			t->left_alive++;
	}
}
