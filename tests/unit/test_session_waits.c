/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_session_waits - a session whose launch nobody has approved yet, and one whose shim asks about calls
 * (session_stage.h)
 */
#include "tests/unit/session_stage.h"

/* --- a launch that waits --- */

static void answer_launch(struct stage *s, bool yes)
{
	_cleanup_pendings_ struct pendings l = { 0 };
	struct diag d = { "" };

	for (int i = 0; i < GONE_MS / TICK_MS && l.n == 0; i++) {
		pendings_done(&l);
		if (pending_list(&s->world->paths, &l, &d) < 0)
			fail_msg("%s", d.text);
		poll(NULL, 0, TICK_MS);
	}
	assert_int_equal(l.n, 1);
	if (pending_answer(&s->world->paths, l.v[0].digest, yes, &d) < 0)
		fail_msg("%s", d.text);
}

static void says_yes(struct stage *s)
{
	answer_launch(s, true);
}

static void says_no(struct stage *s)
{
	answer_launch(s, false);
}

static const struct wait_row {
	struct row row;
	person_fn *person;
	bool unfit, starts;
	const char *consent; /* how the wait ended, in the log */
} waits[] = {
	{ { "a person says yes", "init ready run released running call exited-768",
		  "waits pins released called server-exited exit-0", NULL, NULL, 3, "", "another approval" },
		says_yes, false, true, "\"approved\"" },
	{ { "a person says no", "run", "waits refused exit-0", NULL, NULL, 125, "refused, nothing was started",
		  "\"refused\"" },
		says_no, false, false, "\"refused\"" },
	{ { "it is another by now", "run", "waits refused exit-0", NULL, NULL, 125, "it was changed meanwhile",
		  "it was changed meanwhile" },
		says_yes, true, false, "\"not as it was approved\"" },
	{ { "the client closes while it waits", "run", "waits exit-0", NULL, NULL, 125, "before anybody answered",
		  "\"cancelled\"" },
		NULL, false, false, "\"cancelled\"" },
	{ { "nobody reads the client's side while it waits", "run", "waits exit-2", NULL, NULL, 125,
		  "before anybody answered", "\"cancelled\"" },
		NULL, false, false, "\"cancelled\"" },
	{ { "a signal while it waits", "run", "waits terminate-supervisor", NULL, NULL, 125, "before anybody answered",
		  "\"cancelled\"" },
		NULL, false, false, "\"cancelled\"" },
	{ { "the shim dies while it waits", "run", "waits die", NULL, NULL, 125, "ended unexpectedly (signal 9)",
		  "\"stockade failed\"" },
		NULL, false, false, NULL },
	{ { "the shim sends garbage while it waits", "run", "waits garbage closed exit-0", NULL, NULL, 125,
		  "no record of this build", "\"stockade failed\"" },
		NULL, false, false, NULL },
	{ { "the shim asks what it may not while it waits", "run", "waits question-cut closed exit-0", NULL, NULL, 125,
		  "no question of this build", "\"stockade failed\"" },
		NULL, false, false, NULL },
	{ { "the sandbox cannot be built after the yes", "run die", "waits pins server-exited exit-0", NULL, NULL, 125,
		  "the sandbox went away", "another approval" },
		says_yes, false, true, "\"approved\"" },
};

static void a_launch_that_waits_starts_nothing_before_a_yes_and_ends_in_words(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
		_cleanup_pendings_ struct pendings left = { 0 };
		const struct wait_row *row = &waits[i];
		struct diag d = { "" };
		void *one;
		assert_int_equal(stage_up(&one), 0);
		struct stage *s = one;
		s->waits = true;
		s->person = row->person;
		s->unfit = row->unfit;
		play_row(s, &row->row);
		if ((access("ran", F_OK) == 0) != row->starts)
			fail_msg("%s: something of the server %s", row->row.words, row->starts ? "is missing" : "ran");
		if (!strstr(s->log, "\"waiting\"") || (row->consent && !strstr(s->log, row->consent)))
			fail_msg("%s: not recorded: %s", row->row.words, s->log);
		assert_int_equal(pending_list(&s->world->paths, &left, &d), 0);
		if (left.n > 0)
			fail_msg("%s: it is still listed", row->row.words);
		assert_int_equal(stage_down(&one), 0);
	}
	(void)state;
}

/* --- calls that a person looks at --- */

static void list_calls(struct stage *s, size_t n, struct call_list *ret)
{
	struct diag d = { "" };

	*ret = (struct call_list){ 0 };
	for (int i = 0; i < GONE_MS / TICK_MS && ret->n != n; i++) {
		call_list_done(ret);
		if (call_list_read(&s->world->paths, ret, &d) < 0)
			fail_msg("%s", d.text);
		poll(NULL, 0, ret->n == n ? 0 : TICK_MS);
	}
	assert_int_equal(ret->n, n);
}

/* An answer to a call that nobody asked about, in the place of answers, and then one to the other. */
static void answers_what_was_not_asked(struct stage *s)
{
	static const char text[] = "{\"v\":1,\"say\":\"once\"}";
	_cleanup_call_list_ struct call_list l;
	struct diag d = { "" };
	char name[CALL_NAME_SIZE + 32];
	int dir = -1;

	list_calls(s, 1, &l);
	assert_int_equal(paths_open_runtime(&s->world->paths, CALL_DIR, &dir, &d), 0);
	snprintf(name, sizeof(name), "%.*s.9" CALL_ANSWER, AUDIT_SESSION_ID_LEN, l.v[0].name);
	assert_int_equal(fs_write_atomic(dir, name, text, strlen(text), 0600, &d), 0);
	assert_int_equal(call_answer(&s->world->paths, &l.v[0], ASKER_NO, "approve", &s->world->lineage, &d), 0);
	call_list_done(&l);
	list_calls(s, 0, &l);
	unlinkat(dir, name, 0);
	close(dir);
}

static void answer_first(struct stage *s, size_t n, enum asker_say say)
{
	_cleanup_call_list_ struct call_list l;
	struct diag d = { "" };

	list_calls(s, n, &l);
	assert_int_equal(call_answer(&s->world->paths, &l.v[0], say, "approve", &s->world->lineage, &d), 0);
}

static void says_once_and_then_no(struct stage *s)
{
	answer_first(s, 2, ASKER_ONCE);
	answer_first(s, 1, ASKER_NO);
}

static void says_for_the_session_and_then_no(struct stage *s)
{
	answer_first(s, 2, ASKER_SESSION);
	answer_first(s, 1, ASKER_NO);
}

static void says_for_the_session(struct stage *s)
{
	answer_first(s, 2, ASKER_SESSION);
}

static const struct call_row {
	struct row row;
	person_fn *person;
	unsigned asked, ended; /* records */
} questions[] = {
	{ { "as many as may be, and the shim takes them back", "init ready released running call exited-768",
		  "released ask-2 withdraw-1 withdraw-2 called server-exited exit-0", NULL, NULL, 3, "",
		  "\"server exited\"" },
		NULL, 2, 2 },
	{ { "one more than may be", "init ready released running", "released ask-17 closed exit-0", NULL, NULL, 125,
		  "asks about more calls than it may", "\"stockade failed\"" },
		NULL, 16, 16 },
	{ { "the same call twice", "init ready released running", "released ask-1 ask-1 closed exit-0", NULL, NULL, 125,
		  "asks about a call again", "\"stockade failed\"" },
		NULL, 1, 1 },
	{ { "what was never asked is taken back", "init ready released running call exited-768",
		  "released withdraw-7 called server-exited exit-0", NULL, NULL, 3, "", "\"server exited\"" },
		NULL, 0, 0 },
	{ { "what was never asked is answered", "init ready released running call exited-768",
		  "released ask-1 declined-1 called server-exited exit-0", NULL, NULL, 3, "", "\"no\"" },
		answers_what_was_not_asked, 1, 1 },
	{ { "two of the same, and once is for one of them", "init ready released running call exited-768",
		  "released ask-2 confirmed-1 declined-2 called server-exited exit-0", NULL, NULL, 3, "", "\"once\"" },
		says_once_and_then_no, 2, 2 },
	{ { "two of the same, and the session is for both", "init ready released running call exited-768",
		  "released ask-2 confirmed-1 confirmed-2 ask-1 confirmed-1 called server-exited exit-0", NULL, NULL, 3,
		  "", "\"session\"" },
		says_for_the_session, 2, 3 },
	{ { "two that differ, and the session is for one of them", "init ready released running call exited-768",
		  "released ask-1 other-9 confirmed-1 declined-9 called server-exited exit-0", NULL, NULL, 3, "",
		  "\"session\"" },
		says_for_the_session_and_then_no, 2, 2 },
	{ { "the shim dies while calls wait", "init ready released running", "released ask-3 die", NULL, NULL, 125,
		  "ended unexpectedly (signal 9)", "\"stockade failed\"" },
		NULL, 3, 3 },
	{ { "the server dies while calls wait", "init ready released running call die",
		  "released ask-2 called server-exited withdraw-1 withdraw-2 exit-0", NULL, NULL, 137, "",
		  "\"server killed\"" },
		NULL, 2, 2 },
	{ { "a question that was cut", "init ready released running", "released question-cut closed exit-0", NULL, NULL,
		  125, "no question of this build", "\"stockade failed\"" },
		NULL, 0, 0 },
	{ { "a question with a tail", "init ready released running", "released question-tail closed exit-0", NULL, NULL,
		  125, "no question of this build", "\"stockade failed\"" },
		NULL, 0, 0 },
	{ { "a question of no kind", "init ready released running", "released question-type closed exit-0", NULL, NULL,
		  125, "no question of this build", "\"stockade failed\"" },
		NULL, 0, 0 },
	{ { "a question that ends before its end", "init ready released running", "released question-nul closed exit-0",
		  NULL, NULL, 125, "no question of this build", "\"stockade failed\"" },
		NULL, 0, 0 },
	{ { "a question of no length", "init ready released running", "released question-length closed exit-0", NULL,
		  NULL, 125, "no record of this build", "\"stockade failed\"" },
		NULL, 0, 0 },
};

static unsigned count(const char *text, const char *words)
{
	unsigned n = 0;

	for (const char *at = text; (at = strstr(at, words)); at++)
		n++;
	return n;
}

static void what_the_shim_asks_is_in_form_bounded_and_has_an_end_in_the_log(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(questions); i++) {
		const struct call_row *row = &questions[i];
		_cleanup_call_list_ struct call_list left = { 0 };
		struct diag d = { "" };
		void *one;
		assert_int_equal(stage_up(&one), 0);
		struct stage *s = one;
		s->person = row->person;
		play_row(s, &row->row);
		unsigned all = count(s->log, "\"call.confirm\""), asked = count(s->log, "\"status\":\"asked\"");
		if (asked != row->asked || all - asked != row->ended)
			fail_msg("%s: %u asked, %u ended: %s", row->row.words, asked, all - asked, s->log);
		assert_int_equal(call_list_read(&s->world->paths, &left, &d), 0);
		if (left.n > 0)
			fail_msg("%s: %zu calls are still listed", row->row.words, left.n);
		assert_int_equal(stage_down(&one), 0);
	}
	(void)state;
}

static void the_shim_sends_no_record_of_another_source(void **state)
{
	for (unsigned i = 0; i < EVENT_TYPE_COUNT; i++) {
		char shim[64];
		void *one;
		if (event_allowed((enum event_type)i, EVENT_FROM_SHIM))
			continue;
		assert_int_equal(stage_up(&one), 0);
		snprintf(shim, sizeof(shim), "released event-%u closed exit-0", i);
		play_row(one, &(struct row){ event_name((enum event_type)i), "init ready released running", shim, NULL,
				      NULL, 125, "may not send", "\"stockade failed\"" });
		assert_int_equal(stage_down(&one), 0);
	}
	(void)state;
}

int main(int argc, char **argv)
{
	int status;

	if (plays_part(argc, argv, &status))
		return status;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_launch_that_waits_starts_nothing_before_a_yes_and_ends_in_words),
		cmocka_unit_test(what_the_shim_asks_is_in_form_bounded_and_has_an_end_in_the_log),
		cmocka_unit_test(the_shim_sends_no_record_of_another_source),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
