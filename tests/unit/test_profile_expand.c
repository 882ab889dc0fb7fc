/* SPDX-License-Identifier: Apache-2.0 */
/* test_profile_expand - what is put in for references, files that are not believed, and what the curated profiles grant
 */
#include "tests/unit/unit.h"
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "supervisor/network.h"
#include "supervisor/profile_parse.h"
#include "supervisor/signing/vouch.h"
#include "tests/unit/profile_unit.h"
#include "tests/unit/tree.h"

struct world {
	char root[64], home[80];
	struct paths paths;
};

static char *at(const struct world *w, const char *rest, char ret[256])
{
	snprintf(ret, 256, "%s%s", w->home, rest);
	return ret;
}

static int set_up(void **state)
{
	static const char *const dirs[] = { "", "/src", "/src/a", "/src/b", "/other", "/.config", "/.config/stockade",
		"/.config/stockade/profiles" };
	static struct world w;
	struct diag d = { 0 };
	char path[256];

	w = (struct world){ .root = "/tmp/stockade-profile-XXXXXX" };
	assert_non_null(mkdtemp(w.root));
	assert_int_equal(chmod(w.root, 0755), 0);
	snprintf(w.home, sizeof(w.home), "%s/home", w.root);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		assert_int_equal(mkdir(at(&w, dirs[i], path), 0700), 0);
	setenv("HOME", w.home, 1);
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("XDG_STATE_HOME");
	unsetenv("XDG_RUNTIME_DIR");
	if (paths_init(&w.paths, &d) < 0)
		fail_msg("%s", d.text);
	*state = &w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	paths_done(&w->paths);
	return remove_tree(w->root);
}

/* sets: words with a '+' for the home in front of them, NULL-terminated. */
static int expand(struct world *w, const char *text, const char *const *sets, const char *workspace, struct profile *p,
	struct diag *d)
{
	_cleanup_strv_ struct strv given = { 0 };
	struct profile_args a = { .paths = &w->paths, .sets = &given, .workspace = workspace };

	parse_ok(text, p);
	for (; sets && *sets; sets++) {
		const char *plus = strchr(*sets, '+');

		assert_int_equal(plus ? strv_addf(&given, "%.*s%s%s", (int)(plus - *sets), *sets, w->home, plus + 1)
				      : strv_add(&given, *sets),
			0);
	}
	return profile_expand(p, &a, d);
}

static void references_are_put_in_and_many_values_become_many_items(void **state)
{
	static const char *const sets[] = { "dirs=+/src/a", "dirs=~/src/./b/", NULL };
	_cleanup_profile_ struct profile p = { 0 };
	struct world *w = *state;
	struct diag d = { 0 };
	char path[256];

	if (expand(w, whole, sets, NULL, &p, &d) < 0)
		fail_msg("%s", d.text);
	assert_int_equal(p.command.n, 4);
	assert_string_equal(p.command.v[1].value, "--n=3");
	assert_string_equal(p.command.v[2].value, at(w, "/src/a", path));
	assert_string_equal(p.command.v[3].value, at(w, "/src/b", path));
	assert_int_equal(p.fs_read.n, 2);
	assert_string_equal(p.fs_read.v[1].value, at(w, "/src/b", path));
	assert_string_equal(p.fs_read.v[1].where, "x.json:11 (filesystem.read)");
	assert_string_equal(p.roots.v[0].value, at(w, "/src/a", path));
	assert_string_equal(p.cwd.value, w->home);
	assert_string_equal(p.env_set.v[0].value + strlen("FILE="), at(w, "/f", path));
	assert_string_equal(p.fs_deny.v[0].value, "**/.env");
	assert_string_equal(p.fs_deny.v[1].value, at(w, "/no", path));
}

static void an_optional_path_stays_when_it_is_there(void **state)
{
	static const char *const sets[] = { "dirs=+/src/a", NULL };
	_cleanup_profile_ struct profile p = { 0 };
	struct world *w = *state;
	struct diag d = { 0 };
	char path[256];

	assert_int_equal(mkdir(at(w, "/absent", path), 0700), 0);
	assert_int_equal(expand(w, whole, sets, NULL, &p, &d), 0);
	assert_int_equal(p.fs_read.n, 2);
	assert_string_equal(p.fs_read.v[1].value, path);
}

struct refusal {
	const char *text;
	const char *sets[3];
	const char *words;
};

static void assert_refusals(struct world *w, const struct refusal *cases, size_t n, const char *workspace)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_profile_ struct profile p = { 0 };
		struct diag d = { 0 };

		if (expand(w, cases[i].text, cases[i].sets, workspace, &p, &d) >= 0)
			fail_msg("not refused: %s", cases[i].text);
		if (!strstr(d.text, cases[i].words))
			fail_msg("'%s' is not in: %s", cases[i].words, d.text);
	}
}

#define HOSTS(type, item)                                                                                              \
	WITH("\"parameters\": {\"hosts\": {\"type\": \"" type                                                          \
	     "\", \"many\": true}}, \"network\": {\"allow\": [\"b.example\", \"" item "\"]}")

static void a_parameter_of_type_host_becomes_grants(void **state)
{
	static const char *const sets[] = { "hosts=A.example.", "hosts=*.c.example:80,8080", NULL };
	static const char *const grants[] = { "b.example:443", "a.example:443", "*.c.example:80,8080" };
	_cleanup_profile_ struct profile p = { 0 };
	struct diag d = { 0 };

	if (expand(*state, HOSTS("host", "${hosts}"), sets, NULL, &p, &d) < 0)
		fail_msg("%s", d.text);
	assert_int_equal(p.network.n_grants, ARRAY_LEN(grants));
	for (size_t i = 0; i < ARRAY_LEN(grants); i++) {
		char text[NETWORK_TEXT_MAX];
		assert_string_equal(network_grant_text(&p.network.grants[i], text, sizeof(text)), grants[i]);
	}
	assert_non_null(strstr(p.network.grants[1].where, "x.json:2 (network.allow \"${hosts}\")"));
}

static void nothing_else_is_put_in_for_a_host(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ HOSTS("string", "${hosts}"), "${hosts} is no parameter of type host" },
		{ HOSTS("host", "${HOME}"), "${HOME} is no parameter of type host" },
		{ HOSTS("host", "${host}"), "did you mean ${hosts}" },
		{ HOSTS("host", "${hosts}:80"), "nothing is expanded" },
		{ HOSTS("host", "*.${hosts}"), "nothing is expanded" },
		{ HOSTS("host", "${hosts}${hosts}"), "nothing is expanded" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_profile_ struct profile p = { 0 };
		struct diag d = { 0 };
		assert_true(profile_parse("x.json", cases[i].text, strlen(cases[i].text), NULL, &p, &d) < 0);
		if (!strstr(d.text, cases[i].words))
			fail_msg("%s: %s", cases[i].text, d.text);
	}
	(void)state;
}

static void sets_that_do_not_fit_are_refused_with_what_to_do(void **state)
{
#define DIRS	  WITH("\"parameters\": {\"dirs\": {\"type\": \"directory\", \"many\": true, \"within\": [\"~/src\"]}}")
#define ONE(body) WITH("\"parameters\": {\"one\": {" body "}}")
	static const struct refusal cases[] = {
		{ DIRS, { NULL },
			"the profile x needs its parameter 'dirs' (directory): give it with --set "
			"dirs=/path/of/a/directory" },
		{ DIRS, { "dir=/srv" }, "the profile x has no parameter 'dir'; did you mean 'dirs'?" },
		{ DIRS, { "dirs" }, "--set dirs gives no value; write --set dirs=VALUE" },
		{ DIRS, { "dirs=" }, "parameter 'dirs' is empty" },
		{ DIRS, { "dirs=src" }, "is a relative path" },
		{ DIRS, { "dirs=+/src/none" }, "there is no such file or directory" },
		{ DIRS, { "dirs=+/other" }, "does not lie within ~/src, as x.json:2 (parameters.dirs) demands" },
		{ DIRS, { "dirs=+/src/../other" }, "does not lie within ~/src" },
		{ DIRS, { "dirs=+/src/link" }, "does not lie within ~/src" },
		{ DIRS, { "dirs=+/src/file" }, "is not a directory" },
		{ HEAD "}", { "a=b" }, "the profile x takes no parameters" },
		{ ONE("\"type\": \"string\""), { "one=a", "one=b" }, "--set one is given twice" },
		{ ONE("\"type\": \"string\", \"choices\": [\"info\", \"debug\"]"), { "one=infoo" },
			"did you mean \"info\"" },
		{ ONE("\"type\": \"string\""), { "one=a\nb" }, "control characters" },
		{ ONE("\"type\": \"integer\""), { "one=1e3" }, "must be an integer from 0, not \"1e3\"" },
		{ ONE("\"type\": \"boolean\""), { "one=yes" }, "must be true or false, not \"yes\"" },
		{ ONE("\"type\": \"file\""), { "one=+/src" }, "is not a regular file" },
		{ HOSTS("host", "${hosts}"), { NULL }, "needs its parameter 'hosts' (host)" },
		{ HOSTS("host", "${hosts}"), { "hosts=https://a.example" },
			"--set: parameter 'hosts': \"https://a.example\" is a URL" },
		{ HOSTS("host", "${hosts}"), { "hosts=*.com" }, "whole top-level domain" },
		{ HOSTS("host", "${hosts}"), { "hosts=" }, "is no host name" },
		{ HOSTS("host", "${hosts}"), { "hosts=a.example", "hosts=A.example.:443" },
			"is granted by x.json:2 (network.allow" },
		{ HOSTS("host", "${hosts}"), { "hosts=198.18.0.1" }, "is the name server's address inside" },
	};
	struct world *w = *state;
	char link[256], to[256];
	FILE *f = fopen(at(w, "/src/file", link), "we");

	assert_non_null(f);
	fclose(f);
	assert_int_equal(symlink(at(w, "/other", to), at(w, "/src/link", link)), 0);
	assert_refusals(w, cases, ARRAY_LEN(cases), NULL);
}

static void paths_that_are_not_there_or_not_absolute_are_refused_when_expanded(void **state)
{
#define STR(path) WITH("\"parameters\": {\"s\": {\"type\": \"string\"}}, \"filesystem\": {\"read\": [\n\"" path "\"]}")
	static const struct refusal cases[] = {
		{ WITH("\"filesystem\": {\"read\": [\"~/gone\"]}"), { NULL }, "x.json:2 (filesystem.read): " },
		{ WITH("\"filesystem\": {\"read\": [\"~/gone\"]}"), { NULL }, "put '?' before it if it may be absent" },
		{ STR("/srv/${s}"), { "s=../etc" },
			"x.json:3 (filesystem.read): \"/srv/../etc\" is a path with '..' in it" },
		{ STR("${s}"), { "s=etc" }, "\"etc\" is a relative path; it must be absolute" },
		{ WITH("\"filesystem\": {\"read\": [\"${package}/x\"]}"), { NULL }, "${package} is not known" },
		{ WITH("\"ipc\": {\"unix\": [\"/run/user\"]}"), { NULL }, "cannot be granted" },
	};
	static const struct refusal many[] = {
		{ "{\"stockade\": 1, \"name\": \"x\", \"command\": [\"a\", \"--d=${d}\"], \"parameters\": {\"d\": "
		  "{\"type\": \"string\", \"many\": true}}}",
			{ "d=1" }, "${d} takes many values, so it can only stand alone" },
		{ "{\"stockade\": 1, \"name\": \"x\", \"command\": [\"${d}\"], \"parameters\": {\"d\": {\"type\": "
		  "\"string\", \"many\": true, \"default\": []}}}",
			{ NULL }, "the command is empty once its parameters are put in" },
	};
	struct world *w = *state;
	bool runtime = access("/run/user", F_OK) == 0;

	assert_refusals(w, cases, ARRAY_LEN(cases) - (runtime ? 0 : 1), NULL);
	assert_refusals(w, many, ARRAY_LEN(many), NULL);
}

static void the_workspace_is_never_the_home_or_a_directory_of_the_system(void **state)
{
#define WORKSPACE WITH("\"filesystem\": {\"read\": [\"${workspace}\"]}")
	static const struct refusal home[] = { { WORKSPACE, { NULL }, "the whole home is never granted that way" } };
	static const struct refusal system[] = { { WORKSPACE, { NULL },
		"a directory of the system is never granted that way" } };
	static const struct refusal own[] = { { WORKSPACE, { NULL }, "stockade's own configuration" } };
	static const struct refusal above[] = { { WORKSPACE, { NULL }, "it contains" } };
	static const struct refusal none[] = { { WORKSPACE, { NULL }, "${workspace} is not known" } };
	static const char *const systems[] = { "/", "/usr", "/usr/lib", "/etc", "/etc/ssl", "/tmp", "/home", "/run" };
	_cleanup_profile_ struct profile p = { 0 };
	struct world *w = *state;
	struct diag d = { 0 };
	char path[256];

	assert_refusals(w, home, 1, w->home);
	for (size_t i = 0; i < ARRAY_LEN(systems); i++)
		assert_refusals(w, system, 1, systems[i]);
	assert_refusals(w, own, 1, at(w, "/.config/stockade/profiles", path));
	assert_refusals(w, above, 1, w->root);
	assert_refusals(w, none, 1, NULL);
	assert_int_equal(expand(w, WORKSPACE, NULL, at(w, "/src", path), &p, &d), 0);
	assert_string_equal(p.fs_read.v[0].value, path);
}

static void a_workspace_that_nobody_names_is_not_looked_at(void **state)
{
	_cleanup_profile_ struct profile p = { 0 };
	struct diag d = { 0 };

	assert_int_equal(expand(*state, HEAD "}", NULL, "/", &p, &d), 0);
}

static void an_expansion_that_explodes_is_refused(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(PROFILE_BYTES_MAX);
	_cleanup_strv_ struct strv sets = { 0 };
	_cleanup_profile_ struct profile p = { 0 };
	struct world *w = *state;
	struct diag d = { 0 };
	const struct profile_args a = { .paths = &w->paths, .sets = &sets };
	char value[PROFILE_STRING_MAX];

	memset(value, 'a', sizeof(value));
	value[0] = 's', value[1] = '=', value[sizeof(value) - 1] = '\0';
	assert_int_equal(strv_add(&sets, value), 0);
	assert_int_equal(buf_puts(&b, HEAD ", \"parameters\": {\"s\": {\"type\": \"string\"}}, \"cwd\": \"/"), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(buf_puts(&b, "${s}"), 0);
	assert_int_equal(buf_puts(&b, "\"}"), 0);
	parse_ok(b.data, &p);
	assert_int_equal(profile_expand(&p, &a, &d), -E2BIG);
	assert_non_null(strstr(d.text, "becomes longer than"));
}

/* --- files --- */

static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static int load(const struct world *w, const char *name, struct profile *ret, struct diag *d)
{
	static const struct policy none;
	_cleanup_vouching_ struct vouching v = { 0 };
	int r = vouching_init(&w->paths, &none, &v, d);

	return r < 0 ? r : profile_load(&v, name, ret, d);
}

static void assert_load_fails(struct world *w, const char *name, int error, const char *words)
{
	_cleanup_profile_ struct profile p = { 0 };
	struct diag d = { 0 };
	int r = load(w, name, &p, &d);

	if (r != error || !strstr(d.text, words))
		fail_msg("%d, '%s' is not in: %s", r, words, d.text);
}

static void a_profile_is_found_by_name_and_by_path(void **state)
{
	struct world *w = *state;
	char path[256];

	write_file(at(w, "/.config/stockade/profiles/x.json", path), HEAD "}", 0600);
	for (int i = 0; i < 2; i++) {
		_cleanup_profile_ struct profile p = { 0 };
		struct diag d = { 0 };

		if (load(w, i ? path : "x", &p, &d) < 0)
			fail_msg("%s", d.text);
		assert_string_equal(p.file, path);
		assert_string_equal(p.name, "x");
	}
}

static void a_profile_in_a_directory_that_others_can_write_is_refused(void **state)
{
	static const mode_t modes[] = { 0777, 01777, 0770, 0757 };
	struct world *w = *state;
	char path[256], dir[256];

	write_file(at(w, "/.config/stockade/profiles/x.json", path), HEAD "}", 0600);
	at(w, "/.config/stockade/profiles", dir);
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		assert_int_equal(chmod(dir, modes[i]), 0);
		assert_load_fails(w, "x", -EPERM, "others can write the directory");
		assert_load_fails(w, path, -EPERM, "others can write the directory");
		/* Where others can take one away, its absence says nothing either. */
		assert_load_fails(w, "absent", -EPERM, "chmod go-w");
	}
	assert_int_equal(chmod(dir, 0755), 0);
}

static void a_profile_that_is_not_there_is_refused_with_where_and_what_is_near(void **state)
{
	struct world *w = *state;
	char path[256];

	write_file(at(w, "/.config/stockade/profiles/githubs.json", path), HEAD "}", 0600);
	assert_load_fails(
		w, "gitlabber", -ENOENT, "there is no profile 'gitlabber' (looked in /etc/stockade/profiles, ");
	assert_load_fails(w, "github", -ENOENT, "did you mean 'githubs'?");
	assert_load_fails(w, "/nowhere/x.json", -ENOENT, "cannot be opened");
	assert_load_fails(w, "../x", -ENOENT, "cannot be opened");
	assert_load_fails(w, "GitHub", -EINVAL, "is no profile's name");
	assert_load_fails(w, "", -EINVAL, "is no profile's name");
	assert_load_fails(w, ".", -EINVAL, "is no profile's name");
}

static void the_name_inside_must_be_the_name_of_the_file(void **state)
{
	struct world *w = *state;
	char path[256];

	write_file(at(w, "/.config/stockade/profiles/y.json", path), HEAD "}", 0600);
	assert_load_fails(w, "y", -EINVAL, "y.json:1: the profile calls itself \"x\", but its file is \"y.json\"");
}

static void a_file_that_is_not_to_be_believed_is_refused_and_never_skipped(void **state)
{
	struct world *w = *state;
	char path[256], link[256];
	_cleanup_free_ char *huge = malloc(PROFILE_BYTES_MAX + 2);

	write_file(at(w, "/.config/stockade/profiles/x.json", path), HEAD "}", 0620);
	assert_load_fails(w, "x", -EPERM, "can be written by others");
	assert_load_fails(w, path, -EPERM, "can be written by others");
	assert_int_equal(chmod(path, 0602), 0);
	assert_load_fails(w, "x", -EPERM, "can be written by others");
	if (getuid() == 0) {
		assert_int_equal(chmod(path, 0600) + chown(path, 1, 1), 0);
		assert_load_fails(w, "x", -EPERM, "belongs to user 1");
	}
	assert_int_equal(rename(path, at(w, "/.config/stockade/real.json", link)), 0);
	assert_int_equal(symlink(link, path), 0);
	assert_load_fails(w, "x", -ELOOP, "it is a symbolic link");
	assert_int_equal(unlink(path) + mkdir(path, 0700), 0);
	assert_load_fails(w, "x", -EINVAL, "is not a regular file");
	assert_int_equal(rmdir(path), 0);
	memset(huge, ' ', PROFILE_BYTES_MAX + 1);
	huge[PROFILE_BYTES_MAX + 1] = '\0';
	write_file(path, huge, 0600);
	assert_load_fails(w, "x", -E2BIG, "is longer than 1048576 bytes");
}

/* --- what we ship --- */

struct curated {
	const char *name;
	const char *set;		    /* its required parameter, or NULL */
	const char *allowed[4], *denied[4]; /* real tools of the real server */
};

static const struct curated curated[] = {
	{ "server-filesystem", "dirs=~/src", { "read_text_file", "list_directory", "search_files" },
		{ "write_file", "edit_file", "move_file", "create_directory" } },
	{ "server-filesystem-rw", "dirs=~/src", { "read_text_file", "write_file", "move_file" }, { "unheard_of" } },
	{ "server-memory", NULL, { "read_graph", "create_entities", "delete_relations" }, { "unheard_of" } },
	{ "server-sequential-thinking", NULL, { "sequentialthinking" }, { "unheard_of" } },
	{ "server-everything", NULL, { "echo", "get-sum", "trigger-long-running-operation" }, { NULL } },
	{ "mcp-server-git", "repository=~/src", { "git_status", "git_diff_staged", "git_log" },
		{ "git_commit", "git_reset", "git_checkout", "git_add" } },
	{ "mcp-server-fetch", "hosts=docs.example.com", { "fetch" }, { "unheard_of" } },
	{ "mcp-server-time", NULL, { "get_current_time", "convert_time" }, { "unheard_of" } },
};

static void assert_tools(const struct profile *p, const char *const *names, size_t n, bool wanted)
{
	for (size_t i = 0; i < n && names[i]; i++) {
		bool allowed = !wanted;

		shim_rules_match(&p->tools, names[i], strlen(names[i]), &allowed);
		if (allowed != wanted)
			fail_msg("%s: %s is %s", p->name, names[i], allowed ? "allowed" : "denied");
	}
}

static void every_curated_profile_loads_expands_and_grants_what_it_says(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(curated); i++) {
		const char *const sets[] = { curated[i].set, NULL };
		_cleanup_strv_ struct strv given = { 0 };
		_cleanup_profile_ struct profile p = { 0 };
		const struct profile_args a = { .paths = &w->paths, .sets = &given };
		struct diag d = { 0 };
		char file[256];

		snprintf(file, sizeof(file), STOCKADE_PROFILES "/%s.json", curated[i].name);
		if (load(w, file, &p, &d) < 0)
			fail_msg("%s", d.text);
		assert_true(!sets[0] || strv_add(&given, sets[0]) == 0);
		if (profile_expand(&p, &a, &d) < 0)
			fail_msg("%s", d.text);
		assert_tools(&p, curated[i].allowed, 4, true);
		assert_tools(&p, curated[i].denied, 4, false);
		assert_int_equal(p.fs_write.n, !strcmp(curated[i].name, "server-filesystem-rw"));
		assert_true(p.protect);
	}
}

static void no_profile_is_shipped_that_this_test_does_not_name(void **state)
{
	glob_t found;

	(void)state;
	assert_int_equal(glob(STOCKADE_PROFILES "/*server*.json", 0, NULL, &found), 0);
	assert_int_equal(found.gl_pathc, ARRAY_LEN(curated));
	globfree(&found);
}

int main(void)
{
#define W(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		W(references_are_put_in_and_many_values_become_many_items),
		W(an_optional_path_stays_when_it_is_there),
		W(a_parameter_of_type_host_becomes_grants),
		W(nothing_else_is_put_in_for_a_host),
		W(sets_that_do_not_fit_are_refused_with_what_to_do),
		W(paths_that_are_not_there_or_not_absolute_are_refused_when_expanded),
		W(the_workspace_is_never_the_home_or_a_directory_of_the_system),
		W(a_workspace_that_nobody_names_is_not_looked_at),
		W(an_expansion_that_explodes_is_refused),
		W(a_profile_is_found_by_name_and_by_path),
		W(a_profile_that_is_not_there_is_refused_with_where_and_what_is_near),
		W(the_name_inside_must_be_the_name_of_the_file),
		W(a_file_that_is_not_to_be_believed_is_refused_and_never_skipped),
		W(a_profile_in_a_directory_that_others_can_write_is_refused),
		W(every_curated_profile_loads_expands_and_grants_what_it_says),
		W(no_profile_is_shipped_that_this_test_does_not_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
