/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confine - what the collector and the writer of a session give up
 *
 *    collector    files but the log's directory and /etc (names of users), programs, every socket of its own
 *    a writer     all but its user's directory, further processes, further connections
 *
 * Process:  collector
 * Returns:  0, -errno with words; on failure the process must end
 */
#pragma once
#include "base/diag.h"
#include "collector/role.h"

int confine_collector(int logs, struct diag *d) _must_check_;
int confine_writer(int dir, struct diag *d) _must_check_;
