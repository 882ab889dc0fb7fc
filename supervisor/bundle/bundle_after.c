/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_after - see bundle_after.h */
#include "supervisor/bundle/bundle_after.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "supervisor/bundle/bundle_members.h"

enum { SHOWN = 300 };

void bundle_after_done(struct bundle_after *a)
{
	revocations_done(&a->revoked);
	*a = (struct bundle_after){ 0 };
}

int bundle_revocations(const char *file, const json_t *list, struct revocations *ret, struct diag *d)
{
	const json_t *one;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)list, i, one)
	{
		_cleanup_free_ char *text = json_dumps(one, JSON_COMPACT);
		int r = text ? revocations_add(ret, file, text, strlen(text), d) : -ENOMEM;
		if (r < 0)
			return r;
	}
	return 0;
}

/* By a key that the rule names, whatever has become of it. */
static bool is_signed(const struct judge_rule *rule, const struct keyring *keys, const struct verified *v)
{
	for (size_t i = 0; i < rule->n_keys; i++) {
		const struct keyring_key *k = keyring_by_name(keys, rule->keys[i].name);
		for (size_t at = 0; k && at < v->n; at++)
			if (v->v[at].name && memcmp(v->v[at].id, k->key.id, SIGN_ID_BYTES) == 0)
				return true;
	}
	return false;
}

static int add_kept(const char *path, const struct buf *bytes, struct revocations *ret, struct diag *d)
{
	struct bundle_member m = { .key = "revocations" };
	json_t *list = NULL;
	int r = bundle_members_find(bytes->data, bytes->len, &m, 1);

	if (r == 0 && m.at) {
		list = json_loadb(m.at, m.n, JSON_REJECT_DUPLICATES, NULL);
		r = json_is_array(list) ? bundle_revocations(path, list, ret, d) : -EINVAL;
	}
	json_decref(list);
	if (r < 0 && !d->text[0])
		diag_set(d, "what the bundle %s revokes cannot be read: %s", path, strerror(-r));
	return r;
}

/* The ids of the rule behind those of the bundle: one list is what judge() takes. */
static int add_ids(struct revocations *to, const struct judge_rule *by)
{
	uint8_t(*grown)[SIGN_ID_BYTES] = reallocarray(to->keys, to->n_keys + by->n_revoked + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	to->keys = grown;
	if (by->n_revoked)
		memcpy(to->keys + to->n_keys, by->revoked, by->n_revoked * sizeof(*grown));
	to->n_keys += by->n_revoked;
	return 0;
}

int bundle_after_init(const struct judge_rule *by, const struct keyring *keys, const char *path,
	const struct verified *kept, struct bundle_after *ret, struct diag *d)
{
	int r = 0;

	d->text[0] = '\0';
	*ret = (struct bundle_after){ .rule = *by };
	ret->rule.server = NULL;
	if (kept->bytes.data && is_signed(by, keys, kept))
		r = add_kept(path, &kept->bytes, &ret->revoked, d);
	if (r == 0)
		r = add_ids(&ret->revoked, by);
	if (r < 0) {
		bundle_after_done(ret);
		return r;
	}
	ret->rule.revoked = (const uint8_t(*)[SIGN_ID_BYTES])ret->revoked.keys;
	ret->rule.n_revoked = ret->revoked.n_keys;
	return 0;
}

int bundle_after_judge(const struct bundle_after *a, const struct keyring *keys, const char *path,
	const struct verified *next, struct diag *d)
{
	struct verdict verdict;
	char shown[SHOWN];
	int r = judge(&a->rule, keys, next, &verdict, d);

	if (r < 0)
		diag_prefix(d, "the bundle %s, by what the one that is kept revokes: ",
			text_escape_str(path, shown, sizeof(shown)));
	return r;
}
