/* SPDX-License-Identifier: Apache-2.0 */
/* relay - the bare minimum in the middle: starts a command and copies bytes both ways. What a shim is measured against.
 */
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHUNK = 1 << 16 };

static void copy(int from, int to, int *open_fd)
{
	static char bytes[CHUNK];
	ssize_t n = read(from, bytes, sizeof(bytes));

	if (n <= 0) {
		close(to);
		*open_fd = -1;
		return;
	}
	for (ssize_t at = 0; at < n;) {
		ssize_t w = write(to, bytes + at, (size_t)(n - at));
		if (w <= 0)
			exit(1);
		at += w;
	}
}

int main(int argc, char **argv)
{
	extern char **environ;
	int in[2], out[2];
	posix_spawn_file_actions_t a;
	pid_t pid;

	if (argc < 2 || pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		return 2;
	posix_spawn_file_actions_init(&a);
	posix_spawn_file_actions_adddup2(&a, in[0], 0);
	posix_spawn_file_actions_adddup2(&a, out[1], 1);
	if (posix_spawnp(&pid, argv[1], &a, NULL, argv + 1, environ))
		return 127;
	close(in[0]);
	close(out[1]);
	struct pollfd p[2] = { { .fd = 0, .events = POLLIN }, { .fd = out[0], .events = POLLIN } };
	while (p[1].fd >= 0 && poll(p, 2, -1) > 0) {
		if (p[0].fd >= 0 && p[0].revents)
			copy(0, in[1], &p[0].fd);
		if (p[1].revents)
			copy(out[0], 1, &p[1].fd);
	}
	return 0;
}
