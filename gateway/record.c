/* SPDX-License-Identifier: Apache-2.0 */
/* record - see record.h */
#include "gateway/record.h"
#include <stdio.h>
#include <string.h>
#include "base/io.h"

enum { TOKEN = 1000 };

void record_init(struct record *r, int fd, uint64_t now_us)
{
	r->fd = fd;
	r->n = 0;
	memset(r->more, 0, sizeof(r->more));
	r->tokens = RECORD_BURST * TOKEN;
	r->since_us = r->period_us = now_us;
}

int record_send(struct record *r, const struct event *e)
{
	return event_send(r->fd, e);
}

static bool same(const struct denial *a, const struct denial *b)
{
	return a->type == b->type && a->port == b->port && a->rule == b->rule && a->protocol == b->protocol &&
	       strcmp(a->host, b->host) == 0 && strcmp(a->address, b->address) == 0 &&
	       strcmp(a->reason, b->reason) == 0;
}

static int send_denial(struct record *r, const struct denial *d, uint64_t count)
{
	struct event e = {
		.type = d->type, .decision = EVENT_DENY, .side = EVENT_FROM_SERVER, .count = count, .port = d->port
	};

	snprintf(e.host, sizeof(e.host), "%s", d->host);
	snprintf(e.address, sizeof(e.address), "%s", d->address);
	snprintf(e.protocol, sizeof(e.protocol), "%s", d->protocol ? d->protocol : "");
	snprintf(e.rule, sizeof(e.rule), "%s", d->rule ? d->rule : "");
	snprintf(e.reason, sizeof(e.reason), "%s", d->reason);
	return record_send(r, &e);
}

static void refill(struct record *r, uint64_t now_us)
{
	uint64_t more = (now_us - r->since_us) * RECORD_RATE * TOKEN / 1000000;

	if (more == 0)
		return;
	r->since_us = now_us;
	r->tokens = r->tokens + more > RECORD_BURST * TOKEN ? RECORD_BURST * TOKEN : r->tokens + (uint32_t)more;
}

int record_denied(struct record *r, const struct denial *d, uint64_t now_us)
{
	for (unsigned i = 0; i < r->n; i++) {
		if (!same(&r->slots[i], d))
			continue;
		r->counts[i]++;
		return 0;
	}
	refill(r, now_us);
	if (r->n == RECORD_SLOTS || r->tokens < TOKEN) {
		r->more[d->type]++;
		return 0;
	}
	r->tokens -= TOKEN;
	r->slots[r->n] = *d;
	r->counts[r->n++] = 0;
	return send_denial(r, d, 0);
}

int record_flush(struct record *r)
{
	int e = 0;

	for (unsigned i = 0; e == 0 && i < r->n; i++)
		if (r->counts[i])
			e = send_denial(r, &r->slots[i], r->counts[i]);
	r->n = 0;
	for (unsigned t = 0; e == 0 && t < EVENT_TYPE_COUNT; t++) {
		struct denial d = { .type = t, .reason = "more denials than are told one by one" };
		if (!r->more[t])
			continue;
		e = send_denial(r, &d, r->more[t]);
		r->more[t] = 0;
	}
	return e;
}

uint64_t record_due(const struct record *r)
{
	bool any = r->n > 0;

	for (unsigned t = 0; t < EVENT_TYPE_COUNT; t++)
		any |= r->more[t] > 0;
	return any ? r->period_us + RECORD_PERIOD_US : UINT64_MAX;
}

int record_tick(struct record *r, uint64_t now_us)
{
	if (now_us < r->period_us + RECORD_PERIOD_US)
		return 0;
	r->period_us = now_us;
	return record_flush(r);
}
