/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client_parts - what the files of supervisor/client/ share; nobody else includes it
 *
 * Process:  supervisor
 */
#pragma once
#include <limits.h>
#include <sys/stat.h>
#include "base/buf.h"
#include "supervisor/client/client.h"

/* A look at one process. proc is its directory below /proc: after its death that leads nowhere, whoever has its number
 * by then. */
struct client_look {
	const struct paths *paths;
	const struct client_options *options;
	const struct ancestor *a;
	struct client *c;
	int proc;
	int exe; /* what it executes */
	struct stat st;
};

enum { CLIENT_PROC_MAX = 64 << 10 };

/* --- client_file.c --- */

/* Does the path lead us to that file, and can root alone change it and all directories above it? Not on FUSE, where a
 * user says who owns what. path is canonical. */
bool client_file_held(const char *path, const struct stat *st);
/* SHA-256 of what is open, from its beginning, in the form of client_file.digest. -EFBIG, -errno. */
int client_file_digest(int fd, char ret[CLIENT_DIGEST_SIZE]) _must_check_;
/* A file of a directory of /proc, or of another: at most max bytes, a NUL after them. */
int client_read_at(int dir, const char *name, size_t max, struct buf *b) _must_check_;
/* Opens path as a regular file for reading without waiting for anything. -errno. */
int client_open_file(const char *path, struct stat *ret) _must_check_;

/* --- client_cache.c: what took long to find out of a file, STATE/clients/DEV-INO.json --- */

struct client_cached {
	char digest[CLIENT_DIGEST_SIZE]; /* "": unknown */
	char *package, *version;	 /* NULL: unknown; package "": no package has it */
};

/* Nothing when the file, or the list of installed packages, is not as it was; a file changed within the last 2 s is
 * never kept. */
int client_cache_read(const struct paths *p, const struct stat *st, struct client_cached *ret) _must_check_;
void client_cache_write(const struct paths *p, const struct stat *st, const struct client_cached *c);
void client_cached_done(struct client_cached *c);
#define _cleanup_client_cached_ _cleanup_(client_cached_done)

/* --- client_deb.c: Debian's list of installed files, read, never run --- */

/* Which package installed path, and its version; *ret NULL: none, or this is no such system. */
int client_deb_find(const char *path, char **ret, char **ret_version) _must_check_;
/* Of one package only: did it install path? */
bool client_deb_owns(const char *package, const char *path);
/* Does a package's list of files name that path? */
bool client_deb_lists(const struct buf *list, const char *path);
/* The version of a package by dpkg's status file; NULL in *ret: none. -ENOMEM. */
int client_deb_version(const char *status, const char *package, char **ret) _must_check_;

/* --- client_package.c: of a script --- */

int client_script_package(struct client_look *l) _must_check_;

/* --- client_mounted.c: AppImage, snap, Flatpak --- */

int client_find_kind(struct client_look *l) _must_check_;

/* What a file .flatpak-info says; "": nothing. */
struct client_flatpak {
	char id[256], files[PATH_MAX], commit[128];
};
/* false: it names no application. */
bool client_flatpak_parse(const char *text, struct client_flatpak *ret);
/* Is that canonical path where Flatpak keeps the files of that application? */
bool client_flatpak_is_place(const char *real, const struct client_flatpak *f);
