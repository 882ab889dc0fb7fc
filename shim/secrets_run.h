/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secrets_run - finds values in what a text spells otherwise: percent-encoded, or escaped as JSON within a text is
 *
 * Process:  shim
 * Owns:     what the encoded bytes stand for, in struct secrets_run
 * Returns:  0, -ENOMEM
 *
 * Each stretch of the text is decoded once, and what was found is carried from hit to hit: the effort grows with the
 * text, however many values are in it.
 */
#pragma once
#include "shim/role.h"
#include "shim/secrets.h"

void secrets_run_init(struct secrets_run *r, enum secrets_coding coding, const char *p);
void secrets_run_done(struct secrets_run *r);
/* Puts the first hit from there on into r->hit; none: its at is SIZE_MAX. from never goes back. */
int secrets_run_next(struct secrets_walk *w, struct secrets_run *r, size_t from) _must_check_;
