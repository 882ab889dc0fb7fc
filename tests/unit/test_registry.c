/* SPDX-License-Identifier: Apache-2.0 */
/* test_registry - who runs is believed of processes that are there, and of nothing that merely lies there */
#include "tests/unit/consent_world.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include "base/fs.h"
#include "supervisor/registry.h"
#include "tests/unit/unprivileged.h"

enum { ENTRY_MAX = 1024 };

static const char id_a[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", id_b[] = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

static int sessions(const struct world *w)
{
	struct diag d;
	int fd = -1;

	assert_int_equal(paths_open_runtime(&w->paths, "sessions", &fd, &d), 0);
	return fd;
}

static void put(const struct world *w, const char *id, const char *suffix, const char *text, mode_t mode)
{
	_cleanup_close_ int dir = sessions(w), fd = -1;
	char name[64];

	snprintf(name, sizeof(name), "%s.%s", id, suffix);
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
}

static bool there(const struct world *w, const char *id, const char *suffix)
{
	_cleanup_close_ int dir = sessions(w);
	char name[64];

	snprintf(name, sizeof(name), "%s.%s", id, suffix);
	return faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static const char *entry(char ret[ENTRY_MAX], const char *id, long long pid, unsigned long long start, long long since)
{
	snprintf(ret, ENTRY_MAX,
		"{\"session\":\"%s\",\"name\":\"n\",\"client\":\"c\",\"writes\":[],\"pid\":%lld,\"start\":%llu,\"init_"
		"pid\":1,\"init_start\":1,\"since\":%lld}",
		id, pid, start, since);
	return ret;
}

static unsigned long long own_start(void)
{
	uint64_t start = 0;

	assert_int_equal(registry_start_time(getpid(), &start), 0);
	return start;
}

static size_t listed(const struct world *w)
{
	_cleanup_registry_ struct registry_list list = { 0 };
	struct diag d = { "" };

	if (registry_read(&w->paths, &list, &d) < 0)
		fail_msg("%s", d.text);
	return list.n;
}

static int add(const struct world *w, const char *name, const struct fs_grants *grants, struct registration *ret,
	struct diag *d)
{
	struct registry_args a = { .paths = &w->paths,
		.id = id_a,
		.name = name,
		.client = "editor < shell",
		.digest = "d",
		.lineage = &w->lineage,
		.grants = grants,
		.init_pid = getpid() };

	return registry_add(&a, ret, d);
}

static void a_session_is_listed_while_it_runs_with_its_counters_as_they_are(void **state)
{
	const struct world *w = *state;
	struct fs_grant v[] = { { .canonical = (char[]){ "/srv/read" } },
		{ .canonical = (char[]){ "/srv/write" }, .write = true } };
	struct fs_grants grants = { .v = v, .n = 2 };
	_cleanup_registry_ struct registry_list list = { 0 };
	struct registration r;
	struct diag d = { "" };

	assert_int_equal(add(w, "notes", &grants, &r, &d), 0);
	*r.counters = (struct registry_counters){ .calls = 3, .denials = 2, .last_us = 1 };
	assert_int_equal(registry_read(&w->paths, &list, &d), 0);
	assert_int_equal(list.n, 1);
	assert_string_equal(list.v[0].id, id_a);
	assert_string_equal(list.v[0].name, "notes");
	assert_string_equal(list.v[0].client, "editor < shell");
	assert_int_equal(list.v[0].pid, getpid());
	assert_int_equal(list.v[0].init_pid, getpid());
	assert_int_equal(list.v[0].init_start, own_start());
	assert_in_range(list.v[0].since, time(NULL) - 60, time(NULL) + 1);
	assert_int_equal(list.v[0].counters.calls, 3);
	assert_int_equal(list.v[0].counters.denials, 2);
	assert_int_equal(list.v[0].counters.last_us, 1);
	assert_int_equal(json_array_size(list.v[0].writes), 1);
	assert_string_equal(json_string_value(json_array_get(list.v[0].writes, 0)), "/srv/write");
	registration_done(&r);
	assert_int_equal(listed(w), 0);
	assert_false(there(w, id_a, "json") || there(w, id_a, "stat"));
	registration_done(&r);
}

static void one_id_is_one_session(void **state)
{
	const struct world *w = *state;
	struct registration r, other;
	struct diag d = { "" };

	assert_int_equal(add(w, "notes", NULL, &r, &d), 0);
	assert_true(add(w, "notes", NULL, &other, &d) < 0);
	assert_non_null(strstr(d.text, "cannot make the session's counters"));
	/* Whoever came second takes nothing from the first. */
	assert_int_equal(listed(w), 1);
	assert_true(there(w, id_a, "json") && there(w, id_a, "stat"));
	registration_done(&r);
	assert_int_equal(listed(w), 0);
}

static void a_name_that_cannot_be_written_leaves_nothing_behind(void **state)
{
	const struct world *w = *state;
	struct registration r;
	struct diag d = { "" };

	assert_true(add(w, "\xff", NULL, &r, &d) < 0);
	assert_non_null(strstr(d.text, "not UTF-8"));
	assert_false(there(w, id_a, "json") || there(w, id_a, "stat"));
}

static void the_dead_are_not_believed_and_their_files_go(void **state)
{
	const struct world *w = *state;
	char text[ENTRY_MAX];
	uint64_t start = 0;
	pid_t pid = fork();

	if (pid == 0) {
		pause();
		_exit(0);
	}
	assert_int_equal(registry_start_time(pid, &start), 0);
	put(w, id_a, "json", entry(text, id_a, pid, start, 1), 0600);
	put(w, id_a, "stat", "", 0600);
	assert_int_equal(listed(w), 1);
	kill(pid, SIGKILL);
	/* Before anybody has asked for its status: its number is still there. */
	siginfo_t info;
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	int fd;
	assert_int_equal(registry_open_verified(pid, start, &fd), -ESRCH);
	assert_int_equal(listed(w), 0);
	assert_false(there(w, id_a, "json") || there(w, id_a, "stat"));
	put(w, id_a, "json", entry(text, id_a, pid, start, 1), 0600);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(listed(w), 0);
	assert_false(there(w, id_a, "json"));
}

static void a_pid_that_another_process_has_now_is_not_the_session(void **state)
{
	const struct world *w = *state;
	char text[ENTRY_MAX];

	put(w, id_a, "json", entry(text, id_a, getpid(), own_start() + 1, 1), 0600);
	assert_int_equal(listed(w), 0);
	assert_false(there(w, id_a, "json"));
}

static void an_entry_under_the_name_of_another_is_not_believed(void **state)
{
	const struct world *w = *state;
	char text[ENTRY_MAX];

	put(w, id_a, "json", entry(text, id_b, getpid(), own_start(), 1), 0600);
	assert_int_equal(listed(w), 0);
}

/* Names of files are their user's to choose, and root looks at those of others. */
static void an_id_that_would_write_to_a_terminal_is_none(void **state)
{
	static const char file[] = "\033[2J\033]0;aaaaaaaaaaaaaaaaaaaaaaa\a",
			  json[] = "\\u001b[2J\\u001b]0;aaaaaaaaaaaaaaaaaaaaaaa\\u0007";
	const struct world *w = *state;
	char text[ENTRY_MAX];

	_Static_assert(sizeof(file) == AUDIT_SESSION_ID_LEN + 1, "as long as an id");
	put(w, file, "json", entry(text, json, getpid(), own_start(), 1), 0600);
	assert_int_equal(listed(w), 0);
}

static void an_entry_of_another_pid_namespace_is_listed_as_such(void **state)
{
	const struct world *w = *state;
	_cleanup_registry_ struct registry_list list = { 0 };
	struct diag d = { "" };
	char text[ENTRY_MAX], *end;

	/* Its number means nothing here: that no process has it is no sign that it has ended. */
	put(w, id_b, "json", entry(text, id_b, getpid(), own_start(), 1), 0600);
	entry(text, id_a, INT32_MAX, 1, 2);
	end = strrchr(text, '}');
	snprintf(end, ENTRY_MAX - (size_t)(end - text), ",\"pid_namespace\":%ju}",
		(uintmax_t)registry_pid_namespace() + 1);
	put(w, id_a, "json", text, 0600);
	assert_int_equal(registry_read(&w->paths, &list, &d), 0);
	assert_int_equal(list.n, 2);
	assert_false(list.v[0].foreign);
	assert_true(list.v[1].foreign);
	assert_string_equal(list.v[1].id, id_a);
}

/* After a restart of the machine the same number may have begun at the same time. */
static void an_entry_of_another_boot_is_not_believed(void **state)
{
	static const char other[] = "00000000-0000-4000-8000-000000000000";
	const struct world *w = *state;
	char text[ENTRY_MAX], *end;

	for (int foreign = 0; foreign < 2; foreign++) {
		entry(text, id_a, getpid(), own_start(), 1);
		end = strrchr(text, '}');
		snprintf(end, ENTRY_MAX - (size_t)(end - text), ",\"pid_namespace\":%ju,\"boot\":\"%s\"}",
			(uintmax_t)registry_pid_namespace() + (unsigned)foreign, other);
		put(w, id_a, "json", text, 0600);
		assert_int_equal(listed(w), 0);
		assert_false(there(w, id_a, "json"));
	}
}

static size_t others(const struct world *w, bool *ret_more)
{
	_cleanup_registry_ struct registry_list list = { 0 };
	_cleanup_close_ int dir = sessions(w);
	struct diag d = { "" };

	assert_int_equal(registry_read_others(dir, w->paths.uid, &list, &d), 0);
	*ret_more = list.more;
	return list.n;
}

/* Whether it lives is for its reader to find out: who wrote it can write anything. */
static void anothers_entries_are_told_as_they_lie_and_nothing_there_is_changed(void **state)
{
	const struct world *w = *state;
	_cleanup_close_ int dir = sessions(w);
	char text[ENTRY_MAX], id[AUDIT_SESSION_ID_LEN + 1];
	bool more;

	put(w, id_a, "json", entry(text, id_a, INT32_MAX, 1, 1), 0600);
	put(w, id_b, "json", entry(text, id_a, getpid(), own_start(), 1), 0600);
	put(w, "cccccccccccccccccccccccccccccccc", "json", "{", 0600);
	put(w, "dddddddddddddddddddddddddddddddd", "json", entry(text, id_a, getpid(), own_start(), 1), 0622);
	assert_int_equal(mkfifoat(dir, "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee.json", 0600), 0);
	assert_int_equal(symlinkat("/dev/zero", dir, "ffffffffffffffffffffffffffffffff.json"), 0);
	assert_int_equal(others(w, &more), 1);
	assert_false(more);
	assert_true(there(w, id_a, "json") && there(w, id_b, "json"));
	for (unsigned i = 0; i < REGISTRY_OTHERS_MAX; i++) {
		snprintf(id, sizeof(id), "%032x", i);
		put(w, id, "json", entry(text, id, 1, 1, 1), 0600);
	}
	assert_in_range(others(w, &more), 1, REGISTRY_OTHERS_MAX);
	assert_true(more);
}

/* The name is the process's own choice, and stands before the number. */
static void a_start_time_is_the_kernels_whatever_the_process_is_called(void **state)
{
	char path[64], text[1024] = "";
	unsigned long long wanted = 0;
	uint64_t start = 0;
	int ready[2];
	char c;

	(void)state;
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_NAME, ") S 1 1 (x", 0, 0, 0) < 0 ||
			write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	FILE *f = fopen(path, "re");
	assert_non_null(f);
	assert_non_null(fgets(text, sizeof(text), f));
	fclose(f);
	const char *rest = strstr(text, ") S 1 1 (x)");
	assert_non_null(rest);
	/* state, then fields 4 to 21, then the start (proc(5)) */
	assert_int_equal(
		sscanf(rest + strlen(") S 1 1 (x)"),
			" %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &wanted),
		1);
	assert_int_equal(registry_start_time(pid, &start), 0);
	assert_int_equal(start, wanted);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(registry_start_time(pid, &start) < 0);
	close(ready[0]);
	close(ready[1]);
}

static void damaged_entries_are_passed_over_and_hide_no_other(void **state)
{
	const struct world *w = *state;
	static const char *const damaged[] = { "", "{", "[]", "null", "{}",
		"{\"session\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}",
		"{\"session\":\"a\",\"name\":\"n\",\"client\":\"c\",\"pid\":1,\"start\":1,\"init_pid\":1,\"init_"
		"start\":1,\"since\":1}",
		"{\"session\":1,\"name\":\"n\",\"client\":\"c\",\"pid\":1,\"start\":1,\"init_pid\":1,\"init_start\":1,"
		"\"since\":1}" };
	static const long long pids[] = { 0, -1, 1LL << 32 };
	char text[ENTRY_MAX];

	put(w, id_b, "json", entry(text, id_b, getpid(), own_start(), 1), 0600);
	for (size_t i = 0; i < ARRAY_LEN(damaged); i++) {
		put(w, id_a, "json", damaged[i], 0600);
		assert_int_equal(listed(w), 1);
	}
	for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
		put(w, id_a, "json",
			entry(text, id_a, pids[i] ? pids[i] + (pids[i] > 1 ? getpid() : 0) : 0, own_start(), 1), 0600);
		assert_int_equal(listed(w), 1);
	}
	put(w, id_a, "json", entry(text, id_a, getpid(), own_start(), 1), 0666);
	assert_int_equal(listed(w), 1);
	put(w, id_a, "json", entry(text, id_a, getpid(), own_start(), 1), 0600);
	assert_int_equal(listed(w), 2);
	put(w, "short", "json", text, 0600);
	put(w, "cccccccccccccccccccccccccccccccc", "tmp00", text, 0600);
	put(w, "dddddddddddddddddddddddddddddddd", "jsox",
		entry(text, "dddddddddddddddddddddddddddddddd", getpid(), own_start(), 1), 0600);
	assert_int_equal(listed(w), 2);
	put(w, "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee", "json",
		entry(text, "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee", getpid(), own_start(), 1), 0600);
	assert_int_equal(listed(w), 2);
}

static void a_link_is_no_entry(void **state)
{
	const struct world *w = *state;
	_cleanup_close_ int dir = sessions(w);
	char text[ENTRY_MAX];

	put(w, "elsewhere", "txt", entry(text, id_a, getpid(), own_start(), 1), 0600);
	assert_int_equal(symlinkat("elsewhere.txt", dir, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.json"), 0);
	assert_int_equal(listed(w), 0);
}

static void counters_that_are_not_there_are_nought_and_nobody_waits_for_them(void **state)
{
	const struct world *w = *state;
	_cleanup_close_ int dir = sessions(w);
	_cleanup_registry_ struct registry_list list = { 0 };
	char text[ENTRY_MAX];
	struct diag d = { "" };

	put(w, id_a, "json", entry(text, id_a, getpid(), own_start(), 1), 0600);
	put(w, id_a, "stat", "short", 0600);
	put(w, id_b, "json", entry(text, id_b, getpid(), own_start(), 2), 0600);
	assert_int_equal(mkfifoat(dir, "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.stat", 0600), 0);
	assert_int_equal(registry_read(&w->paths, &list, &d), 0);
	assert_int_equal(list.n, 2);
	assert_int_equal(list.v[0].counters.calls, 0);
	assert_int_equal(list.v[1].counters.calls, 0);
}

/* A session outlives an upgrade, and a ps of before it may look at one of after it. */
static void counters_of_another_version_are_read_as_far_as_both_know_them(void **state)
{
	static const struct {
		size_t bytes;
		uint64_t version;
		bool first, all;
	} cases[] = {
		{ 0, 1, false, false },
		{ REGISTRY_COUNTERS_FIRST - 1, 1, false, false },
		{ REGISTRY_COUNTERS_FIRST, 1, true, false },
		{ REGISTRY_COUNTERS_FIRST + 8, 1, true, false },
		{ sizeof(struct registry_counters) - 1, 1, true, false },
		{ sizeof(struct registry_counters), 0, true, false },
		{ sizeof(struct registry_counters), 1, true, true },
		{ sizeof(struct registry_counters) + 64, 2, true, true },
	};
	const struct world *w = *state;
	char text[ENTRY_MAX];
	struct diag d = { "" };

	put(w, id_a, "json", entry(text, id_a, getpid(), own_start(), 1), 0600);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_registry_ struct registry_list list = { 0 };
		_cleanup_close_ int dir = sessions(w), fd = -1;
		char bytes[sizeof(struct registry_counters) + 64] = "";
		struct registry_counters c = { 3, 2, 1, cases[i].version, 5, 6, 7, 8, 9 };
		memcpy(bytes, &c, sizeof(c));
		fd = openat(
			dir, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.stat", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		assert_int_equal(write(fd, bytes, cases[i].bytes), (ssize_t)cases[i].bytes);
		assert_int_equal(registry_read(&w->paths, &list, &d), 0);
		assert_int_equal(list.n, 1);
		assert_int_equal(list.v[0].counters.calls, cases[i].first ? 3 : 0);
		assert_int_equal(list.v[0].counters.version, cases[i].all ? cases[i].version : 0);
		assert_int_equal(list.v[0].counters.connections_open, cases[i].all ? 5 : 0);
		assert_int_equal(list.v[0].counters.calls_before, cases[i].all ? 9 : 0);
	}
}

static void counters_behind_a_link_are_nobodys(void **state)
{
	const struct world *w = *state;
	_cleanup_registry_ struct registry_list list = { 0 };
	_cleanup_close_ int dir = sessions(w);
	char text[ENTRY_MAX], numbers[65] = "1111111122222222333333334444444455555555666666667777777788888888";
	struct diag d = { "" };

	put(w, id_a, "json", entry(text, id_a, getpid(), own_start(), 1), 0600);
	put(w, "elsewhere", "txt", numbers, 0600);
	assert_int_equal(symlinkat("elsewhere.txt", dir, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.stat"), 0);
	assert_int_equal(registry_read(&w->paths, &list, &d), 0);
	assert_int_equal(list.n, 1);
	assert_int_equal(list.v[0].counters.calls, 0);
}

static void a_rate_is_of_the_last_sixty_seconds(void **state)
{
	const uint64_t minute = REGISTRY_MINUTE_US;
	const struct registry_counters c = { .minute = 100, .calls_now = 30, .calls_before = 60 },
				       forged = { .minute = 100, .calls_before = UINT64_MAX, .calls_now = 7 };

	(void)state;
	assert_int_equal(registry_rate(&c, 100 * minute), 90);
	assert_int_equal(registry_rate(&c, 100 * minute + minute / 2), 60);
	assert_int_equal(registry_rate(&c, 101 * minute), 30);
	assert_int_equal(registry_rate(&c, 101 * minute + minute / 2), 15);
	assert_int_equal(registry_rate(&c, 102 * minute), 0);
	assert_int_equal(registry_rate(&c, 99 * minute), 0); /* the clock was set back */
	assert_int_equal(registry_rate(&forged, 100 * minute), 7);
}

static void the_oldest_comes_first(void **state)
{
	const struct world *w = *state;
	_cleanup_registry_ struct registry_list list = { 0 };
	char text[ENTRY_MAX];
	struct diag d = { "" };

	put(w, id_a, "json", entry(text, id_a, getpid(), own_start(), 20), 0600);
	put(w, id_b, "json", entry(text, id_b, getpid(), own_start(), 10), 0600);
	assert_int_equal(registry_read(&w->paths, &list, &d), 0);
	assert_string_equal(list.v[0].id, id_b);
	assert_string_equal(list.v[1].id, id_a);
}

static void a_directory_that_others_can_read_is_refused(void **state)
{
	const struct world *w = *state;
	_cleanup_close_ int dir = sessions(w);
	struct registry_list list = { 0 };
	struct diag d = { "" };

	assert_int_equal(fchmod(dir, 0755), 0);
	assert_true(registry_read(&w->paths, &list, &d) < 0);
	assert_true(*d.text);
	assert_int_equal(list.n, 0);
}

static uint64_t memory(pid_t root)
{
	struct registry_processes p;
	uint64_t bytes;

	registry_processes_read(&p);
	bytes = registry_memory(&p, root);
	/* One listing serves for all. */
	assert_true(registry_memory(&p, 0x7ffffff0) == 0);
	assert_in_range(registry_memory(&p, root), bytes / 2, bytes * 2);
	registry_processes_done(&p);
	return bytes;
}

static void memory_is_that_of_a_process_and_of_all_below_it(void **state)
{
	uint64_t alone = memory(getpid());
	int ready[2];
	char c;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		size_t n = 32 << 20;
		char *p = malloc(n);
		if (!p)
			_exit(1);
		memset(p, 1, n);
		if (write(ready[1], p + n - 1, 1) != 1)
			_exit(1);
		pause();
		_exit(p[0]);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_true(alone > 0);
	assert_true(memory(getpid()) > alone + (16 << 20));
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(memory(pid), 0);
	close(ready[0]);
	close(ready[1]);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, world_up, world_down)
	const struct CMUnitTest tests[] = {
		T(a_session_is_listed_while_it_runs_with_its_counters_as_they_are),
		T(one_id_is_one_session),
		T(a_name_that_cannot_be_written_leaves_nothing_behind),
		T(the_dead_are_not_believed_and_their_files_go),
		T(a_pid_that_another_process_has_now_is_not_the_session),
		T(an_entry_under_the_name_of_another_is_not_believed),
		T(an_id_that_would_write_to_a_terminal_is_none),
		T(an_entry_of_another_pid_namespace_is_listed_as_such),
		T(an_entry_of_another_boot_is_not_believed),
		T(anothers_entries_are_told_as_they_lie_and_nothing_there_is_changed),
		cmocka_unit_test(a_start_time_is_the_kernels_whatever_the_process_is_called),
		T(damaged_entries_are_passed_over_and_hide_no_other),
		T(a_link_is_no_entry),
		T(counters_that_are_not_there_are_nought_and_nobody_waits_for_them),
		T(counters_of_another_version_are_read_as_far_as_both_know_them),
		T(counters_behind_a_link_are_nobodys),
		T(a_rate_is_of_the_last_sixty_seconds),
		T(the_oldest_comes_first),
		T(a_directory_that_others_can_read_is_refused),
		T(memory_is_that_of_a_process_and_of_all_below_it),
	};
	return become_unprivileged() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
