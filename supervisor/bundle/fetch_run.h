/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fetch_run - has stockade-fetch get one address
 *
 * Process:  supervisor
 * Returns:  0; FETCH_ABSENT; -errno with words
 */
#pragma once
#include "supervisor/role.h"
#include "wire/fetch.h"

/* At most f->max bytes into ret, whose own max must be as much. What came is not believed by anybody yet. Whatever the
 * program does, it is gone by deadline (io_now_us()). */
int fetch_run(const struct fetch_request *f, uint64_t deadline, struct buf *ret, struct diag *d) _must_check_;
