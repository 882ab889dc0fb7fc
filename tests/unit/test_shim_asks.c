/* SPDX-License-Identifier: Apache-2.0 */
/* test_shim_asks - what a server may ask of the client, as a request, in a result, in an error, and what it logs */
#include "tests/unit/shim_play.h"

#define SECOND 1000000ULL

static struct desk *desk_asking(void)
{
	struct shim_config c = { .name = WORDS("demo"),
		.client = { .sampling = { .on = true }, .elicitation = { .on = true } } };
	struct desk *t = desk_new(&c);

	t->s.now_us = 1000 * SECOND;
	assert_int_equal(give(t, C, ID(0) "\"method\":\"initialize\"}"), 0);
	forget(t);
	return t;
}

#define CALL(id)	 ID(id) "\"method\":\"tools/call\",\"params\":{\"name\":\"a\"}}"
#define SAMPLE(id, more) ID(id) "\"method\":\"sampling/createMessage\",\"params\":{\"messages\":[]," more "}}"
#define INPUT(id, requests)                                                                                            \
	ID(id)                                                                                                         \
	"\"result\":{\"resultType\":\"input_required\",\"inputRequests\":{" requests "},\"requestState\":"             \
	"\"s\"}}"
#define ASK(key, method, params) "\"" key "\":{\"method\":\"" method "\",\"params\":{" params "}}"
#define NAMED			 "The server 'demo' asks: "

static void what_asks_for_too_much_is_lowered_and_recorded(void **state)
{
	_cleanup_desk_ struct desk *t = desk_asking();

	t->s.config.client.sampling.max_tokens = (struct meters_bound){ 100, WORDS("p:1") };
	PLAY(t,
		{ S, SAMPLE(1, "\"maxTokens\":5000,\"includeContext\":\"allServers\",\"x\":1"),
			SAMPLE(1, "\"maxTokens\":100,\"includeContext\":\"thisServer\",\"x\":1"), NULL,
			"request allow maxTokens lowered to 100, includeContext lowered to thisServer$" },
		{ S, SAMPLE(2, "\"maxTokens\":100,\"includeContext\":\"thisServer\""), "=", NULL, "request allow $" },
		{ S, SAMPLE(3, "\"maxTokens\":100,\"includeContext\":\"none\""), "=", NULL, "request allow" },
		{ S, SAMPLE(4, "\"maxTokens\":7,\"includeContext\":\"AllServers\""),
			SAMPLE(4, "\"maxTokens\":7,\"includeContext\":\"thisServer\""), NULL, "request allow" },
		{ S, SAMPLE(5, "\"maxTokens\":1e9"), NULL, "~\"id\":5,\"error\":~-32602~no whole number~p:1",
			"request deny" },
		{ S, SAMPLE(6, "\"maxTokens\":99999999999999999999"), NULL, "~\"id\":6,\"error\":~-32602",
			"request deny" },
		{ S, SAMPLE(7, "\"x\":1"), NULL, "~\"id\":7,\"error\":~-32602", "request deny" });
	t->s.config.client.sampling.context = SHIM_CONTEXT_NONE;
	PLAY(t, { S, SAMPLE(8, "\"includeContext\":\"thisServer\",\"maxTokens\":1"),
			SAMPLE(8, "\"includeContext\":\"none\",\"maxTokens\":1"), NULL, "request allow" });
	t->s.config.client.sampling.context = SHIM_CONTEXT_ALL;
	PLAY(t, { S, SAMPLE(9, "\"includeContext\":\"allServers\",\"maxTokens\":1"), "=", NULL, "request allow" });
}

static void tools_for_the_model_come_only_where_the_profile_has_them(void **state)
{
	_cleanup_desk_ struct desk *t = desk_asking();

	PLAY(t,
		{ S, SAMPLE(1, "\"tools\":[]"), NULL, "~\"id\":1,\"error\":{\"code\":-32602,~client.sampling.tools",
			"request deny it brings tools" },
		{ S, SAMPLE(2, "\"toolChoice\":{}"), NULL, "~\"id\":2,\"error\":{\"code\":-32602,", "request deny" });
	t->s.config.client.sampling.tools = true;
	PLAY(t, { S, SAMPLE(3, "\"tools\":[],\"toolChoice\":{}"), "=", NULL, "request allow" });
}

#define FORM(id)                                                                                                       \
	ID(id)                                                                                                         \
	"\"method\":\"elicitation/create\",\"params\":{\"message\":\"Who?\",\"requestedSchema\":{\"type\":"            \
	"\"object\",\"properties\":{}}}}"

static void each_kind_has_its_rate_and_is_told_when_to_come_again(void **state)
{
	_cleanup_desk_ struct desk *t = desk_asking();

	t->s.config.client.sampling.rate = (struct meters_rate){ 2, 60, WORDS("p:2") };
	t->s.config.client.elicitation.rate = (struct meters_rate){ 1, 10, WORDS("p:3") };
	PLAY(t, { S, SAMPLE(1, "\"maxTokens\":1"), "=", NULL, "request allow" },
		{ S, SAMPLE(2, "\"maxTokens\":1"), "=", NULL, "request allow" },
		{ S, SAMPLE(3, "\"maxTokens\":1"), NULL, "~\"id\":3,\"error\":{\"code\":-1,~p:2~Retry after 30 s.",
			"request deny the model has been asked" },
		{ S, FORM(4), "~" NAMED "Who?", NULL, "request allow" },
		{ S, FORM(5), NULL, ID(5) "\"result\":{\"action\":\"cancel\"}}",
			"request deny the user has been asked" });
	t->s.now_us += 30 * SECOND;
	PLAY(t, { S, SAMPLE(6, "\"maxTokens\":1"), "=", NULL, "request allow" },
		{ S, SAMPLE(7, "\"maxTokens\":1"), NULL, "~\"id\":7,\"error\":{\"code\":-1,", "request deny" },
		{ S, FORM(8), "~" NAMED "Who?", NULL, "request allow" });
}

/* Which may be dear: what is over a rate need not be read. */
static void what_is_over_its_rate_is_not_looked_at(void **state)
{
	_cleanup_desk_ struct desk *t = desk_asking();

	t->s.config.client.elicitation.rate = (struct meters_rate){ 1, 10, WORDS("p:3") };
	PLAY(t, { S, FORM(1), "~" NAMED "Who?", NULL, "request allow" },
		{ S, ID(2) "\"method\":\"elicitation/create\",\"params\":{\"message\":\"Your password?\"}}", NULL,
			ID(2) "\"result\":{\"action\":\"cancel\"}}", "request deny the user has been asked" },
		{ C, CALL(3), NULL, "=", "tool.call allow" },
		{ S, INPUT(3, ASK("a", "elicitation/create", "\"message\":\"Your password?\"")),
			"~\"id\":3,\"result\":~isError~p:3~Retry after 10 s.", NULL, "tool.result - denied" });
}

static void modes_that_are_not_allowed_are_the_protocols_error(void **state)
{
	_cleanup_desk_ struct desk *t = desk_asking();

	PLAY(t,
		{ S,
			ID(1) "\"method\":\"elicitation/"
			      "create\",\"params\":{\"mode\":\"url\",\"message\":\"m\",\"url\":"
			      "\"https://a.example/\"}}",
			NULL, "~\"id\":1,\"error\":{\"code\":-32602,~client.elicitation.url", "request deny" },
		{ S, ID(2) "\"method\":\"elicitation/create\",\"params\":{\"mode\":\"URL\",\"message\":\"m\"}}", NULL,
			"~\"id\":2,\"error\":{\"code\":-32602,~neither form nor url", "request deny" },
		{ S, ID(3) "\"method\":\"elicitation/create\",\"params\":{\"mode\":null,\"message\":\"m\"}}", NULL,
			"~\"id\":3,\"error\":{\"code\":-32602,", "request deny" },
		{ S, ID(4) "\"method\":\"elicitation/create\",\"params\":{\"message\":\"m\",\"url\":\"https://a\"}}",
			NULL, "~\"id\":4,\"error\":{\"code\":-32602,~not of the mode url", "request deny" });
	t->s.config.client.elicitation.no_form = true;
	PLAY(t, { S, FORM(5), NULL, "~\"id\":5,\"error\":{\"code\":-32602,~client.elicitation.form", "request deny" });
}

static const struct {
	const char *url, *refusal; /* a part of it; NULL: it passes */
} urls[] = {
	{ "https://login.example.com/a?state=x&token=1#f", NULL },
	{ "https://LOGIN.example.com", NULL },
	{ "https://login.example.com:443/", NULL },
	{ "https://a.b.issues.example:8443/x", NULL },
	{ "https://login.example.com:0443/", "no single meaning" },
	{ "http://login.example.com/", "does not begin with https" },
	{ "HTTPS://login.example.com/", "does not begin with https" },
	{ "javascript:alert(1)", "does not begin with https" },
	{ "https:login.example.com/", "does not begin with https" },
	{ " https://login.example.com/", "does not begin with https" },
	{ "", "has no url" },
	{ "https://", "does not begin with https" },
	{ "https:///login.example.com/", "no single meaning" },
	{ "https://user@login.example.com/", "user name or a password" },
	{ "https://login.example.com:x@evil.example/", "user name or a password" },
	{ "https://login.example.com@evil.example/", "user name or a password" },
	{ "https://evil.example\\\\@login.example.com/", "characters" },
	{ "https://evil.example\\\\.login.example.com/", "characters" },
	{ "https://login.example.com\\t/", "characters" },
	{ "https://login.example.com/\\u0000", "too long or no text" },
	{ "https://login.example.com/ x", "characters" },
	{ "https://log\\u0456n.example.com/", "characters" },
	{ "https://login.example.com/\\u202e", "characters" },
	{ "https://login\\u3002example.com/", "characters" },
	{ "https://login.example.com./", "does not name" },
	{ "https://login.example.com:444/", "does not name" },
	{ "https://login.example.com:/", "no single meaning" },
	{ "https://login.example.com:443x/", "no single meaning" },
	{ "https://login.example.com:+443/", "no single meaning" },
	{ "https://login.example.com:99999/", "no single meaning" },
	{ "https://login.example.com:65979/", "no single meaning" },
	{ "https://evil.example/login.example.com", "does not name" },
	{ "https://evil.example?login.example.com", "does not name" },
	{ "https://login.example.com.evil.example/", "does not name" },
	{ "https://%6cogin.example.com/", "does not name" },
	{ "https://issues.example:8443/", "does not name" },
	{ "https://xn--e1awd7f.issues.example:8443/", "does not name" },
	{ "https://2130706433/", "does not name" },
	{ "https://[::1]/", "no single meaning" },
	{ "https://login.example.com/?password=x", "password, a key or a token" },
	{ "https://login.example.com/?a=1&Access_Token=x", "password, a key or a token" },
	{ "https://login.example.com/#id_token=x", "password, a key or a token" },
	{ "https://login.example.com/?q=ghp_Zx81kQ02mmPLw9", "value of a secret" },
	{ "https://login.example.com/?q=%67hp_Zx81kQ02mmPLw9", "value of a secret" },
};

static void give_url(struct desk *t, int id, const char *url)
{
	char line[512];

	snprintf(line, sizeof(line),
		J "\"id\":%d,\"method\":\"elicitation/"
		  "create\",\"params\":{\"mode\":\"url\",\"message\":\"m\",\"url\":\"%s\"}}",
		id, url);
	assert_int_equal(give(t, S, line), 0);
}

static void a_person_is_sent_to_granted_hosts_alone(void **state)
{
	_cleanup_desk_ struct desk *t = desk_asking();
	struct shim_client *c = &t->s.config.client;
	struct shim_text text;
	struct diag d = { 0 };

	assert_int_equal(shim_client_add_host(c, "login.example.com", false, 443), 0);
	assert_int_equal(shim_client_add_host(c, "issues.example", true, 8443), 0);
	assert_int_equal(shim_text_add_secret(&t->s.config.text, "TOKEN", "ghp_Zx81kQ02mmPLw9"), 0);
	assert_int_equal(text_out_init(&t->s.text, &t->s.config.text, &d), 0);
	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		struct event e, last = { 0 };
		give_url(t, (int)i + 1, urls[i].url);
		while (recorded(t, &e))
			last = e;
		bool passed = strstr(got(t, t->client), "\"message\":\"" NAMED "m\"") != NULL;
		bool declined = strstr(got(t, t->server), "\"result\":{\"action\":\"decline\"}") != NULL;
		if (passed != !urls[i].refusal || declined == passed)
			fail_msg("%s: %s (%s)", urls[i].url, passed ? "passes" : "does not", last.reason);
		if (urls[i].refusal && !strstr(last.reason, urls[i].refusal))
			fail_msg("%s: '%s', not '%s'", urls[i].url, last.reason, urls[i].refusal);
	}
	text = t->s.config.text;
	text_out_done(&t->s.text);
	shim_text_done(&text);
	shim_client_done(c);
}

static void what_is_asked_in_a_result_is_judged_and_edited_like_a_request(void **state)
{
	_cleanup_desk_ struct desk *t = desk_asking();

	t->s.config.client.sampling.max_tokens = (struct meters_bound){ 100, WORDS("p:1") };
	PLAY(t, { C, CALL(1), NULL, "=", "tool.call allow" },
		{ S,
			INPUT(1, ASK("a", "sampling/createMessage", "\"maxTokens\":500") "," ASK(
					 "b", "elicitation/create", "\"message\":\"Who?\"")),
			INPUT(1, ASK("a", "sampling/createMessage", "\"maxTokens\":100") "," ASK(
					 "b", "elicitation/create", "\"message\":\"" NAMED "Who?\"")),
			NULL, "tool.result - input_required" },
		{ C, CALL(2), NULL, "=", "tool.call allow" },
		/* One of two is denied: the client gets neither. */
		{ S,
			INPUT(2, ASK("a", "sampling/createMessage", "\"maxTokens\":5") "," ASK(
					 "b", "sampling/createMessage", "\"maxTokens\":5,\"tools\":[]")),
			"~\"id\":2,\"result\":~isError~client.sampling.tools: it brings tools", NULL,
			"tool.result - denied" },
		{ C, CALL(3), NULL, "=", "tool.call allow" },
		{ S,
			INPUT(3, ASK("a", "elicitation/create",
					 "\"message\":\"Go\",\"mode\":\"url\",\"url\":\"https://x/\"")),
			"~\"id\":3,\"result\":~isError~client.elicitation.url", NULL, "tool.result - denied" },
		{ C, CALL(4), NULL, "=", "tool.call allow" },
		/* Go takes it for "mode". */
		{ S, INPUT(4, ASK("a", "elicitation/create", "\"message\":\"Go\",\"Mode\":\"url\"")),
			"~\"id\":4,\"error\":~5020", NULL, "tool.result - refused" });
	assert_int_equal(t->s.calls.n, 1); /* initialize */
}

static void each_of_several_input_requests_is_recorded(void **state)
{
	_cleanup_desk_ struct desk *t = desk_asking();
	char seen[512] = "";
	struct event e;

	assert_int_equal(give(t, C, CALL(1)), 0);
	forget(t);
	assert_int_equal(
		give(t, S,
			INPUT(1, ASK("a", "sampling/createMessage", "\"includeContext\":\"allServers\"") "," ASK(
					 "b", "elicitation/create", "\"message\":\"Who?\""))),
		0);
	while (recorded(t, &e))
		snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%.40s %d %.40s %.60s;", e.method,
			(int)e.call_id, e.rule, e.reason);
	assert_string_equal(seen, "sampling/createMessage 2 client.sampling includeContext lowered to thisServer;"
				  "elicitation/create 2 client.elicitation ;tools/call 2  ;");
}

static void many_in_one_answer_cost_what_many_cost_and_more_than_a_person_answers_are_refused(void **state)
{
	_cleanup_desk_ struct desk *t = desk_asking();
	char line[8192];
	int n;

	t->s.config.client.elicitation.rate = (struct meters_rate){ 2, 60, WORDS("p:3") };
	assert_int_equal(give(t, C, CALL(1)), 0);
	forget(t);
	assert_int_equal(
		give(t, S,
			INPUT(1, ASK("a", "elicitation/create", "\"message\":\"1\"") "," ASK("b", "elicitation/create",
					 "\"message\":\"2\"") "," ASK("c", "elicitation/create", "\"message\":\"3\""))),
		0);
	assert_non_null(strstr(got(t, t->client), "isError"));
	/* Nor does what would have been asked beside them. */
	t->s.config.client.sampling.rate = (struct meters_rate){ 1, 60, WORDS("p:2") };
	assert_int_equal(give(t, C, CALL(5)), 0);
	assert_int_equal(
		give(t, S,
			INPUT(5, ASK("s", "sampling/createMessage", "\"maxTokens\":1") "," ASK("a",
					 "elicitation/create", "\"message\":\"1\"") "," ASK("b", "elicitation/create",
					 "\"message\":\"2\"") "," ASK("c", "elicitation/create", "\"message\":\"3\""))),
		0);
	assert_non_null(strstr(got(t, t->client), "p:3"));
	forget(t);
	PLAY(t, { S, SAMPLE(6, "\"maxTokens\":1"), "=", NULL, "request allow" });
	/* None of them was asked, so none counts. */
	PLAY(t, { C, CALL(2), NULL, "=", "tool.call allow" },
		{ S,
			INPUT(2, ASK("a", "elicitation/create", "\"message\":\"1\"") "," ASK(
					 "b", "elicitation/create", "\"message\":\"2\"")),
			"~" NAMED "1~" NAMED "2", NULL, "tool.result - input_required" },
		{ C, CALL(3), NULL, "=", "tool.call allow" },
		{ S, INPUT(3, ASK("a", "elicitation/create", "\"message\":\"1\"")),
			"~\"id\":3,\"result\":~isError~Retry after 30 s.", NULL, "tool.result - denied" },
		{ C, CALL(4), NULL, "=", "tool.call allow" });
	n = snprintf(line, sizeof(line), ID(4) "\"result\":{\"resultType\":\"input_required\",\"inputRequests\":{");
	for (int i = 0; i < 33; i++)
		n += snprintf(line + n, sizeof(line) - (size_t)n, "%s\"%d\":{\"method\":\"sampling/createMessage\"}",
			i ? "," : "", i);
	snprintf(line + n, sizeof(line) - (size_t)n, "}}}");
	assert_int_equal(give(t, S, line), 0);
	assert_non_null(strstr(got(t, t->client), "asks for more at once than any person would answer"));
}

static void what_a_task_asks_for_counts_once(void **state)
{
	_cleanup_desk_ struct desk *t = desk_asking();

	t->s.config.client.elicitation.rate = (struct meters_rate){ 1, 60, WORDS("p:3") };
	for (int i = 1; i < 4; i++) {
		assert_int_equal(
			give(t, C, ID(7) "\"method\":\"tasks/get\",\"params\":{\"taskId\":\"t\"," MODERN "}}"), 0);
		assert_int_equal(
			give(t, S,
				ID(7) "\"result\":{\"taskId\":\"t\",\"status\":\"input_required\",\"inputRequests\":"
				      "{" ASK("k", "elicitation/create", "\"message\":\"Who?\"") "}}}"),
			0);
		assert_non_null(strstr(got(t, t->client), NAMED "Who?"));
	}
}

#define REQUIRED(id, data) ID(id) "\"error\":{\"code\":-32042,\"message\":\"first\",\"data\":{" data "}}}"
#define VISIT(url)                                                                                                     \
	"\"elicitations\":[{\"mode\":\"url\",\"elicitationId\":\"e\",\"url\":\"" url "\",\"message\":\"Sign in\"}]"

static void an_error_that_sends_a_person_somewhere_is_an_elicitation(void **state)
{
	_cleanup_desk_ struct desk *t = desk_asking();
	struct shim_client *c = &t->s.config.client;

	assert_int_equal(shim_client_add_host(c, "login.example.com", false, 443), 0);
	PLAY(t, { C, CALL(1), NULL, "=", "tool.call allow" },
		{ S, REQUIRED(1, VISIT("https://login.example.com/")), "~-32042~\"message\":\"" NAMED "Sign in\"", NULL,
			"tool.result - error" },
		{ C, CALL(2), NULL, "=", "tool.call allow" },
		{ S, REQUIRED(2, VISIT("https://evil.example/")),
			"~\"id\":2,\"result\":~isError~leads to a host or a port that the profile does not name", NULL,
			"tool.result - denied" },
		{ C, CALL(3), NULL, "=", "tool.call allow" },
		{ S, REQUIRED(3, "\"Elicitations\":[{\"mode\":\"url\",\"url\":\"https://evil.example/\"}]"),
			"~\"id\":3,\"error\":~5020", NULL, "tool.result - refused" },
		{ C, CALL(4), NULL, "=", "tool.call allow" },
		{ S,
			ID(4) "\"error\":{\"code\":-320.42e2,\"message\":\"m\",\"data\":{" VISIT(
				"https://evil.example/") "}}}",
			"~\"id\":4,\"result\":~isError", NULL, "tool.result - denied" },
		{ C, CALL(5), NULL, "=", "tool.call allow" },
		{ S, REQUIRED(5, "\"elicitations\":{}"), "~5020~elicitations are not a list", NULL,
			"tool.result - refused" },
		{ C, CALL(6), NULL, "=", "tool.call allow" },
		/* Whatever mode it says that it has. */
		{ S,
			REQUIRED(6, "\"elicitations\":[{\"mode\":\"form\",\"url\":\"https://evil.example/"
				    "\",\"message\":\"m\"}]"),
			"~\"id\":6,\"result\":~isError", NULL, "tool.result - denied" },
		{ C, CALL(7), NULL, "=", "tool.call allow" },
		{ S, REQUIRED(7, "\"elicitations\":[7]"), "~5020", NULL, "tool.result - refused" },
		{ C, CALL(8), NULL, "=", "tool.call allow" },
		{ S, ID(8) "\"error\":{\"code\":-32041,\"message\":\"m\",\"data\":{\"elicitations\":[]}}}", "=", NULL,
			"tool.result - error" },
		{ C, ID(9) "\"method\":\"prompts/list\"}", NULL, "=", "request allow" },
		{ S, REQUIRED(9, VISIT("https://evil.example/")), "~\"id\":9,\"error\":{\"code\":4030", NULL,
			"response - denied" });
	c->elicitation.on = false;
	PLAY(t, { C, CALL(10), NULL, "=", "tool.call allow" },
		{ S, REQUIRED(10, VISIT("https://login.example.com/")),
			"~\"id\":10,\"result\":~isError~client.elicitation", NULL, "tool.result - denied" });
	assert_int_equal(t->s.calls.n, 1);
	shim_client_done(c);
}

static void only_the_notification_of_a_tasks_state_may_ask_for_anything(void **state)
{
	struct shim_rule any = { true, WORDS("notifications/vendor"), WORDS("p:5") };
	_cleanup_desk_ struct desk *t = desk_asking();

	t->s.config.scope[SHIM_EXTENSIONS] = (struct shim_rules){ true, WORDS("p:0"), &any, 1 };
	PLAY(t,
		{ S, J "\"method\":\"notifications/vendor\",\"params\":{\"taskId\":\"t\",\"status\":\"working\"}}", "=",
			NULL, NULL },
		{ S,
			J "\"method\":\"notifications/vendor\",\"params\":{\"taskId\":\"t\",\"inputRequests\":{" ASK(
				"k", "sampling/createMessage", "\"maxTokens\":1") "}}}",
			NULL, NULL, "notification drop a server asks for nothing" });
}

#define LOG(level, data) J "\"method\":\"notifications/message\",\"params\":{" level "\"data\":\"" data "\"}}"

static void log_messages_below_the_level_are_dropped_and_counted(void **state)
{
	_cleanup_desk_ struct desk *t = desk_asking();
	struct event e;
	uint64_t counted = 0;

	t->s.config.client.logging = (struct shim_logging){ .level = SHIM_LEVEL_WARNING, .where = WORDS("p:6") };
	PLAY(t, { S, LOG("\"level\":\"warning\",", "a"), "=", NULL, NULL },
		{ S, LOG("\"level\":\"emergency\",", "a"), "=", NULL, NULL },
		/* The first at once, the others together. */
		{ S, LOG("\"level\":\"notice\",", "a"), NULL, NULL, "notification drop their level is below" },
		{ S, LOG("\"level\":\"debug\",", "a"), NULL, NULL, NULL },
		{ S, LOG("\"level\":\"Warning\",", "a"), NULL, NULL, NULL }, { S, LOG("", "a"), NULL, NULL, NULL });
	t->s.now_us += 10 * SECOND;
	assert_int_equal(shim_run_timers(&t->s), 0);
	while (recorded(t, &e)) {
		counted += e.count;
		assert_string_equal(e.rule, "p:6");
	}
	assert_int_equal(counted, 3);
	/* Nothing more, no more records; at the end what is left. */
	t->s.now_us += 10 * SECOND;
	assert_int_equal(shim_run_timers(&t->s), 0);
	assert_int_equal(t->s.wake_us, 0);
	PLAY(t, { S, LOG("\"level\":\"info\",", "a"), NULL, NULL, "notification drop" },
		{ S, LOG("\"level\":\"info\",", "a"), NULL, NULL, NULL });
	assert_int_equal(logs_end(&t->s), 0);
	assert_true(recorded(t, &e));
	assert_int_equal(e.count, 1);
}

static void log_messages_have_a_rate(void **state)
{
	_cleanup_desk_ struct desk *t = desk_asking();

	t->s.config.client.logging.rate = (struct meters_rate){ 2, 1, WORDS("p:7") };
	PLAY(t, { S, LOG("\"level\":\"info\",", "a"), "=", NULL, NULL },
		{ S, LOG("\"level\":\"info\",", "a"), "=", NULL, NULL },
		{ S, LOG("\"level\":\"info\",", "a"), NULL, NULL,
			"notification drop there were more than there may be" },
		{ S, J "\"method\":\"notifications/progress\",\"params\":{\"progressToken\":1}}", "=", NULL, NULL });
	t->s.now_us += SECOND / 2;
	PLAY(t, { S, LOG("\"level\":\"info\",", "a"), "=", NULL, NULL });
}

static void without_logging_nobody_asks_for_it(void **state)
{
	_cleanup_desk_ struct desk *t = desk_asking();

	t->s.config.client.logging = (struct shim_logging){ .off = true, .where = WORDS("p:8") };
	PLAY(t,
		{ S, ID(0) "\"result\":{\"capabilities\":{\"logging\":{},\"tools\":{}}}}",
			ID(0) "\"result\":{\"capabilities\":{\"tools\":{\"listChanged\":true}}}}", NULL,
			"response - ok" },
		{ C, ID(1) "\"method\":\"logging/setLevel\",\"params\":{\"level\":\"debug\"}}",
			"~\"id\":1,\"error\":~4030~p:8", NULL, "request deny" },
		{ C,
			ID(2) "\"method\":\"tools/"
			      "call\",\"params\":{\"name\":\"a\",\"_meta\":{\"io.modelcontextprotocol/"
			      "logLevel\":\"debug\",\"x\":1}}}",
			NULL, ID(2) "\"method\":\"tools/call\",\"params\":{\"name\":\"a\",\"_meta\":{\"x\":1}}}",
			"tool.call allow" },
		{ S, LOG("\"level\":\"emergency\",", "a"), NULL, NULL,
			"notification drop the profile keeps log messages" });
}

#define OFFERS(id, offers) ID(id) "\"method\":\"initialize\",\"params\":{\"capabilities\":" offers "}}"
#define ALL_OFFERS                                                                                                     \
	"{\"sampling\":{\"tools\":{},\"context\":{},\"x\":{}},\"elicitation\":{\"form\":{},\"url\":{}},\"tasks\":{"    \
	"\"list\":{},"                                                                                                 \
	"\"requests\":{\"sampling\":{\"createMessage\":{}},\"elicitation\":{\"create\":{}}}}}"

static void a_client_offers_what_may_be_asked_and_no_more(void **state)
{
	_cleanup_desk_ struct desk *t = desk_asking();
	struct shim_client *c = &t->s.config.client;

	PLAY(t,
		{ C, OFFERS(1, ALL_OFFERS), NULL,
			OFFERS(1,
				"{\"sampling\":{\"context\":{},\"x\":{}},\"elicitation\":{\"form\":{}},\"tasks\":{"
				"\"list\":{},"
				"\"requests\":{\"sampling\":{\"createMessage\":{}},\"elicitation\":{\"create\":{}}}}}"),
			"request allow" },
		/* What names no mode means forms, and an offer of addresses alone must not become that. */
		{ C, OFFERS(2, "{\"elicitation\":{\"url\":{}}}"), NULL, OFFERS(2, "{}"), "request allow" },
		{ C, OFFERS(3, "{\"elicitation\":{}}"), NULL, "=", "request allow" },
		{ C, OFFERS(4, "{\"Sampling\":{\"Tools\":{}}}"), NULL, OFFERS(4, "{\"Sampling\":{}}"),
			"request allow" });
	c->sampling.context = SHIM_CONTEXT_NONE;
	c->elicitation.on = false;
	PLAY(t, { C, OFFERS(5, ALL_OFFERS), NULL,
			OFFERS(5, "{\"sampling\":{\"x\":{}},\"tasks\":{\"list\":{},\"requests\":{\"sampling\":{"
				  "\"createMessage\":{}}}}}"),
			"request allow" });
	c->sampling.on = false;
	PLAY(t, { C, OFFERS(9, ALL_OFFERS), NULL, OFFERS(9, "{\"tasks\":{\"list\":{},\"requests\":{}}}"),
			"request allow" });
	c->sampling = (struct shim_sampling){ .on = true, .tools = true };
	c->elicitation.on = c->elicitation.no_form = true;
	assert_int_equal(shim_client_add_host(c, "a.example.com", false, 443), 0);
	PLAY(t,
		{ C, OFFERS(6, "{\"elicitation\":{\"form\":{},\"url\":{}},\"sampling\":{\"tools\":{}}}"), NULL,
			OFFERS(6, "{\"elicitation\":{\"url\":{}},\"sampling\":{\"tools\":{}}}"), "request allow" },
		{ C, OFFERS(7, "{\"elicitation\":{}}"), NULL, OFFERS(7, "{}"), "request allow" },
		{ C,
			ID(8) "\"method\":\"tools/"
			      "call\",\"params\":{\"name\":\"a\",\"_meta\":{\"io.modelcontextprotocol/"
			      "clientCapabilities\":{\"elicitation\":{\"form\":{}},\"y\":1}}}}",
			NULL,
			ID(8) "\"method\":\"tools/"
			      "call\",\"params\":{\"name\":\"a\",\"_meta\":{\"io.modelcontextprotocol/"
			      "clientCapabilities\":{\"y\":1}}}}",
			"tool.call allow" });
	shim_client_done(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_asks_for_too_much_is_lowered_and_recorded),
		cmocka_unit_test(tools_for_the_model_come_only_where_the_profile_has_them),
		cmocka_unit_test(each_kind_has_its_rate_and_is_told_when_to_come_again),
		cmocka_unit_test(what_is_over_its_rate_is_not_looked_at),
		cmocka_unit_test(modes_that_are_not_allowed_are_the_protocols_error),
		cmocka_unit_test(a_person_is_sent_to_granted_hosts_alone),
		cmocka_unit_test(what_is_asked_in_a_result_is_judged_and_edited_like_a_request),
		cmocka_unit_test(each_of_several_input_requests_is_recorded),
		cmocka_unit_test(many_in_one_answer_cost_what_many_cost_and_more_than_a_person_answers_are_refused),
		cmocka_unit_test(what_a_task_asks_for_counts_once),
		cmocka_unit_test(an_error_that_sends_a_person_somewhere_is_an_elicitation),
		cmocka_unit_test(only_the_notification_of_a_tasks_state_may_ask_for_anything),
		cmocka_unit_test(log_messages_below_the_level_are_dropped_and_counted),
		cmocka_unit_test(log_messages_have_a_rate),
		cmocka_unit_test(without_logging_nobody_asks_for_it),
		cmocka_unit_test(a_client_offers_what_may_be_asked_and_no_more),
	};

	return cmocka_run_group_tests_name("asks", tests, NULL, NULL);
}
