/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_audit - what the commands that read the log share
 *
 * Process:  supervisor
 */
#pragma once
#include "audit/audit.h"
#include "supervisor/role.h"

/* This user's log directory, open: 0, -errno with words. */
int cmd_audit_open_log(int *ret, struct diag *d) _must_check_;
/* That of --dir. */
int cmd_audit_open_dir(const char *path, int *ret, struct diag *d) _must_check_;
/* --decision WORD of that command; NULL: any. 0, or EXIT_USAGE with the sentence printed. */
int cmd_audit_decision(const char *command, const char *word, enum event_decision *ret) _must_check_;
