/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pin_others - the names of the tools that the user's other servers are pinned with
 *
 * Process:  supervisor
 * Returns:  0, -errno with words
 * Limits:   PIN_OTHERS_FILES_MAX files, PIN_OTHERS_HEAD_MAX bytes of each; SHIM_OTHERS_MAX names, SHIM_OTHERS_BYTES_MAX
 *           bytes of them
 *
 * What the scan holds a server's names and texts against (scan_set_others). They grant nothing: of a file that cannot
 * be believed, or of what is over a limit, no names are taken, and the server that it is about is denied when it is
 * started.
 */
#pragma once
#include "base/strv.h"
#include "supervisor/paths.h"

enum { PIN_OTHERS_FILES_MAX = 256, PIN_OTHERS_HEAD_MAX = 1 << 20 };

/* Of all but the server of that name and subject (pin_key), sorted. *ret_cut: some found no room; each server has a
 * share of it. */
int pin_other_names(const struct paths *p, const char *name, const char *subject, struct strv *ret, bool *ret_cut,
	struct diag *d) _must_check_;
