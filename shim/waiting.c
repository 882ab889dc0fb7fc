/* SPDX-License-Identifier: Apache-2.0 */
/* waiting - what the client hears; see waiting.h */
#include "shim/waiting.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "shim/answers.h"
#include "shim/bridge.h"
#include "shim/envelope.h"
#include "shim/handle.h"
#include "shim/policy.h"
#include "shim/protocol.h"
#include "shim/waiting_parts.h"

#define CAPABILITIES                                                                                                   \
	"\"capabilities\":{\"tools\":{\"listChanged\":true},\"prompts\":{\"listChanged\":true},"                       \
	"\"resources\":{\"listChanged\":true}}"

static const char BY_US[] = "answered by stockade: approval waits";
static const char BY_BRIDGE[] = "answered by stockade: the server speaks an earlier protocol version";
static const char NO_LIST[] = "answered by stockade: the server has no such list";

static const char *const legacy_versions[] = { VERSIONS_LEGACY };

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

size_t waiting_version(struct slice version)
{
	size_t i = 0;

	while (i < ARRAY_LEN(legacy_versions) && !slice_is(version, legacy_versions[i]))
		i++;
	return i;
}

const char *waiting_version_name(size_t i)
{
	return i < ARRAY_LEN(legacy_versions) ? legacy_versions[i] : NULL;
}

void waiting_begin(struct shim *s, const char *words)
{
	s->waiting = (struct waiting){
		.state = WAITING_APPROVAL, .hello = BUF_INIT(SHIM_LINE_MAX + 1), .greeting = BUF_INIT(SHIM_LINE_MAX + 1)
	};
	snprintf(s->waiting.words, sizeof(s->waiting.words), "%s", words);
}

int waiting_send_client(struct shim *s)
{
	return queue_put(&s->to_client, s->answer.data, s->answer.len);
}

static int record_own(struct shim *s, struct message *m, const struct method *method)
{
	struct decision d = { .verdict = POLICY_ALLOW, .reason = BY_US };

	if (s->waiting.state == WAITING_OFF)
		d.reason = bridge_covers(s, method) ? BY_BRIDGE : NO_LIST;
	return handle_record_request(s, m, method, &d, handle_call_id(s, m));
}

/* A result of ours: members of the object. */
static int answer_members(struct shim *s, const struct message *m, const char *members)
{
	int r;

	buf_clear(&s->answer);
	r = answers_begin_result(&s->answer, m->envelope->id);
	if (r == 0 && m->modern)
		r = buf_printf(&s->answer, "\"resultType\":\"complete\"%s", *members ? "," : "");
	if (r == 0)
		r = buf_puts(&s->answer, members);
	if (r == 0)
		r = answers_end(&s->answer);
	return r ? r : waiting_send_client(s);
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

static int deny(struct shim *s, struct message *m, const struct method *method, const char *reason)
{
	struct decision d = {
		.verdict = POLICY_DENY, .what = "method", .subject = m->envelope->method, .reason = reason
	};
	int r;

	if (method && method->gate == GATE_TOOL) {
		d.what = "tool";
		d.subject = walk_string(message_get(&s->doc, "name"));
	}
	r = handle_record_request(s, m, method, &d, handle_call_id(s, m));
	return r ? r : handle_answer_denial(s, m, method, s->waiting.words, ANSWER_DENIED);
}

/* --- the handshake --- */

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

static int answer_initialize(struct shim *s, const struct message *m)
{
	int r;

	buf_clear(&s->answer);
	r = answers_begin_result(&s->answer, m->envelope->id);
	if (r == 0)
		r = buf_printf(
			&s->answer, "\"protocolVersion\":\"%s\"," CAPABILITIES ",\"serverInfo\":", s->waiting.version);
	if (r == 0)
		r = put_identity(s);
	if (r == 0)
		r = put_instructions(s);
	if (r == 0)
		r = answers_end(&s->answer);
	return r ? r : waiting_send_client(s);
}

/* Also how a client speaks again that has lost its patience: the server hears the last. */
static int on_initialize(struct shim *s, struct message *m, const struct method *method)
{
	struct waiting *w = &s->waiting;
	const char *version;
	int r = record_own(s, m, method);

	buf_clear(&w->hello);
	if (r == 0)
		r = buf_append(&w->hello, s->doc.out.data, s->doc.out.len);
	w->modern = false;
	w->initialized = false;
	version = waiting_version_name(waiting_version(walk_string(message_get(&s->doc, "protocolVersion"))));
	snprintf(w->version, sizeof(w->version), "%s", version ? version : VERSION_LEGACY);
	return r ? r : answer_initialize(s, m);
}

static int on_discover(struct shim *s, struct message *m, const struct method *method)
{
	int r = record_own(s, m, method);

	buf_clear(&s->answer);
	if (r == 0)
		r = answers_begin_result(&s->answer, m->envelope->id);
	if (r == 0)
		r = buf_puts(&s->answer,
			"\"resultType\":\"complete\",\"supportedVersions\":[\"" VERSION_MODERN "\"]," CAPABILITIES
			",\"ttlMs\":0,\"cacheScope\":\"private\",\"_meta\":{\"" META_SERVER "\":");
	if (r == 0)
		r = put_identity(s);
	if (r == 0)
		r = buf_putc(&s->answer, '}');
	/* They are about the wait. */
	if (r == 0 && s->waiting.state == WAITING_APPROVAL)
		r = put_instructions(s);
	if (r == 0)
		r = answers_end(&s->answer);
	return r ? r : waiting_send_client(s);
}

static int put_discover(struct waiting *w, struct slice version, struct slice info)
{
	int r = answers_begin_request(&w->hello, SLICE(WAITING_OWN_ID), "server/discover");
	if (r == 0)
		r = buf_printf(&w->hello, "\"_meta\":{\"" META_VERSION "\":%.*s,", (int)version.n, version.p);
	if (r == 0 && info.n)
		r = buf_printf(&w->hello, "\"" META_CLIENT "\":%.*s,", (int)info.n, info.p);
	if (r == 0)
		r = buf_puts(&w->hello, "\"" META_OFFERS "\":{}}");
	if (r == 0)
		r = answers_end(&w->hello);
	return r ? r : bridge_greeting(info, &w->greeting);
}

/* In the modern era each request shows how the client speaks. The server will be asked what it speaks, under the first
 * one's names, and offered nothing. -E2BIG: the names are too long. */
static int keep_discover(struct shim *s)
{
	struct waiting *w = &s->waiting;
	struct slice meta = message_get(&s->doc, "_meta"), version = walk_get(meta, META_VERSION);
	int r;

	if (w->hello.len > 0 || !version.n)
		return 0;
	r = put_discover(w, version, walk_get(meta, META_CLIENT));
	if (r < 0) {
		buf_clear(&w->hello);
		buf_clear(&w->greeting);
		return r;
	}
	w->modern = true;
	return 0;
}

/* --- what the server gets later --- */

static int on_set_level(struct shim *s, struct message *m, const struct method *method)
{
	int r;

	waiting_forget_level(&s->waiting);
	if (!waiting_has_room(s))
		return deny(s, m, method, "no more is kept for the server");
	r = record_own(s, m, method);
	if (r == 0)
		r = answer_members(s, m, "");
	return r ? r : waiting_keep(s, m, (struct waiting_kept){ 0 });
}

static int on_listen(struct shim *s, struct message *m, const struct method *method)
{
	struct waiting_kept k = { .listens = true, .changes = waiting_wanted(message_get(&s->doc, "notifications")) };
	int r;

	if (!waiting_has_room(s))
		return deny(s, m, method, "no more is kept for the server");
	r = record_own(s, m, method);
	if (r == 0)
		r = waiting_keep(s, m, k);
	return r ? r : waiting_acknowledge(s, m->envelope->id, k.changes);
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
	if (r == -E2BIG)
		return deny(s, m, method, "what its _meta says of the client is too long to be kept for the server");
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

bool waiting_covers(const struct shim *s, const struct method *method)
{
	for (size_t i = 0; s->waiting.lacks && method && i < ARRAY_LEN(lists); i++)
		if (lists[i].result == method->result)
			return s->waiting.lacks & lists[i].bit;
	return false;
}
