/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp_load - see seccomp_load.h */
#include "base/seccomp_load.h"
#include <errno.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

int seccomp_load(const struct seccomp_filter *f)
{
	struct sock_fprog prog = { .len = f->len, .filter = (struct sock_filter *)(uintptr_t)f->code };

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0 ? -errno : 0;
}
