/* SPDX-License-Identifier: Apache-2.0 */
/* test_cmd_ps - each session that runs is a line, oldest first, in words that no terminal obeys */
#include "tests/unit/session_entries.h"
#include "base/io.h"
#include "supervisor/call_list.h"
#include "supervisor/consent_pending.h"

static const char id_a[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", id_b[] = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/* Must be that of struct ps_options. */
struct options {
	bool json, watch;
	uint64_t interval;
};

static int ps(bool json, char out[SAID_MAX], char err[SAID_MAX])
{
	struct options o = { .json = json };
	struct command_ctx ctx = { .row = &cmd_ps, .options = &o };
	struct captured c_out, c_err;
	int status;

	assert_int_equal(cmd_ps.options_size, sizeof(o));
	c_err = capture(stderr);
	c_out = capture(stdout);
	status = cmd_ps.run(&ctx);
	captured_read(&c_out, out, SAID_MAX);
	captured_read(&c_err, err, SAID_MAX);
	return status;
}

static void where_nothing_runs_it_says_so_beside_an_empty_list(void **state)
{
	char out[SAID_MAX], err[SAID_MAX], looked[SAID_MAX];
	const struct world *w = *state;

	assert_int_equal(ps(false, out, err), EXIT_OK);
	assert_string_equal(out, "");
	/* Whoever has another runtime directory than the client looks in another place. */
	snprintf(looked, sizeof(looked), "no server runs through stockade (looked in %s)\n", w->paths.runtime);
	assert_string_equal(err, looked);
	assert_int_equal(ps(true, out, err), EXIT_OK);
	assert_string_equal(out, "[]\n");
	assert_string_equal(err, "");
}

static void each_session_is_a_line_and_the_oldest_comes_first(void **state)
{
	static const char first[] =
		"bbbbbbbbbbbb  time                      1970-01-01T00:00:01Z         3         2       -          -  ",
			  second[] = "aaaaaaaaaaaa  no\\x1btes                 1970-01-01T00:00:02Z         0         "
				     "0       4        2/9  ";
	char out[SAID_MAX], err[SAID_MAX], *line = out;

	put_session(*state, &(struct session_entry){ .id = id_a,
				    .name = "no\033tes",
				    .client = "ed\033itor",
				    .pid = getpid(),
				    .since = 2,
				    .counters = { .version = 1,
					    .connections_open = 2,
					    .connections = 9,
					    .minute = io_wall_us() / REGISTRY_MINUTE_US,
					    .calls_now = 4 } });
	put_session(*state, &(struct session_entry){ .id = id_b,
				    .name = "time",
				    .pid = getpid(),
				    .since = 1,
				    .counters = { .calls = 3, .denials = 2 } });
	assert_int_equal(ps(false, out, err), EXIT_OK);
	assert_string_equal(err, "");
	assert_memory_equal(strsep(&line, "\n"), "SESSION       SERVER ", 21);
	assert_memory_equal(line, first, strlen(first));
	assert_non_null(strstr(strsep(&line, "\n"), " MB  running                 editor"));
	assert_memory_equal(line, second, strlen(second));
	assert_non_null(strstr(strsep(&line, "\n"), " MB  running                 ed\\x1bitor"));
	assert_string_equal(line, "");
}

static void a_session_of_another_container_is_marked_and_not_measured(void **state)
{
	char out[SAID_MAX], err[SAID_MAX];
	json_t *list;

	put_session(*state, &(struct session_entry){ .id = id_a, .name = "notes", .pid = getpid(), .foreign = true });
	assert_int_equal(ps(false, out, err), EXIT_OK);
	assert_non_null(
		strstr(out, "   unknown  unknown                 (in another container, may have ended) editor\n"));
	assert_int_equal(ps(true, out, err), EXIT_OK);
	list = json_loads(out, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "state")), "unknown");
	assert_true(json_is_null(json_object_get(json_array_get(list, 0), "memory")));
	json_decref(list);
}

static void the_object_of_a_session_holds_all_of_it(void **state)
{
	char out[SAID_MAX], err[SAID_MAX];
	const json_t *o;
	json_t *list;

	put_session(*state, &(struct session_entry){ .id = id_a,
				    .name = "notes",
				    .pid = getpid(),
				    .since = 2,
				    .counters = { .calls = 3, .denials = 2 } });
	assert_int_equal(ps(true, out, err), EXIT_OK);
	list = json_loads(out, JSON_REJECT_DUPLICATES, NULL);
	o = json_array_get(list, 0);
	assert_int_equal(json_array_size(list), 1);
	assert_string_equal(json_string_value(json_object_get(o, "session")), id_a);
	assert_string_equal(json_string_value(json_object_get(o, "state")), "running");
	assert_string_equal(json_string_value(json_object_get(o, "server")), "notes");
	assert_string_equal(json_string_value(json_object_get(o, "client")), "editor");
	assert_int_equal(json_integer_value(json_object_get(o, "pid")), getpid());
	assert_string_equal(json_string_value(json_object_get(o, "since")), "1970-01-01T00:00:02Z");
	assert_int_equal(json_integer_value(json_object_get(o, "calls")), 3);
	assert_int_equal(json_integer_value(json_object_get(o, "denials")), 2);
	assert_true(json_integer_value(json_object_get(o, "memory")) > 0);
	/* Not counted by the version that started it. */
	assert_true(json_is_null(json_object_get(o, "rate")) && json_is_null(json_object_get(o, "connections")));
	assert_int_equal(json_array_size(json_object_get(o, "waits_for")), 0);
	json_decref(list);
}

static void connections_and_rate_are_told_where_they_are_counted(void **state)
{
	const struct registry_counters c = { .version = 1, .connections_open = 2, .connections = 9 };
	char out[SAID_MAX], err[SAID_MAX];
	const json_t *o;
	json_t *list;

	put_session(*state, &(struct session_entry){ .id = id_a, .name = "n", .pid = getpid(), .counters = c });
	assert_int_equal(ps(true, out, err), EXIT_OK);
	list = json_loads(out, 0, NULL);
	o = json_array_get(list, 0);
	assert_true(json_is_integer(json_object_get(o, "rate")));
	o = json_object_get(o, "connections");
	assert_int_equal(json_integer_value(json_object_get(o, "open")), 2);
	assert_int_equal(json_integer_value(json_object_get(o, "total")), 9);
	json_decref(list);
}

/* A call of the first of two sessions, in words of its own. */
static struct asker *put_call(const struct world *w, const char *session, uint64_t id)
{
	const struct asker_list_args a = { &w->paths, session, "notes", "editor" };
	struct asker_question q = { .id = id, .tool = "pu\033t", .arguments = "{}", .rule = "a rule" };
	char digest[CANONICAL_DIGEST_HEX];
	struct asker *asker = NULL;
	struct diag d = { "" };

	assert_int_equal(call_digest(q.tool, q.arguments, digest), 0);
	q.digest = digest;
	if (asker_list_new(&a, &asker, &d) < 0 || asker->kind->ask(asker, &q, &d) < 0)
		fail_msg("%s", d.text);
	return asker;
}

static void calls_that_wait_are_told_at_the_session_that_asks(void **state)
{
	char out[SAID_MAX], err[SAID_MAX];
	struct asker *one, *two;
	const json_t *o;
	json_t *list;

	put_session(*state, &(struct session_entry){ .id = id_a, .name = "notes", .pid = getpid(), .since = 1 });
	put_session(*state, &(struct session_entry){ .id = id_b, .name = "time", .pid = getpid(), .since = 2 });
	one = put_call(*state, id_a, 1);
	assert_int_equal(ps(false, out, err), EXIT_OK);
	assert_non_null(strstr(out, " MB  1 call waits            editor"));
	assert_non_null(strstr(out, " MB  running                 editor"));
	assert_string_equal(err, "'stockade approve' shows what waits\n");
	two = put_call(*state, id_a, 2);
	assert_int_equal(ps(false, out, err), EXIT_OK);
	assert_non_null(strstr(out, " MB  2 calls wait            editor"));
	assert_int_equal(ps(true, out, err), EXIT_OK);
	list = json_loads(out, 0, NULL);
	o = json_object_get(json_array_get(list, 0), "waits_for");
	assert_int_equal(json_array_size(o), 2);
	assert_string_equal(json_string_value(json_object_get(json_array_get(o, 0), "kind")), "call");
	assert_string_equal(json_string_value(json_object_get(json_array_get(o, 0), "tool")), "pu\033t");
	assert_non_null(json_string_value(json_object_get(json_array_get(o, 0), "since")));
	assert_int_equal(json_array_size(json_object_get(json_array_get(list, 1), "waits_for")), 0);
	json_decref(list);
	asker_free(one);
	asker_free(two);
}

static void a_launch_that_waits_is_listed_without_a_session(void **state)
{
	struct world *w = *state;
	struct pending_waiter place = PENDING_WAITER_INIT;
	_cleanup_free_ char *text = NULL;
	char out[SAID_MAX], err[SAID_MAX];
	struct effective e;
	const json_t *o, *waits;
	json_t *list;

	make_launch(&e, "no\033tes", "/srv");
	assert_int_equal(pending_text(&e, &w->lineage, NULL, &text, NULL), 0);
	assert_int_equal(pending_join(&w->paths, e.digest, text, &place, NULL), 0);
	assert_int_equal(ps(false, out, err), EXIT_OK);
	assert_non_null(strstr(out, "\n-             no\\x1btes "));
	assert_non_null(strstr(out, "         -  waits for an approval   "));
	assert_string_equal(err, "'stockade approve' shows what waits\n");
	assert_int_equal(ps(true, out, err), EXIT_OK);
	list = json_loads(out, 0, NULL);
	o = json_array_get(list, 0);
	assert_true(json_is_null(json_object_get(o, "session")) && json_is_null(json_object_get(o, "pid")));
	assert_string_equal(json_string_value(json_object_get(o, "state")), "waiting");
	assert_string_equal(json_string_value(json_object_get(o, "server")), "no\033tes");
	waits = json_array_get(json_object_get(o, "waits_for"), 0);
	assert_string_equal(json_string_value(json_object_get(waits, "kind")), "launch");
	assert_string_equal(json_string_value(json_object_get(waits, "digest")), e.digest);
	assert_int_equal(json_integer_value(json_object_get(waits, "launches")), 1);
	json_decref(list);
	pending_leave(&place);
	assert_int_equal(ps(false, out, err), EXIT_OK);
	assert_string_equal(out, "");
	launch_done(&e);
}

static void a_registry_that_cannot_be_believed_is_a_refusal(void **state)
{
	const struct world *w = *state;
	char out[SAID_MAX], err[SAID_MAX], path[256];

	put_session(*state, &(struct session_entry){ .id = id_a, .name = "notes", .pid = getpid() });
	snprintf(path, sizeof(path), "%s/sessions", w->paths.runtime);
	assert_int_equal(chmod(path, 0755), 0);
	assert_int_equal(ps(false, out, err), EXIT_REFUSED);
	assert_string_equal(out, "");
	assert_memory_equal(err, "stockade: ", 10);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, world_up, world_down)
	const struct CMUnitTest tests[] = {
		T(where_nothing_runs_it_says_so_beside_an_empty_list),
		T(each_session_is_a_line_and_the_oldest_comes_first),
		T(a_session_of_another_container_is_marked_and_not_measured),
		T(the_object_of_a_session_holds_all_of_it),
		T(connections_and_rate_are_told_where_they_are_counted),
		T(calls_that_wait_are_told_at_the_session_that_asks),
		T(a_launch_that_waits_is_listed_without_a_session),
		T(a_registry_that_cannot_be_believed_is_a_refusal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
