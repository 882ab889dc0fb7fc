/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile - the file that says what a server may do (design.md section 5, profiles/schema.json)
 *
 * Process:  supervisor
 * Owns:     its strings; free with profile_done
 * Returns:  0, -errno; words with file and line ("profiles/x.json:12: unknown key 'tool', did you mean 'tools'?")
 * Limits:   PROFILE_BYTES_MAX a file
 *
 * profile_load parses and validates; it refuses, in words, what this version cannot enforce. profile_expand puts in
 * parameters, ~, ${HOME}, ${workspace}, ${package}; paths come out absolute and clean, '?' resolved.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/diag.h"
#include "base/fs.h"
#include "base/strv.h"
#include "supervisor/paths.h"
#include "supervisor/places.h"
#include "supervisor/signing/vouched.h"
#include "wire/net.h"
#include "wire/shim_config.h"

enum { PROFILE_BYTES_MAX = 1 << 20, PROFILE_PINS_MAX = 128 };

/* A string of the profile and where it stands, for messages: "FILE:LINE (filesystem.read)". */
struct profile_item {
	char *value;
	char *where;
	bool optional; /* '?' stood before it */
};

struct profile_items {
	struct profile_item *v;
	size_t n;
	bool set; /* the key was there */
};

enum profile_param_type {
	PARAM_STRING,
	PARAM_DIRECTORY,
	PARAM_FILE,
	PARAM_INTEGER,
	PARAM_BOOLEAN,
	PARAM_HOST,
	PARAM_TYPE_COUNT
};

struct profile_param {
	char *name;
	enum profile_param_type type;
	bool many;
	bool required;	      /* no default given */
	struct strv fallback; /* "default" */
	struct strv within;   /* directory, file: must lie in one of these after expansion */
	struct strv choices;  /* string: one of these */
	struct strv values;   /* as set, expanded (by profile_expand) */
	char *where;
};

enum profile_home { HOME_EMPTY, HOME_PRIVATE };

/* A tree or file of the command's code, and the digest that it must have. */
struct profile_code {
	struct profile_item path;
	char *digest; /* lower-case hexadecimal */
};

struct profile {
	char *file;   /* path as opened, NULL for an unprofiled run */
	bool managed; /* root's: in /etc/stockade, or what stockade was installed with and root alone can write */
	bool bundled; /* it lies in the bundle of this machine, and so do its pins; file says so in words */
	struct vouched vouched; /* who signed it */
	char *name, *description, *owner, *reviewed, *expires;
	uint64_t version;
	char *classification;
	char *package_kind, *package_name, *package_version, *package_integrity; /* "npm" | "pypi" | ... or NULL */
	struct profile_param *params;
	size_t n_params;
	struct profile_code *code;
	size_t n_code;
	struct profile_items command;
	struct profile_item cwd;
	struct profile_items env_set;  /* NAME=VALUE */
	struct profile_items env_pass; /* NAME */
	struct profile_items fs_read, fs_write, fs_deny;
	bool protect; /* "protect": "default" (true) or "none" */
	enum profile_home home;
	uint64_t tmp_size;
	struct net_config network;	   /* network.*; its other members are filled when the launch is described */
	char *publish_where;		   /* where network.publish stands; NULL: nothing is published */
	struct profile_items net_hosts;	   /* network.allow: parameters, until their values join network */
	struct profile_items unix_sockets; /* ipc.unix */
	char *seccomp;
	uint64_t limit_memory, limit_processes, limit_files, limit_message; /* memory 0: not set */
	uint64_t limit_message_client, limit_message_server;		    /* 0: limit_message */
	bool limit_memory_set, limit_cpu_set;
	uint64_t limit_cpu; /* percent */
	struct shim_rules tools, resources, prompts, extensions;
	struct shim_arguments arguments; /* tools.allow[].arguments, tools.allow[].strict, tools.strict */
	char *scan_withhold;		 /* tools.scan "withhold": where it stands; NULL: "record" */
	struct meters meters;		 /* of calls of tools */
	struct scopes scopes;		 /* tools.scopes, and what the next two say of them */
	struct profile_items allow_scopes, grant_scopes;
	struct shim_text text;	   /* tools.text, tools.redact; no secrets */
	struct shim_client client; /* what the server may ask of the client */
	struct profile_items roots;
	enum shim_args audit_args;
	char *delete_after;
	char *pins;	      /* a file beside the profile that holds what may be listed and called, or NULL */
	struct places places; /* where each of its keys was set */
	struct strv
		not_enforced; /* defaults of this profile that are not enforced yet, one sentence each (for check) */
};

struct vouching; /* supervisor/signing/vouch.h */

/* Finds NAME (one path component, [a-z0-9][a-z0-9._-]*) in the first directory of paths, the bundle, the other
 * directories, first wins; or a file by path when it contains '/'. -ENOENT with where it looked and near names. The
 * file is read once, ownership is checked on the open descriptor, and the very bytes that are parsed are those whose
 * signatures were verified. */
int profile_load(struct vouching *v, const char *name_or_file, struct profile *ret, struct diag *d) _must_check_;
/* The empty profile of a run without one: nothing granted, tools unrestricted. */
int profile_init_unprofiled(struct profile *ret) _must_check_;

struct profile_args {
	const struct paths *paths;
	const struct strv *sets; /* "P=V" as given with --set, in order; "many" parameters take several */
	const char *workspace;	 /* directory we were started in, canonical */
	const char *package;	 /* directory of the installed package or NULL */
	const char *home;	 /* what "~" stands for; NULL: the home of paths */
};
int profile_expand(struct profile *p, const struct profile_args *a, struct diag *d) _must_check_;
/* Whether AF_UNIX sockets can be opened: ipc.unix names some, or the set of system calls has them by itself. */
bool profile_opens_unix(const struct profile *p) _must_check_;
/* The path of that file, heap; it must be trusted as the profile is. */
int profile_pins_path(const struct profile *p, char **ret, enum fs_trust *ret_trust) _must_check_;
void profile_done(struct profile *p);
#define _cleanup_profile_ _cleanup_(profile_done)
