/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay - the loop: reads what is there, writes what is wanted, listens to the supervisor, and ends well
 *
 * Process:  shim
 * Returns:  an exit status, SHIM_EXIT_* (wire/control.h)
 *
 * A side is read only while there is room for what may come of it, so that nobody who does not read can make this
 * process grow, and nobody who does not read can keep it from hearing the supervisor.
 */
#pragma once
#include "shim/role.h"
#include "shim/shim.h"
#include "shim/stderr.h"

int relay_run(struct shim *s, struct stderr_relay *e) _must_check_;
