/* SPDX-License-Identifier: Apache-2.0 */
/* test_check_words - each mount has true words, and what an approval binds is said where it is bound and only there */
#include "tests/unit/launch_world.h"
#include "supervisor/base_view.h"
#include "supervisor/check_words.h"
#include "tests/unit/unprivileged.h"

static const char *text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

/* --- mounts made by hand: a row a kind --- */

static const struct {
	struct plan_mount mount;
	const char *what, *why, *kind, *source, *content;
} mounts[] = {
	{ { .kind = PLAN_BIND, .source = (char[]){ "/srv" }, .target = (char[]){ "/srv" } },
		"of this machine, read-only", "granted, or needed by what is granted", "bind", "/srv", NULL },
	{ { .kind = PLAN_BIND, .flags = PLAN_WRITE, .source = (char[]){ "/srv" }, .target = (char[]){ "/srv" } },
		"of this machine, WRITABLE", "granted, or needed by what is granted", "bind", "/srv", NULL },
	{ { .kind = PLAN_BIND,
		  .flags = PLAN_WRITE,
		  .source = (char[]){ "/state/homes/x" },
		  .target = (char[]){ "/home/x" } },
		"of this machine, WRITABLE; outside it is /state/homes/x",
		"its home directory, kept for this server alone", "bind", "/state/homes/x", NULL },
	{ { .kind = PLAN_BIND, .source = (char[]){ "/srv/.git/config" }, .target = (char[]){ "/srv/.git/config" } },
		"of this machine, read-only", "protected: your own tools obey or execute what stands there", "bind",
		"/srv/.git/config", NULL },
	/* Granted for writing by itself, it is not protected. */
	{ { .kind = PLAN_BIND,
		  .flags = PLAN_WRITE,
		  .source = (char[]){ "/srv/.git/config" },
		  .target = (char[]){ "/srv/.git/config" } },
		"of this machine, WRITABLE", "granted, or needed by what is granted", "bind", "/srv/.git/config",
		NULL },
	{ { .kind = PLAN_MASK, .target = (char[]){ "/srv/.env" } }, "hidden",
		"denied, though it lies in what is granted", "mask", NULL, NULL },
	{ { .kind = PLAN_PIN, .target = (char[]){ "/srv/.git" } },
		"held in place, so that a rename cannot move what is protected",
		"a directory above what is protected or denied", "pin", NULL, NULL },
	{ { .kind = PLAN_TMPFS, .flags = PLAN_WRITE, .target = (char[]){ "/home/x" }, .size = 4096 },
		"in memory, writable, gone at the end", "its home directory, empty", "tmpfs", NULL, NULL },
	{ { .kind = PLAN_SYMLINK, .target = (char[]){ "/srv/link" }, .content = (char[]){ "there" } },
		"a link to there", "granted, or needed by what is granted", "symlink", NULL, "there" },
	{ { .kind = PLAN_DIR, .target = (char[]){ "/srv" } }, "an empty directory, read-only",
		"granted, or needed by what is granted", "directory", NULL, NULL },
	{ { .kind = PLAN_FILE, .target = (char[]){ "/etc/ssl/stockade/ca.pem" }, .content = (char[]){ "secret" } },
		"written by stockade, read-only",
		"certificates, with the authority that this machine's policy provides", "file", NULL, NULL },
	{ { .kind = PLAN_DEV, .target = (char[]){ "/dev" } }, "harmless devices only",
		"null, zero, full, random, urandom, fd, stdin, stdout and stderr; no terminal", "dev", NULL, NULL },
	{ { .kind = PLAN_PROC, .target = (char[]){ "/proc" } }, "processes of the sandbox only",
		"the server's own processes; what describes the machine or changes it is masked", "proc", NULL, NULL },
	{ { .kind = PLAN_BIND, .source = (char[]){ "/s\033[2J" }, .target = (char[]){ "/s\xff" } },
		"of this machine, read-only; outside it is /s\\x1b[2J",
		"its home directory, kept for this server alone", "bind", "/s\\x1b[2J", NULL },
};

static void compare(size_t row, const json_t *o, const char *key, const char *expected)
{
	const char *is = text_of(o, key);

	if (expected ? !is || strcmp(is, expected) != 0 : is != NULL)
		fail_msg("mount %zu: %s is '%s', not '%s'", row, key, is ? is : "-", expected ? expected : "-");
}

static void each_kind_of_mount_has_its_own_words(void **state)
{
	char *protected[] = { (char[]){ "/srv/.git/config" }, NULL };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(mounts); i++) {
		struct plan_mount m = mounts[i].mount;
		struct effective e = { .plan = { .mounts = &m, .n_mounts = 1 },
			.grants.protected_paths = { protected, 1 } };
		json_t *list = check_mounts(&e), *o = json_array_get(list, 0);
		assert_int_equal(json_array_size(list), 1);
		compare(i, o, "what", mounts[i].what);
		compare(i, o, "why", mounts[i].why);
		compare(i, o, "kind", mounts[i].kind);
		compare(i, o, "source", mounts[i].source);
		compare(i, o, "content", mounts[i].content);
		assert_int_equal(json_integer_value(json_object_get(o, "size")), m.size);
		assert_int_equal(json_is_true(json_object_get(o, "write")), (m.flags & PLAN_WRITE) != 0);
		json_decref(list);
	}
}

static void a_target_that_could_drive_a_terminal_is_escaped(void **state)
{
	struct plan_mount m = { .kind = PLAN_MASK, .target = (char[]){ "/a\033[2J\xff\\" } };
	struct effective e = { .plan = { .mounts = &m, .n_mounts = 1 } };
	json_t *list = check_mounts(&e);

	(void)state;
	assert_string_equal(text_of(json_array_get(list, 0), "target"), "/a\\x1b[2J\\xff\\\\");
	json_decref(list);
}

/* --- the mounts of a launch --- */

/* The mount at HOME/relative or at a path, the last one; fails where there is none. */
static const json_t *mount_at(const struct launch *l, const json_t *list, const char *relative)
{
	const char *path = LAUNCH_AT(l, relative);

	for (size_t i = json_array_size(list); i-- > 0;)
		if (strcmp(text_of(json_array_get(list, i), "target"), path) == 0)
			return json_array_get(list, i);
	fail_msg("there is no mount at %s", path);
	return NULL;
}

static void a_launch_has_every_mount_in_the_order_of_mounting(void **state)
{
	struct launch *l = *state;
	json_t *list;

	launch_describe(l);
	list = check_mounts(&l->e);
	assert_true(l->e.plan.n_mounts > 0);
	assert_int_equal(json_array_size(list), l->e.plan.n_mounts);
	for (size_t i = 0; i < l->e.plan.n_mounts; i++)
		assert_string_equal(text_of(json_array_get(list, i), "target"), l->e.plan.mounts[i].target);
	assert_int_equal(json_integer_value(json_object_get(mount_at(l, list, "/tmp"), "size")), 1 << 20);
	assert_string_equal(text_of(mount_at(l, list, "/usr"), "why"), base_view_why("/usr"));
	json_decref(list);
}

static void what_is_kept_from_a_grant_is_not_called_granted(void **state)
{
	struct launch *l = *state;
	json_t *list;

	launch_mkdir(l, "work/.git/hooks");
	launch_put(l, "work/.git/config", 0644, "[core]\n");
	launch_put(l, "work/.env", 0644, "A=1\n");
	launch_describe(l);
	list = check_mounts(&l->e);
	assert_string_equal(text_of(mount_at(l, list, "work"), "why"), "granted, or needed by what is granted");
	assert_string_equal(text_of(mount_at(l, list, "work/.env"), "what"), "hidden");
	assert_non_null(strstr(text_of(mount_at(l, list, "work/.env"), "why"), "denied"));
	assert_non_null(strstr(text_of(mount_at(l, list, "work/.git"), "why"), "above what is protected"));
	assert_string_equal(text_of(mount_at(l, list, "work/.git/config"), "what"), "of this machine, read-only");
	assert_non_null(strstr(text_of(mount_at(l, list, "work/.git/config"), "why"), "protected:"));
	json_decref(list);
}

static void an_empty_home_and_a_private_one_are_told_apart(void **state)
{
	struct launch *l = *state;
	json_t *list;

	launch_describe(l);
	list = check_mounts(&l->e);
	assert_string_equal(text_of(mount_at(l, list, l->world->paths.home), "why"), "its home directory, empty");
	json_decref(list);
	launch_edit(l, "\"home\": \"empty\"", "\"home\": \"private\"");
	launch_describe(l);
	list = check_mounts(&l->e);
	assert_string_equal(text_of(mount_at(l, list, l->world->paths.home), "why"),
		"its home directory, kept for this server alone");
	assert_non_null(strstr(text_of(mount_at(l, list, l->world->paths.home), "what"), "/homes/notes"));
	json_decref(list);
}

/* --- sentences --- */

/* How many of them hold the words. */
static size_t said(json_t *list, const char *words)
{
	size_t n = 0;

	assert_true(json_is_array(list));
	for (size_t i = 0; i < json_array_size(list); i++)
		n += strstr(json_string_value(json_array_get(list, i)), words) != NULL;
	json_decref(list);
	return n;
}

#define BINDS(l, words)	 said(check_binds(&(l)->e), (words))
#define CANNOT(l, words) said(check_cannot_bind(&(l)->e), (words))

static void each_launch_binds_command_files_walls_and_rules(void **state)
{
	struct launch *l = *state;

	launch_describe(l);
	assert_int_equal(BINDS(l, "the program and every word of its command line, and the working directory"), 1);
	assert_int_equal(BINDS(l, "the paths that it may read or write"), 1);
	assert_int_equal(BINDS(l, "network and unix sockets, the set of system calls, limits"), 1);
	assert_int_equal(BINDS(l, "rules for tools, resources, prompts and extensions"), 1);
	assert_int_equal(CANNOT(l, "what stands in the granted files"), 1);
	assert_int_equal(CANNOT(l, "a distribution upgrade"), 1);
	assert_int_equal(
		BINDS(l, "scopes and what of them may be lifted, rates and calls that a person has to look at, what is "
			 "taken out of text"),
		1);
	assert_int_equal(CANNOT(l, "what the server says of itself: tools, their names and descriptions"), 1);
	l->e.pinned = true;
	assert_int_equal(CANNOT(l, "tools, their names and descriptions"), 0);
	assert_int_equal(CANNOT(l, "what the server says of itself: the pins hold that"), 1);
	l->e.pinned = false;
}

static void code_of_root_is_bound_by_path_and_other_code_by_content(void **state)
{
	struct launch *l = *state;
	struct code_tree trees[] = { { .path = (char[]){ "/usr/lib/x" }, .root_only = true },
		{ .path = (char[]){ "/srv/\033x" } } };
	struct effective e = { .cmd = { .trees = trees, .n_trees = 2 } };

	launch_describe(l);
	assert_int_equal(BINDS(l, "code by its content, every file below but what git keeps in .git: "), 1);
	assert_int_equal(BINDS(l, LAUNCH_AT(l, "code/server")), 1);
	assert_int_equal(said(check_binds(&e), "code by its path, since only root can write it: /usr/lib/x"), 1);
	assert_int_equal(said(check_binds(&e), "code by its content, every file below but what git keeps in .git: "
					       "/srv/\\x1bx"),
		1);
	e.cmd.git_is_code = true;
	assert_int_equal(said(check_binds(&e), "code by its content, every file below: /srv/\\x1bx"), 1);
}

static void variables_are_bound_by_name_and_their_values_are_not_shown(void **state)
{
	struct launch *l = *state;

	launch_edit(l, "\"MODE\": \"quiet\"", "\"MODE\": \"quiet\", \"EMPTY\": \"\"");
	launch_describe(l);
	assert_int_equal(BINDS(l, "names and values of the variables that are set: MODE, EMPTY"), 1);
	assert_int_equal(BINDS(l, "names of the variables that are passed: API_TOKEN, NODE_OPTIONS"), 1);
	assert_int_equal(BINDS(l, "quiet"), 0);
	assert_int_equal(BINDS(l, "abc"), 0);
	assert_int_equal(CANNOT(l, "values of passed variables that steer no loader"), 1);
}

static void the_value_of_a_variable_that_steers_is_bound_and_of_no_other(void **state)
{
	struct launch *l = *state;

	launch_describe(l);
	assert_int_equal(BINDS(l, "the value of the passed variable NODE_OPTIONS, which steers"), 1);
	assert_int_equal(BINDS(l, "the value of the passed variable"), 1);
}

static void without_variables_nothing_is_said_of_them(void **state)
{
	struct launch *l = *state;

	launch_edit(l, "\"env\": {\"set\": {\"MODE\": \"quiet\"}, \"pass\": [\"API_TOKEN\", \"NODE_OPTIONS\"]},", "");
	launch_describe(l);
	assert_int_equal(BINDS(l, "variable"), 0);
	assert_int_equal(CANNOT(l, "variable"), 0);
}

static void code_that_can_rewrite_itself_is_said_to_be_unbound(void **state)
{
	struct launch *l = *state;

	launch_describe(l);
	assert_false(l->e.never_remember);
	assert_int_equal(CANNOT(l, "its own code, which it can rewrite"), 0);
	launch_edit(l, "\"write\": [\"~/work\"]", "\"write\": [\"~/work\", \"~/code\"]");
	launch_describe(l);
	assert_true(l->e.never_remember);
	assert_int_equal(CANNOT(l, "its own code, which it can rewrite: so no answer is remembered"), 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, launch_up, launch_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_of_mount_has_its_own_words),
		cmocka_unit_test(a_target_that_could_drive_a_terminal_is_escaped),
		T(a_launch_has_every_mount_in_the_order_of_mounting),
		T(what_is_kept_from_a_grant_is_not_called_granted),
		T(an_empty_home_and_a_private_one_are_told_apart),
		T(each_launch_binds_command_files_walls_and_rules),
		T(code_of_root_is_bound_by_path_and_other_code_by_content),
		T(variables_are_bound_by_name_and_their_values_are_not_shown),
		T(the_value_of_a_variable_that_steers_is_bound_and_of_no_other),
		T(without_variables_nothing_is_said_of_them),
		T(code_that_can_rewrite_itself_is_said_to_be_unbound),
	};
	if (become_unprivileged() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
