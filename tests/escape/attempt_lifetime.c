/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attempt_lifetime - outliving the session, and drowning whoever reads
 *
 * What these leave behind carries the mark that the server was started with (--mark WORD) in its command line, so that
 * the test outside can look for it.
 */
#include "tests/escape/attempt.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "base/parse.h"

enum { CHUNK = 1 << 16, BOMB_ROUNDS = 7 };

static uint64_t number(const char *text)
{
	uint64_t n = 0;

	return parse_size(text, 0, UINT64_MAX, &n) < 0 ? 0 : n;
}

static void deafen(void)
{
	for (int s = 1; s < 32; s++)
		signal(s, SIG_IGN);
}

static void linger(void)
{
	deafen();
	for (;;)
		pause();
}

/* Twice forked, its own session, no terminal, deaf: what a daemon does. It keeps stdout and stderr on purpose. */
static void daemonise(struct outcome *o, char *const *arg)
{
	pid_t pid = fork();

	if (pid == 0) {
		setsid();
		if (fork() == 0)
			linger();
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	outcome_set(o, "SUCCEEDED");
}

static void ignore_signals(struct outcome *o, char *const *arg)
{
	if (fork() == 0)
		linger();
	outcome_set(o, "SUCCEEDED");
}

/* Stopped, a process takes no signal but SIGKILL and SIGCONT. */
static void stopped(struct outcome *o, char *const *arg)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		raise(SIGSTOP);
		linger();
	}
	waitpid(pid, &status, WUNTRACED);
	outcome_set(o, "SUCCEEDED");
}

/* The server itself stops: nobody answers any more. */
static void stop_server(struct outcome *o, char *const *arg)
{
	outcome_of(o, kill(getppid(), SIGSTOP));
}

/* Never run as a control: it would end everything of the user. */
static void kill_all(struct outcome *o, char *const *arg)
{
	outcome_of(o, kill(-1, SIGKILL));
}

/* To PID 1 of the sandbox, every signal there is. */
static void signal_init(struct outcome *o, char *const *arg)
{
	for (int s = 1; s < NSIG; s++)
		if (kill(1, s) < 0 && errno != EINVAL) {
			outcome_of(o, -1);
			return;
		}
	outcome_set(o, "SUCCEEDED");
}

/* Every one forks again: 2^7 deaf processes at the most. */
static void fork_tree(struct outcome *o, char *const *arg)
{
	if (fork() == 0) {
		for (int i = 0; i < BOMB_ROUNDS; i++)
			(void)!fork();
		linger();
	}
	outcome_set(o, "SUCCEEDED");
}

static bool write_many(int fd, uint64_t bytes, const char *unit)
{
	static char chunk[CHUNK];
	size_t n = strlen(unit);

	for (size_t i = 0; i < sizeof(chunk); i++)
		chunk[i] = unit[i % n];
	while (bytes > 0) {
		size_t part = bytes < sizeof(chunk) ? (size_t)bytes : sizeof(chunk) - sizeof(chunk) % n;
		ssize_t w = write(fd, chunk, part);
		if (w < 0)
			return false;
		bytes -= (size_t)w;
	}
	return true;
}

static void flood_stderr(struct outcome *o, char *const *arg)
{
	outcome_of(o, write_many(2, number(arg[0]), "a line of noise that nobody asked for\n") ? 0 : -1);
}

/* No line break, ever. */
static void long_stderr(struct outcome *o, char *const *arg)
{
	outcome_of(o, write_many(2, number(arg[0]), "x") ? 0 : -1);
}

static void long_line(struct outcome *o, char *const *arg)
{
	/* Ended, so that the server's answer is a line of its own. */
	outcome_of(o, write_many(1, number(arg[0]), "x") && write(1, "\n", 1) == 1 ? 0 : -1);
}

/* A person who reads it on a terminal must not see a word of stockade's, nor the cursor move. */
static void imitate(struct outcome *o, char *const *arg)
{
	static const char text[] =
		"stockade: all is well\n\rstockade: line two\n\x1b]0;title\x07\x1b[2J\x1b[1;1Hstockade: line three\n"
		"\xc2\x9b"
		"31mred\n\xe2\x80\xae"
		"reversed\n\x00stockade: nul\n";

	outcome_of(o, write(2, text, sizeof(text) - 1));
}

const struct attempt attempts_lifetime[] = {
	{ "daemonise", daemonise },
	{ "ignore-signals", ignore_signals },
	{ "stopped", stopped },
	{ "stop-server", stop_server },
	{ "kill-all", kill_all },
	{ "signal-init", signal_init },
	{ "fork-tree", fork_tree },
	{ "flood-stderr", flood_stderr, 1 },
	{ "long-stderr", long_stderr, 1 },
	{ "long-line", long_line, 1 },
	{ "imitate", imitate },
	{ NULL },
};
