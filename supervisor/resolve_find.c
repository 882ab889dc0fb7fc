/* SPDX-License-Identifier: Apache-2.0 */
/* resolve_find - words to files (resolve_internal.h) */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include "base/io.h"
#include "supervisor/resolve_internal.h"

void found_done(struct found *f)
{
	free(f->path);
	free(f->real);
	*f = (struct found){ 0 };
}

/* --- small helpers on paths --- */

char *resolve_join(const char *dir, const char *name)
{
	char *s = NULL;

	if (asprintf(&s, "%s/%s", strcmp(dir, "/") == 0 ? "" : dir, name) < 0)
		return NULL;
	return s;
}

char *resolve_dirname(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

const char *resolve_basename(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool resolve_is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool resolve_is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool resolve_is_executable(const char *path)
{
	return resolve_is_file(path) && faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0;
}

int resolve_read(const char *path, struct buf *b)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size > RESOLVE_TEXT_MAX)
		return -EFBIG;
	return io_read_all(fd, b);
}

int resolve_absolute(const struct resolve *c, const char *word, char **ret)
{
	*ret = *word == '/' ? strdup(word) : resolve_join(c->cwd, word);
	return *ret ? 0 : -ENOMEM;
}

/* --- walking a path, link by link --- */

struct walk {
	char at[PATH_MAX];   /* canonical so far; "" is the root */
	char rest[PATH_MAX]; /* still to go */
	int links;
};

static int walk_link(struct walk *w, const char *link, const char *text, struct strv *links)
{
	char rest[PATH_MAX];
	int r = 0;

	if (++w->links > RESOLVE_LINKS_MAX)
		return -ELOOP;
	/* A tab would forge the row; no tool makes such a name. */
	if (strpbrk(link, "\t\n") || strpbrk(text, "\t\n"))
		return -EINVAL;
	if (links)
		r = strv_addf(links, "%s\t%s", link, text);
	if (r < 0)
		return r;
	if (snprintf(rest, sizeof(rest), "%s/%s", text, w->rest) >= (int)sizeof(rest))
		return -ENAMETOOLONG;
	memcpy(w->rest, rest, strlen(rest) + 1);
	if (*text == '/')
		*w->at = '\0';
	return 0;
}

static int walk_name(struct walk *w, const char *name, struct strv *links)
{
	char here[PATH_MAX], text[PATH_MAX];
	ssize_t n;

	if (strcmp(name, "") == 0 || strcmp(name, ".") == 0)
		return 0;
	if (strcmp(name, "..") == 0) {
		char *slash = strrchr(w->at, '/');
		if (slash)
			*slash = '\0';
		return 0;
	}
	if (snprintf(here, sizeof(here), "%s/%s", w->at, name) >= (int)sizeof(here))
		return -ENAMETOOLONG;
	n = readlink(here, text, sizeof(text) - 1);
	if (n >= 0) {
		text[n] = '\0';
		return walk_link(w, here, text, links);
	}
	if (errno != EINVAL)
		return -errno;
	memcpy(w->at, here, strlen(here) + 1);
	return 0;
}

int resolve_walk(const char *path, char **ret, struct strv *links)
{
	struct walk w = { .at = "" };
	char name[NAME_MAX + 1];

	if (*path != '/')
		return -EINVAL;
	if (snprintf(w.rest, sizeof(w.rest), "%s", path) >= (int)sizeof(w.rest))
		return -ENAMETOOLONG;
	while (*w.rest) {
		size_t n = strcspn(w.rest, "/");
		if (n > NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(name, w.rest, n);
		name[n] = '\0';
		memmove(w.rest, w.rest + n + (w.rest[n] == '/'), strlen(w.rest + n + (w.rest[n] == '/')) + 1);
		int r = walk_name(&w, name, links);
		if (r < 0)
			return r;
	}
	*ret = strdup(*w.at ? w.at : "/");
	return *ret ? 0 : -ENOMEM;
}

/* --- PATH --- */

/* REALDIR of a "SHIMDIR\tREALDIR" row that stands for dir, or NULL. */
static const char *stand_for(const char *row, const char *dir)
{
	size_t n = strlen(dir);

	return strncmp(row, dir, n) == 0 && row[n] == '\t' ? row + n + 1 : NULL;
}

static int try_dir(const char *dir, const char *name, char **ret)
{
	_cleanup_free_ char *path = resolve_join(dir, name);

	if (!path)
		return -ENOMEM;
	if (!resolve_is_executable(path))
		return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ? -EACCES : -ENOENT;
	*ret = STEAL_PTR(path);
	return 0;
}

int resolve_lookup(struct resolve *c, const char *name, const char *except, char **ret)
{
	int missing = -ENOENT;

	for (size_t i = 0; i < c->dirs.n; i++) {
		const char *dir = c->dirs.v[i];
		int r = -ENOENT;
		for (size_t k = 0; r != 0 && k < c->stands.n; k++) {
			const char *real = stand_for(c->stands.v[k], dir);
			if (real)
				r = try_dir(real, name, ret);
		}
		if (r != 0 && (!except || strcmp(dir, except) != 0))
			r = try_dir(dir, name, ret);
		if (r == 0 || r == -ENOMEM)
			return r;
		if (r == -EACCES)
			missing = -EACCES;
	}
	return missing;
}

/* --- what to say when there is nothing --- */

/* '*' stands for every entry. Below the home unless absolute. */
static const char *const usual_dirs[] = {
	"/usr/local/bin",
	".local/bin",
	".local/share/mcp/node_modules/.bin", /* where the refusal of npx says to install */
	".local/share/mcp",
	".local/share/mcp/bin",
	"bin",
	".nvm/versions/node/*/bin",
	".local/share/fnm/aliases/default/bin",
	".volta/bin",
	".local/share/mise/shims",
	".asdf/shims",
	".pyenv/shims",
	".nodenv/shims",
	".rbenv/shims",
	".npm-global/bin",
	".local/share/pnpm",
	".bun/bin",
	".deno/bin",
	".cargo/bin",
	"go/bin",
	".dotnet",
	".dotnet/tools",
	".sdkman/candidates/java/current/bin",
	"/usr/local/go/bin",
	"/home/linuxbrew/.linuxbrew/bin",
	"/usr/sbin",
	"/sbin",
	"/snap/bin",
};

static int hint_one(const char *dir, const char *name, struct strv *ret)
{
	_cleanup_free_ char *path = resolve_join(dir, name);

	return path && resolve_is_executable(path) ? strv_add(ret, path) : 0;
}

static int hint_star(const char *dir, const char *star, const char *name, struct strv *ret)
{
	_cleanup_free_ char *base = strndup(dir, (size_t)(star - dir - 1));
	_cleanup_closedir_ DIR *list = base ? opendir(base) : NULL;
	struct dirent *e;
	int r = 0;

	while (r == 0 && list && (e = readdir(list))) {
		char sub[PATH_MAX];
		if (*e->d_name != '.' &&
			snprintf(sub, sizeof(sub), "%s/%s%s", base, e->d_name, star + 1) < (int)sizeof(sub))
			r = hint_one(sub, name, ret);
	}
	return r;
}

static int add_hints(const struct resolve *c, const char *name, struct strv *ret)
{
	static const char *const here[] = { "node_modules/.bin", ".venv/bin", "venv/bin" };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(here); i++) {
		_cleanup_free_ char *dir = resolve_join(c->cwd, here[i]);
		r = dir ? hint_one(dir, name, ret) : -ENOMEM;
	}
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(usual_dirs); i++) {
		_cleanup_free_ char *dir =
			*usual_dirs[i] == '/' ? strdup(usual_dirs[i]) : resolve_join(c->p->home, usual_dirs[i]);
		char *star = dir ? strchr(dir, '*') : NULL;
		if (!dir)
			return -ENOMEM;
		r = star ? hint_star(dir, star, name, ret) : hint_one(dir, name, ret);
	}
	return r;
}

static int say_missing(struct resolve *c, const char *word, int err)
{
	_cleanup_strv_ struct strv at = { 0 };
	const char *name = SHOWN(word);

	if (err == -EACCES)
		return diag_fail(c->d, -EACCES,
			"'%s' is in a directory of PATH, but is no executable file that this user may run; make it "
			"executable or name another",
			name);
	if (*word == '~')
		return diag_fail(c->d, -ENOENT,
			"'%s' was not found: '~' is expanded by a shell, and no shell is used here; write %s%s", name,
			c->p->home, SHOWN(word + 1));
	if (add_hints(c, word, &at) < 0)
		return -ENOMEM;
	if (at.n == 0)
		return diag_fail(c->d, -ENOENT,
			"'%s' was not found in PATH, nor where such programs are usually installed; install it, or "
			"write its absolute path",
			name);
	return diag_fail(c->d, -ENOENT,
		"'%s' was not found in PATH (programs started from a desktop get a short one), but exists as %s%s%s; "
		"write that absolute path instead of '%s'",
		name, SHOWN(at.v[0]), at.n > 1 ? " and " : "", at.n > 1 ? SHOWN(at.v[1]) : "", name);
}

/* --- one word --- */

int resolve_venv_of(const char *path, char **ret)
{
	_cleanup_free_ char *bin = resolve_dirname(path), *root = bin ? resolve_dirname(bin) : NULL;
	_cleanup_free_ char *cfg = root ? resolve_join(root, "pyvenv.cfg") : NULL;

	*ret = NULL;
	if (!cfg)
		return -ENOMEM;
	if (resolve_is_file(cfg))
		*ret = STEAL_PTR(root);
	return 0;
}

static int check_runnable(struct resolve *c, const char *path, const char *real)
{
	struct stat st;

	if (stat(real, &st) < 0)
		return diag_fail(c->d, errno == ENOENT ? -ENOENT : -EACCES, "cannot examine %s: %s", SHOWN(real),
			strerror(errno));
	if (S_ISDIR(st.st_mode))
		return diag_fail(c->d, -EACCES, "%s is a directory; name the program in it", SHOWN(path));
	if (!S_ISREG(st.st_mode))
		return diag_fail(c->d, -EACCES, "%s is not a regular file, so it cannot be run", SHOWN(path));
	if (faccessat(AT_FDCWD, real, X_OK, AT_EACCESS) < 0)
		return diag_fail(c->d, -EACCES,
			"%s is not executable for this user; make it so (chmod +x), or put its interpreter before it",
			SHOWN(path));
	return 0;
}

static int say_walk(struct resolve *c, const char *path, int err)
{
	switch (err) {
	case -ENOENT:
	case -ENOTDIR:
		return diag_fail(c->d, -ENOENT,
			"%s does not exist, or is a link to what does not exist; install it again or correct the path",
			SHOWN(path));
	case -ELOOP:
		return diag_fail(
			c->d, -EACCES, "%s is a symbolic link that leads in a circle; install it again", SHOWN(path));
	case -EINVAL:
		return diag_fail(c->d, -EACCES,
			"%s leads through a link with a tab or line break in its name, which is refused", SHOWN(path));
	default:
		return diag_fail(
			c->d, err == -ENOMEM ? err : -EACCES, "cannot follow %s: %s", SHOWN(path), strerror(-err));
	}
}

/* The file behind path: its directory canonical, then the link itself (a venv's python) or what it leads to. */
static int locate(struct resolve *c, const char *path, struct found *ret)
{
	_cleanup_free_ char *dir = resolve_dirname(path), *in = NULL;
	const char *name = resolve_basename(path);
	int r;

	if (!dir)
		return -ENOMEM;
	found_done(ret);
	r = resolve_walk(dir, &in, NULL);
	if (r == 0)
		r = resolve_walk(path, &ret->real, NULL);
	if (r < 0)
		return say_walk(c, path, r);
	ret->path =
		*name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 ? resolve_join(in, name) : strdup(ret->real);
	return ret->path ? 0 : -ENOMEM;
}

static int look_through(struct resolve *c, struct found *f)
{
	for (int i = 0; i < RESOLVE_DEPTH_MAX; i++) {
		_cleanup_free_ char *behind = NULL;
		int r = resolve_shim(c, f->path, f->real, &behind);
		if (r <= 0)
			return r;
		r = locate(c, behind, f);
		if (r < 0)
			return r;
		f->shim = true;
	}
	return diag_fail(c->d, -ENOEXEC,
		"%s is a version manager's shim that leads to another, more than %d deep; write the absolute path of "
		"the program",
		SHOWN(f->path), RESOLVE_DEPTH_MAX);
}

/* Only a venv's python is run by the name it was found under: pyvenv.cfg is looked for beside that name. */
static int settle_path(struct found *f)
{
	_cleanup_free_ char *venv = NULL;
	int r = 0;

	if (resolve_family(resolve_basename(f->path)) == FAMILY_PYTHON)
		r = resolve_venv_of(f->path, &venv);
	if (r < 0 || venv)
		return r;
	free(f->path);
	f->path = strdup(f->real);
	return f->path ? 0 : -ENOMEM;
}

int resolve_find(struct resolve *c, const char *word, bool record, struct found *ret)
{
	_cleanup_free_ char *path = NULL, *real = NULL, *first = NULL;
	int r;

	if (!*word)
		return diag_fail(c->d, -ENOENT, "the command's first word is empty; name a program");
	r = strchr(word, '/') ? resolve_absolute(c, word, &path) : resolve_lookup(c, word, NULL, &path);
	if (r == -ENOENT || r == -EACCES)
		return say_missing(c, word, r);
	if (r == 0 && *word == '~' && access(path, F_OK) < 0)
		return say_missing(c, word, -ENOENT);
	if (r == 0)
		r = locate(c, path, ret);
	if (r == 0)
		r = look_through(c, ret);
	if (r == 0)
		r = check_runnable(c, ret->path, ret->real);
	if (r == 0)
		r = settle_path(ret);
	if (r == 0 && (ret->shim || !record))
		r = resolve_walk(path, &first, &c->ret->first_links);
	if (r == 0 && !ret->shim && record)
		r = resolve_walk(path, &real, &c->links);
	if (r == 0 && strcmp(ret->path, ret->real) != 0) {
		free(STEAL_PTR(real));
		r = resolve_walk(ret->path, &real, &c->links);
	}
	return r;
}
