/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ceiling_paths - ceilings on files, directories and sockets (ceilings.h)
 *
 * A path of the policy is what root wrote down. It is compared with where a grant leads to in the end, every link on
 * its way followed; of the policy's own path only links are followed that root alone could have made. So a user who
 * turns a directory of the policy into a link to elsewhere has turned the grant away, not the ceiling.
 *
 * What may be written may be read. Where reading alone is bounded, a grant for writing is bounded with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/fs.h"
#include "base/text.h"
#include "supervisor/policy/ceiling_parts.h"

enum { SHOWN = 512, LINKS_MAX = 40 };

/* --- the policy's own paths --- */

static bool only_root_writes(const struct stat *st)
{
	return st->st_uid == 0 && !(st->st_mode & 022);
}

/* A link that root made, in a directory that root alone can write: its text. */
static bool trusted_link(const char *dir, const char *path, char ret[PATH_MAX])
{
	struct stat st, above;
	ssize_t n;

	if (lstat(path, &st) < 0 || !S_ISLNK(st.st_mode) || st.st_uid != 0 || stat(dir, &above) < 0 ||
		!only_root_writes(&above))
		return false;
	n = readlink(path, ret, PATH_MAX - 1);
	if (n <= 0)
		return false;
	ret[n] = 0;
	return true;
}

static void up(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash)
		*slash = 0;
}

/* One more name below what is resolved; a link to follow goes in front of what is left. */
static int step(char at[PATH_MAX], const char *name, size_t n, char left[PATH_MAX], unsigned *links)
{
	char here[PATH_MAX], text[PATH_MAX], rest[PATH_MAX];

	if (n == 0 || (n == 1 && *name == '.'))
		return 0;
	if (n == 2 && name[0] == '.' && name[1] == '.') {
		up(at);
		return 0;
	}
	if (snprintf(here, sizeof(here), "%s/%.*s", at, (int)n, name) >= (int)sizeof(here))
		return -ENAMETOOLONG;
	if (!trusted_link(*at ? at : "/", here, text)) {
		memcpy(at, here, strlen(here) + 1);
		return 0;
	}
	if (++*links > LINKS_MAX || snprintf(rest, sizeof(rest), "%s/%s", text, left) >= (int)sizeof(rest))
		return -ELOOP;
	if (*text == '/')
		*at = 0;
	memcpy(left, rest, strlen(rest) + 1);
	return 0;
}

int ceiling_resolve(const char *path, char **ret)
{
	char at[PATH_MAX] = "", left[PATH_MAX], next[PATH_MAX];
	unsigned links = 0;

	if (snprintf(left, sizeof(left), "%s", path) >= (int)sizeof(left))
		return -ENAMETOOLONG;
	while (*left) {
		size_t n = strcspn(left, "/");
		char name[PATH_MAX];
		memcpy(name, left, n);
		snprintf(next, sizeof(next), "%s", left[n] ? left + n + 1 : "");
		memcpy(left, next, strlen(next) + 1);
		int r = step(at, name, n, left, &links);
		if (r < 0)
			return r;
	}
	*ret = strdup(*at ? at : "/");
	return *ret ? 0 : -ENOMEM;
}

/* Where root's directories hold directories of each user's that are no homes: /run/user/1000, /proc/4711. */
static bool is_no_place_for_homes(const char *path)
{
	static const char *const places[] = { "/proc", "/sys", "/dev", "/run" };

	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (fs_path_within(path, places[i]))
			return true;
	return false;
}

int ceilings_home(const struct paths *p, char **ret)
{
	_cleanup_free_ char *above = NULL;
	struct stat st;

	*ret = NULL;
	if (p->login_home && p->login_home[0] == '/')
		return ceiling_resolve(p->login_home, ret);
	above = strdup(p->home);
	if (!above)
		return -ENOMEM;
	up(above);
	if (stat(*above ? above : "/", &st) < 0 || !only_root_writes(&st) || is_no_place_for_homes(p->home))
		return 0;
	*ret = strdup(p->home);
	return *ret ? 0 : -ENOMEM;
}

/* Where a path of the policy is; *ret NULL: it is in a home that nobody knows. */
static int locate(const struct paths *p, const char *path, char **ret)
{
	size_t skip = *path == '~' ? 1 : strncmp(path, "${HOME}", 7) == 0 ? 7 : 0;
	_cleanup_free_ char *home = NULL, *whole = NULL;
	int r = skip ? ceilings_home(p, &home) : 0;

	*ret = NULL;
	if (r < 0 || (skip && !home))
		return r;
	if (asprintf(&whole, "%s%s", skip ? home : "", path + skip) < 0) {
		whole = NULL;
		return -ENOMEM;
	}
	return ceiling_resolve(whole, ret);
}

/* The lists of the policy that a grant is held against, where they are. */
struct bounds {
	struct profile_items v; /* borrowed words in `where`, own paths in `value` */
};

static void bounds_done(struct bounds *b)
{
	for (size_t i = 0; i < b->v.n; i++)
		free(b->v.v[i].value);
	free(b->v.v);
}

static int bounds_add(const struct paths *p, struct bounds *b, const struct profile_items *list)
{
	for (size_t i = 0; i < list->n; i++) {
		char *path;
		int r = locate(p, list->v[i].value, &path);
		struct profile_item *v;

		if (r < 0)
			return r;
		if (!path)
			continue;
		v = reallocarray(b->v.v, b->v.n + 1, sizeof(*v));
		if (!v) {
			free(path);
			return -ENOMEM;
		}
		b->v.v = v;
		v[b->v.n++] = (struct profile_item){ .value = path, .where = list->v[i].where };
	}
	return 0;
}

static const struct profile_item *bound_over(const struct bounds *b, const char *path)
{
	for (size_t i = 0; i < b->v.n; i++)
		if (fs_path_within(path, b->v.v[i].value))
			return &b->v.v[i];
	return NULL;
}

/* --- grants --- */

/* Where it leads to; of what is not there, its name: whoever opens it says so. */
static int destination(const char *path, char **ret)
{
	*ret = realpath(path, NULL);
	if (*ret || errno == ENOMEM)
		return *ret ? 0 : -ENOMEM;
	return fs_path_clean(path, ret);
}

static int items_add(struct profile_items *l, const char *value, const char *where, const char *by, bool optional)
{
	struct profile_item *v = reallocarray(l->v, l->n + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	l->v = v;
	v[l->n] = (struct profile_item){ .value = strdup(value), .where = strdup(where), .optional = optional };
	l->n++;
	if (!v[l->n - 1].value || !v[l->n - 1].where)
		return -ENOMEM;
	return by ? ceiling_where(&v[l->n - 1].where, by) : 0;
}

static void items_replace(struct profile_items *l, struct profile_items *by)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].value);
		free(l->v[i].where);
	}
	free(l->v);
	by->set = l->set;
	*l = *by;
	*by = (struct profile_items){ 0 };
}

/* The directories of the policy that lie in the granted one. *ret_n: how many. */
static int add_inner(
	const struct bounds *b, const struct profile_item *x, const char *to, struct profile_items *out, size_t *ret_n)
{
	int r = 0;

	*ret_n = 0;
	for (size_t i = 0; r == 0 && i < b->v.n; i++) {
		const struct profile_item *inner = &b->v.v[i];
		_cleanup_free_ char *real = fs_path_within(inner->value, to) ? realpath(inner->value, NULL) : NULL;
		/* A link that its user made there leads to elsewhere. */
		if (!real || strcmp(real, inner->value) != 0)
			continue;
		r = items_add(out, inner->value, x->where, inner->where, false);
		(*ret_n)++;
	}
	return r;
}

struct cutting {
	struct effective *e;
	const char *where;	    /* of the ceiling */
	const char *what;	    /* "for reading" */
	struct profile_items *rest; /* what could not be kept whole, as it was; NULL: it goes */
};

static int say_path(const struct cutting *x, const struct profile_item *v, size_t inner)
{
	return ceiling_say(x->e, x->where, "%s %s, asked for by %s%s%s", v->value, x->what, v->where,
		inner ? ": only what the policy allows in it" : "", x->rest ? ": if at all, it may be read" : "");
}

static int cut_item(
	const struct cutting *x, const struct bounds *b, const struct profile_item *v, struct profile_items *out)
{
	_cleanup_free_ char *to = NULL;
	size_t inner = 0;
	int r = destination(v->value, &to);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	if (bound_over(b, to))
		return items_add(out, v->value, v->where, NULL, v->optional);
	if (v->optional && access(v->value, F_OK) < 0)
		return 0;
	r = add_inner(b, v, to, out, &inner);
	if (r == 0)
		r = say_path(x, v, inner);
	return r == 0 && x->rest ? items_add(x->rest, v->value, v->where, x->where, v->optional) : r;
}

static int cut_paths(const struct cutting *x, const struct bounds *b, struct profile_items *items)
{
	struct profile_items out = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < items->n; i++)
		r = cut_item(x, b, &items->v[i], &out);
	items_replace(items, &out);
	return r;
}

/* Writing first: what may not be written may still be read. */
static int cut_files(const struct paths *p, struct effective *e)
{
	const struct policy_ceilings *c = &e->policy.ceilings;
	const char *read = policy_ceiling(c, "filesystem.read"), *write = policy_ceiling(c, "filesystem.write");
	struct profile_items *reads = &e->profile.fs_read, *writes = &e->profile.fs_write;
	struct bounds to_read = { 0 }, to_write = { 0 };
	int r = bounds_add(p, &to_write, &c->bounds.fs_write);

	if (r == 0)
		r = bounds_add(p, &to_read, &c->bounds.fs_read);
	if (r == 0)
		r = bounds_add(p, &to_read, &c->bounds.fs_write);
	if (r == 0 && write)
		r = cut_paths(&(struct cutting){ e, write, "for writing", reads }, &to_write, writes);
	if (r == 0 && read && !write)
		r = cut_paths(&(struct cutting){ e, read, "for reading and writing", NULL }, &to_read, writes);
	if (r == 0 && read)
		r = cut_paths(&(struct cutting){ e, read, "for reading", NULL }, &to_read, reads);
	bounds_done(&to_read);
	bounds_done(&to_write);
	return r;
}

/* Whoever could make his home unknown would have what is hidden in it shown. */
static int refuse_unknown_home(const struct paths *p, const struct profile_item *denial, struct diag *d)
{
	char path[SHOWN], home[SHOWN];

	return diag_fail(d, -EPERM,
		"policy hides %s (%s), and the home of user %s is not known: /etc/passwd does not name the user, and "
		"HOME (%s) lies in none of root's directories for homes; set HOME to the user's home",
		text_escape_str(denial->value, path, sizeof(path)), denial->where, p->user,
		text_escape_str(p->home, home, sizeof(home)));
}

/* Patterns as they are, paths where they are. */
static int add_denials(const struct paths *p, struct effective *e, struct diag *d)
{
	const struct profile_items *from = &e->policy.ceilings.bounds.fs_deny;
	int r = 0;

	for (size_t i = 0; r == 0 && i < from->n; i++) {
		_cleanup_free_ char *path = NULL;
		const char *text = from->v[i].value;
		bool absolute = strchr("/~$", *text);
		if (absolute)
			r = locate(p, text, &path);
		if (r == 0 && absolute && !path)
			return refuse_unknown_home(p, &from->v[i], d);
		if (r == 0)
			r = items_add(&e->profile.fs_deny, path ? path : text, from->v[i].where, NULL, false);
	}
	return r;
}

/* A socket is granted as it is or not at all, and only by the name that it has. */
static int cut_sockets(const struct paths *p, struct effective *e)
{
	const struct policy_ceilings *c = &e->policy.ceilings;
	const char *where = policy_ceiling(c, "ipc.unix");
	struct profile_items *items = &e->profile.unix_sockets, out = { 0 };
	struct bounds b = { 0 };
	int r = bounds_add(p, &b, &c->bounds.unix_sockets);

	for (size_t i = 0; where && r == 0 && i < items->n; i++) {
		const struct profile_item *v = &items->v[i];
		_cleanup_free_ char *to = NULL;
		r = destination(v->value, &to);
		if (r == 0 && bound_over(&b, to) && strcmp(to, v->value) == 0)
			r = items_add(&out, v->value, v->where, NULL, v->optional);
		else if (r == 0)
			r = ceiling_say(e, where, "the socket %s, asked for by %s", v->value, v->where);
	}
	bounds_done(&b);
	if (where)
		items_replace(items, &out);
	return r;
}

/* Roots name what is granted; those of the policy bound which of it. Without a list of its own: all that is granted. */
static int cut_roots(const struct paths *p, struct effective *e)
{
	const char *where = policy_ceiling(&e->policy.ceilings, "client.roots");
	struct profile *f = &e->profile;
	struct bounds b = { 0 };
	size_t said = e->n_lines;
	int r = where ? bounds_add(p, &b, &e->policy.ceilings.bounds.roots) : 0;

	for (size_t i = 0; r == 0 && where && !f->roots.set && i < f->fs_read.n + f->fs_write.n; i++) {
		const struct profile_item *v = i < f->fs_read.n ? &f->fs_read.v[i] : &f->fs_write.v[i - f->fs_read.n];
		r = items_add(&f->roots, v->value, v->where, NULL, true);
	}
	if (r == 0 && where)
		r = cut_paths(&(struct cutting){ e, where, "as a root", NULL }, &b, &f->roots);
	if (r == 0 && e->n_lines > said)
		r = places_cut(&f->places, "client.roots", where);
	f->roots.set = f->roots.set || where;
	/* One that is granted no more is none, and no reason to start nothing. */
	for (size_t i = 0; i < f->roots.n && (where || policy_ceiling(&e->policy.ceilings, "filesystem.read") ||
						     policy_ceiling(&e->policy.ceilings, "filesystem.write"));
		i++)
		f->roots.v[i].optional = true;
	bounds_done(&b);
	return r;
}

int ceiling_paths(const struct paths *p, struct effective *e, struct diag *d)
{
	int r = cut_files(p, e);

	if (r == 0)
		r = add_denials(p, e, d);
	if (r == -EPERM)
		return r;
	if (r == 0)
		r = cut_sockets(p, e);
	if (r == 0)
		r = cut_roots(p, e);
	return r < 0 ? diag_fail(d, r, "the paths of the policy cannot be looked at: %s", strerror(-r)) : 0;
}

/* Between the look above and the opening somebody could have turned a link. */
int ceilings_check_opened(const struct paths *p, const struct effective *e, const struct fs_grants *g, struct diag *d)
{
	const struct policy_ceilings *c = &e->policy.ceilings;
	const char *read = policy_ceiling(c, "filesystem.read"), *write = policy_ceiling(c, "filesystem.write");
	struct bounds to_read = { 0 }, to_write = { 0 };
	char shown[SHOWN];
	int r = bounds_add(p, &to_write, &c->bounds.fs_write);

	if (r == 0)
		r = bounds_add(p, &to_read, &c->bounds.fs_read);
	if (r == 0)
		r = bounds_add(p, &to_read, &c->bounds.fs_write);
	for (size_t i = 0; r == 0 && i < g->n; i++) {
		const char *path = g->v[i].canonical;
		bool held = (!read || bound_over(&to_read, path)) &&
			    (!write || !g->v[i].write || bound_over(&to_write, path));
		if (!held)
			r = diag_fail(d, -EPERM,
				"%s (%s) is not where it was a moment ago, and what the policy allows (%s) does not "
				"hold it: nothing is started; start it again",
				text_escape_str(path, shown, sizeof(shown)), g->v[i].where, write ? write : read);
	}
	bounds_done(&to_read);
	bounds_done(&to_write);
	return r;
}

/* Is what will be mounted, which enter holds against these numbers, a socket where the policy grants any? */
static bool socket_held(const struct bounds *b, const struct plan_mount *m)
{
	_cleanup_close_ int fd = open(m->source, O_PATH | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_free_ char *path = NULL;
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && st.st_dev == m->dev && st.st_ino == m->ino &&
	       fs_fd_path(fd, &path) == 0 && bound_over(b, path);
}

int ceilings_check_sockets(const struct paths *p, const struct effective *e, struct diag *d)
{
	const char *where = policy_ceiling(&e->policy.ceilings, "ipc.unix");
	struct bounds b = { 0 };
	char shown[SHOWN];
	int r = where ? bounds_add(p, &b, &e->policy.ceilings.bounds.unix_sockets) : 0;

	for (size_t i = 0; where && r == 0 && i < e->plan.n_mounts; i++) {
		const struct plan_mount *m = &e->plan.mounts[i];
		if (m->kind == PLAN_BIND && m->type == S_IFSOCK && !socket_held(&b, m))
			r = diag_fail(d, -EPERM,
				"the socket %s is not where it was a moment ago, and what the policy allows (%s) does "
				"not hold it: nothing is started; start it again",
				text_escape_str(m->source, shown, sizeof(shown)), where);
	}
	bounds_done(&b);
	return r;
}
