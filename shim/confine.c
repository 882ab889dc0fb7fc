/* SPDX-License-Identifier: Apache-2.0 */
/* confine - see confine.h */
#include "shim/confine.h"
#include "base/lockdown.h"
#include "profiles/seccomp_filters.h"

/* poll(2) refuses to look at more descriptors than the limit. */
enum { CONFINE_FILES = 16 };

int confine(struct diag *d)
{
	const struct lockdown l = { .filter = &seccomp_filter_shim, .files = CONFINE_FILES };

	return lockdown_apply(&l, d);
}
