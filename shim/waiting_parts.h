/* SPDX-License-Identifier: Apache-2.0 */
/*
 * waiting_parts - what the files of waiting.h share
 *
 * Process:  shim
 * Owns:     nothing
 *
 * waiting.c answers the client, waiting_kept.c keeps what is for the server, waiting_server.c shakes hands with that,
 * and waiting_changes.c tells the client which of its lists have changed.
 */
#pragma once
#include "shim/role.h"
#include "shim/shim.h"

#define WAITING_OWN_ID "\"stockade-discover\""

/* The lists that were promised, a bit each. */
enum { LISTS_TOOLS = 1 << 0, LISTS_PROMPTS = 1 << 1, LISTS_RESOURCES = 1 << 2 };

/* The versions that have a handshake, newest first: which of them it is, or how many there are. */
size_t waiting_version(struct slice version);
const char *waiting_version_name(size_t i);

int waiting_send_client(struct shim *s) _must_check_;

bool waiting_has_room(const struct shim *s);
/* Keeps s->doc for the server, where there is room. */
int waiting_keep(struct shim *s, const struct message *m, struct waiting_kept k) _must_check_;
/* Forgets a level of logging: the last one counts. */
void waiting_forget_level(struct waiting *w);
/* Says what is kept to the server, once and for all: an answer to it is ours, but for a subscription. */
int waiting_say_kept(struct shim *s, bool logs) _must_check_;

/* Handles a line as if the client had said it. */
int waiting_say(struct shim *s, const char *line, size_t n) _must_check_;

/* Which changes a subscription wants to hear of, by its filter. */
unsigned waiting_wanted(struct slice filter);
int waiting_acknowledge(struct shim *s, struct slice id, unsigned wanted) _must_check_;
/* Which of the promised lists are not among what the server offers. */
unsigned waiting_lacking(struct slice offers);
/* Says that these lists have changed, but for those that the server does not have: to a subscription of that id, or
 * with NULL in the legacy way, to whoever has had a list. */
int waiting_tell_changes(struct shim *s, unsigned which, const char *id) _must_check_;
