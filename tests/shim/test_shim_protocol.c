/* SPDX-License-Identifier: Apache-2.0 */
/* test_shim_protocol - conversations through stockade-shim, step by step: what each side says, and what the other hears
 */
#include "tests/unit/unit.h"
#include "tests/shim/stage.h"
#include <stdio.h>
#include <stdlib.h>

enum who { CLIENT, SERVER };

/* Somebody says a line; then somebody hears one. */
struct step {
	enum who speaker;
	const char *says;
	enum who listener;
	const char *hears; /* NULL: the same; "~a~b": each of these parts is in it; "": nobody hears anything */
};

#define J     "{\"jsonrpc\":\"2.0\","
#define ID(n) J "\"id\":" #n ","
#define META                                                                                                           \
	"\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\"io.modelcontextprotocol/"             \
	"clientCapabilities\":{}}"

static void expect_parts(const char *line, const char *parts)
{
	char *copy = strdup(parts), *rest = copy, *part;

	assert_non_null(copy);
	while ((part = strsep(&rest, "~")))
		if (!strstr(line, part))
			fail_msg("'%s' is not in '%s'", part, line);
	free(copy);
}

static void play(struct stage *s, const struct step *steps, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *want = steps[i].hears ? steps[i].hears : steps[i].says;
		if (steps[i].speaker == CLIENT)
			stage_client_says(s, steps[i].says);
		else
			stage_server_says(s, steps[i].says);
		if (!*want)
			continue;
		const char *got = steps[i].listener == CLIENT ? stage_client_hears(s) : stage_server_hears(s);
		assert_non_null(got);
		if (*want == '~')
			expect_parts(got, want + 1);
		else
			assert_string_equal(got, want);
	}
}

/* That nobody heard what nobody should shows in the end: both sides have heard all there was. */
static void end(struct stage *s)
{
	stage_client_says(s, ID(999) "\"method\":\"ping\"}");
	stage_expect_server(s, ID(999) "\"method\":\"ping\"}");
	stage_server_says(s, ID(999) "\"result\":{}}");
	stage_expect_client(s, ID(999) "\"result\":{}}");
	stage_close(&s->client_in);
	assert_null(stage_server_hears(s));
	stage_close(&s->server_out);
	stage_close(&s->server_err);
	stage_control(s, CONTROL_SERVER_EXITED, 0, "");
	assert_null(stage_client_hears(s));
	assert_int_equal(stage_wait(s), SHIM_EXIT_OK);
}

static void start(struct stage *s, bool asks, const char *root)
{
	struct shim_config c;

	stage_config(&c);
	c.client.sampling.on = c.client.elicitation.on = asks;
	if (root)
		assert_int_equal(strv_add(&c.roots, root), 0);
	stage_rule(&c, SHIM_TOOLS, true, "ok_*", "p:1");
	stage_rule(&c, SHIM_RESOURCES, true, "file:///data/*", "p:2");
	stage_rule(&c, SHIM_PROMPTS, true, "p_*", "p:3");
	stage_rule(&c, SHIM_EXTENSIONS, true, "vendor/*", "p:4");
	stage_start(s, &c);
	shim_config_done(&c);
}

#define PLAY(s, steps) play(s, steps, ARRAY_LEN(steps))

static void a_handshake_offers_only_what_is_allowed_and_is_recorded(void **state)
{
	static const struct step steps[] = {
		{ CLIENT,
			ID(0) "\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-06-18\","
			      "\"capabilities\":{\"sampling\":{},\"x\":{},"
			      "\"Elicitation\":{},\"roots\":{\"listChanged\":true}},\"clientInfo\":{\"name\":\"cli\","
			      "\"version\":\"1.2\"}}}",
			SERVER,
			ID(0) "\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-06-18\","
			      "\"capabilities\":{\"x\":{}},"
			      "\"clientInfo\":{\"name\":\"cli\",\"version\":\"1.2\"}}}" },
		{ SERVER,
			ID(0) "\"result\":{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{\"tools\":{"
			      "\"listChanged\":true,\"ok_x\":{},\"rm\":{}}},"
			      "\"serverInfo\":{\"name\":\"srv\",\"version\":\"9\"}}}",
			CLIENT,
			ID(0) "\"result\":{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{\"tools\":{"
			      "\"listChanged\":true,\"ok_x\":{}}},"
			      "\"serverInfo\":{\"name\":\"srv\",\"version\":\"9\"}}}" },
		{ CLIENT, J "\"method\":\"notifications/initialized\"}", SERVER, NULL },
	};
	_cleanup_stage_ struct stage s = { 0 };

	start(&s, false, NULL);
	PLAY(&s, steps);
	const struct event *hello = stage_event(&s, EVENT_HELLO), *server = stage_event(&s, EVENT_SERVER_HELLO);
	assert_string_equal(hello->peer_name, "cli");
	assert_string_equal(hello->peer_version, "1.2");
	assert_string_equal(hello->protocol, "2025-06-18");
	assert_string_equal(server->peer_name, "srv");
	end(&s);
}

static void what_the_server_may_not_ask_is_answered_in_its_own_way(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, ID(1) "\"method\":\"ping\"}", SERVER, NULL },
		{ SERVER, ID(1) "\"method\":\"sampling/createMessage\",\"params\":{\"messages\":[]}}", SERVER,
			"~\"id\":1,\"error\":{\"code\":-1,~client.sampling" },
		{ SERVER, ID(2) "\"method\":\"elicitation/create\",\"params\":{\"message\":\"pw?\"}}", SERVER,
			ID(2) "\"result\":{\"action\":\"decline\"}}" },
		{ SERVER, ID(3) "\"method\":\"roots/list\"}", SERVER, ID(3) "\"result\":{\"roots\":[]}}" },
		{ SERVER, ID(4) "\"method\":\"tasks/list\"}", SERVER, "~\"id\":4,\"error\":{\"code\":4030" },
		{ SERVER, ID(5) "\"method\":\"tools/call\",\"params\":{\"name\":\"ok_a\"}}", SERVER,
			"~\"id\":5,\"error\":{\"code\":-32601" },
		{ SERVER, ID(6) "\"method\":\"ping\"}", CLIENT, NULL },
		{ SERVER, ID(6) "\"method\":\"ping\"}", CLIENT, "" },
		{ SERVER, J "\"method\":\"notifications/tools/list_changed\"}", CLIENT, NULL },
		{ CLIENT, ID(6) "\"result\":{}}", SERVER, NULL },
		{ CLIENT, ID(6) "\"result\":{}}", SERVER, "" },
		{ CLIENT, ID(77) "\"result\":{}}", SERVER, "" },
		{ SERVER, ID(1) "\"result\":{}}", CLIENT, NULL },
	};
	_cleanup_stage_ struct stage s = { 0 };

	start(&s, false, NULL);
	PLAY(&s, steps);
	assert_int_equal(stage_event(&s, EVENT_UNMATCHED)->side, EVENT_FROM_CLIENT);
	end(&s);
}

static void what_the_server_may_ask_reaches_the_client_and_roots_are_filtered(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, ID(1) "\"method\":\"ping\"}", SERVER, NULL },
		{ SERVER, ID(1) "\"method\":\"sampling/createMessage\",\"params\":{\"messages\":[]}}", CLIENT, NULL },
		{ CLIENT, ID(1) "\"result\":{\"role\":\"assistant\",\"content\":{\"type\":\"text\",\"text\":\"x\"}}}",
			SERVER, NULL },
		{ SERVER, ID("e") "\"method\":\"elicitation/create\",\"params\":{\"message\":\"?\"}}", CLIENT,
			"~\"id\":\"e\",~\"message\":\"The server '~' asks: ?\"" },
		{ CLIENT, ID("e") "\"error\":{\"code\":-1,\"message\":\"no\"}}", SERVER, NULL },
		{ SERVER, ID(3) "\"method\":\"roots/list\"}", CLIENT, NULL },
		{ CLIENT,
			ID(3) "\"result\":{\"roots\":[{\"uri\":\"file:///etc\"},{\"uri\":\"file:///src/"
			      "a\",\"name\":\"a\"},{\"uri\":\"file:///src/../etc\"}]}}",
			SERVER, ID(3) "\"result\":{\"roots\":[{\"uri\":\"file:///src/a\",\"name\":\"a\"}]}}" },
		{ SERVER, ID(4) "\"method\":\"ping\"}", CLIENT, NULL },
		{ CLIENT, ID(4) "\"result\":{\"a\":1,\"a\":2}}", SERVER, "~\"id\":4,\"error\":{\"code\":5020" },
		{ SERVER, ID(1) "\"result\":{}}", CLIENT, NULL },
	};
	_cleanup_stage_ struct stage s = { 0 };

	start(&s, true, "/src");
	PLAY(&s, steps);
	end(&s);
}

static void resources_and_prompts_are_listed_and_read_by_their_rules(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, ID(1) "\"method\":\"resources/list\"}", SERVER, NULL },
		{ SERVER,
			ID(1) "\"result\":{\"resources\":[{\"uri\":\"file:///data/a\",\"name\":\"a\"},{\"uri\":\"file:/"
			      "//etc\",\"name\":\"b\"}]}}",
			CLIENT, ID(1) "\"result\":{\"resources\":[{\"uri\":\"file:///data/a\",\"name\":\"a\"}]}}" },
		{ CLIENT, ID(2) "\"method\":\"resources/templates/list\"}", SERVER, NULL },
		{ SERVER,
			ID(2) "\"result\":{\"resourceTemplates\":[{\"uriTemplate\":\"x:{y}\"},{\"uriTemplate\":\"file:/"
			      "//data/{z}\"}]}}",
			CLIENT, ID(2) "\"result\":{\"resourceTemplates\":[{\"uriTemplate\":\"file:///data/{z}\"}]}}" },
		{ CLIENT, ID(3) "\"method\":\"prompts/list\"}", SERVER, NULL },
		{ SERVER, ID(3) "\"result\":{\"prompts\":[{\"name\":\"q\"},{\"name\":\"p_1\"}]}}", CLIENT,
			ID(3) "\"result\":{\"prompts\":[{\"name\":\"p_1\"}]}}" },
		{ CLIENT, ID(4) "\"method\":\"resources/read\",\"params\":{\"uri\":\"file:///etc\"}}", CLIENT,
			"~\"id\":4,\"error\":{\"code\":4030~resource~p" },
		{ CLIENT, ID(5) "\"method\":\"prompts/get\",\"params\":{\"name\":\"q\"}}", CLIENT,
			"~\"id\":5,\"error\":{\"code\":4030~prompt" },
		{ CLIENT, ID(6) "\"method\":\"resources/read\",\"params\":{\"uri\":\"file:///data/a\"}}", SERVER,
			NULL },
		{ SERVER, ID(6) "\"result\":{\"contents\":[{\"uri\":\"file:///data/a\",\"text\":\"t\"}]}}", CLIENT,
			NULL },
		{ SERVER, J "\"method\":\"notifications/resources/updated\",\"params\":{\"uri\":\"file:///etc\"}}",
			CLIENT, "" },
		{ SERVER, J "\"method\":\"notifications/resources/updated\",\"params\":{\"uri\":\"file:///data/a\"}}",
			CLIENT, NULL },
		{ CLIENT, ID(7) "\"method\":\"resources/list\"}", SERVER, NULL },
		{ SERVER, ID(7) "\"result\":{\"resources\":{}}}", CLIENT, "~\"id\":7,\"error\":{\"code\":5020" },
		{ CLIENT, ID(8) "\"method\":\"vendor/thing\",\"params\":{\"any\":1}}", SERVER, NULL },
		{ SERVER, ID(8) "\"result\":{\"any\":2}}", CLIENT, NULL },
		{ CLIENT, J "\"method\":\"vendor/said\"}", SERVER, NULL },
		{ CLIENT, J "\"method\":\"other/said\"}", SERVER, "" },
		{ CLIENT, ID(9) "\"method\":\"other/thing\"}", CLIENT,
			"~\"id\":9,\"error\":{\"code\":-32601~no rule allows it" },
	};
	_cleanup_stage_ struct stage s = { 0 };

	start(&s, false, NULL);
	PLAY(&s, steps);
	end(&s);
}

static void of_a_denied_resource_the_log_knows_which_and_no_password(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, ID(1) "\"method\":\"resources/read\",\"params\":{\"uri\":\"db://me:pa55w0rd@host/t\"}}",
			CLIENT, "~\"id\":1,\"error\"" },
	};
	_cleanup_stage_ struct stage s = { 0 };

	start(&s, false, NULL);
	PLAY(&s, steps);
	assert_string_equal(stage_event(&s, EVENT_REQUEST)->subject, "db://me:[removed]@host/t");
	end(&s);
}

static void the_modern_era_needs_no_handshake_and_has_its_own_answers(void **state)
{
	static const struct step steps[] = {
		{ CLIENT,
			ID(1) "\"method\":\"server/discover\",\"params\":{\"_meta\":{\"io.modelcontextprotocol/"
			      "protocolVersion\":\"2026-07-28\","
			      "\"io.modelcontextprotocol/clientInfo\":{\"name\":\"new\",\"version\":\"2\"},"
			      "\"io.modelcontextprotocol/clientCapabilities\":{\"sampling\":{},\"roots\":{}}}}}",
			SERVER, "~\"io.modelcontextprotocol/clientCapabilities\":{}}}}" },
		{ SERVER,
			ID(1) "\"result\":{\"resultType\":\"complete\",\"supportedVersions\":[\"2026-07-28\"],"
			      "\"capabilities\":{},\"_meta\":"
			      "{\"io.modelcontextprotocol/serverInfo\":{\"name\":\"srv\",\"version\":\"3\"}}}}",
			CLIENT, NULL },
		{ CLIENT, ID(2) "\"method\":\"tools/call\",\"params\":{\"name\":\"rm\"," META "}}", CLIENT,
			"~\"id\":2,\"result\"~\"isError\":true,\"resultType\":\"complete\"}}" },
		{ CLIENT, ID(3) "\"method\":\"initialize\",\"params\":{" META "}}", CLIENT,
			"~\"id\":3,\"error\":{\"code\":-32601~protocol version" },
		{ SERVER, ID(4) "\"method\":\"roots/list\"}", SERVER, ID(4) "\"result\":{\"roots\":[]}}" },
		{ SERVER, ID(5) "\"method\":\"ping\"}", SERVER,
			"~\"id\":5,\"error\":{\"code\":-32601~sends no requests" },
		{ CLIENT, ID(6) "\"method\":\"tools/call\",\"params\":{\"name\":\"ok_a\"," META "}}", SERVER, NULL },
		{ SERVER,
			ID(6) "\"result\":{\"resultType\":\"input_required\",\"inputRequests\":{\"k\":{\"method\":"
			      "\"sampling/createMessage\",\"params\":{}}},"
			      "\"requestState\":\"s\"}}",
			CLIENT, "~\"id\":6,\"result\":~\"isError\":true~client.sampling" },
		{ CLIENT, ID(7) "\"method\":\"tools/call\",\"params\":{\"name\":\"ok_a\"," META "}}", SERVER, NULL },
		{ SERVER,
			ID(7) "\"result\":{\"resultType\":\"input_required\",\"inputRequests\":{\"k\":{\"method\":"
			      "\"tools/call\"}}}}",
			CLIENT, "~\"id\":7,\"error\":{\"code\":5020" },
		{ CLIENT, ID(8) "\"method\":\"tools/call\",\"params\":{\"name\":\"ok_a\"," META "}}", SERVER, NULL },
		{ SERVER, ID(8) "\"result\":{\"resultType\":\"input_required\",\"requestState\":\"only\"}}", CLIENT,
			NULL },
		{ CLIENT, ID(9) "\"method\":\"tools/list\",\"params\":{" META "}}", SERVER, NULL },
		{ SERVER, ID(9) "\"result\":{\"resultType\":\"input_required\",\"requestState\":\"x\"}}", CLIENT,
			"~\"id\":9,\"error\":{\"code\":5020" },
		{ CLIENT,
			ID(10) "\"method\":\"subscriptions/"
			       "listen\",\"params\":{\"notifications\":{\"resourceSubscriptions\":[\"file:///"
			       "etc\"]}," META "}}",
			CLIENT, "~\"id\":10,\"error\":{\"code\":4030" },
	};
	_cleanup_stage_ struct stage s = { 0 };

	start(&s, false, NULL);
	PLAY(&s, steps);
	assert_string_equal(stage_event(&s, EVENT_HELLO)->peer_name, "new");
	assert_string_equal(stage_event(&s, EVENT_SERVER_HELLO)->peer_name, "srv");
	end(&s);
}

static void a_retry_with_answers_carries_only_granted_roots(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, ID(1) "\"method\":\"tools/call\",\"params\":{\"name\":\"ok_a\"," META "}}", SERVER, NULL },
		{ SERVER,
			ID(1) "\"result\":{\"resultType\":\"input_required\",\"inputRequests\":{\"a\":{\"method\":"
			      "\"roots/list\"},\"b\":{\"method\":\"roots/list\"}},"
			      "\"requestState\":\"\\ud800 kept\"}}",
			CLIENT, NULL },
		{ CLIENT,
			ID(2) "\"method\":\"tools/"
			      "call\",\"params\":{\"name\":\"ok_a\",\"inputResponses\":{\"a\":{\"roots\":[{\"uri\":"
			      "\"file:///etc\"}]},\"b\":"
			      "{\"roots\":[{\"uri\":\"file:///src\"},{\"uri\":\"file:///"
			      "\"}]}},\"requestState\":\"\\ud800 kept\"," META "}}",
			SERVER,
			ID(2) "\"method\":\"tools/"
			      "call\",\"params\":{\"name\":\"ok_a\",\"inputResponses\":{\"a\":{\"roots\":[]},\"b\":"
			      "{\"roots\":[{\"uri\":\"file:///src\"}]}},\"requestState\":\"\\ud800 kept\"," META "}}" },
		{ SERVER, ID(2) "\"result\":{\"resultType\":\"complete\",\"content\":[]}}", CLIENT, NULL },
	};
	_cleanup_stage_ struct stage s = { 0 };

	start(&s, false, "/src");
	PLAY(&s, steps);
	end(&s);
}

static void keys_that_imitate_the_protocols_in_a_retry_are_refused(void **state)
{
#define RETRY(id, responses)                                                                                           \
	ID(id) "\"method\":\"tools/call\",\"params\":{\"name\":\"ok_a\",\"inputResponses\":" responses "," META "}}"
	static const struct step steps[] = {
		{ CLIENT, RETRY(1, "{\"a\":{\"Roots\":[{\"uri\":\"file:///etc\"}]}}"), CLIENT,
			"~\"id\":1,\"error\":{\"code\":4000" },
		{ CLIENT, RETRY(2, "{\"a\":{\"roots\":[{\"uri\":\"file:///src\",\"URI\":\"file:///etc\"}]}}"), CLIENT,
			"~\"id\":2,\"error\":{\"code\":4000" },
		{ CLIENT, RETRY(3, "{\"Roots\":{\"action\":\"accept\",\"content\":{\"Name\":\"x\"}}}"), SERVER, NULL },
		{ SERVER, ID(3) "\"result\":{\"resultType\":\"complete\",\"content\":[]}}", CLIENT, NULL },
	};
	_cleanup_stage_ struct stage s = { 0 };

	start(&s, false, "/src");
	PLAY(&s, steps);
	end(&s);
}

static void a_subscription_is_not_hidden_by_the_case_of_its_key(void **state)
{
#define LISTEN(id, filter)                                                                                             \
	ID(id) "\"method\":\"subscriptions/listen\",\"params\":{\"notifications\":" filter "," META "}}"
	static const struct step steps[] = {
		{ CLIENT, LISTEN(1, "{\"ResourceSubscriptions\":[\"file:///etc\"]}"), CLIENT,
			"~\"id\":1,\"error\":{\"code\":4000" },
		{ CLIENT, LISTEN(2, "{\"resourceSubscriptions\":[\"file:///data/a\"]}"), SERVER, NULL },
		{ SERVER, ID(2) "\"result\":{\"resultType\":\"complete\"}}", CLIENT, NULL },
	};
	_cleanup_stage_ struct stage s = { 0 };

	start(&s, false, NULL);
	PLAY(&s, steps);
	end(&s);
}

/* One after the other, each with the whole message read anew, they would take minutes. */
static void a_retry_with_a_crowd_of_answers_is_filtered_in_one_go(void **state)
{
	_cleanup_buf_ struct buf sent = BUF_INIT(STAGE_BUFFER_MAX), want = BUF_INIT(STAGE_BUFFER_MAX);
	_cleanup_stage_ struct stage s = { .events_dropped = true };
	static const char head[] =
		ID(1) "\"method\":\"tools/call\",\"params\":{\"name\":\"ok_a\",\"inputResponses\":{\"z\":1";
	int r = buf_puts(&sent, head);

	r = r ? r : buf_puts(&want, head);
	for (int i = 0; r == 0 && i < 100000; i++) {
		r = buf_printf(&sent, ",\"k%d\":{\"roots\":[{\"uri\":\"file:///src\"},{\"uri\":\"x:\"}]}", i);
		r = r ? r : buf_printf(&want, ",\"k%d\":{\"roots\":[{\"uri\":\"file:///src\"}]}", i);
	}
	r = r ? r : buf_puts(&sent, "}," META "}}");
	r = r ? r : buf_puts(&want, "}," META "}}");
	assert_int_equal(r, 0);
	start(&s, false, "/src");
	stage_client_says(&s, sent.data);
	stage_expect_server(&s, want.data);
}

static void arguments_and_results_are_judged_by_the_tools_schema(void **state)
{
	static const struct step steps[] = {
		{ CLIENT,
			ID(1) "\"method\":\"tools/"
			      "call\",\"params\":{\"name\":\"ok_a\",\"arguments\":{\"q\":1,\"Q\":2}}}",
			CLIENT, "~\"id\":1,\"error\":{\"code\":4000" },
		{ CLIENT, ID(2) "\"method\":\"tools/list\"}", SERVER, NULL },
		{ SERVER,
			ID(2) "\"result\":{\"tools\":[{\"name\":\"ok_a\",\"inputSchema\":{\"properties\":{\"path\":{},"
			      "\"a\":{},\"A\":{}}},\"outputSchema\":"
			      "{\"properties\":{\"total\":{}}}}]}}",
			CLIENT, NULL },
		{ CLIENT,
			ID(3) "\"method\":\"tools/"
			      "call\",\"params\":{\"name\":\"ok_a\",\"arguments\":{\"q\":1,\"Q\":2,\"a\":1,\"A\":2}}}",
			SERVER, NULL },
		{ SERVER, ID(3) "\"result\":{\"content\":[],\"structuredContent\":{\"total\":1,\"x\":1,\"X\":2}}}",
			CLIENT, NULL },
		{ CLIENT, ID(4) "\"method\":\"tools/call\",\"params\":{\"name\":\"ok_a\",\"arguments\":{\"Path\":1}}}",
			CLIENT, "~\"id\":4,\"error\":{\"code\":4000~schema" },
		{ CLIENT, ID(5) "\"method\":\"tools/call\",\"params\":{\"name\":\"ok_a\"}}", SERVER, NULL },
		{ SERVER, ID(5) "\"result\":{\"content\":[],\"structuredContent\":{\"Total\":1}}}", CLIENT,
			"~\"id\":5,\"error\":{\"code\":5020~schema" },
		{ CLIENT, ID(6) "\"method\":\"tools/call\",\"params\":{\"name\":\"ok_b\"}}", SERVER, NULL },
		{ SERVER, ID(6) "\"result\":{\"content\":[],\"structuredContent\":{\"x\":1,\"X\":2}}}", CLIENT,
			"~\"id\":6,\"error\":{\"code\":5020" },
		{ CLIENT, ID(7) "\"method\":\"tools/list\"}", SERVER, NULL },
		{ SERVER, ID(7) "\"result\":{\"Tools\":[{\"name\":\"rm\"}],\"tools\":[]}}", CLIENT,
			"~\"id\":7,\"error\":{\"code\":5020" },
		{ CLIENT, ID(8) "\"method\":\"tools/list\"}", SERVER, NULL },
		{ SERVER, ID(8) "\"result\":{\"tools\":[{\"name\":\"ok_a\",\"Name\":\"rm\"}]}}", CLIENT,
			"~\"id\":8,\"error\":{\"code\":5020" },
	};
	_cleanup_stage_ struct stage s = { 0 };

	start(&s, false, NULL);
	PLAY(&s, steps);
	end(&s);
}

static void a_crowd_of_listed_tools_keeps_nobody_waiting(void **state)
{
	_cleanup_buf_ struct buf list = BUF_INIT(STAGE_BUFFER_MAX);
	_cleanup_stage_ struct stage s = { .events_dropped = true };
	int r = buf_puts(&list, ID(1) "\"result\":{\"tools\":[{\"name\":\"ok_\"}");

	for (int i = 0; r == 0 && i < 390000; i++)
		r = buf_printf(&list, ",{\"name\":\"ok_%06d\"}", i);
	/* Names of one length are compared byte by byte; the last, which goes, has all of them looked at twice. */
	assert_int_equal(r ? r : buf_puts(&list, ",{\"name\":\"rm\"}]}}"), 0);
	start(&s, false, NULL);
	stage_client_says(&s, ID(1) "\"method\":\"tools/list\"}");
	assert_non_null(stage_server_hears(&s));
	stage_server_says(&s, list.data);
	expect_parts(stage_client_hears(&s), "\"tools\":[{\"name\":\"ok_\"}~{\"name\":\"ok_389999\"}]");
	end(&s);
}

static void tasks_progress_and_cancellation_pass(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, ID(1) "\"method\":\"tools/call\",\"params\":{\"name\":\"rm\",\"task\":{\"ttl\":1}}}", CLIENT,
			"~\"id\":1,\"error\":{\"code\":4030~rm" },
		{ CLIENT,
			ID(2) "\"method\":\"tools/"
			      "call\",\"params\":{\"name\":\"ok_a\",\"task\":{\"ttl\":1},\"_meta\":{\"progressToken\":"
			      "\"t\",\"x/y\":[1]}}}",
			SERVER, NULL },
		{ SERVER,
			J
			"\"method\":\"notifications/progress\",\"params\":{\"progressToken\":\"t\",\"progress\":0.5}}",
			CLIENT, NULL },
		{ SERVER, ID(2) "\"result\":{\"task\":{\"taskId\":\"7\",\"status\":\"working\",\"ttl\":1}}}", CLIENT,
			NULL },
		{ CLIENT, ID(3) "\"method\":\"tasks/result\",\"params\":{\"taskId\":\"7\"}}", SERVER, NULL },
		{ CLIENT, ID(3) "\"method\":\"tools/list\"}", CLIENT, "" },
		{ CLIENT, J "\"method\":\"notifications/initialized\"}", SERVER, NULL },
		{ SERVER, ID(3) "\"result\":{\"content\":[]}}", CLIENT, NULL },
		{ CLIENT, ID(4) "\"method\":\"tools/call\",\"params\":{\"name\":\"ok_a\"}}", SERVER, NULL },
		{ CLIENT, J "\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":4,\"reason\":\"slow\"}}",
			SERVER, NULL },
		{ SERVER, J "\"method\":\"notifications/message\",\"params\":{\"level\":\"info\",\"data\":{\"k\":1}}}",
			CLIENT, NULL },
	};
	_cleanup_stage_ struct stage s = { 0 };

	start(&s, false, NULL);
	PLAY(&s, steps);
	/* The cancelled one is not answered at the end: its client waits no more. */
	end(&s);
}

static void too_many_requests_are_told_so_and_cancelled_ones_make_room(void **state)
{
	_cleanup_stage_ struct stage s = { 0 };
	char line[256];

	s.events_dropped = true;
	start(&s, false, NULL);
	for (int i = 0; i < 1024; i++) {
		snprintf(line, sizeof(line),
			J "\"id\":1%03d,"
			  "\"method\":\"tools/call\",\"params\":{\"name\":\"ok_a\"}}",
			i);
		if (i >= 1000)
			snprintf(line, sizeof(line),
				J "\"id\":9%03d,"
				  "\"method\":\"tools/call\",\"params\":{\"name\":\"ok_a\"}}",
				i - 1000);
		stage_client_says(&s, line);
		stage_expect_server(&s, line);
	}
	stage_client_says(&s, ID(7) "\"method\":\"tools/call\",\"params\":{\"name\":\"ok_a\"}}");
	expect_parts(stage_client_hears(&s), "\"id\":7,\"result\":~isError~too many requests");
	stage_client_says(&s, J "\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":1000}}");
	assert_non_null(stage_server_hears(&s));
	stage_client_says(&s, ID(8) "\"method\":\"ping\"}");
	stage_expect_server(&s, ID(8) "\"method\":\"ping\"}");
	stage_server_says(&s, ID(8) "\"result\":{}}");
	stage_expect_client(&s, ID(8) "\"result\":{}}");
}

#define TOOL(name, words) "{\"name\":\"" name "\",\"description\":\"" words "\"}"

static void of_two_tools_of_one_name_only_the_first_is_listed(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, ID(1) "\"method\":\"tools/list\"}", SERVER, NULL },
		{ SERVER,
			ID(1) "\"result\":{\"tools\":[" TOOL("ok_a", "reads") "," TOOL("ok_b", "b") "," TOOL(
				"rm", "no") "," TOOL("ok\\u005fa", "deletes") "," TOOL("ok_a", "reads") "]}}",
			CLIENT, ID(1) "\"result\":{\"tools\":[" TOOL("ok_a", "reads") "," TOOL("ok_b", "b") "]}}" },
		{ CLIENT, ID(2) "\"method\":\"resources/list\"}", SERVER, NULL },
		{ SERVER,
			ID(2) "\"result\":{\"resources\":[{\"uri\":\"file:///data/a\",\"name\":\"x\"},{\"uri\":\"file:/"
			      "//data/"
			      "a\",\"name\":\"y\"}]}}",
			CLIENT, ID(2) "\"result\":{\"resources\":[{\"uri\":\"file:///data/a\",\"name\":\"x\"}]}}" },
		{ CLIENT, ID(3) "\"method\":\"prompts/list\"}", SERVER, NULL },
		{ SERVER,
			ID(3) "\"result\":{\"prompts\":[" TOOL("p_1", "a") "," TOOL("p_1", "b") "," TOOL(
				"p_2", "c") "]}}",
			CLIENT, ID(3) "\"result\":{\"prompts\":[" TOOL("p_1", "a") "," TOOL("p_2", "c") "]}}" },
		{ CLIENT, ID(4) "\"method\":\"resources/templates/list\"}", SERVER, NULL },
		{ SERVER,
			ID(4) "\"result\":{\"resourceTemplates\":[{\"uriTemplate\":\"file:///data/"
			      "{z}\"},{\"uriTemplate\":"
			      "\"file:///data/{z}\",\"name\":\"z\"}]}}",
			CLIENT, ID(4) "\"result\":{\"resourceTemplates\":[{\"uriTemplate\":\"file:///data/{z}\"}]}}" },
	};
	_cleanup_stage_ struct stage s = { 0 };
	const struct event *e;

	start(&s, false, NULL);
	PLAY(&s, steps);
	e = stage_event(&s, EVENT_LIST_FILTERED);
	assert_int_equal(e->count, 3);
	assert_string_equal(e->reason,
		"the list has the name or uri of 2 of them already, or as many others as may be, and the first stay");
	end(&s);
}

static void a_tool_is_not_shadowed_by_a_later_page_and_is_free_in_the_next_list(void **state)
{
#define PAGE(id, cursor)     ID(id) "\"method\":\"tools/list\",\"params\":{\"cursor\":\"" cursor "\"}}"
#define FIRST(id)	     ID(id) "\"method\":\"tools/list\"}"
#define TOOLS(id, more, ...) ID(id) "\"result\":{\"tools\":[" __VA_ARGS__ "]" more "}}"
#define MORE(cursor)	     ",\"nextCursor\":\"" cursor "\""
	static const struct step steps[] = {
		{ CLIENT, FIRST(1), SERVER, NULL },
		{ SERVER, TOOLS(1, MORE("c1"), TOOL("ok_a", "reads") "," TOOL("ok_b", "b")), CLIENT, NULL },
		{ CLIENT, PAGE(2, "c1"), SERVER, NULL },
		{ SERVER, TOOLS(2, MORE("c1"), TOOL("ok_a", "deletes") "," TOOL("ok_b", "b") "," TOOL("ok_c", "c")),
			CLIENT, TOOLS(2, MORE("c1"), TOOL("ok_b", "b") "," TOOL("ok_c", "c")) },
		{ CLIENT, PAGE(3, "c1"), SERVER, NULL },
		{ SERVER, TOOLS(3, MORE("c1"), TOOL("ok_b", "b") "," TOOL("ok_c", "other")), CLIENT,
			TOOLS(3, MORE("c1"), TOOL("ok_b", "b")) },
		{ CLIENT, FIRST(4), SERVER, NULL },
		{ SERVER, TOOLS(4, "", TOOL("ok_a", "deletes")), CLIENT, NULL },
		{ CLIENT, FIRST(5), SERVER, NULL },
		{ SERVER, TOOLS(5, "", TOOL("ok_a", "reads")), CLIENT, NULL },
	};
	_cleanup_stage_ struct stage s = { 0 };

	start(&s, false, NULL);
	PLAY(&s, steps);
	end(&s);
}

static void the_schema_that_counts_is_that_of_the_tool_that_was_listed(void **state)
{
#define SCHEMA(property) "\"inputSchema\":{\"properties\":{\"" property "\":{}}}"
	static const struct step steps[] = {
		{ CLIENT, ID(1) "\"method\":\"tools/list\"}", SERVER, NULL },
		{ SERVER,
			ID(1) "\"result\":{\"tools\":[{\"name\":\"ok_a\"," SCHEMA(
				"path") "},{\"name\":\"ok_a\"," SCHEMA("PATH") "}]}}",
			CLIENT, ID(1) "\"result\":{\"tools\":[{\"name\":\"ok_a\"," SCHEMA("path") "}]}}" },
		{ CLIENT, ID(2) "\"method\":\"tools/call\",\"params\":{\"name\":\"ok_a\",\"arguments\":{\"PATH\":1}}}",
			CLIENT, "~\"id\":2,\"error\":{\"code\":4000~schema" },
		{ CLIENT, ID(3) "\"method\":\"tools/call\",\"params\":{\"name\":\"ok_a\",\"arguments\":{\"path\":1}}}",
			SERVER, NULL },
		{ SERVER, ID(3) "\"result\":{\"content\":[]}}", CLIENT, NULL },
	};
	_cleanup_stage_ struct stage s = { 0 };

	start(&s, false, NULL);
	PLAY(&s, steps);
	end(&s);
}

static void nothing_that_is_filtered_becomes_a_task(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, ID(1) "\"method\":\"tools/list\",\"params\":{\"task\":{\"ttl\":1000}}}", CLIENT,
			"~\"id\":1,\"error\":{\"code\":4030~method table~become a task" },
		{ CLIENT, ID(2) "\"method\":\"initialize\",\"params\":{\"task\":null}}", CLIENT,
			"~\"id\":2,\"error\":{\"code\":4030~become a task" },
		{ CLIENT, ID(3) "\"method\":\"resources/list\"}", SERVER, NULL },
		{ SERVER, ID(3) "\"result\":{\"task\":{\"taskId\":\"t\",\"status\":\"working\"}}}", CLIENT,
			"~\"id\":3,\"error\":{\"code\":5020~a list into a task" },
		{ CLIENT, ID(4) "\"method\":\"tools/list\"}", SERVER, NULL },
		{ SERVER, ID(4) "\"result\":{\"resultType\":\"task\",\"taskId\":\"t\",\"status\":\"working\"}}", CLIENT,
			"~\"id\":4,\"error\":{\"code\":5020~a list into a task" },
		{ CLIENT, ID(5) "\"method\":\"tools/call\",\"params\":{\"name\":\"ok_a\",\"task\":{\"ttl\":1}}}",
			SERVER, NULL },
		{ SERVER, ID(5) "\"result\":{\"task\":{\"taskId\":\"t\",\"status\":\"working\"}}}", CLIENT, NULL },
		{ SERVER, ID(6) "\"method\":\"roots/list\",\"params\":{\"task\":{}}}", SERVER,
			ID(6) "\"result\":{\"roots\":[]}}" },
		{ SERVER, ID(7) "\"method\":\"sampling/createMessage\",\"params\":{\"messages\":[],\"task\":{}}}",
			CLIENT, NULL },
		{ CLIENT, ID(7) "\"result\":{\"task\":{\"taskId\":\"u\"}}}", SERVER, NULL },
	};
	_cleanup_stage_ struct stage s = { 0 };

	start(&s, true, "/src");
	PLAY(&s, steps);
	end(&s);
}

static void capabilities_that_list_tools_without_names_are_refused(void **state)
{
#define HELLO(id)	   ID(id) "\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-06-18\"}}"
#define CAPABLE(id, tools) ID(id) "\"result\":{\"capabilities\":{\"tools\":" tools "}}}"
	static const struct step steps[] = {
		{ CLIENT, HELLO(1), SERVER, NULL },
		{ SERVER, CAPABLE(1, "[{\"name\":\"rm\"}]"), CLIENT,
			"~\"id\":1,\"error\":{\"code\":5020~capabilities.tools" },
		{ CLIENT, HELLO(2), SERVER, NULL },
		{ SERVER, CAPABLE(2, "{\"list\":[{\"name\":\"rm\"}]}"), CLIENT,
			"~\"id\":2,\"error\":{\"code\":5020~capabilities.tools" },
		{ CLIENT, HELLO(3), SERVER, NULL },
		{ SERVER, CAPABLE(3, "[]"), CLIENT, NULL },
	};
	_cleanup_stage_ struct stage s = { 0 };

	start(&s, false, NULL);
	PLAY(&s, steps);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_handshake_offers_only_what_is_allowed_and_is_recorded),
		cmocka_unit_test(what_the_server_may_not_ask_is_answered_in_its_own_way),
		cmocka_unit_test(what_the_server_may_ask_reaches_the_client_and_roots_are_filtered),
		cmocka_unit_test(resources_and_prompts_are_listed_and_read_by_their_rules),
		cmocka_unit_test(of_a_denied_resource_the_log_knows_which_and_no_password),
		cmocka_unit_test(the_modern_era_needs_no_handshake_and_has_its_own_answers),
		cmocka_unit_test(a_retry_with_answers_carries_only_granted_roots),
		cmocka_unit_test(keys_that_imitate_the_protocols_in_a_retry_are_refused),
		cmocka_unit_test(a_subscription_is_not_hidden_by_the_case_of_its_key),
		cmocka_unit_test(a_retry_with_a_crowd_of_answers_is_filtered_in_one_go),
		cmocka_unit_test(of_two_tools_of_one_name_only_the_first_is_listed),
		cmocka_unit_test(a_tool_is_not_shadowed_by_a_later_page_and_is_free_in_the_next_list),
		cmocka_unit_test(the_schema_that_counts_is_that_of_the_tool_that_was_listed),
		cmocka_unit_test(nothing_that_is_filtered_becomes_a_task),
		cmocka_unit_test(capabilities_that_list_tools_without_names_are_refused),
		cmocka_unit_test(arguments_and_results_are_judged_by_the_tools_schema),
		cmocka_unit_test(a_crowd_of_listed_tools_keeps_nobody_waiting),
		cmocka_unit_test(tasks_progress_and_cancellation_pass),
		cmocka_unit_test(too_many_requests_are_told_so_and_cancelled_ones_make_room),
	};

	return cmocka_run_group_tests_name("conversations through the shim", tests, NULL, NULL);
}
