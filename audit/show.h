/* SPDX-License-Identifier: Apache-2.0 */
/*
 * show - the parts of `audit show`: one record as text, and waiting for more
 *
 * Process:  supervisor
 */
#pragma once
#include <signal.h>
#include "audit/audit.h"
#include "audit/line.h"

/* One line for a person. Everything from the log is escaped: what a server put there cannot speak to the terminal. */
int show_text(const struct line *l, bool colour, FILE *out) _must_check_;

/* Does the record pass the filter? */
bool show_wants(const struct audit_filter *f, const struct line *l);

struct follow {
	int signals; /* signalfd(2) of SIGINT and SIGTERM */
	int notify;  /* inotify(7) on the directory, -1: only polling */
	sigset_t before;
};

enum follow_outcome { FOLLOW_MORE = 0, FOLLOW_STOP = 1 };

int follow_init(int dirfd, struct follow *ret, struct diag *d) _must_check_;
/* Waits until there may be more. FOLLOW_STOP after a signal, or when nobody reads out any more. */
int follow_wait(struct follow *f, FILE *out) _must_check_;
void follow_done(struct follow *f);
