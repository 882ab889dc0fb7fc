/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_highest - see bundle_highest.h */
#include "supervisor/bundle/bundle_highest.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"

enum { SHOWN = 300, FORMAT = 1 };

static int damaged(const char *path, const char *why, struct diag *d)
{
	char shown[SHOWN];

	return diag_fail(d, -EINVAL,
		"%s, which remembers the highest version of a bundle that was kept here, cannot be used: %s. Nothing "
		"is started or taken by a bundle until whoever manages this machine has looked at it; once it is "
		"removed, 'stockade sync' makes it anew of what is kept",
		text_escape_str(path, shown, sizeof(shown)), why);
}

static int parse(const char *path, const struct buf *b, struct bundle_highest *ret, struct diag *d)
{
	json_t *o = json_loadb(b->data ? b->data : "", b->len, JSON_REJECT_DUPLICATES, NULL);
	const char *name = json_string_value(json_object_get(o, "bundle"));
	json_int_t version = json_integer_value(json_object_get(o, "version"));
	bool good = json_integer_value(json_object_get(o, "stockade")) == FORMAT && name && version > 0;

	if (good) {
		ret->version = (uint64_t)version;
		text_escape_str(name, ret->name, sizeof(ret->name));
	}
	json_decref(o);
	return good ? 0 : damaged(path, "it is damaged", d);
}

int bundle_highest_read(const char *path, enum fs_trust trust, uid_t uid, struct bundle_highest *ret, struct diag *d)
{
	_cleanup_buf_ struct buf b = BUF_INIT(BUNDLE_HIGHEST_MAX);
	struct diag why = { "" };
	int r = fs_read_trusted_file(path, trust, uid, &b, &why);

	*ret = (struct bundle_highest){ 0 };
	if (r == -ENOENT)
		return 0;
	return r < 0 ? damaged(path, why.text, d) : parse(path, &b, ret, d);
}

int bundle_highest_raise(int dir, const struct bundle *b, struct diag *d)
{
	struct bundle_highest old;
	_cleanup_free_ char *text = NULL;
	json_t *o;
	int r = bundle_highest_read(BUNDLE_HIGHEST, FS_TRUST_ROOT, 0, &old, d);

	if (r < 0 || b->version <= old.version)
		return r;
	o = json_pack("{s:i, s:s, s:I}", "stockade", FORMAT, "bundle", b->name, "version", (json_int_t)b->version);
	text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	if (!text)
		return diag_fail(d, -ENOMEM, "there is no memory for the version of a bundle");
	return fs_write_atomic(dir, "highest", text, strlen(text), 0644, d);
}
