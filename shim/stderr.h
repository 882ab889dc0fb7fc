/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stderr - passes on what the server writes to its stderr, harmless and in measure
 *
 * Process:  shim
 * Owns:     its buffers, never the descriptors
 * Limits:   STDERR_LINE_MAX bytes a line (a longer one goes on as another line), STDERR_BURST lines at once,
 *           STDERR_RATE lines a second, STDERR_QUEUE_MAX bytes for a client that does not read: what is more is dropped
 *           and counted
 *
 * Every line gets the prefix of the config, which never begins with "stockade", and no byte of it can begin another
 * line or move a terminal's cursor; none is written in part, so that nobody else's words come to stand within it: so
 * only our own lines begin with "stockade:".
 */
#pragma once
#include "shim/role.h"
#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "shim/port.h"
#include "shim/queue.h"
#include "shim/text_out.h"

enum {
	STDERR_LINE_MAX = 3840, /* with its prefix no more than PIPE_BUF, unless much of it is escaped */
	STDERR_BURST = 1000,
	STDERR_RATE = 200,
	STDERR_QUEUE_MAX = 64 << 10,
};

struct stderr_relay {
	const char *name, *prefix; /* borrowed */
	struct text_out *text;	   /* whose values are not for stderr either; NULL: none */
	struct port in, out;
	struct queue queue;
	struct buf line;
	bool cut; /* the line's beginning was passed on already */
	uint64_t tokens, refilled_us;
	uint64_t lines, dropped, bytes; /* of the whole session */
	uint64_t unreported;		/* dropped since we last said so */
	uint64_t reported_us;
};

void stderr_init(
	struct stderr_relay *e, struct port in, struct port out, const char *name, const char *prefix, uint64_t now_us);
void stderr_done(struct stderr_relay *e);
/* Takes n bytes of the server's. */
int stderr_feed(struct stderr_relay *e, const char *p, size_t n, uint64_t now_us) _must_check_;
/* At the end of the server's stderr: what is left without a line feed. */
int stderr_finish(struct stderr_relay *e, uint64_t now_us) _must_check_;
/* Says how many were dropped, at most once a second. */
int stderr_report(struct stderr_relay *e, uint64_t now_us) _must_check_;
