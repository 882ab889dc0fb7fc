/* SPDX-License-Identifier: Apache-2.0 */
/*
 * code_named - code that no digest covers, since a value names it and not the command
 *
 * Process:  supervisor
 * Returns:  0, -errno with words
 *
 * PYTHONPATH, NODE_OPTIONS, BASH_ENV and their like, set by the profile or by a word of the command (env X=…), name
 * places from which a program loads before its first line. The value is bound; what lies there is not, and where others
 * than root can write it and the sandbox shows it, neither a policy nor root has approved what runs. The same for files
 * that an interpreter's options, an inline program of the command or the words of a program that starts others name,
 * and for what links in the code lead to.
 */
#pragma once
#include "supervisor/effective.h"

/* Where somebody else than the user answers for the code: fills e->named_code with what is not bound, in words. */
int code_named_look(const struct paths *p, struct effective *e, struct diag *d) _must_check_;
