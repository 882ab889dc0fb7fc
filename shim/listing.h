/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listing - there is no client: the shim asks the server for all that it defines, hands that over and ends
 *
 * Process:  shim, when config.listing is set
 * Owns:     what it found; free with listing_done
 * Returns:  0, -errno
 * Limits:   those of wire/definition.h; LISTING_PAGES_MAX pages a list, LISTING_ROUNDS_MAX times all lists; for
 *           everything LISTING_TOTAL_US, LISTING_READ_MAX bytes of answers, and LISTING_KEPT_MAX of what is handed over
 *
 * Asked as a client of the newest legacy version, and as one of the modern era where that is refused, with every
 * capability that the profile lets a client offer: some tools appear for some clients only. Tools may come after the
 * handshake, so the lists are read again for as long as the server says that they changed. What is found goes to
 * standard output, with what the scan found in it, a memfd, as one message (wire/definition.h). Requests of the server
 * are answered with no.
 */
#pragma once
#include "shim/role.h"
#include "scan/scan.h"
#include "shim/methods.h"
#include "wire/definition.h"

enum {
	LISTING_PAGES_MAX = 256,
	LISTING_ROUNDS_MAX = 5,
	LISTING_READ_MAX = 64 << 20,
	LISTING_KEPT_MAX = DEFINITIONS_BYTES_MAX - (64 << 10), /* the rest is for what stands before them */
	LISTING_TOTAL_US = 60000000,
	LISTING_SETTLE_US = 400000, /* after the last page: how long the server may say that a list changed */
	LISTING_TICK_MS = 50,
};

enum listing_step {
	LISTING_START,
	LISTING_HELLO,
	LISTING_DISCOVER,
	LISTING_LISTS,
	LISTING_SETTLE,
	LISTING_DONE,
};

struct listing {
	enum listing_step step;
	struct definitions found;
	bool announced[DEFINITION_INSTRUCTIONS]; /* the server has such lists */
	bool modern;
	bool changed; /* the server said so since the round began */
	unsigned kind, pages, rounds;
	uint64_t read, kept, names; /* bytes */
	struct buf cursor;	    /* of the page that was asked for last */
	uint64_t began_us, settled_us;
	struct scan *scan; /* made when it is needed */
};

struct shim;
struct message;

void listing_done(struct listing *l);
/* Begins, goes on after a pause, ends after too long a one. */
int listing_tick(struct shim *s, uint64_t now_us) _must_check_;
int listing_answered(
	struct shim *s, const struct message *m, const struct method *method, const char *failure) _must_check_;
int listing_notified(struct shim *s, const struct message *m) _must_check_;
/* The server's requests that are answered with something (ping), and their answer. */
bool listing_answers(const struct method *method);
int listing_answer(struct shim *s, const struct message *m) _must_check_;
/* Hands over why there is nothing; words are our own, or escaped. */
int listing_fail(struct shim *s, const char *words) _must_check_;
static inline bool listing_is_over(const struct listing *l)
{
	return l->step == LISTING_DONE;
}
