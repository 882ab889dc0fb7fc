/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arguments - the stage of a call's arguments: what the profile demands of them, and what the tool's inputSchema says
 *
 * Process:  shim
 * Owns:     the compiled schemas of the profile's rules, and the names in them; free with arguments_done
 * Returns:  0, -errno
 *
 * All rules of the profile that are about the tool hold. The tool's own schema is known once it has been listed; until
 * then a call passes by the profile's rules alone, but for a tool whose objects are to be closed (strict).
 */
#pragma once
#include "shim/role.h"
#include "base/diag.h"
#include "schema/schema.h"
#include "shim/schema_names.h"
#include "shim/stages.h"

/* Of one rule; nothing where it has no schema. */
struct argument_schema {
	struct schema_compiled *compiled;
	struct schema_names names;
};

/* Compiles the schemas of config.arguments. Before the shim is confined, so that a bad one ends it with words. */
int arguments_prepare(struct shim *s, struct diag *d) _must_check_;
void arguments_done(struct shim *s);
/* Are the objects of that tool's inputSchema to be closed? The name as it is in a message. */
int arguments_strict(struct shim *s, struct slice tool, bool *ret) _must_check_;
/* Has the value a key that folds to a name of the profile's rules for that tool and is none of them? Servers of some
 * languages take it for that name. The tool's name as it is in a message. */
bool arguments_imitated(struct shim *s, struct slice tool, struct slice value);
/* A stage (stages.h). */
int arguments_guard(struct shim *s, struct message *m) _must_check_;
