/* SPDX-License-Identifier: Apache-2.0 */
/*
 * observe - "mode": "observe": what a profile denies is let through and recorded, what the policy denies is denied
 *
 * Process:  supervisor
 * Returns:  0, -errno with words
 *
 * The server is confined as ever. Two walls of its profile give way until observe_until, and say so in the log ("would
 * deny"): its rules on the names of tools (shim), and its list of hosts (gateway and dial, each by itself). The
 * policy's own lists, what is killed, pins, scopes, arguments, rates and confirmations hold; so do files, variables and
 * system calls.
 *
 * Of hosts, names alone: those that network.allow of the policy has; without such a list every name, at the ports in
 * the table and those of the profile, and never an address that is not of the open Internet (dial/filter.h). A profile
 * without a network has none here either: there is nothing that could deny, so there is nothing to observe. Where all
 * goes through a proxy, which resolves the names, only the policy's list can say what is outside.
 *
 * It is part of the digest: the answer to the question covers it. Moments are CLOCK_BOOTTIME in what is handed on,
 * which nobody can set back; each decision looks at it, so that the leniency ends in mid-session, and the gateway then
 * closes what stands by it alone.
 */
#pragma once
#include "supervisor/effective.h"

/* Fills e->observe_until and what the shim and the network are told. After the ceilings, before the network is laid
 * out. */
int observe_apply(struct effective *e, struct diag *d) _must_check_;
/* What a person is told of it. */
int observe_lines(struct effective *e) _must_check_;
/* The digest's part; nothing where nothing is observed. */
int observe_canonical(const struct effective *e, json_t *canonical) _must_check_;
