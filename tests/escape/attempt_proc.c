/* SPDX-License-Identifier: Apache-2.0 */
/* attempt_proc - other processes, kernel settings, the environment and the descriptors that one was started with */
#include "tests/escape/attempt.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include "base/parse.h"

enum { CMDLINE_BYTES = 4096, FDS_MAX = 4096 };

static pid_t pid_of(const char *text)
{
	uint64_t pid = 0;

	return parse_u64(text, 1, INT32_MAX, &pid) < 0 ? 1 : (pid_t)pid;
}

static void signal_process(struct outcome *o, char *const *arg)
{
	outcome_of(o, kill(pid_of(arg[0]), 0));
}

static void open_process(struct outcome *o, char *const *arg)
{
	outcome_of(o, syscall(SYS_pidfd_open, pid_of(arg[0]), 0));
}

static bool cmdline_has(const char *pid, const char *text)
{
	char path[64], line[CMDLINE_BYTES];

	snprintf(path, sizeof(path), "/proc/%.20s/cmdline", pid);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, line, sizeof(line));
	return n > 0 && memmem(line, (size_t)n, text, strlen(text));
}

/* Of any process but this one and its parent, which were told the text themselves. */
static void cmdline_find(struct outcome *o, char *const *arg)
{
	_cleanup_closedir_ DIR *dir = opendir("/proc");
	struct dirent *d;

	outcome_set(o, "ABSENT PROCESS");
	while (dir && (d = readdir(dir)))
		if (isdigit((unsigned char)d->d_name[0]) && pid_of(d->d_name) != getpid() &&
			pid_of(d->d_name) != getppid() && cmdline_has(d->d_name, arg[0]))
			outcome_set(o, "SUCCEEDED");
}

static void write_setting(struct outcome *o, char *const *arg)
{
	int fd = open(arg[0], O_WRONLY | O_CLOEXEC);

	outcome_of(o, fd < 0 ? -1 : write(fd, arg[1], strlen(arg[1])));
}

static void environment(struct outcome *o, char *const *arg)
{
	outcome_set(o, getenv(arg[0]) ? "SUCCEEDED" : "ABSENT VARIABLE");
}

/* The server that we are a child of: what it was started with, as the kernel recorded it. */
static void environment_of_server(struct outcome *o, char *const *arg)
{
	static char text[1 << 20];
	int fd = open("/proc/self/environ", O_RDONLY | O_CLOEXEC);
	size_t got = 0;
	ssize_t n;

	while (fd >= 0 && (n = read(fd, text + got, sizeof(text) - got)) > 0)
		got += (size_t)n;
	if (fd < 0)
		outcome_of(o, -1);
	else
		outcome_set(o, memmem(text, got, arg[0], strlen(arg[0])) ? "SUCCEEDED" : "ABSENT TEXT");
}

/* Our own pipe to the parent is one more than the server had. */
static void descriptors(struct outcome *o, char *const *arg)
{
	int n = -1;

	for (int fd = 3; fd < FDS_MAX; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			n++;
	if (n > 0)
		outcome_set(o, "SUCCEEDED");
	else
		outcome_set(o, "ABSENT DESCRIPTOR");
}

const struct attempt attempts_proc[] = {
	{ "signal", signal_process, 1 },
	{ "pidfd-open", open_process, 1 },
	{ "cmdline-find", cmdline_find, 1 },
	{ "write-setting", write_setting, 2 },
	{ "environment", environment, 1 },
	{ "environment-text", environment_of_server, 1 },
	{ "descriptors", descriptors, 0 },
	{ NULL },
};
