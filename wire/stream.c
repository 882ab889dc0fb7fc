/* SPDX-License-Identifier: Apache-2.0 */
/* stream - see stream.h */
#include "wire/stream.h"
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "base/io.h"

enum { LENGTH = sizeof(uint32_t), STREAM_MAX = LENGTH + STREAM_MESSAGE_MAX + STREAM_CHUNK };

int stream_send(int pipe, struct wire_writer *w)
{
	uint32_t length = htole32((uint32_t)w->buf.len);
	int r;

	if (w->buf.len == 0 || w->buf.len > STREAM_MESSAGE_MAX)
		return -EMSGSIZE;
	w->buf.max += LENGTH;
	r = buf_append(&w->buf, &length, LENGTH);
	if (r < 0)
		return r;
	/* In one write(2), so that a reader that waits for it is not woken twice. */
	memmove(w->buf.data + LENGTH, w->buf.data, w->buf.len - LENGTH);
	memcpy(w->buf.data, &length, LENGTH);
	return io_write_full(pipe, w->buf.data, w->buf.len);
}

int stream_send_event(int pipe, const struct event *e)
{
	_cleanup_(wire_writer_done) struct wire_writer w = { 0 };
	int r = event_encode(e, &w);

	return r < 0 ? r : stream_send(pipe, &w);
}

int stream_send_confirm(int pipe, const struct confirm *c)
{
	_cleanup_(wire_writer_done) struct wire_writer w = { 0 };
	int r = confirm_encode(c, &w);

	return r < 0 ? r : stream_send(pipe, &w);
}

long stream_read(struct stream *s, int pipe)
{
	ssize_t n;
	int r;

	s->buf.max = STREAM_MAX;
	if (s->at > 0)
		buf_consume(&s->buf, s->at);
	s->at = 0;
	r = buf_reserve(&s->buf, STREAM_CHUNK);
	if (r < 0)
		return r;
	do
		n = read(pipe, s->buf.data + s->buf.len, STREAM_CHUNK);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	s->buf.len += (size_t)n;
	s->buf.data[s->buf.len] = '\0';
	return n;
}

int stream_next(struct stream *s, const char **ret, size_t *ret_n)
{
	size_t have = s->buf.len - s->at;
	uint32_t length;

	if (have < LENGTH)
		return 0;
	memcpy(&length, s->buf.data + s->at, LENGTH);
	length = le32toh(length);
	if (length == 0 || length > STREAM_MESSAGE_MAX)
		return -EPROTO;
	if (have - LENGTH < length)
		return 0;
	*ret = s->buf.data + s->at + LENGTH;
	*ret_n = length;
	s->at += LENGTH + length;
	return 1;
}

void stream_done(struct stream *s)
{
	buf_done(&s->buf);
	s->at = 0;
}
