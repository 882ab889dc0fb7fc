/* SPDX-License-Identifier: Apache-2.0 */
/* counting - see counting.h */
#include "supervisor/ps/counting.h"
#include <string.h>
#include "wire/dial.h"

static bool take_out(uint64_t *v, size_t *n, uint64_t id)
{
	for (size_t i = 0; i < *n; i++) {
		if (v[i] != id)
			continue;
		v[i] = v[--*n];
		return true;
	}
	return false;
}

static void opened(struct counting *c, uint64_t id)
{
	c->now.connections++;
	if (take_out(c->early, &c->n_early, id))
		return;
	if (c->n_open < COUNTING_LINKS)
		c->open[c->n_open++] = id;
	c->now.connections_open++;
}

static void closed(struct counting *c, uint64_t id)
{
	if (take_out(c->open, &c->n_open, id)) {
		c->now.connections_open--;
		return;
	}
	if (c->n_early == COUNTING_EARLY)
		memmove(c->early, c->early + 1, --c->n_early * sizeof(c->early[0]));
	c->early[c->n_early++] = id;
}

static void count_call(struct registry_counters *n, uint64_t minute)
{
	if (minute != n->minute) {
		n->calls_before = minute == n->minute + 1 ? n->calls_now : 0;
		n->calls_now = 0;
		n->minute = minute;
	}
	n->calls++;
	n->calls_now++;
}

void counting_take(struct counting *c, const struct event *e, uint64_t wall_us)
{
	c->now.version = REGISTRY_COUNTERS_VERSION;
	c->now.last_us = wall_us;
	c->now.denials += e->decision == EVENT_DENY;
	if (e->type == EVENT_CALL)
		count_call(&c->now, wall_us / REGISTRY_MINUTE_US);
	else if (e->type == EVENT_NET_CONNECT && strcmp(e->status, dial_status_words(DIAL_OK)) == 0)
		opened(c, e->call_id);
	else if (e->type == EVENT_NET_CLOSE && e->side == EVENT_FROM_SERVER)
		closed(c, e->call_id);
}
