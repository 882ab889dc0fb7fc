/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client - which program asks for a server: the client among those that started us, and what is known of it
 *
 * Process:  supervisor
 * Owns:     its strings; free with client_done
 * Limits:   CLIENT_BYTES_MAX of a file that is digested
 *
 * The client is the nearest ancestor of the table of known clients (lineage_clients.h), else the nearest that is no
 * shell and starts programs for no other. So what a client starts, and its agent's shell, is that client.
 *
 * Identification, not authentication. The kernel says which file a process executes; which script an interpreter runs,
 * which AppImage was mounted and what a Flatpak is are the process's own words, and a program of the same user can load
 * its code into the true client (LD_PRELOAD, ptrace, a plug-in). stockade-run(1), "Who the client is".
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/diag.h"
#include "supervisor/lineage.h"
#include "supervisor/paths.h"

enum { CLIENT_BYTES_MAX = 1 << 30, CLIENT_DIGEST_SIZE = 72 };

enum client_kind {
	CLIENT_UNKNOWN, /* why says why */
	CLIENT_PROGRAM,
	CLIENT_SCRIPT, /* of an interpreter */
	CLIENT_APPIMAGE,
	CLIENT_SNAP,
	CLIENT_FLATPAK,
	CLIENT_KIND_COUNT,
};
const char *client_kind_name(enum client_kind kind);

/* A file, and what can be said of it. */
struct client_file {
	char *path;			 /* NULL: none */
	char digest[CLIENT_DIGEST_SIZE]; /* "sha256:" and 64 digits; "": not taken */
	bool held; /* the path leads us to that very file, and root alone can change it or a directory above it */
};

struct client {
	enum client_kind kind;
	const char *name; /* the words of the table, or NULL */
	pid_t pid;
	uint64_t start;
	struct client_file exe;	   /* what the process executes; the kernel's word */
	struct client_file script; /* of an interpreter; the process's word */
	struct client_file image;  /* of an AppImage: the file that was mounted */
	char *package;	   /* "deb:code", "npm:@scope/name", "pypi:name", "snap:code", "flatpak:com.example.App" */
	char *version;	   /* of it */
	bool package_held; /* root alone says so */
	char *how;	   /* how certain what is not the kernel's word is; NULL: all is */
	char *why;	   /* CLIENT_UNKNOWN */
};

struct client_options {
	bool anew; /* believe nothing that a file of the user keeps: digests are taken, packages are looked up */
};

/* Does it only start programs for others (a shell, env, npx), so that it is nobody's client? */
bool client_is_launcher(const struct ancestor *a);
/* Never fails for what cannot be found out: it is CLIENT_UNKNOWN, or less is filled. -ENOMEM. */
int client_identify(const struct paths *p, const struct lineage *l, const struct client_options *o,
	struct client *ret) _must_check_;
/* What a rule on path or digest is about: the script of an interpreter, else what is executed. NULL: there is none, as
 * with an interpreter whose script nobody knows. */
const struct client_file *client_subject(const struct client *c);
/* {"kind", "name", "pid", "path", "digest", "script", ...}: what is known; NULL: out of memory, or not UTF-8. */
json_t *client_json(const struct client *c);
/* "VS Code: /usr/share/code/code, deb:code 1.99, sha256:..." in one line, escaped; heap, NULL: out of memory. */
char *client_words(const struct client *c);
void client_done(struct client *c);
#define _cleanup_client_ _cleanup_(client_done)
