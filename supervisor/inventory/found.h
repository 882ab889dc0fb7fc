/* SPDX-License-Identifier: Apache-2.0 */
/*
 * found - the servers that clients' configurations name, as stockade-inventory found them
 *
 * Process:  supervisor
 * Owns:     its strings; free with found_list_done
 * Returns:  0, -errno with words
 * Limits:   FOUND_BYTES_MAX of what is handed over for a user, FOUND_MAX servers of one, FOUND_WORDS_MAX words and as
 *           many variables of one server, FOUND_WAIT_S seconds
 *
 * Configurations are parsed by a program of its own that has become the user whose they are (inventory/entries.h says
 * what it hands over): here only lines of text are taken apart.
 */
#pragma once
#include <stdint.h>
#include <sys/types.h>
#include "base/diag.h"
#include "base/strv.h"
#include "supervisor/role.h"

enum { FOUND_BYTES_MAX = 32 << 20, FOUND_MAX = 20000, FOUND_WORDS_MAX = 4096, FOUND_WAIT_S = 30 };

enum found_state {
	FOUND_RAW,     /* its client starts it itself */
	FOUND_WRAPPED, /* through stockade run */
	FOUND_REMOTE,  /* nothing is started */
	FOUND_UNREAD,  /* a file that could not be read; unread says why */
	FOUND_STATE_COUNT,
};
const char *found_state_name(enum found_state s);

struct found {
	enum found_state state;
	char *user, *client, *file, *name;
	char *project; /* that it is for; NULL: for all */
	char *unread;
	char *url; /* scheme and host */
	bool off;
	unsigned line;
	struct strv words, variables; /* of the command; names */
	char *profile;		      /* wrapped: which, or NULL */
	char *package, *version;      /* what the words say of where it comes from, or NULL */
	const char *doubt;	      /* why it is not taken for wrapped though it looks so, or NULL */
};

struct found_list {
	struct found *v;
	size_t n, room;
};

struct found_user {
	const char *name, *home;
	uid_t uid;
	gid_t gid;
	bool own;    /* it is us: no change of identity, and our environment says where files are */
	bool system; /* the files of the machine, too */
};

/* Appends what that user's clients have. projects: directories to look into besides. */
int found_read(
	const struct found_user *u, const struct strv *projects, struct found_list *l, struct diag *d) _must_check_;
/* What was handed over, taken apart: for found_read, and for tests. */
int found_parse(const char *text, size_t n, const char *user, struct found_list *l, struct diag *d) _must_check_;
void found_list_done(struct found_list *l);
#define _cleanup_found_ _cleanup_(found_list_done)
