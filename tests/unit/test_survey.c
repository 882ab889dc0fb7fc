/* SPDX-License-Identifier: Apache-2.0 */
/* test_survey - all that is below a directory, found by one thread or by several */
#include "tests/unit/unit.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>
#include "supervisor/survey.h"

enum { WIDE = 12, FILES = 3, DIRS = 1 + WIDE + WIDE * WIDE, NAMES = WIDE * (1 + WIDE * (1 + FILES + 1)) };

struct place {
	char path[64];
	int fd;
};

static void put(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	close(fd);
}

/* Enough directories that help is called for: WIDE of WIDE, each with FILES files and a link to the host's root. */
static int place_make(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	char path[256];

	snprintf(p->path, sizeof(p->path), "/tmp/stockade-survey-XXXXXX");
	if (!mkdtemp(p->path) || chmod(p->path, 0755) < 0)
		return -1;
	for (int i = 0; i < WIDE; i++) {
		snprintf(path, sizeof(path), "%s/d%d", p->path, i);
		assert_int_equal(mkdir(path, 0755), 0);
		for (int k = 0; k < WIDE; k++) {
			int n = snprintf(path, sizeof(path), "%s/d%d/e%d", p->path, i, k);
			assert_int_equal(mkdir(path, 0755), 0);
			for (int f = 0; f < FILES; f++) {
				snprintf(path + n, sizeof(path) - (size_t)n, "/f%d", f);
				put(path);
			}
			snprintf(path + n, sizeof(path) - (size_t)n, "/link");
			assert_int_equal(symlink("/", path), 0);
		}
	}
	p->fd = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = p;
	return p->fd < 0 ? -1 : 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static int place_drop(void **state)
{
	struct place *p = *state;

	close(p->fd);
	nftw(p->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(p);
	return 0;
}

static void every_name_is_found_once_and_no_link_is_followed(void **state)
{
	const struct place *p = *state;
	_cleanup_survey_ struct survey s = { 0 };
	bool seen[DIRS] = { true };

	assert_int_equal(survey_take(p->fd, SURVEY_CONTENT, &s), 0);
	assert_int_equal(s.n, DIRS);
	assert_int_equal(s.files, NAMES);
	for (size_t d = 0; d < s.n; d++)
		for (size_t i = 0; i < s.dirs[d]->n; i++) {
			const struct survey_entry *e = &s.dirs[d]->v[i];
			assert_true(i == 0 || strcmp(e[-1].name, e->name) < 0);
			if (S_ISLNK(e->st.st_mode))
				assert_string_equal(e->link, "/");
			if (!S_ISDIR(e->st.st_mode))
				continue;
			assert_false(seen[e->dir]);
			seen[e->dir] = true;
			const char *path = s.dirs[e->dir]->path;
			assert_string_equal(path + strlen(path) - strlen(e->name), e->name);
		}
	for (size_t d = 0; d < DIRS; d++)
		assert_true(seen[d]);
}

static void the_last_file_that_others_may_write_is_seen(void **state)
{
	const struct place *p = *state;
	bool root = geteuid() == 0;
	char path[256];

	for (int turn = 0; turn < 20; turn++) {
		_cleanup_survey_ struct survey s = { 0 };
		assert_int_equal(survey_take(p->fd, SURVEY_OWNERS, &s), root ? 0 : SURVEY_OTHERS);
	}
	snprintf(path, sizeof(path), "%s/d%d/e%d/f%d", p->path, WIDE - 1, WIDE - 1, FILES - 1);
	assert_int_equal(chmod(path, 0646), 0);
	for (int turn = 0; turn < 20; turn++) {
		_cleanup_survey_ struct survey s = { 0 };
		assert_int_equal(survey_take(p->fd, SURVEY_OWNERS, &s), SURVEY_OTHERS);
	}
}

/* No file of it is anybody else's: who may write the directory can put another one there. */
static void the_last_directory_that_others_may_write_is_seen(void **state)
{
	const struct place *p = *state;
	_cleanup_survey_ struct survey before = { 0 }, after = { 0 };
	char path[256];

	assert_int_equal(survey_take(p->fd, SURVEY_OWNERS, &before), geteuid() == 0 ? 0 : SURVEY_OTHERS);
	snprintf(path, sizeof(path), "%s/d%d/e%d", p->path, WIDE - 1, WIDE - 1);
	assert_int_equal(chmod(path, 0757), 0);
	assert_int_equal(survey_take(p->fd, SURVEY_OWNERS, &after), SURVEY_OTHERS);
}

static void a_tree_that_is_too_deep_is_refused_and_the_place_is_named(void **state)
{
	const struct place *p = *state;
	_cleanup_survey_ struct survey s = { 0 };
	char path[1024];
	int n = snprintf(path, sizeof(path), "%s/d0", p->path);

	for (int i = 0; i < SURVEY_DEPTH_MAX; i++) {
		n += snprintf(path + n, sizeof(path) - (size_t)n, "/x");
		assert_int_equal(mkdir(path, 0755), 0);
	}
	assert_int_equal(survey_take(p->fd, SURVEY_CONTENT, &s), -EFBIG);
	assert_non_null(strstr(s.failed, "d0/x/x/x"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			every_name_is_found_once_and_no_link_is_followed, place_make, place_drop),
		cmocka_unit_test_setup_teardown(the_last_file_that_others_may_write_is_seen, place_make, place_drop),
		cmocka_unit_test_setup_teardown(
			the_last_directory_that_others_may_write_is_seen, place_make, place_drop),
		cmocka_unit_test_setup_teardown(
			a_tree_that_is_too_deep_is_refused_and_the_place_is_named, place_make, place_drop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
