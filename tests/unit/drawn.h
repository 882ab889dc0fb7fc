/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drawn - what the property tests of a policy share: chance from a seed, lists drawn from it, and how a failure is told
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
	} rows[] = { { "--ro", &c->grants->read }, { "--rw", &c->grants->write }, { "--host", &c->grants->hosts } };

	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		for (size_t i = 0; i < rows[k].words->n; i++)
			fprintf(stderr, "%s %s\n", rows[k].option, rows[k].words->v[i]);
	/* cmocka cuts a long message. */
	fprintf(stderr, "policy %s\nprofile %s\n", policy, profile);
	fail_msg("STOCKADE_SEED=%llu, %s: %s", (unsigned long long)c->seed, what, condition);
	abort();
}

/* x: a pointer to a struct draw, which explain() of the test makes a case of. */
#define HOLDS(x, condition, ...)                                                                                       \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			explain((x), #condition, __VA_ARGS__);                                                         \
	} while (0)
