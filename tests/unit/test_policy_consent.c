/* SPDX-License-Identifier: Apache-2.0 */
/* test_policy_consent - whose yes counts, and what may never be missing (supervisor/policy/policy_consent.h) */
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/unit/policy_unit.h"

static void an_answer_counts_through_the_channels_that_the_policy_names_and_no_other(void **state)
{
	static const struct {
		const char *policy, *channel;
		bool counts;
	} rows[] = {
		{ POLICY("\"description\": \"\""), "digest", true },
		{ POLICY("\"description\": \"\""), "policy", false },
		{ POLICY("\"description\": \"\""), "admin", false },
		{ POLICY("\"consent\": {\"by\": \"ask\"}"), "approve", true },
		{ POLICY("\"consent\": {\"channels\": [\"approve\"]}"), "policy", false },
		{ POLICY("\"consent\": {\"channels\": [\"terminal\", \"approve\"]}"), "approve", true },
		{ POLICY("\"consent\": {\"channels\": [\"terminal\", \"approve\"]}"), "terminal", true },
		{ POLICY("\"consent\": {\"channels\": [\"terminal\", \"approve\"]}"), "digest", false },
		{ POLICY("\"consent\": {\"channels\": []}"), "approve", false },
		{ POLICY("\"consent\": {\"channels\": [\"approve\"]}"), "", false },
		{ POLICY("\"consent\": {\"channels\": [\"approve\"]}"), "approved", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_policy_ struct policy p;
		struct diag d = { "" };
		policy_ok(rows[i].policy, &p);
		int r = policy_judge_channel(&p.consent, rows[i].channel, "x", &d);
		if (r != (rows[i].counts ? 0 : -EPERM) ||
			(r < 0 && !strstr(d.text, p.consent.where ? ":2 (consent.channels)" : "is no channel")))
			fail_msg("row %zu: %d: %s", i, r, d.text);
	}
}

static void a_kernel_without_what_may_never_be_missing_starts_nothing(void **state)
{
	static const struct {
		const char *policy;
		int abi;
		bool starts;
	} rows[] = {
		{ POLICY("\"description\": \"\""), 1, true },
		{ POLICY("\"layers\": [\"landlock:4\", \"seccomp\"]"), 4, true },
		{ POLICY("\"layers\": [\"landlock:4\"]"), 3, false },
		{ POLICY("\"layers\": [\"landlock:5\", \"landlock:2\"]"), 4, false },
		{ POLICY("\"layers\": [\"landlock\"]"), -ENOSYS, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_policy_ struct policy p;
		struct diag d = { "" };
		policy_ok(rows[i].policy, &p);
		int r = policy_judge_layers(&p.consent, rows[i].abi, &d);
		if (r != (rows[i].starts ? 0 : -ENOSYS) || (r < 0 && !strstr(d.text, ":2 (layers \"landlock")))
			fail_msg("row %zu: %d: %s", i, r, d.text);
	}
}

static void what_names_no_channel_and_no_layer_denies_every_launch_in_words(void **state)
{
	static const char *const rows[][2] = {
		{ POLICY("\"consent\": \"granted\""), "consent must be an object" },
		{ POLICY("\"consent\": {\"channels\": [\"mail\"]}"), "has \"mail\"" },
		{ POLICY("\"consent\": {\"by\": \"grant\"}"), "consent.by" },
		{ POLICY("\"consent\": {\"by\": true}"), "consent.by must be" },
		{ POLICY("\"consent\": {\"by\": \"granted\"}"), "(consent.by \"granted\") needs \"signatures\"" },
		{ POLICY("\"layers\": [\"landlock:99\"]"), "has \"landlock:99\"" },
		{ POLICY("\"layers\": [\"landlock4\"]"), "has \"landlock4\"" },
		{ POLICY("\"layers\": [\"selinux\"]"), "has \"selinux\"" },
		{ POLICY("\"layers\": \"seccomp\""), "layers must be a list" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		policy_refused(rows[i][0], rows[i][1]);
}

/* An unprivileged child of the test's own: root's answers count. */
static void where_only_the_admin_approves_no_answer_of_another_counts(void **state)
{
	static const char *const words[] = { "terminal", "approve", "digest", "policy", "admin" };
	_cleanup_policy_ struct policy p;
	struct diag d = { "" };
	int status = 0;
	pid_t child;

	(void)state;
	policy_ok(POLICY("\"consent\": {\"by\": \"admin\"}"), &p);
	child = fork();
	if (child == 0) {
		if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
			_exit(2);
		for (size_t i = 0; i < ARRAY_LEN(words); i++)
			if (policy_judge_channel(&p.consent, words[i], "x", &d) != -EPERM ||
				!strstr(d.text, ":2 (consent.by \"admin\")"))
				_exit(1);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_counts_through_the_channels_that_the_policy_names_and_no_other),
		cmocka_unit_test(where_only_the_admin_approves_no_answer_of_another_counts),
		cmocka_unit_test(a_kernel_without_what_may_never_be_missing_starts_nothing),
		cmocka_unit_test(what_names_no_channel_and_no_layer_denies_every_launch_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
