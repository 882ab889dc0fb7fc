/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_keys - the table of the policy's keys, and what takes each; nobody else includes it
 *
 * Process:  supervisor
 *
 * A new key is a row of the table (supervisor/keys.h), with an offset in struct policy and a setter that is declared
 * here and lives in the file of its area; a line of profiles/policy.schema.json; a paragraph of stockade-policy(5).
 * What is kept for later versions is known by name, and refused (policy_set_refused).
 */
#pragma once
#include <sys/types.h>
#include "base/fs.h"
#include "supervisor/keys.h"
#include "supervisor/policy/policy.h"

/* Who must own the files that the policy names: as the policy itself. */
struct policy_take {
	enum fs_trust trust;
	uid_t uid;
};

/* A test holds the published schema against it. */
extern const struct key_table policy_keys;

int policy_set_accepted(const struct key *k) _must_check_; /* information for people and editors */
int policy_set_refused(const struct key *k) _must_check_;
int policy_set_format(const struct key *k) _must_check_;

/* policy_provide.c */
int policy_set_proxy(const struct key *k) _must_check_;
int policy_set_ca(const struct key *k) _must_check_;
/* policy_bundle.c */
int policy_set_bundle_url(const struct key *k) _must_check_;
int policy_set_bundle_every(const struct key *k) _must_check_;
int policy_set_bundle_stale(const struct key *k) _must_check_;
/* policy_servers.c */
int policy_set_unprofiled(const struct key *k) _must_check_;
int policy_set_user(const struct key *k) _must_check_;
int policy_set_servers(const struct key *k) _must_check_;
int policy_set_packages(const struct key *k) _must_check_;
/* policy_clients.c */
int policy_set_clients_allow(const struct key *k) _must_check_;
int policy_set_clients_deny(const struct key *k) _must_check_;
/* policy_audit.c */
int policy_set_audit_to(const struct key *k) _must_check_;
int policy_set_audit_delete_after(const struct key *k) _must_check_;
int policy_set_audit_size(const struct key *k) _must_check_;
/* policy_ceilings.c: what is written as in a profile, by the profile's own setters */
int policy_set_ceiling(const struct key *k) _must_check_;
int policy_set_ceiling_paths(const struct key *k) _must_check_;
int policy_set_ceiling_names(const struct key *k) _must_check_;
int policy_set_ceiling_hosts(const struct key *k) _must_check_;
/* and those that a profile writes otherwise */
int policy_set_env_pass(const struct key *k) _must_check_;
int policy_set_env_set(const struct key *k) _must_check_;
int policy_set_seccomp(const struct key *k) _must_check_;
int policy_set_publish(const struct key *k) _must_check_;
int policy_set_private(const struct key *k) _must_check_;
int policy_set_sni(const struct key *k) _must_check_;
int policy_set_sampling(const struct key *k) _must_check_;
int policy_set_elicitation(const struct key *k) _must_check_;
/* policy_consent.c */
int policy_set_by(const struct key *k) _must_check_;
int policy_set_channels(const struct key *k) _must_check_;
int policy_set_layers(const struct key *k) _must_check_;
/* policy_mode.c */
int policy_set_mode(const struct key *k) _must_check_;
int policy_set_observe_until(const struct key *k) _must_check_;
/* policy_groups.c */
int policy_set_groups(const struct key *k) _must_check_;
/* policy_persons.c */
int policy_set_findings(const struct key *k) _must_check_;
int policy_set_grants(const struct key *k) _must_check_;
/* policy_signatures.c */
int policy_set_signatures(const struct key *k) _must_check_;
int policy_set_need(const struct key *k) _must_check_;
int policy_set_signers(const struct key *k) _must_check_;
int policy_set_signer_keys(const struct key *k) _must_check_;
int policy_set_signer_expires(const struct key *k) _must_check_;
int policy_set_signer_servers(const struct key *k) _must_check_;
