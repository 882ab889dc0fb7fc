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
#include <sys/types.h>
#include "base/diag.h"
#include "base/strv.h"
#include "supervisor/role.h"

struct paths {
	uid_t uid;
	gid_t gid;
	char *user;	/* login name, or the number */
	char *groups;	/* names or numbers, comma-separated */
	char *home;	/* canonical */
	char *config;	/* $XDG_CONFIG_HOME/stockade */
	char *state;	/* $XDG_STATE_HOME/stockade */
	char *runtime;	/* .../stockade */
	struct strv profile_dirs; /* in order of precedence: /etc/stockade/profiles, DATADIR/profiles, CONFIG/profiles */
};

int paths_init(struct paths *ret, struct diag *d) _must_check_;
/* Opens STATE/sub (or RUNTIME/sub), making it 0700. sub may be "". Refuses one that is not the user's or not 0700. */
int paths_open_state(const struct paths *p, const char *sub, int *ret, struct diag *d) _must_check_;
int paths_open_runtime(const struct paths *p, const char *sub, int *ret, struct diag *d) _must_check_;
/* Refuses a grant that equals, contains or lies within a stockade directory, a client's configuration (the table of
 * peers.md section 4) or the runtime directory: 0 or -EPERM with words that name which. path is canonical. */
int paths_check_grant(const struct paths *p, const char *path, struct diag *d) _must_check_;
void paths_done(struct paths *p);
#define _cleanup_paths_ _cleanup_(paths_done)
