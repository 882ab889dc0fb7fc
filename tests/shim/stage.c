/* SPDX-License-Identifier: Apache-2.0 */
/* stage - see stage.h */
#include "tests/shim/stage.h"
#include "tests/unit/unit.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/io.h"
#include "wire/fds.h"

void stage_config(struct shim_config *c)
{
	*c = (struct shim_config){ .line_max = SHIM_LINE_DEFAULT };
	c->name = strdup("demo");
	c->uid = c->gid = 65534;
	c->stderr_prefix = strdup("[demo] ");
}

void stage_rule(struct shim_config *c, enum shim_scope scope, bool allow, const char *glob, const char *where)
{
	struct shim_rules *r = &c->scope[scope];

	r->rules = realloc(r->rules, (r->n + 1) * sizeof(*r->rules));
	assert_non_null(r->rules);
	r->rules[r->n++] = (struct shim_rule){ .allow = allow, .glob = strdup(glob), .where = strdup(where) };
	if (allow && !r->restricted) {
		r->restricted = true;
		r->otherwise = strdup("test.json:1 (allow)");
	}
}

static void make_pair(const struct stage *s, bool client_side, int *ours, int *theirs, bool they_read)
{
	int p[2];

	if (s->sockets && client_side) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p), 0);
		*ours = p[0];
		*theirs = p[1];
		return;
	}
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	*ours = p[they_read ? 1 : 0];
	*theirs = p[they_read ? 0 : 1];
}

/* In the child: puts each descriptor where the shim wants it. They are moved out of the way of one another first. */
static void place(int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 100);
	for (size_t i = 0; i < n; i++)
		if (dup2(fds[i], (int)i) < 0)
			_exit(99);
}

void stage_prepare(struct stage *s, const struct shim_config *c)
{
	int fds[SHIM_FD_END], pair[2];
	struct wire_writer w;

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(shim_config_encode(c, &w), 0);
	assert_int_equal(io_memfd_sealed("config", w.buf.data, w.buf.len, &fds[SHIM_FD_CONFIG]), 0);
	wire_writer_done(&w);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	s->control = pair[0];
	fds[SHIM_FD_CONTROL] = pair[1];
	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
	assert_int_equal(fcntl(pair[0], F_SETFL, O_NONBLOCK), 0);
	s->records = pair[0];
	fds[SHIM_FD_RECORDS] = pair[1];
	make_pair(s, true, &s->client_in, &fds[0], true);
	make_pair(s, true, &s->client_out, &fds[1], false);
	make_pair(s, true, &s->client_err, &fds[2], false);
	make_pair(s, false, &s->server_in, &fds[SHIM_FD_SERVER_IN], false);
	make_pair(s, false, &s->server_out, &fds[SHIM_FD_SERVER_OUT], true);
	make_pair(s, false, &s->server_err, &fds[SHIM_FD_SERVER_ERR], true);
	s->from_client_out = s->from_client_err = s->from_server_in = BUF_INIT(STAGE_BUFFER_MAX);
	s->events = calloc(STAGE_EVENTS_MAX, sizeof(*s->events));
	assert_non_null(s->events);
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		place(fds, SHIM_FD_END);
		execl(SHIM_BINARY, "stockade-shim", (char *)NULL);
		_exit(98);
	}
	for (size_t i = 0; i < SHIM_FD_END; i++)
		if (s->keep && i < ARRAY_LEN(s->kept))
			s->kept[i] = fds[i];
		else
			close(fds[i]);
}

void stage_start(struct stage *s, const struct shim_config *c)
{
	stage_prepare(s, c);
	stage_control(s, CONTROL_RELEASE, 0, "");
}

void stage_control(struct stage *s, enum control_type type, int value, const char *text)
{
	struct control c = { .type = type, .value = value };
	struct wire_writer w;

	snprintf(c.text, sizeof(c.text), "%s", text);
	assert_int_equal(control_encode(&c, &w), 0);
	assert_int_equal(io_send_msg(s->control, w.buf.data, w.buf.len, NULL, 0), 0);
	wire_writer_done(&w);
}

static void take_events(struct stage *s)
{
	const char *bytes;
	size_t n;
	int r;

	while ((r = stream_next(&s->stream, &bytes, &n)) > 0) {
		if (s->events_dropped)
			continue;
		assert_true(s->n_events < STAGE_EVENTS_MAX);
		struct event *e = &s->events[s->n_events++];
		assert_int_equal(event_decode(bytes, n, e), 0);
		e->args = e->args_len ? strndup(e->args, e->args_len) : NULL;
	}
	assert_int_equal(r, 0);
}

/* Reads whatever events are there, so that the shim never waits for us. */
static void gather_events(struct stage *s, int timeout_ms)
{
	struct pollfd f = { s->records, POLLIN, 0 };

	while (s->records >= 0 && poll(&f, 1, timeout_ms) > 0) {
		if (stream_read(&s->stream, s->records) <= 0)
			return;
		timeout_ms = 0;
		take_events(s);
	}
}

static void write_line(struct stage *s, int fd, const char *line)
{
	size_t n = strlen(line);

	gather_events(s, 0);
	assert_int_equal(io_write_full(fd, line, n), 0);
	assert_int_equal(io_write_full(fd, "\n", 1), 0);
}

void stage_client_says(struct stage *s, const char *line)
{
	write_line(s, s->client_in, line);
}

void stage_server_says(struct stage *s, const char *line)
{
	write_line(s, s->server_out, line);
}

static uint64_t now_ms(void)
{
	return io_now_us() / 1000;
}

/* The first line of b, taken off before the next call. */
static char *take_line(struct stage *s, int fd, struct buf *b, const char *whose)
{
	uint64_t until = now_ms() + STAGE_TIMEOUT_MS;
	char *feed;

	/* A line that was returned ends in a NUL where its line feed was. */
	if (b->len > 0) {
		size_t n = strlen(b->data);
		if (n < b->len)
			buf_consume(b, n + 1);
	}
	while (!(feed = b->len ? memchr(b->data, '\n', b->len) : NULL)) {
		struct pollfd f = { fd, POLLIN, 0 };
		if (now_ms() > until)
			fail_msg("nothing came to %s", whose);
		gather_events(s, 0);
		if (poll(&f, 1, 20) <= 0)
			continue;
		assert_int_equal(buf_reserve(b, 65536), 0);
		ssize_t n = read(fd, b->data + b->len, 65536);
		if (n <= 0)
			return NULL;
		b->len += (size_t)n;
		b->data[b->len] = '\0';
	}
	*feed = '\0';
	return b->data;
}

char *stage_client_hears(struct stage *s)
{
	return take_line(s, s->client_out, &s->from_client_out, "the client");
}

char *stage_server_hears(struct stage *s)
{
	return take_line(s, s->server_in, &s->from_server_in, "the server");
}

char *stage_client_reads(struct stage *s)
{
	return take_line(s, s->client_err, &s->from_client_err, "the client's stderr");
}

void stage_expect_client(struct stage *s, const char *line)
{
	char *got = stage_client_hears(s);

	assert_non_null(got);
	assert_string_equal(got, line);
}

void stage_expect_server(struct stage *s, const char *line)
{
	char *got = stage_server_hears(s);

	assert_non_null(got);
	assert_string_equal(got, line);
}

void stage_expect_client_has(struct stage *s, const char *const *parts)
{
	char *got = stage_client_hears(s);

	assert_non_null(got);
	for (; *parts; parts++)
		if (!strstr(got, *parts))
			fail_msg("'%s' is not in '%s'", *parts, got);
}

const struct event *stage_event(struct stage *s, enum event_type type)
{
	uint64_t until = now_ms() + STAGE_TIMEOUT_MS;

	for (size_t i = 0; now_ms() <= until;) {
		for (; i < s->n_events; i++)
			if (s->events[i].type == type)
				return &s->events[i];
		gather_events(s, 20);
	}
	fail_msg("no event %s came", event_name(type));
	return NULL;
}

int stage_wait(struct stage *s)
{
	uint64_t until = now_ms() + STAGE_TIMEOUT_MS;
	int status;

	while (now_ms() <= until) {
		pid_t p = waitpid(s->pid, &status, WNOHANG);
		if (p == s->pid) {
			s->pid = 0;
			gather_events(s, 0);
			return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		}
		gather_events(s, 5);
		usleep(1000);
	}
	fail_msg("the shim did not end");
	return -1;
}

void stage_close(int *fd)
{
	if (*fd > 0)
		close(*fd);
	*fd = -1;
}

void stage_done(struct stage *s)
{
	int *fds[] = { &s->control, &s->records, &s->client_in, &s->client_out, &s->client_err, &s->server_in,
		&s->server_out, &s->server_err, &s->kept[0], &s->kept[1] };

	if (s->pid > 0) {
		kill(s->pid, SIGKILL);
		waitpid(s->pid, NULL, 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		stage_close(fds[i]);
	for (size_t i = 0; i < s->n_events; i++)
		free((char *)(uintptr_t)s->events[i].args);
	free(s->events);
	stream_done(&s->stream);
	buf_done(&s->from_client_out);
	buf_done(&s->from_client_err);
	buf_done(&s->from_server_in);
}
