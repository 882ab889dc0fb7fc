/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill_set - all entries of the kill switch that hold for this user: theirs, root's, those of the bundle
 *
 * Process:  supervisor
 * Owns:     its entries; free with kill_set_done
 * Returns:  0, -ENOMEM
 * Limits:   KILL_ENTRIES_MAX files a directory, and as many entries of a bundle
 *
 * Any one of them is enough. Nothing here is ever skipped: a directory that cannot be read, that another could have
 * written, or that holds more than can be looked at kills everything, in an entry that says which and how to mend it.
 * A directory that is not there holds nothing.
 */
#pragma once
#include "supervisor/kill/kill_entry.h"
#include "supervisor/paths.h"

#define KILL_DIR	"kill.d"
#define KILL_SYSTEM_DIR "/etc/stockade/" KILL_DIR
enum { KILL_ENTRIES_MAX = 1024 };
/* How long ago a file must have been changed for nobody to be writing it any more. */
enum { KILL_SETTLE_MS = 200 };

struct kill_set {
	struct kill_entry *v;
	size_t n, room;
};

struct kill_bundle;

int kill_set_read(const struct paths *p, struct kill_set *ret) _must_check_;
/* The same for who looks again and again: what was read of the bundle is kept in b (kill_bundle.h). */
int kill_set_read_with(const struct paths *p, struct kill_bundle *b, struct kill_set *ret) _must_check_;
/* Adds the entries of one directory, where "*.json" count. trust: whose its files have to be. */
int kill_set_read_dir(const char *path, enum kill_origin origin, uid_t uid, struct kill_set *set) _must_check_;
/* Adds the entries of a list of objects, as a bundle holds them; where: the file, for words. */
int kill_set_add_list(struct kill_set *set, const json_t *list, const char *where) _must_check_;
/* Takes the entry over, whatever it returns. */
int kill_set_add(struct kill_set *set, struct kill_entry *e) _must_check_;
/* The first entry that kills the server, or that tool of it; NULL: none does. */
const struct kill_entry *kill_set_server(const struct kill_set *set, const char *server);
const struct kill_entry *kill_set_tool(const struct kill_set *set, const char *server, const char *tool);
/* -EPERM, with words on a server that this entry keeps from being started. */
int kill_set_refuse(const struct kill_entry *e, struct diag *d) _must_check_;
void kill_set_done(struct kill_set *set);
#define _cleanup_kill_set_ _cleanup_(kill_set_done)
