/* SPDX-License-Identifier: Apache-2.0 */
/* task_tools - see task_tools.h */
#include "shim/task_tools.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "shim/stages.h"

static void forget(struct task_tool *x)
{
	free(x->id);
	free(x->tool);
	*x = (struct task_tool){ NULL, NULL };
}

void task_tools_done(struct task_tools *t)
{
	for (size_t i = 0; i < TASK_TOOLS_MAX; i++)
		forget(&t->v[i]);
	t->next = 0;
}

static const struct task_tool *find(const struct task_tools *t, struct slice id)
{
	for (size_t i = 0; i < TASK_TOOLS_MAX; i++)
		if (t->v[i].id && slice_is(id, t->v[i].id))
			return &t->v[i];
	return NULL;
}

int task_tools_note(struct task_tools *t, struct slice id, const char *tool)
{
	const struct task_tool *known = find(t, id);
	struct task_tool *x = known ? &t->v[known - t->v] : &t->v[t->next];

	if (id.n == 0 || id.n > TASK_ID_MAX)
		return 0;
	if (known && strcmp(known->tool, tool) != 0)
		return TASK_TOOLS_TAKEN;
	forget(x);
	*x = (struct task_tool){ strndup(id.p, id.n), strdup(tool) };
	if (!x->id || !x->tool) {
		forget(x);
		return -ENOMEM;
	}
	t->next = known ? t->next : (t->next + 1) % TASK_TOOLS_MAX;
	return 0;
}

struct slice task_tools_find(const struct task_tools *t, struct slice id)
{
	const struct task_tool *x = id.n ? find(t, id) : NULL;

	return x ? (struct slice){ x->tool, strlen(x->tool) } : (struct slice){ NULL, 0 };
}

bool task_tools_begins(const struct json_doc *d)
{
	return message_get(d, "task").n || slice_is(message_get(d, "resultType"), "\"task\"");
}

int task_tools_none(struct shim *s, struct message *m)
{
	if (!task_tools_begins(&s->doc))
		return 0;
	return stages_refuse(m, "it makes a list into a task, which the protocol does not allow");
}

/* In the legacy era a member of the result, in the modern one the result itself. */
static struct slice id_of_task(const struct json_doc *d)
{
	struct slice id = walk_string(walk_get(message_get(d, "task"), "taskId"));

	if (!id.n && slice_is(message_get(d, "resultType"), "\"task\""))
		id = walk_string(message_get(d, "taskId"));
	return id;
}

int task_tools_guard(struct shim *s, struct message *m)
{
	struct slice id = id_of_task(&s->doc);
	int r = m->asked->tool && id.n ? task_tools_note(&s->tasks, id, m->asked->tool) : 0;

	return r == TASK_TOOLS_TAKEN ? stages_refuse(m, "its task has the id of a task of another tool") : r;
}
