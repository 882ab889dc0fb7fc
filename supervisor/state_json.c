/* SPDX-License-Identifier: Apache-2.0 */
/* state_json - see state_json.h */
#include "supervisor/state_json.h"
#include <errno.h>
#include "base/fs.h"

int state_json_read(int dir, const char *name, uid_t uid, size_t max, json_t **ret, struct diag *d)
{
	_cleanup_buf_ struct buf b = BUF_INIT(max);
	int r;

	*ret = NULL;
	r = fs_read_trusted(dir, name, FS_TRUST_USER, uid, &b, d);
	if (r < 0)
		return r;
	*ret = json_loadb(b.data ? b.data : "", b.len, JSON_REJECT_DUPLICATES, NULL);
	return *ret ? 0 : diag_fail(d, -EINVAL, "it is not JSON");
}
