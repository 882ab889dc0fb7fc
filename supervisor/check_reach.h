/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_reach - one decision on a host, and the rule behind it (`stockade check --reach`)
 *
 * Process:  supervisor
 * Returns:  an exit status (EXIT_FINDINGS: denied), -errno with words
 */
#pragma once
#include <stdbool.h>
#include <stdio.h>
#include "base/diag.h"
#include "wire/net.h"

/* What gateway and dial would say of HOST:PORT, before the name is resolved. */
int check_reach(FILE *out, const struct net_config *c, const char *host, bool json, struct diag *d) _must_check_;
