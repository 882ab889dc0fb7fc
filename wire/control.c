/* SPDX-License-Identifier: Apache-2.0 */
/* control - see control.h */
#include "wire/control.h"
#include <errno.h>

int control_encode(const struct control *c, struct wire_writer *w)
{
	wire_begin(w, WIRE_CONTROL, CONTROL_BYTES_MAX);
	wire_put_u32(w, c->type);
	wire_put_u32(w, (uint32_t)c->value);
	wire_put_u64(w, c->call_id);
	wire_put_u64(w, c->until_us);
	wire_put_str(w, c->text);
	wire_put_str(w, c->tool);
	return wire_finish(w);
}

int control_decode(const void *bytes, size_t n, struct control *ret)
{
	struct wire_reader r;
	int e = wire_open(&r, bytes, n, WIRE_CONTROL);

	*ret = (struct control){ 0 };
	if (e < 0)
		return e;
	ret->type = wire_get_u32(&r);
	ret->value = (int)wire_get_u32(&r);
	ret->call_id = wire_get_u64(&r);
	ret->until_us = wire_get_u64(&r);
	wire_get_str_fixed(&r, ret->text, sizeof(ret->text));
	wire_get_str_fixed(&r, ret->tool, sizeof(ret->tool));
	if (ret->type >= CONTROL_TYPE_COUNT)
		return -EPROTO;
	return wire_close(&r);
}
