/* SPDX-License-Identifier: Apache-2.0 */
/* dial - see dial.h */
#include "wire/dial.h"
#include <errno.h>
#include <string.h>

static const struct {
	const char *name, *words;
} statuses[] = {
#define X(name, words) { #name, words },
	DIAL_STATUSES(X)
#undef X
};
_Static_assert(ARRAY_LEN(statuses) == DIAL_STATUS_COUNT, "a row for every status");

const char *dial_status_words(enum dial_status s)
{
	return (unsigned)s < DIAL_STATUS_COUNT ? statuses[s].words : "unknown";
}

const char *dial_status_name(enum dial_status s)
{
	return (unsigned)s < DIAL_STATUS_COUNT ? statuses[s].name : "UNKNOWN";
}

int dial_request_encode(const struct dial_request *q, struct wire_writer *w)
{
	wire_begin(w, WIRE_DIAL_REQUEST, DIAL_BYTES_MAX);
	wire_put_u64(w, q->id);
	wire_put_u8(w, (uint8_t)q->ask);
	wire_put_u32(w, q->grant);
	wire_put_str(w, q->name);
	net_address_put(w, &q->address);
	wire_put_u32(w, q->port);
	return wire_finish(w);
}

int dial_request_decode(const void *bytes, size_t n, struct dial_request *ret)
{
	struct wire_reader r;
	uint32_t port;
	int e = wire_open(&r, bytes, n, WIRE_DIAL_REQUEST);

	*ret = (struct dial_request){ 0 };
	if (e < 0)
		return e;
	ret->id = wire_get_u64(&r);
	ret->ask = wire_get_u8(&r);
	ret->grant = wire_get_u32(&r);
	wire_get_str_fixed(&r, ret->name, sizeof(ret->name));
	net_address_get(&r, &ret->address);
	port = wire_get_u32(&r);
	ret->port = (uint16_t)port;
	e = wire_close(&r);
	if (e < 0)
		return e;
	if (ret->ask >= DIAL_ASK_COUNT || port > UINT16_MAX || (ret->name[0] && !net_name_valid(ret->name)))
		return -EPROTO;
	return 0;
}

int dial_answer_encode(const struct dial_answer *a, struct wire_writer *w)
{
	wire_begin(w, WIRE_DIAL_ANSWER, DIAL_BYTES_MAX);
	wire_put_u64(w, a->id);
	wire_put_u8(w, (uint8_t)a->status);
	wire_put_u32(w, (uint32_t)a->error);
	net_address_put(w, &a->address);
	wire_put_u32(w, a->n_addresses);
	for (uint32_t i = 0; i < a->n_addresses && i < DIAL_ADDRESSES_MAX; i++)
		net_address_put(w, &a->addresses[i]);
	return wire_finish(w);
}

int dial_answer_decode(const void *bytes, size_t n, struct dial_answer *ret)
{
	struct wire_reader r;
	int e = wire_open(&r, bytes, n, WIRE_DIAL_ANSWER);

	*ret = (struct dial_answer){ 0 };
	if (e < 0)
		return e;
	ret->id = wire_get_u64(&r);
	ret->status = wire_get_u8(&r);
	ret->error = (int)wire_get_u32(&r);
	net_address_get(&r, &ret->address);
	ret->n_addresses = wire_get_u32(&r);
	if (ret->status >= DIAL_STATUS_COUNT || ret->n_addresses > DIAL_ADDRESSES_MAX)
		return -EPROTO;
	for (uint32_t i = 0; i < ret->n_addresses; i++)
		net_address_get(&r, &ret->addresses[i]);
	return wire_close(&r);
}
