/* SPDX-License-Identifier: Apache-2.0 */
/*
 * running - servers that run now, and not through stockade: a look through /proc
 *
 * Process:  supervisor
 * Owns:     its strings; free with running_list_done
 * Limits:   RUNNING_PROCESSES_MAX processes are looked at
 *
 * certain: the command line is that of an entry of a configuration. likely: a known client stands above it, with
 * nothing between but shells and launchers, and its stdin and stdout are pipes or sockets; a language server looks the
 * same. Whatever descends from stockade is left out. Of other users only root sees anything.
 */
#pragma once
#include "supervisor/inventory/found.h"

/* PID_MAX_LIMIT of the kernel: nobody hides behind a crowd. */
enum { RUNNING_PROCESSES_MAX = 1 << 22 };

struct running {
	pid_t pid;
	const char *client; /* the words of the table, or NULL */
	char *program;	    /* what it executes */
	char *script;
	const struct found *entry; /* certain: of the list that was given; NULL: likely */
};

struct running_list {
	struct running *v;
	size_t n, room;
};

int running_read(const struct found_list *entries, struct running_list *ret, struct diag *d) _must_check_;
void running_list_done(struct running_list *l);
#define _cleanup_running_ _cleanup_(running_list_done)
