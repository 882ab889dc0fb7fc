/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fs - files by descriptor: trusted reads, atomic writes
 *
 * Process:  supervisor (audit for what it owns)
 * Returns:  0, -errno with the sentence in the diag
 */
#pragma once
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/buf.h"
#include "base/diag.h"

/* openat2(2) with the RESOLVE_* bits; O_CLOEXEC is always added. Returns the descriptor or -errno. */
int fs_openat2(int dirfd, const char *path, int flags, mode_t mode, unsigned long long resolve) _must_check_;

enum fs_trust {
	FS_TRUST_USER, /* owned by root or by uid, not writable by group or others */
	FS_TRUST_ROOT, /* owned by root, not writable by group or others */
};

/* Checks the open descriptor (fstat), not the path: owner and mode as trust demands. -EPERM with words. */
int fs_check_trusted(int fd, const char *name, enum fs_trust trust, uid_t uid, struct diag *d) _must_check_;
/* Opens (O_NOFOLLOW on the last component), checks, reads a regular file whole into b (limit b->max). The bytes read
 * are the bytes checked. */
int fs_read_trusted(
	int dirfd, const char *path, enum fs_trust trust, uid_t uid, struct buf *b, struct diag *d) _must_check_;
/* The same, of a file that is called path in words. */
int fs_read_trusted_as(int dirfd, const char *name, const char *path, enum fs_trust trust, uid_t uid, struct buf *b,
	struct diag *d) _must_check_;
/* fs_check_trusted of a directory whose files grant rights. */
int fs_check_trusted_dir(int fd, const char *name, enum fs_trust trust, uid_t uid, struct diag *d) _must_check_;
/* fs_read_trusted in a directory that is checked as well, and is the one that was checked. */
int fs_read_trusted_file(const char *path, enum fs_trust trust, uid_t uid, struct buf *b, struct diag *d) _must_check_;
/* Writes a temporary beside it, fsync, rename, fsync of the directory. mode is exact (umask does not matter). */
int fs_write_atomic(int dirfd, const char *name, const void *p, size_t n, mode_t mode, struct diag *d) _must_check_;
/* Makes every missing directory of an absolute path with exactly the mode and returns the last one open (O_PATH not
 * set). */
int fs_mkdirs(const char *path, mode_t mode, int *ret, struct diag *d) _must_check_;
/* Opens a directory for a look at its names from the first on, beside dir, which stays the caller's: 0, -errno. */
int fs_list(int dir, DIR **ret) _must_check_;
/* An inotify descriptor that tells of mask in each of n directories, or -1: its instances are few (128 a user), so
 * whoever watches looks from time to time where there is none. */
int fs_watch(const int *dirs, size_t n, uint32_t mask);
/* Does a living process hold a flock(2) on that file of dir? What cannot be opened is held by nobody. */
bool fs_is_locked(int dir, const char *name);
/* The canonical path of what is open behind fd (readlink of /proc/self/fd/N); "(deleted)" is -ENOENT. */
int fs_fd_path(int fd, char **ret) _must_check_;
/* True when path equals dir or lies within it; both canonical and absolute. "/" contains everything. */
bool fs_path_within(const char *path, const char *dir);
/* Is what is open on FUSE, or is that not to be known? A process of any user's may serve it, and says of owners and
 * modes what it likes. */
bool fs_is_served(int fd);
/* The same of a name; links are not followed. */
bool fs_is_served_at(int dir, const char *name);
/* Joins and normalises lexically: "//", "/./" go; ".." and relative inputs are -EINVAL. */
int fs_path_clean(const char *path, char **ret) _must_check_;
