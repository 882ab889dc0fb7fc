/* SPDX-License-Identifier: Apache-2.0 */
/* collect - see collect.h */
#include "wire/collect.h"
#include <errno.h>
#include <string.h>

/* Which members a request of the type has. */
enum { HAS_CLAIMS = 1, HAS_EVENT = 2, HAS_STATUS = 4, HAS_DETAIL = 8 };
static const unsigned char members[] = {
	[COLLECT_OPEN] = HAS_CLAIMS | HAS_DETAIL,
	[COLLECT_IDENTITY] = HAS_CLAIMS,
	[COLLECT_RECORD] = HAS_EVENT | HAS_DETAIL,
	[COLLECT_CHECKPOINT] = 0,
	[COLLECT_CLOSE] = HAS_STATUS,
};
_Static_assert(ARRAY_LEN(members) == COLLECT_TYPE_COUNT, "a row for every request");

int collect_request_encode(const struct collect_request *q, struct wire_writer *w)
{
	unsigned has = members[q->type];

	wire_begin(w, WIRE_COLLECT, COLLECT_BYTES_MAX);
	wire_put_u32(w, q->type);
	if (has & HAS_CLAIMS) {
#define X(member) wire_put_str(w, q->claims->member);
		COLLECT_CLAIMS(X)
#undef X
	}
	if (has & HAS_EVENT) {
		wire_put_u32(w, q->source);
		wire_put_bytes(w, q->event, q->event_len);
	}
	if (has & HAS_DETAIL)
		wire_put_bytes(w, q->detail, q->detail_len);
	if (has & HAS_STATUS)
		wire_put_str(w, q->status);
	return wire_finish(w);
}

static void get_event(struct wire_reader *r, struct collect_request *ret)
{
	ret->source = wire_get_u32(r);
	ret->event = wire_get_bytes(r, &ret->event_len);
	if ((unsigned)ret->source >= EVENT_SOURCE_COUNT || ret->event_len > EVENT_BYTES_MAX)
		wire_refuse(r);
}

int collect_request_decode(const void *bytes, size_t n, struct collect_claims *claims, struct collect_request *ret)
{
	struct wire_reader r;
	int e = wire_open(&r, bytes, n, WIRE_COLLECT);
	unsigned type, has;

	*ret = (struct collect_request){ .claims = claims };
	if (e < 0)
		return e;
	type = wire_get_u32(&r);
	if (type >= COLLECT_TYPE_COUNT)
		return -EPROTO;
	ret->type = type;
	has = members[type];
	if (has & HAS_CLAIMS) {
#define X(member) wire_get_str_fixed(&r, claims->member, sizeof(claims->member));
		COLLECT_CLAIMS(X)
#undef X
	}
	if (has & HAS_EVENT)
		get_event(&r, ret);
	if (has & HAS_DETAIL)
		ret->detail = wire_get_bytes(&r, &ret->detail_len);
	if (ret->detail_len > COLLECT_DETAIL_MAX)
		return -EPROTO;
	if (has & HAS_STATUS)
		wire_get_str_fixed(&r, ret->status, sizeof(ret->status));
	return wire_close(&r);
}

int collect_answer_encode(const struct collect_answer *a, struct wire_writer *w)
{
	wire_begin(w, WIRE_COLLECTED, COLLECT_ANSWER_MAX);
	wire_put_u64(w, a->done);
	wire_put_u32(w, (uint32_t)-a->error);
	wire_put_str(w, a->words);
	return wire_finish(w);
}

int collect_answer_decode(const void *bytes, size_t n, struct collect_answer *ret)
{
	struct wire_reader r;
	int e = wire_open(&r, bytes, n, WIRE_COLLECTED);
	uint32_t error;

	memset(ret, 0, sizeof(*ret));
	if (e < 0)
		return e;
	ret->done = wire_get_u64(&r);
	error = wire_get_u32(&r);
	if (error > 4095) /* MAX_ERRNO of the kernel */
		return -EPROTO;
	ret->error = -(int32_t)error;
	wire_get_str_fixed(&r, ret->words, sizeof(ret->words));
	return wire_close(&r);
}
