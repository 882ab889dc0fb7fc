/* SPDX-License-Identifier: Apache-2.0 */
/* effective_client - see effective_client.h */
#include "supervisor/effective_client.h"
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "supervisor/effective_lines.h"
#include "supervisor/effective_meters.h"
#include "supervisor/json_list.h"

static int add_rate(struct effective *e, const struct meters_rate *r, const char *of)
{
	return r->calls ? effective_add_line(e, LINE_CLIENT, 0, r->where, "%s: %" PRIu32 " %s at most", of, r->calls,
				  effective_period_words(r->period_s))
			: 0;
}

static int add_sampling(struct effective *e, const struct shim_sampling *s)
{
	static const char *const context[] = {
		[SHIM_CONTEXT_THIS] = "with context of this server alone",
		[SHIM_CONTEXT_NONE] = "without context of any server",
		[SHIM_CONTEXT_ALL] = "with context of ALL servers that the client has, if it gives that",
	};
	int r;

	_Static_assert(ARRAY_LEN(context) == SHIM_CONTEXT_COUNT, "words for every context");
	if (!s->on)
		return 0;
	r = effective_add_value(e, LINE_CLIENT, 0, "client.sampling.tools client.sampling.context", "sampling: %s, %s",
		s->tools ? "with tools of the server's own for the model" : "no tools for the model",
		context[s->context]);
	if (r == 0 && s->max_tokens.value)
		r = effective_add_line(e, LINE_CLIENT, 0, s->max_tokens.where,
			"sampling: at most %" PRIu64 " tokens an answer; what asks for more is lowered",
			s->max_tokens.value);
	return r < 0 ? r : add_rate(e, &s->rate, "sampling");
}

static int add_elicitation(struct effective *e, const struct shim_elicitation *x)
{
	char host[SHIM_HOST_TEXT];
	int r;

	if (!x->on)
		return 0;
	r = effective_add_value(e, LINE_CLIENT, 0, "client.elicitation.form client.elicitation.url",
		"elicitation: %s%s", x->no_form ? "no forms" : "forms", x->n ? "" : ", no web addresses");
	for (size_t i = 0; r == 0 && i < x->n; i++)
		r = effective_add_value(e, LINE_CLIENT, 0, "client.elicitation.url",
			"elicitation: may send the user to https://%s", shim_host_text(&x->hosts[i], host));
	return r < 0 ? r : add_rate(e, &x->rate, "elicitation");
}

static int add_logging(struct effective *e, const struct shim_logging *l)
{
	int r = 0;

	if (l->off)
		return effective_add_line(e, LINE_CLIENT, 0, l->where, "log messages of the server are dropped");
	if (l->level)
		r = effective_add_line(
			e, LINE_CLIENT, 0, l->where, "log messages below %s are dropped", shim_level_word(l->level));
	return r < 0 ? r : add_rate(e, &l->rate, "log messages");
}

int effective_client_lines(struct effective *e)
{
	const struct shim_client *c = &e->profile.client;
	int r = effective_add_value(e, LINE_CLIENT, 0, "client.sampling client.elicitation",
		"sampling %s, elicitation %s", c->sampling.on ? "allowed" : "denied",
		c->elicitation.on ? "allowed" : "denied");

	if (r == 0)
		r = add_sampling(e, &c->sampling);
	if (r == 0)
		r = add_elicitation(e, &c->elicitation);
	return r < 0 ? r : add_logging(e, &c->logging);
}

static json_t *sampling_json(const struct shim_sampling *s)
{
	if (!s->on)
		return json_false();
	return json_pack("{s:o, s:I, s:b, s:s}", "rate", effective_rate_json(&s->rate), "max_tokens",
		(json_int_t)s->max_tokens.value, "tools", s->tools, "context", shim_context_word(s->context));
}

static json_t *elicitation_json(const struct shim_elicitation *e)
{
	json_t *hosts;
	char host[SHIM_HOST_TEXT];

	if (!e->on)
		return json_false();
	hosts = json_array();
	for (size_t i = 0; hosts && i < e->n; i++)
		hosts = json_list_add(hosts, json_string(shim_host_text(&e->hosts[i], host)));
	return json_pack("{s:o, s:b, s:o}", "rate", effective_rate_json(&e->rate), "form", !e->no_form, "url", hosts);
}

/* Only where there is a limit: other plans stay what was approved. */
static json_t *logging_json(const struct shim_logging *l)
{
	if (l->off)
		return json_false();
	return json_pack("{s:s, s:o}", "level", shim_level_word(l->level), "rate", effective_rate_json(&l->rate));
}

int effective_client_canonical(json_t *protocol, const struct shim_client *c)
{
	bool limited = c->logging.off || c->logging.level || c->logging.rate.calls;
	int r = json_object_set_new(protocol, "sampling", sampling_json(&c->sampling));

	r |= json_object_set_new(protocol, "elicitation", elicitation_json(&c->elicitation));
	if (limited)
		r |= json_object_set_new(protocol, "logging", logging_json(&c->logging));
	return r < 0 ? -ENOMEM : 0;
}
