/* SPDX-License-Identifier: Apache-2.0 */
/* test_shim_kills - a tool that the kill switch takes away: what is in flight, what comes later, and what comes back */
#include "tests/unit/shim_play.h"
#include <errno.h>
#include "shim/kills.h"

#define CALL(id, tool)	ID(id) "\"method\":\"tools/call\",\"params\":{\"name\":\"" tool "\"}}"
#define LIST(id)	ID(id) "\"method\":\"tools/list\"}"
#define TOOLS(id, list) ID(id) "\"result\":{\"tools\":[" list "]}}"
#define TOOL(name)	"{\"name\":\"" name "\",\"inputSchema\":{\"type\":\"object\"}}"
#define DONE(id)	ID(id) "\"result\":{\"content\":[]}}"
#define NOTE_CHANGED	J "\"method\":\"notifications/tools/list_changed\"}\n"

static struct desk *desk_here(void)
{
	const struct shim_config c = { .name = WORDS("demo") };
	struct desk *t = desk_new(&c);

	t->s.legacy = true;
	return t;
}

static int kill_tool(struct desk *t, int at, const char *glob)
{
	struct control c = { .type = CONTROL_KILL_TOOL, .value = at, .text = "by alice since noon: SEC-1" };

	snprintf(c.tool, sizeof(c.tool), "%s", glob);
	return kills_take(&t->s, &c);
}

static int restore(struct desk *t, int at)
{
	const struct control c = { .type = CONTROL_RESTORE_TOOL, .value = at };

	return kills_take(&t->s, &c);
}

static void no_records(struct desk *t)
{
	struct event e;

	while (recorded(t, &e))
		;
}

static void a_killed_tool_is_refused_under_every_spelling_of_its_name(void **state)
{
	_cleanup_desk_ struct desk *t = desk_here();

	(void)state;
	assert_int_equal(kill_tool(t, 0, "ec*"), 0);
	PLAY(t,
		{ C, CALL(1, "echo"), "~\"isError\":true~the kill switch~SEC-1~Only a person", NULL,
			"tool.call deny by alice" },
		{ C, CALL(2, "\\u0065cho"), "~\"isError\":true~the kill switch", NULL, "tool.call deny" },
		{ C, CALL(3, "Echo"), NULL, "=", "tool.call allow" });
}

static void a_call_in_flight_is_answered_and_cancelled_and_its_late_answer_dropped(void **state)
{
	_cleanup_desk_ struct desk *t = desk_here();
	struct event e;

	(void)state;
	PLAY(t, { C, CALL(1, "echo"), NULL, "=", "tool.call allow" },
		{ C, CALL(2, "other"), NULL, "=", "tool.call allow" });
	assert_int_equal(kill_tool(t, 0, "echo"), 0);
	const char *client = got(t, t->client);
	assert_non_null(strstr(client, "\"id\":1,"));
	assert_non_null(strstr(client, "SEC-1"));
	assert_null(strstr(client, "\"id\":2,"));
	assert_string_equal(got(t, t->server),
		J "\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":1,\"reason\":\"the tool "
		  "may not be called any more\"}}\n");
	assert_true(recorded(t, &e));
	assert_int_equal(e.type, EVENT_RESULT);
	assert_string_equal(e.status, "killed");
	assert_string_equal(e.rule, KILLS_RULE);
	PLAY(t, { C, CALL(1, "other"), "~its id is that of a request that has no answer yet", NULL, "message.refused" },
		{ S, DONE(1), NULL, NULL,
			"response.unmatched drop it came after the call was ended by the kill switch" },
		{ S, DONE(2), "=", NULL, "tool.result" });
}

static void who_waits_for_a_task_hears_an_error_and_can_only_cancel(void **state)
{
	_cleanup_desk_ struct desk *t = desk_here();

	(void)state;
	PLAY(t,
		{ C, ID(1) "\"method\":\"tools/call\",\"params\":{\"name\":\"echo\",\"task\":{}}}", NULL, "=",
			"tool.call" },
		{ S,
			ID(1) "\"result\":{\"task\":{\"taskId\":\"t1\",\"status\":\"working\",\"ttl\":1,\"createdAt\":"
			      "\"2026-01-01T00:00:00Z\",\"lastUpdatedAt\":\"2026-01-01T00:00:00Z\"}}}",
			"=", NULL, "tool.result" },
		{ C, ID(2) "\"method\":\"tools/call\",\"params\":{\"name\":\"echo\",\"task\":{}}}", NULL, "=",
			"tool.call" });
	assert_int_equal(kill_tool(t, 0, "echo"), 0);
	assert_non_null(strstr(got(t, t->client), "\"id\":2,\"error\""));
	got(t, t->server);
	no_records(t);
	PLAY(t,
		{ C, ID(3) "\"method\":\"tasks/result\",\"params\":{\"taskId\":\"t1\"}}", "~\"error\"~the kill switch",
			NULL, "request deny" },
		{ C, ID(4) "\"method\":\"tasks/get\",\"params\":{\"taskId\":\"t1\"}}", "~\"error\"~the kill switch",
			NULL, "request deny" },
		{ C, ID(5) "\"method\":\"tasks/cancel\",\"params\":{\"taskId\":\"t1\"}}", NULL, "=", "request allow" });
}

static void the_list_has_it_no_more_and_the_client_hears_of_each_change(void **state)
{
	_cleanup_desk_ struct desk *t = desk_here();

	(void)state;
	PLAY(t, { C, LIST(1), NULL, "=", "request allow" },
		{ S, TOOLS(1, TOOL("echo") "," TOOL("other")), "=", NULL, "response" });
	assert_int_equal(kill_tool(t, 0, "echo"), 0);
	assert_string_equal(got(t, t->client), NOTE_CHANGED);
	PLAY(t, { C, LIST(2), NULL, "=", "request allow" },
		{ S, TOOLS(2, TOOL("echo") "," TOOL("other")), TOOLS(2, TOOL("other")), NULL, "response" });
	/* By another entry as well: the first to be lifted lifts nothing. */
	assert_int_equal(kill_tool(t, 7, "e*"), 0);
	assert_int_equal(restore(t, 0), 0);
	got(t, t->client);
	PLAY(t, { C, CALL(3, "echo"), "~\"isError\":true", NULL, "tool.call deny" });
	assert_int_equal(restore(t, 7), 0);
	assert_string_equal(got(t, t->client), NOTE_CHANGED);
	PLAY(t, { C, CALL(4, "echo"), NULL, "=", "tool.call allow" });
}

static void a_client_that_has_no_list_hears_of_no_change(void **state)
{
	_cleanup_desk_ struct desk *t = desk_here();

	(void)state;
	assert_int_equal(kill_tool(t, 0, "echo"), 0);
	assert_int_equal(restore(t, 0), 0);
	assert_string_equal(got(t, t->client), "");
}

static void no_number_beyond_the_table_is_taken(void **state)
{
	_cleanup_desk_ struct desk *t = desk_here();

	(void)state;
	assert_int_equal(kill_tool(t, CONTROL_KILLS_MAX, "x"), -EPROTO);
	assert_int_equal(kill_tool(t, -1, "x"), -EPROTO);
	assert_int_equal(restore(t, CONTROL_KILLS_MAX - 1), 0);
	assert_int_equal(kill_tool(t, CONTROL_KILLS_MAX - 1, "x"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_killed_tool_is_refused_under_every_spelling_of_its_name),
		cmocka_unit_test(a_call_in_flight_is_answered_and_cancelled_and_its_late_answer_dropped),
		cmocka_unit_test(who_waits_for_a_task_hears_an_error_and_can_only_cancel),
		cmocka_unit_test(the_list_has_it_no_more_and_the_client_hears_of_each_change),
		cmocka_unit_test(a_client_that_has_no_list_hears_of_no_change),
		cmocka_unit_test(no_number_beyond_the_table_is_taken),
	};

	return cmocka_run_group_tests_name("kills", tests, NULL, NULL);
}
