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
 */
#pragma once
#include <stdint.h>
#include "base/diag.h"
#include "base/fs.h"
#include "wire/definition.h"
#include "supervisor/role.h"

enum { POLICY_BYTES_MAX = 1 << 20, POLICY_CA_MAX = 1 << 20 };

#define POLICY_FILE "/etc/stockade/policy.json"

struct policy {
	char *proxy_host; /* provide.proxy, or NULL */
	uint16_t proxy_port;
	char *proxy_where;		   /* "FILE:LINE (provide.proxy)" */
	char *ca;			   /* the certificates themselves, PEM; NULL: none are provided */
	char *ca_where;			   /* "FILE:LINE (provide.ca "PATH")" */
	char *no_grants;		   /* tools.grants "never": "FILE:LINE (tools.grants)"; NULL: as profiles say */
	enum definition_severity findings; /* pins.findings: from which on a finding keeps a server from being pinned */
	char *findings_where;		   /* "FILE:LINE (pins.findings "medium")"; NULL: nothing is laid down */
};

/* POLICY_FILE as root's; nothing when there is none. */
int policy_load(struct policy *ret, struct diag *d) _must_check_;
/* Another file, trusted as told: for tests, and for whoever checks a policy before it is installed. */
int policy_load_file(const char *path, enum fs_trust trust, uid_t uid, struct policy *ret, struct diag *d) _must_check_;
void policy_done(struct policy *p);
#define _cleanup_policy_ _cleanup_(policy_done)
