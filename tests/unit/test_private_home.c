/* SPDX-License-Identifier: Apache-2.0 */
/* test_private_home - places for mounts below a private home, and a server that puts something else there */
#include "tests/unit/unit.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "supervisor/private_home.h"

struct place {
	char base[64], state[96], inside[160];
	struct paths paths;
	struct identity id;
};

static int place_make(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	snprintf(p->base, sizeof(p->base), "/tmp/stockade-home-XXXXXX");
	if (!mkdtemp(p->base))
		return -1;
	snprintf(p->state, sizeof(p->state), "%s/state", p->base);
	snprintf(p->inside, sizeof(p->inside), "%s/homes/x", p->state);
	mkdir(p->state, 0700);
	p->paths = (struct paths){ .uid = getuid(), .gid = getgid(), .state = p->state };
	p->paths.home = strdup("/home/u");
	p->id = (struct identity){ .uid = getuid(), .gid = getgid() };
	*state = p;
	return 0;
}

static int place_drop(void **state)
{
	struct place *p = *state;
	char *argv[] = { (char[]){ "rm" }, (char[]){ "-rf" }, p->base, NULL };

	free(p->paths.home);
	if (fork() == 0) {
		execv("/bin/rm", argv);
		_exit(127);
	}
	free(p);
	return 0;
}

static void add(struct plan *plan, enum plan_mount_kind kind, const char *target, uint32_t type, const char *content)
{
	struct plan_mount m = { .kind = kind,
		.source = kind == PLAN_BIND ? (char *)(uintptr_t)target : NULL,
		.target = (char *)(uintptr_t)target,
		.type = type,
		.content = (char *)(uintptr_t)content };

	assert_int_equal(plan_add_mount(plan, &m), 0);
}

static bool exists(const struct place *p, const char *sub, mode_t type)
{
	char full[256];
	struct stat st;

	snprintf(full, sizeof(full), "%s/%s", p->inside, sub);
	return lstat(full, &st) == 0 && (st.st_mode & S_IFMT) == type;
}

static void what_is_mounted_below_the_home_has_a_place_in_it(void **state)
{
	struct place *p = *state;
	_cleanup_plan_ struct plan plan = { 0 };
	struct diag d = { "" };

	assert_int_equal(private_home_add(&p->paths, &p->id, "x", &plan, &d), 0);
	assert_string_equal(plan.mounts[0].source, p->inside);
	add(&plan, PLAN_BIND, "/home/u/app/node_modules", S_IFDIR, NULL);
	add(&plan, PLAN_BIND, "/home/u/app/node_modules/within", S_IFDIR, NULL);
	add(&plan, PLAN_BIND, "/home/u/file", S_IFREG, NULL);
	add(&plan, PLAN_SYMLINK, "/home/u/link", 0, "/srv/x");
	add(&plan, PLAN_BIND, "/srv/elsewhere", S_IFDIR, NULL);
	assert_int_equal(private_home_places(&p->paths, &p->id, "x", &plan, 1, &d), 0);
	assert_true(exists(p, "app/node_modules", S_IFDIR));
	assert_false(exists(p, "app/node_modules/within", S_IFDIR));
	assert_true(exists(p, "file", S_IFREG));
	assert_true(exists(p, "link", S_IFLNK));
	/* The link is made; the plan no longer asks enter for it. */
	assert_int_equal(plan.n_mounts, 5);
	assert_int_equal(private_home_places(&p->paths, &p->id, "x", &plan, 1, &d), 0);
}

static void a_link_that_the_server_put_in_the_way_is_not_followed(void **state)
{
	struct place *p = *state;
	_cleanup_plan_ struct plan plan = { 0 };
	struct diag d = { "" };
	char full[256], target[128], outside[160];

	assert_int_equal(private_home_add(&p->paths, &p->id, "x", &plan, &d), 0);
	snprintf(target, sizeof(target), "%s/victim", p->base);
	mkdir(target, 0700);
	snprintf(full, sizeof(full), "%s/app", p->inside);
	assert_int_equal(symlink(target, full), 0);
	add(&plan, PLAN_BIND, "/home/u/app/node_modules", S_IFDIR, NULL);
	assert_true(private_home_places(&p->paths, &p->id, "x", &plan, 1, &d) < 0);
	assert_non_null(strstr(d.text, "/home/u/app/node_modules"));
	snprintf(outside, sizeof(outside), "%s/node_modules", target);
	assert_int_equal(access(outside, F_OK), -1);
}

static void a_home_that_others_can_read_is_refused(void **state)
{
	struct place *p = *state;
	_cleanup_plan_ struct plan plan = { 0 };
	struct diag d = { "" };

	assert_int_equal(private_home_add(&p->paths, &p->id, "x", &plan, &d), 0);
	assert_int_equal(chmod(p->inside, 0755), 0);
	assert_int_equal(private_home_add(&p->paths, &p->id, "x", &plan, &d), -EPERM);
	assert_int_equal(private_home_add(&p->paths, &p->id, "..", &plan, &d), -EINVAL);
	assert_int_equal(private_home_add(&p->paths, &p->id, "a/b", &plan, &d), -EINVAL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_is_mounted_below_the_home_has_a_place_in_it, place_make, place_drop),
		cmocka_unit_test_setup_teardown(
			a_link_that_the_server_put_in_the_way_is_not_followed, place_make, place_drop),
		cmocka_unit_test_setup_teardown(a_home_that_others_can_read_is_refused, place_make, place_drop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
