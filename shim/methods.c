/* SPDX-License-Identifier: Apache-2.0 */
/* methods - see methods.h */
#include "shim/methods.h"
#include "shim/fold.h"

#define C EVENT_FROM_CLIENT
#define S EVENT_FROM_SERVER

static const struct method methods[] = {
	{ "initialize", C, true, ERA_LEGACY, GATE_OPEN, RESULT_HELLO, NOTE_HELLO },
	{ "server/discover", C, true, ERA_MODERN, GATE_OPEN, RESULT_HELLO, NOTE_NONE },
	{ "ping", C, true, ERA_LEGACY, GATE_OPEN, RESULT_PLAIN, NOTE_NONE },
	{ "tools/list", C, true, ERA_BOTH, GATE_OPEN, RESULT_TOOLS, NOTE_NONE },
	{ "tools/call", C, true, ERA_BOTH, GATE_TOOL, RESULT_CALL, NOTE_NONE },
	{ "resources/list", C, true, ERA_BOTH, GATE_OPEN, RESULT_RESOURCES, NOTE_NONE },
	{ "resources/templates/list", C, true, ERA_BOTH, GATE_OPEN, RESULT_TEMPLATES, NOTE_NONE },
	{ "resources/read", C, true, ERA_BOTH, GATE_RESOURCE, RESULT_MAY_ASK, NOTE_NONE },
	{ "resources/subscribe", C, true, ERA_LEGACY, GATE_RESOURCE, RESULT_PLAIN, NOTE_NONE },
	{ "resources/unsubscribe", C, true, ERA_LEGACY, GATE_RESOURCE, RESULT_PLAIN, NOTE_NONE },
	{ "subscriptions/listen", C, true, ERA_MODERN, GATE_SUBSCRIBE, RESULT_PLAIN, NOTE_NONE },
	{ "prompts/list", C, true, ERA_BOTH, GATE_OPEN, RESULT_PROMPTS, NOTE_NONE },
	{ "prompts/get", C, true, ERA_BOTH, GATE_PROMPT, RESULT_MAY_ASK, NOTE_NONE },
	{ "completion/complete", C, true, ERA_BOTH, GATE_REFERENCE, RESULT_PLAIN, NOTE_NONE },
	{ "logging/setLevel", C, true, ERA_LEGACY, GATE_LOGGING, RESULT_PLAIN, NOTE_NONE },
	{ "tasks/get", C, true, ERA_BOTH, GATE_OPEN, RESULT_TASK, NOTE_NONE },
	{ "tasks/result", C, true, ERA_LEGACY, GATE_OPEN, RESULT_TASK, NOTE_NONE },
	{ "tasks/list", C, true, ERA_LEGACY, GATE_OPEN, RESULT_PLAIN, NOTE_NONE },
	{ "tasks/cancel", C, true, ERA_BOTH, GATE_OPEN, RESULT_TASK, NOTE_NONE },
	{ "tasks/update", C, true, ERA_MODERN, GATE_OPEN, RESULT_TASK, NOTE_NONE },
	{ "notifications/initialized", C, false, ERA_LEGACY, GATE_OPEN, RESULT_PLAIN, NOTE_NONE },
	{ "notifications/cancelled", C, false, ERA_BOTH, GATE_OPEN, RESULT_PLAIN, NOTE_CANCELLED },
	{ "notifications/progress", C, false, ERA_LEGACY, GATE_OPEN, RESULT_PLAIN, NOTE_NONE },
	{ "notifications/roots/list_changed", C, false, ERA_LEGACY, GATE_OPEN, RESULT_PLAIN, NOTE_NONE },
	{ "notifications/tasks/status", C, false, ERA_LEGACY, GATE_OPEN, RESULT_PLAIN, NOTE_NONE },

	{ "ping", S, true, ERA_LEGACY, GATE_OPEN, RESULT_PLAIN, NOTE_NONE },
	{ "sampling/createMessage", S, true, ERA_LEGACY, GATE_SAMPLING, RESULT_PLAIN, NOTE_NONE },
	{ "elicitation/create", S, true, ERA_LEGACY, GATE_ELICITATION, RESULT_PLAIN, NOTE_NONE },
	{ "roots/list", S, true, ERA_LEGACY, GATE_ROOTS, RESULT_ROOTS, NOTE_NONE },
	{ "tasks/get", S, true, ERA_LEGACY, GATE_CLIENT_TASK, RESULT_PLAIN, NOTE_NONE },
	{ "tasks/result", S, true, ERA_LEGACY, GATE_CLIENT_TASK, RESULT_PLAIN, NOTE_NONE },
	{ "tasks/list", S, true, ERA_LEGACY, GATE_CLIENT_TASK, RESULT_PLAIN, NOTE_NONE },
	{ "tasks/cancel", S, true, ERA_LEGACY, GATE_CLIENT_TASK, RESULT_PLAIN, NOTE_NONE },
	{ "notifications/cancelled", S, false, ERA_BOTH, GATE_OPEN, RESULT_PLAIN, NOTE_CANCELLED },
	{ "notifications/progress", S, false, ERA_BOTH, GATE_OPEN, RESULT_PLAIN, NOTE_NONE },
	{ "notifications/message", S, false, ERA_BOTH, GATE_OPEN, RESULT_PLAIN, NOTE_NONE },
	{ "notifications/resources/updated", S, false, ERA_BOTH, GATE_RESOURCE, RESULT_PLAIN, NOTE_NONE },
	{ "notifications/resources/list_changed", S, false, ERA_BOTH, GATE_OPEN, RESULT_PLAIN, NOTE_NONE },
	{ "notifications/tools/list_changed", S, false, ERA_BOTH, GATE_OPEN, RESULT_PLAIN, NOTE_NONE },
	{ "notifications/prompts/list_changed", S, false, ERA_BOTH, GATE_OPEN, RESULT_PLAIN, NOTE_NONE },
	{ "notifications/subscriptions/acknowledged", S, false, ERA_MODERN, GATE_OPEN, RESULT_PLAIN, NOTE_NONE },
	{ "notifications/elicitation/complete", S, false, ERA_LEGACY, GATE_ELICITATION, RESULT_PLAIN, NOTE_NONE },
	{ "notifications/tasks/status", S, false, ERA_LEGACY, GATE_OPEN, RESULT_PLAIN, NOTE_NONE },
	{ "notifications/tasks", S, false, ERA_MODERN, GATE_OPEN, RESULT_MAY_ASK, NOTE_NONE },
};

#undef C
#undef S

const struct method *methods_find(enum event_side from, bool request, struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (methods[i].from == from && methods[i].request == request && slice_is(name, methods[i].name))
			return &methods[i];
	return NULL;
}

bool methods_has_name(struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (fold_equal(methods[i].name, __builtin_strlen(methods[i].name), name.p, name.n))
			return true;
	return false;
}

bool methods_may_be_task(const struct method *m)
{
	return m->gate == GATE_TOOL || m->gate == GATE_SAMPLING || m->gate == GATE_ELICITATION ||
	       __builtin_strncmp(m->name, "tasks/", 6) == 0;
}

const struct method *methods_table(size_t *ret_n)
{
	*ret_n = ARRAY_LEN(methods);
	return methods;
}
