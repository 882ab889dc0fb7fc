/* SPDX-License-Identifier: Apache-2.0 */
/* rates - see rates.h */
#include "shim/rates.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/io.h"

enum { RATES_FIRST = 16 };

static uint64_t period_us(const struct meters_rate *rate)
{
	return (uint64_t)rate->period_s * US_PER_S;
}

/* METERS_CALLS_MAX times METERS_PERIOD_MAX microseconds is below 2^57. */
static uint64_t capacity(const struct meters_rate *rate)
{
	return rate->calls * period_us(rate);
}

static void fill(struct rates_bucket *b, const struct meters_rate *rate, uint64_t now_us)
{
	uint64_t passed = now_us > b->at_us ? now_us - b->at_us : 0;

	if (!b->used || passed >= period_us(rate)) {
		b->level = capacity(rate);
	} else {
		b->level += passed * rate->calls;
		if (b->level > capacity(rate))
			b->level = capacity(rate);
	}
	b->used = true;
	b->at_us = now_us > b->at_us ? now_us : b->at_us;
}

/* Is there a call in it? A rate of no calls holds nothing down. */
static bool has_call(struct rates_bucket *b, const struct meters_rate *rate, uint64_t now_us)
{
	if (!rate->calls)
		return true;
	fill(b, rate, now_us);
	return b->level >= period_us(rate);
}

static void take(struct rates_bucket *b, const struct meters_rate *rate)
{
	if (rate->calls)
		b->level -= period_us(rate);
}

/* Whole seconds, so that whoever waits as long is not told the same again. */
static uint32_t seconds_left(const struct rates_bucket *b, const struct meters_rate *rate)
{
	uint64_t missing = period_us(rate) - b->level, per_s = (uint64_t)rate->calls * US_PER_S;

	return (uint32_t)((missing + per_s - 1) / per_s);
}

int rates_take_all(
	struct rates_bucket *b, const struct meters_rate *rate, uint32_t n, uint64_t now_us, uint32_t *ret_retry_s)
{
	uint64_t cost = n * period_us(rate), per_s = (uint64_t)rate->calls * US_PER_S;

	*ret_retry_s = 0;
	if (!rate->calls || n == 0)
		return 0;
	fill(b, rate, now_us);
	if (b->level >= cost) {
		b->level -= cost;
		return 0;
	}
	if (n <= rate->calls)
		*ret_retry_s = (uint32_t)((cost - b->level + per_s - 1) / per_s);
	return RATES_TOTAL;
}

int rates_take(struct rates *r, const struct meters *m, struct rates_tool *t, uint64_t now_us, uint32_t *ret_retry_s)
{
	*ret_retry_s = 0;
	if (!has_call(&t->bucket, &t->limits.rate, now_us)) {
		*ret_retry_s = seconds_left(&t->bucket, &t->limits.rate);
		return RATES_TOOL;
	}
	if (!has_call(&r->total, &m->total, now_us)) {
		*ret_retry_s = seconds_left(&r->total, &m->total);
		return RATES_TOTAL;
	}
	take(&t->bucket, &t->limits.rate);
	take(&r->total, &m->total);
	return 0;
}

static void tool_done(struct rates_tool *t)
{
	free(t->name);
}

void rates_done(struct rates *r)
{
	for (size_t i = 0; i < r->n; i++)
		tool_done(&r->tools[i]);
	free(r->tools);
	*r = (struct rates){ 0 };
}

/* A tool whose bucket is full again, and is as good as new. */
static struct rates_tool *find_full(struct rates *r, uint64_t now_us)
{
	for (size_t i = 0; i < r->n; i++) {
		struct rates_tool *t = &r->tools[i];
		if (t->limits.rate.calls)
			fill(&t->bucket, &t->limits.rate, now_us);
		if (!t->limits.rate.calls || t->bucket.level == capacity(&t->limits.rate))
			return t;
	}
	return NULL;
}

static int grow(struct rates *r)
{
	size_t cap = r->cap ? 2 * r->cap : RATES_FIRST;
	struct rates_tool *tools = reallocarray(r->tools, cap, sizeof(*tools));

	if (!tools)
		return -ENOMEM;
	r->tools = tools;
	r->cap = cap;
	return 0;
}

static int find_room(struct rates *r, uint64_t now_us, struct rates_tool **ret)
{
	struct rates_tool *old;

	if (r->n < RATES_TOOLS_MAX) {
		if (r->n == r->cap && grow(r) < 0)
			return -ENOMEM;
		*ret = &r->tools[r->n++];
		**ret = (struct rates_tool){ 0 };
		return 0;
	}
	old = find_full(r, now_us);
	if (!old)
		return RATES_CROWDED;
	tool_done(old);
	*old = (struct rates_tool){ 0 };
	*ret = old;
	return 0;
}

int rates_find(struct rates *r, const struct meters *m, struct slice name, struct slice text, uint64_t now_us,
	struct rates_tool **ret)
{
	_cleanup_free_ char *copy = NULL;
	int e;

	for (size_t i = 0; i < r->n; i++)
		if (slice_equal((struct slice){ r->tools[i].name, r->tools[i].len }, name)) {
			*ret = &r->tools[i];
			return 0;
		}
	if (name.n > RATES_NAME_MAX)
		return RATES_CROWDED;
	copy = malloc(name.n + 1);
	if (!copy)
		return -ENOMEM;
	e = find_room(r, now_us, ret);
	if (e)
		return e;
	if (name.n)
		memcpy(copy, name.p, name.n);
	(*ret)->name = STEAL_PTR(copy);
	(*ret)->len = name.n;
	(*ret)->limits = meters_of(m, text.p ? text.p : "", text.n);
	return 0;
}
