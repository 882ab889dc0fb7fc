/* SPDX-License-Identifier: Apache-2.0 */
/* test_consent_wait - what ends the wait of one launch, what it leaves behind, and what is an error; see test_pending
 * for several at once */
#include "tests/unit/consent_world.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include "supervisor/consent_pending.h"
#include "tests/unit/no_inotify.h"

enum { LONG_S = 15 }; /* longer than the test may take: what ends the wait is never the time */

/* The wait of one launch, and what somebody does at the moment when it can be answered. */
struct scene {
	struct consent_wait wait;
	struct world *w;
	struct effective e;
	struct approvals approvals;
	int times;	  /* that the launch was told to be waiting */
	unsigned waiters; /* that approve would have seen then */
	int notify[2];	  /* a pipe that some cases act with */
	const char *answer;
	bool approve;
};

static struct scene *scene_of(const struct consent_wait *w)
{
	return (struct scene *)((uintptr_t)w - offsetof(struct scene, wait));
}

static void scene_open(struct scene *s, void **state, void (*waits)(const struct consent_wait *))
{
	*s = (struct scene){ .w = *state };
	assert_int_equal(consent_list(&s->w->paths, &s->approvals, NULL), 0);
	make_launch(&s->e, "x", "/data");
	s->wait = (struct consent_wait){ &s->w->paths, &s->approvals, &s->e, &s->w->lineage, -1, -1, LONG_S, waits };
}

static unsigned waiting(const struct scene *s)
{
	struct pendings l = { 0 };
	unsigned n;

	assert_int_equal(pending_list(&s->w->paths, &l, NULL), 0);
	n = l.n == 1 && !l.v[0].damaged ? l.v[0].waiters : (unsigned)l.n;
	pendings_done(&l);
	return n;
}

static void scene_close(struct scene *s)
{
	approvals_done(&s->approvals);
	assert_int_equal(waiting(s), 0);
	launch_done(&s->e);
}

static void count(const struct consent_wait *w)
{
	struct scene *s = scene_of(w);

	s->times++;
	s->waiters = waiting(s);
}

static void answer(const struct consent_wait *w)
{
	struct scene *s = scene_of(w);

	count(w);
	assert_int_equal(pending_answer(w->paths, w->effective->digest, s->approve, NULL), 0);
}

static void a_launch_is_told_once_that_it_waits_and_can_be_answered_by_then(void **state)
{
	for (int yes = 0; yes < 2; yes++) {
		struct scene s;
		scene_open(&s, state, answer);
		s.approve = yes;
		assert_int_equal(consent_wait(&s.wait, NULL), yes ? CONSENT_APPROVED : CONSENT_REFUSED);
		assert_int_equal(s.times, 1);
		assert_int_equal(s.waiters, 1);
		scene_close(&s);
	}
}

static void remember(const struct consent_wait *w)
{
	count(w);
	assert_int_equal(consent_remember(w->paths, w->effective, "terminal", w->lineage, NULL), 0);
}

static void an_approval_remembered_meanwhile_ends_the_wait(void **state)
{
	struct scene s;

	scene_open(&s, state, remember);
	assert_int_equal(consent_wait(&s.wait, NULL), CONSENT_APPROVED);
	assert_int_equal(s.times, 1);
	scene_close(&s);
}

static void what_is_never_remembered_takes_no_approval_but_its_own_answer(void **state)
{
	struct scene s;

	scene_open(&s, state, count);
	assert_int_equal(consent_remember(s.wait.paths, &s.e, "terminal", s.wait.lineage, NULL), 0);
	s.e.never_remember = true;
	s.wait.seconds = 0;
	assert_int_equal(consent_wait(&s.wait, NULL), CONSENT_TIMEOUT);
	s.wait.waits = answer;
	s.wait.seconds = LONG_S;
	s.approve = true;
	assert_int_equal(consent_wait(&s.wait, NULL), CONSENT_APPROVED);
	scene_close(&s);
}

static void no_time_at_all_is_one_look(void **state)
{
	struct scene s;

	scene_open(&s, state, count);
	s.wait.seconds = 0;
	assert_int_equal(consent_wait(&s.wait, NULL), CONSENT_TIMEOUT);
	assert_int_equal(s.times, 1);
	s.wait.waits = answer;
	assert_int_equal(consent_wait(&s.wait, NULL), CONSENT_REFUSED);
	s.wait.waits = NULL;
	assert_int_equal(consent_remember(s.wait.paths, &s.e, "terminal", s.wait.lineage, NULL), 0);
	assert_int_equal(consent_wait(&s.wait, NULL), CONSENT_APPROVED);
	scene_close(&s);
}

static int not_any_more(const struct consent_wait *w, struct diag *d)
{
	return diag_fail(d, scene_of(w)->times ? -EPERM : 0, "it is killed");
}

static void what_may_not_start_any_more_waits_no_longer(void **state)
{
	struct scene s;
	struct diag d = { "" };

	scene_open(&s, state, count);
	s.wait.still = not_any_more;
	assert_int_equal(consent_wait(&s.wait, &d), -EPERM);
	assert_string_equal(d.text, "it is killed");
	scene_close(&s);
}

static void close_writer(const struct consent_wait *w)
{
	count(w);
	close(steal_fd(&scene_of(w)->notify[1]));
}

static void a_client_that_goes_ends_the_wait(void **state)
{
	struct scene s;

	scene_open(&s, state, close_writer);
	assert_int_equal(pipe2(s.notify, O_CLOEXEC), 0);
	s.wait.cancel_fd = s.notify[0];
	assert_int_equal(consent_wait(&s.wait, NULL), CONSENT_CANCELLED);
	close(s.notify[0]);
	scene_close(&s);
}

static void raise_term(const struct consent_wait *w)
{
	count(w);
	assert_int_equal(raise(SIGTERM), 0);
}

static void a_signal_ends_the_wait_and_stays_for_its_owner(void **state)
{
	struct signalfd_siginfo info;
	struct scene s;
	sigset_t set, before;

	scene_open(&s, state, raise_term);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	assert_int_equal(sigprocmask(SIG_BLOCK, &set, &before), 0);
	s.wait.signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	assert_true(s.wait.signal_fd >= 0);
	assert_int_equal(consent_wait(&s.wait, NULL), CONSENT_CANCELLED);
	assert_int_equal(read(s.wait.signal_fd, &info, sizeof(info)), sizeof(info));
	assert_int_equal(info.ssi_signo, SIGTERM);
	close(s.wait.signal_fd);
	assert_int_equal(sigprocmask(SIG_SETMASK, &before, NULL), 0);
	scene_close(&s);
}

/* The first waiter's name is its process id. */
static void answer_with_words(const struct consent_wait *w)
{
	struct scene *s = scene_of(w);
	char path[512];

	count(w);
	snprintf(path, sizeof(path), "%s/pending/%s.waiters/%d.answer", w->paths->runtime, w->effective->digest,
		(int)getpid());
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	fputs(s->answer, f);
	fclose(f);
	assert_int_equal(chmod(path, 0600), 0);
}

static void an_answer_that_is_neither_yes_nor_no_starts_nothing(void **state)
{
	static const char *const answers[] = { "", "approved", "Approved\n", "approved\nrefused\n", "yes\n",
		"approved\n and a good deal more than any answer has" };

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct diag d = { "" };
		struct scene s;
		scene_open(&s, state, answer_with_words);
		s.answer = answers[i];
		if (consent_wait(&s.wait, &d) >= 0 || !d.text[0])
			fail_msg("'%s' is taken, or refused without words", answers[i]);
		scene_close(&s);
	}
}

static void damage_approval(const struct consent_wait *w)
{
	char path[512];

	count(w);
	snprintf(path, sizeof(path), "%s/approvals/%s.json", w->paths->state, w->effective->digest);
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	fputs("{}", f);
	fclose(f);
	assert_int_equal(chmod(path, 0600), 0);
}

static void an_approval_that_cannot_be_believed_ends_the_wait_with_its_words(void **state)
{
	struct diag d = { "" };
	struct scene s;

	scene_open(&s, state, damage_approval);
	assert_int_equal(consent_wait(&s.wait, &d), -EINVAL);
	assert_non_null(strstr(d.text, "is damaged and approves nothing"));
	scene_close(&s);
}

static void a_name_that_is_not_text_cannot_wait(void **state)
{
	struct diag d = { "" };
	struct scene s;

	scene_open(&s, state, count);
	s.e.name[0] = '\xff';
	assert_int_equal(consent_wait(&s.wait, &d), -EINVAL);
	assert_non_null(strstr(d.text, "cannot write down the question"));
	assert_int_equal(s.times, 0);
	scene_close(&s);
}

/* In a child. No descriptor tells of the answer: the loop must look by itself, and before its time is over. */
static int answered_without_inotify(struct world *w)
{
	struct scene s;
	int status;
	void *state = w;

	if (!no_inotify())
		return 101;
	scene_open(&s, &state, NULL);
	/* Who looks only when the time is over never comes to it. */
	s.wait.seconds = 3600;
	alarm(LONG_S);
	pid_t pid = fork();
	if (pid == 0) {
		for (int i = 0; i < 6000 && waiting(&s) == 0; i++)
			usleep(10000);
		_exit(pending_answer(&w->paths, s.e.digest, true, NULL) < 0);
	}
	int r = consent_wait(&s.wait, NULL);
	return waitpid(pid, &status, 0) == pid && status == 0 && r == CONSENT_APPROVED ? 0 : 100 + r;
}

static void where_inotify_has_run_out_an_answer_is_found_all_the_same(void **state)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(answered_without_inotify(*state));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, world_up, world_down)
	const struct CMUnitTest tests[] = {
		CASE(a_launch_is_told_once_that_it_waits_and_can_be_answered_by_then),
		CASE(an_approval_remembered_meanwhile_ends_the_wait),
		CASE(what_is_never_remembered_takes_no_approval_but_its_own_answer),
		CASE(no_time_at_all_is_one_look),
		CASE(what_may_not_start_any_more_waits_no_longer),
		CASE(a_client_that_goes_ends_the_wait),
		CASE(a_signal_ends_the_wait_and_stays_for_its_owner),
		CASE(an_answer_that_is_neither_yes_nor_no_starts_nothing),
		CASE(an_approval_that_cannot_be_believed_ends_the_wait_with_its_words),
		CASE(a_name_that_is_not_text_cannot_wait),
		CASE(where_inotify_has_run_out_an_answer_is_found_all_the_same),
	};

	return cmocka_run_group_tests_name("one launch that waits", tests, NULL, NULL);
}
