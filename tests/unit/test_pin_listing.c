/* SPDX-License-Identifier: Apache-2.0 */
/* test_pin_listing - what a session listed is taken when that session ended in order, and else not */
#include "tests/unit/unit.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "supervisor/exit.h"
#include "supervisor/pin_listing.h"
#include "supervisor/session.h"

/* How the session of the next listing ends, in the process that plays it. */
static int status, sent;

/* In the place of the real one: hands over a listing of one tool, whole, and ends as it was told to. */
int session_run(const struct session_args *a)
{
	_cleanup_definitions_ struct definitions l = { 0 };
	struct wire_writer w = { 0 };
	struct definition *tool;

	if (!a->effective->shim.listing || definitions_add(&l, &tool) < 0)
		_exit(99);
	tool->name = strdup("echo");
	if (!tool->name || definitions_encode(&l, &w) < 0 ||
		write(STDOUT_FILENO, w.buf.data, w.buf.len) != (ssize_t)w.buf.len)
		_exit(99);
	wire_writer_done(&w);
	if (sent)
		raise(sent);
	return status;
}

static const struct {
	int status, signal;
	const char *words; /* NULL: it is taken */
} cases[] = {
	{ EXIT_OK, 0, NULL },
	{ 7, 0, NULL }, /* the server's own */
	{ 137, 0, NULL },
	{ EXIT_REFUSED, 0, "srv: the session that listed it did not end in order" },
	{ EXIT_OK, SIGKILL, "srv: the session that listed it did not end in order" },
};

static void a_listing_is_taken_of_a_session_that_ended_in_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct effective e = { .name = (char[]){ "srv" }, .subject = (char[]){ "profile:srv" } };
		struct launch l = { .effective = &e, .prepared = SPAWNED_NONE };
		_cleanup_pin_listing_ struct pin_listing found = { 0 };
		struct diag d = { "" };
		status = cases[i].status;
		sent = cases[i].signal;
		int r = pin_listing_run(&l, &found, &d);
		if (cases[i].words ? r >= 0 || !strstr(d.text, cases[i].words) : r != 0)
			fail_msg("%zu: %d %s", i, r, d.text);
		assert_int_equal(found.set.definitions.n, cases[i].words ? 0 : 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_listing_is_taken_of_a_session_that_ended_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
