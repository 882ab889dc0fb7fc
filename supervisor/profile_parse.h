/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile_parse - what the parts of the profile's parser share; nobody else includes it but those of the policy, whose
 * ceilings are written as grants of a profile are
 *
 * Process:  supervisor
 */
#pragma once
#include "supervisor/keys.h"
#include "supervisor/profile.h"

/* The format of profiles: every key there is. A test holds the published schema against it. */
extern const struct key_table profile_keys;

/* Setters in profile_set.c, profile_rules.c, profile_arguments.c, profile_scopes.c, profile_meters.c, profile_text.c,
 * profile_client.c, profile_network.c, profile_params.c; the table in profile_keys.c names them. */
int key_set_accepted(const struct key *k) _must_check_; /* information for people and editors */
int key_set_refused(const struct key *k) _must_check_;
int key_set_empty(const struct key *k) _must_check_; /* an empty list is kept, another is refused */
int key_set_format(const struct key *k) _must_check_;
int key_set_name(const struct key *k) _must_check_;
int key_set_text(const struct key *k) _must_check_;
int key_set_date(const struct key *k) _must_check_;
int key_set_package(const struct key *k) _must_check_;
int key_set_code(const struct key *k) _must_check_;
int key_set_integer(const struct key *k) _must_check_;
int key_set_size(const struct key *k) _must_check_;
int key_set_duration(const struct key *k) _must_check_;
int key_set_boolean(const struct key *k) _must_check_;
int key_set_items(const struct key *k) _must_check_;
int key_set_path(const struct key *k) _must_check_;
int key_set_paths(const struct key *k) _must_check_;
int key_set_patterns(const struct key *k) _must_check_;
int key_set_env(const struct key *k) _must_check_;
int key_set_env_names(const struct key *k) _must_check_;
int key_set_protect(const struct key *k) _must_check_;
int key_set_home(const struct key *k) _must_check_;
int key_set_seccomp(const struct key *k) _must_check_;
int key_set_scan(const struct key *k) _must_check_;
int key_set_audit_arguments(const struct key *k) _must_check_;
int key_set_pins(const struct key *k) _must_check_; /* the name of a file beside the profile */
int key_set_allow(const struct key *k) _must_check_;
int key_set_deny(const struct key *k) _must_check_;
int key_set_strict(const struct key *k) _must_check_;
/* "arguments" and "strict" of an item of tools.allow. */
int profile_arguments_take(const struct key *k, const json_t *item, const char *glob) _must_check_;
/* A name of a tool, or a pattern of such. */
int profile_check_glob(const struct key *k, const char *glob, unsigned line) _must_check_;
/* The next item of tools.allow that is an object, and its end: what it said is kept under its name. */
int profile_meters_open(const struct key *k) _must_check_;
int profile_meters_close(const struct key *k, const char *glob) _must_check_;
int key_set_rate(const struct key *k) _must_check_;
int key_set_call_time(const struct key *k) _must_check_;
int key_set_output(const struct key *k) _must_check_;
int key_set_confirm(const struct key *k) _must_check_;
int key_set_inflight(const struct key *k) _must_check_;
int key_set_scopes(const struct key *k) _must_check_;
int key_set_allow_scopes(const struct key *k) _must_check_;
int key_set_grant_time(const struct key *k) _must_check_;
int key_set_text_mode(const struct key *k) _must_check_;
int key_set_redact(const struct key *k) _must_check_;
int key_set_sampling(const struct key *k) _must_check_;
int key_set_max_tokens(const struct key *k) _must_check_;
int key_set_context(const struct key *k) _must_check_;
int key_set_elicitation(const struct key *k) _must_check_;
int key_set_form(const struct key *k) _must_check_;
int key_set_ask_hosts(const struct key *k) _must_check_;
int key_set_logging(const struct key *k) _must_check_;
int key_set_level(const struct key *k) _must_check_;
int key_set_hosts(const struct key *k) _must_check_;
int key_set_host_ports(const struct key *k) _must_check_;
int key_set_publish(const struct key *k) _must_check_;
int key_set_addresses(const struct key *k) _must_check_;
int key_set_network_limit(const struct key *k) _must_check_;
int key_set_network_time(const struct key *k) _must_check_; /* into milliseconds where the member counts those */
int key_set_parameters(const struct key *k) _must_check_;
int key_set_param_type(const struct key *k) _must_check_;
int key_set_strings(const struct key *k) _must_check_; /* into a struct strv */
int key_set_within(const struct key *k) _must_check_;

/* 60 calls a minute and tool. */
int profile_meters_defaults(struct meters *m) _must_check_;
/* 60 requests a minute for a model's answer, and as many for the user's. */
int profile_client_defaults(struct shim_client *c) _must_check_;
/* The narrow defaults of design.md section 5, and the sentences on those not enforced yet. */
int profile_defaults(struct profile *p) _must_check_;
/* Parses bytes (NUL-terminated at n); expected is the name that the file's own name demands, or NULL. */
int profile_parse(const char *file, const char *bytes, size_t n, const char *expected, struct profile *ret,
	struct diag *d) _must_check_;
/* [a-z0-9][a-z0-9._-]*, at most 64 bytes. */
bool profile_name_valid(const char *name);

/* What tools.scopes and its neighbours say together. */
int profile_scopes_check(struct profile *p, struct diag *d) _must_check_;
/* Every "${...}" of the profile names something; every path has a form that can become absolute. */
int profile_check_references(const struct profile *p, struct diag *d) _must_check_;
/* Is it exactly "${NAME}" of a parameter of the profile? */
struct profile_param *profile_param_exact(const struct profile *p, const char *text);
struct profile_param *profile_param_find(const struct profile *p, const char *name, size_t len);
/* string, integer, boolean: the value's form. -EINVAL with words that begin with the parameter's name. */
int profile_param_check(const struct profile_param *param, const char *value, struct diag *d) _must_check_;

struct expand {
	struct profile *profile;
	const struct profile_args *args;
	bool no_params; /* while parameters get their values, they cannot name one another */
};
/* The values that stand in net_hosts become grants of the network, which is then looked at as a whole. */
int profile_hosts_add(struct profile *p, struct diag *d) _must_check_;
/* The paths of "code". */
int profile_code_expand(const struct expand *x, struct profile *p, struct diag *d) _must_check_;
void profile_code_done(struct profile *p);
/* Fills values of every parameter from --set and defaults. */
int profile_params_apply(const struct expand *x, struct diag *d) _must_check_;
/* ~ at the start and ${...} anywhere; many-valued parameters are refused here. where leads the message. */
int profile_expand_string(
	const struct expand *x, const char *where, const char *in, char **ret, struct diag *d) _must_check_;
