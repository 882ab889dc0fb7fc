/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_shim_stages - what one stage has let through and a later one turns down: who is told, what is recorded, and what
 * is left in flight
 *
 * Some functions of the shim are links to the test itself (meson.build): an edit that makes a message too long, and
 * outcomes that nobody handled.
 */
#include "tests/unit/shim_play.h"
#include <errno.h>
#include <sys/socket.h>
#include "shim/define.h"
#include "shim/offers.h"
#include "shim/relay.h"
#include "shim/stderr.h"
#include "wire/codec.h"

#define TOKEN "ghp_Zx81kQ02mmPLw9"
#define FORM                                                                                                           \
	"\"inputRequests\":{\"a\":{\"method\":\"elicitation/create\",\"params\":{\"message\":\"hi\","                  \
	"\"requestedSchema\":{\"type\":\"object\",\"properties\":{}}}}}"
#define CALL(id) ID(id) "\"method\":\"tools/call\",\"params\":{\"name\":\"put\",\"arguments\":{}}}"

static bool grows;     /* offers_filter() puts more into a message than there is room for */
static int outcome;    /* what handle_line() comes to, unless 0 */
static int of_control; /* the same of confirm_answer() */

int __real_offers_filter(struct shim *s, struct slice offers, struct buf *out, uint64_t *ret_hidden);
int __wrap_offers_filter(struct shim *s, struct slice offers, struct buf *out, uint64_t *ret_hidden);
int __real_handle_line(struct shim *s, enum event_side side, int found, struct line line);
int __wrap_handle_line(struct shim *s, enum event_side side, int found, struct line line);
int __real_confirm_answer(struct shim *s, const struct control *c);
int __wrap_confirm_answer(struct shim *s, const struct control *c);

int __wrap_offers_filter(struct shim *s, struct slice offers, struct buf *out, uint64_t *ret_hidden)
{
	static const char filling[4096] = { [0 ... 4095] = 'x' };
	int r;

	if (!grows)
		return __real_offers_filter(s, offers, out, ret_hidden);
	*ret_hidden = 1;
	buf_clear(out);
	r = buf_puts(out, "{\"x\":\"");
	while (r == 0 && out->len < SHIM_LINE_MAX + (64 << 10))
		r = buf_append(out, filling, sizeof(filling));
	return r ? r : buf_puts(out, "\"}");
}

int __wrap_handle_line(struct shim *s, enum event_side side, int found, struct line line)
{
	return outcome ? outcome : __real_handle_line(s, side, found, line);
}

int __wrap_confirm_answer(struct shim *s, const struct control *c)
{
	return of_control ? of_control : __real_confirm_answer(s, c);
}

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

/* --- an edit that outgrows the message --- */

#define TOO_LONG "with what stockade has to put into it, it is too long"

static struct meters_tool asking[] = { { .glob = WORDS("put"), .confirm = { 1, WORDS("p:5") } } };

static void expect_told(struct desk *t, const char *id)
{
	char want[32];

	snprintf(want, sizeof(want), "\"id\":%s,\"error\"", id);
	if (!strstr(t->text, want) || !strstr(t->text, TOO_LONG))
		fail_msg("%s is told '%s'", id, t->text);
}

static void a_request_that_an_edit_outgrows_is_told_so_and_not_in_flight(void **state)
{
	const struct shim_config c = { .name = WORDS("demo") };
	_cleanup_desk_ struct desk *t = desk_new(&c);
	struct event e;

	grows = true;
	assert_int_equal(give(t, C, CALL(1)), 0);
	grows = false;
	got(t, t->client);
	expect_told(t, "1");
	assert_string_equal(got(t, t->server), "");
	assert_int_equal(t->s.calls.n, 0);
	while (recorded(t, &e))
		assert_int_not_equal(e.decision, EVENT_ALLOW);
	PLAY(t, { C, CALL(1), NULL, "=", "tool.call allow" });
}

static uint64_t park_for_person(struct desk *t, const char *call)
{
	struct confirm c;
	const char *bytes;
	size_t n;

	assert_int_equal(give(t, C, call), 0);
	assert_true(desk_message(t, &bytes, &n));
	assert_int_equal(confirm_decode(bytes, n, &c), 0);
	return c.call_id;
}

static void a_confirmed_call_that_an_edit_outgrows_is_told_so(void **state)
{
	const struct shim_config c = { .name = WORDS("demo"), .meters = { .tools = asking, .n = 1 } };
	_cleanup_desk_ struct desk *t = desk_new(&c);
	struct control yes = { .type = CONTROL_CONFIRMED };

	yes.call_id = park_for_person(t, CALL(1));
	grows = true;
	assert_int_equal(confirm_answer(&t->s, &yes), 0);
	grows = false;
	got(t, t->client);
	expect_told(t, "1");
	assert_int_equal(t->s.calls.n + t->s.confirms.n, 0);
}

static void of_calls_that_an_edit_outgrows_none_stays_parked(void **state)
{
	const struct shim_config c = { .name = WORDS("demo"), .meters = { .tools = asking, .n = 1 } };
	_cleanup_desk_ struct desk *t = desk_new(&c);
	struct shim_pin pin = { .kind = DEFINITION_TOOL, .name = WORDS("put") };
	_cleanup_buf_ struct buf room = BUF_INIT(DEFINITION_BYTES_MAX);
	char own[256], id[64];
	struct control yes = { .type = CONTROL_CONFIRMED };
	uint64_t ids[2];

	assert_int_equal(define_digest(&room, SLICE("{\"name\":\"put\"}"), pin.digest), 0);
	ids[0] = park_for_person(t, CALL(1));
	ids[1] = park_for_person(t, CALL(2));
	t->s.config.pins = (struct shim_pins){ true, WORDS("the pins"), &pin, 1 };
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		yes.call_id = ids[i];
		assert_int_equal(confirm_answer(&t->s, &yes), 0);
	}
	assert_int_equal(t->s.parked.n, 2);
	assert_int_equal(sscanf(got(t, t->server), J "\"id\":%63[^,],\"method\":\"tools/list\"", id), 1);
	snprintf(own, sizeof(own), J "\"id\":%s,\"result\":{\"tools\":[{\"name\":\"put\"}]}}", id);
	grows = true;
	assert_int_equal(give(t, S, own), 0);
	grows = false;
	assert_int_equal(t->s.parked.n, 0);
	got(t, t->client);
	expect_told(t, "1");
	expect_told(t, "2");
	t->s.config.pins = (struct shim_pins){ 0 };
}

/* --- whose record it is --- */

static struct scope read_scope[] = { { WORDS("read"), true, NULL }, { WORDS("write"), false, NULL },
	{ WORDS("destructive"), false, NULL } };
static struct scope_glob read_glob[] = { { SCOPE_READ, WORDS("put"), WORDS("p:4") } };

static void what_is_taken_out_of_a_call_that_waits_is_recorded_with_its_number(void **state)
{
	const struct shim_config c = { .name = WORDS("demo"),
		.scopes = { .where = WORDS("p:3"),
			.allowed_where = WORDS("p:3"),
			.v = read_scope,
			.n = ARRAY_LEN(read_scope),
			.globs = read_glob,
			.n_globs = ARRAY_LEN(read_glob) } };
	struct desk *t = desk_new(&c);
	uint64_t redacted = 0, call = 0, own = 0;
	struct diag d = { 0 };
	struct event e;
	char answer[256], id[64];

	t->s.config.text.sets = 1u << SHIM_SET_MAIL;
	assert_int_equal(text_out_init(&t->s.text, &t->s.config.text, &d), 0);
	assert_int_equal(give(t, C,
				 ID(1) "\"method\":\"tools/call\",\"params\":{\"name\":\"put\",\"arguments\":{\"to\":"
				       "\"a@b.cc\"}}}"),
		0);
	assert_int_equal(sscanf(got(t, t->server), J "\"id\":%63[^,],\"method\":\"tools/list\"", id), 1);
	snprintf(answer, sizeof(answer), J "\"id\":%s,\"result\":{\"tools\":[{\"name\":\"put\"}]}}", id);
	assert_int_equal(give(t, S, answer), 0);
	assert_non_null(strstr(got(t, t->server), "\"method\":\"tools/call\""));
	while (recorded(t, &e)) {
		redacted = e.type == EVENT_TEXT_REDACTED ? e.call_id : redacted;
		call = e.type == EVENT_CALL ? e.call_id : call;
		own = e.type == EVENT_REQUEST ? e.call_id : own;
	}
	assert_int_not_equal(redacted, 0);
	assert_int_equal(redacted, call);
	assert_int_not_equal(redacted, own);
	put_down(t);
}

static void an_id_that_is_in_flight_is_never_tracked_twice(void **state)
{
	const struct shim_config c = { .name = WORDS("demo") };
	_cleanup_desk_ struct desk *t = desk_new(&c);
	struct envelope e = { .id = SLICE("7"), .method = SLICE("tools/list") };
	struct message m = { .side = C, .envelope = &e };
	const char *refusal;

	assert_int_equal(handle_track(&t->s, &t->s.calls, &m, (struct slice){ NULL, 0 }, &refusal), 0);
	assert_null(refusal);
	assert_int_equal(handle_track(&t->s, &t->s.calls, &m, (struct slice){ NULL, 0 }, &refusal), -EPROTO);
}

/* --- the loop --- */

static int run(struct desk *t, const char *client_says)
{
	const struct port none = { .fd = -1 };
	struct stderr_relay err;
	int from_client[2], from_server[2], r;

	assert_int_equal(pipe2(from_client, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(pipe2(from_server, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(port_init(&t->s.client_in, from_client[0]), 0);
	assert_int_equal(port_init(&t->s.server_out, from_server[0]), 0);
	assert_int_equal(write(from_client[1], client_says, strlen(client_says)), strlen(client_says));
	close(from_client[1]);
	close(from_server[1]);
	stderr_init(&err, none, none, "demo", "", 0);
	r = relay_run(&t->s, &err);
	stderr_done(&err);
	port_close(&t->s.client_in);
	port_close(&t->s.server_out);
	return r;
}

static void an_outcome_that_nobody_handled_ends_the_session_as_a_failure(void **state)
{
	static const struct {
		const char *says;
		int of_line, of_control;
	} cases[] = { { CALL(1) "\n", 7, 0 }, { CALL(1), 7, 0 }, { "", 0, 7 } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct shim_config c = { .name = WORDS("demo") };
		_cleanup_desk_ struct desk *t = desk_new(&c);
		struct control yes = { .type = CONTROL_CONFIRMED, .call_id = 1 };
		struct wire_writer w;
		int control[2];
		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, control), 0);
		t->s.control = control[0];
		assert_int_equal(control_encode(&yes, &w), 0);
		if (cases[i].of_control)
			assert_true(send(control[1], w.buf.data, w.buf.len, 0) > 0);
		wire_writer_done(&w);
		outcome = cases[i].of_line;
		of_control = cases[i].of_control;
		assert_int_equal(run(t, cases[i].says), SHIM_EXIT_FAILED);
		outcome = of_control = 0;
		close(control[0]);
		close(control[1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_an_answer_asks_for_is_recorded_as_allowed_when_the_answer_passes),
		cmocka_unit_test(what_a_notification_asks_for_is_recorded_as_allowed_when_it_passes),
		cmocka_unit_test(a_request_that_an_edit_outgrows_is_told_so_and_not_in_flight),
		cmocka_unit_test(a_confirmed_call_that_an_edit_outgrows_is_told_so),
		cmocka_unit_test(of_calls_that_an_edit_outgrows_none_stays_parked),
		cmocka_unit_test(what_is_taken_out_of_a_call_that_waits_is_recorded_with_its_number),
		cmocka_unit_test(an_id_that_is_in_flight_is_never_tracked_twice),
		cmocka_unit_test(an_outcome_that_nobody_handled_ends_the_session_as_a_failure),
	};

	return cmocka_run_group_tests_name("stages", tests, NULL, NULL);
}
