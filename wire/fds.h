/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fds - the descriptors that each program finds open when it is executed, by number; nothing else is open
 *
 * Process:  supervisor, enter, shim
 */
#pragma once

enum enter_fd {
	/* 0, 1, 2: the server's stdin, stdout, stderr: pipes, never the caller's */
	ENTER_FD_PLAN = 3,   /* sealed memfd, WIRE_PLAN */
	ENTER_FD_REPORT = 4, /* SOCK_SEQPACKET: WIRE_REPORT out, WIRE_CONTROL in; its end of file is the supervisor's death */
	ENTER_FD_END = 5,
};

enum shim_fd {
	/* 0, 1, 2: the client's stdin, stdout, stderr, never made non-blocking */
	SHIM_FD_CONFIG = 3,	/* sealed memfd, WIRE_SHIM_CONFIG */
	SHIM_FD_CONTROL = 4,	/* SOCK_SEQPACKET: WIRE_EVENT out, WIRE_CONTROL in */
	SHIM_FD_SERVER_IN = 5,	/* pipe to the server's stdin */
	SHIM_FD_SERVER_OUT = 6, /* pipe from the server's stdout */
	SHIM_FD_SERVER_ERR = 7, /* pipe from the server's stderr */
	SHIM_FD_END = 8,
};
