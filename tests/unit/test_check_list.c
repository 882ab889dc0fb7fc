/* SPDX-License-Identifier: Apache-2.0 */
/* test_check_list - every profile that can be named is listed once, with the file that the name stands for */
#include "tests/unit/consent_world.h"
#include <errno.h>
#include <fcntl.h>
#include "supervisor/check_list.h"
#include "supervisor/consent.h"
#include "supervisor/exit.h"

enum { WHERE_MAX = 160, PROFILE_MAX = 512 };

/* Only directories of the test's own: "one" comes before "two". */
static int list_up(void **state)
{
	struct world *w;

	if (world_up(state) != 0)
		return -1;
	w = *state;
	strv_done(&w->paths.profile_dirs);
	assert_int_equal(strv_addf(&w->paths.profile_dirs, "%s/one", w->root), 0);
	assert_int_equal(strv_addf(&w->paths.profile_dirs, "%s/two", w->root), 0);
	for (size_t i = 0; i < w->paths.profile_dirs.n; i++)
		assert_int_equal(mkdir(w->paths.profile_dirs.v[i], 0755), 0);
	return 0;
}

static const char *at(const struct world *w, const char *file, char ret[WHERE_MAX])
{
	snprintf(ret, WHERE_MAX, "%s/%s", w->root, file);
	return ret;
}

static void put(const struct world *w, const char *file, const char *text)
{
	char path[WHERE_MAX];
	_cleanup_close_ int fd = open(at(w, file, path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void put_profile(const struct world *w, const char *dir, const char *name, const char *description)
{
	char file[WHERE_MAX], text[PROFILE_MAX];

	snprintf(file, sizeof(file), "%s/%s.json", dir, name);
	snprintf(text, sizeof(text),
		"{\"stockade\": 1, \"name\": \"%s\", \"version\": 7, \"description\": \"%s\", \"command\": [\"true\"]}",
		name, description);
	put(w, file, text);
}

static void approve(const struct world *w, const char *name, const char *subject)
{
	struct diag d = { "" };
	struct effective e;

	make_launch(&e, name, subject);
	free(e.subject);
	e.subject = strdup(subject);
	if (consent_remember(&w->paths, &e, "terminal", &w->lineage, &d) < 0)
		fail_msg("%s", d.text);
	launch_done(&e);
}

/* Heap; what is returned must be status. */
static char *listed(const struct world *w, bool names, bool json, int status)
{
	struct diag d = { "" };
	char *said = NULL;
	size_t n;
	FILE *f = open_memstream(&said, &n);
	int r = check_list_print(f, &w->paths, names, json, &d);

	fclose(f);
	if (r != status)
		fail_msg("%d: %s", r, d.text);
	return said;
}

static json_t *objects(const struct world *w, int status)
{
	_cleanup_free_ char *said = listed(w, false, true, status);
	json_t *list = json_loads(said, JSON_REJECT_DUPLICATES, NULL);

	assert_true(json_is_array(list));
	return list;
}

static const char *text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static void names_are_sorted_and_each_stands_there_once(void **state)
{
	const struct world *w = *state;
	_cleanup_free_ char *said = NULL;

	put_profile(w, "one", "notes", "");
	put_profile(w, "one", "b", "");
	put_profile(w, "two", "notes", "");
	put_profile(w, "two", "a.b_c-1", "");
	said = listed(w, true, false, EXIT_OK);
	assert_string_equal(said, "a.b_c-1\nb\nnotes\n");
}

static void what_no_name_can_stand_for_is_not_listed(void **state)
{
	static const char *const files[] = { "one/.json", "one/.hidden.json", "one/Upper.json", "one/a b.json",
		"one/x.json.bak", "one/xjson", "one/-x.json", "one/\033.json", "one/x.JSON" };
	const struct world *w = *state;
	_cleanup_free_ char *said = NULL;

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		put(w, files[i], "{}");
	put_profile(w, "one", "x", "");
	said = listed(w, true, false, EXIT_OK);
	assert_string_equal(said, "x\n");
}

static void a_directory_that_is_not_there_is_passed_over_and_a_file_in_its_place_too(void **state)
{
	const struct world *w = *state;
	_cleanup_free_ char *without = NULL, *file = NULL;
	char path[WHERE_MAX];

	put_profile(w, "two", "x", "");
	assert_int_equal(rmdir(at(w, "one", path)), 0);
	without = listed(w, true, false, EXIT_OK);
	assert_string_equal(without, "x\n");
	put(w, "one", "");
	file = listed(w, true, false, EXIT_OK);
	assert_string_equal(file, "x\n");
}

/* A shorter list would look like the whole. */
static void a_directory_that_cannot_be_read_is_an_error(void **state)
{
	const struct world *w = *state;
	struct diag d = { "" };
	char path[WHERE_MAX];

	put_profile(w, "two", "x", "");
	assert_int_equal(rmdir(at(w, "one", path)), 0);
	assert_int_equal(symlink("one", path), 0);
	assert_int_equal(check_list_print(stdout, &w->paths, true, false, &d), -ELOOP);
	assert_non_null(strstr(d.text, "cannot list the profiles in "));
	assert_non_null(strstr(d.text, path));
	assert_non_null(strstr(d.text, strerror(ELOOP)));
}

static void there_are_so_many_and_no_more(void **state)
{
	const struct world *w = *state;
	_cleanup_free_ char *said = NULL;
	struct diag d = { "" };
	char file[WHERE_MAX];
	size_t lines = 0;

	for (int i = 0; i < CHECK_LIST_MAX; i++) {
		snprintf(file, sizeof(file), "one/p%d.json", i);
		put(w, file, "");
	}
	/* The same name again is no further one. */
	put(w, "two/p1.json", "");
	said = listed(w, true, false, EXIT_OK);
	for (const char *c = said; *c; c++)
		lines += *c == '\n';
	assert_int_equal(lines, CHECK_LIST_MAX);
	put(w, "two/more.json", "");
	assert_int_equal(check_list_print(stdout, &w->paths, true, false, &d), -E2BIG);
	assert_string_equal(d.text, "there are more than 4096 profiles");
}

static void a_name_stands_for_the_file_of_the_first_directory(void **state)
{
	const struct world *w = *state;
	char path[WHERE_MAX];
	json_t *list;

	put_profile(w, "one", "x", "the first");
	put_profile(w, "two", "x", "the second");
	list = objects(w, EXIT_OK);
	assert_int_equal(json_array_size(list), 1);
	assert_string_equal(text_of(json_array_get(list, 0), "name"), "x");
	assert_string_equal(text_of(json_array_get(list, 0), "file"), at(w, "one/x.json", path));
	assert_string_equal(text_of(json_array_get(list, 0), "description"), "the first");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "version")), 7);
	assert_true(json_is_null(json_object_get(json_array_get(list, 0), "unusable")));
	json_decref(list);
}

static void each_has_its_state_its_file_and_what_it_is_for(void **state)
{
	const struct world *w = *state;
	_cleanup_free_ char *said = NULL;
	char expected[1024];

	put_profile(w, "one", "known", "keeps notes");
	put_profile(w, "one", "unknown", "does \\u202ethings");
	put(w, "one/plain.json", "{\"stockade\": 1, \"name\": \"plain\", \"command\": [\"true\"]}");
	approve(w, "known", "profile:known");
	said = listed(w, false, false, EXIT_OK);
	snprintf(expected, sizeof(expected),
		"%-28s  %-14s  %s/one/known.json\n    keeps notes\n"
		"%-28s  %-14s  %s/one/plain.json\n"
		"%-28s  %-14s  %s/one/unknown.json\n    does \\u{202e}things\n"
		"\n'stockade check NAME' says what the server of one would get.\n",
		"known", "approved", w->root, "plain", "not approved", w->root, "unknown", "not approved", w->root);
	assert_string_equal(said, expected);
}

static void a_file_that_cannot_be_used_is_listed_with_the_reason(void **state)
{
	const struct world *w = *state;
	_cleanup_free_ char *said = NULL;
	char path[WHERE_MAX];
	json_t *list;

	put_profile(w, "one", "good", "");
	put_profile(w, "two", "open", "");
	put(w, "one/broken.json", "{");
	/* It denies: the good one behind it is not what the name stands for. */
	put_profile(w, "two", "broken", "hidden behind");
	assert_int_equal(chmod(at(w, "two/open.json", path), 0666), 0);
	said = listed(w, false, false, EXIT_FINDINGS);
	assert_null(strstr(said, "hidden behind"));
	list = objects(w, EXIT_FINDINGS);
	assert_int_equal(json_array_size(list), 3);
	assert_non_null(strstr(text_of(json_array_get(list, 0), "unusable"), "one/broken.json"));
	assert_non_null(strstr(text_of(json_array_get(list, 0), "unusable"), "not JSON"));
	assert_non_null(strstr(said, text_of(json_array_get(list, 0), "unusable")));
	assert_true(json_is_null(json_object_get(json_array_get(list, 1), "unusable")));
	assert_non_null(strstr(text_of(json_array_get(list, 2), "unusable"), "two/open.json"));
	assert_non_null(strstr(said, "open                          cannot be used  "));
	json_decref(list);
}

static void only_approvals_of_the_profile_itself_count(void **state)
{
	const struct world *w = *state;
	const json_t *ids;
	char path[WHERE_MAX];
	json_t *list;
	FILE *f;

	put_profile(w, "one", "x", "");
	approve(w, "x", "/srv/aa/x"); /* as long as "profile:x" */
	approve(w, "y", "profile:y");
	approve(w, "xx", "profile:xx");
	list = objects(w, EXIT_OK);
	ids = json_object_get(json_array_get(list, 0), "approvals");
	assert_int_equal(json_array_size(ids), 0);
	json_decref(list);

	approve(w, "x", "profile:x");
	list = objects(w, EXIT_OK);
	ids = json_object_get(json_array_get(list, 0), "approvals");
	assert_int_equal(json_array_size(ids), 1);
	assert_int_equal(strlen(json_string_value(json_array_get(ids, 0))), 16);
	json_decref(list);

	/* A damaged one approves nothing, and hides nothing. */
	snprintf(path, sizeof(path), "%s/approvals/%064d.json", w->paths.state, 0);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs("{\"subject\": \"profile:x\"}", f);
	fclose(f);
	list = objects(w, EXIT_OK);
	assert_int_equal(json_array_size(json_object_get(json_array_get(list, 0), "approvals")), 1);
	json_decref(list);
}

static void approvals_that_cannot_be_read_are_an_error_and_names_need_none(void **state)
{
	const struct world *w = *state;
	_cleanup_free_ char *said = NULL;
	struct diag d = { "" };
	char path[WHERE_MAX];

	put_profile(w, "one", "x", "");
	approve(w, "x", "profile:x");
	snprintf(path, sizeof(path), "%s/approvals", w->paths.state);
	assert_int_equal(chmod(path, 0777), 0);
	assert_true(check_list_print(stdout, &w->paths, false, false, &d) < 0);
	assert_true(*d.text);
	said = listed(w, true, false, EXIT_OK);
	assert_string_equal(said, "x\n");
}

static void where_there_is_none_it_says_where_one_goes(void **state)
{
	const struct world *w = *state;
	_cleanup_free_ char *said = listed(w, false, false, EXIT_OK), *json = listed(w, false, true, EXIT_OK),
			    *names = listed(w, true, false, EXIT_OK);
	char expected[WHERE_MAX + 80];

	snprintf(expected, sizeof(expected), "There is no profile; one of your own goes into %s/two as NAME.json.\n",
		w->root);
	assert_string_equal(said, expected);
	assert_string_equal(json, "[]\n");
	assert_string_equal(names, "");
}

static void a_stream_that_takes_no_json_is_a_refusal(void **state)
{
	const struct world *w = *state;
	struct diag d = { "" };
	FILE *full = fopen("/dev/full", "we");

	put_profile(w, "one", "x", "");
	setbuf(full, NULL);
	assert_int_equal(check_list_print(full, &w->paths, false, true, &d), EXIT_REFUSED);
	fclose(full);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, list_up, world_down)
	const struct CMUnitTest tests[] = {
		T(names_are_sorted_and_each_stands_there_once),
		T(what_no_name_can_stand_for_is_not_listed),
		T(a_directory_that_is_not_there_is_passed_over_and_a_file_in_its_place_too),
		T(a_directory_that_cannot_be_read_is_an_error),
		T(there_are_so_many_and_no_more),
		T(a_name_stands_for_the_file_of_the_first_directory),
		T(each_has_its_state_its_file_and_what_it_is_for),
		T(a_file_that_cannot_be_used_is_listed_with_the_reason),
		T(only_approvals_of_the_profile_itself_count),
		T(approvals_that_cannot_be_read_are_an_error_and_names_need_none),
		T(where_there_is_none_it_says_where_one_goes),
		T(a_stream_that_takes_no_json_is_a_refusal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
