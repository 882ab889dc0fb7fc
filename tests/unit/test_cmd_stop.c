/* SPDX-License-Identifier: Apache-2.0 */
/* test_cmd_stop - who is named ends, nobody else does, and what could not be ended is not said to have ended */
#include "tests/unit/session_entries.h"
#include "supervisor/consent_pending.h"

static const char id_a[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", id_ab[] = "abbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
		  id_db[] = "dbdbdbdbdbdbdbdbdbdbdbdbdbdbdbdb";

/* What `stockade stop WORD` says on stderr is left in said. */
static int stop(const char *word, char said[SAID_MAX])
{
	struct command_ctx ctx = { .row = &cmd_stop };
	struct captured c;
	int status;

	assert_int_equal(strv_add(&ctx.args, word), 0);
	c = capture(stderr);
	status = cmd_stop.run(&ctx);
	captured_read(&c, said, SAID_MAX);
	strv_done(&ctx.args);
	return status;
}

static void the_beginning_of_one_id_ends_that_session(void **state)
{
	pid_t a = child(true), ab = child(true);
	char said[SAID_MAX];

	put_session(*state, &(struct session_entry){ .id = id_a, .name = "notes", .pid = a });
	put_session(*state, &(struct session_entry){ .id = id_ab, .name = "notes", .pid = ab });
	assert_int_equal(stop("ab", said), EXIT_OK);
	assert_string_equal(said, "stopped abbbbbbbbbbb (notes)\n");
	assert_int_equal(ended_by(ab), SIGTERM);
	assert_int_equal(ended_by(a), 0);
}

static void the_name_of_a_server_ends_all_its_sessions_and_no_others(void **state)
{
	pid_t first = child(true), second = child(true), other = child(true);
	char said[SAID_MAX];

	put_session(*state, &(struct session_entry){ .id = id_ab, .name = "notes", .pid = second, .since = 2 });
	put_session(*state, &(struct session_entry){ .id = id_a, .name = "notes", .pid = first, .since = 1 });
	put_session(*state, &(struct session_entry){ .id = id_db, .name = "notes2", .pid = other, .since = 3 });
	assert_int_equal(stop("notes", said), EXIT_OK);
	assert_string_equal(said, "stopped aaaaaaaaaaaa (notes)\nstopped abbbbbbbbbbb (notes)\n");
	assert_int_equal(ended_by(first), SIGTERM);
	assert_int_equal(ended_by(second), SIGTERM);
	assert_int_equal(ended_by(other), 0);
}

/* An id is hexadecimal, and so is many a name. */
static void a_name_is_not_taken_for_the_beginning_of_anothers_id(void **state)
{
	pid_t named = child(true), other = child(true);
	char said[SAID_MAX];

	put_session(*state, &(struct session_entry){ .id = id_db, .name = "other", .pid = other });
	put_session(*state, &(struct session_entry){ .id = id_a, .name = "db", .pid = named });
	assert_int_equal(stop("db", said), EXIT_OK);
	assert_string_equal(said, "stopped aaaaaaaaaaaa (db)\n");
	assert_int_equal(ended_by(named), SIGTERM);
	assert_int_equal(ended_by(other), 0);
}

static void the_beginning_of_two_ids_ends_none(void **state)
{
	pid_t a = child(true), ab = child(true);
	char said[SAID_MAX];

	put_session(*state, &(struct session_entry){ .id = id_a, .name = "notes", .pid = a });
	put_session(*state, &(struct session_entry){ .id = id_ab, .name = "time", .pid = ab });
	assert_int_equal(stop("a", said), EXIT_USAGE);
	assert_string_equal(said, "stockade: 'a' begins 2 sessions: write more of it ('stockade ps --json' shows all "
				  "of it)\n");
	assert_int_equal(ended_by(a), 0);
	assert_int_equal(ended_by(ab), 0);
}

static void what_is_not_there_is_a_finding(void **state)
{
	static const char *const words[] = { "nosuch", "", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
	pid_t a = child(true);
	char said[SAID_MAX];

	put_session(*state, &(struct session_entry){ .id = id_a, .name = "notes", .pid = a });
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		assert_int_equal(stop(words[i], said), EXIT_FINDINGS);
		assert_non_null(strstr(said, "no session or server '"));
	}
	assert_int_equal(stop("\033[2J\\", said), EXIT_FINDINGS);
	assert_string_equal(
		said, "stockade: no session or server '\\x1b[2J\\\\' runs; 'stockade ps' lists what does\n");
	assert_int_equal(ended_by(a), 0);
}

static void of_a_launch_that_waits_it_says_who_ends_it(void **state)
{
	struct world *w = *state;
	struct pending_waiter place = PENDING_WAITER_INIT;
	_cleanup_free_ char *text = NULL;
	char said[SAID_MAX];
	struct effective e;

	make_launch(&e, "notes", "/srv");
	assert_int_equal(pending_text(&e, &w->lineage, NULL, &text, NULL), 0);
	assert_int_equal(pending_join(&w->paths, e.digest, text, &place, NULL), 0);
	assert_int_equal(stop("notes", said), EXIT_FINDINGS);
	assert_string_equal(said,
		"stockade: no server 'notes' runs: its launch waits for an approval; 'stockade approve' "
		"shows it, and a no there ends it\n");
	assert_int_equal(stop("note", said), EXIT_FINDINGS);
	assert_non_null(strstr(said, "no session or server 'note' runs"));
	pending_leave(&place);
	launch_done(&e);
}

static void a_session_of_another_container_is_not_touched_and_keeps_no_other(void **state)
{
	pid_t foreign = child(true), own = child(true);
	char said[SAID_MAX];

	put_session(*state,
		&(struct session_entry){ .id = id_a, .name = "notes", .pid = foreign, .foreign = true, .since = 1 });
	put_session(*state, &(struct session_entry){ .id = id_db, .name = "notes", .pid = own, .since = 2 });
	assert_int_equal(stop("notes", said), EXIT_REFUSED);
	assert_non_null(strstr(said, "stockade: session aaaaaaaaaaaa was started in another PID namespace"));
	assert_non_null(strstr(said, "stop it there\n"));
	assert_null(strstr(said, "stopped aaaaaaaaaaaa"));
	assert_non_null(strstr(said, "stopped dbdbdbdbdbdb (notes)\n"));
	assert_int_equal(ended_by(own), SIGTERM);
	assert_int_equal(ended_by(foreign), 0);
}

static void a_supervisor_that_does_not_end_is_killed_with_its_pid_1(void **state)
{
	pid_t supervisor = child(false), init = child(false);
	char said[SAID_MAX];

	put_session(
		*state, &(struct session_entry){ .id = id_a, .name = "no\033tes", .pid = supervisor, .init = init });
	assert_int_equal(stop("aaaa", said), EXIT_OK);
	assert_string_equal(said, "stopped aaaaaaaaaaaa (no\\x1btes)\n");
	assert_int_equal(ended_by(supervisor), SIGKILL);
	assert_int_equal(ended_by(init), SIGKILL);
}

/* The pid of its PID 1 belongs to somebody else by now. */
static void a_process_that_only_has_the_pid_is_not_killed(void **state)
{
	pid_t supervisor = child(false), stranger = child(false);
	const struct world *w = *state;
	char text[ENTRY_MAX], said[SAID_MAX];

	snprintf(text, sizeof(text),
		"{\"session\":\"%s\",\"name\":\"n\",\"client\":\"c\",\"writes\":[],\"pid\":%d,\"start\":%llu,\"init_"
		"pid\":%d,"
		"\"init_start\":%llu,\"since\":1}",
		id_a, supervisor, start_of(supervisor), stranger, start_of(stranger) + 1);
	put_file(w, id_a, "json", text, strlen(text));
	assert_int_equal(stop("n", said), EXIT_OK);
	assert_int_equal(ended_by(supervisor), SIGKILL);
	assert_int_equal(ended_by(stranger), 0);
}

static void a_registry_that_cannot_be_believed_is_a_refusal(void **state)
{
	const struct world *w = *state;
	pid_t a = child(true);
	char said[SAID_MAX], path[256];

	put_session(*state, &(struct session_entry){ .id = id_a, .name = "notes", .pid = a });
	snprintf(path, sizeof(path), "%s/sessions", w->paths.runtime);
	assert_int_equal(chmod(path, 0755), 0);
	assert_int_equal(stop("notes", said), EXIT_REFUSED);
	assert_memory_equal(said, "stockade: ", 10);
	assert_int_equal(ended_by(a), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, world_up, world_down)
	const struct CMUnitTest tests[] = {
		T(the_beginning_of_one_id_ends_that_session),
		T(the_name_of_a_server_ends_all_its_sessions_and_no_others),
		T(a_name_is_not_taken_for_the_beginning_of_anothers_id),
		T(the_beginning_of_two_ids_ends_none),
		T(what_is_not_there_is_a_finding),
		T(of_a_launch_that_waits_it_says_who_ends_it),
		T(a_session_of_another_container_is_not_touched_and_keeps_no_other),
		T(a_supervisor_that_does_not_end_is_killed_with_its_pid_1),
		T(a_process_that_only_has_the_pid_is_not_killed),
		T(a_registry_that_cannot_be_believed_is_a_refusal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
