/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confine - locks this process down to the descriptors it holds and those that others hand it, before the first foreign
 * byte
 *
 * Process:  gateway
 *
 * Should:   be called once, after every socket is there
 * Mustn't:  be followed by socket, connect, bind, listen, open or exec: they fail from here on
 */
#pragma once
#include "gateway/role.h"
#include <stdint.h>
#include "base/diag.h"

/* How many descriptors may be open at once; -EMFILE when the user may not have so many. No core is ever written. */
int raise_files(uint64_t files, struct diag *d) _must_check_;
int confine(struct diag *d) _must_check_;
