/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confine - what is left to the inventory: to open files for reading, and to write to what is open
 *
 * Process:  inventory
 *
 * The files are whoever wrote them's, and libyaml is a parser: no process, no network, nothing written, no more memory
 * and time than its limits.
 */
#pragma once
#include "base/diag.h"
#include "inventory/role.h"

enum { CONFINE_SECONDS = 20 };

/* Addresses, in bytes. A sanitiser's shadow alone takes terabytes of them. */
#ifdef __SANITIZE_ADDRESS__
#define CONFINE_MEMORY RLIM_INFINITY
#else
#define CONFINE_MEMORY (1 << 30)
#endif

int confine_inventory(struct diag *d) _must_check_;
