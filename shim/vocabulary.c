/* SPDX-License-Identifier: Apache-2.0 */
/* vocabulary - see vocabulary.h */
#include "shim/vocabulary.h"
#include <string.h>
#include "shim/protocol.h"

/* From the schema files of 2024-11-05 to 2026-07-28. */
static const char *const keys[] = { "additionalProperties", "annotations", "argument", "arguments", "audience",
	"cacheScope", "capabilities", "clientInfo", "completion", "completions", "contents", "costPriority",
	"createMessage", "createdAt", "description", "destructiveHint", "elicitation", "elicitationId", "elicitations",
	"execution", "experimental", "extensions", "idempotentHint", "includeContext", "inputRequests",
	"inputResponses", "inputSchema", "instructions", "intelligencePriority", "lastModified", "lastUpdatedAt",
	"listChanged", "maxTokens", "messages", "metadata", "mimeType", "modelPreferences", "nextCursor",
	"notifications", "openWorldHint", "outputSchema", "pollInterval", "pollIntervalMs", "priority", "progress",
	"progressToken", "promptsListChanged", "protocolVersion", "readOnlyHint", "requestId", "requestState",
	"requestedSchema", "required", "requests", "resource", "resourceSubscriptions", "resourceTemplates",
	"resources", "resourcesListChanged", "resultType", "sampling", "serverInfo", "speedPriority", "statusMessage",
	"stopReason", "stopSequences", "structuredContent", "subscribe", "supportedVersions", "systemPrompt",
	"taskSupport", "temperature", "toolChoice", "toolUseId", "toolsListChanged", "uriTemplate", "websiteUrl" };

static const struct {
	const char *key, *words;
} values[] = {
	{ "type", "text image audio resource resource_link tool_use tool_result object ref/prompt ref/resource" },
	{ "role", "user assistant" },
	{ "audience", "user assistant" },
	{ "mode", "form url auto required none" },
	{ "method", "elicitation/create sampling/createMessage roots/list" },
	{ "level", "debug info notice warning error critical alert emergency" },
	{ "status", "working input_required completed failed cancelled" },
	{ "resultType", "complete input_required task" },
	{ "stopReason", "endTurn stopSequence maxTokens toolUse" },
	{ "includeContext", "none thisServer allServers" },
	{ "cacheScope", "public private" },
	{ "taskSupport", "forbidden optional required" },
	{ "theme", "light dark" },
	{ "protocolVersion", VERSIONS_ALL },
	{ "supportedVersions", VERSIONS_ALL },
};

bool vocabulary_has_key(struct slice key)
{
	static const char *const of_meta[] = { "protocolVersion", "clientInfo", "clientCapabilities", "logLevel",
		"related-task", "serverInfo", "subscriptionId", "tasks" };
	size_t prefix = sizeof(META_PREFIX) - 1;

	for (size_t i = 0; key.n > prefix && memcmp(key.p, META_PREFIX, prefix) == 0 && i < ARRAY_LEN(of_meta); i++)
		if (slice_is((struct slice){ key.p + prefix, key.n - prefix }, of_meta[i]))
			return true;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (slice_is(key, keys[i]))
			return true;
	return false;
}

bool vocabulary_has_word(struct slice key, struct slice value)
{
	if (value.n == 0 || value.n > VOCABULARY_WORD_MAX || memchr(value.p, ' ', value.n))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		if (!slice_is(key, values[i].key))
			continue;
		for (const char *word = values[i].words; *word; word += *word == ' ') {
			size_t n = strcspn(word, " ");
			if (n == value.n && memcmp(word, value.p, n) == 0)
				return true;
			word += n;
		}
	}
	return false;
}
