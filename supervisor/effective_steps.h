/* SPDX-License-Identifier: Apache-2.0 */
/*
 * effective_steps - what the steps of effective.c share, and those that have a file of their own; nobody else includes
 * it
 *
 * Process:  supervisor
 */
#pragma once
#include "supervisor/effective.h"
#include "supervisor/filesystem.h"
#include "supervisor/identity.h"
#include "supervisor/signing/usable.h"

enum { SHOWN = 512 };

struct effective_build {
	const struct effective_args *args;
	struct effective *e;
	struct vouching vouching;
	struct identity identity;
	struct fs_grants grants;
	size_t base_mounts;
};

/* The sandbox: mounts, environment, limits, identity. */
int effective_step_plan(struct effective_build *b, struct diag *d) _must_check_;
/* What the shim is told. */
int effective_step_shim(struct effective_build *b, struct diag *d) _must_check_;
