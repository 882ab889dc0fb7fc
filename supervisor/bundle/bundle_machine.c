/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_machine - see bundle_machine.h */
#include "supervisor/bundle/bundle_machine.h"
#include <errno.h>
#include <stdlib.h>

static int take_policy(const struct policy_signatures *s, struct bundle_judging *j)
{
	j->rule.n_keys = s->n;
	j->rule.need = s->need;
	j->rule.where = s->where;
	return policy_signatures_keys(s, &j->keys);
}

/* One of the keyring is enough. */
static int take_keyring(const struct keyring *keys, struct bundle_judging *j)
{
	j->rule.n_keys = keys->n;
	j->keys = calloc(keys->n + 1, sizeof(*j->keys));
	for (size_t i = 0; j->keys && i < keys->n; i++)
		j->keys[i].name = keys->v[i].name;
	return j->keys ? 0 : -ENOMEM;
}

int bundle_judging_init(const struct policy *policy, const struct keyring *keys,
	const uint8_t (*revoked)[SIGN_ID_BYTES], size_t n_revoked, int64_t now, struct bundle_judging *ret)
{
	const struct policy_signatures *s = &policy->signatures;
	int r;

	*ret = (struct bundle_judging){
		.rule = { .need = 1, .revoked = revoked, .n_revoked = n_revoked, .now = now, .where = "a bundle" }
	};
	r = s->where ? take_policy(s, ret) : take_keyring(keys, ret);
	ret->rule.keys = ret->keys;
	return r;
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
