/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signing_lines - what a person is told of who signed, and of what ends soon (effective_lines.h)
 *
 * Process:  supervisor
 * Returns:  0, -ENOMEM
 */
#pragma once
#include "supervisor/effective.h"

/* Only the profile and the policy need be filled, and the pins where there are some. */
int signing_add_lines(struct effective *e) _must_check_;
