/* SPDX-License-Identifier: Apache-2.0 */
/* keys - see keys.h */
#include "shim/keys.h"
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "shim/fold.h"
#include "shim/protocol.h"

enum { KEY_MAX = 48 };

#define P KEYS_OF_PARAMS
#define M KEYS_OF_META
#define T KEYS_OF_TASK
#define R KEYS_OF_RESULT
#define I KEYS_OF_ITEM
#define E KEYS_OF_ERROR
#define Q KEYS_OF_REQUEST

/* In the order of the folded names. */
static const struct {
	const char *folded, *name;
	unsigned of;
} protocol_keys[] = {
	{ "_meta", "_meta", P | R | I },
	{ "action", "action", R },
	{ "annotations", "annotations", I },
	{ "argument", "argument", P },
	{ "arguments", "arguments", P | I },
	{ "blob", "blob", I },
	{ "cachescope", "cacheScope", R },
	{ "capabilities", "capabilities", P | R },
	{ "clientinfo", "clientInfo", P },
	{ "code", "code", E },
	{ "completion", "completion", R },
	{ "content", "content", R | I },
	{ "contents", "contents", R },
	{ "context", "context", P },
	{ "createdat", "createdAt", R | I },
	{ "cursor", "cursor", P },
	{ "data", "data", P | I | E },
	{ "description", "description", R | I },
	{ "elicitationid", "elicitationId", P },
	{ "execution", "execution", I },
	{ "icons", "icons", I },
	{ "includecontext", "includeContext", P },
	{ "inputrequests", "inputRequests", P | R },
	{ "inputresponses", "inputResponses", P },
	{ "inputschema", "inputSchema", I },
	{ "instructions", "instructions", R },
	{ "io.modelcontextprotocol/clientcapabilities", META_OFFERS, M },
	{ "io.modelcontextprotocol/clientinfo", META_CLIENT, M },
	{ "io.modelcontextprotocol/loglevel", META_LOG_LEVEL, M },
	{ "io.modelcontextprotocol/protocolversion", META_VERSION, M },
	{ "io.modelcontextprotocol/related-task", META_TASK, M },
	{ "io.modelcontextprotocol/serverinfo", META_SERVER, M },
	{ "io.modelcontextprotocol/subscriptionid", META_SUBSCRIPTION, M },
	{ "iserror", "isError", R | I },
	{ "lastupdatedat", "lastUpdatedAt", R | I },
	{ "level", "level", P },
	{ "logger", "logger", P },
	{ "maxtokens", "maxTokens", P },
	{ "message", "message", P | E },
	{ "messages", "messages", P | R },
	{ "metadata", "metadata", P },
	{ "method", "method", Q },
	{ "mimetype", "mimeType", I },
	{ "mode", "mode", P },
	{ "model", "model", R },
	{ "modelpreferences", "modelPreferences", P },
	{ "name", "name", P | I },
	{ "nextcursor", "nextCursor", R },
	{ "notifications", "notifications", P },
	{ "outputschema", "outputSchema", I },
	{ "params", "params", Q },
	{ "pollinterval", "pollInterval", T | R | I },
	{ "pollintervalms", "pollIntervalMs", T | R | I },
	{ "progress", "progress", P },
	{ "progresstoken", "progressToken", P | M },
	{ "prompts", "prompts", R },
	{ "protocolversion", "protocolVersion", P | R },
	{ "reason", "reason", P },
	{ "ref", "ref", P },
	{ "requestedschema", "requestedSchema", P },
	{ "requestid", "requestId", P },
	{ "requeststate", "requestState", P | R },
	{ "required", "required", I },
	{ "resource", "resource", I },
	{ "resources", "resources", R },
	{ "resourcesubscriptions", "resourceSubscriptions", P },
	{ "resourcetemplates", "resourceTemplates", R },
	{ "result", "result", R },
	{ "resulttype", "resultType", R },
	{ "role", "role", R | I },
	{ "roots", "roots", R },
	{ "serverinfo", "serverInfo", R },
	{ "size", "size", I },
	{ "status", "status", P | T | R | I },
	{ "statusmessage", "statusMessage", P | T | R | I },
	{ "stopreason", "stopReason", R },
	{ "stopsequences", "stopSequences", P },
	{ "structuredcontent", "structuredContent", R | I },
	{ "supportedversions", "supportedVersions", R },
	{ "systemprompt", "systemPrompt", P },
	{ "task", "task", P | R },
	{ "taskid", "taskId", P | T | R | I },
	{ "tasks", "tasks", R },
	{ "temperature", "temperature", P },
	{ "text", "text", I },
	{ "title", "title", I },
	{ "toolchoice", "toolChoice", P },
	{ "tools", "tools", P | R },
	{ "total", "total", P },
	{ "ttl", "ttl", T | R | I },
	{ "ttlms", "ttlMs", T | R | I },
	{ "type", "type", I },
	{ "uri", "uri", P | I },
	{ "uritemplate", "uriTemplate", I },
	{ "url", "url", P },
};

#undef P
#undef M
#undef T
#undef R
#undef I
#undef E
#undef Q

void keys_watch(struct json_watch *w, uint64_t secret)
{
	_Static_assert(2 * ARRAY_LEN(protocol_keys) <= JSON_WATCH_SLOTS, "look-ups end at an empty slot");
	for (size_t i = 0; i < ARRAY_LEN(protocol_keys); i++)
		json_watch_add(w, secret, protocol_keys[i].name);
}

/* The folded key, NUL-terminated; false when it is longer than any of the protocol's. It takes no memory, for want of
 * which an imitation would have to be let through, or all else not. */
static bool fold_short(struct slice key, char *ret)
{
	size_t n = 0, len;

	if (key.n >= 3 * KEY_MAX)
		return false;
	for (size_t i = 0; i < key.n; i += len) {
		char out[4];
		uint32_t cp;
		len = utf8_decode((const unsigned char *)key.p + i, key.n - i, &cp);
		if (len == 0)
			break;
		size_t out_len = utf8_encode(fold_char(cp), out);
		if (n + out_len >= KEY_MAX)
			return false;
		memcpy(ret + n, out, out_len);
		n += out_len;
	}
	ret[n] = '\0';
	return true;
}

static int by_folded(const void *key, const void *row)
{
	return strcmp(key, ((const typeof(protocol_keys[0]) *)row)->folded);
}

const char *keys_imitated(struct slice key, unsigned of)
{
	char folded[KEY_MAX];
	const typeof(protocol_keys[0]) *row;

	if (!fold_short(key, folded))
		return NULL;
	row = bsearch(folded, protocol_keys, ARRAY_LEN(protocol_keys), sizeof(protocol_keys[0]), by_folded);
	return row && (row->of & of) && !slice_is(key, row->name) ? row->name : NULL;
}

const char *keys_imitated_in(struct slice object, unsigned of)
{
	struct walk w = walk_object(object);
	struct slice key, value;

	while (walk_member(&w, &key, &value)) {
		const char *name = keys_imitated(key, of);
		if (name)
			return name;
	}
	return NULL;
}
