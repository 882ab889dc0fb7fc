/* SPDX-License-Identifier: Apache-2.0 */
/* session_shim - what the shim is told, its records, and its end (session_internal.h) */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "base/io.h"
#include "supervisor/kill/session_kill.h"
#include "supervisor/session_internal.h"
#include "wire/confirm.h"
#include "wire/control.h"

/* Milliseconds. */
enum {
	EOF_GRACE_MS = 10000,
	EOF_TOTAL_MS = 60000,
	DRAIN_MS = 3000,
	SILENT_MS = 1000, /* from the shim's last word to its end */
};

enum { RECORDS_AT_ONCE = 256 /* and what came with them, before the others have their turn */ };

/* --- towards it, and PID 1 --- */

static int send_control(int sock, const struct control *c)
{
	_cleanup_(wire_writer_done) struct wire_writer w = { 0 };
	int r = control_encode(c, &w);

	return r < 0 ? r : io_send_msg(sock, w.buf.data, w.buf.len, NULL, 0);
}

int session_send_control(int sock, enum control_type type, int value, const char *text)
{
	struct control c = { .type = type, .value = value };

	snprintf(c.text, sizeof(c.text), "%s", text);
	return send_control(sock, &c);
}

int session_tell_shim(struct session *s, struct control *c, const char *text)
{
	int r;

	if (s->spawned.control < 0)
		return 0;
	snprintf(c->text, sizeof(c->text), "%s", text);
	r = send_control(s->spawned.control, c);
	return r == -EPIPE || r == -ECONNRESET ? 0 : r;
}

void session_end_shim(struct session *s, enum control_type type, const char *words)
{
	if (s->phase >= PHASE_DRAINING)
		return;
	s->phase = PHASE_DRAINING;
	session_set_deadline(s, DRAIN_MS);
	if (s->spawned.shim_pidfd < 0 || session_send_control(s->spawned.control, type, s->exit_status, words) < 0)
		s->phase = PHASE_OVER;
}

/* The server is gone: the shim answers what waits and ends. */
void session_drain(struct session *s, const char *words)
{
	const char *killed = session_kill_words(s);

	session_end_shim(s, CONTROL_SERVER_EXITED, killed ? killed : words);
}

/* --- from the shim --- */

void session_count(struct session *s, const struct event *e)
{
	counting_take(&s->counting, e, io_wall_us());
	if (s->registration.counters)
		*s->registration.counters = s->counting.now;
}

void session_on_client_eof(struct session *s)
{
	uint64_t now = io_now_us();

	s->stdin_ended = true;
	if (s->phase > PHASE_RUNNING || s->eof_limit)
		return;
	s->eof_limit = now + (uint64_t)EOF_TOTAL_MS * 1000;
	if (s->phase == PHASE_RUNNING)
		session_set_deadline(s, EOF_GRACE_MS);
}

/* Only what is answered wins time after the client's end of file: anything else a server can send for ever. */
static bool ends_call(const struct event *e)
{
	return e->side == EVENT_FROM_SERVER && (e->type == EVENT_RESULT || e->type == EVENT_RESPONSE);
}

/* It says no more: whatever it is told now, nobody reads. Its end comes next. */
static void on_shim_silent(struct session *s)
{
	close(steal_fd(&s->spawned.records));
	if (s->spawned.control >= 0)
		close(steal_fd(&s->spawned.control));
	s->silent_until = io_now_us() + (uint64_t)SILENT_MS * 1000;
}

/* It lives on, and nothing that passes through it would be recorded, confirmed or killed any more. */
int session_on_still_silent(struct session *s)
{
	s->silent_until = 0;
	if (s->spawned.shim_pidfd < 0 || s->phase > PHASE_RUNNING)
		return 0;
	return diag_fail(&s->diag, -EPIPE,
		"the shim closed its records and did not end: what passes is recorded no more, so the server is "
		"stopped");
}

static int no_record(struct session *s, int error)
{
	return diag_fail(&s->diag, error,
		"the shim sent what is no record of this build: was stockade upgraded meanwhile? Start the server "
		"again");
}

static int on_message(struct session *s, const char *bytes, size_t n)
{
	struct event e;
	int r;

	if (wire_is(bytes, n, WIRE_CONFIRM))
		return session_on_confirm(s, bytes, n);
	r = event_decode(bytes, n, &e);
	if (r < 0)
		return no_record(s, r);
	r = session_record(s, EVENT_FROM_SHIM, &e, NULL);
	if (r < 0)
		return r;
	session_count(s, &e);
	if (e.type == EVENT_CLIENT_EOF)
		session_on_client_eof(s);
	else if (s->eof_limit && s->phase == PHASE_RUNNING && ends_call(&e))
		session_set_deadline(s, EOF_GRACE_MS);
	return 0;
}

/* All that is whole of what was read. What follows a message in another form can be read, what follows another length
 * cannot. */
static int take_messages(struct session *s, int *taken)
{
	const char *bytes;
	size_t n;
	int r;

	while ((r = stream_next(&s->records, &bytes, &n)) > 0) {
		++*taken;
		r = on_message(s, bytes, n);
		if (r < 0)
			return r;
	}
	if (r == 0)
		return 0;
	stream_done(&s->records);
	close(steal_fd(&s->spawned.records));
	return no_record(s, r);
}

int session_on_records(struct session *s)
{
	long n = STREAM_CHUNK;
	int taken = 0, r = take_messages(s, &taken); /* one that could not be written may have left others behind */

	while (r == 0 && n == STREAM_CHUNK && taken < RECORDS_AT_ONCE && s->spawned.records >= 0) {
		n = stream_read(&s->records, s->spawned.records);
		if (n > 0)
			r = take_messages(s, &taken);
		else if (n == 0)
			on_shim_silent(s);
		else if (n != -EAGAIN)
			r = diag_fail(&s->diag, (int)n, "cannot read the shim's records: %s", strerror((int)-n));
	}
	if (r == 0 && taken > 0)
		r = session_settle(s);
	/* More than that at once is a flood, and whoever hands it over shall not wait for us. */
	s->resting = taken > 0 && taken < RECORDS_AT_ONCE && s->phase == PHASE_RUNNING;
	return r;
}

int session_on_shim(struct session *s)
{
	siginfo_t info;

	/* What it said before it ended comes first. */
	if (s->spawned.records >= 0)
		return 0;
	if (session_reap(&s->spawned.shim_pidfd, &info) < 0)
		return 0;
	/* Without a report there is no server, and nothing is left to wait for. */
	if (s->phase >= PHASE_DRAINING || (s->phase >= PHASE_BUILDING && s->spawned.report < 0)) {
		s->phase = PHASE_OVER;
		return 0;
	}
	if (info.si_code == CLD_EXITED && info.si_status == SHIM_EXIT_OK) {
		session_stop(s, TERM_GRACE_MS, "client closed");
	} else if (info.si_code == CLD_EXITED && info.si_status == SHIM_EXIT_CLIENT_GONE) {
		session_say(s, "nobody reads our standard output any more, so the server is stopped: the client closed "
			       "it or ended");
		session_stop(s, GONE_GRACE_MS, "client gone");
	} else if (s->phase != PHASE_STOPPING) {
		return diag_fail(&s->diag, -EPIPE,
			"the shim ended unexpectedly (%s %d): no message passes without it, so the server is stopped",
			info.si_code == CLD_EXITED ? "status" : "signal", info.si_status);
	}
	return 0;
}
