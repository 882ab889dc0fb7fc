/* SPDX-License-Identifier: Apache-2.0 */
/* test_spawn - what cannot be handed to the processes of a session is said with what to do */
#include "tests/unit/unit.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "supervisor/spawn.h"

enum { HUGE_NAME = 3 << 20 };

static void rules_and_pins_that_are_too_large_for_a_session_are_named_with_their_file(void **state)
{
	static const struct {
		bool pinned;
		const char *says, *says_not;
	} cases[] = {
		{ true, "and the pins in /s/x\\x1b.pins are more than the 4 MiB", "too long" },
		{ false, "the rules of its profile are more than the 4 MiB", "pin" },
	};
	char *name = malloc(HUGE_NAME + 1);

	(void)state;
	assert_non_null(name);
	memset(name, 'x', HUGE_NAME);
	name[HUGE_NAME] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct shim_pin pins[2] = { { .name = name }, { .name = name } };
		struct effective e = { .pinned = cases[i].pinned,
			.pins.file = (char[]){ "/s/x\x1b.pins" },
			.shim = { .name = (char[]){ "x" },
				.stderr_prefix = (char[]){ "x" },
				.pins = { true, (char[]){ "w" }, pins, 2 } } };
		struct spawned s = SPAWNED_NONE;
		struct diag d = { "" };
		assert_int_equal(spawn_session(&e, &s, &d), -E2BIG);
		if (!strstr(d.text, cases[i].says) || strstr(d.text, cases[i].says_not))
			fail_msg("%s", d.text);
		assert_int_equal(spawn_waiting(&e, &s, &d), -E2BIG);
		assert_non_null(strstr(d.text, cases[i].says));
	}
	free(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_and_pins_that_are_too_large_for_a_session_are_named_with_their_file),
	};

	return cmocka_run_group_tests_name("spawn", tests, NULL, NULL);
}
