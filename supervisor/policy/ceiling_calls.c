/* SPDX-License-Identifier: Apache-2.0 */
/* ceiling_calls - ceilings on names, rates and times of calls (ceilings.h) */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "supervisor/effective_meters.h"
#include "supervisor/policy/ceiling_parts.h"

/* calls over period, as a fraction: is a's lower? */
static bool slower(const struct meters_rate *a, const struct meters_rate *b)
{
	return (uint64_t)a->calls * b->period_s < (uint64_t)b->calls * a->period_s;
}

struct meters_rate ceiling_rate(const struct meters_rate *a, const struct meters_rate *b)
{
	const struct meters_rate *least = slower(a, b) ? a : b;
	uint32_t calls = a->calls < b->calls ? a->calls : b->calls;
	/* The bucket of the smaller, filled as slowly as the slower: rounded up, so that it is never faster. */
	uint64_t period = ((uint64_t)calls * least->period_s + least->calls - 1) / least->calls;

	return (struct meters_rate){ .calls = calls, .period_s = (uint32_t)(period ? period : 1) };
}

static int cut_rate(struct effective *e, struct meters_rate *of, const struct meters_rate *to, const char *what)
{
	struct meters_rate both;
	int r;

	if (!of->calls)
		of->calls = METERS_CALLS_MAX, of->period_s = 1;
	both = ceiling_rate(of, to);
	if (both.calls == of->calls && both.period_s == of->period_s)
		return 0;
	r = ceiling_say(e, to->where, "%" PRIu32 " calls in %" PRIu32 " s of %s: %" PRIu32 " in %" PRIu32 " s",
		of->calls, of->period_s, what, both.calls, both.period_s);
	of->calls = both.calls;
	of->period_s = both.period_s;
	return r < 0 ? r : ceiling_where(&of->where, to->where);
}

/* 0: no bound. */
static int cut_bound(
	struct effective *e, struct meters_bound *of, const struct meters_bound *to, const char *what, const char *unit)
{
	int r;

	if (of->value && of->value <= to->value)
		return 0;
	r = of->value ? ceiling_say(e, to->where, "%" PRIu64 " %s of %s: %" PRIu64, of->value, unit, what, to->value)
		      : 0;
	of->value = to->value;
	if (r < 0 || of->where)
		return r < 0 ? r : ceiling_where(&of->where, to->where);
	of->where = strdup(to->where);
	return of->where ? 0 : -ENOMEM;
}

static int cut_meters(struct effective *e)
{
	const struct policy_ceilings *c = &e->policy.ceilings;
	const struct meters *b = &c->bounds.meters;
	bool rate = policy_ceiling(c, "tools.rate"), time = policy_ceiling(c, "tools.time");
	struct meters *m = &e->profile.meters;
	int r = rate ? cut_rate(e, &m->each, &b->each, "each tool") : 0;

	if (r == 0 && time)
		r = cut_bound(e, &m->time, &b->time, "an answer", "s");
	if (r == 0 && policy_ceiling(c, "limits.calls"))
		r = cut_bound(e, &m->in_flight, &b->in_flight, "all tools at once", "calls");
	/* What an item does not say itself is that of all tools. */
	for (size_t i = 0; r == 0 && i < m->n; i++) {
		if (rate && m->tools[i].rate.calls)
			r = cut_rate(e, &m->tools[i].rate, &b->each, m->tools[i].glob);
		if (r == 0 && time && m->tools[i].time.value)
			r = cut_bound(e, &m->tools[i].time, &b->time, m->tools[i].glob, "s");
	}
	return r;
}

static int put_above(struct shim_rules *rules, const struct shim_rules *above)
{
	while (rules->ceiling)
		rules = rules->ceiling;
	rules->ceiling = calloc(1, sizeof(*rules->ceiling));
	return rules->ceiling ? shim_rules_copy(above, rules->ceiling) : -ENOMEM;
}

static int apply_groups(const struct paths *p, const struct policy_groups *groups, struct effective *e, struct diag *d)
{
	struct shim_rules above = { 0 };
	int r = policy_judge_groups(groups, p, e->name, &above, d);

	if (r == 0 && above.restricted)
		r = put_above(&e->profile.tools, &above);
	shim_rules_done(&above);
	return r;
}

/* Each by itself, one bound beside the other: whoever has a server has it by both. */
int ceilings_apply_groups(const struct paths *p, struct effective *e, struct diag *d)
{
	int r = apply_groups(p, &e->policy.groups, e, d);

	return r < 0 ? r : apply_groups(p, &e->bundle_groups, e, d);
}

int ceiling_calls(struct effective *e)
{
	const struct policy_ceilings *c = &e->policy.ceilings;
	struct profile *f = &e->profile;
	const struct {
		const char *allow, *deny;
		const struct shim_rules *above;
		struct shim_rules *rules;
	} rows[] = {
		{ "tools.allow", "tools.deny", &c->bounds.tools, &f->tools },
		{ "resources.allow", "resources.deny", &c->bounds.resources, &f->resources },
		{ "prompts.allow", "prompts.deny", &c->bounds.prompts, &f->prompts },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(rows); i++)
		if (policy_ceiling(c, rows[i].allow) || policy_ceiling(c, rows[i].deny))
			r = put_above(rows[i].rules, rows[i].above);
	return r < 0 ? r : cut_meters(e);
}
