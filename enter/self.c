/* SPDX-License-Identifier: Apache-2.0 */
/*
 * self - the file that we are executed from must not be one that the server's user can change (CVE-2019-5736)
 *
 * A server that got hold of /proc/PID/exe could write what the next launch executes outside. PID 1 is not dumpable, its
 * file lies in no mount of the sandbox and Landlock knows no rule for it; where the user owns the file all the same
 * (an installation below a home), we go on from a sealed copy in memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>
#include "enter/enter.h"

static const int all_seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;

/* 1 when our file can be changed by the effective user, 0 when not, -errno. An owner can always make it writable. */
static int is_changeable(int fd)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);

	/* Files that cannot be sealed answer EINVAL. */
	if (seals < 0 && errno != EINVAL)
		return -errno;
	if (seals >= 0 && (seals & all_seals) == all_seals)
		return 0;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid == geteuid())
		return 1;
	if (faccessat(AT_FDCWD, "/proc/self/exe", W_OK, AT_EACCESS) == 0)
		return 1;
	return errno == EACCES || errno == EROFS ? 0 : -errno;
}

static int copy_and_execute(int from)
{
	_cleanup_close_ int copy = memfd_create("enter", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	char name[] = "stockade-enter", *argv[] = { name, NULL }, *envp[] = { NULL };
	struct stat st;

	if (copy < 0 || fstat(from, &st) < 0)
		return -errno;
	for (off_t left = st.st_size; left > 0;) {
		ssize_t n = sendfile(copy, from, NULL, (size_t)left);
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		left -= n;
	}
	if (fcntl(copy, F_ADD_SEALS, all_seals) < 0)
		return -errno;
	fexecve(copy, argv, envp);
	return -errno;
}

int self_check(struct enter *e)
{
	_cleanup_close_ int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int r = fd < 0 ? -errno : is_changeable(fd);

	if (r <= 0)
		return r < 0 ? enter_fail(e, r, "/proc/self/exe") : 0;
	/* What root has taken as descriptors would be lost over an exec, and root's file should be root's. */
	if (e->privileged)
		return enter_fail(e, -EPERM, "the server's user can change stockade-enter");
	return enter_fail(e, copy_and_execute(fd), "/proc/self/exe");
}
