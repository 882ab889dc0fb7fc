/* SPDX-License-Identifier: Apache-2.0 */
/* event - see event.h */
#include "wire/event.h"
#include <errno.h>
#include <string.h>
#include "base/io.h"

static const struct {
	const char *name;
	unsigned sources;
} events[] = {
#define X(name, text, sources) { text, sources },
	EVENTS(X)
#undef X
};
_Static_assert(ARRAY_LEN(events) == EVENT_TYPE_COUNT, "a row for every event");

static const char *const source_names[] = {
	[EVENT_FROM_SUPERVISOR] = "supervisor",
	[EVENT_FROM_ENTER] = "enter",
	[EVENT_FROM_SHIM] = "shim",
	[EVENT_FROM_GATEWAY] = "gateway",
	[EVENT_FROM_DIAL] = "dial",
};
_Static_assert(ARRAY_LEN(source_names) == EVENT_SOURCE_COUNT, "a name for every source");

static const char *const decision_names[] = {
	[EVENT_NONE] = NULL,
	[EVENT_ALLOW] = "allow",
	[EVENT_DENY] = "deny",
	[EVENT_DROP] = "drop",
	[EVENT_WOULD_DENY] = "would deny",
};
_Static_assert(ARRAY_LEN(decision_names) == EVENT_DECISION_COUNT, "a name for every decision");

const char *event_name(enum event_type t)
{
	return (unsigned)t < EVENT_TYPE_COUNT ? events[t].name : "unknown";
}

const char *event_source_name(enum event_source s)
{
	return (unsigned)s < EVENT_SOURCE_COUNT ? source_names[s] : "unknown";
}

const char *event_decision_name(enum event_decision d)
{
	return (unsigned)d < ARRAY_LEN(decision_names) ? decision_names[d] : NULL;
}

bool event_allowed(enum event_type t, enum event_source s)
{
	return (unsigned)t < EVENT_TYPE_COUNT && (unsigned)s < EVENT_SOURCE_COUNT && (events[t].sources & 1u << s);
}

/* The text fields in the order they travel. X(member) */
#define EVENT_TEXTS(X)                                                                                                 \
	X(method)                                                                                                      \
	X(tool)                                                                                                        \
	X(scope)                                                                                                       \
	X(subject)                                                                                                     \
	X(rule)                                                                                                        \
	X(reason)                                                                                                      \
	X(status)                                                                                                      \
	X(peer_name)                                                                                                   \
	X(peer_version)                                                                                                \
	X(protocol)                                                                                                    \
	X(arg_keys)                                                                                                    \
	X(arg_hash)                                                                                                    \
	X(host)                                                                                                        \
	X(address)

int event_encode(const struct event *e, struct wire_writer *w)
{
	wire_begin(w, WIRE_EVENT, EVENT_BYTES_MAX);
	wire_put_u32(w, e->type);
	wire_put_u8(w, (uint8_t)e->decision);
	wire_put_u8(w, (uint8_t)e->side);
	wire_put_u64(w, e->call_id);
	wire_put_u64(w, e->bytes);
	wire_put_u64(w, e->latency_us);
	wire_put_u64(w, e->count);
	wire_put_u64(w, e->bytes_in);
	wire_put_u64(w, e->bytes_out);
	wire_put_u32(w, e->port);
#define X(member) wire_put_str(w, e->member);
	EVENT_TEXTS(X)
#undef X
	wire_put_bytes(w, e->args, e->args_len <= EVENT_ARGS_MAX ? e->args_len : EVENT_ARGS_MAX);
	return wire_finish(w);
}

int event_send(int sock, const struct event *e)
{
	_cleanup_(wire_writer_done) struct wire_writer w = { 0 };
	int r = event_encode(e, &w);

	return r < 0 ? r : io_send_msg(sock, w.buf.data, w.buf.len, NULL, 0);
}

int event_decode(const void *bytes, size_t n, struct event *ret)
{
	struct wire_reader r;
	size_t args_len;
	int e = wire_open(&r, bytes, n, WIRE_EVENT);

	*ret = (struct event){ 0 };
	if (e < 0)
		return e;
	ret->type = wire_get_u32(&r);
	ret->decision = wire_get_u8(&r);
	ret->side = wire_get_u8(&r);
	ret->call_id = wire_get_u64(&r);
	ret->bytes = wire_get_u64(&r);
	ret->latency_us = wire_get_u64(&r);
	ret->count = wire_get_u64(&r);
	ret->bytes_in = wire_get_u64(&r);
	ret->bytes_out = wire_get_u64(&r);
	ret->port = wire_get_u32(&r);
#define X(member) wire_get_str_fixed(&r, ret->member, sizeof(ret->member));
	EVENT_TEXTS(X)
#undef X
	ret->args = wire_get_bytes(&r, &args_len);
	ret->args_len = (uint32_t)args_len;
	if (args_len > EVENT_ARGS_MAX || ret->type >= EVENT_TYPE_COUNT || ret->decision >= EVENT_DECISION_COUNT ||
		ret->side > EVENT_FROM_SERVER)
		return -EPROTO;
	return wire_close(&r);
}

int event_receive(int sock, char bytes[EVENT_BYTES_MAX], struct event *ret)
{
	int fd = -1, r;
	size_t n_fds = 1;
	long n = io_recv_msg(sock, bytes, EVENT_BYTES_MAX, &fd, &n_fds);

	if (n <= 0)
		return n == -ECONNRESET ? 0 : (int)n;
	if (n_fds > 0) {
		close(fd);
		return -EPROTO;
	}
	r = event_decode(bytes, (size_t)n, ret);
	return r < 0 ? r : 1;
}
