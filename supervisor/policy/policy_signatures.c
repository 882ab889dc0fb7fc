/* SPDX-License-Identifier: Apache-2.0 */
/* policy_signatures - see policy_signatures.h */
#include "supervisor/policy/policy_signatures.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/parse.h"
#include "base/text.h"
#include "sign/judge.h"
#include "sign/keyring.h"
#include "supervisor/policy/policy_keys.h"

/* The key of that name, new where it was not named yet. */
static int signer_of(const struct key *k, unsigned line, const char *name, struct policy_signer **ret)
{
	struct policy_signatures *s = k->target;
	struct policy_signer *grown;
	char shown[PROFILE_SHOWN_MAX];

	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->keys[i].name, name) == 0) {
			*ret = &s->keys[i];
			return 0;
		}
	if (!keyring_name_valid(name, strlen(name)))
		return key_fail_at(k, line,
			"names no key: \"%s\"; a key is named as its file is, without .pub (letters, digits, '-', "
			"'_')",
			text_escape_str(name, shown, sizeof(shown)));
	if (s->n >= POLICY_SIGNERS_MAX)
		return key_fail(k, "names more than %d keys", POLICY_SIGNERS_MAX);
	grown = reallocarray(s->keys, s->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	s->keys = grown;
	s->keys[s->n] = (struct policy_signer){ .name = strdup(name) };
	*ret = &s->keys[s->n++];
	return (*ret)->name ? key_where(k, line, name, &(*ret)->where) : -ENOMEM;
}

int policy_set_signers(const struct key *k)
{
	const json_t *item;
	size_t i;
	int r = 0;

	json_array_foreach((json_t *)(uintptr_t)k->v, i, item)
	{
		struct policy_signer *s = NULL;

		r = signer_of(k, key_item_line(k, i), json_string_value(item), &s);
		if (r == 0 && s->named)
			return key_fail_at(
				k, key_item_line(k, i), "names the key \"%s\" twice, which counts once", s->name);
		if (r < 0)
			return r;
		s->named = true;
	}
	return r;
}

int policy_set_signer_keys(const struct key *k)
{
	json_t *object = (json_t *)(uintptr_t)k->v;
	size_t index = 0;
	int r = 0;

	for (void *i = json_object_iter(object); r == 0 && i; i = json_object_iter_next(object, i), index++) {
		const char *name = json_object_iter_key(i);
		const json_t *v = json_object_iter_value(i);
		struct policy_signer *s = NULL;
		char shown[PROFILE_SHOWN_MAX];

		r = signer_of(k, key_item_line(k, index), name, &s);
		if (r == 0 && !json_is_object(v))
			return key_fail_at(k, key_item_line(k, index), "says of \"%s\" %s; an object is wanted", name,
				json_file_type(v));
		if (r < 0)
			return r;
		snprintf(shown, sizeof(shown), "%s.%s", k->shown, name);
		r = key_walk(k->parse, "signatures.keys.*", shown, v, s);
	}
	return r;
}

int policy_set_signer_expires(const struct key *k)
{
	int64_t *ret = KEY_FIELD(k, int64_t);

	if (parse_time(json_string_value(k->v), ret) == 0 && *ret > 0)
		return 0;
	return key_fail(k, "must be a date or a UTC time, such as \"2026-10-01\" or \"2027-04-01T00:00:00Z\"");
}

int policy_set_signer_servers(const struct key *k)
{
	struct strv *servers = KEY_FIELD(k, struct strv);
	const json_t *item;
	size_t i;
	int r = 0;

	if (json_array_size(k->v) == 0)
		return key_fail(k, "is empty, so the key would count for nothing: leave it out for every server, or "
				   "leave the key out");
	json_array_foreach((json_t *)(uintptr_t)k->v, i, item) if (r == 0) r =
		strv_add(servers, json_string_value(item));
	return r;
}

int policy_set_need(const struct key *k)
{
	struct policy_signatures *s = k->target;

	s->need = (unsigned)json_integer_value(k->v);
	return json_integer_value(k->v) >= 1 && json_integer_value(k->v) <= POLICY_SIGNERS_MAX
		       ? 0
		       : key_fail(k, "must be 1 to %d: so many of the keys have to sign", POLICY_SIGNERS_MAX);
}

/* What the section says together. */
int policy_set_signatures(const struct key *k)
{
	struct policy_signatures *s = KEY_FIELD(k, struct policy_signatures);
	size_t named = 0;
	int r = key_walk(k->parse, "signatures", k->shown, k->v, s);

	if (r < 0)
		return r;
	if (!s->need || !json_object_get(k->v, "of"))
		return key_fail(k, "needs \"need\" and \"of\": how many signatures, and of which keys");
	for (size_t i = 0; i < s->n; i++) {
		named += s->keys[i].named;
		if (!s->keys[i].named)
			return key_fail(k,
				"says something of the key \"%s\" that its \"of\" does not name, so it would "
				"count for nothing",
				s->keys[i].name);
	}
	if (s->need > named)
		return key_fail(k, "needs %u signatures of %zu keys: no profile could ever have them", s->need, named);
	return key_where(k, k->line, NULL, &s->where);
}

int policy_signatures_keys(const struct policy_signatures *s, struct judge_key **ret)
{
	struct judge_key *keys = calloc(s->n + 1, sizeof(*keys));

	if (!keys)
		return -ENOMEM;
	for (size_t i = 0; i < s->n; i++)
		keys[i] = (struct judge_key){ .name = s->keys[i].name,
			.expires = s->keys[i].expires,
			.scope = (const char *const *)s->keys[i].servers.v,
			.n_scope = s->keys[i].servers.n,
			.where = s->keys[i].where };
	*ret = keys;
	return 0;
}

void policy_signatures_done(struct policy_signatures *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->keys[i].name);
		free(s->keys[i].where);
		strv_done(&s->keys[i].servers);
	}
	free(s->keys);
	free(s->where);
	*s = (struct policy_signatures){ 0 };
}
