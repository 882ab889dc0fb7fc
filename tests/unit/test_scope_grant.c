/* SPDX-License-Identifier: Apache-2.0 */
/* test_scope_grant - a grant's file: who may have written it, and until when it lifts what */
#include "tests/unit/consent_world.h"
#include <errno.h>
#include <fcntl.h>
#include "base/fs.h"
#include "base/io.h"
#include "supervisor/scope_grant.h"

enum { MINUTE = 60 * 1000000 };

static const struct scope_clock NOON = {
	.boot_us = 1000 * (uint64_t)MINUTE, .wall_s = 1790000000, .boot = "aaaa-bbbb", .time_namespace = 77
};

static void give(const struct world *w, const char *scope, uint64_t seconds, const struct scope_clock *now)
{
	const struct scope_grant_args a = { .paths = &w->paths,
		.server = "notes",
		.scope = scope,
		.profile = "/etc/stockade/profiles/notes.json",
		.lineage = &w->lineage,
		.seconds = seconds };
	struct diag d = { "" };

	if (scope_grant_write(&a, now, &d) < 0)
		fail_msg("%s", d.text);
}

static int directory(const struct world *w)
{
	struct diag d = { "" };
	int dir = -1;

	assert_int_equal(paths_open_runtime(&w->paths, SCOPE_GRANT_DIR, &dir, &d), 0);
	return dir;
}

/* SCOPE_GRANT_NONE, 0 or -errno for "notes" and its scope "write". */
static int look(const struct world *w, const struct scope_clock *now, struct scope_grant *ret)
{
	_cleanup_close_ int dir = directory(w);
	struct diag d = { "" };
	int r = scope_grant_read(dir, w->paths.uid, "notes", "write", now, ret, &d);

	assert_true(r >= 0 || d.text[0]);
	return r;
}

static int looks(const struct world *w, const struct scope_clock *now)
{
	_cleanup_scope_grant_ struct scope_grant g = { 0 };

	return look(w, now, &g);
}

static struct scope_clock later(int64_t us)
{
	struct scope_clock c = NOON;

	c.boot_us += (uint64_t)us;
	c.wall_s += us / 1000000;
	return c;
}

static void a_grant_says_who_gave_it_for_what_and_until_when(void **state)
{
	struct world *w = *state;
	_cleanup_scope_grant_ struct scope_grant g = { 0 };
	struct stat st;
	char path[256];

	give(w, "write", 1800, &NOON);
	assert_int_equal(look(w, &NOON, &g), 0);
	assert_string_equal(g.server, "notes");
	assert_string_equal(g.scope, "write");
	assert_string_equal(g.profile, "/etc/stockade/profiles/notes.json");
	assert_string_equal(g.user, w->paths.user);
	assert_true(*g.by);
	assert_int_equal(g.until_us, NOON.boot_us + 30 * (uint64_t)MINUTE);
	assert_int_equal(scope_clock_wall(&NOON, g.until_us), NOON.wall_s + 1800);
	snprintf(path, sizeof(path), "%s/" SCOPE_GRANT_DIR "/notes.write", w->paths.runtime);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void it_ends_at_its_moment_and_not_before(void **state)
{
	struct world *w = *state;
	struct scope_clock before = later(30 * (int64_t)MINUTE - 1), at = later(30 * (int64_t)MINUTE);

	give(w, "write", 1800, &NOON);
	assert_int_equal(looks(w, &before), 0);
	assert_int_equal(looks(w, &at), SCOPE_GRANT_NONE);
}

static void a_clock_that_is_set_back_makes_it_no_longer(void **state)
{
	struct world *w = *state;
	struct scope_clock at = later(31 * (int64_t)MINUTE);

	give(w, "write", 1800, &NOON);
	at.wall_s = NOON.wall_s - 86400;
	assert_int_equal(looks(w, &at), SCOPE_GRANT_NONE);
	/* One set forward ends none. */
	at = later(MINUTE);
	at.wall_s += 86400;
	assert_int_equal(looks(w, &at), 0);
}

static void it_is_over_after_a_reboot_and_in_another_time_namespace(void **state)
{
	struct world *w = *state;
	struct scope_clock other = later(MINUTE);

	give(w, "write", 1800, &NOON);
	snprintf(other.boot, sizeof(other.boot), "cccc");
	assert_int_equal(looks(w, &other), SCOPE_GRANT_NONE);
	other = later(MINUTE);
	other.time_namespace = 78;
	assert_int_equal(looks(w, &other), SCOPE_GRANT_NONE);
	other.time_namespace = 77;
	assert_int_equal(looks(w, &other), 0);
}

static void a_profile_that_lets_it_last_less_cuts_it(void **state)
{
	struct scope_grant g = { .made_us = 100 * (uint64_t)MINUTE, .until_us = 130 * (uint64_t)MINUTE };

	assert_int_equal(scope_grant_until(&g, 600), 110 * (uint64_t)MINUTE);
	assert_int_equal(scope_grant_until(&g, 3600), 130 * (uint64_t)MINUTE);
}

#define FILE_OF(server, scope, made, until, more)                                                                      \
	"{\"v\": 1, \"server\": \"" server "\", \"scope\": \"" scope                                                   \
	"\", \"profile\": \"/p.json\", \"user\": \"u\", \"by\": \"b\", \"made_us\": " made ", \"until_us\": " until    \
	", \"boot\": \"aaaa-bbbb\", \"time_namespace\": 77" more "}"

static const char *const damaged[] = {
	"",
	"{",
	"[]",
	"{\"v\": 1}",
	"{\"v\": 2, \"server\": \"notes\"}",
	FILE_OF("notes", "write", "60000000", "60000001", ", \"v\": 1"), /* a key twice */
	FILE_OF("notes", "write", "59000000000", "200000000000", ""),	 /* longer than any */
	FILE_OF("notes", "write", "70000000000", "60000000000", ""),	 /* over before it began */
	FILE_OF("notes", "write", "61000000000", "62000000000", ""),	 /* begins in the future */
	FILE_OF("notes", "write", "-1", "60000000001", ""),
	FILE_OF("notes", "write", "59000000000", "1e300", ""),
	FILE_OF("notes", "write", "59000000000", "\"60000000001\"", ""),
	FILE_OF("notes", "destructive", "59000000000", "61000000000", ""), /* under another's name */
	FILE_OF("other", "write", "59000000000", "61000000000", ""),
	FILE_OF("notes", "Write", "59000000000", "61000000000", ""),
};

static void put(const struct world *w, const char *text, mode_t mode)
{
	_cleanup_close_ int dir = directory(w);
	_cleanup_close_ int fd = openat(dir, "notes.write", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(io_write_full(fd, text, strlen(text)), 0);
	assert_int_equal(fchmod(fd, mode), 0);
}

static void what_is_damaged_lifts_nothing_and_says_so(void **state)
{
	struct world *w = *state;

	put(w, FILE_OF("notes", "write", "59000000000", "61000000000", ""), 0600);
	assert_int_equal(looks(w, &NOON), 0);
	for (size_t i = 0; i < ARRAY_LEN(damaged); i++) {
		put(w, damaged[i], 0600);
		if (looks(w, &NOON) >= 0)
			fail_msg("a grant is taken from: %s", damaged[i]);
	}
}

static void what_others_can_write_lifts_nothing(void **state)
{
	static const char good[] = FILE_OF("notes", "write", "59000000000", "61000000000", "");
	struct world *w = *state;
	_cleanup_close_ int dir = directory(w);

	put(w, good, 0620);
	assert_true(looks(w, &NOON) < 0);
	put(w, good, 0602);
	assert_true(looks(w, &NOON) < 0);
	put(w, good, 0600);
	assert_int_equal(looks(w, &NOON), 0);
	if (getuid() == 0) {
		assert_int_equal(fchownat(dir, "notes.write", 65534, 65534, 0), 0);
		assert_true(looks(w, &NOON) < 0);
	}
	/* Nor does a link, wherever it leads. */
	assert_int_equal(unlinkat(dir, "notes.write", 0), 0);
	put(w, good, 0600);
	assert_int_equal(renameat(dir, "notes.write", dir, "real.file"), 0);
	assert_int_equal(symlinkat("real.file", dir, "notes.write"), 0);
	assert_true(looks(w, &NOON) < 0);
}

static void the_list_has_what_runs_and_touches_nothing(void **state)
{
	struct world *w = *state;
	_cleanup_scope_grants_ struct scope_grants l = { 0 };
	_cleanup_close_ int dir = directory(w);
	struct scope_clock now = later(10 * (int64_t)MINUTE);
	struct diag d = { "" };

	put(w, "{", 0600);
	give(w, "read", 60, &NOON);
	give(w, "destructive", 1800, &NOON);
	assert_int_equal(scope_grant_list(&w->paths, &now, &l, &d), 0);
	assert_int_equal(l.n, 2);
	assert_string_equal(l.v[0].scope, "destructive");
	assert_non_null(l.v[1].damaged);
	assert_string_equal(l.v[1].name, "notes.write");
	assert_int_equal(faccessat(dir, "notes.read", F_OK, 0), 0);
	scope_grants_done(&l);
	/* Whoever reads it from another boot, or another time namespace, sees nothing and ends nothing. */
	now.time_namespace++;
	assert_int_equal(scope_grant_list(&w->paths, &now, &l, &d), 0);
	assert_int_equal(l.n, 1);
	assert_int_equal(faccessat(dir, "notes.destructive", F_OK, 0), 0);
}

static void a_grant_that_is_ended_is_gone(void **state)
{
	struct world *w = *state;
	struct diag d = { "" };

	give(w, "write", 1800, &NOON);
	assert_int_equal(scope_grant_remove(&w->paths, "notes", "write", &d), 0);
	assert_int_equal(looks(w, &NOON), SCOPE_GRANT_NONE);
	assert_int_equal(scope_grant_remove(&w->paths, "notes", "write", &d), SCOPE_GRANT_NONE);
	/* A name is no path. */
	assert_int_equal(scope_grant_remove(&w->paths, "../sessions/x", "json", &d), SCOPE_GRANT_NONE);
	assert_int_equal(scope_grant_remove(&w->paths, "notes", "../x", &d), SCOPE_GRANT_NONE);
}

static void this_machine_has_such_a_clock(void **state)
{
	struct scope_clock c;
	struct diag d = { "" };
	uint64_t first;

	assert_int_equal(scope_clock_init(&c, &d), 0);
	assert_int_equal(strlen(c.boot), 36);
	first = c.boot_us;
	scope_clock_read(&c);
	assert_true(c.boot_us >= first && c.boot_us >= io_now_us() - MINUTE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_grant_says_who_gave_it_for_what_and_until_when, world_up, world_down),
		cmocka_unit_test_setup_teardown(it_ends_at_its_moment_and_not_before, world_up, world_down),
		cmocka_unit_test_setup_teardown(a_clock_that_is_set_back_makes_it_no_longer, world_up, world_down),
		cmocka_unit_test_setup_teardown(
			it_is_over_after_a_reboot_and_in_another_time_namespace, world_up, world_down),
		cmocka_unit_test(a_profile_that_lets_it_last_less_cuts_it),
		cmocka_unit_test_setup_teardown(what_is_damaged_lifts_nothing_and_says_so, world_up, world_down),
		cmocka_unit_test_setup_teardown(what_others_can_write_lifts_nothing, world_up, world_down),
		cmocka_unit_test_setup_teardown(the_list_has_what_runs_and_touches_nothing, world_up, world_down),
		cmocka_unit_test_setup_teardown(a_grant_that_is_ended_is_gone, world_up, world_down),
		cmocka_unit_test(this_machine_has_such_a_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
