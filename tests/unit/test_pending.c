/* SPDX-License-Identifier: Apache-2.0 */
/* test_pending - launches that wait: two share one question, nobody who is stuck holds up another */
#include "tests/unit/consent_world.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include "base/io.h"
#include "supervisor/approve_waiting.h"
#include "supervisor/question.h"

/* PATIENCE_S: for what must happen, however busy the machine is. */
enum { CHILD_ERROR = 50, PATIENCE_S = 60, SHORT_S = 5 };

/* A launch that waits in a process of its own; its exit status is the outcome. */
static pid_t waiter(struct world *w, const struct effective *e, int cancel, unsigned seconds)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct lineage l;
		struct approvals all = { 0 };
		struct diag d = { "" };
		struct consent_wait c = { &w->paths, &all, e, &l, cancel, -1, seconds };
		int r = lineage_read(&l, &d) < 0 || consent_list(&w->paths, &all, &d) < 0 ? -1 : consent_wait(&c, &d);
		if (r < 0)
			fprintf(stderr, "waiter: %s\n", d.text);
		_exit(r < 0 ? CHILD_ERROR : r);
	}
	return pid;
}

static int outcome(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* Waits until so many launches wait for one entry; the list is the caller's. */
static void expect_waiters(struct world *w, unsigned n, struct pendings *ret)
{
	uint64_t until = io_now_us() + PATIENCE_S * 1000000ULL;
	struct diag d = { "" };

	while (io_now_us() < until) {
		assert_int_equal(pending_list(&w->paths, ret, &d), 0);
		if (n == 0 ? ret->n == 0 : ret->n == 1 && ret->v[0].waiters == n)
			return;
		pendings_done(ret);
		poll(NULL, 0, 10);
	}
	fail_msg("there are never %u waiters", n);
}

static unsigned files_left(const struct world *w)
{
	char path[256];
	unsigned n = 0;

	snprintf(path, sizeof(path), "%s/pending", w->paths.runtime);
	DIR *dir = opendir(path);
	for (struct dirent *e; dir && (e = readdir(dir));)
		n += e->d_name[0] != '.' || strlen(e->d_name) > 2;
	if (dir)
		closedir(dir);
	return n;
}

static void approve(struct world *w, const struct pending *e)
{
	const struct consent_facts f = { e->digest, e->name, e->subject, e->canonical, e->never_remember };
	struct diag d = { "" };

	if (consent_remember_facts(&w->paths, &f, "approve", &w->lineage, &d) < 0)
		fail_msg("%s", d.text);
}

static void test_two_launches_of_one_plan_share_one_question(void **state)
{
	struct world *w = *state;
	struct pendings l = { 0 };
	struct effective e;
	pid_t a, b;

	make_launch(&e, "x", "/data");
	a = waiter(w, &e, -1, PATIENCE_S);
	b = waiter(w, &e, -1, PATIENCE_S);
	expect_waiters(w, 2, &l);
	approve(w, &l.v[0]);
	assert_int_equal(outcome(a), CONSENT_APPROVED);
	assert_int_equal(outcome(b), CONSENT_APPROVED);
	assert_int_equal(files_left(w), 0);
	pendings_done(&l);
	launch_done(&e);
}

static void test_a_refusal_answers_every_waiter_at_once(void **state)
{
	struct world *w = *state;
	struct pendings l = { 0 };
	struct effective e;
	pid_t a, b;

	make_launch(&e, "x", "/data");
	a = waiter(w, &e, -1, PATIENCE_S);
	b = waiter(w, &e, -1, PATIENCE_S);
	expect_waiters(w, 2, &l);
	assert_int_equal(pending_answer(&w->paths, e.digest, false, NULL), 0);
	assert_int_equal(outcome(a), CONSENT_REFUSED);
	assert_int_equal(outcome(b), CONSENT_REFUSED);
	assert_int_equal(files_left(w), 0);
	pendings_done(&l);
	launch_done(&e);
}

static void test_a_refusal_is_not_for_the_next_launch(void **state)
{
	struct world *w = *state;
	struct pendings l = { 0 };
	struct effective e;
	pid_t a;

	make_launch(&e, "x", "/data");
	a = waiter(w, &e, -1, PATIENCE_S);
	expect_waiters(w, 1, &l);
	pendings_done(&l);
	assert_int_equal(pending_answer(&w->paths, e.digest, false, NULL), 0);
	assert_int_equal(outcome(a), CONSENT_REFUSED);
	assert_int_equal(outcome(waiter(w, &e, -1, 1)), CONSENT_TIMEOUT);
	launch_done(&e);
}

static void test_nobody_answers_in_time(void **state)
{
	struct world *w = *state;
	struct effective e;
	uint64_t began = io_now_us();

	make_launch(&e, "x", "/data");
	assert_int_equal(outcome(waiter(w, &e, -1, 1)), CONSENT_TIMEOUT);
	assert_in_range(io_now_us() - began, 900000, PATIENCE_S * 1000000ULL);
	assert_int_equal(files_left(w), 0);
	launch_done(&e);
}

static void test_an_approval_given_before_ends_the_wait(void **state)
{
	struct world *w = *state;
	struct effective e;

	make_launch(&e, "x", "/data");
	assert_int_equal(consent_remember(&w->paths, &e, "digest", &w->lineage, NULL), 0);
	assert_int_equal(outcome(waiter(w, &e, -1, PATIENCE_S)), CONSENT_APPROVED);
	launch_done(&e);
}

static void test_the_approval_of_another_plan_is_none(void **state)
{
	struct world *w = *state;
	struct effective e, other;
	struct pendings l = { 0 };
	pid_t a;

	make_launch(&e, "x", "/data");
	make_launch(&other, "x", "/other");
	a = waiter(w, &e, -1, SHORT_S);
	expect_waiters(w, 1, &l);
	pendings_done(&l);
	assert_int_equal(consent_remember(&w->paths, &other, "digest", &w->lineage, NULL), 0);
	assert_int_equal(pending_answer(&w->paths, other.digest, true, NULL), 0);
	assert_int_equal(outcome(a), CONSENT_TIMEOUT);
	launch_done(&e);
	launch_done(&other);
}

static void test_the_wait_ends_when_the_client_goes(void **state)
{
	struct world *w = *state;
	struct pendings l = { 0 };
	struct effective e;
	int p[2];
	pid_t a;

	make_launch(&e, "x", "/data");
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	a = fork();
	if (a == 0) {
		close(p[1]);
		_exit(outcome(waiter(w, &e, p[0], PATIENCE_S)));
	}
	close(p[0]);
	expect_waiters(w, 1, &l);
	pendings_done(&l);
	close(p[1]);
	assert_int_equal(outcome(a), CONSENT_CANCELLED);
	expect_waiters(w, 0, &l);
	launch_done(&e);
}

static void test_a_stopped_waiter_holds_up_nobody(void **state)
{
	struct world *w = *state;
	struct pendings l = { 0 };
	struct effective e;
	pid_t stopped, other;

	make_launch(&e, "x", "/data");
	stopped = waiter(w, &e, -1, PATIENCE_S);
	expect_waiters(w, 1, &l);
	pendings_done(&l);
	assert_int_equal(kill(stopped, SIGSTOP), 0);
	other = waiter(w, &e, -1, PATIENCE_S);
	expect_waiters(w, 2, &l);
	approve(w, &l.v[0]);
	assert_int_equal(pending_answer(&w->paths, e.digest, true, NULL), 0);
	assert_int_equal(outcome(other), CONSENT_APPROVED);
	assert_int_equal(kill(stopped, SIGCONT), 0);
	assert_int_equal(outcome(stopped), CONSENT_APPROVED);
	pendings_done(&l);
	/* An answer that came when its waiter had just left is litter until the next look. */
	expect_waiters(w, 0, &l);
	assert_int_equal(files_left(w), 0);
	launch_done(&e);
}

static void test_the_litter_of_a_killed_waiter_goes(void **state)
{
	struct world *w = *state;
	struct pendings l = { 0 };
	struct effective e;
	pid_t a;

	make_launch(&e, "x", "/data");
	a = waiter(w, &e, -1, PATIENCE_S);
	expect_waiters(w, 1, &l);
	pendings_done(&l);
	assert_int_equal(kill(a, SIGKILL), 0);
	assert_int_equal(outcome(a), -SIGKILL);
	assert_true(files_left(w) > 0);
	assert_int_equal(pending_list(&w->paths, &l, NULL), 0);
	assert_int_equal(l.n, 0);
	assert_int_equal(files_left(w), 0);
	launch_done(&e);
}

static void test_a_waiter_puts_back_what_a_cleaner_took(void **state)
{
	struct world *w = *state;
	struct pendings l = { 0 };
	struct effective e;
	char command[512];
	pid_t a;

	make_launch(&e, "x", "/data");
	a = waiter(w, &e, -1, PATIENCE_S);
	expect_waiters(w, 1, &l);
	pendings_done(&l);
	/* What rm says is no matter: it finds a directory full again that the waiter was quick to put back. */
	snprintf(command, sizeof(command), "rm -rf %s/pending* 2>/dev/null; :", w->paths.runtime);
	assert_int_equal(system(command), 0);
	expect_waiters(w, 1, &l);
	assert_int_equal(pending_answer(&w->paths, e.digest, false, NULL), 0);
	assert_int_equal(outcome(a), CONSENT_REFUSED);
	pendings_done(&l);
	launch_done(&e);
}

static void test_a_waiter_that_is_disturbed_while_it_puts_things_back_tries_again(void **state)
{
	struct world *w = *state;
	struct pending_waiter place = PENDING_WAITER_INIT;
	_cleanup_free_ char *text = NULL;
	struct pendings l = { 0 };
	struct diag d = { "" };
	struct effective e;

	make_launch(&e, "x", "/data");
	assert_int_equal(pending_text(&e, &w->lineage, NULL, &text, &d), 0);
	assert_int_equal(pending_join(&w->paths, e.digest, text, &place, &d), 0);
	/* What a try leaves behind that a cleaner spoilt half-way: no file, no directory. */
	close(steal_fd(&place.lock));
	close(steal_fd(&place.waiters));
	expect_waiters(w, 0, &l);
	pendings_done(&l);
	assert_int_equal(pending_keep(&w->paths, &place, text, &d), 0);
	expect_waiters(w, 1, &l);
	pendings_done(&l);
	pending_leave(&place);
	assert_int_equal(files_left(w), 0);
	launch_done(&e);
}

/* Between opening the one directory and the other somebody removed both: the first is dead, the second lives. */
static void test_a_waiter_whose_entry_lies_in_a_removed_directory_writes_another(void **state)
{
	struct world *w = *state;
	struct pending_waiter place = PENDING_WAITER_INIT;
	_cleanup_free_ char *text = NULL;
	struct pendings l = { 0 };
	struct diag d = { "" };
	struct effective e;
	char path[256], entry[256];
	int dead;

	make_launch(&e, "x", "/data");
	assert_int_equal(pending_text(&e, &w->lineage, NULL, &text, &d), 0);
	assert_int_equal(pending_join(&w->paths, e.digest, text, &place, &d), 0);
	snprintf(entry, sizeof(entry), "%s/pending/%s.json", w->paths.runtime, e.digest);
	snprintf(path, sizeof(path), "%s/dead", w->paths.runtime);
	assert_int_equal(unlink(entry), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	dead = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(dup3(dead, place.pending, O_CLOEXEC), place.pending);
	close(dead);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(pending_keep(&w->paths, &place, text, &d), 0);
	expect_waiters(w, 1, &l);
	pendings_done(&l);
	pending_leave(&place);
	assert_int_equal(files_left(w), 0);
	launch_done(&e);
}

static void test_a_waiter_survives_any_number_of_cleaners(void **state)
{
	enum { ROUNDS = 60 };
	struct world *w = *state;
	struct pendings l = { 0 };
	struct effective e;
	char command[512];
	pid_t a;

	make_launch(&e, "x", "/data");
	a = waiter(w, &e, -1, PATIENCE_S);
	expect_waiters(w, 1, &l);
	pendings_done(&l);
	snprintf(command, sizeof(command),
		"for i in $(seq 300); do rm -rf %s/pending*; done 2>/dev/null; :", w->paths.runtime);
	pid_t cleaner = fork();
	if (cleaner == 0)
		_exit(system(command) == 0 ? 0 : 1);
	for (unsigned i = 0; i < ROUNDS; i++) {
		(void)!pending_list(&w->paths, &l, NULL);
		pendings_done(&l);
	}
	assert_int_equal(outcome(cleaner), 0);
	expect_waiters(w, 1, &l);
	assert_int_equal(pending_answer(&w->paths, e.digest, false, NULL), 0);
	assert_int_equal(outcome(a), CONSENT_REFUSED);
	pendings_done(&l);
	launch_done(&e);
}

static void test_code_that_rewrites_itself_waits_for_an_answer_of_its_own(void **state)
{
	struct world *w = *state;
	struct approval stored = { 0 };
	struct pendings l = { 0 };
	struct effective e;
	pid_t a;

	make_launch(&e, "x", "/data");
	/* An approval of this very digest, from before it could rewrite itself, counts for nothing. */
	assert_int_equal(consent_remember(&w->paths, &e, "terminal", &w->lineage, NULL), 0);
	e.never_remember = true;
	a = waiter(w, &e, -1, PATIENCE_S);
	expect_waiters(w, 1, &l);
	assert_true(l.v[0].never_remember);
	assert_int_equal(consent_revoke(&w->paths, e.digest, &stored, NULL), 0);
	approval_done(&stored);
	assert_int_equal(pending_answer(&w->paths, e.digest, true, NULL), 0);
	assert_int_equal(outcome(a), CONSENT_APPROVED);
	assert_int_equal(consent_lookup(&w->paths, e.digest, &stored, NULL), CONSENT_UNKNOWN);
	pendings_done(&l);
	launch_done(&e);
}

static void test_the_waiting_question_is_the_one_the_launch_would_show(void **state)
{
	struct world *w = *state;
	const struct question_options o = { 0 };
	char *texts[2] = { NULL, NULL };
	struct effective before, e;
	struct pendings l = { 0 };
	struct question_options own = { 0 };
	size_t n;
	pid_t a;

	make_launch(&before, "x", "/data");
	make_launch(&e, "x", "/\xe2\x80\xae");
	assert_int_equal(consent_remember(&w->paths, &before, "terminal", &w->lineage, NULL), 0);
	a = waiter(w, &e, -1, PATIENCE_S);
	expect_waiters(w, 1, &l);
	FILE *f = open_memstream(&texts[0], &n);
	assert_int_equal(question_render(f, l.v[0].question, &o), 0);
	fclose(f);
	own.earlier = before.canonical;
	f = open_memstream(&texts[1], &n);
	assert_int_equal(question_print(f, &e, &own), 0);
	fclose(f);
	assert_string_equal(texts[0], texts[1]);
	assert_non_null(strstr(texts[0], "+ may read: /\\u{202e}"));
	free(texts[0]);
	free(texts[1]);
	assert_int_equal(pending_answer(&w->paths, e.digest, false, NULL), 0);
	assert_int_equal(outcome(a), CONSENT_REFUSED);
	pendings_done(&l);
	launch_done(&before);
	launch_done(&e);
}

static void test_a_tampered_entry_cannot_be_answered(void **state)
{
	static const struct {
		const char *damage;
	} cases[] = { { ": >" }, { "sed -i s,/data,/etc/,g" }, { "chmod 0666" }, { "truncate -s 50" },
		{ "ln -sf /etc/passwd" } };
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct approve_waiting aw = { &w->paths, &w->lineage };
		struct pendings l = { 0 };
		struct approval stored = { 0 };
		struct effective e;
		char command[512];
		make_launch(&e, "x", "/data");
		pid_t a = waiter(w, &e, -1, PATIENCE_S);
		expect_waiters(w, 1, &l);
		pendings_done(&l);
		snprintf(
			command, sizeof(command), "%s %s/pending/%s.json", cases[i].damage, w->paths.runtime, e.digest);
		assert_int_equal(system(command), 0);
		assert_int_equal(pending_list(&w->paths, &l, NULL), 0);
		assert_int_equal(l.n, 1);
		assert_non_null(l.v[0].damaged);
		assert_int_equal(approve_waiting_digest(&aw, e.digest), 125);
		assert_int_equal(consent_lookup(&w->paths, e.digest, &stored, NULL), CONSENT_UNKNOWN);
		kill(a, SIGKILL);
		outcome(a);
		pendings_done(&l);
		assert_int_equal(pending_list(&w->paths, &l, NULL), 0);
		launch_done(&e);
	}
}

static void test_a_digest_answers_exactly_the_launch_that_has_it(void **state)
{
	struct world *w = *state;
	const struct approve_waiting aw = { &w->paths, &w->lineage };
	struct approval stored = { 0 };
	struct pendings l = { 0 };
	struct effective e, other;
	pid_t a;

	make_launch(&e, "x", "/data");
	make_launch(&other, "x", "/other");
	a = waiter(w, &e, -1, PATIENCE_S);
	expect_waiters(w, 1, &l);
	assert_int_equal(approve_waiting_digest(&aw, other.digest), 125);
	assert_int_equal(approve_waiting_digest(&aw, e.digest), 0);
	assert_int_equal(outcome(a), CONSENT_APPROVED);
	assert_int_equal(consent_lookup(&w->paths, e.digest, &stored, NULL), CONSENT_APPROVED);
	assert_string_equal(stored.channel, "digest");
	approval_done(&stored);
	pendings_done(&l);
	launch_done(&e);
	launch_done(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_two_launches_of_one_plan_share_one_question, world_up, world_down),
		cmocka_unit_test_setup_teardown(test_a_refusal_answers_every_waiter_at_once, world_up, world_down),
		cmocka_unit_test_setup_teardown(test_a_refusal_is_not_for_the_next_launch, world_up, world_down),
		cmocka_unit_test_setup_teardown(test_nobody_answers_in_time, world_up, world_down),
		cmocka_unit_test_setup_teardown(test_an_approval_given_before_ends_the_wait, world_up, world_down),
		cmocka_unit_test_setup_teardown(test_the_approval_of_another_plan_is_none, world_up, world_down),
		cmocka_unit_test_setup_teardown(test_the_wait_ends_when_the_client_goes, world_up, world_down),
		cmocka_unit_test_setup_teardown(test_a_stopped_waiter_holds_up_nobody, world_up, world_down),
		cmocka_unit_test_setup_teardown(test_the_litter_of_a_killed_waiter_goes, world_up, world_down),
		cmocka_unit_test_setup_teardown(test_a_waiter_puts_back_what_a_cleaner_took, world_up, world_down),
		cmocka_unit_test_setup_teardown(
			test_a_waiter_that_is_disturbed_while_it_puts_things_back_tries_again, world_up, world_down),
		cmocka_unit_test_setup_teardown(
			test_a_waiter_whose_entry_lies_in_a_removed_directory_writes_another, world_up, world_down),
		cmocka_unit_test_setup_teardown(test_a_waiter_survives_any_number_of_cleaners, world_up, world_down),
		cmocka_unit_test_setup_teardown(
			test_code_that_rewrites_itself_waits_for_an_answer_of_its_own, world_up, world_down),
		cmocka_unit_test_setup_teardown(
			test_the_waiting_question_is_the_one_the_launch_would_show, world_up, world_down),
		cmocka_unit_test_setup_teardown(test_a_tampered_entry_cannot_be_answered, world_up, world_down),
		cmocka_unit_test_setup_teardown(
			test_a_digest_answers_exactly_the_launch_that_has_it, world_up, world_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
