/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ceiling_parts - what the files of the ceilings share; nobody else includes it
 *
 * Process:  supervisor
 */
#pragma once
#include "supervisor/policy/ceilings.h"

/* A line that says what is not granted, and by which rule. */
int ceiling_say(struct effective *e, const char *where, const char *fmt, ...) _printf_(3, 4) _must_check_;
/* The same of a value: both that rule and who set it stand behind the key from then on. */
int ceiling_cut(struct effective *e, const char *key, const char *where, const char *fmt, ...)
	_printf_(4, 5) _must_check_;
/* "PROFILE:LINE (KEY), cut by POLICY:LINE (KEY)" in the place of *where. */
int ceiling_where(char **where, const char *by) _must_check_;

/* ceiling_paths.c */
int ceiling_paths(const struct paths *p, struct effective *e, struct diag *d) _must_check_;
/* ceiling_network.c */
int ceiling_network(struct effective *e, struct diag *d) _must_check_;
/* ceiling_calls.c */
int ceiling_calls(struct effective *e) _must_check_;
/* What both rates let through: never more at once, and never more in any time, than either. */
struct meters_rate ceiling_rate(const struct meters_rate *a, const struct meters_rate *b);
/* The path as it is where only links that root has made are followed, in directories that root alone can write: what a
 * user could turn elsewhere is not followed, so nothing that lies behind it is within. */
int ceiling_resolve(const char *path, char **ret) _must_check_;
