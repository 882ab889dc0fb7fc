/* SPDX-License-Identifier: Apache-2.0 */
/* effective_meters - what holds calls down, for people and for the digest (effective_meters.h) */
#include "supervisor/effective_meters.h"
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "supervisor/effective_lines.h"
#include "supervisor/json_list.h"

enum { WORDS_MAX = 64, LINE_MAX = 512 };

const char *effective_period_words(uint32_t seconds)
{
	static const struct {
		uint32_t seconds;
		const char *words;
	} rows[] = { { 1, "a second" }, { 60, "a minute" }, { 3600, "an hour" }, { 86400, "a day" } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].seconds == seconds)
			return rows[i].words;
	return "in its time";
}

static int add_rate(struct effective *e, enum effective_kind kind, const struct meters_rate *r, const char *of)
{
	return r->calls ? effective_add_line(e, kind, 0, r->where, "%" PRIu32 " calls %s %s", r->calls,
				  effective_period_words(r->period_s), of)
			: 0;
}

static int add_bounds(struct effective *e, enum effective_kind kind, const struct meters_bound *time,
	const struct meters_bound *output, const char *of)
{
	char size[EFFECTIVE_SIZE_WORDS];
	int r = 0;

	if (time->value)
		r = effective_add_line(
			e, kind, 0, time->where, "a call %s is answered within %" PRIu64 " s", of, time->value);
	if (r == 0 && output->value)
		r = effective_add_line(e, kind, 0, output->where, "an answer to a call %s has at most %s", of,
			effective_size_words(output->value, size));
	return r;
}

int effective_meters_walls(struct effective *e)
{
	const struct meters *m = &e->profile.meters;
	int r = add_rate(e, LINE_LIMIT, &m->each, "of each tool");

	if (r == 0)
		r = add_rate(e, LINE_LIMIT, &m->total, "of all tools together");
	if (r == 0)
		r = add_bounds(e, LINE_LIMIT, &m->time, &m->output, "of any tool");
	if (r == 0 && m->in_flight.value)
		r = effective_add_line(e, LINE_LIMIT, 0, m->in_flight.where,
			"%" PRIu64 " calls at once that have no answer yet", m->in_flight.value);
	return r;
}

static int add_tool(struct effective *e, const struct meters_tool *t)
{
	_cleanup_free_ char *of = NULL;
	int r = 0;

	if (asprintf(&of, "of %s", t->glob) < 0) {
		of = NULL;
		return -ENOMEM;
	}
	if (t->confirm.value)
		r = effective_add_line(e, LINE_TOOLS, 0, t->confirm.where, "a person has to look at each call %s", of);
	if (r == 0)
		r = add_rate(e, LINE_TOOLS, &t->rate, of);
	return r < 0 ? r : add_bounds(e, LINE_TOOLS, &t->time, &t->output, of);
}

int effective_meters_tools(struct effective *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < e->profile.meters.n; i++)
		r = add_tool(e, &e->profile.meters.tools[i]);
	return r;
}

json_t *effective_rate_json(const struct meters_rate *r)
{
	return r->calls ? json_sprintf("%" PRIu32 " in %" PRIu32 " s", r->calls, r->period_s) : json_null();
}

static json_t *tool_json(const struct meters_tool *t)
{
	return json_pack("{s:s, s:o, s:I, s:I, s:b}", "name", t->glob, "rate", effective_rate_json(&t->rate), "time",
		(json_int_t)t->time.value, "output", (json_int_t)t->output.value, "confirm", (int)t->confirm.value);
}

json_t *effective_meters_canonical(const struct meters *m)
{
	json_t *tools = json_array();

	for (size_t i = 0; tools && i < m->n; i++)
		tools = json_list_add(tools, tool_json(&m->tools[i]));
	return json_pack("{s:o, s:o, s:I, s:I, s:I, s:o}", "rate", effective_rate_json(&m->each), "total",
		effective_rate_json(&m->total), "time", (json_int_t)m->time.value, "output",
		(json_int_t)m->output.value, "calls", (json_int_t)m->in_flight.value, "tools", tools);
}
