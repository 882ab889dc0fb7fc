/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lists - messages of which a part must go: lists of tools and the like, capabilities, roots
 *
 * Process:  shim
 * Owns:     nothing; what is left goes to a buf of the caller's
 * Returns:  0, -errno, LISTS_*
 *
 * When nothing has to go, *ret_hidden is 0 and the buf is not touched.
 */
#pragma once
#include "shim/role.h"
#include "shim/json.h"
#include "shim/methods.h"
#include "shim/shim.h"

enum { LISTS_UNREADABLE = 1, LISTS_NO_CAPABILITY };
enum { LISTS_LOOK_US = 60000000 }; /* while a machine observes: a suspend stops the timer, not the clock */

/* Do the profile's own rules on tools only say what they would deny, now? */
bool lists_observe(const struct shim *s);
/* Tells the client, once, when that has ended: the list of tools is another one then. Sets the next time to look. */
int lists_observe_tick(struct shim *s) _must_check_;

/* A result of tools/list, resources/list, resources/templates/list or prompts/list, whose request asked for a page
 * after the first or did not. Schemas of tools are learnt. s->doubles: how many of the hidden had a name that stays. */
int lists_filter(
	struct shim *s, enum method_result kind, bool further, struct buf *out, uint64_t *ret_hidden) _must_check_;
/* Tool objects that a server put into its capabilities (mcp.md section 3, rule 8). NO_CAPABILITY: they are in an array,
 * where no name stands for them; an empty one is what some languages write for an empty object. */
int lists_filter_capabilities(struct shim *s, struct buf *out, uint64_t *ret_hidden) _must_check_;
/* The result without instructions that are not as they were pinned, or that the scan finds fault with. */
int lists_filter_instructions(struct shim *s, struct slice result, struct buf *out, uint64_t *ret_hidden) _must_check_;
/* An array of roots, down to those within config.roots. */
int lists_filter_roots(struct shim *s, struct slice roots, struct buf *out, uint64_t *ret_hidden) _must_check_;
/* The same for every answer among the inputResponses of a modern retry. */
int lists_filter_responses(struct shim *s, struct slice responses, struct buf *out, uint64_t *ret_hidden) _must_check_;
