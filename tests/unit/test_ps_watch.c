/* SPDX-License-Identifier: Apache-2.0 */
/* test_ps_watch - what is counted for ps, and how it is drawn again and again */
#include "tests/unit/session_entries.h"
#include <poll.h>
#include <sys/ioctl.h>
#include "base/io.h"
#include "supervisor/ps/counting.h"
#include "supervisor/ps/watch.h"
#include "wire/dial.h"

static const char id_a[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", id_b[] = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

enum { SCREEN_MAX = 64 << 10, PATIENCE_MS = 60000 };

/* --- counting --- */

static struct event net_event(enum event_type type, uint64_t id, enum dial_status status)
{
	struct event e = { .type = type, .call_id = id, .side = EVENT_FROM_SERVER, .decision = EVENT_ALLOW };

	if (type == EVENT_NET_CONNECT)
		snprintf(e.status, sizeof(e.status), "%s", dial_status_words(status));
	return e;
}

static void a_connection_is_open_from_the_record_of_dial_to_that_of_the_gateway(void **state)
{
	static const struct {
		enum event_type type;
		uint64_t id;
		enum dial_status status;
		uint64_t open, total;
	} cases[] = {
		{ EVENT_NET_CONNECT, 1, DIAL_OK, 1, 1 },
		{ EVENT_NET_CONNECT, 2, DIAL_OK, 2, 2 },
		{ EVENT_NET_CONNECT, 3, DIAL_FORBIDDEN, 2, 2 }, /* never made */
		{ EVENT_NET_CLOSE, 1, DIAL_OK, 1, 2 },
		{ EVENT_NET_CLOSE, 1, DIAL_OK, 1, 2 },	 /* no second time */
		{ EVENT_NET_CLOSE, 4, DIAL_OK, 1, 2 },	 /* heard of through the other socket first */
		{ EVENT_NET_CONNECT, 4, DIAL_OK, 1, 3 }, /* over already */
		{ EVENT_NET_CLOSE, 2, DIAL_OK, 0, 3 },
	};
	struct counting c = { .n_open = 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct event e = net_event(cases[i].type, cases[i].id, cases[i].status);
		counting_take(&c, &e, 1);
		assert_int_equal(c.now.connections_open, cases[i].open);
		assert_int_equal(c.now.connections, cases[i].total);
	}
	/* Of those that were closed and never opened, only so many are kept. */
	for (uint64_t id = 100; id < 100 + 3 * COUNTING_EARLY; id++) {
		struct event e = net_event(EVENT_NET_CLOSE, id, DIAL_OK);
		counting_take(&c, &e, 1);
	}
	assert_int_equal(c.n_early, COUNTING_EARLY);
	assert_int_equal(c.now.connections_open, 0);
}

static void calls_are_counted_by_the_minute(void **state)
{
	const struct event call = { .type = EVENT_CALL }, denied = { .type = EVENT_REQUEST, .decision = EVENT_DENY };
	struct counting c = { .n_open = 0 };

	(void)state;
	counting_take(&c, &call, 5 * (uint64_t)REGISTRY_MINUTE_US);
	counting_take(&c, &call, 5 * (uint64_t)REGISTRY_MINUTE_US + 1);
	counting_take(&c, &denied, 5 * (uint64_t)REGISTRY_MINUTE_US + 2);
	assert_int_equal(c.now.calls, 2);
	assert_int_equal(c.now.denials, 1);
	assert_int_equal(c.now.calls_now, 2);
	counting_take(&c, &call, 6 * (uint64_t)REGISTRY_MINUTE_US);
	assert_int_equal(c.now.calls_before, 2);
	assert_int_equal(c.now.calls_now, 1);
	counting_take(&c, &call, 9 * (uint64_t)REGISTRY_MINUTE_US);
	assert_int_equal(c.now.calls_before, 0);
	assert_int_equal(c.now.calls, 4);
}

/* --- frames --- */

static void a_frame_is_cut_to_the_screen_and_clears_only_what_it_leaves(void **state)
{
	static const struct {
		const char *text;
		unsigned columns, rows;
		const char *frame;
	} cases[] = {
		{ "", 80, 24, "\033[H\033[J" },
		{ "one\ntwo\n", 80, 24, "\033[Hone\033[K\r\ntwo\033[K\033[J" },
		{ "123456\n", 4, 24, "\033[H1234\033[K\033[J" },
		{ "\xc3\xbc\xc3\xbc\xc3\xbc\n", 2, 24, "\033[H\xc3\xbc\xc3\xbc\033[K\033[J" },
		/* Two columns each: half of one is not shown. */
		{ "\xe6\xbc\xa2\xe5\xad\x97\n", 3, 24, "\033[H\xe6\xbc\xa2\033[K\033[J" },
		{ "1\n2\n3\n", 80, 3, "\033[H1\033[K\r\n2\033[K\r\n3\033[K\033[J" },
		{ "1\n2\n3\n4\n", 80, 3, "\033[H1\033[K\r\n2\033[K\r\n... and 2 more\033[K\033[J" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT(SCREEN_MAX);
		assert_int_equal(watch_frame(cases[i].text, cases[i].columns, cases[i].rows, &b), 0);
		assert_string_equal(b.data, cases[i].frame);
	}
}

/* --- watching --- */

struct watcher {
	pid_t pid;
	int fd; /* what it writes comes out here */
	char text[SCREEN_MAX];
	size_t n;
};

static int open_terminal(int *ret_slave)
{
	struct winsize size = { .ws_row = 6, .ws_col = 40 };
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	*ret_slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(*ret_slave >= 0);
	assert_int_equal(ioctl(*ret_slave, TIOCSWINSZ, &size), 0);
	return master;
}

static struct watcher watch(const struct world *w, bool terminal, bool json)
{
	struct watcher r = { .fd = -1 };
	int out = -1, pipes[2];

	if (terminal) {
		r.fd = open_terminal(&out);
	} else {
		assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
		r.fd = pipes[0];
		out = pipes[1];
	}
	fflush(NULL);
	r.pid = fork();
	if (r.pid == 0) {
		const struct watch_options o = { .json = json, .interval = 1 };
		struct diag d = { "" };
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGPIPE, SIG_IGN);
		dup2(out, STDOUT_FILENO);
		close(out);
		close(r.fd);
		_exit(watch_run(&w->paths, &o, &d) == 0 ? 0 : 1);
	}
	close(out);
	return r;
}

/* Reads until the words are there n times. */
static void wait_for(struct watcher *w, const char *words, unsigned n)
{
	for (;;) {
		struct pollfd p = { .fd = w->fd, .events = POLLIN };
		unsigned found = 0;
		for (const char *at = w->text; (at = strstr(at, words)); at++)
			found++;
		if (found >= n)
			return;
		assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
		ssize_t got = read(w->fd, w->text + w->n, sizeof(w->text) - 1 - w->n);
		if (got <= 0)
			fail_msg("no '%s' in: %s", words, w->text);
		w->n += (size_t)got;
		w->text[w->n] = '\0';
	}
}

static int end(struct watcher *w, int signal)
{
	int status;

	if (signal)
		kill(w->pid, signal);
	assert_int_equal(waitpid(w->pid, &status, 0), w->pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void a_terminal_is_drawn_over_and_given_back(void **state)
{
	struct watcher w;

	put_session(*state, &(struct session_entry){ .id = id_a, .name = "notes", .pid = getpid() });
	w = watch(*state, true, false);
	wait_for(&w, "\033[J", 2);
	put_session(*state, &(struct session_entry){ .id = id_b, .name = "time", .pid = getpid() });
	wait_for(&w, "time", 1);
	assert_int_equal(end(&w, SIGINT), 0);
	wait_for(&w, "\033[?25h\033[?1049l", 1);
	assert_memory_equal(w.text, "\033[?1049h\033[?25l\033[H", 17);
	assert_null(strstr(w.text, "\033[2J"));
	/* 40 columns: the heading ends there. */
	assert_non_null(strstr(w.text, "SESSION       SERVER                    \033[K"));
	close(w.fd);
}

static void a_new_size_of_the_terminal_is_drawn_at_once(void **state)
{
	struct winsize size = { .ws_row = 6, .ws_col = 10 };
	struct watcher w;

	put_session(*state, &(struct session_entry){ .id = id_a, .name = "notes", .pid = getpid() });
	w = watch(*state, true, false);
	wait_for(&w, "\033[J", 1);
	assert_int_equal(ioctl(w.fd, TIOCSWINSZ, &size), 0);
	kill(w.pid, SIGWINCH);
	wait_for(&w, "\r\nSESSION   \033[K", 1);
	assert_int_equal(end(&w, SIGTERM), 0);
	close(w.fd);
}

#define ENTER "\033[?1049h\033[?25l"
#define LEAVE "\033[?25h\033[?1049l"

static void stop(const struct watcher *w, int signal)
{
	int status;

	kill(w->pid, signal);
	assert_int_equal(waitpid(w->pid, &status, WUNTRACED), w->pid);
	assert_true(WIFSTOPPED(status));
}

static void a_terminal_is_given_back_while_it_is_stopped_and_taken_again(void **state)
{
	struct watcher w;

	put_session(*state, &(struct session_entry){ .id = id_a, .name = "notes", .pid = getpid() });
	w = watch(*state, true, false);
	wait_for(&w, "\033[J", 1);
	stop(&w, SIGTSTP);
	wait_for(&w, LEAVE, 1);
	assert_string_equal(w.text + w.n - strlen(LEAVE), LEAVE);
	put_session(*state, &(struct session_entry){ .id = id_b, .name = "time", .pid = getpid() });
	kill(w.pid, SIGCONT);
	wait_for(&w, "time", 1);
	const char *again = strstr(strstr(w.text, LEAVE), ENTER);
	assert_non_null(again);
	assert_non_null(strstr(again, "time"));
	assert_int_equal(end(&w, SIGINT), 0);
	wait_for(&w, LEAVE, 2);
	assert_string_equal(w.text + w.n - strlen(LEAVE), LEAVE);
	close(w.fd);
}

/* Nobody can be told of SIGSTOP: the terminal is taken again, since the shell has drawn its own. */
static void after_a_stop_from_outside_the_terminal_is_taken_again(void **state)
{
	struct watcher w;

	put_session(*state, &(struct session_entry){ .id = id_a, .name = "notes", .pid = getpid() });
	w = watch(*state, true, false);
	wait_for(&w, "\033[J", 1);
	stop(&w, SIGSTOP);
	kill(w.pid, SIGCONT);
	wait_for(&w, ENTER "\033[H", 2);
	assert_int_equal(end(&w, SIGINT), 0);
	close(w.fd);
}

static void each_tick_is_one_document_on_one_line(void **state)
{
	struct watcher w;
	char *line, *rest;
	json_t *list;

	put_session(*state, &(struct session_entry){ .id = id_a, .name = "notes", .pid = getpid() });
	w = watch(*state, false, true);
	wait_for(&w, "\n", 2);
	assert_int_equal(end(&w, SIGINT), 0);
	rest = w.text;
	for (unsigned i = 0; i < 2; i++) {
		line = strsep(&rest, "\n");
		list = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
		assert_int_equal(json_array_size(list), 1);
		json_decref(list);
	}
	assert_null(strchr(w.text, '\033'));
	close(w.fd);
}

static void a_pipe_gets_lists_one_after_the_other_and_ends_with_its_reader(void **state)
{
	struct watcher w = watch(*state, false, false);

	wait_for(&w, "  0 sessions\n\n", 2);
	assert_null(strchr(w.text, '\033'));
	close(w.fd);
	assert_int_equal(end(&w, 0), 0);
}

int main(void)
{
#define ROW(f) cmocka_unit_test_setup_teardown(f, world_up, world_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_is_open_from_the_record_of_dial_to_that_of_the_gateway),
		cmocka_unit_test(calls_are_counted_by_the_minute),
		cmocka_unit_test(a_frame_is_cut_to_the_screen_and_clears_only_what_it_leaves),
		ROW(a_terminal_is_drawn_over_and_given_back),
		ROW(a_new_size_of_the_terminal_is_drawn_at_once),
		ROW(a_terminal_is_given_back_while_it_is_stopped_and_taken_again),
		ROW(after_a_stop_from_outside_the_terminal_is_taken_again),
		ROW(each_tick_is_one_document_on_one_line),
		ROW(a_pipe_gets_lists_one_after_the_other_and_ends_with_its_reader),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
