/* SPDX-License-Identifier: Apache-2.0 */
/* session_alerts - see session_alerts.h */
#include "supervisor/alerts/session_alerts.h"
#include <errno.h>
#include <string.h>
#include <time.h>
#include "base/io.h"
#include "base/text.h"
#include "supervisor/alerts/alert_hosts.h"
#include "supervisor/alerts/alert_match.h"
#include "supervisor/alerts/alert_runner.h"
#include "supervisor/output.h"
#include "supervisor/session_internal.h"

#define SYSLOG_SOCKET "/dev/log"

enum { HOOK_SECONDS = 10, WHAT_MAX = 300 };

struct session_alerts {
	struct alert_rules own;
	const struct alert_rules *rules; /* own, or the policy's */
	struct alert_match match;
	struct alert_hosts hosts;
	bool by_host; /* a rule wants to know which are new */
	int runner;   /* -1: no rule needs it, or it has ended */
};

/* The policy's list is the whole list, also when it is empty: what a user writes counts where it says nothing. */
static int read_rules(struct session *s, struct session_alerts *a)
{
	a->rules = &s->args->effective->policy.alerts;
	if (a->rules->where)
		return 0;
	a->rules = &a->own;
	return alert_rules_read_own(s->args->paths, &a->own, &s->diag);
}

static bool needs_runner(const struct alert_rules *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].exec.n > 0 || r->v[i].syslog)
			return true;
	return false;
}

static int begin(struct session *s, struct session_alerts *a)
{
	int r = alert_match_init(&a->match, a->rules, s->args->paths, &s->diag);

	for (size_t i = 0; i < a->rules->n; i++)
		a->by_host = a->by_host || a->rules->v[i].new_host;
	if (r == 0 && a->by_host)
		r = alert_hosts_open(s->args->paths, s->args->effective->name, &a->hosts, &s->diag);
	if (r == 0 && needs_runner(a->rules)) {
		r = runner_start(a->rules, SYSLOG_SOCKET, HOOK_SECONDS, &a->runner);
		if (r < 0)
			r = diag_fail(&s->diag, r, "what runs the hooks of alerts cannot be started: %s", strerror(-r));
	}
	return r;
}

int session_alerts_begin(struct session *s)
{
	struct session_alerts *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		return -ENOMEM;
	*a = (struct session_alerts){ .hosts = ALERT_HOSTS_NONE, .runner = -1 };
	s->alerts = a;
	r = read_rules(s, a);
	if (r == 0 && a->rules->n > 0)
		return begin(s, a);
	session_alerts_done(s);
	return r;
}

/* --- what fires --- */

static const char *what_of(const struct event *e)
{
	return *e->tool ? e->tool : *e->host ? e->host : *e->address ? e->address : *e->method ? e->method : e->subject;
}

/* Of a server's own words as many as fit, and no half of a character: jansson takes none. */
static void word(const struct alert_rule *rule, const struct event *e, char *ret, size_t size)
{
	const char *decision = event_decision_name(e->decision), *what = what_of(e);
	char times[64] = "";

	if (rule->count > 1)
		snprintf(times, sizeof(times), "%llu within %llu s, the last one: ", (unsigned long long)rule->count,
			(unsigned long long)rule->within_s);
	snprintf(ret, size, "%s%s%s%s%.*s%s%s", times, rule->new_host ? "a new host: " : "", event_name(e->type),
		*what ? " " : "", (int)utf8_cut(what, strlen(what), WHAT_MAX), what, decision ? ": " : "",
		decision ? decision : "");
}

static json_t *event_json(const struct event *e)
{
	const struct {
		const char *key, *text;
	} texts[] = { { "event", event_name(e->type) }, { "method", e->method }, { "tool", e->tool },
		{ "subject", e->subject }, { "name", e->host }, { "address", e->address },
		{ "decision", event_decision_name(e->decision) }, { "rule", e->rule }, { "reason", e->reason },
		{ "status", e->status } };
	json_t *o = json_object();

	for (size_t i = 0; o && i < ARRAY_LEN(texts); i++)
		if (texts[i].text && *texts[i].text)
			(void)json_object_set_new(o, texts[i].key, json_string(texts[i].text));
	if (o && e->port)
		(void)json_object_set_new(o, "port", json_integer(e->port));
	return o;
}

static char *text_of(const struct session *s, const struct alert_rule *rule, const struct event *e, const char *words)
{
	char when[OUTPUT_TIME_SIZE], *text;
	json_t *root = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "stockade", 1, "alert",
		rule->name, "severity", severities[rule->severity].name, "words", words, "where", rule->where, "server",
		s->args->effective->name, "session", s->id, "user", s->args->paths->user, "when",
		output_time(time(NULL), when), "event", event_json(e));

	text = root ? json_dumps(root, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
	json_decref(root);
	return text;
}

static int record_hook(struct session *s, const struct alert_rule *rule, const char *status, const char *reason)
{
	struct event e = { .type = EVENT_ALERT_HOOK };

	snprintf(e.subject, sizeof(e.subject), "%s", rule->name);
	snprintf(e.rule, sizeof(e.rule), "%.*s", (int)sizeof(e.rule) - 1, rule->where);
	snprintf(e.status, sizeof(e.status), "%.*s", (int)sizeof(e.status) - 1, status);
	text_escape_str(reason, e.reason, sizeof(e.reason));
	return session_record(s, EVENT_FROM_SUPERVISOR, &e, NULL);
}

/* Never waited for: what the runner has no room for is not run, and that is recorded. */
static int tell(struct session *s, size_t i, const struct event *e, const char *words)
{
	const struct alert_rule *rule = &s->alerts->rules->v[i];
	_cleanup_free_ char *text = NULL;
	int r;

	if (rule->exec.n == 0 && !rule->syslog)
		return 0;
	text = text_of(s, rule, e, words);
	r = !text ? -ENOMEM : s->alerts->runner < 0 ? -EPIPE : runner_tell(s->alerts->runner, (uint32_t)i, text);
	return r < 0 ? record_hook(s, rule, "not told", strerror(-r)) : 0;
}

static int fire(struct session *s, size_t i, const struct event *by)
{
	const struct alert_rule *rule = &s->alerts->rules->v[i];
	const struct alert_state *state = &s->alerts->match.v[i];
	struct event e = { .type = EVENT_ALERT, .count = rule->count, .port = by->port, .call_id = by->call_id };
	int r;

	word(rule, by, e.reason, sizeof(e.reason));
	snprintf(e.subject, sizeof(e.subject), "%s", rule->name);
	snprintf(e.rule, sizeof(e.rule), "%.*s", (int)sizeof(e.rule) - 1, rule->where);
	snprintf(e.status, sizeof(e.status), "%s", severities[rule->severity].name);
	memcpy(e.tool, by->tool, sizeof(e.tool));
	memcpy(e.host, by->host, sizeof(e.host));
	memcpy(e.method, by->method, sizeof(e.method));
	/* Those that were kept quiet are told with this one. */
	json_t *extra = state->before ? json_pack("{s:I}", "before", (json_int_t)state->before) : NULL;
	r = session_record(s, EVENT_FROM_SUPERVISOR, &e, extra);
	json_decref(extra);
	return r < 0 ? r : tell(s, i, by, e.reason);
}

/* What cannot be remembered is new, and will be again. */
static bool is_new_host(struct session_alerts *a, const struct event *e)
{
	return a->by_host && alert_is_connection(e) &&
	       alert_hosts_take(&a->hosts, *e->host ? e->host : e->address) != 0;
}

int session_alerts_take(struct session *s, const struct event *e)
{
	struct session_alerts *a = s->alerts;
	bool is_new;
	int r = 0;

	if (e->type == EVENT_ALERT || e->type == EVENT_ALERT_HOOK)
		return 0;
	is_new = is_new_host(a, e);
	for (size_t i = 0; r == 0 && i < a->rules->n; i++)
		if (alert_match_take(&a->match, i, e, s->args->effective->name, is_new, io_boot_us()))
			r = fire(s, i, e);
	return r;
}

/* --- what comes back --- */

int session_on_alerts(struct session *s)
{
	struct session_alerts *a = s->alerts;
	struct runner_answer answer;
	char words[160];
	int got, r = 0;

	while (r == 0 && (got = runner_hear(a->runner, &answer)) > 0) {
		if (answer.rule >= a->rules->n)
			continue;
		runner_words(&answer, words, sizeof(words));
		r = record_hook(s, &a->rules->v[answer.rule],
			answer.outcome == RUNNER_EXITED && answer.value == 0 ? "done" : "failed", words);
	}
	if (r < 0 || got == 0)
		return r;
	close(steal_fd(&a->runner));
	return record_hook(s, &a->rules->v[0], "ended", "what runs hooks has ended: none is run any more");
}

int session_alerts_fd(const struct session *s)
{
	return s->alerts ? s->alerts->runner : -1;
}

void session_alerts_done(struct session *s)
{
	struct session_alerts *a = s->alerts;

	if (!a)
		return;
	/* What ended meanwhile; what runs still has its time, and nobody to tell. */
	if (a->runner >= 0 && s->log && session_on_alerts(s) < 0)
		session_say(s, s->diag.text);
	s->alerts = NULL;
	if (a->runner >= 0)
		close(a->runner);
	alert_match_done(&a->match);
	alert_hosts_done(&a->hosts);
	alert_rules_done(&a->own);
	free(a);
}
