/* SPDX-License-Identifier: Apache-2.0 */
/* judging - see judging.h */
#include "supervisor/signing/judging.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"

enum { SHOWN = 300 };

static int add_keys(struct keyring *keys, const char *dir, enum fs_trust trust, uid_t uid, struct diag *d)
{
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char shown[SHOWN];

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return diag_fail(d, -errno, "the keys in %s cannot be read, so nothing is started: %s",
			text_escape_str(dir, shown, sizeof(shown)), strerror(errno));
	return keyring_add_dir(keys, fd, dir, trust, uid, d);
}

static int load_keys(struct judging *j, const struct paths *own, struct diag *d)
{
	_cleanup_free_ char *dir = NULL;

	if (j->policy->file || !own)
		return add_keys(&j->keys, JUDGING_KEYS_DIR, FS_TRUST_ROOT, 0, d);
	if (asprintf(&dir, "%s/keys", own->config) < 0) {
		dir = NULL;
		return -ENOMEM;
	}
	return add_keys(&j->keys, dir, FS_TRUST_USER, own->uid, d);
}

int judging_init(const struct policy *policy, const struct paths *own, int64_t now, struct judging *ret, struct diag *d)
{
	_cleanup_judging_ struct judging j = { .policy = policy, .now = now };
	int r = sign_init();

	if (r < 0)
		return diag_fail(d, r, "signatures cannot be verified: libsodium does not start");
	r = load_keys(&j, own, d);
	if (r == 0)
		r = revocations_add_dir(&j.revoked, JUDGING_REVOKED_DIR, FS_TRUST_ROOT, 0, &j.keys, policy, d);
	if (r < 0)
		return r;
	*ret = j;
	j = (struct judging){ 0 };
	return 0;
}

void judging_done(struct judging *j)
{
	keyring_done(&j->keys);
	revocations_done(&j->revoked);
	*j = (struct judging){ 0 };
}
