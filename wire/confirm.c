/* SPDX-License-Identifier: Apache-2.0 */
/* confirm - see confirm.h */
#include "wire/confirm.h"
#include <errno.h>
#include <string.h>

int confirm_encode(const struct confirm *c, struct wire_writer *w)
{
	wire_begin(w, WIRE_CONFIRM, CONFIRM_BYTES_MAX);
	wire_put_u32(w, c->type);
	wire_put_u64(w, c->call_id);
	wire_put_str(w, c->tool);
	wire_put_str(w, c->rule);
	wire_put_str(w, c->status);
	wire_put_bytes(w, c->args, c->args_len);
	return wire_finish(w);
}

int confirm_decode(const void *bytes, size_t n, struct confirm *ret)
{
	struct wire_reader r;
	size_t args_len;
	int e = wire_open(&r, bytes, n, WIRE_CONFIRM);

	*ret = (struct confirm){ 0 };
	if (e < 0)
		return e;
	ret->type = wire_get_u32(&r);
	ret->call_id = wire_get_u64(&r);
	wire_get_str_fixed(&r, ret->tool, sizeof(ret->tool));
	wire_get_str_fixed(&r, ret->rule, sizeof(ret->rule));
	wire_get_str_fixed(&r, ret->status, sizeof(ret->status));
	ret->args = wire_get_bytes(&r, &args_len);
	ret->args_len = (uint32_t)args_len;
	/* Shown to a person as one text: a NUL would hide what follows it. */
	if (ret->type >= CONFIRM_TYPE_COUNT || args_len > CONFIRM_ARGS_MAX ||
		(args_len && memchr(ret->args, '\0', args_len)))
		return -EPROTO;
	return wire_close(&r);
}
