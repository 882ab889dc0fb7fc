/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paths - who the user is and where stockade keeps things (design.md, section 4)
 *
 * Process:  supervisor
 */
#include "supervisor/paths.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fs.h"
#include "base/names.h"
#include "base/text.h"
#include "supervisor/policy/ceilings.h"
#include "supervisor/policy/policy.h"

enum { SHOWN = 512 };

/* The primary group first, then the supplementary ones as the kernel lists them. */
static int groups_name(gid_t primary, char **ret)
{
	gid_t list[NAMES_GROUPS_MAX];
	int n = getgroups(NAMES_GROUPS_MAX, list);

	if (n < 0 && errno != EINVAL)
		return -errno;
	return names_groups(primary, list, n < 0 ? 0 : (size_t)n, n < 0, ret);
}

static bool is_own_directory(const char *path, uid_t uid, bool private)
{
	struct stat st;

	return path && path[0] == '/' && stat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == uid &&
	       (!private || (st.st_mode & 077) == 0);
}

/* $HOME of another user (su without -l) would put this one's approvals into a stranger's files: owner decides. */
static int home_find(const struct paths *p, const char *passwd_home, char **ret, struct diag *d)
{
	const char *env = getenv("HOME");
	struct stat st;

	if (is_own_directory(env, p->uid, false))
		*ret = realpath(env, NULL);
	else if (passwd_home && passwd_home[0] == '/' && stat(passwd_home, &st) == 0 && S_ISDIR(st.st_mode))
		*ret = realpath(passwd_home, NULL);
	else
		return diag_fail(d, -ENOENT,
			"user %s has no home directory: HOME is not a directory of this user and /etc/passwd names "
			"none "
			"that exists; set HOME to a directory that belongs to the user",
			p->user);
	if (!*ret)
		return diag_fail(d, -errno, "the home directory cannot be resolved: %s", strerror(errno));
	return 0;
}

/* $VAR/stockade when VAR is absolute (the XDG specification ignores relative ones), else HOME/rest/stockade. */
static int xdg_dir(const struct paths *p, const char *var, const char *rest, char **ret)
{
	_cleanup_free_ char *joined = NULL;
	const char *env = getenv(var);
	int r;

	if (env && env[0] == '/')
		r = asprintf(&joined, "%s/stockade", env);
	else
		r = asprintf(&joined, "%s/%s/stockade", p->home, rest);
	if (r < 0) {
		joined = NULL;
		return -ENOMEM;
	}
	r = fs_path_clean(joined, ret);
	if (r == -EINVAL && env && env[0] == '/')
		r = asprintf(ret, "%s/%s/stockade", p->home, rest) < 0 ? -ENOMEM : 0;
	return r;
}

static int runtime_find(struct paths *p)
{
	const char *env = getenv("XDG_RUNTIME_DIR");
	char by_uid[64];

	snprintf(by_uid, sizeof(by_uid), "/run/user/%u", p->uid);
	if (is_own_directory(env, p->uid, true))
		p->runtime_root = realpath(env, NULL);
	else if (is_own_directory(by_uid, p->uid, true))
		p->runtime_root = strdup(by_uid);
	else
		return asprintf(&p->runtime_root, "%s/run", p->state) < 0 ||
				       asprintf(&p->runtime, "%s/run", p->state) < 0
			       ? -ENOMEM
			       : 0;
	if (!p->runtime_root)
		return -errno;
	return asprintf(&p->runtime, "%s/stockade", p->runtime_root) < 0 ? -ENOMEM : 0;
}

/* Whoever moves the state directory moves what was seen with it: under a policy that would take a version back. Root,
 * who writes the policy, is not held by it. A home that is not there keeps nothing. Users of a directory service have
 * no line in /etc/passwd: theirs is HOME where root alone makes homes. */
static int seen_find(struct paths *p)
{
	_cleanup_free_ char *joined = NULL, *home = NULL;
	int r = 0;

	if (p->uid == 0 || access(POLICY_FILE, F_OK) < 0)
		return 0;
	r = ceilings_home(p, &home);
	p->seen_unknown = r == 0 && !home;
	if (r < 0 || !is_own_directory(home, p->uid, false))
		return r;
	if (asprintf(&joined, "%s/.local/state/stockade", home) < 0) {
		joined = NULL;
		return -ENOMEM;
	}
	return fs_path_clean(joined, &p->seen);
}

static int profile_dirs_init(struct paths *p)
{
	int r = strv_add(&p->profile_dirs, "/etc/stockade/profiles");

	if (r == 0)
		r = strv_add(&p->profile_dirs, STOCKADE_DATADIR "/profiles");
	if (r == 0)
		r = strv_addf(&p->profile_dirs, "%s/profiles", p->config);
	return r;
}

static int places_init(struct paths *p)
{
	int r = xdg_dir(p, "XDG_CONFIG_HOME", ".config", &p->config);

	if (r == 0)
		r = xdg_dir(p, "XDG_STATE_HOME", ".local/state", &p->state);
	if (r == 0)
		r = seen_find(p);
	if (r == 0)
		r = runtime_find(p);
	if (r == 0)
		r = profile_dirs_init(p);
	return r;
}

int paths_locate(struct paths *ret, struct diag *d)
{
	_cleanup_paths_ struct paths p = { .uid = getuid(), .gid = getgid() };
	int r;

	r = names_user(p.uid, &p.user, &p.login_home);
	if (r == 0 && !p.user && asprintf(&p.user, "%u", p.uid) < 0)
		r = -ENOMEM;
	if (r == 0)
		r = groups_name(p.gid, &p.groups);
	if (r < 0)
		return diag_fail(d, r, "the user's name and groups cannot be read: %s", strerror(-r));
	r = home_find(&p, p.login_home, &p.home, d);
	if (r < 0)
		return r;
	r = places_init(&p);
	if (r < 0)
		return diag_fail(d, r, "stockade's directories cannot be named: %s", strerror(-r));
	*ret = p;
	p = (struct paths){ 0 };
	return 0;
}

int paths_init(struct paths *ret, struct diag *d)
{
	_cleanup_paths_ struct paths p = { 0 };
	int r = paths_locate(&p, d);

	if (r == 0)
		r = paths_guard_init(&p, d);
	if (r < 0)
		return r;
	*ret = p;
	p = (struct paths){ 0 };
	return 0;
}

/* Others' eyes and hands: approvals and the log are in there. */
static int private_dir_open(const char *path, uid_t uid, const char *place, int *ret, struct diag *d)
{
	_cleanup_close_ int fd = -1;
	struct diag why = { "" };
	char shown[SHOWN];
	struct stat st;
	int r;

	/* Most often it is there; to make what is missing asks about every directory above it. */
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = fd < 0 ? fs_mkdirs(path, 0700, &fd, &why) : 0;
	if (r < 0)
		return diag_fail(d, r, "%.1024s; %s", why.text, place);
	text_escape_str(path, shown, sizeof(shown));
	if (fstat(fd, &st) < 0)
		return diag_fail(d, -errno, "%s: %s", shown, strerror(errno));
	if (st.st_uid != uid)
		return diag_fail(d, -EPERM,
			"%s belongs to user %u, not to user %u who runs stockade; move it away or give it back (chown)",
			shown, st.st_uid, uid);
	if (st.st_mode & 077)
		return diag_fail(d, -EPERM,
			"%s can be reached by others (mode %04o): look through what is in it, then make it yours alone "
			"with "
			"chmod 700",
			shown, st.st_mode & 07777);
	*ret = steal_fd(&fd);
	return 0;
}

static int open_below(
	const struct paths *p, const char *top, const char *sub, const char *place, int *ret, struct diag *d)
{
	_cleanup_close_ int above = -1;
	_cleanup_free_ char *path = NULL;
	int r = private_dir_open(top, p->uid, place, &above, d);

	if (r < 0)
		return r;
	if (!*sub) {
		*ret = steal_fd(&above);
		return 0;
	}
	if (asprintf(&path, "%s/%s", top, sub) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	return private_dir_open(path, p->uid, place, ret, d);
}

int paths_open_state(const struct paths *p, const char *sub, int *ret, struct diag *d)
{
	static const char place[] =
		"approvals, pins and the log lie there: set XDG_STATE_HOME to a directory of your own, or "
		"unset it for ~/.local/state";

	return open_below(p, p->state, sub, place, ret, d);
}

const char *paths_seen(const struct paths *p)
{
	return p->seen ? p->seen : p->state;
}

int paths_open_seen(const struct paths *p, const char *sub, int *ret, struct diag *d)
{
	static const char place[] =
		"the versions and moments that were seen lie there, wherever a variable points: make "
		"that a directory of your own";

	if (p->seen_unknown)
		return diag_fail(d, -EPERM,
			"user %s has no line in /etc/passwd, and HOME (%s) is no home that root made: which versions "
			"were seen here nobody can know, so nothing is started under the policy; set HOME to the "
			"home directory",
			p->user, p->home);
	return p->seen ? open_below(p, p->seen, sub, place, ret, d) : paths_open_state(p, sub, ret, d);
}

int paths_open_runtime(const struct paths *p, const char *sub, int *ret, struct diag *d)
{
	static const char place[] =
		"what runs and what waits is noted there: set XDG_RUNTIME_DIR to a directory of your "
		"own, or unset it";

	return open_below(p, p->runtime, sub, place, ret, d);
}

void paths_done(struct paths *p)
{
	free(p->user);
	free(p->groups);
	free(p->home);
	free(p->login_home);
	free(p->config);
	free(p->state);
	free(p->seen);
	free(p->runtime);
	free(p->runtime_root);
	strv_done(&p->profile_dirs);
	for (size_t i = 0; i < p->n_guards; i++)
		free(p->guards[i].path);
	free(p->guards);
	*p = (struct paths){ 0 };
}
