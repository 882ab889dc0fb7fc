/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill_entry - one entry of the kill switch: which server or tool may not run, who said so, when and why
 *
 * Process:  supervisor
 * Owns:     struct kill_entry its strings; free with kill_entry_done
 * Returns:  0, KILL_DAMAGED, -ENOMEM
 * Limits:   KILL_FILE_MAX bytes a file, KILL_NAME_MAX a server's or tool's name, KILL_WHO_MAX, KILL_WHY_MAX
 *
 *     {"stockade": 1, "server": NAME or glob or "*", "tool": NAME or glob, "who": …, "when": RFC 3339, "why": …}
 *
 * Theory of operation. An entry takes away, so what cannot be read of it is read as the most that it can have meant.
 * Damaged, it kills what its file's name says, where that is a name that stockade gives; the whole of the server that
 * it names, where that can still be read; and everything, where neither can. The names that stockade gives are
 *
 *     all.json    server.SERVER.json    tool.SERVER@TOOL.json
 *
 * with every byte but letters, digits, '_', '-' and '.' as %xx, so that nothing else is taken for one. What such a file
 * says has to be what its name says.
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include "base/diag.h"
#include "supervisor/role.h"

enum { KILL_FILE_MAX = 16 << 10, KILL_NAME_MAX = 512, KILL_WHO_MAX = 256, KILL_WHY_MAX = 1024 };
enum { KILL_FILE_NAME_SIZE = 256, KILL_WORDS_SIZE = 1024 };
enum { KILL_DAMAGED = 1 };

/* Whose it is: who can take it away again. */
enum kill_origin { KILL_BY_USER, KILL_BY_ROOT, KILL_BY_BUNDLE };

struct kill_entry {
	char *server;	  /* name or glob; "*": every server */
	char *tool;	  /* name or glob; NULL: the server itself */
	char *who, *when; /* NULL: it is damaged, and nobody knows */
	char *why;	  /* NULL: the same */
	char *damaged;	  /* why it cannot be read, and how that is mended; NULL: it is whole */
	char *file;	  /* where it lies; NULL: nowhere yet */
	bool fresh;	  /* damaged, and changed so lately that somebody may just be writing it */
	enum kill_origin origin;
};

/* KILL_DAMAGED: server, and damaged, are there all the same; server is "*" where it cannot be read. */
int kill_entry_parse(const char *bytes, size_t n, struct kill_entry *ret) _must_check_;
/* Its bytes, heap; NULL: out of memory, or not UTF-8. */
char *kill_entry_text(const struct kill_entry *e);
/* For programs that list it. */
json_t *kill_entry_json(const struct kill_entry *e);
/* The name of the file that stockade keeps it in. -ENAMETOOLONG. */
int kill_entry_file_name(const char *server, const char *tool, char ret[KILL_FILE_NAME_SIZE]) _must_check_;
/* What such a name says: server and tool (NULL: the server itself) are the caller's. -EINVAL: it is none of those. */
int kill_entry_of_name(const char *file, char **ret_server, char **ret_tool) _must_check_;
/* Does it kill that server, or that tool of it? An entry of a tool does not kill the server. */
bool kill_entry_hits_server(const struct kill_entry *e, const char *server);
bool kill_entry_hits_tool(const struct kill_entry *e, const char *server, const char *tool);
/* "by alice since 2026-11-22T00:50:00Z: why", or that it is damaged; escaped, one line. Returns ret. */
const char *kill_entry_by(const struct kill_entry *e, char *ret, size_t size);
/* "everything", "server 'x'", "tool 'y' of server 'x'"; escaped. Returns ret. */
const char *kill_entry_what(const struct kill_entry *e, char *ret, size_t size);
const char *kill_origin_name(enum kill_origin origin);
void kill_entry_done(struct kill_entry *e);
#define _cleanup_kill_entry_ _cleanup_(kill_entry_done)
