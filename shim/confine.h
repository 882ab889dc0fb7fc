/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confine - locks this process down to the descriptors it holds, before the first foreign byte
 *
 * Process:  shim
 *
 * Should:   be called once, after everything is open and the secret is drawn
 * Mustn't:  be followed by open, socket, fork, exec or any other way to something new: they fail from here on
 */
#pragma once
#include "shim/role.h"
#include "base/diag.h"

int confine(struct diag *d) _must_check_;
