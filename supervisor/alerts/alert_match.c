/* SPDX-License-Identifier: Apache-2.0 */
/* alert_match - see alert_match.h */
#include "supervisor/alerts/alert_match.h"
#include <string.h>
#include "base/glob.h"
#include "base/io.h"
#include "wire/dial.h"

int alert_match_init(struct alert_match *m, const struct alert_rules *rules)
{
	*m = (struct alert_match){ .rules = rules, .v = calloc(rules->n + 1, sizeof(*m->v)) };
	if (!m->v)
		return -ENOMEM;
	for (size_t i = 0; i < rules->n; i++) {
		m->v[i].moments = calloc(rules->v[i].count, sizeof(*m->v[i].moments));
		if (!m->v[i].moments)
			return -ENOMEM;
	}
	return 0;
}

bool alert_is_connection(const struct event *e)
{
	return e->type == EVENT_NET_CONNECT && e->decision == EVENT_ALLOW &&
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

bool alert_match_take(
	struct alert_match *m, size_t i, const struct event *e, const char *server, bool is_new, uint64_t now_us)
{
	const struct alert_rule *r = &m->rules->v[i];
	struct alert_state *s = &m->v[i];

	if (!is_about(r, e, server, is_new) || !remember(s, r, weight(e), now_us))
		return false;
	s->n = 0;
	if (s->fired && now_us < s->quiet_until) {
		s->suppressed++;
		return false;
	}
	s->fired = true;
	s->quiet_until = now_us + ALERT_QUIET_US;
	return true;
}

void alert_match_done(struct alert_match *m)
{
	for (size_t i = 0; m->v && i < m->rules->n; i++)
		free(m->v[i].moments);
	free(m->v);
	m->v = NULL;
}
