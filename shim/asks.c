/* SPDX-License-Identifier: Apache-2.0 */
/* asks - see asks.h */
#include "shim/asks.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/parse.h"
#include "shim/answers.h"
#include "shim/ask_form.h"
#include "shim/ask_url.h"
#include "shim/shim.h"

static int deny(struct decision *d, int code, const char *rule, const char *reason)
{
	d->verdict = POLICY_DENY;
	d->rule = rule;
	d->reason = reason;
	d->code = code;
	return 0;
}

static int judge_form(const struct shim_elicitation *limits, struct slice params, struct decision *d)
{
	struct slice schema = walk_get(params, "requestedSchema");

	if (limits->no_form)
		return deny(d, ANSWER_INVALID, "client.elicitation.form", "the profile allows no forms");
	if (ask_form_imitates(schema))
		return deny(d, ANSWER_INVALID, "the protocol",
			"a key of its form differs from one of the protocol's by upper and lower case alone");
	if (ask_form_wants_secret(walk_string(walk_get(params, "message")), schema))
		return deny(d, 0, "the rule that forms never ask for secrets",
			"a field or the message asks for a password, a key, a token or a card");
	return 0;
}

static int judge_url(struct shim *s, struct slice params, struct decision *d)
{
	const char *refusal;

	if (s->config.client.elicitation.n == 0)
		return deny(d, ANSWER_INVALID, "client.elicitation.url",
			"the profile names no host that a person may be sent to");
	refusal = ask_url_refusal(&s->config.client, &s->text.secrets, walk_string(walk_get(params, "url")));
	return refusal ? deny(d, 0, "client.elicitation.url", refusal) : 0;
}

static int judge_elicitation(struct shim *s, struct slice params, bool url, struct decision *d)
{
	struct slice mode = walk_get(params, "mode");
	bool by_url = url || slice_is(mode, "\"url\"");

	if (mode.n && !slice_is(mode, "\"url\"") && !slice_is(mode, "\"form\""))
		return deny(d, ANSWER_INVALID, "the protocol", "its mode is neither form nor url");
	if (!by_url && walk_get(params, "url").n)
		return deny(d, ANSWER_INVALID, "the protocol", "it has a url and is not of the mode url");
	if (!walk_string(walk_get(params, "message")).p)
		return deny(d, ANSWER_INVALID, "the protocol", "it has no message that says what it is for");
	return by_url ? judge_url(s, params, d) : judge_form(&s->config.client.elicitation, params, d);
}

/* A whole number as a number is spelt in full. */
static bool read_count(struct slice value, uint64_t *ret)
{
	char text[24];

	if (value.n == 0 || value.n >= sizeof(text))
		return false;
	memcpy(text, value.p, value.n);
	text[value.n] = '\0';
	return parse_u64(text, 1, UINT64_MAX, ret) == 0;
}

static int judge_sampling(const struct shim_sampling *limits, struct slice params, struct decision *d)
{
	uint64_t tokens;

	if (!limits->tools && (walk_get(params, "tools").n || walk_get(params, "toolChoice").n))
		return deny(d, ANSWER_INVALID, "client.sampling.tools", "it brings tools for the model");
	if (limits->max_tokens.value && !read_count(walk_get(params, "maxTokens"), &tokens))
		return deny(d, ANSWER_INVALID, limits->max_tokens.where, "its maxTokens is no whole number");
	return 0;
}

int asks_judge(struct shim *s, const struct method *method, struct slice params, bool url, struct decision *d)
{
	if (d->verdict != POLICY_ALLOW || !method->request)
		return 0;
	if (method->gate == GATE_SAMPLING)
		return judge_sampling(&s->config.client.sampling, params, d);
	return method->gate == GATE_ELICITATION ? judge_elicitation(s, params, url, d) : 0;
}

static int deny_busy(struct shim *s, struct decision *d, const char *rule, const char *reason, uint32_t retry_s)
{
	(void)deny(d, ANSWER_BUSY, rule, reason);
	if (retry_s) {
		snprintf(s->advice, sizeof(s->advice), "Retry after %" PRIu32 " s.", retry_s);
		d->advice = s->advice;
	}
	return 0;
}

int asks_take(struct shim *s, uint32_t samplings, uint32_t elicitations, struct decision *d)
{
	const struct shim_client *c = &s->config.client;
	struct rates_bucket before = s->asks_made.sampling;
	uint32_t retry_s;

	if (rates_take_all(&s->asks_made.sampling, &c->sampling.rate, samplings, s->now_us, &retry_s))
		return deny_busy(
			s, d, c->sampling.rate.where, "the model has been asked as often as it may be", retry_s);
	if (rates_take_all(&s->asks_made.elicitation, &c->elicitation.rate, elicitations, s->now_us, &retry_s)) {
		s->asks_made.sampling = before;
		return deny_busy(
			s, d, c->elicitation.rate.where, "the user has been asked as often as may be", retry_s);
	}
	return 0;
}

int asks_await(struct shim *s, uint32_t samplings, uint32_t elicitations, struct decision *d)
{
	const struct rates_bucket sampling = s->asks_made.sampling, elicitation = s->asks_made.elicitation;
	int r = asks_take(s, samplings, elicitations, d);

	s->asks_made.sampling = sampling;
	s->asks_made.elicitation = elicitation;
	return r;
}

/* --- what becomes of it --- */

/* The message is copied up to there, and goes on behind after. */
static int copy_up_to(struct shim *s, struct asks_edit *x, const char *there, const char *after)
{
	int r;

	if (!x->changed)
		buf_clear(&s->edited);
	x->changed = true;
	r = buf_append(&s->edited, x->from, (size_t)(there - x->from));
	x->from = after;
	return r;
}

/* Says whose the words are. */
static int put_name(struct shim *s, struct slice message, struct asks_edit *x)
{
	_cleanup_buf_ struct buf name = BUF_INIT(SHIM_ANSWER_MAX);
	int r;

	if (!message.p)
		return 0;
	r = copy_up_to(s, x, message.p, message.p);
	if (r == 0)
		r = answers_put_string(&name, s->config.name, strlen(s->config.name));
	if (r == 0)
		r = buf_puts(&s->edited, "The server '");
	if (r == 0)
		r = buf_append(&s->edited, name.data + 1, name.len - 2);
	return r ? r : buf_puts(&s->edited, "' asks: ");
}

static void note(struct asks_edit *x, const char *what, const char *to)
{
	size_t n = strlen(x->note);

	snprintf(x->note + n, sizeof(x->note) - n, "%s%s lowered to %s", n ? ", " : "", what, to);
}

static int lower_tokens(struct shim *s, struct slice value, struct asks_edit *x)
{
	const struct meters_bound *limit = &s->config.client.sampling.max_tokens;
	char text[24];
	uint64_t tokens;
	int r;

	if (!limit->value || !read_count(value, &tokens) || tokens <= limit->value)
		return 0;
	snprintf(text, sizeof(text), "%" PRIu64, limit->value);
	note(x, "maxTokens", text);
	r = copy_up_to(s, x, value.p, value.p + value.n);
	return r ? r : buf_puts(&s->edited, text);
}

/* How much of others a client is asked to show its model. What is not known may be anything. */
static int breadth(struct slice word)
{
	static const enum shim_context order[] = { SHIM_CONTEXT_NONE, SHIM_CONTEXT_THIS, SHIM_CONTEXT_ALL };
	size_t i = 0;

	while (i < ARRAY_LEN(order) && !slice_is(word, shim_context_word(order[i])))
		i++;
	return (int)i;
}

static int lower_context(struct shim *s, struct slice value, struct asks_edit *x)
{
	const char *most = shim_context_word(s->config.client.sampling.context);
	int r;

	if (breadth(walk_string(value)) <= breadth((struct slice){ most, strlen(most) }))
		return 0;
	note(x, "includeContext", most);
	r = copy_up_to(s, x, value.p, value.p + value.n);
	return r ? r : buf_printf(&s->edited, "\"%s\"", most);
}

static const struct {
	enum method_gate gate;
	const char *key;
	int (*edit)(struct shim *s, struct slice value, struct asks_edit *x);
} edits[] = {
	{ GATE_SAMPLING, "maxTokens", lower_tokens },
	{ GATE_SAMPLING, "includeContext", lower_context },
};

int asks_edit(struct shim *s, const struct method *method, struct slice params, struct asks_edit *x)
{
	struct walk w = walk_object(params);
	struct slice key, value;
	int r = 0;

	x->note[0] = '\0';
	while (r == 0 && method && method->request && walk_member(&w, &key, &value)) {
		if (method->gate == GATE_ELICITATION && slice_is(key, "message"))
			r = put_name(s, walk_string(value), x);
		for (size_t i = 0; r == 0 && i < ARRAY_LEN(edits); i++)
			if (edits[i].gate == method->gate && slice_is(key, edits[i].key))
				r = edits[i].edit(s, value, x);
	}
	return r;
}

int asks_edited(struct shim *s, struct asks_edit *x)
{
	if (!x->changed)
		return 0;
	return buf_append(&s->edited, x->from, (size_t)(s->doc.out.data + s->doc.out.len - x->from));
}
