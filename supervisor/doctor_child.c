/* SPDX-License-Identifier: Apache-2.0 */
/* doctor_child - a child that tries one layer and reports over a pipe how far it came */
#include "supervisor/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"

#define SERVER_USER "_stockade"
enum { NOBODY = 65534, CHILD_SECONDS = 10 };

/* From the file, not from NSS: that would load foreign libraries into a static program. */
static void server_ids(uid_t *uid, gid_t *gid)
{
	_cleanup_fclose_ FILE *f = fopen("/etc/passwd", "re");
	*uid = NOBODY;
	*gid = NOBODY;
	for (struct passwd *p; f && (p = fgetpwent(f));)
		if (strcmp(p->pw_name, SERVER_USER) == 0) {
			*uid = p->pw_uid;
			*gid = p->pw_gid;
		}
}

static int become_server_user(struct doctor_attempt *a)
{
	uid_t uid;
	gid_t gid;

	if (geteuid() != 0)
		return 0;
	server_ids(&uid, &gid);
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return doctor_step_failed(a, "become the servers' user");
	/* setresuid(2) made us undumpable, and uid_map is then not ours to write. */
	if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
		return doctor_step_failed(a, "become dumpable again");
	return 0;
}

int doctor_step_failed(struct doctor_attempt *a, const char *step)
{
	a->error = errno ? errno : EIO;
	snprintf(a->step, sizeof(a->step), "%s", step);
	return -a->error;
}

static int write_file(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	return n < 0 ? -errno : 0;
}

int doctor_enter_userns(struct doctor_attempt *a, int flags)
{
	char map[64];
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (unshare(CLONE_NEWUSER) < 0)
		return doctor_step_failed(a, "create a user namespace");
	if (write_file("/proc/self/setgroups", "deny") < 0)
		return doctor_step_failed(a, "forbid setgroups in the user namespace");
	snprintf(map, sizeof(map), "%u %u 1", uid, uid);
	if (write_file("/proc/self/uid_map", map) < 0)
		return doctor_step_failed(a, "map the user");
	snprintf(map, sizeof(map), "%u %u 1", gid, gid);
	if (write_file("/proc/self/gid_map", map) < 0)
		return doctor_step_failed(a, "map the group");
	if (flags && unshare(flags) < 0)
		return doctor_step_failed(a, "create the namespaces");
	return 0;
}

static _Noreturn void child_main(int (*fn)(struct doctor_attempt *a), bool as_server, int pipe_fd)
{
	struct doctor_attempt a = { 0 };

	alarm(CHILD_SECONDS);
	errno = 0;
	if ((!as_server || become_server_user(&a) == 0) && fn(&a) < 0 && a.error == 0)
		a.error = EIO;
	if (io_write_full(pipe_fd, &a, sizeof(a)) < 0)
		_exit(1);
	_exit(0);
}

static void child_died(int status, struct doctor_attempt *ret)
{
	ret->error = EIO;
	if (WIFSIGNALED(status))
		snprintf(ret->step, sizeof(ret->step), "ended by signal %d", WTERMSIG(status));
	else
		snprintf(ret->step, sizeof(ret->step), "ended with status %d", WEXITSTATUS(status));
}

static void try_in_child(int (*fn)(struct doctor_attempt *a), bool as_server, struct doctor_attempt *ret)
{
	_cleanup_close_ int rd = -1;
	int p[2], status = 0;
	ssize_t n;
	pid_t pid;

	memset(ret, 0, sizeof(*ret));
	if (pipe2(p, O_CLOEXEC) < 0) {
		(void)!doctor_step_failed(ret, "make a pipe");
		return;
	}
	rd = p[0];
	pid = fork();
	if (pid == 0)
		child_main(fn, as_server, p[1]);
	close(p[1]);
	if (pid < 0) {
		(void)!doctor_step_failed(ret, "fork a child");
		return;
	}
	do
		n = read(rd, ret, sizeof(*ret));
	while (n < 0 && errno == EINTR);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (n != (ssize_t)sizeof(*ret))
		child_died(status, ret);
}

void doctor_try(int (*fn)(struct doctor_attempt *a), struct doctor_attempt *ret)
{
	try_in_child(fn, true, ret);
}

void doctor_try_as_started(int (*fn)(struct doctor_attempt *a), struct doctor_attempt *ret)
{
	try_in_child(fn, false, ret);
}
