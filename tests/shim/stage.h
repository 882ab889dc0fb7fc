/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stage - starts stockade-shim and plays everybody around it: supervisor, client and server
 *
 * Process:  tests
 * Owns:     struct stage; free with stage_done, which kills what still runs
 *
 * Nothing here judges: it fails the test when something does not come in time.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/buf.h"
#include "wire/control.h"
#include "wire/event.h"
#include "wire/shim_config.h"
#include "wire/stream.h"

enum { STAGE_TIMEOUT_MS = 60000, STAGE_EVENTS_MAX = 512, STAGE_BUFFER_MAX = 64 << 20 };

struct stage {
	pid_t pid;
	int control, records; /* ours */
	int client_in, client_out,
		client_err; /* our ends of the client's side: to its stdin, from its stdout and stderr */
	int server_in, server_out,
		server_err; /* our ends of the server's side: from its stdin, to its stdout and stderr */
	struct buf from_client_out, from_client_err, from_server_in;
	struct stream stream; /* of records */
	struct event *events;
	size_t n_events;
	bool sockets;	     /* the client's side is sockets, as node has it */
	bool events_dropped; /* too many will come to keep them */
	bool keep;	     /* keep what the shim has for stdin and stdout, to look at it */
	int kept[2];
};

/* A config that allows everything but what is given; rule texts are borrowed. */
void stage_config(struct shim_config *c);
void stage_rule(struct shim_config *c, enum shim_scope scope, bool allow, const char *glob, const char *where);
void stage_start(struct stage *s, const struct shim_config *c);
/* The same without the release, and with the client's side as sockets. */
void stage_prepare(struct stage *s, const struct shim_config *c);
void stage_control(struct stage *s, enum control_type type, int value, const char *text);
/* Each takes a line without its line feed. */
void stage_client_says(struct stage *s, const char *line);
void stage_server_says(struct stage *s, const char *line);
/* The next line that arrives there; NULL at end of file. Valid until the next call. */
char *stage_client_hears(struct stage *s);
char *stage_server_hears(struct stage *s);
char *stage_client_reads(struct stage *s); /* stderr */
void stage_expect_client(struct stage *s, const char *line);
void stage_expect_server(struct stage *s, const char *line);
/* Does the next line for the client hold each of these? */
void stage_expect_client_has(struct stage *s, const char *const *parts);
/* Gathers events until one of the type arrives. */
const struct event *stage_event(struct stage *s, enum event_type type);
/* Waits for the end; the exit status, or -1. */
int stage_wait(struct stage *s);
void stage_close(int *fd);
void stage_done(struct stage *s);
#define _cleanup_stage_ _cleanup_(stage_done)
