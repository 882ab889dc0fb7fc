/* SPDX-License-Identifier: Apache-2.0 */
/* capabilities - none in any set, none to be had again, and proof of it; for PID 1 and for the server */
#include <cap-ng.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "enter/enter.h"

enum { CAPABILITY_BITS = 64 };

static const unsigned long locked_bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
					 SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
					 SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;

static int drop(struct enter *e)
{
	/* Locking takes CAP_SETPCAP, so it comes before the drop. */
	if (prctl(PR_SET_SECUREBITS, locked_bits) < 0)
		return enter_fail(e, -errno, "securebits");
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return enter_fail(e, -errno, "ambient set");
	capng_clear(CAPNG_SELECT_ALL);
	if (capng_apply(CAPNG_SELECT_BOUNDS) < 0)
		return enter_fail(e, -EPERM, "bounding set");
	if (capng_apply(CAPNG_SELECT_CAPS) < 0)
		return enter_fail(e, -EPERM, "capability sets");
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? enter_fail(e, -errno, "no_new_privs") : 0;
}

/* Asked of the kernel, not of the library that dropped them; a number it does not know is EINVAL, past the last one. */
static int verify_empty_bounds(struct enter *e)
{
	for (unsigned long cap = 0; cap < CAPABILITY_BITS; cap++) {
		int have = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);
		if (have < 0)
			return errno == EINVAL && cap > CAP_CHECKPOINT_RESTORE ? 0
									       : enter_fail(e, -errno, "bounding set");
		if (have > 0)
			return enter_fail(e, -EPERM, "bounding set is not empty");
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) != 0)
			return enter_fail(e, -EPERM, "ambient set is not empty");
	}
	return 0;
}

static int verify(struct enter *e)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3], none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (syscall(SYS_capget, &header, sets) < 0)
		return -errno;
	if (memcmp(sets, none, sizeof(sets)) != 0)
		return enter_fail(e, -EPERM, "capability sets are not empty");
	if (prctl(PR_GET_SECUREBITS) != (int)locked_bits)
		return enter_fail(e, -EPERM, "securebits");
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return enter_fail(e, -EPERM, "no_new_privs");
	return verify_empty_bounds(e);
}

int stage_capabilities(struct enter *e)
{
	int r = drop(e);

	return r < 0 ? r : verify(e);
}
