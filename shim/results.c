/* SPDX-License-Identifier: Apache-2.0 */
/* results - see results.h */
#include "shim/results.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "shim/envelope.h"
#include "shim/fields.h"
#include "shim/lists.h"
#include "shim/offers.h"
#include "shim/policy.h"
#include "shim/protocol.h"
#include "shim/record.h"
#include "shim/scopes.h"

int handle_record_server(struct shim *s)
{
	struct event e = { .type = EVENT_SERVER_HELLO, .side = EVENT_FROM_SERVER };
	struct slice info = message_get(&s->doc, "serverInfo");
	int r;

	if (!info.n)
		info = walk_get(message_get(&s->doc, "_meta"), META_SERVER);
	r = record_foreign(s, e.peer_name, sizeof(e.peer_name), walk_string(walk_get(info, "name")));
	if (r == 0)
		r = record_foreign(s, e.peer_version, sizeof(e.peer_version), walk_string(walk_get(info, "version")));
	if (r == 0)
		r = record_foreign(
			s, e.protocol, sizeof(e.protocol), walk_string(message_get(&s->doc, "protocolVersion")));
	return r ? r : record_send(s, &e);
}

/* Tools that nobody's rule denied, and that are missing all the same: which, and why, in a record each. A server may
 * list thousands of them again and again: the others are counted. */
static int record_unusable(struct shim *s, struct event e)
{
	const char *p = s->unusable_words.data, *end = p + s->unusable_words.len;
	uint64_t left = s->unusable;
	int r = 0;

	record_words(e.rule, sizeof(e.rule), "the schemas of the tool");
	e.count = 1;
	for (; r == 0 && p < end; left--) {
		record_words(e.tool, sizeof(e.tool), p);
		p += strlen(p) + 1;
		record_words(e.reason, sizeof(e.reason), p);
		p += strlen(p) + 1;
		r = record_send(s, &e);
	}
	if (r || left == 0)
		return r;
	e.count = left;
	e.tool[0] = '\0';
	record_words(e.reason, sizeof(e.reason), "their schemas cannot be used either; only so many tools are named");
	return record_send(s, &e);
}

static struct event event_of(const struct message *m, uint64_t count)
{
	struct event e = {
		.type = EVENT_LIST_FILTERED, .side = EVENT_FROM_SERVER, .call_id = m->call_id, .count = count
	};

	record_text(e.method, sizeof(e.method), (struct slice){ m->asked->name, strlen(m->asked->name) });
	return e;
}

/* They go: the rest takes the message's place. */
static int hide(struct shim *s, struct message *m, uint64_t count)
{
	struct event e;
	int r = 0;

	if (count == 0)
		return 0;
	m->edited = true;
	e = event_of(m, count);
	if (s->unusable)
		r = record_unusable(s, e);
	e.count -= s->unusable;
	if (r || e.count == 0)
		return r;
	if (s->doubles)
		snprintf(e.reason, sizeof(e.reason),
			"the list has the name or uri of %" PRIu64
			" of them already, or as many others as may be, and the first stay",
			s->doubles);
	return record_send(s, &e);
}

int results_list(struct shim *s, struct message *m)
{
	uint64_t hidden;
	int r;

	s->scopes.shown = s->scopes.shown || m->method->result == RESULT_TOOLS;
	r = lists_filter(s, m->method->result, m->asked->further, &s->edited, &hidden);
	if (r == LISTS_UNREADABLE)
		return stages_refuse(m, "its list is not an array");
	return r ? r : hide(s, m, hidden);
}

int results_hello(struct shim *s, struct message *m)
{
	uint64_t hidden;
	int r = handle_record_server(s);

	if (r < 0)
		return r;
	r = lists_filter_capabilities(s, &s->edited, &hidden);
	if (r == LISTS_NO_CAPABILITY)
		return stages_refuse(m, "its capabilities.tools holds a list, and means nothing in that form");
	return r ? r : hide(s, m, hidden);
}

int results_instructions(struct shim *s, struct message *m)
{
	uint64_t hidden;
	int r = lists_filter_instructions(s, m->envelope->body, &s->edited, &hidden);

	m->edited = r == 0 && hidden;
	return r;
}

int results_promise(struct shim *s, struct message *m)
{
	return scopes_promise(s, &s->edited, &m->edited);
}

int results_fields(struct shim *s, struct message *m)
{
	uint64_t dropped;
	struct event e;
	int r = fields_filter(s, m->method->result, m->envelope->body, &s->edited, &dropped);

	if (r || dropped == 0)
		return r;
	m->edited = true;
	e = event_of(m, dropped);
	snprintf(e.reason, sizeof(e.reason), "fields that the protocol does not define, not items");
	return record_send(s, &e);
}

int results_logging(struct shim *s, struct message *m)
{
	uint64_t hidden;
	int r = offers_filter_logging(s, message_get(&s->doc, "capabilities"), &s->edited, &hidden);

	m->edited = r == 0 && hidden;
	return r;
}
