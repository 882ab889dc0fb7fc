/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_signatures - whose signatures a profile needs: "signatures" (policy.h)
 *
 * Process:  supervisor
 * Owns:     its strings; free with policy_signatures_done
 * Limits:   POLICY_SIGNERS_MAX keys
 *
 * {"need": 2, "of": ["release", "security"], "keys": {"release": {"expires": "2027-10-01", "servers": ["db-*"]}}}: the
 * names are those of the files in /etc/stockade/keys, without ".pub". What "keys" says of one that "of" does not name
 * would be kept by nobody, so it is refused.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "base/strv.h"
#include "supervisor/role.h"

enum { POLICY_SIGNERS_MAX = 16 };

struct judge_key;

struct policy_signer {
	char *name;
	char *where;	     /* "FILE:LINE (signatures.keys.release)", or that of "of" */
	bool named;	     /* by "of" */
	int64_t expires;     /* the first second that is too late; 0: never */
	struct strv servers; /* globs; none: every server */
};

struct policy_signatures {
	char *where; /* "FILE:LINE (signatures)"; NULL: no signatures are demanded */
	unsigned need;
	struct policy_signer *keys;
	size_t n;
};

/* Those keys as judge() takes them: an array of s->n for free(), which borrows from s. -ENOMEM. */
int policy_signatures_keys(const struct policy_signatures *s, struct judge_key **ret) _must_check_;
void policy_signatures_done(struct policy_signatures *s);
