/* SPDX-License-Identifier: Apache-2.0 */
/*
 * task_tools - which tool a task stands for, since its result comes as the answer to another request (tasks/result)
 *
 * Process:  shim
 * Owns:     copies of ids and names
 * Returns:  0, -ENOMEM, TASK_TOOLS_TAKEN; stages as they do
 * Limits:   TASK_TOOLS_MAX tasks, the newest stay; TASK_ID_MAX bytes an id, as it is spelt in canonical form. The
 *           structuredContent of a task that is not kept is not passed on.
 */
#pragma once
#include "shim/role.h"
#include <stdbool.h>
#include <stddef.h>
#include "shim/walk.h"

enum { TASK_TOOLS_MAX = 256, TASK_ID_MAX = 256 };
enum task_tools_result { TASK_TOOLS_TAKEN = 1 };

struct task_tools {
	struct task_tool {
		char *id, *tool; /* insides of strings; NULL: empty */
	} v[TASK_TOOLS_MAX];
	size_t next;
};

void task_tools_done(struct task_tools *t);
/* TAKEN: the id stands for another tool, whose task it stays. */
int task_tools_note(struct task_tools *t, struct slice id, const char *tool) _must_check_;
/* The tool's name, or an empty slice. Borrowed until the next note. */
struct slice task_tools_find(const struct task_tools *t, struct slice id);

struct shim;
struct message;
struct json_doc;

/* Does the result make what was asked into a task? */
bool task_tools_begins(const struct json_doc *d);
/* Stages of answers (stages.h). A list becomes no task: through tasks/result it would come unfiltered. */
int task_tools_none(struct shim *s, struct message *m) _must_check_;
/* Of a call that has become one the tool is noted. */
int task_tools_guard(struct shim *s, struct message *m) _must_check_;
