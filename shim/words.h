/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words - our own words and records, where they hold something of a peer's: never the value of a secret
 *
 * Process:  shim
 * Owns:     nothing
 * Returns:  0, -ENOMEM
 *
 * What peers say reaches our sentences by names of tools and arguments, by what schemas say, by who a server says it
 * is. None of that goes through text_out. What nobody sees is escaped where such a text is made (base/text.h); here go
 * the values, whole, or in front of the "..." at which a text was cut.
 */
#pragma once
#include "shim/role.h"
#include "base/buf.h"
#include "shim/walk.h"
#include "wire/event.h"

struct shim;

/* In place; what does not fit any more is cut. */
int words_clean(struct shim *s, char *text, size_t size) _must_check_;
/* Canonical bytes: *text stays, or is in room. */
int words_clean_canonical(struct shim *s, struct slice *text, struct buf *room) _must_check_;
/* Is there any in an event? Then ret is it without, and its arguments are in room. 1, 0. */
int words_clean_event(struct shim *s, const struct event *e, struct event *ret, struct buf *room) _must_check_;
