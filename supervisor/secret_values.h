/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret_values - which variables' values the shim takes out of what the server says
 *
 * Process:  supervisor
 * Owns:     nothing; the shim's config gets copies
 *
 * Every variable that is passed by name, and of those with a value in the profile the ones whose names say that it is
 * secret; and what programs take out of such a value: the password in an address, also decoded, a key whose lines end
 * in a backslash and an n with real ones, of a value that is JSON the members whose names say that they are secret or
 * which look like keys, what follows "Bearer", and what is left without blanks around it. Not taken is what turns up by
 * chance, or everywhere: then no person could read what is left.
 */
#pragma once
#include "supervisor/profile.h"
#include "wire/shim_text.h"

enum secret_verdict { SECRET_TAKEN, SECRET_ABSENT, SECRET_SHORT, SECRET_LONG, SECRET_COMMON, SECRET_VERDICT_COUNT };

/* Why the value (NULL: there is none) is taken or not; the words for a person after "the value of NAME is not". */
enum secret_verdict secret_values_judge(const char *name, const char *value);
const char *secret_values_words(enum secret_verdict verdict);
/* The names of the members of a value that is JSON which are taken by themselves. */
int secret_values_members(const char *name, const char *value, struct strv *ret) _must_check_;
/* Adds every value of the server's environment that is taken. */
int secret_values_fill(const struct profile *f, const struct strv *envp, struct shim_text *ret) _must_check_;
