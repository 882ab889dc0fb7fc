/* SPDX-License-Identifier: Apache-2.0 */
/*
 * survey - everything below a directory, by name and status
 *
 * Process:  supervisor
 * Owns:     what it found; free with survey_done
 * Returns:  0, SURVEY_OTHERS, -errno with ret->failed saying where; -EFBIG past CODE_FILES_MAX names or
 * SURVEY_DEPTH_MAX levels Limits:   SURVEY_THREADS_MAX threads, SURVEY_PATH_MAX bytes a path
 *
 * Every file of the code is looked at before each launch, and the client waits for it: thousands of calls of a
 * microsecond or two each, that do not depend on one another. So several threads share them. They live within
 * survey_take alone.
 */
#pragma once
#include <stdbool.h>
#include <sys/stat.h>
#include "base/strv.h"
#include "supervisor/code_list.h"

enum { SURVEY_DEPTH_MAX = 128, SURVEY_PATH_MAX = 4096, SURVEY_THREADS_MAX = 4 };

enum survey_kind {
	SURVEY_CONTENT, /* all of it is kept */
	SURVEY_OWNERS,	/* only: is everything root's alone? */
};

enum { SURVEY_OTHERS = 1 }; /* SURVEY_OWNERS: no, or it could not be seen */

struct survey_entry {
	const char *name;
	struct stat st; /* of a directory: the type alone */
	char *link;	/* the text of a symbolic link */
	uint32_t dir;	/* of a directory: its index in dirs */
};

struct survey_dir {
	char *path; /* below the root, without a leading slash; "." for the root */
	unsigned depth;
	struct survey_entry *v; /* SURVEY_CONTENT: sorted by name; one block with the names behind it */
	size_t n;
};

struct survey {
	struct survey_dir **dirs; /* the root first */
	size_t n, cap;
	struct strv links; /* SURVEY_OWNERS: "DIR\tTEXT", those that may lead out of it */
	uint64_t files;
	char failed[SURVEY_PATH_MAX];
};

int survey_take(int root, enum survey_kind kind, struct survey *ret) _must_check_;
/* Root's own, and nobody else may write it. */
bool survey_root_alone(const struct stat *st);
void survey_done(struct survey *s);
#define _cleanup_survey_ _cleanup_(survey_done)
