/* SPDX-License-Identifier: Apache-2.0 */
/*
 * methods - every method of MCP, one row each: who may send it, in which era, what is looked at
 *
 * Process:  shim
 * Owns:     nothing
 *
 * From the schema files of 2024-11-05 to 2026-07-28. What has no row is denied unless the profile names it as an
 * extension. An extension list never speaks for a name of this table. A new method is a new row.
 */
#pragma once
#include "shim/role.h"
#include <stdbool.h>
#include "shim/walk.h"
#include "wire/event.h"

enum method_era { ERA_LEGACY = 1 << 0, ERA_MODERN = 1 << 1, ERA_BOTH = ERA_LEGACY | ERA_MODERN };

/* What decides about it. */
enum method_gate {
	GATE_OPEN,	  /* always allowed */
	GATE_TOOL,	  /* params.name, by the tool rules */
	GATE_RESOURCE,	  /* params.uri, by the resource rules */
	GATE_PROMPT,	  /* params.name, by the prompt rules */
	GATE_REFERENCE,	  /* params.ref: a prompt or a resource template */
	GATE_SUBSCRIBE,	  /* params.notifications.resourceSubscriptions: a list of uris */
	GATE_SAMPLING,	  /* client.sampling */
	GATE_ELICITATION, /* client.elicitation */
	GATE_ROOTS,	  /* client.roots; nothing granted is answered with an empty list */
	GATE_LOGGING,	  /* client.logging: whether there is any */
	GATE_CLIENT_TASK, /* sampling or elicitation: the tasks that they may have become */
};

/* What is looked at in the result; of a notification, in its params. */
enum method_result {
	RESULT_PLAIN,
	RESULT_TOOLS,	  /* filtered by name, schemas remembered */
	RESULT_RESOURCES, /* filtered by uri */
	RESULT_TEMPLATES, /* filtered by uriTemplate */
	RESULT_PROMPTS,	  /* filtered by name */
	RESULT_CALL,	  /* may ask for input; structuredContent */
	RESULT_MAY_ASK,	  /* may ask for input */
	RESULT_TASK,	  /* the same, and what a call that became a task came to */
	RESULT_HELLO,	  /* serverInfo, capabilities */
	RESULT_ROOTS,	  /* filtered to what is granted */
};

enum method_note { NOTE_NONE, NOTE_CANCELLED, NOTE_HELLO };

struct method {
	const char *name;
	enum event_side from;
	bool request;
	unsigned eras;
	enum method_gate gate;
	enum method_result result;
	enum method_note note;
};

const struct method *methods_find(enum event_side from, bool request, struct slice name);
/* Is it the name of any row, whatever its direction and form, or one that differs by upper and lower case alone? */
bool methods_has_name(struct slice name);
/* May the request carry params.task? What comes of a task passes by what looks at the method's own result, so only
 * calls and what the server asks of the client's model and user, as the protocol has it. And what is asked about a
 * task: the TypeScript SDK repeats there what it asked the task with, and nobody makes anything of it. */
bool methods_may_be_task(const struct method *m);
/* For tests: the whole table. */
const struct method *methods_table(size_t *ret_n);
