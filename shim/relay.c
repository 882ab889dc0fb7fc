/* SPDX-License-Identifier: Apache-2.0 */
/* relay - see relay.h */
#include "shim/relay.h"
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include "base/io.h"
#include "shim/answers.h"
#include "shim/handle.h"
#include "shim/kills.h"
#include "shim/listing.h"
#include "shim/lists.h"
#include "shim/own.h"
#include "shim/pins.h"
#include "shim/record.h"
#include "wire/control.h"

enum {
	READ_ROUNDS = 16, /* chunks that are read from one side before the others have their turn */
	LINES_A_TURN = 256,
	SWEEP_TURNS = 64,
	LAST_WORDS_US = 500000, /* after the server's end of file: how long the supervisor has to say why */
	DRAIN_US = 2000000,	/* after the server's exit: how long its stdout may stay open and silent */
	FLUSH_US = 5000000,	/* at the end: how long the client may take no byte */
	STDERR_CHUNK = 16 << 10,
	IDLE_MS = 1000,
	LONGEST_MS = 3600000,
};

/* Where the relay is in its life. */
enum phase {
	WAITING,  /* there is no server yet: the shim answers itself (shim/waiting.h), see CONTROL_WAIT */
	REFUSING, /* there is no server and never was: the client's requests are answered, see CONTROL_REFUSE */
	RUNNING,
	DRAINING, /* the server is gone: what it wrote is still read */
	FLUSHING, /* everything is answered: the client has yet to take it */
};

struct side {
	enum event_side who;
	struct port *port;
	struct lines *lines;
	bool open;
	bool backlog; /* whole lines may be waiting in lines */
	bool hung_up; /* nobody writes there any more: what is left is what the pipe holds, and the end */
};

struct relay {
	struct shim *s;
	struct stderr_relay *err;
	struct side client, server;
	bool err_open;
	enum phase phase;
	bool told;	   /* the supervisor has said that the server exited, or to close */
	uint64_t since_us; /* of the phase, or of the last progress in it */
	uint64_t now_us;
	bool dirty; /* something happened since memory was given back */
	int status; /* the exit status once done */
	bool done;
	char words[ANSWER_TEXT_MAX]; /* what those get to read who are left without an answer */
};

static void finish(struct relay *r, int status)
{
	r->status = status;
	r->done = true;
}

static void enter_phase(struct relay *r, enum phase phase)
{
	r->phase = phase;
	r->since_us = r->now_us;
}

static bool may_take(const struct relay *r, const struct side *side)
{
	size_t to_client = queue_len(&r->s->to_client), to_server = queue_len(&r->s->to_server);

	/* What it says now is for a server that does not know it yet. */
	if (side == &r->client && r->s->waiting.state == WAITING_HANDSHAKE)
		return false;
	/* A server that reads nothing must not keep a client that has closed its end: the rest of that is read. */
	if (side == &r->client)
		return to_server < (side->hung_up ? QUEUE_HARD : QUEUE_HIGH) && to_client < QUEUE_HARD;
	return to_client < QUEUE_HIGH && to_server < QUEUE_HARD;
}

/* 0, -errno. Anything else is the outcome of some module, which was to be handled where it is known. */
static int decide(struct relay *r, struct side *side, int found, struct line line)
{
	int e = handle_line(r->s, side->who, found, line);

	return e > 0 ? -EPROTO : e;
}

/* Decides about the lines that are there, as long as there is room for what comes of it. */
static int take_lines(struct relay *r, struct side *side)
{
	struct line line;

	for (int i = 0; i < LINES_A_TURN && may_take(r, side); i++) {
		int found = lines_next(side->lines, &line);
		if (found <= 0) {
			side->backlog = false;
			return found;
		}
		int e = decide(r, side, found, line);
		if (e < 0)
			return e;
	}
	side->backlog = true;
	return 0;
}

/* At the end of input: whole lines first, then what is left without a line feed. */
static int end_of_input(struct relay *r, struct side *side)
{
	struct line line;
	int found = lines_rest(side->lines, &line);

	port_close(side->port);
	side->open = false;
	if (found > 0) {
		int e = decide(r, side, found, line);
		if (e < 0)
			return e;
	}
	if (side != &r->client)
		return 0;
	int e = confirm_deny_all(r->s, "the client closed its input while it waited for a person");
	return e ? e : record_client_eof(r->s);
}

/* Reads once: 1 when more may be there at once, 0, -errno. */
static int read_chunk(struct relay *r, struct side *side)
{
	char *to;
	size_t room;
	int e = lines_room(side->lines, &to, &room);
	long n = e < 0 ? 0 : port_read(side->port, to, room);

	if (e < 0)
		return e;
	if (n == -EAGAIN)
		return 0;
	r->dirty = true;
	if (n <= 0)
		return end_of_input(r, side);
	lines_filled(side->lines, (size_t)n);
	r->since_us = r->now_us;
	e = take_lines(r, side);
	return e < 0 ? e : (size_t)n == room;
}

static int read_side(struct relay *r, struct side *side)
{
	int more = 1;

	for (int i = 0; more > 0 && i < READ_ROUNDS && side->open && !side->backlog && may_take(r, side); i++)
		more = read_chunk(r, side);
	return more < 0 ? more : 0;
}

static int read_stderr(struct relay *r)
{
	char chunk[STDERR_CHUNK];
	long n = port_read(&r->err->in, chunk, sizeof(chunk));

	if (n == -EAGAIN)
		return 0;
	r->dirty = true;
	int e;
	if (n > 0) {
		e = stderr_feed(r->err, chunk, (size_t)n, r->now_us);
	} else {
		port_close(&r->err->in);
		r->err_open = false;
		e = stderr_finish(r->err, r->now_us);
	}
	return e ? e : text_out_record(r->s, EVENT_FROM_SERVER, 0);
}

static void set_words(struct relay *r, const char *text)
{
	bool ours = strncmp(text, "stockade:", 9) == 0;

	if (ours)
		snprintf(r->words, sizeof(r->words), "%s", text);
	else
		snprintf(r->words, sizeof(r->words), "stockade: %s: %s", r->s->config.name,
			*text ? text : "the server has ended");
}

/* What the client sent while the server was dying is read and answered like the rest, but for a client that never
 * stops. */
static int sweep_client(struct relay *r)
{
	int e = 0;

	r->s->to_server.broken = true;
	for (int i = 0; e == 0 && i < SWEEP_TURNS; i++) {
		e = take_lines(r, &r->client);
		if (e < 0 || r->client.backlog)
			continue;
		e = read_side(r, &r->client);
		if (!r->client.backlog)
			break;
	}
	return e;
}

static int abandon(struct relay *r, bool sweep, const char *status)
{
	int e = handle_abandon(r->s, r->words, status);

	if (e == 0 && r->s->config.listing && !listing_is_over(&r->s->listing))
		e = listing_fail(r->s, r->words);

	if (e == 0 && sweep)
		e = sweep_client(r);
	if (e == 0)
		e = handle_abandon(r->s, r->words, status);
	r->client.open = r->server.open = false;
	r->client.backlog = r->server.backlog = false;
	enter_phase(r, FLUSHING);
	return e;
}

/* There is no server any more, or never was: whatever waited for one is over. */
static void stop_waiting(struct relay *r, const char *text)
{
	r->s->waiting.state = WAITING_OFF;
	r->s->waiting.lacks = 0;
	set_words(r, text);
}

static void refuse(struct relay *r, const char *text)
{
	snprintf(r->s->refusal, sizeof(r->s->refusal), "%s", text);
	r->server.open = r->err_open = false;
	r->s->to_server.broken = true;
	enter_phase(r, REFUSING);
}

static int obey(struct relay *r, const struct control *c)
{
	if (r->phase == FLUSHING)
		return 0;
	switch (c->type) {
	case CONTROL_SERVER_EXITED:
		r->told = true;
		stop_waiting(r, c->text);
		enter_phase(r, DRAINING);
		return 0;
	case CONTROL_CLOSE:
		r->told = true;
		stop_waiting(r, c->text);
		return abandon(r, false, "closed");
	case CONTROL_RELEASE:
		if (r->phase != WAITING)
			return -EPROTO;
		enter_phase(r, RUNNING);
		return waiting_release(r->s);
	case CONTROL_REFUSE:
		if (r->phase != WAITING)
			return -EPROTO;
		refuse(r, c->text);
		return 0;
	default:
		return 0;
	}
}

static int on_control(struct relay *r)
{
	char bytes[CONTROL_BYTES_MAX];
	struct control c;
	_cleanup_close_ int fd = -1;
	size_t n_fds = 1;
	long n = io_recv_msg(r->s->control, bytes, sizeof(bytes), &fd, &n_fds);

	if (n == 0 || n == -ECONNRESET) {
		finish(r, SHIM_EXIT_ALONE);
		return 0;
	}
	if (n < 0)
		return (int)n;
	int e = control_decode(bytes, (size_t)n, &c);
	if (e == 0 && (c.type == CONTROL_CONFIRMED || c.type == CONTROL_DECLINED))
		return confirm_answer(r->s, &c);
	if (e == 0 && c.type == CONTROL_PINS)
		return r->phase == WAITING && fd >= 0 ? pins_replace(r->s, steal_fd(&fd)) : -EPROTO;
	if (e == 0 && c.type == CONTROL_GRANT)
		return scopes_lift(r->s, &c);
	if (e == 0 && (c.type == CONTROL_KILL_TOOL || c.type == CONTROL_RESTORE_TOOL))
		return kills_take(r->s, &c);
	return e < 0 ? e : obey(r, &c);
}

/* The client's input has ended and all of it is delivered: the server gets to see the end too. */
static void pass_end_of_input(struct relay *r)
{
	if (r->client.open || r->client.backlog || queue_len(&r->s->to_server) > 0 || r->s->server_in.fd < 0)
		return;
	/* What is parked has yet to be delivered; in listing mode nobody but ourselves asks. */
	if (r->s->parked.n > 0 || r->s->config.listing)
		return;
	port_close(&r->s->server_in);
	r->s->to_server.broken = true;
}

/* The client takes nothing any more. */
static int client_gone(struct relay *r)
{
	int e = confirm_deny_all(r->s, "its client is gone");

	while (e == 0 && r->s->calls.n > 0) {
		struct pending_entry *p = &r->s->calls.entries[0];
		e = p->expired ? 0 : record_ending(r->s, p, EVENT_FROM_SERVER, "client gone", 0);
		pending_remove(&r->s->calls, p);
	}
	finish(r, SHIM_EXIT_CLIENT_GONE);
	return e;
}

/* Moves on from phase to phase; see enum phase. */
static int advance(struct relay *r)
{
	uint64_t passed = r->now_us - r->since_us;
	bool silent = !r->server.open && !r->server.backlog;

	if (r->s->to_client.broken && !r->done)
		return client_gone(r);
	if (r->phase == WAITING || r->phase == REFUSING) {
		if (!r->client.open && !r->client.backlog)
			enter_phase(r, FLUSHING);
		return 0;
	}
	if (waiting_is_late(r->s))
		return waiting_give_up(r->s);
	pass_end_of_input(r);
	if (r->phase == RUNNING && silent)
		enter_phase(r, DRAINING);
	else if (r->phase == DRAINING && silent && (r->told || passed > LAST_WORDS_US))
		return abandon(r, true, "server died");
	else if (r->phase == DRAINING && r->told && !r->server.backlog && may_take(r, &r->server) && passed > DRAIN_US)
		return abandon(r, true, "server died");
	else if (r->phase == FLUSHING && (queue_len(&r->s->to_client) == 0 || passed > FLUSH_US))
		finish(r, SHIM_EXIT_OK);
	return 0;
}

enum {
	POLL_CONTROL,
	POLL_CLIENT_IN,
	POLL_CLIENT_OUT,
	POLL_SERVER_IN,
	POLL_SERVER_OUT,
	POLL_SERVER_ERR,
	POLL_ERR,
	POLL_COUNT
};

static bool wants(const struct relay *r, const struct side *side)
{
	return side->open && !side->backlog && may_take(r, side);
}

/* What is not read is looked at all the same, for its end. */
static struct pollfd for_input(const struct relay *r, const struct side *side)
{
	bool looked_at = side == &r->client && side->open && !side->hung_up;

	if (wants(r, side))
		return (struct pollfd){ side->port->fd, POLLIN, 0 };
	return (struct pollfd){ looked_at ? side->port->fd : -1, POLLRDHUP, 0 };
}

static void prepare(const struct relay *r, struct pollfd f[POLL_COUNT])
{
	const struct shim *s = r->s;
	bool out = queue_len(&s->to_server) > 0 && !s->to_server.broken, err = queue_len(&r->err->queue) > 0;

	f[POLL_CONTROL] = (struct pollfd){ s->control, POLLIN, 0 };
	f[POLL_CLIENT_IN] = for_input(r, &r->client);
	/* Asked for nothing it still says when nobody reads there any more. */
	f[POLL_CLIENT_OUT] = (struct pollfd){ s->client_out.fd, queue_len(&s->to_client) > 0 ? POLLOUT : 0, 0 };
	f[POLL_SERVER_IN] = (struct pollfd){ out ? s->server_in.fd : -1, POLLOUT, 0 };
	f[POLL_SERVER_OUT] = for_input(r, &r->server);
	f[POLL_SERVER_ERR] = (struct pollfd){ r->err_open ? r->err->in.fd : -1, POLLIN, 0 };
	f[POLL_ERR] = (struct pollfd){ err ? r->err->out.fd : -1, POLLOUT, 0 };
}

/* Those for whom the rare one speaks. While it holds one that nobody listens to any more, it may speak for ever: then
 * it is not asked. */
static unsigned seldom(const struct relay *r, const struct pollfd f[POLL_COUNT])
{
	static const int which[] = { POLL_CONTROL, POLL_CLIENT_OUT, POLL_SERVER_ERR };
	unsigned ret = 0;

	for (size_t i = 0; r->err_open && i < ARRAY_LEN(which); i++)
		if (!(f[which[i]].events & POLLOUT) && rare_has(&r->s->rare, f[which[i]].fd))
			ret |= 1u << which[i];
	return ret;
}

/* poll(2) for those whose bits are set, and for other; the rest keeps what it says. */
static int look(struct pollfd f[POLL_COUNT], unsigned which, int timeout, struct pollfd *other)
{
	struct pollfd packed[POLL_COUNT + 1];
	int from[POLL_COUNT], n = 0, found;

	for (int i = 0; i < POLL_COUNT; i++)
		if (which & 1u << i && f[i].fd >= 0) {
			packed[n] = f[i];
			from[n++] = i;
		}
	packed[n] = *other;
	found = poll(packed, (nfds_t)n + (other->fd >= 0), timeout);
	if (found < 0)
		return -errno;
	for (int i = 0; i < n; i++)
		f[from[i]].revents = packed[i].revents;
	other->revents = packed[n].revents;
	return found;
}

/* Who has something to say? */
static int look_at_all(const struct relay *r, struct pollfd f[POLL_COUNT], int timeout)
{
	unsigned rest = seldom(r, f);
	struct pollfd rare = { rest ? r->s->rare.fd : -1, POLLIN, 0 }, none = { -1, 0, 0 };
	int n = look(f, ~rest, timeout, &rare);

	if (n <= 0 || !rare.revents)
		return n;
	int e = look(f, rest, 0, &none);
	return e < 0 ? e : n;
}

/* The sooner of at_most (-1: for ever) and what the shim wants to be woken for. */
static int until_timers(const struct relay *r, int at_most)
{
	uint64_t at = r->s->wake_us, now = r->now_us;
	uint64_t ms = at > now ? (at - now) / 1000 + 1 : 0;

	if (!at || (at_most >= 0 && ms > (uint64_t)at_most))
		return at_most;
	return ms > LONGEST_MS ? LONGEST_MS : (int)ms;
}

static int timeout_ms(const struct relay *r)
{
	const struct side *sides[] = { &r->client, &r->server };

	for (size_t i = 0; i < ARRAY_LEN(sides); i++)
		if (sides[i]->backlog && may_take(r, sides[i]))
			return 0;
	if (r->s->config.listing)
		return LISTING_TICK_MS;
	if (r->phase > RUNNING || r->s->waiting.state == WAITING_HANDSHAKE)
		return 50;
	return until_timers(r, r->dirty || r->err->unreported || r->s->own.table.n > 0 ? IDLE_MS : -1);
}

static int serve(struct relay *r, const struct pollfd f[POLL_COUNT])
{
	int e = 0;

	if (f[POLL_CONTROL].revents)
		e = on_control(r);
	if (e == 0 && f[POLL_CLIENT_OUT].revents & (POLLERR | POLLHUP | POLLNVAL))
		r->s->to_client.broken = true;
	if (e == 0 && f[POLL_CLIENT_OUT].revents & POLLOUT) {
		size_t before = queue_len(&r->s->to_client);
		e = queue_flush(&r->s->to_client);
		if (queue_len(&r->s->to_client) < before)
			r->since_us = r->now_us;
	}
	if (e == 0 && f[POLL_SERVER_IN].revents)
		e = queue_flush(&r->s->to_server);
	if (e == 0 && f[POLL_ERR].revents)
		e = queue_flush(&r->err->queue);
	if (e == 0 && f[POLL_SERVER_ERR].revents)
		e = read_stderr(r);
	if (e == 0 && f[POLL_SERVER_OUT].revents && r->server.open)
		e = read_side(r, &r->server);
	r->client.hung_up = r->client.hung_up || f[POLL_CLIENT_IN].revents & ~POLLIN;
	if (e == 0 && f[POLL_CLIENT_IN].revents && r->client.open)
		e = read_side(r, &r->client);
	if (e == 0 && r->server.backlog)
		e = take_lines(r, &r->server);
	if (e == 0 && r->client.backlog)
		e = take_lines(r, &r->client);
	return e;
}

static int list_on(struct relay *r)
{
	int e = listing_tick(r->s, r->now_us);

	if (e == 0 && listing_is_over(&r->s->listing))
		finish(r, SHIM_EXIT_OK);
	return e;
}

static int turn(struct relay *r)
{
	struct pollfd f[POLL_COUNT];
	int n, e;

	prepare(r, f);
	n = look_at_all(r, f, timeout_ms(r));
	if (n < 0)
		return n == -EINTR ? 0 : n;
	r->now_us = r->s->now_us = io_now_us();
	r->s->boot_us = io_boot_us();
	if (n == 0 && r->dirty && r->phase <= RUNNING) {
		r->dirty = false;
		shim_trim(r->s);
	}
	e = serve(r, f);
	if (e == 0)
		e = shim_run_timers(r->s);
	if (e == 0)
		e = stderr_report(r->err, r->now_us);
	if (e == 0 && r->s->own.table.n > 0)
		e = own_tick(r->s, r->now_us);
	if (e == 0 && r->s->config.listing && r->phase == RUNNING)
		e = list_on(r);
	return e == 0 && !r->done ? advance(r) : e;
}

/* What was on its way to stderr is written now or never; the totals go to the log. */
static int close_stderr(struct relay *r)
{
	struct event e = {
		.type = EVENT_STDERR, .side = EVENT_FROM_SERVER, .count = r->err->lines, .bytes = r->err->bytes
	};
	int failed = 0;

	while (failed == 0 && r->err_open && r->err->in.fd >= 0) {
		uint64_t before = r->err->bytes;
		failed = read_stderr(r);
		if (r->err->bytes == before)
			break;
	}
	r->err->reported_us = 0;
	if (stderr_report(r->err, r->now_us) < 0 || queue_flush(&r->err->queue) < 0)
		r->err->queue.broken = true;
	/* What was taken out of it has a record like any other. */
	if (failed || r->err->lines == 0)
		return failed;
	snprintf(e.reason, sizeof(e.reason), "%" PRIu64 " lines dropped", r->err->dropped);
	return record_send(r->s, &e);
}

int relay_run(struct shim *s, struct stderr_relay *err)
{
	struct relay r = {
		.s = s,
		.err = err,
		.err_open = true,
		.now_us = s->now_us = io_now_us(),
		.client = { EVENT_FROM_CLIENT, &s->client_in, &s->from_client, true, false },
		.server = { EVENT_FROM_SERVER, &s->server_out, &s->from_server, true, false },
	};
	int e = 0;

	s->boot_us = io_boot_us();
	e = lists_observe_tick(s);
	set_words(&r, "the server closed its output");
	enter_phase(&r, s->waiting.state == WAITING_APPROVAL ? WAITING : RUNNING);
	r.client.open = !s->config.listing;
	while (e == 0 && !r.done)
		e = turn(&r);
	/* Of the supervisor's words and the timers. */
	if (e > 0)
		e = -EPROTO;
	if (e == 0)
		e = logs_end(s);
	if (e == 0 && r.status != SHIM_EXIT_ALONE)
		e = close_stderr(&r);
	return e < 0 ? SHIM_EXIT_FAILED : r.status;
}
