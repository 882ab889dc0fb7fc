/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transfer - one GET by libcurl, bounded in bytes, time and redirections
 *
 * Process:  fetch
 * Returns:  enum fetch_status, with words when it is not FETCH_DONE
 */
#pragma once
#include "fetch/role.h"
#include "wire/fetch.h"

struct transfer;

/* All that reads files is done here, before the program is confined. */
int transfer_prepare(const struct fetch_request *f, int body, struct transfer **ret, struct diag *d) _must_check_;
enum fetch_status transfer_run(struct transfer *t, struct diag *d);
void transfer_free(struct transfer **t);
#define _cleanup_transfer_ _cleanup_(transfer_free)
