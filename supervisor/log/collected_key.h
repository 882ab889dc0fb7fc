/* SPDX-License-Identifier: Apache-2.0 */
/*
 * collected_key - the keys of the machine's collector: which there are, and a new one in place of the one that signs
 *
 * Process:  supervisor
 * Returns:  0, -errno with words
 *
 * The change is recorded before it is made, signed by the key of before, in the log that the collector's user has among
 * those of the others: whoever keeps the old public key learns from it which the new one is. A collector that runs has
 * the old one in its memory and its directory closed behind it, so it signs with it until it is restarted; a writer,
 * until its session ends. Both are known, since audit.pub holds the keys of before as well.
 */
#pragma once
#include "audit/log_key.h"
#include "supervisor/role.h"

/* Those that the collector has published: anybody may ask. */
int collected_keys(struct log_keys *ret, struct diag *d) _must_check_;
/* Root's, or the collector's user's. */
int collected_key_change(struct diag *d) _must_check_;
