/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer - the process that writes one session's log for one sender, and nothing else
 *
 * Process:  collector, a child of it for each connection
 * Returns:  never: it ends with the session
 * Limits:   WRITER_FIRST_S until the first request, WRITER_AFTER_ERROR requests once the log is ending,
 *           WRITER_USER_BYTES of logs a user, in USERS_FILES files
 *
 * A process each, so that a sender that is stuck, stopped or hostile holds up itself alone: what waits here waits for
 * nobody else. It builds every record itself: sequence, time, session, user, groups and process are the kernel's and
 * its own; of what a sender says only fixed binary events are taken, strictly, and session.open names the members that
 * are nothing but the sender's word (claimed).
 */
#pragma once
#include <stdint.h>
#include "audit/log_key.h"
#include "collector/role.h"
#include "collector/sender.h"
#include "collector/users.h"

enum {
	WRITER_FIRST_S = 10,
	WRITER_AFTER_ERROR = 1024,
	WRITER_BATCH = 16,		/* requests that one answer stands for */
	WRITER_CHECKPOINT_US = 1000000, /* a sender that wants one more often waits */
	WRITER_OWN_CHECKPOINT_MS = 15000,
};
#define WRITER_USER_BYTES (10ull << 30)

struct writer_args {
	int sock, logs;
	struct sender *sender;
	const struct log_key *key;
	struct users_account *account;
	uint64_t user_bytes, user_files;
};

void writer_run(const struct writer_args *a) __attribute__((noreturn));
