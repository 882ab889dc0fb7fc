/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drawn - what the property tests of a policy share: chance from a seed, what policies and profiles are drawn from and
 * how, and how a failure is told
 *
 * What a policy and a profile say by themselves each test judges by its own model.
 */
#pragma once
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include "supervisor/grants.h"
#include "tests/unit/unit.h"

/* The first state for a seed: never 0. */
static inline uint64_t drawn_begin(uint64_t seed)
{
	return seed * 0x9e3779b97f4a7c15ULL + 1;
}

static inline uint32_t chance(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return (uint32_t)(*s >> 32);
}

static inline bool often(uint64_t *s, unsigned of_ten)
{
	return chance(s) % 10 < of_ten;
}

#define PICK(s, list) (list)[chance(s) % ARRAY_LEN(list)]

/* Up to three of what one() gives, none twice. */
static inline void drawn_list(uint64_t *s, json_t *o, const char *key, const char *(*one)(void *arg), void *arg)
{
	json_t *list = json_array();

	for (uint32_t some = chance(s) % 4; some > 0; some--) {
		const char *text = one(arg);
		bool again = false;
		for (size_t k = 0; k < json_array_size(list); k++)
			again = again || strcmp(json_string_value(json_array_get(list, k)), text) == 0;
		if (!again)
			json_array_append_new(list, json_string(text));
	}
	json_object_set_new(o, key, list);
}

struct drawn_words {
	uint64_t *s;
	const char *const *v;
	size_t n;
};

static inline const char *drawn_word(void *arg)
{
	struct drawn_words *w = arg;

	return w->v[chance(w->s) % w->n];
}

/* Of these words. */
static inline void drawn_list_of(uint64_t *s, json_t *o, const char *key, const char *const *v, size_t n)
{
	struct drawn_words w = { s, v, n };

	drawn_list(s, o, key, drawn_word, &w);
}

/* audit.arguments, in profile or policy. */
static const char *const drawn_arguments[] = { "keys", "hash", "full" };

static inline void drawn_audit(uint64_t *s, json_t *o)
{
	if (often(s, 4))
		json_object_set_new(o, "audit", json_pack("{s:s}", "arguments", PICK(s, drawn_arguments)));
}

/* --- what policies and profiles name --- */

static const char *const drawn_globs[] = { "get_*", "*_issue", "get_issue", "*", "delete_*", "*e*" };
static const char *const drawn_tools[] = { "get_issue", "get_repo", "delete_issue", "delete_repo", "create", "x" };
static const char *const drawn_variable_globs[] = { "API_*", "*", "NODE_OPTIONS", "*_TOKEN", "M*" };
static const char *const drawn_channels[] = { "terminal", "approve", "digest" };

/* "allow" and "deny" of what has names. */
static inline json_t *drawn_rules(uint64_t *s, unsigned of_ten)
{
	json_t *o = json_object();

	if (often(s, of_ten))
		drawn_list_of(s, o, "allow", drawn_globs, ARRAY_LEN(drawn_globs));
	if (often(s, 4))
		drawn_list_of(s, o, "deny", drawn_globs, ARRAY_LEN(drawn_globs));
	return o;
}

/* What profiles and policies write alike, but for places: those are each test's own. of_ten: how often lists are there.
 */
static inline json_t *drawn_alike(uint64_t *s, unsigned of_ten)
{
	json_t *files = json_object(), *limits = json_object(), *o = json_pack("{s:i}", "stockade", 1);

	if (often(s, 3))
		json_object_set_new(files, "home", json_string(often(s, 5) ? "empty" : "private"));
	if (often(s, 5))
		json_object_set_new(limits, "processes", json_integer(1 + chance(s) % 600));
	if (often(s, 5))
		json_object_set_new(limits, "files", json_integer(16 + chance(s) % 4000));
	if (often(s, 5))
		json_object_set_new(limits, "message", json_sprintf("%uKiB", 4 + chance(s) % 8000));
	json_object_set_new(o, "filesystem", files);
	json_object_set_new(o, "limits", limits);
	json_object_set_new(o, "tools", drawn_rules(s, of_ten));
	drawn_audit(s, o);
	return o;
}

static inline void drawn_lists_of_a_policy(uint64_t *s, json_t *policy, const char *const *hosts, size_t n_hosts)
{
	json_t *env = json_object(), *net = json_object(), *client = json_object();

	if (often(s, 5))
		drawn_list_of(s, env, "pass", drawn_variable_globs, ARRAY_LEN(drawn_variable_globs));
	if (often(s, 5))
		drawn_list_of(s, env, "set", drawn_variable_globs, ARRAY_LEN(drawn_variable_globs));
	if (often(s, 6))
		drawn_list_of(s, net, "allow", hosts, n_hosts);
	if (often(s, 4))
		json_object_set_new(client, "sampling", json_boolean(often(s, 5)));
	if (often(s, 3))
		json_object_set_new(policy, "seccomp", json_pack("[s]", often(s, 5) ? "default" : "browser"));
	json_object_set_new(policy, "env", env);
	json_object_set_new(policy, "network", net);
	json_object_set_new(policy, "client", client);
}

static inline const json_t *said(const json_t *o, const char *section, const char *key)
{
	return json_object_get(json_object_get(o, section), key);
}

/* How much of arguments that one lets into the log, in the order of enum shim_args. */
static inline size_t drawn_args(const json_t *o, size_t otherwise)
{
	const char *text = json_string_value(said(o, "audit", "arguments"));

	for (size_t i = 0; text && i < ARRAY_LEN(drawn_arguments); i++)
		if (strcmp(text, drawn_arguments[i]) == 0)
			return i;
	return otherwise;
}

struct drawn_case {
	uint64_t seed;
	const json_t *policy, *profile;
	const struct grants *grants;
};

__attribute__((noreturn)) static inline void drawn_explain(
	const struct drawn_case *c, const char *what, const char *condition)
{
	_cleanup_free_ char *policy = json_dumps(c->policy, JSON_INDENT(1)),
			    *profile = json_dumps(c->profile, JSON_INDENT(1));
	const struct {
		const char *option;
		const struct strv *words;
	} rows[] = { { "--ro", &c->grants->read }, { "--rw", &c->grants->write }, { "--host", &c->grants->hosts },
		{ "--env", &c->grants->env_pass }, { "--set", &c->grants->sets } };

	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		for (size_t i = 0; i < rows[k].words->n; i++)
			fprintf(stderr, "%s %s\n", rows[k].option, rows[k].words->v[i]);
	/* cmocka cuts a long message. */
	fprintf(stderr, "policy %s\nprofile %s\n", policy, profile);
	fail_msg("STOCKADE_SEED=%llu, %s: %s", (unsigned long long)c->seed, what, condition);
	abort();
}

/* Each seed from 1, of which one() starts so many at least, or it would prove nothing. STOCKADE_SEED=N is that one
 * alone.
 */
static inline void drawn_all(uint64_t cases, uint64_t least, bool (*one)(uint64_t seed, void *ctx), void *ctx)
{
	const char *only = getenv("STOCKADE_SEED");
	uint64_t started = 0;

	if (only) {
		(void)one(strtoull(only, NULL, 10), ctx);
		return;
	}
	for (uint64_t seed = 1; seed <= cases; seed++)
		started += one(seed, ctx);
	if (started < least)
		fail_msg("only %llu of %llu launches would start", (unsigned long long)started,
			(unsigned long long)cases);
}

/* x: a pointer to a struct draw, which explain() of the test makes a case of. */
#define HOLDS(x, condition, ...)                                                                                       \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			explain((x), #condition, __VA_ARGS__);                                                         \
	} while (0)
