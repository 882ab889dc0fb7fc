/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy - what the machine's owner lays down for every launch: /etc/stockade/policy.json (stockade-policy(5))
 *
 * Process:  supervisor
 * Owns:     its strings; free with policy_done
 * Returns:  0, -errno with words; every error denies the launch
 * Limits:   POLICY_BYTES_MAX the file, POLICY_CA_MAX the certificates it names
 *
 * The file is root's, in a directory of root's, checked on the open descriptor; nothing in the environment of a launch
 * moves it. A key of the format that this version does not enforce is refused: a rule that is read and not kept is
 * none.
 *
 * Each area of the policy is a struct of its own with a file of its own (policy_AREA.[ch]): what it holds, what takes
 * its keys, what frees it. The table of all keys is policy_keys.c.
 */
#pragma once
#include "base/diag.h"
#include "base/fs.h"
#include "supervisor/client/client_rule.h"
#include "supervisor/alerts/alert_rules.h"
#include "supervisor/policy/policy_audit.h"
#include "supervisor/policy/policy_bundle.h"
#include "supervisor/policy/policy_ceilings.h"
#include "supervisor/policy/policy_consent.h"
#include "supervisor/policy/policy_groups.h"
#include "supervisor/policy/policy_mode.h"
#include "supervisor/policy/policy_persons.h"
#include "supervisor/policy/policy_provide.h"
#include "supervisor/policy/policy_servers.h"
#include "supervisor/policy/policy_signatures.h"
#include "supervisor/role.h"

/* POLICY_SETTLE_MS: who replaces a file by another, as install(1) does it, has put the new one there by then. */
enum { POLICY_BYTES_MAX = 1 << 20, POLICY_SETTLE_MS = 50, POLICY_PAUSES = 5 };

#define POLICY_FILE "/etc/stockade/policy.json"

/* Of an area that the file does not name everything is 0: nothing is laid down there. */
struct policy {
	char *file; /* where it was read; NULL: there is none */
	struct policy_provide provide;
	struct policy_persons persons;
	struct policy_servers servers;
	struct alert_rules alerts;
	struct client_rules clients;
	struct policy_signatures signatures;
	struct policy_audit audit;
	struct policy_ceilings ceilings;
	struct policy_groups groups;
	struct policy_consent consent;
	struct policy_mode mode;
	struct policy_bundle bundle;
};

/* POLICY_FILE as root's; nothing when there is none. */
int policy_load(struct policy *ret, struct diag *d) _must_check_;
struct policy_pause {
	void (*fn)(void *ctx);
	void *ctx;
};

/* The same of another file. That there is none is believed only of a directory that has not changed just now: between
 * the old one that is taken away and the new one that is put there, a launch would have no policy at all. pause is
 * called before each further look. */
int policy_load_settled(const char *path, enum fs_trust trust, uid_t uid, const struct policy_pause *pause,
	struct policy *ret, struct diag *d) _must_check_;
/* Another file, trusted as told: for tests, and for whoever checks a policy before it is installed. */
int policy_load_file(const char *path, enum fs_trust trust, uid_t uid, struct policy *ret, struct diag *d) _must_check_;
/* The same before it is anybody's: the words are about the file alone, and -ENOENT is that it is not there. */
int policy_read_file(const char *path, enum fs_trust trust, uid_t uid, struct policy *ret, struct diag *d) _must_check_;
/* Its bytes; the files that they name must be trusted as told. */
int policy_parse(const char *path, const struct buf *b, enum fs_trust trust, uid_t uid, struct policy *ret,
	struct diag *d) _must_check_;
void policy_done(struct policy *p);
#define _cleanup_policy_ _cleanup_(policy_done)
