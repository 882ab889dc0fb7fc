/* SPDX-License-Identifier: Apache-2.0 */
/* complete - see complete.h */
#include "completions/complete.h"
#include <string.h>

/* option NULL: any that takes such a value. */
static const struct {
	const char *option, *value;
	enum complete_kind kind;
} values[] = {
	{ "cwd", "PATH", COMPLETE_DIRECTORIES },
	{ "env", "NAME", COMPLETE_VARIABLES },
	{ NULL, "PATH", COMPLETE_FILES },
	{ NULL, "FILE", COMPLETE_FILES },
	{ NULL, "DIR", COMPLETE_DIRECTORIES },
};

/* Those that take neither a plan nor a scope, by what stands in their synopsis. */
static const struct {
	const struct command_row *row;
	enum complete_kind kind;
} words[] = {
	{ &cmd_kill, COMPLETE_PROFILES },
	{ &cmd_restore, COMPLETE_PROFILES },
	{ &cmd_profile_lint, COMPLETE_FILES },
	{ &cmd_profile_sign, COMPLETE_FILES },
	{ &cmd_profile_verify, COMPLETE_FILES },
	{ &cmd_bundle_new, COMPLETE_DIRECTORIES },
	{ &cmd_bundle_show, COMPLETE_FILES },
	{ &cmd_policy_lint, COMPLETE_FILES },
	{ &cmd_policy_test, COMPLETE_FILES },
};

enum complete_kind complete_value(const struct option_row *o)
{
	for (size_t i = 0; o->value && i < ARRAY_LEN(values); i++)
		if (strcmp(values[i].value, o->value) == 0 &&
			(!values[i].option || strcmp(values[i].option, o->name) == 0))
			return values[i].kind;
	return COMPLETE_NOTHING;
}

/* Commands that start or look at a plan, or lift a rule of it, take the name of a profile; one that makes a profile
 * takes a new one. */
enum complete_kind complete_word(const struct command_row *row)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (words[i].row == row)
			return words[i].kind;
	return (row->rest && row != &cmd_profile_new) || complete_scope(row) ? COMPLETE_PROFILES : COMPLETE_NOTHING;
}

bool complete_scope(const struct command_row *row)
{
	return row == &cmd_grant || row == &cmd_grants_end;
}

void complete_valued(const struct command_row *row, FILE *out)
{
	for (const struct option_row *o = row->options; o && o->name; o++) {
		if (!o->value)
			continue;
		fprintf(out, " --%s", o->name);
		if (o->letter)
			fprintf(out, " -%c", o->letter);
	}
}

unsigned complete_first(const struct command_row *row)
{
	return strchr(row->name, ' ') ? 3 : 2;
}

static const struct {
	const char *shell;
	void (*write)(FILE *out);
} shells[] = {
	{ "bash", complete_bash },
	{ "zsh", complete_zsh },
	{ "fish", complete_fish },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 2 && i < ARRAY_LEN(shells); i++)
		if (strcmp(argv[1], shells[i].shell) == 0) {
			shells[i].write(stdout);
			return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
		}
	fputs("usage: complete bash|zsh|fish\n", stderr);
	return 2;
}
