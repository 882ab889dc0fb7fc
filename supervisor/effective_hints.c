/* SPDX-License-Identifier: Apache-2.0 */
/* effective_hints - see effective_hints.h */
#include "supervisor/effective_hints.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/text.h"

enum { NAME_CHARS_MAX = 128 };

static void add(struct diag *d, const char *more)
{
	const struct diag sentence = *d;

	diag_set(d, "%s%s", sentence.text, more);
}

/* "@scope/name@1.2" and "name==1.2" are "name"; false for what no profile is called, and for paths and URLs: what lies
 * there is not what the profile of that name is for. */
static bool package_name(const char *word, char ret[NAME_CHARS_MAX])
{
	const char *slash = *word == '@' ? strchr(word, '/') : NULL, *name = slash ? slash + 1 : word;
	size_t n = strcspn(name, "@=<>~[ ");

	if (n == 0 || n >= NAME_CHARS_MAX || *name == '.' || *name == '-' ||
		strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") < n || strchr(name, '/'))
		return false;
	memcpy(ret, name, n);
	ret[n] = '\0';
	return true;
}

static bool profile_exists(const struct paths *p, const struct bundle *b, const char *name)
{
	char path[PATH_MAX];

	if (bundle_profile(b, name))
		return true;
	for (size_t i = 0; i < p->profile_dirs.n; i++)
		if (snprintf(path, sizeof(path), "%s/%s.json", p->profile_dirs.v[i], name) < (int)sizeof(path) &&
			access(path, F_OK) == 0)
			return true;
	return false;
}

void effective_hint_profile(const struct paths *p, const struct bundle *b, const struct strv *command, struct diag *d)
{
	char name[NAME_CHARS_MAX], more[2 * NAME_CHARS_MAX + 128];

	for (size_t i = 1; i < command->n; i++) {
		if (!package_name(command->v[i], name) || !profile_exists(p, b, name))
			continue;
		snprintf(more, sizeof(more),
			". There is a profile for it: 'stockade check %s' says what it grants, and then 'stockade run "
			"%s' "
			"is the command",
			name, name);
		add(d, more);
		return;
	}
}

/* Then something else is missing, such as the script that it shall run. */
static bool in_path(const char *program, const char *path_env)
{
	char path[PATH_MAX];

	for (const char *dir = path_env; dir; dir = strchr(dir, ':') ? strchr(dir, ':') + 1 : NULL)
		if (snprintf(path, sizeof(path), "%.*s/%s", (int)strcspn(dir, ":"), dir, program) < (int)sizeof(path) &&
			access(path, X_OK) == 0)
			return true;
	return false;
}

void effective_hint_program(const struct profile *f, const char *program, const char *path_env, struct diag *d)
{
	char file[PATH_MAX], more[PATH_MAX + 256];

	if (!f->file || strchr(program, '/') || *program == '~' || in_path(program, path_env))
		return;
	snprintf(more, sizeof(more),
		". The profile %s names it so: put its directory into PATH where stockade is started (in a client's "
		"entry: "
		"\"env\": {\"PATH\": \"DIRECTORY:/usr/bin:/bin\"}), or write the path into a profile of your own",
		text_escape_str(f->file, file, sizeof(file)));
	add(d, more);
}
