/* SPDX-License-Identifier: Apache-2.0 */
/* test_session - what a session makes of parts that speak badly, die, or say nothing (session_stage.h) */
#include "tests/unit/session_stage.h"

static const struct row rows[] = {
	{ "the server ends by itself", "init ready released running exited-768", "released server-exited exit-0", NULL,
		NULL, 3, "", "\"server exited\"" },
	{ "the server is killed", "init ready released running exited-9", "released server-exited exit-0", NULL, NULL,
		137, "", "(signal 9)" },
	{ "the client closes", "init ready released running call signalled exited-0", "released called exit-0", NULL,
		NULL, 0, "", "\"client closed\"" },
	{ "nobody reads the client's side", "init ready released running call signalled exited-0",
		"released called exit-2", NULL, NULL, 0, "nobody reads our standard output", "\"client gone\"" },
	/* enter */
	{ "enter dies before a word", "die", "server-exited exit-0", NULL, NULL, 125,
		"the sandbox went away while it was built", "session.close" },
	{ "enter ends before a word", "exit-0", "server-exited exit-0", NULL, NULL, 125,
		"the sandbox went away while it was built", "session.close" },
	{ "enter sends garbage", "garbage", "closed exit-0", NULL, NULL, 125, "no report of this build",
		"\"stockade failed\"" },
	{ "PID 1 dies before it is ready", "init die", "server-exited exit-0", NULL, NULL, 125,
		"the sandbox went away while it was built", "session.close" },
	{ "PID 1 dies while the server runs", "init ready released running die", "released server-exited exit-0", NULL,
		NULL, 137, "", "\"server killed\"" },
	{ "PID 1 sends garbage while the server runs", "init ready released running garbage", "closed exit-0", NULL,
		NULL, 125, "no report of this build", "\"stockade failed\"" },
	{ "PID 1 has no descriptor", "init-without-pidfd", "closed exit-0", NULL, NULL, 125, "without a descriptor",
		"\"stockade failed\"" },
	{ "PID 1 is reported twice", "init init-again", "closed exit-0", NULL, NULL, 125, "or twice",
		"\"stockade failed\"" },
	{ "enter says nothing, and a signal comes", "terminate-supervisor", "server-exited exit-0", NULL, NULL, 125,
		"stopped by a signal while the sandbox was built; nothing was started", "\"stopped by a signal\"" },
	/* the shim */
	{ "the shim dies before the release", "init", "die", NULL, NULL, 125, "the shim ended unexpectedly (signal 9)",
		"\"stockade failed\"" },
	{ "the shim dies while the server runs", "init ready released running", "released die", NULL, NULL, 125,
		"the shim ended unexpectedly (signal 9)", "\"stockade failed\"" },
	{ "the shim says that it failed", "init ready released running", "released exit-1", NULL, NULL, 125,
		"the shim ended unexpectedly (status 1)", "\"stockade failed\"" },
	{ "the shim sends garbage", "init ready released running", "released garbage closed exit-0", NULL, NULL, 125,
		"the shim sent what is no record of this build", "\"stockade failed\"" },
	{ "the shim closes all that it has and lives on", "init ready released running", "released fall-silent stay",
		NULL, NULL, 125, "the shim closed its records and did not end", "\"stockade failed\"" },
	{ "the shim does so before the release", "init", "fall-silent stay", NULL, NULL, 125,
		"the shim closed its records and did not end", "\"stockade failed\"" },
	{ "PID 1 closes all that it has and lives on", "init ready released running fall-silent stay",
		"released server-exited exit-0", NULL, NULL, 137, "", "\"server killed\"" },
	/* gateway and dial */
	{ "everything stands, with a network", "init ready released running exited-0", "released server-exited exit-0",
		"ready-event", "ready-event", 0, "", "\"every layer in force\"" },
	{ "the gateway does not end", "init ready released running exited-0", "released server-exited exit-0",
		"ready-event stay", "ready-event", 0, "", "\"server exited\"" },
	{ "the gateway dies before it is ready", "init ready released running", "closed exit-0", "die", "ready-event",
		125, "stockade-gateway or stockade-dial ended unexpectedly", "\"stockade failed\"" },
	{ "dial dies before it is ready", "init ready released running", "closed exit-0", "ready-event", "die", 125,
		"stockade-gateway or stockade-dial ended unexpectedly", "\"stockade failed\"" },
	{ "the gateway dies after the release", "init ready released running", "closed exit-0", "ready-event exit-0",
		"ready-event", 125, "stockade-gateway or stockade-dial ended unexpectedly", "\"stockade failed\"" },
	{ "the gateway closes all that it has and lives on", "init ready released running", "closed exit-0",
		"ready-event fall-silent stay", "ready-event", 125,
		"stockade-gateway or stockade-dial ended unexpectedly", "\"stockade failed\"" },
	{ "dial closes all that it has and lives on", "init ready released running", "closed exit-0", "ready-event",
		"ready-event fall-silent stay", 125, "stockade-gateway or stockade-dial ended unexpectedly",
		"\"stockade failed\"" },
	{ "the gateway sends garbage", "init ready released running", "closed exit-0", "garbage", "ready-event", 125,
		"stockade-gateway sent what is no record", "\"stockade failed\"" },
	{ "dial sends garbage", "init ready released running", "closed exit-0", "ready-event", "ready-event garbage",
		125, "stockade-dial sent what is no record", "\"stockade failed\"" },
};

static void every_way_to_end_has_its_status_its_words_and_a_whole_log(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		void *one;
		assert_int_equal(stage_up(&one), 0);
		play_row(one, &rows[i]);
		assert_int_equal(stage_down(&one), 0);
	}
}

static void a_stage_that_fails_is_named_and_nothing_runs(void **state)
{
	(void)state;
	for (int i = 0; i < ENTER_STAGE_COUNT; i++) {
		void *one;
		char enter[64], logged[128];
		assert_int_equal(stage_up(&one), 0);
		struct stage *s = one;
		snprintf(enter, sizeof(enter), "%sfailed-%d", i > ENTER_STAGE_CLONE ? "init " : "", i);
		put_script("stockade-enter", enter);
		put_script("stockade-shim", "server-exited exit-0");
		run_session(s, true);
		snprintf(logged, sizeof(logged), "\"status\":\"%s\"", enter_stage_name((enum enter_stage)i));
		if (!WIFEXITED(s->status) ||
			WEXITSTATUS(s->status) != (i == ENTER_STAGE_EXEC ? EXIT_NOT_EXECUTABLE : EXIT_REFUSED) ||
			!*s->said)
			fail_msg("%s: %x: %s", enter_stage_name((enum enter_stage)i), (unsigned)s->status, s->said);
		if (!strstr(s->log, logged) || !strstr(s->log, "\"could not be started\"") ||
			strstr(s->log, "session.ready"))
			fail_msg("%s: %s", enter_stage_name((enum enter_stage)i), s->log);
		expect_whole_log(s, enter);
		assert_int_equal(stage_down(&one), 0);
	}
}

static void no_part_sends_what_only_another_may(void **state)
{
	static const struct {
		const char *part;
		enum event_type type;
	} forged[] = { { "stockade-shim", EVENT_SESSION_CLOSE }, { "stockade-shim", EVENT_NET_CONNECT },
		{ "stockade-gateway", EVENT_NET_CONNECT }, { "stockade-gateway", EVENT_CALL },
		{ "stockade-dial", EVENT_NET_CLOSE }, { "stockade-dial", EVENT_SESSION_READY } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(forged); i++) {
		char text[3][64];
		void *one;
		assert_int_equal(stage_up(&one), 0);
		for (size_t j = 0; j < ARRAY_LEN(text); j++)
			if (strcmp(forged[i].part, parts[j + 1]) == 0)
				snprintf(text[j], sizeof(text[j]), "event-%u closed exit-0", forged[i].type);
			else
				snprintf(text[j], sizeof(text[j]), "closed exit-0");
		play_row(one, &(struct row){ event_name(forged[i].type), "init ready", text[0], text[1], text[2], 125,
				      "may not send", "\"stockade failed\"" });
		assert_int_equal(stage_down(&one), 0);
	}
}

/* Each part in turn is the one that was taken over; what it may send, it sends in a wrong form. */
static void no_part_is_believed_whose_record_is_out_of_form(void **state)
{
	static const struct {
		const char *part, *name;
		enum event_type type;
	} speakers[] = { { "stockade-shim", "the shim", EVENT_STDERR },
		{ "stockade-gateway", "stockade-gateway", EVENT_NET_NAME },
		{ "stockade-dial", "stockade-dial", EVENT_NET_CONNECT } };
	/* A pipe, as the shim has, carries no descriptors, and every message in it says how long it is. */
	static const char *const ways[] = { "overlong", "cut", "tail", "fd" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(speakers) * ARRAY_LEN(ways); i++) {
		size_t who = i / ARRAY_LEN(ways), way = i % ARRAY_LEN(ways);
		char text[3][64], words[64], said[96];
		void *one;
		assert_int_equal(stage_up(&one), 0);
		for (size_t j = 0; j < ARRAY_LEN(text); j++)
			if (j == who)
				snprintf(text[j], sizeof(text[j]), "wrong-%u-%s closed exit-0", speakers[who].type,
					who == 0 && strcmp(ways[way], "fd") == 0 ? "length" : ways[way]);
			else
				snprintf(text[j], sizeof(text[j]), "closed exit-0");
		snprintf(words, sizeof(words), "%s: %s", speakers[who].name, ways[way]);
		snprintf(said, sizeof(said), "%s sent what is no record", speakers[who].name);
		play_row(one, &(struct row){ words, "init ready", text[0], text[1], text[2], 125, said,
				      "\"stockade failed\"" });
		assert_null(strstr(((struct stage *)one)->log, event_name(speakers[who].type)));
		assert_int_equal(stage_down(&one), 0);
	}
}

/* That it is locked down is said once a part: who says it twice says it for nobody else. */
static void no_part_is_ready_for_another(void **state)
{
	struct stage *s = *state;

	play_row(s, &(struct row){ "ready twice", "init ready released running exited-768", "closed exit-0",
			    "ready-event ready-event", "exit-0", 125, "ended unexpectedly", "\"stockade failed\"" });
	assert_null(strstr(s->log, "session.ready"));
}

static void what_a_part_says_in_a_record_forges_no_other(void **state)
{
	struct stage *s = *state;
	char gateway[96];

	snprintf(gateway, sizeof(gateway), "event-%d forged-%d forged-%d", EVENT_NET_READY, EVENT_NET_NAME,
		EVENT_NET_CLOSE);
	play_row(s, &(struct row){ "forged text", "init ready released running exited-0",
			    "released server-exited exit-0", gateway, "ready-event", 0, "", "\"net.name\"" });
	for (const char *c = s->log; *c; c++)
		if ((unsigned char)*c < 0x20 && *c != '\n')
			fail_msg("a control character in the log: %02x", *c);
	assert_null(strstr(s->log, "\n{\"event\":\"session.close\""));
}

/* Whoever sends as fast as it can is written down, and the others are heard all the same. */
static void a_flood_of_records_keeps_no_other_part_from_being_heard(void **state)
{
	struct stage *s = *state;
	char gateway[96];

	snprintf(gateway, sizeof(gateway), "event-%d flood-%d", EVENT_NET_READY, EVENT_NET_NAME);
	play_row(s, &(struct row){ "a flood", "init ready released running exited-0", "released server-exited exit-0",
			    gateway, "ready-event", 0, "", "\"net.name\"" });
}

static void a_part_that_is_missing_is_named_and_the_others_go(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		void *one;
		char path[64], words[96];
		assert_int_equal(stage_up(&one), 0);
		struct stage *s = one;
		s->e.plan.network.on = true;
		for (size_t j = 0; j < ARRAY_LEN(parts); j++)
			put_script(parts[j], "");
		snprintf(path, sizeof(path), "stand-in/%s", parts[i]);
		assert_int_equal(unlink(path), 0);
		run_session(s, true);
		assert_int_equal(WEXITSTATUS(s->status), EXIT_REFUSED);
		snprintf(words, sizeof(words), "cannot start stand-in/%s: No such file", parts[i]);
		if (!strstr(s->said, words) || !strstr(s->log, "\"could not be started\""))
			fail_msg("%s: %s", parts[i], s->said);
		expect_whole_log(s, parts[i]);
		assert_int_equal(stage_down(&one), 0);
	}
	(void)state;
}

/* Two parts are ready, then the session is made to fail: by the last word of the one that was ready last, so that
 * whatever follows from the two has been done by then. */
static const struct row unready[] = {
	{ "dial is not ready", "init called ready failed-", "server-exited exit-0", "ready-event call", "", 125,
		"stockade: ", "\"could not be started\"" },
	{ "the gateway is not ready", "init called ready failed-", "server-exited exit-0", "", "ready-event call", 125,
		"stockade: ", "\"could not be started\"" },
	{ "enter is not ready", "init", "closed exit-0", "ready-event call", "called ready-event garbage", 125,
		"stockade-dial sent what is no record", "\"stockade failed\"" },
};

static void nothing_is_released_before_every_part_is_locked_down(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(unready); i++) {
		struct row row = unready[i];
		void *one;
		char enter[64];
		assert_int_equal(stage_up(&one), 0);
		struct stage *s = one;
		snprintf(enter, sizeof(enter), "%s%d", row.enter, ENTER_STAGE_LOOPBACK);
		row.enter = row.enter[strlen(row.enter) - 1] == '-' ? enter : row.enter;
		play_row(s, &row);
		if (strstr(s->log, "session.ready"))
			fail_msg("%s, and it is released: %s", row.words, s->log);
		assert_int_equal(stage_down(&one), 0);
	}
	(void)state;
}

static size_t count_of(const char *log, const char *name)
{
	size_t n = 0;

	for (const char *p = log; (p = strstr(p, name)); p++)
		n++;
	return n;
}

/* More than one read takes, and killed at once: what a write had taken is the supervisor's. */
static void what_the_shim_handed_over_outlives_it_and_half_a_record_is_none(void **state)
{
	struct stage *s = *state;
	char shim[96];

	snprintf(shim, sizeof(shim), "released event-%d many-%d event-%d torn-%d die", EVENT_HELLO, EVENT_PIN_UNKNOWN,
		EVENT_CLIENT_EOF, EVENT_STDERR);
	play_row(s, &(struct row){ "killed within a record", "init ready released running", shim, NULL, NULL, 125,
			    "the shim ended unexpectedly (signal 9)", "\"stockade failed\"" });
	assert_int_equal(count_of(s->log, event_name(EVENT_HELLO)), 1);
	assert_int_equal(count_of(s->log, event_name(EVENT_PIN_UNKNOWN)), MANY);
	assert_int_equal(count_of(s->log, event_name(EVENT_CLIENT_EOF)), 1);
	assert_int_equal(count_of(s->log, event_name(EVENT_STDERR)), 0);
	expect_whole_log(s, "killed within a record");
}

static void what_is_started_early_waits_for_the_session_that_takes_it(void **state)
{
	struct stage *s = *state;

	s->early = EARLY_KEPT;
	play_row(s, &(struct row){ "started early", "init ready call released run running exited-768",
			    "released server-exited exit-0", NULL, NULL, 3, "", "\"server exited\"" });
	assert_non_null(strstr(s->log, "session.ready"));
	assert_int_equal(access("ran", F_OK), 0);
}

/* Neither of them looks at its socket: they are killed. */
static void what_is_started_early_and_not_taken_leaves_nothing(void **state)
{
	_cleanup_registry_ struct registry_list running = { 0 };
	struct stage *s = *state;
	struct diag d = { "" };

	s->early = EARLY_DROPPED;
	script("stockade-enter", "init ready call stay");
	script("stockade-shim", "stay");
	run_session(s, true);
	assert_int_equal(s->status, 0);
	assert_string_equal(s->said, "");
	assert_string_equal(s->log, "");
	assert_int_equal(registry_read(&s->world->paths, &running, &d), 0);
	assert_int_equal(running.n, 0);
}

/* While the shim answers what is in flight, nothing of the server acts any more. */
static void a_pid_1_that_only_says_nothing_any_more_has_ended_before_the_shim(void **state)
{
	struct stage *s = *state;
	char shim[128];

	script("stockade-enter", "init hold ready released running fall-silent stay");
	/* What it says before the session is over is in the log. */
	snprintf(shim, sizeof(shim), "released server-exited let-go event-%d exit-0", EVENT_CALL);
	script("stockade-shim", shim);
	run_session(s, true);
	assert_int_equal(WEXITSTATUS(s->status), 137);
	assert_non_null(strstr(s->log, "\"tool.call\""));
}

/* It ends as it was told to, and its status is not that end's but this. */
static void a_log_that_fails_while_a_session_ends_is_said(void **state)
{
	struct stage *s = *state;
	char shim[64];

	snprintf(shim, sizeof(shim), "server-exited fill event-%d exit-0", EVENT_STDERR);
	script("stockade-enter", "terminate-supervisor");
	script("stockade-shim", shim);
	run_session(s, true);
	assert_int_equal(WEXITSTATUS(s->status), EXIT_REFUSED);
	if (!strstr(s->said, "stopped by a signal") || !strstr(s->said, strerror(EFBIG)))
		fail_msg("it said '%s'", s->said);
}

static void without_a_log_nothing_is_started(void **state)
{
	struct stage *s = *state;
	struct diag d = { "" };
	int fd = -1;

	assert_int_equal(paths_open_state(&s->world->paths, "", &fd, &d), 0);
	int file = openat(fd, "audit", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(file >= 0);
	close(file);
	close(fd);
	int in[2], err[2], witness[2];
	assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(err, O_CLOEXEC) | pipe2(witness, O_CLOEXEC), 0);
	/* A part that is started writes to the client's stderr that it has no script. */
	pid_t pid = fork();
	if (pid == 0)
		run_child(s, in, err, witness);
	close(err[1]);
	assert_int_equal(waitpid(pid, &s->status, 0), pid);
	assert_int_equal(WEXITSTATUS(s->status), EXIT_REFUSED);
	read_into(err[0], s->said);
	assert_non_null(strstr(s->said, "audit"));
	close(in[0]);
	close(in[1]);
	close(witness[0]);
	close(witness[1]);
}

int main(int argc, char **argv)
{
	int status;

	if (plays_part(argc, argv, &status))
		return status;
#define T(name) cmocka_unit_test_setup_teardown(name, stage_up, stage_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_way_to_end_has_its_status_its_words_and_a_whole_log),
		cmocka_unit_test(a_stage_that_fails_is_named_and_nothing_runs),
		cmocka_unit_test(no_part_sends_what_only_another_may),
		cmocka_unit_test(no_part_is_believed_whose_record_is_out_of_form),
		T(no_part_is_ready_for_another),
		T(what_a_part_says_in_a_record_forges_no_other),
		T(a_flood_of_records_keeps_no_other_part_from_being_heard),
		cmocka_unit_test(a_part_that_is_missing_is_named_and_the_others_go),
		cmocka_unit_test(nothing_is_released_before_every_part_is_locked_down),
		T(what_the_shim_handed_over_outlives_it_and_half_a_record_is_none),
		T(what_is_started_early_waits_for_the_session_that_takes_it),
		T(what_is_started_early_and_not_taken_leaves_nothing),
		T(a_pid_1_that_only_says_nothing_any_more_has_ended_before_the_shim),
		T(a_log_that_fails_while_a_session_ends_is_said),
		T(without_a_log_nothing_is_started),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
