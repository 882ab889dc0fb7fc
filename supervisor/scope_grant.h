/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scope_grant - RUNTIME/grants: scopes that a person has lifted for a while (`stockade grant`, wire/scopes.h)
 *
 * Process:  supervisor
 * Owns:     struct scope_grant its strings; free with scope_grant_done
 * Returns:  0, SCOPE_GRANT_NONE, -errno with words
 * Limits:   SCOPE_GRANT_FILE_MAX bytes a file, SCOPES_TIME_MAX seconds from when it was given
 *
 *    SERVER.SCOPE    one grant; a new one takes the place of the old one, which may lie there when it is over
 *
 * Theory of operation. A grant is nobody's process: it holds when who gave it has long ended, for the sessions that run
 * and for those that begin. It is over at a moment of CLOCK_BOOTTIME, which nobody can set and which goes on in a
 * suspend; and as that clock begins anew at each boot, and with an offset in each time namespace, a grant of another
 * boot or namespace is over. What a file says is a wish: each session holds it against its own profile, which names the
 * scopes that may be lifted and the longest time. A file that is damaged, or not the user's alone, lifts nothing.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/diag.h"
#include "supervisor/lineage.h"
#include "supervisor/paths.h"
#include "wire/scopes.h"

#define SCOPE_GRANT_DIR "grants"
enum { SCOPE_GRANT_VERSION = 1, SCOPE_GRANT_FILE_MAX = 32 << 10, SCOPE_GRANT_NAME_SIZE = 128, SCOPE_BOOT_SIZE = 40 };
enum { SCOPE_GRANT_NONE = 1 };

/* The moment, and which clock it was read from. */
struct scope_clock {
	uint64_t boot_us; /* CLOCK_BOOTTIME */
	int64_t wall_s;
	char boot[SCOPE_BOOT_SIZE]; /* of this boot, random(4) */
	uint64_t time_namespace;    /* time_namespaces(7); 0: this kernel has none */
};

struct scope_grant {
	char name[SCOPE_GRANT_NAME_SIZE]; /* of the file */
	char *server, *scope, *profile;	  /* profile: the file whose rules it was given by, canonical */
	char *user, *by;		  /* who, and the chain of programs above the command */
	uint64_t made_us, until_us;	  /* CLOCK_BOOTTIME */
	char *damaged;			  /* why it lifts nothing, else NULL */
};

struct scope_grants {
	struct scope_grant *v;
	size_t n;
};

/* Which clock this is; the moment is filled as well. */
int scope_clock_init(struct scope_clock *ret, struct diag *d) _must_check_;
/* Another moment of the same clock. */
void scope_clock_read(struct scope_clock *c);
/* When that will be, in seconds since the epoch. */
int64_t scope_clock_wall(const struct scope_clock *c, uint64_t boot_us);

struct scope_grant_args {
	const struct paths *paths;
	const char *server, *scope, *profile;
	const struct lineage *lineage;
	uint64_t seconds;
};
int scope_grant_write(const struct scope_grant_args *a, const struct scope_clock *now, struct diag *d) _must_check_;
/* The one of that server and scope, when it is not over; dir is RUNTIME/grants. */
int scope_grant_read(int dir, uid_t uid, const char *server, const char *scope, const struct scope_clock *now,
	struct scope_grant *ret, struct diag *d) _must_check_;
/* Its bytes; for that file. What is over is SCOPE_GRANT_NONE. */
int scope_grant_parse(const char *bytes, size_t n, const struct scope_clock *now, struct scope_grant *ret,
	struct diag *d) _must_check_;
/* All that are not over, by server and scope. Nothing is removed. */
int scope_grant_list(
	const struct paths *p, const struct scope_clock *now, struct scope_grants *ret, struct diag *d) _must_check_;
/* SCOPE_GRANT_NONE: there was none. */
int scope_grant_remove(const struct paths *p, const char *server, const char *scope, struct diag *d) _must_check_;
/* When it is over for whom the rules let it last at most that long. */
uint64_t scope_grant_until(const struct scope_grant *g, uint64_t lift_max_s);
void scope_grant_done(struct scope_grant *g);
void scope_grants_done(struct scope_grants *l);
#define _cleanup_scope_grant_  _cleanup_(scope_grant_done)
#define _cleanup_scope_grants_ _cleanup_(scope_grants_done)
