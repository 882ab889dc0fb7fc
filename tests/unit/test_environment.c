/* SPDX-License-Identifier: Apache-2.0 */
/* test_environment - the server's environment is built of what is named here, and nothing of the caller's slips in */
#include "tests/unit/unit.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "supervisor/environment.h"
#include "supervisor/trust.h"

enum { ITEMS_MAX = 8 };

struct launch {
	const char *environ[16];
	const char *pass[ITEMS_MAX], *set[ITEMS_MAX], *path[ITEMS_MAX];
	bool trusted, no_user_site;
	struct strv env; /* what came of it */
};

static size_t count(const char *const *v)
{
	size_t n = 0;

	while (v[n])
		n++;
	return n;
}

static void fill(const char *const *v, struct profile_item items[ITEMS_MAX], struct profile_items *ret)
{
	ret->v = items;
	for (; v[ret->n]; ret->n++)
		items[ret->n].value = (char *)(uintptr_t)v[ret->n];
}

static int build(struct launch *l)
{
	struct profile_item pass[ITEMS_MAX] = { 0 }, set[ITEMS_MAX] = { 0 };
	struct paths paths = { .home = (char[]){ "/home/p" } };
	struct strv path = { (char **)(uintptr_t)l->path, count(l->path) };
	struct profile f = { 0 };
	struct environment_args a = { .paths = &paths,
		.environ = (char *const *)(uintptr_t)l->environ,
		.profile = &f,
		.path = &path,
		.trusted = l->trusted,
		.no_user_site = l->no_user_site,
		.login = "person" };

	fill(l->pass, pass, &f.env_pass);
	fill(l->set, set, &f.env_set);
	strv_done(&l->env);
	return environment_build(&a, &l->env);
}

/* NAME has the value; NULL: it is not there. */
static void has(struct launch *l, const char *name, const char *value)
{
	size_t times = 0;

	assert_int_equal(build(l), 0);
	const char *is = strv_env_get(&l->env, name);
	if (value ? !is || strcmp(is, value) != 0 : is != NULL)
		fail_msg("%s is '%s', not '%s'", name, is ? is : "-", value ? value : "-");
	for (size_t i = 0; i < l->env.n; i++)
		times += strncmp(l->env.v[i], name, strlen(name)) == 0 && l->env.v[i][strlen(name)] == '=';
	assert_int_equal(times, value ? 1 : 0);
}

static void of_a_full_environment_only_locale_terminal_and_zone_are_taken(void **state)
{
	static const char *const expected[] = { "HOME=/home/p", "USER=person", "LOGNAME=person", "SHELL=/bin/sh",
		"TMPDIR=/tmp", "PATH=/usr/bin:/bin", "TERM=xterm", "LANG=de_DE.UTF-8", "TZ=Europe/Berlin" };
	struct launch l = { .environ = { "LD_PRELOAD=/evil.so", "PATH=/home/p/bin", "HOME=/elsewhere", "USER=root",
				    "SHELL=/bin/zsh", "TMPDIR=/home/p/tmp", "SSH_AUTH_SOCK=/run/s", "LANG=de_DE.UTF-8",
				    "TZ=Europe/Berlin", "TERM=xterm", "API_TOKEN=abc", "LC_EVIL=x",
				    "NODE_OPTIONS=-r x" } };

	(void)state;
	assert_int_equal(build(&l), 0);
	assert_int_equal(l.env.n, ARRAY_LEN(expected));
	for (size_t i = 0; i < ARRAY_LEN(expected); i++)
		assert_string_equal(l.env.v[i], expected[i]);
	strv_done(&l.env);
}

static void each_name_of_a_locale_is_taken(void **state)
{
	static const char *const names[] = { "TERM", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_NUMERIC", "LC_TIME",
		"LC_COLLATE", "LC_MONETARY", "LC_MESSAGES", "TZ" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char setting[64];
		struct launch l = { .environ = { setting } };
		snprintf(setting, sizeof(setting), "%s=x", names[i]);
		has(&l, names[i], "x");
		strv_done(&l.env);
	}
}

/* libc would open what such a value names. */
static const struct {
	const char *setting;
	bool taken;
} values[] = {
	{ "TZ=/home/p/zone", false },
	{ "TZ=:/home/p/zone", false },
	{ "TZ=::/home/p/zone", false },
	{ "TZ=Europe/../../../home/p/zone", false },
	{ "TZ=..", false },
	{ "LANG=/home/p/locale", false },
	{ "LANGUAGE=de:../../x", false },
	{ "TZ=:Europe/Berlin", true },
	{ "TZ=CET-1CEST,M3.5.0,M10.5.0/3", true },
	{ "LANGUAGE=de:en", true },
	{ "LANG=", true },
};

static void a_value_that_is_a_path_is_not_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		struct launch l = { .environ = { values[i].setting } };
		char name[16];
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(values[i].setting, "="), values[i].setting);
		has(&l, name, values[i].taken ? strchr(values[i].setting, '=') + 1 : NULL);
		strv_done(&l.env);
	}
}

static void the_path_is_made_of_directories_that_are_there(void **state)
{
	struct launch l = { .path = { "/opt/node/bin", "/usr/bin" }, .environ = { "PATH=/home/p/bin" } };

	(void)state;
	has(&l, "PATH", "/opt/node/bin:/usr/bin");
	strv_done(&l.env);
}

static void a_path_has_a_limit(void **state)
{
	char *dir = malloc(ENVIRONMENT_PATH_MAX + 1);
	struct launch l = { .path = { dir } };

	(void)state;
	assert_non_null(dir);
	memset(dir, 'd', ENVIRONMENT_PATH_MAX);
	dir[ENVIRONMENT_PATH_MAX] = '\0';
	assert_int_equal(build(&l), 0);
	l.path[1] = "";
	assert_int_equal(build(&l), -E2BIG);
	free(dir);
	strv_done(&l.env);
}

static void what_is_passed_has_the_callers_value_and_what_is_absent_stays_absent(void **state)
{
	struct launch l = { .environ = { "TOKENS=no", "EMPTY=", "TOKEN=a=b", "TOKEN=second" },
		.pass = { "TOKEN", "EMPTY", "ABSENT" } };

	(void)state;
	has(&l, "TOKEN", "a=b");
	has(&l, "EMPTY", "");
	has(&l, "ABSENT", NULL);
	has(&l, "TOKENS", NULL);
	strv_done(&l.env);
}

static void what_is_set_wins_over_what_is_passed_and_that_over_what_is_built(void **state)
{
	struct launch l = { .environ = { "HOME=/caller", "LANG=/a/path", "MODE=loud", "PATH=/p" },
		.pass = { "HOME", "LANG", "MODE" },
		.set = { "MODE=quiet", "MODE=last=one", "PATH=/set", "EMPTY=" } };

	(void)state;
	has(&l, "HOME", "/caller");
	has(&l, "LANG", "/a/path"); /* named by the profile, so a person saw it */
	has(&l, "MODE", "last=one");
	has(&l, "PATH", "/set");
	has(&l, "EMPTY", "");
	strv_done(&l.env);
}

static void the_authority_of_the_policy_is_named_only_where_it_is_there_and_the_profile_wins(void **state)
{
	struct launch l = { .set = { "SSL_CERT_FILE=/mine.pem" } };

	(void)state;
	has(&l, "NODE_EXTRA_CA_CERTS", NULL);
	l.trusted = true;
	has(&l, "NODE_EXTRA_CA_CERTS", TRUST_CA);
	has(&l, "REQUESTS_CA_BUNDLE", TRUST_BUNDLE);
	has(&l, "SSL_CERT_FILE", "/mine.pem");
	strv_done(&l.env);
}

static void python_looks_into_no_home_that_nobody_answers_for(void **state)
{
	struct launch l = { .environ = { "PYTHONNOUSERSITE=" } };

	(void)state;
	has(&l, "PYTHONNOUSERSITE", NULL);
	l.no_user_site = true;
	has(&l, "PYTHONNOUSERSITE", "1");
	strv_done(&l.env);
}

static void a_variable_is_found_by_its_whole_name(void **state)
{
	char *env[] = { (char[]){ "AB=1" }, (char[]){ "A" }, (char[]){ "A=2" }, (char[]){ "A=3" }, NULL };

	(void)state;
	assert_string_equal(environment_get(env, "A"), "2");
	assert_string_equal(environment_get(env, "AB"), "1");
	assert_null(environment_get(env, "B"));
	assert_null(environment_get(env, ""));
	assert_null(environment_get(env + 4, "A"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_a_full_environment_only_locale_terminal_and_zone_are_taken),
		cmocka_unit_test(each_name_of_a_locale_is_taken),
		cmocka_unit_test(a_value_that_is_a_path_is_not_taken),
		cmocka_unit_test(the_path_is_made_of_directories_that_are_there),
		cmocka_unit_test(a_path_has_a_limit),
		cmocka_unit_test(what_is_passed_has_the_callers_value_and_what_is_absent_stays_absent),
		cmocka_unit_test(what_is_set_wins_over_what_is_passed_and_that_over_what_is_built),
		cmocka_unit_test(the_authority_of_the_policy_is_named_only_where_it_is_there_and_the_profile_wins),
		cmocka_unit_test(python_looks_into_no_home_that_nobody_answers_for),
		cmocka_unit_test(a_variable_is_found_by_its_whole_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
