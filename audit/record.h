/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record - one line of the log, built by hand in a fixed order of keys
 *
 * Process:  supervisor
 * Owns:     nothing; it writes into the caller's bytes
 * Returns:  errors stick in over; record_seal says so once
 * Limits:   max, at most AUDIT_RECORD_MAX
 *
 * The canonical form is the line itself: the hash is BLAKE2b-256 over the bytes of the line with `,"hash":"..."` and
 * the newline left out. So nobody has to agree on how JSON is written again, and b2sum(1) can check a record. Strings
 * are valid UTF-8; controls, deceptive characters and bytes that are no UTF-8 are \u escapes, so a record is harmless
 * on a terminal even as raw text.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "audit/role.h"
#include "base/cleanup.h"

enum {
	RECORD_VERSION = 1,
	RECORD_HASH_LEN = 32,
	RECORD_HASH_HEX = 2 * RECORD_HASH_LEN,
	RECORD_KEY_HEX = 16,				    /* the id of a key */
	RECORD_SIG_HEX = 128,				    /* a signature by Ed25519 */
	RECORD_TIME_LEN = 27,				    /* 2026-10-01T00:00:00.000000Z */
	RECORD_LINK_LEN = 9 + 10 + 2 + 2 * RECORD_HASH_HEX, /* ,"prev":"..","hash":".."} */
};

/* What the first record of a chain names as the one before it. */
#define RECORD_HASH_NONE "0000000000000000000000000000000000000000000000000000000000000000"

struct log_key;

struct record {
	char *data;
	size_t len;
	size_t max;
	bool over; /* something did not fit */
};

/* The text of the last second asked for: gmtime_r(3) is a third of a record's cost. */
struct record_clock {
	int64_t second;
	char text[20];
};

/* {"v":1,"seq":N,"ts":"..."; us is microseconds since the epoch. */
void record_begin(struct record *r, struct record_clock *clock, uint64_t seq, uint64_t us);
/* ,"key":"value"; left out when n is 0. At most limit bytes of escaped text; true when the value was cut to fit. */
bool record_bytes(struct record *r, const char *key, const char *value, size_t n, size_t limit);
/* ,"key":N; left out when 0. Above INT64_MAX it is written as INT64_MAX: readers of JSON hold no more. */
void record_number(struct record *r, const char *key, uint64_t n);
/* Adds prev, hash and the newline, and gives the hash in hex. 0, or -EMSGSIZE when anything did not fit. */
int record_seal(struct record *r, const char *prev, char ret_hash[RECORD_HASH_HEX + 1]) _must_check_;
/* The same of a record that has the place of a signature, `,"key":"ID","sig":"..."` right before prev. key without an
 * id, or NULL: the place stays empty. What is signed is the hash of the record as it would be with an empty sig; the
 * record's own hash covers the signature too. */
int record_seal_signed(
	struct record *r, const char *prev, const struct log_key *key, char ret_hash[RECORD_HASH_HEX + 1]) _must_check_;
/* BLAKE2b-256 in lower-case hex. */
void record_hash(const void *p, size_t n, char ret[RECORD_HASH_HEX + 1]);
/* The hash of a line (newline left out) as record_seal makes it; false when the line does not end as a record does. */
bool record_line_hash(const char *line, size_t n, char ret[RECORD_HASH_HEX + 1]);
/* A line's own links, borrowed from its end; false when it does not end as a record does. */
bool record_line_links(const char *line, size_t n, const char **ret_prev, const char **ret_hash);
/* The place of the signature in a line that ends as a record does, and the hash of it with an empty sig; false when
 * there is none, or it is empty. key and sig are borrowed, RECORD_KEY_HEX and RECORD_SIG_HEX bytes. */
bool record_line_signature(
	const char *line, size_t n, const char **ret_key, const char **ret_sig, char ret_hash[RECORD_HASH_HEX + 1]);
/* A time stamp as record_begin writes it, in microseconds since the epoch; false when it is not of that form. */
bool record_parse_time(const char *s, uint64_t *ret);

static inline void record_raw(struct record *r, const void *p, size_t n)
{
	if (n > r->max - r->len) {
		r->over = true;
		return;
	}
	memcpy(r->data + r->len, p, n);
	r->len += n;
}

static inline void record_text(struct record *r, const char *s)
{
	record_raw(r, s, strlen(s));
}

static inline void record_str(struct record *r, const char *key, const char *value)
{
	if (value)
		(void)record_bytes(r, key, value, strlen(value), SIZE_MAX);
}
