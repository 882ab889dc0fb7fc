/* SPDX-License-Identifier: Apache-2.0 */
/* test_shim_policy - the method table, the protocol's keys, the rules, roots */
#include "tests/unit/unit.h"
#include <stdio.h>
#include <stdlib.h>
#include "shim/keys.h"
#include "shim/policy.h"
#include "shim/roots.h"

static struct slice slice_of(const char *s)
{
	return (struct slice){ s, strlen(s) };
}

/* Every method that mcp.md names, by era and direction. */
static void every_method_of_the_protocol_has_its_row(void **state)
{
	static const struct {
		const char *names;
		enum event_side from;
		bool request;
		unsigned era;
	} groups[] = {
		{ "initialize ping tools/list tools/call resources/list resources/templates/list resources/read "
		  "resources/subscribe "
		  "resources/unsubscribe prompts/list prompts/get completion/complete logging/setLevel tasks/get "
		  "tasks/result tasks/list "
		  "tasks/cancel",
			EVENT_FROM_CLIENT, true, ERA_LEGACY },
		{ "notifications/initialized notifications/cancelled notifications/progress "
		  "notifications/roots/list_changed "
		  "notifications/tasks/status",
			EVENT_FROM_CLIENT, false, ERA_LEGACY },
		{ "ping sampling/createMessage roots/list elicitation/create tasks/get tasks/result tasks/list "
		  "tasks/cancel",
			EVENT_FROM_SERVER, true, ERA_LEGACY },
		{ "notifications/cancelled notifications/progress notifications/message "
		  "notifications/resources/updated "
		  "notifications/tools/list_changed notifications/prompts/list_changed "
		  "notifications/resources/list_changed "
		  "notifications/elicitation/complete notifications/tasks/status",
			EVENT_FROM_SERVER, false, ERA_LEGACY },
		{ "server/discover tools/list tools/call prompts/list prompts/get resources/list "
		  "resources/templates/list resources/read "
		  "completion/complete subscriptions/listen tasks/get tasks/update tasks/cancel",
			EVENT_FROM_CLIENT, true, ERA_MODERN },
		{ "notifications/cancelled", EVENT_FROM_CLIENT, false, ERA_MODERN },
		{ "notifications/progress notifications/message notifications/resources/updated "
		  "notifications/tools/list_changed "
		  "notifications/prompts/list_changed notifications/resources/list_changed "
		  "notifications/subscriptions/acknowledged "
		  "notifications/cancelled notifications/tasks",
			EVENT_FROM_SERVER, false, ERA_MODERN },
	};
	size_t n, rows = 0;

	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		char *copy = strdup(groups[i].names), *rest = copy, *name;
		assert_non_null(copy);
		while ((name = strsep(&rest, " "))) {
			const struct method *m = methods_find(groups[i].from, groups[i].request, slice_of(name));
			if (!m || !(m->eras & groups[i].era))
				fail_msg("%s has no row in group %zu", name, i);
			rows++;
		}
		free(copy);
	}
	/* And none that is not named there: each era of each row was asked for once. */
	const struct method *table = methods_table(&n);
	for (size_t i = 0; i < n; i++)
		rows -= (size_t)__builtin_popcount(table[i].eras);
	assert_int_equal(rows, 0);
	assert_null(methods_find(EVENT_FROM_CLIENT, true, slice_of("sampling/createMessage")));
	assert_null(methods_find(EVENT_FROM_SERVER, true, slice_of("tools/call")));
	assert_null(methods_find(EVENT_FROM_CLIENT, false, slice_of("tools/call")));
	assert_null(methods_find(EVENT_FROM_CLIENT, true, slice_of("Tools/call")));
}

static void imitations_of_the_protocols_keys_are_found(void **state)
{
	static const struct {
		const char *key;
		unsigned of;
		const char *imitated;
	} cases[] = {
		{ "name", KEYS_OF_PARAMS, NULL },
		{ "Name", KEYS_OF_PARAMS, "name" },
		{ "NAME", KEYS_OF_ITEM, "name" },
		{ "Name", KEYS_OF_META, NULL },
		{ "argument\xc5\xbf", KEYS_OF_PARAMS, "arguments" },
		{ "tas\xe2\x84\xaa", KEYS_OF_PARAMS, "task" },
		{ "inputrequests", KEYS_OF_RESULT, "inputRequests" },
		{ "STRUCTUREDCONTENT", KEYS_OF_RESULT, "structuredContent" },
		{ "ProgressToken", KEYS_OF_META, "progressToken" },
		{ "io.modelcontextprotocol/ProtocolVersion", KEYS_OF_META, "io.modelcontextprotocol/protocolVersion" },
		{ "Code", KEYS_OF_ERROR, "code" },
		{ "Method", KEYS_OF_REQUEST, "method" },
		{ "anything", KEYS_OF_PARAMS | KEYS_OF_RESULT, NULL },
		{ "", KEYS_OF_PARAMS, NULL },
		{ "Name_that_is_far_longer_than_any_key_of_the_protocol_could_ever_be", KEYS_OF_PARAMS, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *got = keys_imitated(slice_of(cases[i].key), cases[i].of);
		if (cases[i].imitated)
			assert_string_equal(got, cases[i].imitated);
		else
			assert_null(got);
	}
	assert_non_null(keys_imitated_in(slice_of("{\"name\":1,\"Uri\":2}"), KEYS_OF_PARAMS));
	assert_null(keys_imitated_in(slice_of("{\"name\":1,\"x\":{\"Uri\":2}}"), KEYS_OF_PARAMS));
}

static struct shim_rule tool_rules[] = {
	{ false, (char *)(uintptr_t) "delete_*", (char *)(uintptr_t) "p:1" },
	{ true, (char *)(uintptr_t) "get_*", (char *)(uintptr_t) "p:2" },
	{ true, (char *)(uintptr_t) "a\"b", (char *)(uintptr_t) "p:3" },
};
static struct shim_rule uri_rules[] = { { true, (char *)(uintptr_t) "file:///data/*", (char *)(uintptr_t) "p:4" } };
static struct shim_rule extension_rules[] = { { true, (char *)(uintptr_t) "vendor/*", (char *)(uintptr_t) "p:5" } };

static struct shim_config strict_config(void)
{
	struct shim_config c = { .client.elicitation.on = true };

	c.scope[SHIM_TOOLS] = (struct shim_rules){ true, (char *)(uintptr_t) "p:0", tool_rules, ARRAY_LEN(tool_rules) };
	c.scope[SHIM_RESOURCES] = (struct shim_rules){ true, (char *)(uintptr_t) "p:0", uri_rules, 1 };
	c.scope[SHIM_EXTENSIONS] = (struct shim_rules){ false, NULL, extension_rules, 1 };
	return c;
}

static const struct {
	enum event_side from;
	const char *text;
	enum policy_verdict verdict;
	const char *rule;
} decisions[] = {
#define C EVENT_FROM_CLIENT
#define S EVENT_FROM_SERVER
	{ C, "\"tools/call\",\"params\":{\"name\":\"get_x\"}", POLICY_ALLOW, "p:2" },
	{ C, "\"tools/call\",\"params\":{\"name\":\"g\\u0065t_x\"}", POLICY_ALLOW, "p:2" },
	{ C, "\"tools/call\",\"params\":{\"name\":\"a\\\"b\"}", POLICY_ALLOW, "p:3" },
	{ C, "\"tools/call\",\"params\":{\"name\":\"delete_x\"}", POLICY_DENY, "p:1" },
	{ C, "\"tools/call\",\"params\":{\"name\":\"Get_x\"}", POLICY_DENY, "p:0" },
	{ C, "\"tools/call\",\"params\":{\"name\":\" get_x\"}", POLICY_DENY, "p:0" },
	{ C, "\"tools/call\",\"params\":{\"name\":7}", POLICY_MALFORMED, NULL },
	{ C, "\"tools/call\",\"params\":{\"name\":\"get_\\ud800\"}", POLICY_MALFORMED, NULL },
	{ C, "\"tools/call\"", POLICY_MALFORMED, NULL },
	{ C, "\"resources/read\",\"params\":{\"uri\":\"file:///data/a\"}", POLICY_ALLOW, "p:4" },
	{ C, "\"resources/read\",\"params\":{\"uri\":\"file:///etc/a\"}", POLICY_DENY, "p:0" },
	{ C, "\"resources/read\",\"params\":{\"uri\":\"file:///data/../etc\"}", POLICY_MALFORMED, NULL },
	{ C, "\"resources/read\",\"params\":{\"uri\":\"file:///data/%2e%2E/etc\"}", POLICY_MALFORMED, NULL },
	{ C, "\"resources/read\",\"params\":{\"uri\":\"file:///data/..%2fetc\"}", POLICY_MALFORMED, NULL },
	{ C, "\"resources/read\",\"params\":{\"uri\":\"file:///data/.\"}", POLICY_MALFORMED, NULL },
	{ C, "\"resources/read\",\"params\":{\"uri\":\"file:///data/...\"}", POLICY_ALLOW, "p:4" },
	{ C, "\"resources/read\",\"params\":{\"uri\":\"file:///data/.git\"}", POLICY_ALLOW, "p:4" },
	{ C, "\"prompts/get\",\"params\":{\"name\":\"any\"}", POLICY_ALLOW, NULL },
	{ C, "\"completion/complete\",\"params\":{\"ref\":{\"type\":\"ref/prompt\",\"name\":\"p\"}}", POLICY_ALLOW,
		NULL },
	{ C, "\"completion/complete\",\"params\":{\"ref\":{\"type\":\"ref/resource\",\"uri\":\"file:///etc\"}}",
		POLICY_DENY, "p:0" },
	{ C, "\"completion/complete\",\"params\":{\"ref\":{\"type\":\"x\"}}", POLICY_MALFORMED, NULL },
	{ C, "\"subscriptions/listen\",\"params\":{\"notifications\":{\"toolsListChanged\":true}}", POLICY_ALLOW,
		NULL },
	{ C,
		"\"subscriptions/listen\",\"params\":{\"notifications\":{\"resourceSubscriptions\":[\"file:///"
		"data/a\",\"file:///b\"]}}",
		POLICY_DENY, "p:0" },
	{ C,
		"\"subscriptions/listen\",\"params\":{\"notifications\":{\"resourceSubscriptions\":\"file:///"
		"b\"}}",
		POLICY_MALFORMED, NULL },
	{ C, "\"subscriptions/listen\",\"params\":{\"notifications\":[\"file:///b\"]}", POLICY_MALFORMED, NULL },
	{ C, "\"no/such\"", POLICY_DENY, "the method table" },
	{ C, "\"vendor/x\"", POLICY_ALLOW, "p:5" },
	{ S, "\"ping\"", POLICY_ALLOW, NULL },
	{ S, "\"sampling/createMessage\"", POLICY_DENY, "client.sampling" },
	{ S, "\"elicitation/create\"", POLICY_ALLOW, "client.elicitation" },
	{ S, "\"roots/list\"", POLICY_DENY, "client.roots" },
	{ S, "\"tasks/get\"", POLICY_ALLOW, NULL },
#undef C
#undef S
};

static void rules_decide_and_name_themselves(void **state)
{
	struct shim_config c = strict_config();
	_cleanup_buf_ struct buf room = BUF_INIT(1000);
	struct json_doc doc;

	json_doc_init(&doc, 1 << 16, 1);
	for (size_t i = 0; i < ARRAY_LEN(decisions); i++) {
		char text[512];
		struct envelope e;
		struct decision d;
		snprintf(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":%s}", decisions[i].text);
		assert_int_equal(json_parse(&doc, text, strlen(text)), 0);
		assert_int_equal(envelope_read(&doc, &e), 0);
		const struct method *m = methods_find(decisions[i].from, true, e.method);
		assert_int_equal(policy_decide(&c, m, &doc, &e, &room, &d), 0);
		if (d.verdict != decisions[i].verdict)
			fail_msg("%s: verdict %d", text, d.verdict);
		if (decisions[i].rule)
			assert_string_equal(d.rule, decisions[i].rule);
		if (d.verdict == POLICY_MALFORMED)
			assert_non_null(d.reason);
	}
	json_doc_done(&doc);
}

/* What the rules say of one message. */
static enum policy_verdict verdict_of(const struct shim_config *c, const char *text, enum event_side from)
{
	_cleanup_buf_ struct buf room = BUF_INIT(1000);
	struct json_doc doc;
	struct envelope e;
	struct decision d;

	json_doc_init(&doc, 1 << 16, 1);
	assert_int_equal(json_parse(&doc, text, strlen(text)), 0);
	assert_int_equal(envelope_read(&doc, &e), 0);
	const struct method *m = methods_find(from, e.kind == ENVELOPE_REQUEST, e.method);
	assert_int_equal(policy_decide(c, m, &doc, &e, &room, &d), 0);
	json_doc_done(&doc);
	return d.verdict;
}

static void what_is_judged_is_so_long_with_escapes_or_without(void **state)
{
	static const struct {
		const char *head, *unit;
		unsigned n;
		enum policy_verdict verdict;
	} cases[] = {
		{ "\"tools/call\",\"params\":{\"name\":\"", "x", 1000, POLICY_ALLOW },
		{ "\"tools/call\",\"params\":{\"name\":\"", "x", 1001, POLICY_MALFORMED },
		{ "\"tools/call\",\"params\":{\"name\":\"", "\\n", 1000, POLICY_ALLOW },
		{ "\"tools/call\",\"params\":{\"name\":\"", "\\n", 1001, POLICY_MALFORMED },
		{ "\"resources/read\",\"params\":{\"uri\":\"", "x", 1001, POLICY_MALFORMED },
	};
	static const struct shim_config any = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT(1 << 16);
		assert_int_equal(buf_printf(&b, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":%s", cases[i].head), 0);
		for (unsigned k = 0; k < cases[i].n; k++)
			assert_int_equal(buf_puts(&b, cases[i].unit), 0);
		assert_int_equal(buf_puts(&b, "\"}}"), 0);
		assert_int_equal(verdict_of(&any, b.data, EVENT_FROM_CLIENT), cases[i].verdict);
	}
}

static void an_extension_list_never_speaks_for_the_protocols_own_methods(void **state)
{
	static const struct {
		const char *text;
		enum event_side from;
		enum policy_verdict verdict;
	} cases[] = {
		{ "{\"jsonrpc\":\"2.0\",\"method\":\"tools/call\",\"params\":{\"name\":\"rm\"}}", EVENT_FROM_CLIENT,
			POLICY_DENY },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"Tools/Call\"}", EVENT_FROM_CLIENT, POLICY_DENY },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"sampling/createMessage\"}", EVENT_FROM_CLIENT,
			POLICY_DENY },
		{ "{\"jsonrpc\":\"2.0\",\"method\":\"sampling/createMessage\"}", EVENT_FROM_SERVER, POLICY_DENY },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"notifications/initialized\"}", EVENT_FROM_CLIENT,
			POLICY_DENY },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"vendor/x\"}", EVENT_FROM_CLIENT, POLICY_ALLOW },
		{ "{\"jsonrpc\":\"2.0\",\"method\":\"vendor/x\"}", EVENT_FROM_SERVER, POLICY_ALLOW },
	};
	struct shim_rule all = { true, (char *)(uintptr_t) "*", (char *)(uintptr_t) "p:1" };
	struct shim_config c = { .scope[SHIM_EXTENSIONS] = { true, NULL, &all, 1 } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (verdict_of(&c, cases[i].text, cases[i].from) != cases[i].verdict)
			fail_msg("%s", cases[i].text);
}

static void a_denied_resource_has_no_other_spelling(void **state)
{
	static const struct {
		const char *uri;
		enum policy_verdict verdict;
	} cases[] = {
		{ "file:///secret/x", POLICY_DENY },
		{ "file:///secre%74/x", POLICY_MALFORMED },
		{ "file:///%73ecret/x", POLICY_MALFORMED },
		{ "file:////secret/x", POLICY_MALFORMED },
		{ "FILE:///secret/x", POLICY_MALFORMED },
		{ "file:///open//x", POLICY_MALFORMED },
		{ "file:///open/%7Eu", POLICY_MALFORMED },
		{ "file:/secret/x", POLICY_MALFORMED },
		{ "file:secret/x", POLICY_MALFORMED },
		{ "file://localhost/secret/x", POLICY_MALFORMED },
		{ "file:///open\\\\..\\\\secret", POLICY_MALFORMED },
		{ "file:///open/\\u00e9", POLICY_MALFORMED },
		{ "file:///open/a b", POLICY_MALFORMED },
		{ "file:///open/x#y", POLICY_MALFORMED },
		{ "file:///open/x?y", POLICY_MALFORMED },
		{ "file:///secret%2fx", POLICY_DENY },
		{ "https://EXAMPLE.com/open", POLICY_MALFORMED },
		{ "https://example.com:443/open", POLICY_MALFORMED },
		{ "https://example.com:/open", POLICY_MALFORMED },
		{ "https://example.com:08443/open", POLICY_MALFORMED },
		{ "https://example.com./open", POLICY_MALFORMED },
		{ "https://u@example.com/open", POLICY_MALFORMED },
		{ "https://\\uff45xample.com/open", POLICY_MALFORMED },
		{ "https://ex%61mple.com/open", POLICY_MALFORMED },
		{ "https:example.com/open", POLICY_MALFORMED },
		{ "https:/example.com/open", POLICY_MALFORMED },
		{ "https:///example.com/open", POLICY_MALFORMED },
		{ "https://2130706433/open", POLICY_MALFORMED },
		{ "https://127.1/open", POLICY_MALFORMED },
		{ "https://127.0.0.0x1/open", POLICY_MALFORMED },
		{ "https://[::1]/open", POLICY_MALFORMED },
		{ "https://127.0.0.1:8443/open?a=b", POLICY_ALLOW },
		{ "https://example.com", POLICY_ALLOW },
		{ "file:///open/x", POLICY_ALLOW },
		{ "file:///open/a%20b%2C%C3%A9", POLICY_ALLOW },
		{ "file:///open/100%", POLICY_ALLOW },
		{ "file:///open/100%4", POLICY_ALLOW },
		{ "memo://InBox/X?next=https://a//b", POLICY_ALLOW },
		{ "memo:x", POLICY_ALLOW },
		{ "plain", POLICY_ALLOW },
	};
	struct shim_rule deny = { false, (char *)(uintptr_t) "file:///secret/*", (char *)(uintptr_t) "p:1" };
	struct shim_config c = { .scope[SHIM_RESOURCES] = { false, NULL, &deny, 1 } };
	char text[256];

	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
			/* Where nothing is denied by name, a spelling is nobody's business. */
			enum policy_verdict want = round ? POLICY_ALLOW : cases[i].verdict;
			snprintf(text, sizeof(text),
				"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"resources/"
				"read\",\"params\":{\"uri\":\"%s\"}}",
				cases[i].uri);
			if (verdict_of(&c, text, EVENT_FROM_CLIENT) != want)
				fail_msg("%s, round %d", cases[i].uri, round);
		}
		c.scope[SHIM_RESOURCES].n = 0;
	}
}

/* Node, browsers and others drop them, and then a segment reads "..". */
static void what_readers_of_uris_drop_is_in_none_that_a_rule_judges(void **state)
{
	static const char *const uris[] = { "file:///data/\\n../\\n../etc/passwd",
		"file:///data/%2\\ne%2e/%2e%2\\te/etc", "file:///data/\\r../admin", "file:///data/.. ",
		" file:///data/x", "file:///data/\\u007f../x" };
	struct shim_config c = strict_config();
	char text[256];

	for (size_t i = 0; i < ARRAY_LEN(uris); i++) {
		snprintf(text, sizeof(text),
			"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"resources/read\",\"params\":{\"uri\":\"%s\"}}",
			uris[i]);
		if (verdict_of(&c, text, EVENT_FROM_CLIENT) != POLICY_MALFORMED)
			fail_msg("%s", uris[i]);
	}
}

static void roots_are_judged_by_the_path_they_name(void **state)
{
	static const struct {
		const char *uri;
		bool within;
	} cases[] = {
		{ "file:///home/u/src", true },
		{ "file:///home/u/src/", true },
		{ "file:///home/u/src/a%20b", true },
		{ "file://localhost/home/u/src/x", true },
		{ "FILE:///home/u/src", true },
		{ "file:///home/u/srcs", false },
		{ "file:///home/u", false },
		{ "file:///", false },
		{ "file:///etc", false },
		{ "file:///home/u/src/../../x", false },
		{ "file:///home/u/src/%2e%2e/x", false },
		{ "file:///home/u/src%2f..", false },
		{ "file:///home/u/src%00", false },
		{ "file:///home/u/src%", false },
		{ "file:///home/u/src?x", false },
		{ "file://elsewhere/home/u/src", false },
		{ "https://home/u/src", false },
		{ "/home/u/src", false },
		{ "file:///home/u/src\\u0000", false },
		{ "file:///home/u/src/.. ", false },
		{ "file:///home/u/src/\\n..", false },
		{ "file:///home/u/src/x\\ty", false },
		{ "", false },
	};
	struct strv granted = { 0 };

	assert_int_equal(strv_add(&granted, "/home/u/src"), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (roots_within(&granted, slice_of(cases[i].uri)) != cases[i].within)
			fail_msg("%s", cases[i].uri);
	strv_done(&granted);
	assert_false(roots_within(&granted, slice_of("file:///home/u/src")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_method_of_the_protocol_has_its_row),
		cmocka_unit_test(imitations_of_the_protocols_keys_are_found),
		cmocka_unit_test(rules_decide_and_name_themselves),
		cmocka_unit_test(what_is_judged_is_so_long_with_escapes_or_without),
		cmocka_unit_test(an_extension_list_never_speaks_for_the_protocols_own_methods),
		cmocka_unit_test(a_denied_resource_has_no_other_spelling),
		cmocka_unit_test(what_readers_of_uris_drop_is_in_none_that_a_rule_judges),
		cmocka_unit_test(roots_are_judged_by_the_path_they_name),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
