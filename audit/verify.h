/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify - what verify holds while it goes through a log, and its step for one session (audit.h has the whole)
 *
 * Process:  supervisor
 */
#pragma once
#include "audit/audit.h"
#include "audit/index_check.h"
#include "audit/session_check.h"
#include "audit/signature.h"

struct listed {
	char *name;
	bool running;
};

struct listing {
	struct listed *v;
	size_t n, room;
};

struct verify {
	int dirfd;
	const struct audit_verify_options *o;
	struct findings f;
	struct signatures signatures;
	struct listing files;
	struct index_view index;
	uint64_t sessions, running, records, covered, dropped;
};

/* A session's file against what the index says of it; findings are added. */
void verify_session(struct verify *v, const struct session_view *s, const char *session, bool running);
