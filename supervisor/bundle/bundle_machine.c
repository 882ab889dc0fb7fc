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

int bundle_judging_init(const struct judging *by, struct bundle_judging *ret, struct diag *d)
{
	const struct policy_signatures *s = &by->policy->signatures;
	int r;

	*ret = (struct bundle_judging){ .rule = { .need = 1,
						.revoked = (const uint8_t(*)[SIGN_ID_BYTES])by->revoked.keys,
						.n_revoked = by->revoked.n_keys,
						.now = by->now,
						.where = "a bundle" },
		.args = { .keys = &by->keys, .now = by->now, .stale = (int64_t)by->policy->bundle.stale } };
	r = s->where ? take_policy(s, ret) : take_keyring(&by->keys, ret);
	ret->rule.keys = ret->keys;
	ret->args.rule = &ret->rule;
	return r < 0 ? diag_fail(d, r, "there is no memory for a bundle") : 0;
}

void bundle_judging_done(struct bundle_judging *j)
{
	free(j->keys);
	*j = (struct bundle_judging){ 0 };
}

int bundle_load_machine(const struct judging *by, struct bundle *ret, struct diag *d)
{
	_cleanup_bundle_judging_ struct bundle_judging j = { 0 };
	int r = bundle_judging_init(by, &j, d);

	return r ? r : bundle_load(&j.args, ret, d);
}
