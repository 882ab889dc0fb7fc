/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record - hands events to the supervisor, before what they tell of takes effect
 *
 * Process:  shim
 * Returns:  0, -errno; after an error nothing more may be forwarded
 */
#pragma once
#include "shim/role.h"
#include "shim/shim.h"
#include "wire/event.h"

int record_send(struct shim *s, const struct event *e) _must_check_;
/* Copies foreign text, made safe and cut, into a field of an event. */
void record_text(char *ret, size_t size, struct slice text);
/* The same without values of secrets (shim/words.h): before it is escaped and cut, where they could still be known. */
int record_foreign(struct shim *s, char *ret, size_t size, struct slice text) _must_check_;
/* Copies our own words, or none (NULL), cut at a character. */
void record_words(char *ret, size_t size, const char *words);
/* Something that was refused and can be pinned on no request. */
int record_refused(struct shim *s, enum event_side side, const char *reason, uint64_t bytes) _must_check_;
/* How a request that is in flight ended. The entry stays. */
int record_ending(struct shim *s, const struct pending_entry *e, enum event_side side, const char *status,
	uint64_t bytes) _must_check_;
/* The same when a rule ended it. */
int record_ending_by(struct shim *s, const struct pending_entry *e, enum event_side side, const char *status,
	const char *rule, uint64_t bytes) _must_check_;
/* The client closed its end; how many requests were in flight. */
int record_client_eof(struct shim *s) _must_check_;
