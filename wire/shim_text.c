/* SPDX-License-Identifier: Apache-2.0 */
/* shim_text - see shim_text.h */
#include "wire/shim_text.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name, *words;
} sets[] = {
#define X(id, text, explained) { text, explained },
	SHIM_SETS(X)
#undef X
};
_Static_assert(ARRAY_LEN(sets) == SHIM_SET_COUNT, "a row for every set");
_Static_assert(SHIM_SET_COUNT <= 32, "a bit for every set");

const char *shim_set_name(enum shim_set set)
{
	return (unsigned)set < SHIM_SET_COUNT ? sets[set].name : "unknown";
}

const char *shim_set_words(enum shim_set set)
{
	return (unsigned)set < SHIM_SET_COUNT ? sets[set].words : "unknown";
}

int shim_text_add_secret(struct shim_text *t, const char *name, const char *value)
{
	struct shim_secret *more;

	if (t->n_secrets >= SHIM_SECRETS_MAX)
		return -E2BIG;
	more = reallocarray(t->secrets, t->n_secrets + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	t->secrets = more;
	more += t->n_secrets++;
	*more = (struct shim_secret){ strdup(name), strdup(value) };
	return more->name && more->value ? 0 : -ENOMEM;
}

int shim_text_add_pattern(struct shim_text *t, const char *name, const char *pattern)
{
	struct shim_pattern *more;

	if (t->n_patterns >= SHIM_PATTERNS_MAX)
		return -E2BIG;
	more = reallocarray(t->patterns, t->n_patterns + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	t->patterns = more;
	more += t->n_patterns++;
	*more = (struct shim_pattern){ strdup(name), strdup(pattern) };
	return more->name && more->pattern ? 0 : -ENOMEM;
}

void shim_text_wipe(struct shim_text *t)
{
	for (size_t i = 0; i < t->n_secrets; i++)
		if (t->secrets[i].value)
			explicit_bzero(t->secrets[i].value, strlen(t->secrets[i].value));
}

void shim_text_done(struct shim_text *t)
{
	shim_text_wipe(t);
	for (size_t i = 0; i < t->n_secrets; i++) {
		free(t->secrets[i].name);
		free(t->secrets[i].value);
	}
	for (size_t i = 0; i < t->n_patterns; i++) {
		free(t->patterns[i].name);
		free(t->patterns[i].pattern);
	}
	free(t->secrets);
	free(t->patterns);
	*t = (struct shim_text){ 0 };
}

void shim_text_put(struct wire_writer *w, const struct shim_text *t)
{
	wire_put_u8(w, t->pass);
	wire_put_u32(w, t->sets);
	wire_put_u32(w, (uint32_t)t->n_secrets);
	for (size_t i = 0; i < t->n_secrets; i++) {
		wire_put_str(w, t->secrets[i].name);
		wire_put_str(w, t->secrets[i].value);
	}
	wire_put_u32(w, (uint32_t)t->n_patterns);
	for (size_t i = 0; i < t->n_patterns; i++) {
		wire_put_str(w, t->patterns[i].name);
		wire_put_str(w, t->patterns[i].pattern);
	}
}

typedef int add_fn(struct shim_text *t, const char *name, const char *value);

static void get_pairs(struct wire_reader *r, struct shim_text *ret, add_fn *add, size_t min, size_t max)
{
	uint32_t n = wire_get_count(r, 2 * sizeof(uint32_t));

	for (uint32_t i = 0; i < n && !r->error; i++) {
		char *name = wire_get_str(r), *value = wire_get_str(r);
		size_t len = value ? strlen(value) : 0;
		if (!r->error)
			r->error = name && *name && len >= min && len <= max ? add(ret, name, value) : -EPROTO;
		if (value)
			explicit_bzero(value, len);
		free(name);
		free(value);
	}
}

void shim_text_get(struct wire_reader *r, struct shim_text *ret)
{
	ret->pass = wire_get_u8(r);
	ret->sets = wire_get_u32(r);
	if (!r->error && ret->sets >> SHIM_SET_COUNT)
		r->error = -EPROTO;
	get_pairs(r, ret, shim_text_add_secret, SHIM_SECRET_BYTES_MIN, SHIM_SECRET_BYTES_MAX);
	get_pairs(r, ret, shim_text_add_pattern, 1, WIRE_BYTES_MAX);
}
