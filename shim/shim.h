/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shim - the state of stockade-shim, made in main, and how its parts hand a message on
 *
 * Process:  shim
 * Owns:     everything in struct shim; free with shim_done
 *
 * The way of a message: relay reads bytes, lines splits them, json validates and rewrites them, envelope sorts them,
 * stages decide (shim/stages.h), record hands the decision to the supervisor, and only then queue passes it on.
 *
 * Who may hold a slice of what all share, and for how long:
 *     doc      whoever handles the message, until json_parse() runs again: at the next one, behind a stage that edited
 *              it, and where a refused one has an id to be found
 *     edited   whoever writes it, until that function returns: handle_record_request() and own_ask() write it too. Of
 *              a stage that edits, until the message is read from it
 *     subject  whoever called policy_unescape() or a function that does, until anybody calls one again; what a decision
 *              is about (struct decision) lies in doc
 *     answer   whoever writes it, until it is in a queue, in that same function
 *     words, advice
 *              a decision or refusal, until it is recorded and answered, or another guard or judge runs
 */
#pragma once
#include "shim/role.h"
#include "shim/asks.h"
#include "shim/blake2s.h"
#include "shim/confirm.h"
#include "shim/json.h"
#include "shim/kills.h"
#include "shim/lines.h"
#include "shim/listed.h"
#include "shim/listing.h"
#include "shim/logs.h"
#include "shim/own.h"
#include "shim/parked.h"
#include "shim/pending.h"
#include "shim/pins.h"
#include "shim/port.h"
#include "shim/queue.h"
#include "shim/rare.h"
#include "shim/rates.h"
#include "shim/scans_known.h"
#include "shim/schemas.h"
#include "shim/scopes.h"
#include "shim/task_tools.h"
#include "shim/text_out.h"
#include "shim/waiting.h"
#include "wire/control.h"
#include "wire/shim_config.h"

enum {
	SHIM_SUBJECT_MAX = 64 << 10, /* a tool's name or a uri, unescaped */
	SHIM_ANSWER_MAX = 16 << 10,
	SHIM_WORDS_MAX = SCHEMA_TEXT_SHOWN_MAX + 128,
	SHIM_LISTS = RESULT_PROMPTS - RESULT_TOOLS + 1,
	SHIM_UNUSABLE_MAX = 16, /* tools of one list that are named in records of their own */
};

struct shim {
	struct shim_config config;
	int control;
	int records; /* pipe to the supervisor */
	struct rare rare;
	struct port client_in, client_out, server_in, server_out;
	struct lines from_client, from_server;
	struct queue to_client, to_server;
	struct json_doc doc;
	struct json_watch watch; /* the protocol's keys */
	struct buf edited;	 /* a message that differs from what came */
	struct buf subject;	 /* what a decision is about, unescaped */
	struct buf answer;	 /* what the shim itself writes */
	struct blake2s_key salt; /* config.salt */
	struct pending calls;	 /* the client's requests */
	struct pending asks;	 /* the server's requests */
	struct own own;		 /* the shim's requests to the server */
	struct parked parked;	 /* the client's, that wait to be decided */
	struct pins pins;
	struct listing listing;
	struct confirms confirms; /* the client's calls that a person is asked about */
	struct rates rates;
	struct asks asks_made; /* how often the client's model and user have been asked */
	struct logs logs;
	struct scopes_state scopes;
	struct kills kills;
	uint64_t now_us;   /* of this turn of the loop */
	uint64_t boot_us;  /* the same by CLOCK_BOOTTIME */
	bool observe_over; /* the client has been told (lists.h) */
	uint64_t wake_us;  /* when shim_run_timers has something to do; 0: never */
	char advice[64];   /* words of a guard, until the next message */
	struct waiting waiting;
	struct schemas schemas;
	struct scans scans;
	struct task_tools tasks;
	struct argument_schema *rules;	  /* of config.arguments, one each */
	char words[SHIM_WORDS_MAX];	  /* of a guard */
	struct listed listed[SHIM_LISTS]; /* by kind of list */
	struct listed own_listed;	  /* of the list that the shim asks for itself: one at a time */
	struct listed_known known[SHIM_LISTS];
	uint64_t doubles;	   /* what the list just filtered had under a name that it has already */
	uint64_t unusable;	   /* tools that it withheld for their schemas */
	struct buf unusable_words; /* of the first of them: name and why, each with a NUL behind it */
	struct text_out text;
	uint64_t call_ids;
	char refusal[CONTROL_TEXT_MAX]; /* there is no server: the words that every request is answered with, else "" */
	bool legacy;			/* the client has spoken in the legacy era, so the server may send requests */
	bool greeted;			/* a HELLO of the modern era was recorded */
};

void shim_init(struct shim *s, uint64_t secret);
void shim_done(struct shim *s);
/* The loop shall run the timers then, or earlier. */
void shim_wake_at(struct shim *s, uint64_t at_us);
/* What is due at now_us. */
int shim_run_timers(struct shim *s) _must_check_;
/* Gives memory back while nothing happens. */
void shim_trim(struct shim *s);
