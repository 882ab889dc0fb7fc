/* SPDX-License-Identifier: Apache-2.0 */
/* key_file - see key_file.h */
#include "supervisor/signing/key_file.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "base/io.h"
#include "base/text.h"
#include "supervisor/policy/policy.h"
#include "supervisor/signing/passphrase.h"

enum { SHOWN = 300 };

static int fill_file(int fd, const struct buf *text, mode_t mode)
{
	int r = io_write_full(fd, text->data, text->len);

	if (r == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
		r = -errno;
	return r;
}

int key_file_make(int dirfd, const char *name, const struct buf *text, mode_t mode, struct diag *d)
{
	/* O_EXCL: a key that is overwritten is lost, and with it whatever only it could sign. */
	_cleanup_close_ int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	char shown[SHOWN];
	int r;

	text_escape_str(name, shown, sizeof(shown));
	if (fd < 0 && errno == EEXIST)
		return diag_fail(d, -EEXIST,
			"%s exists, and a key is never overwritten: take another name, or move the old one away",
			shown);
	if (fd < 0)
		return diag_fail(d, -errno, "cannot make %s: %s", shown, strerror(errno));
	r = fill_file(fd, text, mode);
	if (r < 0)
		unlinkat(dirfd, name, 0);
	return r ? diag_fail(d, r, "cannot write %s: %s", shown, strerror(-r)) : 0;
}

int key_file_dir(const char *path, int *ret_dir, const char **ret_name, struct diag *d)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *dir = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	_cleanup_close_ int fd = dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	char shown[SHOWN];
	int r;

	if (!dir)
		return diag_fail(d, -ENOMEM, "there is no memory for a path");
	if (fd < 0)
		return diag_fail(
			d, -errno, "cannot open %s: %s", text_escape_str(dir, shown, sizeof(shown)), strerror(errno));
	r = fs_check_trusted_dir(fd, dir, FS_TRUST_USER, getuid(), d);
	if (r < 0)
		return r;
	*ret_dir = steal_fd(&fd);
	*ret_name = slash ? slash + 1 : path;
	return 0;
}

/* --- the secret half --- */

/* Not only against changes: whoever reads a key without a passphrase has it. */
static int check_private(int fd, const char *path, struct diag *d)
{
	struct stat st;
	char shown[SHOWN];
	int r = fs_check_trusted(fd, path, FS_TRUST_USER, getuid(), d);

	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return diag_fail(d, -EINVAL, "%s is not a regular file", text_escape_str(path, shown, sizeof(shown)));
	if (st.st_mode & (S_IRGRP | S_IROTH))
		return diag_fail(d, -EPERM,
			"%s can be read by others (mode %04o), so they may have the key: chmod 0600 it, and make a new "
			"one if "
			"it was ever so without a passphrase",
			text_escape_str(path, shown, sizeof(shown)), st.st_mode & 07777);
	return 0;
}

static int read_secret(const char *path, const struct option_fd *from, struct buf *b, struct diag *d)
{
	_cleanup_close_ int opened = from->given ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int fd = from->given ? from->fd : opened;
	char shown[SHOWN];
	/* Whole at once: a buffer that grows leaves copies. */
	int r = buf_reserve(b, SIGN_SECRET_MAX);

	text_escape_str(from->given ? "the descriptor of --key-fd" : path, shown, sizeof(shown));
	if (fd < 0)
		return diag_fail(d, -errno, "cannot open %s: %s", shown,
			errno == ELOOP ? "it is a symbolic link" : strerror(errno));
	if (r == 0 && !from->given)
		r = check_private(fd, path, d);
	if (r < 0)
		return r;
	r = io_read_all(fd, b);
	return r ? diag_fail(d, r, "cannot read %s: %s", shown,
			   r == -E2BIG ? "it is no key: it is too long" : strerror(-r))
		 : 0;
}

int key_file_open(const char *path, const struct option_fd *from, const struct option_fd *passphrase,
	struct sign_secret **ret, struct diag *d)
{
	_cleanup_wiped_buf_ struct buf b = BUF_INIT(SIGN_SECRET_MAX);
	_cleanup_passphrase_ char *words = NULL;
	const char *name = from->given ? "the key" : path;
	enum sign_protection how;
	int r = passphrase_hide(d);

	if (r == 0 && sign_init() < 0)
		r = diag_fail(d, -EIO, "libsodium cannot be used here");
	if (r == 0)
		r = read_secret(path, from, &b, d);
	if (r == 0)
		r = sign_secret_protection(name, b.data, b.len, &how, d);
	if (r == 0 && how != SIGN_BARE)
		r = passphrase_read(passphrase, "of the key", false, &words, d);
	return r ? r : sign_secret_parse(name, b.data, b.len, words, ret, d);
}

/* --- public keys --- */

static int add_dir(struct keyring *r, const char *dir, enum fs_trust trust, uid_t uid, struct diag *d)
{
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char shown[SHOWN];

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return diag_fail(
			d, -errno, "cannot open %s: %s", text_escape_str(dir, shown, sizeof(shown)), strerror(errno));
	return keyring_add_dir(r, fd, dir, trust, uid, d);
}

int key_file_keyring(const struct paths *p, struct keyring *ret, struct diag *d)
{
	_cleanup_free_ char *own = NULL;
	int r = add_dir(ret, KEYS_DIR, FS_TRUST_ROOT, 0, d);

	/* Where a policy is, only root says whose signatures count. */
	if (r < 0 || access(POLICY_FILE, F_OK) == 0)
		return r;
	if (asprintf(&own, "%s/keys", p->config) < 0) {
		own = NULL;
		return diag_fail(d, -ENOMEM, "there is no memory for a path");
	}
	return add_dir(ret, own, FS_TRUST_USER, p->uid, d);
}
