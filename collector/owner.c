/* SPDX-License-Identifier: Apache-2.0 */
/* owner - see owner.h */
#include "collector/owner.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/names.h"
#include "base/parse.h"

/* "alice:100000:65536"; cut is changed. */
static bool in_range(char *line, uid_t uid, const char **ret_name, uid_t *ret_first)
{
	char *rest = line, *name = strsep(&rest, ":"), *first = strsep(&rest, ":"), *count = strsep(&rest, ":\n");
	uint64_t from, n;

	if (!count || !*name || parse_u64(first, 0, UINT32_MAX, &from) < 0 || parse_u64(count, 1, UINT32_MAX, &n) < 0)
		return false;
	*ret_name = name;
	*ret_first = (uid_t)from;
	return uid >= from && uid - from < n;
}

static uid_t id_of(const char *name, uid_t first)
{
	uint64_t number;
	uid_t uid;

	if (parse_u64(name, 0, UINT32_MAX, &number) == 0)
		return (uid_t)number;
	return names_id(name, &uid) ? uid : first;
}

/* The next line without its end; one that is too long is skipped. */
static bool next_line(FILE *f, char line[OWNER_LINE_MAX])
{
	while (fgets(line, OWNER_LINE_MAX, f)) {
		bool whole = strchr(line, '\n') || feof(f);
		for (int c = whole ? '\n' : 0; c != '\n' && c != EOF;)
			c = fgetc(f);
		if (whole)
			return true;
	}
	return false;
}

static uid_t owner_in(FILE *f, uid_t uid)
{
	char line[OWNER_LINE_MAX];
	const char *name;
	uid_t first;

	while (next_line(f, line))
		if (in_range(line, uid, &name, &first))
			return id_of(name, first);
	return uid;
}

uid_t owner_of(const char *subuid, uid_t uid)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *name = NULL;

	if (names_user(uid, &name, NULL) < 0 || name)
		return uid;
	f = fopen(subuid, "re");
	return f ? owner_in(f, uid) : uid;
}
