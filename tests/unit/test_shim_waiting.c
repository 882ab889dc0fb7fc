/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_shim_waiting - while approval waits: what the client hears, what is kept for the server, and what the server and
 * the client hear once it is there
 */
#include "tests/unit/shim_play.h"
#include "shim/answers.h"
#include "shim/handle.h"

#define WAITS "it waits for a person"
#define HELLO(v)                                                                                                       \
	ID(1) "\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"" v "\",\"capabilities\":{\"roots\":{}}}}"
#define ASK(id, m)   ID(id) "\"method\":\"" m "\",\"params\":{" MODERN "}}"
#define PLAIN(id, m) ID(id) "\"method\":\"" m "\"}"
#define TOLD	     J "\"method\":\"notifications/initialized\"}"
#define BY_US	     "request allow answered by stockade"
#define SERVER(v, caps)                                                                                                \
	ID(1)                                                                                                          \
	"\"result\":{\"protocolVersion\":\"" v "\",\"capabilities\":{" caps "},\"serverInfo\":{\"name\":\"x\"}}"       \
	"}"

static struct desk *desk_waiting(void)
{
	struct shim_config c = { .name = WORDS("demo") };
	struct desk *t = desk_new(&c);

	waiting_begin(&t->s, WAITS);
	return t;
}

static void release(struct desk *t, const char *hears)
{
	forget(t);
	assert_int_equal(waiting_release(&t->s), 0);
	const char *heard = got(t, t->server);
	if (!strstr(heard, hears))
		fail_msg("the server hears '%s', not '%s'", heard, hears);
	assert_string_equal(got(t, t->client), "");
	forget(t);
}

static void the_client_is_answered_in_the_version_it_asked_for(void **state)
{
	static const struct {
		const char *asked, *told;
	} cases[] = { { "2024-11-05", "2024-11-05" }, { "2025-03-26", "2025-03-26" }, { "2025-11-25", "2025-11-25" },
		{ "2019-01-01", "2025-11-25" }, { "2026-07-28", "2025-11-25" } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_desk_ struct desk *t = desk_waiting();
		char says[256], want[256];
		snprintf(says, sizeof(says), HELLO("%s"), cases[i].asked);
		snprintf(want, sizeof(want),
			"~\"protocolVersion\":\"%s\"~\"tools\":{\"listChanged\":true}~\"name\":\"demo\"~"
			"\"instructions\":\"" WAITS "\"",
			cases[i].told);
		const struct step step = { C, says, want, NULL, BY_US };
		play(t, &step, 1);
	}
}

static void lists_are_empty_and_calls_are_told_why(void **state)
{
	_cleanup_desk_ struct desk *t = desk_waiting();

	PLAY(t, { C, HELLO("2025-06-18"), "~demo", NULL, BY_US }, { C, TOLD, NULL, NULL, NULL },
		{ C, PLAIN(2, "tools/list"), ID(2) "\"result\":{\"tools\":[]}}", NULL, BY_US },
		{ C, PLAIN(3, "prompts/list"), ID(3) "\"result\":{\"prompts\":[]}}", NULL, BY_US },
		{ C, PLAIN(4, "resources/list"), ID(4) "\"result\":{\"resources\":[]}}", NULL, BY_US },
		{ C, PLAIN(5, "resources/templates/list"), ID(5) "\"result\":{\"resourceTemplates\":[]}}", NULL,
			BY_US },
		{ C, PLAIN(6, "ping"), ID(6) "\"result\":{}}", NULL, BY_US },
		{ C, ID(7) "\"method\":\"tools/call\",\"params\":{\"name\":\"a\"}}",
			"~\"id\":7,\"result\":~" WAITS "~\"isError\":true", NULL, "tool.call deny approval waits" },
		{ C, ID(8) "\"method\":\"resources/subscribe\",\"params\":{\"uri\":\"a:b\"}}",
			"~\"id\":8,\"error\":~" WAITS, NULL, "request deny approval waits" },
		{ C, PLAIN(9, "made/up"), "~\"id\":9,\"error\":~" WAITS, NULL, "request deny" },
		{ C, J "\"method\":\"notifications/progress\"}", NULL, NULL,
			"notification drop there is no server yet" },
		{ C, ID(9) "\"result\":{}}", NULL, NULL, "response.unmatched drop" },
		{ C, "{\"id\":10,\"method\":\"m\",", "~\"id\":10,\"error\":~4000", NULL, "message.refused drop" });
	assert_int_equal(t->s.calls.n, 0);
	assert_int_equal(t->s.waiting.n_kept, 0);
}

static void the_server_gets_what_the_client_sent_and_the_client_hears_of_its_lists(void **state)
{
	_cleanup_desk_ struct desk *t = desk_waiting();

	PLAY(t, { C, HELLO("2025-06-18"), "~demo", NULL, BY_US }, { C, TOLD, NULL, NULL, NULL },
		{ C, ID(2) "\"method\":\"logging/setLevel\",\"params\":{\"level\":\"debug\"}}", ID(2) "\"result\":{}}",
			NULL, BY_US },
		{ C, ID(3) "\"method\":\"logging/setLevel\",\"params\":{\"level\":\"error\"}}", ID(3) "\"result\":{}}",
			NULL, BY_US },
		{ C, J "\"method\":\"notifications/roots/list_changed\"}", NULL, NULL, NULL });
	release(t, "\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-06-18\"");
	PLAY(t, { S, ID("p") "\"method\":\"ping\"}", NULL, ID("p") "\"result\":{}}", NULL },
		{ S, SERVER("2025-03-26", "\"tools\":{},\"logging\":{}"),
			J "\"method\":\"notifications/tools/list_changed\"}",
			"~notifications/initialized~notifications/roots/list_changed~\"level\":\"error\"",
			"request allow" },
		{ S, ID(3) "\"result\":{}}", NULL, NULL, "response - ok" },
		{ C, PLAIN(4, "tools/list"), NULL, "=", "request allow" },
		/* Promised, and the server has none. */
		{ C, PLAIN(5, "prompts/list"), ID(5) "\"result\":{\"prompts\":[]}}", NULL,
			"request allow answered by stockade: the server has no such list" },
		{ S, ID(4) "\"result\":{\"tools\":[]}}", "=", NULL, "response - ok" });
}

static void a_client_that_is_not_initialized_yet_hears_of_its_lists_when_it_is(void **state)
{
	_cleanup_desk_ struct desk *t = desk_waiting();

	PLAY(t, { C, HELLO("2025-06-18"), "~demo", NULL, BY_US });
	release(t, "initialize");
	PLAY(t, { S, SERVER("2025-06-18", "\"prompts\":{}"), NULL, NULL, "response - ok" },
		{ C, TOLD, J "\"method\":\"notifications/prompts/list_changed\"}", "=", NULL },
		{ C, TOLD, NULL, "=", NULL });
}

static void a_handshake_that_comes_to_nothing_is_told_to_each_request(void **state)
{
	static const char *const answers[] = { SERVER("1999-01-01", "\"tools\":{}"),
		ID(1) "\"error\":{\"code\":1,\"message\":\"no\"}}", ID(1) "\"result\":{}}" };

	for (size_t i = 0; i <= ARRAY_LEN(answers); i++) {
		_cleanup_desk_ struct desk *t = desk_waiting();
		PLAY(t, { C, HELLO("2025-06-18"), "~demo", NULL, BY_US }, { C, TOLD, NULL, NULL, NULL });
		release(t, "initialize");
		assert_int_equal(i < ARRAY_LEN(answers) ? give(t, S, answers[i]) : waiting_give_up(&t->s), 0);
		forget(t);
		PLAY(t,
			{ C, ID(7) "\"method\":\"tools/call\",\"params\":{\"name\":\"a\"}}",
				"~\"id\":7,\"result\":~start it again~isError", NULL, "tool.call deny" },
			{ C, PLAIN(8, "tools/list"), "~\"id\":8,\"error\":~start it again", NULL, "request deny" },
			{ S, J "\"method\":\"notifications/tools/list_changed\"}", NULL, NULL, "message.refused drop" },
			{ S, ID("s") "\"method\":\"ping\"}", NULL, NULL, "message.refused drop" });
	}
}

static void without_a_handshake_the_server_is_simply_there(void **state)
{
	_cleanup_desk_ struct desk *t = desk_waiting();

	PLAY(t, { C, PLAIN(2, "tools/list"), "~\"tools\":[]", NULL, BY_US });
	assert_int_equal(waiting_release(&t->s), 0);
	PLAY(t, { C, PLAIN(3, "tools/list"), NULL, "=", "request allow" });
}

#define LISTEN(id, what)                                                                                               \
	ID(id) "\"method\":\"subscriptions/listen\",\"params\":{" MODERN ",\"notifications\":{" what "}}}"

static void in_the_modern_era_subscriptions_are_kept_and_told(void **state)
{
	_cleanup_desk_ struct desk *t = desk_waiting();

	PLAY(t,
		{ C, ASK(1, "server/discover"),
			"~\"resultType\":\"complete\"~\"supportedVersions\":[\"2026-07-28\"]~\"instructions\":\"" WAITS
			"\"~demo",
			NULL, BY_US },
		{ C, ASK(2, "tools/list"),
			ID(2) "\"result\":{\"resultType\":\"complete\",\"tools\":[],\"ttlMs\":0,\"cacheScope\":"
			      "\"private\"}}",
			NULL, BY_US },
		{ C, LISTEN("a", "\"toolsListChanged\":true"), "~acknowledged~subscriptionId\":\"a\"~toolsListChanged",
			NULL, BY_US },
		{ C, LISTEN("b", "\"promptsListChanged\":true"), "~acknowledged~subscriptionId\":\"b\"", NULL, BY_US },
		{ C, LISTEN("a", ""), NULL, NULL, "message.refused drop" },
		{ C, J "\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":\"b\"}}", NULL, NULL, NULL },
		{ C, ASK(3, "ping"), "~\"id\":3,\"error\"", NULL, "request deny" });
	release(t, "\"id\":\"stockade-discover\",\"method\":\"server/discover\"");
	PLAY(t,
		{ S,
			ID("stockade-discover") "\"result\":{\"resultType\":\"complete\",\"supportedVersions\":[\"2026-"
						"07-28\"],\"capabilities\":{\"tools\":{}}}}",
			"~notifications/tools/list_changed~subscriptionId\":\"a\"",
			"~subscriptions/listen~\"id\":\"a\"", "request allow" },
		{ C, ASK(4, "tools/list"), NULL, "=", "request allow" });
	assert_int_equal(t->s.calls.n, 2);
}

/* In both eras it would be asked for the other one's: here nobody can. */
static void a_server_of_an_earlier_version_passes_for_the_clients_and_one_of_a_later_does_not(void **state)
{
	static const char *const versions[] = { "2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25" };

	for (size_t told = 0; told < ARRAY_LEN(versions); told++)
		for (size_t has = 0; has < ARRAY_LEN(versions); has++) {
			_cleanup_desk_ struct desk *t = desk_waiting();
			char says[256];
			snprintf(says, sizeof(says), HELLO("%s"), versions[told]);
			assert_int_equal(give(t, C, says), 0);
			assert_int_equal(give(t, C, TOLD), 0);
			release(t, versions[told]);
			snprintf(says, sizeof(says), SERVER("%s", "\"tools\":{}"), versions[has]);
			assert_int_equal(give(t, S, says), 0);
			forget(t);
			assert_int_equal(give(t, C, PLAIN(4, "tools/list")), 0);
			if (has <= told)
				assert_string_equal(got(t, t->server), PLAIN(4, "tools/list") "\n");
			else
				assert_non_null(
					strstr(got(t, t->client), "in a later protocol version than its client"));
		}
}

#define DISCOVER   "\"method\":\"server/discover\""
#define INITIALIZE "~\"id\":\"stockade-initialize\",\"method\":\"initialize\"~\"2025-11-25\"~\"capabilities\":{}"
#define OLD_SERVER                                                                                                     \
	ID("stockade-initialize")                                                                                      \
	"\"result\":{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{\"tools\":{\"listChanged\":true}},"          \
	"\"serverInfo\":"                                                                                              \
	"{\"name\":\"x\"}}}"

/* A modern client with a subscription, its server older. */
static struct desk *desk_bridged(void)
{
	struct desk *t = desk_waiting();

	PLAY(t, { C, ASK(1, "server/discover"), "~2026-07-28~" WAITS, NULL, BY_US },
		{ C, LISTEN("a", "\"toolsListChanged\":true"), "~acknowledged", NULL, BY_US },
		{ C, LISTEN("b", "\"promptsListChanged\":true"), "~acknowledged", NULL, BY_US });
	release(t, DISCOVER);
	PLAY(t,
		{ S, ID("stockade-discover") "\"error\":{\"code\":-32601,\"message\":\"no\"}}", NULL, INITIALIZE,
			"request allow" },
		{ S, OLD_SERVER, "~notifications/tools/list_changed~subscriptionId\":\"a\"",
			"~notifications/initialized", "response - ok" });
	return t;
}

static void a_modern_client_is_served_by_an_older_server_all_the_same(void **state)
{
	_cleanup_desk_ struct desk *t = desk_bridged();

	PLAY(t, { C, ASK(4, "tools/list"), NULL, "=", "request allow" },
		{ S, ID(4) "\"result\":{\"tools\":[]}}",
			ID(4) "\"result\":{\"resultType\":\"complete\",\"ttlMs\":0,\"cacheScope\":\"private\","
			      "\"tools\":[]}}",
			NULL, "response - ok" },
		{ C, ID(5) "\"method\":\"tools/call\",\"params\":{" MODERN ",\"name\":\"a\"}}", NULL, "=",
			"tool.call allow" },
		{ S, ID(5) "\"result\":{\"content\":[],\"isError\":true}}",
			ID(5) "\"result\":{\"resultType\":\"complete\",\"content\":[],\"isError\":true}}", NULL,
			"tool.result - isError" });
}

static void what_a_modern_client_does_not_know_stays_behind_the_bridge(void **state)
{
	_cleanup_desk_ struct desk *t = desk_bridged();

	PLAY(t, { S, ID("p") "\"method\":\"ping\"}", NULL, ID("p") "\"result\":{}}", NULL },
		{ S, ID("e") "\"method\":\"elicitation/create\",\"params\":{\"message\":\"m\"}}", NULL,
			"~\"action\":\"decline\"", "request deny" },
		{ S, J "\"method\":\"notifications/message\",\"params\":{}}", NULL, NULL,
			"notification drop the client has not asked" },
		{ S, J "\"method\":\"notifications/tools/list_changed\"}", "~subscriptionId\":\"a\"", NULL, NULL },
		{ S, J "\"method\":\"notifications/resources/list_changed\"}", NULL, NULL, NULL },
		{ C, ASK(7, "server/discover"), "~\"supportedVersions\":[\"2026-07-28\"]", NULL,
			"request allow answered by stockade: the server speaks an earlier" },
		{ C, LISTEN("a", ""), NULL, NULL, "message.refused drop" },
		{ C, J "\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":\"a\"}}", NULL, NULL, NULL },
		{ S, J "\"method\":\"notifications/tools/list_changed\"}", NULL, NULL, NULL },
		{ C, LISTEN("c", "\"toolsListChanged\":true"), "~acknowledged~\"c\"", NULL, "request allow" },
		{ S, J "\"method\":\"notifications/tools/list_changed\"}", "~subscriptionId\":\"c\"", NULL, NULL });
	assert_int_equal(give(t, C, ASK(8, "server/discover")), 0);
	assert_null(strstr(got(t, t->client), "instructions"));
	forget(t);
	/* Subscriptions end in words when there is no server any more. */
	assert_int_equal(handle_abandon(&t->s, "it has ended", "server died"), 0);
	const char *heard = got(t, t->client);
	assert_true(strstr(heard, "\"id\":\"b\",\"error\"") && strstr(heard, "\"id\":\"c\",\"error\""));
}

static void a_server_that_says_nothing_to_the_modern_way_is_asked_in_the_older(void **state)
{
	_cleanup_desk_ struct desk *t = desk_waiting();

	PLAY(t, { C, ASK(1, "server/discover"), "~2026-07-28", NULL, BY_US });
	release(t, DISCOVER);
	assert_false(waiting_is_late(&t->s));
	t->s.now_us += WAITING_DISCOVER_MS * 1000ULL + 1;
	assert_true(waiting_is_late(&t->s));
	assert_int_equal(waiting_give_up(&t->s), 0);
	assert_non_null(strstr(got(t, t->server), "\"method\":\"initialize\""));
	forget(t);
	PLAY(t, { S, ID("stockade-discover") "\"result\":{}}", NULL, NULL, "response.unmatched drop it came after" },
		{ S, OLD_SERVER, NULL, "~notifications/initialized", "response - ok" },
		{ C, ASK(2, "tools/list"), NULL, "=", "request allow" });
}

static void a_server_that_knows_neither_way_is_told_of(void **state)
{
	_cleanup_desk_ struct desk *t = desk_waiting();

	PLAY(t, { C, ASK(1, "server/discover"), "~2026-07-28", NULL, BY_US });
	release(t, DISCOVER);
	PLAY(t,
		{ S, ID("stockade-discover") "\"result\":{\"supportedVersions\":[\"2027-01-01\"]}}", NULL, INITIALIZE,
			"request allow" },
		{ S, ID("stockade-initialize") "\"error\":{\"code\":1,\"message\":\"no\"}}", NULL, NULL,
			"message.refused drop it refused" },
		{ C, ASK(2, "tools/list"), "~\"error\"~start it again", NULL, "request deny" });
	t->s.waiting.state = WAITING_HANDSHAKE;
	t->s.now_us += WAITING_HANDSHAKE_MS * 1000ULL + 1;
	assert_true(waiting_is_late(&t->s));
	assert_int_equal(waiting_give_up(&t->s), 0);
	assert_int_equal(t->s.waiting.state, WAITING_FAILED);
}

/* Each with an id before it. */
static const char *const unclear[] = {
	"\"result\":{\"protocolVersion\":\"2025-06-18\",\"protocolVersion\":\"2025-06-18\"}}",
	"\"result\":{\"ProtocolVersion\":\"2025-06-18\"}}",
	"\"result\":{\"inputRequests\":{}}}",
	"\"result\":{\"x\":\"\xff\"}}",
	"\"result\":{\"x\":1}",
};

static void give_unclear(struct desk *t, const char *id, size_t i)
{
	char says[256];

	snprintf(says, sizeof(says), J "\"id\":%s,%s", id, unclear[i]);
	assert_int_equal(give(t, S, says), 0);
	assert_string_equal(got(t, t->client), "");
}

static void a_handshake_that_is_answered_unclearly_has_come_to_nothing_at_once(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(unclear); i++) {
		_cleanup_desk_ struct desk *t = desk_waiting();
		PLAY(t, { C, HELLO("2025-06-18"), "~demo", NULL, BY_US }, { C, TOLD, NULL, NULL, NULL });
		release(t, "initialize");
		give_unclear(t, "1", i);
		assert_int_equal(t->s.calls.n, 0);
		assert_int_equal(t->s.waiting.state, WAITING_FAILED);
		forget(t);
		PLAY(t, { C, PLAIN(8, "tools/list"), "~\"id\":8,\"error\":~was refused~start it again", NULL,
				"request deny" });
	}
}

static void a_server_that_answers_the_modern_way_unclearly_is_asked_in_the_older(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(unclear); i++) {
		_cleanup_desk_ struct desk *t = desk_waiting();
		PLAY(t, { C, ASK(1, "server/discover"), "~2026-07-28", NULL, BY_US });
		release(t, DISCOVER);
		give_unclear(t, "\"stockade-discover\"", i);
		assert_non_null(strstr(got(t, t->server), "\"method\":\"initialize\""));
		forget(t);
		PLAY(t, { S, OLD_SERVER, NULL, "~notifications/initialized", "response - ok" },
			{ C, ASK(2, "tools/list"), NULL, "=", "request allow" });
	}
}

static void an_unclear_answer_to_what_was_kept_is_no_second_one_for_the_client(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(unclear); i++) {
		_cleanup_desk_ struct desk *t = desk_waiting();
		PLAY(t, { C, HELLO("2025-06-18"), "~demo", NULL, BY_US }, { C, TOLD, NULL, NULL, NULL },
			{ C, ID(3) "\"method\":\"logging/setLevel\",\"params\":{\"level\":\"error\"}}",
				ID(3) "\"result\":{}}", NULL, BY_US });
		release(t, "initialize");
		assert_int_equal(give(t, S, SERVER("2025-06-18", "\"logging\":{}")), 0);
		forget(t);
		give_unclear(t, "3", i);
		assert_int_equal(t->s.calls.n, 0);
		forget(t);
		PLAY(t, { C, PLAIN(4, "ping"), NULL, "=", "request allow" });
	}
}

static void a_flood_makes_nothing_grow(void **state)
{
	_cleanup_desk_ struct desk *t = desk_waiting();
	char says[512];

	for (int i = 0; i < 100; i++) {
		snprintf(says, sizeof(says), LISTEN("s%d", "\"toolsListChanged\":true"), i);
		assert_int_equal(give(t, C, says), 0);
		forget(t);
		snprintf(says, sizeof(says),
			ID("l%d") "\"method\":\"logging/setLevel\",\"params\":{\"level\":\"info\"}}", i);
		assert_int_equal(give(t, C, says), 0);
		/* Each has its answer, whether it was kept or not. */
		assert_string_not_equal(got(t, t->client), "");
		forget(t);
	}
	assert_int_equal(t->s.waiting.n_kept, WAITING_KEPT_MAX);
	assert_in_range(t->s.waiting.kept_bytes, 1, WAITING_BYTES_MAX);
	assert_int_equal(t->s.calls.n, 0);
}

/* The names that it is to hear the server's answer under have to fit beside what else is said with them. */
static void a_client_whose_names_are_too_long_to_be_kept_is_told_and_may_come_again(void **state)
{
	static const char before[] = J "\"id\":1,\"method\":\"ping\",\"params\":{\"_meta\":{"
				       "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
				       "\"io.modelcontextprotocol/clientInfo\":{\"name\":\"";
	_cleanup_desk_ struct desk *t = desk_waiting();
	_cleanup_buf_ struct buf line = BUF_INIT(SHIM_LINE_MAX + 1);

	assert_int_equal(buf_puts(&line, before), 0);
	while (line.len < SHIM_LINE_MAX - 5)
		assert_int_equal(buf_putc(&line, 'n'), 0);
	assert_int_equal(buf_puts(&line, "\"}}}}"), 0);
	assert_int_equal(give(t, C, line.data), 0);
	assert_non_null(strstr(got(t, t->client), "\"id\":1,\"error\":"));
	forget(t);
	PLAY(t, { C, ASK(2, "server/discover"), "~2026-07-28~" WAITS, NULL, BY_US });
	release(t, "\"id\":\"stockade-discover\",\"method\":\"server/discover\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_client_is_answered_in_the_version_it_asked_for),
		cmocka_unit_test(lists_are_empty_and_calls_are_told_why),
		cmocka_unit_test(the_server_gets_what_the_client_sent_and_the_client_hears_of_its_lists),
		cmocka_unit_test(a_client_that_is_not_initialized_yet_hears_of_its_lists_when_it_is),
		cmocka_unit_test(a_handshake_that_comes_to_nothing_is_told_to_each_request),
		cmocka_unit_test(without_a_handshake_the_server_is_simply_there),
		cmocka_unit_test(in_the_modern_era_subscriptions_are_kept_and_told),
		cmocka_unit_test(a_server_of_an_earlier_version_passes_for_the_clients_and_one_of_a_later_does_not),
		cmocka_unit_test(a_modern_client_is_served_by_an_older_server_all_the_same),
		cmocka_unit_test(what_a_modern_client_does_not_know_stays_behind_the_bridge),
		cmocka_unit_test(a_server_that_says_nothing_to_the_modern_way_is_asked_in_the_older),
		cmocka_unit_test(a_server_that_knows_neither_way_is_told_of),
		cmocka_unit_test(a_handshake_that_is_answered_unclearly_has_come_to_nothing_at_once),
		cmocka_unit_test(a_server_that_answers_the_modern_way_unclearly_is_asked_in_the_older),
		cmocka_unit_test(an_unclear_answer_to_what_was_kept_is_no_second_one_for_the_client),
		cmocka_unit_test(a_flood_makes_nothing_grow),
		cmocka_unit_test(a_client_whose_names_are_too_long_to_be_kept_is_told_and_may_come_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
