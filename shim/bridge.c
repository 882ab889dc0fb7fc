/* SPDX-License-Identifier: Apache-2.0 */
/* bridge - see bridge.h */
#include "shim/bridge.h"
#include <string.h>
#include "shim/answers.h"
#include "shim/envelope.h"
#include "shim/protocol.h"

static const char NOBODY[] = "{\"name\":\"unknown\",\"version\":\"0\"}";

int bridge_greeting(struct slice info, struct buf *ret)
{
	bool named = walk_is_object(info);
	int r = answers_begin_request(ret, SLICE("\"stockade-initialize\""), "initialize");

	if (r == 0)
		r = buf_printf(ret,
			"\"protocolVersion\":\"" VERSION_LEGACY "\",\"capabilities\":{},\"clientInfo\":%.*s",
			(int)(named ? info.n : sizeof(NOBODY) - 1), named ? info.p : NOBODY);
	return r ? r : answers_end(ret);
}

int bridge_begin(struct shim *s)
{
	struct waiting *w = &s->waiting;
	int r;

	w->bridges = true;
	r = waiting_greet(s, w->greeting.data, w->greeting.len);
	buf_done(&w->greeting);
	return r;
}

bool bridge_covers(const struct shim *s, const struct method *method)
{
	return s->waiting.bridges && s->waiting.state == WAITING_OFF && method &&
	       (strcmp(method->name, "server/discover") == 0 || method->gate == GATE_SUBSCRIBE);
}

/* The results that a client of the modern era may keep, and so asks how long (CacheableResult). */
static bool may_be_kept(const struct method *method)
{
	return method && ((method->result >= RESULT_TOOLS && method->result <= RESULT_PROMPTS) ||
				 strcmp(method->name, "resources/read") == 0);
}

static int put_result(struct shim *s, const struct message *m, bool typed, bool kept)
{
	struct slice body = m->envelope->body, all = { s->doc.out.data, s->doc.out.len };
	size_t before = (size_t)(body.p - all.p) + 1;
	int r;

	buf_clear(&s->edited);
	r = buf_append(&s->edited, all.p, before);
	if (r == 0 && !typed)
		r = buf_puts(&s->edited, "\"resultType\":\"complete\"");
	if (r == 0 && kept)
		r = buf_printf(&s->edited, "%s\"ttlMs\":0,\"cacheScope\":\"private\"", typed ? "" : ",");
	if (r == 0 && all.p[before] != '}')
		r = buf_putc(&s->edited, ',');
	return r ? r : buf_append(&s->edited, all.p + before, all.n - before);
}

int bridge_result(struct shim *s, struct message *m)
{
	bool typed = message_get(&s->doc, "resultType").n > 0;
	bool kept = may_be_kept(m->method) && !message_get(&s->doc, "ttlMs").n && !message_get(&s->doc, "cacheScope").n;

	if (!s->waiting.bridges || !m->asked->modern || (typed && !kept))
		return 0;
	m->edited = true;
	return put_result(s, m, typed, kept);
}

static bool is_one_of(struct slice name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (slice_is(name, names[i]))
			return true;
	return false;
}

int bridge_notification(struct shim *s, const struct message *m, bool *ret)
{
	static const char *const changes[] = { CHANGED_TOOLS, CHANGED_PROMPTS, CHANGED_RESOURCES };
	static const char *const unasked[] = { "notifications/message", "notifications/resources/updated" };
	struct slice name = m->envelope->method;

	*ret = true;
	if (is_one_of(name, changes, ARRAY_LEN(changes)))
		return waiting_tell(s, name);
	if (is_one_of(name, unasked, ARRAY_LEN(unasked)))
		return handle_drop_notification(s, m, "the client has not asked for it");
	*ret = false;
	return 0;
}
