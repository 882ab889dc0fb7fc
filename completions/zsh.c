/* SPDX-License-Identifier: Apache-2.0 */
/* zsh - completion for zsh (zshcompsys(1), _arguments) */
#include <string.h>
#include "completions/complete.h"

static const char head[] =
	"#compdef stockade\n"
	"# zsh completion for stockade, made from its tables of commands and options\n"
	"_stockade_profiles() {\n"
	"\tlocal -a names\n"
	"\tnames=(/etc/stockade/profiles/*.json(N:t:r) " STOCKADE_DATADIR
	"/profiles/*.json(N:t:r) ${XDG_CONFIG_HOME:-$HOME/.config}/stockade/profiles/*.json(N:t:r))\n"
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

static void write_option(FILE *out, const struct option_row *o)
{
	fprintf(out, " \\\n\t\t\t'%s--%s%s[", o->kind == OPTION_STRV ? "*" : "", o->name, o->value ? "=" : "");
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
	fputs("\n\t\t;;\n", out);
}

void complete_zsh(FILE *out)
{
	fputs(head, out);
	fputs("\tlocal -a commands=(\n", out);
	for (size_t i = 0; i < commands_n; i++) {
		fprintf(out, "\t\t'%s:", commands[i]->name);
		write_help(out, commands[i]->summary);
		fputs("'\n", out);
	}
	fputs("\t)\n\tlocal name=$words[2]\n\tif (( CURRENT == 2 )); then\n\t\t_describe command "
	      "commands\n\t\treturn\n\tfi\n"
	      "\tif (( ${commands[(I)$words[2] $words[3]:*]} && CURRENT > 3 )); then\n\t\tname=\"$words[2] "
	      "$words[3]\"\n\t\tshift words\n"
	      "\t\t(( CURRENT-- ))\n\tfi\n\tshift words\n\t(( CURRENT-- ))\n\tcase $name in\n",
		out);
	for (size_t i = 0; i < commands_n; i++)
		write_command(out, commands[i]);
	fputs("\tesac\n}\n_stockade \"$@\"\n", out);
}
