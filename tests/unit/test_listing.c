/* SPDX-License-Identifier: Apache-2.0 */
/* test_listing - the shim lists a server that has no client: all of it, or one sentence that says why not, and an end
 */
#include "tests/unit/shim_unit.h"
#include <errno.h>
#include <sys/mman.h>
#include "shim/listing.h"
#include "shim/own.h"

#define ID_OF_ASK "{\"jsonrpc\":\"2.0\",\"id\":\"ask\","

enum { STEPS_MAX = 4096 };

#define TOOL(name) "{\"name\":\"" name "\",\"description\":\"D.\"}"
#define HELLO(caps)                                                                                                    \
	"\"result\":{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{" caps "},\"serverInfo\":{\"name\":\"n\"}}"
#define REFUSED "\"error\":{\"code\":-32601,\"message\":\"no\"}"

struct play;
/* What the server answers: everything behind the id; NULL: nothing. */
typedef const char *answer_fn(struct play *p, const char *method, const char *cursor);

struct play {
	struct desk *desk;
	answer_fn *answer;
	const void *arg;
	int out; /* in the place of standard output */
	uint64_t now_us;
	uint64_t slow_us; /* passes before each answer */
	unsigned asked;	  /* questions of the shim's */
	bool twice;	  /* each answer is given again */
	char method[64], cursor[128];
	char *text; /* of the server's answer, for those who make one */
	size_t size;
};

/* --- the server --- */

/* The inside of the string behind that, which is in what the shim said. */
static void take_string(const char *said, const char *behind, char *ret, size_t size)
{
	const char *from = strstr(said, behind), *to;

	*ret = '\0';
	if (!from)
		return;
	from += strlen(behind);
	to = strchr(from, '"');
	assert_non_null(to);
	snprintf(ret, size, "%.*s", (int)(to - from), from);
}

static void say(struct play *p, const char *id, const char *rest)
{
	size_t size = strlen(rest) + 256;
	_cleanup_free_ char *line = malloc(size);
	struct event e;

	assert_non_null(line);
	snprintf(line, size, "{\"jsonrpc\":\"2.0\",\"id\":\"%s\",%s}", id, rest);
	for (int i = 0; i <= p->twice; i++)
		assert_int_equal(give(p->desk, EVENT_FROM_SERVER, line), 0);
	while (recorded(p->desk, &e))
		;
}

/* Answers one question; false: nothing was asked. */
static bool serve(struct play *p)
{
	char id[128];
	const char *said = got(p->desk, p->desk->server), *rest;

	take_string(said, "\"id\":\"", id, sizeof(id));
	if (!*id)
		return false;
	said = strstr(said, "\"id\":\"");
	take_string(said, "\"method\":\"", p->method, sizeof(p->method));
	take_string(said, "\"cursor\":\"", p->cursor, sizeof(p->cursor));
	p->asked++;
	p->now_us += p->slow_us;
	rest = p->answer(p, p->method, p->cursor);
	if (rest)
		say(p, id, rest);
	return true;
}

/* --- the play --- */

static void play_begin(struct play *p, answer_fn *answer, const void *arg)
{
	static const struct shim_config config = { .listing = true, .client.elicitation.on = true };

	*p = (struct play){ .answer = answer, .arg = arg, .now_us = 1000, .out = memfd_create("out", MFD_CLOEXEC) };
	assert_true(p->out >= 0);
	p->desk = desk_new(&config);
}

static void play_end(struct play *p)
{
	desk_free(p->desk);
	close(p->out);
	free(p->text);
}

/* Standard output is what the test itself writes to. */
static int with_output(struct play *p, int (*go)(struct play *p))
{
	int r, own = dup(STDOUT_FILENO);

	assert_true(own >= 0);
	fflush(stdout);
	assert_true(dup2(p->out, STDOUT_FILENO) >= 0);
	r = go(p);
	assert_true(dup2(own, STDOUT_FILENO) >= 0);
	close(own);
	return r;
}

static int go(struct play *p)
{
	struct shim *s = &p->desk->s;

	for (int i = 0; i < STEPS_MAX && !listing_is_over(&s->listing); i++) {
		int r;
		s->now_us = p->now_us;
		r = listing_tick(s, p->now_us);
		if (r == 0)
			r = own_tick(s, p->now_us);
		if (r < 0)
			return r;
		if (!serve(p))
			p->now_us += LISTING_TICK_MS * 1000;
		/* What is in flight is timed by the machine's clock. */
		for (size_t k = 0; k < s->own.table.n; k++)
			if (s->own.table.entries[k].since_us > p->now_us)
				s->own.table.entries[k].since_us = p->now_us;
	}
	return listing_is_over(&s->listing) ? 0 : -ETIMEDOUT;
}

/* What was handed over, once. */
static void handed_over(struct play *p, struct definitions *ret)
{
	_cleanup_buf_ struct buf b = BUF_INIT(DEFINITIONS_BYTES_MAX);
	ssize_t n;

	assert_int_equal(with_output(p, go), 0);
	assert_int_equal(lseek(p->out, 0, SEEK_SET), 0);
	do {
		assert_int_equal(buf_reserve(&b, 1 << 16), 0);
		n = read(p->out, b.data + b.len, 1 << 16);
		assert_true(n >= 0);
		b.len += (size_t)n;
	} while (n > 0);
	assert_int_equal(definitions_decode(b.data, b.len, ret), 0);
}

static void expect_failure(struct play *p, const char *words)
{
	_cleanup_definitions_ struct definitions l = { 0 };

	handed_over(p, &l);
	if (!l.failure || !strstr(l.failure, words))
		fail_msg("'%s', not '%s'", l.failure ? l.failure : "no failure", words);
	assert_int_equal(l.n, 0);
}

/* Plays it and expects that sentence. */
static void fails(answer_fn *answer, const void *arg, const char *words)
{
	struct play p;

	play_begin(&p, answer, arg);
	expect_failure(&p, words);
	play_end(&p);
}

static bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* --- servers --- */

static const char *honest(struct play *p, const char *method, const char *cursor)
{
	if (is(method, "initialize"))
		return "\"result\":{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"tools\":{},\"prompts\":{},"
		       "\"resources\":{}},\"serverInfo\":{\"name\":\"n\",\"version\":\"1\"},\"instructions\":\"I.\"}";
	if (is(method, "tools/list"))
		return is(cursor, "") ? "\"result\":{\"tools\":[" TOOL("b") "],\"nextCursor\":\"2\"}"
				      : "\"result\":{\"tools\":[" TOOL("a") "]}";
	if (is(method, "prompts/list"))
		return "\"result\":{\"prompts\":[{\"name\":\"p\"}]}";
	return "\"result\":{\"resourceTemplates\":[{\"uriTemplate\":\"x:{y}\",\"name\":\"t\"}]}";
}

static void expect_definition(const struct definitions *l, size_t at, enum definition_kind kind, const char *name)
{
	assert_true(at < l->n);
	assert_int_equal(l->v[at].kind, kind);
	assert_string_equal(l->v[at].name, name);
}

static void all_pages_of_all_lists_are_handed_over_in_order_once(void **state)
{
	for (int twice = 0; twice < 2; twice++) {
		_cleanup_definitions_ struct definitions l = { 0 };
		struct play p;
		play_begin(&p, honest, NULL);
		p.twice = twice;
		handed_over(&p, &l);
		assert_null(l.failure);
		assert_string_equal(l.server, "n");
		assert_int_equal(l.n, 5);
		expect_definition(&l, 0, DEFINITION_TOOL, "a");
		expect_definition(&l, 1, DEFINITION_TOOL, "b");
		expect_definition(&l, 2, DEFINITION_PROMPT, "p");
		expect_definition(&l, 3, DEFINITION_TEMPLATE, "x:{y}");
		expect_definition(&l, 4, DEFINITION_INSTRUCTIONS, "");
		assert_string_equal(l.v[0].fields[0].value, "\"D.\"");
		/* hello, two pages, two lists: an answer that comes twice is no answer to the next question. */
		assert_int_equal(p.asked, 5);
		play_end(&p);
	}
}

static const char *modern(struct play *p, const char *method, const char *cursor)
{
	if (is(method, "initialize"))
		return REFUSED;
	if (is(method, "server/discover"))
		return "\"result\":{\"resultType\":\"complete\",\"capabilities\":{\"tools\":{}}}";
	return "\"result\":{\"resultType\":\"complete\",\"tools\":[" TOOL("a") "]}";
}

static void a_server_that_refuses_the_handshake_is_asked_in_the_modern_era(void **state)
{
	_cleanup_definitions_ struct definitions l = { 0 };
	struct play p;

	play_begin(&p, modern, NULL);
	handed_over(&p, &l);
	assert_null(l.failure);
	assert_string_equal(l.protocol, "2026-07-28");
	assert_int_equal(l.n, 1);
	play_end(&p);
}

static const char *refuses_all(struct play *p, const char *method, const char *cursor)
{
	return "\"error\":{\"code\":1,\"message\":\"go \\u001b[8maway\"}";
}

static void one_that_refuses_both_is_quoted_safely(void **state)
{
	fails(refuses_all, NULL, "it refuses both initialize and server/discover: 'go \\\\u001b[8maway'");
}

static const char *counts_on(struct play *p, const char *method, const char *cursor)
{
	static char text[256];

	if (is(method, "initialize"))
		return HELLO("\"tools\":{}");
	snprintf(text, sizeof(text), "\"result\":{\"tools\":[{\"name\":\"t%u\"}],\"nextCursor\":\"%u\"}", p->asked,
		p->asked);
	return text;
}

static void a_list_without_end_is_left_after_so_many_pages(void **state)
{
	struct play p;

	play_begin(&p, counts_on, NULL);
	expect_failure(&p, "more pages than are read");
	assert_int_equal(p.asked, 1 + LISTING_PAGES_MAX);
	play_end(&p);
}

static const char *same_cursor(struct play *p, const char *method, const char *cursor)
{
	return is(method, "initialize") ? HELLO("\"tools\":{}") : "\"result\":{\"tools\":[],\"nextCursor\":\"same\"}";
}

static void a_cursor_that_leads_to_itself_is_followed_once(void **state)
{
	struct play p;

	play_begin(&p, same_cursor, NULL);
	expect_failure(&p, "'tools/list' leads to the same page again");
	assert_int_equal(p.asked, 3);
	play_end(&p);
}

/* arg: the lists that are answered with an error, the second page too. */
static const char *errs(struct play *p, const char *method, const char *cursor)
{
	const char *bad = p->arg;

	if (is(method, "initialize"))
		return strchr(bad, '-') ? HELLO("") : HELLO("\"tools\":{},\"prompts\":{}");
	if (is(method, "tools/list") && (strchr(bad, 't') || (strchr(bad, '2') && *cursor)))
		return REFUSED;
	if (is(method, "prompts/list") && strchr(bad, 'p'))
		return REFUSED;
	if (is(method, "prompts/list"))
		return "\"result\":{\"prompts\":[{\"name\":\"p\"}]}";
	return strchr(bad, '2') && !*cursor ? "\"result\":{\"tools\":[" TOOL("a") "],\"nextCursor\":\"2\"}"
					    : "\"result\":{\"tools\":[" TOOL("a") "]}";
}

static void an_error_for_a_list_that_was_announced_or_begun_is_no_list(void **state)
{
	static const struct {
		const char *bad, *words;
		size_t n;
	} cases[] = {
		{ "", NULL, 2 },
		{ "t", "it answers 'tools/list' with an error", 0 },
		{ "p", "it answers 'prompts/list' with an error", 0 },
		{ "2", "it answers 'tools/list' with an error", 0 },
		{ "-2", "it answers 'tools/list' with an error", 0 },
		/* Not announced: there are no such things. */
		{ "-t", NULL, 0 },
		{ "-", NULL, 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_definitions_ struct definitions l = { 0 };
		struct play p;
		play_begin(&p, errs, cases[i].bad);
		handed_over(&p, &l);
		if (cases[i].words ? !l.failure || !strstr(l.failure, cases[i].words) : l.failure != NULL)
			fail_msg("%s: %s", cases[i].bad, l.failure ? l.failure : "no failure");
		if (l.n != cases[i].n)
			fail_msg("%s: %zu definitions", cases[i].bad, l.n);
		play_end(&p);
	}
}

static const char *useless(struct play *p, const char *method, const char *cursor)
{
	return is(method, "initialize") ? HELLO("\"tools\":{}") : p->arg;
}

static void an_answer_that_is_no_list_fails_in_words(void **state)
{
	static const char *const cases[][2] = {
		{ "\"result\":{\"tools\":{}}", "what it answers to 'tools/list' is not an array" },
		{ "\"result\":{\"tools\":\"a\"}", "is not an array" },
		{ "\"result\":{\"Tools\":[],\"tools\":[]}", "its answer to tools/list is of no use" },
		{ "\"result\":{\"tools\":[" TOOL("a") ",{\"name\":\"a\"}]}",
			"it lists two things under the name 'a' that are not the same" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		fails(useless, cases[i][0], cases[i][1]);
}

static void the_same_definition_twice_is_one_and_what_has_no_plain_name_is_none(void **state)
{
	_cleanup_definitions_ struct definitions l = { 0 };
	struct play p;

	play_begin(&p, useless,
		"\"result\":{\"tools\":[" TOOL("a") "," TOOL("a") ",{\"name\":1},{},7,{\"name\":\"\\ud800\"}]}");
	handed_over(&p, &l);
	assert_null(l.failure);
	assert_int_equal(l.n, 1);
	play_end(&p);
}

/* So many tools with names of that many bytes. */
static const char *long_names(struct play *p, const char *method, const char *cursor)
{
	const unsigned *w = p->arg;
	size_t n = 0;

	if (is(method, "initialize"))
		return HELLO("\"tools\":{}");
	if (!p->text)
		assert_non_null(p->text = malloc((size_t)w[0] * (w[1] + 64) + 256));
	n += (size_t)sprintf(p->text, "\"result\":{\"tools\":[");
	for (unsigned i = 0; i < w[0]; i++)
		n += (size_t)sprintf(p->text + n, "%s{\"name\":\"%0*u\"}", i ? "," : "", (int)w[1], i);
	sprintf(p->text + n, "]}");
	return p->text;
}

static void names_that_no_launch_could_hand_over_are_not_listed(void **state)
{
	static const unsigned fits[2] = { 1024, 1024 }, too_long[2] = { 1, 1025 }, too_many[2] = { 1025, 1024 };
	_cleanup_definitions_ struct definitions l = { 0 };
	struct play p;

	play_begin(&p, long_names, fits);
	handed_over(&p, &l);
	assert_null(l.failure);
	assert_int_equal(l.n, 1024);
	play_end(&p);
	fails(long_names, too_long, "has more than 1024 bytes, too many to be pinned");
	fails(long_names, too_many, "its names together are more than can be pinned");
}

static const char *silent_for(struct play *p, const char *method, const char *cursor)
{
	return is(method, p->arg) ? NULL : honest(p, method, cursor);
}

static void a_server_that_does_not_answer_is_given_up_whatever_it_was_asked(void **state)
{
	static const char *const methods[] = { "initialize", "tools/list", "prompts/list", "resources/templates/list" };

	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		char words[128];
		struct play p;
		play_begin(&p, silent_for, methods[i]);
		snprintf(words, sizeof(words), "its answer to %s is of no use: the server did not answer in time",
			methods[i]);
		expect_failure(&p, words);
		assert_in_range(p.now_us, OWN_TIMEOUT_US, LISTING_TOTAL_US / 2);
		play_end(&p);
	}
}

static void a_server_that_answers_each_page_late_has_a_minute_for_all(void **state)
{
	struct play p;

	play_begin(&p, counts_on, NULL);
	p.slow_us = OWN_TIMEOUT_US - 1000000;
	expect_failure(&p, "more than a minute");
	assert_in_range(p.asked, 3, 5);
	play_end(&p);
}

/* A page of so many bytes: tools of their own names, or, with arg, of none. */
static const char *huge(struct play *p, const char *method, const char *cursor)
{
	enum { PAGE = 4 << 20, TOOL_BYTES = 64 << 10 };
	size_t n = 0;

	if (is(method, "initialize"))
		return HELLO("\"tools\":{}");
	if (!p->text)
		assert_non_null(p->text = malloc(PAGE + 1024));
	n += (size_t)sprintf(p->text, "\"result\":{\"nextCursor\":\"%u\",\"tools\":[", p->asked);
	for (unsigned i = 0; i < PAGE / TOOL_BYTES; i++) {
		n += (size_t)sprintf(p->text + n, "%s{\"%s\":\"%u-%u\",\"x\":\"", i ? "," : "",
			p->arg ? "title" : "name", p->asked, i);
		memset(p->text + n, 'x', TOOL_BYTES - 64);
		n += TOOL_BYTES - 64;
		n += (size_t)sprintf(p->text + n, "\"}");
	}
	sprintf(p->text + n, "]}");
	return p->text;
}

static void what_is_read_and_what_is_kept_have_a_limit_over_all_pages(void **state)
{
	struct play p;

	play_begin(&p, huge, NULL);
	expect_failure(&p, "more than can be pinned");
	assert_in_range(p.asked, LISTING_KEPT_MAX / (4 << 20), LISTING_KEPT_MAX / (4 << 20) + 2);
	play_end(&p);
	play_begin(&p, huge, "without names");
	expect_failure(&p, "more about what it has than is read");
	assert_in_range(p.asked, LISTING_READ_MAX / (4 << 20), LISTING_READ_MAX / (4 << 20) + 2);
	play_end(&p);
}

/* Few bytes, but each of the elements stands under the whole path. */
static const char *swells(struct play *p, const char *method, const char *cursor)
{
	enum { KEY = 2000, ELEMENTS = 1000, TOOLS = 16 };
	size_t n = 0;

	if (is(method, "initialize"))
		return HELLO("\"tools\":{}");
	if (!p->text)
		assert_non_null(p->text = malloc(TOOLS * (KEY + 2 * ELEMENTS + 64) + 256));
	n += (size_t)sprintf(p->text, "\"result\":{\"tools\":[");
	for (unsigned i = 0; i < TOOLS; i++) {
		n += (size_t)sprintf(p->text + n, "%s{\"name\":\"t%u\",\"", i ? "," : "", i);
		memset(p->text + n, 'k', KEY);
		n += KEY;
		n += (size_t)sprintf(p->text + n, "\":[");
		for (unsigned k = 0; k < ELEMENTS; k++)
			n += (size_t)sprintf(p->text + n, "%s1", k ? "," : "");
		n += (size_t)sprintf(p->text + n, "]}");
	}
	sprintf(p->text + n, "]}");
	return p->text;
}

static void what_swells_when_it_is_taken_apart_counts_as_what_it_becomes(void **state)
{
	fails(swells, NULL, "more than can be pinned");
}

static const char *crowd(struct play *p, const char *method, const char *cursor)
{
	enum { A_PAGE = 1024 };
	size_t n = 0;

	if (is(method, "initialize"))
		return HELLO("\"tools\":{}");
	if (!p->text)
		assert_non_null(p->text = malloc(A_PAGE * 32 + 256));
	n += (size_t)sprintf(p->text, "\"result\":{\"nextCursor\":\"%u\",\"tools\":[", p->asked);
	for (unsigned i = 0; i < A_PAGE; i++)
		n += (size_t)sprintf(p->text + n, "%s{\"name\":\"%u-%u\"}", i ? "," : "", p->asked, i);
	sprintf(p->text + n, "]}");
	return p->text;
}

static void there_may_be_so_many_definitions_and_no_more(void **state)
{
	struct play p;

	play_begin(&p, crowd, NULL);
	expect_failure(&p, "more definitions than can be pinned");
	assert_int_equal(p.asked, 1 + DEFINITIONS_MAX / 1024 + 1);
	play_end(&p);
}

static const char *restless(struct play *p, const char *method, const char *cursor)
{
	assert_int_equal(give(p->desk, EVENT_FROM_SERVER,
				 "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}"),
		0);
	return honest(p, method, cursor);
}

static const char *changes_once(struct play *p, const char *method, const char *cursor)
{
	if (p->asked == 3)
		return restless(p, method, cursor);
	if (p->asked > 5 && is(method, "tools/list"))
		return "\"result\":{\"tools\":[" TOOL("late") "]}";
	return honest(p, method, cursor);
}

static void lists_are_read_again_while_they_change_but_not_for_ever(void **state)
{
	_cleanup_definitions_ struct definitions l = { 0 };
	struct play p;

	play_begin(&p, changes_once, NULL);
	handed_over(&p, &l);
	assert_null(l.failure);
	assert_int_equal(l.n, 4);
	expect_definition(&l, 0, DEFINITION_TOOL, "late");
	expect_definition(&l, 3, DEFINITION_INSTRUCTIONS, "");
	play_end(&p);
	play_begin(&p, restless, NULL);
	expect_failure(&p, "again and again");
	assert_int_equal(p.asked, 1 + LISTING_ROUNDS_MAX * 4);
	play_end(&p);
}

static const char *asks_back(struct play *p, const char *method, const char *cursor)
{
	assert_int_equal(give(p->desk, EVENT_FROM_SERVER, ID_OF_ASK "\"method\":\"ping\"}"), 0);
	if (!strstr(got(p->desk, p->desk->server), "\"id\":\"ask\",\"result\":{}"))
		fail_msg("a ping is answered with %s", p->desk->text);
	/* Nobody is there who could answer, whatever the profile allows. */
	assert_int_equal(give(p->desk, EVENT_FROM_SERVER,
				 ID_OF_ASK "\"method\":\"elicitation/create\",\"params\":{\"message\":\"m\","
					   "\"requestedSchema\":{\"type\":\"object\",\"properties\":{}}}}"),
		0);
	if (!strstr(got(p->desk, p->desk->server), "\"id\":\"ask\",\"result\":{\"action\":\"decline\"}"))
		fail_msg("a question for the user is answered with %s", p->desk->text);
	assert_int_equal(give(p->desk, EVENT_FROM_SERVER, ID_OF_ASK "\"method\":\"roots/list\"}"), 0);
	if (!strstr(got(p->desk, p->desk->server), "\"id\":\"ask\",\"result\":{\"roots\":[]}"))
		fail_msg("a request for roots is answered with %s", p->desk->text);
	return honest(p, method, cursor);
}

static void requests_of_the_server_are_answered_while_it_is_listed(void **state)
{
	_cleanup_definitions_ struct definitions l = { 0 };
	struct play p;

	play_begin(&p, asks_back, NULL);
	handed_over(&p, &l);
	assert_null(l.failure);
	assert_int_equal(l.n, 5);
	play_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_pages_of_all_lists_are_handed_over_in_order_once),
		cmocka_unit_test(a_server_that_refuses_the_handshake_is_asked_in_the_modern_era),
		cmocka_unit_test(one_that_refuses_both_is_quoted_safely),
		cmocka_unit_test(a_list_without_end_is_left_after_so_many_pages),
		cmocka_unit_test(a_cursor_that_leads_to_itself_is_followed_once),
		cmocka_unit_test(an_error_for_a_list_that_was_announced_or_begun_is_no_list),
		cmocka_unit_test(an_answer_that_is_no_list_fails_in_words),
		cmocka_unit_test(the_same_definition_twice_is_one_and_what_has_no_plain_name_is_none),
		cmocka_unit_test(names_that_no_launch_could_hand_over_are_not_listed),
		cmocka_unit_test(a_server_that_does_not_answer_is_given_up_whatever_it_was_asked),
		cmocka_unit_test(a_server_that_answers_each_page_late_has_a_minute_for_all),
		cmocka_unit_test(what_is_read_and_what_is_kept_have_a_limit_over_all_pages),
		cmocka_unit_test(what_swells_when_it_is_taken_apart_counts_as_what_it_becomes),
		cmocka_unit_test(there_may_be_so_many_definitions_and_no_more),
		cmocka_unit_test(lists_are_read_again_while_they_change_but_not_for_ever),
		cmocka_unit_test(requests_of_the_server_are_answered_while_it_is_listed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
