/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_check - checks the chain of one session's file
 *
 * Process:  supervisor
 * Owns:     the entries; free with session_view_done
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "audit/finding.h"
#include "audit/index.h"
#include "audit/log.h"
#include "audit/signature.h"

struct entry {
	uint64_t line, seq;
	bool noted; /* open, checkpoint or close: the index has its hash */
	enum index_event event;
	enum signature signature;
	char hash[RECORD_HASH_HEX + 1], prev[RECORD_HASH_HEX + 1];
};

struct session_view {
	const char *file;
	char session[AUDIT_SESSION_ID_LEN + 1];
	struct entry *entries; /* good records, in the order of the file */
	size_t n, room;
	size_t *by_seq; /* positions, sorted by seq, then position */
	uint64_t lines;
	uint64_t rest;	   /* bytes after the last newline, at least AUDIT_RECORD_MAX when there are more */
	bool rest_foreign; /* they are the beginning of no record */
	bool damaged;	   /* for the caller's notes: evidence is not repaired */
	bool closed;	   /* the last record is session.close */
	bool keyed;	   /* its open names the key that signs what follows */
	uint64_t covered;  /* seq of the last record with a good signature */
};

/* The session's id from a file's name; false when it is not a name of ours. */
bool session_of_file(const char *file, char ret[AUDIT_SESSION_ID_LEN + 1]);
/* A glob over the session's id, or its beginning as show prints it. NULL matches all. */
bool session_matches(const char *pattern, const char *session);
/* Reads the open file and checks its chain; findings are added. Takes fd. */
int session_view_read(int fd, const char *file, struct findings *f, struct signatures *s, struct session_view *ret,
	struct diag *d) _must_check_;
/* Its second step: entries, n and lines are there, by_seq has room for n + 1. The chain is checked, the rest filled. */
void session_view_judge(struct session_view *v, struct findings *f);
/* The first good record with that seq, or NULL. */
const struct entry *session_view_find(const struct session_view *v, uint64_t seq);
void session_view_done(struct session_view *v);
#define _cleanup_session_view_ _cleanup_(session_view_done)
