/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control - what the supervisor tells enter's PID 1 and the shim
 *
 * Process:  supervisor (writes), enter and shim (read)
 */
#pragma once
#include <stdint.h>
#include "wire/codec.h"

enum { CONTROL_BYTES_MAX = 1536, CONTROL_TEXT_MAX = 512, CONTROL_TOOL_MAX = 640, CONTROL_KILLS_MAX = 256 };

enum control_type {
	CONTROL_RELEASE,       /* to PID 1: exec the server now. To the shim: begin to read the client */
	CONTROL_SIGNAL,	       /* to PID 1: forward signal number value to the server */
	CONTROL_SERVER_EXITED, /* to the shim: drain stdout, answer what is in flight, exit; value = wait status; text =
				  words */
	CONTROL_CLOSE,	       /* to the shim: stop taking from the client, answer what is in flight with text, exit */
	CONTROL_WAIT,	/* to the shim, before RELEASE: begin to read the client, there is no server before a person
			 * has approved; text = the sentence that says so (shim/waiting.h). The server's pipes are
			 * there, and RELEASE says that the server is behind them */
	CONTROL_REFUSE, /* to the shim, after WAIT: there will be no server; answer each request of the client with
			 * text; exit at its end of file */
	CONTROL_PINS,	/* to the shim, after WAIT and before RELEASE, with a descriptor of a sealed struct shim_config
			 * (wire/shim_config.h): its pins are those of now, the rest is as it was */
	CONTROL_CONFIRMED, /* to the shim: a person lets the call call_id through (wire/confirm.h) */
	CONTROL_DECLINED,  /* to the shim: the call call_id is denied, since text, a clause */
	CONTROL_GRANT, /* to the shim, from before RELEASE on: the scope number value (wire/scopes.h) is lifted until
			* until_us, which text says in words; 0: it is not any more */
	CONTROL_KILL_TOOL,    /* to the shim, from before RELEASE on: calls of what tool matches are refused, and it is
			       * not listed; value = its number below CONTROL_KILLS_MAX; text says by whom */
	CONTROL_RESTORE_TOOL, /* to the shim: that number is lifted */
	CONTROL_TYPE_COUNT,
};

/* How stockade-shim ends, for the supervisor that waits for it. */
enum shim_exit {
	SHIM_EXIT_OK,	       /* everything in flight was answered */
	SHIM_EXIT_FAILED,      /* it could not go on, and said why on stderr or lost the supervisor's trust */
	SHIM_EXIT_CLIENT_GONE, /* nobody reads the client's stdout any more */
	SHIM_EXIT_ALONE,       /* the control socket was closed */
};

struct control {
	enum control_type type;
	int value;
	uint64_t call_id;
	uint64_t until_us; /* CLOCK_BOOTTIME, which counts a suspend and cannot be set */
	char text[CONTROL_TEXT_MAX];
	char tool[CONTROL_TOOL_MAX]; /* a glob */
};

int control_encode(const struct control *c, struct wire_writer *w) _must_check_;
int control_decode(const void *bytes, size_t n, struct control *ret) _must_check_;
