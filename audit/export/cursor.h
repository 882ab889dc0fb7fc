/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cursor - how far an export has come, in a file that survives it
 *
 * Process:  supervisor
 * Owns:     the positions and the lock on CURSOR.lock; free with cursor_done
 * Returns:  0, -errno with words
 * Limits:   CURSOR_BYTES_MAX the file
 *
 * A position is the number, the hash and the end of the last record that is out. There is one in the index and one in
 * each session that the index has opened and that is not through: a session whose close is out is forgotten, since the
 * index is past its opening, and nothing before that place is looked for again. The file is one JSON object with a hash
 * of its own and is replaced as a whole.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "audit/log.h"
#include "base/diag.h"

enum { CURSOR_BYTES_MAX = 4 << 20 };

struct position {
	char file[LOG_FILE_NAME_MAX];
	uint64_t seq, offset;
	char hash[RECORD_HASH_HEX + 1]; /* "": nothing is out yet */
	bool dropped;			/* the index tells that its file is removed: it was old enough */
	bool gone;			/* there is no file, and nobody has told why yet */
	bool over;			/* its close is out, or there is nothing more to be had from it */
};

struct cursor {
	int dirfd;  /* of the cursor's file; -1: it is not kept */
	char *name; /* in that directory */
	char *path; /* for messages */
	int lock;
	char *what;	 /* format and filter: a cursor is of one export alone */
	bool found;	 /* it was there */
	bool has_output; /* it knows a file that the export writes */
	uint64_t output_dev, output_ino, output_size;
	struct position index;
	struct position *v;
	size_t n, room;
};

#define CURSOR_INIT ((struct cursor){ .dirfd = -1, .lock = -1 })

/* Opens the directory, takes the lock, reads what is there. path NULL: nothing is kept. */
int cursor_open(struct cursor *c, const char *path, const char *what, struct diag *d) _must_check_;
/* Replaces the file. */
int cursor_write(const struct cursor *c, struct diag *d) _must_check_;
struct position *cursor_find(struct cursor *c, const char *file);
int cursor_add(struct cursor *c, const char *file) _must_check_;
/* Forgets the sessions that are over. */
void cursor_collapse(struct cursor *c);
void cursor_done(struct cursor *c);
/* Is the record that ends at the position still the one that was exported? 1, 0, -errno. */
int position_holds(int fd, const struct position *p) _must_check_;
