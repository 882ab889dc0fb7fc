/* SPDX-License-Identifier: Apache-2.0 */
/* report - see report.h */
#include "supervisor/policy_test/report.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "supervisor/output.h"
#include "supervisor/policy_test/changes.h"
#include "supervisor/policy_test/trial_word.h"
#include "supervisor/question_words.h"

/* --- servers --- */

static json_t *changes_json(const struct changes *c, bool *worse)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->n; i++) {
		*worse = *worse || c->v[i].worse;
		if (json_array_append_new(list, json_pack("{s:b, s:b, s:o, s:o}", "worse", c->v[i].worse, "recorded",
							c->v[i].recorded, "what", question_shown_json(c->v[i].what),
							"rule", question_shown_json(c->v[i].rule))) < 0) {
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

/* Only what no approval tells of: where the policy or root begin or cease to answer. */
static int find_word(const struct trial *t, const char *file, struct changes *ret)
{
	enum trial_word now = t->now.word, then = t->then.word;
	const char *by = t->then.e.policy.consent.by_where;
	bool starts = now > WORD_ASKS;
	_cleanup_free_ char *rule = NULL;

	if (!now || !then || now == then)
		return 0;
	if (then == WORD_REFUSED) {
		rule = replay_rule_in(t->then.word_why, file);
		return changes_add(
			ret, true, rule, "nobody is asked, and who manages this machine has not approved it");
	}
	if (then == WORD_POLICY)
		return changes_add(ret, false, by, "nobody is asked: the policy approves it");
	if (then == WORD_ADMIN)
		return changes_add(ret, false, NULL, "nobody is asked: root has approved it");
	if (now == WORD_REFUSED)
		return changes_add(
			ret, false, NULL, then == WORD_ASKS ? "its user is asked" : "its user's approval counts");
	if (then == WORD_ASKS && (now == WORD_POLICY || now == WORD_ADMIN))
		return changes_add(ret, starts, by, "its user is asked: %s",
			t->then.e.ungranted ? t->then.e.ungranted : "what approved it does not count any more");
	return 0;
}

static json_t *word_json(enum trial_word w)
{
	return w ? json_string(trial_word_text(w)) : json_null();
}

json_t *report_server(const struct trial *t, const char *file, bool *worse)
{
	const struct effective *e = t->then.e.profile.file ? &t->then.e : &t->now.e;
	_cleanup_changes_ struct changes c = { 0 };

	if (t->now.r == 0 && t->then.r == 0 &&
		(changes_find(&t->now.e, &t->then.e, &c) < 0 || find_word(t, file, &c) < 0))
		return NULL;
	*worse = *worse || (t->now.r == 0 && t->then.r < 0);
	return json_pack("{s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "server", question_shown_json(t->server),
		"profile", question_shown_json(e->profile.file), "approval",
		t->approval ? json_string(t->approval->id) : json_null(), "judged",
		t->written ? "as written" : "as a launch", "refused_now", refusal_json(&t->now), "refused",
		refusal_json(&t->then), "rule", rule_json(t->then.r < 0 ? t->then.d.text : "", file), "answers_now",
		word_json(t->now.word), "answers", word_json(t->then.word), "changes", changes_json(&c, worse));
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

/* The digest is another, or what is granted: which right is it? */
static int asks(const struct trial *t, const char *words, const char *file, struct outcome *o)
{
	_cleanup_changes_ struct changes c = { 0 };
	_cleanup_free_ char *rule = replay_rule_in(words, file);
	int r = *words ? 0 : changes_find(&t->now.e, &t->then.e, &c);

	if (r < 0)
		return r;
	if (*words)
		return outcome_say(o, "asks", true, words, rule);
	if (t->written && c.n == 0)
		return outcome_say(o, "stands", false, NULL, NULL);
	return outcome_say(o, "asks", true, c.n ? c.v[0].what : "its plan is another one", c.n ? c.v[0].rule : NULL);
}

static int refused(const char *words, const char *file, struct outcome *o)
{
	_cleanup_free_ char *rule = replay_rule_in(words, file);

	return outcome_say(o, "refused", true, words, rule);
}

static int judge(const struct approval *a, const struct trial *t, const char *file, struct outcome *o)
{
	struct diag was = { "" }, is = { "" };
	enum trial_word now, then;

	if (!t)
		return outcome_say(o, "unused", false, "nothing here starts what it is for", NULL);
	if (t->now.r < 0)
		return outcome_say(o, "refused already", false, t->now.d.text, NULL);
	now = trial_word_of(t, &t->now, a, &was);
	if (now == WORD_REFUSED)
		return outcome_say(o, "refused already", false, was.text, NULL);
	if (now == WORD_ASKS)
		return outcome_say(o, "asks already", false,
			*was.text ? was.text : "what would start here is not what was approved", NULL);
	if (t->then.r < 0)
		return refused(t->then.d.text, file, o);
	then = trial_word_of(t, &t->then, a, &is);
	if (then == WORD_REFUSED)
		return refused(is.text, file, o);
	/* Of a profile as it is written, what changes in it makes another digest. */
	if (then == WORD_POLICY || (!t->written && then > WORD_ASKS))
		return outcome_say(o, "stands", false,
			then == WORD_POLICY && now != then ? "the policy approves it: nobody is asked" : NULL, NULL);
	return asks(t, is.text, file, o);
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

static json_t *row_json(const struct replay_row *row)
{
	char last[OUTPUT_TIME_SIZE];
	json_t *o = json_pack("{s:o, s:s, s:o, s:o, s:I, s:s}", "server", question_shown_json(row->server), "kind",
		row->kind, "what", question_shown_json(row->what), "rule", question_shown_json(row->rule), "count",
		(json_int_t)row->count, "last", output_time((int64_t)(row->last_us / 1000000), last));

	if (o && row->now && json_object_set_new(o, "now", json_string(row->now)) < 0) {
		json_decref(o);
		return NULL;
	}
	return o;
}

/* Those that would be denied, or those that would only be recorded. */
static json_t *rows_json(const struct replay *r, bool recorded, bool *ret_any)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->n; i++) {
		if ((r->v[i].now != NULL) != recorded)
			continue;
		*ret_any = true;
		if (json_array_append_new(list, row_json(&r->v[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

json_t *report_log(const struct replay *r, bool *worse)
{
	bool unused = false;
	json_t *denied = rows_json(r, false, worse), *recorded = rows_json(r, true, &unused);

	return json_pack("{s:I, s:I, s:I, s:I, s:o, s:I, s:I, s:o, s:o}", "sessions", (json_int_t)r->totals.files,
		"records", (json_int_t)r->totals.records, "asked", (json_int_t)r->asked, "damaged",
		(json_int_t)r->totals.damaged, "damaged_at",
		r->totals.damaged ? json_string(r->totals.first) : json_null(), "unjudged", (json_int_t)r->beyond,
		"more", (json_int_t)r->more, "denied", denied, "recorded", recorded);
}
