/* SPDX-License-Identifier: Apache-2.0 */
/* doctor_places - what must be on the disk: helper programs of this build, the log, the runtime directory, a user */
#include "supervisor/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "supervisor/kill/kill_watch.h"
#include "supervisor/policy/policy.h"
#include "build_id.h"

enum { PROGRAM_BYTES_MAX = 64 << 20 };

/* A helper of another build refuses our first message; better to hear it here. The id stands in each program as a
 * string. */
static bool same_build(int fd)
{
	_cleanup_buf_ struct buf b = BUF_INIT(PROGRAM_BYTES_MAX);
	return io_read_all(fd, &b) == 0 && memmem(b.data, b.len, STOCKADE_BUILD_ID, sizeof(STOCKADE_BUILD_ID));
}

static void check_program(const struct doctor_env *env, const char *name, struct doctor_result *r)
{
	char path[512];
	struct stat st;
	_cleanup_close_ int fd = -1;

	snprintf(path, sizeof(path), "%s/%s", env->libexec, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0) {
		doctor_no(r, "%s: %s", path, strerror(errno));
		doctor_mend(r, "install stockade again: './dev install', or the package; the programs belong together");
	} else if ((st.st_mode & 022) || (st.st_uid != 0 && st.st_uid != geteuid())) {
		doctor_no(r, "%s can be changed by others", path);
		doctor_mend(r, "as root: chown root:root %s && chmod 0755 %s", path, path);
	} else if (!same_build(fd)) {
		doctor_no(r, "%s is not of this build (%s)", path, STOCKADE_BUILD_ID);
		doctor_mend(r, "install stockade again, all programs at once; sessions that still run keep their own");
	} else {
		doctor_yes(r, "%s, build %s", path, STOCKADE_BUILD_ID);
	}
}

static void check_enter(const struct doctor_env *env, struct doctor_result *r)
{
	check_program(env, "stockade-enter", r);
}

static void check_shim(const struct doctor_env *env, struct doctor_result *r)
{
	check_program(env, "stockade-shim", r);
}

static void check_gateway(const struct doctor_env *env, struct doctor_result *r)
{
	check_program(env, "stockade-gateway", r);
}

static void check_dial(const struct doctor_env *env, struct doctor_result *r)
{
	check_program(env, "stockade-dial", r);
}

/* A record's worth, written and reserved as the log does it. */
static int try_write(int dir)
{
	static const char name[] = ".doctor";
	char block[4096] = { 0 };
	_cleanup_close_ int fd = openat(dir, name, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return -errno;
	r = io_write_full(fd, block, sizeof(block));
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (unlinkat(dir, name, 0) < 0 && r == 0)
		r = -errno;
	return r;
}

static bool paths_known(const struct doctor_env *env, struct doctor_result *r)
{
	if (env->paths)
		return true;
	doctor_no(r, "%s", env->paths_error);
	return false;
}

static void check_audit(const struct doctor_env *env, struct doctor_result *r)
{
	_cleanup_close_ int dir = -1;
	struct diag d = { 0 };
	int err;

	if (!paths_known(env, r))
		return;
	err = paths_open_state(env->paths, "audit", &dir, &d);
	if (err < 0) {
		doctor_no(r, "%s", d.text);
		doctor_mend(r,
			"make %s/audit a directory of your own with mode 0700; without a log no server is started",
			env->paths->state);
		return;
	}
	err = try_write(dir);
	if (err == 0) {
		doctor_yes(r, "%s/audit was written", env->paths->state);
		return;
	}
	doctor_no(r, "%s/audit: %s", env->paths->state, strerror(-err));
	doctor_mend(r, err == -ENOSPC || err == -EDQUOT
			       ? "make room on that file system; without a log no server is started"
			       : "make the directory yours and writable; without a log no server is started");
}

static void check_runtime(const struct doctor_env *env, struct doctor_result *r)
{
	_cleanup_close_ int dir = -1;
	struct diag d = { 0 };

	if (!paths_known(env, r))
		return;
	if (paths_open_runtime(env->paths, "", &dir, &d) == 0) {
		doctor_yes(r, "%s", env->paths->runtime);
		return;
	}
	doctor_no(r, "%s", d.text);
	doctor_mend(r, "unset XDG_RUNTIME_DIR, or make it a directory of your own with mode 0700");
}

static void check_kills(const struct doctor_env *env, struct doctor_result *r)
{
	struct kill_watch w = KILL_WATCH_NONE;
	long most = doctor_sysctl(env, "fs/inotify/max_user_instances");

	if (!paths_known(env, r))
		return;
	kill_watch_begin(env->paths, &w);
	if (w.fd >= 0) {
		doctor_yes(r,
			"entries are watched for by inotify, of which a user has %ld instances; a session takes "
			"one",
			most);
		kill_watch_done(&w);
		return;
	}
	doctor_note(r,
		"inotify has run out (%ld instances a user): a session that starts now looks for entries every "
		"%d ms instead; 'stockade kill' reaches it at once all the same",
		most, KILL_POLL_MS);
	doctor_mend(r, "as root: sysctl -w fs.inotify.max_user_instances=1024");
}

static void check_policy(const struct doctor_env *env, struct doctor_result *r)
{
	_cleanup_policy_ struct policy policy = { 0 };
	struct diag d = { 0 };

	if (policy_load(&policy, &d) < 0) {
		doctor_no(r, "%s", d.text);
		doctor_mend(r, "as root: mend or replace " POLICY_FILE);
	} else if (policy_mode_observes(&policy.mode, time(NULL))) {
		doctor_yes(r,
			"%s holds for every launch; until %s what profiles deny of tools and hosts is only recorded "
			"(%s)",
			policy.file, policy.mode.until, policy.mode.where);
	} else if (policy.mode.observe) {
		doctor_yes(r, "%s holds for every launch; it observes no longer, since %s has passed", policy.file,
			policy.mode.until);
	} else if (policy.file) {
		doctor_yes(r, "%s holds for every launch", policy.file);
	} else {
		doctor_yes(r, "there is none: nobody but you lays anything down here");
	}
}

static bool user_exists(const char *name)
{
	_cleanup_fclose_ FILE *f = fopen("/etc/passwd", "re");
	for (struct passwd *p; f && (p = fgetpwent(f));)
		if (strcmp(p->pw_name, name) == 0)
			return true;
	return false;
}

static void check_user(const struct doctor_env *env, struct doctor_result *r)
{
	if (geteuid() != 0) {
		doctor_yes(r, "servers run as you, uid %u, in a user namespace", geteuid());
	} else if (user_exists("_stockade")) {
		doctor_yes(r, "started by root, servers run as _stockade");
	} else {
		doctor_no(r, "started by root, and there is no user _stockade to run servers as");
		doctor_mend(r, "useradd --system --user-group --no-create-home --shell /usr/sbin/nologin _stockade "
			       "('./dev install' does it)");
	}
}

/* What a kernel or a container says that forbids namespaces; anything else is the installation's fault. */
static bool is_refusal(int error)
{
	static const int refusals[] = { EPERM, EACCES, ENOSPC, EUSERS, ENOSYS, EINVAL };

	for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
		if (error == refusals[i])
			return true;
	return false;
}

static void check_launch(const struct doctor_env *env, struct doctor_result *r)
{
	struct doctor_attempt a;

	doctor_try_as_started(doctor_launch, &a);
	if (a.error == 0) {
		doctor_yes(r, "stockade-enter built one around /bin/true, which ran and ended");
		return;
	}
	if (a.said) {
		doctor_no(r, "%s", a.step);
		doctor_mend(r, "what is said there, and what is missing above: the kernel was not asked");
		return;
	}
	doctor_no(r, "%s: %s", a.step, strerror(a.error));
	if (is_refusal(a.error))
		doctor_mend_namespaces(env, &a, r);
	else
		doctor_mend(r, "reinstall stockade: its programs belong together; %s is where they are looked for",
			env->libexec);
}

const struct doctor_check doctor_place_checks[] = {
	{ "stockade-enter", check_enter },
	{ "stockade-shim", check_shim },
	{ "stockade-gateway", check_gateway },
	{ "stockade-dial", check_dial },
	{ "audit log", check_audit },
	{ "runtime directory", check_runtime },
	{ "policy", check_policy },
	{ "kill switch", check_kills },
	{ "signing keys", doctor_check_keys },
	{ "bundle", doctor_check_bundle },
	{ "collector", doctor_check_collector },
	{ "clock", doctor_check_clock },
	{ "servers' user", check_user },
	{ "a whole sandbox", check_launch },
};
const size_t doctor_place_checks_n = ARRAY_LEN(doctor_place_checks);
