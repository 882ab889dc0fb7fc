/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index_check - reads the whole index, checks its chain and hands out what it says of each session
 *
 * Process:  supervisor
 * Owns:     its lines; free with index_view_done
 *
 * The chain is a line that may fork where a writer could not have the lock: each record names one earlier record (prev)
 * and further ends that it merges. A fork is accepted where an unlocked record explains it, and nowhere else.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "audit/audit.h"
#include "audit/finding.h"
#include "audit/index.h"
#include "audit/log.h"
#include "audit/signature.h"

struct index_line {
	uint64_t number, seq;
	bool good; /* the record's hash is right; else only hash may be known, as claimed */
	bool unlocked;
	bool torn;    /* a torn line that the next record accounts for */
	bool covered; /* by a good signature, its own or a later one */
	enum signature signature;
	enum index_event event;
	char hash[RECORD_HASH_HEX + 1], prev[RECORD_HASH_HEX + 1];
	char (*merges)[RECORD_HASH_HEX + 1];
	size_t n_merges;
	char session[AUDIT_SESSION_ID_LEN + 1];
	char file[LOG_FILE_NAME_MAX];
	uint64_t records, size;
	char head[RECORD_HASH_HEX + 1];
};

struct index_view {
	struct index_line *lines; /* in the order of the file */
	size_t n, room;
	size_t *by_hash;    /* positions in lines, sorted by hash */
	size_t *by_session; /* good ones, sorted by session, then position */
	size_t n_by_session;
	bool exists;
	size_t n_signed;  /* whether good or not */
	size_t n_covered; /* good lines that a good signature covers */
};

/* Reads and checks; findings are added. 0 or -errno with words. */
int index_view_read(
	int dirfd, struct findings *f, struct signatures *s, struct index_view *ret, struct diag *d) _must_check_;
/* The lines of a session: by_session[*ret_first .. +count). Returns the count. */
size_t index_view_session(const struct index_view *v, const char *session, size_t *ret_first);
void index_view_done(struct index_view *v);
#define _cleanup_index_view_ _cleanup_(index_view_done)
