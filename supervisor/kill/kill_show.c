/* SPDX-License-Identifier: Apache-2.0 */
/* kill_show - see kill_show.h */
#include "supervisor/kill/kill_show.h"
#include <string.h>
#include "base/glob.h"
#include "base/text.h"
#include "supervisor/json_list.h"

enum { SHOWN = 1024 };

static bool hits(const struct kill_entry *e, const char *server)
{
	return glob_match(e->server, server, strlen(server));
}

json_t *kill_show_json(const struct kill_set *set, const char *server)
{
	json_t *all = json_array();

	for (size_t i = 0; all && i < set->n; i++)
		if (hits(&set->v[i], server))
			all = json_list_add(all, kill_entry_json(&set->v[i]));
	return all;
}

size_t kill_show_tools(const struct kill_set *set, const char *server)
{
	size_t n = 0;

	for (size_t i = 0; i < set->n; i++)
		n += set->v[i].tool && hits(&set->v[i], server);
	return n;
}

static const char *member(const json_t *e, const char *key, char ret[SHOWN])
{
	const char *text = json_string_value(json_object_get(e, key));

	return text_escape_str(text ? text : "", ret, SHOWN);
}

void kill_show_lines(FILE *out, const json_t *entries, const char *title)
{
	char tool[SHOWN], who[SHOWN], when[SHOWN], why[SHOWN], file[SHOWN];
	const json_t *e;
	size_t i;

	if (json_array_size(entries))
		fprintf(out, "\n  %s\n", title);
	json_array_foreach(entries, i, e)
	{
		fprintf(out, "    - %s%s", json_is_null(json_object_get(e, "tool")) ? "it may not be started" : "tool ",
			member(e, "tool", tool));
		if (json_is_string(json_object_get(e, "damaged")))
			fprintf(out, ", by an entry that cannot be read: %s\n", member(e, "damaged", why));
		else
			fprintf(out, ", by %s since %s%s%s (%s)\n", member(e, "who", who), member(e, "when", when),
				*member(e, "why", why) ? ": " : "", why, member(e, "file", file));
	}
}
