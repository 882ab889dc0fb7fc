/* SPDX-License-Identifier: Apache-2.0 */
/* test_audit_write - what the writer of the log promises, checked without the reader */
#include "tests/unit/audit_unit.h"

#include "audit/log.h"

static void chain_check(const struct log_dir *l, const char *name)
{
	_cleanup_buf_ struct buf b;
	char prev[RECORD_HASH_HEX + 1] = RECORD_HASH_NONE, hash[RECORD_HASH_HEX + 1];
	json_int_t seq = 1;

	file_read(l, name, &b);
	for (char *p = b.data, *end; (end = strchr(p, '\n')); p = end + 1, seq++) {
		json_t *o = json_loadb(p, (size_t)(end - p), JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(o);
		assert_int_equal(number_of(o, "v"), 1);
		assert_int_equal(number_of(o, "seq"), seq);
		assert_string_equal(text_of(o, "prev"), prev);
		assert_true(record_line_hash(p, (size_t)(end - p), hash));
		assert_string_equal(text_of(o, "hash"), hash);
		memcpy(prev, hash, sizeof prev);
		json_decref(o);
	}
}

static void a_session_is_one_chain_from_open_to_close(void **state)
{
	static const char *const events[] = { "session.open", "tool.call", "tool.call", "checkpoint", "tool.call",
		"session.close" };
	const struct log_dir *l = *state;
	struct audit *a = session_open(l, "github", 0);
	char name[256];
	struct diag d;

	session_call(a, "create_issue");
	session_call(a, "get_me");
	assert_int_equal(audit_checkpoint(a, &d), 0);
	session_call(a, "get_me");
	session_close(a);
	assert_true(session_file(l, 0, name));
	chain_check(l, name);
	for (size_t i = 0; i < ARRAY_LEN(events); i++) {
		json_t *o = file_line(l, name, i);
		assert_string_equal(text_of(o, "event"), events[i]);
		assert_string_equal(text_of(o, "source"), i == 1 || i == 2 || i == 4 ? "shim" : "supervisor");
		assert_string_equal(text_of(o, "user"), "alice");
		assert_string_equal(text_of(o, "groups"), "alice,dev");
		assert_string_equal(text_of(o, "client"), "code (pid 812)");
		assert_string_equal(text_of(o, "server"), "github");
		assert_string_equal(text_of(o, "plan"), "00ff");
		assert_int_equal(strlen(text_of(o, "ts")), RECORD_TIME_LEN);
		json_decref(o);
	}
	assert_null(file_line(l, name, ARRAY_LEN(events)));
	json_t *close_record = file_line(l, name, 5);
	assert_int_equal(number_of(close_record, "records"), 6);
	assert_int_equal(number_of(close_record, "calls"), 3);
	assert_string_equal(text_of(close_record, "status"), "exited with status 0");
	assert_non_null(json_object_get(close_record, "sig"));
	json_decref(close_record);
}

static void the_index_chains_open_checkpoint_and_close_with_their_hashes(void **state)
{
	static const char *const events[] = { "index.open", "index.checkpoint", "index.close" };
	static const size_t lines[] = { 0, 2, 3 };
	const struct log_dir *l = *state;
	struct audit *a = session_open(l, "github", 0);
	char name[256];
	struct diag d;

	session_call(a, "x");
	assert_int_equal(audit_checkpoint(a, &d), 0);
	session_close(a);
	assert_true(session_file(l, 0, name));
	chain_check(l, INDEX_FILE);
	for (size_t i = 0; i < 3; i++) {
		json_t *in_index = file_line(l, INDEX_FILE, i), *in_file = file_line(l, name, lines[i]);
		assert_string_equal(text_of(in_index, "event"), events[i]);
		assert_string_equal(text_of(in_index, "file"), name);
		assert_string_equal(text_of(in_index, "head"), text_of(in_file, "hash"));
		assert_int_equal(number_of(in_index, "records"), lines[i] + 1);
		json_decref(in_index);
		json_decref(in_file);
	}
}

static void the_hash_is_what_b2sum_makes_of_the_line(void **state)
{
	const struct log_dir *l = *state;
	struct audit *a = session_open(l, "github", 0);
	char name[256], command[512], sum[RECORD_HASH_HEX + 1] = "";

	session_close(a);
	assert_true(session_file(l, 0, name));
	snprintf(command, sizeof command,
		"head -n 1 %s/%s | sed 's/,\"hash\":\"[0-9a-f]*\"}$/}/' | tr -d '\\n' | b2sum -l 256", l->path, name);
	FILE *p = popen(command, "r");
	assert_non_null(p);
	assert_int_equal(fread(sum, 1, RECORD_HASH_HEX, p), RECORD_HASH_HEX);
	pclose(p);
	json_t *o = file_line(l, name, 0);
	assert_string_equal(text_of(o, "hash"), sum);
	json_decref(o);
}

static void the_file_is_the_users_alone_and_named_by_time_and_session(void **state)
{
	const struct log_dir *l = *state;
	struct audit *a = session_open(l, "github", 0);
	struct stat st;
	char name[256];

	assert_true(session_file(l, 0, name));
	assert_int_equal(fstatat(l->fd, name, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(strlen(name), 16 + 1 + AUDIT_SESSION_ID_LEN + 6);
	assert_int_equal(fstatat(l->fd, INDEX_FILE, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	session_close(a);
}

static void hostile_text_is_harmless_and_reads_back_the_same(void **state)
{
	static const char hostile[] = "a\x1b[31m\"\\\n\xe2\x80\xae\xf3\xa0\x81\x81\xc2\x9b\xff\xc3\xa9";
	const struct log_dir *l = *state;
	struct audit *a = session_open(l, "github", 0);
	_cleanup_buf_ struct buf b;
	char name[256];

	session_call(a, hostile);
	session_close(a);
	assert_true(session_file(l, 0, name));
	file_read(l, name, &b);
	for (size_t i = 0; i < b.len; i++)
		assert_true(b.data[i] == '\n' || (unsigned char)b.data[i] >= 0x20);
	assert_null(strstr(b.data, "\xe2\x80\xae"));
	assert_null(strstr(b.data, "\xc2\x9b"));
	json_t *o = file_line(l, name, 1);
	assert_string_equal(
		text_of(o, "tool"), "a\x1b[31m\"\\\n\xe2\x80\xae\xf3\xa0\x81\x81\xc2\x9b\xef\xbf\xbd\xc3\xa9");
	json_decref(o);
}

static void the_largest_event_fits_and_arguments_are_cut_last(void **state)
{
	static char args[EVENT_ARGS_MAX];
	const struct log_dir *l = *state;
	struct audit *a = session_open(l, "github", 0);
	struct event e = call_event("");
	char name[256];
	struct diag d;

	memset(args, 1, sizeof args);
	memset(e.tool, 1, sizeof e.tool - 1);
	memset(e.method, 1, sizeof e.method - 1);
	memset(e.rule, 1, sizeof e.rule - 1);
	memset(e.reason, 1, sizeof e.reason - 1);
	memset(e.status, 1, sizeof e.status - 1);
	memset(e.arg_keys, 1, sizeof e.arg_keys - 1);
	memset(e.peer_name, 1, sizeof e.peer_name - 1);
	e.bytes = e.latency_us = e.count = e.call_id = UINT64_MAX;
	e.args = args;
	e.args_len = sizeof args;
	assert_int_equal(audit_append(a, EVENT_FROM_SHIM, &e, NULL, &d), 0);
	session_close(a);
	assert_true(session_file(l, 0, name));
	chain_check(l, name);
	json_t *o = file_line(l, name, 1);
	assert_true(json_is_true(json_object_get(o, "args_cut")));
	assert_int_equal(number_of(o, "bytes"), INT64_MAX);
	json_decref(o);
}

static void only_the_sources_of_the_table_may_send_an_event(void **state)
{
	const struct log_dir *l = *state;
	struct audit *a = session_open(l, "github", 0);
	struct diag d;

	for (unsigned type = 0; type < EVENT_TYPE_COUNT; type++) {
		for (unsigned source = 0; source < EVENT_SOURCE_COUNT; source++) {
			struct event e = { .type = type };
			int r = audit_append(a, source, &e, NULL, &d);
			if (!event_allowed(type, source))
				assert_int_equal(r, -EACCES);
			else
				assert_true(r == 0 || r == -EINVAL);
		}
	}
	struct event e = { .type = EVENT_SESSION_CLOSE };
	assert_int_equal(audit_append(a, EVENT_FROM_SUPERVISOR, &e, NULL, &d), -EINVAL);
	e = call_event("x");
	json_t *extra = json_pack("{s:s}", "hash", "0");
	assert_int_equal(audit_append(a, EVENT_FROM_SHIM, &e, extra, &d), -EACCES);
	json_decref(extra);
	session_close(a);
}

static void members_of_the_supervisor_stand_apart_and_forge_nothing(void **state)
{
	const struct log_dir *l = *state;
	struct audit *a = session_open(l, "github", 0);
	struct event e = { .type = EVENT_SESSION_READY };
	json_t *extra = json_pack("{s:s,s:i}", "hash", "0\x1b[2J", "landlock", 6);
	char name[256];
	struct diag d;

	assert_int_equal(audit_append(a, EVENT_FROM_SUPERVISOR, &e, extra, &d), 0);
	json_decref(extra);
	session_close(a);
	assert_true(session_file(l, 0, name));
	chain_check(l, name);
	json_t *o = file_line(l, name, 1);
	assert_int_equal(number_of(json_object_get(o, "detail"), "landlock"), 6);
	json_decref(o);
}

static void a_used_up_budget_is_recorded_and_ends_this_session_only(void **state)
{
	const struct log_dir *l = *state;
	struct audit *a = session_open(l, "small", 8000), *other = session_open(l, "other", 0);
	struct event e = call_event("x");
	unsigned late = 0;
	char name[256];
	struct diag d;
	int r;

	while ((r = audit_append(a, EVENT_FROM_SHIM, &e, NULL, &d)) == 0)
		;
	assert_int_equal(r, -EDQUOT);
	assert_non_null(strstr(d.text, "budget"));
	/* What was handed over before the shim heard of it is still taken, as far as the reserve goes. */
	while ((r = audit_append(a, EVENT_FROM_SHIM, &e, NULL, &d)) == 0)
		late++;
	assert_int_equal(r, -EDQUOT);
	assert_true(late > 100);
	e = (struct event){ .type = EVENT_SERVER_EXIT };
	assert_int_equal(audit_append(a, EVENT_FROM_SUPERVISOR, &e, NULL, &d), 0);
	session_call(other, "y");
	session_close(other);
	assert_int_equal(audit_close(a, "budget", &d), 0);
	audit_free(a);
	bool seen = false;
	for (unsigned n = 0; n < 2; n++) {
		assert_true(session_file(l, n, name));
		chain_check(l, name);
		for (size_t i = 0;; i++) {
			json_t *o = file_line(l, name, i);
			if (!o)
				break;
			seen = seen || strcmp(text_of(o, "event"), "log.budget") == 0;
			json_decref(o);
		}
	}
	assert_true(seen);
}

static void floods_of_low_value_become_counts_and_no_event_is_lost(void **state)
{
	enum { FLOOD = 5000 };
	const struct log_dir *l = *state;
	struct audit *a = session_open(l, "github", 0);
	json_int_t events = 0, records = 0;
	char name[256];
	struct diag d;

	for (unsigned i = 0; i < FLOOD; i++) {
		struct event e = {
			.type = EVENT_REFUSED, .side = EVENT_FROM_SERVER, .decision = EVENT_DROP, .reason = "not JSON"
		};
		assert_int_equal(audit_append(a, EVENT_FROM_SHIM, &e, NULL, &d), 0);
	}
	for (unsigned i = 0; i < FLOOD; i++) {
		struct event e = { .type = EVENT_NOTIFICATION, .decision = EVENT_DROP };
		snprintf(e.method, sizeof e.method, "notifications/%u", i);
		assert_int_equal(audit_append(a, EVENT_FROM_SHIM, &e, NULL, &d), 0);
	}
	session_close(a);
	assert_true(session_file(l, 0, name));
	chain_check(l, name);
	for (size_t i = 0;; i++, records++) {
		json_t *o = file_line(l, name, i);
		if (!o)
			break;
		if (strcmp(text_of(o, "source"), "shim") == 0)
			events += number_of(o, "coalesced") ? number_of(o, "coalesced") : 1;
		json_decref(o);
	}
	assert_int_equal(events, 2 * FLOOD);
	assert_true(records < 300);
}

/* A server that says without end what something has to be taken out of must not use the log up. */
static void what_is_taken_out_of_notifications_becomes_a_count_and_out_of_calls_does_not(void **state)
{
	enum { FLOOD = 2000, CALLS = 100 };
	static const char *const subjects[] = { "invisible characters", "mail" };
	const struct log_dir *l = *state;
	struct audit *a = session_open(l, "github", 0);
	json_int_t counts[2] = { 0 }, of_calls = 0, records = 0;
	char name[256];
	struct diag d;

	for (unsigned i = 0; i < FLOOD + CALLS; i++) {
		struct event e = { .type = EVENT_TEXT_REDACTED, .side = EVENT_FROM_SERVER, .count = 3 };
		e.call_id = i < FLOOD ? 0 : i;
		snprintf(e.subject, sizeof(e.subject), "%s", subjects[i % 2]);
		assert_int_equal(audit_append(a, EVENT_FROM_SHIM, &e, NULL, &d), 0);
	}
	session_close(a);
	assert_true(session_file(l, 0, name));
	for (size_t i = 0;; i++, records++) {
		json_t *o = file_line(l, name, i);
		if (!o)
			break;
		of_calls += number_of(o, "call_id") > 0;
		for (size_t k = 0; number_of(o, "call_id") == 0 && k < ARRAY_LEN(subjects); k++)
			if (strcmp(text_of(o, "subject"), subjects[k]) == 0)
				counts[k] += number_of(o, "count");
		json_decref(o);
	}
	assert_int_equal(of_calls, CALLS);
	assert_int_equal(counts[0], 3 * FLOOD / 2);
	assert_int_equal(counts[1], 3 * FLOOD / 2);
	assert_true(records < CALLS + 150);
}

static void calls_are_never_counted_away(void **state)
{
	enum { CALLS = 300 };
	const struct log_dir *l = *state;
	struct audit *a = session_open(l, "github", 0);
	char name[256];

	for (unsigned i = 0; i < CALLS; i++)
		session_call(a, "same");
	session_close(a);
	assert_true(session_file(l, 0, name));
	json_t *o = file_line(l, name, CALLS + 1);
	assert_string_equal(text_of(o, "event"), "session.close");
	json_decref(o);
}

static void a_directory_in_place_of_the_index_is_said_so(void **state)
{
	const struct log_dir *l = *state;
	char session[AUDIT_SESSION_ID_LEN + 1], name[256];
	struct audit *a = NULL;
	struct diag d = { "" };

	audit_new_session_id(session);
	assert_int_equal(mkdirat(l->fd, INDEX_FILE, 0700), 0);
	struct audit_identity id = { .session = session, .user = "alice" };
	assert_int_equal(audit_open(&(struct audit_options){ .dirfd = l->fd }, &id, &a, &d), -EISDIR);
	assert_non_null(strstr(d.text, "directory"));
	assert_null(a);
	assert_false(session_file(l, 0, name));
}

/* What is done to a log behind its writer's back, and what the writer then says. */
static const struct {
	const char *deed; /* a shell's, in the directory, with the session's file as $F */
	const char *words;
} deeds[] = {
	{ "rm \"$F\"", "it was removed" },
	{ "mv \"$F\" elsewhere", "it was moved away" },
	{ "cp \"$F\" copy && mv copy \"$F\"", "it was removed" },
	{ "ln \"$F\" kept && rm \"$F\" && cp kept \"$F\"", "another file has taken its name" },
	{ "mv ../audit ../audit.gone && mkdir ../audit", "its directory was moved or removed" },
	{ "mv ../audit ../audit.gone", "its directory was moved or removed" },
};

static void a_log_that_readers_no_longer_find_takes_no_checkpoint(void **state)
{
	const struct log_dir *l = *state;

	for (size_t i = 0; i < ARRAY_LEN(deeds); i++) {
		struct log_dir below = { .fd = -1 };
		char name[256], command[512];
		struct diag d = { "" };
		snprintf(below.path, sizeof below.path, "%.40s/audit", l->path);
		assert_int_equal(mkdir(below.path, 0700), 0);
		below.fd = open(below.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		struct audit *a = session_open(&below, "github", 0);
		session_call(a, "x");
		assert_true(session_file(&below, 0, name));
		snprintf(command, sizeof command, "cd %s && F=%s && { %s; }", below.path, name, deeds[i].deed);
		assert_int_equal(system(command), 0);
		assert_int_equal(audit_checkpoint(a, &d), -ESTALE);
		if (!strstr(d.text, deeds[i].words))
			fail_msg("%s: %s", deeds[i].deed, d.text);
		struct event e = call_event("y");
		assert_int_equal(audit_append(a, EVENT_FROM_SHIM, &e, NULL, &d), -ESTALE);
		assert_int_equal(audit_close(a, "x", &d), -ESTALE);
		audit_free(a);
		close(below.fd);
		snprintf(command, sizeof command, "rm -r %s/*", l->path);
		assert_int_equal(system(command), 0);
	}
}

static void a_record_a_second_later_finds_out_too(void **state)
{
	const struct log_dir *l = *state;
	struct audit *a = session_open(l, "github", 0);
	struct event e = call_event("y");
	char name[256];
	struct diag d;

	assert_true(session_file(l, 0, name));
	assert_int_equal(unlinkat(l->fd, name, 0), 0);
	a->placed_us -= LOG_PLACE_US;
	assert_int_equal(audit_append(a, EVENT_FROM_SHIM, &e, NULL, &d), -ESTALE);
	audit_free(a);
}

static void preallocated_space_is_given_back_at_the_close(void **state)
{
	const struct log_dir *l = *state;
	struct audit *a = session_open(l, "github", 0);
	struct stat before, after;
	char name[256];

	assert_true(session_file(l, 0, name));
	assert_int_equal(fstatat(l->fd, name, &before, 0), 0);
	assert_true(before.st_blocks * 512 >= LOG_RESERVE);
	assert_true(before.st_size < 4096);
	session_close(a);
	assert_int_equal(fstatat(l->fd, name, &after, 0), 0);
	assert_true(after.st_blocks * 512 <= 8192);
}

#define LOG_TEST(f) cmocka_unit_test_setup_teardown(f, log_dir_setup, log_dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOG_TEST(a_session_is_one_chain_from_open_to_close),
		LOG_TEST(the_index_chains_open_checkpoint_and_close_with_their_hashes),
		LOG_TEST(the_hash_is_what_b2sum_makes_of_the_line),
		LOG_TEST(the_file_is_the_users_alone_and_named_by_time_and_session),
		LOG_TEST(hostile_text_is_harmless_and_reads_back_the_same),
		LOG_TEST(the_largest_event_fits_and_arguments_are_cut_last),
		LOG_TEST(only_the_sources_of_the_table_may_send_an_event),
		LOG_TEST(members_of_the_supervisor_stand_apart_and_forge_nothing),
		LOG_TEST(a_used_up_budget_is_recorded_and_ends_this_session_only),
		LOG_TEST(floods_of_low_value_become_counts_and_no_event_is_lost),
		LOG_TEST(what_is_taken_out_of_notifications_becomes_a_count_and_out_of_calls_does_not),
		LOG_TEST(calls_are_never_counted_away),
		LOG_TEST(a_directory_in_place_of_the_index_is_said_so),
		LOG_TEST(a_log_that_readers_no_longer_find_takes_no_checkpoint),
		LOG_TEST(a_record_a_second_later_finds_out_too),
		LOG_TEST(preallocated_space_is_given_back_at_the_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
