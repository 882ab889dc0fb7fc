/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pending - requests that have no answer yet, by typed id
 *
 * Process:  shim
 * Owns:     its entries; an entry is valid until the next call that adds or removes
 * Returns:  0, -errno, or PENDING_*
 * Limits:   SHIM_INFLIGHT_MAX requests; one that was given up gives way when it is full
 */
#pragma once
#include "shim/role.h"
#include <stdbool.h>
#include <stdint.h>
#include "shim/methods.h"
#include "wire/meters.h"

enum { SHIM_INFLIGHT_MAX = 1024 };

enum pending_result { PENDING_FULL = 1, PENDING_TAKEN };

struct pending_entry {
	char *id; /* the lexeme */
	size_t id_len;
	const struct method *method; /* NULL: an extension */
	char *name;		     /* of the method */
	char *tool;		     /* tools/call: the canonical inside of the name */
	uint64_t call_id;
	uint64_t since_us;
	bool modern;
	bool cancelled;
	bool own;	   /* said by the shim for the client (shim/waiting.h): its answer stays here */
	bool expired;	   /* its time was over, or it was given up and its id used again; the client has been answered,
			      and only the id is still taken */
	bool killed;	   /* expired, and that was the kill switch */
	bool as_task;	   /* a call that shall become a task */
	bool further;	   /* a list: a page after the first was asked for */
	bool tool_changes; /* it subscribes to changes of the list of tools */
	uint64_t due_us;   /* when its time is over; 0: never */
	struct meters_bound time, output; /* borrowed from the config */
};

struct pending {
	struct pending_entry *entries;
	size_t n, cap;
};

void pending_done(struct pending *p);
struct pending_entry *pending_find(struct pending *p, struct slice id);
/* Adds a copy of id, method name and tool (may be empty); *ret is filled further by the caller. */
int pending_add(struct pending *p, struct slice id, struct slice name, struct slice tool,
	struct pending_entry **ret) _must_check_;
void pending_remove(struct pending *p, struct pending_entry *e);
/* The oldest entry whose answer nobody waits for, or NULL. */
struct pending_entry *pending_oldest_given_up(struct pending *p);
