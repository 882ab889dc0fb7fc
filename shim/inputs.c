/* SPDX-License-Identifier: Apache-2.0 */
/* inputs - see inputs.h */
#include "shim/inputs.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "shim/asks.h"
#include "shim/blake2s.h"
#include "shim/envelope.h"
#include "shim/fold.h"
#include "shim/keys.h"
#include "shim/record.h"

/* URLElicitationRequiredError (2025-11-25). */
enum { URL_REQUIRED = -32042 };

static const char ELICITATION[] = "elicitation/create";
static const char IMITATES[] =
	"a key of what it asks for differs from one of the protocol's by upper and lower case alone";

/* One after the other, in the order of the message. */
struct inputs {
	struct walk w;
	bool urls; /* elements are params of elicitations by url; else members are requests */
};

struct input {
	const struct method *method; /* NULL: of none that may be asked for */
	struct slice name, params;
	struct slice whole;
};

static int malformed(struct decision *ret, const char *reason)
{
	ret->verdict = POLICY_MALFORMED;
	ret->reason = reason;
	return 0;
}

/* A number may be spelt in many ways. */
static bool is_url_required(const struct shim *s)
{
	struct slice code = message_get(&s->doc, "code");

	return code.n > 0 && (code.p[0] == '-' || (code.p[0] >= '0' && code.p[0] <= '9')) &&
	       strtod(code.p, NULL) == URL_REQUIRED;
}

static bool imitates(struct slice object, const char *name)
{
	struct walk w = walk_object(object);
	struct slice key, value;

	while (walk_member(&w, &key, &value))
		if (!slice_is(key, name) && fold_equal(key.p, key.n, name, strlen(name)))
			return true;
	return false;
}

/* NULL or why it cannot be read. */
static const char *open_error(const struct shim *s, struct inputs *ret)
{
	struct slice data = message_get(&s->doc, "data"), list = walk_get(data, "elicitations");

	if (!is_url_required(s))
		return NULL;
	if (imitates(data, "elicitations"))
		return IMITATES;
	if (list.n && !walk_is_array(list))
		return "its elicitations are not a list";
	*ret = (struct inputs){ walk_array(list), true };
	return NULL;
}

static const char *open_inputs(const struct shim *s, const struct envelope *e, struct inputs *ret)
{
	struct slice requests = message_get(&s->doc, "inputRequests");

	*ret = (struct inputs){ { NULL }, false };
	if (e->kind == ENVELOPE_ERROR)
		return open_error(s, ret);
	if (requests.n && !walk_is_object(requests))
		return "its inputRequests are not an object";
	*ret = (struct inputs){ walk_object(requests), false };
	return NULL;
}

static bool may_be_asked(const struct method *m)
{
	return m && (m->gate == GATE_SAMPLING || m->gate == GATE_ELICITATION || m->gate == GATE_ROOTS);
}

static bool next_input(struct inputs *all, struct input *ret)
{
	struct slice key = { NULL, 0 }, value;

	*ret = (struct input){ .name = { ELICITATION, sizeof(ELICITATION) - 1 } };
	if (all->urls ? !walk_element(&all->w, &value) : !walk_member(&all->w, &key, &value))
		return false;
	ret->whole = value;
	ret->params = value;
	if (!all->urls) {
		ret->name = walk_string(walk_get(value, "method"));
		ret->params = walk_get(value, "params");
		ret->whole = (struct slice){ key.p, (size_t)(value.p + value.n - key.p) };
	}
	if (ret->name.n && (!all->urls || walk_is_object(value)))
		ret->method = methods_find(EVENT_FROM_SERVER, true, ret->name);
	if (!may_be_asked(ret->method))
		ret->method = NULL;
	return true;
}

/* How many of each there are up to here, for the rates. */
struct askings {
	uint32_t samplings, elicitations;
};

static void count(struct askings *n, const struct method *method)
{
	n->samplings += method && method->gate == GATE_SAMPLING;
	n->elicitations += method && method->gate == GATE_ELICITATION;
}

static int judge_one(struct shim *s, const struct input *in, bool url, const struct askings *n, struct decision *ret)
{
	struct envelope e = { .method = in->name };
	int r;

	if (!in->method)
		return malformed(ret, "one of its inputRequests is of no known method");
	if (s->doc.keys.imitations > 0 && keys_imitated_in(in->params, KEYS_OF_PARAMS))
		return malformed(ret, IMITATES);
	r = policy_decide(&s->config, in->method, &s->doc, &e, &s->subject, ret);
	ret->what = "input request";
	ret->subject = in->name;
	if (r == 0 && ret->verdict == POLICY_ALLOW)
		r = asks_await(s, n->samplings, n->elicitations, ret);
	return r < 0 ? r : asks_judge(s, in->method, in->params, url, ret);
}

/* The request is there again whenever the client looks at the task; a person is asked once. */
static uint64_t shown_as(const struct input *in)
{
	uint8_t whole[BLAKE2S_BYTES];
	uint64_t id;

	blake2s(NULL, 0, in->whole.p, in->whole.n, whole);
	memcpy(&id, whole, sizeof(id));
	return id;
}

static bool was_shown(const struct shim *s, uint64_t id)
{
	for (size_t i = 0; i < ASKS_SHOWN_MAX; i++)
		if (s->asks_made.shown[i] == id)
			return true;
	return false;
}

/* It comes again with each look at the task. */
static bool is_state_of_task(const struct message *m)
{
	return m->method && (m->method->result == RESULT_TASK || !m->method->request);
}

int inputs_none(struct shim *s, struct message *m)
{
	if (!inputs_are_in_params(s) && strcmp(m->status, "input_required") != 0)
		return 0;
	return stages_refuse(m, "it asks for input where the protocol does not allow that");
}

/* Told from their number alone. */
static bool are_too_many(struct inputs all)
{
	struct input in;
	size_t n = 0;

	while (n <= INPUTS_MAX && next_input(&all, &in))
		n++;
	return n > INPUTS_MAX;
}

static int judge_all(struct shim *s, struct inputs *all, bool task, struct decision *ret)
{
	struct askings asked = { 0, 0 };
	struct input in;
	int r = 0;

	if (are_too_many(*all))
		return malformed(ret, "it asks for more at once than any person would answer");
	while (r == 0 && ret->verdict == POLICY_ALLOW && next_input(all, &in)) {
		if (!task || !was_shown(s, shown_as(&in)))
			count(&asked, in.method);
		r = judge_one(s, &in, all->urls, &asked, ret);
	}
	if (r < 0 || ret->verdict != POLICY_ALLOW)
		return r;
	return asks_take(s, asked.samplings, asked.elicitations, ret);
}

int inputs_guard(struct shim *s, struct message *m)
{
	struct inputs all;
	const char *unreadable = open_inputs(s, m->envelope, &all);

	m->d = (struct decision){ .what = "input request" };
	return unreadable ? stages_refuse(m, unreadable) : judge_all(s, &all, is_state_of_task(m), &m->d);
}

static const char *rule_of(const struct method *m)
{
	return m->gate == GATE_SAMPLING	     ? "client.sampling"
	       : m->gate == GATE_ELICITATION ? "client.elicitation"
					     : "client.roots";
}

static int note_passed(struct shim *s, const struct input *in, const char *note)
{
	struct asks *a = &s->asks_made;
	struct asks_passed *p = &a->passed[a->n_passed];

	/* Judged were no more. */
	if (a->n_passed == ASKS_PASSED_MAX)
		return -EPROTO;
	a->n_passed++;
	p->method = in->method;
	p->shown = shown_as(in);
	p->bytes = in->whole.n;
	snprintf(p->note, sizeof(p->note), "%s", note);
	return 0;
}

int inputs_edit(struct shim *s, struct message *m)
{
	struct asks_edit x = { .from = s->doc.out.data };
	struct inputs all;
	struct input in;
	int r = 0;

	s->asks_made.n_passed = 0;
	if (open_inputs(s, m->envelope, &all))
		return 0;
	while (r == 0 && next_input(&all, &in)) {
		r = asks_edit(s, in.method, in.params, &x);
		if (r == 0)
			r = note_passed(s, &in, x.note);
	}
	if (r == 0)
		r = asks_edited(s, &x);
	m->edited = r == 0 && x.changed;
	return r;
}

static int record_one(struct shim *s, uint64_t call_id, const struct asks_passed *p)
{
	struct event ev = { .type = EVENT_REQUEST,
		.decision = EVENT_ALLOW,
		.side = EVENT_FROM_SERVER,
		.call_id = call_id,
		.bytes = p->bytes };

	record_words(ev.method, sizeof(ev.method), p->method->name);
	record_words(ev.rule, sizeof(ev.rule), rule_of(p->method));
	record_words(ev.reason, sizeof(ev.reason), p->note);
	return record_send(s, &ev);
}

int inputs_record(struct shim *s, struct message *m)
{
	struct asks *a = &s->asks_made;
	bool task = is_state_of_task(m);
	int r = 0;

	for (size_t i = 0; r == 0 && i < a->n_passed; i++) {
		if (task && was_shown(s, a->passed[i].shown))
			continue;
		if (task)
			a->shown[a->next++ % ASKS_SHOWN_MAX] = a->passed[i].shown;
		r = record_one(s, m->call_id, &a->passed[i]);
	}
	return r;
}

bool inputs_are_in_params(const struct shim *s)
{
	return message_get(&s->doc, "inputRequests").n > 0;
}
