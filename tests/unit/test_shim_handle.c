/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_shim_handle - what becomes of each message of either side: what the client hears, what the server hears, and
 * what is recorded of it
 */
#include "tests/unit/shim_play.h"
#include <errno.h>
#include <signal.h>
#include "shim/answers.h"

static struct shim_rule no_b[] = { { false, WORDS("b*"), WORDS("p:1 (deny)") } };

static struct desk *desk_plain(void)
{
	struct shim_config c = { .name = WORDS("demo") };

	c.scope[SHIM_TOOLS] = c.scope[SHIM_PROMPTS] = c.scope[SHIM_RESOURCES] =
		(struct shim_rules){ false, NULL, no_b, ARRAY_LEN(no_b) };
	return desk_new(&c);
}

#define CALL(id, tool) ID(id) "\"method\":\"tools/call\",\"params\":{\"name\":\"" tool "\"}}"

static void what_is_allowed_passes_and_its_answer_once(void **state)
{
	_cleanup_desk_ struct desk *t = desk_plain();

	PLAY(t, { C, CALL(1, "a"), NULL, "=", "tool.call allow" },
		{ S, ID(1) "\"result\":{\"content\":[]}}", "=", NULL, "tool.result - ok" },
		{ S, ID(1) "\"result\":{\"content\":[]}}", NULL, NULL,
			"response.unmatched drop it answers no request that is in flight" },
		{ C, CALL(1, "a"), NULL, "=", "tool.call allow" },
		{ S, ID("1") "\"result\":{}}", NULL, NULL, "response.unmatched drop" },
		{ S, ID(1) "\"result\":{\"isError\":true}}", "=", NULL, "tool.result - isError" },
		{ C, CALL("x", "a"), NULL, "=", "tool.call allow" },
		{ S, ID("x") "\"error\":{\"code\":1,\"message\":\"\"}}", "=", NULL, "tool.result - error" },
		{ C, J "\"method\":\"notifications/initialized\"}", NULL, "=", NULL },
		{ S, J "\"method\":\"notifications/message\",\"params\":{}}", "=", NULL, NULL });
	assert_int_equal(t->s.calls.n, 0);
}

static void the_hash_of_arguments_is_under_the_salt_of_the_session(void **state)
{
	static const char args[] = "{\"a\":1}";
	struct shim_config c = { .name = WORDS("demo"), .args = SHIM_ARGS_HASH, .salt = "0123456789abcde" };
	_cleanup_desk_ struct desk *t = desk_new(&c);
	uint8_t want[BLAKE2S_BYTES];
	char hex[2 * BLAKE2S_BYTES + 1];
	struct event e;

	blake2s(c.salt, sizeof(c.salt), args, sizeof(args) - 1, want);
	for (size_t i = 0; i < sizeof(want); i++)
		snprintf(hex + 2 * i, 3, "%02x", want[i]);
	assert_int_equal(
		give(t, C, ID(1) "\"method\":\"tools/call\",\"params\":{\"name\":\"a\",\"arguments\":{\"a\":1}}}"), 0);
	assert_true(recorded(t, &e));
	assert_string_equal(e.arg_hash, hex);
}

static void what_is_denied_is_answered_and_never_heard_of(void **state)
{
	_cleanup_desk_ struct desk *t = desk_plain();

	PLAY(t,
		{ C, CALL(1, "b1"), "~\"id\":1,\"result\":~isError\":true~tool 'b1' denied by p:1 (deny)~Only a person",
			NULL, "tool.call deny" },
		{ C, ID(2) "\"method\":\"prompts/get\",\"params\":{\"name\":\"bb\"}}",
			"~\"id\":2,\"error\":~4030~prompt 'bb'", NULL, "request deny" },
		{ C, ID(3) "\"method\":\"made/up\"}", "~\"id\":3,\"error\":{\"code\":-32601~'made/up'", NULL,
			"request deny" },
		{ C, ID(4) "\"method\":\"tools/call\",\"params\":{\"name\":\"b\",\"task\":{}}}",
			"~\"id\":4,\"error\":~4030", NULL, "tool.call deny" },
		{ C, J "\"method\":\"made/up\"}", NULL, NULL, "notification drop" },
		{ S, J "\"method\":\"made/up\"}", NULL, NULL, "notification drop" },
		{ S, J "\"method\":\"notifications/resources/updated\",\"params\":{\"uri\":\"b:x\"}}", NULL, NULL,
			"notification drop" });
	assert_int_equal(t->s.calls.n, 0);
}

static void what_has_no_single_meaning_is_refused_where_it_can_be_answered(void **state)
{
	_cleanup_desk_ struct desk *t = desk_plain();

	PLAY(t,
		{ C, ID(1) "\"method\":\"ping\",\"id\":2}", NULL, NULL,
			"message.refused drop an object has the same key" },
		{ C, "{\"id\":7,\"method\":\"m\",\"x\":",
			"~\"id\":7,\"error\":~4000~not passed on: it is not valid JSON", NULL,
			"message.refused drop it is not valid JSON" },
		{ C, "[]", NULL, NULL, "message.refused drop it is not a JSON object" },
		{ C, ID(8) "\"method\":\"ping\",\"extra\":1}", "~\"id\":8,\"error\":~4000~its keys are not exactly",
			NULL, "message.refused drop its keys" },
		{ C, ID(9) "\"method\":\"tools/call\",\"params\":{\"Name\":\"a\"}}",
			"~\"id\":9,\"error\":~4000~upper and lower case", NULL, "message.refused drop a key differs" },
		{ C, ID(9) "\"method\":\"tools/call\",\"params\":{}}", "~\"id\":9,\"error\":~4000", NULL,
			"message.refused drop" },
		/* To some readers these are requests, and the client waits. */
		{ C, ID(10) "\"Method\":\"ping\",\"Params\":{}}", "~\"id\":10,\"error\":~4000~its keys are not exactly",
			NULL, "message.refused drop its keys" },
		{ C, ID(11) "\"\\u006dethod\":\"ping\",\"x\":1}", "~\"id\":11,\"error\":~4000", NULL,
			"message.refused drop its keys" },
		{ S, ID(5) "\"Result\":{}}", NULL, NULL, "message.refused drop its keys" },
		/* What is no request gets no answer. */
		{ C, "{\"id\":7,\"result\":", NULL, NULL, "message.refused drop it is not valid JSON" },
		/* Under an id that is in flight an error would be the answer to that. */
		{ C, CALL(5, "a"), NULL, "=", "tool.call allow" },
		{ C, CALL(5, "a"), NULL, NULL, "message.refused drop its id is that of a request" },
		{ C, "{\"id\":5,\"method\":\"m\",", NULL, NULL, "message.refused drop it is not valid JSON" },
		{ C, "{\"id\":1.5,\"method\":\"m\",", NULL, NULL, "message.refused drop" },
		{ C, J "\"method\":\"notifications/cancelled\",\"params\":{\"RequestId\":5}}", NULL, NULL,
			"message.refused drop a key differs" },
		{ S, "{\"method\":\"m\",\"id\":3,", NULL, "~\"id\":3,\"error\":~4000", "message.refused drop" });
}

static void a_refused_answer_becomes_an_error_for_what_was_asked(void **state)
{
	_cleanup_desk_ struct desk *t = desk_plain();

	PLAY(t, { C, CALL(1, "a"), NULL, "=", "tool.call allow" },
		{ S, ID(1) "\"result\":{\"Content\":[]}}",
			"~\"id\":1,\"error\":~5020~the server's answer was not passed on: a key", NULL,
			"tool.result - refused" },
		{ C, ID(2) "\"method\":\"tools/list\"}", NULL, "=", "request allow" },
		{ S, ID(2) "\"result\":{\"tools\":{}}}", "~\"id\":2,\"error\":~5020~its list is not an array", NULL,
			"response - refused" },
		{ C, ID(3) "\"method\":\"tools/list\"}", NULL, "=", "request allow" },
		{ S, ID(3) "\"result\":{\"task\":{\"taskId\":\"t\"}}}", "~5020~makes a list into a task", NULL,
			"response - refused" },
		{ C, ID(4) "\"method\":\"ping\"}", NULL, "=", "request allow" },
		{ S, ID(4) "\"result\":{\"inputRequests\":{}}}", "~5020~asks for input where", NULL,
			"response - refused" },
		{ C, CALL(5, "a"), NULL, "=", "tool.call allow" },
		{ S, ID(5) "\"result\":{\"inputRequests\":[]}}", "~5020~inputRequests are not an object", NULL,
			"tool.result - refused" },
		{ C, CALL(6, "a"), NULL, "=", "tool.call allow" },
		{ S, ID(6) "\"result\":{\"inputRequests\":{\"x\":{\"method\":\"tools/call\"}}}}",
			"~5020~is of no known method", NULL, "tool.result - refused" },
		{ C, ID(7) "\"method\":\"initialize\"}", NULL, "=", "request allow" },
		{ S, ID(7) "\"result\":{\"capabilities\":{\"tools\":[{}]}}}", "~5020~means nothing in that form", NULL,
			"response - refused" },
		{ C, CALL(8, "a"), NULL, "=", "tool.call allow" },
		{ S, "{\"id\":8,\"result\":{\"x\":", "~\"id\":8,\"error\":~5020~it is not valid JSON", NULL,
			"tool.result - refused" });
	assert_int_equal(t->s.calls.n, 0);
}

#define INPUT(id, method)                                                                                              \
	ID(id) "\"result\":{\"inputRequests\":{\"x\":{\"method\":\"" method "\"}},\"resultType\":\"input_required\"}}"

static void what_the_server_may_not_ask_it_cannot_ask_in_a_result_either(void **state)
{
	_cleanup_desk_ struct desk *t = desk_plain();

	PLAY(t, { C, CALL(1, "a"), NULL, "=", "tool.call allow" },
		{ S, INPUT(1, "sampling/createMessage"),
			"~\"id\":1,\"result\":~isError~asked the client for 'sampling/createMessage'", NULL,
			"tool.result - denied" },
		{ C, ID(2) "\"method\":\"prompts/get\",\"params\":{\"name\":\"a\"}}", NULL, "=", "request allow" },
		{ S, INPUT(2, "elicitation/create"), "~\"id\":2,\"error\":~4030", NULL, "response - denied" });
	assert_int_equal(t->s.calls.n, 0);
	t->s.config.client.sampling.on = true;
	PLAY(t, { C, CALL(3, "a"), NULL, "=", "tool.call allow" },
		{ S, INPUT(3, "sampling/createMessage"), "=", NULL, "tool.result - input_required" });
}

#define FORM(id, message, fields)                                                                                      \
	ID(id)                                                                                                         \
	"\"method\":\"elicitation/create\",\"params\":{\"message\":\"" message                                         \
	"\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{" fields "}}}}"
#define NAMED	     "The server 'demo' asks: "
#define DECLINED(id) ID(id) "\"result\":{\"action\":\"decline\"}}"

static void a_form_bears_the_servers_name_and_never_asks_for_a_secret(void **state)
{
	_cleanup_desk_ struct desk *t = desk_plain();

	t->s.config.client.elicitation.on = true;
	PLAY(t, { C, ID(0) "\"method\":\"initialize\"}", NULL, "=", "request allow" },
		{ S, FORM(1, "Which branch?", "\"branch\":{\"type\":\"string\"}"),
			FORM(1, NAMED "Which branch?", "\"branch\":{\"type\":\"string\"}"), NULL, "request allow" },
		{ S, FORM(2, "How many?", "\"max_tokens\":{\"type\":\"integer\"}"),
			FORM(2, NAMED "How many?", "\"max_tokens\":{\"type\":\"integer\"}"), NULL, "request allow" },
		{ S, FORM(3, "Hello", "\"dbPassword\":{\"type\":\"string\"}"), NULL, DECLINED(3),
			"request deny a field or the message" },
		{ S, FORM(4, "Hello", "\"x\":{\"type\":\"string\",\"format\":\"password\"}"), NULL, DECLINED(4),
			"request deny" },
		{ S, FORM(5, "Hello", "\"x\":{\"title\":\"Your API key\"}"), NULL, DECLINED(5), "request deny" },
		{ S, FORM(6, "Enter your Pass\\u0077ord", "\"x\":{\"type\":\"string\"}"), NULL, DECLINED(6),
			"request deny" },
		{ S, FORM(7, "Hello", "\"x\":{\"Description\":\"Your password\"}"), NULL, "~\"id\":7,\"error\":~-32602",
			"request deny a key of its form" },
		{ S, ID(8) "\"method\":\"elicitation/create\",\"params\":{}}", NULL, "~\"id\":8,\"error\":~-32602",
			"request deny it has no message" });
}

static void a_form_for_a_secret_is_known_however_it_is_written(void **state)
{
	static const struct {
		const char *message, *more; /* of the schema */
		bool declined;
	} cases[] = {
		{ "Pay", "\"properties\":{\"card_number\":{\"type\":\"integer\",\"title\":\"Credit card\"}}", true },
		{ "Pay", "\"properties\":{\"n\":{\"type\":\"integer\",\"description\":\"your card number\"}}", true },
		{ "Pay", "\"properties\":{\"cvv\":{\"type\":\"number\"}}", true },
		{ "Hi", "\"properties\":{\"x\":{\"type\":\"string\",\"title\":\"Pass\\u200bword\"}}", true },
		{ "Hi", "\"properties\":{\"x\":{\"type\":\"string\",\"title\":\"\\uff30assword\"}}", true },
		{ "Hi", "\"properties\":{\"x\":{\"type\":\"string\",\"title\":\"P\\u0430ssw\\u043erd\"}}", true },
		{ "Your p\\u0430ss-word, please", "\"properties\":{}", true },
		{ "Hi", "\"properties\":{\"api-Key\":{\"type\":\"string\"}}", true },
		{ "Hi", "\"properties\":{\"userPin\":{\"type\":\"string\"}}", true },
		{ "Hi", "\"properties\":{\"x\":{\"type\":\"string\",\"title\":\"PIN\"}}", true },
		{ "Hi", "\"properties\":{\"otp\":{\"type\":\"integer\"}}", true },
		{ "Please enter the PIN.", "\"properties\":{}", true },
		{ "Hi", "\"properties\":{\"passkey\":{\"type\":\"string\"}}", true },
		{ "Hi", "\"allOf\":[{\"properties\":{\"password\":{\"type\":\"string\"}}}]", true },
		{ "Hi", "\"properties\":{\"a\":{\"type\":\"object\",\"properties\":{\"password\":{}}}}", true },
		{ "Hi",
			"\"properties\":{\"shipping\":{\"type\":\"string\",\"description\":\"which commit to pin\"},"
			"\"max_tokens\":{\"type\":\"integer\",\"description\":\"secrets to keep\"},"
			"\"keep_password\":{\"type\":\"boolean\"}}",
			false },
		{ "Hi",
			"\"properties\":{\"n\":{\"type\":\"integer\",\"description\":\"any (not your phone number, "
			"pin, or the "
			"like)\"}}",
			false },
		{ "Pin your opinion on a topic, then spin", "\"properties\":{}", false },
		/* A word beside it says that a pin is none. */
		{ "Hi",
			"\"properties\":{\"pin_message\":{\"type\":\"string\"},\"pinned\":{\"type\":\"string\"},"
			"\"pins\":{\"type\":\"integer\"},\"pinBoard\":{\"type\":\"string\"},"
			"\"gpio-pin\":{\"type\":\"integer\"},\"x\":{\"title\":\"Pin this message to\"},"
			"\"y\":{\"title\":\"Pin the posts\",\"description\":\"the colour of your pin marker\"}}",
			false },
		{ "Choose the board for your pin board", "\"properties\":{}", false },
		{ "Hi", "\"properties\":{\"pin\":{\"type\":\"integer\"}}", true },
		{ "Hi", "\"properties\":{\"pin\":{\"type\":\"string\",\"maxLength\":8}}", true },
		{ "Hi", "\"properties\":{\"pin_code\":{\"type\":\"string\"}}", true },
		{ "Hi", "\"properties\":{\"x\":{\"title\":\"PIN the bank sent to you\"}}", true },
		{ "Hi", "\"properties\":{\"x\":{\"title\":\"Message with the PIN\"}}", true },
		{ "Hi", "\"properties\":{\"x\":{\"title\":\"Pin the\"}}", true },
		{ "Hi", "\"properties\":{\"map_pin\":{},\"user_pin\":{}}", true },
		{ "The pin board: enter your PIN", "\"properties\":{}", true },
	};
	_cleanup_desk_ struct desk *t = desk_plain();

	t->s.config.client.elicitation.on = true;
	assert_int_equal(give(t, C, ID(0) "\"method\":\"initialize\"}"), 0);
	forget(t);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char line[1024];
		snprintf(line, sizeof(line),
			ID(1) "\"method\":\"elicitation/create\",\"params\":{\"message\":\"%s\",\"requestedSchema\":{"
			      "\"type\":\"object\",%s}}}",
			cases[i].message, cases[i].more);
		assert_int_equal(give(t, S, line), 0);
		bool declined = strstr(got(t, t->server), "\"decline\"") != NULL;
		if (declined != cases[i].declined)
			fail_msg("%s {%s} is %s", cases[i].message, cases[i].more, declined ? "declined" : "passed");
		if (!declined)
			assert_int_equal(give(t, C, ID(1) "\"result\":{\"action\":\"cancel\"}}"), 0);
		forget(t);
	}
}

#define INPUT_FORM(id, message)                                                                                        \
	ID(id)                                                                                                         \
	"\"result\":{\"resultType\":\"input_required\",\"inputRequests\":{\"a\":{\"method\":\"elicitation/create\","   \
	"\"params\":{\"message\":\"" message "\"}}}}}"

static void an_input_request_bears_the_servers_name_and_never_asks_for_a_secret(void **state)
{
	_cleanup_desk_ struct desk *t = desk_plain();

	t->s.config.client.elicitation.on = true;
	PLAY(t, { C, CALL(1, "a"), NULL, "=", "tool.call allow" },
		{ S, INPUT_FORM(1, "Which?"), INPUT_FORM(1, NAMED "Which?"), NULL, "tool.result - input_required" },
		{ C, CALL(2, "a"), NULL, "=", "tool.call allow" },
		{ S, INPUT_FORM(2, "Your password?"), "~\"id\":2,\"result\":~isError~forms never ask for secrets", NULL,
			"tool.result - denied" });
}

static void a_servers_request_is_told_no_in_the_way_of_its_kind(void **state)
{
	_cleanup_desk_ struct desk *t = desk_plain();

	PLAY(t, { C, ID(0) "\"method\":\"initialize\"}", NULL, "=", "request allow" },
		{ S, ID(1) "\"method\":\"sampling/createMessage\",\"params\":{}}", NULL,
			"~\"id\":1,\"error\":~\"code\":-1~demo", "request deny" },
		{ S, ID(2) "\"method\":\"elicitation/create\",\"params\":{}}", NULL,
			"{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"action\":\"decline\"}}", "request deny" },
		{ S, ID(3) "\"method\":\"roots/list\"}", NULL,
			"{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{\"roots\":[]}}", "request deny" },
		{ S, ID(4) "\"method\":\"tools/call\",\"params\":{\"name\":\"a\"}}", NULL,
			"~\"id\":4,\"error\":~-32601", "request deny" },
		{ S, ID(5) "\"method\":\"ping\"}", "=", NULL, "request allow" },
		{ S, ID(5) "\"method\":\"ping\"}", NULL, NULL, "message.refused drop its id" },
		{ C, ID(5) "\"result\":{\"Content\":1}}", NULL, "~\"id\":5,\"error\":~5020~the client's answer",
			"response - refused" },
		{ S, ID(6) "\"method\":\"ping\"}", "=", NULL, "request allow" },
		{ C, ID(6) "\"result\":{}}", NULL, "=", "response - ok" },
		{ C, ID(6) "\"result\":{}}", NULL, NULL, "response.unmatched drop" });
	assert_int_equal(t->s.asks.n, 0);
}

static void roots_that_the_client_answers_are_those_that_are_granted(void **state)
{
	_cleanup_desk_ struct desk *t = desk_plain();

	assert_int_equal(strv_add(&t->s.config.roots, "/home/u"), 0);
	PLAY(t,
		{ C, ID(0) "\"method\":\"initialize\",\"params\":{\"capabilities\":{\"sampling\":{},\"roots\":{}}}}",
			NULL, ID(0) "\"method\":\"initialize\",\"params\":{\"capabilities\":{\"roots\":{}}}}",
			"request allow" },
		{ S, ID(1) "\"method\":\"roots/list\"}", "=", NULL, "request allow" },
		{ C, ID(1) "\"result\":{\"roots\":[{\"uri\":\"file:///etc\"},{\"uri\":\"file:///home/u\"}]}}", NULL,
			ID(1) "\"result\":{\"roots\":[{\"uri\":\"file:///home/u\"}]}}", "response - ok" },
		{ S, ID(2) "\"method\":\"roots/list\"}", "=", NULL, "request allow" },
		{ C, ID(2) "\"result\":{\"roots\":[{\"uri\":\"file:///home/u\"}]}}", NULL, "=", "response - ok" },
		{ C,
			ID(3) "\"method\":\"tools/call\",\"params\":{\"name\":\"a\",\"inputResponses\":{\"k\":{"
			      "\"roots\":[{\"uri\":\"file:///etc\"}]}}}}",
			NULL,
			ID(3) "\"method\":\"tools/call\",\"params\":{\"name\":\"a\",\"inputResponses\":{\"k\":{"
			      "\"roots\":[]}}}}",
			"tool.call allow" });
}

static void of_roots_that_are_not_granted_the_log_knows_how_many(void **state)
{
	static const char *const says[] = { ID(1) "\"result\":{\"roots\":[{\"uri\":\"file:///etc\"}]}}",
		ID(3) "\"method\":\"tools/call\",\"params\":{\"name\":\"a\",\"inputResponses\":{\"k\":{\"roots\":[{"
		      "\"uri\":\"file:///etc\"}]}}}}" };
	_cleanup_desk_ struct desk *t = desk_plain();

	assert_int_equal(strv_add(&t->s.config.roots, "/home/u"), 0);
	assert_int_equal(give(t, C, ID(0) "\"method\":\"initialize\"}"), 0);
	assert_int_equal(give(t, S, ID(1) "\"method\":\"roots/list\"}"), 0);
	for (size_t i = 0; i < ARRAY_LEN(says); i++) {
		struct event e, hidden = { 0 };
		uint64_t id = 0;
		forget(t);
		assert_int_equal(give(t, C, says[i]), 0);
		while (recorded(t, &e)) {
			id = e.call_id;
			hidden = e.type == EVENT_LIST_FILTERED ? e : hidden;
		}
		assert_int_equal(hidden.count, 1);
		assert_int_equal(hidden.side, EVENT_FROM_CLIENT);
		assert_int_equal(hidden.call_id, id);
	}
}

static void each_era_has_its_own_methods(void **state)
{
	_cleanup_desk_ struct desk *t = desk_plain();

	PLAY(t,
		{ C, ID(1) "\"method\":\"ping\",\"params\":{" MODERN "}}",
			"~\"id\":1,\"error\":{\"code\":-32601~names has no such method", NULL,
			"request deny the protocol version" },
		{ C, ID(2) "\"method\":\"tools/call\",\"params\":{\"name\":\"b\"," MODERN "}}",
			"~isError~resultType\":\"complete", NULL, "tool.call deny" },
		{ S, ID(3) "\"method\":\"ping\"}", NULL, "~\"id\":3,\"error\":{\"code\":-32601",
			"request deny in the client's protocol" },
		{ C, J "\"method\":\"notifications/initialized\"}", NULL, NULL,
			"notification drop the client's protocol version" },
		{ C, ID(4) "\"method\":\"ping\"}", NULL, "=", "request allow" },
		{ S, ID(3) "\"method\":\"ping\"}", "=", NULL, "request allow" },
		{ C, J "\"method\":\"notifications/initialized\"}", NULL, "=", NULL });
}

static void both_sides_say_once_who_they_are(void **state)
{
	_cleanup_desk_ struct desk *t = desk_plain();
	struct event e;
	unsigned hellos = 0;

	assert_int_equal(give(t, C,
				 ID(1) "\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\","
				       "\"clientInfo\":{"
				       "\"name\":\"editor\\u001b\",\"version\":\"9\"}}}"),
		0);
	assert_true(recorded(t, &e));
	assert_int_equal(e.type, EVENT_HELLO);
	assert_string_equal(e.peer_name, "editor\\\\u001b");
	assert_string_equal(e.peer_version, "9");
	assert_string_equal(e.protocol, "2025-11-25");
	forget(t);
	assert_int_equal(give(t, S,
				 ID(1) "\"result\":{\"protocolVersion\":\"2025-06-18\",\"serverInfo\":{\"name\":\"s\","
				       "\"version\":"
				       "\"1\"},\"capabilities\":{\"tools\":{\"b\":{}}}}}"),
		0);
	assert_true(recorded(t, &e));
	assert_int_equal(e.type, EVENT_SERVER_HELLO);
	assert_string_equal(e.peer_name, "s");
	assert_string_equal(e.protocol, "2025-06-18");
	assert_true(recorded(t, &e));
	assert_int_equal(e.type, EVENT_LIST_FILTERED);
	assert_int_equal(e.count, 1);
	assert_non_null(strstr(got(t, t->client), "\"tools\":{\"listChanged\":true}"));
	forget(t);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(give(t, C,
					 i ? ID(3) "\"method\":\"tools/list\",\"params\":{" MODERN "}}"
					   : ID(2) "\"method\":\"tools/list\",\"params\":{" MODERN "}}"),
			0);
		while (recorded(t, &e))
			hellos += e.type == EVENT_HELLO && strcmp(e.protocol, "2026-07-28") == 0;
	}
	assert_int_equal(hellos, 1);
}

static void of_a_list_that_was_cut_the_log_knows_how_much(void **state)
{
	_cleanup_desk_ struct desk *t = desk_plain();
	struct event e;

	assert_int_equal(give(t, C, ID(1) "\"method\":\"tools/list\"}"), 0);
	forget(t);
	assert_int_equal(
		give(t, S, ID(1) "\"result\":{\"tools\":[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"a\"}]}}"), 0);
	assert_true(recorded(t, &e));
	assert_int_equal(e.type, EVENT_LIST_FILTERED);
	assert_int_equal(e.count, 2);
	assert_string_equal(e.method, "tools/list");
	assert_string_equal(e.reason,
		"the list has the name or uri of 1 of them already, or as many others as may be, and the first stay");
	assert_true(recorded(t, &e));
	assert_string_equal(e.status, "ok");
	assert_string_equal(got(t, t->client), ID(1) "\"result\":{\"tools\":[{\"name\":\"a\"}]}}\n");
	/* A page after the first is one because its request says so. */
	assert_int_equal(give(t, C, ID(2) "\"method\":\"tools/list\"}"), 0);
	assert_int_equal(give(t, S, ID(2) "\"result\":{\"tools\":[{\"name\":\"a\"}],\"nextCursor\":\"n\"}}"), 0);
	assert_int_equal(give(t, C, ID(3) "\"method\":\"tools/list\",\"params\":{\"cursor\":\"n\"}}"), 0);
	forget(t);
	assert_int_equal(give(t, S, ID(3) "\"result\":{\"tools\":[{\"name\":\"a\",\"v\":2}]}}"), 0);
	assert_string_equal(got(t, t->client), ID(3) "\"result\":{\"tools\":[]}}\n");
}

static void too_many_requests_are_told_so_and_cancelled_ones_make_room(void **state)
{
	_cleanup_desk_ struct desk *t = desk_plain();
	char text[256];

	for (int i = 0; i < SHIM_INFLIGHT_MAX; i++) {
		snprintf(text, sizeof(text), J "\"id\":%d,\"method\":\"ping\"}", 100 + i);
		assert_int_equal(give(t, C, text), 0);
		forget(t);
	}
	PLAY(t,
		{ C, CALL(1, "a"), "~\"id\":1,\"result\":~isError~too many requests~Retry after 1 s", NULL,
			"tool.call deny too many" },
		{ C, ID(2) "\"method\":\"ping\"}", "~\"id\":2,\"error\":~4290", NULL, "request deny too many" },
		{ C, J "\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":107}}", NULL, "=", NULL },
		{ C, ID(3) "\"method\":\"ping\"}", NULL, "=", "request allow" },
		{ S, ID(107) "\"result\":{}}", NULL, NULL, "response.unmatched drop" },
		{ S, ID(3) "\"result\":{}}", "=", NULL, "response - ok" });
	assert_int_equal(t->s.calls.n, SHIM_INFLIGHT_MAX - 1);
}

static void who_cancels_cancels_its_own_requests(void **state)
{
	_cleanup_desk_ struct desk *t = desk_plain();

	PLAY(t, { C, ID(1) "\"method\":\"ping\"}", NULL, "=", "request allow" },
		{ S, ID(1) "\"method\":\"ping\"}", "=", NULL, "request allow" },
		{ S, J "\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":1}}", "=", NULL, NULL });
	assert_false(pending_find(&t->s.calls, slice_of("1"))->cancelled);
	assert_true(pending_find(&t->s.asks, slice_of("1"))->cancelled);
	PLAY(t, { C, J "\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":1}}", NULL, "=", NULL });
	assert_true(pending_find(&t->s.calls, slice_of("1"))->cancelled);
	PLAY(t, { C, ID(3) "\"method\":\"ping\"}", NULL, "=", "request allow" },
		{ S, J "\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":3}}", "=", NULL, NULL });
	assert_false(pending_find(&t->s.calls, slice_of("3"))->cancelled);
	PLAY(t, { C, J "\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":3}}", NULL, "=", NULL },
		{ S, ID(3) "\"result\":{\"Content\":1}}", NULL, NULL, "response - refused" });
	/* A subscription is the client's request, and the server may end it. */
	PLAY(t,
		{ C, ID(2) "\"method\":\"subscriptions/listen\",\"params\":{\"notifications\":{}," MODERN "}}", NULL,
			"=", "request allow" },
		{ S, J "\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":2}}", "=", NULL, NULL });
	assert_true(pending_find(&t->s.calls, slice_of("2"))->cancelled);
	/* Nobody waits for the answers any more: they end without one. */
	assert_int_equal(handle_abandon(&t->s, "over", "over"), 0);
	assert_string_equal(got(t, t->client), "");
}

static void an_id_that_was_given_up_and_is_used_again_has_one_answer(void **state)
{
	_cleanup_desk_ struct desk *t = desk_plain();

	PLAY(t, { C, CALL(1, "a"), NULL, "=", "tool.call allow" },
		{ C, CALL(1, "b"), NULL, NULL, "message.refused drop its id is that of" },
		{ C, J "\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":1}}", NULL, "=", NULL },
		{ C, CALL(1, "b"), "~\"id\":1,\"error\":~no answer yet", NULL, "tool.result - cancelled" },
		{ C, CALL(1, "c"), "~\"id\":1,\"error\":~no answer yet", NULL, "message.refused" },
		/* What answers the first would be a third answer under that id. */
		{ S, ID(1) "\"result\":{\"content\":[]}}", NULL, NULL,
			"response.unmatched drop the call was given up" },
		{ C, CALL(1, "d"), NULL, "=", "tool.call allow" },
		{ S, ID(1) "\"result\":{\"content\":[]}}", "=", NULL, "tool.result - ok" });
}

static void what_is_in_flight_is_answered_in_the_end(void **state)
{
	_cleanup_desk_ struct desk *t = desk_plain();
	struct event e;

	assert_int_equal(give(t, C, CALL(1, "a")), 0);
	assert_int_equal(give(t, C, CALL("1", "a")), 0);
	forget(t);
	assert_int_equal(handle_abandon(&t->s, "stockade: the server died", "server died"), 0);
	const char *all = got(t, t->client);
	assert_non_null(strstr(all, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":5030,\"message\":\"stockade: "
				    "the server died\"}}\n"));
	assert_non_null(strstr(all, "\"id\":\"1\",\"error\":{\"code\":5030"));
	for (int i = 0; i < 2; i++) {
		assert_true(recorded(t, &e));
		assert_int_equal(e.type, EVENT_RESULT);
		assert_string_equal(e.status, "server died");
	}
	assert_int_equal(t->s.calls.n, 0);
}

static void a_server_that_has_closed_its_input_is_no_longer_asked(void **state)
{
	_cleanup_desk_ struct desk *t = desk_plain();

	close(t->server);
	t->server = open("/dev/null", O_RDONLY | O_CLOEXEC);
	PLAY(t, { C, CALL(1, "a"), "~\"id\":1,\"error\":~5030~has closed its input", NULL,
			"tool.result - undelivered" });
	assert_int_equal(t->s.calls.n, 0);
}

static void nothing_passes_that_the_supervisor_did_not_take(void **state)
{
	_cleanup_desk_ struct desk *t = desk_plain();

	close(t->records);
	t->records = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(give(t, C, CALL(1, "a")) < 0);
	assert_true(give(t, C, CALL(2, "b")) < 0);
	assert_true(give(t, S, ID(3) "\"method\":\"ping\"}") < 0);
	assert_string_equal(got(t, t->client), "");
	assert_string_equal(got(t, t->server), "");
}

static void without_a_server_each_request_gets_the_reason(void **state)
{
	_cleanup_desk_ struct desk *t = desk_plain();

	snprintf(t->s.refusal, sizeof(t->s.refusal), "it waits");
	PLAY(t, { C, J "\"method\":\"notifications/initialized\"}", NULL, NULL,
			"notification drop the launch was not approved" });
	PLAY(t,
		{ C, ID(1) "\"method\":\"initialize\"}", "~\"id\":1,\"error\":~4030~it waits", NULL,
			"request deny the launch" },
		{ C, CALL(2, "a"), "~\"id\":2,\"result\":~isError\":true~it waits", NULL, "tool.call deny" });
}

static void lines_that_were_cut_or_torn_are_refused_in_words(void **state)
{
	_cleanup_desk_ struct desk *t = desk_plain();
	static const char torn[] = "{\"id\":4,\"method\":\"m\"}";

	assert_int_equal(handle_line(&t->s, C, LINES_TORN, (struct line){ torn, sizeof(torn) - 1 }), 0);
	assert_non_null(strstr(got(t, t->client), "it ends without a line feed"));
	skim_init(&t->s.from_client.skim);
	skim_feed(&t->s.from_client.skim, torn, sizeof(torn) - 1);
	t->s.from_client.max = 12;
	assert_int_equal(handle_line(&t->s, C, LINES_TOO_LONG, (struct line){ NULL, 1000 }), 0);
	assert_non_null(strstr(got(t, t->client), "it is longer than 12 bytes"));
	assert_string_equal(got(t, t->server), "");
}

static void memory_goes_back_while_nothing_happens(void **state)
{
	_cleanup_desk_ struct desk *t = desk_plain();

	for (int i = 0; i < 200000; i++)
		assert_int_equal(buf_putc(&t->s.edited, 'x'), 0);
	shim_trim(&t->s);
	assert_int_equal(t->s.edited.cap, 0);
	assert_int_equal(buf_puts(&t->s.edited, "small"), 0);
	shim_trim(&t->s);
	assert_true(t->s.edited.cap > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_allowed_passes_and_its_answer_once),
		cmocka_unit_test(the_hash_of_arguments_is_under_the_salt_of_the_session),
		cmocka_unit_test(what_is_denied_is_answered_and_never_heard_of),
		cmocka_unit_test(what_has_no_single_meaning_is_refused_where_it_can_be_answered),
		cmocka_unit_test(a_refused_answer_becomes_an_error_for_what_was_asked),
		cmocka_unit_test(what_the_server_may_not_ask_it_cannot_ask_in_a_result_either),
		cmocka_unit_test(a_form_bears_the_servers_name_and_never_asks_for_a_secret),
		cmocka_unit_test(a_form_for_a_secret_is_known_however_it_is_written),
		cmocka_unit_test(an_input_request_bears_the_servers_name_and_never_asks_for_a_secret),
		cmocka_unit_test(a_servers_request_is_told_no_in_the_way_of_its_kind),
		cmocka_unit_test(roots_that_the_client_answers_are_those_that_are_granted),
		cmocka_unit_test(of_roots_that_are_not_granted_the_log_knows_how_many),
		cmocka_unit_test(each_era_has_its_own_methods),
		cmocka_unit_test(both_sides_say_once_who_they_are),
		cmocka_unit_test(of_a_list_that_was_cut_the_log_knows_how_much),
		cmocka_unit_test(too_many_requests_are_told_so_and_cancelled_ones_make_room),
		cmocka_unit_test(who_cancels_cancels_its_own_requests),
		cmocka_unit_test(an_id_that_was_given_up_and_is_used_again_has_one_answer),
		cmocka_unit_test(what_is_in_flight_is_answered_in_the_end),
		cmocka_unit_test(a_server_that_has_closed_its_input_is_no_longer_asked),
		cmocka_unit_test(nothing_passes_that_the_supervisor_did_not_take),
		cmocka_unit_test(without_a_server_each_request_gets_the_reason),
		cmocka_unit_test(lines_that_were_cut_or_torn_are_refused_in_words),
		cmocka_unit_test(memory_goes_back_while_nothing_happens),
	};

	/* As main has it. */
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("messages through the shim", tests, NULL, NULL);
}
