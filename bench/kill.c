/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill - how long from `stockade kill` to the end of the last process, beside a bare SIGKILL of the same PID 1, and
 * beside a command that does nothing else
 *
 * "tree N": a server of N processes, which says "ready" on stderr when all are there and ends with its stdin.
 * "end PID": SIGKILL, as any command does that a person runs: it has to be executed as well.
 * "run STOCKADE NAME ENTRY RUNS": so many sessions of NAME are ended in each way, in turn. A line each on stdout: what
 * ended it, nanoseconds from just before until PID 1's pidfd says that it is gone (it is not before every process of
 * its namespace is, pid_namespaces(7)), and nanoseconds until the command had ended. ENTRY is the file of the kill
 * entry, which is taken away after each.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LINE_BYTES = 4096, TREE_MAX = 100000, RUNS_MAX = 100000, GONE_MS = 60000 };

extern char **environ;

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "kill: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (long long)t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* 0: it is no number of 1 to max. */
static long number(const char *text, long max)
{
	char *end;
	long n = strtol(text, &end, 10);

	return *end || n < 1 || n > max ? 0 : n;
}

/* --- the server --- */

static int tree(long n)
{
	char byte;

	for (long i = 1; i < n; i++) {
		pid_t pid = fork();
		if (pid < 0)
			fail("fork");
		if (pid == 0)
			for (;;)
				pause();
	}
	fputs("ready\n", stderr);
	while (read(0, &byte, 1) > 0)
		;
	return 0;
}

/* --- its sessions --- */

struct session {
	pid_t pid;
	pid_t init_pid;
	int in, err, init; /* init: pidfd of PID 1 */
};

static pid_t spawn(char *const *argv, int in, int err)
{
	posix_spawn_file_actions_t a;
	pid_t pid;

	posix_spawn_file_actions_init(&a);
	posix_spawn_file_actions_adddup2(&a, in, 0);
	posix_spawn_file_actions_addopen(&a, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&a, err, 2);
	errno = posix_spawn(&pid, argv[0], &a, NULL, argv, environ);
	if (errno)
		fail(argv[0]);
	posix_spawn_file_actions_destroy(&a);
	return pid;
}

static void await_ready(int fd)
{
	char line[LINE_BYTES];
	size_t n = 0;
	ssize_t got;

	line[0] = '\0';
	while (n < sizeof(line) - 1 && !strstr(line, "ready")) {
		got = read(fd, line + n, sizeof(line) - 1 - n);
		if (got <= 0) {
			fputs(line, stderr);
			fail("the server did not get ready");
		}
		n += (size_t)got;
		line[n] = '\0';
	}
}

/* Is it the first of a PID namespace below ours? */
static int is_init(pid_t pid)
{
	char path[64], line[256];
	FILE *f;
	int found = 0, outer, inner;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		found = found || (sscanf(line, "NSpid: %d %d", &outer, &inner) == 2 && inner == 1);
	if (f)
		fclose(f);
	return found;
}

static int find_init(pid_t supervisor, pid_t *ret_pid)
{
	char path[64];
	int pid, found = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", supervisor, supervisor);
	f = fopen(path, "re");
	while (f && found < 0 && fscanf(f, "%d", &pid) == 1)
		if (is_init(pid)) {
			found = (int)syscall(SYS_pidfd_open, pid, 0);
			*ret_pid = pid;
		}
	if (f)
		fclose(f);
	if (found < 0)
		fail("no PID 1 of the session");
	return found;
}

static struct session start(char *stockade, char *name)
{
	char *argv[] = { stockade, (char[]){ "run" }, name, NULL };
	int in[2], err[2];
	struct session s;

	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
		fail("pipe");
	s.pid = spawn(argv, in[0], err[1]);
	close(in[0]);
	close(err[1]);
	s.in = in[1];
	s.err = err[0];
	await_ready(s.err);
	s.init = find_init(s.pid, &s.init_pid);
	return s;
}

static void await_gone(int init)
{
	struct pollfd p = { .fd = init, .events = POLLIN };

	if (poll(&p, 1, GONE_MS) != 1)
		fail("PID 1 is still there");
}

static void finish(struct session *s)
{
	char bytes[LINE_BYTES];

	close(s->in);
	while (read(s->err, bytes, sizeof(bytes)) > 0)
		;
	close(s->err);
	close(s->init);
	if (waitpid(s->pid, NULL, 0) < 0)
		fail("waitpid");
}

static void end_bare(char *stockade, char *name)
{
	struct session s = start(stockade, name);
	long long from = now_ns();

	if (syscall(SYS_pidfd_send_signal, s.init, SIGKILL, NULL, 0) < 0)
		fail("pidfd_send_signal");
	await_gone(s.init);
	printf("bare %lld 0\n", now_ns() - from);
	finish(&s);
}

/* argv[0] of ours is a path. */
static void end_executed(char *self, char *stockade, char *name)
{
	struct session s = start(stockade, name);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), status;
	char pid_words[32];
	char *argv[] = { self, (char[]){ "end" }, pid_words, NULL };
	long long from, gone;
	pid_t pid;

	snprintf(pid_words, sizeof(pid_words), "%d", s.init_pid);
	from = now_ns();
	pid = spawn(argv, null, null);
	await_gone(s.init);
	gone = now_ns() - from;
	if (waitpid(pid, &status, 0) != pid || status != 0)
		fail("end");
	printf("executed %lld %lld\n", gone, now_ns() - from);
	close(null);
	finish(&s);
}

static void end_killed(char *stockade, char *name, const char *entry)
{
	char *own[] = { stockade, (char[]){ "kill" }, (char[]){ "--own" }, name, NULL };
	struct session s = start(stockade, name);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), status;
	long long from = now_ns(), gone;
	pid_t pid = spawn(own, null, null);

	await_gone(s.init);
	gone = now_ns() - from;
	if (waitpid(pid, &status, 0) != pid || status != 0)
		fail("stockade kill");
	printf("kill %lld %lld\n", gone, now_ns() - from);
	close(null);
	finish(&s);
	if (unlink(entry) < 0)
		fail(entry);
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "tree") == 0 && number(argv[2], TREE_MAX))
		return tree(number(argv[2], TREE_MAX));
	if (argc == 3 && strcmp(argv[1], "end") == 0 && number(argv[2], INT_MAX))
		return kill((pid_t)number(argv[2], INT_MAX), SIGKILL) < 0;
	if (argc != 6 || strcmp(argv[1], "run") != 0) {
		fputs("usage: kill tree N | kill end PID | kill run STOCKADE NAME ENTRY RUNS\n", stderr);
		return 2;
	}
	for (long i = number(argv[5], RUNS_MAX); i > 0; i--) {
		end_bare(argv[2], argv[3]);
		end_executed(argv[0], argv[2], argv[3]);
		end_killed(argv[2], argv[3], argv[4]);
		fflush(stdout);
	}
	return 0;
}
