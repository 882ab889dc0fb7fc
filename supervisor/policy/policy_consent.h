/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_consent - "consent" and "layers": whose yes counts, and what may never be missing (policy.h)
 *
 * Process:  supervisor
 * Owns:     its strings; free with policy_consent_done
 */
#pragma once
#include "base/buf.h"
#include "base/diag.h"
#include "supervisor/role.h"

/* Whose word starts a server. */
enum policy_consent_by {
	CONSENT_BY_ASK,	    /* the user's */
	CONSENT_BY_GRANTED, /* nobody's, where whoever signed has bound what runs (consent/granted.h); else the user's
			     */
	CONSENT_BY_ADMIN,   /* the same, and else root's (consent/admin.h) */
	CONSENT_BY_COUNT,
};

struct policy_consent {
	enum policy_consent_by by;
	char *by_where;	   /* "FILE:LINE (consent.by "granted")"; NULL: ask */
	char *where;	   /* "FILE:LINE (consent.channels)"; NULL: every channel counts */
	unsigned channels; /* bits of those that count */
	int landlock;	   /* layers "landlock:4"; 0: the floor */
	char *landlock_where;
};

/* Does the answer of a person who is not root count, and may it come through that channel ("terminal", "approve",
 * "digest")? -EPERM with words. name: the server's. */
int policy_judge_channel(
	const struct policy_consent *c, const char *channel, const char *name, struct diag *d) _must_check_;
/* Does this kernel have what may never be missing? abi: of its Landlock. -ENOSYS with words. */
int policy_judge_layers(const struct policy_consent *c, int abi, struct diag *d) _must_check_;
/* "terminal or approve". */
int policy_channel_words(const struct policy_consent *c, struct buf *b) _must_check_;
void policy_consent_done(struct policy_consent *c);
