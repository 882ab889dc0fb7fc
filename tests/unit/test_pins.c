/* SPDX-License-Identifier: Apache-2.0 */
/* test_pins - the shim holds what the server says against the pins, and waits for what it has not said yet */
#include "tests/unit/shim_unit.h"
#include "shim/define.h"
#include "shim/kills.h"
#include "shim/own.h"
#include "shim/pins.h"

#define TOOL_A	"{\"name\":\"a\",\"description\":\"A.\"}"
#define TOOL_B	"{\"name\":\"b\",\"description\":\"B.\"}"
#define OTHER_A "{\"name\":\"a\",\"description\":\"Other.\"}"
#define CALL(id, name)                                                                                                 \
	"{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"tools/call\",\"params\":{\"name\":\"" name "\"}}"
#define LIST(id)	 "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"tools/list\",\"params\":{}}"
#define TOOLS(id, tools) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":{\"tools\":[" tools "]}}"
#define CHANGED		 "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}"

struct pinned {
	struct shim_pin pins[3];
	struct shim_config config;
};

static void pin(struct shim_pin *p, enum definition_kind kind, const char *name, const char *definition)
{
	_cleanup_buf_ struct buf room = BUF_INIT(DEFINITION_BYTES_MAX);

	p->kind = kind;
	p->name = WORDS(name);
	assert_int_equal(define_digest(&room, slice_of(definition), p->digest), 0);
}

/* a and b, and the instructions "I". */
static struct desk *pinned_desk(struct pinned *p)
{
	*p = (struct pinned){ 0 };
	pin(&p->pins[0], DEFINITION_TOOL, "a", "{\"description\":\"A.\",\"name\":\"a\"}");
	pin(&p->pins[1], DEFINITION_TOOL, "b", "{\"description\":\"B.\",\"name\":\"b\"}");
	pin(&p->pins[2], DEFINITION_INSTRUCTIONS, "", "\"I\"");
	p->config.pins = (struct shim_pins){ true, WORDS("the pins of 's'"), p->pins, ARRAY_LEN(p->pins) };
	return desk_new(&p->config);
}

static void say(struct desk *t, enum event_side side, const char *text)
{
	assert_int_equal(give(t, side, text), 0);
}

/* What the client gets of a list with these tools. */
static const char *client_lists(struct desk *t, const char *answer)
{
	say(t, EVENT_FROM_CLIENT, LIST("90"));
	forget(t);
	say(t, EVENT_FROM_SERVER, answer);
	return got(t, t->client);
}

/* The id, as a string with its quotes, of the request that the shim has sent for a list. */
static const char *own_id(struct desk *t, char ret[128])
{
	const char *sent = got(t, t->server), *from = strstr(sent, "\"stockade-"),
		   *to = from ? strchr(from + 1, '"') : NULL;

	if (!from || !to || !strstr(sent, "\"method\":\"tools/list\""))
		fail_msg("the shim did not ask: %s", sent);
	snprintf(ret, 128, "%.*s", (int)(to + 1 - from), from);
	return ret;
}

static void answer_own(struct desk *t, const char *id, const char *rest)
{
	char text[1024];

	snprintf(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"id\":%s,%s}", id, rest);
	say(t, EVENT_FROM_SERVER, text);
}

static bool has_event(struct desk *t, enum event_type type)
{
	struct event e;
	bool found = false;

	while (recorded(t, &e))
		found = found || e.type == type;
	return found;
}

static void a_list_loses_what_is_unknown_or_changed(void **state)
{
	struct pinned p;
	_cleanup_desk_ struct desk *t = pinned_desk(&p);

	assert_string_equal(client_lists(t, TOOLS("90", TOOL_A "," TOOL_B)), TOOLS("90", TOOL_A "," TOOL_B) "\n");
	assert_false(has_event(t, EVENT_PIN_UNKNOWN));
	assert_string_equal(client_lists(t, TOOLS("90", "{\"name\":\"c\"}," TOOL_B)), TOOLS("90", TOOL_B) "\n");
	assert_true(has_event(t, EVENT_PIN_UNKNOWN));
	assert_string_equal(client_lists(t, TOOLS("90", "{\"name\":\"c\"}," TOOL_B)), TOOLS("90", TOOL_B) "\n");
	assert_false(has_event(t, EVENT_PIN_UNKNOWN));
	assert_string_equal(client_lists(t, TOOLS("90", OTHER_A "," TOOL_B)), TOOLS("90", TOOL_B) "\n");
	assert_true(has_event(t, EVENT_PIN_CHANGED));
	/* Quarantined. */
	assert_string_equal(client_lists(t, TOOLS("90", TOOL_A "," TOOL_B)), TOOLS("90", TOOL_B) "\n");
	say(t, EVENT_FROM_CLIENT, CALL("1", "a"));
	assert_non_null(strstr(got(t, t->client), "is not the one that was pinned"));
	assert_string_equal(got(t, t->server), "");
}

static void what_has_no_pin_cannot_be_used_by_its_name_listed_or_not(void **state)
{
	static const char *const asks[] = {
		CALL("1", "c"),
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"prompts/get\",\"params\":{\"name\":\"a\"}}",
		("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"completion/complete\",\"params\":{\"ref\":{\"type\":\"ref/"
		 "resource\",\"uri\":\"a\"},\"argument\":{\"name\":\"n\",\"value\":\"\"}}}"),
	};

	for (size_t i = 0; i < ARRAY_LEN(asks); i++) {
		struct pinned p;
		_cleanup_desk_ struct desk *t = pinned_desk(&p);
		for (int listed = 0; listed < 2; listed++) {
			say(t, EVENT_FROM_CLIENT, asks[i]);
			if (!strstr(got(t, t->client), "it was not there when the definitions were pinned"))
				fail_msg("%s: %s", asks[i], t->text);
			assert_string_equal(got(t, t->server), "");
			client_lists(t, TOOLS("90", "{\"name\":\"c\"}," TOOL_A));
			forget(t);
		}
	}
}

static void a_call_to_what_was_never_listed_waits_for_a_list_of_the_shims_own(void **state)
{
	struct pinned p;
	_cleanup_desk_ struct desk *t = pinned_desk(&p);
	char id[128], again[128];

	say(t, EVENT_FROM_CLIENT, CALL("1", "a"));
	own_id(t, id);
	say(t, EVENT_FROM_CLIENT, CALL("2", "b"));
	assert_string_equal(got(t, t->server), "");
	answer_own(t, id, "\"result\":{\"tools\":[" TOOL_A "],\"nextCursor\":\"n\"}");
	own_id(t, again);
	assert_string_not_equal(id, again);
	assert_string_equal(got(t, t->client), "");
	answer_own(t, again, "\"result\":{\"tools\":[{\"name\":\"b\"}]}");
	assert_string_equal(got(t, t->server), CALL("1", "a") "\n");
	assert_non_null(strstr(got(t, t->client), "\"id\":2,\"result\":"));
	/* Known now. */
	say(t, EVENT_FROM_SERVER, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}");
	say(t, EVENT_FROM_CLIENT, CALL("1", "a"));
	assert_string_equal(got(t, t->server), CALL("1", "a") "\n");
}

/* The very same list must mark its tools as seen once more. */
static void the_same_list_after_list_changed_is_what_calls_wait_for(void **state)
{
	struct pinned p;
	_cleanup_desk_ struct desk *t = pinned_desk(&p);

	for (int i = 0; i < 3; i++) {
		client_lists(t, TOOLS("90", TOOL_A "," TOOL_B));
		forget(t);
		say(t, EVENT_FROM_CLIENT, CALL("1", "a"));
		assert_string_equal(got(t, t->server), CALL("1", "a") "\n");
		say(t, EVENT_FROM_SERVER, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}");
		say(t, EVENT_FROM_SERVER, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}");
		assert_false(t->s.known[0].is);
	}
}

static void after_list_changed_the_shim_looks_again(void **state)
{
	struct pinned p;
	_cleanup_desk_ struct desk *t = pinned_desk(&p);
	char id[128];

	client_lists(t, TOOLS("90", TOOL_A));
	say(t, EVENT_FROM_SERVER, CHANGED);
	forget(t);
	say(t, EVENT_FROM_CLIENT, CALL("1", "a"));
	own_id(t, id);
	answer_own(t, id, "\"result\":{\"tools\":[" OTHER_A "]}");
	assert_string_equal(got(t, t->server), "");
	assert_non_null(strstr(got(t, t->client), "is not the one that was pinned"));
}

static void what_waits_is_answered_once_whatever_comes(void **state)
{
	static const char *const useless[] = {
		"\"result\":{\"tools\":[]}",
		"\"result\":{\"tools\":{}}",
		"\"result\":{}",
		"\"error\":{\"code\":1,\"message\":\"m\"}",
		"\"result\":{\"Tools\":[" TOOL_A "],\"tools\":[]}",
	};

	for (size_t i = 0; i < ARRAY_LEN(useless); i++) {
		struct pinned p;
		_cleanup_desk_ struct desk *t = pinned_desk(&p);
		char id[128];
		say(t, EVENT_FROM_CLIENT, CALL("1", "a"));
		own_id(t, id);
		answer_own(t, id, useless[i]);
		if (!strstr(got(t, t->client), "denied by the pins of 's'"))
			fail_msg("%s: %s", useless[i], t->text);
		assert_string_equal(got(t, t->server), "");
		/* The same once more answers nothing. */
		answer_own(t, id, useless[i]);
		assert_string_equal(got(t, t->client), "");
	}
}

static void a_call_that_waits_can_be_cancelled_and_its_id_is_taken(void **state)
{
	struct pinned p;
	_cleanup_desk_ struct desk *t = pinned_desk(&p);
	char id[128];

	say(t, EVENT_FROM_CLIENT, CALL("1", "a"));
	own_id(t, id);
	say(t, EVENT_FROM_CLIENT, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}");
	assert_string_equal(got(t, t->client), "");
	assert_string_equal(got(t, t->server), "");
	say(t, EVENT_FROM_CLIENT,
		"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":1}}");
	/* The server never heard of it. */
	assert_string_equal(got(t, t->server), "");
	answer_own(t, id, "\"result\":{\"tools\":[" TOOL_A "]}");
	assert_string_equal(got(t, t->client), "");
	assert_string_equal(got(t, t->server), "");
}

static void nothing_that_waits_is_forgotten_when_the_server_goes_or_stays_silent(void **state)
{
	for (int silent = 0; silent < 2; silent++) {
		struct pinned p;
		_cleanup_desk_ struct desk *t = pinned_desk(&p);
		say(t, EVENT_FROM_CLIENT, CALL("1", "a"));
		forget(t);
		if (silent)
			assert_int_equal(own_tick(&t->s, UINT64_MAX), 0);
		else
			assert_int_equal(handle_abandon(&t->s, "gone", "server died"), 0);
		assert_non_null(strstr(got(t, t->client), silent ? "did not answer in time" : "gone"));
	}
}

/* Each with the id of the shim's own request before it. */
static void an_answer_to_the_shims_own_request_that_is_refused_is_waited_for_no_longer(void **state)
{
	static const struct {
		const char *rest, *words;
	} cases[] = {
		{ "\"result\":{\"tools\":[],\"tools\":[]}}", "an object has the same key twice" },
		{ "\"result\":{\"tools\":[\"\xff\"]}}", "it is not valid UTF-8" },
		{ "\"result\":{\"tools\":[]},\"x\":1}", "its keys are not exactly those" },
		{ "\"result\":{\"Tools\":[]}}", "differs from one of the protocol's" },
		{ NULL, "it is longer than" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pinned p;
		_cleanup_desk_ struct desk *t = pinned_desk(&p);
		struct skim *skim = &t->s.from_server.skim;
		char id[128], text[256];
		say(t, EVENT_FROM_CLIENT, CALL("1", "a"));
		own_id(t, id);
		snprintf(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"id\":%s,%s", id,
			cases[i].rest ? cases[i].rest : "\"result\":{}}");
		skim_init(skim);
		skim_feed(skim, text, strlen(text));
		assert_int_equal(handle_line(&t->s, EVENT_FROM_SERVER, cases[i].rest ? LINES_MESSAGE : LINES_TOO_LONG,
					 (struct line){ text, strlen(text) }),
			0);
		if (!strstr(got(t, t->client), cases[i].words) || !strstr(t->text, "answer to tools/list is of no use"))
			fail_msg("%zu: '%s'", i, t->text);
		assert_int_equal(t->s.own.table.n, 0);
		assert_true(has_event(t, EVENT_REFUSED));
		/* The next call asks anew. */
		say(t, EVENT_FROM_CLIENT, CALL("2", "a"));
		own_id(t, id);
	}
}

static void too_many_that_wait_are_told_so(void **state)
{
	struct pinned p;
	_cleanup_desk_ struct desk *t = pinned_desk(&p);
	char text[256];

	for (int i = 0; i < PARKED_MAX + 1; i++) {
		snprintf(text, sizeof(text), CALL("%d", "a"), i);
		assert_string_equal(got(t, t->client), "");
		say(t, EVENT_FROM_CLIENT, text);
	}
	assert_non_null(strstr(got(t, t->client), "the pins of 's': too many calls wait"));
	assert_non_null(strstr(t->text, "Retry after 1 s."));
	assert_null(strstr(t->text, "Only a person"));
}

/* The server answers page after page; what the client has got when the shim asks no more. */
static const char *follow_pages(struct desk *t, const char *tools, bool same, uint64_t slow_us, unsigned *ret_pages)
{
	char id[128], text[256];

	say(t, EVENT_FROM_CLIENT, CALL("1", "a"));
	for (*ret_pages = 0; *ret_pages <= PINS_PAGES_MAX + 1; (*ret_pages)++) {
		struct event e;
		while (recorded(t, &e))
			;
		if (*got(t, t->client))
			return t->text;
		own_id(t, id);
		t->s.now_us += slow_us;
		snprintf(text, sizeof(text), "\"result\":{\"tools\":[%s],\"nextCursor\":\"%u\"}", tools,
			same ? 0 : *ret_pages);
		answer_own(t, id, text);
	}
	return "";
}

static void a_list_of_the_shims_own_has_an_end(void **state)
{
	static const struct {
		const char *tools;
		bool same;
		uint64_t slow_us;
		unsigned pages;
		const char *words;
	} cases[] = {
		{ "", false, 0, PINS_PAGES_MAX, "longer than stockade reads" },
		{ "", true, 0, 2, "the same page again" },
		{ "", false, PINS_LIST_US / 4, 5, "takes too long" },
		{ TOOL_B, false, 0, PINS_PAGES_MAX, "longer than stockade reads" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pinned p;
		_cleanup_desk_ struct desk *t = pinned_desk(&p);
		unsigned pages;
		const char *answer = follow_pages(t, cases[i].tools, cases[i].same, cases[i].slow_us, &pages);
		if (!strstr(answer, cases[i].words) || pages != cases[i].pages)
			fail_msg("%zu: after %u pages '%s'", i, pages, answer);
	}
}

static void a_list_of_the_shims_own_may_have_so_many_bytes(void **state)
{
	enum { PAGE = 8 << 20 };
	struct pinned p;
	_cleanup_desk_ struct desk *t = pinned_desk(&p);
	_cleanup_free_ char *text = malloc(PAGE + 512);
	unsigned pages = 0;
	char id[128];

	assert_non_null(text);
	say(t, EVENT_FROM_CLIENT, CALL("1", "a"));
	for (; pages < 32 && !*got(t, t->client); pages++) {
		own_id(t, id);
		int n = snprintf(text, 512, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"nextCursor\":\"%u\",\"x\":\"",
			id, pages);
		memset(text + n, 'x', (size_t)(PAGE - 512));
		memcpy(text + n + PAGE - 512, "\",\"tools\":[]}}", sizeof("\",\"tools\":[]}}"));
		say(t, EVENT_FROM_SERVER, text);
	}
	assert_non_null(strstr(t->text, "longer than stockade reads"));
	assert_in_range(pages, PINS_LIST_BYTES_MAX / PAGE, PINS_LIST_BYTES_MAX / PAGE + 1);
}

static void instructions_stay_only_as_they_were_pinned(void **state)
{
	static const struct {
		const char *sent, *passed;
	} cases[] = {
		{ "{\"capabilities\":{},\"instructions\":\"I\"}", "{\"capabilities\":{},\"instructions\":\"I\"}" },
		{ "{\"capabilities\":{},\"instructions\":\"J\",\"x\":1}", "{\"capabilities\":{},\"x\":1}" },
		{ "{\"instructions\":[\"I\"],\"capabilities\":{}}", "{\"capabilities\":{}}" },
		{ "{\"capabilities\":{}}", "{\"capabilities\":{}}" },
		{ "{\"capabilities\":{\"tools\":{\"t\":{\"name\":\"t\"}}},\"instructions\":\"J\"}",
			"{\"capabilities\":{\"tools\":{\"listChanged\":true}}}" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pinned p;
		_cleanup_desk_ struct desk *t = pinned_desk(&p);
		char text[512];
		say(t, EVENT_FROM_CLIENT, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{}}");
		snprintf(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":%s}", cases[i].sent);
		say(t, EVENT_FROM_SERVER, text);
		snprintf(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":%s}\n", cases[i].passed);
		assert_string_equal(got(t, t->client), text);
	}
}

#define TYPED "{\"name\":\"a\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"number\"}}}}"
#define ARGS(id, arguments)                                                                                            \
	"{\"jsonrpc\":\"2.0\",\"id\":" id                                                                              \
	",\"method\":\"tools/call\",\"params\":{\"name\":\"a\",\"arguments\":" arguments "}}"

static struct desk *typed_desk(struct pinned *p)
{
	*p = (struct pinned){ 0 };
	pin(&p->pins[0], DEFINITION_TOOL, "a",
		"{\"inputSchema\":{\"properties\":{\"n\":{\"type\":\"number\"}},\"type\":\"object\"},\"name\":\"a\"}");
	p->config.pins = (struct shim_pins){ true, WORDS("the pins of 's'"), p->pins, 1 };
	return desk_new(&p->config);
}

static void a_call_without_a_list_is_judged_by_the_schema_that_was_pinned(void **state)
{
	struct pinned p;
	_cleanup_desk_ struct desk *t = typed_desk(&p);
	char id[128];

	say(t, EVENT_FROM_CLIENT, ARGS("1", "{\"n\":\"x\"}"));
	own_id(t, id);
	say(t, EVENT_FROM_CLIENT, ARGS("2", "{\"n\":2}"));
	say(t, EVENT_FROM_CLIENT, ARGS("3", "[]"));
	assert_string_equal(got(t, t->server), "");
	answer_own(t, id, "\"result\":{\"tools\":[" TYPED "]}");
	/* Only what fits has reached the server, and all have their answer. */
	assert_string_equal(got(t, t->server), ARGS("2", "{\"n\":2}") "\n");
	if (!strstr(got(t, t->client), "arguments.n must be a number") || !strstr(t->text, "\"id\":3,\"error\""))
		fail_msg("%s", t->text);
}

static void a_call_is_judged_by_the_pinned_schema_again_after_the_list_changed(void **state)
{
	struct pinned p;
	_cleanup_desk_ struct desk *t = typed_desk(&p);
	char id[128];

	client_lists(t, TOOLS("90", TYPED));
	say(t, EVENT_FROM_SERVER, CHANGED);
	forget(t);
	say(t, EVENT_FROM_CLIENT, ARGS("1", "{\"n\":\"x\"}"));
	own_id(t, id);
	answer_own(t, id, "\"result\":{\"tools\":[" TYPED "]}");
	assert_string_equal(got(t, t->server), "");
	assert_non_null(strstr(got(t, t->client), "arguments.n must be a number"));
}

/* Pinned tools that nothing is known of any more, since others took the room, are not called unjudged. */
static void a_pinned_tool_whose_schema_gave_way_is_denied(void **state)
{
	struct pinned p;
	_cleanup_desk_ struct desk *t = typed_desk(&p);

	client_lists(t, TOOLS("90", TYPED));
	/* As lists of other tools would, of which the last has the name of none. */
	for (int i = 0; i < SCHEMAS_TOOLS_MAX; i++) {
		char name[16];
		const char *why;
		snprintf(name, sizeof(name), "t%d", i);
		if (i == 0)
			schemas_begin(&t->s.schemas, true, true);
		assert_int_equal(
			schemas_learn(&t->s.schemas, slice_of(name), slice_of("{}"), slice_of(NULL), false, &why), 0);
	}
	assert_null(schemas_of_tool(&t->s.schemas, slice_of("a")));
	assert_false(t->s.schemas.full);
	say(t, EVENT_FROM_CLIENT, ARGS("1", "{\"n\":\"x\"}"));
	assert_string_equal(got(t, t->server), "");
	assert_non_null(strstr(got(t, t->client), "more tools than stockade keeps the schemas of"));
}

static void a_strict_rule_has_the_shim_ask_for_the_list_before_a_call(void **state)
{
	static const struct {
		const char *answer, *words;
	} cases[] = {
		{ "\"result\":{\"tools\":[" TYPED "]}", "arguments.more is not known here" },
		{ "\"result\":{\"tools\":[{\"name\":\"a\"}]}", "no inputSchema of the tool is known" },
		{ "\"result\":{\"tools\":[]}", "no inputSchema of the tool is known" },
		{ "\"error\":{\"code\":1,\"message\":\"m\"}", "answers a request for its list with an error" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct shim_config c = { .arguments = { .strict = WORDS("p:2 (tools.strict)") } };
		_cleanup_desk_ struct desk *t = desk_new(&c);
		char id[128];
		say(t, EVENT_FROM_CLIENT, ARGS("1", "{\"more\":1}"));
		own_id(t, id);
		say(t, EVENT_FROM_CLIENT, ARGS("2", "{\"n\":1}"));
		answer_own(t, id, cases[i].answer);
		if (!strstr(got(t, t->client), cases[i].words) || !strstr(t->text, "p:2 (tools.strict)"))
			fail_msg("%zu: %s", i, t->text);
		assert_string_equal(got(t, t->server), i == 0 ? ARGS("2", "{\"n\":1}") "\n" : "");
		/* A list that was seen to its end need not be asked for again, until it changes. */
		say(t, EVENT_FROM_CLIENT, ARGS("3", "{\"more\":1}"));
		if (i < 3)
			assert_string_equal(got(t, t->server), "");
		else
			own_id(t, id);
		if (i != 2)
			continue;
		say(t, EVENT_FROM_SERVER, CHANGED);
		forget(t);
		say(t, EVENT_FROM_CLIENT, ARGS("4", "{\"more\":1}"));
		own_id(t, id);
	}
}

static void too_many_that_wait_by_a_strict_rule_are_told_its_name(void **state)
{
	struct shim_config c = { .arguments = { .strict = WORDS("p:2 (tools.strict)") } };
	_cleanup_desk_ struct desk *t = desk_new(&c);
	char text[256];

	for (int i = 0; i < PARKED_MAX + 1; i++) {
		snprintf(text, sizeof(text), ARGS("%d", "{}"), i);
		assert_string_equal(got(t, t->client), "");
		say(t, EVENT_FROM_CLIENT, text);
	}
	assert_non_null(strstr(got(t, t->client), "denied by p:2 (tools.strict): too many calls wait"));
	assert_non_null(strstr(t->text, "Retry after 1 s."));
}

/* The shim's own look must not make the client's list forget what its first page had. */
static void a_list_of_the_shims_own_does_not_disturb_the_pages_that_a_client_reads(void **state)
{
	struct shim_config c = { .arguments = { .strict = WORDS("p:2 (tools.strict)") } };
	_cleanup_desk_ struct desk *t = desk_new(&c);
	char id[128];

	say(t, EVENT_FROM_CLIENT, LIST("90"));
	say(t, EVENT_FROM_SERVER,
		"{\"jsonrpc\":\"2.0\",\"id\":90,\"result\":{\"tools\":[" TOOL_B "],\"nextCursor\":\"2\"}}");
	forget(t);
	say(t, EVENT_FROM_CLIENT, ARGS("1", "{}"));
	own_id(t, id);
	answer_own(t, id, "\"result\":{\"tools\":[" TYPED "]}");
	forget(t);
	say(t, EVENT_FROM_CLIENT,
		"{\"jsonrpc\":\"2.0\",\"id\":91,\"method\":\"tools/list\",\"params\":{\"cursor\":\"2\"}}");
	forget(t);
	say(t, EVENT_FROM_SERVER, TOOLS("91", "{\"name\":\"b\",\"description\":\"Another.\"}"));
	assert_string_equal(got(t, t->client), TOOLS("91", "") "\n");
}

/* What is hidden from a list for its scope is not missing from the server's: pinning again would change nothing. */
static void a_call_whose_scope_is_missing_is_told_so_and_nothing_of_the_pins(void **state)
{
	static struct scope scopes[] = { { WORDS("read"), true, NULL }, { WORDS("write"), false, WORDS("p:9") },
		{ WORDS("destructive"), false, NULL } };
	static struct scope_glob globs[] = { { SCOPE_READ, WORDS("a"), WORDS("p:4") },
		{ SCOPE_WRITE, WORDS("b"), WORDS("p:5 (tools.scopes.write \"b\")") } };

	for (int listed = 0; listed < 2; listed++) {
		struct pinned p;
		_cleanup_desk_ struct desk *t = pinned_desk(&p);
		t->s.config.scopes = (struct scopes){ .where = WORDS("p:3"),
			.allowed_where = WORDS("p:8"),
			.v = scopes,
			.n = ARRAY_LEN(scopes),
			.globs = globs,
			.n_globs = ARRAY_LEN(globs) };
		if (listed)
			client_lists(t, TOOLS("90", TOOL_A "," TOOL_B));
		forget(t);
		say(t, EVENT_FROM_CLIENT, CALL("1", "b"));
		/* Nor is the server asked for a list that would say nothing. */
		assert_string_equal(got(t, t->server), "");
		if (!strstr(got(t, t->client), "it needs the scope 'write', which p:8 does not allow"))
			fail_msg("%s", t->text);
	}
}

static void without_pins_nothing_is_looked_at(void **state)
{
	struct shim_config c = { 0 };
	_cleanup_desk_ struct desk *t = desk_new(&c);

	say(t, EVENT_FROM_CLIENT, CALL("1", "a"));
	assert_string_equal(got(t, t->server), CALL("1", "a") "\n");
	assert_string_equal(client_lists(t, TOOLS("90", OTHER_A)), TOOLS("90", OTHER_A) "\n");
}

static void a_call_with_more_to_say_of_its_client_than_is_kept_is_denied(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(1 << 20);
	struct pinned p;
	_cleanup_desk_ struct desk *t = pinned_desk(&p);
	char id[128];

	assert_int_equal(
		buf_puts(&b, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"a\","
			     "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
			     "\"io.modelcontextprotocol/clientCapabilities\":{},"
			     "\"io.modelcontextprotocol/clientInfo\":{\"version\":\"1\",\"name\":\""),
		0);
	for (int i = 0; i <= PINS_META_MAX; i++)
		assert_int_equal(buf_putc(&b, 'x'), 0);
	assert_int_equal(buf_puts(&b, "\"}}}}"), 0);
	say(t, EVENT_FROM_CLIENT, b.data);
	if (!strstr(got(t, t->client), "denied by the pins of 's': its _meta is too long"))
		fail_msg("%s", t->text);
	assert_string_equal(got(t, t->server), "");
	/* It waits for nothing, and the next does. */
	say(t, EVENT_FROM_CLIENT, CALL("1", "a"));
	own_id(t, id);
	answer_own(t, id, "\"result\":{\"tools\":[" TOOL_A "]}");
	assert_string_equal(got(t, t->server), CALL("1", "a") "\n");
	assert_string_equal(got(t, t->client), "");
}

/* The server may take twenty seconds to give its list, or never do. */
static void a_call_that_waits_for_a_list_is_answered_as_soon_as_its_tool_is_killed(void **state)
{
	struct control kill = { .type = CONTROL_KILL_TOOL, .tool = "a", .text = "by alice: SEC-1" };
	struct pinned p;
	_cleanup_desk_ struct desk *t = pinned_desk(&p);
	char id[128];

	(void)state;
	say(t, EVENT_FROM_CLIENT, CALL("1", "a"));
	say(t, EVENT_FROM_CLIENT, CALL("2", "b"));
	own_id(t, id);
	assert_string_equal(got(t, t->client), "");
	assert_int_equal(kills_take(&t->s, &kill), 0);
	const char *heard = got(t, t->client);
	if (!strstr(heard, "\"id\":1,") || !strstr(heard, "the kill switch") || !strstr(heard, "SEC-1"))
		fail_msg("it is not answered: %s", heard);
	assert_null(strstr(heard, "\"id\":2,"));
	assert_null(strstr(heard, "in the server's profile"));
	answer_own(t, id, "\"result\":{\"tools\":[" TOOL_A "," TOOL_B "]}");
	assert_string_equal(got(t, t->client), "");
	const char *sent = got(t, t->server);
	if (!strstr(sent, "\"id\":2,") || strstr(sent, "\"id\":1,"))
		fail_msg("not what was parked: %s", sent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_loses_what_is_unknown_or_changed),
		cmocka_unit_test(what_has_no_pin_cannot_be_used_by_its_name_listed_or_not),
		cmocka_unit_test(a_call_to_what_was_never_listed_waits_for_a_list_of_the_shims_own),
		cmocka_unit_test(the_same_list_after_list_changed_is_what_calls_wait_for),
		cmocka_unit_test(after_list_changed_the_shim_looks_again),
		cmocka_unit_test(what_waits_is_answered_once_whatever_comes),
		cmocka_unit_test(a_call_that_waits_can_be_cancelled_and_its_id_is_taken),
		cmocka_unit_test(nothing_that_waits_is_forgotten_when_the_server_goes_or_stays_silent),
		cmocka_unit_test(an_answer_to_the_shims_own_request_that_is_refused_is_waited_for_no_longer),
		cmocka_unit_test(too_many_that_wait_are_told_so),
		cmocka_unit_test(too_many_that_wait_by_a_strict_rule_are_told_its_name),
		cmocka_unit_test(a_list_of_the_shims_own_has_an_end),
		cmocka_unit_test(a_list_of_the_shims_own_may_have_so_many_bytes),
		cmocka_unit_test(instructions_stay_only_as_they_were_pinned),
		cmocka_unit_test(a_call_without_a_list_is_judged_by_the_schema_that_was_pinned),
		cmocka_unit_test(a_call_is_judged_by_the_pinned_schema_again_after_the_list_changed),
		cmocka_unit_test(a_pinned_tool_whose_schema_gave_way_is_denied),
		cmocka_unit_test(a_strict_rule_has_the_shim_ask_for_the_list_before_a_call),
		cmocka_unit_test(a_list_of_the_shims_own_does_not_disturb_the_pages_that_a_client_reads),
		cmocka_unit_test(a_call_with_more_to_say_of_its_client_than_is_kept_is_denied),
		cmocka_unit_test(a_call_whose_scope_is_missing_is_told_so_and_nothing_of_the_pins),
		cmocka_unit_test(without_pins_nothing_is_looked_at),
		cmocka_unit_test(a_call_that_waits_for_a_list_is_answered_as_soon_as_its_tool_is_killed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
