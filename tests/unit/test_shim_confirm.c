/* SPDX-License-Identifier: Apache-2.0 */
/* test_shim_confirm - calls that wait for a person: the test is client, server and the supervisor that asks */
#include "tests/unit/shim_unit.h"
#include <errno.h>
#include <string.h>
#include "shim/confirm.h"
#include "shim/define.h"
#include "wire/control.h"

#define J	       "{\"jsonrpc\":\"2.0\","
#define ID(id)	       J "\"id\":" #id ","
#define C	       EVENT_FROM_CLIENT
#define S	       EVENT_FROM_SERVER
#define CALL(id, args) ID(id) "\"method\":\"tools/call\",\"params\":{\"name\":\"put\",\"arguments\":" args "}}"
#define RULE	       "p:5 (tools.allow.confirm)"

enum { SECOND = 1000000 };

static struct meters_tool tools[] = { { .glob = WORDS("put"), .confirm = { 1, WORDS(RULE) } } };

static struct desk *desk_asking(void)
{
	const struct shim_config c = { .name = WORDS("demo"), .meters = { .tools = tools, .n = 1 } };
	struct desk *t = desk_new(&c);

	t->s.now_us = 1000 * (uint64_t)SECOND;
	return t;
}

/* The next thing the supervisor gets, which is a question or the end of one. */
static struct confirm asked(struct desk *t)
{
	struct confirm c;
	const char *bytes;
	size_t n;

	assert_true(desk_message(t, &bytes, &n));
	assert_int_equal(confirm_decode(bytes, n, &c), 0);
	return c;
}

static void expect_record(struct desk *t, enum event_type type, enum event_decision decision, const char *words)
{
	struct event e;

	assert_true(recorded(t, &e));
	assert_int_equal(e.type, type);
	assert_int_equal(e.decision, decision);
	if (words && !strstr(e.reason, words) && strcmp(e.status, words) != 0)
		fail_msg("'%s' is not in '%s'", words, e.reason);
}

static int answer(struct desk *t, uint64_t id, bool yes)
{
	struct control c = { .type = yes ? CONTROL_CONFIRMED : CONTROL_DECLINED, .call_id = id };

	snprintf(c.text, sizeof(c.text), "a person said no");
	return confirm_answer(&t->s, &c);
}

static void tell(struct desk *t, enum event_side side, const char *says)
{
	assert_int_equal(give(t, side, says), 0);
}

#define HAS(text, part)                                                                                                \
	do {                                                                                                           \
		const char *text_ = (text);                                                                            \
		if (!strstr(text_, part))                                                                              \
			fail_msg("'%s' is not in: %s", part, text_);                                                   \
	} while (0)
#define SILENT(t)                                                                                                      \
	do {                                                                                                           \
		assert_string_equal(got(t, (t)->client), "");                                                          \
		assert_string_equal(got(t, (t)->server), "");                                                          \
	} while (0)

static void a_call_waits_is_shown_whole_and_goes_on_with_a_yes(void **state)
{
	_cleanup_desk_ struct desk *t = desk_asking();
	struct confirm c;

	tell(t, C, CALL(1, "{ \"b\": 1.50, \"a\": \"x\\u0041\" }"));
	SILENT(t);
	c = asked(t);
	assert_int_equal(c.type, CONFIRM_ASK);
	assert_string_equal(c.tool, "put");
	assert_string_equal(c.rule, RULE);
	assert_int_equal(c.args_len, strlen("{\"b\":1.50,\"a\":\"xA\"}"));
	assert_memory_equal(c.args, "{\"b\":1.50,\"a\":\"xA\"}", c.args_len);
	assert_int_equal(answer(t, c.call_id, true), 0);
	assert_string_equal(got(t, t->server),
		ID(1) "\"method\":\"tools/"
		      "call\",\"params\":{\"name\":\"put\",\"arguments\":{\"b\":1.50,\"a\":\"xA\"}}}\n");
	expect_record(t, EVENT_CALL, EVENT_ALLOW, NULL);
	tell(t, S, ID(1) "\"result\":{\"content\":[]}}");
	HAS(got(t, t->client), "\"id\":1");
	/* A second answer finds nobody. */
	assert_int_equal(answer(t, c.call_id, true), 0);
	SILENT(t);
}

static void what_goes_along_with_the_arguments_is_shown_too(void **state)
{
	static const struct {
		const char *params, *shown;
	} cases[] = {
		{ "\"arguments\":{\"a\":1},\"inputResponses\":{\"k\":{\"to\":\"m\"}},\"requestState\":\"s\",\"odd\":["
		  "2]",
			"[{\"a\":1},{\"inputResponses\":{\"k\":{\"to\":\"m\"}},\"requestState\":\"s\",\"odd\":[2]}]" },
		{ "\"odd\":2", "[null,{\"odd\":2}]" },
		{ "\"arguments\":{\"a\":1},\"_meta\":{\"x\":1},\"task\":{}", "{\"a\":1}" },
		{ "\"_meta\":{}", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_desk_ struct desk *t = desk_asking();
		char line[512];
		snprintf(line, sizeof(line), ID(1) "\"method\":\"tools/call\",\"params\":{\"name\":\"put\",%s}}",
			cases[i].params);
		tell(t, C, line);
		struct confirm c = asked(t);
		if (c.args_len != strlen(cases[i].shown) ||
			(c.args_len && memcmp(c.args, cases[i].shown, c.args_len) != 0))
			fail_msg("%s: shown is %.*s", cases[i].params, (int)c.args_len, c.args);
	}
}

static void a_no_is_told_and_nothing_reaches_the_server(void **state)
{
	_cleanup_desk_ struct desk *t = desk_asking();
	uint64_t id;

	tell(t, C, CALL(1, "{}"));
	id = asked(t).call_id;
	assert_int_equal(answer(t, id, false), 0);
	const char *heard = got(t, t->client);
	HAS(heard, "\"id\":1,\"result\":");
	HAS(heard, "isError\":true");
	HAS(heard, "tool 'put' denied by " RULE ": a person said no");
	expect_record(t, EVENT_CALL, EVENT_DENY, "a person said no");
	SILENT(t);
	assert_int_equal(t->s.confirms.n, 0);
}

static void other_messages_pass_while_calls_wait(void **state)
{
	_cleanup_desk_ struct desk *t = desk_asking();
	uint64_t first, second;

	tell(t, C, CALL(1, "{\"n\":1}"));
	first = asked(t).call_id;
	tell(t, C, CALL(2, "{\"n\":2}"));
	second = asked(t).call_id;
	tell(t, C, ID(3) "\"method\":\"tools/list\"}");
	HAS(got(t, t->server), "tools/list");
	tell(t, S, ID(3) "\"result\":{\"tools\":[]}}");
	HAS(got(t, t->client), "\"id\":3");
	forget(t);
	assert_int_equal(answer(t, second, true), 0);
	HAS(got(t, t->server), "\"n\":2");
	assert_int_equal(answer(t, first, false), 0);
	HAS(got(t, t->client), "\"id\":1");
}

static void progress_is_sent_to_those_who_asked_for_it_and_time_ends_it(void **state)
{
	_cleanup_desk_ struct desk *t = desk_asking();
	struct confirm c;
	const char *heard;
	uint64_t id;

	tell(t, C,
		ID(1) "\"method\":\"tools/call\",\"params\":{\"name\":\"put\",\"_meta\":{\"progressToken\":\"tok\"}}}");
	id = asked(t).call_id;
	heard = got(t, t->client);
	HAS(heard, "\"method\":\"notifications/progress\",\"params\":{\"progressToken\":\"tok\",\"progress\":0.001,");
	if (strstr(heard, "approve"))
		fail_msg("a command in: %s", heard);
	for (int i = 2; i <= 10; i++) {
		char want[32];
		t->s.now_us = t->s.wake_us;
		assert_int_equal(shim_run_timers(&t->s), 0);
		snprintf(want, sizeof(want), "\"progress\":0.0%02d", i);
		HAS(got(t, t->client), want);
	}
	assert_int_equal(t->s.wake_us, 1050 * (uint64_t)SECOND);
	t->s.now_us = t->s.wake_us;
	assert_int_equal(shim_run_timers(&t->s), 0);
	heard = got(t, t->client);
	HAS(heard, "\"id\":1,\"result\":");
	HAS(heard, "nobody answered in time");
	c = asked(t);
	assert_int_equal(c.type, CONFIRM_WITHDRAW);
	assert_int_equal(c.call_id, id);
	expect_record(t, EVENT_CALL, EVENT_DENY, "nobody answered in time");
	assert_int_equal(t->s.wake_us, 0);
	/* The yes that was on its way then changes nothing. */
	assert_int_equal(answer(t, id, true), 0);
	SILENT(t);
}

static void without_a_token_there_is_no_progress(void **state)
{
	static const char *const calls[] = { CALL(1, "{}"),
		ID(2) "\"method\":\"tools/call\",\"params\":{\"name\":\"put\",\"_meta\":{\"progressToken\":{}}}}" };
	_cleanup_desk_ struct desk *t = desk_asking();

	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		tell(t, C, calls[i]);
		(void)asked(t);
	}
	for (int i = 0; i < 9; i++) {
		t->s.now_us = t->s.wake_us;
		assert_int_equal(shim_run_timers(&t->s), 0);
		SILENT(t);
	}
}

static void the_client_can_give_it_up(void **state)
{
	_cleanup_desk_ struct desk *t = desk_asking();
	uint64_t id;

	tell(t, C, CALL("a", "{}"));
	id = asked(t).call_id;
	tell(t, C, J "\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":\"a\"}}");
	/* Neither is told: the client asked for that, and the server never heard of the call. */
	SILENT(t);
	struct confirm c = asked(t);
	assert_int_equal(c.type, CONFIRM_WITHDRAW);
	assert_string_equal(c.status, "cancelled");
	expect_record(t, EVENT_CALL, EVENT_DENY, "the client cancelled it");
	assert_int_equal(answer(t, id, true), 0);
	SILENT(t);
}

static void the_server_cannot_answer_what_it_was_not_asked(void **state)
{
	_cleanup_desk_ struct desk *t = desk_asking();
	uint64_t id;

	tell(t, C, CALL(1, "{}"));
	id = asked(t).call_id;
	tell(t, S, ID(1) "\"result\":{\"content\":[]}}");
	expect_record(t, EVENT_UNMATCHED, EVENT_DROP, NULL);
	tell(t, S, "{\"id\":1,\"result\":{\"x\":");
	expect_record(t, EVENT_REFUSED, EVENT_DROP, NULL);
	SILENT(t);
	assert_int_equal(answer(t, id, true), 0);
	HAS(got(t, t->server), "\"id\":1");
}

static void its_id_is_taken_while_it_waits(void **state)
{
	_cleanup_desk_ struct desk *t = desk_asking();
	uint64_t id;

	tell(t, C, CALL(1, "{}"));
	id = asked(t).call_id;
	/* An answer to the second would be taken for one to the first. */
	tell(t, C, ID(1) "\"method\":\"tools/list\"}");
	expect_record(t, EVENT_REFUSED, EVENT_DROP, "its id is that of a request that has no answer yet");
	tell(t, C, CALL(1, "{\"other\":1}"));
	expect_record(t, EVENT_REFUSED, EVENT_DROP, NULL);
	tell(t, C, "{\"id\":1,\"method\":\"m\",");
	expect_record(t, EVENT_REFUSED, EVENT_DROP, NULL);
	SILENT(t);
	assert_int_equal(answer(t, id, true), 0);
	HAS(got(t, t->server), "\"arguments\":{}");
}

static void what_changed_while_it_waited_counts(void **state)
{
	static struct shim_rule no_put[] = { { false, WORDS("put"), WORDS("p:1 (deny)") } };
	_cleanup_desk_ struct desk *t = desk_asking();
	uint64_t id;

	tell(t, C, CALL(1, "{}"));
	id = asked(t).call_id;
	t->s.config.scope[SHIM_TOOLS] = (struct shim_rules){ false, NULL, no_put, 1 };
	assert_int_equal(answer(t, id, true), 0);
	assert_string_equal(got(t, t->server), "");
	HAS(got(t, t->client), "denied by p:1 (deny)");
}

static void no_more_than_a_named_number_wait(void **state)
{
	_cleanup_desk_ struct desk *t = desk_asking();
	char line[256];

	for (int i = 0; i < CONFIRM_WAITING_MAX; i++) {
		snprintf(line, sizeof(line), J "\"id\":%d,\"method\":\"tools/call\",\"params\":{\"name\":\"put\"}}", i);
		tell(t, C, line);
		assert_int_equal(asked(t).args_len, 0);
	}
	SILENT(t);
	tell(t, C, CALL(99, "{}"));
	const char *heard = got(t, t->client);
	HAS(heard, "so many others wait for a person's answer already");
	HAS(heard, "Retry after 51 s.");
	expect_record(t, EVENT_CALL, EVENT_DENY, NULL);
	/* One place is free again. */
	assert_int_equal(answer(t, 1, false), 0);
	expect_record(t, EVENT_CALL, EVENT_DENY, NULL);
	tell(t, C, CALL(100, "{}"));
	assert_int_equal(asked(t).type, CONFIRM_ASK);
}

#define DEFINED(d) "{\"name\":\"put\",\"description\":\"" d "\"}"

/* The server says that its tools have changed after the question was put: what they are now is asked of it, and of
 * the person nothing more. */
static void what_was_confirmed_is_held_against_the_pins_and_not_asked_again(void **state)
{
	static const char *const definitions[] = { DEFINED("Puts."), DEFINED("Takes.") };

	for (size_t i = 0; i < ARRAY_LEN(definitions); i++) {
		_cleanup_buf_ struct buf room = BUF_INIT(DEFINITION_BYTES_MAX);
		struct shim_pin pin = { .kind = DEFINITION_TOOL, .name = WORDS("put") };
		_cleanup_desk_ struct desk *t = desk_asking();
		char own[512], id[64] = "";
		struct confirm c;
		assert_int_equal(
			define_digest(&room, slice_of("{\"description\":\"Puts.\",\"name\":\"put\"}"), pin.digest), 0);
		tell(t, C, CALL(1, "{\"a\":1}"));
		c = asked(t);
		t->s.config.pins = (struct shim_pins){ true, WORDS("the pins of 'demo'"), &pin, 1 };
		tell(t, S, J "\"method\":\"notifications/tools/list_changed\"}");
		forget(t);
		assert_int_equal(answer(t, c.call_id, true), 0);
		assert_int_equal(sscanf(got(t, t->server), J "\"id\":%63[^,],\"method\":\"tools/list\"", id), 1);
		SILENT(t);
		snprintf(own, sizeof(own), J "\"id\":%s,\"result\":{\"tools\":[%s]}}", id, definitions[i]);
		tell(t, S, own);
		if (i == 0)
			assert_string_equal(got(t, t->server), CALL(1, "{\"a\":1}") "\n");
		else
			HAS(got(t, t->client), "its definition is not the one that was pinned");
		assert_int_equal(t->s.confirms.n, 0);
		struct event e;
		while (recorded(t, &e))
			if (e.type == EVENT_CALL)
				assert_int_equal(e.call_id, c.call_id);
		t->s.config.pins = (struct shim_pins){ 0 };
	}
}

static void what_was_confirmed_and_is_cancelled_before_it_passes_has_a_record(void **state)
{
	_cleanup_desk_ struct desk *t = desk_asking();
	struct shim_pin pin = { .kind = DEFINITION_TOOL, .name = WORDS("put") };
	struct confirm c;
	struct event e;

	tell(t, C, CALL(1, "{\"a\":1}"));
	c = asked(t);
	t->s.config.pins = (struct shim_pins){ true, WORDS("the pins of 'demo'"), &pin, 1 };
	assert_int_equal(answer(t, c.call_id, true), 0);
	HAS(got(t, t->server), "\"method\":\"tools/list\"");
	forget(t);
	tell(t, C, J "\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":1}}");
	assert_string_equal(got(t, t->client), "");
	assert_string_equal(got(t, t->server), "");
	assert_true(recorded(t, &e));
	assert_int_equal(e.type, EVENT_CALL);
	assert_int_equal(e.decision, EVENT_DENY);
	assert_int_equal(e.call_id, c.call_id);
	assert_string_equal(e.reason, "the client cancelled it while it waited for a list");
	assert_false(recorded(t, &e));
	t->s.config.pins = (struct shim_pins){ 0 };
}

static void what_cannot_be_shown_whole_is_denied(void **state)
{
	_cleanup_desk_ struct desk *t = desk_asking();
	char *line = malloc(3 * CONFIRM_ARGS_MAX);
	static const char tail[] = "\"}}}";
	int n;

	assert_non_null(line);
	n = snprintf(line, CONFIRM_ARGS_MAX, "%s",
		J "\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"put\",\"arguments\":{\"a\":\"");
	/* {"a":"..."} is 8 bytes more than what is in the quotes. */
	memset(line + n, 'x', CONFIRM_ARGS_MAX - 8);
	memcpy(line + n + CONFIRM_ARGS_MAX - 8, tail, sizeof(tail));
	tell(t, C, line);
	SILENT(t);
	assert_int_equal(t->s.confirms.n, 1);
	assert_int_equal(handle_abandon(&t->s, "over", "closed"), 0);
	line[n - 1] = '"';
	memset(line + n, 'x', CONFIRM_ARGS_MAX - 7);
	memcpy(line + n + CONFIRM_ARGS_MAX - 7, tail, sizeof(tail));
	(void)got(t, t->client);
	tell(t, C, line);
	HAS(got(t, t->client), "its arguments are too large to be shown to a person whole");
	free(line);
}

static void the_end_of_the_session_answers_them(void **state)
{
	_cleanup_desk_ struct desk *t = desk_asking();
	const char *heard;

	tell(t, C, CALL(1, "{}"));
	tell(t, C, CALL(2, "{}"));
	(void)asked(t);
	(void)asked(t);
	assert_int_equal(handle_abandon(&t->s, "gone", "server died"), 0);
	heard = got(t, t->client);
	HAS(heard, "\"id\":1,\"result\":");
	HAS(heard, "\"id\":2,\"result\":");
	HAS(heard, "the session ends while it waits for a person");
	assert_int_equal(asked(t).type, CONFIRM_WITHDRAW);
	assert_int_equal(t->s.confirms.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_waits_is_shown_whole_and_goes_on_with_a_yes),
		cmocka_unit_test(what_goes_along_with_the_arguments_is_shown_too),
		cmocka_unit_test(a_no_is_told_and_nothing_reaches_the_server),
		cmocka_unit_test(other_messages_pass_while_calls_wait),
		cmocka_unit_test(progress_is_sent_to_those_who_asked_for_it_and_time_ends_it),
		cmocka_unit_test(without_a_token_there_is_no_progress),
		cmocka_unit_test(the_client_can_give_it_up),
		cmocka_unit_test(the_server_cannot_answer_what_it_was_not_asked),
		cmocka_unit_test(its_id_is_taken_while_it_waits),
		cmocka_unit_test(what_changed_while_it_waited_counts),
		cmocka_unit_test(no_more_than_a_named_number_wait),
		cmocka_unit_test(what_was_confirmed_is_held_against_the_pins_and_not_asked_again),
		cmocka_unit_test(what_was_confirmed_and_is_cancelled_before_it_passes_has_a_record),
		cmocka_unit_test(what_cannot_be_shown_whole_is_denied),
		cmocka_unit_test(the_end_of_the_session_answers_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
