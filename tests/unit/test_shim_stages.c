/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_shim_stages - what one stage has let through and a later one turns down: who is told, what is recorded, and what
 * is left in flight
 */
#include "tests/unit/shim_play.h"

#define TOKEN "ghp_Zx81kQ02mmPLw9"
#define FORM                                                                                                           \
	"\"inputRequests\":{\"a\":{\"method\":\"elicitation/create\",\"params\":{\"message\":\"hi\","                  \
	"\"requestedSchema\":{\"type\":\"object\",\"properties\":{}}}}}"
#define CALL(id) ID(id) "\"method\":\"tools/call\",\"params\":{\"name\":\"put\",\"arguments\":{}}}"

static struct desk *desk_with_secret(void)
{
	const struct shim_config c = { .name = WORDS("demo"), .client = { .elicitation = { .on = true } } };
	struct desk *t = desk_new(&c);
	struct diag d = { 0 };

	t->s.now_us = 1;
	assert_int_equal(shim_text_add_secret(&t->s.config.text, "TOKEN", TOKEN), 0);
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

/* How many requests of the server are recorded as allowed. */
static size_t allowed(struct desk *t)
{
	struct event e;
	size_t n = 0;

	while (recorded(t, &e))
		n += e.type == EVENT_REQUEST && e.side == EVENT_FROM_SERVER && e.decision == EVENT_ALLOW;
	return n;
}

#define ASKS(state) "\"resultType\":\"input_required\"," FORM ",\"requestState\":\"" state "\""
#define PUSHED(state)                                                                                                  \
	J "\"method\":\"notifications/tasks\",\"params\":{\"taskId\":\"m\"," FORM ",\"requestState\":\"" state "\"}}"

static void what_an_answer_asks_for_is_recorded_as_allowed_when_the_answer_passes(void **state)
{
	static const struct {
		const char *asks, *says;
		size_t allowed;
	} cases[] = {
		{ CALL(1), ID(1) "\"result\":{" ASKS("x") "}}", 1 },
		/* It cannot be marked: whoever says it again would say something else. */
		{ CALL(1), ID(1) "\"result\":{" ASKS(TOKEN) "}}", 0 },
		{ ID(1) "\"method\":\"tasks/get\",\"params\":{\"taskId\":\"m\"}}",
			ID(1) "\"result\":{" ASKS(TOKEN) "}}", 0 },
		{ ID(1) "\"method\":\"tasks/get\",\"params\":{\"taskId\":\"m\"}}", ID(1) "\"result\":{" ASKS("y") "}}",
			1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct desk *t = desk_with_secret();
		assert_int_equal(give(t, C, cases[i].asks), 0);
		forget(t);
		assert_int_equal(give(t, S, cases[i].says), 0);
		if (!strstr(got(t, t->client), cases[i].allowed ? "inputRequests" : "\"error\":"))
			fail_msg("%s: the client hears '%s'", cases[i].says, t->text);
		assert_int_equal(allowed(t), cases[i].allowed);
		assert_int_equal(t->s.calls.n, 0);
		put_down(t);
	}
}

static void what_a_notification_asks_for_is_recorded_as_allowed_when_it_passes(void **state)
{
	static const struct {
		bool modern;
		const char *says;
		size_t allowed;
	} cases[] = { { true, PUSHED("x"), 1 }, { true, PUSHED(TOKEN), 0 }, { false, PUSHED("x"), 0 } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct desk *t = desk_with_secret();
		t->s.greeted = cases[i].modern;
		t->s.legacy = !cases[i].modern;
		assert_int_equal(give(t, S, cases[i].says), 0);
		assert_int_equal(*got(t, t->client) != '\0', cases[i].allowed);
		assert_int_equal(allowed(t), cases[i].allowed);
		put_down(t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_an_answer_asks_for_is_recorded_as_allowed_when_the_answer_passes),
		cmocka_unit_test(what_a_notification_asks_for_is_recorded_as_allowed_when_it_passes),
	};

	return cmocka_run_group_tests_name("stages", tests, NULL, NULL);
}
