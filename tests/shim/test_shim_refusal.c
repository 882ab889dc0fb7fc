/* SPDX-License-Identifier: Apache-2.0 */
/* test_shim_refusal - stockade-shim when a person said no while it waited (CONTROL_WAIT, CONTROL_REFUSE): mcp.md
 * section 2, "how to say no" */
#include "tests/unit/unit.h"
#include "tests/shim/stage.h"
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

static const char WORDS[] = "stockade did not start 'demo': the user refused it";

enum { LONG_MS = 200 };

static void start_refusing(struct stage *s)
{
	struct shim_config c;

	stage_config(&c);
	stage_prepare(s, &c);
	stage_control(s, CONTROL_WAIT, 0, "it waits");
	stage_control(s, CONTROL_REFUSE, 0, WORDS);
	shim_config_done(&c);
}

/* The next line is an error for that id, in the supervisor's words, with a code that is no JSON-RPC's own. */
static void expect_refusal(struct stage *s, const char *id)
{
	char head[128], *line = stage_client_hears(s);
	int code = 0;

	assert_non_null(line);
	snprintf(head, sizeof(head), "{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":", id);
	if (strncmp(line, head, strlen(head)) != 0)
		fail_msg("'%s' does not begin with '%s'", line, head);
	assert_int_equal(sscanf(line + strlen(head), "%d", &code), 1);
	assert_false(code >= -32768 && code <= -32000);
	assert_non_null(strstr(line, WORDS));
}

static void close_and_end(struct stage *s)
{
	stage_close(&s->client_in);
	assert_int_equal(stage_wait(s), SHIM_EXIT_OK);
	assert_null(stage_client_hears(s));
	assert_null(stage_server_hears(s));
}

static void initialize_gets_the_reason_and_is_recorded(void **state)
{
	_cleanup_stage_ struct stage s = { 0 };

	start_refusing(&s);
	stage_client_says(&s, "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
			      "\"2025-06-18\","
			      "\"capabilities\":{},\"clientInfo\":{\"name\":\"c\",\"version\":\"1\"}}}");
	expect_refusal(&s, "0");
	const struct event *e = stage_event(&s, EVENT_REQUEST);
	assert_int_equal(e->decision, EVENT_DENY);
	assert_string_equal(e->method, "initialize");
	assert_string_equal(e->reason, "the launch was not approved");
	close_and_end(&s);
}

static void every_request_is_answered_under_its_own_id(void **state)
{
	static const struct {
		const char *id, *rest;
	} requests[] = {
		{ "1", "\"method\":\"server/discover\",\"params\":{\"_meta\":{\"io.modelcontextprotocol/"
		       "protocolVersion\":\"2026-07-28\"}}" },
		{ "\"1\"", "\"method\":\"ping\"" },
		{ "\"x\"", "\"method\":\"tools/call\",\"params\":{\"name\":\"echo\",\"task\":{\"ttl\":1}}" },
		{ "9007199254740991", "\"method\":\"tools/list\"" },
		{ "-7", "\"method\":\"no/such\"" },
	};
	_cleanup_stage_ struct stage s = { 0 };
	char line[512];

	start_refusing(&s);
	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		snprintf(line, sizeof(line), "{\"jsonrpc\":\"2.0\",\"id\":%s,%s}", requests[i].id, requests[i].rest);
		stage_client_says(&s, line);
		expect_refusal(&s, requests[i].id);
	}
	close_and_end(&s);
}

static void notifications_answers_and_noise_get_no_answer(void **state)
{
	static const char *const lines[] = {
		"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}",
		"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":1}}",
		"{\"jsonrpc\":\"2.0\",\"method\":\"no/such\"}",
		"{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{}}",
		"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}",
		"[{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}]",
		"hello",
		"",
	};
	_cleanup_stage_ struct stage s = { 0 };

	start_refusing(&s);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		stage_client_says(&s, lines[i]);
	stage_client_says(&s, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}");
	expect_refusal(&s, "2");
	close_and_end(&s);
}

static void a_malformed_request_with_an_id_is_answered_too(void **state)
{
	static const char *const parts[] = { "\"id\":3,\"error\":", NULL };
	_cleanup_stage_ struct stage s = { 0 };

	start_refusing(&s);
	stage_client_says(&s, "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"ping\",\"method\":\"initialize\"}");
	stage_expect_client_has(&s, parts);
	close_and_end(&s);
}

static void a_client_that_closes_at_once_ends_it(void **state)
{
	_cleanup_stage_ struct stage s = { 0 };

	start_refusing(&s);
	close_and_end(&s);
	stage_event(&s, EVENT_CLIENT_EOF);
}

static void what_was_asked_before_the_end_of_input_is_still_answered(void **state)
{
	_cleanup_stage_ struct stage s = { 0 };
	char line[128], id[8];

	start_refusing(&s);
	for (int i = 0; i < 500; i++) {
		snprintf(line, sizeof(line), "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"ping\"}", i);
		stage_client_says(&s, line);
	}
	stage_close(&s.client_in);
	for (int i = 0; i < 500; i++) {
		snprintf(id, sizeof(id), "%d", i);
		expect_refusal(&s, id);
	}
	assert_int_equal(stage_wait(&s), SHIM_EXIT_OK);
}

static void a_call_is_told_in_the_form_that_reaches_a_model(void **state)
{
	static const char *const parts[] = { "\"id\":1,\"result\":", WORDS, "\"isError\":true", NULL };
	_cleanup_stage_ struct stage s = { 0 };

	start_refusing(&s);
	stage_client_says(
		&s, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"echo\"}}");
	stage_expect_client_has(&s, parts);
	close_and_end(&s);
}

static void it_answers_as_long_as_the_client_stays(void **state)
{
	_cleanup_stage_ struct stage s = { 0 };

	start_refusing(&s);
	stage_client_says(&s, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}");
	expect_refusal(&s, "1");
	poll(NULL, 0, LONG_MS);
	stage_client_says(&s, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}");
	expect_refusal(&s, "2");
	close_and_end(&s);
}

static void nothing_ever_reaches_a_server_and_nothing_is_heard_from_one(void **state)
{
	_cleanup_stage_ struct stage s = { 0 };

	start_refusing(&s);
	stage_server_says(&s, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"forged\":true}}");
	stage_client_says(&s, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}");
	expect_refusal(&s, "1");
	close_and_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(initialize_gets_the_reason_and_is_recorded),
		cmocka_unit_test(every_request_is_answered_under_its_own_id),
		cmocka_unit_test(notifications_answers_and_noise_get_no_answer),
		cmocka_unit_test(a_malformed_request_with_an_id_is_answered_too),
		cmocka_unit_test(a_client_that_closes_at_once_ends_it),
		cmocka_unit_test(what_was_asked_before_the_end_of_input_is_still_answered),
		cmocka_unit_test(a_call_is_told_in_the_form_that_reaches_a_model),
		cmocka_unit_test(it_answers_as_long_as_the_client_stays),
		cmocka_unit_test(nothing_ever_reaches_a_server_and_nothing_is_heard_from_one),
	};

	return cmocka_run_group_tests_name("refusal", tests, NULL, NULL);
}
