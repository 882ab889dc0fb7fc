/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shim_only - the shim alone between its own stdio and a command, with no sandbox: what one message costs in it
 *
 *   shim_only SHIM CMD [ARG...]
 *
 * Plays the supervisor: releases the shim, then reads events on core 1 until the shim ends, and rests between them.
 */
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/io.h"
#include "wire/control.h"
#include "wire/event.h"
#include "wire/fds.h"
#include "wire/shim_config.h"

enum { APART = 100, REST_US = 1000, NOBODY = 65534 /* not read unless we are root */ };

static int config_memfd(int *ret)
{
	static char name[] = "bench", prefix[] = "[bench] ", glob[] = "*", where[] = "bench";
	struct shim_rule rule = { true, glob, where };
	struct shim_config c = {
		.name = name, .uid = NOBODY, .gid = NOBODY, .stderr_prefix = prefix, .line_max = SHIM_LINE_DEFAULT
	};
	struct wire_writer w;

	c.scope[SHIM_TOOLS] = (struct shim_rules){ true, where, &rule, 1 };
	int r = shim_config_encode(&c, &w);
	if (r == 0)
		r = io_memfd_sealed("config", w.buf.data, w.buf.len, ret);
	wire_writer_done(&w);
	return r;
}

/* Starts argv with fds[i] as descriptor i. */
static int start(char **argv, const int *fds, int n)
{
	extern char **environ;
	posix_spawn_file_actions_t a;
	pid_t pid;
	int r;

	posix_spawn_file_actions_init(&a);
	for (int i = 0; i < n; i++)
		posix_spawn_file_actions_adddup2(&a, fcntl(fds[i], F_DUPFD_CLOEXEC, APART), i);
	r = posix_spawnp(&pid, argv[0], &a, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&a);
	return -r;
}

static int release(int control)
{
	struct control c = { .type = CONTROL_RELEASE };
	struct wire_writer w;
	int r = control_encode(&c, &w);

	if (r == 0)
		r = io_send_msg(control, w.buf.data, w.buf.len, NULL, 0);
	wire_writer_done(&w);
	return r;
}

int main(int argc, char **argv)
{
	int config, control[2], records[2], in[2], out[2], err[2];
	char bytes[EVENT_BYTES_MAX];
	cpu_set_t other;

	if (argc < 3 || config_memfd(&config) < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) ||
		pipe2(records, O_CLOEXEC) || pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		return 2;
	int shim[SHIM_FD_END] = { 0, 1, 2, config, control[1], in[1], out[0], err[0], records[1] },
	    server[] = { in[0], out[1], err[1] };
	char *shim_argv[] = { argv[1], NULL };
	if (start(shim_argv, shim, SHIM_FD_END) < 0 || start(argv + 2, server, 3) < 0 || release(control[0]) < 0)
		return 1;
	const int kept[] = { control[0], records[0] };
	if (io_close_except(3, kept, 2) < 0)
		return 1;
	CPU_ZERO(&other);
	CPU_SET(1, &other);
	if (sched_setaffinity(0, sizeof(other), &other) < 0)
		perror("shim_only: core 1");
	while (read(records[0], bytes, sizeof(bytes)) > 0)
		if (usleep(REST_US) < 0)
			return 1;
	return 0;
}
