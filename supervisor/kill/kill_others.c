/* SPDX-License-Identifier: Apache-2.0 */
/* kill_others - see kill_others.h */
#include "supervisor/kill/kill_others.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include "base/fs.h"
#include "base/io.h"
#include "base/parse.h"

void kill_others_done(struct kill_others *o)
{
	for (size_t i = 0; i < o->n; i++)
		kill_told_done(&o->v[i]);
	free(o->v);
	free(o->passed);
	*o = (struct kill_others){ 0 };
}

static bool is_told(const struct kill_others *o, uid_t uid)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->v[i].uid == uid)
			return true;
	return false;
}

static int pass_over(struct kill_others *o, uid_t uid, const char *why)
{
	int r = GROW(o->passed, o->n_passed, o->room_passed);

	if (r < 0)
		return r;
	o->passed[o->n_passed].uid = uid;
	snprintf(o->passed[o->n_passed++].why, sizeof(o->passed->why), "%s", why);
	return 0;
}

/* --- their places --- */

struct places {
	struct kill_place *v;
	size_t n, room;
};

static void places_done(struct places *p)
{
	for (size_t i = 0; i < p->n; i++)
		kill_place_done(&p->v[i]);
	free(p->v);
}

static int find_place(struct kill_others *o, int users, const char *name, struct places *p)
{
	struct kill_place place;
	uint64_t uid;
	int r;

	/* Root's own are told as any user's own are. */
	if (parse_u64(name, 1, UINT32_MAX - 1, &uid) < 0 || is_told(o, (uid_t)uid))
		return 0;
	o->more = o->n + o->n_passed + p->n == KILL_USERS_MAX;
	if (o->more)
		return 0;
	r = kill_place_open(users, name, (uid_t)uid, &place);
	/* Logged out since. */
	if (r < 0)
		return r == -ENOENT ? 0 : pass_over(o, (uid_t)uid, r == -ELOOP ? "it is a link" : strerror(-r));
	r = GROW(p->v, p->n, p->room);
	if (r == 0)
		p->v[p->n++] = place;
	else
		kill_place_done(&place);
	return r;
}

static int find_places(struct kill_others *o, struct places *p)
{
	_cleanup_close_ int users = open(KILL_USERS_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = NULL;
	int r;

	/* No login manager: there is no such place. */
	if (users < 0)
		return errno == ENOENT ? 0 : -errno;
	r = fs_list(users, &dir);
	for (const struct dirent *e; r == 0 && !o->more && (e = readdir(dir));)
		r = find_place(o, users, e->d_name, p);
	return r;
}

/* --- an order --- */

static int tell_user(struct kill_others *o, const struct kill_place *p, const struct buf *mounts, struct diag *d)
{
	char why[KILL_PLACE_WORDS] = "";
	int dir, r = kill_place_sessions(p, mounts, &dir, why);

	if (r < 0)
		return r == -ENOENT ? 0 : pass_over(o, p->uid, why);
	r = GROW(o->v, o->n, o->room);
	if (r < 0) {
		close(dir);
		return r;
	}
	o->v[o->n] = KILL_TOLD_NONE;
	return kill_tell_other(dir, p->uid, o->verb, o->entry, &o->v[o->n++], d);
}

/* Each user takes some, and each session that ends one. */
static void take_descriptors(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0)
		return;
	l.rlim_cur = l.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &l);
}

static int tell_users(struct kill_others *o, struct diag *d)
{
	_cleanup_(places_done) struct places places = { 0 };
	_cleanup_buf_ struct buf mounts = BUF_INIT(0);
	int r;

	o->n_passed = 0;
	o->more = false;
	r = find_places(o, &places);
	if (r == 0 && places.n > 0)
		r = kill_place_mounts(&mounts);
	/* Who cannot be told keeps nobody else from being. */
	for (size_t i = 0; i < places.n; i++) {
		int x = tell_user(o, &places.v[i], &mounts, d);
		r = r < 0 ? r : x;
	}
	return r < 0 ? diag_fail(d, r, "cannot reach the sessions of every user: %s", strerror(-r)) : 0;
}

int kill_others_tell(enum kill_verb verb, const struct kill_entry *e, struct kill_others *ret, struct diag *d)
{
	*ret = (struct kill_others){ .verb = verb, .entry = e };
	take_descriptors();
	return tell_users(ret, d);
}

int kill_others_tell_again(struct kill_others *o, struct diag *d)
{
	size_t before = o->n;
	int r = o->entry ? tell_users(o, d) : 0;

	for (size_t i = 0; i < before; i++) {
		int x = kill_tell_again(&o->v[i], d);
		r = r < 0 ? r : x;
	}
	return r;
}

/* One after the other, but in one time: whoever was heard late had as long as the first. */
int kill_others_hear(struct kill_others *o, enum kill_round round, struct diag *d)
{
	int r = 0;

	for (size_t i = 0; i < o->n; i++) {
		int x = kill_tell_hear(NULL, &o->v[i], round, d);
		r = r < 0 ? r : x;
	}
	return r;
}

unsigned kill_others_alive(const struct kill_others *o, uint64_t until)
{
	unsigned n = 0;

	for (size_t i = 0; i < o->n; i++)
		n += kill_told_alive(&o->v[i], until);
	return n;
}

void kill_others_add(const struct kill_others *o, struct kill_told *total)
{
	for (size_t i = 0; i < o->n; i++) {
		const struct kill_told *t = &o->v[i];
		total->reached += t->reached;
		total->forced += t->forced;
		total->left += t->left;
		if (t->left)
			total->why = t->why;
	}
}
