/* SPDX-License-Identifier: Apache-2.0 */
/* test_judge - m of n: which signer counts, which does not and why, as a table */
#include "tests/unit/unit.h"
#include <errno.h>
#include "sign/judge.h"

enum { NOW = 1000 };

/* Keys 'a' to 'd' are in the keyring; "same" is another name of 'a'. 'x' is in none. */
static void id_of(char key, uint8_t ret[SIGN_ID_BYTES])
{
	memset(ret, key, SIGN_ID_BYTES);
}

static void make_keyring(struct keyring *ret)
{
	static const struct {
		const char *name;
		char key;
	} names[] = { { "alpha", 'a' }, { "beta", 'b' }, { "gamma", 'c' }, { "delta", 'd' }, { "same", 'a' } };
	struct diag d = { "" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct sign_key k = { 0 };
		id_of(names[i].key, k.id);
		k.key[0] = (uint8_t)names[i].key;
		assert_int_equal(keyring_add(ret, names[i].name, names[i].name, &k, &d), 0);
	}
}

/* Who signed, as letters. The array is the caller's. */
static void sign_as(const char *keys, const struct keyring *r, struct signer v[SIGNED_MAX], struct verified *ret)
{
	*ret = (struct verified){ .v = v, .n = strlen(keys) };
	for (size_t i = 0; i < ret->n; i++) {
		v[i] = (struct signer){ 0 };
		id_of(keys[i], v[i].id);
		const struct keyring_key *k = keyring_by_id(r, v[i].id);
		v[i].name = k ? k->name : NULL;
	}
}

static const char *const notes_only[] = { "notes" };
static const char *const by_glob[] = { "db-*", "notes" };
static const char *const everything[] = { "*" };

#define ALPHA                                                                                                          \
	{                                                                                                              \
		.name = "alpha"                                                                                        \
	}
#define BETA                                                                                                           \
	{                                                                                                              \
		.name = "beta"                                                                                         \
	}

static const struct {
	const char *signers;
	unsigned need;
	struct judge_key keys[4];
	const char *server;
	const char *revoked; /* letters */
	int result;
	unsigned counted;
	const char *words;
} cases[] = {
	{ "ab", 2, { ALPHA, BETA }, "notes", "", 0, 2, "2 of the 2 signatures" },
	{ "a", 1, { ALPHA, BETA }, "notes", "", 0, 1, "'alpha' counts" },
	{ "a", 2, { ALPHA, BETA }, "notes", "", -EACCES, 1, "1 of the 2 signatures" },
	{ "", 1, { ALPHA }, "notes", "", -EACCES, 0, "it is not signed" },
	{ "x", 1, { ALPHA }, "notes", "", -EACCES, 0, "is no key of the keyring" },
	{ "ax", 2, { ALPHA, BETA }, "notes", "", -EACCES, 1, "is no key of the keyring" },
	{ "ac", 2, { ALPHA, BETA }, "notes", "", -EACCES, 1, "'gamma' is not a key that the rule names" },
	/* Two names of one key, and the rule names both: one signer. */
	{ "a", 2, { ALPHA, { .name = "same" } }, "notes", "", -EACCES, 1, "1 of the 2" },
	{ "ab", 2, { ALPHA, BETA }, "notes", "b", -EACCES, 1, "'beta' was revoked" },
	{ "ab", 1, { ALPHA, BETA }, "notes", "b", 0, 1, "'beta' was revoked" },
	{ "x", 1, { ALPHA }, "notes", "x", -EACCES, 0, "was revoked" },
	{ "a", 1, { { .name = "alpha", .expires = NOW } }, "notes", "", -EACCES, 0, "'alpha' has expired" },
	{ "a", 1, { { .name = "alpha", .expires = NOW + 1 } }, "notes", "", 0, 1, "counts" },
	{ "a", 1, { { .name = "alpha", .scope = notes_only, .n_scope = 1 } }, "notes", "", 0, 1, "counts" },
	{ "a", 1, { { .name = "alpha", .scope = notes_only, .n_scope = 1 } }, "notes2", "", -EACCES, 0,
		"'alpha' is not for this server" },
	{ "a", 1, { { .name = "alpha", .scope = by_glob, .n_scope = 2 } }, "db-main", "", 0, 1, "counts" },
	{ "a", 1, { { .name = "alpha", .scope = by_glob, .n_scope = 2 } }, "db", "", -EACCES, 0,
		"not for this server" },
	/* What is about no server needs a key for all of them. */
	{ "a", 1, { { .name = "alpha", .scope = by_glob, .n_scope = 2 } }, NULL, "", -EACCES, 0,
		"not for this server" },
	{ "a", 1, { { .name = "alpha", .scope = everything, .n_scope = 1 } }, NULL, "", 0, 1, "counts" },
	{ "a", 1, { ALPHA }, NULL, "", 0, 1, "counts" },
	/* Of two entries for one key the wider holds. */
	{ "a", 1, { { .name = "alpha", .expires = NOW }, { .name = "same" } }, "notes", "", 0, 1, "counts" },
	{ "a", 1, { { .name = "nobody" } }, "notes", "", -EACCES, 0, "there is no key 'nobody' in the keyring" },
	{ "a", 0, { ALPHA }, "notes", "", -EINVAL, 0, "proves nothing" },
};

static int judge_case(size_t i, struct verdict *ret, struct diag *d)
{
	_cleanup_keyring_ struct keyring r = { 0 };
	struct signer v[SIGNED_MAX];
	struct verified who;
	uint8_t revoked[4][SIGN_ID_BYTES];
	struct judge_rule rule = { .need = cases[i].need,
		.keys = cases[i].keys,
		.revoked = revoked,
		.n_revoked = strlen(cases[i].revoked),
		.now = NOW,
		.server = cases[i].server,
		.where = "policy.json:3 (signatures)" };

	while (rule.n_keys < ARRAY_LEN(cases[i].keys) && cases[i].keys[rule.n_keys].name)
		rule.n_keys++;
	for (size_t k = 0; k < rule.n_revoked; k++)
		id_of(cases[i].revoked[k], revoked[k]);
	make_keyring(&r);
	sign_as(cases[i].signers, &r, v, &who);
	return judge(&rule, &r, &who, ret, d);
}

static void a_key_counts_once_if_named_living_in_scope_and_not_revoked(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct diag d = { "" };
		struct verdict t;
		int r = judge_case(i, &t, &d);

		if (r != cases[i].result || t.counted != cases[i].counted || !strstr(d.text, cases[i].words) ||
			!strstr(d.text, "policy.json:3 (signatures)"))
			fail_msg("case %zu: %d, %u counted: %s", i, r, t.counted, d.text);
	}
}

static void a_verdict_says_until_when_it_holds(void **state)
{
	static const struct {
		unsigned need;
		int64_t a, b, expires;
	} table[] = {
		{ 2, 2000, 3000, 2000 },
		{ 1, 2000, 3000, 3000 },
		{ 1, 2000, 0, 0 },
		{ 2, 2000, 0, 2000 },
		{ 2, 0, 0, 0 },
	};
	_cleanup_keyring_ struct keyring r = { 0 };
	struct signer v[SIGNED_MAX];
	struct verified who;

	make_keyring(&r);
	sign_as("ab", &r, v, &who);
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct judge_key keys[] = { { .name = "alpha", .expires = table[i].a },
			{ .name = "beta", .expires = table[i].b } };
		struct judge_rule rule = {
			.need = table[i].need, .keys = keys, .n_keys = 2, .now = NOW, .server = "notes", .where = "it"
		};
		struct verdict t;
		struct diag d = { "" };
		assert_int_equal(judge(&rule, &r, &who, &t, &d), 0);
		assert_int_equal(t.expires, table[i].expires);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_counts_once_if_named_living_in_scope_and_not_revoked),
		cmocka_unit_test(a_verdict_says_until_when_it_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
