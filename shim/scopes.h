/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scopes - what a call needs beside a rule that allows it (wire/scopes.h), and what is lifted for a while
 *
 * Process:  shim
 * Owns:     what servers have said of their tools; free with scopes_state_done
 * Returns:  0, -errno
 * Limits:   SCOPES_RAISED_MAX tools whose annotations ask for more than nothing; past that every other tool needs the
 *           strictest
 *
 * Theory of operation. A tool whose scopes are not all there is not listed and not callable. Annotations are the
 * server's own word: they can make a tool need more, and what they have once made it need it needs for the session,
 * whatever the server says later. A call that could need more by what the server says of it, and of a server whose list
 * nobody has seen, waits until the shim has seen it.
 *
 * A grant is the supervisor's to give and to end. It ends here as well, by a clock that nobody can set: at its time a
 * call is refused whether or not anybody has said so.
 */
#pragma once
#include "shim/role.h"
#include <stdbool.h>
#include <stdint.h>
#include "shim/walk.h"
#include "wire/control.h"
#include "wire/scopes.h"

enum {
	SCOPES_RAISED_MAX = 4096,
	SCOPES_RAISED_SLOTS = 2 * SCOPES_RAISED_MAX,
	SCOPES_NAME_DIGEST_BYTES = 15,
	SCOPES_LOOK_US = 5000000, /* while something is lifted: a suspend stops the timer, not the clock */
};

struct scopes_raised {
	uint8_t name[SCOPES_NAME_DIGEST_BYTES];
	uint8_t says; /* enum scope_known; SCOPE_READ: the slot is free */
};

struct scopes_lift {
	uint64_t until_us; /* CLOCK_BOOTTIME; 0: it is not lifted */
	char words[CONTROL_TEXT_MAX];
};

struct scopes_state {
	struct scopes_raised *raised; /* by digest of the name; NULL before the first */
	size_t n_raised;
	bool crowded;	 /* there was no room for one: who is not known counts as the worst */
	bool walking;	 /* a list was seen from its first page on, and its last is to come */
	bool known;	 /* and that too: it is the server's newest */
	bool shown;	 /* the client has had a list, and is told when another would be there */
	uint32_t lifted; /* of the scopes, as the client was told last */
	struct scopes_lift lifts[SCOPES_MAX];
};

struct shim;
struct message;
struct decision;
struct event;
struct method;

void scopes_state_done(struct scopes_state *s);
/* A stage (shim/stages.h) of calls: POLICY_DENY by what is known of the tool. It comes first: a list hides what it
 * denies, so a stage that asks what the list says of the tool would give a reason that is not the one. */
int scopes_guard(struct shim *s, struct message *m) _must_check_;
/* A stage after it, and after what asks for a list: POLICY_PARKED until the server's list was seen. */
int scopes_guard_said(struct shim *s, struct message *m) _must_check_;
/* May the tool stay in what goes to the client? Learns from what is said of it. name: inside of the string. */
int scopes_keep(struct shim *s, struct slice name, struct slice tool, bool *ret) _must_check_;
/* A page of a list of tools is looked at. */
void scopes_list_page(struct shim *s, bool first, bool last);
/* The server says that a list of it has changed. */
void scopes_list_changed(struct shim *s, struct slice method);
/* What the tool needs, for the record of a call. */
int scopes_record(struct shim *s, struct slice tool, struct event *e) _must_check_;
/* CONTROL_GRANT. */
int scopes_lift(struct shim *s, const struct control *c) _must_check_;
/* Ends what has had its time; sets the next time. */
int scopes_tick(struct shim *s) _must_check_;
/* The list of tools is another one: the client hears that, if it has had one; else it gets the right one when it asks.
 */
int scopes_tell_client(struct shim *s) _must_check_;
/* A server's hello promises that the list of tools can change, since it can by a grant and by the kill switch:
 * *ret_changed, and the message in out. */
int scopes_promise(struct shim *s, struct buf *out, bool *ret_changed) _must_check_;
/* Does this request subscribe to changes of the list of tools? */
bool scopes_subscribes(const struct shim *s, const struct method *method);
