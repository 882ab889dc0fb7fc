/* SPDX-License-Identifier: Apache-2.0 */
/* meters - see meters.h */
#include "wire/meters.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/glob.h"

/* A name, two numbers and a name, then three times a number and a name. */
enum { TOOL_BYTES_MIN = 4 + 12 + 3 * 12 };

void meters_put_rate(struct wire_writer *w, const struct meters_rate *r)
{
	wire_put_u32(w, r->calls);
	wire_put_u32(w, r->period_s);
	wire_put_str(w, r->where);
}

void meters_put_bound(struct wire_writer *w, const struct meters_bound *b)
{
	wire_put_u64(w, b->value);
	wire_put_str(w, b->where);
}

void meters_put(struct wire_writer *w, const struct meters *m)
{
	meters_put_rate(w, &m->each);
	meters_put_rate(w, &m->total);
	meters_put_bound(w, &m->time);
	meters_put_bound(w, &m->output);
	meters_put_bound(w, &m->in_flight);
	wire_put_u32(w, (uint32_t)m->n);
	for (size_t i = 0; i < m->n; i++) {
		wire_put_str(w, m->tools[i].glob);
		meters_put_rate(w, &m->tools[i].rate);
		meters_put_bound(w, &m->tools[i].time);
		meters_put_bound(w, &m->tools[i].output);
		meters_put_bound(w, &m->tools[i].confirm);
	}
}

void meters_get_rate(struct wire_reader *r, struct meters_rate *ret)
{
	ret->calls = wire_get_u32(r);
	ret->period_s = wire_get_u32(r);
	ret->where = wire_get_str(r);
	/* The shim counts in calls times microseconds, and what it shows must have words. */
	if (ret->calls > METERS_CALLS_MAX || ret->period_s > METERS_PERIOD_MAX ||
		(ret->calls && (!ret->period_s || !ret->where)))
		wire_refuse(r);
}

void meters_get_bound(struct wire_reader *r, uint64_t max, struct meters_bound *ret)
{
	ret->value = wire_get_u64(r);
	ret->where = wire_get_str(r);
	if (ret->value > max || (ret->value && !ret->where))
		wire_refuse(r);
}

static void get_tool(struct wire_reader *r, struct meters_tool *ret)
{
	ret->glob = wire_get_str(r);
	meters_get_rate(r, &ret->rate);
	meters_get_bound(r, METERS_TIME_MAX, &ret->time);
	meters_get_bound(r, UINT64_MAX, &ret->output);
	meters_get_bound(r, 1, &ret->confirm);
	if (!ret->glob)
		wire_refuse(r);
}

void meters_get(struct wire_reader *r, struct meters *ret)
{
	uint32_t n;

	*ret = (struct meters){ 0 };
	meters_get_rate(r, &ret->each);
	meters_get_rate(r, &ret->total);
	meters_get_bound(r, METERS_TIME_MAX, &ret->time);
	meters_get_bound(r, UINT64_MAX, &ret->output);
	meters_get_bound(r, METERS_INFLIGHT_MAX, &ret->in_flight);
	ret->tools = wire_get_array(r, TOOL_BYTES_MIN, METERS_TOOLS_MAX, sizeof(*ret->tools), &n);
	for (; ret->n < n && !r->error; ret->n++)
		get_tool(r, &ret->tools[ret->n]);
}

static int copy_where(char **where)
{
	if (!*where)
		return 0;
	*where = strdup(*where);
	return *where ? 0 : -ENOMEM;
}

/* Each string is copied or gone, so that the copy can be freed whatever came of it. */
static int own_tool(struct meters_tool *t)
{
	int r = copy_where(&t->glob);

	r |= copy_where(&t->rate.where);
	r |= copy_where(&t->time.where);
	r |= copy_where(&t->output.where);
	return (r | copy_where(&t->confirm.where)) ? -ENOMEM : 0;
}

int meters_copy(const struct meters *from, struct meters *ret)
{
	int r;

	*ret = *from;
	ret->tools = NULL;
	ret->n = 0;
	r = copy_where(&ret->each.where);
	r |= copy_where(&ret->total.where);
	r |= copy_where(&ret->time.where);
	r |= copy_where(&ret->output.where);
	r |= copy_where(&ret->in_flight.where);
	if (r || from->n == 0)
		return r ? -ENOMEM : 0;
	ret->tools = calloc(from->n, sizeof(*ret->tools));
	if (!ret->tools)
		return -ENOMEM;
	for (; r == 0 && ret->n < from->n; ret->n++) {
		ret->tools[ret->n] = from->tools[ret->n];
		r = own_tool(&ret->tools[ret->n]);
	}
	return r;
}

void meters_tool_done(struct meters_tool *t)
{
	free(t->glob);
	free(t->rate.where);
	free(t->time.where);
	free(t->output.where);
	free(t->confirm.where);
	*t = (struct meters_tool){ 0 };
}

void meters_done(struct meters *m)
{
	for (size_t i = 0; i < m->n; i++)
		meters_tool_done(&m->tools[i]);
	free(m->tools);
	free(m->each.where);
	free(m->total.where);
	free(m->time.where);
	free(m->output.where);
	free(m->in_flight.where);
	*m = (struct meters){ 0 };
}

/* Both hold: no more at once than the smaller number, and no faster than the slower rate, which is the one that is
 * named. The products fit: METERS_CALLS_MAX times METERS_PERIOD_MAX. */
static void narrow_rate(struct meters_rate *to, const struct meters_rate *by)
{
	uint32_t calls = by->calls < to->calls ? by->calls : to->calls;

	if (!by->calls)
		return;
	if (!to->calls || (uint64_t)by->calls * to->period_s < (uint64_t)to->calls * by->period_s) {
		calls = to->calls ? calls : by->calls;
		*to = *by;
	}
	to->period_s = (uint32_t)(((uint64_t)calls * to->period_s + to->calls - 1) / to->calls);
	to->calls = calls;
}

static void narrow(struct meters_bound *to, const struct meters_bound *by)
{
	if (by->value && (!to->value || by->value < to->value))
		*to = *by;
}

struct meters_tool meters_of(const struct meters *m, const char *name, size_t len)
{
	struct meters_tool t = { 0 };

	for (size_t i = 0; i < m->n; i++) {
		if (!glob_match(m->tools[i].glob, name, len))
			continue;
		narrow_rate(&t.rate, &m->tools[i].rate);
		narrow(&t.time, &m->tools[i].time);
		narrow(&t.output, &m->tools[i].output);
		narrow(&t.confirm, &m->tools[i].confirm);
	}
	if (!t.rate.calls)
		t.rate = m->each;
	if (!t.time.value)
		t.time = m->time;
	if (!t.output.value)
		t.output = m->output;
	return t;
}
