/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_audit - what the commands that read the log share
 *
 * Process:  supervisor
 */
#pragma once
#include <stddef.h>
#include "audit/audit.h"
#include "supervisor/role.h"

/* Which records: the options that show and export have alike, whose structure begins with this one. */
struct cmd_audit_filter {
	int64_t since, until;
	char *session, *server, *client, *tool, *decision;
};

/* clang-format off: a table */
#define CMD_AUDIT_FILTER_ROW(type, name, kind, word, words)                                                            \
	{                                                                                                              \
#name, 0, kind, offsetof(type, filter) + offsetof(struct cmd_audit_filter, name), word, words          \
	}
#define CMD_AUDIT_FILTER_ROWS(type)                                                                                    \
	CMD_AUDIT_FILTER_ROW(type, since, OPTION_TIME, "TIME",                                                         \
		"nothing before TIME: 2026-10-01, an RFC 3339 time, today, yesterday, or 30min, 2h, 7d ago"),          \
		CMD_AUDIT_FILTER_ROW(type, until, OPTION_TIME, "TIME", "nothing after TIME"),                          \
		CMD_AUDIT_FILTER_ROW(                                                                                  \
			type, session, OPTION_STR, "ID", "only sessions whose id begins so, or matches with '*'"),     \
		CMD_AUDIT_FILTER_ROW(                                                                                  \
			type, server, OPTION_STR, "NAME", "only servers whose name matches; '*' stands for anything"), \
		CMD_AUDIT_FILTER_ROW(type, client, OPTION_STR, "NAME",                                                 \
			"only sessions that a client started whose chain of programs holds NAME, or matches with "     \
			"'*'"),                                                                                        \
		CMD_AUDIT_FILTER_ROW(type, tool, OPTION_STR, "NAME", "only records about tools whose name matches"),   \
		CMD_AUDIT_FILTER_ROW(type, decision, OPTION_STR, "WORD",                                               \
			"only what was decided so: allow, deny, drop or 'would deny'")
/* clang-format on */

struct command_ctx;

/* 0, or EXIT_USAGE with the sentence printed. A server may also be the command's only word. */
int cmd_audit_take_filter(
	const struct command_ctx *ctx, const struct cmd_audit_filter *f, struct audit_filter *ret) _must_check_;

/* This user's log directory, open: 0, -errno with words. */
int cmd_audit_open_log(int *ret, struct diag *d) _must_check_;
/* That of --dir. */
int cmd_audit_open_dir(const char *path, int *ret, struct diag *d) _must_check_;
