/* SPDX-License-Identifier: Apache-2.0 */
/* alert_match - see alert_match.h */
#include "supervisor/alerts/alert_match.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "base/glob.h"
#include "base/io.h"
#include "supervisor/alerts/alert_share.h"
#include "wire/dial.h"

int alert_match_init(struct alert_match *m, const struct alert_rules *rules, const struct paths *paths, struct diag *d)
{
	int r = 0;

	*m = (struct alert_match){ .rules = rules, .v = calloc(rules->n + 1, sizeof(*m->v)) };
	if (!m->v)
		return -ENOMEM;
	for (size_t i = 0; i < rules->n; i++)
		m->v[i].shared = -1;
	if (paths)
		r = scope_clock_init(&m->clock, d);
	for (size_t i = 0; r == 0 && i < rules->n; i++) {
		m->v[i].moments = calloc(rules->v[i].count, sizeof(*m->v[i].moments));
		if (!m->v[i].moments)
			return -ENOMEM;
		if (paths && rules->v[i].count > 1)
			r = alert_share_open(paths, &rules->v[i], &m->clock, &m->v[i].shared, d);
	}
	return r;
}

bool alert_is_connection(const struct event *e)
{
	return e->type == EVENT_NET_CONNECT && (e->decision == EVENT_ALLOW || e->decision == EVENT_WOULD_DENY) &&
	       strcmp(e->status, dial_status_words(DIAL_OK)) == 0;
}

static bool fits(const char *glob, const char *text)
{
	return !glob || glob_match(glob, text, strlen(text));
}

static bool is_about(const struct alert_rule *r, const struct event *e, const char *server, bool is_new)
{
	if (r->new_host ? !is_new : !fits(r->event, event_name(e->type)))
		return false;
	return (r->decision == EVENT_NONE || r->decision == e->decision) && fits(r->server, server) &&
	       (!r->tool || (*e->tool && fits(r->tool, e->tool)));
}

/* The gateway counts the same denial instead of sending it again. */
static uint64_t weight(const struct event *e)
{
	bool counted = e->type == EVENT_NET_DENIED || e->type == EVENT_NET_NAME;

	return counted && e->count > 1 ? e->count : 1;
}

/* Is the place of the oldest moment young enough, when all places are taken? */
static bool remember(struct alert_state *s, const struct alert_rule *r, uint64_t times, uint64_t now_us)
{
	uint64_t oldest;

	for (uint64_t i = 0; i < times && i < r->count; i++) {
		s->moments[s->at] = now_us;
		s->at = (s->at + 1) % r->count;
		s->n += s->n < r->count;
	}
	oldest = s->moments[s->at];
	return s->n == r->count && now_us - oldest <= r->within_s * US_PER_S;
}

static bool fires(struct alert_state *s, const struct alert_rule *r, uint64_t times, uint64_t now_us)
{
	if (!remember(s, r, times, now_us))
		return false;
	s->n = 0;
	if (s->fired && now_us < s->quiet_until) {
		s->suppressed++;
		return false;
	}
	s->fired = true;
	s->quiet_until = now_us + ALERT_QUIET_US;
	s->before = s->suppressed;
	s->suppressed = 0;
	return true;
}

static bool fires_with_others(
	const struct alert_match *m, size_t i, struct alert_state *s, const struct event *e, uint64_t now_us)
{
	const struct alert_rule *r = &m->rules->v[i];
	bool locked, ret = false, put = false;

	for (unsigned n = 0; !put && n < ALERT_SHARE_TRIES; n++) {
		locked = alert_share_take(r, m->clock.boot, now_us, s);
		ret = fires(s, r, weight(e), now_us);
		put = alert_share_put(r, m->clock.boot, locked, s);
	}
	return ret;
}

bool alert_match_take(
	struct alert_match *m, size_t i, const struct event *e, const char *server, bool is_new, uint64_t now_us)
{
	const struct alert_rule *r = &m->rules->v[i];
	struct alert_state *s = &m->v[i];

	if (!is_about(r, e, server, is_new))
		return false;
	return s->shared < 0 ? fires(s, r, weight(e), now_us) : fires_with_others(m, i, s, e, now_us);
}

void alert_match_done(struct alert_match *m)
{
	for (size_t i = 0; m->v && i < m->rules->n; i++) {
		free(m->v[i].moments);
		if (m->v[i].shared >= 0)
			close(m->v[i].shared);
	}
	free(m->v);
	m->v = NULL;
}
