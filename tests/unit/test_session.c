/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_session - what a session makes of parts that speak badly, die, or say nothing
 *
 * The session's own files are compiled into this program with a libexec directory below the working directory, in which
 * stockade-enter and the others are links to this program. By its name it knows which part it plays, and what to do it
 * reads from a file of that name: words, done one after the other.
 */
#include "tests/unit/consent_world.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "audit/audit.h"
#include "base/io.h"
#include "supervisor/exit.h"
#include "supervisor/registry.h"
#include "supervisor/session.h"
#include "wire/control.h"
#include "wire/event.h"
#include "wire/fds.h"
#include "wire/report.h"

enum {
	SCRIPT_MAX = 256,
	OUTPUT_MAX = 64 << 10,
	WITNESS_FD = 200,
	TALK_FD = 4,
	GONE_MS = 30000,
	FLOOD = 3000,
	UNRELEASED_MS = 200
};

static const char *const parts[] = { "stockade-enter", "stockade-shim", "stockade-gateway", "stockade-dial" };

/* --- the parts: each finds its socket to the supervisor at 4 --- */

_Static_assert((int)ENTER_FD_REPORT == TALK_FD && (int)SHIM_FD_CONTROL == TALK_FD &&
		       (int)GATEWAY_FD_EVENTS == TALK_FD && (int)DIAL_FD_EVENTS == TALK_FD,
	"one number for all");

static void send_bytes(struct wire_writer *w, int encoded, int fd)
{
	if (encoded < 0 || io_send_msg(TALK_FD, w->buf.data, w->buf.len, &fd, fd >= 0) < 0)
		_exit(50);
	wire_writer_done(w);
}

static void send_report(struct report r, int fd)
{
	struct wire_writer w = { 0 };

	send_bytes(&w, report_encode(&r, &w), fd);
}

static void send_event(enum event_type type)
{
	struct event e = { .type = type, .decision = type == EVENT_CALL ? EVENT_DENY : EVENT_NONE };
	struct wire_writer w = { 0 };

	send_bytes(&w, event_encode(&e, &w), -1);
}

/* A record that its part may send, made wrong in one way. */
static void send_wrong(enum event_type type, const char *how)
{
	static char bytes[EVENT_BYTES_MAX + 1];
	struct event e = { .type = type };
	struct wire_writer w = { 0 };
	int fd = TALK_FD;

	if (event_encode(&e, &w) < 0)
		_exit(55);
	size_t n = w.buf.len, n_fds = 0;
	memcpy(bytes, w.buf.data, n);
	wire_writer_done(&w);
	if (strcmp(how, "overlong") == 0)
		n = sizeof(bytes);
	else if (strcmp(how, "cut") == 0)
		n--;
	else if (strcmp(how, "tail") == 0)
		n++;
	else if (strcmp(how, "fd") == 0)
		n_fds = 1;
	if (io_send_msg(TALK_FD, bytes, n, &fd, n_fds) < 0)
		_exit(56);
}

/* What a person's terminal, or a reader of the log's lines, would take for something else. */
static void send_forged_text(enum event_type type)
{
	struct event e = { .type = type, .decision = EVENT_DENY, .port = UINT32_MAX, .count = UINT64_MAX };
	struct wire_writer w = { 0 };

	snprintf(e.host, sizeof(e.host),
		"a\n{\"event\":\"session.close\",\"sequence\":9}\n\x1b[2J\x9b\xc3(\xe2\x80\xae.example");
	snprintf(e.reason, sizeof(e.reason), "\"}\n\r\x01\x7f");
	send_bytes(&w, event_encode(&e, &w), -1);
}

/* The end of the socket is the supervisor's death, and ours. */
static void await_control(enum control_type type)
{
	char bytes[CONTROL_BYTES_MAX];
	struct control c = { .type = CONTROL_TYPE_COUNT };

	while (c.type != type) {
		long n = io_recv_msg(TALK_FD, bytes, sizeof(bytes), NULL, NULL);
		if (n <= 0 || control_decode(bytes, (size_t)n, &c) < 0)
			_exit(51);
	}
}

/* As enter does it: PID 1 is the supervisor's child, and goes on with the words; we have done our part. */
static void become_init(bool with_pidfd)
{
	int told[2];
	char c;

	if (pipe2(told, O_CLOEXEC) < 0)
		_exit(54);
	long pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);
	if (pid == 0) {
		close(told[1]);
		(void)!read(told[0], &c, 1);
		close(told[0]);
		return;
	}
	send_report((struct report){ .type = REPORT_INIT, .pid = (pid_t)pid },
		with_pidfd ? (int)syscall(SYS_pidfd_open, pid, 0) : -1);
	_exit(0);
}

static void play_word(const char *word)
{
	if (strcmp(word, "init") == 0)
		become_init(true);
	else if (strcmp(word, "init-without-pidfd") == 0)
		become_init(false);
	else if (strcmp(word, "init-again") == 0)
		send_report((struct report){ .type = REPORT_INIT, .pid = getpid() },
			(int)syscall(SYS_pidfd_open, getpid(), 0));
	else if (strncmp(word, "failed-", 7) == 0)
		send_report((struct report){ .type = REPORT_FAILED,
				    .stage = (enum enter_stage)atoi(word + 7),
				    .error = EACCES,
				    .detail = "/some/detail" },
			-1);
	else if (strcmp(word, "ready") == 0)
		send_report((struct report){ .type = REPORT_READY, .landlock = 6 }, -1);
	else if (strcmp(word, "running") == 0)
		send_report((struct report){ .type = REPORT_RUNNING }, -1);
	else if (strncmp(word, "exited-", 7) == 0)
		send_report((struct report){ .type = REPORT_EXITED, .status = atoi(word + 7) }, -1);
	else if (strcmp(word, "call") == 0)
		close(open("meeting", O_WRONLY | O_CLOEXEC));
	else if (strcmp(word, "called") == 0)
		close(open("meeting", O_RDONLY | O_CLOEXEC));
	else if (strcmp(word, "run") == 0)
		close(open("ran", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	else if (strcmp(word, "garbage") == 0)
		(void)!send(TALK_FD, "\1\2\3\4\5\6\7\0garbage", 15, MSG_NOSIGNAL);
	else if (strcmp(word, "released") == 0)
		await_control(CONTROL_RELEASE);
	else if (strcmp(word, "signalled") == 0)
		await_control(CONTROL_SIGNAL);
	else if (strcmp(word, "closed") == 0)
		await_control(CONTROL_CLOSE);
	else if (strcmp(word, "server-exited") == 0)
		await_control(CONTROL_SERVER_EXITED);
	else if (strncmp(word, "event-", 6) == 0)
		send_event((enum event_type)atoi(word + 6));
	else if (strncmp(word, "wrong-", 6) == 0)
		send_wrong((enum event_type)atoi(word + 6), strchr(word + 6, '-') + 1);
	else if (strncmp(word, "forged-", 7) == 0)
		send_forged_text((enum event_type)atoi(word + 7));
	else if (strncmp(word, "flood-", 6) == 0)
		for (int i = 0; i < FLOOD; i++)
			send_event((enum event_type)atoi(word + 6));
	else if (strcmp(word, "terminate-supervisor") == 0)
		kill(getppid(), SIGTERM);
	else if (strcmp(word, "stay") == 0)
		pause();
	else if (strcmp(word, "die") == 0)
		kill(getpid(), SIGKILL);
	else if (strncmp(word, "exit-", 5) == 0)
		_exit(atoi(word + 5));
	else
		_exit(52);
}

static int play(const char *part)
{
	char script[SCRIPT_MAX] = "", *save = NULL;
	int fd = open(part, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, script, sizeof(script) - 1) < 0)
		return 53;
	close(fd);
	for (char *word = strtok_r(script, " ", &save); word; word = strtok_r(NULL, " ", &save))
		play_word(word);
	/* Most parts end with the supervisor's socket. The shim stays until it is ended. */
	if (strcmp(part, "stockade-shim") != 0) {
		while (recv(TALK_FD, script, sizeof(script), 0) > 0)
			;
		return 0;
	}
	for (;;)
		pause();
}

/* --- the world --- */

enum early { NOT_EARLY, EARLY_KEPT, EARLY_DROPPED };

struct stage {
	struct world *world;
	enum early early;
	struct effective e;
	char cwd[PATH_MAX];
	int status;
	char said[OUTPUT_MAX]; /* on stderr */
	char log[OUTPUT_MAX];  /* every file of the audit directory */
};

static int stage_up(void **state)
{
	static struct stage s;
	char self[PATH_MAX] = "";

	s = (struct stage){ 0 };
	if (world_up((void **)&s.world) != 0 || !getcwd(s.cwd, sizeof(s.cwd)) ||
		readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return -1;
	assert_int_equal(chdir(s.world->root), 0);
	assert_int_equal(mkdir("stand-in", 0700), 0);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		char link[64];
		snprintf(link, sizeof(link), "stand-in/%s", parts[i]);
		assert_int_equal(symlink(self, link), 0);
	}
	assert_int_equal(mkfifo("meeting", 0600), 0);
	make_launch(&s.e, "notes", "/srv");
	s.e.plan = (struct plan){ .name = strdup("notes"),
		.uid = 1,
		.gid = 1,
		.exec_path = strdup("/bin/true"),
		.cwd = strdup("/"),
		.hostname = strdup("stockade"),
		.seccomp = strdup("default") };
	s.e.shim = (struct shim_config){
		.name = strdup("notes"), .stderr_prefix = strdup("[notes] "), .line_max = 1 << 20, .uid = 1, .gid = 1
	};
	s.e.profile.network.limits = net_limits_default();
	s.e.profile.network.server = strdup("notes");
	*state = &s;
	return 0;
}

static int stage_down(void **state)
{
	struct stage *s = *state;
	void *world = s->world;

	plan_done(&s->e.plan);
	shim_config_done(&s->e.shim);
	net_config_done(&s->e.profile.network);
	launch_done(&s->e);
	return chdir(s->cwd) < 0 ? -1 : world_down(&world);
}

static void put_script(const char *part, const char *text)
{
	int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void read_into(int fd, char *ret)
{
	size_t have = strlen(ret);
	ssize_t n = 1;

	while (n > 0 && have + 1 < OUTPUT_MAX) {
		n = read(fd, ret + have, OUTPUT_MAX - 1 - have);
		have += n > 0 ? (size_t)n : 0;
	}
	ret[have] = '\0';
	close(fd);
}

static void read_log(struct stage *s)
{
	struct diag d = { "" };
	int fd = -1;

	assert_int_equal(paths_open_state(&s->world->paths, "audit", &fd, &d), 0);
	_cleanup_closedir_ DIR *dir = fdopendir(fd);
	const struct dirent *e;
	while (dir && (e = readdir(dir)))
		if (strstr(e->d_name, ".jsonl"))
			read_into(openat(fd, e->d_name, O_RDONLY | O_CLOEXEC), s->log);
}

/* Is it as whole as `audit verify` wants it? */
static void expect_whole_log(const struct stage *s, const char *words)
{
	FILE *out = fopen("/dev/null", "we");
	struct diag d = { "" };
	int fd = -1;

	assert_int_equal(paths_open_state(&s->world->paths, "audit", &fd, &d), 0);
	struct audit_verify_options o = { 0 };
	int r = audit_verify(fd, &o, out, &d);
	if (r != 0)
		fail_msg("%s: the log is not whole: %d %s", words, r, d.text);
	fclose(out);
	close(fd);
}

/* Started before there is a session, and left until PID 1 waits for its release. */
static void start_early(const struct stage *s, struct spawned *ret)
{
	struct diag d = { "" };

	if (s->early == NOT_EARLY)
		return;
	if (spawn_session(&s->e, ret, &d) < 0)
		_exit(96);
	close(open("meeting", O_RDONLY | O_CLOEXEC));
	poll(NULL, 0, UNRELEASED_MS);
	if (access("ran", F_OK) == 0)
		_exit(95);
	if (s->early == EARLY_KEPT)
		return;
	spawned_done(ret);
	_exit(0);
}

static void run_child(const struct stage *s, const int in[2], const int err[2], const int witness[2])
{
	static const struct lineage nobody;
	struct spawned early = SPAWNED_NONE;
	struct session_args a = { &s->world->paths, &s->e, &nobody, "approval", "terminal", &early };

	close(in[1]);
	dup2(in[0], 0);
	dup2(err[1], 2);
	dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), 1);
	/* The one descriptor that the parts keep: as long as one of them lives, its other end has no end of file. */
	dup2(witness[1], WITNESS_FD);
	/* As main does before anything else; without it only root may load a filter (seccomp(2)). */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		_exit(97);
	start_early(s, &early);
	_exit(session_run(&a));
}

/* Runs a session; input: the client keeps its end open. */
static void run_session(struct stage *s, bool input)
{
	int in[2], err[2], witness[2];
	char c;

	assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(err, O_CLOEXEC) | pipe2(witness, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0)
		run_child(s, in, err, witness);
	close(in[0]);
	close(err[1]);
	close(witness[1]);
	if (!input)
		close(in[1]);
	assert_int_equal(waitpid(pid, &s->status, 0), pid);
	if (poll(&(struct pollfd){ .fd = witness[0] }, 1, GONE_MS) != 1 || read(witness[0], &c, 1) != 0)
		fail_msg("a part is left running");
	close(witness[0]);
	s->said[0] = s->log[0] = '\0';
	read_into(err[0], s->said);
	read_log(s);
	if (input)
		close(in[1]);
}

/* --- the tables --- */

struct row {
	const char *words;
	const char *enter, *shim, *gateway, *dial; /* gateway NULL: a launch without a network */
	int status;
	const char *said, *logged;
};

static const struct row rows[] = {
	{ "the server ends by itself", "init ready released running exited-768", "released server-exited exit-0", NULL,
		NULL, 3, "", "\"server exited\"" },
	{ "the server is killed", "init ready released running exited-9", "released server-exited exit-0", NULL, NULL,
		137, "", "(signal 9)" },
	{ "the client closes", "init ready released running call signalled exited-0", "released called exit-0", NULL,
		NULL, 0, "", "\"client closed\"" },
	{ "nobody reads the client's side", "init ready released running call signalled exited-0",
		"released called exit-2", NULL, NULL, 0, "nobody reads our standard output", "\"client gone\"" },
	/* enter */
	{ "enter dies before a word", "die", "server-exited exit-0", NULL, NULL, 125,
		"the sandbox went away while it was built", "session.close" },
	{ "enter ends before a word", "exit-0", "server-exited exit-0", NULL, NULL, 125,
		"the sandbox went away while it was built", "session.close" },
	{ "enter sends garbage", "garbage", "closed exit-0", NULL, NULL, 125, "no report of this build",
		"\"stockade failed\"" },
	{ "PID 1 dies before it is ready", "init die", "server-exited exit-0", NULL, NULL, 125,
		"the sandbox went away while it was built", "session.close" },
	{ "PID 1 dies while the server runs", "init ready released running die", "released server-exited exit-0", NULL,
		NULL, 137, "", "\"server killed\"" },
	{ "PID 1 sends garbage while the server runs", "init ready released running garbage", "closed exit-0", NULL,
		NULL, 125, "no report of this build", "\"stockade failed\"" },
	{ "PID 1 has no descriptor", "init-without-pidfd", "closed exit-0", NULL, NULL, 125, "without a descriptor",
		"\"stockade failed\"" },
	{ "PID 1 is reported twice", "init init-again", "closed exit-0", NULL, NULL, 125, "or twice",
		"\"stockade failed\"" },
	{ "enter says nothing, and a signal comes", "terminate-supervisor", "server-exited exit-0", NULL, NULL, 125, "",
		"\"stopped by a signal\"" },
	/* the shim */
	{ "the shim dies before the release", "init", "die", NULL, NULL, 125, "the shim ended unexpectedly (signal 9)",
		"\"stockade failed\"" },
	{ "the shim dies while the server runs", "init ready released running", "released die", NULL, NULL, 125,
		"the shim ended unexpectedly (signal 9)", "\"stockade failed\"" },
	{ "the shim says that it failed", "init ready released running", "released exit-1", NULL, NULL, 125,
		"the shim ended unexpectedly (status 1)", "\"stockade failed\"" },
	{ "the shim sends garbage", "init ready released running", "released garbage closed exit-0", NULL, NULL, 125,
		"the shim sent what is no record of this build", "\"stockade failed\"" },
	/* gateway and dial */
	{ "everything stands, with a network", "init ready released running exited-0", "released server-exited exit-0",
		"ready-event", "ready-event", 0, "", "\"every layer in force\"" },
	{ "the gateway does not end", "init ready released running exited-0", "released server-exited exit-0",
		"ready-event stay", "ready-event", 0, "", "\"server exited\"" },
	{ "the gateway dies before it is ready", "init ready released running", "closed exit-0", "die", "ready-event",
		125, "stockade-gateway or stockade-dial ended unexpectedly", "\"stockade failed\"" },
	{ "dial dies before it is ready", "init ready released running", "closed exit-0", "ready-event", "die", 125,
		"stockade-gateway or stockade-dial ended unexpectedly", "\"stockade failed\"" },
	{ "the gateway dies after the release", "init ready released running", "closed exit-0", "ready-event exit-0",
		"ready-event", 125, "stockade-gateway or stockade-dial ended unexpectedly", "\"stockade failed\"" },
	{ "the gateway sends garbage", "init ready released running", "closed exit-0", "garbage", "ready-event", 125,
		"stockade-gateway sent what is no record", "\"stockade failed\"" },
	{ "dial sends garbage", "init ready released running", "closed exit-0", "ready-event", "ready-event garbage",
		125, "stockade-dial sent what is no record", "\"stockade failed\"" },
};

static void script(const char *part, const char *text)
{
	char full[SCRIPT_MAX];
	const char *at = text ? strstr(text, "ready-event") : NULL;

	if (at)
		snprintf(full, sizeof(full), "%.*sevent-%d%s", (int)(at - text), text, EVENT_NET_READY,
			at + strlen("ready-event"));
	else
		snprintf(full, sizeof(full), "%s", text ? text : "");
	put_script(part, full);
}

static void play_row(struct stage *s, const struct row *row)
{
	script("stockade-enter", row->enter);
	script("stockade-shim", row->shim);
	script("stockade-gateway", row->gateway);
	script("stockade-dial", row->dial);
	s->e.plan.network.on = row->gateway != NULL;
	run_session(s, true);
	if (!WIFEXITED(s->status) || WEXITSTATUS(s->status) != row->status)
		fail_msg("%s: wait status %x: %s", row->words, (unsigned)s->status, s->said);
	if (*row->said ? !strstr(s->said, row->said) : *s->said != '\0')
		fail_msg("%s: it said '%s'", row->words, s->said);
	if (!strstr(s->log, row->logged))
		fail_msg("%s: not logged: %s", row->words, s->log);
	expect_whole_log(s, row->words);
}

static void every_way_to_end_has_its_status_its_words_and_a_whole_log(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		void *one;
		assert_int_equal(stage_up(&one), 0);
		play_row(one, &rows[i]);
		assert_int_equal(stage_down(&one), 0);
	}
}

static void a_stage_that_fails_is_named_and_nothing_runs(void **state)
{
	(void)state;
	for (int i = 0; i < ENTER_STAGE_COUNT; i++) {
		void *one;
		char enter[64], logged[128];
		assert_int_equal(stage_up(&one), 0);
		struct stage *s = one;
		snprintf(enter, sizeof(enter), "%sfailed-%d", i > ENTER_STAGE_CLONE ? "init " : "", i);
		put_script("stockade-enter", enter);
		put_script("stockade-shim", "server-exited exit-0");
		run_session(s, true);
		snprintf(logged, sizeof(logged), "\"status\":\"%s\"", enter_stage_name((enum enter_stage)i));
		if (!WIFEXITED(s->status) ||
			WEXITSTATUS(s->status) != (i == ENTER_STAGE_EXEC ? EXIT_NOT_EXECUTABLE : EXIT_REFUSED) ||
			!*s->said)
			fail_msg("%s: %x: %s", enter_stage_name((enum enter_stage)i), (unsigned)s->status, s->said);
		if (!strstr(s->log, logged) || !strstr(s->log, "\"could not be started\"") ||
			strstr(s->log, "session.ready"))
			fail_msg("%s: %s", enter_stage_name((enum enter_stage)i), s->log);
		expect_whole_log(s, enter);
		assert_int_equal(stage_down(&one), 0);
	}
}

static void no_part_sends_what_only_another_may(void **state)
{
	static const struct {
		const char *part;
		enum event_type type;
	} forged[] = { { "stockade-shim", EVENT_SESSION_CLOSE }, { "stockade-shim", EVENT_NET_CONNECT },
		{ "stockade-gateway", EVENT_NET_CONNECT }, { "stockade-gateway", EVENT_CALL },
		{ "stockade-dial", EVENT_NET_CLOSE }, { "stockade-dial", EVENT_SESSION_READY } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(forged); i++) {
		char text[3][64];
		void *one;
		assert_int_equal(stage_up(&one), 0);
		for (size_t j = 0; j < ARRAY_LEN(text); j++)
			if (strcmp(forged[i].part, parts[j + 1]) == 0)
				snprintf(text[j], sizeof(text[j]), "event-%u closed exit-0", forged[i].type);
			else
				snprintf(text[j], sizeof(text[j]), "closed exit-0");
		play_row(one, &(struct row){ event_name(forged[i].type), "init ready", text[0], text[1], text[2], 125,
				      "may not send", "\"stockade failed\"" });
		assert_int_equal(stage_down(&one), 0);
	}
}

/* Each part in turn is the one that was taken over; what it may send, it sends in a wrong form. */
static void no_part_is_believed_whose_record_is_out_of_form(void **state)
{
	static const struct {
		const char *part, *name;
		enum event_type type;
	} speakers[] = { { "stockade-shim", "the shim", EVENT_STDERR },
		{ "stockade-gateway", "stockade-gateway", EVENT_NET_NAME },
		{ "stockade-dial", "stockade-dial", EVENT_NET_CONNECT } };
	static const char *const ways[] = { "overlong", "cut", "tail", "fd" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(speakers) * ARRAY_LEN(ways); i++) {
		size_t who = i / ARRAY_LEN(ways), way = i % ARRAY_LEN(ways);
		char text[3][64], words[64], said[96];
		void *one;
		assert_int_equal(stage_up(&one), 0);
		for (size_t j = 0; j < ARRAY_LEN(text); j++)
			if (j == who)
				snprintf(text[j], sizeof(text[j]), "wrong-%u-%s closed exit-0", speakers[who].type,
					ways[way]);
			else
				snprintf(text[j], sizeof(text[j]), "closed exit-0");
		snprintf(words, sizeof(words), "%s: %s", speakers[who].name, ways[way]);
		snprintf(said, sizeof(said), "%s sent what is no record", speakers[who].name);
		play_row(one, &(struct row){ words, "init ready", text[0], text[1], text[2], 125, said,
				      "\"stockade failed\"" });
		assert_null(strstr(((struct stage *)one)->log, event_name(speakers[who].type)));
		assert_int_equal(stage_down(&one), 0);
	}
}

/* That it is locked down is said once a part: who says it twice says it for nobody else. */
static void no_part_is_ready_for_another(void **state)
{
	struct stage *s = *state;

	play_row(s, &(struct row){ "ready twice", "init ready released running exited-768", "closed exit-0",
			    "ready-event ready-event", "exit-0", 125, "ended unexpectedly", "\"stockade failed\"" });
	assert_null(strstr(s->log, "session.ready"));
}

static void what_a_part_says_in_a_record_forges_no_other(void **state)
{
	struct stage *s = *state;
	char gateway[96];

	snprintf(gateway, sizeof(gateway), "event-%d forged-%d forged-%d", EVENT_NET_READY, EVENT_NET_NAME,
		EVENT_NET_CLOSE);
	play_row(s, &(struct row){ "forged text", "init ready released running exited-0",
			    "released server-exited exit-0", gateway, "ready-event", 0, "", "\"net.name\"" });
	for (const char *c = s->log; *c; c++)
		if ((unsigned char)*c < 0x20 && *c != '\n')
			fail_msg("a control character in the log: %02x", *c);
	assert_null(strstr(s->log, "\n{\"event\":\"session.close\""));
}

/* Whoever sends as fast as it can is written down, and the others are heard all the same. */
static void a_flood_of_records_keeps_no_other_part_from_being_heard(void **state)
{
	struct stage *s = *state;
	char gateway[96];

	snprintf(gateway, sizeof(gateway), "event-%d flood-%d", EVENT_NET_READY, EVENT_NET_NAME);
	play_row(s, &(struct row){ "a flood", "init ready released running exited-0", "released server-exited exit-0",
			    gateway, "ready-event", 0, "", "\"net.name\"" });
}

static void a_part_that_is_missing_is_named_and_the_others_go(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		void *one;
		char path[64], words[96];
		assert_int_equal(stage_up(&one), 0);
		struct stage *s = one;
		s->e.plan.network.on = true;
		for (size_t j = 0; j < ARRAY_LEN(parts); j++)
			put_script(parts[j], "");
		snprintf(path, sizeof(path), "stand-in/%s", parts[i]);
		assert_int_equal(unlink(path), 0);
		run_session(s, true);
		assert_int_equal(WEXITSTATUS(s->status), EXIT_REFUSED);
		snprintf(words, sizeof(words), "cannot start stand-in/%s: No such file", parts[i]);
		if (!strstr(s->said, words) || !strstr(s->log, "\"could not be started\""))
			fail_msg("%s: %s", parts[i], s->said);
		expect_whole_log(s, parts[i]);
		assert_int_equal(stage_down(&one), 0);
	}
	(void)state;
}

/* Two parts are ready, then the session is made to fail: by the last word of the one that was ready last, so that
 * whatever follows from the two has been done by then. */
static const struct row unready[] = {
	{ "dial is not ready", "init called ready failed-", "server-exited exit-0", "ready-event call", "", 125,
		"stockade: ", "\"could not be started\"" },
	{ "the gateway is not ready", "init called ready failed-", "server-exited exit-0", "", "ready-event call", 125,
		"stockade: ", "\"could not be started\"" },
	{ "enter is not ready", "init", "closed exit-0", "ready-event call", "called ready-event garbage", 125,
		"stockade-dial sent what is no record", "\"stockade failed\"" },
};

static void nothing_is_released_before_every_part_is_locked_down(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(unready); i++) {
		struct row row = unready[i];
		void *one;
		char enter[64];
		assert_int_equal(stage_up(&one), 0);
		struct stage *s = one;
		snprintf(enter, sizeof(enter), "%s%d", row.enter, ENTER_STAGE_LOOPBACK);
		row.enter = row.enter[strlen(row.enter) - 1] == '-' ? enter : row.enter;
		play_row(s, &row);
		if (strstr(s->log, "session.ready"))
			fail_msg("%s, and it is released: %s", row.words, s->log);
		assert_int_equal(stage_down(&one), 0);
	}
	(void)state;
}

static void what_is_started_early_waits_for_the_session_that_takes_it(void **state)
{
	struct stage *s = *state;

	s->early = EARLY_KEPT;
	play_row(s, &(struct row){ "started early", "init ready call released run running exited-768",
			    "released server-exited exit-0", NULL, NULL, 3, "", "\"server exited\"" });
	assert_non_null(strstr(s->log, "session.ready"));
	assert_int_equal(access("ran", F_OK), 0);
}

/* Neither of them looks at its socket: they are killed. */
static void what_is_started_early_and_not_taken_leaves_nothing(void **state)
{
	_cleanup_registry_ struct registry_list running = { 0 };
	struct stage *s = *state;
	struct diag d = { "" };

	s->early = EARLY_DROPPED;
	script("stockade-enter", "init ready call stay");
	script("stockade-shim", "stay");
	run_session(s, true);
	assert_int_equal(s->status, 0);
	assert_string_equal(s->said, "");
	assert_string_equal(s->log, "");
	assert_int_equal(registry_read(&s->world->paths, &running, &d), 0);
	assert_int_equal(running.n, 0);
}

static void without_a_log_nothing_is_started(void **state)
{
	struct stage *s = *state;
	struct diag d = { "" };
	int fd = -1;

	assert_int_equal(paths_open_state(&s->world->paths, "", &fd, &d), 0);
	int file = openat(fd, "audit", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(file >= 0);
	close(file);
	close(fd);
	int in[2], err[2], witness[2];
	assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(err, O_CLOEXEC) | pipe2(witness, O_CLOEXEC), 0);
	/* A part that is started writes to the client's stderr that it has no script. */
	pid_t pid = fork();
	if (pid == 0)
		run_child(s, in, err, witness);
	close(err[1]);
	assert_int_equal(waitpid(pid, &s->status, 0), pid);
	assert_int_equal(WEXITSTATUS(s->status), EXIT_REFUSED);
	read_into(err[0], s->said);
	assert_non_null(strstr(s->said, "audit"));
	close(in[0]);
	close(in[1]);
	close(witness[0]);
	close(witness[1]);
}

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 1 && i < ARRAY_LEN(parts); i++)
		if (strcmp(argv[0], parts[i]) == 0)
			return play(parts[i]);
#define T(name) cmocka_unit_test_setup_teardown(name, stage_up, stage_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_way_to_end_has_its_status_its_words_and_a_whole_log),
		cmocka_unit_test(a_stage_that_fails_is_named_and_nothing_runs),
		cmocka_unit_test(no_part_sends_what_only_another_may),
		cmocka_unit_test(no_part_is_believed_whose_record_is_out_of_form),
		T(no_part_is_ready_for_another),
		T(what_a_part_says_in_a_record_forges_no_other),
		T(a_flood_of_records_keeps_no_other_part_from_being_heard),
		cmocka_unit_test(a_part_that_is_missing_is_named_and_the_others_go),
		cmocka_unit_test(nothing_is_released_before_every_part_is_locked_down),
		T(what_is_started_early_waits_for_the_session_that_takes_it),
		T(what_is_started_early_and_not_taken_leaves_nothing),
		T(without_a_log_nothing_is_started),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
