/* SPDX-License-Identifier: Apache-2.0 */
/* report - see report.h */
#include "supervisor/policy_test/report.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "supervisor/output.h"
#include "supervisor/policy_test/changes.h"
#include "supervisor/question_words.h"

/* --- servers --- */

static json_t *changes_json(const struct changes *c, bool *worse)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->n; i++) {
		*worse = *worse || c->v[i].worse;
		if (json_array_append_new(list, json_pack("{s:b, s:o, s:o}", "worse", c->v[i].worse, "what",
							question_shown_json(c->v[i].what), "rule",
							question_shown_json(c->v[i].rule))) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *refusal_json(const struct trial_side *s)
{
	return s->r < 0 ? question_shown_json(s->d.text) : json_null();
}

static json_t *rule_json(const char *words, const char *file)
{
	_cleanup_free_ char *rule = replay_rule_in(words, file);

	return question_shown_json(rule);
}

json_t *report_server(const struct trial *t, const char *file, bool *worse)
{
	const struct effective *e = t->then.e.profile.file ? &t->then.e : &t->now.e;
	_cleanup_changes_ struct changes c = { 0 };

	if (t->now.r == 0 && t->then.r == 0 && changes_find(&t->now.e, &t->then.e, &c) < 0)
		return NULL;
	*worse = *worse || (t->now.r == 0 && t->then.r < 0);
	return json_pack("{s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o}", "server", question_shown_json(t->server),
		"profile", question_shown_json(e->profile.file), "approval",
		t->approval ? json_string(t->approval->id) : json_null(), "judged",
		t->written ? "as written" : "as a launch", "refused_now", refusal_json(&t->now), "refused",
		refusal_json(&t->then), "rule", rule_json(t->then.r < 0 ? t->then.d.text : "", file), "changes",
		changes_json(&c, worse));
}

/* --- approvals --- */

struct outcome {
	const char *word;
	bool worse;
	char *why, *rule; /* heap, or NULL */
};

static int outcome_say(struct outcome *o, const char *word, bool worse, const char *why, const char *rule)
{
	o->word = word;
	o->worse = worse;
	o->why = why ? strdup(why) : NULL;
	o->rule = rule ? strdup(rule) : NULL;
	return (why && !o->why) || (rule && !o->rule) ? -ENOMEM : 0;
}

/* Does it start its server without a question under that side? */
static bool stands(const struct approval *a, const struct trial *t, const struct trial_side *s, struct diag *d)
{
	const struct effective *e = &s->e;

	if (e->granted)
		return true;
	if (policy_judge_channel(&e->policy.consent, a->channel, a->name, d) < 0 || e->never_remember)
		return false;
	return t->written || strcmp(e->digest, a->digest) == 0;
}

/* The digest is another, or what is granted: which right is it? */
static int asks(const struct approval *a, const struct trial *t, const char *file, struct outcome *o)
{
	_cleanup_changes_ struct changes c = { 0 };
	struct diag d = { "" };
	int r = changes_find(&t->now.e, &t->then.e, &c);

	if (r < 0)
		return r;
	if (!stands(a, t, &t->then, &d) && *d.text) {
		_cleanup_free_ char *rule = replay_rule_in(d.text, file);
		return outcome_say(o, "asks", true, d.text, rule);
	}
	if (t->written && c.n == 0)
		return outcome_say(o, "stands", false, NULL, NULL);
	return outcome_say(o, "asks", true, c.n ? c.v[0].what : "its plan is another one", c.n ? c.v[0].rule : NULL);
}

static int judge(const struct approval *a, const struct trial *t, const char *file, struct outcome *o)
{
	_cleanup_free_ char *rule = NULL;
	struct diag d = { "" };

	if (!t)
		return outcome_say(o, "unused", false, "nothing here starts what it is for", NULL);
	if (t->now.r < 0)
		return outcome_say(o, "refused already", false, t->now.d.text, NULL);
	if (!stands(a, t, &t->now, &d))
		return outcome_say(o, "asks already", false,
			*d.text ? d.text : "what would start here is not what was approved", NULL);
	if (t->then.r < 0) {
		rule = replay_rule_in(t->then.d.text, file);
		return outcome_say(o, "refused", true, t->then.d.text, rule);
	}
	if (!t->written && stands(a, t, &t->then, &d))
		return outcome_say(o, "stands", false, NULL, NULL);
	return asks(a, t, file, o);
}

json_t *report_approval(const struct approval *a, const struct trial *t, const char *file, bool *worse)
{
	struct outcome o = { 0 };
	int r = judge(a, t, file, &o);
	json_t *one =
		r < 0 ? NULL
		      : json_pack("{s:s, s:o, s:o, s:s, s:o, s:o}", "id", a->id, "server", question_shown_json(a->name),
				"channel", question_shown_json(a->channel), "outcome", o.word, "why",
				question_shown_json(o.why), "rule", question_shown_json(o.rule));

	*worse = *worse || o.worse;
	free(o.why);
	free(o.rule);
	return one;
}

/* --- the log --- */

static json_t *denied_json(const struct replay *r)
{
	json_t *list = json_array();
	char last[OUTPUT_TIME_SIZE];

	for (size_t i = 0; i < r->n; i++) {
		const struct replay_row *row = &r->v[i];
		if (json_array_append_new(list,
			    json_pack("{s:o, s:s, s:o, s:o, s:I, s:s}", "server", question_shown_json(row->server),
				    "kind", row->kind, "what", question_shown_json(row->what), "rule",
				    question_shown_json(row->rule), "count", (json_int_t)row->count, "last",
				    output_time((int64_t)(row->last_us / 1000000), last))) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

json_t *report_log(const struct replay *r, bool *worse)
{
	*worse = *worse || r->n > 0;
	return json_pack("{s:I, s:I, s:I, s:I, s:o, s:I, s:I, s:o}", "sessions", (json_int_t)r->totals.files, "records",
		(json_int_t)r->totals.records, "asked", (json_int_t)r->asked, "damaged", (json_int_t)r->totals.damaged,
		"damaged_at", r->totals.damaged ? json_string(r->totals.first) : json_null(), "unjudged",
		(json_int_t)r->beyond, "more", (json_int_t)r->more, "denied", denied_json(r));
}
