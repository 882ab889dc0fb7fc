/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fds - the descriptors that each program finds open when it is executed, by number; nothing else is open
 *
 * Process:  supervisor, enter, shim, gateway, dial, fetch
 */
#pragma once

enum enter_fd {
	/* 0, 1, 2: the server's stdin, stdout, stderr: pipes, never the caller's */
	ENTER_FD_PLAN = 3, /* sealed memfd, WIRE_PLAN */
	ENTER_FD_REPORT =
		4, /* SOCK_SEQPACKET: WIRE_REPORT out, WIRE_CONTROL in; its end of file is the supervisor's death */
	ENTER_FD_END = 5,
	ENTER_FD_SOCKETS =
		5, /* only with a network: SOCK_SEQPACKET to the gateway, which gets the sockets made inside */
	ENTER_FD_NET_END = 6,
};

enum shim_fd {
	/* 0, 1, 2: the client's stdin, stdout, stderr, never made non-blocking */
	SHIM_FD_CONFIG = 3,	/* sealed memfd, WIRE_SHIM_CONFIG */
	SHIM_FD_CONTROL = 4,	/* SOCK_SEQPACKET: WIRE_CONTROL in */
	SHIM_FD_SERVER_IN = 5,	/* pipe to the server's stdin; of the three our end becomes non-blocking */
	SHIM_FD_SERVER_OUT = 6, /* pipe from the server's stdout */
	SHIM_FD_SERVER_ERR = 7, /* pipe from the server's stderr */
	SHIM_FD_RECORDS = 8,	/* pipe: WIRE_EVENT and WIRE_CONFIRM out (wire/stream.h) */
	SHIM_FD_END = 9,
};

enum gateway_fd {
	/* 0: /dev/null; 1, 2: the client's stderr */
	GATEWAY_FD_CONFIG = 3,	/* sealed memfd, WIRE_NET_CONFIG */
	GATEWAY_FD_EVENTS = 4,	/* SOCK_SEQPACKET: WIRE_EVENT out; its end of file is the supervisor's death */
	GATEWAY_FD_SOCKETS = 5, /* SOCK_SEQPACKET from enter: the sockets of net_layout, in its order */
	GATEWAY_FD_DIAL = 6,	/* SOCK_SEQPACKET: WIRE_DIAL_REQUEST out, WIRE_DIAL_ANSWER in */
	GATEWAY_FD_PUBLISH = 7, /* one listening socket on the host's 127.0.0.1 for each of config.publish */
};

enum dial_fd {
	/* 0: /dev/null; 1, 2: the client's stderr */
	DIAL_FD_CONFIG = 3,  /* sealed memfd, WIRE_NET_CONFIG */
	DIAL_FD_EVENTS = 4,  /* SOCK_SEQPACKET: WIRE_EVENT out; its end of file is the supervisor's death */
	DIAL_FD_GATEWAY = 5, /* SOCK_SEQPACKET: WIRE_DIAL_REQUEST in, WIRE_DIAL_ANSWER out */
	DIAL_FD_END = 6,
};

enum fetch_fd {
	/* 0, 1: /dev/null; 2: the caller's stderr */
	FETCH_FD_REQUEST = 3, /* sealed memfd, WIRE_FETCH */
	FETCH_FD_BODY = 4,    /* memfd: what was fetched */
	FETCH_FD_WORDS = 5,   /* pipe: one line, where it failed */
	FETCH_FD_END = 6,
};

/* How many sockets one message from enter to the gateway is about; no more than IO_FDS_MAX (base/io.h). */
enum { SOCKETS_FDS_MAX = 128 };
/* The bytes of such a message, one a socket; only those that are present travel. */
enum sockets_byte {
	SOCKETS_ABSENT, /* ::1 on a kernel without IPv6, nothing else */
	SOCKETS_PRESENT,
};
