/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paths - who the user is and where stockade keeps things (design.md, section 4)
 *
 * Process:  supervisor
 * Owns:     its strings; free with paths_done
 *
 * HOME from the environment when absolute and owned by the user, else from /etc/passwd (files only: NSS is not linked).
 * XDG_CONFIG_HOME, XDG_STATE_HOME (absolute only) as in the XDG Base Directory Specification. Runtime: XDG_RUNTIME_DIR,
 * else /run/user/UID, else STATE/run; must be the user's and 0700.
 */
#pragma once
#include <stdbool.h>
#include <sys/types.h>
#include "base/diag.h"
#include "base/strv.h"
#include "supervisor/role.h"

/* A place that no grant may touch, and what it is in words. */
struct path_guard {
	char *path;	  /* absolute; canonical as far as it exists */
	const char *what; /* "stockade's own configuration" */
	bool own;	  /* stockade's: code may not lie there either */
};

struct paths {
	uid_t uid;
	gid_t gid;
	char *user;	    /* login name, or the number */
	char *groups;	    /* names or numbers, comma-separated */
	char *home;	    /* canonical */
	char *login_home;   /* of /etc/passwd, as written there; NULL: none */
	char *config;	    /* $XDG_CONFIG_HOME/stockade */
	char *state;	    /* $XDG_STATE_HOME/stockade */
	char *seen;	    /* what may never go back is kept below: state, or with a policy, for any but root, the same
			       of login_home, which no variable moves; NULL: state */
	bool seen_unknown;  /* under a policy, whose home nobody knows: what was seen is not to be had */
	char *runtime;	    /* .../stockade */
	char *runtime_root; /* the directory of the session that runtime lies in */
	struct strv
		profile_dirs; /* in order of precedence: /etc/stockade/profiles, DATADIR/profiles, CONFIG/profiles */
	struct path_guard *guards; /* looked up once, since every grant is held against them */
	size_t n_guards;
};

int paths_init(struct paths *ret, struct diag *d) _must_check_;
/* The same without the guards, which take most of the time: for who holds no grant against them and is in a hurry. */
int paths_locate(struct paths *ret, struct diag *d) _must_check_;
/* Opens STATE/sub (or RUNTIME/sub), making it 0700. sub may be "". Refuses one that is not the user's or not 0700. */
int paths_open_state(const struct paths *p, const char *sub, int *ret, struct diag *d) _must_check_;
/* Opens what may never go back, versions and moments: SEEN/sub. */
int paths_open_seen(const struct paths *p, const char *sub, int *ret, struct diag *d) _must_check_;
const char *paths_seen(const struct paths *p);
int paths_open_runtime(const struct paths *p, const char *sub, int *ret, struct diag *d) _must_check_;
/* Refuses a grant that equals, contains or lies within a stockade directory, a client's configuration (the table in
 * paths_guard.c) or the runtime directory: 0 or -EPERM with words that name which. path is canonical. -EINVAL for a
 * struct paths that paths_init did not make. */
int paths_check_grant(const struct paths *p, const char *path, struct diag *d) _must_check_;
/* Does it equal, contain or lie within a place of stockade's own, wherever the environment of this launch puts them? */
bool paths_is_own(const struct paths *p, const char *path);
/* paths_init's last step: fills guards from the table. */
int paths_guard_init(struct paths *p, struct diag *d) _must_check_;
void paths_done(struct paths *p);
#define _cleanup_paths_ _cleanup_(paths_done)
