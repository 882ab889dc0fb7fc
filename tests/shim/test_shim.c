/* SPDX-License-Identifier: Apache-2.0 */
/* test_shim - stockade-shim from outside: what each side hears, what is recorded, and how it ends */
#include "tests/unit/unit.h"
#include "tests/shim/stage.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/io.h"

/* A sanitiser keeps what was freed. */
#ifdef __SANITIZE_ADDRESS__
enum { RSS_MAX_KIB = 256 << 10 };
#else
enum { RSS_MAX_KIB = 16 << 10 };
#endif

static const char CALL[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/"
			   "call\",\"params\":{\"name\":\"echo\",\"arguments\":{\"text\":\"hi\"}}}";
static const char RESULT[] =
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"hi\"}]}}";

/* Most tests: everything allowed. */
static void start_open(struct stage *s)
{
	struct shim_config c;

	stage_config(&c);
	stage_start(s, &c);
	shim_config_done(&c);
}

static void start_strict(struct stage *s)
{
	struct shim_config c;

	stage_config(&c);
	stage_rule(&c, SHIM_TOOLS, true, "echo", "demo.json:7 (tools.allow \"echo\")");
	stage_rule(&c, SHIM_TOOLS, true, "get_*", "demo.json:8 (tools.allow \"get_*\")");
	stage_rule(&c, SHIM_TOOLS, false, "get_secret*", "demo.json:9 (tools.deny \"get_secret*\")");
	stage_start(s, &c);
	shim_config_done(&c);
}

static void end_well(struct stage *s)
{
	stage_close(&s->client_in);
	assert_null(stage_server_hears(s));
	stage_close(&s->server_out);
	stage_close(&s->server_err);
	stage_control(s, CONTROL_SERVER_EXITED, 0, "");
	assert_int_equal(stage_wait(s), SHIM_EXIT_OK);
	assert_null(stage_client_hears(s));
}

static void a_call_and_its_result_pass_in_canonical_form(void **state)
{
	_cleanup_stage_ struct stage s = { 0 };

	start_open(&s);
	stage_client_says(&s, "{ \"jsonrpc\" : \"2.0\", \"id\" : 1, \"\\u006dethod\": \"tools\\/call\", \"params\":"
			      " {\"name\":\"echo\", \"arguments\":{\"text\":\"hi\"}} }\r");
	stage_expect_server(&s, CALL);
	stage_server_says(&s, RESULT);
	stage_expect_client(&s, RESULT);
	const struct event *call = stage_event(&s, EVENT_CALL), *result = stage_event(&s, EVENT_RESULT);
	assert_string_equal(call->tool, "echo");
	assert_string_equal(call->arg_keys, "text");
	assert_int_equal(call->decision, EVENT_ALLOW);
	assert_int_equal(result->call_id, call->call_id);
	assert_string_equal(result->status, "ok");
	end_well(&s);
}

static void a_denied_tool_is_a_result_that_a_model_sees(void **state)
{
	static const char *const parts[] = { "\"id\":2,\"result\":", "\"isError\":true", "get_secret_key",
		"demo.json:9", "person", NULL };
	_cleanup_stage_ struct stage s = { 0 };

	start_strict(&s);
	stage_client_says(&s,
		"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\",\"params\":{\"name\":\"get_secret_key\"}}");
	stage_expect_client_has(&s, parts);
	stage_client_says(&s, CALL);
	stage_expect_server(&s, CALL);
	const struct event *e = stage_event(&s, EVENT_CALL);
	assert_int_equal(e->decision, EVENT_DENY);
	assert_string_equal(e->rule, "demo.json:9 (tools.deny \"get_secret*\")");
	stage_server_says(&s, RESULT);
	stage_expect_client(&s, RESULT);
	end_well(&s);
}

static void tools_that_are_not_allowed_are_not_listed(void **state)
{
	_cleanup_stage_ struct stage s = { 0 };

	start_strict(&s);
	stage_client_says(&s, "{\"jsonrpc\":\"2.0\",\"id\":\"l\",\"method\":\"tools/list\"}");
	stage_expect_server(&s, "{\"jsonrpc\":\"2.0\",\"id\":\"l\",\"method\":\"tools/list\"}");
	stage_server_says(&s, "{\"jsonrpc\":\"2.0\",\"id\":\"l\",\"result\":{\"tools\":[{\"name\":\"rm\"},{\"name\":"
			      "\"echo\",\"inputSchema\":{}},"
			      "{\"name\":\"get_secret\"},{\"name\":\"get_x\"},{\"name\":7},3],\"nextCursor\":\"c\"}}");
	stage_expect_client(&s, "{\"jsonrpc\":\"2.0\",\"id\":\"l\",\"result\":{\"tools\":[{\"name\":\"echo\","
				"\"inputSchema\":{}},{\"name\":\"get_x\"}],"
				"\"nextCursor\":\"c\"}}");
	assert_int_equal(stage_event(&s, EVENT_LIST_FILTERED)->count, 4);
	end_well(&s);
}

static void every_request_is_answered_when_the_server_dies(void **state)
{
	static const char *const first[] = { "\"id\":1,\"error\":", "killed by signal 9", NULL };
	static const char *const second[] = { "\"id\":\"1\",\"error\":", "killed by signal 9", NULL };
	_cleanup_stage_ struct stage s = { 0 };

	start_open(&s);
	stage_client_says(&s, CALL);
	stage_client_says(&s, "{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"method\":\"resources/list\"}");
	assert_non_null(stage_server_hears(&s));
	assert_non_null(stage_server_hears(&s));
	stage_close(&s.server_in);
	stage_close(&s.server_out);
	stage_control(&s, CONTROL_SERVER_EXITED, 9, "the server was killed by signal 9");
	stage_expect_client_has(&s, first);
	stage_expect_client_has(&s, second);
	assert_int_equal(stage_wait(&s), SHIM_EXIT_OK);
	assert_string_equal(stage_event(&s, EVENT_RESULT)->status, "server died");
}

static void a_request_that_races_with_the_servers_death_is_answered(void **state)
{
	static const char *const parts[] = { "\"id\":1,\"error\":", NULL };
	_cleanup_stage_ struct stage s = { 0 };

	start_open(&s);
	stage_close(&s.server_in);
	stage_close(&s.server_out);
	stage_client_says(&s, CALL);
	stage_expect_client_has(&s, parts);
	stage_control(&s, CONTROL_SERVER_EXITED, 0, "");
	assert_int_equal(stage_wait(&s), SHIM_EXIT_OK);
}

static void a_crowd_of_requests_that_nobody_will_serve_is_answered_to_the_last(void **state)
{
	enum { CROWD = 1500 };
	_cleanup_buf_ struct buf all = BUF_INIT(STAGE_BUFFER_MAX);
	_cleanup_stage_ struct stage s = { .events_dropped = true };
	struct shim_config c;

	stage_config(&c);
	stage_prepare(&s, &c);
	shim_config_done(&c);
	for (int i = 0; i < CROWD; i++)
		assert_int_equal(buf_printf(&all, "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"a\"}\n", i), 0);
	/* Less than a pipe holds: all of it is there when the shim begins, and so is the server's end. */
	assert_true(all.len < 65536);
	assert_int_equal(io_write_full(s.client_in, all.data, all.len), 0);
	stage_close(&s.server_in);
	stage_close(&s.server_out);
	stage_control(&s, CONTROL_RELEASE, 0, "");
	stage_control(&s, CONTROL_SERVER_EXITED, 9, "the server was killed by signal 9");
	for (int i = 0; i < CROWD; i++)
		if (!stage_client_hears(&s))
			fail_msg("%d of %d were answered", i, CROWD);
	assert_int_equal(stage_wait(&s), SHIM_EXIT_OK);
}

/* 0 would not keep a dump from a handler that core_pattern names; 1 does. */
static void a_crash_leaves_nothing_of_the_messages_anywhere(void **state)
{
	_cleanup_stage_ struct stage s = { 0 };
	char path[64], line[256], expected[64];
	struct rlimit now;

	assert_int_equal(getrlimit(RLIMIT_CORE, &now), 0);
	snprintf(expected, sizeof(expected), "Max core file size        %d", now.rlim_max > 0);
	start_open(&s);
	stage_client_says(&s, CALL);
	assert_non_null(stage_server_hears(&s));
	/* proc(5): readable by all, where prlimit(2) wants a process of our own. */
	snprintf(path, sizeof(path), "/proc/%d/limits", s.pid);
	_cleanup_fclose_ FILE *limits = fopen(path, "re");
	assert_non_null(limits);
	while (fgets(line, sizeof(line), limits) && strncmp(line, "Max core", 8) != 0)
		;
	assert_int_equal(strncmp(line, expected, strlen(expected)), 0);
}

static void started_by_root_it_is_root_no_more(void **state)
{
	_cleanup_stage_ struct stage s = { 0 };
	char path[64], line[256];
	unsigned uid = 0;

	start_open(&s);
	stage_client_says(&s, CALL);
	assert_non_null(stage_server_hears(&s));
	snprintf(path, sizeof(path), "/proc/%d/status", s.pid);
	_cleanup_fclose_ FILE *status = fopen(path, "re");
	assert_non_null(status);
	while (fgets(line, sizeof(line), status))
		if (strncmp(line, "Uid:", 4) == 0)
			uid = (unsigned)strtoul(line + 4, NULL, 10);
	assert_int_equal(uid, getuid() == 0 ? 65534 : getuid());
}

static void closing_answers_what_is_in_flight_with_the_supervisors_words(void **state)
{
	static const char *const parts[] = { "\"id\":1,\"error\":", "stockade: demo: stopped by an administrator",
		NULL };
	_cleanup_stage_ struct stage s = { 0 };

	start_open(&s);
	stage_client_says(&s, CALL);
	stage_expect_server(&s, CALL);
	stage_control(&s, CONTROL_CLOSE, 0, "stopped by an administrator");
	stage_expect_client_has(&s, parts);
	assert_int_equal(stage_wait(&s), SHIM_EXIT_OK);
}

static void garbage_from_the_server_never_reaches_the_client(void **state)
{
	_cleanup_stage_ struct stage s = { 0 };

	start_open(&s);
	stage_server_says(&s, "Server listening on stdio...");
	stage_server_says(&s, "");
	stage_server_says(&s, "{\"jsonrpc\":\"2.0\",\"id\":99,\"result\":{}}");
	stage_server_says(&s, "[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}]");
	stage_server_says(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/strange\"}");
	stage_client_says(&s, CALL);
	stage_expect_server(&s, CALL);
	stage_server_says(&s, "{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"result\":{}}");
	stage_server_says(&s, RESULT);
	stage_server_says(&s, RESULT);
	stage_expect_client(&s, RESULT);
	assert_int_equal(stage_event(&s, EVENT_REFUSED)->side, EVENT_FROM_SERVER);
	stage_event(&s, EVENT_UNMATCHED);
	stage_event(&s, EVENT_NOTIFICATION);
	end_well(&s);
}

static void a_refused_answer_becomes_an_error_for_the_request(void **state)
{
	static const char *const answers[] = {
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"a\":1,\"a\":2}}",
		"{\"jsonrpc\":\"2.0\",\"result\":{\"content\":\"\xff\"},\"id\":1}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[]},\"extra\":true}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{},\"error\":{\"code\":1,\"message\":\"\"}}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"Content\":[]}}",
		("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[{\"type\":\"text\",\"Text\":\"x\",\"text\":"
		 "\"y\"}]}}"),
	};
	static const char *const parts[] = { "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":5020,",
		"was not passed on", NULL };
	_cleanup_stage_ struct stage s = { 0 };

	start_open(&s);
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		stage_client_says(&s, CALL);
		stage_expect_server(&s, CALL);
		stage_server_says(&s, answers[i]);
		stage_expect_client_has(&s, parts);
	}
	end_well(&s);
}

static void what_is_refused_from_the_client_is_answered(void **state)
{
	static const char *const requests[] = {
		"{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\"tools/"
		"call\",\"params\":{\"name\":\"a\",\"Name\":\"b\"}}",
		"{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\"tools/"
		"call\",\"params\":{\"name\":\"a\",\"name\":\"b\"}}",
		"{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\"tools/call\",\"param\xc5\xbf\":{\"name\":\"a\"}}",
		"{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\"tools/call\",\"params\":{\"name\":\"a\\ud800\"}}",
		"{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\"tools/call\",\"params\":{\"name\":\"a\\u0000\"}}",
		"{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\"tools/call\",\"params\":[]}",
		"{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\"tools/"
		"call\",\"params\":{\"name\":\"a\"},\"result\":{}}",
		"{\"jsonrpc\":\"2.0\",\"id\":\"q\",\r\"method\":\"ping\"}",
		"{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":\"q\",}",
	};
	static const char *const parts[] = { "{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"error\":{\"code\":40",
		"stockade: demo:", NULL };
	_cleanup_stage_ struct stage s = { 0 };

	start_open(&s);
	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		stage_client_says(&s, requests[i]);
		stage_expect_client_has(&s, parts);
	}
	end_well(&s);
}

static void a_line_of_a_gigabyte_is_refused_without_growing(void **state)
{
	static const char *const parts[] = { "\"id\":77,\"error\":", "longer than 8388608 bytes", NULL };
	static const char head[] = "{\"method\":\"tools/call\",\"params\":{\"name\":\"";
	static char chunk[1 << 20];
	_cleanup_stage_ struct stage s = { 0 };
	char path[64], status[4096];

	start_open(&s);
	memset(chunk, 'x', sizeof(chunk));
	stage_client_says(&s, CALL);
	stage_expect_server(&s, CALL);
	assert_int_equal(io_write_full(s.client_in, head, sizeof(head) - 1), 0);
	for (int i = 0; i < 1024; i++)
		assert_int_equal(io_write_full(s.client_in, chunk, sizeof(chunk)), 0);
	snprintf(path, sizeof(path), "/proc/%d/status", s.pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, status, sizeof(status) - 1);
	close(fd);
	assert_true(n > 0);
	status[n] = '\0';
	assert_true(strtol(strstr(status, "VmRSS:") + 6, NULL, 10) < RSS_MAX_KIB);
	stage_client_says(&s, "\"},\"jsonrpc\":\"2.0\",\"id\":77}");
	stage_expect_client_has(&s, parts);
	stage_server_says(&s, RESULT);
	stage_expect_client(&s, RESULT);
	end_well(&s);
}

static void a_hundred_thousand_nested_arrays_are_refused(void **state)
{
	static const char *const parts[] = { "\"id\":5,\"error\":", "nested more than 60 deep", NULL };
	_cleanup_stage_ struct stage s = { 0 };
	_cleanup_buf_ struct buf b = BUF_INIT(1 << 20);

	start_open(&s);
	assert_int_equal(buf_puts(&b, "{\"jsonrpc\":\"2.0\",\"method\":\"tools/"
				      "call\",\"params\":{\"name\":\"x\",\"arguments\":{\"a\":"),
		0);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(buf_putc(&b, '['), 0);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(buf_putc(&b, ']'), 0);
	assert_int_equal(buf_puts(&b, "}},\"id\":5}"), 0);
	stage_client_says(&s, b.data);
	stage_expect_client_has(&s, parts);
	end_well(&s);
}

static void a_slow_reader_holds_back_nobody_else(void **state)
{
	_cleanup_stage_ struct stage s = { 0 };
	_cleanup_buf_ struct buf big = BUF_INIT(8 << 20);
	pid_t writer;

	start_open(&s);
	stage_client_says(&s, CALL);
	stage_expect_server(&s, CALL);
	assert_int_equal(
		buf_puts(&big, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\""),
		0);
	while (big.len < 5 << 20)
		assert_int_equal(buf_puts(&big, "a line of text\\n"), 0);
	assert_int_equal(buf_puts(&big, "\"}]}}"), 0);
	writer = fork();
	if (writer == 0) {
		int r = io_write_full(s.server_out, big.data, big.len);
		if (r == 0)
			r = io_write_full(s.server_out, "\n", 1);
		_exit(r == 0 ? 0 : 1);
	}
	/* The client reads nothing of the 5 MiB; its requests still get through, and denials too. */
	for (int i = 2; i < 50; i++) {
		char line[256];
		snprintf(line, sizeof(line), "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"resources/list\"}", i);
		stage_client_says(&s, line);
		stage_expect_server(&s, line);
	}
	stage_expect_client(&s, big.data);
	assert_int_equal(waitpid(writer, NULL, 0), writer);
	stage_control(&s, CONTROL_CLOSE, 0, "enough");
	for (int i = 2; i < 50; i++)
		assert_non_null(stage_client_hears(&s));
	assert_int_equal(stage_wait(&s), SHIM_EXIT_OK);
}

/* Lines until no more are taken: the server reads none, and the shim keeps only so many. */
static void fill(int fd)
{
	char line[1024];
	struct pollfd f = { .fd = fd, .events = POLLOUT };
	size_t n = (size_t)snprintf(line, sizeof(line),
		"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
		"progress\",\"params\":{\"progressToken\":1,\"progress\":1,"
		"\"message\":\"%0900d\"}}\n",
		0);

	while (poll(&f, 1, 1000) == 1)
		assert_int_equal(write(fd, line, n), n);
}

static void a_client_that_closes_behind_what_nobody_reads_is_seen_to_close(void **state)
{
	for (int sockets = 0; sockets < 2; sockets++) {
		_cleanup_stage_ struct stage s = { .sockets = sockets };

		start_open(&s);
		stage_client_says(&s, CALL);
		stage_expect_server(&s, CALL);
		fill(s.client_in);
		stage_close(&s.client_in);
		assert_non_null(stage_event(&s, EVENT_CLIENT_EOF));
		stage_control(&s, CONTROL_CLOSE, 0, "enough");
		assert_non_null(stage_client_hears(&s));
		assert_int_equal(stage_wait(&s), SHIM_EXIT_OK);
	}
}

static void a_closed_stdout_ends_the_shim_with_its_own_status(void **state)
{
	_cleanup_stage_ struct stage s = { 0 };

	start_open(&s);
	stage_client_says(&s, CALL);
	stage_expect_server(&s, CALL);
	stage_close(&s.client_out);
	assert_int_equal(stage_wait(&s), SHIM_EXIT_CLIENT_GONE);
	assert_string_equal(stage_event(&s, EVENT_RESULT)->status, "client gone");
}

static void without_a_supervisor_nothing_is_forwarded(void **state)
{
	_cleanup_stage_ struct stage s = { 0 };

	start_open(&s);
	stage_client_says(&s, CALL);
	stage_expect_server(&s, CALL);
	stage_close(&s.control);
	assert_int_equal(stage_wait(&s), SHIM_EXIT_ALONE);
	assert_null(stage_server_hears(&s));
}

static void nothing_is_read_before_the_release(void **state)
{
	_cleanup_stage_ struct stage s = { .keep = true };
	struct shim_config c;
	int waiting = 0;

	stage_config(&c);
	stage_prepare(&s, &c);
	shim_config_done(&c);
	assert_int_equal(io_write_full(s.client_in, CALL, strlen(CALL)), 0);
	usleep(100000);
	stage_control(&s, CONTROL_CLOSE, 0, "");
	assert_int_equal(stage_wait(&s), SHIM_EXIT_OK);
	assert_null(stage_server_hears(&s));
	assert_int_equal(ioctl(s.kept[0], FIONREAD, &waiting), 0);
	assert_int_equal(waiting, strlen(CALL));
}

static void sockets_serve_as_well_as_pipes(void **state)
{
	_cleanup_stage_ struct stage s = { .sockets = true };

	start_open(&s);
	stage_client_says(&s, CALL);
	stage_expect_server(&s, CALL);
	stage_server_says(&s, RESULT);
	stage_expect_client(&s, RESULT);
	end_well(&s);
}

static void the_descriptors_flags_are_not_touched(void **state)
{
	_cleanup_stage_ struct stage s = { .keep = true };

	start_open(&s);
	stage_client_says(&s, CALL);
	stage_expect_server(&s, CALL);
	stage_server_says(&s, RESULT);
	stage_expect_client(&s, RESULT);
	for (int i = 0; i < 2; i++)
		assert_int_equal(fcntl(s.kept[i], F_GETFL) & O_NONBLOCK, 0);
}

static void the_servers_stderr_is_made_harmless_and_cannot_speak_for_us(void **state)
{
	_cleanup_stage_ struct stage s = { 0 };

	start_open(&s);
	assert_int_equal(io_write_full(s.server_err, "stockade: all is well\n\x1b[2Jred\rx\n", 33), 0);
	assert_string_equal(stage_client_reads(&s), "[demo] stockade: all is well");
	assert_string_equal(stage_client_reads(&s), "[demo] \\x1b[2Jred\\x0dx");
	end_well(&s);
}

static void a_flood_on_stderr_is_cut_and_counted(void **state)
{
	_cleanup_stage_ struct stage s = { 0 };
	int ours = 0, theirs = 0;
	char *line;

	start_open(&s);
	for (int i = 0; i < 5000; i++)
		assert_int_equal(io_write_full(s.server_err, "noise\n", 6), 0);
	stage_close(&s.server_in);
	stage_close(&s.server_out);
	stage_close(&s.server_err);
	stage_control(&s, CONTROL_SERVER_EXITED, 0, "");
	while ((line = stage_client_reads(&s))) {
		ours += strncmp(line, "stockade: ", 10) == 0 && strstr(line, "dropped");
		theirs += strncmp(line, "[demo] noise", 12) == 0;
	}
	assert_true(ours >= 1);
	assert_in_range(theirs, 1, 2000);
	assert_int_equal(stage_wait(&s), SHIM_EXIT_OK);
	assert_int_equal(stage_event(&s, EVENT_STDERR)->count, 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_and_its_result_pass_in_canonical_form),
		cmocka_unit_test(a_denied_tool_is_a_result_that_a_model_sees),
		cmocka_unit_test(tools_that_are_not_allowed_are_not_listed),
		cmocka_unit_test(every_request_is_answered_when_the_server_dies),
		cmocka_unit_test(a_request_that_races_with_the_servers_death_is_answered),
		cmocka_unit_test(a_crowd_of_requests_that_nobody_will_serve_is_answered_to_the_last),
		cmocka_unit_test(a_crash_leaves_nothing_of_the_messages_anywhere),
		cmocka_unit_test(started_by_root_it_is_root_no_more),
		cmocka_unit_test(closing_answers_what_is_in_flight_with_the_supervisors_words),
		cmocka_unit_test(garbage_from_the_server_never_reaches_the_client),
		cmocka_unit_test(a_refused_answer_becomes_an_error_for_the_request),
		cmocka_unit_test(what_is_refused_from_the_client_is_answered),
		cmocka_unit_test(a_line_of_a_gigabyte_is_refused_without_growing),
		cmocka_unit_test(a_hundred_thousand_nested_arrays_are_refused),
		cmocka_unit_test(a_slow_reader_holds_back_nobody_else),
		cmocka_unit_test(a_client_that_closes_behind_what_nobody_reads_is_seen_to_close),
		cmocka_unit_test(a_closed_stdout_ends_the_shim_with_its_own_status),
		cmocka_unit_test(without_a_supervisor_nothing_is_forwarded),
		cmocka_unit_test(nothing_is_read_before_the_release),
		cmocka_unit_test(sockets_serve_as_well_as_pipes),
		cmocka_unit_test(the_descriptors_flags_are_not_touched),
		cmocka_unit_test(the_servers_stderr_is_made_harmless_and_cannot_speak_for_us),
		cmocka_unit_test(a_flood_on_stderr_is_cut_and_counted),
	};

	return cmocka_run_group_tests_name("the shim from outside", tests, NULL, NULL);
}
