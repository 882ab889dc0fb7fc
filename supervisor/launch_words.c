/* SPDX-License-Identifier: Apache-2.0 */
/* launch_words - see launch_words.h */
#include "supervisor/launch_words.h"
#include <errno.h>
#include <string.h>
#include "base/text.h"
#include "supervisor/exit.h"

#define ANY (-1)

/* First row that matches wins. */
static const struct {
	enum enter_stage stage;
	int error;
	const char *mend;
} mends[] = {
	{ ENTER_STAGE_CLONE, EPERM,
		"this kernel or machine refuses user namespaces (kernel.unprivileged_userns_clone, AppArmor, or a "
		"container's filter): 'stockade doctor' says which and how to allow them" },
	{ ENTER_STAGE_CLONE, EACCES,
		"a security module (AppArmor, SELinux) refuses user namespaces: 'stockade doctor' says which and how "
		"to "
		"allow them" },
	{ ENTER_STAGE_CLONE, ENOSPC,
		"user.max_user_namespaces (or another limit of /proc/sys/user) is used up or 0: raise it with sysctl" },
	{ ENTER_STAGE_CLONE, EUSERS, "user namespaces are nested too deep or user.max_user_namespaces is 0" },
	{ ENTER_STAGE_CLONE, EINVAL,
		"this kernel lacks a namespace that stockade needs (Linux 6.1 with USER_NS, PID_NS, NET_NS, IPC_NS, "
		"UTS_NS is the floor)" },
	{ ENTER_STAGE_CLONE, EAGAIN, "the user's limit of processes (ulimit -u) is reached: end some" },
	{ ENTER_STAGE_IDMAP, ANY,
		"user namespaces are restricted here (AppArmor on Ubuntu does this): 'stockade doctor' shows the "
		"mend" },
	{ ENTER_STAGE_LOOPBACK, EPERM,
		"AppArmor restricts user namespaces (kernel.apparmor_restrict_unprivileged_userns): install the "
		"AppArmor profile for stockade-enter, 'stockade doctor' shows how" },
	{ ENTER_STAGE_PROPAGATION, EACCES,
		"AppArmor restricts user namespaces (kernel.apparmor_restrict_unprivileged_userns): install the "
		"AppArmor profile for stockade-enter, 'stockade doctor' shows how" },
	{ ENTER_STAGE_PROC, EPERM,
		"a container that masks parts of /proc forbids a fresh one: run the container without masked paths, or "
		"stockade outside of it" },
	{ ENTER_STAGE_LANDLOCK, EOPNOTSUPP,
		"this kernel has no Landlock, or it is not in the 'lsm=' list at boot: add it" },
	{ ENTER_STAGE_SOURCES, ESTALE, "it changed between the question and the launch: start it again" },
	{ ENTER_STAGE_MOUNTS, ESTALE, "it changed between the question and the launch: start it again" },
	{ ENTER_STAGE_MOUNTS, ENOENT, "it is gone: make it again, or take the grant out" },
	{ ENTER_STAGE_MOUNTS, EACCES, "the user whom the server runs as may not reach it" },
	{ ENTER_STAGE_RLIMITS, EPERM,
		"a limit asks for more than this user's hard limit: lower limits.files or limits.processes in the "
		"profile" },
	{ ENTER_STAGE_PLAN, EPROTO,
		"stockade was upgraded while this one ran, or its programs are of different builds: start it again, "
		"else reinstall" },
	{ ENTER_STAGE_PRIVILEGE, ANY,
		"stockade's programs must not be setuid or setgid, and a server never runs as root" },
	{ ENTER_STAGE_EXEC, ENOENT,
		"the program, or the interpreter or loader that it names, does not exist inside the sandbox: 'stockade "
		"check' lists what does" },
	{ ENTER_STAGE_EXEC, EACCES, "the file may not be executed: check its mode" },
	{ ENTER_STAGE_EXEC, ENOEXEC, "the file is in no format that this machine executes" },
};

static const char *mend_for(const struct report *r)
{
	for (size_t i = 0; i < ARRAY_LEN(mends); i++)
		if (mends[i].stage == r->stage && (mends[i].error == ANY || mends[i].error == r->error))
			return mends[i].mend;
	return "'stockade doctor' tries every layer on this machine";
}

int launch_words(const struct report *r, struct diag *d)
{
	char detail[REPORT_DETAIL_MAX];
	bool has = r->detail[0];

	text_escape_str(r->detail, detail, sizeof(detail));
	diag_set(d, "cannot %s%s%s%s: %s (stage %s). Nothing was started: %s", enter_stage_words(r->stage),
		has ? " (" : "", detail, has ? ")" : "", strerror(r->error), enter_stage_name(r->stage), mend_for(r));
	if (r->stage != ENTER_STAGE_EXEC)
		return EXIT_REFUSED;
	return r->error == ENOENT			   ? EXIT_NOT_FOUND
	       : r->error == EACCES || r->error == ENOEXEC ? EXIT_NOT_EXECUTABLE
							   : EXIT_REFUSED;
}
