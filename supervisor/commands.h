/* SPDX-License-Identifier: Apache-2.0 */
/*
 * commands - the rows of the table, one a command, and what several commands share
 *
 * Process:  supervisor
 *
 * A new command is a row in its own file, one line here and one line in commands.c; help, completion and the man page
 * test follow from the row.
 */
#pragma once
#include "supervisor/command.h"
#include "supervisor/effective.h"
#include "supervisor/grants.h"

/* In the order of the list that `stockade --help` prints. */
extern const struct command_row *const commands[];
extern const size_t commands_n;

extern const struct command_row cmd_approve;
extern const struct command_row cmd_approvals;
extern const struct command_row cmd_approvals_revoke;
extern const struct command_row cmd_check;
extern const struct command_row cmd_run;
extern const struct command_row cmd_diff;
extern const struct command_row cmd_grant;
extern const struct command_row cmd_grants;
extern const struct command_row cmd_grants_end;
extern const struct command_row cmd_pin;
extern const struct command_row cmd_ps;
extern const struct command_row cmd_stop;
extern const struct command_row cmd_kill;
extern const struct command_row cmd_restore;
extern const struct command_row cmd_kills;
extern const struct command_row cmd_key_new;
extern const struct command_row cmd_profile_new;
extern const struct command_row cmd_profile_lint;
extern const struct command_row cmd_profile_sign;
extern const struct command_row cmd_profile_verify;
extern const struct command_row cmd_bundle_new;
extern const struct command_row cmd_bundle_show;
extern const struct command_row cmd_sync;
extern const struct command_row cmd_policy_show;
extern const struct command_row cmd_policy_lint;
extern const struct command_row cmd_policy_test;
extern const struct command_row cmd_audit_show;
extern const struct command_row cmd_audit_verify;
extern const struct command_row cmd_audit_key;
extern const struct command_row cmd_audit_prune;
extern const struct command_row cmd_audit_export;
extern const struct command_row cmd_doctor;
extern const struct command_row cmd_inventory;

/* The grants on the command line of run, approve, check, pin and diff: rows for the table of a struct that holds a
 * struct grants. GRANT_ROWS: without those that are about a profile. */
/* clang-format off */
#define GRANT_ROWS(type, member)                                                                                         \
	{ "env", 0, OPTION_STRV, offsetof(type, member.env_pass), "NAME", "pass the variable NAME, its value unseen" },  \
	{ "setenv", 0, OPTION_STRV, offsetof(type, member.env_set), "NAME=VALUE",                                        \
		"set a variable (no secrets: it is shown)" },                                                            \
	{ "ro", 0, OPTION_STRV, offsetof(type, member.read), "PATH", "let the server read PATH and what is below" },     \
	{ "rw", 0, OPTION_STRV, offsetof(type, member.write), "PATH", "let the server write PATH and what is below" },   \
	{ "host", 0, OPTION_STRV, offsetof(type, member.hosts), "HOST[:PORT]", "let the server connect to HOST: a name, *.DOMAIN, an address" }, \
	{ "cwd", 0, OPTION_STR, offsetof(type, member.cwd), "PATH", "start the server in PATH" }
#define GRANT_OPTION_ROWS(type, member)                                                                                  \
	{ "set", 0, OPTION_STRV, offsetof(type, member.sets), "P=V", "set parameter P of the profile to V" },            \
	GRANT_ROWS(type, member),                                                                                        \
	{ "profile", 0, OPTION_STR, offsetof(type, member.profile_file), "FILE", "take the profile in FILE" }
/* clang-format on */

/* Moves NAME and the words after -- from the context into grants whose options are already filled. 0, or EXIT_USAGE
 * with the sentence printed: NAME, or --profile FILE, or -- COMMAND (with or without --profile) says what to start. */
int command_take_grants(const struct command_ctx *ctx, struct grants *g) _must_check_;
/* What run would start here and now: effective_build with this directory and environment. 0, -errno with words. */
int command_build_plan(const struct command_ctx *ctx, const struct paths *p, const struct grants *g,
	struct effective *ret, struct diag *d) _must_check_;
