/* SPDX-License-Identifier: Apache-2.0 */
/* test_kill_tell - each session that ends by an order is counted, once, however late it answers */
#include "tests/unit/consent_world.h"
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "supervisor/kill/kill_order.h"
#include "supervisor/kill/kill_tell.h"
#include "supervisor/registry.h"

/* A session of "github" that hears orders, and answers when the test says so. */
struct told {
	struct world *w;
	struct registration registration;
	struct kill_entry entry;
	struct kill_told told;
	struct kill_order order;
	pid_t init;
	int dir, sock;
};

static const char ID[] = "0123456789abcdef0123456789abcdef";

static pid_t start_init(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		pause();
		_exit(0);
	}
	assert_true(pid > 0);
	return pid;
}

static void begin(struct told *t, struct world *w)
{
	struct registry_args a = {
		.paths = &w->paths, .id = ID, .name = "github", .client = "", .digest = "", .lineage = &w->lineage
	};
	struct diag d = { "" };

	*t = (struct told){ .w = w,
		.entry = { .server = strdup("github"),
			.who = strdup("alice"),
			.when = strdup("2026-10-01T12:00:00Z"),
			.why = strdup("") },
		.order = { .answer = -1 },
		.init = start_init() };
	a.init_pid = t->init;
	assert_int_equal(paths_open_runtime(&w->paths, "sessions", &t->dir, &d), 0);
	assert_int_equal(kill_order_listen(t->dir, ID, &t->sock), 0);
	assert_int_equal(registry_add(&a, &t->registration, &d), 0);
	assert_int_equal(kill_tell(&w->paths, KILL_ORDER_KILL, &t->entry, &t->told, &d), 0);
	assert_int_equal(t->told.n, 1);
}

static void hear(struct told *t, enum kill_round round)
{
	struct diag d = { "" };

	assert_int_equal(kill_tell_hear(&t->w->paths, &t->told, round, &d), 0);
}

/* What a session does that obeys. */
static void end_init(struct told *t)
{
	assert_int_equal(kill(t->init, SIGKILL), 0);
	assert_int_equal(waitpid(t->init, NULL, 0), t->init);
	t->init = 0;
}

static void answer(struct told *t)
{
	assert_int_equal(kill_order_receive(t->sock, getuid(), &t->order), 0);
	kill_order_answer(&t->order, ID, KILL_OBEYED, -1);
}

static void expect(const struct told *t, unsigned reached, unsigned forced)
{
	assert_int_equal(t->told.reached, reached);
	assert_int_equal(t->told.forced, forced);
	assert_int_equal(t->told.left, 0);
	assert_int_equal(kill_told_alive(&t->told, 0), 0);
}

static void end(struct told *t)
{
	kill_order_done(&t->order);
	kill_told_done(&t->told);
	kill_entry_done(&t->entry);
	registration_done(&t->registration);
	kill_order_forget(t->dir, ID, t->sock);
	close(t->dir);
	if (t->init)
		end_init(t);
}

static void one_that_answers_in_time_is_counted(void **state)
{
	struct told t;

	begin(&t, *state);
	end_init(&t);
	answer(&t);
	hear(&t, KILL_ROUND_FIRST);
	expect(&t, 1, 0);
	hear(&t, KILL_ROUND_LAST);
	expect(&t, 1, 0);
	end(&t);
}

static void one_that_has_ended_and_not_answered_yet_is_counted_once(void **state)
{
	struct told t;

	begin(&t, *state);
	end_init(&t);
	hear(&t, KILL_ROUND_FIRST);
	expect(&t, 1, 0);
	answer(&t);
	hear(&t, KILL_ROUND_LAST);
	expect(&t, 1, 0);
	end(&t);
}

static void one_that_answers_late_and_is_in_no_list_any_more_is_counted(void **state)
{
	struct told t;

	begin(&t, *state);
	end_init(&t);
	registration_done(&t.registration);
	hear(&t, KILL_ROUND_FIRST);
	expect(&t, 0, 0);
	answer(&t);
	hear(&t, KILL_ROUND_LAST);
	expect(&t, 1, 0);
	end(&t);
}

static void one_that_was_killed_and_answers_after_that_is_counted_once(void **state)
{
	struct told t;
	int status;

	begin(&t, *state);
	hear(&t, KILL_ROUND_FIRST);
	assert_int_equal(waitpid(t.init, &status, 0), t.init);
	t.init = 0;
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	expect(&t, 0, 1);
	answer(&t);
	hear(&t, KILL_ROUND_LAST);
	expect(&t, 0, 1);
	end(&t);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_that_answers_in_time_is_counted, world_up, world_down),
		cmocka_unit_test_setup_teardown(
			one_that_has_ended_and_not_answered_yet_is_counted_once, world_up, world_down),
		cmocka_unit_test_setup_teardown(
			one_that_answers_late_and_is_in_no_list_any_more_is_counted, world_up, world_down),
		cmocka_unit_test_setup_teardown(
			one_that_was_killed_and_answers_after_that_is_counted_once, world_up, world_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
