/* SPDX-License-Identifier: Apache-2.0 */
/* test_alerts - which rules are taken, when they fire, and what becomes of a hook */
#include "tests/unit/audit_unit.h"
#include "tests/unit/consent_world.h"
#include <poll.h>
#include <sys/un.h>
#include "supervisor/alerts/alert_hosts.h"
#include "supervisor/alerts/alert_match.h"
#include "supervisor/alerts/alert_runner.h"
#include "supervisor/alerts/alert_share.h"
#include "supervisor/alerts/alert_show.h"
#include "wire/dial.h"

enum { PATIENCE_MS = 60000, TEXT_MAX = 4096 };

/* --- rules --- */

static void put_own(const struct world *w, const char *text, mode_t mode)
{
	_cleanup_close_ int dir = -1, fd = -1;
	struct diag d;

	assert_int_equal(fs_mkdirs(w->paths.config, 0700, &dir, &d), 0);
	fd = openat(dir, "alerts.json", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_equal(io_write_full(fd, text, strlen(text)), 0);
	assert_int_equal(fchmod(fd, mode), 0);
}

static int read_own(const struct world *w, const char *rule, struct alert_rules *ret, struct diag *d)
{
	_cleanup_free_ char *text = NULL;

	assert_true(asprintf(&text, "{\"stockade\": 1, \"alerts\": [\n%s]}", rule) > 0);
	put_own(w, text, 0600);
	d->text[0] = '\0';
	return alert_rules_read_own(&w->paths, ret, d);
}

static void a_rule_has_all_that_it_says_and_defaults_for_the_rest(void **state)
{
	const struct world *w = *state;
	_cleanup_alert_rules_ struct alert_rules r = { 0 };
	struct diag d;

	assert_int_equal(read_own(w,
				 "{\"name\": \"denials\", \"when\": {\"event\": \"tool.*\", \"decision\": \"deny\", "
				 "\"count\": 10, \"within\": \"2min\", \"server\": \"git*\", \"tool\": \"x\"}, "
				 "\"severity\": \"error\", \"syslog\": true, \"exec\": [\"/bin/true\", \"-x\"]},\n"
				 "{\"name\": \"hosts\", \"when\": {\"new\": \"host\"}}",
				 &r, &d),
		0);
	assert_int_equal(r.n, 2);
	assert_string_equal(r.v[0].name, "denials");
	assert_string_equal(r.v[0].event, "tool.*");
	assert_string_equal(r.v[0].server, "git*");
	assert_string_equal(r.v[0].tool, "x");
	assert_int_equal(r.v[0].decision, EVENT_DENY);
	assert_int_equal(r.v[0].count, 10);
	assert_int_equal(r.v[0].within_s, 120);
	assert_int_equal(r.v[0].severity, SEVERITY_ERROR);
	assert_true(r.v[0].syslog && !r.v[0].new_host);
	assert_int_equal(r.v[0].exec.n, 2);
	assert_non_null(strstr(r.v[0].where, "alerts.json:2 (alerts \"denials\")"));
	assert_true(r.v[1].new_host && !r.v[1].event && !r.v[1].syslog);
	assert_int_equal(r.v[1].count, 1);
	assert_int_equal(r.v[1].within_s, 60);
	assert_int_equal(r.v[1].severity, SEVERITY_WARNING);
	assert_non_null(strstr(r.v[1].where, "alerts.json:3 "));
}

static void what_cannot_be_kept_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *rule, *words;
	} cases[] = {
		{ "{\"when\": {\"event\": \"kill\"}}", ":2: alerts has a rule without \"name\"" },
		{ "{\"name\": \"A b\", \"when\": {\"event\": \"kill\"}}", "must be 1 to 64 of a-z" },
		{ "{\"name\": \"a\"}", "says not when" },
		{ "{\"name\": \"a\", \"when\": {\"event\": \"kil\"}}", "did you mean \"kill\"?" },
		{ "{\"name\": \"a\", \"when\": {\"event\": \"session.open\"}}",
			"which no event is that a rule is asked about" },
		{ "{\"name\": \"a\", \"when\": {\"event\": \"alert*\"}}",
			"which no event is that a rule is asked about" },
		{ "{\"name\": \"a\", \"when\": {\"event\": \"kill\", \"new\": \"host\"}}",
			"both \"event\" and \"new\"" },
		{ "{\"name\": \"a\", \"when\": {\"new\": \"hosts\"}}", "takes \"host\"" },
		{ "{\"name\": \"a\", \"when\": {\"event\": \"kill\", \"count\": 0}}", "must be 1 to 1000" },
		{ "{\"name\": \"a\", \"when\": {\"event\": \"kill\", \"count\": 1001}}", "must be 1 to 1000" },
		{ "{\"name\": \"a\", \"when\": {\"event\": \"kill\", \"within\": \"2 days\"}}", "a second to a day" },
		{ "{\"name\": \"a\", \"when\": {\"event\": \"kill\", \"server\": \"\"}}", "is empty" },
		{ "{\"name\": \"a\", \"when\": {\"event\": \"kill\"}, \"severity\": \"warn\"}", "severity" },
		{ "{\"name\": \"a\", \"when\": {\"event\": \"kill\"}, \"exec\": []}", "a program and its words" },
		{ "{\"name\": \"a\", \"when\": {\"event\": \"kill\"}, \"exec\": [\"true\"]}", "an absolute path" },
		{ "{\"name\": \"a\", \"when\": {\"event\": \"kill\"}, \"exec\": [\"/no/such\"]}", "cannot be found" },
		{ "{\"name\": \"a\", \"when\": {\"event\": \"kill\"}, \"exec\": [\"/etc/passwd\"]}", "no executable" },
		{ "{\"name\": \"a\", \"when\": {\"event\": \"kill\"}, \"run\": 1}", "run" },
		{ "3", "must hold objects" },
	};
	const struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct alert_rules r;
		struct diag d;
		int e = read_own(w, cases[i].rule, &r, &d);
		if (e >= 0 || !strstr(d.text, cases[i].words))
			fail_msg("%s: %d %s", cases[i].rule, e, d.text);
		assert_non_null(strstr(d.text, "so nothing is started"));
		assert_int_equal(r.n, 0);
	}
}

static void a_file_or_a_hook_that_others_can_write_is_none_of_the_users(void **state)
{
	const struct world *w = *state;
	struct alert_rules r;
	struct diag d = { "" };
	char path[] = "/tmp/stockade-hook-XXXXXX";
	_cleanup_free_ char *rule = NULL;
	_cleanup_close_ int fd = mkostemp(path, O_CLOEXEC);

	assert_int_equal(fchmod(fd, 0777), 0);
	assert_true(
		asprintf(&rule, "{\"name\": \"a\", \"when\": {\"event\": \"kill\"}, \"exec\": [\"%s\"]}", path) > 0);
	assert_true(read_own(w, rule, &r, &d) < 0);
	assert_non_null(strstr(d.text, "must not be run"));
	assert_int_equal(fchmod(fd, 0700), 0);
	assert_int_equal(read_own(w, rule, &r, &d), 0);
	assert_int_equal(r.n, 1);
	alert_rules_done(&r);
	put_own(w, "{\"stockade\": 1, \"alerts\": []}", 0666);
	assert_true(alert_rules_read_own(&w->paths, &r, &d) < 0);
	unlink(path);
}

static void check_says_what_is_told_and_which_line_lays_it_down(void **state)
{
	const struct world *w = *state;
	struct alert_rules policy = { .where = (char[]){ "policy.json:1 (audit.alerts)" } }, r;
	struct diag d = { "" };
	json_t *list;

	assert_int_equal(read_own(w,
				 "{\"name\": \"a\", \"when\": {\"event\": \"tool.*\", \"decision\": \"deny\", "
				 "\"count\": 3, \"server\": \"x\033\"}, \"syslog\": true, \"exec\": [\"/bin/true\"]},"
				 "{\"name\": \"b\", \"when\": {\"new\": \"host\"}}",
				 &r, &d),
		-EINVAL); /* a control in a string is no JSON */
	assert_int_equal(
		read_own(w,
			"{\"name\": \"a\", \"when\": {\"event\": \"tool.*\", \"decision\": \"deny\", "
			"\"count\": 3, \"server\": \"x\\u001b\"}, \"syslog\": true, \"exec\": [\"/bin/true\"]},"
			"{\"name\": \"b\", \"when\": {\"new\": \"host\"}}",
			&r, &d),
		0);
	alert_rules_done(&r);
	assert_int_equal(alert_show(&w->paths, &(struct alert_rules){ .n = 0 }, &list, &d), 0);
	assert_int_equal(json_array_size(list), 2);
	const char *first = json_string_value(json_array_get(list, 0));
	assert_memory_equal(first,
		"a: 3 within 60 s of tool.*, decided deny, of server x\\x1b: recorded as warning, told to the system's "
		"log, "
		"executes /bin/true; ",
		strlen("a: 3 within 60 s of tool.*, decided deny, of server x\\x1b: recorded as warning, told to the "
		       "system's log, executes /bin/true; "));
	assert_non_null(strstr(first, "alerts.json:2 (alerts \"a\")"));
	assert_non_null(
		strstr(json_string_value(json_array_get(list, 1)), "b: the first connection to a host: recorded"));
	json_decref(list);
	/* The policy's list is the whole list, also when it is empty. */
	assert_int_equal(alert_show(&w->paths, &policy, &list, &d), 0);
	assert_int_equal(json_array_size(list), 0);
	json_decref(list);
	put_own(w, "{", 0600);
	assert_true(alert_show(&w->paths, &(struct alert_rules){ .n = 0 }, &list, &d) < 0);
	assert_non_null(strstr(d.text, "so nothing is started"));
}

/* --- when --- */

static struct event denial(enum event_type type, const char *tool)
{
	struct event e = { .type = type, .decision = EVENT_DENY };

	snprintf(e.tool, sizeof(e.tool), "%s", tool);
	return e;
}

static void a_rule_fires_when_so_many_came_within_its_time_and_then_keeps_quiet(void **state)
{
	enum { S = 1000000 };
	/* At which second, and does the third denial within 10 s fire? */
	static const struct {
		uint64_t at;
		bool fires;
	} cases[] = {
		{ 100, false },
		{ 105, false },
		{ 111, false }, /* 11 s since the first */
		{ 112, true },	/* 105, 111, 112 */
		{ 113, false },
		{ 114, false },
		{ 115, false }, /* three more, but it was told just now */
		{ 200, false },
		{ 201, false },
		{ 202, true },
	};
	struct alert_rule rule = { .event = (char[]){ "tool.*" }, .decision = EVENT_DENY, .count = 3, .within_s = 10 };
	const struct alert_rules rules = { .v = &rule, .n = 1 };
	const struct event e = denial(EVENT_CALL, "x"), allowed = { .type = EVENT_CALL, .decision = EVENT_ALLOW },
			   other = denial(EVENT_REQUEST, "");
	struct alert_match m;

	(void)state;
	assert_int_equal(alert_match_init(&m, &rules, NULL, NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_false(alert_match_take(&m, 0, &allowed, "s", false, cases[i].at * S));
		assert_false(alert_match_take(&m, 0, &other, "s", false, cases[i].at * S));
		if (alert_match_take(&m, 0, &e, "s", false, cases[i].at * S) != cases[i].fires)
			fail_msg("at %llu", (unsigned long long)cases[i].at);
	}
	assert_int_equal(m.v[0].before, 1);
	alert_match_done(&m);
}

static void a_rule_is_about_the_servers_tools_and_decisions_that_it_names(void **state)
{
	struct alert_rule rule = { .event = (char[]){ "tool.call" },
		.server = (char[]){ "git*" },
		.tool = (char[]){ "delete_*" },
		.decision = EVENT_DENY,
		.count = 1,
		.within_s = 1 };
	const struct alert_rules rules = { .v = &rule, .n = 1 };
	const struct {
		struct event e;
		const char *server;
		bool fires;
	} cases[] = {
		{ denial(EVENT_CALL, "delete_repo"), "notes", false },
		{ denial(EVENT_CALL, "get_repo"), "github", false },
		{ denial(EVENT_CALL, ""), "github", false },
		{ denial(EVENT_RESULT, "delete_repo"), "github", false },
		{ denial(EVENT_CALL, "delete_repo"), "github", true },
	};
	struct alert_match m;

	(void)state;
	assert_int_equal(alert_match_init(&m, &rules, NULL, NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(alert_match_take(&m, 0, &cases[i].e, cases[i].server, false, 1 + i), cases[i].fires);
	alert_match_done(&m);
}

/* What the gateway counted instead of sending it again counts as often. */
static void a_counted_denial_counts_as_often_as_it_was(void **state)
{
	struct alert_rule rule = { .event = (char[]){ "net.denied" }, .count = 100, .within_s = 60 };
	const struct alert_rules rules = { .v = &rule, .n = 1 };
	struct event e = { .type = EVENT_NET_DENIED, .decision = EVENT_DENY, .count = 99 };
	struct alert_match m;

	(void)state;
	assert_int_equal(alert_match_init(&m, &rules, NULL, NULL), 0);
	assert_false(alert_match_take(&m, 0, &e, "s", false, 1));
	e.count = 0;
	assert_true(alert_match_take(&m, 0, &e, "s", false, 2));
	alert_match_done(&m);
}

/* --- hosts --- */

static struct alert_match shared_match(struct world *w, const struct alert_rules *rules)
{
	struct alert_match m;
	struct diag d = { "" };

	if (alert_match_init(&m, rules, &w->paths, &d) < 0)
		fail_msg("%s", d.text);
	assert_true(m.v[0].shared >= 0);
	return m;
}

/* Two sessions of one user that count denials together: to so many within 10 s. */
struct two {
	struct world *w;
	struct alert_rule rule;
	struct alert_rules rules;
	struct alert_match one, two;
};

static void two_up(struct two *t, struct world *w, uint64_t count)
{
	static char name[] = "x", where[] = "a:1", any[] = "*";

	*t = (struct two){ .w = w,
		.rule = { .name = name, .where = where, .event = any, .count = count, .within_s = 10 },
		.rules = { .v = &t->rule, .n = 1 } };
	t->one = shared_match(w, &t->rules);
	t->two = shared_match(w, &t->rules);
}

static void two_down(struct two *t)
{
	alert_match_done(&t->one);
	alert_match_done(&t->two);
}

static bool denied(struct alert_match *m, uint64_t at_us)
{
	const struct event e = denial(EVENT_CALL, "x");

	return alert_match_take(m, 0, &e, "s", false, at_us);
}

static void denials_of_all_sessions_of_a_user_are_counted_together_and_told_once(void **state)
{
	enum { S = 1000000 };
	struct two t;

	two_up(&t, *state, 3);
	assert_false(denied(&t.one, 100 * S));
	assert_false(denied(&t.two, 101 * S));
	assert_true(denied(&t.one, 102 * S));
	for (unsigned i = 0; i < 6; i++)
		assert_false(denied(i % 2 ? &t.one : &t.two, (103 + i) * S));
	/* Another rule, or this one changed, begins anew. */
	t.rule.count = 2;
	struct alert_match changed = shared_match(t.w, &t.rules);
	assert_false(denied(&changed, 110 * S));
	alert_match_done(&changed);
	t.rule.count = 3;
	alert_match_done(&t.one);
	/* A minute later, and whoever begins then knows what was kept quiet. */
	t.one = shared_match(t.w, &t.rules);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(denied(i % 2 ? &t.two : &t.one, (200 + i) * S), i == 2);
	assert_int_equal(t.one.v[0].before, 2);
	two_down(&t);
}

/* Whoever has the lock has looked at its clock before that: of two, the earlier one may come later. */
static void a_session_that_looked_at_its_clock_before_another_loses_no_count(void **state)
{
	struct two t;

	two_up(&t, *state, 3);
	assert_false(denied(&t.one, ALERT_QUIET_US + 1));
	assert_false(denied(&t.two, ALERT_QUIET_US));
	assert_true(denied(&t.one, ALERT_QUIET_US + 2));
	/* Nor does it tell a second time. */
	for (unsigned i = 0; i < 3; i++)
		assert_false(denied(&t.two, ALERT_QUIET_US + 1));
	two_down(&t);
}

/* Never more than a wrong count: no index of it leaves the rule's moments, and it is quiet for no longer than a minute.
 */
static void a_count_that_is_damaged_leaves_each_session_its_own(void **state)
{
	struct two t;
	char bytes[512];
	bool fired = false;

	two_up(&t, *state, 2);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(denied(&t.one, 1000), i == 1);
	ssize_t n = pread(t.one.v[0].shared, bytes, sizeof bytes, 0);
	assert_true(n > 0 && n < (ssize_t)sizeof bytes);
	for (ssize_t i = 0; i < n; i++) {
		bytes[i] ^= (char)0xff;
		assert_int_equal(pwrite(t.one.v[0].shared, bytes, (size_t)n, 0), n);
		(void)denied(&t.one, 2000);
		const struct alert_state *a = &t.one.v[0];
		assert_true(a->at < 2 && a->n <= 2 && a->suppressed <= UINT32_MAX &&
			    a->quiet_until <= 2000 + ALERT_QUIET_US);
		bytes[i] ^= (char)0xff;
	}
	assert_int_equal(ftruncate(t.one.v[0].shared, 3), 0);
	for (unsigned i = 0; i < 4; i++)
		fired = denied(&t.one, 2 * ALERT_QUIET_US + i) || fired;
	assert_true(fired);
	two_down(&t);
}

static void a_count_of_before_this_boot_is_none(void **state)
{
	struct two t;

	two_up(&t, *state, 2);
	t.one.clock.boot[0] ^= 1;
	assert_false(denied(&t.one, 1000));
	assert_false(denied(&t.two, 1001));
	assert_true(denied(&t.two, 1002));
	two_down(&t);
}

static int own_count_full(const struct two *t)
{
	(void)t;
	return open("/dev/full", O_RDWR | O_CLOEXEC);
}

static int own_count_read_only(const struct two *t)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d", t->one.v[0].shared);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int own_count_pipe(const struct two *t)
{
	int pair[2];

	(void)t;
	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
	close(pair[0]);
	return pair[1];
}

/* A full disk, and the like: then each session counts for itself, and an alert of its own is not lost. */
static void a_count_that_cannot_be_kept_together_is_kept_by_each_session(void **state)
{
	/* The last denial of others that it could read still counts. */
	static const struct {
		int (*open)(const struct two *t);
		unsigned fires_after;
	} ways[] = { { own_count_full, 3 }, { own_count_pipe, 3 }, { own_count_read_only, 2 } };

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		struct two t;
		two_up(&t, *state, 3);
		assert_false(denied(&t.two, 999));
		int sound = dup(t.one.v[0].shared), unsound = ways[i].open(&t);
		assert_int_equal(dup3(unsound, t.one.v[0].shared, O_CLOEXEC), t.one.v[0].shared);
		close(unsound);
		for (unsigned n = 1; n <= ways[i].fires_after; n++)
			if (denied(&t.one, 1000 + n) != (n == ways[i].fires_after))
				fail_msg("way %zu, denial %u", i, n);
		/* It goes on with the others once that is possible again. */
		assert_int_equal(dup3(sound, t.one.v[0].shared, O_CLOEXEC), t.one.v[0].shared);
		assert_false(denied(&t.one, 2 * ALERT_QUIET_US));
		assert_false(denied(&t.two, 2 * ALERT_QUIET_US + 1));
		assert_true(denied(&t.one, 2 * ALERT_QUIET_US + 2));
		close(sound);
		assert_int_equal(ftruncate(t.two.v[0].shared, 0), 0);
		two_down(&t);
	}
}

static void who_holds_the_count_for_ever_holds_up_nobody(void **state)
{
	enum { MANY = 5000 };
	struct two t;
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	two_up(&t, *state, 2);
	assert_int_equal(fcntl(t.one.v[0].shared, F_OFD_SETLK, &lock), 0);
	assert_false(denied(&t.two, 1000));
	assert_true(denied(&t.two, 1001));
	/* Waited for once, and not each time: that would be 4 ms each. */
	uint64_t before = io_now_us();
	for (unsigned i = 0; i < MANY; i++)
		(void)denied(&t.two, 1002 + i);
	assert_true(io_now_us() - before < (uint64_t)MANY * ALERT_SHARE_TRIES * 1000 / 2);
	two_down(&t);
}

static void who_was_stopped_with_the_count_writes_over_nobodys_when_it_goes_on(void **state)
{
	struct two t;

	two_up(&t, *state, 4);
	assert_false(denied(&t.one, 1000));
	assert_true(alert_share_take(&t.rule, t.one.clock.boot, 1001, &t.one.v[0]));
	assert_false(denied(&t.two, 1002));
	assert_false(denied(&t.two, 1003));
	assert_false(alert_share_put(&t.rule, t.one.clock.boot, true, &t.one.v[0]));
	assert_true(denied(&t.one, 1004));
	two_down(&t);
}

static void what_is_no_file_is_none_of_the_count_and_says_which_to_remove(void **state)
{
	struct two t;
	struct diag d = { "" };
	char path[PATH_MAX], dir[PATH_MAX];
	struct alert_match m;
	ssize_t n;

	two_up(&t, *state, 2);
	snprintf(dir, sizeof dir, "/proc/self/fd/%d", t.one.v[0].shared);
	n = readlink(dir, path, sizeof path - 1);
	assert_true(n > 0);
	path[n] = '\0';
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_true(alert_match_init(&m, &t.rules, &t.w->paths, &d) < 0);
	assert_non_null(strstr(d.text, path));
	assert_non_null(strstr(d.text, "it is no regular file; remove it"));
	alert_match_done(&m);
	assert_int_equal(unlink(path), 0);
	two_down(&t);
}

static struct event connection(enum event_decision decision, enum dial_status status, const char *host)
{
	struct event e = { .type = EVENT_NET_CONNECT, .decision = decision };

	snprintf(e.host, sizeof e.host, "%s", host);
	snprintf(e.status, sizeof e.status, "%s", dial_status_words(status));
	return e;
}

static void a_connection_is_one_that_was_made_also_where_the_policy_only_observes(void **state)
{
	static const struct {
		enum event_decision decision;
		enum dial_status status;
		bool is;
	} cases[] = {
		{ EVENT_ALLOW, DIAL_OK, true },
		{ EVENT_WOULD_DENY, DIAL_OK, true },
		{ EVENT_WOULD_DENY, DIAL_REFUSED, false },
		{ EVENT_ALLOW, DIAL_REFUSED, false },
		{ EVENT_DENY, DIAL_FORBIDDEN, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct event e = connection(cases[i].decision, cases[i].status, "a.example");
		assert_int_equal(alert_is_connection(&e), cases[i].is);
	}
}

static void a_host_is_new_once_for_all_sessions_of_a_server_and_never_when_the_log_has_it(void **state)
{
	struct world *w = *state;
	struct alert_hosts one, two, other;
	struct log_dir log = { .fd = -1 };
	/* One that was granted, one that only passed while the policy observes, one that was never reached. */
	struct event e[] = { connection(EVENT_ALLOW, DIAL_OK, "old.example"),
		connection(EVENT_WOULD_DENY, DIAL_OK, "observed.example"),
		connection(EVENT_ALLOW, DIAL_REFUSED, "refused.example") };
	struct diag d = { "" };

	assert_int_equal(paths_open_state(&w->paths, "audit", &log.fd, &d), 0);
	struct audit *a = session_open(&log, "github", 0);
	for (size_t i = 0; i < ARRAY_LEN(e); i++)
		assert_int_equal(audit_append(a, EVENT_FROM_DIAL, &e[i], NULL, &d), 0);
	session_close(a);
	close(log.fd);
	assert_int_equal(alert_hosts_open(&w->paths, "github", &one, &d), 0);
	assert_int_equal(alert_hosts_open(&w->paths, "github", &two, &d), 0);
	assert_int_equal(alert_hosts_open(&w->paths, "../notes", &other, &d), 0);
	assert_int_equal(alert_hosts_take(&one, "old.example"), 0);
	assert_int_equal(alert_hosts_take(&one, "observed.example"), 0);
	assert_int_equal(alert_hosts_take(&one, "refused.example"), 1);
	assert_int_equal(alert_hosts_take(&one, "new.example"), 1);
	assert_int_equal(alert_hosts_take(&one, "new.example"), 0);
	assert_int_equal(alert_hosts_take(&two, "new.example"), 0);
	assert_int_equal(alert_hosts_take(&other, "old.example"), 1);
	alert_hosts_done(&one);
	alert_hosts_done(&two);
	alert_hosts_done(&other);
	assert_int_equal(alert_hosts_open(&w->paths, "github", &one, &d), 0);
	assert_int_equal(alert_hosts_take(&one, "new.example"), 0);
	alert_hosts_done(&one);
}

/* --- hooks --- */

struct hooks {
	struct alert_rule rule;
	struct alert_rules rules;
	char *argv[4];
	int sock;
};

static void hooks_start(struct hooks *h, const char *script, const char *syslog)
{
	*h = (struct hooks){ .rule = { .name = (char[]){ "denials" }, .severity = SEVERITY_ERROR, .syslog = syslog } };
	h->argv[0] = (char[]){ "/bin/sh" };
	h->argv[1] = (char[]){ "-c" };
	h->argv[2] = (char *)(uintptr_t)script;
	h->rule.exec = (struct strv){ .v = h->argv, .n = script ? 3 : 0 };
	h->rules = (struct alert_rules){ .v = &h->rule, .n = 1 };
	fflush(NULL);
	assert_int_equal(runner_start(&h->rules, syslog ? syslog : "/nowhere", 1, &h->sock), 0);
}

static struct runner_answer hear(const struct hooks *h)
{
	struct pollfd p = { .fd = h->sock, .events = POLLIN };
	struct runner_answer a = { 0 };

	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	assert_int_equal(runner_hear(h->sock, &a), 1);
	return a;
}

static void a_hook_gets_the_alert_on_its_input_and_nothing_else_of_ours(void **state)
{
	char dir[] = "/tmp/stockade-hook-XXXXXX", *script = NULL, seen[TEXT_MAX] = "";
	struct hooks h;
	char *path = NULL;

	(void)state;
	assert_non_null(mkdtemp(dir));
	/* ls itself has 0 to 2 and the directory open. */
	assert_true(asprintf(&path, "%s/out", dir) > 0);
	assert_true(asprintf(&script,
			    "{ cat; echo; env | grep -v ^PWD= | sort; readlink /proc/$$/fd/2; ls /proc/self/fd | wc "
			    "-l; } >%s; exit 7",
			    path) > 0);
	setenv("STOCKADE_SECRET", "x", 1);
	int stray = fcntl(STDIN_FILENO, F_DUPFD, 20);
	hooks_start(&h, script, NULL);
	close(stray);
	assert_int_equal(runner_tell(h.sock, 0, "{\"alert\":\"denials\"}"), 0);
	struct runner_answer a = hear(&h);
	assert_int_equal(a.outcome, RUNNER_EXITED);
	assert_int_equal(a.value, 7);
	FILE *f = fopen(path, "re");
	assert_non_null(f);
	seen[fread(seen, 1, sizeof(seen) - 1, f)] = '\0';
	fclose(f);
	assert_string_equal(
		seen, "{\"alert\":\"denials\"}\nLANG=C.UTF-8\nPATH=/usr/local/bin:/usr/bin:/bin\n/dev/null\n4\n");
	unsetenv("STOCKADE_SECRET");
	close(h.sock);
	unlink(path);
	rmdir(dir);
	free(path);
	free(script);
}

static void how_a_hook_ended_is_told(void **state)
{
	static const struct {
		const char *script;
		enum runner_outcome outcome;
		int value;
		const char *words;
	} cases[] = {
		{ "exit 0", RUNNER_EXITED, 0, "exited with status 0" },
		{ "kill -TERM $$", RUNNER_KILLED, SIGTERM, "ended by signal 15" },
	};
	char words[160];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct hooks h;
		hooks_start(&h, cases[i].script, NULL);
		assert_int_equal(runner_tell(h.sock, 0, "{}"), 0);
		struct runner_answer a = hear(&h);
		assert_int_equal(a.outcome, cases[i].outcome);
		assert_int_equal(a.value, cases[i].value);
		assert_string_equal(runner_words(&a, words, sizeof(words)), cases[i].words);
		close(h.sock);
	}
}

static void a_program_that_cannot_be_executed_is_told(void **state)
{
	struct hooks h;
	char words[160];

	(void)state;
	hooks_start(&h, "", NULL);
	close(h.sock);
	h.argv[0] = (char[]){ "/no/such/program" };
	assert_int_equal(runner_start(&h.rules, "/nowhere", 1, &h.sock), 0);
	assert_int_equal(runner_tell(h.sock, 0, "{}"), 0);
	struct runner_answer a = hear(&h);
	assert_int_equal(a.outcome, RUNNER_FAILED);
	assert_non_null(strstr(runner_words(&a, words, sizeof(words)), "No such file"));
	close(h.sock);
}

/* Nobody is waited for: four run, the next are said not to. */
static void more_hooks_than_may_run_at_once_are_not_run(void **state)
{
	struct hooks h;

	(void)state;
	hooks_start(&h, "read line </dev/zero", NULL);
	for (unsigned i = 0; i <= RUNNER_HOOKS; i++)
		assert_int_equal(runner_tell(h.sock, 0, "{}"), 0);
	assert_int_equal(hear(&h).outcome, RUNNER_BUSY);
	/* Each is killed when its time is over, with all that it started. */
	for (unsigned i = 0; i < RUNNER_HOOKS; i++)
		assert_int_equal(hear(&h).outcome, RUNNER_TIMEOUT);
	close(h.sock);
}

static void whoever_told_it_is_never_held_up(void **state)
{
	struct hooks h;
	char big[RUNNER_TEXT_MAX] = "";
	int pair[2], r = 0;

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	/* Nobody reads at the other end. */
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	for (unsigned i = 0; i < 10000 && r == 0; i++)
		r = runner_tell(pair[0], 0, big);
	assert_int_equal(r, -EAGAIN);
	close(pair[1]);
	/* Its other end is gone: with what was never read, or without. */
	assert_true(runner_tell(pair[0], 0, "{}") < 0);
	assert_int_equal(runner_tell(pair[0], 0, "{}"), -EPIPE);
	close(pair[0]);
	hooks_start(&h, "exit 0", NULL);
	struct runner_answer none;
	assert_int_equal(runner_hear(h.sock, &none), 0);
	close(h.sock);
}

static void the_systems_log_is_told_in_its_own_form(void **state)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	char dir[] = "/tmp/stockade-log-XXXXXX", line[TEXT_MAX] = "", words[160];
	_cleanup_close_ int log = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct hooks h;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/log", dir);
	assert_int_equal(bind(log, (struct sockaddr *)&at, sizeof(at)), 0);
	hooks_start(&h, NULL, at.sun_path);
	assert_int_equal(runner_tell(h.sock, 0, "{\"a\":1}"), 0);
	struct pollfd p = { .fd = log, .events = POLLIN };
	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	assert_true(recv(log, line, sizeof(line) - 1, 0) > 0);
	/* 13 * 8 + 3: log audit, error. */
	assert_memory_equal(line, "<107>", 5);
	assert_non_null(strstr(line, " stockade: alert denials: {\"a\":1}"));
	unlink(at.sun_path);
	assert_int_equal(runner_tell(h.sock, 0, "{}"), 0);
	struct runner_answer a = hear(&h);
	assert_int_equal(a.outcome, RUNNER_NO_SYSLOG);
	assert_non_null(strstr(runner_words(&a, words, sizeof(words)), "the system's log does not take it"));
	close(h.sock);
	rmdir(dir);
}

int main(void)
{
#define ROW(f) cmocka_unit_test_setup_teardown(f, world_up, world_down)
	const struct CMUnitTest tests[] = {
		ROW(a_rule_has_all_that_it_says_and_defaults_for_the_rest),
		ROW(what_cannot_be_kept_is_refused_with_its_line),
		ROW(check_says_what_is_told_and_which_line_lays_it_down),
		ROW(a_file_or_a_hook_that_others_can_write_is_none_of_the_users),
		cmocka_unit_test(a_rule_fires_when_so_many_came_within_its_time_and_then_keeps_quiet),
		cmocka_unit_test(a_rule_is_about_the_servers_tools_and_decisions_that_it_names),
		cmocka_unit_test(a_counted_denial_counts_as_often_as_it_was),
		cmocka_unit_test(a_connection_is_one_that_was_made_also_where_the_policy_only_observes),
		ROW(a_host_is_new_once_for_all_sessions_of_a_server_and_never_when_the_log_has_it),
		ROW(denials_of_all_sessions_of_a_user_are_counted_together_and_told_once),
		ROW(a_session_that_looked_at_its_clock_before_another_loses_no_count),
		ROW(a_count_that_is_damaged_leaves_each_session_its_own),
		ROW(a_count_of_before_this_boot_is_none),
		ROW(a_count_that_cannot_be_kept_together_is_kept_by_each_session),
		ROW(who_holds_the_count_for_ever_holds_up_nobody),
		ROW(who_was_stopped_with_the_count_writes_over_nobodys_when_it_goes_on),
		ROW(what_is_no_file_is_none_of_the_count_and_says_which_to_remove),
		cmocka_unit_test(a_hook_gets_the_alert_on_its_input_and_nothing_else_of_ours),
		cmocka_unit_test(how_a_hook_ended_is_told),
		cmocka_unit_test(a_program_that_cannot_be_executed_is_told),
		cmocka_unit_test(more_hooks_than_may_run_at_once_are_not_run),
		cmocka_unit_test(whoever_told_it_is_never_held_up),
		cmocka_unit_test(the_systems_log_is_told_in_its_own_form),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
