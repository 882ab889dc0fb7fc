/* SPDX-License-Identifier: Apache-2.0 */
/* shim_unit - a shim in this process: the test is its client, its server and its supervisor */
#pragma once
#include "tests/unit/unit.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "shim/envelope.h"
#include "shim/handle.h"
#include "wire/stream.h"

enum { DESK_TEXT_MAX = 64 << 10, DESK_RECORDS = 1 << 20 /* that nobody has read yet */ };

struct desk {
	struct shim s;
	int records, client, server; /* the other ends */
	struct stream stream;	     /* of records */
	char text[DESK_TEXT_MAX];    /* what was read last */
};

#define WORDS(text) ((char *)(uintptr_t)(text))

static inline struct slice slice_of(const char *s)
{
	return (struct slice){ s, s ? strlen(s) : 0 };
}

static inline void desk_pipe(int *ret_read, struct port *ret_port)
{
	int p[2];

	assert_int_equal(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
	*ret_read = p[0];
	assert_int_equal(port_init(ret_port, p[1]), 0);
}

/* Of the configuration only the strings of roots are the desk's. */
static inline struct desk *desk_new(const struct shim_config *config)
{
	struct desk *t = calloc(1, sizeof(*t));
	int pair[2] = { -1, -1 };

	assert_non_null(t);
	t->s.config = *config;
	if (t->s.config.line_max == 0)
		t->s.config.line_max = SHIM_LINE_DEFAULT;
	assert_int_equal(pipe2(pair, O_CLOEXEC | O_NONBLOCK), 0);
	assert_true(fcntl(pair[1], F_SETPIPE_SZ, DESK_RECORDS) >= 0);
	t->s.control = -1;
	t->s.records = pair[1];
	t->records = pair[0];
	desk_pipe(&t->client, &t->s.client_out);
	desk_pipe(&t->server, &t->s.server_in);
	shim_init(&t->s, 7);
	return t;
}

static inline void desk_free(struct desk *t)
{
	strv_done(&t->s.config.roots);
	t->s.config = (struct shim_config){ 0 };
	close(t->s.records);
	close(t->records);
	stream_done(&t->stream);
	close(t->client);
	close(t->server);
	port_close(&t->s.client_out);
	port_close(&t->s.server_in);
	shim_done(&t->s);
	free(t);
}

static inline void desk_cleanup(struct desk **t)
{
	if (*t)
		desk_free(*t);
}
#define _cleanup_desk_ _cleanup_(desk_cleanup)

static inline int give(struct desk *t, enum event_side side, const char *text)
{
	return handle_line(&t->s, side, LINES_MESSAGE, (struct line){ text, strlen(text) });
}

/* All that went to the client or the server since the last look; "" for nothing. */
static inline const char *got(struct desk *t, int fd)
{
	ssize_t n = read(fd, t->text, sizeof(t->text) - 1);

	t->text[n > 0 ? n : 0] = '\0';
	return t->text;
}

/* The next message to the supervisor; valid until the next call. */
static inline bool desk_message(struct desk *t, const char **ret, size_t *ret_n)
{
	int r = stream_next(&t->stream, ret, ret_n);

	if (r == 0 && stream_read(&t->stream, t->records) > 0)
		r = stream_next(&t->stream, ret, ret_n);
	assert_true(r >= 0);
	return r > 0;
}

static inline bool recorded(struct desk *t, struct event *ret)
{
	const char *bytes;
	size_t n;

	if (!desk_message(t, &bytes, &n))
		return false;
	assert_int_equal(event_decode(bytes, n, ret), 0);
	return true;
}

/* Throws away what was sent and recorded. */
static inline void forget(struct desk *t)
{
	struct event e;

	while (recorded(t, &e))
		;
	(void)got(t, t->client);
	(void)got(t, t->server);
}
