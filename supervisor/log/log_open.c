/* SPDX-License-Identifier: Apache-2.0 */
/* log_open - see log_open.h */
#include "supervisor/log/log_open.h"
#include "supervisor/role.h"

int log_open(const struct paths *p, const struct audit_identity *id, struct audit **ret, struct diag *d)
{
	_cleanup_close_ int state = -1, dir = -1;
	_cleanup_log_key_ struct log_key key = { .id = "" };
	int r = paths_open_state(p, "audit", &dir, d);

	if (r == 0)
		r = paths_open_state(p, "", &state, d);
	if (r == 0)
		r = log_key_take(state, &key, d);
	return r < 0 ? r : audit_open(&(struct audit_options){ .dirfd = dir, .key = &key }, id, ret, d);
}

int log_open_keys(const struct paths *p, struct log_keys *ret, struct diag *d)
{
	_cleanup_close_ int state = -1;
	int r = paths_open_state(p, "", &state, d);

	return r < 0 ? r : log_keys_own(ret, state, d);
}
