/* SPDX-License-Identifier: Apache-2.0 */
/* test_secret_values - which variables' values are looked for in what the server says */
#include "tests/unit/unit.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "supervisor/secret_values.h"

#define WORDS(text) ((char *)(uintptr_t)(text))

static void what_turns_up_by_chance_or_everywhere_is_not_taken(void **state)
{
	static const struct {
		const char *name, *value;
		enum secret_verdict verdict;
	} cases[] = {
		{ "GITHUB_TOKEN", NULL, SECRET_ABSENT },
		{ "GITHUB_TOKEN", "", SECRET_ABSENT },
		{ "GITHUB_TOKEN", "1234567", SECRET_SHORT },
		{ "GITHUB_TOKEN", "ghp_0123", SECRET_TAKEN },
		{ "GITHUB_TOKEN", "changeme", SECRET_COMMON },
		{ "GITHUB_TOKEN", "********", SECRET_COMMON },
		{ "DB_PASSWORD", "correcthorse", SECRET_TAKEN },
		{ "DB_PASSWORD", "/a/b/c/d/e", SECRET_TAKEN },
		{ "DATA_DIR", "/a/b/c/d/e", SECRET_COMMON },
		{ "BASE_URL", "https://api.example.com/v1", SECRET_COMMON },
		{ "DATABASE_URL", "postgres://u:hunter2hunter2@h/db", SECRET_TAKEN },
		{ "MODE", "production", SECRET_COMMON },
		{ "ZONE", "Europe/Berlin", SECRET_COMMON },
		{ "LOCALE", "de_DE.UTF-8", SECRET_COMMON },
		{ "PORT_RANGE", "10000-20000", SECRET_COMMON },
		{ "HOST_NAME", "api.example.com", SECRET_COMMON },
		{ "WHAT_IT_KNOWS", "correct-horse-battery", SECRET_TAKEN },
		{ "WHAT_IT_KNOWS", "abcdefghijklmnopqrstu", SECRET_TAKEN },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		enum secret_verdict is = secret_values_judge(cases[i].name, cases[i].value);
		if (is != cases[i].verdict)
			fail_msg("%s=%s: %d, not %d", cases[i].name, cases[i].value, (int)is, (int)cases[i].verdict);
	}
}

static void what_is_passed_and_what_is_set_under_a_secrets_name_is_taken(void **state)
{
	struct profile_item pass[] = { { .value = WORDS("DATABASE_URL") }, { .value = WORDS("ABSENT") } };
	struct profile_item set[] = { { .value = WORDS("MODE=correct-horse") },
		{ .value = WORDS("API_KEY=correct-horse") } };
	struct profile f = { .env_pass = { pass, 2, true }, .env_set = { set, 2, true } };
	char *env[] = { WORDS("DATABASE_URL=postgres://u:hunter2hunter2@h/db"), WORDS("API_KEY=correct-horse"), NULL };
	struct strv envp = { env, 2 };
	struct shim_text t = { 0 };

	(void)state;
	assert_int_equal(secret_values_fill(&f, &envp, &t), 0);
	assert_int_equal(t.n_secrets, 3);
	assert_string_equal(t.secrets[0].value, "postgres://u:hunter2hunter2@h/db");
	/* Its password by itself, too. */
	assert_string_equal(t.secrets[1].name, "DATABASE_URL");
	assert_string_equal(t.secrets[1].value, "hunter2hunter2");
	assert_string_equal(t.secrets[2].name, "API_KEY");
	shim_text_done(&t);
}

/* n variables that are passed, with a value of len bytes each, of which no two are the same. */
static int fill(size_t n, size_t len, struct shim_text *ret)
{
	_cleanup_strv_ struct strv envp = { 0 };
	struct profile_item pass[SHIM_SECRETS_MAX + 1];
	struct profile f = { .env_pass = { pass, n, true } };
	char name[32], *line = malloc(len + sizeof(name) + 1);
	int r;

	assert_non_null(line);
	for (size_t i = 0; i < n; i++) {
		int head = snprintf(line, sizeof(name) + 1, "TOKEN_%03zu=", i);
		snprintf(name, sizeof(name), "TOKEN_%03zu", i);
		memset(line + head, 'a', len);
		line[head + (int)len] = '\0';
		memcpy(line + head, "Zq7", 3);
		memcpy(line + head + 3, name + 6, 3);
		assert_int_equal(strv_add(&envp, line), 0);
		pass[i].value = strdup(name);
	}
	r = secret_values_fill(&f, &envp, ret);
	for (size_t i = 0; i < n; i++)
		free(pass[i].value);
	free(line);
	return r;
}

static void more_than_can_be_looked_for_are_refused_and_none_is_left_out(void **state)
{
	static const struct {
		size_t n, len, found;
		int r;
	} cases[] = {
		{ SHIM_SECRETS_MAX, SHIM_SECRET_BYTES_MIN, SHIM_SECRETS_MAX, 0 },
		{ SHIM_SECRETS_MAX + 1, SHIM_SECRET_BYTES_MIN, 0, -E2BIG },
		{ SHIM_SECRETS_BYTES_MAX / SHIM_SECRET_BYTES_MAX, SHIM_SECRET_BYTES_MAX, 4, 0 },
		{ SHIM_SECRETS_BYTES_MAX / SHIM_SECRET_BYTES_MAX + 1, SHIM_SECRET_BYTES_MAX, 0, -E2BIG },
		{ 1, SHIM_SECRET_BYTES_MAX + 1, 0, 0 }, /* check says that it is not taken out */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct shim_text t = { 0 };
		assert_int_equal(fill(cases[i].n, cases[i].len, &t), cases[i].r);
		if (cases[i].r == 0)
			assert_int_equal(t.n_secrets, cases[i].found);
		shim_text_done(&t);
	}
}

static void what_programs_take_out_of_a_value_is_taken_by_itself(void **state)
{
	static const struct {
		const char *value, *parts[5];
	} cases[] = {
		{ "postgres://user:p%40ssw0rdZZ9@db.example/x", { "p%40ssw0rdZZ9", "p@ssw0rdZZ9" } },
		{ "postgres://user:first@half-of-it9@db.example/x", { "first@half-of-it9" } },
		{ "redis://:a/b/c9d8e7@h/0?x=y", { "a/b/c9d8e7" } },
		{ "https://u:hunter2hunter2@h/@scope9", { "hunter2hunter2" } },
		{ "-----BEGIN KEY-----\\nMIIEvQIBADANBgkq\\n-----END KEY-----\\n",
			{ "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\n-----END KEY-----\n" } },
		{ "{\"type\":\"service_account\",\"private_key\":\"-----B\\nMIIEvQIBADAN\\n\",\"a\":[{\"client_"
		  "secret\":"
		  "\"GOCSPX-abcdefgh\"}],\"n\":12345678,\"token_uri\":\"https://oauth.example.com/token\"}",
			{ "-----B\nMIIEvQIBADAN\n", "GOCSPX-abcdefgh" } },
		{ "Authorization: Bearer abcdefGHIJ0123456789", { "abcdefGHIJ0123456789" } },
		{ "bearer  abcdefGHIJ0123456789 ", { "abcdefGHIJ0123456789" } },
		{ "X-Api-Key: abcdefGHIJ0123456789", { "abcdefGHIJ0123456789" } },
		{ "  ghp_Zx81kQ02mmPLw9\n", { "ghp_Zx81kQ02mmPLw9" } },
		{ "correct horse battery 9", { NULL } },
		{ "{\"cut\":\"GOCSPX-abcdefgh\"", { NULL } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct profile_item pass[] = { { .value = WORDS("A_TOKEN") } };
		struct profile f = { .env_pass = { pass, 1, true } };
		char set[512], *env[] = { set, NULL };
		struct strv envp = { env, 1 };
		struct shim_text t = { 0 };
		snprintf(set, sizeof(set), "A_TOKEN=%s", cases[i].value);
		assert_int_equal(secret_values_fill(&f, &envp, &t), 0);
		assert_string_equal(t.secrets[0].value, cases[i].value);
		for (size_t k = 0; k < ARRAY_LEN(cases[i].parts) && cases[i].parts[k]; k++) {
			bool found = false;
			for (size_t j = 1; j < t.n_secrets; j++)
				found |= strcmp(t.secrets[j].value, cases[i].parts[k]) == 0;
			if (!found)
				fail_msg("%s: without %s", cases[i].value, cases[i].parts[k]);
		}
		if (!cases[i].parts[0] && t.n_secrets != 1)
			fail_msg("%s: with %s", cases[i].value, t.secrets[1].value);
		for (size_t j = 1; j < t.n_secrets; j++) {
			assert_string_not_equal(t.secrets[j].value, "service_account");
			assert_string_not_equal(t.secrets[j].value, "https://oauth.example.com/token");
		}
		shim_text_done(&t);
	}
}

static void of_json_a_server_still_may_name_what_everybody_knows(void **state)
{
	static const char json[] =
		"{\"type\":\"service_account\",\"project_id\":\"my-project-123\",\"private_key_id\":"
		"\"0a1b2c3d4e5f60718293\",\"private_key\":\"-----B\\nMIIEvQIBADAN\\n\",\"client_email\":"
		"\"bot-1@my-project-123.iam.example.com\",\"client_id\":\"104829384729384729384\","
		"\"workspace\":\"acme-prod-1\",\"region\":\"europe-west-4-of-the-world-1\",\"extra\":"
		"\"abcdefGHIJ0123456789\",\"header\":\"Authorization: Bearer Zx81kQ02\"}";
	static const char *const known[] = { "my-project-123", "bot-1@my-project-123.iam.example.com", "acme-prod-1",
		"europe-west-4-of-the-world-1", "104829384729384729384", "service_account" };
	static const char *const secret[] = { "0a1b2c3d4e5f60718293", "-----B\nMIIEvQIBADAN\n", "abcdefGHIJ0123456789",
		"Zx81kQ02" };
	struct profile_item pass[] = { { .value = WORDS("CREDENTIALS_JSON") } };
	struct profile f = { .env_pass = { pass, 1, true } };
	char set[1024], *env[] = { set, NULL };
	struct strv envp = { env, 1 };
	struct shim_text t = { 0 };

	(void)state;
	snprintf(set, sizeof(set), "CREDENTIALS_JSON=%s", json);
	assert_int_equal(secret_values_fill(&f, &envp, &t), 0);
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		for (size_t j = 0; j < t.n_secrets; j++)
			if (strcmp(t.secrets[j].value, known[i]) == 0)
				fail_msg("%s is taken out of all that is said", known[i]);
	for (size_t i = 0; i < ARRAY_LEN(secret); i++) {
		bool found = false;
		for (size_t j = 0; j < t.n_secrets; j++)
			found |= strcmp(t.secrets[j].value, secret[i]) == 0;
		if (!found)
			fail_msg("without %s", secret[i]);
	}
	shim_text_done(&t);
}

static void a_sign_in_the_path_of_an_address_ends_no_password(void **state)
{
	static const char *const addresses[] = { "http://localhost:3000/users/@me", "http://h:/users/@me9999",
		"https://h.example:443?to=@someone" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
		struct profile_item pass[] = { { .value = WORDS("A_TOKEN") } };
		struct profile f = { .env_pass = { pass, 1, true } };
		char set[512], *env[] = { set, NULL };
		struct strv envp = { env, 1 };
		struct shim_text t = { 0 };
		snprintf(set, sizeof(set), "A_TOKEN=%s", addresses[i]);
		assert_int_equal(secret_values_fill(&f, &envp, &t), 0);
		if (t.n_secrets != 1)
			fail_msg("%s: with %s", addresses[i], t.secrets[1].value);
		shim_text_done(&t);
	}
}

static void the_members_that_are_taken_are_named_once_each(void **state)
{
	_cleanup_strv_ struct strv names = { 0 };

	(void)state;
	assert_int_equal(secret_values_members("A_TOKEN",
				 "{\"name\":\"acme-prod\",\"keys\":{\"api_key\":\"abcdef012345\"},\"list\":[{"
				 "\"api_key\":\"abcdef012346\"},{\"client_secret\":\"abcdef012347\"}]}",
				 &names),
		0);
	assert_int_equal(names.n, 2);
	assert_string_equal(names.v[0], "api_key");
	assert_string_equal(names.v[1], "client_secret");
}

static void of_a_value_that_is_too_long_the_secret_members_are_taken(void **state)
{
	enum { FILL = SHIM_SECRET_BYTES_MAX };
	struct profile_item pass[] = { { .value = WORDS("BUNDLE_JSON") } };
	struct profile f = { .env_pass = { pass, 1, true } };
	char *set = NULL, *env[] = { NULL, NULL };
	_cleanup_strv_ struct strv names = { 0 };
	struct strv envp = { env, 1 };
	struct shim_text t = { 0 };

	(void)state;
	assert_true(asprintf(&set, "BUNDLE_JSON={\"fill\":\"%0*d\",\"private_key\":\"MIIEvQIBADAN\"}", FILL, 7) > 0);
	env[0] = set;
	assert_int_equal(secret_values_judge("BUNDLE_JSON", strchr(set, '=') + 1), SECRET_LONG);
	assert_int_equal(secret_values_fill(&f, &envp, &t), 0);
	assert_int_equal(t.n_secrets, 1);
	assert_string_equal(t.secrets[0].value, "MIIEvQIBADAN");
	assert_int_equal(secret_values_members("BUNDLE_JSON", strchr(set, '=') + 1, &names), 0);
	assert_int_equal(names.n, 1);
	assert_string_equal(names.v[0], "private_key");
	shim_text_done(&t);
	free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_turns_up_by_chance_or_everywhere_is_not_taken),
		cmocka_unit_test(what_programs_take_out_of_a_value_is_taken_by_itself),
		cmocka_unit_test(of_json_a_server_still_may_name_what_everybody_knows),
		cmocka_unit_test(a_sign_in_the_path_of_an_address_ends_no_password),
		cmocka_unit_test(the_members_that_are_taken_are_named_once_each),
		cmocka_unit_test(of_a_value_that_is_too_long_the_secret_members_are_taken),
		cmocka_unit_test(what_is_passed_and_what_is_set_under_a_secrets_name_is_taken),
		cmocka_unit_test(more_than_can_be_looked_for_are_refused_and_none_is_left_out),
	};

	return cmocka_run_group_tests_name("secret_values", tests, NULL, NULL);
}
