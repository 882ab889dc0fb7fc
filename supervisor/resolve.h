/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve - from the words of a command to the files it runs: program, interpreters, code trees
 *
 * Process:  supervisor
 * Owns:     its strings; free with resolved_done
 * Returns:  0; -ENOENT (exit 127), -EACCES or -ENOEXEC (126), -EPERM for a fetcher (125); words that say what to do
 * Limits:   RESOLVE_DEPTH_MAX interpreters in a chain, RESOLVE_TREES_MAX trees
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/diag.h"
#include "base/strv.h"
#include "supervisor/paths.h"

enum { RESOLVE_DEPTH_MAX = 8, RESOLVE_TREES_MAX = 64 };

/* One directory or file outside the base view that the server's code is made of; mounted read-only at the same path. */
struct code_tree {
	char *path; /* canonical */
	char *role; /* "node of nvm", "npm package tree", "Python virtual environment", ... for check and the question
		     */
	/* every component and every file is writable by root alone: identified by path; filled by effective_look */
	bool root_only;
	char *stamp; /* of the moment before its digest was taken (signing/code_hold.h); NULL: none is needed */
	bool bound;  /* the profile has its digest, and it is the one; filled by code_check */
};

struct resolved {
	char *given;	   /* first word as given */
	char *program;	   /* the file that will be executed (what execve gets), absolute */
	char *subject;	   /* what this is for a person and for finding the earlier approval: the script or program,
			      canonical */
	struct strv argv;  /* what runs: shebangs are left to the kernel unless a shim had to be looked through */
	struct strv chain; /* each file on the way: "/home/u/x.js", "/usr/bin/env", "/usr/bin/node": for check */
	struct strv path;  /* directories of the PATH that the server gets, only ones that exist inside */
	struct code_tree *trees;
	size_t n_trees;
	bool loads_cwd; /* the interpreter looks for modules in the working directory, and what it finds there is no
			   tree */
	bool safe_path, no_user_site, no_variables; /* python -I or -P; -I or -s; -I or -E */
	/* So many words of argv are not the server's own: the interpreter's and its options, or all where the program
	 * is among them; 0: none is known to take code. */
	size_t interpreted;
	bool git_is_code; /* a file of the command lies in a .git, which is no code otherwise */
	/* Where links lead from code that is known by its path, to what the base view does not hold. */
	struct strv outward;
	struct strv symlinks; /* "LINK\tTARGET": links outside trees that must exist inside for the command to work */
	/* The same of the words that a program is found by, which the plan does without. */
	struct strv first_links;
};

/* path_env: the caller's PATH (may be NULL); cwd: the server's working directory, absolute. */
int resolve_command(const struct paths *p, const struct strv *command, const char *path_env, const char *cwd,
	struct resolved *ret, struct diag *d) _must_check_;
/* Is the first word (or npm exec, pnpm dlx, docker run ...) a fetcher? -EPERM with what to do instead, else 0. Touches
 * no file. */
int resolve_refuse_fetcher(const struct strv *command, struct diag *d) _must_check_;
void resolved_done(struct resolved *r);
#define _cleanup_resolved_ _cleanup_(resolved_done)
