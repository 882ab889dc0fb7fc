/* SPDX-License-Identifier: Apache-2.0 */
/*
 * environment - the server's environment, built and not filtered (sandbox.md, point 19)
 *
 * Process:  supervisor
 * Returns:  0, -ENOMEM, -E2BIG for a PATH of more than ENVIRONMENT_PATH_MAX bytes
 *
 * What SDKs pass (HOME LOGNAME SHELL TERM USER, locale), a PATH of what is visible, TMPDIR, then what is passed by name
 * (absent ones stay absent) and what is set. Later wins.
 */
#pragma once
#include "supervisor/effective.h"

enum { ENVIRONMENT_PATH_MAX = 64 << 10 };

struct environment_args {
	const struct paths *paths;
	char *const *environ; /* the caller's */
	const struct profile *profile;
	const struct strv *path; /* directories of the server's PATH */
	bool trusted;		 /* the files of supervisor/trust.h are there */
	bool no_user_site;	 /* python may load nothing from the home */
	const char *login;	 /* whom the server sees itself as */
};

int environment_build(const struct environment_args *a, struct strv *ret) _must_check_;
/* The caller's value of NAME, or NULL. */
const char *environment_get(char *const *env, const char *name);
