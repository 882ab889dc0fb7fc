/* SPDX-License-Identifier: Apache-2.0 */
/*
 * code_digest - see code_digest.h
 *
 * Theory: the tree is walked by descriptors, names sorted bytewise, links never followed. Each entry adds one line of
 * counted fields to a running BLAKE2b: type, executable bits, relative path, and the digest of its content or its link's
 * text. Counted, so that no two different trees can give the same bytes.
 */
#include "supervisor/code_digest.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fs.h"
#include "base/text.h"
#include "supervisor/code_cache.h"
#include "supervisor/code_list.h"

enum { DEPTH_MAX = 128, READ_CHUNK = 128 << 10, PATH_SHOWN = 512, RELATIVE_MAX = 4096 };

struct tree {
	crypto_generichash_state hash;
	struct code_cache cache;
	uint64_t files, bytes;
	char path[RELATIVE_MAX]; /* below the root, for the hash and for messages */
	size_t len;
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
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
		a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Has anybody the file open, or mapped, for writing? A store into a mapping that was written to before moves neither mtime
 * nor ctime, so the next change would not show; who opens it later moves them with the first store. The kernel grants a
 * read lease only where there is no writer (fcntl(2)); where it grants none to us at all, mtime has to do. */
static bool has_writer(int fd)
{
	if (fcntl(fd, F_SETLEASE, F_RDLCK) < 0)
		return errno == EAGAIN;
	/* An open for writing at this very moment waits until we let go, and its SIGIO is ignored. */
	return fcntl(fd, F_SETLEASE, F_UNLCK) < 0;
}

static int hash_file(struct tree *t, int dirfd, const char *name, const struct stat *seen)
{
	_cleanup_close_ int fd = -1;
	unsigned char hash[CODE_HASH_BYTES];
	struct stat before, after;
	int r = 0;

	if (!code_cache_find(&t->cache, seen, hash)) {
		fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
		if (fd < 0 || fstat(fd, &before) < 0)
			return -errno;
		r = hash_content(t, fd, hash);
		if (r < 0)
			return r;
		/* Written to while it was read: what was hashed is what nobody will run. */
		if (fstat(fd, &after) < 0 || !same_file(seen, &before) || !same_file(&before, &after))
			return -EBUSY;
	}
	/* What came from the cache had no writer when it went there, and has not changed since. */
	if (fd < 0 || !has_writer(fd))
		r = code_cache_keep(&t->cache, seen, hash);
	add_entry(t, 'f', seen->st_mode, hash, sizeof(hash));
	return r;
}

static int hash_link(struct tree *t, int dirfd, const char *name)
{
	char text[RELATIVE_MAX];
	ssize_t n = readlinkat(dirfd, name, text, sizeof(text));

	if (n < 0)
		return -errno;
	if (n == sizeof(text))
		return -ENAMETOOLONG;
	add_entry(t, 'l', 0, text, (size_t)n);
	return 0;
}

static int hash_dir(struct tree *t, int fd, unsigned depth);

static int hash_one(struct tree *t, int dirfd, const char *name, unsigned depth)
{
	struct stat st;
	int fd;

	if (++t->files > CODE_FILES_MAX || depth > DEPTH_MAX)
		return -EFBIG;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	switch (st.st_mode & S_IFMT) {
	case S_IFREG:
		return hash_file(t, dirfd, name, &st);
	case S_IFLNK:
		return hash_link(t, dirfd, name);
	case S_IFDIR:
		add_entry(t, 'd', 0, "", 0);
		fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		return fd < 0 ? -errno : hash_dir(t, fd, depth + 1);
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

/* Takes the descriptor. */
static int hash_dir(struct tree *t, int dirfd, unsigned depth)
{
	_cleanup_code_names_ struct code_names names = { 0 };
	_cleanup_close_ int fd = dirfd;
	size_t len = t->len;
	int r = code_list(fd, &names);

	for (size_t i = 0; r == 0 && i < names.n; i++) {
		const char *name = names.text + names.at[i];
		r = enter_name(t, len, name);
		if (r == 0)
			r = hash_one(t, fd, name, depth);
	}
	if (r == 0) {
		t->len = len;
		t->path[len] = '\0';
	}
	return r;
}

static int explain(int r, const char *path, const struct tree *t, struct diag *d)
{
	char shown[PATH_SHOWN], inner[PATH_SHOWN];
	const char *why = r == -EBUSY ? "it was written to while it was read: an update is going on? Try again when that is done" :
		r == -EFBIG	      ? "it holds more files or bytes than code is allowed: install the server in a directory of its own" :
		r == -EACCES	      ? "you may not read all of it, so it cannot be bound to your approval" :
					strerror(-r);

	return diag_fail(d, r, "cannot take the digest of the code %s (at '%s'): %s", text_escape_str(path, shown, sizeof(shown)),
		text_escape_str(t->path, inner, sizeof(inner)), why);
}

int code_digest_tree(const struct paths *p, const char *path, char ret[CODE_DIGEST_HEX], struct diag *d)
{
	_cleanup_free_ struct tree *t = calloc(1, sizeof(*t));
	_cleanup_close_ int root = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	unsigned char hash[CODE_HASH_BYTES];
	struct stat st;
	int r;

	/* Picks the vector code of this processor. */
	if (!t || sodium_init() < 0)
		return -ENOMEM;
	signal(SIGIO, SIG_IGN);
	if (root < 0 || fstat(root, &st) < 0)
		return explain(-errno, path, t, d);
	r = code_cache_open(p, &st, &t->cache, d);
	if (r < 0) {
		code_cache_done(&t->cache);
		return r;
	}
	crypto_generichash_init(&t->hash, NULL, 0, sizeof(hash));
	/* A tree's own name is not part of it: the plan binds the path. */
	r = hash_one(t, AT_FDCWD, path, 0);
	if (r == 0) {
		code_cache_save(&t->cache);
		crypto_generichash_final(&t->hash, hash, sizeof(hash));
		sodium_bin2hex(ret, CODE_DIGEST_HEX, hash, sizeof(hash));
	} else {
		r = explain(r, path, t, d);
	}
	code_cache_done(&t->cache);
	return r;
}

/* --- root only --- */

static bool root_alone(const struct stat *st)
{
	return st->st_uid == 0 && (S_ISLNK(st->st_mode) || !(st->st_mode & (S_IWGRP | S_IWOTH)));
}

static int ancestors_root_only(const char *path, bool *ret)
{
	_cleanup_free_ char *copy = strdup(path);
	struct stat st;

	if (!copy)
		return -ENOMEM;
	*ret = lstat("/", &st) == 0 && root_alone(&st);
	for (char *slash = copy; *ret && (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		*ret = lstat(copy, &st) == 0 && root_alone(&st);
		*slash = '/';
	}
	return 0;
}

static int below_root_only(int dirfd, const char *name, unsigned depth, uint64_t *left, bool *ret)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *e;
	struct stat st;
	int fd, r = 0;

	if (depth > DEPTH_MAX || (*left)-- == 0)
		return -EFBIG;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	*ret = root_alone(&st);
	if (!*ret || !S_ISDIR(st.st_mode))
		return 0;
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		/* What we may not list, the server may not either; but nothing is known of it. */
		*ret = false;
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while (r == 0 && *ret && (e = readdir(dir)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = below_root_only(fd, e->d_name, depth + 1, left, ret);
	return r;
}

int code_is_root_only(const char *path, bool *ret, struct diag *d)
{
	char shown[PATH_SHOWN];
	uint64_t left = CODE_FILES_MAX;
	int r = ancestors_root_only(path, ret);

	if (r == 0 && *ret)
		r = below_root_only(AT_FDCWD, path, 0, &left, ret);
	return r < 0 ? diag_fail(d, r, "cannot see who may write the code %s: %s", text_escape_str(path, shown, sizeof(shown)),
			       r == -EFBIG ? "too many files" : strerror(-r)) : 0;
}
