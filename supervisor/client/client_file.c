/* SPDX-License-Identifier: Apache-2.0 */
/* client_file - files of a client: whose they are, and their digests (client_parts.h) */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <string.h>
#include "base/buf.h"
#include "base/fs.h"
#include "supervisor/client/client_parts.h"
#include "supervisor/survey.h"

enum { CHUNK = 128 << 10 };

static bool same(const struct stat *x, const struct stat *y)
{
	return x->st_dev == y->st_dev && x->st_ino == y->st_ino;
}

/* What is there is root's alone; not on FUSE. */
static bool roots(const char *path, struct stat *ret)
{
	return lstat(path, ret) == 0 && survey_root_alone(ret) && !S_ISLNK(ret->st_mode) &&
	       !fs_is_served_at(AT_FDCWD, path);
}

bool client_file_held(const char *path, const struct stat *st)
{
	char at[PATH_MAX];
	struct stat seen;

	if (path[0] != '/' || snprintf(at, sizeof(at), "%s", path) >= (int)sizeof(at))
		return false;
	if (!roots(at, &seen) || !same(&seen, st))
		return false;
	for (char *slash; (slash = strrchr(at, '/'));) {
		slash[slash == at ? 1 : 0] = '\0';
		if (!roots(at, &seen) || !S_ISDIR(seen.st_mode))
			return false;
		if (slash == at)
			break;
	}
	return true;
}

int client_file_digest(int fd, char ret[CLIENT_DIGEST_SIZE])
{
	_cleanup_free_ unsigned char *chunk = malloc(CHUNK);
	unsigned char sum[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state state;
	off_t at = 0;
	ssize_t n;

	ret[0] = '\0';
	if (!chunk)
		return -ENOMEM;
	crypto_hash_sha256_init(&state);
	while ((n = pread(fd, chunk, CHUNK, at)) > 0) {
		crypto_hash_sha256_update(&state, chunk, (unsigned long long)n);
		at += n;
		if (at > CLIENT_BYTES_MAX)
			return -EFBIG;
	}
	if (n < 0)
		return -errno;
	crypto_hash_sha256_final(&state, sum);
	memcpy(ret, "sha256:", 7);
	(void)sodium_bin2hex(ret + 7, CLIENT_DIGEST_SIZE - 7, sum, sizeof(sum));
	return 0;
}

int client_read_at(int dir, const char *name, size_t max, struct buf *b)
{
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n = 0;

	if (fd < 0)
		return -errno;
	while (b->len < max) {
		if (buf_reserve(b, max - b->len) < 0)
			return -ENOMEM;
		n = read(fd, b->data + b->len, max - b->len);
		if (n <= 0)
			break;
		b->len += (size_t)n;
	}
	if (n < 0)
		return -errno;
	return buf_puts(b, "");
}

int client_open_file(const char *path, struct stat *ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return -errno;
	if (fstat(fd, ret) < 0 || !S_ISREG(ret->st_mode))
		return -EINVAL;
	return steal_fd(&fd);
}
