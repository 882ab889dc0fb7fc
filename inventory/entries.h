/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entries - the servers that a client's configuration names, one line a fact on stdout
 *
 * Process:  inventory
 * Returns:  0, -errno of writing
 * Limits:   ENTRIES_FILE_MAX a file, ENTRY_TEXT_MAX a fact, ENTRY_WORDS_MAX words and as many variables a server
 *
 * What is handed over (supervisor/inventory/found.h): a letter, a blank, a text that text_escape() made harmless.
 *
 *     E client   F file   L line   N name   P project   W word of the command (again and again)
 *     V name of a variable   U scheme and host of a remote server   D (switched off)   . (the end)
 *     X why a file could not be read, between E, F and the end, or of one server also L and N
 */
#pragma once
#include <stdio.h>
#include "inventory/table.h"

enum { ENTRIES_FILE_MAX = 32 << 20, ENTRY_TEXT_MAX = 16 << 10, ENTRY_WORDS_MAX = 4000, PROJECTS_MAX = 1000 };

struct search {
	FILE *out;
	const char *home;
	char *const *environ_names; /* "XDG_CONFIG_HOME=..." and the like; NULL: none is believed */
	bool system;		    /* files of the machine, too */
	char *projects[PROJECTS_MAX];
	size_t n_projects;
};

int entries_find(struct search *s) _must_check_;
