/* SPDX-License-Identifier: Apache-2.0 */
/* test_shim_clean - wherever a peer's words get into ours, to the client or into a record: no secret, nothing unseen */
#include "tests/unit/shim_play.h"
#include "shim/arguments.h"
#include "shim/record.h"

#define TOKEN "ghp_Zx81kQ02mmPLw9"
#define LONG  "tok0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-end-of-a-long-one"
/* In JSON, and as it is. */
#define QUOTED	     "p\\\"w\\\\x/1 \xc3\xa4&q"
#define QUOTED_PLAIN "p\"w\\x/1 \xc3\xa4&q"
/* An escape sequence, a zero-width space, an override, a tag character. */
#define ODD "\\u001b[31m\\u200b\\u202e\\udb40\\udc41"

/* A comma is what stands between the names of arguments in a record. */
#define COMMA "aa,bb,cc,dd"

/* None of these may be seen. The last two are what is left of a value when a text is cut, and how quotes are escaped
 * in records. */
static const char *const secrets_shown[] = { TOKEN, "ghp_Zx81kQ02mmPLw", QUOTED, QUOTED_PLAIN, "p\\\\\"w", LONG,
	"tok0123456789abc", COMMA, "aa\\u002cbb" };
static const char *const unseen[] = { "\x1b", "\xe2\x80\x8b", "\xe2\x80\xae", "\xf3\xa0\x81\x81" };

static struct shim_rule tool_rules[] = { { false, WORDS("deny*"), WORDS("p:1") } };
static struct shim_rule uri_rules[] = { { true, WORDS("file:*"), WORDS("p:2") } };
static struct shim_argument_rule argument_rules[] = { { WORDS("typed"),
	WORDS("{\"properties\":{\"n\":{\"enum\":[\"a\"]}}}"), WORDS("p:3"), false } };

static struct meters_tool asked = { .glob = WORDS("ask*"), .confirm = { 1, WORDS("p:5") } };

static struct desk *desk_with_secrets(void)
{
	struct shim_config c = { .name = WORDS("demo"), .args = SHIM_ARGS_FULL };
	struct desk *t;
	struct diag d = { 0 };

	c.scope[SHIM_TOOLS] = (struct shim_rules){ false, WORDS("p:0"), tool_rules, 1 };
	c.scope[SHIM_RESOURCES] = (struct shim_rules){ true, WORDS("p:0"), uri_rules, 1 };
	c.arguments = (struct shim_arguments){ NULL, argument_rules, 1 };
	c.meters.tools = &asked;
	c.meters.n = 1;
	c.meters.output = (struct meters_bound){ 1024, WORDS("p:4") };
	t = desk_new(&c);
	assert_int_equal(shim_text_add_secret(&t->s.config.text, "TOKEN", TOKEN), 0);
	assert_int_equal(shim_text_add_secret(&t->s.config.text, "QUOTED", QUOTED_PLAIN), 0);
	assert_int_equal(shim_text_add_secret(&t->s.config.text, "LONG", LONG), 0);
	assert_int_equal(shim_text_add_secret(&t->s.config.text, "COMMA", COMMA), 0);
	assert_int_equal(text_out_init(&t->s.text, &t->s.config.text, &d), 0);
	assert_int_equal(arguments_prepare(&t->s, &d), 0);
	return t;
}

static void put_down(struct desk *t)
{
	struct shim_text text = t->s.config.text;

	arguments_done(&t->s);
	text_out_done(&t->s.text);
	desk_free(t);
	shim_text_done(&text);
}

static void expect_clean(const char *says, const char *where, const char *p, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(secrets_shown); i++)
		if (memmem(p, n, secrets_shown[i], strlen(secrets_shown[i])))
			fail_msg("%s: '%s' is %s: %.*s", says, secrets_shown[i], where, (int)n, p);
	for (size_t i = 0; i < ARRAY_LEN(unseen); i++)
		if (memmem(p, n, unseen[i], strlen(unseen[i])))
			fail_msg("%s: what nobody sees is %s", says, where);
}

/* Somebody says it; whatever the client hears and the log gets is clean, and there is something of both kinds that is
 * told to be. */
static void say(struct desk *t, enum event_side side, const char *line, bool heard, bool logged)
{
	struct event e;
	size_t records = 0, marks = 0;

	assert_int_equal(give(t, side, line), 0);
	const char *text = got(t, t->client);
	expect_clean(line, "heard", text, strlen(text));
	if ((*text != '\0') != heard)
		fail_msg("%s: the client hears '%s'", line, text);
	while (recorded(t, &e)) {
		const char *texts[] = { e.method, e.tool, e.subject, e.rule, e.reason, e.status, e.peer_name,
			e.peer_version, e.protocol, e.arg_keys };
		for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
			expect_clean(line, "recorded", texts[i], strlen(texts[i]));
			marks += strstr(texts[i], "[stockade: value of ") != NULL;
		}
		if (e.args_len)
			expect_clean(line, "recorded", e.args, e.args_len);
		records++;
	}
	if (logged && !marks)
		fail_msg("%s: of %zu records none says that a value was taken out", line, records);
	(void)got(t, t->server);
}

#define CALL(id, name, arguments)                                                                                      \
	ID(id) "\"method\":\"tools/call\",\"params\":{\"name\":\"" name "\",\"arguments\":{" arguments "}}}"

static void who_they_say_they_are_is_clean(void **state)
{
	struct desk *t = desk_with_secrets();

	say(t, C,
		ID(1) "\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"" TOKEN
		      "\",\"clientInfo\":{\"name\":\"" ODD TOKEN "\",\"version\":\"" QUOTED "\"}}}",
		false, true);
	say(t, S,
		ID(1) "\"result\":{\"protocolVersion\":\"" TOKEN "\",\"serverInfo\":{\"name\":\"" ODD TOKEN
		      "\",\"version\":\"" LONG QUOTED "\"},\"instructions\":\"" TOKEN ODD "\"}}",
		true, true);
	put_down(t);
}

static void names_of_methods_tools_and_resources_are_clean(void **state)
{
	struct desk *t = desk_with_secrets();

	say(t, C, CALL(1, "deny" TOKEN ODD, "\"a\":1"), true, true);
	say(t, C, CALL(2, "deny" QUOTED, "\"a\":1"), true, true);
	say(t, C, ID(3) "\"method\":\"x/" TOKEN ODD "\",\"params\":{}}", true, true);
	say(t, C, ID(4) "\"method\":\"resources/read\",\"params\":{\"uri\":\"data:" TOKEN "\"}}", true, true);
	/* A uri with such characters is no subject of a record. */
	say(t, C, ID(4) "\"method\":\"resources/read\",\"params\":{\"uri\":\"data:" TOKEN ODD "\"}}", true, false);
	say(t, C, ID(5) "\"method\":\"resources/read\",\"params\":{\"uri\":\"data:" LONG "\"}}", true, true);
	say(t, C, J "\"method\":\"notifications/" TOKEN ODD "\"}", false, true);
	say(t, S, J "\"method\":\"notifications/" QUOTED ODD "\"}", false, true);
	say(t, S, ID(6) "\"method\":\"x/" TOKEN "\"}", false, true);
	/* Nobody is asked about a call of such a name: who asks would record it. */
	say(t, C, CALL(7, "ask" TOKEN, "\"a\":1"), true, true);
	put_down(t);
}

static void arguments_in_the_log_are_clean_keys_as_well(void **state)
{
	struct desk *t = desk_with_secrets();

	say(t, C, CALL(1, "a", "\"" TOKEN "\":\"" TOKEN "\",\"b,c\":[\"x " QUOTED "\"],\"" LONG "\":1"), false, true);
	say(t, S, ID(1) "\"result\":{\"content\":[]}}", true, false);
	say(t, C, CALL(3, "a", "\"" COMMA "\":1"), false, true);
	say(t, S, ID(3) "\"result\":{\"content\":[]}}", true, false);
	/* Where they are cut, too. */
	say(t, C, CALL(2, TOKEN, "\"a\":\"" LONG "\""), false, true);
	say(t, S, ID(2) "\"result\":{\"content\":[]}}", true, true);
	put_down(t);
}

static void what_schemas_say_is_clean(void **state)
{
	struct desk *t = desk_with_secrets();

	say(t, C, ID(1) "\"method\":\"tools/list\"}", false, false);
	say(t, S,
		ID(1) "\"result\":{\"tools\":[{\"name\":\"one\",\"inputSchema\":{\"type\":\"object\",\"properties\":{"
		      "\"k\":{\"enum\":"
		      "[\"" TOKEN "\",\"" LONG "\",\"" ODD "\"]},\"" TOKEN
		      "\":{\"type\":\"integer\"}}},\"outputSchema\":{\"type\":\"object\",\"properties\":{\"" TOKEN
		      "\":{\"const\":\"" LONG
		      "\"}}}},{\"name\":\"lost\",\"inputSchema\":{\"$ref\":\"https://x.example/" TOKEN "\"}}]}}",
		true, true);
	say(t, C, CALL(2, "one", "\"k\":\"b\""), true, true);
	say(t, C, CALL(3, "one", "\"" TOKEN "\":\"" LONG "\""), true, true);
	say(t, C, CALL(4, "typed", "\"n\":\"" LONG "\""), true, true);
	say(t, C, CALL(5, "one", ""), false, false);
	say(t, S, ID(5) "\"result\":{\"content\":[],\"structuredContent\":{\"" TOKEN "\":\"" TOKEN ODD "\"}}}", true,
		true);
	put_down(t);
}

/* Of a long pattern that cannot be used the beginning is shown, in the middle of a value. */
static void a_pattern_that_was_cut_is_clean(void **state)
{
	struct desk *t = desk_with_secrets();
	char list[1024];

	say(t, C, ID(1) "\"method\":\"tools/list\"}", false, false);
	snprintf(list, sizeof(list),
		ID(1) "\"result\":{\"tools\":[{\"name\":\"one\",\"inputSchema\":{\"type\":\"object\",\"properties\":{"
		      "\"k\":{\"pattern\":\"(%0150d%s\"}}}}]}}",
		7, LONG);
	say(t, S, list, true, true);
	say(t, C, CALL(2, "one", "\"k\":\"b\""), true, true);
	put_down(t);
}

/* Words that fill their room were cut there, and nothing shows it. */
static void the_beginning_of_a_value_at_the_end_of_a_full_field_is_clean(void **state)
{
	struct desk *t = desk_with_secrets();
	struct event e = { .type = EVENT_REFUSED, .tool = "a", .method = "b" }, got;

	memset(e.reason, 'x', sizeof(e.reason) - 1);
	memcpy(e.reason + sizeof(e.reason) - 1 - 12, TOKEN, 12);
	assert_int_equal(record_send(&t->s, &e), 0);
	assert_true(recorded(t, &got));
	assert_null(strstr(got.reason, "ghp_"));
	/* In a field with room behind them they are words like others. */
	e.reason[0] = '\0';
	memcpy(e.peer_name, TOKEN, 12);
	assert_int_equal(record_send(&t->s, &e), 0);
	assert_true(recorded(t, &got));
	assert_string_equal(got.peer_name, "ghp_Zx81kQ02");
	put_down(t);
}

static void refusals_and_limits_are_clean(void **state)
{
	static char big[2048];
	struct desk *t = desk_with_secrets();

	say(t, C, CALL(1, TOKEN, "\"a\":1"), false, true);
	snprintf(big, sizeof(big), ID(1) "\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"%01500d\"}]}}", 7);
	say(t, S, big, true, true);
	say(t, C, CALL(2, "a", ""), false, false);
	say(t, S, ID(2) "\"result\":{\"inputRequests\":{\"" TOKEN "\":{\"method\":\"" TOKEN ODD "\"}}}}", true, false);
	say(t, C, CALL(3, "a", ""), false, false);
	say(t, S,
		ID(3) "\"error\":{\"code\":-32042,\"message\":\"" TOKEN
		      "\",\"data\":{\"elicitations\":[{\"mode\":\"url\","
		      "\"message\":\"" TOKEN "\",\"url\":\"https://x/?" TOKEN "\"}]}}}",
		true, false);
	put_down(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_they_say_they_are_is_clean),
		cmocka_unit_test(names_of_methods_tools_and_resources_are_clean),
		cmocka_unit_test(arguments_in_the_log_are_clean_keys_as_well),
		cmocka_unit_test(what_schemas_say_is_clean),
		cmocka_unit_test(a_pattern_that_was_cut_is_clean),
		cmocka_unit_test(the_beginning_of_a_value_at_the_end_of_a_full_field_is_clean),
		cmocka_unit_test(refusals_and_limits_are_clean),
	};

	return cmocka_run_group_tests_name("clean", tests, NULL, NULL);
}
