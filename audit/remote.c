/* SPDX-License-Identifier: Apache-2.0 */
/*
 * remote - the log of one session behind the collector's socket
 *
 * Process:  supervisor
 */
#include "audit/remote.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/io.h"

int remote_init(struct remote *r, int sock, struct diag *d)
{
	const struct timeval wait = { .tv_sec = REMOTE_WAIT_S };

	*r = (struct remote){ .on = true, .sock = sock };
	/* A collector that is stuck must not hold a session that nobody then records. */
	if (setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) < 0 ||
		setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) < 0)
		return diag_fail(d, -errno, "cannot talk to the collector of audit records: %s", strerror(errno));
	return 0;
}

static int lost(struct remote *r, int error, struct diag *d)
{
	remote_done(r);
	if (error == -EAGAIN)
		return diag_fail(d, -ETIMEDOUT,
			"the collector of audit records did not answer within %d s; nothing goes on unrecorded, so the "
			"session ends. Ask who manages this machine to look at stockade-collector.service",
			REMOTE_WAIT_S);
	return diag_fail(d, error == 0 ? -EPIPE : error,
		"the collector of audit records is gone (%s); nothing goes on unrecorded, so the session ends. Ask who "
		"manages "
		"this machine to look at stockade-collector.service",
		error == 0 ? "it closed the connection" : strerror(-error));
}

/* One answer, which stands for all requests up to its count. */
static int take_answer(struct remote *r, char ret_words[512], struct diag *d)
{
	char bytes[COLLECT_ANSWER_MAX];
	struct collect_answer a;
	long n = io_recv_msg(r->sock, bytes, sizeof bytes, NULL, NULL);

	/* It ended with requests of ours unread; its last answer is there still (af_unix.c, unix_release_sock). */
	if (n == -ECONNRESET)
		n = io_recv_msg(r->sock, bytes, sizeof bytes, NULL, NULL);
	if (n <= 0)
		return lost(r, (int)n, d);
	if (collect_answer_decode(bytes, (size_t)n, &a) < 0 || a.done < r->done || a.done > r->asked) {
		remote_done(r);
		return diag_fail(d, -EPROTO,
			"the collector of audit records is not of this build: was stockade upgraded? Start the server "
			"again; "
			"when that does not help, ask who manages this machine to restart stockade-collector.service");
	}
	r->done = a.done;
	if (ret_words)
		memcpy(ret_words, a.words, sizeof a.words);
	return a.error < 0 ? diag_fail(d, a.error, "%s", a.words) : 0;
}

static int last_words(struct remote *r, struct diag *d)
{
	int error;

	do
		error = take_answer(r, NULL, d);
	while (error == 0);
	return error;
}

int remote_ask(struct remote *r, const struct collect_request *q, bool wait, char ret_words[512], struct diag *d)
{
	_cleanup_(wire_writer_done) struct wire_writer w = { 0 };
	int error = collect_request_encode(q, &w), earlier = 0;

	if (r->sock < 0)
		return diag_fail(d, -EPIPE, "the collector of audit records is gone");
	if (error < 0)
		return diag_fail(d, error, "a record is longer than %d bytes; the session ends", COLLECT_BYTES_MAX);
	/* An error of an earlier record does not keep this one, which was handed over before anybody knew. */
	while (earlier == 0 && r->asked - r->done >= COLLECT_WINDOW)
		earlier = take_answer(r, NULL, d);
	if (r->sock < 0)
		return earlier;
	r->asked++;
	error = io_send_msg(r->sock, w.buf.data, w.buf.len, NULL, 0);
	/* It may have said why before it went. */
	if (error == -EPIPE || error == -ECONNRESET)
		return last_words(r, d);
	if (error < 0)
		return lost(r, error, d);
	while (earlier == 0 && wait && r->done < r->asked)
		earlier = take_answer(r, ret_words, d);
	return earlier;
}

int remote_settle(struct remote *r, struct diag *d)
{
	int error = 0;

	while (error == 0 && r->sock >= 0 && r->done < r->asked)
		error = take_answer(r, NULL, d);
	return error;
}

void remote_done(struct remote *r)
{
	if (r->sock >= 0)
		close(r->sock);
	r->sock = -1;
}
