/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handle - what is done with each message of either side
 *
 * Process:  shim
 * Returns:  0, -errno; an error ends the session with nothing more forwarded
 */
#pragma once
#include "shim/role.h"
#include "shim/policy.h"
#include "shim/shim.h"
#include "wire/event.h"

/* A line as lines_next() found it: LINES_MESSAGE, LINES_TOO_LONG, LINES_TORN. */
int handle_line(struct shim *s, enum event_side side, int found, struct line line) _must_check_;
/* Answers all of the client's requests that are in flight, with an error in these words. */
int handle_abandon(struct shim *s, const char *text, const char *status) _must_check_;

/* For the files that share the work. */
struct envelope;
struct message {
	enum event_side side;
	const struct line *line;
	struct envelope *envelope;
	const struct method *method; /* what it is, or of an answer what was asked; NULL: none of the table's */
	struct pending_entry *asked; /* what it answers, or is itself in flight; NULL: nothing (any more) */
	struct decision d;	     /* so far */
	const char *status;	     /* of an answer: how the call ended, for its record */
	uint64_t call_id;	     /* of a request, or of what is answered; 0: it has none (yet) */
	bool modern;
	bool resumed;	/* it has waited here, and is judged once more */
	bool confirmed; /* for a person, who has answered */
	bool edited;	/* by the stage that was just asked (stages.h) */
};
/* Why a parked call is denied, and whether its client still waits for an answer. */
struct confirm_refusal {
	const char *rule, *reason;
	bool answer;
};

int handle_from_client(struct shim *s, struct message *m) _must_check_;
/* A request that was parked goes on, or not (no): m has its line, in canonical form, and what was known of it. */
int handle_resume(struct shim *s, struct message *m, const struct confirm_refusal *no) _must_check_;
/* The number that all records of a request have in common, taken when the first of them needs it. */
static inline uint64_t handle_call_id(struct shim *s, struct message *m)
{
	if (!m->call_id)
		m->call_id = ++s->call_ids;
	return m->call_id;
}
int handle_from_server(struct shim *s, struct message *m) _must_check_;
/* The message has no single meaning: answered where it has a usable id, recorded in any case. */
int handle_refuse(
	struct shim *s, enum event_side side, const struct skim *skim, const char *reason, uint64_t bytes) _must_check_;
/* The same for a message that json_parse() took. */
int handle_refuse_parsed(struct shim *s, const struct message *m, const char *reason) _must_check_;
/* There is no server, or none that the client can be given to: the shim answers. */
static inline bool handle_is_server(const struct shim *s)
{
	return s->waiting.state == WAITING_APPROVAL || s->waiting.state == WAITING_FAILED;
}
/* A response to nothing. */
int handle_unmatched(struct shim *s, const struct message *m) _must_check_;
/* Sends back an error; forwards s->doc. */
int handle_answer_error(struct shim *s, enum event_side to, struct slice id, int code, const char *text) _must_check_;
/* The same as a tool's result, for the model. */
int handle_answer_tool_error(struct shim *s, struct slice id, const char *text, bool modern) _must_check_;
int handle_forward(struct shim *s, enum event_side from) _must_check_;
/* The request is in flight: in that table, as m->asked; or words are in *ret_refusal that say why it cannot be. */
int handle_track(struct shim *s, struct pending *table, struct message *m, struct slice tool,
	const char **ret_refusal) _must_check_;
/* Records a request of the client's with what was decided. */
int handle_record_request(struct shim *s, const struct message *m, const struct method *method,
	const struct decision *d, uint64_t call_id) _must_check_;
/* Roots beyond what is granted, which the server does not hear of. */
int handle_record_hidden_roots(struct shim *s, struct message *m, uint64_t count) _must_check_;
/* Answers it with a denial, in the form that its caller can take. */
int handle_answer_denial(
	struct shim *s, const struct message *m, const struct method *method, const char *text, int code) _must_check_;
/* A notification goes nowhere; the reason is recorded. */
int handle_drop_notification(struct shim *s, const struct message *m, const char *reason) _must_check_;
/* Who the server says it is. */
int handle_record_server(struct shim *s) _must_check_;
/* The words for a denial. */
void handle_denial_text(const struct shim *s, const struct decision *d, char *ret, size_t size);
/* Notes a notifications/cancelled of that side. *ret_parked: it was about a call that waited here, and is done with. */
int handle_cancelled(struct shim *s, enum event_side side, bool *ret_parked) _must_check_;
