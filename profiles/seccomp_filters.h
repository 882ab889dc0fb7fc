/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_filters - the filters that tools/seccomp-compile makes of profiles/seccomp, one variable a policy
 *
 * Process:  enter, shim, gateway, dial, fetch, supervisor, collector; only the objects of those named are linked
 */
#pragma once
#include "base/seccomp_load.h"

/* For the server (plan.seccomp); the _unix variants where ipc.unix is granted. */
extern const struct seccomp_filter seccomp_filter_default;
extern const struct seccomp_filter seccomp_filter_default_unix;
extern const struct seccomp_filter seccomp_filter_browser;
extern const struct seccomp_filter seccomp_filter_browser_unix;

/* For our own programs. */
extern const struct seccomp_filter seccomp_filter_init;	      /* PID 1 of the sandbox */
extern const struct seccomp_filter seccomp_filter_shim;	      /* stockade-shim, once its descriptors are there */
extern const struct seccomp_filter seccomp_filter_gateway;    /* stockade-gateway, once it has its sockets */
extern const struct seccomp_filter seccomp_filter_dial;	      /* stockade-dial, before the first request */
extern const struct seccomp_filter seccomp_filter_reader;     /* its reader of name servers' answers */
extern const struct seccomp_filter seccomp_filter_collector;  /* stockade-collector, before the first connection */
extern const struct seccomp_filter seccomp_filter_writer;     /* its process for a session, before the first request */
extern const struct seccomp_filter seccomp_filter_fetch;      /* stockade-fetch, before it speaks to anybody */
extern const struct seccomp_filter seccomp_filter_inventory;  /* stockade-inventory, before the first file */
extern const struct seccomp_filter seccomp_filter_supervisor; /* stockade run, once everything is spawned */
