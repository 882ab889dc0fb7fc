/* SPDX-License-Identifier: Apache-2.0 */
/* profile_meters - rates, times and sizes of calls, and confirmation of each (profile_parse.h, wire/meters.h) */
#include <errno.h>
#include <string.h>
#include "base/parse.h"
#include "supervisor/profile_parse.h"

enum { PERIOD_DEFAULT = 60 };

int profile_meters_defaults(struct meters *m)
{
	m->each = (struct meters_rate){ METERS_CALLS_DEFAULT, PERIOD_DEFAULT, strdup(METERS_CALLS_DEFAULT_WORDS) };
	return m->each.where ? 0 : -ENOMEM;
}

/* The members of an item of tools.allow belong to the item that was opened last. */
static void *field(const struct key *k)
{
	struct profile *p = k->target;

	if (strncmp(k->row->path, "tools.allow[]", strlen("tools.allow[]")) != 0)
		return (char *)p + k->row->offset;
	return (char *)&p->meters.tools[p->meters.n - 1] + k->row->offset;
}

int profile_meters_open(const struct key *k)
{
	struct meters *m = &((struct profile *)k->target)->meters;
	struct meters_tool *more;

	if (m->n >= METERS_TOOLS_MAX)
		return key_fail(k, "has more than %d items with rules of their own", METERS_TOOLS_MAX);
	more = reallocarray(m->tools, m->n + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	m->tools = more;
	m->tools[m->n++] = (struct meters_tool){ 0 };
	return 0;
}

int profile_meters_close(const struct key *k, const char *glob)
{
	struct meters *m = &((struct profile *)k->target)->meters;
	struct meters_tool *t = &m->tools[m->n - 1];

	if (!t->rate.calls && !t->time.value && !t->output.value && !t->confirm.value) {
		meters_tool_done(t);
		m->n--;
		return 0;
	}
	t->glob = strdup(glob);
	return t->glob ? 0 : -ENOMEM;
}

/* Words for the rule, in the place of those that were there. */
static int name_rule(const struct key *k, const char *text, char **where)
{
	free(*where);
	*where = NULL;
	return key_where(k, k->line, text, where);
}

int key_set_rate(const struct key *k)
{
	struct meters_rate *rate = field(k);
	uint64_t calls, seconds;
	int r = parse_rate(json_string_value(k->v), METERS_CALLS_MAX, &calls, &seconds);

	if (r == -ERANGE)
		return key_fail(k, "must name 1 to %d calls", METERS_CALLS_MAX);
	if (r < 0)
		return key_fail(k, "must be calls in a time, such as \"10/min\": digits, '/', and s, min, h or d");
	rate->calls = (uint32_t)calls;
	rate->period_s = (uint32_t)seconds;
	return name_rule(k, json_string_value(k->v), &rate->where);
}

int key_set_call_time(const struct key *k)
{
	struct meters_bound *b = field(k);

	if (parse_duration(json_string_value(k->v), 1, METERS_TIME_MAX, &b->value) < 0)
		return key_fail(k, "must be a time from \"1s\" to \"1d\": digits and s, min, h or d");
	return name_rule(k, json_string_value(k->v), &b->where);
}

int key_set_output(const struct key *k)
{
	struct meters_bound *b = field(k);
	int r = parse_size(json_string_value(k->v), k->row->min, k->row->max, &b->value);

	if (r == -ERANGE)
		return key_fail(k, "must lie between %llu and %llu bytes", (unsigned long long)k->row->min,
			(unsigned long long)k->row->max);
	if (r < 0)
		return key_fail(k, "must be a size: digits and KiB or MiB, such as \"1MiB\"");
	return name_rule(k, json_string_value(k->v), &b->where);
}

int key_set_confirm(const struct key *k)
{
	struct meters_bound *b = field(k);

	b->value = json_is_true(k->v);
	return b->value ? name_rule(k, NULL, &b->where) : 0;
}

int key_set_inflight(const struct key *k)
{
	struct meters_bound *b = field(k);
	json_int_t v = json_integer_value(k->v);

	if (v < 1 || v > METERS_INFLIGHT_MAX)
		return key_fail(k, "is %lld; it must lie between 1 and %d", (long long)v, METERS_INFLIGHT_MAX);
	b->value = (uint64_t)v;
	return name_rule(k, NULL, &b->where);
}
