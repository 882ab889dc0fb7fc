/* SPDX-License-Identifier: Apache-2.0 */
/* test_wrapped - what the words of a client's entry say: through stockade or not, and where the server comes from */
#include "tests/unit/unit.h"
#include <errno.h>
#include <stdlib.h>
#include "base/buf.h"
#include "supervisor/inventory/wrapped.h"

enum { WORDS_MAX = 10 };

static void test_an_entry_is_wrapped_only_where_nothing_else_can_be_meant(void **state)
{
	static const struct {
		const char *words[WORDS_MAX], *profile, *package, *version;
		enum found_state state;
		bool doubted;
	} cases[] = {
		{ { "stockade", "run", "github" }, "github", NULL, NULL, FOUND_WRAPPED, false },
		{ { "stockade", "run", "--set", "a=b", "--profile", "/p.json" }, "/p.json", NULL, NULL, FOUND_WRAPPED,
			false },
		{ { "stockade", "run", "--profile=/p.json", "--", "npx", "x@1" }, "/p.json", "npm:x", "1",
			FOUND_WRAPPED, false },
		{ { "stockade", "run", "--ro", "/x", "--", "node", "/s/i.js" }, NULL, "path:/s/i.js", NULL,
			FOUND_WRAPPED, false },
		{ { STOCKADE_BINDIR "/stockade", "run", "a" }, "a", NULL, NULL, FOUND_WRAPPED, false },
		{ { "env", "A=b", "stockade", "run", "a" }, "a", NULL, NULL, FOUND_WRAPPED, false },
		{ { "sh", "-c", "exec stockade run a" }, "a", NULL, NULL, FOUND_WRAPPED, false },
		{ { "stockade run a" }, "a", NULL, NULL, FOUND_WRAPPED, false },
		{ { "/home/u/bin/stockade", "run", "a" }, NULL, "path:/home/u/bin/stockade", NULL, FOUND_RAW, true },
		{ { "sh", "-c", "stockade run a; /opt/b" }, NULL, "path:stockade", NULL, FOUND_RAW, true },
		{ { "sh", "-c", "/opt/b $(stockade run a)" }, NULL, "path:/opt/b", NULL, FOUND_RAW, true },
		{ { "sh", "-c", "/opt/b # stockade run a" }, NULL, "path:/opt/b", NULL, FOUND_RAW, false },
		{ { "/opt/b", "stockade", "run", "a" }, NULL, "path:/opt/b", NULL, FOUND_RAW, false },
		{ { "stockade", "check", "a" }, NULL, "path:stockade", NULL, FOUND_RAW, false },
		{ { "npx", "-y", "@s/n@2.0", "--key", "k" }, NULL, "npm:@s/n", "2.0", FOUND_RAW, false },
		{ { "npx", "-p", "@s/n", "bin" }, NULL, "npm:@s/n", NULL, FOUND_RAW, false },
		{ { "npm", "exec", "--", "n" }, NULL, "npm:n", NULL, FOUND_RAW, false },
		{ { "npm", "start" }, NULL, "path:npm", NULL, FOUND_RAW, false },
		{ { "uvx", "--with", "w", "m[cli]==3" }, NULL, "pypi:m", "3", FOUND_RAW, false },
		{ { "uvx", "--from", "git-x", "m" }, NULL, "pypi:git-x", NULL, FOUND_RAW, false },
		{ { "docker", "run", "-i", "-e", "K=v", "-v", "/a:/b", "r:5/i@sha256:ab" }, NULL, "docker:r:5/i",
			"sha256:ab", FOUND_RAW, false },
		{ { "python3.11", "-m", "m" }, NULL, "pypi:m", NULL, FOUND_RAW, false },
		{ { "python", "-u", "s.py" }, NULL, "path:s.py", NULL, FOUND_RAW, false },
		{ { "" }, NULL, "path:", NULL, FOUND_RAW, false },
		{ { "/usr/bin/env", "A=/b", "stockade", "run", "a" }, "a", NULL, NULL, FOUND_WRAPPED, false },
		{ { "/home/u/env", "stockade", "run", "a" }, NULL, "path:/home/u/env", NULL, FOUND_RAW, false },
		{ { "/home/u/sh", "-c", "stockade run a" }, NULL, "path:/home/u/sh", NULL, FOUND_RAW, false },
		{ { "/bin/x/../sh", "-c", "stockade run a" }, NULL, "path:/bin/x/../sh", NULL, FOUND_RAW, false },
		{ { "/bin/sh", "-c", "stockade run a" }, "a", NULL, NULL, FOUND_WRAPPED, false },
		{ { "env", "PATH=/home/u", "stockade", "run", "a" }, NULL, "path:stockade", NULL, FOUND_RAW, true },
		{ { "sh", "-c", "PATH=~ stockade run a" }, NULL, "path:stockade", NULL, FOUND_RAW, true },
		{ { "env", "PATH=/home/u", STOCKADE_BINDIR "/stockade", "run", "a" }, "a", NULL, NULL, FOUND_WRAPPED,
			false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct found_list l = { 0 };
		struct found f = { 0 };
		for (size_t k = 0; k < WORDS_MAX && cases[i].words[k]; k++)
			assert_int_equal(strv_add(&f.words, cases[i].words[k]), 0);
		assert_int_equal(wrapped_judge(&f), 0);
		if (f.state != cases[i].state || (f.doubt != NULL) != cases[i].doubted ||
			strcmp(f.profile ? f.profile : "", cases[i].profile ? cases[i].profile : "") != 0 ||
			strcmp(f.package ? f.package : "", cases[i].package ? cases[i].package : "") != 0 ||
			strcmp(f.version ? f.version : "", cases[i].version ? cases[i].version : "") != 0)
			fail_msg("case %zu: %s, profile %s, package %s, version %s, doubt %s", i,
				found_state_name(f.state), f.profile, f.package, f.version, f.doubt);
		assert_true(i != 20 || strv_contains(&f.variables, "K"));
		l = (struct found_list){ .v = calloc(1, sizeof(f)), .n = 1 };
		assert_non_null(l.v);
		l.v[0] = f;
		found_list_done(&l);
	}
}

static void test_an_entry_that_sets_path_says_itself_what_stockade_is(void **state)
{
	static const char *const of[] = { "E c\nF /f\nN n\nW stockade\nW run\nW a\nV PATH\n.\n",
		"E c\nF /f\nN n\nW stockade\nW run\nW a\nV PATHS\n.\n" };

	for (size_t i = 0; i < 2; i++) {
		_cleanup_found_ struct found_list l = { 0 };
		struct diag d = { "" };
		assert_int_equal(found_parse(of[i], strlen(of[i]), "u", &l, &d), 0);
		assert_int_equal(l.v[0].state, i ? FOUND_WRAPPED : FOUND_RAW);
		assert_true(i ? !l.v[0].doubt : strstr(l.v[0].doubt, "sets PATH") != NULL);
	}
}

static void test_one_users_entries_take_no_room_from_anothers(void **state)
{
	static const char one[] = "E c\nF /f\nN n\n.\n";
	_cleanup_found_ struct found_list l = { 0 };
	_cleanup_buf_ struct buf b = BUF_INIT(FOUND_BYTES_MAX);
	struct diag d = { "" };

	for (size_t i = 0; i <= FOUND_MAX; i++)
		assert_int_equal(buf_puts(&b, one), 0);
	assert_int_equal(found_parse(b.data, b.len, "ann", &l, &d), -E2BIG);
	assert_non_null(strstr(d.text, "of ann name more than 20000"));
	assert_int_equal(found_parse(one, strlen(one), "bob", &l, &d), 0);
	assert_string_equal(l.v[l.n - 1].user, "bob");
	/* A zero byte hides nothing that follows. */
	assert_int_equal(
		found_parse("E c\nF /f\nN n\n.\n\0E c", sizeof("E c\nF /f\nN n\n.\n\0E c") - 1, "u", &l, &d), -EPROTO);
}

static void test_what_is_handed_over_out_of_form_is_refused(void **state)
{
	static const char *const good = "E c\nF /f\nL 3\nN n\nW a\nW b\nV X\nV X\nD \n.\nE c\nF /g\nX why\n.\n";
	static const char *const bad[] = { "E c\n", "E c\nF /f\n.\n", "Q x\n.\n", "E c\nF /f\nL x\nN n\n.\n", "E\n",
		".\n", "E c\nF /f\nN n\n.\nE c\n", "E c\nF /f\nN \xff\n.\n" };
	_cleanup_found_ struct found_list l = { 0 };
	struct diag d = { "" };

	assert_int_equal(found_parse(good, strlen(good), "u", &l, &d), 0);
	assert_int_equal(l.n, 2);
	assert_true(l.v[0].off && l.v[0].line == 3 && l.v[0].words.n == 2 && l.v[0].variables.n == 1);
	assert_int_equal(l.v[1].state, FOUND_UNREAD);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		_cleanup_found_ struct found_list none = { 0 };
		assert_int_equal(found_parse(bad[i], strlen(bad[i]), "u", &none, &d), -EPROTO);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_entry_is_wrapped_only_where_nothing_else_can_be_meant),
		cmocka_unit_test(test_an_entry_that_sets_path_says_itself_what_stockade_is),
		cmocka_unit_test(test_one_users_entries_take_no_room_from_anothers),
		cmocka_unit_test(test_what_is_handed_over_out_of_form_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
