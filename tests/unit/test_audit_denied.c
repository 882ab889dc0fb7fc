/* SPDX-License-Identifier: Apache-2.0 */
/* test_audit_denied - `audit show --denied`: what a profile still lacks, and the line that would grant it */
#include "tests/unit/audit_unit.h"
#include "wire/shim_client.h"

#define PROFILE	   "profiles/x.json"
#define NO_PORT	   "network.allow has no such port"
#define NO_ADDRESS "network.allow names no such address"

/* Heap text. */
static char *show_denied(const struct log_dir *l, struct audit_filter filter, bool json)
{
	struct audit_show_options o = { .filter = filter, .json = json, .denied = true };
	struct diag d = { "" };
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	assert_non_null(out);
	int r = audit_show(l->fd, &o, out, &d);
	fclose(out);
	if (r < 0)
		print_error("audit_show: %s\n", d.text);
	assert_int_equal(r, n > 0 ? AUDIT_SHOWN : AUDIT_NOTHING_SHOWN);
	return text;
}

static void add(struct audit *a, enum event_source source, struct event e)
{
	struct diag d = { "" };

	if (e.decision == EVENT_NONE)
		e.decision = EVENT_DENY;
	assert_int_equal(audit_append(a, source, &e, NULL, &d), 0);
}

/* One denial and what is to be offered for it: the grant as compact JSON, or "" for none; words: in the text as well.
 */
struct row {
	enum event_source source;
	struct event e;
	const char *grant, *words;
};

#define WOULD "; \"x\" in network.allow would grant it"
static const struct row offers[] = {
	{ EVENT_FROM_GATEWAY,
		{ .type = EVENT_NET_DENIED,
			.host = "api.example.com",
			.port = 8443,
			.protocol = "tcp",
			.rule = NO_PORT,
			.reason = "this port" WOULD },
		"{\"key\":\"network.allow\",\"value\":\"api.example.com:8443\"}", "host     api.example.com:8443" },
	{ EVENT_FROM_GATEWAY,
		{ .type = EVENT_NET_DENIED,
			.address = "192.0.2.7",
			.port = 22,
			.protocol = "tcp",
			.rule = NO_ADDRESS,
			.reason = "no name" WOULD },
		"{\"key\":\"network.allow\",\"value\":\"192.0.2.7:22\"}",
		"would be granted by  network.allow: \"192.0.2.7:22\"" },
	{ EVENT_FROM_GATEWAY,
		{ .type = EVENT_NET_DENIED,
			.address = "2001:db8::7",
			.port = 22,
			.protocol = "tcp",
			.rule = NO_ADDRESS,
			.reason = "no name" WOULD },
		"{\"key\":\"network.allow\",\"value\":\"[2001:db8::7]:22\"}", "2001:db8::7 port 22" },
	{ EVENT_FROM_GATEWAY,
		{ .type = EVENT_NET_DENIED,
			.address = "198.18.9.9",
			.port = 22,
			.protocol = "tcp",
			.rule = NO_ADDRESS,
			.reason = "no granted name" },
		"", "stands for a name, or for none" },
	{ EVENT_FROM_GATEWAY,
		{ .type = EVENT_NET_DENIED,
			.host = "api.example.com",
			.port = 443,
			.protocol = "udp",
			.rule = "network.allow grants TCP alone" },
		"", "only TCP leaves a sandbox" },
	{ EVENT_FROM_GATEWAY,
		{ .type = EVENT_NET_DENIED,
			.host = "api.example.com",
			.port = 443,
			.protocol = "tcp",
			.rule = PROFILE ":7 (network.allow \"api.example.com:443\")",
			.reason = "the ClientHello names another host" },
		"{\"key\":\"network.allow\",\"value\":{\"host\":\"api.example.com\",\"ports\":[443],\"sni\":false}}",
		"no longer compares the two" },
	{ EVENT_FROM_GATEWAY,
		{ .type = EVENT_NET_DENIED,
			.host = "api.example.com",
			.port = 443,
			.protocol = "tcp",
			.rule = "network.limits.connections" },
		"", "network.limits.connections allows" },
	{ EVENT_FROM_GATEWAY,
		{ .type = EVENT_NET_DENIED, .host = "localhost", .port = 5432, .protocol = "tcp", .rule = NO_PORT },
		"{\"key\":\"network.allow\",\"value\":\"localhost:5432\"}", "localhost:5432" },
	{ EVENT_FROM_GATEWAY,
		{ .type = EVENT_NET_NAME,
			.host = "cdn.example.com",
			.protocol = "dns",
			.rule = "network.allow does not name it" },
		"{\"key\":\"network.allow\",\"value\":\"cdn.example.com:443\"}", "(a name, without a port)" },
	{ EVENT_FROM_GATEWAY, { .type = EVENT_NET_NAME, .host = "a b", .protocol = "dns", .rule = "names are letters" },
		"", "it is no host name" },
	{ EVENT_FROM_GATEWAY,
		{ .type = EVENT_NET_NAME, .host = "x.w.example", .protocol = "dns", .rule = "network.limits.names" },
		"", "network.limits.names allows" },
	{ EVENT_FROM_GATEWAY,
		{ .type = EVENT_NET_NAME, .count = 70, .reason = "more denials than are told one by one" }, "",
		"(several)" },
	{ EVENT_FROM_DIAL,
		{ .type = EVENT_NET_CONNECT,
			.host = "intra.example.com",
			.address = "10.2.3.4",
			.port = 443,
			.rule = PROFILE ":7 (network.allow \"intra.example.com:443\")",
			.reason = "the name leads to a private address" },
		"{\"key\":\"network.allow\",\"value\":{\"host\":\"intra.example.com\",\"ports\":[443],\"private\":true}"
		"}",
		"in place of what the rule says of this host and port" },
	{ EVENT_FROM_DIAL,
		{ .type = EVENT_NET_CONNECT,
			.host = "intra.example.com",
			.address = "10.2.3.4",
			.rule = PROFILE ":7 (network.allow \"intra.example.com:443,8443\")",
			.reason = "the name leads to a private address" },
		"{\"key\":\"network.allow\",\"value\":{\"host\":\"intra.example.com\",\"private\":true}}",
		"with the ports and in place of the rule" },
	{ EVENT_FROM_DIAL,
		{ .type = EVENT_NET_CONNECT,
			.host = "intra.example.com",
			.address = "169.254.1.1",
			.reason = "the name leads to a link-local address" },
		"{\"key\":\"network.allow\",\"value\":\"169.254.1.1:443\"}", "whose it is" },
	{ EVENT_FROM_DIAL,
		{ .type = EVENT_NET_CONNECT,
			.host = "evil.example.com",
			.address = "127.0.0.1",
			.port = 443,
			.reason = "the name leads to a loopback address" },
		"", "this machine itself" },
	{ EVENT_FROM_DIAL,
		{ .type = EVENT_NET_CONNECT,
			.host = "evil.example.com",
			.address = "64:ff9b::a9fe:a9fe",
			.port = 443,
			.reason = "the name leads to an address of a NAT64" },
		"", "nobody is ever connected to" },
	{ EVENT_FROM_DIAL,
		{ .type = EVENT_NET_CONNECT,
			.host = "evil.example.com",
			.address = "224.0.0.251",
			.port = 443,
			.reason = "the name leads to a multicast address" },
		"", "nobody is ever connected to" },
	{ EVENT_FROM_DIAL,
		{ .type = EVENT_NET_CONNECT,
			.host = "m.example.com",
			.address = "169.254.169.254",
			.port = 80,
			.reason = "the name leads to a metadata service" },
		"{\"key\":\"network.allow\",\"value\":\"169.254.169.254:80\"}", "whose it is" },
	{ EVENT_FROM_SHIM,
		{ .type = EVENT_CALL,
			.tool = "create_issue",
			.rule = PROFILE ":9 (tools.allow)",
			.reason = "no rule allows it" },
		"{\"key\":\"tools.allow\",\"value\":\"create_issue\"}",
		"would be granted by  tools.allow: \"create_issue\"" },
	{ EVENT_FROM_SHIM, { .type = EVENT_CALL, .tool = "often", .rule = PROFILE ":9 (tools.allow.rate \"1/min\")" },
		"", "the tool is allowed" },
	{ EVENT_FROM_SHIM, { .type = EVENT_CALL, .tool = "put_x", .rule = PROFILE ":9 (tools.scopes.write \"put_*\")" },
		"", "its scope is not there" },
	{ EVENT_FROM_SHIM, { .type = EVENT_CALL, .tool = "asked", .rule = PROFILE ":9 (tools.allow.confirm)" }, "",
		"the tool is allowed" },
	{ EVENT_FROM_SHIM,
		{ .type = EVENT_CALL,
			.tool = "plain",
			.rule = "the default (60 calls a minute and tool; tools.rate sets another)" },
		"", "the tool is allowed" },
	{ EVENT_FROM_SHIM, { .type = EVENT_CALL, .tool = "renewed", .rule = "the pins of 'notes'" }, "",
		"'stockade diff' shows what is different, 'stockade pin' takes it" },
	{ EVENT_FROM_SHIM,
		{ .type = EVENT_REQUEST, .method = "prompts/get", .subject = "p", .rule = "the pins of 'notes'" }, "",
		"'stockade diff' shows what is different" },
	{ EVENT_FROM_SHIM, { .type = EVENT_CALL, .tool = "a*", .rule = PROFILE ":9 (tools.allow)" }, "",
		"stands for anything" },
	{ EVENT_FROM_SHIM, { .type = EVENT_CALL, .tool = "a\\x1b", .rule = PROFILE ":9 (tools.allow)" }, "",
		"with escapes" },
	{ EVENT_FROM_SHIM, { .type = EVENT_CALL, .tool = "busy", .reason = "too many" }, "", "tool     busy" },
	{ EVENT_FROM_SHIM,
		{ .type = EVENT_REQUEST,
			.method = "resources/read",
			.subject = "file:///x",
			.rule = PROFILE ":10 (resources.allow)" },
		"{\"key\":\"resources.allow\",\"value\":\"file:///x\"}", "resource file:///x" },
	{ EVENT_FROM_SHIM,
		{ .type = EVENT_REQUEST,
			.method = "resources/read",
			.subject = "db://u:[removed]@h/",
			.rule = PROFILE ":10 (resources.allow)" },
		"", "its password is not recorded" },
	{ EVENT_FROM_SHIM,
		{ .type = EVENT_REQUEST,
			.method = "prompts/get",
			.subject = "summary",
			.rule = PROFILE ":11 (prompts.allow)" },
		"{\"key\":\"prompts.allow\",\"value\":\"summary\"}", "prompt   summary" },
	{ EVENT_FROM_SHIM, { .type = EVENT_REQUEST, .method = "sampling/createMessage", .rule = "client.sampling" },
		"{\"key\":\"client.sampling\",\"value\":true}", "client.sampling: true" },
	{ EVENT_FROM_SHIM,
		{ .type = EVENT_REQUEST, .method = "sampling/createMessage", .rule = "client.sampling.tools" },
		"{\"key\":\"client.sampling.tools\",\"value\":true}", "client.sampling.tools: true" },
	{ EVENT_FROM_SHIM, { .type = EVENT_REQUEST, .method = "elicitation/create", .rule = "client.elicitation.url" },
		"", "names the hosts that the user may be sent to" },
	{ EVENT_FROM_SHIM,
		{ .type = EVENT_REQUEST,
			.method = "elicitation/create",
			.rule = PROFILE ":12 (client.elicitation.rate \"1/s\")" },
		"", "a limit of client.* holds it down" },
	{ EVENT_FROM_SHIM,
		{ .type = EVENT_REQUEST, .method = "acme/x", .rule = "the default (extensions.allow names none)" },
		"{\"key\":\"extensions.allow\",\"value\":\"acme/x\"}", "method   acme/x" },
	/* The tool is granted; what it is called with is not. */
	{ EVENT_FROM_SHIM, { .type = EVENT_CALL, .tool = "put", .rule = PROFILE ":12 (tools.allow \"put\" arguments)" },
		"", "what its arguments must be is that rule's" },
	{ EVENT_FROM_SHIM, { .type = EVENT_CALL, .tool = "put", .rule = PROFILE ":12 (tools.allow \"put\" strict)" },
		"", "what its arguments must be is that rule's" },
	{ EVENT_FROM_SHIM, { .type = EVENT_CALL, .tool = "put", .rule = PROFILE ":12 (tools.strict)" }, "",
		"what its arguments must be is that rule's" },
	{ EVENT_FROM_SHIM, { .type = EVENT_CALL, .tool = "put", .rule = METERS_CALLS_DEFAULT_WORDS }, "",
		"its rule holds calls down" },
	{ EVENT_FROM_SHIM,
		{ .type = EVENT_REQUEST,
			.method = "sampling/createMessage",
			.side = EVENT_FROM_SERVER,
			.rule = SHIM_SAMPLING_DEFAULT_WORDS },
		"", "a limit of client.* holds it down" },
	{ EVENT_FROM_SHIM,
		{ .type = EVENT_REQUEST,
			.method = "elicitation/create",
			.side = EVENT_FROM_SERVER,
			.rule = SHIM_ELICITATION_DEFAULT_WORDS },
		"", "a limit of client.* holds it down" },
};

static void check_offer(const struct log_dir *l, const struct row *row)
{
	struct audit *a = session_open(l, "srv", 0);

	add(a, row->source, row->e);
	session_close(a);
	_cleanup_free_ char *text = show_denied(l, (struct audit_filter){ 0 }, false),
			    *line = show_denied(l, (struct audit_filter){ 0 }, true);
	json_t *o = json_loads(line, JSON_REJECT_DUPLICATES, NULL), *grant = json_object_get(o, "grant");
	_cleanup_free_ char *dump = grant ? json_dumps(grant, JSON_COMPACT) : strdup("");
	if (!strstr(text, row->words))
		print_error("expected '%s' in:\n%s", row->words, text);
	assert_non_null(strstr(text, row->words));
	assert_string_equal(dump, row->grant);
	assert_null(json_object_get(o, "remove"));
	json_decref(o);
	log_dir_empty(l);
}

static void each_denial_is_offered_the_line_that_grants_it_and_no_other(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(offers); i++)
		check_offer(*state, &offers[i]);
}

static void what_an_explicit_rule_denies_is_said_with_the_line_to_take_away(void **state)
{
	static const struct {
		struct event e;
		const char *key;
	} cases[] = {
		{ { .type = EVENT_CALL, .tool = "delete_repo", .rule = PROFILE ":12 (tools.deny \"delete_*\")" },
			"tools.deny" },
		{ { .type = EVENT_REQUEST,
			  .method = "resources/read",
			  .subject = "file:///k",
			  .rule = PROFILE ":12 (resources.deny \"file:///k\")" },
			"resources.deny" },
		{ { .type = EVENT_REQUEST,
			  .method = "prompts/get",
			  .subject = "p",
			  .rule = PROFILE ":12 (prompts.deny \"p\")" },
			"prompts.deny" },
	};
	const struct log_dir *l = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct audit *a = session_open(l, "srv", 0);
		add(a, EVENT_FROM_SHIM, cases[i].e);
		session_close(a);
		_cleanup_free_ char *text = show_denied(l, (struct audit_filter){ 0 }, false),
				    *line = show_denied(l, (struct audit_filter){ 0 }, true);
		json_t *o = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(strstr(text, cases[i].e.rule));
		assert_non_null(strstr(text, "take it away"));
		assert_null(strstr(text, "would be granted by"));
		assert_string_equal(text_of(json_object_get(o, "remove"), "key"), cases[i].key);
		assert_string_equal(text_of(json_object_get(o, "remove"), "rule"), cases[i].e.rule);
		assert_null(json_object_get(o, "grant"));
		json_decref(o);
		log_dir_empty(l);
	}
}

static void one_thing_is_one_row_with_its_sum_and_its_last_time(void **state)
{
	const struct log_dir *l = *state;
	struct event e = { .type = EVENT_NET_DENIED,
		.host = "api.example.com",
		.port = 443,
		.protocol = "tcp",
		.rule = NO_PORT,
		.reason = "x" WOULD };

	for (unsigned i = 0; i < 2; i++) {
		struct audit *a = session_open(l, "srv", 0);
		add(a, EVENT_FROM_GATEWAY, e);
		e.count = 40; /* what the gateway coalesced */
		add(a, EVENT_FROM_GATEWAY, e);
		e.count = 0;
		session_close(a);
	}
	struct audit *other = session_open(l, "other", 0);
	add(other, EVENT_FROM_GATEWAY, e);
	session_close(other);
	_cleanup_free_ char *text = show_denied(l, (struct audit_filter){ .server = "srv" }, true);
	json_t *o = json_loads(text, JSON_DISABLE_EOF_CHECK, NULL);
	assert_int_equal(number_of(o, "count"), 82);
	assert_string_equal(text_of(o, "server"), "srv");
	assert_true(strcmp(text_of(o, "first"), text_of(o, "last")) <= 0);
	assert_null(strchr(strchr(text, '\n') + 1, '\n'));
	json_decref(o);
	_cleanup_free_ char *both = show_denied(l, (struct audit_filter){ 0 }, false);
	assert_non_null(strstr(both, "denied 82 times"));
	assert_non_null(strstr(both, "denied 1 time,"));
}

static void a_flood_of_names_that_the_log_sums_up_is_counted_all_the_same(void **state)
{
	const struct log_dir *l = *state;
	struct audit *a = session_open(l, "srv", 0);
	struct event e = { .type = EVENT_NET_NAME, .rule = "network.allow does not name it" };
	_cleanup_free_ char *text = NULL;
	json_int_t sum = 0;

	for (unsigned i = 0; i < 1000; i++) {
		snprintf(e.host, sizeof(e.host), "n%u.example", i);
		add(a, EVENT_FROM_GATEWAY, e);
	}
	session_close(a);
	text = show_denied(l, (struct audit_filter){ 0 }, true);
	for (char *p = text, *end; (end = strchr(p, '\n')); p = end + 1) {
		json_t *o = json_loadb(p, (size_t)(end - p), 0, NULL);
		sum += number_of(o, "count");
		json_decref(o);
	}
	assert_int_equal(sum, 1000);
}

static void what_was_allowed_is_no_row(void **state)
{
	const struct log_dir *l = *state;
	struct audit *a = session_open(l, "srv", 0);

	session_call(a, "search");
	add(a, EVENT_FROM_DIAL,
		(struct event){
			.type = EVENT_NET_CONNECT, .decision = EVENT_ALLOW, .host = "api.example.com", .port = 443 });
	session_close(a);
	_cleanup_free_ char *text = show_denied(l, (struct audit_filter){ 0 }, false);
	assert_string_equal(text, "");
}

static void no_name_of_a_servers_choice_speaks_to_the_terminal(void **state)
{
	const struct log_dir *l = *state;
	struct audit *a = session_open(l, "s\x1b[2Jv", 0);
	struct event e = { .type = EVENT_CALL, .tool = "a\x1b]0;x\x07\"b", .rule = PROFILE ":9 (tools.allow)" };

	add(a, EVENT_FROM_SHIM, e);
	snprintf(e.tool, sizeof(e.tool), "%s", "x\xe2\x80\xaey");
	add(a, EVENT_FROM_SHIM, e);
	session_close(a);
	for (unsigned json = 0; json < 2; json++) {
		_cleanup_free_ char *text = show_denied(l, (struct audit_filter){ 0 }, json);
		for (const char *p = text; *p; p++)
			assert_true(*p == '\n' || ((unsigned char)*p >= 0x20 && (unsigned char)*p < 0x7f));
	}
}

static void more_things_than_rows_are_counted_and_said(void **state)
{
	const struct log_dir *l = *state;
	struct audit *a = session_open(l, "srv", 0);
	struct event e = { .type = EVENT_CALL, .rule = PROFILE ":9 (tools.allow)" };

	for (unsigned i = 0; i < 4096 + 7; i++) {
		snprintf(e.tool, sizeof(e.tool), "t%u", i);
		add(a, EVENT_FROM_SHIM, e);
	}
	session_close(a);
	_cleanup_free_ char *text = show_denied(l, (struct audit_filter){ 0 }, false),
			    *json = show_denied(l, (struct audit_filter){ 0 }, true);
	assert_non_null(strstr(text, "and 7 more denials"));
	assert_non_null(strstr(json, "{\"not_shown\":7}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			each_denial_is_offered_the_line_that_grants_it_and_no_other, log_dir_setup, log_dir_teardown),
		cmocka_unit_test_setup_teardown(what_an_explicit_rule_denies_is_said_with_the_line_to_take_away,
			log_dir_setup, log_dir_teardown),
		cmocka_unit_test_setup_teardown(
			one_thing_is_one_row_with_its_sum_and_its_last_time, log_dir_setup, log_dir_teardown),
		cmocka_unit_test_setup_teardown(
			a_flood_of_names_that_the_log_sums_up_is_counted_all_the_same, log_dir_setup, log_dir_teardown),
		cmocka_unit_test_setup_teardown(what_was_allowed_is_no_row, log_dir_setup, log_dir_teardown),
		cmocka_unit_test_setup_teardown(
			no_name_of_a_servers_choice_speaks_to_the_terminal, log_dir_setup, log_dir_teardown),
		cmocka_unit_test_setup_teardown(
			more_things_than_rows_are_counted_and_said, log_dir_setup, log_dir_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
