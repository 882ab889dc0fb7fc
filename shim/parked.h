/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parked - requests of the client that wait for something before they are decided
 *
 * Process:  shim
 * Owns:     copies of the messages; free with parked_done
 * Returns:  0, -ENOMEM, PARKED_FULL
 * Limits:   PARKED_MAX messages, PARKED_BYTES_MAX bytes of all of them
 *
 * What is parked is in no other table: it has neither been recorded nor sent. When its time comes it is taken out and
 * decided like a message that has just come.
 */
#pragma once
#include "shim/role.h"
#include <stdbool.h>
#include <stdint.h>
#include "shim/walk.h"

enum { PARKED_MAX = 64, PARKED_BYTES_MAX = 16 << 20 };

enum parked_result { PARKED_OK = 0, PARKED_FULL = 1 };

struct parked_entry {
	char *id; /* the lexeme */
	size_t id_len;
	char *text; /* the canonical message, and a NUL */
	size_t n;
	int why; /* the caller's own */
	uint64_t call_id;
	bool modern;
	bool confirmed; /* a person has let it through: nobody is asked again */
};

struct parked {
	struct parked_entry v[PARKED_MAX]; /* in the order they came */
	size_t n, bytes;
};

void parked_done(struct parked *p);
/* What is to be known of it again is of m (shim/handle.h). */
struct message;
int parked_add(struct parked *p, struct slice id, struct slice text, int why, const struct message *m) _must_check_;
struct parked_entry *parked_find(struct parked *p, struct slice id);
/* Takes the oldest that waits for that out of the table: false when there is none. The caller frees with
 * parked_entry_done. */
bool parked_take(struct parked *p, int why, struct parked_entry *ret);
/* Takes e out of the table; the caller frees with parked_entry_done. */
struct parked_entry parked_steal(struct parked *p, struct parked_entry *e);
void parked_remove(struct parked *p, struct parked_entry *e);
void parked_entry_done(struct parked_entry *e);
