/* SPDX-License-Identifier: Apache-2.0 */
/* attempt_resources - taking more than one's share: processes, descriptors, memory-backed files, locked memory */
#include "tests/escape/attempt.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include "base/parse.h"

static uint64_t number(const char *text)
{
	uint64_t n = 0;

	return parse_size(text, 0, UINT64_MAX, &n) < 0 ? 0 : n;
}

/* As high as the hard limit lets it. */
static void raise_limit(__rlimit_resource_t what)
{
	struct rlimit l;

	if (getrlimit(what, &l) == 0) {
		l.rlim_cur = l.rlim_max;
		(void)!setrlimit(what, &l);
	}
}

/* Bounded by arg[0] for the control's sake: each one ends with its parent. */
static void fork_many(struct outcome *o, char *const *arg)
{
	uint64_t want = number(arg[0]), n = 0;
	pid_t self = getpid();
	int error = 0;

	raise_limit(RLIMIT_NPROC);
	while (n < want && !error) {
		pid_t pid = fork();
		if (pid == 0) {
			if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == self)
				pause();
			_exit(0);
		}
		if (pid < 0)
			error = errno;
		else
			n++;
	}
	if (error)
		outcome_set(o, "BLOCKED %s", strerrorname_np(error));
	else
		outcome_set(o, "SUCCEEDED");
}

static int open_null(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int open_socket(void)
{
	return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static void open_many(struct outcome *o, char *const *arg, int (*one)(void))
{
	uint64_t want = number(arg[0]);
	int fd = 0;

	raise_limit(RLIMIT_NOFILE);
	while (want-- > 0 && fd >= 0)
		fd = one();
	outcome_of(o, fd);
}

static void files_many(struct outcome *o, char *const *arg)
{
	open_many(o, arg, open_null);
}

static void sockets_many(struct outcome *o, char *const *arg)
{
	open_many(o, arg, open_socket);
}

/* arg: file, bytes. Reserved at once, so that the control costs no time; taken back afterwards. */
static void fill(struct outcome *o, char *const *arg)
{
	int fd = open(arg[0], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	outcome_of(o, fd < 0 ? -1 : fallocate(fd, 0, 0, (off_t)number(arg[1])));
	unlink(arg[0]);
}

/* arg: directory, number. Small files use up what a limit in bytes alone does not see. */
static void fill_names(struct outcome *o, char *const *arg)
{
	uint64_t want = number(arg[1]), i;
	char path[512];
	int fd = 0;

	for (i = 0; i < want && fd >= 0; i++) {
		snprintf(path, sizeof(path), "%s/name-%ju", arg[0], (uintmax_t)i);
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		if (fd >= 0)
			close(fd);
	}
	outcome_of(o, fd);
	while (i-- > 0) {
		snprintf(path, sizeof(path), "%s/name-%ju", arg[0], (uintmax_t)i);
		unlink(path);
	}
}

static void dump_core(struct outcome *o, char *const *arg)
{
	struct rlimit l = { 4096, 4096 };

	outcome_of(o, setrlimit(RLIMIT_CORE, &l));
}

/* arg: the new hard limit. Whoever may lower it may not raise it again. */
static void raise_files(struct outcome *o, char *const *arg)
{
	struct rlimit l = { number(arg[0]), number(arg[0]) };

	outcome_of(o, setrlimit(RLIMIT_NOFILE, &l));
}

static void raise_processes(struct outcome *o, char *const *arg)
{
	struct rlimit l = { number(arg[0]), number(arg[0]) };

	outcome_of(o, setrlimit(RLIMIT_NPROC, &l));
}

const struct attempt attempts_resources[] = {
	{ "fork-many", fork_many, 1 },
	{ "files-many", files_many, 1 },
	{ "sockets-many", sockets_many, 1 },
	{ "fill", fill, 2 },
	{ "fill-names", fill_names, 2 },
	{ "dump-core", dump_core },
	{ "raise-files", raise_files, 1 },
	{ "raise-processes", raise_processes, 1 },
	{ NULL },
};
