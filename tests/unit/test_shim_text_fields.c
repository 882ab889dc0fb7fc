/* SPDX-License-Identifier: Apache-2.0 */
/* test_shim_text_fields - in every field of every message that a client gets: no secret, nothing unseen, no personal
 * data; and the protocol's own words stay */
#include "tests/unit/shim_play.h"

#define TOKEN "ghp_Zx81kQ02mmPLw9"
/* "a" TOKEN in base64 */
#define BLOB "YWdocF9aeDgxa1EwMm1tUEx3OQ=="
/* What each string says, and what is left of it. */
#define DIRTY	"x" TOKEN "\\u001b[1m\\u200b me@example.org"
#define CLEAN	"x[stockade: value of TOKEN]\xef\xbf\xbd\xef\xbf\xbd [stockade: mail removed]"
#define ONE_ODD "x[stockade: value of TOKEN]\xef\xbf\xbd [stockade: mail removed]"

static struct desk *desk_of(const char *const *secrets, size_t n, const char *pattern)
{
	static const struct shim_config c = { .name = WORDS("demo"),
		.client = { .sampling = { .on = true }, .elicitation = { .on = true } } };
	struct desk *t = desk_new(&c);
	struct diag d = { 0 };

	for (size_t i = 0; i < n; i++)
		assert_int_equal(shim_text_add_secret(&t->s.config.text, i ? "OTHER" : "TOKEN", secrets[i]), 0);
	if (pattern)
		assert_int_equal(shim_text_add_pattern(&t->s.config.text, "own", pattern), 0);
	t->s.config.text.sets = pattern ? 0 : 1u << SHIM_SET_MAIL;
	assert_int_equal(text_out_init(&t->s.text, &t->s.config.text, &d), 0);
	t->s.now_us = 1;
	assert_int_equal(give(t, C, ID(0) "\"method\":\"initialize\"}"), 0);
	assert_int_equal(give(t, S, ID(0) "\"result\":{}}"), 0);
	forget(t);
	return t;
}

static void put_down(struct desk *t)
{
	struct shim_text text = t->s.config.text;

	text_out_done(&t->s.text);
	desk_free(t);
	shim_text_done(&text);
}

#define RESULT(method, body)                                                                                           \
	{                                                                                                              \
		ID(1)                                                                                                  \
		"\"method\":\"" method "\",\"params\":{\"name\":\"n\",\"uri\":\"u:v\"," MODERN "}}",                   \
			ID(1) "\"result\":{" body "}}"                                                                 \
	}
#define LEGACY(method, body)                                                                                           \
	{                                                                                                              \
		ID(1)                                                                                                  \
		"\"method\":\"" method "\",\"params\":{\"name\":\"n\",\"uri\":\"u:v\",\"taskId\":\"t\",\"ref\":{"      \
		"\"type\":\"ref/prompt\",\"name\":\"n\"}}}",                                                           \
			ID(1) "\"result\":{" body "}}"                                                                 \
	}
#define SAID(message)                                                                                                  \
	{                                                                                                              \
		NULL, J message                                                                                        \
	}

/* A request of the client's, if any, and what the server says. Each "$" is a string that must come out clean, "~" the
 * base64 of one that must come out without it. */
static const struct {
	const char *asks, *says;
} places[] = {
	LEGACY("tools/call",
		"\"content\":[{\"type\":\"text\",\"text\":\"$\",\"annotations\":{\"audience\":[\"user\"]}}]"),
	LEGACY("tools/call", "\"content\":[{\"type\":\"resource_link\",\"uri\":\"u\",\"name\":\"$\",\"title\":\"$\","
			     "\"description\":\"$\"}]"),
	LEGACY("tools/call", "\"content\":[{\"type\":\"resource\",\"resource\":{\"uri\":\"u\",\"text\":\"$\"}}]"),
	LEGACY("tools/call", "\"content\":[{\"type\":\"resource\",\"resource\":{\"uri\":\"u\",\"blob\":\"~\"}}]"),
	LEGACY("tools/call", "\"content\":[{\"type\":\"audio\",\"mimeType\":\"a/b\",\"data\":\"~\"}]"),
	LEGACY("tools/call", "\"structuredContent\":{\"a\":[\"$\",{\"b\":\"$\"}]},\"isError\":true"),
	RESULT("tools/call", "\"resultType\":\"complete\",\"structuredContent\":\"$\",\"content\":[]"),
	RESULT("tools/call", "\"resultType\":\"input_required\",\"inputRequests\":{\"k\":{\"method\":\"elicitation/"
			     "create\",\"params\":{\"message\":\"$\","
			     "\"requestedSchema\":{\"properties\":{\"f\":{\"type\":\"string\",\"title\":\"$\",\"enum\":"
			     "[\"$\"],\"default\":\"$\"}}}}}}"),
	LEGACY("resources/read", "\"contents\":[{\"uri\":\"u\",\"mimeType\":\"text/plain\",\"text\":\"$\"}]"),
	LEGACY("resources/read", "\"contents\":[{\"uri\":\"u\",\"blob\":\"~\"}]"),
	LEGACY("prompts/get", "\"description\":\"$\",\"messages\":[{\"role\":\"user\",\"content\":{\"type\":\"text\","
			      "\"text\":\"$\"}}]"),
	LEGACY("completion/complete", "\"completion\":{\"values\":[\"$\",\"$\"],\"hasMore\":false}"),
	LEGACY("tools/list", "\"tools\":[{\"name\":\"n\",\"title\":\"$\",\"description\":\"$\",\"inputSchema\":{"
			     "\"type\":\"object\",\"properties\":"
			     "{\"a\":{\"description\":\"$\",\"default\":\"$\"}}},\"annotations\":{\"title\":\"$\"}}]"),
	RESULT("tools/list", "\"resultType\":\"complete\",\"tools\":[{\"name\":\"n\",\"description\":\"$\","
			     "\"inputSchema\":{\"type\":\"object\"}}],\"ttlMs\":1"),
	LEGACY("prompts/list", "\"prompts\":[{\"name\":\"n\",\"description\":\"$\",\"arguments\":[{\"name\":\"a\","
			       "\"description\":\"$\"}]}]"),
	LEGACY("resources/list",
		"\"resources\":[{\"uri\":\"u\",\"name\":\"$\",\"title\":\"$\",\"description\":\"$\"}]"),
	LEGACY("resources/templates/list",
		"\"resourceTemplates\":[{\"uriTemplate\":\"u\",\"name\":\"$\",\"description\":\"$\"}]"),
	LEGACY("tasks/get", "\"taskId\":\"t\",\"status\":\"working\",\"statusMessage\":\"$\""),
	{ ID(1) "\"method\":\"tools/call\",\"params\":{\"name\":\"n\"}}",
		ID(1) "\"error\":{\"code\":-32000,\"message\":\"$\",\"data\":{\"trace\":[\"$\"]}}}" },
	{ ID(1) "\"method\":\"prompts/list\"}", ID(1) "\"error\":{\"code\":1,\"message\":\"m\",\"data\":\"$\"}}" },
	SAID("\"method\":\"notifications/message\",\"params\":{\"level\":\"info\",\"logger\":\"$\",\"data\":\"$\"}}"),
	SAID("\"method\":\"notifications/message\",\"params\":{\"level\":\"info\",\"data\":{\"k\":[\"$\"]}}}"),
	SAID("\"method\":\"notifications/"
	     "progress\",\"params\":{\"progressToken\":1,\"progress\":1,\"message\":\"$\"}}"),
	SAID("\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":9,\"reason\":\"$\"}}"),
	SAID("\"method\":\"notifications/tasks/"
	     "status\",\"params\":{\"taskId\":\"t\",\"status\":\"failed\",\"statusMessage\":\"$\"}}"),
	SAID("\"id\":\"e\",\"method\":\"elicitation/"
	     "create\",\"params\":{\"message\":\"$\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{\"f\":{"
	     "\"type\":\"string\",\"description\":\"$\"}}}}}"),
	SAID("\"id\":\"s\",\"method\":\"sampling/"
	     "createMessage\",\"params\":{\"systemPrompt\":\"$\",\"maxTokens\":1,\"messages\":[{\"role\":\"user\","
	     "\"content\":{\"type\":\"text\",\"text\":\"$\"}}],\"stopSequences\":[\"$\"],\"metadata\":{\"m\":\"$\"}}}"),
};

static void put_filled(struct buf *b, const char *text, const char *string, const char *blob)
{
	for (; *text; text++) {
		const char *fill = *text == '$' ? string : *text == '~' ? blob : NULL;
		assert_int_equal(fill ? buf_puts(b, fill) : buf_putc(b, *text), 0);
	}
}

static void in_every_field_of_every_message_nothing_of_it_is_left(void **state)
{
	static const char *const secrets[] = { TOKEN };
	struct desk *t = desk_of(secrets, 1, NULL);

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		_cleanup_buf_ struct buf says = BUF_INIT(1 << 16);
		const char *now;
		size_t want = 0, marks = 0;
		put_filled(&says, places[i].says, DIRTY, BLOB);
		for (const char *p = places[i].says; *p; p++)
			want += *p == '$';
		if (places[i].asks)
			assert_int_equal(give(t, C, places[i].asks), 0);
		forget(t);
		assert_int_equal(give(t, S, says.data), 0);
		now = got(t, t->client);
		for (const char *p = now; (p = strstr(p, CLEAN)); p++)
			marks++;
		for (const char *p = now; (p = strstr(p, ONE_ODD)); p++)
			marks++;
		if (!*now || marks != want)
			fail_msg("%s: %zu of %zu strings are clean: %s", places[i].says, marks, want, now);
		if (strstr(now, "Zx81") || strstr(now, "docF9aeDgx") || strstr(now, "\x1b") || strstr(now, "u001b") ||
			strstr(now, "\xe2\x80\x8b") || strstr(now, "@example"))
			fail_msg("%s: something is left: %s", places[i].says, now);
	}
	put_down(t);
}

/* With an escape sequence in them they would not be there at all (scans.h). */
static void instructions_are_clean(void **state)
{
	static const char *const secrets[] = { TOKEN };
	struct desk *t = desk_of(secrets, 1, NULL);

	PLAY(t, { C, ID(1) "\"method\":\"server/discover\",\"params\":{" MODERN "}}", NULL, "=", "request allow" },
		{ S,
			ID(1) "\"result\":{\"supportedVersions\":[],\"capabilities\":{},\"instructions\":\"x" TOKEN
			      "\\u200b me@example.org\"}}",
			ID(1) "\"result\":{\"supportedVersions\":[],\"capabilities\":{},\"instructions\":\"" ONE_ODD
			      "\"}}",
			NULL, "response - ok" });
	put_down(t);
}

/* Keys are the server's, too. */
static void keys_of_the_servers_own_are_clean(void **state)
{
	static const char *const secrets[] = { TOKEN };
	struct desk *t = desk_of(secrets, 1, NULL);

	PLAY(t, { C, ID(1) "\"method\":\"tools/call\",\"params\":{\"name\":\"n\"}}", NULL, "=", "tool.call allow" },
		{ S,
			ID(1) "\"result\":{\"content\":[],\"_meta\":{\"a/" TOKEN
			      "\":1},\"structuredContent\":{\"a" TOKEN "\":{\"\\u200b\":1}}}}",
			ID(1) "\"result\":{\"content\":[],\"_meta\":{\"a/[stockade: value of "
			      "TOKEN]\":1},\"structuredContent\":"
			      "{\"a[stockade: value of TOKEN]\":{\"\xef\xbf\xbd\":1}}}}",
			NULL, "tool.result - ok" });
	put_down(t);
}

#define WORDY                                                                                                          \
	ID(1)                                                                                                          \
	"\"result\":{\"resultType\":\"input_required\",\"inputRequests\":{\"k\":{\"method\":\"elicitation/"            \
	"create\",\"params\":{\"mode\":\"form\","                                                                      \
	"\"message\":\"m\"}}},\"content\":[{\"type\":\"resource_link\",\"uri\":\"u\",\"annotations\":{\"audience\":["  \
	"\"assistant\"]}}],"                                                                                           \
	"\"_meta\":{\"io.modelcontextprotocol/related-task\":{}}}}"

/* Passwords like these, or a pattern that fits anything, take nothing away by which a client reads a message. */
static void the_protocols_own_words_stay_what_they_are(void **state)
{
	static const char *const secrets[] = { "input_required", "resource_link", "assistant", "annotations",
		"inputRequests", "elicitation", "resultType", "modelcontext", "audience" };
	struct desk *t = desk_of(secrets, ARRAY_LEN(secrets), "[a-z_/]+");

	assert_int_equal(give(t, C, ID(1) "\"method\":\"tools/call\",\"params\":{\"name\":\"n\"," MODERN "}}"), 0);
	forget(t);
	assert_int_equal(give(t, S, WORDY), 0);
	const char *now = got(t, t->client);
	static const char *const stay[] = { "\"resultType\":\"input_required\"",
		"\"inputRequests\":{\"k\":{\"method\":\"elicitation/create\"", "\"mode\":\"form\"",
		"\"type\":\"resource_link\"", "\"annotations\":{\"audience\":[\"assistant\"]}", "\"id\":1",
		"\"io.modelcontextprotocol/related-task\":" };
	for (size_t i = 0; i < ARRAY_LEN(stay); i++)
		if (!strstr(now, stay[i]))
			fail_msg("%s is not in %s", stay[i], now);
	/* Where a peer says them they are none. */
	assert_int_equal(give(t, C, ID(1) "\"method\":\"tools/call\",\"params\":{\"name\":\"n\"}}"), 0);
	forget(t);
	assert_int_equal(give(t, S,
				 ID(1) "\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"assistant\"}],"
				       "\"structuredContent\":{\"type\":\"assistant\",\"annotations\":1}}}"),
		0);
	now = got(t, t->client);
	assert_null(strstr(now, "assistant"));
	assert_null(strstr(now, "annotations"));
	assert_non_null(strstr(now, "{\"type\":\"text\",\"text\":\"["));
	put_down(t);
}

/* A token or a state that is not what it was fits nothing any more. */
static void what_has_to_be_said_again_is_refused_and_never_changed(void **state)
{
	static const char *const secrets[] = { TOKEN };
	struct desk *t = desk_of(secrets, 1, NULL);

	PLAY(t,
		{ C, ID(1) "\"method\":\"tools/call\",\"params\":{\"name\":\"n\"," MODERN "}}", NULL, "=",
			"tool.call allow" },
		{ S, ID(1) "\"result\":{\"resultType\":\"input_required\",\"requestState\":\"x" TOKEN "\"}}",
			"~\"id\":1,\"error\":~5020~holds the value of a secret", NULL, "tool.result - refused" },
		{ C, ID(2) "\"method\":\"tools/call\",\"params\":{\"name\":\"n\",\"task\":{}}}", NULL, "=",
			"tool.call allow" },
		{ S, ID(2) "\"result\":{\"task\":{\"taskId\":\"" BLOB "\"}}}", "~\"id\":2,\"error\":~5020", NULL,
			"tool.result - refused" },
		{ C, ID(3) "\"method\":\"tools/call\",\"params\":{\"name\":\"n\"," MODERN "}}", NULL, "=",
			"tool.call allow" },
		{ S, ID(3) "\"result\":{\"resultType\":\"input_required\",\"requestState\":[\"a\",\"" TOKEN "\"]}}",
			"~\"id\":3,\"error\":~5020~holds the value of a secret", NULL, "tool.result - refused" },
		{ S,
			J "\"method\":\"notifications/progress\",\"params\":{\"progressToken\":\"" TOKEN
			  "\",\"progress\":1}}",
			NULL, NULL, "message.refused drop what one has to say again" },
		{ S,
			ID(3) "\"method\":\"elicitation/"
			      "create\",\"params\":{\"message\":\"m\",\"elicitationId\":\"" TOKEN "\"}}",
			NULL, "~\"id\":3,\"error\":~4000", "message.refused drop" });
	/* Where a peer has keys of these names they are text. */
	PLAY(t, { C, ID(4) "\"method\":\"tools/call\",\"params\":{\"name\":\"n\"}}", NULL, "=", "tool.call allow" },
		{ S, ID(4) "\"result\":{\"content\":[],\"structuredContent\":{\"requestState\":\"" TOKEN "\"}}}",
			ID(4) "\"result\":{\"content\":[],\"structuredContent\":{\"requestState\":\"[stockade: value "
			      "of TOKEN]\"}}}",
			NULL, "tool.result - ok" });
	put_down(t);
}

/* And the text of an object in such a place is text, however it came there. */
static void what_a_key_says_of_its_value_holds_for_each_of_a_list(void **state)
{
	static const char *const secrets[] = { TOKEN };
	struct desk *t = desk_of(secrets, 1, NULL);

	assert_int_equal(give(t, C, ID(1) "\"method\":\"tools/call\",\"params\":{\"name\":\"n\"}}"), 0);
	forget(t);
	assert_int_equal(give(t, S,
				 ID(1) "\"result\":{\"content\":[{\"type\":\"image\",\"data\":[\"me@example.org\","
				       "\"me@example.org\",[\"me@example.org\"],{\"text\":\"me@example.org\"}]}]}}"),
		0);
	assert_string_equal(got(t, t->client),
		ID(1) "\"result\":{\"content\":[{\"type\":\"image\",\"data\":[\"me@example.org\",\"me@example.org\","
		      "[\"me@example.org\"],{\"text\":\"[stockade: mail removed]\"}]}]}}\n");
	put_down(t);
}

/* What SECURITY.md and the manual say that nobody finds; when one of these fails, they have become too modest. */
static void what_the_manual_says_is_not_found_is_not(void **state)
{
	static const char *const kept[] = {
		"{\"type\":\"text\",\"text\":\"ghp_Zx81k\"},{\"type\":\"text\",\"text\":\"Q02mmPLw9\"}",
		"{\"type\":\"text\",\"text\":\"ghp_Zx81k\\nQ02mmPLw9\"}",
		"{\"type\":\"text\",\"text\":\"ghp_Zx81\xef\xbf\xbdkQ02mmPLw9\"}",
		"{\"type\":\"text\",\"text\":\"6768705f5a7838316b5130326d6d504c7739\"}",
		"{\"type\":\"text\",\"text\":\"6768705F5A7838316B5130326D6D504C7739\"}",
		"{\"type\":\"text\",\"text\":\"9wLPmm20Qk18xZ_phg\"}",
		"{\"type\":\"text\",\"text\":\"WjJod1gxcDRPREZyVVRBeWJXMVFUSGM1\"}",
	};
	static const char *const secrets[] = { TOKEN };
	struct desk *t = desk_of(secrets, 1, NULL);
	char line[512];

	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		assert_int_equal(give(t, C, ID(1) "\"method\":\"tools/call\",\"params\":{\"name\":\"n\"}}"), 0);
		snprintf(line, sizeof(line), ID(1) "\"result\":{\"content\":[%s]}}", kept[i]);
		assert_int_equal(give(t, S, line), 0);
		assert_non_null(strstr(got(t, t->client), kept[i]));
	}
	put_down(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_every_field_of_every_message_nothing_of_it_is_left),
		cmocka_unit_test(instructions_are_clean),
		cmocka_unit_test(keys_of_the_servers_own_are_clean),
		cmocka_unit_test(the_protocols_own_words_stay_what_they_are),
		cmocka_unit_test(what_has_to_be_said_again_is_refused_and_never_changed),
		cmocka_unit_test(what_a_key_says_of_its_value_holds_for_each_of_a_list),
		cmocka_unit_test(what_the_manual_says_is_not_found_is_not),
	};

	return cmocka_run_group_tests_name("text_fields", tests, NULL, NULL);
}
