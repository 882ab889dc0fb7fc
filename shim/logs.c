/* SPDX-License-Identifier: Apache-2.0 */
/* logs - see logs.h */
#include "shim/logs.h"
#include <string.h>
#include "base/io.h"
#include "shim/policy.h"
#include "shim/record.h"
#include "shim/shim.h"

static const char MESSAGE[] = "notifications/message";

/* One of no level that the protocol has is below any. */
static bool is_below(const struct shim_logging *l, struct slice level)
{
	unsigned i = 0;

	while (i < SHIM_LEVEL_COUNT && !slice_is(level, shim_level_word(i)))
		i++;
	return l->off || (l->level && (i < (unsigned)l->level || i == SHIM_LEVEL_COUNT));
}

static int record_count(struct shim *s, uint64_t *count, const char *rule, const char *reason)
{
	struct event e = {
		.type = EVENT_NOTIFICATION, .decision = EVENT_DROP, .side = EVENT_FROM_SERVER, .count = *count
	};

	if (*count == 0)
		return 0;
	*count = 0;
	record_words(e.method, sizeof(e.method), MESSAGE);
	record_words(e.rule, sizeof(e.rule), rule);
	record_words(e.reason, sizeof(e.reason), reason);
	return record_send(s, &e);
}

int logs_end(struct shim *s)
{
	const struct shim_logging *l = &s->config.client.logging;
	int r = record_count(s, &s->logs.below, l->where,
		l->off ? "the profile keeps log messages from the client" : "their level is below that of the profile");

	return r ? r : record_count(s, &s->logs.over, l->rate.where, "there were more than there may be");
}

int logs_drop(struct shim *s, const struct method *method, bool *ret)
{
	const struct shim_logging *l = &s->config.client.logging;
	struct logs *k = &s->logs;
	uint32_t retry_s;

	*ret = false;
	if (!method || method->from != EVENT_FROM_SERVER || method->request || strcmp(method->name, MESSAGE) != 0)
		return 0;
	if (is_below(l, walk_string(message_get(&s->doc, "level"))))
		k->below++;
	else if (rates_take_all(&k->bucket, &l->rate, 1, s->now_us, &retry_s))
		k->over++;
	else
		return 0;
	*ret = true;
	if (k->due_us)
		return 0;
	k->due_us = s->now_us + (uint64_t)LOGS_RECORD_S * US_PER_S;
	shim_wake_at(s, k->due_us);
	return logs_end(s);
}

int logs_tick(struct shim *s)
{
	struct logs *k = &s->logs;
	bool due = k->due_us && s->now_us >= k->due_us;

	if (due)
		k->due_us = k->below + k->over ? s->now_us + (uint64_t)LOGS_RECORD_S * US_PER_S : 0;
	if (k->due_us)
		shim_wake_at(s, k->due_us);
	return due ? logs_end(s) : 0;
}
