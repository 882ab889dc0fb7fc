/* SPDX-License-Identifier: Apache-2.0 */
/* test_collector - what a sender hands over is written, and nothing else that a sender does has an effect */
#include "tests/unit/audit_unit.h"

#include <poll.h>
#include <stdatomic.h>

#include "audit/log_key.h"
#include "collector/owner.h"
#include "tests/unit/crash_unit.h"
#include "tests/unit/small_disk.h"
#include "tests/unit/writer_unit.h"
#include "wire/collect.h"

struct world {
	struct log_dir *logs; /* the collector's; its key is in there too */
	struct log_key key;
	struct users_account *account;
	struct log_dir user;
};

static int world_setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	struct diag d;

	if (!w || log_dir_setup((void **)&w->logs) < 0 || log_key_take(w->logs->fd, &w->key, &d) < 0)
		return -1;
	w->account = account_new();
	snprintf(w->user.path, sizeof w->user.path, "%.40s/%u", w->logs->path, getuid());
	mkdir(w->user.path, 0700);
	w->user.fd = open(w->user.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = w;
	return w->user.fd < 0 || !w->account ? -1 : 0;
}

static int world_teardown(void **state)
{
	struct world *w = *state;

	log_dir_empty(&w->user);
	close(w->user.fd);
	munmap(w->account, sizeof *w->account);
	log_dir_teardown((void **)&w->logs);
	free(w);
	return 0;
}

static pid_t start_writer_of(struct world *w, uid_t owner, uint64_t user_bytes, uint64_t user_files, int *ret_sock)
{
	const struct writer_args like = { .logs = w->logs->fd,
		.key = &w->key,
		.account = w->account,
		.user_bytes = user_bytes,
		.user_files = user_files };
	pid_t pid = writer_start(&like, owner, ret_sock);

	assert_true(pid > 0);
	return pid;
}

static pid_t start_writer(struct world *w, uint64_t user_bytes, int *ret_sock)
{
	return start_writer_of(w, (uid_t)-1, user_bytes, USERS_FILES, ret_sock);
}

static struct audit *open_sender(int sock)
{
	struct audit_identity id = { .user = "a liar",
		.groups = "wheel",
		.client = "code (pid 812)",
		.server = "github",
		.version = "4",
		.plan_digest = "00ff",
		.channel = "terminal" };
	struct audit *a = NULL;
	struct diag d = { "" };

	if (audit_open(&(struct audit_options){ .dirfd = -1, .sender = sock }, &id, &a, &d) < 0)
		fail_msg("audit_open: %s", d.text);
	return a;
}

static int status_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* The log of the user is whole, and all of it is signed by the collector's key. */
static void check_log(const struct world *w, bool demand)
{
	_cleanup_log_keys_ struct log_keys keys = { 0 };
	struct diag d = { "" };
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	assert_int_equal(log_keys_own(&keys, w->logs->fd, &d), 0);
	int r = audit_verify(w->user.fd,
		&(struct audit_verify_options){ .read_only = true, .keys = &keys, .demand = demand }, out, &d);
	fclose(out);
	if (r != AUDIT_WHOLE)
		print_error("%s%s", text, d.text);
	free(text);
	assert_int_equal(r, AUDIT_WHOLE);
}

static uint64_t count_calls(const struct world *w)
{
	return count_events(&w->user, "tool.call");
}

static void what_a_sender_says_of_itself_is_marked_and_the_rest_is_the_kernels(void **state)
{
	struct world *w = *state;
	int sock;
	pid_t pid = start_writer(w, WRITER_USER_BYTES, &sock);
	struct audit *a = open_sender(sock);
	char id[AUDIT_SESSION_ID_LEN + 1], name[256], number[16];

	snprintf(id, sizeof id, "%s", audit_session(a));
	session_call(a, "x");
	session_close(a);
	assert_int_equal(status_of(pid), 0);
	check_log(w, true);
	assert_true(session_file(&w->user, 0, name));
	assert_non_null(strstr(name, id));
	json_t *open = file_line(&w->user, name, 0), *call = file_line(&w->user, name, 1);
	snprintf(number, sizeof number, "%u", getuid());
	assert_string_equal(text_of(open, "uid"), number);
	snprintf(number, sizeof number, "%d", getpid());
	assert_string_equal(text_of(call, "pid"), number);
	assert_string_not_equal(text_of(open, "user"), "a liar");
	assert_string_not_equal(text_of(open, "groups"), "wheel");
	assert_string_equal(text_of(call, "server"), "github");
	assert_string_equal(text_of(call, "event"), "tool.call");
	assert_string_equal(text_of(call, "source"), "shim");
	assert_non_null(strstr(text_of(open, "claimed"), "client,server"));
	assert_string_equal(text_of(open, "key"), w->key.id);
	json_decref(open);
	json_decref(call);
}

static void members_of_the_supervisors_own_come_through(void **state)
{
	struct world *w = *state;
	int sock;
	pid_t pid = start_writer(w, WRITER_USER_BYTES, &sock);
	struct audit *a = open_sender(sock);
	struct event e = { .type = EVENT_CONSENT, .status = "approved" };
	struct diag d;
	json_t *extra = json_pack("{s:s}", "by", "alice");
	char name[256];

	assert_int_equal(audit_append(a, EVENT_FROM_SUPERVISOR, &e, extra, &d), 0);
	json_decref(extra);
	session_close(a);
	assert_int_equal(status_of(pid), 0);
	assert_true(session_file(&w->user, 0, name));
	json_t *r = file_line(&w->user, name, 1);
	assert_string_equal(text_of(json_object_get(r, "detail"), "by"), "alice");
	json_decref(r);
}

/* Sends until it is killed; a byte goes into the pipe for each record that is acknowledged. */
static void send_forever(int sock, int acks)
{
	struct audit *a = NULL;
	struct event e = call_event("x");
	struct diag d;

	if (audit_open(&(struct audit_options){ .sender = sock }, &(struct audit_identity){ 0 }, &a, &d) < 0)
		_exit(1);
	for (unsigned i = 1;; i++) {
		if (audit_append(a, EVENT_FROM_SHIM, &e, NULL, &d) < 0)
			_exit(1);
		if (i % 7 == 0 && (audit_settle(a, &d) < 0 || write(acks, "1234567", 7) != 7))
			_exit(1);
	}
}

static void no_acknowledged_record_is_lost_whoever_is_killed_and_when(void **state)
{
	struct world *w = *state;

	for (unsigned k = 0; k < RANDOM_ENDS; k++) {
		int acks[2], sock;
		acks_open(acks);
		pid_t writer = start_writer(w, WRITER_USER_BYTES, &sock);
		pid_t sender = fork();
		if (sender == 0)
			send_forever(sock, acks[1]);
		close(acks[1]);
		close(sock);
		nap_before_end(k);
		kill(k % 2 ? writer : sender, SIGKILL);
		(void)status_of(sender);
		(void)status_of(writer);
		uint64_t acknowledged = acks_count(acks[0]);
		close(acks[0]);
		assert_int_equal(verify_log(&w->user, true, NULL), AUDIT_WHOLE);
		assert_true(count_calls(w) >= acknowledged);
		log_dir_empty(&w->user);
	}
}

/* The log's disk is full somewhere among the records. Run in a child: the disk is in a namespace of its own. */
static int full_disks(struct world *w)
{
	own_mounts();
	for (unsigned k = 0; k < RANDOM_ENDS; k++) {
		struct event e = call_event("x");
		struct diag d = { "" };
		uint64_t acknowledged = 0, sent = 0;
		char options[64];
		int sock, r = 0;
		snprintf(options, sizeof options, "size=%uk,mode=0700", 800 + k * 7919 % 900);
		close(w->logs->fd);
		close(w->user.fd);
		put_disk(w->logs, options);
		assert_int_equal(mkdir(w->user.path, 0700), 0);
		w->user.fd = open(w->user.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		pid_t writer = start_writer(w, WRITER_USER_BYTES, &sock);
		struct audit *a = open_sender(sock);
		while (r == 0) {
			r = audit_append(a, EVENT_FROM_SHIM, &e, NULL, &d);
			sent++;
			if (r == 0 && sent % 5 == 0 && (r = audit_settle(a, &d)) == 0)
				acknowledged = sent;
		}
		assert_int_equal(r, -ENOSPC);
		assert_non_null(strstr(d.text, "full"));
		assert_int_equal(audit_close(a, "log full", &d), 0);
		audit_free(a);
		(void)status_of(writer);
		assert_true(count_calls(w) >= acknowledged);
		assert_int_equal(verify_log(&w->user, true, NULL), AUDIT_WHOLE);
	}
	return 0;
}

static void no_acknowledged_record_is_lost_to_a_full_disk_of_the_collectors(void **state)
{
	struct world *w = *state;
	pid_t pid = fork();

	if (pid == 0)
		_exit(full_disks(w));
	assert_int_equal(status_of(pid), 0);
}

/* --- by hand: a sender that does what ours does not --- */

static void send_raw(int sock, const struct collect_request *q)
{
	_cleanup_(wire_writer_done) struct wire_writer out = { 0 };

	assert_int_equal(collect_request_encode(q, &out), 0);
	assert_int_equal(send(sock, out.buf.data, out.buf.len, MSG_NOSIGNAL), (ssize_t)out.buf.len);
}

static void send_open(int sock)
{
	static struct collect_claims claims;

	send_raw(sock, &(struct collect_request){ .type = COLLECT_OPEN, .claims = &claims });
}

static void send_event(int sock, enum event_source source, const struct event *e, const char *detail)
{
	_cleanup_(wire_writer_done) struct wire_writer out = { 0 };

	assert_int_equal(event_encode(e, &out), 0);
	send_raw(sock, &(struct collect_request){ .type = COLLECT_RECORD,
			       .source = source,
			       .event = out.buf.data,
			       .event_len = out.buf.len,
			       .detail = detail,
			       .detail_len = detail ? strlen(detail) : 0 });
}

static void what_is_in_the_socket_is_written_although_its_sender_was_killed(void **state)
{
	enum { SENT = 40 };
	struct world *w = *state;
	int sock;
	pid_t writer = start_writer(w, WRITER_USER_BYTES, &sock);

	/* All is sent before any of it is read. */
	kill(writer, SIGSTOP);
	pid_t sender = fork();
	if (sender == 0) {
		struct event e = call_event("x");
		send_open(sock);
		for (unsigned i = 0; i < SENT; i++)
			send_event(sock, EVENT_FROM_SHIM, &e, NULL);
		raise(SIGKILL);
	}
	close(sock);
	assert_true(WIFSIGNALED(status_of(sender)));
	kill(writer, SIGCONT);
	(void)status_of(writer);
	assert_int_equal(count_calls(w), SENT);
	check_log(w, true);
}

/* Answers are there when the sender dies: the kernel then tells the reader of a reset before the rest of its bytes. */
static void a_sender_that_dies_with_answers_unread_loses_nothing_either(void **state)
{
	enum { SENT = 40 };
	struct world *w = *state;
	int sock;
	pid_t writer = start_writer(w, WRITER_USER_BYTES, &sock);
	struct event e = call_event("x");
	struct pollfd p = { .fd = sock, .events = POLLIN };

	send_open(sock);
	assert_int_equal(poll(&p, 1, -1), 1);
	kill(writer, SIGSTOP);
	assert_int_equal(waitpid(writer, &(int){ 0 }, WUNTRACED), writer);
	for (unsigned i = 0; i < SENT; i++)
		send_event(sock, EVENT_FROM_SHIM, &e, NULL);
	close(sock);
	kill(writer, SIGCONT);
	(void)status_of(writer);
	assert_int_equal(count_calls(w), SENT);
	check_log(w, true);
}

static struct collect_answer take_answer(int sock)
{
	char bytes[COLLECT_ANSWER_MAX];
	struct collect_answer a = { 0 };
	ssize_t n = recv(sock, bytes, sizeof bytes, 0);

	assert_true(n > 0);
	assert_int_equal(collect_answer_decode(bytes, (size_t)n, &a), 0);
	return a;
}

struct misdeed {
	const char *name, *words;
	void (*send)(int sock);
};

static void bytes_that_are_none_of_ours(int sock)
{
	assert_int_equal(send(sock, "{\"event\":1}", 11, MSG_NOSIGNAL), 11);
}

static void more_bytes_than_there_may_be(int sock)
{
	static char bytes[COLLECT_BYTES_MAX + 1];

	assert_int_equal(send(sock, bytes, sizeof bytes, MSG_NOSIGNAL), (ssize_t)sizeof bytes);
}

static void a_second_open(int sock)
{
	send_open(sock);
}

static void an_event_of_another_source(int sock)
{
	send_event(sock, EVENT_FROM_SHIM, &(struct event){ .type = EVENT_CONSENT }, NULL);
}

static void an_event_of_the_logs_own(int sock)
{
	send_event(sock, EVENT_FROM_SUPERVISOR, &(struct event){ .type = EVENT_SESSION_CLOSE }, NULL);
}

static void members_that_are_no_object(int sock)
{
	send_event(sock, EVENT_FROM_SUPERVISOR, &(struct event){ .type = EVENT_CONSENT }, "[1]");
}

static void members_that_are_no_json(int sock)
{
	send_event(sock, EVENT_FROM_SUPERVISOR, &(struct event){ .type = EVENT_CONSENT }, "{\"a\":1,\"a\":2}");
}

static void members_of_the_shims(int sock)
{
	struct event e = call_event("x");
	send_event(sock, EVENT_FROM_SHIM, &e, "{\"a\":1}");
}

static void an_event_that_is_none(int sock)
{
	send_raw(sock, &(struct collect_request){ .type = COLLECT_RECORD, .event = "xx", .event_len = 2 });
}

static void whoever_breaks_the_rules_ends_its_own_session_and_what_was_there_stays(void **state)
{
	static const struct misdeed misdeeds[] = {
		{ "bytes that are none of ours", "not of this build", bytes_that_are_none_of_ours },
		{ "more bytes than there may be", NULL, more_bytes_than_there_may_be },
		{ "a second open", "open already", a_second_open },
		{ "an event of another source", "may not send", an_event_of_another_source },
		{ "an event of the log's own", "written by the log itself", an_event_of_the_logs_own },
		{ "members that are no object", "not an object", members_that_are_no_object },
		{ "members that are no JSON", "no JSON", members_that_are_no_json },
		{ "members of the shim's", "may not add members", members_of_the_shims },
		{ "an event that is none", "no event", an_event_that_is_none },
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(misdeeds); i++) {
		struct event e = call_event("x");
		int sock;
		pid_t writer = start_writer(w, WRITER_USER_BYTES, &sock);
		send_open(sock);
		assert_int_equal(take_answer(sock).error, 0);
		send_event(sock, EVENT_FROM_SHIM, &e, NULL);
		assert_int_equal(take_answer(sock).done, 2);
		misdeeds[i].send(sock);
		if (misdeeds[i].words) {
			struct collect_answer a = take_answer(sock);
			if (a.error >= 0 || !strstr(a.words, misdeeds[i].words))
				fail_msg("%s: %d %s", misdeeds[i].name, a.error, a.words);
		}
		(void)status_of(writer);
		close(sock);
		assert_int_equal(count_calls(w), 1);
		check_log(w, true);
		log_dir_empty(&w->user);
	}
}

static void nothing_is_recorded_before_a_session_is_open(void **state)
{
	struct world *w = *state;
	struct event e = call_event("x");
	int sock;
	pid_t writer = start_writer(w, WRITER_USER_BYTES, &sock);
	char name[256];

	send_event(sock, EVENT_FROM_SHIM, &e, NULL);
	assert_non_null(strstr(take_answer(sock).words, "not open"));
	(void)status_of(writer);
	close(sock);
	assert_false(session_file(&w->user, 0, name));
}

/* The socket lives on in another process; whose records they would be has ended. */
static void the_end_of_the_process_that_connected_is_the_end_of_its_session(void **state)
{
	struct world *w = *state;
	int pipes[2];

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	pid_t owner = fork();
	if (owner == 0) {
		int sock;
		pid_t writer = start_writer(w, WRITER_USER_BYTES, &sock);
		send_open(sock);
		(void)take_answer(sock);
		if (fork() == 0) {
			/* Holds the socket until the writer has gone, which is what ends its own wait. */
			struct pollfd p = { .fd = sock, .events = POLLRDHUP };
			_exit(poll(&p, 1, -1) == 1 ? 0 : 1);
		}
		_exit(write(pipes[1], &writer, sizeof writer) == sizeof writer ? 0 : 1);
	}
	pid_t writer;
	assert_int_equal(read(pipes[0], &writer, sizeof writer), sizeof writer);
	assert_int_equal(status_of(owner), 0);
	close(pipes[1]);
	/* Every holder of the pipe's other end is gone: the writer and who held the socket. */
	assert_int_equal(read(pipes[0], &writer, 1), 0);
	close(pipes[0]);
	check_log(w, true);
}

/* 0, and the session is opened and closed; or why not. */
static int one_session(struct world *w, uid_t owner, uint64_t user_bytes, uint64_t user_files, struct diag *d)
{
	struct audit *a = NULL;
	int sock;
	pid_t writer = start_writer_of(w, owner, user_bytes, user_files, &sock);
	int r = audit_open(&(struct audit_options){ .sender = sock }, &(struct audit_identity){ 0 }, &a, d);

	if (r == 0)
		session_close(a);
	(void)status_of(writer);
	return r;
}

static void a_user_whose_share_is_used_up_begins_no_session_and_others_go_on(void **state)
{
	static const struct {
		uint64_t bytes, files;
		const char *words;
	} shares[] = {
		{ 100, USERS_FILES, " files already, of 100 in " },
		{ WRITER_USER_BYTES, 1, " in 2 files already, of 10737418240 in 1 that the collector keeps" },
	};
	struct world *w = *state, other = *w;
	struct diag d = { "" };
	struct log_dir directory = { .fd = -1 };

	assert_int_equal(one_session(w, (uid_t)-1, WRITER_USER_BYTES, USERS_FILES, &d), 0);
	for (size_t i = 0; i < ARRAY_LEN(shares); i++) {
		atomic_store(&w->account->counted_us, 0);
		assert_int_equal(one_session(w, (uid_t)-1, shares[i].bytes, shares[i].files, &d), -EDQUOT);
		if (!strstr(d.text, shares[i].words))
			fail_msg("%s", d.text);
		other.account = account_new();
		assert_int_equal(one_session(&other, 4711 + (uid_t)i, shares[i].bytes, shares[i].files, &d), 0);
		snprintf(directory.path, sizeof directory.path, "%.40s/%zu", w->logs->path, 4711 + i);
		directory.fd = open(directory.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		log_dir_empty(&directory);
		close(directory.fd);
		munmap(other.account, sizeof *other.account);
	}
}

/* Counted once in a while: a user with many files has nobody look through them for each session. */
static void small_files_without_end_come_to_an_end(void **state)
{
	enum { FILES = 4 };
	struct world *w = *state;
	struct diag d = { "" };
	unsigned begun = 0;

	while (begun < 10 && one_session(w, (uid_t)-1, WRITER_USER_BYTES, FILES, &d) == 0)
		begun++;
	assert_int_equal(begun, FILES);
	assert_non_null(strstr(d.text, "nothing runs unrecorded"));
	log_dir_empty(&w->user);
	assert_int_equal(one_session(w, (uid_t)-1, WRITER_USER_BYTES, FILES, &d), -EDQUOT);
	atomic_store(&w->account->counted_us, 1);
	assert_int_equal(one_session(w, (uid_t)-1, WRITER_USER_BYTES, FILES, &d), 0);
}

static void the_records_of_a_subordinate_id_are_in_its_owners_directory_under_its_own_name(void **state)
{
	struct world *w = *state;
	struct log_dir owner = { .fd = -1 };
	struct diag d = { "" };
	char name[256], number[16];

	assert_int_equal(one_session(w, 4711, WRITER_USER_BYTES, USERS_FILES, &d), 0);
	snprintf(owner.path, sizeof owner.path, "%.40s/4711", w->logs->path);
	owner.fd = open(owner.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(owner.fd >= 0 && session_file(&owner, 0, name));
	json_t *first = file_line(&owner, name, 0);
	snprintf(number, sizeof number, "%u", getuid());
	assert_string_equal(text_of(first, "uid"), number);
	assert_false(session_file(&w->user, 0, name));
	json_decref(first);
	log_dir_empty(&owner);
	close(owner.fd);
}

static void a_collector_that_is_gone_is_an_error_in_words(void **state)
{
	struct world *w = *state;
	int sock;
	pid_t writer = start_writer(w, WRITER_USER_BYTES, &sock);
	struct audit *a = open_sender(sock);
	struct event e = call_event("x");
	struct diag d = { "" };

	kill(writer, SIGKILL);
	(void)status_of(writer);
	int r = audit_append(a, EVENT_FROM_SHIM, &e, NULL, &d);
	if (r == 0)
		r = audit_settle(a, &d);
	assert_true(r < 0);
	assert_non_null(strstr(d.text, "the collector of audit records is gone"));
	assert_true(audit_append(a, EVENT_FROM_SHIM, &e, NULL, &d) < 0);
	assert_true(audit_close(a, "ended", &d) < 0);
	audit_free(a);
}

/* --- the shares of users --- */

static void one_user_takes_nothing_from_another(void **state)
{
	struct users *u = NULL;
	size_t row = 0;

	assert_int_equal(users_new(&u), 0);
	for (unsigned i = 0; i < USERS_SESSIONS_EACH; i++) {
		assert_int_equal(users_enter(u, 1000, US_PER_S, &row), USERS_OK);
		users_began(u, row, (pid_t)(i + 10));
	}
	assert_int_equal(users_enter(u, 1000, US_PER_S, &row), USERS_TOO_MANY);
	assert_int_equal(users_enter(u, 1001, US_PER_S, &row), USERS_OK);
	users_leave(u, 10);
	/* There is room again, but it began as many as it may in one burst. */
	assert_int_equal(users_enter(u, 1000, US_PER_S, &row), USERS_TOO_FAST);
	assert_int_equal(users_enter(u, 1000, 2 * US_PER_S, &row), USERS_OK);
	users_cancel(u, row);
	assert_int_equal(users_sessions(u), USERS_SESSIONS_EACH);
	users_free(u);
}

static void who_writes_more_than_its_burst_waits_for_the_rest(void **state)
{
	struct users_account a = { 0 };
	uint64_t now = 100 * (uint64_t)US_PER_S;

	assert_int_equal(users_charge(&a, (uint64_t)USERS_BURST_S * USERS_BYTES_PER_S, now), 0);
	assert_int_equal(users_charge(&a, USERS_BYTES_PER_S, now), US_PER_S);
	assert_int_equal(users_charge(&a, 0, now + 2 * (uint64_t)US_PER_S), 0);
}

static void what_was_counted_is_believed_for_a_while_and_shorter_when_it_was_too_much(void **state)
{
	struct users_account a = { 0 };

	(void)state;
	assert_true(users_must_count(&a, false, 1));
	users_counted(&a, 7, 8, 1000);
	assert_false(users_must_count(&a, false, 999 + USERS_COUNT_US));
	assert_true(users_must_count(&a, false, 1000 + USERS_COUNT_US));
	assert_false(users_must_count(&a, true, 999 + USERS_COUNT_FULL_US));
	assert_true(users_must_count(&a, true, 1000 + USERS_COUNT_FULL_US));
	(void)users_charge(&a, 100, 1000);
	assert_int_equal(atomic_load(&a.bytes), 108);
}

static void a_subordinate_id_uses_up_its_owners_share(void **state)
{
	static const char ranges[] =
		"# comment\n\nbroken\nroot:\nroot:x:3\nroot:1:-1\n4242:0:1\n"
		"root:200000:1000\nnobody-of-that-name:300000:65536\n4242:400000:10\nroot:4294967000:4294967000\n";
	static const struct {
		uid_t uid, owner;
	} cases[] = {
		{ 0, 0 }, /* it has an entry of its own */
		{ 199999, 199999 }, { 200000, 0 }, { 200999, 0 }, { 201000, 201000 }, { 300000, 300000 },
		{ 365535, 300000 }, { 365536, 365536 }, { 400009, 4242 }, { 4294966999, 4294966999 }, { 4294967290, 0 },
		{ 500000, 0 }, /* after a line that is too long */
	};
	const struct log_dir *l = ((struct world *)*state)->logs;
	char path[80], line[2 * OWNER_LINE_MAX];

	snprintf(path, sizeof path, "%s/subuid", l->path);
	assert_int_equal(owner_of(path, 200000), 200000);
	FILE *f = fopen(path, "we");
	memset(line, 'x', sizeof line - 1);
	line[sizeof line - 1] = '\0';
	fprintf(f, "%s%s:600000:2\nroot:500000:1", ranges, line);
	fclose(f);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (owner_of(path, cases[i].uid) != cases[i].owner)
			fail_msg("%u: %u", cases[i].uid, owner_of(path, cases[i].uid));
	assert_int_equal(owner_of(path, 600001), 600001);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
		T(what_a_sender_says_of_itself_is_marked_and_the_rest_is_the_kernels),
		T(members_of_the_supervisors_own_come_through),
		T(no_acknowledged_record_is_lost_whoever_is_killed_and_when),
		T(no_acknowledged_record_is_lost_to_a_full_disk_of_the_collectors),
		T(what_is_in_the_socket_is_written_although_its_sender_was_killed),
		T(a_sender_that_dies_with_answers_unread_loses_nothing_either),
		T(whoever_breaks_the_rules_ends_its_own_session_and_what_was_there_stays),
		T(nothing_is_recorded_before_a_session_is_open),
		T(the_end_of_the_process_that_connected_is_the_end_of_its_session),
		T(a_user_whose_share_is_used_up_begins_no_session_and_others_go_on),
		T(small_files_without_end_come_to_an_end),
		T(the_records_of_a_subordinate_id_are_in_its_owners_directory_under_its_own_name),
		T(a_subordinate_id_uses_up_its_owners_share),
		T(a_collector_that_is_gone_is_an_error_in_words),
		cmocka_unit_test(one_user_takes_nothing_from_another),
		cmocka_unit_test(what_was_counted_is_believed_for_a_while_and_shorter_when_it_was_too_much),
		cmocka_unit_test(who_writes_more_than_its_burst_waits_for_the_rest),
#undef T
	};

	return cmocka_run_group_tests_name("collector", tests, NULL, NULL);
}
