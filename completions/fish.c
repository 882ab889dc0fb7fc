/* SPDX-License-Identifier: Apache-2.0 */
/* fish - completion for fish (fish: complete) */
#include <string.h>
#include "completions/complete.h"

static const char head[] =
	"# fish completion for stockade, made from its tables of commands and options\n"
	"function __stockade_profiles\n"
	"\tstockade check --names $argv 2>/dev/null\n"
	"end\n"
	"# The words from the FIRSTth on, counted from 0, that are no options and no values of the others.\n"
	"function __stockade_plain # FIRST OPTION...\n"
	"\tset -l at -1\n"
	"\tset -l skip 0\n"
	"\tfor word in (commandline -opc)\n"
	"\t\tset at (math $at + 1)\n"
	"\t\tif test $at -lt $argv[1]\n"
	"\t\t\tcontinue\n"
	"\t\telse if test $skip -eq 1\n"
	"\t\t\tset skip 0\n"
	"\t\telse if contains -- $word $argv[2..-1]\n"
	"\t\t\tset skip 1\n"
	"\t\telse if not string match -q -- '-*' $word\n"
	"\t\t\techo $word\n"
	"\t\tend\n"
	"\tend\n"
	"end\n"
	"complete -c stockade -f\n"
	"complete -c stockade -n __fish_use_subcommand -l version -d 'print the version'\n"
	"complete -c stockade -s h -l help -d 'show help'\n";

/* Single quotes of fish know two escapes. */
static void write_quoted(FILE *out, const char *s)
{
	fputc('\'', out);
	for (; *s; s++)
		fprintf(out, *s == '\'' || *s == '\\' ? "\\%c" : "%c", *s);
	fputc('\'', out);
}

/* "approvals" holds until "revoke" stands after it. The quote is left open. */
static void open_condition(FILE *out, const char *name)
{
	const char *blank = strchr(name, ' ');
	size_t len = strcspn(name, " ");

	fprintf(out, "'__fish_seen_subcommand_from %.*s", (int)len, name);
	if (blank)
		fprintf(out, "; and __fish_seen_subcommand_from %s", blank + 1);
	for (size_t i = 0; !blank && i < commands_n; i++)
		if (strncmp(commands[i]->name, name, len) == 0 && commands[i]->name[len] == ' ')
			fprintf(out, "; and not __fish_seen_subcommand_from %s", commands[i]->name + len + 1);
}

static void write_condition(FILE *out, const char *name)
{
	open_condition(out, name);
	fputc('\'', out);
}

static void write_plain(FILE *out, const struct command_row *row)
{
	fprintf(out, "(__stockade_plain %u", complete_first(row));
	complete_valued(row, out);
	fputc(')', out);
}

/* A profile, then one of its scopes, then nothing. */
static void write_scopes(FILE *out, const struct command_row *row)
{
	fputs("complete -c stockade -n ", out);
	open_condition(out, row->name);
	fputs("; and test (count ", out);
	write_plain(out, row);
	fputs(") -lt 2' -a '(__stockade_profiles ", out);
	write_plain(out, row);
	fputs(")'\n", out);
}

/* How the words of a command are offered; those of scopes aside. */
static const char *words_for(enum complete_kind kind)
{
	switch (kind) {
	case COMPLETE_FILES:
		return " -F";
	case COMPLETE_DIRECTORIES:
		return " -a '(__fish_complete_directories)'";
	case COMPLETE_PROFILES:
		return " -a '(__stockade_profiles)'";
	case COMPLETE_VARIABLES:
	case COMPLETE_NOTHING:
		break;
	}
	return NULL;
}

static const char *arguments_for(enum complete_kind kind)
{
	switch (kind) {
	case COMPLETE_FILES:
		return " -r -F";
	case COMPLETE_DIRECTORIES:
		return " -x -a '(__fish_complete_directories)'";
	case COMPLETE_VARIABLES:
		return " -x -a '(set -nx)'";
	case COMPLETE_PROFILES:
	case COMPLETE_NOTHING:
		break;
	}
	return " -x";
}

static void write_name(FILE *out, const struct command_row *row)
{
	const char *blank = strchr(row->name, ' ');

	if (blank) {
		_cleanup_free_ char *first = strndup(row->name, (size_t)(blank - row->name));
		fputs("complete -c stockade -n ", out);
		write_condition(out, first ? first : row->name);
		fprintf(out, " -a %s -d ", blank + 1);
		write_quoted(out, row->summary);
		fprintf(out, "\ncomplete -c stockade -n __fish_use_subcommand -a %.*s\n", (int)(blank - row->name),
			row->name);
		return;
	}
	fprintf(out, "complete -c stockade -n __fish_use_subcommand -a %s -d ", row->name);
	write_quoted(out, row->summary);
	fputc('\n', out);
}

void complete_fish(FILE *out)
{
	fputs(head, out);
	for (size_t i = 0; i < commands_n; i++) {
		const struct command_row *row = commands[i];
		write_name(out, row);
		for (const struct option_row *o = row->options; o && o->name; o++) {
			fputs("complete -c stockade -n ", out);
			write_condition(out, row->name);
			if (o->letter)
				fprintf(out, " -s %c", o->letter);
			fprintf(out, " -l %s%s -d ", o->name, o->value ? arguments_for(complete_value(o)) : "");
			write_quoted(out, o->help);
			fputc('\n', out);
		}
		if (complete_scope(row)) {
			write_scopes(out, row);
		} else if (words_for(complete_word(row))) {
			fputs("complete -c stockade -n ", out);
			write_condition(out, row->name);
			fprintf(out, "%s\n", words_for(complete_word(row)));
		}
	}
}
