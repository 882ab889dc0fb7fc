/* SPDX-License-Identifier: Apache-2.0 */
/*
 * granted - may the policy itself approve a launch: "consent": {"by": "granted"}
 *
 * Process:  supervisor
 * Returns:  0, -errno with words
 *
 * It may where whoever signed has said all that there is to say: the profile is root's, as many keys as the policy asks
 * for have signed it, and it binds the code that runs (signing/code_bound.h). What a person at the machine adds to it,
 * other than values of its parameters, nobody has signed; neither is a program that the PATH of the environment chose.
 * Nothing of it is read from what was remembered: it is judged at each launch.
 */
#pragma once
#include "supervisor/effective.h"

/* The channel of such an approval. */
#define GRANTED_CHANNEL "policy"

/* Fills e->granted, or e->ungranted with what is missing, and the line that says so. Needs the digest. */
int granted_judge(struct effective *e, struct diag *d) _must_check_;
