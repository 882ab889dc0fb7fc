/* SPDX-License-Identifier: Apache-2.0 */
/*
 * effective - the one description of a launch that everything else is drawn from
 *
 *    profile + grants + machine  ->  effective  ->  digest (canonical JSON)
 *                                               ->  question and check (lines)
 *                                               ->  wire plan (enter), shim config (shim)
 *
 * Process:  supervisor
 * Owns:     everything in it; free with effective_done
 * Returns:  0, -errno with words (exit 125; -ENOENT 127 and -EACCES/-ENOEXEC 126 when ret->exit_hint says so)
 */
#pragma once
#include <jansson.h>
#include "supervisor/client/client.h"
#include "supervisor/grants.h"
#include "supervisor/kill/kill_bundle.h"
#include "supervisor/pin_store.h"
#include "supervisor/policy/policy.h"
#include "supervisor/profile.h"
#include "supervisor/resolve.h"
#include "supervisor/signing/freshness.h"
#include "wire/plan.h"
#include "wire/shim_config.h"

enum effective_danger {
	DANGER_SUDO = 1 << 0,	     /* sudo, su, doas, pkexec in the command */
	DANGER_SHELL = 1 << 1,	     /* a shell with -c, an interpreter with -e/-c */
	DANGER_HOME = 1 << 2,	     /* the whole home, or / */
	DANGER_KEYS = 1 << 3,	     /* ~/.ssh, ~/.gnupg, ~/.aws, browsers' profiles, ... (a table) */
	DANGER_OWN_CODE = 1 << 4,    /* can rewrite itself: never remembered */
	DANGER_UNIX = 1 << 5,	     /* AF_UNIX */
	DANGER_DESTRUCTIVE = 1 << 6, /* rm -rf and the like in the command */
	DANGER_SYSTEM = 1 << 7,	     /* /etc, /var, /sys, a system directory granted */
	DANGER_LOADER = 1 << 8,	     /* LD_PRELOAD, NODE_OPTIONS ... set */
	DANGER_NETWORK = 1 << 10,    /* every name, or a wide network */
	DANGER_LOCALHOST = 1 << 11,  /* the host's own loopback */
	DANGER_METADATA = 1 << 12,   /* where clouds give out credentials */
	DANGER_SECRET = 1 << 9,	     /* a passed variable whose name says token, key, password (informational) */
};

enum effective_kind {
	LINE_SIGNED,
	LINE_COMMAND,
	LINE_PROGRAM,
	LINE_CODE,
	LINE_CWD,
	LINE_READ,
	LINE_WRITE,
	LINE_PROTECT,
	LINE_DENY,
	LINE_HOME,
	LINE_TMP,
	LINE_ENV_SET,
	LINE_ENV_PASS,
	LINE_NETWORK,
	LINE_UNIX,
	LINE_SECCOMP,
	LINE_LIMIT,
	LINE_TOOLS,
	LINE_RESOURCES,
	LINE_PROMPTS,
	LINE_EXTENSIONS,
	LINE_CLIENT,
	LINE_TEXT,
	LINE_AUDIT,
	LINE_BASE,
	LINE_NOTE,
	LINE_CUT,
	LINE_KIND_COUNT,
};

/* One granted path (supervisor/filesystem.h works on them). */
struct fs_grant {
	char *given;	   /* clean, as asked for */
	char *canonical;   /* links resolved */
	const char *where; /* borrowed from the profile */
	bool write;
	bool directory;
	uint64_t dev, ino;
	uint32_t type;
};

struct fs_grants {
	struct fs_grant *v;
	size_t n;
	struct strv protected_paths; /* found and mounted read-only, canonical */
	struct strv protected_links; /* "PATH\tTEXT": protected names that are links, as they were at the start */
	struct strv denied_paths;    /* found and masked */
};

/* One thing a person is told; the question shows all but LINE_BASE, check shows all. Values are raw: the printer
 * escapes. */
struct effective_line {
	enum effective_kind kind;
	unsigned danger; /* enum effective_danger */
	char *text;	 /* the granted thing: a path, NAME=VALUE, a rule */
	char *where;	 /* who asked for it: "profiles/x.json:12 (filesystem.read)", "--ro", "the default (seccomp)" */
	bool quiet;	 /* the question does not name that place, check does */
};

struct effective {
	struct policy policy; /* of the machine's owner; what of it applies is in profile, plan and lines */
	struct profile profile;
	struct moments moments; /* what time it was when this was drawn */
	struct freshness fresh;
	struct resolved cmd;
	struct fs_grants grants;
	char *name;    /* server's name: profile name, or the base name of the script or program */
	char *subject; /* key for "the earlier approval of the same thing" */
	struct effective_line *lines;
	size_t n_lines;
	unsigned danger; /* all of them */
	bool never_remember;
	char digest[65];   /* BLAKE2b-256 of the canonical JSON, hex */
	json_t *canonical; /* versioned, sorted; what the digest is over, what an approval stores */
	struct plan plan;
	struct shim_config shim;
	char *bundle_warning;		    /* of the machine's bundle, for who starts servers; NULL: nothing */
	uint64_t bundle_version;	    /* in force; 0: none is */
	struct policy_groups bundle_groups; /* beside the policy's */
	struct kill_bundle bundle_kills;    /* for whoever looks at the kill switch next, who reads it no second time */
	bool pinned;			    /* there are pins, and shim enforces them; they are no part of the digest */
	struct pin_set pins;
	struct vouched pins_vouched; /* who signed the file that the profile names */
	bool others_cut;	     /* not all names of the other servers' tools are guarded against imitation */
	const char *observe_until;   /* what the profile denies of tools and hosts is only recorded (policy/observe.h);
				      * NULL: denied */
	const char *added;	     /* an option that adds to a managed profile, "--env"; NULL: none does */
	bool by_path; /* where the policy may approve: the PATH of the environment alone has found the program */
	bool granted; /* the policy approves it, and nobody is asked. Filled by effective_digest (consent/granted.h) */
	char *home_code;      /* what of a home holds code that nobody has bound (signing/home_code.h); NULL: nothing */
	char *named_code;     /* what names code that nobody has bound (signing/code_named.h); NULL: nothing */
	char *ungranted;      /* why it does not, where it might; NULL: it does, or never would */
	int exit_hint;	      /* enum stockade_exit for a failure */
	struct client client; /* who asks for it; no part of the digest. Filled by effective_identify */
	const char *client_rule; /* by which rule of the policy it may; NULL: none says so */
	char *client_refused;	 /* it may not, in words for the person; NULL: it may */
};

struct approvals; /* supervisor/consent.h */

/* Another policy than the machine's: what would be if it were. */
struct effective_policy {
	const char *file;
	enum fs_trust trust; /* who must own it: root, or the user of the launch */
};

struct effective_args {
	const struct paths *paths;
	const struct grants *grants;
	char *const *environ;
	const char *workspace;		       /* where we were started */
	const struct effective_policy *policy; /* NULL: the machine's */
	bool trial; /* nothing that is started as it is, as doctor's /bin/true: what policy says is not about it */
};

/* All but what has to look at each file of the code: effective_look and effective_digest, in this order. */
int effective_build(const struct effective_args *a, struct effective *ret, struct diag *d) _must_check_;
/* The same before there is a plan, of a profile that lacks parameters: e->profile is loaded, and nothing else is there.
 * Filled are the policy with what it forbids and provides, the name, and the pins. */
int effective_as_written(
	const struct paths *p, const struct effective_policy *policy, struct effective *e, struct diag *d) _must_check_;
/* Who may write the code trees: root_only of each, and in the canonical JSON. */
int effective_look(struct effective *e, struct diag *d) _must_check_;
/* The other trees hashed (cache warm: stat only), canonical JSON and digest filled; all: what is approved now. */
int effective_digest(
	const struct paths *p, const struct approvals *all, struct effective *e, struct diag *d) _must_check_;
/* May that client? -EPERM with words, for the person; e->client_rule. */
int effective_judge_client(struct effective *e, struct diag *d) _must_check_;
/* Who asks for it, among the programs that started us, and may that client? e->client, client_rule, client_refused. */
int effective_identify(
	const struct paths *p, const struct lineage *l, struct effective *e, struct diag *d) _must_check_;
void effective_done(struct effective *e);
#define _cleanup_effective_ _cleanup_(effective_done)
