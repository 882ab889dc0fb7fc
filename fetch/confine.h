/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confine - what stockade-fetch gives up before it speaks to anybody (base/lockdown.h)
 *
 * Process:  fetch
 * Returns:  0, -errno with words
 *
 * Left to it: TCP to the port of its address, or of the proxy, and to name servers; UDP; to read what resolves names.
 * Landlock knows ports since its ABI 4; before, the system call filter alone says that it makes sockets of TCP and UDP.
 */
#pragma once
#include "base/diag.h"
#include "fetch/role.h"
#include "wire/fetch.h"

int confine(const struct fetch_request *f, struct diag *d) _must_check_;
