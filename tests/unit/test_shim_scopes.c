/* SPDX-License-Identifier: Apache-2.0 */
/* test_shim_scopes - what a tool needs, what the server's word adds to it, and what is lifted for a while */
#include "tests/unit/shim_play.h"
#include <errno.h>
#include "shim/lists.h"
#include "shim/own.h"

#define CALL(id, tool)	  ID(id) "\"method\":\"tools/call\",\"params\":{\"name\":\"" tool "\"}}"
#define LIST(id)	  ID(id) "\"method\":\"tools/list\"}"
#define TOOLS(id, ...)	  ID(id) "\"result\":{\"tools\":[" __VA_ARGS__ "]}}"
#define TOOL(name)	  "{\"name\":\"" name "\",\"inputSchema\":{\"type\":\"object\"}}"
#define SAYS(name, hints) "{\"name\":\"" name "\",\"inputSchema\":{\"type\":\"object\"},\"annotations\":{" hints "}}"
#define NOTE_CHANGED	  J "\"method\":\"notifications/tools/list_changed\"}"

enum { SECOND = 1000000, BEGAN = 100 * SECOND };

static const char WHERE[] = "p:3 (tools.scopes)";

/* read get_* list_*, write put_*, destructive rm_*, tickets *_ticket; read is allowed, write and tickets may be lifted.
 */
static struct scope scopes[] = {
	{ WORDS("read"), true, NULL },
	{ WORDS("write"), false, WORDS("p:9 (tools.grant_scopes)") },
	{ WORDS("destructive"), false, NULL },
	{ WORDS("tickets"), false, WORDS("p:9 (tools.grant_scopes)") },
};
static struct scope_glob globs[] = {
	{ SCOPE_READ, WORDS("get_*"), WORDS("p:4 (tools.scopes.read \"get_*\")") },
	{ SCOPE_READ, WORDS("list_*"), WORDS("p:4 (tools.scopes.read \"list_*\")") },
	{ SCOPE_WRITE, WORDS("put_*"), WORDS("p:5 (tools.scopes.write \"put_*\")") },
	{ SCOPE_DESTRUCTIVE, WORDS("rm_*"), WORDS("p:6 (tools.scopes.destructive \"rm_*\")") },
	{ 3, WORDS("*_ticket"), WORDS("p:7 (tools.scopes.tickets \"*_ticket\")") },
};

static struct scopes rules(void)
{
	return (struct scopes){ .where = WORDS(WHERE),
		.allowed_where = WORDS("p:8 (tools.allow_scopes)"),
		.lift_max_s = 3600,
		.v = scopes,
		.n = ARRAY_LEN(scopes),
		.globs = globs,
		.n_globs = ARRAY_LEN(globs) };
}

static struct desk *desk_here(void)
{
	const struct shim_config c = { .name = WORDS("demo"), .scopes = rules() };
	struct desk *t = desk_new(&c);

	t->s.boot_us = BEGAN;
	t->s.now_us = SECOND;
	t->s.legacy = true;
	return t;
}

/* The client lists, and the server says these. */
static void list(struct desk *t, const char *tools)
{
	char line[4096];

	snprintf(line, sizeof(line), ID(77) "\"result\":{\"tools\":[%s]}}", tools);
	assert_int_equal(give(t, C, LIST(77)), 0);
	assert_int_equal(give(t, S, line), 0);
}

static int lift(struct desk *t, int scope, uint64_t until_us)
{
	struct control c = { .type = CONTROL_GRANT, .value = scope, .until_us = until_us };

	if (until_us)
		snprintf(c.text, sizeof(c.text), "the grant of '%s' until 12:00",
			scopes[scope >= 0 && scope < (int)ARRAY_LEN(scopes) ? scope : 0].name);
	return scopes_lift(&t->s, &c);
}

static uint32_t need(const char *tool, enum scope_known says)
{
	const struct scopes s = rules();

	return scopes_need(&s, tool, strlen(tool), says);
}

static void a_tool_needs_every_scope_that_names_it_and_the_strictest_when_none_does(void **state)
{
	assert_int_equal(need("get_x", SCOPE_READ), 1 << SCOPE_READ);
	assert_int_equal(need("get_ticket", SCOPE_READ), 1 << SCOPE_READ | 1 << 3);
	assert_int_equal(need("other", SCOPE_READ), 1 << SCOPE_DESTRUCTIVE);
	assert_int_equal(need("", SCOPE_READ), 1 << SCOPE_DESTRUCTIVE);
}

static void what_the_server_says_adds_and_never_takes_away(void **state)
{
	assert_int_equal(need("get_x", SCOPE_WRITE), 1 << SCOPE_READ | 1 << SCOPE_WRITE);
	assert_int_equal(need("get_x", SCOPE_DESTRUCTIVE), 1 << SCOPE_READ | 1 << SCOPE_DESTRUCTIVE);
	assert_int_equal(need("put_x", SCOPE_WRITE), 1 << SCOPE_WRITE);
	assert_int_equal(need("rm_x", SCOPE_WRITE), 1 << SCOPE_DESTRUCTIVE);
	assert_int_equal(need("a_ticket", SCOPE_WRITE), 1 << SCOPE_WRITE | 1 << 3);
	/* For every tool and whatever is said, what is needed without a word is needed all the same. */
	for (int says = SCOPE_READ; says < SCOPE_KNOWN; says++)
		for (size_t i = 0; i < ARRAY_LEN(globs); i++)
			assert_int_equal(
				need(globs[i].glob, SCOPE_READ) & ~need(globs[i].glob, (enum scope_known)says), 0);
}

static void what_is_not_allowed_is_not_listed(void **state)
{
	_cleanup_desk_ struct desk *t = desk_here();

	PLAY(t, { C, LIST(1), NULL, "=", "request allow" },
		{ S, TOOLS(1, TOOL("get_x") "," TOOL("put_x") "," TOOL("other") "," TOOL("list_ticket")),
			TOOLS(1, TOOL("get_x")), NULL, "response - ok" });
}

static void a_denied_call_is_told_the_scope_and_the_rule_and_no_command(void **state)
{
	_cleanup_desk_ struct desk *t = desk_here();

	list(t, TOOL("get_x"));
	forget(t);
	PLAY(t, { C, CALL(1, "get_x"), NULL, "=", "tool.call allow" },
		{ C, CALL(2, "put_x"),
			"~isError~p:5 (tools.scopes.write \\\"put_*\\\"): it needs the scope 'write', which p:8 "
			"(tools.allow_scopes) does not allow~Only a person can allow it, for a while",
			NULL, "tool.call deny it needs the scope 'write'" },
		{ C, CALL(3, "rm_x"), "~'destructive'~Only a person can change this, in the server's profile", NULL,
			"tool.call deny" },
		{ C, CALL(4, "other"),
			"~denied by p:3 (tools.scopes): no list there names this tool, so it needs the strictest "
			"scope, "
			"'destructive'",
			NULL, "tool.call deny" },
		{ C, CALL(5, "get_ticket"), "~tools.scopes.tickets~'tickets'", NULL, "tool.call deny" });
	give(t, C, CALL(6, "put_x"));
	assert_null(strstr(got(t, t->client), "stockade grant"));
}

/* The last tool.call that was recorded. */
static struct event last_call(struct desk *t)
{
	struct event e, call = { 0 };

	while (recorded(t, &e))
		if (e.type == EVENT_CALL)
			call = e;
	return call;
}

static void each_call_is_recorded_with_what_it_needs(void **state)
{
	_cleanup_desk_ struct desk *t = desk_here();

	list(t, TOOL("get_x"));
	give(t, C, CALL(1, "get_x"));
	assert_string_equal(last_call(t).scope, "read");
	give(t, C, CALL(2, "get_ticket"));
	assert_string_equal(last_call(t).scope, "read,tickets");
	give(t, C, CALL(3, "other"));
	assert_string_equal(last_call(t).scope, "destructive");
}

/* The client of a bridge hears of it in another way, and what the server said before holds as little. */
static void over_a_bridge_too_a_list_that_has_changed_is_looked_at_before_a_call(void **state)
{
	for (int bridges = 0; bridges <= 1; bridges++) {
		_cleanup_desk_ struct desk *t = desk_here();
		list(t, TOOL("get_x"));
		t->s.waiting.bridges = bridges;
		assert_int_equal(give(t, S, NOTE_CHANGED), 0);
		forget(t);
		assert_int_equal(give(t, C, CALL(1, "get_x")), 0);
		if (!strstr(got(t, t->server), "\"method\":\"tools/list\""))
			fail_msg("%d: the server hears %s", bridges, t->text);
	}
}

static const char *const tightening[] = { "\"readOnlyHint\":false", "\"destructiveHint\":true",
	"\"readOnlyHint\":true,\"destructiveHint\":true", "\"readOnlyHint\":\"true\"", "\"readOnlyHint\":0",
	"\"destructiveHint\":\"no\"", "\"destructiveHint\":{}", "\"title\":\"x\",\"readOnlyHint\":false" };
static const char *const saying_nothing[] = { "", "\"readOnlyHint\":true",
	"\"readOnlyHint\":null,\"destructiveHint\":null", "\"destructiveHint\":false",
	"\"idempotentHint\":false,\"openWorldHint\":true" };

static bool stays(struct desk *t, const char *hints)
{
	char tool[256];

	snprintf(tool, sizeof(tool), SAYS("get_x", "%s"), hints);
	list(t, tool);
	return strstr(got(t, t->client), "get_x");
}

static void a_hint_withholds_a_tool_that_is_listed_as_reading(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(tightening); i++) {
		_cleanup_desk_ struct desk *t = desk_here();
		if (stays(t, tightening[i]))
			fail_msg("%s lets the tool stay", tightening[i]);
		forget(t);
		PLAY(t, { C, CALL(1, "get_x"), "~by what the server says of it (annotations)", NULL,
				"tool.call deny" });
	}
}

static void a_hint_that_says_nothing_or_something_good_changes_nothing(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(saying_nothing); i++) {
		_cleanup_desk_ struct desk *t = desk_here();
		if (!stays(t, saying_nothing[i]))
			fail_msg("%s withholds the tool", saying_nothing[i]);
	}
}

static void a_good_word_lets_no_tool_through_that_the_profile_denies(void **state)
{
	_cleanup_desk_ struct desk *t = desk_here();

	list(t, SAYS("put_x", "\"readOnlyHint\":true,\"destructiveHint\":false"));
	assert_null(strstr(got(t, t->client), "put_x"));
	forget(t);
	PLAY(t, { C, CALL(1, "put_x"), "~'write'", NULL, "tool.call deny" });
}

static void what_was_once_said_holds_for_the_session(void **state)
{
	_cleanup_desk_ struct desk *t = desk_here();

	assert_false(stays(t, "\"readOnlyHint\":false"));
	give(t, S, NOTE_CHANGED);
	forget(t);
	assert_false(stays(t, "\"readOnlyHint\":true"));
	assert_false(stays(t, ""));
}

static void the_worst_that_was_said_is_what_holds(void **state)
{
	_cleanup_desk_ struct desk *t = desk_here();

	assert_int_equal(lift(t, SCOPE_WRITE, BEGAN + 600 * SECOND), 0);
	assert_true(stays(t, "\"readOnlyHint\":false"));
	assert_false(stays(t, "\"destructiveHint\":true"));
	assert_false(stays(t, "\"readOnlyHint\":false"));
}

static void of_two_tools_of_one_name_the_worse_word_counts(void **state)
{
	_cleanup_desk_ struct desk *t = desk_here();

	list(t, TOOL("get_x") "," SAYS("get_x", "\"destructiveHint\":true"));
	forget(t);
	PLAY(t, { C, CALL(1, "get_x"), "~'destructive'", NULL, "tool.call deny" });
}

/* The id that the shim asked the server under. */
static void own_id(struct desk *t, char ret[128])
{
	const char *line = got(t, t->server), *at = strstr(line, "\"id\":\"");

	if (!at || !strstr(line, "\"method\":\"tools/list\""))
		fail_msg("the server was not asked for its list: %s", line);
	snprintf(ret, 128, "%.*s", (int)strcspn(at + 5, ","), at + 5);
}

static void answer_own(struct desk *t, const char *id, const char *tools)
{
	char line[4096];

	snprintf(line, sizeof(line), J "\"id\":%s,\"result\":{\"tools\":[%s]}}", id, tools);
	assert_int_equal(give(t, S, line), 0);
}

static void a_call_without_a_list_waits_until_the_shim_has_seen_one(void **state)
{
	_cleanup_desk_ struct desk *t = desk_here();
	char id[128];

	give(t, C, CALL(1, "get_x"));
	own_id(t, id);
	assert_string_equal(got(t, t->client), "");
	answer_own(t, id, SAYS("get_x", "\"readOnlyHint\":false"));
	assert_string_equal(got(t, t->server), "");
	assert_non_null(strstr(got(t, t->client), "annotations"));
	forget(t);
	/* Now that there is one, nobody waits. */
	PLAY(t, { C, CALL(2, "get_y"), NULL, "=", "tool.call allow" });
	/* Until the server says that it has another. */
	give(t, S, NOTE_CHANGED);
	forget(t);
	give(t, C, CALL(3, "get_z"));
	own_id(t, id);
	answer_own(t, id, TOOL("get_z"));
	assert_non_null(strstr(got(t, t->server), CALL(3, "get_z")));
}

static void half_a_list_is_none(void **state)
{
	_cleanup_desk_ struct desk *t = desk_here();
	char id[128];

	give(t, C, LIST(1));
	give(t, S, ID(1) "\"result\":{\"tools\":[" TOOL("get_a") "],\"nextCursor\":\"2\"}}");
	/* A last page that no first one came before. */
	give(t, S, NOTE_CHANGED);
	give(t, C, ID(2) "\"method\":\"tools/list\",\"params\":{\"cursor\":\"2\"}}");
	give(t, S, TOOLS(2, TOOL("get_b")));
	forget(t);
	give(t, C, CALL(3, "get_x"));
	own_id(t, id);
}

static void a_list_that_cannot_be_had_lets_nothing_through(void **state)
{
	_cleanup_desk_ struct desk *t = desk_here();
	char id[128], line[256];

	give(t, C, CALL(1, "get_x"));
	own_id(t, id);
	snprintf(line, sizeof(line), J "\"id\":%s,\"error\":{\"code\":-32603,\"message\":\"no\"}}", id);
	give(t, S, line);
	assert_string_equal(got(t, t->server), "");
	assert_non_null(strstr(got(t, t->client), "could not be looked at"));
}

static void more_tools_that_say_they_write_than_are_kept_make_every_other_one_the_worst(void **state)
{
	_cleanup_desk_ struct desk *t = desk_here();
	char name[64];
	bool keep;

	for (int i = 0; i < SCOPES_RAISED_MAX + 1; i++) {
		snprintf(name, sizeof(name), "get_%d", i);
		assert_int_equal(scopes_keep(&t->s, slice_of(name),
					 slice_of("{\"annotations\":{\"readOnlyHint\":false}}"), &keep),
			0);
		assert_false(keep);
	}
	assert_int_equal(scopes_keep(&t->s, slice_of("get_innocent"), slice_of("{}"), &keep), 0);
	assert_false(keep);
}

static void a_grant_lets_through_and_is_named_and_ends_by_its_clock(void **state)
{
	_cleanup_desk_ struct desk *t = desk_here();

	list(t, TOOL("get_x") "," TOOL("put_x"));
	forget(t);
	assert_int_equal(lift(t, SCOPE_WRITE, BEGAN + 60 * SECOND), 0);
	assert_string_equal(got(t, t->client), NOTE_CHANGED "\n");
	list(t, TOOL("get_x") "," TOOL("put_x"));
	assert_non_null(strstr(got(t, t->client), "put_x"));
	forget(t);
	give(t, C, CALL(1, "put_x"));
	assert_non_null(strstr(got(t, t->server), "put_x"));
	struct event e = last_call(t);
	assert_int_equal(e.decision, EVENT_ALLOW);
	assert_string_equal(e.rule, "the grant of 'write' until 12:00");
	assert_string_equal(e.scope, "write");
	/* A call that needs none does not name it. */
	give(t, C, CALL(2, "get_x"));
	assert_string_equal(last_call(t).rule, "");
	/* At its moment, whether or not anybody has said so. */
	t->s.boot_us = BEGAN + 60 * SECOND;
	forget(t);
	PLAY(t, { C, CALL(3, "put_x"), "~'write'", NULL, "tool.call deny" });
	t->s.now_us += 60 * SECOND;
	assert_int_equal(shim_run_timers(&t->s), 0);
	assert_string_equal(got(t, t->client), NOTE_CHANGED "\n");
	assert_int_equal(shim_run_timers(&t->s), 0);
	assert_string_equal(got(t, t->client), "");
}

/* Its time is over, nobody has looked yet, and the supervisor says so first. */
static void the_end_of_a_grant_is_told_whoever_sees_it_first(void **state)
{
	_cleanup_desk_ struct desk *t = desk_here();

	list(t, TOOL("put_x"));
	assert_int_equal(lift(t, SCOPE_WRITE, BEGAN + 60 * SECOND), 0);
	forget(t);
	/* Another time for it is no change of the list. */
	assert_int_equal(lift(t, SCOPE_WRITE, BEGAN + 50 * SECOND), 0);
	assert_string_equal(got(t, t->client), "");
	t->s.boot_us = BEGAN + 50 * SECOND;
	assert_int_equal(lift(t, SCOPE_WRITE, 0), 0);
	assert_string_equal(got(t, t->client), NOTE_CHANGED "\n");
	t->s.now_us += 60 * SECOND;
	assert_int_equal(shim_run_timers(&t->s), 0);
	assert_string_equal(got(t, t->client), "");
}

/* The timers run by a clock that stands still in a suspend. */
static void a_suspend_does_not_make_a_grant_longer(void **state)
{
	_cleanup_desk_ struct desk *t = desk_here();

	list(t, TOOL("put_x"));
	assert_int_equal(lift(t, SCOPE_WRITE, BEGAN + 600 * SECOND), 0);
	assert_in_range(t->s.wake_us, t->s.now_us + 1, t->s.now_us + SCOPES_LOOK_US);
	t->s.boot_us = BEGAN + 3600 * (uint64_t)SECOND;
	t->s.now_us = t->s.wake_us;
	forget(t);
	assert_int_equal(shim_run_timers(&t->s), 0);
	assert_string_equal(got(t, t->client), NOTE_CHANGED "\n");
}

static void a_grant_that_is_ended_ends_at_once(void **state)
{
	_cleanup_desk_ struct desk *t = desk_here();

	list(t, TOOL("put_x"));
	assert_int_equal(lift(t, SCOPE_WRITE, BEGAN + 600 * SECOND), 0);
	list(t, TOOL("put_x"));
	forget(t);
	assert_int_equal(lift(t, SCOPE_WRITE, 0), 0);
	assert_string_equal(got(t, t->client), NOTE_CHANGED "\n");
	/* The very list that stayed whole a moment ago. */
	list(t, TOOL("put_x"));
	assert_null(strstr(got(t, t->client), "put_x"));
	forget(t);
	PLAY(t, { C, CALL(1, "put_x"), "~'write'", NULL, "tool.call deny" });
}

/* Tools that are listed for no other reason than that this machine only observes (shim/lists.h). */
static void the_client_hears_once_that_observing_has_ended(void **state)
{
	static struct shim_rule only_get[] = { { true, WORDS("get_*"), WORDS("p:1") } };
	struct shim_config c = { .name = WORDS("demo"), .observe_until_us = BEGAN + 600 * (uint64_t)SECOND };
	_cleanup_desk_ struct desk *t = NULL;

	c.scope[SHIM_TOOLS] = (struct shim_rules){ true, WORDS("p:0"), only_get, ARRAY_LEN(only_get) };
	t = desk_new(&c);
	t->s.boot_us = BEGAN;
	t->s.now_us = SECOND;
	t->s.legacy = true;
	assert_int_equal(lists_observe_tick(&t->s), 0);
	assert_in_range(t->s.wake_us, t->s.now_us + 1, t->s.now_us + LISTS_LOOK_US);
	list(t, TOOL("get_x") "," TOOL("put_x"));
	assert_non_null(strstr(got(t, t->client), "put_x"));
	forget(t);
	/* Not yet; and a suspend stops the timer alone. */
	t->s.now_us = t->s.wake_us;
	assert_int_equal(shim_run_timers(&t->s), 0);
	assert_string_equal(got(t, t->client), "");
	t->s.boot_us = c.observe_until_us;
	t->s.now_us = t->s.wake_us;
	assert_int_equal(shim_run_timers(&t->s), 0);
	assert_string_equal(got(t, t->client), NOTE_CHANGED "\n");
	forget(t);
	list(t, TOOL("get_x") "," TOOL("put_x"));
	assert_null(strstr(got(t, t->client), "put_x"));
	forget(t);
	t->s.now_us += 3600 * (uint64_t)SECOND;
	assert_int_equal(shim_run_timers(&t->s), 0);
	assert_string_equal(got(t, t->client), "");
}

static void only_what_the_profile_lets_a_person_lift_can_be_lifted(void **state)
{
	_cleanup_desk_ struct desk *t = desk_here();

	assert_int_equal(lift(t, SCOPE_DESTRUCTIVE, BEGAN + SECOND), -EPROTO);
	assert_int_equal(lift(t, SCOPE_READ, BEGAN + SECOND), -EPROTO);
	assert_int_equal(lift(t, 4, BEGAN + SECOND), -EPROTO);
	assert_int_equal(lift(t, -1, BEGAN + SECOND), -EPROTO);
}

static void a_grant_of_write_does_not_let_a_tool_through_that_calls_itself_destructive(void **state)
{
	_cleanup_desk_ struct desk *t = desk_here();
	char id[128];

	assert_int_equal(lift(t, SCOPE_WRITE, BEGAN + 600 * SECOND), 0);
	give(t, C, CALL(1, "put_x"));
	own_id(t, id);
	answer_own(t, id, SAYS("put_x", "\"destructiveHint\":true"));
	assert_non_null(strstr(got(t, t->client), "'destructive'"));
}

static void a_client_that_has_no_list_yet_is_told_of_no_change(void **state)
{
	_cleanup_desk_ struct desk *t = desk_here();

	assert_int_equal(lift(t, SCOPE_WRITE, BEGAN + 600 * SECOND), 0);
	assert_string_equal(got(t, t->client), "");
}

static void a_modern_client_hears_of_it_where_it_listens(void **state)
{
	_cleanup_desk_ struct desk *t = desk_here();

	t->s.legacy = false;
	give(t, C,
		ID(5) "\"method\":\"subscriptions/listen\",\"params\":{" MODERN
		      ",\"notifications\":{\"toolsListChanged\":true}}}");
	give(t, C, ID(6) "\"method\":\"subscriptions/listen\",\"params\":{" MODERN ",\"notifications\":{}}}");
	give(t, C, ID(7) "\"method\":\"tools/list\",\"params\":{" MODERN "}}");
	give(t, S, ID(7) "\"result\":{\"resultType\":\"complete\",\"tools\":[" TOOL("put_x") "]}}");
	forget(t);
	assert_int_equal(lift(t, SCOPE_WRITE, BEGAN + 600 * SECOND), 0);
	assert_string_equal(got(t, t->client),
		J "\"method\":\"notifications/tools/list_changed\",\"params\":{\"_meta\":{\"io.modelcontextprotocol/"
		  "subscriptionId\":5}}}\n");
}

static void the_servers_hello_promises_that_the_list_can_change(void **state)
{
	static const char *const tools[][2] = {
		{ "{}", "{\"listChanged\":true}" },
		{ "{\"listChanged\":false,\"x\":1}", "{\"listChanged\":true,\"x\":1}" },
		/* A tool that stands there is one that nobody has put under a scope. */
		{ "{\"rm_x\":{\"y\":1}}", "{\"listChanged\":true}" },
		{ "{\"listChanged\":true}", "{\"listChanged\":true}" },
	};

	for (size_t i = 0; i < ARRAY_LEN(tools); i++) {
		_cleanup_desk_ struct desk *t = desk_here();
		char says[512], want[512];
		give(t, C,
			ID(1) "\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-06-18\","
			      "\"capabilities\":{},"
			      "\"clientInfo\":{\"name\":\"c\",\"version\":\"1\"}}}");
		snprintf(says, sizeof(says),
			ID(1) "\"result\":{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{\"tools\":%s,"
			      "\"logging\":{}},"
			      "\"serverInfo\":{\"name\":\"s\",\"version\":\"1\"}}}",
			tools[i][0]);
		snprintf(want, sizeof(want), "{\"tools\":%s,\"logging\":{}}", tools[i][1]);
		give(t, S, says);
		if (!strstr(got(t, t->client), want))
			fail_msg("%s becomes %s", tools[i][0], t->text);
	}
}

static void without_scopes_nothing_is_different(void **state)
{
	const struct shim_config c = { .name = WORDS("demo") };
	_cleanup_desk_ struct desk *t = desk_new(&c);

	PLAY(t, { C, CALL(1, "rm_x"), NULL, "=", "tool.call allow" }, { C, LIST(2), NULL, "=", "request allow" },
		{ S, TOOLS(2, SAYS("rm_x", "\"destructiveHint\":true")), "=", NULL, "response - ok" });
	give(t, C, CALL(3, "x"));
	assert_string_equal(last_call(t).scope, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tool_needs_every_scope_that_names_it_and_the_strictest_when_none_does),
		cmocka_unit_test(what_the_server_says_adds_and_never_takes_away),
		cmocka_unit_test(what_is_not_allowed_is_not_listed),
		cmocka_unit_test(a_denied_call_is_told_the_scope_and_the_rule_and_no_command),
		cmocka_unit_test(each_call_is_recorded_with_what_it_needs),
		cmocka_unit_test(the_client_hears_once_that_observing_has_ended),
		cmocka_unit_test(over_a_bridge_too_a_list_that_has_changed_is_looked_at_before_a_call),
		cmocka_unit_test(a_hint_withholds_a_tool_that_is_listed_as_reading),
		cmocka_unit_test(a_hint_that_says_nothing_or_something_good_changes_nothing),
		cmocka_unit_test(a_good_word_lets_no_tool_through_that_the_profile_denies),
		cmocka_unit_test(what_was_once_said_holds_for_the_session),
		cmocka_unit_test(the_worst_that_was_said_is_what_holds),
		cmocka_unit_test(of_two_tools_of_one_name_the_worse_word_counts),
		cmocka_unit_test(a_call_without_a_list_waits_until_the_shim_has_seen_one),
		cmocka_unit_test(half_a_list_is_none),
		cmocka_unit_test(a_list_that_cannot_be_had_lets_nothing_through),
		cmocka_unit_test(more_tools_that_say_they_write_than_are_kept_make_every_other_one_the_worst),
		cmocka_unit_test(a_grant_lets_through_and_is_named_and_ends_by_its_clock),
		cmocka_unit_test(the_end_of_a_grant_is_told_whoever_sees_it_first),
		cmocka_unit_test(a_suspend_does_not_make_a_grant_longer),
		cmocka_unit_test(a_grant_that_is_ended_ends_at_once),
		cmocka_unit_test(only_what_the_profile_lets_a_person_lift_can_be_lifted),
		cmocka_unit_test(a_grant_of_write_does_not_let_a_tool_through_that_calls_itself_destructive),
		cmocka_unit_test(a_client_that_has_no_list_yet_is_told_of_no_change),
		cmocka_unit_test(a_modern_client_hears_of_it_where_it_listens),
		cmocka_unit_test(the_servers_hello_promises_that_the_list_can_change),
		cmocka_unit_test(without_scopes_nothing_is_different),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
