/* SPDX-License-Identifier: Apache-2.0 */
/* test_shim_text - what is taken out of the strings of a message: secrets in every spelling, personal data, and nothing
 * else */
#include "tests/unit/shim_unit.h"
#include "shim/finder.h"

#define J      "{\"jsonrpc\":\"2.0\","
#define ID(id) J "\"id\":" #id ","
#define C      EVENT_FROM_CLIENT
#define S      EVENT_FROM_SERVER

static const struct {
	const char *name, *value;
} given[] = {
	{ "TOKEN", "ghp_Zx81kQ02mmPLw9" },
	{ "PASS", "p\"w\\x/1 \xc3\xa4&" },
	{ "PEM", "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEF\nAASCBKcwggSjAgEAAoIBAQC7VJTU\n-----END "
		 "KEY-----\n" },
	{ "SHORT8", "Ab3dEf7h" },
	{ "NUMBER", "4815162342108" },
	{ "MIXED", "tok+with=signs'" },
	{ "HTML", "a&b=c'<d>x+y" },
};

static struct desk *desk_of(uint32_t sets, bool pass)
{
	struct shim_config c = { .name = WORDS("demo") };
	struct desk *t = desk_new(&c);
	struct diag d = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(given); i++)
		assert_int_equal(shim_text_add_secret(&t->s.config.text, given[i].name, given[i].value), 0);
	assert_int_equal(shim_text_add_pattern(&t->s.config.text, "ticket", "TICK-[0-9]+"), 0);
	t->s.config.text.sets = sets;
	t->s.config.text.pass = pass;
	assert_int_equal(text_out_init(&t->s.text, &t->s.config.text, &d), 0);
	return t;
}

static void put_down(struct desk *t)
{
	struct shim_text text = t->s.config.text;

	text_out_done(&t->s.text);
	desk_free(t);
	shim_text_done(&text);
}

static void put_down_at(struct desk **t)
{
	if (*t)
		put_down(*t);
}
#define _cleanup_text_ _cleanup_(put_down_at)

/* What the client hears of a result whose text that is. */
static const char *heard(struct desk *t, const char *inside)
{
	char line[8192];

	assert_int_equal(give(t, C, ID(1) "\"method\":\"tools/call\",\"params\":{\"name\":\"a\"}}"), 0);
	forget(t);
	snprintf(line, sizeof(line), ID(1) "\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"%s\"}]}}", inside);
	assert_int_equal(give(t, S, line), 0);
	const char *text = got(t, t->client);
	const char *from = strstr(text, "\"text\":\"");
	assert_non_null(from);
	char *end = strstr(from, "\"}]}}\n");
	assert_non_null(end);
	*end = '\0';
	return from + strlen("\"text\":\"");
}

static void expect(struct desk *t, const char *inside, const char *want)
{
	const char *now = heard(t, inside);

	if (strcmp(now, want ? want : inside) != 0)
		fail_msg("'%s' becomes '%s', not '%s'", inside, now, want ? want : inside);
}

#define TOKEN "[stockade: value of TOKEN]"
#define PASS  "[stockade: value of PASS]"
#define PEM   "[stockade: value of PEM]"
#define MIXED "[stockade: value of MIXED]"

static void a_secret_goes_in_every_spelling(void **state)
{
	static const struct {
		const char *says, *hears;
	} cases[] = {
		{ "ghp_Zx81kQ02mmPLw9", TOKEN },
		{ "a ghp_Zx81kQ02mmPLw9ghp_Zx81kQ02mmPLw9.", "a " TOKEN TOKEN "." },
		{ "\\u0067hp\\u005fZx81kQ02mmPLw9", TOKEN },
		{ "x=p\\\"w\\\\x/1 \\u00e4&;", "x=" PASS ";" },
		{ "p\\\"w\\\\x\\/1 \xc3\xa4&", PASS },
		/* JSON in the text: as node, python and PHP write it */
		{ "{\\\"a\\\":\\\"p\\\\\\\"w\\\\\\\\x/1 \xc3\xa4&\\\"}", "{\\\"a\\\":\\\"" PASS "\\\"}" },
		{ "\\\"p\\\\\\\"w\\\\\\\\x/1 \\\\u00e4&\\\"", "\\\"" PASS "\\\"" },
		{ "\\\"p\\\\\\\"w\\\\\\\\x\\\\/1 \xc3\xa4&\\\"", "\\\"" PASS "\\\"" },
		/* as Go, Gson, .NET and PHP write it by default */
		{ "p\\\\\\\"w\\\\\\\\x/1 \xc3\xa4\\\\u0026", PASS },
		{ "p\\\\u0022w\\\\\\\\x/1 \\\\u00E4\\\\u0026", PASS },
		{ "p\\\\\\\"w\\\\\\\\x\\\\/1 \\\\u00e4&", PASS },
		{ "tok+with=signs'", MIXED },
		{ "a\\\\u0026b=c'\\\\u003cd\\\\u003ex+y", "[stockade: value of HTML]" },
		{ "tok\\\\u002Bwith=signs\\\\u0027", MIXED },
		{ "tok+with\\\\u003dsigns\\\\u0027", MIXED },
		/* and as nobody does */
		{ "\\\"p\\\\u0022w\\\\\\\\x/1 \\\\u00E4\\\\u0026\\\"", "\\\"" PASS "\\\"" },
		{ "\\\"p\\\\\\\"w\\\\\\\\x/1 \xc3\xa4\\\\u0026\\\"", "\\\"" PASS "\\\"" },
		{ "\\\"p\\\\\\\"w\\\\\\\\x\\\\/1 \\\\u00e4&\\\"", "\\\"" PASS "\\\"" },
		{ "\\\\u0067hp\\\\u005Fzx \\\\u0067hp\\\\u005FZx81kQ02mmPLw\\\\u0039!",
			"\\\\u0067hp\\\\u005Fzx " TOKEN "!" },
		{ "\\\\\\\\u0067hp_Zx81kQ02mmPLw9", NULL },
		/* percent-encoded: as it has to be, more than it has to be, in small letters, as a form */
		{ "?p=p%22w%5Cx%2F1%20%C3%A4%26&b", "?p=" PASS "&b" },
		{ "?p=p%22w%5cx/1+%c3%a4%26", "?p=" PASS },
		{ "%67%68p_Zx81kQ02mmPLw%39!", TOKEN "!" },
		{ "100%25 %zz ghp_Zx81kQ02mmPLw9", "100%25 %zz " TOKEN },
		/* a key line by line */
		{ "  MIIEvQIBADANBgkqhkiG9w0BAQEF\\n  x", "  " PEM "\\n  x" },
		{ "-----BEGIN KEY-----\\nMIIEvQIBADANBgkqhkiG9w0BAQEF\\nAASCBKcwggSjAgEAAoIBAQC7VJTU\\n-----END "
		  "KEY-----\\n.",
			PEM "." },
		{ "-----BEGIN KEY-----", NULL },
		{ "ghp_Zx81kQ02mmPLw", NULL },
		{ "Ab3dEf7h", "[stockade: value of SHORT8]" },
	};
	_cleanup_text_ struct desk *t = desk_of(0, false);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		expect(t, cases[i].says, cases[i].hears);
}

static void put_base64(char *out, const char *bytes, size_t n, const char *digits)
{
	for (size_t i = 0; i < 8 * n; i += 6) {
		unsigned v = 0;
		for (size_t bit = i; bit < i + 6; bit++)
			v = v << 1 | (bit < 8 * n ? (unsigned)bytes[bit / 8] >> (7 - bit % 8) & 1 : 0);
		*out++ = digits[v & 63];
	}
	*out = '\0';
}

static void a_secret_goes_in_base64_wherever_it_begins(void **state)
{
	static const char *const alphabets[] = {
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
	};
	_cleanup_text_ struct desk *t = desk_of(0, false);

	for (size_t a = 0; a < 2; a++)
		for (size_t secret = 0; secret < ARRAY_LEN(given); secret++)
			for (int before = 0; before < 7; before++) {
				char bytes[512], text[1024], mark[64];
				int n = snprintf(bytes, sizeof(bytes), "%.*s%s%s", before, "user:\xff~",
					given[secret].value, "\xfb?end");
				put_base64(text, bytes, (size_t)n, alphabets[a]);
				snprintf(mark, sizeof(mark), "[stockade: value of %s]", given[secret].name);
				const char *now = heard(t, text);
				if (!strstr(now, mark) || strlen(now) > 20 + strlen(mark))
					fail_msg("%s after %d bytes: %s", given[secret].name, before, now);
			}
}

/* One message; what the client hears holds this, and does not hold a secret. */
static void hears(struct desk *t, const char *says, const char *want)
{
	assert_int_equal(give(t, S, says), 0);
	const char *now = got(t, t->client);
	if (strcmp(now, "") != 0 && strstr(now, given[0].value))
		fail_msg("%s: a secret is in %s", says, now);
	if (want ? !strstr(now, want) : *now != '\0')
		fail_msg("%s: hears %s", says, now);
}

static void a_secret_goes_wherever_a_string_may_be(void **state)
{
	_cleanup_text_ struct desk *t = desk_of(0, true);

	assert_int_equal(give(t, C, ID(9) "\"method\":\"initialize\"}"), 0);
	t->s.config.client.sampling.on = true;
	hears(t,
		J "\"method\":\"notifications/"
		  "message\",\"params\":{\"level\":\"info\",\"data\":{\"x\":[\"ghp_Zx81kQ02mmPLw9\"]}}}",
		"{\"x\":[\"" TOKEN "\"]}");
	hears(t, J "\"method\":\"notifications/progress\",\"params\":{\"message\":\"ghp_Zx81kQ02mmPLw9\"}}", TOKEN);
	hears(t, ID(3) "\"method\":\"sampling/createMessage\",\"params\":{\"systemPrompt\":\"ghp_Zx81kQ02mmPLw9\"}}",
		TOKEN);
	hears(t, ID("ghp_Zx81kQ02mmPLw9") "\"method\":\"ping\"}", NULL);
	(void)got(t, t->server);
	for (int i = 0; i < 4; i++) {
		static const char *const results[] = {
			"\"error\":{\"code\":1,\"message\":\"bad ghp_Zx81kQ02mmPLw9\"}}",
			"\"result\":{\"_meta\":{\"a/"
			"b\":\"ghp_Zx81kQ02mmPLw9\"},\"structuredContent\":{\"k\":\"ghp_Zx81kQ02mmPLw9\"}}}",
			"\"result\":{\"content\":[{\"type\":\"resource\",\"resource\":{\"uri\":\"a:b?t=ghp_"
			"Zx81kQ02mmPLw9\"}}]}}",
			"\"result\":{\"structuredContent\":{\"ghp_Zx81kQ02mmPLw9\":1}}}",
		};
		char line[512];
		assert_int_equal(give(t, C, ID(1) "\"method\":\"tools/call\",\"params\":{\"name\":\"a\"}}"), 0);
		snprintf(line, sizeof(line), "%s%s", ID(1), results[i]);
		hears(t, line, TOKEN);
	}
	/* Two keys that become one have no single meaning. */
	assert_int_equal(give(t, C, ID(1) "\"method\":\"tools/call\",\"params\":{\"name\":\"a\"}}"), 0);
	hears(t, ID(1) "\"result\":{\"structuredContent\":{\"ghp_Zx81kQ02mmPLw9\":1,\"" TOKEN "\":2}}}",
		"\"id\":1,\"error\":{\"code\":5020");
	assert_int_equal(t->s.calls.n, 1); /* initialize */
}

static void base64_of_an_image_stays_base64(void **state)
{
	_cleanup_text_ struct desk *t = desk_of(0, false);

	assert_int_equal(give(t, C, ID(1) "\"method\":\"tools/call\",\"params\":{\"name\":\"a\"}}"), 0);
	hears(t, ID(1) "\"result\":{\"content\":[{\"type\":\"image\",\"data\":\"AAAAZ2hwX1p4ODFrUTAybW1QTHc5AAAA\"}]}}",
		"\"data\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"");
}

static void what_was_replaced_is_counted_and_recorded_and_never_shown(void **state)
{
	_cleanup_text_ struct desk *t = desk_of(1u << SHIM_SET_MAIL, false);
	char seen[1024] = "";
	struct event e;

	assert_int_equal(give(t, C,
				 ID(1) "\"method\":\"tools/"
				       "call\",\"params\":{\"name\":\"a\",\"arguments\":{\"to\":\"a@b.org\"}}}"),
		0);
	assert_non_null(strstr(got(t, t->server), "{\"to\":\"[stockade: mail removed]\"}"));
	assert_int_equal(give(t, S,
				 ID(1) "\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"ghp_Zx81kQ02mmPLw9 "
				       "ghp_Zx81kQ02mmPLw9 \\u001b[1m x@y.com TICK-77\"}]}}"),
		0);
	assert_non_null(strstr(got(t, t->client),
		"\"" TOKEN " " TOKEN " \xef\xbf\xbd [stockade: mail removed] [stockade: ticket removed]\""));
	while (recorded(t, &e)) {
		size_t n = strlen(seen);
		if (e.type == EVENT_TEXT_REDACTED)
			snprintf(seen + n, sizeof(seen) - n, "%d %d %s %d;", (int)e.call_id, (int)e.side, e.subject,
				(int)e.count);
	}
	assert_string_equal(
		seen, "1 1 mail 1;1 2 invisible characters 1;1 2 value of TOKEN 2;1 2 mail 1;1 2 ticket 1;");
}

static void a_message_with_nothing_in_it_is_not_copied(void **state)
{
	_cleanup_text_ struct desk *t = desk_of(0, false);

	t->s.config.text.n_patterns = 0;
	expect(t, "plain, \xe6\xbc\xa2 and \\r\\n windows", NULL);
	expect(t, "\\u001b[1m", "\xef\xbf\xbd");
	buf_clear(&t->s.edited);
	expect(t, "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb \\r\\n ghp_ %41", NULL);
	assert_int_equal(t->s.edited.len, 0);
	t->s.config.text.n_patterns = 1;
}

static void invisible_characters_stay_where_they_mean_something(void **state)
{
	static const char odd[] =
		ID(1) "\"result\":{\"_meta\":{\"k\":\"a\xe2\x80\x8b\"},\"resultType\":\"input_required\","
		      "\"requestState\":\"s\xe2\x80\x8b\",\"content\":[{\"type\":\"resource_link\",\"uri\":\"x:"
		      "\xe2\x80\x8b\"}]}}";
	_cleanup_text_ struct desk *t = desk_of(0, false);

	assert_int_equal(give(t, C, ID(1) "\"method\":\"tools/call\",\"params\":{\"name\":\"a\"}}"), 0);
	hears(t, odd, odd);
	/* A tool's own property of that name means nothing here. */
	assert_int_equal(give(t, C, ID(1) "\"method\":\"tools/call\",\"params\":{\"name\":\"a\"}}"), 0);
	hears(t,
		ID(1) "\"result\":{\"structuredContent\":{\"uri\":\"x\xe2\x80\x8b\",\"_meta\":{\"y\":\"\xe2\x80\x8b\"}}"
		      "}}",
		"{\"uri\":\"x\xef\xbf\xbd\",\"_meta\":{\"y\":\"\xef\xbf\xbd\"}}");
}

static void with_text_pass_invisible_characters_stay(void **state)
{
	_cleanup_text_ struct desk *t = desk_of(0, true);

	expect(t, "a\\u001b[1mb\xe2\x80\x8b", NULL);
}

static void a_tool_with_an_invisible_name_or_key_is_not_listed(void **state)
{
	_cleanup_text_ struct desk *t = desk_of(0, false);

	assert_int_equal(give(t, C, ID(1) "\"method\":\"tools/list\"}"), 0);
	hears(t,
		ID(1) "\"result\":{\"tools\":[{\"name\":\"a\xe2\x80\x8b\"},{\"name\":\"b\",\"inputSchema\":{"
		      "\"properties\":{\"x\xe2\x80\x8b\":{}}}},"
		      "{\"name\":\"c\",\"description\":\"d\xe2\x80\x8b\"}]}}",
		"{\"tools\":[{\"name\":\"c\",\"description\":\"d\xef\xbf\xbd\"}]}");
}

static void of_a_list_only_defined_fields_reach_the_client(void **state)
{
	static const struct {
		const char *method, *says, *hears;
	} cases[] = {
		{ "tools/list",
			"{\"tools\":[{\"prompt\":\"obey\",\"name\":\"a\",\"x\":{\"name\":1},\"inputSchema\":{\"x\":1},"
			"\"_meta\":{\"y\":2},"
			"\"annotations\":{\"readOnlyHint\":true,\"note\":\"obey\"},\"icons\":[{\"src\":\"s\",\"alt\":"
			"\"obey\"}]}],\"hint\":\"obey\",\"resultType\":\"complete\",\"ttlMs\":5,\"cacheScope\":"
			"\"private\"}",
			"{\"tools\":[{\"name\":\"a\",\"inputSchema\":{\"x\":1},\"_meta\":{\"y\":2},\"annotations\":{"
			"\"readOnlyHint\":true},"
			"\"icons\":[{\"src\":\"s\"}]}],\"resultType\":\"complete\",\"ttlMs\":5,\"cacheScope\":"
			"\"private\"}" },
		{ "resources/list",
			"{\"resources\":[{\"uri\":\"u\",\"name\":\"n\",\"size\":1,\"text\":\"obey\"}],\"nextCursor\":"
			"\"c\"}",
			"{\"resources\":[{\"uri\":\"u\",\"name\":\"n\",\"size\":1}],\"nextCursor\":\"c\"}" },
		{ "resources/templates/list",
			"{\"resourceTemplates\":[{\"uriTemplate\":\"u\",\"name\":\"n\",\"size\":1}]}",
			"{\"resourceTemplates\":[{\"uriTemplate\":\"u\",\"name\":\"n\"}]}" },
		{ "prompts/list",
			"{\"prompts\":[{\"name\":\"n\",\"arguments\":[{\"name\":\"a\",\"required\":true,\"q\":1}],"
			"\"messages\":[]}]}",
			"{\"prompts\":[{\"name\":\"n\",\"arguments\":[{\"name\":\"a\",\"required\":true}]}]}" },
		{ "prompts/list", "{\"prompts\":[]}", "{\"prompts\":[]}" },
		{ "ping", "{\"anything\":1}", "{\"anything\":1}" },
	};
	_cleanup_text_ struct desk *t = desk_of(0, false);
	char line[1024];
	struct event e;
	uint64_t dropped = 0;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		snprintf(line, sizeof(line), "%s\"method\":\"%s\"}", ID(1), cases[i].method);
		assert_int_equal(give(t, C, line), 0);
		snprintf(line, sizeof(line), "%s\"result\":%s}", ID(1), cases[i].says);
		assert_int_equal(give(t, S, line), 0);
		snprintf(line, sizeof(line), "%s\"result\":%s}\n", ID(1), cases[i].hears);
		assert_string_equal(got(t, t->client), line);
	}
	while (recorded(t, &e))
		dropped += e.type == EVENT_LIST_FILTERED ? e.count : 0;
	assert_int_equal(dropped, 5 + 1 + 1 + 2);
}

static void personal_data_is_known_by_its_form_and_its_check_digits(void **state)
{
	static const struct {
		enum shim_set set;
		const char *text;
		bool found;
	} cases[] = {
		{ SHIM_SET_MAIL, "first.last+x@mail.example.org", true },
		{ SHIM_SET_MAIL, "a@b", false },
		{ SHIM_SET_MAIL, "npm i @scope/pkg@1.2.3", false },
		{ SHIM_SET_MAIL, "git@", false },
		{ SHIM_SET_CARD, "4111 1111 1111 1111", true },
		{ SHIM_SET_CARD, "5500-0055-5555-5559", true },
		{ SHIM_SET_CARD, "378282246310005", true },
		{ SHIM_SET_CARD, "4111111111111112", false },
		{ SHIM_SET_CARD, "x4111111111111111", false },
		{ SHIM_SET_CARD, "0.4111111111111111", false },
		{ SHIM_SET_CARD, "41111111111111111111111", false },
		{ SHIM_SET_IBAN, "DE89 3704 0044 0532 0130 00", true },
		{ SHIM_SET_IBAN, "GB29NWBK60161331926819", true },
		{ SHIM_SET_IBAN, "DE88 3704 0044 0532 0130 00", false },
		{ SHIM_SET_US_SSN, "078-05-1120", true },
		{ SHIM_SET_US_SSN, "078051120", false },
		{ SHIM_SET_US_SSN, "666-05-1120", false },
		{ SHIM_SET_US_SSN, "078-00-1120", false },
		{ SHIM_SET_UK_NINO, "AB 12 34 56 C", true },
		{ SHIM_SET_UK_NINO, "AB123456E", false },
		{ SHIM_SET_UK_NINO, "GB123456A", false },
		{ SHIM_SET_DE_STEUERID, "86095742719", true },
		{ SHIM_SET_DE_STEUERID, "86 095 742 719", true },
		{ SHIM_SET_DE_STEUERID, "86095742718", false },
		{ SHIM_SET_FR_NIR, "2 55 08 14 168 025 38", true },
		{ SHIM_SET_FR_NIR, "255081416802539", false },
		{ SHIM_SET_ES_DNI, "12345678Z", true },
		{ SHIM_SET_ES_DNI, "12.345.678-Z", true },
		{ SHIM_SET_ES_DNI, "X1234567L", true },
		{ SHIM_SET_ES_DNI, "12345678A", false },
		{ SHIM_SET_IT_CF, "RSSMRA85T10A562S", true },
		{ SHIM_SET_IT_CF, "RSSMRA85T10A562T", false },
		{ SHIM_SET_NL_BSN, "111222333", true },
		{ SHIM_SET_NL_BSN, "111222334", false },
		{ SHIM_SET_PL_PESEL, "44051401359", true },
		{ SHIM_SET_PL_PESEL, "44051401358", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_text_ struct desk *t = desk_of(1u << cases[i].set, false);
		char text[128], want[128];
		snprintf(text, sizeof(text), "is (%s), 7", cases[i].text);
		snprintf(want, sizeof(want), "is ([stockade: %s removed]), 7", shim_set_name(cases[i].set));
		expect(t, text, cases[i].found ? want : NULL);
		/* Of another set it is none. */
		t->s.config.text.sets = 1u << (cases[i].set == SHIM_SET_IBAN ? SHIM_SET_MAIL : SHIM_SET_IBAN);
		expect(t, text, NULL);
	}
}

static void personal_data_goes_to_the_server_as_little(void **state)
{
	_cleanup_text_ struct desk *t = desk_of(1u << SHIM_SET_MAIL, false);

	assert_int_equal(give(t, C,
				 ID(1) "\"method\":\"prompts/"
				       "get\",\"params\":{\"name\":\"a@b.org\",\"arguments\":{\"n\":\"\\ta@b.org\","
				       "\"uri\":\"a@b.org\"}}}"),
		0);
	assert_non_null(strstr(got(t, t->server), "{\"name\":\"a@b.org\",\"arguments\":{\"n\":\"\\t[stockade: mail "
						  "removed]\",\"uri\":\"[stockade: mail removed]\"}}"));
	/* A secret is what the server has: of the client's it is none of ours. */
	assert_int_equal(
		give(t, C,
			ID(2) "\"method\":\"tools/"
			      "call\",\"params\":{\"name\":\"a\",\"arguments\":{\"n\":\"ghp_Zx81kQ02mmPLw9\"}}}"),
		0);
	assert_non_null(strstr(got(t, t->server), "ghp_Zx81kQ02mmPLw9"));
}

static void a_number_or_a_key_of_a_tools_own_that_has_it_becomes_the_mark(void **state)
{
	static const struct {
		enum event_side side;
		const char *says, *hears;
	} cases[] = {
		{ S, "\"structuredContent\":{\"pin\":4815162342108,\"a\":[4815162342108.0,-48151623421081e2,7]}",
			"\"structuredContent\":{\"pin\":\"[stockade: value of NUMBER]\",\"a\":[\"[stockade: value of "
			"NUMBER].0\",\"-[stockade: value of NUMBER]1e2\",7]}" },
		{ S, "\"structuredContent\":4815162342108", "\"structuredContent\":\"[stockade: value of NUMBER]\"" },
		{ S,
			"\"structuredContent\":{\"card\":4111111111111111,\"4111111111111111\":true,\"TICK-1\":\"TICK-"
			"1\"}",
			"\"structuredContent\":{\"card\":\"[stockade: card removed]\",\"[stockade: card "
			"removed]\":true,\"TICK-1\":\"[stockade: ticket removed]\"}" },
		{ C,
			"\"arguments\":{\"n\":[4111111111111111,0.4111111111111111],\"4111111111111111\":1,\"pin\":"
			"4815162342108}",
			"\"arguments\":{\"n\":[\"[stockade: card removed]\",0.4111111111111111],\"[stockade: card "
			"removed]\":1,\"pin\":4815162342108}" },
		/* The protocol's own are what they are. */
		{ S,
			"\"_meta\":{\"a/"
			"b\":4815162342108},\"content\":[{\"type\":\"text\",\"text\":\"4111111111111111\","
			"\"annotations\":{\"priority\":4111111111111111}}]",
			"\"_meta\":{\"a/b\":4815162342108},\"content\":[{\"type\":\"text\",\"text\":\"[stockade: card "
			"removed]\",\"annotations\":{\"priority\":4111111111111111}}]" },
	};
	_cleanup_text_ struct desk *t = desk_of(1u << SHIM_SET_CARD, false);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char line[1024];
		bool client = cases[i].side == C;
		snprintf(line, sizeof(line), ID(1) "\"method\":\"tools/call\",\"params\":{\"name\":\"a\"%s%s}}",
			client ? "," : "", client ? cases[i].says : "");
		assert_int_equal(give(t, C, line), 0);
		const char *now = got(t, t->server);
		if (!client) {
			snprintf(line, sizeof(line), ID(1) "\"result\":{%s}}", cases[i].says);
			assert_int_equal(give(t, S, line), 0);
			now = got(t, t->client);
		}
		if (!strstr(now, cases[i].hears))
			fail_msg("%s: becomes %s", cases[i].says, now);
		if (client)
			assert_int_equal(give(t, S, ID(1) "\"result\":{}}"), 0);
		forget(t);
	}
}

/* A mark ends the word that it stands beside. */
static void what_only_a_mark_makes_a_word_goes_as_well(void **state)
{
	_cleanup_text_ struct desk *t = desk_of(1u << SHIM_SET_IBAN, false);

	size_t n = t->s.config.text.n_patterns;

	t->s.config.text.n_patterns = 0;
	expect(t, "DE89370400440532013000ghp_Zx81kQ02mmPLw9", "[stockade: iban removed]" TOKEN);
	t->s.config.text.n_patterns = n;
}

static void a_method_with_a_secret_in_its_name_goes_nowhere(void **state)
{
	_cleanup_text_ struct desk *t = desk_of(0, false);
	static struct shim_rule rules[] = { { true, WORDS("x/*"), WORDS("p:1") } };

	t->s.config.scope[SHIM_EXTENSIONS] = (struct shim_rules){ false, WORDS("p:0"), rules, 1 };
	hears(t, J "\"method\":\"x/a\",\"params\":{}}", "\"method\":\"x/a\"");
	hears(t, J "\"method\":\"x/ghp_Zx81kQ02mmPLw9\",\"params\":{}}", NULL);
	hears(t, ID(3) "\"method\":\"x/ghp_Zx81kQ02mmPLw9\",\"params\":{}}", NULL);
	assert_non_null(strstr(got(t, t->server), "\"id\":3,\"error\""));
}

static void what_a_client_says_beside_its_calls_is_looked_through(void **state)
{
	_cleanup_text_ struct desk *t = desk_of(1u << SHIM_SET_MAIL, false);

	assert_int_equal(give(t, C,
				 J "\"method\":\"notifications/"
				   "cancelled\",\"params\":{\"requestId\":9,\"reason\":\"a@b.org left\"}}"),
		0);
	assert_non_null(strstr(got(t, t->server), "\"reason\":\"[stockade: mail removed] left\""));
	assert_int_equal(give(t, C,
				 ID(1) "\"method\":\"completion/complete\",\"params\":{\"ref\":{\"type\":\"ref/"
				       "prompt\",\"name\":\"n\"},"
				       "\"argument\":{\"name\":\"x\",\"value\":\"y\"},\"context\":{\"arguments\":{"
				       "\"to\":\"a@b.org\"}}}}"),
		0);
	assert_non_null(strstr(got(t, t->server), "{\"to\":\"[stockade: mail removed]\"}"));
}

static void a_pattern_that_tries_for_ever_takes_the_whole_text(void **state)
{
	_cleanup_text_ struct desk *t = desk_of(0, false);
	char text[64 + 1];

	free(t->s.config.text.patterns[0].pattern);
	t->s.config.text.patterns[0].pattern = strdup("(a|a)*(a|a)*(a|a)*(a|a)*b$");
	redact_done(&t->s.text.redact);
	assert_int_equal(redact_init(&t->s.text.redact, &t->s.config.text, NULL), 0);
	memset(text, 'a', sizeof(text) - 1);
	memcpy(text + sizeof(text) - 3, "bc", 3);
	expect(t, text, "[stockade: ticket removed]");
}

/* Each mark is longer than what it stands for; a server can have as many as it likes, and the session goes on. */
static void a_message_that_marks_make_too_long_is_refused_and_not_the_session(void **state)
{
	_cleanup_text_ struct desk *t = desk_of(0, false);
	_cleanup_buf_ struct buf b = BUF_INIT(SHIM_LINE_MAX);

	assert_int_equal(give(t, C, ID(1) "\"method\":\"tools/call\",\"params\":{\"name\":\"a\"}}"), 0);
	forget(t);
	assert_int_equal(buf_puts(&b, ID(1) "\"result\":{\"content\":[{\"type\":\"text\",\"text\":\""), 0);
	while (b.len + 64 < SHIM_LINE_DEFAULT)
		assert_int_equal(buf_puts(&b, "Ab3dEf7h "), 0);
	assert_int_equal(buf_puts(&b, "\"}]}}\n"), 0);
	assert_int_equal(handle_line(&t->s, S, LINES_MESSAGE, (struct line){ b.data, b.len - 1 }), 0);
	assert_non_null(strstr(got(t, t->client), "it is too long"));
	expect(t, "Ab3dEf7h", "[stockade: value of SHORT8]");
}

/* Every place of every string is found, whatever the stride. */
static void a_finder_finds_what_a_search_of_every_place_finds(void **state)
{
	static const size_t lengths[] = { 8, 9, 13, 19, 20, 40 };
	char text[256], needle[64];

	for (size_t i = 0; i < ARRAY_LEN(lengths); i++)
		for (size_t at = 0; at + lengths[i] <= 100; at++) {
			struct finder *f = malloc(sizeof(*f));
			struct finder_hit h;
			assert_non_null(f);
			finder_init(f);
			for (size_t k = 0; k < lengths[i]; k++)
				needle[k] = (char)('a' + (k * 7 + i) % 23);
			assert_int_equal(finder_add(f, "0123456789abcdef0123", lengths[i] < 20 ? 8 : 20, 5), 0);
			assert_int_equal(finder_add(f, needle, lengths[i], 6), 0);
			assert_int_equal(finder_ready(f), 0);
			memset(text, '.', sizeof(text));
			memcpy(text + at, needle, lengths[i]);
			assert_true(finder_find(f, text, 100, 0, &h));
			assert_int_equal(h.at, at);
			assert_int_equal(h.len, lengths[i]);
			assert_int_equal(h.tag, 6);
			assert_true(finder_find(f, text, 100, at, &h));
			assert_false(finder_find(f, text, 100, at + 1, &h));
			assert_false(finder_find(f, text, at + lengths[i] - 1, 0, &h));
			finder_done(f);
			free(f);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_secret_goes_in_every_spelling),
		cmocka_unit_test(a_secret_goes_in_base64_wherever_it_begins),
		cmocka_unit_test(a_secret_goes_wherever_a_string_may_be),
		cmocka_unit_test(base64_of_an_image_stays_base64),
		cmocka_unit_test(what_was_replaced_is_counted_and_recorded_and_never_shown),
		cmocka_unit_test(a_message_with_nothing_in_it_is_not_copied),
		cmocka_unit_test(invisible_characters_stay_where_they_mean_something),
		cmocka_unit_test(with_text_pass_invisible_characters_stay),
		cmocka_unit_test(a_tool_with_an_invisible_name_or_key_is_not_listed),
		cmocka_unit_test(of_a_list_only_defined_fields_reach_the_client),
		cmocka_unit_test(personal_data_is_known_by_its_form_and_its_check_digits),
		cmocka_unit_test(personal_data_goes_to_the_server_as_little),
		cmocka_unit_test(a_number_or_a_key_of_a_tools_own_that_has_it_becomes_the_mark),
		cmocka_unit_test(what_only_a_mark_makes_a_word_goes_as_well),
		cmocka_unit_test(a_method_with_a_secret_in_its_name_goes_nowhere),
		cmocka_unit_test(what_a_client_says_beside_its_calls_is_looked_through),
		cmocka_unit_test(a_pattern_that_tries_for_ever_takes_the_whole_text),
		cmocka_unit_test(a_message_that_marks_make_too_long_is_refused_and_not_the_session),
		cmocka_unit_test(a_finder_finds_what_a_search_of_every_place_finds),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
