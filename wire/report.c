/* SPDX-License-Identifier: Apache-2.0 */
/* report - see report.h */
#include "wire/report.h"
#include <errno.h>

static const struct {
	const char *name, *words;
} stages[] = {
#define X(name, words) { #name, words },
	ENTER_STAGES(X)
#undef X
};
_Static_assert(ARRAY_LEN(stages) == ENTER_STAGE_COUNT, "a row for every stage");

const char *enter_stage_name(enum enter_stage s)
{
	return (unsigned)s < ENTER_STAGE_COUNT ? stages[s].name : "UNKNOWN";
}

const char *enter_stage_words(enum enter_stage s)
{
	return (unsigned)s < ENTER_STAGE_COUNT ? stages[s].words : "an unknown stage";
}

int report_encode(const struct report *r, struct wire_writer *w)
{
	wire_begin(w, WIRE_REPORT, REPORT_BYTES_MAX);
	wire_put_u32(w, r->type);
	wire_put_u32(w, (uint32_t)r->pid);
	wire_put_u32(w, r->stage);
	wire_put_u32(w, (uint32_t)r->error);
	wire_put_u32(w, (uint32_t)r->status);
	wire_put_u32(w, (uint32_t)r->landlock);
	wire_put_str(w, r->detail);
	return wire_finish(w);
}

int report_decode(const void *bytes, size_t n, struct report *ret)
{
	struct wire_reader r;
	int e = wire_open(&r, bytes, n, WIRE_REPORT);

	*ret = (struct report){ 0 };
	if (e < 0)
		return e;
	ret->type = wire_get_u32(&r);
	ret->pid = (pid_t)wire_get_u32(&r);
	ret->stage = wire_get_u32(&r);
	ret->error = (int)wire_get_u32(&r);
	ret->status = (int)wire_get_u32(&r);
	ret->landlock = (int)wire_get_u32(&r);
	wire_get_str_fixed(&r, ret->detail, sizeof(ret->detail));
	if (ret->type >= REPORT_TYPE_COUNT || ret->stage >= ENTER_STAGE_COUNT)
		return -EPROTO;
	return wire_close(&r);
}
