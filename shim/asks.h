/* SPDX-License-Identifier: Apache-2.0 */
/*
 * asks - what a server may ask the person at the client: never for a secret, and under its own name
 *
 * Process:  shim
 * Owns:     nothing
 *
 * A form that the client shows looks like the client's own. The protocol says that servers must not ask for secrets in
 * one (elicitation, security considerations); whoever wants them does not keep to that. The words that give a form away
 * are a table: a secret asked for in other words still gets through, and then the server's name stands before them.
 */
#pragma once
#include "shim/role.h"
#include "shim/policy.h"
#include "shim/shim.h"

/* Denies an allowed request of the server for what it asks: *d gets verdict, rule and reason. */
int asks_judge(const struct method *method, struct slice params, struct decision *d) _must_check_;
/* The message in s->doc with the server's name before the words of a form: params of a request, or the inputRequests of
 * a result. *ret_changed: it is in s->edited. */
int asks_name(struct shim *s, const struct method *method, struct slice params, bool *ret_changed) _must_check_;
int asks_name_all(struct shim *s, struct slice requests, bool *ret_changed) _must_check_;
