/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scans - each definition of a list is scanned the first time that it is seen, and what is found is recorded
 *
 * Process:  shim
 * Owns:     a scan (scan/scan.h), digests of what has been scanned
 * Returns:  0, -errno
 * Limits:   SCANS_KNOWN_MAX digests, then all are forgotten but what is withheld, up to SCANS_WITHHELD_MAX;
 *           SCANS_RECORDS_MAX findings of a severity are recorded one by one
 *
 * By default nothing follows from a finding in what is listed. Where the profile says tools.scan "withhold", what has a
 * finding of severity high stays off its list and cannot be used by its name, nor can a tool, a prompt or a reference
 * whose definition has not been seen. A resource is data and may be read unlisted, but not under a uri whose definition
 * was withheld, nor at all once more was withheld than is kept. Instructions with such a finding are dropped in any
 * case, but for those that a person has pinned: nobody calls them, so what is lost is nothing but the server's hold on
 * the model.
 */
#pragma once
#include "shim/role.h"
#include <stdbool.h>
#include <stdint.h>
#include "scan/scan.h"
#include "shim/stages.h"
#include "shim/walk.h"

enum {
	SCANS_KNOWN_MAX = 16384,
	SCANS_WITHHELD_MAX = SCANS_KNOWN_MAX / 2,
	SCANS_DIGEST_BYTES = 16,
	SCANS_RECORDS_MAX = 4096,
};

enum scans_verdict { SCANS_UNKNOWN, SCANS_CLEAN, SCANS_WITHHELD };

void scans_done(struct shim *s);
/* Gives back what a scan needs; what is known stays. */
void scans_trim(struct shim *s);
/* May a definition of that list stay? */
int scans_keep(struct shim *s, enum method_result list, struct slice name, struct slice item, bool *ret) _must_check_;
/* May the server's instructions stay? */
int scans_instructions(struct shim *s, struct slice text, bool *ret) _must_check_;
/* A scan that knows the names of other servers' tools. NULL: out of memory. */
struct scan *scans_new(const struct shim_config *c) _must_check_;
/* The names in a list of tools are this server's own, whoever else has them. */
int scans_note_own(struct shim *s, struct scan **scan, struct slice tools) _must_check_;
/* Stages (stages.h): what is withheld; a tool, prompt or reference that was never seen. */
int scans_guard_tool(struct shim *s, struct message *m) _must_check_;
int scans_guard_prompt(struct shim *s, struct message *m) _must_check_;
int scans_guard_resource(struct shim *s, struct message *m) _must_check_;
int scans_guard_reference(struct shim *s, struct message *m) _must_check_;
