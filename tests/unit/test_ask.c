/* SPDX-License-Identifier: Apache-2.0 */
/* test_ask - the question on a terminal: default No, nothing typed before counts, nobody else's terminal is used */
#include "tests/unit/consent_world.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include "base/io.h"
#include "supervisor/approve_calls.h"
#include "supervisor/approve_waiting.h"
#include "supervisor/exit.h"

/* PATIENCE_S: for what must happen, however busy the machine is. */
enum { TEXT_MAX = 16 << 10, CHILD_ERROR = 50, PATIENCE_S = 60 };

struct dialog {
	int master;
	pid_t pid;
	char text[TEXT_MAX];
	size_t n;
};

typedef int (*child_fn)(struct world *w);

static int list_and_ask(struct world *w, const struct effective *e, struct diag *d)
{
	_cleanup_approvals_ struct approvals all = { 0 };
	int r = consent_list(&w->paths, &all, d);

	return r < 0 ? r : consent_ask_terminal(&all, e, d);
}

static int ask(struct world *w)
{
	struct effective e;
	struct diag d = { "" };

	make_launch(&e, "x", "/data");
	int r = list_and_ask(w, &e, &d);
	return r < 0 ? CHILD_ERROR : r;
}

static void start(struct world *w, struct dialog *t, child_fn fn)
{
	const struct winsize size = { .ws_row = 24, .ws_col = 80 };

	t->n = 0;
	t->pid = forkpty(&t->master, NULL, NULL, &size);
	assert_true(t->pid >= 0);
	if (t->pid == 0) {
		setenv("TERM", "dumb", 1);
		_exit(fn(w));
	}
}

/* Reads until the words are there. */
static void expect(struct dialog *t, const char *words)
{
	struct pollfd p = { t->master, POLLIN, 0 };

	while (t->n < TEXT_MAX - 1 && !(t->n > 0 && strstr(t->text, words))) {
		ssize_t k =
			poll(&p, 1, PATIENCE_S * 1000) == 1 ? read(t->master, t->text + t->n, TEXT_MAX - 1 - t->n) : -1;
		if (k <= 0)
			fail_msg("'%s' does not come: %s", words, t->n ? t->text : "");
		t->n += (size_t)k;
		t->text[t->n] = '\0';
	}
}

static void type(struct dialog *t, const char *keys)
{
	assert_int_equal(write(t->master, keys, strlen(keys)), strlen(keys));
}

static int finish(struct dialog *t)
{
	uint64_t until = io_now_us() + PATIENCE_S * 1000000ULL;
	int status = 0;
	char rest[1024];
	pid_t ended;

	/* On Linux the child's last output must be read before it can end in every case. */
	fcntl(t->master, F_SETFL, O_NONBLOCK);
	while ((ended = waitpid(t->pid, &status, WNOHANG)) == 0 && io_now_us() < until) {
		while (read(t->master, rest, sizeof(rest)) > 0)
			;
		poll(NULL, 0, 10);
	}
	close(t->master);
	if (ended != t->pid)
		fail_msg("it does not end: %s", t->n ? t->text : "");
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void test_only_yes_is_yes(void **state)
{
	static const struct {
		const char *keys;
		int outcome;
	} cases[] = {
		{ "y\n", CONSENT_APPROVED },
		{ "YES\n", CONSENT_APPROVED },
		{ "\n", CONSENT_REFUSED },
		{ "n\n", CONSENT_REFUSED },
		{ "\x04", CONSENT_REFUSED },
		{ "no\n", CONSENT_REFUSED },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct dialog t;
		start(*state, &t, ask);
		expect(&t, "[y/N]");
		assert_non_null(strstr(t.text, "node /srv/server.js"));
		assert_non_null(strstr(t.text, "may be dangerous"));
		type(&t, cases[i].keys);
		assert_int_equal(finish(&t), cases[i].outcome);
	}
}

static void test_another_word_is_asked_again_and_then_no(void **state)
{
	struct dialog t;

	start(*state, &t, ask);
	expect(&t, "[y/N]");
	for (int i = 0; i < 2; i++) {
		t.n = 0;
		type(&t, "yess\n");
		expect(&t, "answer yes or no.\r\nStart it? [y/N]");
	}
	type(&t, "sure\n");
	assert_int_equal(finish(&t), CONSENT_REFUSED);
}

/* CHILD_ERROR + 1: something was left for whoever reads the terminal next. */
static int ask_and_leave(struct world *w)
{
	struct pollfd p = { 0, POLLIN, 0 };
	int r = ask(w);

	return poll(&p, 1, 0) == 0 ? r : CHILD_ERROR + 1;
}

static void test_a_long_line_is_no_and_nothing_of_it_is_left_for_the_shell(void **state)
{
	struct dialog t;
	char line[200];

	memset(line, 'y', sizeof(line));
	line[sizeof(line) - 2] = '\n';
	line[sizeof(line) - 1] = '\0';
	start(*state, &t, ask_and_leave);
	expect(&t, "[y/N]");
	type(&t, line);
	assert_int_equal(finish(&t), CONSENT_REFUSED);
}

static int ask_late(struct world *w)
{
	int waiting = 0;

	/* The keys are in the terminal's queue before there is a question. */
	dprintf(1, "ready\n");
	while (ioctl(0, FIONREAD, &waiting) == 0 && waiting == 0)
		poll(NULL, 0, 10);
	return ask(w);
}

static void test_what_was_typed_before_is_no_answer(void **state)
{
	struct dialog t;

	start(*state, &t, ask_late);
	expect(&t, "ready");
	type(&t, "y\n");
	expect(&t, "[y/N]");
	type(&t, "\n");
	assert_int_equal(finish(&t), CONSENT_REFUSED);
}

static int ask_blocked(struct world *w)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return ask(w);
}

static void test_an_interrupt_is_no_even_when_signals_are_blocked(void **state)
{
	struct dialog t;

	start(*state, &t, ask_blocked);
	expect(&t, "[y/N]");
	type(&t, "\x03");
	assert_int_equal(finish(&t), CONSENT_REFUSED);
}

/* A supervisor has these blocked, for its signalfd. */
static int ask_with_a_signal_pending(int signal, struct world *w)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(signal);
	return ask(w);
}

static int ask_terminated(struct world *w)
{
	return ask_with_a_signal_pending(SIGTERM, w);
}

static int ask_hung_up(struct world *w)
{
	return ask_with_a_signal_pending(SIGHUP, w);
}

static void test_who_ends_the_program_while_it_asks_has_said_no(void **state)
{
	static const child_fn cases[] = { ask_terminated, ask_hung_up };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct dialog t;
		start(*state, &t, cases[i]);
		expect(&t, "[y/N]");
		assert_int_equal(finish(&t), CONSENT_REFUSED);
	}
}

static int ask_changed(struct world *w)
{
	struct effective before;

	make_launch(&before, "x", "/before");
	if (consent_remember(&w->paths, &before, "terminal", &w->lineage, NULL) < 0)
		return CHILD_ERROR + 1;
	return ask(w);
}

static void test_what_changed_since_the_last_yes_is_in_the_question(void **state)
{
	struct dialog t;

	start(*state, &t, ask_changed);
	expect(&t, "[y/N]");
	assert_non_null(strstr(t.text, "+ may read: /data"));
	assert_non_null(strstr(t.text, "- may read: /before"));
	type(&t, "y\n");
	assert_int_equal(finish(&t), CONSENT_APPROVED);
}

/* What was approved before cannot be told: the question would hide what changed, so there is none. */
static int ask_beside_a_state_of_others(struct world *w)
{
	struct diag d = { "" };
	struct effective e;
	int fd = -1;

	make_launch(&e, "x", "/data");
	if (paths_open_state(&w->paths, "approvals", &fd, &d) < 0 || fchmod(fd, 0777) < 0)
		return CHILD_ERROR + 1;
	int r = list_and_ask(w, &e, &d);
	return r < 0 && d.text[0] ? CHILD_ERROR : r;
}

static void test_a_question_that_cannot_be_whole_is_not_asked(void **state)
{
	struct dialog t;

	start(*state, &t, ask_beside_a_state_of_others);
	assert_int_equal(finish(&t), CHILD_ERROR);
}

static int width(struct world *w)
{
	return (int)consent_width();
}

static int width_elsewhere(struct world *w)
{
	int null = open("/dev/null", O_RDWR);

	dup2(null, 2);
	return (int)consent_width();
}

static void test_the_width_is_that_of_the_terminal_behind_the_words(void **state)
{
	struct dialog t;

	start(*state, &t, width);
	assert_int_equal(finish(&t), 80);
	start(*state, &t, width_elsewhere);
	assert_int_equal(finish(&t), 0);
}

static int ours(struct world *w)
{
	return consent_terminal_is_ours();
}

static int not_ours_when(int fd)
{
	int null = open("/dev/null", O_RDWR);

	dup2(null, fd);
	return consent_terminal_is_ours();
}

static int stdin_elsewhere(struct world *w)
{
	return not_ours_when(0);
}

static int stdout_elsewhere(struct world *w)
{
	return not_ours_when(1);
}

static int stderr_elsewhere(struct world *w)
{
	return not_ours_when(2);
}

static int in_the_background(struct world *w)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		setpgid(0, 0);
		_exit(consent_terminal_is_ours());
	}
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

/* A client that lives in a terminal starts servers with pipes, or in a session of their own: its keystrokes are not for
 * us. */
static int of_another_session(struct world *w)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		setsid();
		_exit(consent_terminal_is_ours());
	}
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

static void test_the_terminal_is_ours_only_in_its_foreground(void **state)
{
	static const struct {
		child_fn fn;
		int ours;
	} cases[] = {
		{ ours, 1 },
		{ stdin_elsewhere, 0 },
		{ stdout_elsewhere, 0 },
		{ stderr_elsewhere, 0 },
		{ in_the_background, 0 },
		{ of_another_session, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct dialog t;
		start(*state, &t, cases[i].fn);
		if (finish(&t) != cases[i].ours)
			fail_msg("case %zu", i);
	}
}

enum { CHOSEN = 100 };

/* A launch waits; this terminal's person looks at the list. The outcome of the launch, plus CHOSEN when approve said 0.
 */
static int choose(struct world *w)
{
	static const struct approvals none;
	const struct approve_waiting aw = { &w->paths, &w->lineage };
	struct pendings l = { 0 };
	struct effective e;
	int status, chosen;
	pid_t pid;

	make_launch(&e, "x", "/data");
	pid = fork();
	if (pid == 0) {
		const struct consent_wait c = { &w->paths, &none, &e, &w->lineage, -1, -1, PATIENCE_S };
		struct diag d = { "" };
		setpgid(0, 0);
		_exit(consent_wait(&c, &d));
	}
	while (l.n == 0) {
		poll(NULL, 0, 10);
		if (pending_list(&w->paths, &l, NULL) < 0)
			return CHILD_ERROR;
	}
	chosen = approve_waiting_choose(&aw);
	if (chosen == 2) /* nothing was answered: the launch would go on waiting */
		kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status))
		return chosen;
	return WEXITSTATUS(status) + (chosen == 0 ? CHOSEN : 0);
}

static void test_what_waits_is_chosen_by_its_number(void **state)
{
	static const struct {
		const char *number, *answer;
		int outcome;
	} cases[] = {
		{ "1\n", "n\n", CONSENT_REFUSED },
		{ "2\n", NULL, 2 },
		{ "x\n", NULL, 2 },
		{ "1\n", "y\n", CONSENT_APPROVED + CHOSEN },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct dialog t;
		start(*state, &t, choose);
		expect(&t, "  1  x, waiting");
		expect(&t, "Enter: none): ");
		type(&t, cases[i].number);
		if (cases[i].answer) {
			expect(&t, "[y/N]");
			assert_non_null(strstr(t.text, "Asked for by"));
			type(&t, cases[i].answer);
		}
		if (finish(&t) != cases[i].outcome)
			fail_msg("case %zu: %s", i, t.text);
	}
}

static int held = -1; /* the entry that its session has locked */

static int ask_about_call(struct world *w)
{
	static char session[] = "s", server[] = "github", tool[] = "create_issue", none[] = "";
	const struct approve_waiting aw = { &w->paths, &w->lineage };
	const struct call_entry e = { .name = "s.1",
		.session = session,
		.server = server,
		.client = none,
		.tool = tool,
		.arguments = none,
		.rule = none };

	close(held); /* of this process */
	return approve_calls_ask(&aw, &e);
}

static void test_the_question_about_a_call_goes_when_the_call_waits_no_longer(void **state)
{
	struct world *w = *state;
	_cleanup_close_ int dir = -1;
	struct dialog t;

	assert_int_equal(paths_open_runtime(&w->paths, CALL_DIR, &dir, NULL), 0);
	held = openat(dir, "s.1", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	assert_int_equal(flock(held, LOCK_EX), 0);
	start(w, &t, ask_about_call);
	expect(&t, "no: ");
	close(steal_fd(&held));
	expect(&t, "the call waits no longer");
	assert_int_equal(finish(&t), EXIT_REFUSED);
	unlinkat(dir, "s.1", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_only_yes_is_yes, world_up, world_down),
		cmocka_unit_test_setup_teardown(test_another_word_is_asked_again_and_then_no, world_up, world_down),
		cmocka_unit_test_setup_teardown(
			test_a_long_line_is_no_and_nothing_of_it_is_left_for_the_shell, world_up, world_down),
		cmocka_unit_test_setup_teardown(
			test_the_question_about_a_call_goes_when_the_call_waits_no_longer, world_up, world_down),
		cmocka_unit_test_setup_teardown(test_what_was_typed_before_is_no_answer, world_up, world_down),
		cmocka_unit_test_setup_teardown(
			test_an_interrupt_is_no_even_when_signals_are_blocked, world_up, world_down),
		cmocka_unit_test_setup_teardown(
			test_who_ends_the_program_while_it_asks_has_said_no, world_up, world_down),
		cmocka_unit_test_setup_teardown(
			test_what_changed_since_the_last_yes_is_in_the_question, world_up, world_down),
		cmocka_unit_test_setup_teardown(
			test_a_question_that_cannot_be_whole_is_not_asked, world_up, world_down),
		cmocka_unit_test_setup_teardown(
			test_the_width_is_that_of_the_terminal_behind_the_words, world_up, world_down),
		cmocka_unit_test_setup_teardown(test_what_waits_is_chosen_by_its_number, world_up, world_down),
		cmocka_unit_test_setup_teardown(test_the_terminal_is_ours_only_in_its_foreground, world_up, world_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
