/* SPDX-License-Identifier: Apache-2.0 */
/* test_freshness - versions that never go back, ends that come, and a clock that cannot be right (supervisor/signing)
 */
#include "tests/unit/consent_world.h"
#include <fcntl.h>
#include "base/io.h"
#include "base/parse.h"
#include "supervisor/output.h"
#include "supervisor/signing/freshness.h"
#include "supervisor/signing/revocations.h"
#include "supervisor/signing/version_range.h"
#include "supervisor/signing/versions.h"

#define NOW 1800000000 /* 2027-01-15 */

static struct profile profile_of(uint64_t version, const char *expires)
{
	return (struct profile){ .file = (char *)(uintptr_t) "/etc/notes.json",
		.name = (char *)(uintptr_t) "notes",
		.owner = (char *)(uintptr_t) "team@example.com",
		.version = version,
		.expires = (char *)(uintptr_t)expires };
}

static int check(
	const struct world *w, const struct profile *f, const struct moments *m, char **ret_soon, struct diag *d)
{
	struct freshness fresh;
	int r = freshness_check(&w->paths, f, m, &fresh, d);

	if (ret_soon)
		*ret_soon = fresh.soon ? strdup(fresh.soon) : NULL;
	freshness_done(&fresh);
	return r;
}

static void expect_words(const struct diag *d, const char *words)
{
	if (!strstr(d->text, words))
		fail_msg("\"%s\" is not in: %s", words, d->text);
}

/* For a person, and ending so. */
static void expect_hint(const struct world *w, const struct profile *f, const struct moments *m, const char *words)
{
	_cleanup_free_ char *hint = NULL;

	assert_int_equal(freshness_hint(&w->paths, f, m, &hint), 0);
	if (!hint || !strstr(hint, words))
		fail_msg("\"%s\" is not in: %s", words, hint ? hint : "nothing");
}

static void a_version_never_goes_back(void **state)
{
	const struct world *w = *state;
	const struct moments m = { .now = NOW };
	struct profile four = profile_of(4, NULL), three = profile_of(3, NULL), none = profile_of(0, NULL);
	struct diag d = { "" };

	assert_int_equal(check(w, &three, &m, NULL, &d), 0);
	assert_int_equal(freshness_remember(&w->paths, &four, &m, &d), 0);
	assert_int_equal(check(w, &four, &m, NULL, &d), 0);
	assert_int_equal(check(w, &three, &m, NULL, &d), -EPERM);
	expect_words(&d, "is version 3");
	expect_words(&d, "version 4 of 'notes' was started here before");
	expect_words(&d, "team@example.com");
	assert_null(strstr(d.text, "versions/"));
	expect_hint(w, &three, &m, "versions/notes.4");
	assert_int_equal(check(w, &none, &m, NULL, &d), -EPERM);
	expect_words(&d, "has no version");
	/* What was started later with a lower number (a race that was lost) changes nothing. */
	assert_int_equal(freshness_remember(&w->paths, &three, &m, &d), 0);
	assert_int_equal(check(w, &three, &m, NULL, &d), -EPERM);
}

static void a_dot_in_a_name_is_no_version_of_another(void **state)
{
	const struct world *w = *state;
	struct diag d = { "" };
	uint64_t seen = 0;

	assert_int_equal(versions_remember(&w->paths, "a.4", 2, &d), 0);
	assert_int_equal(versions_remember(&w->paths, "clock", 7, &d), 0);
	assert_int_equal(versions_seen(&w->paths, "a", &seen, &d), 0);
	assert_int_equal(seen, 0);
	assert_int_equal(versions_seen(&w->paths, "a.4", &seen, &d), 0);
	assert_int_equal(seen, 2);
	assert_int_equal(versions_remember(&w->paths, "a.4", 10, &d), 0);
	assert_int_equal(versions_seen(&w->paths, "a.4", &seen, &d), 0);
	assert_int_equal(seen, 10);
}

static void only_the_highest_version_keeps_a_file(void **state)
{
	const struct world *w = *state;
	struct diag d = { "" };
	char path[256];

	for (uint64_t v = 1; v <= 3; v++)
		assert_int_equal(versions_remember(&w->paths, "notes", v, &d), 0);
	snprintf(path, sizeof(path), "%s/versions/notes.2", w->paths.state);
	assert_int_equal(access(path, F_OK), -1);
	snprintf(path, sizeof(path), "%s/versions/notes.3", w->paths.state);
	assert_int_equal(access(path, F_OK), 0);
}

static const struct expiry_row {
	const char *expires;
	int64_t now, latest;
	int result;
	const char *words; /* of the refusal, or of what is said ahead of time; NULL: nothing is said */
} expiry_rows[] = {
	{ "2027-04-15T08:00:00Z", NOW, 0, 0, NULL },
	{ "2027-01-15T08:00:01Z", NOW, 0, 0, "expires in less than an hour" },
	{ "2027-01-15T12:00:00Z", NOW, 0, 0, "expires in 4 hours (on 2027-01-15T12:00:00Z)" },
	{ "2027-01-16T09:00:00Z", NOW, 0, 0, "expires in 1 day (" },
	{ "2027-02-14T08:00:00Z", NOW, 0, 0, "expires in 30 days" },
	{ "2027-02-14T08:00:01Z", NOW, 0, 0, NULL },
	{ "2027-01-15T08:00:00Z", NOW, 0, -EPERM, "has expired: it ended on 2027-01-15T08:00:00Z" },
	{ "2020-01-01", NOW, 0, -EPERM, "has expired" },
	/* a clock that was set back behind what is known */
	{ "2027-04-15T08:00:00Z", NOW, NOW + MOMENTS_TOLERANCE_S, 0, NULL },
	{ "2027-04-15T08:00:00Z", NOW, NOW + MOMENTS_TOLERANCE_S + 1, -EPERM, "clock cannot be right" },
	{ "2027-04-15T08:00:00Z", 60, NOW, -EPERM, "it says 1970-01-01T00:01:00Z, and the test ran on 2027-01-15" },
	{ "2999-01-01", 60, NOW, -EPERM, "timedatectl" },
	/* what never ends does not ask what time it is */
	{ NULL, 60, NOW, 0, NULL },
};

static void a_profile_ends_when_it_says_and_says_so_a_month_ahead(void **state)
{
	const struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(expiry_rows); i++) {
		const struct expiry_row *x = &expiry_rows[i];
		struct profile f = profile_of(1, x->expires);
		struct moments m = { .now = x->now };
		_cleanup_free_ char *soon = NULL;
		struct diag d = { "" };
		int r;

		moments_tell(&m, x->latest, "the test ran");
		r = check(w, &f, &m, &soon, &d);
		if (r != x->result)
			fail_msg("row %zu: %d: %s", i, r, d.text);
		if (r < 0)
			expect_words(&d, x->words);
		else if (!x->words != !soon || (soon && !strstr(soon, x->words)))
			fail_msg("row %zu: %s", i, soon ? soon : "nothing is said");
	}
}

static void put_clock(const struct world *w, const char *text)
{
	_cleanup_close_ int dir = -1;
	struct diag d = { "" };

	assert_int_equal(paths_open_state(&w->paths, VERSIONS_DIR, &dir, &d), 0);
	assert_int_equal(fs_write_atomic(dir, "clock", text, strlen(text), 0600, &d), 0);
}

static void the_latest_moment_is_remembered_and_only_grows(void **state)
{
	const struct world *w = *state;
	struct moments m, later;
	struct diag d = { "" };

	assert_int_equal(moments_look(&w->paths, &m, &d), 0);
	assert_int_equal(m.remembered, 0);
	assert_int_equal(moments_remember(&w->paths, &m, &d), 0);
	assert_int_equal(moments_look(&w->paths, &later, &d), 0);
	assert_int_equal(later.remembered, m.now);
	assert_int_equal(later.latest, m.now);
	/* One that starts with a clock that is behind takes nothing back. */
	later.now = 60;
	assert_int_equal(moments_remember(&w->paths, &later, &d), 0);
	assert_int_equal(moments_look(&w->paths, &later, &d), 0);
	assert_int_equal(later.remembered, m.now);
	assert_int_equal(moments_check(&later, "x", &d), 0);
	later.now = 60;
	assert_int_equal(moments_check(&later, "the profile 'notes' expires", &d), -EPERM);
	expect_words(&d, "stockade was last used here");
	assert_null(strstr(d.text, "versions/"));
	expect_hint(w, &(struct profile){ 0 }, &later, "versions/clock; it is made again");
}

static void a_damaged_memory_of_the_clock_denies_what_hangs_on_time_alone(void **state)
{
	static const char *const bad[] = { "", "\n", "x\n", "1800000000", "-5\n", "0\n", "1 \n", "99999999999999\n",
		"1\n2\n" };
	const struct world *w = *state;
	struct profile ends = profile_of(1, "2999-01-01"), stays = profile_of(1, NULL);

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct diag d = { "" };
		struct moments m;

		put_clock(w, bad[i]);
		assert_int_equal(moments_look(&w->paths, &m, &d), 0);
		if (check(w, &ends, &m, NULL, &d) != -EPERM)
			fail_msg("\"%s\" is believed", bad[i]);
		expect_words(&d, "cannot be used");
		assert_null(strstr(d.text, "remove"));
		expect_hint(w, &ends, &m, "versions/clock; it is made again");
		assert_int_equal(check(w, &stays, &m, NULL, &d), 0);
		/* Nor is it written over: whoever looks finds what was there. */
		assert_int_equal(moments_remember(&w->paths, &m, &d), 0);
		assert_int_equal(moments_look(&w->paths, &m, &d), 0);
		assert_true(m.damaged.text[0]);
	}
}

static void what_root_wrote_later_than_the_clock_says_shows_that_it_is_wrong(void **state)
{
	struct moments m = { .now = 60 };
	struct diag d = { "" };

	(void)state;
	moments_tell_file(&m, "/etc/passwd");
	assert_int_equal(moments_check(&m, "it expires", &d), -EPERM);
	expect_words(&d, "/etc/passwd was written");
}

static void a_range_of_versions_has_both_its_ends(void **state)
{
	static const struct {
		const char *text;
		uint64_t in, out;
	} good[] = { { "3", 3, 4 }, { "3..9", 9, 10 }, { "3..9", 3, 2 }, { "..9", 0, 10 }, { "3..", INT32_MAX, 2 } };
	static const char *const bad[] = { "", "..", "x", "9..3", "3-9", "3...9", "0", "-1", " 3", "3..9..12", "v3",
		"99999999999999999999" };
	struct version_range r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_int_equal(version_range_parse(good[i].text, &r), 0);
		assert_true(version_range_has(&r, good[i].in));
		assert_false(version_range_has(&r, good[i].out));
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (version_range_parse(bad[i], &r) == 0)
			fail_msg("\"%s\" is taken", bad[i]);
}

static void what_names_no_version_may_be_any_that_is_revoked(void **state)
{
	static const char text[] = "{\"stockade\": 1, \"revoke\": [{\"profile\": \"db-*\", \"versions\": \"3..5\"}]}";
	struct revocations r = { 0 };
	struct diag d = { "" };

	(void)state;
	assert_int_equal(revocations_add(&r, "r.json", text, strlen(text), &d), 0);
	assert_int_equal(revocations_check(&r, "db-a", 2, &d), 0);
	assert_int_equal(revocations_check(&r, "db-a", 6, &d), 0);
	assert_int_equal(revocations_check(&r, "db-a", 5, &d), -EPERM);
	assert_int_equal(revocations_check(&r, "db-a", 0, &d), -EPERM);
	expect_words(&d, "without a version");
	assert_int_equal(revocations_check(&r, "notes", 0, &d), 0);
	revocations_done(&r);
}

#define W(test) cmocka_unit_test_setup_teardown(test, world_up, world_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		W(a_version_never_goes_back),
		W(a_dot_in_a_name_is_no_version_of_another),
		W(only_the_highest_version_keeps_a_file),
		W(a_profile_ends_when_it_says_and_says_so_a_month_ahead),
		W(the_latest_moment_is_remembered_and_only_grows),
		W(a_damaged_memory_of_the_clock_denies_what_hangs_on_time_alone),
		W(what_root_wrote_later_than_the_clock_says_shows_that_it_is_wrong),
		cmocka_unit_test(a_range_of_versions_has_both_its_ends),
		cmocka_unit_test(what_names_no_version_may_be_any_that_is_revoked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
