/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_stage - a session among parts that speak badly, die, or say nothing
 *
 * The session's own files are compiled into the test's program with a libexec directory below the working directory, in
 * which stockade-enter and the others are links to that program. By its name it knows which part it plays, and what to
 * do it reads from a file of that name: words, done one after the other.
 */
#pragma once
#include "tests/unit/consent_world.h"
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "audit/audit.h"
#include "base/fs.h"
#include "base/io.h"
#include "supervisor/call_list.h"
#include "supervisor/consent_pending.h"
#include "supervisor/exit.h"
#include "supervisor/registry.h"
#include "supervisor/session.h"
#include "wire/confirm.h"
#include "wire/control.h"
#include "wire/event.h"
#include "wire/fds.h"
#include "wire/report.h"
#include "wire/stream.h"

enum {
	SCRIPT_MAX = 256,
	OUTPUT_MAX = 256 << 10,
	WITNESS_FD = 200,
	HELD_FD = 201,
	TALK_FD = 4,
	GONE_MS = 30000,
	FLOOD = 3000,
	MANY = 300,
	TICK_MS = 10,
	UNRELEASED_MS = 200
};

static const char *const parts[] = { "stockade-enter", "stockade-shim", "stockade-gateway", "stockade-dial" };

/* --- the parts: each finds its socket to the supervisor at 4 --- */

_Static_assert((int)ENTER_FD_REPORT == TALK_FD && (int)SHIM_FD_CONTROL == TALK_FD &&
		       (int)GATEWAY_FD_EVENTS == TALK_FD && (int)DIAL_FD_EVENTS == TALK_FD,
	"one number for all");

/* The shim's records have a pipe, and nobody else has its number. */
static inline bool is_shim(void)
{
	char name[32] = "";

	return prctl(PR_GET_NAME, name) == 0 && strcmp(name, "stockade-shim") == 0;
}

static inline void send_bytes(struct wire_writer *w, int encoded, int fd)
{
	int r = encoded;

	if (r == 0)
		r = is_shim() ? stream_send(SHIM_FD_RECORDS, w)
			      : io_send_msg(TALK_FD, w->buf.data, w->buf.len, &fd, fd >= 0);
	if (r < 0)
		_exit(50);
	wire_writer_done(w);
}

static inline void send_report(struct report r, int fd)
{
	struct wire_writer w = { 0 };

	send_bytes(&w, report_encode(&r, &w), fd);
}

static inline void send_event(enum event_type type)
{
	struct event e = { .type = type, .decision = type == EVENT_CALL ? EVENT_DENY : EVENT_NONE };
	struct wire_writer w = { 0 };

	send_bytes(&w, event_encode(&e, &w), -1);
}

/* The bytes as one message of their length, of another ("length"), or with a descriptor ("fd"). */
static inline void send_raw(const char *p, size_t n, const char *how)
{
	int fd = TALK_FD, r;

	if (is_shim()) {
		uint32_t length = htole32(strcmp(how, "length") == 0 ? STREAM_MESSAGE_MAX + 1 : (uint32_t)n);
		r = io_write_full(SHIM_FD_RECORDS, &length, sizeof(length));
		r = r < 0 ? r : io_write_full(SHIM_FD_RECORDS, p, n);
	} else {
		r = io_send_msg(TALK_FD, p, n, &fd, strcmp(how, "fd") == 0);
	}
	if (r < 0)
		_exit(56);
}

/* A record that its part may send, made wrong in one way. */
static inline void send_wrong(enum event_type type, const char *how)
{
	static char bytes[EVENT_BYTES_MAX + 1];
	struct event e = { .type = type };
	struct wire_writer w = { 0 };

	if (event_encode(&e, &w) < 0)
		_exit(55);
	size_t n = w.buf.len;
	memcpy(bytes, w.buf.data, n);
	wire_writer_done(&w);
	if (strcmp(how, "overlong") == 0)
		n = sizeof(bytes);
	else if (strcmp(how, "cut") == 0)
		n--;
	else if (strcmp(how, "tail") == 0)
		n++;
	send_raw(bytes, n, how);
}

/* The beginning of a message, and no more of it. */
static inline void send_torn(enum event_type type)
{
	struct event e = { .type = type };
	struct wire_writer w = { 0 };
	uint32_t length;

	if (event_encode(&e, &w) < 0)
		_exit(55);
	length = htole32((uint32_t)w.buf.len);
	if (io_write_full(SHIM_FD_RECORDS, &length, sizeof(length)) < 0 ||
		io_write_full(SHIM_FD_RECORDS, w.buf.data, w.buf.len - 1) < 0)
		_exit(56);
	wire_writer_done(&w);
}

/* What a person's terminal, or a reader of the log's lines, would take for something else. */
static inline void send_forged_text(enum event_type type)
{
	struct event e = { .type = type, .decision = EVENT_DENY, .port = UINT32_MAX, .count = UINT64_MAX };
	struct wire_writer w = { 0 };

	snprintf(e.host, sizeof(e.host),
		"a\n{\"event\":\"session.close\",\"sequence\":9}\n\x1b[2J\x9b\xc3(\xe2\x80\xae.example");
	snprintf(e.reason, sizeof(e.reason), "\"}\n\r\x01\x7f");
	send_bytes(&w, event_encode(&e, &w), -1);
}

/* The end of the socket is the supervisor's death, and ours. */
static inline void await_control(enum control_type type)
{
	char bytes[CONTROL_BYTES_MAX];
	struct control c = { .type = CONTROL_TYPE_COUNT };

	while (c.type != type) {
		long n = io_recv_msg(TALK_FD, bytes, sizeof(bytes), NULL, NULL);
		if (n <= 0 || control_decode(bytes, (size_t)n, &c) < 0)
			_exit(51);
	}
}

static inline struct control next_control(int *ret_fd)
{
	char bytes[CONTROL_BYTES_MAX];
	size_t n_fds = ret_fd ? 1 : 0;
	struct control c;
	long n = io_recv_msg(TALK_FD, bytes, sizeof(bytes), ret_fd, ret_fd ? &n_fds : NULL);

	if (n <= 0 || control_decode(bytes, (size_t)n, &c) < 0)
		_exit(51);
	return c;
}

/* Those of now, and nothing before them. */
static inline void await_pins(void)
{
	_cleanup_buf_ struct buf b = BUF_INIT(SHIM_CONFIG_BYTES_MAX);
	struct shim_config config;
	int fd = -1;

	if (next_control(&fd).type != CONTROL_PINS || fd < 0 || io_memfd_read(fd, &b) < 0 ||
		shim_config_decode(b.data, b.len, &config) < 0 || !config.pins.on)
		_exit(57);
	shim_config_done(&config);
	close(fd);
}

static inline void await_answer(enum control_type type, uint64_t id)
{
	struct control c = next_control(NULL);

	if (c.type != type || c.call_id != id)
		_exit(58);
}

static inline void send_confirm(enum confirm_type type, uint64_t id, const char *args)
{
	struct confirm c = { .type = type,
		.call_id = id,
		.tool = "put",
		.rule = "a rule",
		.args = args,
		.args_len = (uint32_t)strlen(args) };
	struct wire_writer w = { 0 };

	send_bytes(&w, confirm_encode(&c, &w), -1);
}

/* A question, made wrong in one way. */
static inline void send_wrong_question(const char *how)
{
	struct confirm c = { .type = CONFIRM_ASK, .call_id = 1, .tool = "put", .args = "{\0}", .args_len = 3 };
	struct wire_writer w = { 0 };

	if (strcmp(how, "type") == 0)
		c.type = CONFIRM_TYPE_COUNT;
	if (strcmp(how, "nul") != 0)
		c.args = "{ }";
	if (confirm_encode(&c, &w) < 0)
		_exit(59);
	size_t n = w.buf.len;
	if (strcmp(how, "cut") == 0)
		n--;
	else if (strcmp(how, "tail") == 0 && buf_putc(&w.buf, '\0') == 0)
		n++;
	send_raw(w.buf.data, n, how);
	wire_writer_done(&w);
}

/* As enter does it: PID 1 is the supervisor's child, and goes on with the words; we have done our part. */
static inline void become_init(bool with_pidfd)
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

/* Until who holds it has ended. */
static inline void await_let_go(void)
{
	struct pollfd p = { .fd = open("meeting", O_RDONLY | O_NONBLOCK | O_CLOEXEC), .events = POLLIN };
	char c;

	while (p.fd >= 0 && read(p.fd, &c, 1) != 0)
		poll(&p, 1, -1);
	close(p.fd);
}

static inline void play_word(const char *word)
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
		send_raw("\1\2\3\4\5\6\7\0garbage", 15, "");
	else if (strcmp(word, "released") == 0)
		await_control(CONTROL_RELEASE);
	else if (strcmp(word, "signalled") == 0)
		await_control(CONTROL_SIGNAL);
	else if (strcmp(word, "closed") == 0)
		await_control(CONTROL_CLOSE);
	else if (strcmp(word, "server-exited") == 0)
		await_control(CONTROL_SERVER_EXITED);
	else if (strcmp(word, "waits") == 0)
		await_control(CONTROL_WAIT);
	else if (strcmp(word, "refused") == 0)
		await_control(CONTROL_REFUSE);
	else if (strcmp(word, "pins") == 0)
		await_pins();
	else if (strncmp(word, "ask-", 4) == 0)
		for (uint64_t i = 1; i <= (uint64_t)atoi(word + 4); i++)
			send_confirm(CONFIRM_ASK, i, "{}");
	else if (strncmp(word, "withdraw-", 9) == 0)
		send_confirm(CONFIRM_WITHDRAW, (uint64_t)atoi(word + 9), "");
	else if (strncmp(word, "other-", 6) == 0)
		send_confirm(CONFIRM_ASK, (uint64_t)atoi(word + 6), "{\"other\":1}");
	else if (strncmp(word, "confirmed-", 10) == 0)
		await_answer(CONTROL_CONFIRMED, (uint64_t)atoi(word + 10));
	else if (strncmp(word, "declined-", 9) == 0)
		await_answer(CONTROL_DECLINED, (uint64_t)atoi(word + 9));
	else if (strncmp(word, "question-", 9) == 0)
		send_wrong_question(word + 9);
	else if (strncmp(word, "event-", 6) == 0)
		send_event((enum event_type)atoi(word + 6));
	else if (strncmp(word, "wrong-", 6) == 0)
		send_wrong((enum event_type)atoi(word + 6), strchr(word + 6, '-') + 1);
	else if (strncmp(word, "many-", 5) == 0)
		for (int i = 0; i < MANY; i++)
			send_event((enum event_type)atoi(word + 5));
	else if (strncmp(word, "torn-", 5) == 0)
		send_torn((enum event_type)atoi(word + 5));
	else if (strncmp(word, "forged-", 7) == 0)
		send_forged_text((enum event_type)atoi(word + 7));
	else if (strncmp(word, "flood-", 6) == 0)
		for (int i = 0; i < FLOOD; i++)
			send_event((enum event_type)atoi(word + 6));
	else if (strcmp(word, "terminate-supervisor") == 0)
		kill(getppid(), SIGTERM);
	else if (strcmp(word, "fill") == 0) /* as a full disk: no file of the supervisor's grows any more */
		(void)!prlimit(getppid(), RLIMIT_FSIZE, &(struct rlimit){ 0, 0 }, NULL);
	else if (strcmp(word, "stay") == 0)
		pause();
	else if (strcmp(word, "fall-silent") == 0)
		(void)!(close_range(0, WITNESS_FD - 1, 0) | close_range(HELD_FD + 1, ~0U, 0));
	else if (strcmp(word, "hold") == 0)
		dup2(open("meeting", O_RDWR | O_CLOEXEC), HELD_FD);
	else if (strcmp(word, "let-go") == 0)
		await_let_go();
	else if (strcmp(word, "die") == 0)
		kill(getpid(), SIGKILL);
	else if (strncmp(word, "exit-", 5) == 0)
		_exit(atoi(word + 5));
	else
		_exit(52);
}

static inline int play(const char *part)
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
struct stage;

/* A person, while the session runs; NULL: nobody. */
typedef void person_fn(struct stage *s);

struct stage {
	struct world *world;
	person_fn *person;
	bool waits; /* nobody has approved the launch before */
	bool unfit; /* what was approved is not what it is by now */
	enum early early;
	struct effective e;
	char cwd[PATH_MAX];
	int status;
	char said[OUTPUT_MAX]; /* on stderr */
	char log[OUTPUT_MAX];  /* every file of the audit directory */
};

static inline int stage_up(void **state)
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

static inline int stage_down(void **state)
{
	struct stage *s = *state;
	void *world = s->world;

	plan_done(&s->e.plan);
	shim_config_done(&s->e.shim);
	net_config_done(&s->e.profile.network);
	launch_done(&s->e);
	return chdir(s->cwd) < 0 ? -1 : world_down(&world);
}

static inline void put_script(const char *part, const char *text)
{
	int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static inline void read_into(int fd, char *ret)
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

static inline void read_log(struct stage *s)
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
static inline void expect_whole_log(const struct stage *s, const char *words)
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
static inline void start_early(const struct stage *s, struct spawned *ret)
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

/* The second look at a launch that waited, in the session's process. */
static inline int look_again(void *launch, const char **ret_approval, const char **ret_channel, struct diag *d)
{
	struct stage *s = launch;

	*ret_approval = "another approval";
	*ret_channel = "approve";
	s->e.shim.pins = (struct shim_pins){ .on = true, .where = strdup("the pins of 'notes'") };
	return s->unfit ? diag_fail(d, -EPERM, "it was changed meanwhile") : 0;
}

static inline void run_child(struct stage *s, const int in[2], const int err[2], const int witness[2])
{
	static const struct lineage nobody;
	static const struct approvals none;
	struct spawned early = SPAWNED_NONE;
	const struct session_wait w = { .consent = { .paths = &s->world->paths,
						.approvals = &none,
						.effective = &s->e,
						.lineage = &nobody,
						.cancel_fd = -1,
						.signal_fd = -1 },
		.words = "it waits",
		.refused = "it was refused",
		.unfit = "it is another",
		.approved = look_again,
		.launch = s };
	struct session_args a = { .paths = &s->world->paths,
		.effective = &s->e,
		.lineage = &nobody,
		.approval = s->waits ? NULL : "approval",
		.channel = s->waits ? NULL : "terminal",
		.prepared = &early,
		.wait = s->waits ? &w : NULL };

	close(in[1]);
	dup2(in[0], 0);
	dup2(err[1], 2);
	dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), 1);
	/* The one descriptor that the parts keep: as long as one of them lives, its other end has no end of file. */
	dup2(witness[1], WITNESS_FD);
	/* As main does before anything else; without the first only root may load a filter (seccomp(2)). */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		_exit(97);
	signal(SIGXFSZ, SIG_IGN);
	start_early(s, &early);
	_exit(session_run(&a));
}

/* Runs a session; input: the client keeps its end open. */
static inline void run_session(struct stage *s, bool input)
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
	if (s->person)
		s->person(s);
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

/* --- a row: who says what, and what comes of it --- */

struct row {
	const char *words;
	const char *enter, *shim, *gateway, *dial; /* gateway NULL: a launch without a network */
	int status;
	const char *said, *logged;
};

static inline void script(const char *part, const char *text)
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

static inline void play_row(struct stage *s, const struct row *row)
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

/* In main: is this one of the parts? */
static inline bool plays_part(int argc, char **argv, int *ret)
{
	for (size_t i = 0; argc == 1 && i < ARRAY_LEN(parts); i++)
		if (strcmp(argv[0], parts[i]) == 0) {
			*ret = play(parts[i]);
			return true;
		}
	return false;
}
