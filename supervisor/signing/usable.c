/* SPDX-License-Identifier: Apache-2.0 */
/* usable - see usable.h */
#include "supervisor/signing/usable.h"

int usable_load(
	struct vouching *v, const char *name_or_file, struct profile *ret, struct freshness *ret_fresh, struct diag *d)
{
	int r = name_or_file ? profile_load(v, name_or_file, ret, d) : profile_init_unprofiled(ret);

	if (r == 0)
		r = policy_judge_profile(&v->policy->servers, ret, d);
	return r < 0 ? r : freshness_check(v->paths, ret, &v->moments, ret_fresh, d);
}
