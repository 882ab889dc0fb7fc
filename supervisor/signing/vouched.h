/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vouched - who signed a file, and by which rule that was enough (vouch.h finds it out)
 *
 * Process:  supervisor
 * Owns:     its strings; free with vouched_done
 * Returns:  0, -ENOMEM
 */
#pragma once
#include <jansson.h>
#include "sign/minisign.h"
#include "supervisor/role.h"

/* One signature of the file. */
struct voucher {
	char *name; /* of the key; NULL: it is unknown here, and proves nothing */
	char id[SIGN_ID_HEX];
	int64_t when;	 /* as the signer says; 0: nothing */
	bool counts;	 /* for the rule, where there is one */
	const char *why; /* a known key does not count for the rule, "has expired"; NULL: it does, or there is none */
};

struct vouched {
	struct voucher *v;
	size_t n;
	char *rule;	 /* "FILE:LINE (signatures)"; NULL: none is demanded */
	int64_t expires; /* from when on too few keys are left that count; 0: never */
};

/* "signed by release (key 0123456789ABCDEF, on 2026-10-01T00:00:00Z) and security (…)", heap; *ret NULL: by nobody. */
int vouched_words(const struct vouched *w, char **ret) _must_check_;
/* [{"key": "release", "id": "0123456789ABCDEF", "when": "…", "counts": true}], for the log; NULL: out of memory. */
json_t *vouched_json(const struct vouched *w);
void vouched_done(struct vouched *w);
