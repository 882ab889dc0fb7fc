/* SPDX-License-Identifier: Apache-2.0 */
/*
 * code_digest - see code_digest.h
 *
 * Theory: the tree is looked at by survey, names sorted bytewise, links never followed. Each entry adds one line of
 * counted fields to a running BLAKE2b: type, executable bits, relative path, and the digest of its content or its
 * link's text. Counted, so that no two different trees can give the same bytes.
 *
 * Of a git directory (.git with HEAD and objects in it) only its being there counts: every commit and fetch changes it,
 * and no runtime loads a module from it, unless a link of the tree or the command itself leads there. Then all of it
 * counts.
 */
#include "supervisor/code_digest.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fs.h"
#include "base/text.h"
#include "supervisor/code_cache.h"
#include "supervisor/survey.h"

enum { READ_CHUNK = 128 << 10, PATH_SHOWN = 512, RELATIVE_MAX = SURVEY_PATH_MAX };

struct tree {
	crypto_generichash_state hash;
	struct code_cache cache;
	uint64_t bytes;
	bool with_git, left_out, into_git; /* asked for; a git directory was passed over; a link leads into one */
	bool stamp;			   /* of a file its status and not its content */
	char path[RELATIVE_MAX];	   /* below the root, for the hash and for messages */
	size_t len;
	const char *root_path;
	int root; /* -1 where the tree is one file */
	struct survey survey;
};

static void add(struct tree *t, const void *p, uint64_t n)
{
	unsigned char count[8];

	for (size_t i = 0; i < sizeof(count); i++)
		count[i] = (unsigned char)(n >> (8 * i));
	crypto_generichash_update(&t->hash, count, sizeof(count));
	crypto_generichash_update(&t->hash, p, n);
}

static void add_entry(struct tree *t, char type, mode_t mode, const void *content, size_t n)
{
	unsigned char head[2] = { (unsigned char)type, (unsigned char)((mode & 0111) != 0) };

	add(t, head, sizeof(head));
	add(t, t->path, t->len);
	add(t, content, n);
}

static int hash_content(struct tree *t, int fd, unsigned char ret[CODE_HASH_BYTES])
{
	_cleanup_free_ char *chunk = malloc(READ_CHUNK);
	crypto_generichash_state state;

	if (!chunk)
		return -ENOMEM;
	crypto_generichash_init(&state, NULL, 0, CODE_HASH_BYTES);
	for (;;) {
		ssize_t n = read(fd, chunk, READ_CHUNK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		t->bytes += (uint64_t)n;
		if (t->bytes > CODE_BYTES_MAX)
			return -EFBIG;
		crypto_generichash_update(&state, (unsigned char *)chunk, (unsigned long long)n);
	}
	crypto_generichash_final(&state, ret, CODE_HASH_BYTES);
	return 0;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Has anybody the file open, or mapped, for writing? A store into a mapping that was written to before moves neither
 * mtime nor ctime, so the next change would not show; who opens it later moves them with the first store. The kernel
 * grants a read lease only where there is no writer (fcntl(2)); where it grants none to us at all, mtime has to do. */
static bool has_writer(int fd)
{
	if (fcntl(fd, F_SETLEASE, F_RDLCK) < 0)
		return errno == EAGAIN;
	/* An open for writing at this very moment waits until we let go, and its SIGIO is ignored. */
	return fcntl(fd, F_SETLEASE, F_UNLCK) < 0;
}

/* Behind what was seen: that it is the same file is compared by the caller. */
static int open_file(const struct tree *t)
{
	int fd;

	if (t->root >= 0)
		return fs_openat2(
			t->root, t->path + 1, O_RDONLY | O_NONBLOCK, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
	fd = open(t->root_path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

static int add_status(struct tree *t, const struct stat *st)
{
	const uint64_t fields[] = { st->st_dev, st->st_ino, (uint64_t)st->st_size, (uint64_t)st->st_mtim.tv_sec,
		(uint64_t)st->st_mtim.tv_nsec, (uint64_t)st->st_ctim.tv_sec, (uint64_t)st->st_ctim.tv_nsec };

	add_entry(t, 'f', st->st_mode, fields, sizeof(fields));
	return 0;
}

static int hash_file(struct tree *t, const struct stat *seen)
{
	_cleanup_close_ int fd = -1;
	unsigned char hash[CODE_HASH_BYTES];
	struct stat before, after;
	int r = 0;

	if (t->stamp)
		return add_status(t, seen);
	if (t->cache.dirfd < 0 || !code_cache_find(&t->cache, seen, hash)) {
		fd = open_file(t);
		if (fd < 0)
			return fd;
		if (fstat(fd, &before) < 0)
			return -errno;
		r = hash_content(t, fd, hash);
		if (r < 0)
			return r;
		/* Written to while it was read: what was hashed is what nobody will run. */
		if (fstat(fd, &after) < 0 || !same_file(seen, &before) || !same_file(&before, &after))
			return -EBUSY;
	}
	/* What came from the cache had no writer when it went there, and has not changed since. */
	if (t->cache.dirfd >= 0 && (fd < 0 || !has_writer(fd)))
		r = code_cache_keep(&t->cache, seen, hash);
	add_entry(t, 'f', seen->st_mode, hash, sizeof(hash));
	return r;
}

static bool names_git(const char *path)
{
	for (const char *at = strstr(path, ".git"); at; at = strstr(at + 1, ".git"))
		if ((at == path || at[-1] == '/') && (at[4] == '/' || !at[4]))
			return true;
	return false;
}

/* By its own words, or, where it leaves the tree, by way of links elsewhere. A link that stays inside meets others of
 * the tree. */
static bool leads_into_git(const struct tree *t, const char *text)
{
	_cleanup_free_ char *full = NULL, *real = NULL;
	const char *rest = text, *slash = strrchr(t->path, '/');
	size_t up = 0, depth = 0;

	if (names_git(text))
		return true;
	for (; strncmp(rest, "../", 3) == 0 || strcmp(rest, "..") == 0; rest += rest[2] ? 3 : 2)
		up++;
	for (size_t i = 1; i < t->len; i++)
		depth += t->path[i] == '/';
	if (*text != '/' && up <= depth && !strstr(rest, ".."))
		return false;
	/* What cannot be followed is taken for one that does. */
	if (asprintf(&full, "%s%.*s/%s", t->root_path, slash ? (int)(slash - t->path) : 0, t->path, text) < 0)
		return true;
	real = realpath(*text == '/' ? text : full, NULL);
	return real && names_git(real);
}

/* What git itself takes for a repository (gitrepository-layout(5)). */
static bool is_git_directory(const struct tree *t, size_t at)
{
	const struct survey_dir *d = t->survey.dirs[at];
	bool head = false, objects = false;

	if (strcmp(t->path + t->len - 5, "/.git") != 0)
		return false;
	for (size_t i = 0; i < d->n; i++) {
		const char *name = d->v[i].name;
		head = head || (strcmp(name, "HEAD") == 0 && S_ISREG(d->v[i].st.st_mode));
		objects = objects || (strcmp(name, "objects") == 0 && S_ISDIR(d->v[i].st.st_mode));
	}
	return head && objects;
}

static int hash_dir(struct tree *t, size_t at);

static int hash_entry(struct tree *t, const struct survey_entry *e)
{
	switch (e->st.st_mode & S_IFMT) {
	case S_IFREG:
		return hash_file(t, &e->st);
	case S_IFLNK:
		t->into_git = t->into_git || leads_into_git(t, e->link);
		add_entry(t, 'l', 0, e->link, strlen(e->link));
		return 0;
	case S_IFDIR:
		if (!t->with_git && t->len >= 5 && is_git_directory(t, e->dir)) {
			t->left_out = true;
			add_entry(t, 'g', 0, "", 0);
			return 0;
		}
		add_entry(t, 'd', 0, "", 0);
		return hash_dir(t, e->dir);
	default:
		/* A FIFO, socket or device holds no code; that it is there is bound. */
		add_entry(t, 'o', 0, "", 0);
		return 0;
	}
}

/* "/name" behind the directory's own path. */
static int enter_name(struct tree *t, size_t len, const char *name)
{
	size_t n = strlen(name);

	if (n + 2 > sizeof(t->path) - len)
		return -ENAMETOOLONG;
	t->path[len] = '/';
	memcpy(t->path + len + 1, name, n + 1);
	t->len = len + 1 + n;
	return 0;
}

static int hash_dir(struct tree *t, size_t at)
{
	const struct survey_dir *d = t->survey.dirs[at];
	size_t len = t->len;
	int r = 0;

	for (size_t i = 0; r == 0 && i < d->n; i++) {
		r = enter_name(t, len, d->v[i].name);
		if (r == 0)
			r = hash_entry(t, &d->v[i]);
	}
	if (r == 0) {
		t->len = len;
		t->path[len] = '\0';
	}
	return r;
}

/* A tree's own name is not part of it: the plan binds the path. */
static int hash_root(struct tree *t)
{
	struct survey_entry e = { 0 };
	char text[RELATIVE_MAX] = "";
	int r;

	if (lstat(t->root_path, &e.st) < 0)
		return -errno;
	if (S_ISLNK(e.st.st_mode) && readlink(t->root_path, text, sizeof(text) - 1) < 0)
		return -errno;
	e.link = text;
	if (!S_ISDIR(e.st.st_mode))
		return hash_entry(t, &e);
	t->root = open(t->root_path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (t->root < 0)
		return -errno;
	r = survey_take(t->root, SURVEY_CONTENT, &t->survey);
	if (r < 0)
		snprintf(t->path, sizeof(t->path), "%s", t->survey.failed);
	if (r == 0)
		r = hash_entry(t, &e);
	if (r < 0 || !t->left_out || !t->into_git)
		return r;
	/* Once more, with what was left out. */
	t->with_git = true;
	t->bytes = 0;
	t->cache.n_fresh = 0;
	crypto_generichash_init(&t->hash, NULL, 0, CODE_HASH_BYTES);
	return hash_entry(t, &e);
}

static void tree_freep(struct tree **t)
{
	if (!*t)
		return;
	survey_done(&(*t)->survey);
	code_cache_done(&(*t)->cache);
	if ((*t)->root >= 0)
		close((*t)->root);
	free(*t);
}

static int explain(int r, const char *path, const struct tree *t, struct diag *d)
{
	char shown[PATH_SHOWN], inner[PATH_SHOWN];
	const char *why =
		r == -EBUSY ? "it was written to while it was read: an update is going on? Try again when that is done"
		: r == -EFBIG  ? "it holds more files or bytes than code is allowed: install the server in a directory "
				 "of its own"
		: r == -EACCES ? "you may not read all of it, so it cannot be bound to your approval"
			       : strerror(-r);

	return diag_fail(d, r, "cannot take the digest of the code %s (at '%s'): %s",
		text_escape_str(path, shown, sizeof(shown)), text_escape_str(t->path, inner, sizeof(inner)), why);
}

static int begin(struct tree *t, const char *path, bool with_git)
{
	t->root = t->cache.dirfd = -1;
	t->root_path = path;
	t->with_git = with_git;
	/* Picks the vector code of this processor. */
	if (sodium_init() < 0)
		return -ENOMEM;
	crypto_generichash_init(&t->hash, NULL, 0, CODE_HASH_BYTES);
	return 0;
}

static void end(struct tree *t, char ret[CODE_DIGEST_HEX])
{
	unsigned char hash[CODE_HASH_BYTES];

	crypto_generichash_final(&t->hash, hash, sizeof(hash));
	sodium_bin2hex(ret, CODE_DIGEST_HEX, hash, sizeof(hash));
}

int code_digest_tree(const struct paths *p, const char *path, bool with_git, char ret[CODE_DIGEST_HEX], struct diag *d)
{
	_cleanup_(tree_freep) struct tree *t = calloc(1, sizeof(*t));
	_cleanup_close_ int root = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int r = t ? begin(t, path, with_git) : -ENOMEM;

	if (r < 0)
		return r;
	signal(SIGIO, SIG_IGN);
	if (root < 0 || fstat(root, &st) < 0)
		return explain(-errno, path, t, d);
	r = p ? code_cache_open(p, &st, &t->cache, d) : 0;
	if (r < 0)
		return r;
	r = hash_root(t);
	if (r < 0)
		return explain(r, path, t, d);
	if (p)
		code_cache_save(&t->cache);
	end(t, ret);
	return 0;
}

int code_stamp_tree(const char *path, bool with_git, struct stat *ret_root, char ret[CODE_DIGEST_HEX], struct diag *d)
{
	_cleanup_(tree_freep) struct tree *t = calloc(1, sizeof(*t));
	int r = t ? begin(t, path, with_git) : -ENOMEM;

	if (r < 0)
		return r;
	t->stamp = true;
	if (lstat(path, ret_root) < 0)
		return explain(-errno, path, t, d);
	add(t, &ret_root->st_dev, sizeof(ret_root->st_dev));
	add(t, &ret_root->st_ino, sizeof(ret_root->st_ino));
	r = hash_root(t);
	if (r < 0)
		return explain(r, path, t, d);
	end(t, ret);
	return 0;
}

/* --- root only --- */

static int ancestors_root_only(const char *path, bool *ret)
{
	_cleanup_free_ char *copy = strdup(path);
	struct stat st;

	if (!copy)
		return -ENOMEM;
	*ret = lstat("/", &st) == 0 && survey_root_alone(&st) && !fs_is_served_at(AT_FDCWD, "/");
	for (char *slash = copy; *ret && (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		*ret = lstat(copy, &st) == 0 && survey_root_alone(&st) && !fs_is_served_at(AT_FDCWD, copy);
		*slash = '/';
	}
	return 0;
}

/* A link is as root made it; what it leads to elsewhere is another question, for the caller. row: "DIR\tTEXT". */
static int note_outward(const char *root, const char *row, struct strv *ret)
{
	const char *text = row + strcspn(row, "\t") + 1;
	_cleanup_free_ char *full = NULL, *target = NULL;

	if (asprintf(&full, "%s/%.*s/%s", root, (int)strcspn(row, "\t"), row, text) < 0)
		return -ENOMEM;
	target = realpath(*text == '/' ? text : full, NULL);
	/* One that leads nowhere loads nothing. */
	if (!target || fs_path_within(target, root) || strv_contains(ret, target))
		return 0;
	return strv_add(ret, target);
}

static int below_root_only(const char *path, bool *ret, struct strv *outward)
{
	_cleanup_survey_ struct survey survey = { 0 };
	_cleanup_close_ int root = -1;
	struct stat st;
	int r;

	if (lstat(path, &st) < 0)
		return -errno;
	*ret = survey_root_alone(&st) && !fs_is_served_at(AT_FDCWD, path);
	if (!*ret || !S_ISDIR(st.st_mode))
		return 0;
	root = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* What we may not list, the server may not either; but nothing is known of it. */
	r = root < 0 ? SURVEY_OTHERS : survey_take(root, SURVEY_OWNERS, &survey);
	*ret = r == 0;
	for (size_t i = 0; r == 0 && outward && i < survey.links.n; i++)
		r = note_outward(path, survey.links.v[i], outward);
	return r < 0 ? r : 0;
}

int code_is_root_only(const char *path, bool *ret, struct strv *outward, struct diag *d)
{
	char shown[PATH_SHOWN];
	int r = ancestors_root_only(path, ret);

	if (r == 0 && *ret)
		r = below_root_only(path, ret, outward);
	return r < 0 ? diag_fail(d, r, "cannot see who may write the code %s: %s",
			       text_escape_str(path, shown, sizeof(shown)),
			       r == -EFBIG ? "too many files" : strerror(-r))
		     : 0;
}

int code_links_out(const char *path, struct strv *ret, struct diag *d)
{
	_cleanup_survey_ struct survey survey = { 0 };
	_cleanup_close_ int root = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char shown[PATH_SHOWN];
	int r = root >= 0 ? survey_take(root, SURVEY_CONTENT, &survey) : errno == ENOTDIR ? 0 : -errno;

	for (size_t i = 0; r == 0 && i < survey.n; i++)
		for (size_t k = 0; r == 0 && k < survey.dirs[i]->n; k++) {
			_cleanup_free_ char *row = NULL;
			if (!survey.dirs[i]->v[k].link)
				continue;
			if (asprintf(&row, "%s\t%s", survey.dirs[i]->path, survey.dirs[i]->v[k].link) < 0)
				row = NULL;
			r = row ? note_outward(path, row, ret) : -ENOMEM;
		}
	return r < 0 ? diag_fail(d, r, "cannot see where the links of the code %s lead: %s",
			       text_escape_str(path, shown, sizeof(shown)), strerror(-r))
		     : 0;
}
