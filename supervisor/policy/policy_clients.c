/* SPDX-License-Identifier: Apache-2.0 */
/* policy_clients - which clients may start servers: "clients" (supervisor/client/client_rule.h) */
#include <errno.h>
#include <string.h>
#include "base/text.h"
#include "supervisor/policy/policy_keys.h"

enum { SHOWN = 256 };

static int check_text(const struct key *k, unsigned line, enum client_rule_kind kind, const char *text)
{
	static const char *const kinds[] = { "deb:", "npm:", "pypi:", "snap:", "flatpak:" };
	char shown[SHOWN];
	bool package = false;

	text_escape_str(text, shown, sizeof(shown));
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		package = package || (strncmp(text, kinds[i], strlen(kinds[i])) == 0 && text[strlen(kinds[i])]);
	if (kind == CLIENT_RULE_PATH && text[0] != '/')
		return key_fail_at(k, line, "has the path \"%s\"; paths of clients are absolute", shown);
	if (kind == CLIENT_RULE_DIGEST &&
		(strncmp(text, "sha256:", 7) != 0 || strlen(text) != 71 || strspn(text + 7, "0123456789abcdef") != 64))
		return key_fail_at(k, line,
			"has the digest \"%s\"; one is written sha256: and 64 hexadecimal digits in lower case", shown);
	if (kind == CLIENT_RULE_PACKAGE && !package)
		return key_fail_at(k, line,
			"has the package \"%s\"; one is written deb:NAME, npm:NAME, pypi:NAME, snap:NAME or flatpak:ID",
			shown);
	if (!*text)
		return key_fail_at(k, line, "has an empty %s, which no client has", client_rule_kind_name(kind));
	if (kind != CLIENT_RULE_PATH && strpbrk(text, "?[]{}"))
		return key_fail_at(k, line, "has \"%s\"; '*' is the only character that stands for others", shown);
	return 0;
}

/* {"path": "/usr/share/code/\x2a"}: one member, which says what is compared. */
static int take_rule(const struct key *k, const json_t *item, unsigned line, bool deny)
{
	struct client_rules *rules = KEY_FIELD(k, struct client_rules);
	_cleanup_free_ char *where = NULL;
	const char *key = NULL, *text = NULL;
	size_t kind = 0;
	int r;

	if (json_is_object(item) && json_object_size(item) == 1) {
		key = json_object_iter_key(json_object_iter((json_t *)(uintptr_t)item));
		text = json_string_value(json_object_get(item, key));
	}
	while (key && kind < CLIENT_RULE_KIND_COUNT &&
		strcmp(key, client_rule_kind_name((enum client_rule_kind)kind)) != 0)
		kind++;
	if (!text || kind == CLIENT_RULE_KIND_COUNT)
		return key_fail_at(k, line,
			"must hold objects of one member each: {\"path\": \"/usr/share/code/*\"}, {\"digest\": "
			"\"sha256:...\"}, "
			"{\"package\": \"deb:code\"} or {\"name\": \"VS Code\"}");
	r = check_text(k, line, (enum client_rule_kind)kind, text);
	r = r < 0 ? r : key_where(k, line, text, &where);
	return r < 0 ? r : client_rules_add(rules, (enum client_rule_kind)kind, deny, strdup(text), STEAL_PTR(where));
}

static int take_rules(const struct key *k, bool deny)
{
	const json_t *item;
	size_t i;
	int r = 0;

	json_array_foreach((json_t *)(uintptr_t)k->v, i, item)
	{
		r = take_rule(k, item, key_item_line(k, i), deny);
		if (r == -E2BIG)
			return key_fail(k, "and its companion hold more than %d rules", CLIENT_RULES_MAX);
		if (r < 0)
			return r;
	}
	return r;
}

int policy_set_clients_allow(const struct key *k)
{
	int r = key_where(k, k->line, NULL, &KEY_FIELD(k, struct client_rules)->allow_where);

	return r < 0 ? r : take_rules(k, false);
}

int policy_set_clients_deny(const struct key *k)
{
	return take_rules(k, true);
}
