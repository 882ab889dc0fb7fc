/* SPDX-License-Identifier: Apache-2.0 */
/* policy - see policy.h */
#include "shim/policy.h"
#include <errno.h>
#include <string.h>
#include "shim/answers.h"
#include "shim/uri.h"

struct slice message_get(const struct json_doc *d, const char *name)
{
	size_t n = strlen(name);

	for (uint32_t i = 0; i < d->n_members; i++) {
		const struct json_member *m = &d->members[i];
		if (m->parent >= 0 && m->key.len == n && memcmp(json_at(d, m->key), name, n) == 0)
			return (struct slice){ json_at(d, m->value), m->value.len };
	}
	return (struct slice){ NULL, 0 };
}

static int deny(struct decision *ret, const char *rule, const char *reason)
{
	ret->verdict = POLICY_DENY;
	ret->rule = rule;
	ret->reason = reason;
	return 0;
}

static int malformed(struct decision *ret, const char *reason)
{
	ret->verdict = POLICY_MALFORMED;
	ret->reason = reason;
	return 0;
}

/* Most have no escapes and stay where they are; they are as long as what would have room without them. */
int policy_unescape(struct slice inside, struct buf *room, struct slice *ret)
{
	int r;

	*ret = inside;
	if (inside.n == 0 || !memchr(inside.p, '\\', inside.n))
		return inside.n > room->max ? -E2BIG : 0;
	buf_clear(room);
	r = walk_text(room, inside);
	*ret = (struct slice){ room->data, room->len };
	return r;
}

static int by_text(const struct shim_rules *rules, struct slice text, struct decision *ret)
{
	struct shim_judgement j = shim_rules_judge(rules, text.p ? text.p : "", text.n);

	ret->rule = j.rule ? j.rule->where : NULL;
	if (j.allowed)
		return 0;
	ret->own = !j.by_ceiling;
	if (j.rule)
		return deny(ret, j.rule->where, NULL);
	return deny(ret, j.where ? j.where : "the profile", "no rule allows it");
}

static int by_rules(const struct shim_rules *rules, struct slice inside, struct buf *room, struct decision *ret)
{
	struct slice text;
	int r = policy_unescape(inside, room, &text);

	if (r == -E2BIG)
		return malformed(ret, "it is too long");
	return r ? r : by_text(rules, text, ret);
}

int policy_allows(const struct shim_rules *rules, struct slice inside, struct buf *room, bool *ret)
{
	struct decision d = { 0 };
	int r = by_rules(rules, inside, room, &d);

	*ret = d.verdict == POLICY_ALLOW;
	return r;
}

/* A string parameter without U+0000 and halves of pairs; an empty slice otherwise. */
static struct slice plain_string(struct slice value)
{
	struct slice s = walk_string(value);

	return s.p && !walk_is_broken(s) ? s : (struct slice){ NULL, 0 };
}

static int by_name(const struct shim_rules *rules, struct slice value, struct buf *room, struct decision *ret)
{
	struct slice name = plain_string(value);

	if (!name.p)
		return malformed(ret, "its params have no plain name");
	ret->subject = name;
	return by_rules(rules, name, room, ret);
}

/* Do the rules look at more than whether there is a name? denials: the denying ones among them? */
static bool rules_discern(const struct shim_rules *rules, bool denials)
{
	for (; rules; rules = rules->ceiling)
		for (size_t i = 0; i < rules->n; i++)
			if (strcmp(rules->rules[i].glob, "*") != 0 && !(denials && rules->rules[i].allow))
				return true;
	return false;
}

/* A denying rule means what a server finds when it has decoded the uri, too. */
static int by_decoded(const struct shim_rules *rules, struct slice text, struct decision *ret)
{
	_cleanup_buf_ struct buf plain = BUF_INIT(SHIM_LINE_MAX);
	const struct shim_rule *rule;
	bool allowed;
	int r;

	if (ret->verdict != POLICY_ALLOW || !memchr(text.p, '%', text.n))
		return 0;
	r = uri_decode(&plain, text);
	if (r < 0)
		return r;
	for (; rules; rules = rules->ceiling) {
		rule = shim_rules_match(rules, plain.data, plain.len, &allowed);
		if (rule && !allowed)
			return deny(ret, rule->where, NULL);
	}
	return 0;
}

static int by_uri(const struct shim_config *c, struct slice value, struct buf *room, struct decision *ret)
{
	const struct shim_rules *rules = &c->scope[SHIM_RESOURCES];
	struct slice uri = plain_string(value), text;
	int r;

	if (!uri.p)
		return malformed(ret, "its params have no plain uri");
	ret->subject = uri;
	if (!rules_discern(rules, false))
		return by_rules(rules, uri, room, ret);
	r = policy_unescape(uri, room, &text);
	if (r < 0)
		return r == -E2BIG ? malformed(ret, "its uri is too long") : r;
	if (uri_has_dropped(text))
		return malformed(ret, "a control character in a uri, or a blank at its end, has no single meaning");
	if (uri_has_dot_segment(text))
		return malformed(ret, "a \".\" or \"..\" in a uri has no single meaning");
	/* What is not spelt as an allowing rule says is denied anyway. */
	if (rules_discern(rules, true) && uri_has_other_spelling(text))
		return malformed(ret, "its uri could be spelt in another way that a denying rule might name");
	r = by_text(rules, text, ret);
	return r || !rules_discern(rules, true) ? r : by_decoded(rules, text, ret);
}

static int by_reference(const struct shim_config *c, struct slice ref, struct buf *room, struct decision *ret)
{
	struct slice type = walk_get(ref, "type");

	if (slice_is(type, "\"ref/prompt\"")) {
		ret->what = "prompt";
		return by_name(&c->scope[SHIM_PROMPTS], walk_get(ref, "name"), room, ret);
	}
	if (slice_is(type, "\"ref/resource\"")) {
		ret->what = "resource";
		return by_uri(c, walk_get(ref, "uri"), room, ret);
	}
	return malformed(ret, "its params refer to neither a prompt nor a resource");
}

static int by_subscriptions(const struct shim_config *c, struct slice filter, struct buf *room, struct decision *ret)
{
	struct slice list = walk_get(filter, "resourceSubscriptions"), uri;
	struct walk w = walk_array(list);
	int r = 0;

	if ((filter.n && !walk_is_object(filter)) || (list.n && !walk_is_array(list)))
		return malformed(ret, "its notifications are not of the form that the protocol gives them");
	while (r == 0 && ret->verdict == POLICY_ALLOW && walk_element(&w, &uri))
		r = by_uri(c, uri, room, ret);
	return r;
}

static int by_switch(bool on, const char *rule, struct decision *ret)
{
	ret->rule = rule;
	return on ? 0 : deny(ret, rule, NULL);
}

static int by_extension(const struct shim_config *c, struct slice method, struct buf *room, struct decision *ret)
{
	int r = by_rules(&c->scope[SHIM_EXTENSIONS], method, room, ret);

	/* A tools/call without an id, or from the other side, is no extension: its gate would not be asked. */
	if (methods_has_name(method))
		return r ? r
			 : deny(ret, "the method table", "it is a method of MCP, but not in that form or direction");
	/* Without a rule that names it, an extension is denied whether or not a list was given. */
	if (r == 0 && ret->verdict == POLICY_ALLOW && !ret->rule)
		return deny(ret, "the method table",
			"it is no method of MCP in that direction, and the profile names it in no extension");
	return r;
}

struct gate {
	const char *what;
	int (*decide)(const struct shim_config *c, const struct json_doc *d, struct buf *room, struct decision *ret);
};

static int gate_open(const struct shim_config *c, const struct json_doc *d, struct buf *room, struct decision *ret)
{
	return 0;
}

static int gate_tool(const struct shim_config *c, const struct json_doc *d, struct buf *room, struct decision *ret)
{
	return by_name(&c->scope[SHIM_TOOLS], message_get(d, "name"), room, ret);
}

static int gate_resource(const struct shim_config *c, const struct json_doc *d, struct buf *room, struct decision *ret)
{
	return by_uri(c, message_get(d, "uri"), room, ret);
}

static int gate_prompt(const struct shim_config *c, const struct json_doc *d, struct buf *room, struct decision *ret)
{
	return by_name(&c->scope[SHIM_PROMPTS], message_get(d, "name"), room, ret);
}

static int gate_reference(const struct shim_config *c, const struct json_doc *d, struct buf *room, struct decision *ret)
{
	return by_reference(c, message_get(d, "ref"), room, ret);
}

static int gate_subscribe(const struct shim_config *c, const struct json_doc *d, struct buf *room, struct decision *ret)
{
	return by_subscriptions(c, message_get(d, "notifications"), room, ret);
}

static int gate_sampling(const struct shim_config *c, const struct json_doc *d, struct buf *room, struct decision *ret)
{
	return by_switch(c->client.sampling.on, "client.sampling", ret);
}

static int gate_elicitation(
	const struct shim_config *c, const struct json_doc *d, struct buf *room, struct decision *ret)
{
	return by_switch(c->client.elicitation.on, "client.elicitation", ret);
}

static int gate_roots(const struct shim_config *c, const struct json_doc *d, struct buf *room, struct decision *ret)
{
	return by_switch(c->roots.n > 0, "client.roots", ret);
}

static int gate_logging(const struct shim_config *c, const struct json_doc *d, struct buf *room, struct decision *ret)
{
	return c->client.logging.off ? deny(ret, c->client.logging.where, NULL) : 0;
}

static int gate_client_task(
	const struct shim_config *c, const struct json_doc *d, struct buf *room, struct decision *ret)
{
	return by_switch(
		c->client.sampling.on || c->client.elicitation.on, "client.sampling and client.elicitation", ret);
}

static const struct gate gates[] = {
	[GATE_OPEN] = { "method", gate_open },
	[GATE_TOOL] = { "tool", gate_tool },
	[GATE_RESOURCE] = { "resource", gate_resource },
	[GATE_PROMPT] = { "prompt", gate_prompt },
	[GATE_REFERENCE] = { "reference", gate_reference },
	[GATE_SUBSCRIBE] = { "resource", gate_subscribe },
	[GATE_SAMPLING] = { "method", gate_sampling },
	[GATE_ELICITATION] = { "method", gate_elicitation },
	[GATE_ROOTS] = { "method", gate_roots },
	[GATE_LOGGING] = { "method", gate_logging },
	[GATE_CLIENT_TASK] = { "method", gate_client_task },
};
_Static_assert(ARRAY_LEN(gates) == GATE_CLIENT_TASK + 1, "a row for every gate");

int policy_decide(const struct shim_config *c, const struct method *method, const struct json_doc *d,
	const struct envelope *e, struct buf *room, struct decision *ret)
{
	*ret = (struct decision){ .what = "method", .subject = e->method };
	if (!method) {
		ret->code = ANSWER_NO_METHOD;
		return by_extension(c, e->method, room, ret);
	}
	if (method->request && message_get(d, "task").n && !methods_may_be_task(method))
		return deny(ret, "the method table", "the protocol lets no such request become a task");
	ret->what = gates[method->gate].what;
	return gates[method->gate].decide(c, d, room, ret);
}
