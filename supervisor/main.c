/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main - `stockade`: clean descriptors, no new privileges, then the table of commands
 *
 * Should:   start from a known state whatever the client left open
 * Mustn't:  touch a file before that, or parse a word but those that name a descriptor to keep
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include "base/io.h"
#include "supervisor/commands.h"
#include "supervisor/exit.h"

/* A setuid stockade would build the sandbox of one user with the environment of another. */
static bool is_privileged(void)
{
	return getauxval(AT_SECURE) != 0 || getuid() != geteuid() || getgid() != getegid();
}

int main(int argc, char **argv, char **env)
{
	int keep[COMMAND_FDS_MAX];
	size_t n_keep = command_descriptors(commands, commands_n, argc, argv, keep);
	int closed = io_sanitise_descriptors(keep, n_keep);

	if (closed < 0) {
		command_error("cannot bring the descriptors into order: %s", strerror(-closed));
		return EXIT_REFUSED;
	}
	if (is_privileged()) {
		command_error("refuses to run setuid, setgid or with file capabilities: install it without them");
		return EXIT_REFUSED;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		command_error("cannot give up new privileges (PR_SET_NO_NEW_PRIVS): %s", strerror(errno));
		return EXIT_REFUSED;
	}
	/* A write past an inherited RLIMIT_FSIZE is an errno, and told in words: `kill` ended without a word and
	 * without its entry. What is executed begins with the defaults again (spawn.c). */
	signal(SIGXFSZ, SIG_IGN);
	if (closed & (1 << STDOUT_FILENO)) {
		command_error("standard output is closed, so no answer could reach anyone; start it with one");
		return EXIT_REFUSED;
	}
	return command_main(commands, commands_n, argc, argv, env);
}
