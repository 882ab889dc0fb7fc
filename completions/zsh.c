/* SPDX-License-Identifier: Apache-2.0 */
/* zsh - completion for zsh (zshcompsys(1), _arguments) */
#include <string.h>
#include "completions/complete.h"

static const char head[] = "#compdef stockade\n"
			   "# zsh completion for stockade, made from its tables of commands and options\n"
			   "_stockade_profiles() {\n"
			   "\tlocal -a names\n"
			   "\tnames=(${(f)\"$(stockade check --names 2>/dev/null)\"})\n"
			   "\tcompadd -a names\n"
			   "}\n"
			   "# Of the profile that is the first plain word; _arguments has gathered those.\n"
			   "_stockade_scopes() {\n"
			   "\tlocal -a names\n"
			   "\tnames=(${(f)\"$(stockade check --names $line[1] 2>/dev/null)\"})\n"
			   "\tcompadd -a names\n"
			   "}\n\n"
			   "_stockade() {\n";

/* Brackets and colons end the parts of a specification, a quote the word. */
static void write_help(FILE *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '\'')
			fputs("'\\''", out);
		else
			fprintf(out, strchr("[]:\\", *s) ? "\\%c" : "%c", *s);
	}
}

static const char *action_for(enum complete_kind kind)
{
	switch (kind) {
	case COMPLETE_FILES:
		return "_files";
	case COMPLETE_DIRECTORIES:
		return "_files -/";
	case COMPLETE_VARIABLES:
		return "_parameters -g \"*export*\"";
	case COMPLETE_PROFILES:
		return "_stockade_profiles";
	case COMPLETE_NOTHING:
		break;
	}
	return "";
}

/* 'words of the specification', with the letter as the same option. */
static void write_option(FILE *out, const struct option_row *o)
{
	const char *equals = o->value ? "=" : "";

	if (o->letter)
		fprintf(out, " \\\n\t\t\t'(-%c --%s)'{-%c,--%s%s}'[", o->letter, o->name, o->letter, o->name, equals);
	else
		fprintf(out, " \\\n\t\t\t'%s--%s%s[", o->kind == OPTION_STRV ? "*" : "", o->name, equals);
	write_help(out, o->help);
	fputc(']', out);
	if (o->value) {
		fputc(':', out);
		write_help(out, o->value);
		fprintf(out, ":%s", action_for(complete_value(o)));
	}
	fputc('\'', out);
}

static void write_command(FILE *out, const struct command_row *row)
{
	fprintf(out, "\t'%s')\n\t\t_arguments -s '(- *)'{-h,--help}'[show this text]'", row->name);
	for (const struct option_row *o = row->options; o && o->name; o++)
		write_option(out, o);
	if (row->rest)
		fprintf(out, " \\\n\t\t\t'::name:%s' '*::command:_normal'", action_for(complete_word(row)));
	else if (complete_scope(row))
		fprintf(out, " \\\n\t\t\t'1:name:%s' '2:scope:_stockade_scopes'", action_for(complete_word(row)));
	else if (complete_word(row) != COMPLETE_NOTHING)
		fprintf(out, " \\\n\t\t\t'1:word:%s'", action_for(complete_word(row)));
	fputs("\n\t\t;;\n", out);
}

/* 'word:summary' of an array for _describe; of a command of two words the word that is asked for. */
static void write_word(FILE *out, const char *word, size_t len, const char *summary)
{
	fprintf(out, " '%.*s:", (int)len, word);
	write_help(out, summary);
	fputc('\'', out);
}

static bool is_first_of_group(size_t at, size_t len)
{
	for (size_t i = 0; i < at; i++)
		if (strncmp(commands[i]->name, commands[at]->name, len) == 0 &&
			(commands[i]->name[len] == ' ' || commands[i]->name[len] == '\0'))
			return false;
	return true;
}

/* The second words of each first one that has any. */
static void write_groups(FILE *out)
{
	fputs("\tcase $words[2] in\n", out);
	for (size_t i = 0; i < commands_n; i++) {
		size_t len = strcspn(commands[i]->name, " ");
		bool any = false;

		for (size_t j = 0; is_first_of_group(i, len) && j < commands_n; j++) {
			const char *name = commands[j]->name;
			if (strncmp(name, commands[i]->name, len) != 0 || name[len] != ' ')
				continue;
			if (!any)
				fprintf(out, "\t'%.*s')\n\t\tbelow=(", (int)len, name);
			any = true;
			write_word(out, name + len + 1, strlen(name + len + 1), commands[j]->summary);
		}
		fputs(any ? " )\n\t\t;;\n" : "", out);
	}
	fputs("\tesac\n", out);
}

void complete_zsh(FILE *out)
{
	fputs(head, out);
	fputs("\tlocal name=$words[2]\n\tlocal -a line below commands=(", out);
	for (size_t i = 0; i < commands_n; i++) {
		size_t len = strcspn(commands[i]->name, " ");
		if (is_first_of_group(i, len))
			write_word(out, commands[i]->name, len, commands[i]->name[len] ? "" : commands[i]->summary);
	}
	fputs(" )\n\tif (( CURRENT == 2 )); then\n\t\t_describe command commands\n\t\treturn\n\tfi\n", out);
	write_groups(out);
	fputs("\tif (( CURRENT == 3 && $#below )); then\n\t\t_describe command below\n\tfi\n"
	      "\tif (( CURRENT > 3 && ${below[(I)$words[3]:*]} )); then\n\t\tname=\"$words[2] $words[3]\"\n\t\tshift "
	      "words\n"
	      "\t\t(( CURRENT-- ))\n\tfi\n\tshift words\n\t(( CURRENT-- ))\n\tcase $name in\n",
		out);
	for (size_t i = 0; i < commands_n; i++)
		write_command(out, commands[i]);
	fputs("\tesac\n}\n_stockade \"$@\"\n", out);
}
