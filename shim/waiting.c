/* SPDX-License-Identifier: Apache-2.0 */
/* waiting - see waiting.h */
#include "shim/waiting.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "shim/answers.h"
#include "shim/bridge.h"
#include "shim/envelope.h"
#include "shim/handle.h"
#include "shim/lists.h"
#include "shim/policy.h"
#include "shim/record.h"

#define CAPABILITIES                                                                                                   \
	"\"capabilities\":{\"tools\":{\"listChanged\":true},\"prompts\":{\"listChanged\":true},"                       \
	"\"resources\":{\"listChanged\":true}}"

static const char META_SUBSCRIPTION[] = "io.modelcontextprotocol/subscriptionId";
static const char META_VERSION[] = "io.modelcontextprotocol/protocolVersion";
static const char META_CLIENT[] = "io.modelcontextprotocol/clientInfo";
static const char META_OFFERS[] = "io.modelcontextprotocol/clientCapabilities";
static const char OWN_ID[] = "\"stockade-discover\"";
static const char BY_US[] = "answered by stockade: approval waits";
static const char BY_BRIDGE[] = "answered by stockade: the server speaks an earlier protocol version";
static const char NO_LIST[] = "answered by stockade: the server has no such list";

/* The versions that have a handshake, newest first. */
static const char *const legacy_versions[] = { "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05" };
static const char MODERN_VERSION[] = "2026-07-28";

/* What was promised: a bit each. */
enum { LISTS_TOOLS = 1 << 0, LISTS_PROMPTS = 1 << 1, LISTS_RESOURCES = 1 << 2 };

static const struct {
	unsigned bit;
	const char *capability, *changed, *wanted;
} promises[] = {
	{ LISTS_TOOLS, "tools", "notifications/tools/list_changed", "toolsListChanged" },
	{ LISTS_PROMPTS, "prompts", "notifications/prompts/list_changed", "promptsListChanged" },
	{ LISTS_RESOURCES, "resources", "notifications/resources/list_changed", "resourcesListChanged" },
};

static const struct {
	enum method_result result;
	unsigned bit;
	const char *empty;
} lists[] = {
	{ RESULT_TOOLS, LISTS_TOOLS, "\"tools\":[]" },
	{ RESULT_PROMPTS, LISTS_PROMPTS, "\"prompts\":[]" },
	{ RESULT_RESOURCES, LISTS_RESOURCES, "\"resources\":[]" },
	{ RESULT_TEMPLATES, LISTS_RESOURCES, "\"resourceTemplates\":[]" },
};

static void forget_kept(struct waiting *w, size_t i)
{
	w->kept_bytes -= w->kept[i].n;
	free(w->kept[i].line);
	free(w->kept[i].id);
	w->n_kept--;
	memmove(&w->kept[i], &w->kept[i + 1], (w->n_kept - i) * sizeof(w->kept[0]));
}

void waiting_done(struct waiting *w)
{
	while (w->n_kept > 0)
		forget_kept(w, w->n_kept - 1);
	buf_done(&w->hello);
	buf_done(&w->greeting);
}

void waiting_begin(struct shim *s, const char *words)
{
	s->waiting = (struct waiting){
		.state = WAITING_APPROVAL, .hello = BUF_INIT(SHIM_LINE_MAX + 1), .greeting = BUF_INIT(SHIM_LINE_MAX + 1)
	};
	snprintf(s->waiting.words, sizeof(s->waiting.words), "%s", words);
}

/* --- answers --- */

static int send_client(struct shim *s)
{
	return queue_put(&s->to_client, s->answer.data, s->answer.len);
}

static int record_own(struct shim *s, const struct message *m, const struct method *method)
{
	struct decision d = { .verdict = POLICY_ALLOW, .reason = BY_US };

	if (s->waiting.state == WAITING_OFF)
		d.reason = bridge_covers(s, method) ? BY_BRIDGE : NO_LIST;
	return handle_record_request(s, m, method, &d, ++s->call_ids);
}

/* A result of ours: members of the object, each but the first behind a comma. */
static int answer_members(struct shim *s, const struct message *m, const char *members)
{
	struct slice id = m->envelope->id;
	int r;

	buf_clear(&s->answer);
	r = buf_printf(&s->answer, "{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"result\":{", (int)id.n, id.p);
	if (r == 0 && m->modern)
		r = buf_printf(&s->answer, "\"resultType\":\"complete\"%s", *members ? "," : "");
	if (r == 0)
		r = buf_puts(&s->answer, members);
	if (r == 0)
		r = buf_puts(&s->answer, "}}\n");
	return r ? r : send_client(s);
}

static int answer_list(struct shim *s, const struct message *m, const struct method *method)
{
	char members[96];

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (lists[i].result == method->result)
			/* In the modern era a client may keep a list as long as it is told to. */
			snprintf(members, sizeof(members), "%s%s", lists[i].empty,
				m->modern ? ",\"ttlMs\":0,\"cacheScope\":\"private\"" : "");
	return answer_members(s, m, members);
}

static int deny(struct shim *s, const struct message *m, const struct method *method, const char *reason)
{
	struct decision d = {
		.verdict = POLICY_DENY, .what = "method", .subject = m->envelope->method, .reason = reason
	};
	int r;

	if (method && method->gate == GATE_TOOL) {
		d.what = "tool";
		d.subject = walk_string(message_get(&s->doc, "name"));
	}
	r = handle_record_request(s, m, method, &d, ++s->call_ids);
	return r ? r : handle_answer_denial(s, m, method, s->waiting.words, ANSWER_DENIED);
}

/* --- the handshake with the client --- */

static int put_identity(struct shim *s)
{
	int r = buf_puts(&s->answer, "{\"name\":");

	if (r == 0)
		r = answers_put_string(&s->answer, s->config.name, strlen(s->config.name));
	return r ? r : buf_puts(&s->answer, ",\"version\":\"0\"}");
}

static int put_instructions(struct shim *s)
{
	int r = buf_puts(&s->answer, ",\"instructions\":");

	return r ? r : answers_put_string(&s->answer, s->waiting.words, strlen(s->waiting.words));
}

static const char *version_for(struct slice asked)
{
	for (size_t i = 0; i < ARRAY_LEN(legacy_versions); i++)
		if (slice_is(asked, legacy_versions[i]))
			return legacy_versions[i];
	return legacy_versions[0];
}

static int answer_initialize(struct shim *s, const struct message *m)
{
	struct slice id = m->envelope->id;
	int r;

	buf_clear(&s->answer);
	r = buf_printf(&s->answer,
		"{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"result\":{\"protocolVersion\":\"%s\"," CAPABILITIES
		",\"serverInfo\":",
		(int)id.n, id.p, s->waiting.version);
	if (r == 0)
		r = put_identity(s);
	if (r == 0)
		r = put_instructions(s);
	if (r == 0)
		r = buf_puts(&s->answer, "}}\n");
	return r ? r : send_client(s);
}

/* Also how a client speaks again that has lost its patience: the server hears the last. */
static int on_initialize(struct shim *s, struct message *m, const struct method *method)
{
	struct waiting *w = &s->waiting;
	int r = record_own(s, m, method);

	buf_clear(&w->hello);
	if (r == 0)
		r = buf_append(&w->hello, s->doc.out.data, s->doc.out.len);
	w->modern = false;
	w->initialized = false;
	snprintf(w->version, sizeof(w->version), "%s",
		version_for(walk_string(message_get(&s->doc, "protocolVersion"))));
	return r ? r : answer_initialize(s, m);
}

static int on_discover(struct shim *s, struct message *m, const struct method *method)
{
	struct slice id = m->envelope->id;
	int r = record_own(s, m, method);

	buf_clear(&s->answer);
	if (r == 0)
		r = buf_printf(&s->answer,
			"{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"result\":{\"resultType\":\"complete\","
			"\"supportedVersions\":[\"%s\"]," CAPABILITIES ",\"ttlMs\":0,\"cacheScope\":\"private\","
			"\"_meta\":{\"io.modelcontextprotocol/serverInfo\":",
			(int)id.n, id.p, MODERN_VERSION);
	if (r == 0)
		r = put_identity(s);
	if (r == 0)
		r = buf_putc(&s->answer, '}');
	/* They are about the wait. */
	if (r == 0 && s->waiting.state == WAITING_APPROVAL)
		r = put_instructions(s);
	if (r == 0)
		r = buf_puts(&s->answer, "}}\n");
	return r ? r : send_client(s);
}

/* In the modern era each request shows how the client speaks. The server will be asked what it speaks, under the first
 * one's names, and offered nothing. */
static int keep_discover(struct shim *s)
{
	struct waiting *w = &s->waiting;
	struct slice meta = message_get(&s->doc, "_meta"), info = walk_get(meta, META_CLIENT);
	struct slice version = walk_get(meta, META_VERSION);
	int r;

	if (w->hello.len > 0 || !version.n)
		return 0;
	w->modern = true;
	r = buf_printf(&w->hello,
		"{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"server/discover\",\"params\":{\"_meta\":{\"%s\":%.*s,",
		OWN_ID, META_VERSION, (int)version.n, version.p);
	if (r == 0 && info.n)
		r = buf_printf(&w->hello, "\"%s\":%.*s,", META_CLIENT, (int)info.n, info.p);
	if (r == 0)
		r = buf_printf(&w->hello, "\"%s\":{}}}}", META_OFFERS);
	return r ? r : bridge_greeting(info, &w->greeting);
}

/* --- what is kept for the server --- */

static size_t find_kept(const struct waiting *w, struct slice id)
{
	size_t i = 0;

	while (i < w->n_kept && !slice_is(id, w->kept[i].id))
		i++;
	return i;
}

bool waiting_holds(const struct shim *s, struct slice id)
{
	const struct waiting *w = &s->waiting;
	size_t i = find_kept(w, id);

	/* On its way to the server it is nobody's yet. */
	return i < w->n_kept && w->kept[i].listens && !w->replays;
}

bool waiting_forget(struct shim *s, struct slice id)
{
	bool held = waiting_holds(s, id);

	if (held)
		forget_kept(&s->waiting, find_kept(&s->waiting, id));
	return held;
}

static int keep(struct shim *s, const struct message *m, struct waiting_kept k)
{
	struct waiting *w = &s->waiting;

	k.n = s->doc.out.len;
	k.line = strndup(s->doc.out.data, k.n);
	k.id = strndup(m->envelope->id.p, m->envelope->id.n);
	if (!k.line || !k.id) {
		free(k.line);
		free(k.id);
		return -ENOMEM;
	}
	w->kept[w->n_kept++] = k;
	w->kept_bytes += k.n;
	return 0;
}

static bool has_room(const struct waiting *w, const struct shim *s)
{
	return w->n_kept < WAITING_KEPT_MAX && s->doc.out.len <= WAITING_BYTES_MAX - w->kept_bytes;
}

/* The last one counts. */
static int on_set_level(struct shim *s, struct message *m, const struct method *method)
{
	struct waiting *w = &s->waiting;
	int r;

	for (size_t i = w->n_kept; i-- > 0;)
		if (!w->kept[i].listens)
			forget_kept(w, i);
	if (!has_room(w, s))
		return deny(s, m, method, "no more is kept for the server");
	r = record_own(s, m, method);
	if (r == 0)
		r = answer_members(s, m, "");
	return r ? r : keep(s, m, (struct waiting_kept){ 0 });
}

static int acknowledge(struct shim *s, struct slice id, struct slice filter)
{
	bool first = true;
	int r;

	buf_clear(&s->answer);
	r = buf_printf(&s->answer,
		"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/"
		"acknowledged\",\"params\":{\"_meta\":{\"%s\":"
		"%.*s},\"notifications\":{",
		META_SUBSCRIPTION, (int)id.n, id.p);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(promises); i++)
		if (slice_is(walk_get(filter, promises[i].wanted), "true")) {
			r = buf_printf(&s->answer, "%s\"%s\":true", first ? "" : ",", promises[i].wanted);
			first = false;
		}
	if (r == 0)
		r = buf_puts(&s->answer, "}}}\n");
	return r ? r : send_client(s);
}

static int on_listen(struct shim *s, struct message *m, const struct method *method)
{
	struct waiting *w = &s->waiting;
	struct slice filter = message_get(&s->doc, "notifications");
	struct waiting_kept k = { .listens = true };
	int r;

	if (!has_room(w, s))
		return deny(s, m, method, "no more is kept for the server");
	for (size_t i = 0; i < ARRAY_LEN(promises); i++)
		k.changes |= slice_is(walk_get(filter, promises[i].wanted), "true") ? promises[i].bit : 0;
	r = record_own(s, m, method);
	if (r == 0)
		r = keep(s, m, k);
	return r ? r : acknowledge(s, m->envelope->id, filter);
}

static int on_ping(struct shim *s, struct message *m, const struct method *method)
{
	int r = record_own(s, m, method);

	return r ? r : answer_members(s, m, "");
}

static int on_list(struct shim *s, struct message *m, const struct method *method)
{
	int r = record_own(s, m, method);

	return r ? r : answer_list(s, m, method);
}

static const struct {
	const char *method;
	int (*handle)(struct shim *s, struct message *m, const struct method *method);
} requests[] = {
	{ "initialize", on_initialize },
	{ "server/discover", on_discover },
	{ "ping", on_ping },
	{ "tools/list", on_list },
	{ "prompts/list", on_list },
	{ "resources/list", on_list },
	{ "resources/templates/list", on_list },
	{ "logging/setLevel", on_set_level },
	{ "subscriptions/listen", on_listen },
};

int waiting_request(struct shim *s, struct message *m, const struct method *method)
{
	bool known = method && (method->eras & (m->modern ? ERA_MODERN : ERA_LEGACY));
	int r = 0;

	if (s->waiting.state == WAITING_OFF && !bridge_covers(s, method))
		return on_list(s, m, method);
	if (s->waiting.state == WAITING_FAILED)
		return deny(s, m, method, "the server cannot do what the client was promised");
	if (m->modern && s->waiting.state == WAITING_APPROVAL)
		r = keep_discover(s);
	for (size_t i = 0; r == 0 && known && i < ARRAY_LEN(requests); i++)
		if (strcmp(requests[i].method, method->name) == 0)
			return requests[i].handle(s, m, method);
	return r ? r : deny(s, m, method, "approval waits");
}

int waiting_notification(struct shim *s, struct message *m, const struct method *method)
{
	struct waiting *w = &s->waiting;
	struct slice name = m->envelope->method;

	if (w->state == WAITING_APPROVAL && slice_is(name, "notifications/initialized") && w->hello.len && !w->modern) {
		w->initialized = true;
		return 0;
	}
	if (w->state == WAITING_APPROVAL && slice_is(name, "notifications/roots/list_changed")) {
		w->roots_changed = true;
		return 0;
	}
	if (method && method->note == NOTE_CANCELLED) {
		waiting_forget(s, message_get(&s->doc, "requestId"));
		return 0;
	}
	return handle_drop_notification(s, m, "there is no server yet");
}

/* --- the handshake with the server --- */

static int say(struct shim *s, const char *line, size_t n)
{
	int r;

	s->waiting.replays = true;
	r = handle_line(s, EVENT_FROM_CLIENT, LINES_MESSAGE, (struct line){ line, n });
	s->waiting.replays = false;
	return r;
}

static int fail(struct shim *s, const char *why)
{
	struct waiting *w = &s->waiting;

	w->state = WAITING_FAILED;
	snprintf(w->words, sizeof(w->words),
		"stockade: %s: the server was approved and started, but %s. Its client has to start it again.",
		s->config.name, why);
	return record_refused(s, EVENT_FROM_SERVER, why, 0);
}

int waiting_greet(struct shim *s, const char *line, size_t n)
{
	size_t before = s->calls.n;
	int r;

	s->waiting.until_us =
		s->now_us +
		(s->waiting.modern && !s->waiting.bridges ? WAITING_DISCOVER_MS : WAITING_HANDSHAKE_MS) * 1000ULL;
	r = say(s, line, n);
	if (r < 0)
		return r;
	if (s->calls.n != before + 1)
		return fail(s, "it took no message");
	s->calls.entries[before].own = true;
	return 0;
}

bool waiting_is_late(const struct shim *s)
{
	return s->waiting.state == WAITING_HANDSHAKE && s->now_us > s->waiting.until_us;
}

int waiting_give_up(struct shim *s)
{
	struct pending_entry *e = s->waiting.modern && !s->waiting.bridges
					  ? pending_find(&s->calls, (struct slice){ OWN_ID, sizeof(OWN_ID) - 1 })
					  : NULL;
	int r;

	if (!e)
		return fail(s, "it did not answer the handshake in time");
	r = record_ending(s, e, EVENT_FROM_SERVER, "no answer", 0);
	/* It may come yet. */
	e->expired = true;
	return r ? r : bridge_begin(s);
}

int waiting_release(struct shim *s)
{
	struct waiting *w = &s->waiting;
	int r;

	if (w->hello.len == 0) {
		w->state = WAITING_OFF;
		return 0;
	}
	w->state = WAITING_HANDSHAKE;
	r = waiting_greet(s, w->hello.data, w->hello.len);
	buf_done(&w->hello);
	return r;
}

/* Legacy: which lists have changed, all the client knows. Modern: what each subscription asked for. */
static int tell_changes(struct shim *s, unsigned which, const char *id)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(promises); i++) {
		if (!(which & promises[i].bit & ~s->waiting.lacks))
			continue;
		buf_clear(&s->answer);
		r = buf_printf(&s->answer, "{\"jsonrpc\":\"2.0\",\"method\":\"%s\"", promises[i].changed);
		if (r == 0 && id)
			r = buf_printf(&s->answer, ",\"params\":{\"_meta\":{\"%s\":%s}}", META_SUBSCRIPTION, id);
		if (r == 0)
			r = buf_puts(&s->answer, "}\n");
		if (r == 0)
			r = send_client(s);
	}
	return r;
}

int waiting_initialized(struct shim *s)
{
	if (!s->waiting.owes_changes)
		return 0;
	s->waiting.owes_changes = false;
	return tell_changes(s, LISTS_TOOLS | LISTS_PROMPTS | LISTS_RESOURCES, NULL);
}

int waiting_tell(struct shim *s, struct slice method)
{
	struct waiting *w = &s->waiting;
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(promises); i++)
		for (size_t k = 0; r == 0 && slice_is(method, promises[i].changed) && k < w->n_kept; k++)
			if (w->kept[k].listens)
				r = tell_changes(s, w->kept[k].changes & promises[i].bit, w->kept[k].id);
	return r;
}

int waiting_abandon(struct shim *s, const char *text)
{
	struct waiting *w = &s->waiting;
	int r = 0;

	while (r == 0 && w->n_kept > 0) {
		const struct waiting_kept *k = &w->kept[0];
		if (k->listens)
			r = handle_answer_error(
				s, EVENT_FROM_CLIENT, (struct slice){ k->id, strlen(k->id) }, ANSWER_GONE, text);
		forget_kept(w, 0);
	}
	return r;
}

/* Replays what is kept: an answer to it is ours, but for a subscription. */
static int say_kept(struct shim *s, bool logs)
{
	struct waiting *w = &s->waiting;
	int r = 0;

	while (r == 0 && w->n_kept > 0) {
		struct waiting_kept *k = &w->kept[0];
		struct pending_entry *e;
		if (k->listens || logs)
			r = say(s, k->line, k->n);
		e = pending_find(&s->calls, (struct slice){ k->id, strlen(k->id) });
		if (e && !k->listens)
			e->own = true;
		if (r == 0 && k->listens)
			r = tell_changes(s, k->changes, k->id);
		forget_kept(w, 0);
	}
	return r;
}

static int say_notification(struct shim *s, const char *method)
{
	char line[128];
	int n = snprintf(line, sizeof(line), "{\"jsonrpc\":\"2.0\",\"method\":\"%s\"}", method);

	return say(s, line, (size_t)n);
}

/* The server has the handshake: the rest follows, and the client may look again. */
static int finish(struct shim *s, bool logs)
{
	struct waiting *w = &s->waiting;
	int r = 0;

	w->state = WAITING_OFF;
	w->owes_changes = !w->modern;
	/* Its way tells the changes too (waiting_initialized). */
	if (w->initialized || w->bridges)
		r = say_notification(s, "notifications/initialized");
	if (r == 0 && w->roots_changed)
		r = say_notification(s, "notifications/roots/list_changed");
	if (r == 0 && !w->bridges)
		return say_kept(s, logs);
	/* Its subscriptions stay here. */
	snprintf(w->words, sizeof(w->words), "stockade: %s: no more subscriptions are kept; end one of them first.",
		s->config.name);
	for (size_t i = 0; r == 0 && i < w->n_kept; i++)
		r = tell_changes(s, w->kept[i].changes, w->kept[i].id);
	return r;
}

static size_t find_version(struct slice version)
{
	size_t i = 0;

	while (i < ARRAY_LEN(legacy_versions) && !slice_is(version, legacy_versions[i]))
		i++;
	return i;
}

static bool knows_modern(const struct json_doc *d)
{
	struct walk all = walk_array(message_get(d, "supportedVersions"));
	struct slice each;

	while (walk_element(&all, &each))
		if (slice_is(walk_string(each), MODERN_VERSION))
			return true;
	return false;
}

/* Each version with a handshake adds to those before it and takes nothing away that passes here, so a client takes what
 * a server of an earlier one says for its own. A server of a later one says what the client never learnt to read, and
 * would have been told so by it. */
static const char *unfit(const struct waiting *w, const struct json_doc *d)
{
	size_t version = find_version(walk_string(message_get(d, "protocolVersion")));

	if (w->modern && !w->bridges)
		return knows_modern(d) ? NULL : "it does not speak the protocol version that the client was told";
	if (version == ARRAY_LEN(legacy_versions))
		return "it answered the handshake in a protocol version that stockade does not know";
	if (!w->bridges && version < find_version((struct slice){ w->version, strlen(w->version) }))
		return "it answered the handshake in a later protocol version than its client was told";
	return NULL;
}

int waiting_answer(struct shim *s, struct message *m, struct pending_entry *e)
{
	struct waiting *w = &s->waiting;
	struct slice offers = message_get(&s->doc, "capabilities");
	bool hello = w->state == WAITING_HANDSHAKE, result = m->envelope->kind == ENVELOPE_RESULT;
	const char *why = result ? unfit(w, &s->doc) : "it refused the handshake";
	bool other_way = why && w->modern && !w->bridges;
	int r = hello && result && !other_way ? handle_record_server(s) : 0;

	if (r == 0)
		r = record_ending(s, e, m->side, result ? "ok" : "error", m->line->n);
	pending_remove(&s->calls, e);
	if (r || !hello)
		return r;
	if (other_way)
		return bridge_begin(s);
	if (why)
		return fail(s, why);
	for (size_t i = 0; i < ARRAY_LEN(promises); i++)
		w->lacks |= walk_is_object(walk_get(offers, promises[i].capability)) ? 0 : promises[i].bit;
	return finish(s, walk_is_object(walk_get(offers, "logging")));
}

int waiting_refused(struct shim *s, const char *reason)
{
	struct waiting *w = &s->waiting;
	char why[CONTROL_TEXT_MAX / 2];

	if (w->state != WAITING_HANDSHAKE)
		return 0;
	if (w->modern && !w->bridges)
		return bridge_begin(s);
	snprintf(why, sizeof(why), "its answer to the handshake was refused: %s", reason);
	return fail(s, why);
}

bool waiting_covers(const struct shim *s, const struct method *method)
{
	for (size_t i = 0; s->waiting.lacks && method && i < ARRAY_LEN(lists); i++)
		if (lists[i].result == method->result)
			return s->waiting.lacks & lists[i].bit;
	return false;
}
