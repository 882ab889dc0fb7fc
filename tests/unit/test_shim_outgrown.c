/* SPDX-License-Identifier: Apache-2.0 */
/* test_shim_outgrown - a message that what stockade puts into it makes too long is refused, and whoever waits for it is
 * told: the shim goes on */
#include "tests/unit/shim_play.h"

#define SHORT "hunter2!" /* of which a mark is many times as long */

enum { MANY = 900000 };

static struct desk *desk_of(bool pass)
{
	static const struct shim_config c = { .name = WORDS("demo"),
		.client = { .elicitation = { .on = true }, .sampling = { .on = true } } };
	struct desk *t = desk_new(&c);
	struct diag d = { 0 };

	assert_int_equal(shim_text_add_secret(&t->s.config.text, "VALUE", SHORT), 0);
	t->s.config.text.sets = 1u << SHIM_SET_MAIL;
	t->s.config.text.pass = pass;
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

/* head, then the unit that often, then tail. */
static int give_times(
	struct desk *t, enum event_side side, const char *head, const char *unit, size_t times, const char *tail)
{
	_cleanup_buf_ struct buf b = BUF_INIT(2 * SHIM_LINE_MAX);
	int r = buf_puts(&b, head);

	for (size_t i = 0; r == 0 && i < times && b.len < SHIM_LINE_MAX - 64; i++)
		r = buf_puts(&b, unit);
	if (r == 0)
		r = buf_puts(&b, tail);
	assert_int_equal(r, 0);
	return handle_line(&t->s, side, LINES_MESSAGE, (struct line){ b.data, b.len });
}

static int give_many(struct desk *t, enum event_side side, const char *head, const char *unit, const char *tail)
{
	return give_times(t, side, head, unit, MANY, tail);
}

/* Nothing but the refusal went anywhere, and the next message passes. */
static void expect_refused(struct desk *t, int to, const char *why)
{
	struct event e;
	bool found = false;
	const char *text = got(t, to);

	if (to != -1 && (!strstr(text, "\"error\":{") || !strstr(text, why)))
		fail_msg("answered is '%s', not '%s'", text, why);
	while (recorded(t, &e))
		found |= e.type == EVENT_REFUSED && strstr(e.reason, why) != NULL;
	assert_true(found);
	assert_string_equal(got(t, t->client), "");
	assert_string_equal(got(t, t->server), "");
	for (size_t i = 0; i < TEXT_COUNTS; i++)
		assert_int_equal(t->s.text.counts[i], 0);
	assert_int_equal(give(t, S, J "\"method\":\"notifications/tools/list_changed\"}"), 0);
	assert_string_not_equal(got(t, t->client), "");
}

#define TOO_LONG "it is too long"

static void what_marks_make_too_long_is_refused_with_an_answer(void **state)
{
	static const char *const units[] = { "a@b.cc ", SHORT };
	static const char call[] = ID(1) "\"method\":\"tools/call\",\"params\":{\"name\":\"a\"}}";
	struct desk *t = desk_of(false);

	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		assert_int_equal(give(t, C, call), 0);
		forget(t);
		assert_int_equal(give_many(t, S, ID(1) "\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"",
					 units[i], "\"}]}}"),
			0);
		expect_refused(t, t->client, TOO_LONG);
		assert_int_equal(t->s.calls.n, 0);
		assert_int_equal(give_many(t, S, J "\"method\":\"notifications/progress\",\"params\":{\"message\":\"",
					 units[i], "\"}}"),
			0);
		expect_refused(t, -1, TOO_LONG);
		assert_int_equal(give_many(t, S, ID(5) "\"method\":\"sampling/createMessage\",\"params\":{\"x\":\"",
					 units[i], "\"}}"),
			0);
		expect_refused(t, t->server, TOO_LONG);
	}
	assert_int_equal(
		give_many(t, C, ID(1) "\"method\":\"tools/call\",\"params\":{\"name\":\"a\",\"arguments\":{\"x\":\"",
			"a@b.cc ", "\"}}}"),
		0);
	expect_refused(t, t->client, TOO_LONG);
	put_down(t);
}

/* Values of secrets in the arguments are none of ours, but in their record they are. */
static void a_call_full_of_secrets_passes_and_is_recorded_without_them(void **state)
{
	struct desk *t = desk_of(false);
	struct event e;

	t->s.config.args = SHIM_ARGS_FULL;
	assert_int_equal(
		give_many(t, C, ID(1) "\"method\":\"tools/call\",\"params\":{\"name\":\"a\",\"arguments\":{\"x\":\"",
			SHORT, "\"}}}"),
		0);
	assert_string_equal(got(t, t->client), "");
	assert_true(recorded(t, &e));
	assert_int_equal(e.type, EVENT_CALL);
	assert_null(e.args_len ? memmem(e.args, e.args_len, SHORT, strlen(SHORT)) : NULL);
	put_down(t);
}

/* What is as long as may be then has no room for a name. */
static void a_question_that_its_name_makes_too_long_is_refused_with_an_answer(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(2 * SHIM_LINE_MAX);
	static const char head[] = ID(7) "\"method\":\"elicitation/create\",\"params\":{\"message\":\"hi\","
					 "\"requestedSchema\":{\"type\":\"object\",\"properties\":{},\"$comment\":\"";
	static const char tail[] = "\"}}}";
	struct desk *t = desk_of(true);

	assert_int_equal(buf_puts(&b, head), 0);
	while (b.len < SHIM_LINE_MAX - sizeof(tail) - 8)
		assert_int_equal(buf_putc(&b, 'x'), 0);
	assert_int_equal(buf_puts(&b, tail), 0);
	assert_int_equal(handle_line(&t->s, S, LINES_MESSAGE, (struct line){ b.data, b.len }), 0);
	expect_refused(t, t->server, TOO_LONG);
	put_down(t);
}

/* What is denied is named in its record, which has room for less. */
static void a_denied_name_of_any_length_is_answered_and_recorded(void **state)
{
	static const struct {
		const char *head, *unit, *tail;
		size_t times;
	} cases[] = {
		{ "\"prompts/get\",\"params\":{\"name\":\"", "\\u0001", "\"}}", 50000 },
		{ "\"resources/read\",\"params\":{\"uri\":\"x:", "\\u0001", "\"}}", 50000 },
		{ "\"resources/read\",\"params\":{\"uri\":\"", "x://a:@b/", "\"}}", 6000 },
	};
	struct desk *t = desk_of(false);

	t->s.config.scope[SHIM_PROMPTS].restricted = t->s.config.scope[SHIM_RESOURCES].restricted = true;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char head[128];
		struct event e;
		snprintf(head, sizeof(head), ID(1) "\"method\":%s", cases[i].head);
		assert_int_equal(give_times(t, C, head, cases[i].unit, cases[i].times, cases[i].tail), 0);
		assert_non_null(strstr(got(t, t->client), "no rule allows it"));
		assert_true(recorded(t, &e));
		assert_int_equal(e.decision, EVENT_DENY);
		assert_in_range(strlen(e.subject), 100, sizeof(e.subject) - 1);
	}
	put_down(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_marks_make_too_long_is_refused_with_an_answer),
		cmocka_unit_test(a_call_full_of_secrets_passes_and_is_recorded_without_them),
		cmocka_unit_test(a_question_that_its_name_makes_too_long_is_refused_with_an_answer),
		cmocka_unit_test(a_denied_name_of_any_length_is_answered_and_recorded),
	};

	return cmocka_run_group_tests_name("outgrown", tests, NULL, NULL);
}
