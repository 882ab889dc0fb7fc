/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile_parse - what the parts of the profile's parser share; nobody else includes it
 *
 * Process:  supervisor
 *
 * A key of the format is a row: its dotted path, its type, what takes it, where it goes. "*" in a path stands for any
 * name (parameters.*.type), "[]" for an item of a list. The walker looks a key up, checks the type and calls the row;
 * so a key that has no row is unknown, and a key whose rule is not kept yet has a row that refuses it in words.
 */
#pragma once
#include <jansson.h>
#include "supervisor/json_file.h"
#include "supervisor/profile.h"

enum {
	PROFILE_ITEMS_MAX = 1024,	   /* items of one list, members of one object */
	PROFILE_STRING_MAX = 4096,	   /* bytes of one string in the file, and of a parameter's value */
	PROFILE_EXPANDED_MAX = 64 << 10,   /* bytes of one string after expansion */
	PROFILE_EXPANDED_ITEMS_MAX = 4096, /* items of one list after expansion */
	PROFILE_SHOWN_MAX = 256,	   /* foreign text in a message */
};

enum key_type {
	KEY_SECTION, /* object whose members have rows */
	KEY_OBJECT,  /* object with names of the profile's own */
	KEY_STRING,
	KEY_STRINGS, /* list of strings */
	KEY_LIST,    /* list of anything */
	KEY_INTEGER,
	KEY_BOOLEAN,
	KEY_ANY,
	KEY_TYPE_COUNT,
};

struct parse {
	struct json_file file;
	struct profile *profile;
	struct diag *d;
};

struct key;

struct key_row {
	const char *path;
	enum key_type type;
	int (*set)(const struct key *k);
	size_t offset;	   /* in struct profile, or in the target of a "*" or "[]" row */
	uint64_t min, max; /* integers and sizes */
	const char *words; /* rows that refuse: what this version does not enforce */
};

/* One member being taken. */
struct key {
	struct parse *parse;
	const struct key_row *row;
	const char *shown; /* its path for a person: "parameters.dirs.type" */
	const json_t *v;
	unsigned line;
	void *target; /* what row->offset is an offset in */
};

/* The format: every key there is. A test holds the published schema against it. */
const struct key_row *key_rows(size_t *ret_n);
/* Takes every member of obj by the rows below prefix; shown is what stands for prefix in messages. */
int key_walk(struct parse *ps, const char *prefix, const char *shown, const json_t *obj, void *target) _must_check_;
/* -EINVAL and "FILE:LINE: SHOWN ..." for the member itself, or for an item of its list. */
int key_fail(const struct key *k, const char *fmt, ...) _printf_(2, 3) _must_check_;
int key_fail_at(const struct key *k, unsigned line, const char *fmt, ...) _printf_(3, 4) _must_check_;
/* The line of the i-th item of the member's list or object. */
unsigned key_item_line(const struct key *k, size_t i);
/* "FILE:LINE (SHOWN)" or "FILE:LINE (SHOWN "text")", heap. */
int key_where(const struct key *k, unsigned line, const char *text, char **ret) _must_check_;
/* One of n words: its index, else -EINVAL with a suggestion. */
int key_word(const struct key *k, const char *const *words, size_t n, size_t *ret) _must_check_;
#define KEY_FIELD(k, type) ((type *)((char *)(k)->target + (k)->row->offset))

/* Setters in profile_set.c, profile_rules.c, profile_arguments.c, profile_scopes.c, profile_meters.c, profile_text.c,
 * profile_client.c, profile_network.c, profile_params.c; the table in profile_keys.c names them. */
int key_set_accepted(const struct key *k) _must_check_; /* information for people and editors */
int key_set_refused(const struct key *k) _must_check_;
int key_set_empty(const struct key *k) _must_check_; /* an empty list is kept, another is refused */
int key_set_format(const struct key *k) _must_check_;
int key_set_name(const struct key *k) _must_check_;
int key_set_text(const struct key *k) _must_check_;
int key_set_date(const struct key *k) _must_check_;
int key_set_expires(const struct key *k) _must_check_;
int key_set_package(const struct key *k) _must_check_;
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
/* Fills values of every parameter from --set and defaults. */
int profile_params_apply(const struct expand *x, struct diag *d) _must_check_;
/* ~ at the start and ${...} anywhere; many-valued parameters are refused here. where leads the message. */
int profile_expand_string(
	const struct expand *x, const char *where, const char *in, char **ret, struct diag *d) _must_check_;
