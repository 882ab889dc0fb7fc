/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listed - the names that a list has had, through all its pages, so that none can stand for two things
 *
 * Process:  shim
 * Owns:     its table: digests, no names
 * Returns:  0, -ENOMEM
 * Limits:   LISTED_MAX names a list, LISTED_PAGED_MAX one in pages; what comes after them is not kept
 *
 * Some clients take the first of two tools of one name, some the last, a person reads one and the model calls the
 * other. Of one name in one message the first stays. On a later page of the same list a name stays only when the item
 * is the same to the byte, which is what a list that moves while it is read gives.
 */
#pragma once
#include "shim/role.h"
#include <stdbool.h>
#include <stdint.h>
#include "shim/walk.h"

/* Of a list in pages a table of twice as many entries stays for as long as a server does not give the last of them. */
enum { LISTED_MAX = 1 << 19, LISTED_PAGED_MAX = 1 << 15, LISTED_DIGEST_BYTES = 16 };

struct listed_entry {
	uint8_t name[LISTED_DIGEST_BYTES];
	uint8_t item[LISTED_DIGEST_BYTES]; /* zeros in a list of one page */
	uint32_t page;			   /* the last that had it; 0: an empty slot */
	uint32_t at;			   /* its place there */
};

struct listed {
	struct listed_entry *slots;
	size_t n, cap;
	uint32_t page;
	bool paged; /* this message is one of several */
};

/* A list of one message that lost nothing: when it comes again to the byte, what its items say was judged already. */
struct listed_known {
	uint8_t digest[LISTED_DIGEST_BYTES];
	bool is;
	bool here;	    /* it is that of the message at hand */
	bool defined;	    /* all its fields are the protocol's */
	uint64_t forgotten; /* scans.forgotten when it was judged */
};

void listed_done(struct listed *l);
/* A message of the list begins: its first page, or a further one. paged: there are others. */
void listed_begin(struct listed *l, bool first, bool paged);
/* May the item of that name, at that place in the message, stay? The same question has the same answer. */
int listed_keep(
	struct listed *l, uint64_t secret, struct slice name, struct slice item, uint32_t at, bool *ret) _must_check_;
