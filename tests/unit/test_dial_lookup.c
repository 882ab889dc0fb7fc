/* SPDX-License-Identifier: Apache-2.0 */
/* test_dial_lookup - what the half of dial that connects believes of the half that reads name servers' answers */
#include "tests/unit/unit.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include "dial/lookup.h"
#include "dial/reader.h"

enum { TURN_MS = 20, TURNS = 250, MANY = 2000 };

struct scene {
	struct loop loop;
	struct lookups lookups;
	int reader;
	size_t answers;
	struct resolve_result last;
};

static int up(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));
	int pair[2];

	assert_non_null(s);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(loop_init(&s->loop), 0);
	assert_int_equal(lookups_init(&s->lookups, &s->loop, pair[0]), 0);
	s->reader = pair[1];
	*state = s;
	return 0;
}

static int down(void **state)
{
	struct scene *s = *state;

	lookups_done(&s->lookups);
	loop_done(&s->loop);
	if (s->reader >= 0)
		close(s->reader);
	free(s);
	return 0;
}

static void on_answer(void *ctx, const struct resolve_result *result)
{
	struct scene *s = ctx;

	s->answers++;
	s->last = *result;
}

static void begin(struct scene *s, struct lookup *w, const char *name)
{
	*w = (struct lookup){ .fn = on_answer, .ctx = s };
	lookup_ask(&s->lookups, w, name, 1000);
}

static struct lookup_question asked(struct scene *s)
{
	struct lookup_question q;

	assert_int_equal(recv(s->reader, &q, sizeof(q), MSG_DONTWAIT), sizeof(q));
	return q;
}

static struct lookup_answer answer_to(uint64_t id, uint32_t n)
{
	struct lookup_answer a = { .id = id, .status = DIAL_OK, .n = n };

	for (uint32_t i = 0; i < n && i < RESOLVE_ADDRESSES_MAX; i++)
		a.v[i] = (struct net_address){ 4, { 192, 0, 2, (uint8_t)i } };
	return a;
}

static size_t size_of(uint32_t n)
{
	return offsetof(struct lookup_answer, v) + n * sizeof(struct net_address);
}

static void say(struct scene *s, const struct lookup_answer *a, size_t n)
{
	assert_int_equal(send(s->reader, a, n, 0), n);
	assert_int_equal(loop_turn(&s->loop, TURN_MS), 0);
}

static void an_answer_reaches_who_asked_and_nobody_else(void **state)
{
	struct scene *s = *state;
	struct lookup first, second;
	struct lookup_answer a;

	begin(s, &first, "one.example");
	begin(s, &second, "two.example");
	struct lookup_question q1 = asked(s), q2 = asked(s);
	assert_string_equal(q1.name, "one.example");
	assert_string_equal(q2.name, "two.example");
	assert_int_equal(q1.give_up, 1000);
	assert_int_not_equal(q1.id, q2.id);
	a = answer_to(q2.id, 2);
	say(s, &a, size_of(2));
	assert_int_equal(s->answers, 1);
	assert_int_equal(s->last.n, 2);
	assert_int_equal(s->last.v[1].bytes[3], 1);
	assert_int_equal(second.question.id, 0);
	assert_int_equal(first.question.id, q1.id);
	say(s, &a, size_of(2));
	assert_int_equal(s->answers, 1);
	assert_int_equal(s->lookups.error, 0);
	lookup_forget(&s->lookups, &first);
	a = answer_to(q1.id, 1);
	say(s, &a, size_of(1));
	assert_int_equal(s->answers, 1);
}

static void what_no_reader_can_mean_is_believed_by_nobody(void **state)
{
	static const struct {
		uint32_t status, n;
		uint8_t family;
		int bytes; /* beside those of n addresses */
	} rows[] = { { DIAL_STATUS_COUNT, 1, 4, 0 }, { UINT32_MAX, 0, 4, 0 },
		{ DIAL_OK, RESOLVE_ADDRESSES_MAX + 1, 4, 0 }, { DIAL_OK, UINT32_MAX, 4, 0 }, { DIAL_OK, 1, 0, 0 },
		{ DIAL_OK, 1, 5, 0 }, { DIAL_OK, 1, 4, -1 }, { DIAL_OK, 1, 4, 1 }, { DIAL_OK, 0, 4, -1 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		void *fresh = NULL;
		struct lookup w, again;
		up(&fresh);
		struct scene *s = fresh;
		begin(s, &w, "one.example");
		struct lookup_answer a = answer_to(asked(s).id, rows[i].n);
		a.status = rows[i].status;
		a.v[0].family = rows[i].family;
		say(s, &a, size_of(rows[i].n > RESOLVE_ADDRESSES_MAX ? 1 : rows[i].n) + (size_t)rows[i].bytes);
		begin(s, &again, "two.example");
		if (s->answers != 0 || s->lookups.error != -EPROTO)
			fail_msg("row %zu: %zu answers, error %d", i, s->answers, s->lookups.error);
		down(&fresh);
	}
	(void)state;
}

static void its_end_is_an_error(void **state)
{
	struct scene *s = *state;

	close(s->reader);
	s->reader = -1;
	assert_int_equal(loop_turn(&s->loop, TURN_MS), 0);
	assert_int_equal(s->lookups.error, -ECHILD);
}

/* Nobody waits in a send: who answers slowly is asked later, and everybody in turn. */
static void questions_without_room_wait_and_all_are_asked(void **state)
{
	struct scene *s = *state;
	struct lookup *all = calloc(MANY, sizeof(*all));
	size_t n = 0;

	assert_non_null(all);
	for (size_t i = 0; i < MANY; i++)
		begin(s, &all[i], "one.example");
	assert_false(all[MANY - 1].sent);
	for (uint64_t last = 0; n < MANY; n++) {
		while (poll(&(struct pollfd){ .fd = s->reader, .events = POLLIN }, 1, 0) == 0)
			assert_int_equal(loop_turn(&s->loop, TURN_MS), 0);
		struct lookup_question q = asked(s);
		assert_true(q.id > last);
		last = q.id;
	}
	assert_true(all[MANY - 1].sent);
	assert_int_equal(s->lookups.error, 0);
	for (size_t i = 0; i < MANY; i++)
		lookup_forget(&s->lookups, &all[i]);
	free(all);
}

/* The true one, asked for what the hosts file knows. */
static void the_reader_answers_and_ends_with_who_started_it(void **state)
{
	const struct net_config c = { .limits = net_limits_default() };
	struct diag d = { 0 };
	struct scene s = { .reader = -1 };
	struct lookup w;
	int fd, status;

	(void)state;
	if (reader_start(&c, &fd, &d) < 0)
		fail_msg("%s", d.text);
	assert_int_equal(loop_init(&s.loop), 0);
	assert_int_equal(lookups_init(&s.lookups, &s.loop, fd), 0);
	begin(&s, &w, "localhost");
	for (int i = 0; i < TURNS && s.answers == 0; i++)
		assert_int_equal(loop_turn(&s.loop, TURN_MS), 0);
	assert_int_equal(s.answers, 1);
	assert_int_equal(s.last.status, DIAL_OK);
	assert_true(s.last.n > 0);
	lookups_done(&s.lookups);
	loop_done(&s.loop);
	assert_true(waitpid(-1, &status, 0) > 0);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_answer_reaches_who_asked_and_nobody_else, up, down),
		cmocka_unit_test(what_no_reader_can_mean_is_believed_by_nobody),
		cmocka_unit_test_setup_teardown(its_end_is_an_error, up, down),
		cmocka_unit_test_setup_teardown(questions_without_room_wait_and_all_are_asked, up, down),
		cmocka_unit_test(the_reader_answers_and_ends_with_who_started_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
