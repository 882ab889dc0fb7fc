/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin - approvals that root has given: /etc/stockade/approvals/DIGEST.json
 *
 * Process:  supervisor
 * Returns:  0, CONSENT_*, -errno with words; a file that is not root's, or damaged, denies
 * Limits:   ADMIN_FILE_MAX bytes a file
 *
 * {"stockade": 1, "digest": "…", "who": "…", "when": "RFC 3339", "why": "…"}: the digest is that of the whole plan, as
 * 'stockade approve --print-digest' prints it for the user of the launch, so the file says nothing else about it. Root
 * writes it ('stockade approve --digest D'), or whatever manages the machine puts it there. Such a file counts with any
 * policy; with "consent": {"by": "admin"} nothing else does but what the policy grants (granted.h).
 */
#pragma once
#include "supervisor/consent.h"

/* The channel of such an approval. */
#define ADMIN_CHANNEL "admin"
#define ADMIN_DIR     "/etc/stockade/approvals"
enum { ADMIN_FILE_MAX = 16 << 10, ADMIN_TEXT_MAX = 1024 };

/* CONSENT_APPROVED with id, digest, channel, user, when and lineage (why) of ret filled, or CONSENT_UNKNOWN. */
int admin_lookup(const char *digest, struct approval *ret, struct diag *d) _must_check_;
/* Of those that are there, oldest first, damaged ones marked; nothing where the directory is not there. */
int admin_list(struct approvals *ret, struct diag *d) _must_check_;
/* Is it root who asks, under a policy where only root approves? */
bool admin_here(const struct policy_consent *c);
int admin_remember(const struct paths *p, const char *digest, const struct lineage *l, struct diag *d) _must_check_;
/* Removes the one whose digest begins so; -ENOENT: there is none that does so alone. */
int admin_revoke(const char *prefix, struct approval *ret, struct diag *d) _must_check_;
/* The form of the file, by itself: fills ret, whose digest says which it must be. */
int admin_parse(const char *bytes, size_t n, struct approval *ret, struct diag *d) _must_check_;
