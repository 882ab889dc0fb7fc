/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_machine - see bundle_machine.h */
#include "supervisor/bundle/bundle_machine.h"
#include <errno.h>
#include <stdlib.h>

static void take_policy(const struct policy_signatures *s, struct bundle_judging *j)
{
	for (size_t i = 0; i < s->n; i++)
		j->keys[i] = (struct judge_key){ .name = s->keys[i].name,
			.expires = s->keys[i].expires,
			.scope = (const char *const *)s->keys[i].servers.v,
			.n_scope = s->keys[i].servers.n,
			.where = s->keys[i].where };
	j->rule.n_keys = s->n;
	j->rule.need = s->need;
	j->rule.where = s->where;
}

int bundle_judging_init(const struct policy *policy, const struct keyring *keys,
	const uint8_t (*revoked)[SIGN_ID_BYTES], size_t n_revoked, int64_t now, struct bundle_judging *ret)
{
	const struct policy_signatures *s = &policy->signatures;

	*ret = (struct bundle_judging){ .rule = { .need = 1,
						.n_keys = keys->n,
						.revoked = revoked,
						.n_revoked = n_revoked,
						.now = now,
						.where = "a bundle" } };
	ret->keys = calloc((s->where ? s->n : keys->n) + 1, sizeof(*ret->keys));
	if (!ret->keys)
		return -ENOMEM;
	if (s->where)
		take_policy(s, ret);
	else
		for (size_t i = 0; i < keys->n; i++)
			ret->keys[i].name = keys->v[i].name;
	ret->rule.keys = ret->keys;
	return 0;
}

void bundle_judging_done(struct bundle_judging *j)
{
	free(j->keys);
	*j = (struct bundle_judging){ 0 };
}

int bundle_load_machine(const struct policy *policy, const struct keyring *keys,
	const uint8_t (*revoked)[SIGN_ID_BYTES], size_t n_revoked, int64_t now, struct bundle *ret, struct diag *d)
{
	_cleanup_bundle_judging_ struct bundle_judging j = { 0 };
	int r = bundle_judging_init(policy, keys, revoked, n_revoked, now, &j);
	struct bundle_args a = { .keys = keys, .rule = &j.rule, .now = now, .stale = (int64_t)policy->bundle.stale };

	return r ? diag_fail(d, r, "there is no memory for a bundle") : bundle_load(&a, ret, d);
}
