/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text_out - takes secrets, personal data and invisible characters out of the strings of a message
 *
 * Process:  shim
 * Owns:     the values it looks for and its scratch space, in struct text_out
 * Returns:  0, -errno, TEXT_OUT_*
 *
 * Order in a string: values of secrets, then what is invisible, then personal data. A message in which nothing is found
 * is neither copied nor walked: the reader has said whether any of its strings is odd (json_doc.seen), and one pass of
 * finder.h over the canonical bytes whether there may be a value.
 *
 * Looked through is what the client gets: results, errors, requests and notifications of the server. Keys too: one that
 * must change may meet another of its object, and then the message is refused. Left alone but for secrets are
 * identifiers (uris, cursors, requestState) and _meta. Of what the server gets: arguments, reasons and the client's
 * results, for personal data alone. A number of a tool's own with any of it becomes a string; the protocol's own stay.
 */
#pragma once
#include "shim/role.h"
#include "base/diag.h"
#include "shim/envelope.h"
#include "shim/redact.h"
#include "shim/secrets.h"
#include "wire/event.h"

enum { TEXT_OUT_CHANGED = 1, TEXT_OUT_UNFIT };

enum {
	TEXT_INVISIBLE,
	TEXT_SECRETS,
	TEXT_KINDS = TEXT_SECRETS + SHIM_SECRETS_MAX,
	TEXT_COUNTS = TEXT_KINDS + REDACT_KINDS_MAX
};

struct text_out {
	const struct shim_text *config; /* borrowed; NULL: nothing is done */
	struct secrets secrets;
	struct redact redact;
	struct buf a, b, plain;	      /* a string on its way */
	uint64_t counts[TEXT_COUNTS]; /* since they were recorded */
	bool counted;
	const char *unfit; /* of TEXT_OUT_UNFIT, a clause */
};

struct shim;

/* Takes the values in and wipes them in the config. -EINVAL with words. */
int text_out_init(struct text_out *t, struct shim_text *config, struct diag *d) _must_check_;
void text_out_done(struct text_out *t);
/* The message in s->doc, sent by that side. TEXT_OUT_CHANGED: what it becomes is in s->edited. TEXT_OUT_UNFIT: a
 * secret is where nothing may change: in the id of a request, in the name of a method, or in what the other side has to
 * say again. -E2BIG: with marks it is too long. */
int text_out_pass(struct shim *s, enum event_side from, const struct envelope *e) _must_check_;
/* Hands over what was counted, as one event for each kind, and begins anew. */
int text_out_record(struct shim *s, enum event_side from, uint64_t call_id) _must_check_;
/* Does a name, or any key of an item, hold what would be replaced in a text? Such an item is not for a list. */
bool text_out_spoils(const struct shim *s, struct slice name, struct slice item);
