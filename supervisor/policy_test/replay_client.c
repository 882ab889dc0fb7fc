/* SPDX-License-Identifier: Apache-2.0 */
/* replay_client - see replay_client.h */
#include "supervisor/policy_test/replay_client.h"
#include <stdio.h>
#include <string.h>

static const char *text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static enum client_kind kind_of(const json_t *o)
{
	const char *word = text_of(o, "kind");

	for (int k = 0; word && k < CLIENT_KIND_COUNT; k++)
		if (strcmp(word, client_kind_name((enum client_kind)k)) == 0)
			return (enum client_kind)k;
	return CLIENT_UNKNOWN;
}

/* Its strings stay the record's. */
static void file_take(const json_t *o, const char *path, const char *digest, bool held, struct client_file *ret)
{
	const char *hex = text_of(o, digest);

	*ret = (struct client_file){ .path = (char *)(uintptr_t)text_of(o, path), .held = held };
	snprintf(ret->digest, sizeof(ret->digest), "%s", hex ? hex : "");
}

static void client_take(const json_t *o, struct client *ret)
{
	bool held = json_is_true(json_object_get(o, "root_owned"));

	*ret = (struct client){ .kind = kind_of(o),
		.name = text_of(o, "name"),
		.package = (char *)(uintptr_t)text_of(o, "package"),
		.version = (char *)(uintptr_t)text_of(o, "version"),
		.package_held = held,
		.why = (char *)(uintptr_t)text_of(o, "why") };
	file_take(o, "image", "image_digest", held, &ret->image);
	file_take(o, "script", "digest", held, &ret->script);
	file_take(o, "path", "digest", held, &ret->exe);
}

bool replay_client_allowed(
	const struct client_rules *rules, const struct line *opening, char *what, size_t size, struct diag *d)
{
	const json_t *o = json_object_get(json_object_get(opening->root, "detail"), "client");
	const char *rule = NULL, *path = text_of(o, "script") ? text_of(o, "script") : text_of(o, "path");
	struct client c;

	if (!json_is_object(o))
		return true;
	client_take(o, &c);
	snprintf(what, size, "from %s", c.name ? c.name : path ? path : "a client that nobody knows");
	return client_rules_check(rules, &c, &rule, d) == 0;
}
