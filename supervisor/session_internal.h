/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_internal - the state of one session, for the files that handle its parts; nobody else includes it
 *
 * Process:  supervisor
 */
#pragma once
#include <signal.h>
#include "audit/audit.h"
#include "supervisor/alerts/session_alerts.h"
#include "supervisor/asker.h"
#include "supervisor/ps/counting.h"
#include "supervisor/publish.h"
#include "supervisor/registry.h"
#include "supervisor/session.h"
#include "supervisor/spawn.h"
#include "wire/control.h"
#include "wire/event.h"
#include "wire/stream.h"

/* What has to be in force before the server's first instruction. */
enum part { PART_ENTER = 1 << 0, PART_GATEWAY = 1 << 1, PART_DIAL = 1 << 2 };

enum phase { PHASE_WAITING, PHASE_REFUSED, PHASE_BUILDING, PHASE_RUNNING, PHASE_STOPPING, PHASE_DRAINING, PHASE_OVER };

/* Milliseconds. SDKs send SIGTERM 2 s after closing stdin and SIGKILL 2 s later. */
enum { TERM_GRACE_MS = 1500, GONE_GRACE_MS = 300 };

struct session {
	const struct session_args *args;
	struct spawned spawned;
	struct stream records; /* of the shim */
	struct audit *log;
	struct registration registration;
	struct consent_waiting *consent; /* PHASE_WAITING */
	uint64_t look_at;		 /* io_now_us: whether it was answered */
	const char *approval, *channel;	 /* as the log has them */
	struct publish_claims claims;
	char id[AUDIT_SESSION_ID_LEN + 1];
	int signals, client;
	bool stdin_ended, killed;
	enum phase phase;
	unsigned missing;  /* enum part */
	int landlock;	   /* ABI that enter reported */
	uint64_t deadline; /* io_now_us, 0: none */
	uint64_t eof_limit;
	uint64_t silent_until; /* the shim has closed its records and has not ended yet; 0: it speaks */
	uint64_t checkpoint_at;
	bool resting;		       /* records came just now, and more will */
	bool dirty;		       /* records since the last checkpoint */
	bool log_failed;	       /* and that was said */
	struct counting counting;      /* what ps shows */
	struct session_calls *confirm; /* session_confirm.c; NULL before the first */
	struct session_scopes *scopes; /* session_scopes.c; NULL: none can be lifted */
	struct session_alerts *alerts; /* alerts/session_alerts.c; NULL: there is no rule */
	struct session_kills *kills;   /* kill/session_kill.c */
	int exit_status;
	const char *close_status; /* for the close record */
	struct diag diag;
};

/* Into the log, before anything follows from it. */
int session_record(
	struct session *s, enum event_source source, const struct event *e, const json_t *extra) _must_check_;
/* A part is locked down; the last one releases the server. */
int session_on_part(struct session *s, enum part part) _must_check_;

int session_record_own(struct session *s, enum event_type type, const char *reason, const char *status) _must_check_;
/* "NAME: words" on stderr. */
void session_say(const struct session *s, const char *words);
/* PID 1 is told to end, and nothing else. */
void session_signal_init(const struct session *s);
/* PID 1, and with it every process of the server, ends now. */
void session_kill_init(struct session *s);
/* It ends: the server has grace_ms from SIGTERM to SIGKILL; status: for the close record, unless there is one. */
void session_stop(struct session *s, unsigned grace_ms, const char *status);
/* One that nothing else moves is ended by what its phase says (session.c), that many milliseconds from now. */
void session_set_deadline(struct session *s, unsigned ms);
/* That time has come. */
void session_on_deadline(struct session *s);
/* The end of a child by its pidfd, which is closed; -EAGAIN: it lives. */
int session_reap(int *pidfd, siginfo_t *ret) _must_check_;

/* session_loop.c: waits for what comes next and handles it. */
int session_turn(struct session *s) _must_check_;

/* session_shim.c; the first is for PID 1 too. */
int session_send_control(int sock, enum control_type type, int value, const char *text) _must_check_;
/* With those words. A shim that has ended lets nothing through, and its pidfd tells that it has: no error. */
int session_tell_shim(struct session *s, struct control *c, const char *text) _must_check_;
/* The server is gone: the shim answers what waits and ends. */
void session_drain(struct session *s, const char *words);
/* The same by another word of control.h: there never was one. */
void session_end_shim(struct session *s, enum control_type type, const char *words);
/* The client's end of file: what is in flight has its time, and then the server is stopped. */
void session_on_client_eof(struct session *s);
/* What ps shows. */
void session_count(struct session *s, const struct event *e);
int session_on_records(struct session *s) _must_check_;
int session_on_shim(struct session *s) _must_check_;
/* It has closed its records and lives on. */
int session_on_still_silent(struct session *s) _must_check_;

/* session_confirm.c: what the shim hands over, the asker's answers, and its descriptor (-1: none) or time (0: none). */
int session_on_confirm(struct session *s, const void *bytes, size_t n) _must_check_;
int session_on_answers(struct session *s) _must_check_;
int session_asker_fd(const struct session *s);
uint64_t session_asker_due(const struct session *s);
void session_calls_done(struct session *s);

/* session_scopes.c: grants that begin, change and end. live: the shim is there, and is told before it is released. */
int session_scopes_begin(struct session *s) _must_check_;
int session_scopes_live(struct session *s) _must_check_;
int session_on_scopes(struct session *s) _must_check_;
int session_scopes_fd(const struct session *s);
uint64_t session_scopes_due(const struct session *s);
void session_scopes_done(struct session *s);

/* Who this is, for every record from now on. */
int session_identify(struct session *s) _must_check_;
/* The log of this session, where policy wants it (log/session_log.c). */
int session_open_log(struct session *s) _must_check_;
int session_settle(struct session *s) _must_check_;
int session_on_log(struct session *s) _must_check_;
/* Removes what the policy or the profile keeps no longer; that it could not is said, and ends nothing. */
void session_prune_log(struct session *s);
/* Starts the parts that are not there yet. */
int session_build(struct session *s) _must_check_;

/* session_wait.c */
int session_wait_begin(struct session *s) _must_check_;
/* Looks whether somebody has answered, and does what follows. */
int session_on_consent(struct session *s) _must_check_;
/* The client has ended, or was refused and has. */
void session_wait_over(struct session *s);
/* It is killed before anybody has answered; words: for the client. */
void session_wait_killed(struct session *s, const char *words);
void session_wait_done(struct session *s);

/* session_enter.c */
int session_on_report(struct session *s) _must_check_;

/* session_net.c */
int session_on_gateway(struct session *s) _must_check_;
int session_on_dial(struct session *s) _must_check_;
/* Has the gateway close and record what is open; waits NET_CLOSE_MS at most. -errno with words in diag: it could not be
 * told. */
int session_close_network(struct session *s) _must_check_;
