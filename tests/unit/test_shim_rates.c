/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_shim_rates - calls that come too often, too many at once, take too long or answer too much; the time is the
 * test's
 */
#include "tests/unit/shim_unit.h"
#include <errno.h>
#include <string.h>
#include "shim/rates.h"

#define J	       "{\"jsonrpc\":\"2.0\","
#define ID(id)	       J "\"id\":" #id ","
#define C	       EVENT_FROM_CLIENT
#define S	       EVENT_FROM_SERVER
#define CALL(id, tool) ID(id) "\"method\":\"tools/call\",\"params\":{\"name\":\"" tool "\"}}"
#define ANSWER(id)     ID(id) "\"result\":{\"content\":[]}}"

enum { SECOND = 1000000 };

static const struct meters_rate ten_a_minute = { 10, 60, WORDS("p:7 (tools.allow.rate \"10/min\")") };

static int take(struct rates *r, const struct meters *m, const char *name, uint64_t now_us, uint32_t *ret)
{
	struct rates_tool *t = NULL;
	int e = rates_find(r, m, slice_of(name), slice_of(name), now_us, &t);

	return e ? e : rates_take(r, m, t, now_us, ret);
}

static void a_bucket_holds_as_many_calls_as_its_rate_names_and_fills_evenly(void **state)
{
	const struct meters m = { .each = ten_a_minute };
	struct rates r = { 0 };
	uint64_t t = 77 * (uint64_t)SECOND;
	uint32_t retry;

	for (int i = 0; i < 10; i++)
		assert_int_equal(take(&r, &m, "a", t, &retry), 0);
	assert_int_equal(take(&r, &m, "a", t, &retry), RATES_TOOL);
	assert_int_equal(retry, 6);
	/* What was denied costs nothing, and who waits as long as was said is let through, not a microsecond earlier.
	 */
	assert_int_equal(take(&r, &m, "a", t + 6 * SECOND - 1, &retry), RATES_TOOL);
	assert_int_equal(retry, 1);
	assert_int_equal(take(&r, &m, "a", t + 6 * SECOND, &retry), 0);
	assert_int_equal(take(&r, &m, "a", t + 6 * SECOND, &retry), RATES_TOOL);
	/* It never holds more than that, however long nobody calls; and time that goes back gives nothing. */
	for (int i = 0; i < 10; i++)
		assert_int_equal(take(&r, &m, "a", t + 86400 * (uint64_t)SECOND, &retry), 0);
	assert_int_equal(take(&r, &m, "a", t + 86400 * (uint64_t)SECOND, &retry), RATES_TOOL);
	assert_int_equal(take(&r, &m, "a", t, &retry), RATES_TOOL);
	rates_done(&r);
}

/* 7 in 60 s is 8571428.57 us: nothing is lost or won by rounding. */
static void in_a_day_there_are_exactly_as_many_as_the_rate_says(void **state)
{
	const struct meters m = { .each = { 7, 60, WORDS("w") } };
	struct rates r = { 0 };
	uint32_t retry;
	int n = 0;

	for (uint64_t t = 0; t <= 1000000ULL * 60 * 100; t += 100000)
		n += take(&r, &m, "a", 1 + t, &retry) == 0;
	assert_int_equal(n, 7 + 7 * 100);
	rates_done(&r);
}

static void the_greatest_rate_does_not_overflow(void **state)
{
	const struct meters m = { .each = { METERS_CALLS_MAX, METERS_PERIOD_MAX, WORDS("w") } };
	struct rates r = { 0 };
	uint32_t retry;

	for (int i = 0; i < METERS_CALLS_MAX; i++)
		assert_int_equal(take(&r, &m, "a", 5, &retry), 0);
	assert_int_equal(take(&r, &m, "a", 5, &retry), RATES_TOOL);
	assert_int_equal(retry, 1);
	assert_int_equal(take(&r, &m, "a", UINT64_MAX, &retry), 0);
	rates_done(&r);
}

static void each_tool_has_its_own_and_all_have_one_together(void **state)
{
	const struct meters m = { .each = { 2, 1, WORDS("each") }, .total = { 3, 10, WORDS("total") } };
	struct rates r = { 0 };
	uint32_t retry;

	assert_int_equal(take(&r, &m, "a", 1, &retry), 0);
	assert_int_equal(take(&r, &m, "a", 1, &retry), 0);
	assert_int_equal(take(&r, &m, "a", 1, &retry), RATES_TOOL);
	assert_int_equal(take(&r, &m, "b", 1, &retry), 0);
	assert_int_equal(take(&r, &m, "b", 1, &retry), RATES_TOTAL);
	assert_int_equal(retry, 4);
	/* Denied by the one, nothing is taken of the other: b still has its second call. */
	assert_int_equal(r.tools[1].bucket.level, SECOND);
	rates_done(&r);
}

static void names_that_nobody_counts_any_more_give_way_and_a_crowd_is_denied(void **state)
{
	const struct meters m = { .each = { 1, 1, WORDS("w") } };
	struct rates r = { 0 };
	char name[32], *longest = calloc(1, RATES_NAME_MAX + 2);
	uint32_t retry;

	assert_non_null(longest);
	for (int i = 0; i < RATES_TOOLS_MAX; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		assert_int_equal(take(&r, &m, name, 10, &retry), 0);
	}
	assert_int_equal(take(&r, &m, "one more", 10, &retry), RATES_CROWDED);
	/* Those that are known go on to be counted. */
	assert_int_equal(take(&r, &m, "t5", 10, &retry), RATES_TOOL);
	assert_int_equal(take(&r, &m, "one more", 10 + SECOND, &retry), 0);
	assert_int_equal(r.n, RATES_TOOLS_MAX);
	memset(longest, 'x', RATES_NAME_MAX + 1);
	assert_int_equal(take(&r, &m, longest, 10 + SECOND, &retry), RATES_CROWDED);
	free(longest);
	rates_done(&r);
}

/* --- through the shim --- */

static struct meters_tool tools[] = {
	{ .glob = WORDS("rare"), .rate = { 2, 60, WORDS("p:7 (tools.allow.rate \"2/min\")") } },
	{ .glob = WORDS("slow"), .time = { 5, WORDS("p:8 (tools.allow.time \"5s\")") } },
	{ .glob = WORDS("wordy"), .output = { 64, WORDS("p:9 (tools.allow.output)") } },
};

static struct desk *desk_with(struct meters m)
{
	struct shim_config c = { .name = WORDS("demo"), .meters = m };
	struct desk *t;

	if (!m.tools) {
		c.meters.tools = tools;
		c.meters.n = ARRAY_LEN(tools);
	}
	t = desk_new(&c);
	t->s.now_us = 1000 * (uint64_t)SECOND;
	return t;
}

static const char *client_hears(struct desk *t, enum event_side side, const char *says)
{
	assert_int_equal(give(t, side, says), 0);
	return got(t, t->client);
}

#define HAS(text, part)                                                                                                \
	do {                                                                                                           \
		const char *text_ = (text);                                                                            \
		if (!strstr(text_, part))                                                                              \
			fail_msg("'%s' is not in: %s", part, text_);                                                   \
	} while (0)

static void a_call_too_many_says_when_to_come_again_and_then_passes(void **state)
{
	_cleanup_desk_ struct desk *t = desk_with((struct meters){ 0 });
	const char *heard;
	struct event e;

	assert_string_equal(client_hears(t, C, CALL(1, "rare")), "");
	assert_string_equal(client_hears(t, C, CALL(2, "rare")), "");
	assert_string_not_equal(got(t, t->server), "");
	forget(t);
	heard = client_hears(t, C, CALL(3, "rare"));
	HAS(heard, "\"id\":3,\"result\":");
	HAS(heard, "\"isError\":true");
	HAS(heard, "tool 'rare' denied by p:7 (tools.allow.rate \\\"2/min\\\")");
	HAS(heard, "Retry after 30 s.");
	assert_string_equal(got(t, t->server), "");
	assert_true(recorded(t, &e));
	assert_int_equal(e.type, EVENT_CALL);
	assert_int_equal(e.decision, EVENT_DENY);
	assert_string_equal(e.rule, tools[0].rate.where);
	/* Another tool is another matter. */
	assert_string_equal(client_hears(t, C, CALL(4, "other")), "");
	HAS(got(t, t->server), "other");
	t->s.now_us += 30 * (uint64_t)SECOND;
	assert_string_equal(client_hears(t, C, CALL(5, "rare")), "");
	HAS(got(t, t->server), "\"id\":5");
}

static void a_name_spelt_with_escapes_is_the_same_tool(void **state)
{
	_cleanup_desk_ struct desk *t = desk_with((struct meters){ 0 });

	assert_string_equal(client_hears(t, C, CALL(1, "rare")), "");
	assert_string_equal(client_hears(t, C, CALL(2, "\\u0072are")), "");
	HAS(client_hears(t, C, CALL(3, "r\\u0061re")), "Retry after 30 s.");
}

static void a_call_that_asked_for_a_task_is_denied_with_an_error(void **state)
{
	_cleanup_desk_ struct desk *t = desk_with((struct meters){ .each = { 1, 60, WORDS("p:2") } });
	const char *heard;

	assert_string_equal(client_hears(t, C, CALL(1, "a")), "");
	heard = client_hears(t, C, ID(2) "\"method\":\"tools/call\",\"params\":{\"name\":\"a\",\"task\":{}}}");
	HAS(heard, "\"id\":2,\"error\":{\"code\":4290");
	HAS(heard, "Retry after 60 s.");
	/* A task would carry its answer past the limits of time and size. */
	heard = client_hears(t, C, ID(3) "\"method\":\"tools/call\",\"params\":{\"name\":\"slow\",\"task\":{}}}");
	HAS(heard, "p:8");
	HAS(heard, "what becomes a task would not be held to it");
	forget(t);
	assert_string_equal(client_hears(t, C, CALL(4, "slow")), "");
	HAS(client_hears(t, S, ID(4) "\"result\":{\"task\":{\"taskId\":\"t\"}}}"), "makes a call into a task");
}

static void so_many_at_once_and_no_more(void **state)
{
	_cleanup_desk_ struct desk *t = desk_with((struct meters){ .in_flight = { 2, WORDS("p:4 (limits.calls)") } });
	const char *heard;

	assert_string_equal(client_hears(t, C, CALL(1, "a")), "");
	assert_string_equal(client_hears(t, C, ID(2) "\"method\":\"tools/list\"}"), "");
	assert_string_equal(client_hears(t, C, CALL(3, "b")), "");
	heard = client_hears(t, C, CALL(4, "c"));
	HAS(heard, "denied by p:4 (limits.calls)");
	HAS(heard, "Retry after 1 s.");
	HAS(client_hears(t, S, ANSWER(1)), "\"id\":1");
	assert_string_equal(client_hears(t, C, CALL(5, "c")), "");
	/* One that the client gave up does not count: no answer to it need ever come. */
	assert_string_equal(
		client_hears(t, C, J "\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":5}}"), "");
	assert_string_equal(client_hears(t, C, CALL(6, "c")), "");
}

/* What waits for a person takes a place, and what has had its answer takes none. */
static void a_call_that_a_person_looks_at_is_one_of_them_and_one_whose_time_was_over_is_not(void **state)
{
	static struct meters_tool two[] = { { .glob = WORDS("asked"), .confirm = { 1, WORDS("p:5") } },
		{ .glob = WORDS("slow"), .time = { 5, WORDS("p:8") } } };
	_cleanup_desk_ struct desk *t = desk_with(
		(struct meters){ .in_flight = { 2, WORDS("p:4 (limits.calls)") }, .tools = two, .n = ARRAY_LEN(two) });

	assert_string_equal(client_hears(t, C, CALL(1, "asked")), "");
	assert_string_equal(client_hears(t, C, CALL(2, "slow")), "");
	HAS(client_hears(t, C, CALL(3, "a")), "denied by p:4 (limits.calls)");
	t->s.now_us += 5 * (uint64_t)SECOND;
	assert_int_equal(shim_run_timers(&t->s), 0);
	HAS(got(t, t->client), "\"id\":2,\"result\"");
	assert_string_equal(client_hears(t, C, CALL(4, "a")), "");
	HAS(client_hears(t, C, CALL(5, "a")), "denied by p:4 (limits.calls)");
	assert_string_equal(
		client_hears(t, C, J "\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":1}}"), "");
	assert_string_equal(client_hears(t, C, CALL(6, "a")), "");
}

/* The clock of the session is one that only goes on; should it not, nobody is let through or cut off for it. */
static void a_clock_that_goes_back_gives_no_calls_and_ends_none(void **state)
{
	_cleanup_desk_ struct desk *t = desk_with((struct meters){ 0 });

	assert_string_equal(client_hears(t, C, CALL(1, "slow")), "");
	assert_string_equal(client_hears(t, C, CALL(2, "rare")), "");
	assert_string_equal(client_hears(t, C, CALL(3, "rare")), "");
	forget(t);
	t->s.now_us = 1;
	assert_int_equal(shim_run_timers(&t->s), 0);
	assert_string_equal(got(t, t->client), "");
	HAS(client_hears(t, C, CALL(4, "rare")), "Retry after 30 s.");
	t->s.now_us = 1005 * (uint64_t)SECOND;
	assert_int_equal(shim_run_timers(&t->s), 0);
	HAS(got(t, t->client), "\"id\":1,\"result\"");
	HAS(client_hears(t, C, CALL(5, "rare")), "Retry after 25 s.");
}

static void a_call_whose_time_is_over_is_answered_and_the_server_told(void **state)
{
	_cleanup_desk_ struct desk *t = desk_with((struct meters){ 0 });
	const char *heard;
	struct event e;

	assert_string_equal(client_hears(t, C, CALL("x", "slow")), "");
	assert_int_equal(t->s.wake_us, 1005 * (uint64_t)SECOND);
	forget(t);
	/* Progress does not prolong it. */
	assert_int_equal(give(t, S,
				 J "\"method\":\"notifications/progress\",\"params\":{\"progressToken\":1,"
				   "\"progress\":1}}"),
		0);
	forget(t);
	t->s.now_us += 5 * (uint64_t)SECOND - 1;
	assert_int_equal(shim_run_timers(&t->s), 0);
	assert_string_equal(got(t, t->client), "");
	t->s.now_us++;
	assert_int_equal(shim_run_timers(&t->s), 0);
	heard = got(t, t->client);
	HAS(heard, "\"id\":\"x\",\"result\":");
	HAS(heard, "isError");
	HAS(heard, "within 5 s, which is all that p:8 (tools.allow.time");
	assert_string_equal(got(t, t->server),
		J "\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":\"x\","
		  "\"reason\":\"it took longer than 5 s\"}}\n");
	assert_true(recorded(t, &e));
	assert_int_equal(e.type, EVENT_RESULT);
	assert_string_equal(e.status, "time limit");
	assert_string_equal(e.rule, tools[1].time.where);
	assert_int_equal(t->s.wake_us, 0);
	/* What comes late reaches nobody; a broken answer neither. */
	assert_string_equal(client_hears(t, S, ANSWER("x")), "");
	assert_true(recorded(t, &e));
	assert_int_equal(e.type, EVENT_UNMATCHED);
	assert_string_equal(e.reason, "it came after the call's time was over");
	assert_int_equal(t->s.calls.n, 0);
}

static void the_id_of_a_call_whose_time_was_over_is_taken_until_its_late_answer_came(void **state)
{
	_cleanup_desk_ struct desk *t = desk_with((struct meters){ 0 });
	const char *heard;

	assert_string_equal(client_hears(t, C, CALL(1, "slow")), "");
	t->s.now_us += 6 * (uint64_t)SECOND;
	assert_int_equal(shim_run_timers(&t->s), 0);
	forget(t);
	heard = client_hears(t, C, CALL(1, "other"));
	HAS(heard, "\"id\":1,\"error\":");
	HAS(heard, "its id is that of a request that has no answer yet");
	assert_string_equal(got(t, t->server), "");
	assert_string_equal(client_hears(t, S, ID(1) "\"result\":{\"x\":"), "");
	assert_int_equal(t->s.calls.n, 0);
	assert_string_equal(client_hears(t, C, CALL(1, "other")), "");
	HAS(client_hears(t, S, ANSWER(1)), "\"id\":1");
}

static void an_answered_or_cancelled_call_has_no_time_any_more(void **state)
{
	_cleanup_desk_ struct desk *t = desk_with((struct meters){ .time = { 3, WORDS("p:3") } });

	assert_string_equal(client_hears(t, C, CALL(1, "a")), "");
	HAS(client_hears(t, S, ANSWER(1)), "\"id\":1");
	assert_string_equal(client_hears(t, C, CALL(2, "a")), "");
	assert_string_equal(
		client_hears(t, C, J "\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":2}}"), "");
	forget(t);
	t->s.now_us += 100 * (uint64_t)SECOND;
	assert_int_equal(shim_run_timers(&t->s), 0);
	assert_string_equal(got(t, t->client), "");
	assert_string_equal(got(t, t->server), "");
	assert_int_equal(t->s.wake_us, 0);
	/* The end of the server answers what is in flight, and not again what has its answer. */
	assert_string_equal(client_hears(t, C, CALL(3, "a")), "");
	t->s.now_us += 3 * (uint64_t)SECOND;
	assert_int_equal(shim_run_timers(&t->s), 0);
	forget(t);
	assert_int_equal(handle_abandon(&t->s, "gone", "server died"), 0);
	assert_string_equal(got(t, t->client), "");
}

static void an_answer_that_is_too_large_becomes_words(void **state)
{
	_cleanup_desk_ struct desk *t = desk_with((struct meters){ 0 });
	const char *heard;
	struct event e;

	assert_string_equal(client_hears(t, C, CALL(1, "wordy")), "");
	HAS(client_hears(t, S, ANSWER(1)), "\"content\":[]");
	assert_string_equal(client_hears(t, C, CALL(2, "wordy")), "");
	forget(t);
	heard = client_hears(
		t, S, ID(2) "\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"more than sixty-four bytes\"}]}}");
	HAS(heard, "\"id\":2,\"result\":");
	HAS(heard, "isError");
	HAS(heard, "p:9 (tools.allow.output) allows 64: it was not passed on");
	if (strstr(heard, "sixty-four bytes"))
		fail_msg("%s", heard);
	assert_true(recorded(t, &e));
	assert_string_equal(e.status, "too large");
	assert_string_equal(e.rule, "p:9 (tools.allow.output)");
	assert_int_equal(t->s.calls.n, 0);
}

static void messages_have_a_limit_each_way(void **state)
{
	const struct shim_config c = { .name = WORDS("demo"), .line_max = 100, .server_line_max = 50 };
	_cleanup_desk_ struct desk *t = desk_new(&c);

	assert_int_equal(t->s.from_client.max, 100);
	assert_int_equal(t->s.from_server.max, 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bucket_holds_as_many_calls_as_its_rate_names_and_fills_evenly),
		cmocka_unit_test(in_a_day_there_are_exactly_as_many_as_the_rate_says),
		cmocka_unit_test(the_greatest_rate_does_not_overflow),
		cmocka_unit_test(each_tool_has_its_own_and_all_have_one_together),
		cmocka_unit_test(names_that_nobody_counts_any_more_give_way_and_a_crowd_is_denied),
		cmocka_unit_test(a_call_too_many_says_when_to_come_again_and_then_passes),
		cmocka_unit_test(a_name_spelt_with_escapes_is_the_same_tool),
		cmocka_unit_test(a_call_that_asked_for_a_task_is_denied_with_an_error),
		cmocka_unit_test(so_many_at_once_and_no_more),
		cmocka_unit_test(a_call_that_a_person_looks_at_is_one_of_them_and_one_whose_time_was_over_is_not),
		cmocka_unit_test(a_clock_that_goes_back_gives_no_calls_and_ends_none),
		cmocka_unit_test(a_call_whose_time_is_over_is_answered_and_the_server_told),
		cmocka_unit_test(the_id_of_a_call_whose_time_was_over_is_taken_until_its_late_answer_came),
		cmocka_unit_test(an_answered_or_cancelled_call_has_no_time_any_more),
		cmocka_unit_test(an_answer_that_is_too_large_becomes_words),
		cmocka_unit_test(messages_have_a_limit_each_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
