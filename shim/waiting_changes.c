/* SPDX-License-Identifier: Apache-2.0 */
/* waiting_changes - which lists have changed, told to a client that got empty ones; see waiting.h */
#include <string.h>
#include "shim/answers.h"
#include "shim/protocol.h"
#include "shim/waiting_parts.h"

static const struct {
	unsigned bit;
	const char *capability, *changed, *wanted;
} promises[] = {
	{ LISTS_TOOLS, "tools", CHANGED_TOOLS, "toolsListChanged" },
	{ LISTS_PROMPTS, "prompts", CHANGED_PROMPTS, "promptsListChanged" },
	{ LISTS_RESOURCES, "resources", CHANGED_RESOURCES, "resourcesListChanged" },
};

unsigned waiting_wanted(struct slice filter)
{
	unsigned wanted = 0;

	for (size_t i = 0; i < ARRAY_LEN(promises); i++)
		wanted |= slice_is(walk_get(filter, promises[i].wanted), "true") ? promises[i].bit : 0;
	return wanted;
}

unsigned waiting_lacking(struct slice offers)
{
	unsigned lacking = 0;

	for (size_t i = 0; i < ARRAY_LEN(promises); i++)
		lacking |= walk_is_object(walk_get(offers, promises[i].capability)) ? 0 : promises[i].bit;
	return lacking;
}

int waiting_acknowledge(struct shim *s, struct slice id, unsigned wanted)
{
	bool first = true;
	int r;

	buf_clear(&s->answer);
	r = answers_begin_notification(&s->answer, "notifications/subscriptions/acknowledged");
	if (r == 0)
		r = buf_printf(
			&s->answer, "\"_meta\":{\"" META_SUBSCRIPTION "\":%.*s},\"notifications\":{", (int)id.n, id.p);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(promises); i++)
		if (wanted & promises[i].bit) {
			r = buf_printf(&s->answer, "%s\"%s\":true", first ? "" : ",", promises[i].wanted);
			first = false;
		}
	if (r == 0)
		r = buf_putc(&s->answer, '}');
	if (r == 0)
		r = answers_end(&s->answer);
	return r ? r : waiting_send_client(s);
}

int waiting_tell_changes(struct shim *s, unsigned which, const char *id)
{
	struct slice subscription = { id, id ? strlen(id) : 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(promises); i++) {
		if (!(which & promises[i].bit & ~s->waiting.lacks))
			continue;
		buf_clear(&s->answer);
		r = answers_put_changed(&s->answer, promises[i].changed, subscription);
		if (r == 0)
			r = waiting_send_client(s);
	}
	return r;
}

int waiting_initialized(struct shim *s)
{
	if (!s->waiting.owes_changes)
		return 0;
	s->waiting.owes_changes = false;
	return waiting_tell_changes(s, LISTS_TOOLS | LISTS_PROMPTS | LISTS_RESOURCES, NULL);
}

int waiting_tell(struct shim *s, struct slice method)
{
	struct waiting *w = &s->waiting;
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(promises); i++)
		for (size_t k = 0; r == 0 && slice_is(method, promises[i].changed) && k < w->n_kept; k++)
			if (w->kept[k].listens)
				r = waiting_tell_changes(s, w->kept[k].changes & promises[i].bit, w->kept[k].id);
	return r;
}
