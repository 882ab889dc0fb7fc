/* SPDX-License-Identifier: Apache-2.0 */
/*
 * effective_hints - what a refused command lacks, in the words of whoever wrote it (effective.c)
 *
 * Context:  the launch is refused already; a hint only adds to the sentence
 * Memory:   nothing is kept
 * Limits:   DIAG_MAX, as every sentence
 */
#pragma once

#include "base/diag.h"
#include "base/strv.h"
#include "supervisor/bundle/bundle.h"
#include "supervisor/paths.h"
#include "supervisor/profile.h"

/* A fetcher was refused: is there a profile for the package among its words? */
void effective_hint_profile(const struct paths *p, const struct bundle *b, const struct strv *command, struct diag *d);
/* A profile's program, or something that it needs, was not found: a person cannot write another path into a profile
 * that came with stockade. Nothing is added where path_env, the caller's PATH or NULL, has the program. */
void effective_hint_program(const struct profile *f, const char *program, const char *path_env, struct diag *d);
