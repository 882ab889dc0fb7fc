/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pin_listing - what a server defines now, asked of it inside its sandbox
 *
 * Process:  supervisor
 * Returns:  0, -errno with words
 *
 * An ordinary session whose shim has no client (shim/listing.h): the same plan, the same approval, the same log. It
 * runs in a process of its own, for a session locks its supervisor down and a person is still to be asked.
 */
#pragma once
#include "supervisor/launch.h"
#include "supervisor/pin_store.h"

/* The launch is approved; of a session that failed nothing is taken. ret: sorted, as a pin file would have it, with its
 * text and digest. */
struct pin_listing {
	char *server, *version, *protocol; /* as the server says, escaped; may be NULL */
	struct definitions found;	   /* in the same order, with what the scan found */
	struct pin_set set;
	struct buf text;
};
int pin_listing_run(struct launch *l, struct pin_listing *ret, struct diag *d) _must_check_;
void pin_listing_done(struct pin_listing *l);
#define _cleanup_pin_listing_ _cleanup_(pin_listing_done)
