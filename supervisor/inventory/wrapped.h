/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wrapped - does a client's entry go through stockade, and where does its server come from? By its words.
 *
 * Process:  supervisor
 */
#pragma once
#include "supervisor/inventory/found.h"

/* Fills state, profile, package, version and doubt; adds the variables that the words name (docker run -e). */
int wrapped_judge(struct found *f) _must_check_;
