/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call_list - RUNTIME/calls: calls that wait for a person, as the sessions put them there and `stockade approve` reads
 *
 * Process:  supervisor
 * Owns:     struct call_entry its strings; free with call_list_done
 * Limits:   CALL_FILE_MAX bytes an entry, CALL_ANSWER_FILE_MAX an answer
 *
 *    SESSION.ID         the question; locked by flock(2) while its session lives and waits
 *    SESSION.ID.answer  what a person said, with the digest of what was shown
 *
 * Theory of operation. Nobody waits for a lock: who reads the list only tries whether an entry is still held, and what
 * nobody holds is the litter of a session that was killed and goes. An answer is believed by the session when it names
 * the digest of tool and arguments that it asked about.
 */
#pragma once
#include <stdint.h>
#include "audit/audit.h"
#include "supervisor/asker.h"
#include "supervisor/canonical.h"
#include "supervisor/lineage.h"
#include "wire/confirm.h"

#define CALL_DIR    "calls"
#define CALL_ANSWER ".answer"
enum {
	CALL_VERSION = 1,
	/* Each byte of the arguments may be an escape of six in the file's own JSON. */
	CALL_FILE_MAX = 6 * CONFIRM_ARGS_MAX + (64 << 10),
	CALL_ANSWER_FILE_MAX = 4 << 10,
	CALL_NAME_SIZE = 96,
};

struct call_entry {
	char name[CALL_NAME_SIZE]; /* of the file */
	char *session, *server, *client, *tool, *arguments, *rule;
	char digest[CANONICAL_DIGEST_HEX]; /* computed over what is shown */
	int64_t when;
	char *damaged; /* why it cannot be answered, else NULL */
};

struct call_list {
	struct call_entry *v;
	size_t n;
};

/* What waits, oldest first; removes what no session holds any more. */
int call_list_read(const struct paths *p, struct call_list *ret, struct diag *d) _must_check_;
void call_list_done(struct call_list *l);
#define _cleanup_call_list_ _cleanup_(call_list_done)
/* Does its session still wait for an answer? */
bool call_waits(const struct paths *p, const struct call_entry *e) _must_check_;
/* -ENOENT with words: it waits no longer. */
int call_answer(const struct paths *p, const struct call_entry *e, enum asker_say say, const char *channel,
	const struct lineage *l, struct diag *d) _must_check_;
/* The digest of a tool and its arguments. */
int call_digest(const char *tool, const char *arguments, char ret[CANONICAL_DIGEST_HEX]) _must_check_;
const char *call_say_name(enum asker_say say);
/* -EINVAL */
int call_say_parse(const char *name, enum asker_say *ret) _must_check_;
