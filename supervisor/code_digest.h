/* SPDX-License-Identifier: Apache-2.0 */
/*
 * code_digest - a code tree by content: BLAKE2b-256 over names, types, modes, link texts and file contents
 *
 * Process:  supervisor
 * Returns:  0, -errno with words; -EFBIG past the limits
 * Limits:   CODE_FILES_MAX files, CODE_BYTES_MAX bytes a tree
 *
 * The digest of a file is cached under STATE/digests by device, inode, size, mtime and ctime; never for a file changed
 * within CODE_SETTLE_S of being read. The cache is the user's file: it saves time, and whoever can forge it can as well
 * forge the approval beside it.
 */
#pragma once
#include <sys/stat.h>
#include "base/diag.h"
#include "base/strv.h"
#include "supervisor/paths.h"

enum { CODE_FILES_MAX = 400000, CODE_SETTLE_S = 2, CODE_DIGEST_HEX = 65 };
#define CODE_BYTES_MAX ((uint64_t)8 << 30)

/* Digest of one tree (directory or single file); ret is lower-case hex. p NULL: nothing that is kept is believed, and
 * nothing is kept. with_git: git's own directories count, too;
 * they do in any case where a link of the tree leads into one. */
int code_digest_tree(
	const struct paths *p, const char *path, bool with_git, char ret[CODE_DIGEST_HEX], struct diag *d) _must_check_;
/* What lies there now: names, and of each file where it is stored, its size and its times. The same stamp before and
 * after something was done to the tree: nobody has changed it meanwhile. ret_root: of the tree itself. */
int code_stamp_tree(
	const char *path, bool with_git, struct stat *ret_root, char ret[CODE_DIGEST_HEX], struct diag *d) _must_check_;
/* Adds where links of a tree lead that leave it. */
int code_links_out(const char *path, struct strv *ret, struct diag *d) _must_check_;
/* True in *ret when the path, each ancestor and everything below can be written by root alone (mode, owner; sticky /tmp
 * counts as writable). An access control list that lets others write shows as the group's bits (acl(5),
 * "correspondence"). One stat a file, and nothing is remembered: a chown deep inside moves no time of a directory above
 * it. outward (or NULL): where links lead that leave the tree. */
int code_is_root_only(const char *path, bool *ret, struct strv *outward, struct diag *d) _must_check_;
