/* SPDX-License-Identifier: Apache-2.0 */
/* test_policy_mode - until when a machine only observes, and what of it is refused (supervisor/policy/policy_mode.h) */
#include <errno.h>
#include <time.h>
#include "supervisor/output.h"
#include "tests/unit/policy_unit.h"

enum { DAY_S = 86400 };

static void observing_has_an_end_that_is_near(void **state)
{
	static const struct {
		int64_t until, now;
		bool observe, fits, observes;
	} rows[] = {
		{ 1000, 999, true, true, true },
		{ 1000, 1000, true, true, false },
		{ 1000, 5000, true, true, false },
		{ 1000, 999, false, true, false },
		{ (int64_t)POLICY_OBSERVE_DAYS * DAY_S, 0, true, true, true },
		{ (int64_t)POLICY_OBSERVE_DAYS * DAY_S + 1, 0, true, false, true },
		{ (int64_t)POLICY_OBSERVE_DAYS * DAY_S + 1, 0, false, true, false },
	};
	static char where[] = "f:1 (mode)", until[] = "later";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct policy_mode m = { .observe = rows[i].observe,
			.where = where,
			.until = until,
			.until_where = until,
			.until_s = rows[i].until };
		struct diag d = { "" };
		if ((policy_mode_check(&m, rows[i].now, &d) == 0) != rows[i].fits ||
			policy_mode_observes(&m, rows[i].now) != rows[i].observes)
			fail_msg("row %zu: %s", i, d.text);
	}
}

static void what_says_no_such_mode_denies_every_launch_in_words(void **state)
{
	static const char *const rows[][2] = {
		{ POLICY("\"mode\": \"observe\""), ":2 (mode \"observe\") needs \"observe_until\"" },
		{ POLICY("\"mode\": \"observe\", \"observe_until\": \"2999-01-01\""), "more than 90 days away" },
		{ POLICY("\"mode\": \"observe\", \"observe_until\": \"tomorrow\""), "must be a date or a UTC time" },
		{ POLICY("\"mode\": \"observe\", \"observe_until\": 5"), "observe_until must be" },
		{ POLICY("\"mode\": \"learn\""), "mode" },
		{ POLICY("\"mode\": true"), "mode must be" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		policy_refused(rows[i][0], rows[i][1]);
}

static void a_policy_that_observes_or_did_is_read(void **state)
{
	char when[OUTPUT_TIME_SIZE], text[256];
	static const struct {
		int64_t from_now;
		const char *mode;
		bool observes;
	} rows[] = { { DAY_S, "observe", true }, { -DAY_S, "observe", false }, { DAY_S, "enforce", false },
		{ 1000 * (int64_t)DAY_S, "enforce", false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_policy_ struct policy p;
		snprintf(text, sizeof(text), POLICY("\"mode\": \"%s\", \"observe_until\": \"%s\""), rows[i].mode,
			output_time(time(NULL) + rows[i].from_now, when));
		policy_ok(text, &p);
		assert_int_equal(policy_mode_observes(&p.mode, time(NULL)), rows[i].observes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(observing_has_an_end_that_is_near),
		cmocka_unit_test(what_says_no_such_mode_denies_every_launch_in_words),
		cmocka_unit_test(a_policy_that_observes_or_did_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
