/* SPDX-License-Identifier: Apache-2.0 */
/*
 * home_code - what interpreters load from a home, which no digest covers
 *
 * Process:  supervisor
 * Returns:  0, -errno with words
 *
 * A home that a server keeps is written by the server and by its user, and one path in it that a language looks at is
 * enough for other code to run. So where a policy or root answers for what runs, nothing may lie at those places when
 * the server starts; python is told not to look there at all (environment.h). In a home that is empty at each start
 * there is nothing but what is granted.
 */
#pragma once
#include "supervisor/effective.h"

/* Does somebody else than the user answer for a server that keeps its home, and has no tree of python's user site? */
bool home_code_unheard(const struct paths *p, const struct effective *e);
/* Fills e->home_code. A server that could find there what it wrote itself is one that can rewrite its own code. */
int home_code_look(const struct paths *p, struct effective *e, struct diag *d) _must_check_;
