/* SPDX-License-Identifier: Apache-2.0 */
/* test_kill - entries of the kill switch: what they say, what is left of them when they are damaged, and who is
 * believed */
#include "tests/unit/consent_world.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include "base/fs.h"
#include "supervisor/bundle/bundle.h"
#include "supervisor/kill/kill_bundle.h"
#include "supervisor/kill/kill_order.h"
#include "supervisor/kill/kill_set.h"
#include "supervisor/kill/kill_tell.h"
#include "supervisor/kill/kill_watch.h"
#include "supervisor/kill/kill_write.h"
#include "tests/unit/no_inotify.h"

static const char WHOLE[] = "{\"stockade\":1,\"server\":\"github\",\"tool\":\"delete_repo\",\"who\":\"alice\","
			    "\"when\":\"2026-10-01T12:00:00Z\",\"why\":\"SEC-1\"}";
static const char OF_SERVER[] = "{\"stockade\":1,\"server\":\"github\",\"who\":\"alice\","
				"\"when\":\"2026-10-01T12:00:00Z\",\"why\":\"SEC-1\"}";

static void an_entry_says_what_is_killed_by_whom_since_when_and_why(void **state)
{
	_cleanup_kill_entry_ struct kill_entry e = { 0 }, again = { 0 };
	char words[KILL_WORDS_SIZE];

	(void)state;
	assert_int_equal(kill_entry_parse(WHOLE, strlen(WHOLE), &e), 0);
	assert_string_equal(e.server, "github");
	assert_string_equal(e.tool, "delete_repo");
	assert_string_equal(kill_entry_by(&e, words, sizeof(words)), "by alice since 2026-10-01T12:00:00Z: SEC-1");
	assert_string_equal(kill_entry_what(&e, words, sizeof(words)), "tool 'delete_repo' of server 'github'");
	assert_true(kill_entry_hits_tool(&e, "github", "delete_repo"));
	assert_false(kill_entry_hits_tool(&e, "github", "delete_repos"));
	assert_false(kill_entry_hits_tool(&e, "gitlab", "delete_repo"));
	assert_false(kill_entry_hits_server(&e, "github"));
	_cleanup_free_ char *text = kill_entry_text(&e);
	assert_int_equal(kill_entry_parse(text, strlen(text), &again), 0);
	assert_string_equal(again.tool, e.tool);
	assert_string_equal(again.why, e.why);
}

static void what_is_wrong_in_an_entry_never_makes_it_kill_less(void **state)
{
	static const struct {
		const char *text, *server;
	} rows[] = {
		{ "", "*" },
		{ "[]", "*" },
		{ "null", "*" },
		{ "{}", "*" },
		{ "{\"stockade\":1}", "*" },
		{ "{\"stockade\":1,\"server\":7,\"who\":\"a\",\"when\":\"2026-10-01\",\"why\":\"\"}", "*" },
		{ "{\"stockade\":1,\"server\":\"\",\"who\":\"a\",\"when\":\"2026-10-01\",\"why\":\"\"}", "*" },
		{ "{\"stockade\":1,\"server\":\"x\",\"server\":\"y\",\"who\":\"a\",\"when\":\"2026-10-01\",\"why\":"
		  "\"\"}",
			"*" },
		{ "{\"stockade\":2,\"server\":\"x\",\"who\":\"a\",\"when\":\"2026-10-01\",\"why\":\"\"}", "x" },
		{ "{\"server\":\"x\",\"who\":\"a\",\"when\":\"2026-10-01\",\"why\":\"\"}", "x" },
		{ "{\"stockade\":1,\"server\":\"x\",\"when\":\"2026-10-01\",\"why\":\"\"}", "x" },
		{ "{\"stockade\":1,\"server\":\"x\",\"who\":\"a\",\"when\":\"soon\",\"why\":\"\"}", "x" },
		{ "{\"stockade\":1,\"server\":\"x\",\"who\":\"a\",\"when\":\"2026-10-01\"}", "x" },
		/* What narrows it is not believed. */
		{ "{\"stockade\":1,\"server\":\"x\",\"tool\":\"t\",\"who\":\"a\",\"when\":\"2026-10-01\",\"why\":\"\","
		  "\"until\":1}",
			"x" },
		{ "{\"stockade\":1,\"server\":\"x\",\"tool\":[\"t\"],\"who\":\"a\",\"when\":\"2026-10-01\",\"why\":"
		  "\"\"}",
			"x" },
		{ "{\"stockade\":1,\"server\":\"x\",\"tool\":\"\",\"who\":\"a\",\"when\":\"2026-10-01\",\"why\":\"\"}",
			"x" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_kill_entry_ struct kill_entry e = { 0 };
		if (kill_entry_parse(rows[i].text, strlen(rows[i].text), &e) != KILL_DAMAGED || !e.damaged || e.tool ||
			strcmp(e.server, rows[i].server) != 0)
			fail_msg("%s: %s of %s, %s", rows[i].text, e.tool ? e.tool : "all", e.server, e.damaged);
	}
}

static void the_name_of_a_file_says_what_it_kills_and_can_be_read_back(void **state)
{
	static const struct {
		const char *server, *tool, *file;
	} rows[] = {
		{ "*", NULL, "all.json" },
		{ "all", NULL, "server.all.json" },
		{ "github", NULL, "server.github.json" },
		{ "db-*", NULL, "server.db-%2a.json" },
		{ "a@b", NULL, "server.a%40b.json" },
		{ "a/../b", NULL, "server.a%2f..%2fb.json" },
		{ "github", "delete_repo", "tool.github@delete_repo.json" },
		{ "*", "rm", "tool.%2a@rm.json" },
		{ "a.json", "x@y", "tool.a.json@x%40y.json" },
		{ "\xc3\xa4", "%", "tool.%c3%a4@%25.json" },
	};
	char name[KILL_FILE_NAME_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_free_ char *server = NULL, *tool = NULL;
		assert_int_equal(kill_entry_file_name(rows[i].server, rows[i].tool, name), 0);
		assert_string_equal(name, rows[i].file);
		assert_int_equal(kill_entry_of_name(name, &server, &tool), 0);
		assert_string_equal(server, rows[i].server);
		assert_true(tool ? rows[i].tool && strcmp(tool, rows[i].tool) == 0 : !rows[i].tool);
	}
}

static void no_other_name_is_taken_for_one(void **state)
{
	static const char *const names[] = { "SEC-1.json", "server.json", "server..json.x", "server.%2A.json",
		"server.%2.json", "server.%00.json", "server.%61.json", "server.a@b.json", "tool.a.json",
		"tool.a@.json", "tool.@b.json", "tool.a@b@c.json", "server.*.json", "all.json.json", "Server.a.json",
		"server.a", "", ".json" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		_cleanup_free_ char *server = NULL, *tool = NULL;
		if (kill_entry_of_name(names[i], &server, &tool) != -EINVAL)
			fail_msg("%s: %s", names[i], server);
	}
}

/* --- directories --- */

static char *directory(const struct world *w)
{
	struct diag d = { "" };
	char *path;
	int fd = -1;

	assert_int_equal(paths_open_state(&w->paths, KILL_DIR, &fd, &d), 0);
	close(fd);
	assert_true(asprintf(&path, "%s/" KILL_DIR, w->paths.state) > 0);
	return path;
}

static void put(const char *dir, const char *name, const char *bytes, size_t n)
{
	_cleanup_free_ char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", dir, name) > 0);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), (ssize_t)n);
	close(fd);
}

static void read_own(const struct world *w, const char *dir, struct kill_set *ret)
{
	*ret = (struct kill_set){ 0 };
	assert_int_equal(kill_set_read_dir(dir, KILL_BY_USER, w->paths.uid, ret), 0);
}

static bool kills(const struct world *w, const char *dir, const char *server, const char *tool)
{
	_cleanup_kill_set_ struct kill_set set = { 0 };

	read_own(w, dir, &set);
	return kill_set_server(&set, server) || (tool && kill_set_tool(&set, server, tool));
}

static void every_truncation_and_every_changed_byte_of_its_structure_still_kills(void **state)
{
	struct world *w = *state;
	_cleanup_free_ char *dir = directory(w);
	char bytes[sizeof(WHOLE)];

	for (size_t n = 0; n < strlen(WHOLE); n++) {
		put(dir, "tool.github@delete_repo.json", WHOLE, n);
		assert_true(kills(w, dir, "github", "delete_repo"));
		assert_false(kills(w, dir, "gitlab", "delete_repo"));
	}
	for (size_t i = 0; i < strlen(WHOLE); i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			memcpy(bytes, WHOLE, sizeof(bytes));
			bytes[i] = (char)(bytes[i] ^ (1 << bit));
			put(dir, "tool.github@delete_repo.json", bytes, strlen(WHOLE));
			if (!kills(w, dir, "github", "delete_repo"))
				fail_msg("byte %zu, bit %u: %s", i, bit, bytes);
		}
}

static void a_damaged_entry_of_another_name_kills_what_can_be_read_of_it_or_everything(void **state)
{
	struct world *w = *state;
	_cleanup_free_ char *dir = directory(w);

	put(dir, "SEC-1.json", WHOLE, strlen(WHOLE));
	assert_false(kills(w, dir, "github", NULL));
	assert_true(kills(w, dir, "github", "delete_repo"));
	for (size_t n = 0; n < strlen(WHOLE); n++) {
		put(dir, "SEC-1.json", WHOLE, n);
		assert_true(kills(w, dir, "anything", NULL));
	}
	put(dir, "SEC-1.json", "{\"stockade\":1,\"server\":\"github\"}", 32);
	assert_true(kills(w, dir, "github", NULL));
	assert_false(kills(w, dir, "gitlab", NULL));
}

static void an_entry_that_says_something_else_than_its_name_kills_both(void **state)
{
	struct world *w = *state;
	_cleanup_free_ char *dir = directory(w);

	put(dir, "server.gitlab.json", OF_SERVER, strlen(OF_SERVER));
	assert_true(kills(w, dir, "gitlab", NULL) && kills(w, dir, "github", NULL));
	assert_false(kills(w, dir, "other", NULL));
}

static void expect_all_killed(const struct world *w, const char *dir, const char *words)
{
	_cleanup_kill_set_ struct kill_set set = { 0 };
	const struct kill_entry *e;

	read_own(w, dir, &set);
	e = kill_set_server(&set, "anything");
	if (!e || !e->damaged || !strstr(e->damaged, words) || !strstr(e->damaged, "mend"))
		fail_msg("%s: %s", words, e ? e->damaged : "nothing is killed");
}

static void a_directory_that_cannot_be_believed_kills_everything(void **state)
{
	struct world *w = *state;
	_cleanup_free_ char *dir = directory(w);
	char name[32];

	assert_false(kills(w, dir, "anything", NULL));
	assert_int_equal(chmod(dir, 0722), 0);
	expect_all_killed(w, dir, "others can write");
	assert_int_equal(chmod(dir, 0700), 0);
	assert_false(kills(w, dir, "anything", NULL));
	for (int i = 0; i <= KILL_ENTRIES_MAX; i++) {
		snprintf(name, sizeof(name), "entry.%d.json", i);
		put(dir, name, OF_SERVER, strlen(OF_SERVER));
	}
	expect_all_killed(w, dir, "more than 1024 entries");
	_cleanup_kill_set_ struct kill_set set = { 0 };
	assert_int_equal(kill_set_read_dir("/dev/null", KILL_BY_USER, w->paths.uid, &set), 0);
	assert_non_null(kill_set_server(&set, "anything"));
	kill_set_done(&set);
	assert_int_equal(kill_set_read_dir("/nowhere/kill.d", KILL_BY_ROOT, w->paths.uid, &set), 0);
	assert_int_equal(set.n, 0);
}

static void what_is_no_plain_file_of_the_users_kills_what_its_name_says(void **state)
{
	struct world *w = *state;
	_cleanup_free_ char *dir = directory(w), *path = NULL;

	assert_true(asprintf(&path, "%s/server.github.json", dir) > 0);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_true(kills(w, dir, "github", NULL));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_true(kills(w, dir, "github", NULL));
	assert_int_equal(unlink(path), 0);
	put(dir, "server.github.json", OF_SERVER, strlen(OF_SERVER));
	assert_int_equal(chmod(path, 0666), 0);
	assert_true(kills(w, dir, "github", NULL) && !kills(w, dir, "gitlab", NULL));
	assert_int_equal(unlink(path), 0);
	/* Who is just writing it has not said it yet, and what is no *.json is no entry. */
	put(dir, ".server.github.json", OF_SERVER, strlen(OF_SERVER));
	put(dir, "server.github.json.bak", OF_SERVER, strlen(OF_SERVER));
	assert_false(kills(w, dir, "github", NULL));
}

static void an_entry_is_written_where_it_is_read_and_taken_away_again(void **state)
{
	struct world *w = *state;
	_cleanup_free_ char *dir = directory(w);
	_cleanup_kill_set_ struct kill_set set = { 0 };
	_cleanup_kill_written_ struct kill_written written = KILL_WRITTEN_NONE;
	_cleanup_kill_entry_ struct kill_entry e = { 0 };
	char tool[KILL_NAME_MAX + 1];
	struct diag d = { "" };

	assert_int_equal(kill_entry_parse(WHOLE, strlen(WHOLE), &e), 0);
	/* A name that no file can have. */
	memset(tool, 'x', sizeof(tool) - 1);
	tool[sizeof(tool) - 1] = '\0';
	free(e.tool);
	e.tool = strdup(tool);
	assert_int_equal(kill_write(&w->paths, &e, &written, &d), 0);
	assert_int_equal(kill_write_sync(&written, &d), 0);
	read_own(w, dir, &set);
	assert_int_equal(set.n, 1);
	assert_non_null(kill_set_tool(&set, "github", tool));
	assert_int_equal(kill_remove(&set.v[0], &d), 0);
	kill_set_done(&set);
	read_own(w, dir, &set);
	assert_int_equal(set.n, 0);
}

static void what_a_bundle_kills_is_killed_and_what_is_damaged_there_kills_more(void **state)
{
	static const char list[] =
		"[{\"stockade\":1,\"server\":\"github\",\"tool\":\"t\",\"who\":\"IT\",\"when\":\"2026-10-01\","
		"\"why\":\"\"},{\"stockade\":1,\"server\":\"gitlab\",\"tool\":\"t\"}]";
	_cleanup_kill_set_ struct kill_set set = { 0 };
	json_t *j = json_loads(list, 0, NULL);

	(void)state;
	assert_int_equal(kill_set_add_list(&set, j, "/etc/stockade/bundle.json"), 0);
	json_decref(j);
	assert_non_null(kill_set_tool(&set, "github", "t"));
	assert_null(kill_set_server(&set, "github"));
	const struct kill_entry *e = kill_set_server(&set, "gitlab");
	assert_non_null(e);
	assert_int_equal(e->origin, KILL_BY_BUNDLE);
	assert_non_null(strstr(e->damaged, "/etc/stockade/bundle.json"));
}

static void launch_reads(struct kill_bundle *b, uint64_t version, const char *kills)
{
	_cleanup_kill_bundle_ struct kill_bundle from = { 0 };
	struct bundle read = {
		.file = (char *)(uintptr_t) "b.json", .version = version, .kills = json_loads(kills, 0, NULL)
	};

	assert_int_equal(kill_bundle_fill(&from, &read), 0);
	json_decref(read.kills);
	kill_bundle_take(b, &from);
	assert_int_equal(from.version, 0);
	assert_int_equal(from.set.n, 0);
}

static void what_a_launch_has_read_holds_unless_a_newer_one_is_known(void **state)
{
	static const char one[] =
		"[{\"stockade\":1,\"server\":\"github\",\"who\":\"IT\",\"when\":\"2026-10-01\",\"why\":\"\"}]";
	_cleanup_kill_bundle_ struct kill_bundle b = { 0 }, none = { 0 };

	(void)state;
	launch_reads(&b, 5, one);
	assert_int_equal(b.version, 5);
	assert_non_null(kill_set_server(&b.set, "github"));
	assert_string_equal(b.set.v[0].file, "b.json (kill)");
	launch_reads(&b, 4, "[]");
	assert_int_equal(b.version, 5);
	assert_non_null(kill_set_server(&b.set, "github"));
	kill_bundle_take(&b, &none);
	assert_int_equal(b.version, 5);
	launch_reads(&b, 6, "[]");
	assert_int_equal(b.version, 6);
	assert_null(kill_set_server(&b.set, "github"));
}

/* --- orders --- */

static void only_the_user_and_root_are_obeyed_and_what_is_no_order_is_none(void **state)
{
	struct world *w = *state;
	static const char *const others[] = { "", "K", "K{}", "X{}", "not", "K[]" };
	struct diag d = { "" };
	int dir = -1, sock = -1, pair[2], out = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct kill_order o;

	assert_int_equal(paths_open_runtime(&w->paths, "sessions", &dir, &d), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(kill_order_listen(dir, "me", &sock), 0);
	assert_int_equal(kill_order_receive(sock, getuid(), &o), -EAGAIN);
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		struct sockaddr_un to = { .sun_family = AF_UNIX };
		snprintf(to.sun_path, sizeof(to.sun_path), "/proc/self/fd/%d/me.kill", dir);
		assert_int_equal(sendto(out, others[i], strlen(others[i]), 0, (struct sockaddr *)&to, sizeof(to)),
			strlen(others[i]));
		assert_int_equal(kill_order_receive(sock, getuid(), &o), -EPROTO);
	}
	assert_int_equal(kill_order_send(out, dir, "me.kill", KILL_ORDER_KILL, OF_SERVER, pair[1]), 0);
	if (getuid() != 0)
		assert_int_equal(kill_order_receive(sock, getuid() + 1, &o), -EPROTO);
	else
		assert_int_equal(kill_order_receive(sock, getuid(), &o), 0);
	if (getuid() == 0)
		kill_order_done(&o);
	assert_int_equal(kill_order_send(out, dir, "me.kill", KILL_ORDER_KILL, OF_SERVER, pair[1]), 0);
	assert_int_equal(kill_order_receive(sock, getuid(), &o), 0);
	assert_string_equal(o.entry.server, "github");
	static const char id[] = "0123456789abcdef0123456789abcdef";
	kill_order_answer(&o, id, KILL_OBEYED, out);
	kill_order_done(&o);
	char heard[AUDIT_SESSION_ID_LEN + 1];
	enum kill_answer answer;
	int init = -1;
	assert_int_equal(kill_order_take_answer(pair[0], heard, &answer, &init), 0);
	assert_string_equal(heard, id);
	assert_true(answer == KILL_OBEYED && init >= 0);
	close(init);
	kill_order_forget(dir, "me", sock);
	assert_int_equal(kill_order_send(out, dir, "me.kill", KILL_ORDER_KILL, OF_SERVER, -1), -ENOENT);
	close(out);
	close(dir);
	close(pair[0]);
	close(pair[1]);
}

/* What other users' sessions are given: an answer comes through it, and no descriptor. */
static void an_answer_through_a_pipe_brings_no_descriptor_and_holds_up_nobody(void **state)
{
	static const char id[] = "0123456789abcdef0123456789abcdef";
	char heard[AUDIT_SESSION_ID_LEN + 1], bytes[KILL_HINT_SIZE];
	struct kill_order o = { .verb = KILL_ORDER_KILL };
	enum kill_answer answer;
	int pair[2], zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	unsigned n = 0;

	(void)state;
	assert_int_equal(kill_order_hints(pair), 0);
	assert_int_equal(kill_order_take_hint(pair[0], heard, &answer), -EAGAIN);
	o.answer = pair[1];
	kill_order_answer(&o, id, KILL_NOT_MEANT, zero);
	kill_order_answer(&o, id, KILL_OBEYED, zero);
	assert_int_equal(kill_order_take_hint(pair[0], heard, &answer), 0);
	assert_string_equal(heard, id);
	assert_int_equal(answer, KILL_NOT_MEANT);
	assert_int_equal(kill_order_take_hint(pair[0], heard, &answer), 0);
	assert_int_equal(answer, KILL_OBEYED);
	assert_int_equal(send(pair[1], "x", 1, 0), -1);
	assert_int_equal(errno, ENOTSOCK);
	/* As many as root tells of one user, and then nobody waits. */
	for (int i = 0; i < 4 * KILL_SESSIONS_MAX; i++)
		kill_order_answer(&o, id, KILL_OBEYED, -1);
	assert_int_equal(fcntl(pair[1], F_SETFL, 0), 0);
	kill_order_answer(&o, id, KILL_OBEYED, -1);
	while (kill_order_take_hint(pair[0], heard, &answer) == 0)
		n++;
	assert_in_range(n, KILL_SESSIONS_MAX, 4 * KILL_SESSIONS_MAX);
	/* What is none: too short, and of another form. */
	memset(bytes, 'x', sizeof(bytes));
	assert_int_equal(write(pair[1], bytes, sizeof(bytes) - 1), sizeof(bytes) - 1);
	assert_int_equal(kill_order_take_hint(pair[0], heard, &answer), -EPROTO);
	assert_int_equal(write(pair[1], bytes, sizeof(bytes)), sizeof(bytes));
	assert_int_equal(kill_order_take_hint(pair[0], heard, &answer), -EPROTO);
	close(zero);
	close(pair[0]);
	kill_order_done(&o);
}

/* --- the watch --- */

static bool wakes(const struct kill_watch *w)
{
	struct pollfd p = { .fd = w->fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void what_comes_and_goes_is_watched_for_also_where_there_is_no_directory_yet(void **state)
{
	struct world *w = *state;
	struct kill_watch watch = KILL_WATCH_NONE;
	struct diag d = { "" };
	int state_dir = -1;
	char path[512];

	assert_int_equal(paths_open_state(&w->paths, "", &state_dir, &d), 0);
	kill_watch_begin(&w->paths, &watch);
	assert_true(watch.fd >= 0 && !wakes(&watch));
	_cleanup_free_ char *dir = directory(w);
	assert_true(wakes(&watch));
	kill_watch_renew(&w->paths, &watch);
	assert_false(wakes(&watch));
	put(dir, "all.json", OF_SERVER, strlen(OF_SERVER));
	assert_true(wakes(&watch));
	kill_watch_renew(&w->paths, &watch);
	snprintf(path, sizeof(path), "%s/all.json", dir);
	assert_int_equal(unlink(path), 0);
	assert_true(wakes(&watch));
	kill_watch_renew(&w->paths, &watch);
	/* Another one in its place. */
	assert_int_equal(rmdir(dir), 0);
	kill_watch_renew(&w->paths, &watch);
	free(STEAL_PTR(dir));
	dir = directory(w);
	kill_watch_renew(&w->paths, &watch);
	assert_false(wakes(&watch));
	put(dir, "all.json", OF_SERVER, strlen(OF_SERVER));
	assert_true(wakes(&watch));
	assert_int_equal(kill_watch_look_ms(&watch), KILL_LOOK_MS);
	kill_watch_done(&watch);
	close(state_dir);
}

static void without_inotify_it_is_looked_often(void **state)
{
	struct world *w = *state;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct kill_watch watch = KILL_WATCH_NONE;
		if (!no_inotify())
			_exit(2);
		kill_watch_begin(&w->paths, &watch);
		_exit(watch.fd >= 0 || kill_watch_look_ms(&watch) != KILL_POLL_MS);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_says_what_is_killed_by_whom_since_when_and_why),
		cmocka_unit_test(what_is_wrong_in_an_entry_never_makes_it_kill_less),
		cmocka_unit_test(the_name_of_a_file_says_what_it_kills_and_can_be_read_back),
		cmocka_unit_test(no_other_name_is_taken_for_one),
		cmocka_unit_test_setup_teardown(
			every_truncation_and_every_changed_byte_of_its_structure_still_kills, world_up, world_down),
		cmocka_unit_test_setup_teardown(
			a_damaged_entry_of_another_name_kills_what_can_be_read_of_it_or_everything, world_up,
			world_down),
		cmocka_unit_test_setup_teardown(
			an_entry_that_says_something_else_than_its_name_kills_both, world_up, world_down),
		cmocka_unit_test_setup_teardown(
			a_directory_that_cannot_be_believed_kills_everything, world_up, world_down),
		cmocka_unit_test_setup_teardown(
			what_is_no_plain_file_of_the_users_kills_what_its_name_says, world_up, world_down),
		cmocka_unit_test_setup_teardown(
			an_entry_is_written_where_it_is_read_and_taken_away_again, world_up, world_down),
		cmocka_unit_test(what_a_bundle_kills_is_killed_and_what_is_damaged_there_kills_more),
		cmocka_unit_test(what_a_launch_has_read_holds_unless_a_newer_one_is_known),
		cmocka_unit_test_setup_teardown(
			only_the_user_and_root_are_obeyed_and_what_is_no_order_is_none, world_up, world_down),
		cmocka_unit_test(an_answer_through_a_pipe_brings_no_descriptor_and_holds_up_nobody),
		cmocka_unit_test_setup_teardown(
			what_comes_and_goes_is_watched_for_also_where_there_is_no_directory_yet, world_up, world_down),
		cmocka_unit_test_setup_teardown(without_inotify_it_is_looked_often, world_up, world_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
