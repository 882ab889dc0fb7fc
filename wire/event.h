/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event - audit events: which there are, and who may send which
 *
 * Process:  shim, gateway, dial (send), supervisor (stamps sequence, time, session, identity and source, and writes)
 * Owns:     nothing; strings are fixed arrays, cut and marked when too long
 * Limits:   EVENT_BYTES_MAX a message, EVENT_TEXT_MAX a field, EVENT_ARGS_MAX for arguments in full mode
 *
 * Handed over is a successful blocking send, or of the shim's a write (stream.h); the decision takes effect after it.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "wire/codec.h"

enum {
	EVENT_TEXT_MAX = 512,
	EVENT_KEYS_MAX = 1024,
	EVENT_ARGS_MAX = 16 << 10,
	EVENT_BYTES_MAX = 24 << 10,
};

enum event_source {
	EVENT_FROM_SUPERVISOR,
	EVENT_FROM_ENTER,
	EVENT_FROM_SHIM,
	EVENT_FROM_GATEWAY,
	EVENT_FROM_DIAL,
	EVENT_SOURCE_COUNT
};

/* X(enum, name in the log, sources that may send it (bit mask by EVENT_SOURCE)) */
#define EVENT_S	 (1u << EVENT_FROM_SUPERVISOR)
#define EVENT_SH (1u << EVENT_FROM_SHIM)
#define EVENT_G	 (1u << EVENT_FROM_GATEWAY)
#define EVENT_D	 (1u << EVENT_FROM_DIAL)
/* clang-format off: a table */
#define EVENTS(X)                                                                                                      \
	X(SESSION_OPEN, "session.open", EVENT_S)     /* plan digest, approval, channel */                              \
	X(SESSION_READY, "session.ready", EVENT_S)   /* every layer in force */                                        \
	X(SESSION_FAILED, "session.failed", EVENT_S) /* a stage failed: nothing ran */                                 \
	X(SESSION_CLOSE, "session.close", EVENT_S)   /* status, totals */                                              \
	X(CHECKPOINT, "checkpoint", EVENT_S)                                                                           \
	X(CONSENT, "consent", EVENT_S) /* asked, pending, approved, refused */                                         \
	X(SERVER_EXIT, "server.exit", EVENT_S)                                                                         \
	X(CLIENT_GONE, "client.gone", EVENT_S)                                                                         \
	X(SCOPE_GRANT, "scope.grant", EVENT_S) /* a scope lifted for a while: given, begun, ended */                   \
	X(KILL, "kill", EVENT_S)	       /* the kill switch: ordered, in force, kept from starting, lifted */    \
	X(STOP, "session.stop", EVENT_S)       /* by whom */                                                           \
	X(LOG_BUDGET, "log.budget", EVENT_S)                                                                           \
	X(LOG_FULL, "log.full", EVENT_S)                                                                               \
	X(LOG_TORN, "log.torn", EVENT_S)                                                                               \
	X(LOG_KEY, "log.key", EVENT_S)	     /* another key signs from now on */                                       \
	X(ALERT, "alert", EVENT_S)	     /* a rule of the policy or of the user fired */                           \
	X(ALERT_HOOK, "alert.hook", EVENT_S) /* how the hook of one ended, or why it was not run */                    \
	X(PLANTED, "file.planted", EVENT_S)  /* a protected name was created */                                        \
	X(HELLO, "client.hello", EVENT_SH)   /* name and version it announced, era */                                  \
	X(SERVER_HELLO, "server.hello", EVENT_SH)                                                                      \
	X(CALL, "tool.call", EVENT_SH)		    /* decided: allow or deny */                                       \
	X(RESULT, "tool.result", EVENT_SH)	    /* status, bytes, latency */                                       \
	X(REQUEST, "request", EVENT_SH)		    /* any other request, decided */                                   \
	X(RESPONSE, "response", EVENT_SH)	    /* its answer */                                                   \
	X(NOTIFICATION, "notification", EVENT_SH)   /* one that was dropped */                                         \
	X(LIST_FILTERED, "list.filtered", EVENT_SH) /* how many were hidden */                                         \
	X(SCAN, "scan.finding", EVENT_SH)	    /* what the scan of a definition found */                          \
	X(TEXT_REDACTED, "text.redacted", EVENT_SH) /* of what set how many were replaced; never what */               \
	X(REFUSED, "message.refused", EVENT_SH)	    /* malformed or ambiguous, either side */                          \
	X(UNMATCHED, "response.unmatched", EVENT_SH)                                                                   \
	X(CLIENT_EOF, "client.eof", EVENT_SH)	     /* the client closed its end */                                   \
	X(CONFIRM, "call.confirm", EVENT_S)	     /* a call that a person is asked about: asked, answered */        \
	X(STDERR, "server.stderr", EVENT_SH)	     /* counts only: lines, dropped */                                 \
	X(PIN_MADE, "pin.made", EVENT_S)	     /* what a server says of itself was pinned, by whom */            \
	X(PIN_CHANGED, "pin.changed", EVENT_SH)	     /* a definition that is not as it was pinned */                   \
	X(PIN_UNKNOWN, "pin.unknown", EVENT_SH)	     /* one that was not there when the others were pinned */          \
	X(NET_READY, "net.ready", EVENT_G | EVENT_D) /* locked down, before the first foreign byte */                  \
	X(NET_NAME, "net.name", EVENT_G)	     /* a name that was asked for and denied */                        \
	X(NET_DENIED, "net.denied", EVENT_G)	     /* a connection that never left: port, SNI, limits */             \
	X(NET_CONNECT, "net.connect", EVENT_D)	     /* dial's verdict, before the gateway gets the socket */          \
	X(NET_CLOSE, "net.close", EVENT_G)	     /* bytes each way, duration */
/* clang-format on */

enum event_type {
#define X(name, text, sources) EVENT_##name,
	EVENTS(X)
#undef X
		EVENT_TYPE_COUNT
};

/* WOULD_DENY: it passed, since this machine only observes (supervisor/policy/observe.h). */
enum event_decision { EVENT_NONE, EVENT_ALLOW, EVENT_DENY, EVENT_DROP, EVENT_WOULD_DENY, EVENT_DECISION_COUNT };
enum event_side { EVENT_SIDE_NONE, EVENT_FROM_CLIENT, EVENT_FROM_SERVER };

const char *event_name(enum event_type t);
const char *event_source_name(enum event_source s);
const char *event_decision_name(enum event_decision d); /* NULL for EVENT_NONE */
/* May that source send that event? */
bool event_allowed(enum event_type t, enum event_source s);

/* Empty strings and zeros are absent in the record. */
struct event {
	enum event_type type;
	enum event_decision decision;
	enum event_side side; /* who sent the message this is about */
	uint64_t call_id;     /* counted by the shim from 1; ties CALL to RESULT, REQUEST to RESPONSE */
	uint64_t bytes;
	uint64_t latency_us;
	uint64_t count;	    /* of what was coalesced or hidden */
	uint64_t bytes_in;  /* NET_CLOSE: to the server */
	uint64_t bytes_out; /* NET_CLOSE: from the server */
	uint32_t port;	    /* NET_* */
	char host[254];	    /* NET_*: the name asked for, in our form, or escaped by text_escape */
	char address[48];   /* NET_*: as dialled, or as the server tried it */
	char method[128];
	char tool[EVENT_TEXT_MAX];
	char scope[EVENT_TEXT_MAX];   /* CALL: what the tool needs, "read,write"; SCOPE_GRANT: which */
	char subject[EVENT_TEXT_MAX]; /* REQUEST, when denied: the resource (without user information) or the prompt */
	char rule[EVENT_TEXT_MAX];    /* which rule decided */
	char reason[EVENT_TEXT_MAX];
	char status[64];     /* "ok", "error", "isError", "cancelled", "server died", ... */
	char peer_name[128]; /* HELLO, SERVER_HELLO */
	char peer_version[64];
	char protocol[32];
	char arg_keys[EVENT_KEYS_MAX]; /* comma-separated; escaped, commas of their own too */
	char arg_hash[65];	       /* lower-case hex, SHIM_ARGS_HASH */
	uint32_t args_len; /* SHIM_ARGS_FULL: canonical JSON, borrowed, <= EVENT_ARGS_MAX, cut flagged in reason */
	const char *args;
};

int event_encode(const struct event *e, struct wire_writer *w) _must_check_;
/* Encodes and hands over: one blocking message on the socket to the supervisor. 0, -errno. */
int event_send(int sock, const struct event *e) _must_check_;
/* Takes one message from the socket: 1 with an event, 0 at its end, -errno. Descriptors have no business beside an
 * event: they are closed, and that is -EPROTO. ret->args points into bytes. */
int event_receive(int sock, char bytes[EVENT_BYTES_MAX], struct event *ret) _must_check_;
/* ret->args points into bytes. -EPROTO for anything out of form; the caller ends the session. */
int event_decode(const void *bytes, size_t n, struct event *ret) _must_check_;
