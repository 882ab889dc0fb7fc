/* SPDX-License-Identifier: Apache-2.0 */
/* bash - completion for bash, without the bash-completion package (bash(1), Programmable Completion) */
#include <string.h>
#include "completions/complete.h"

static const char head[] = "# bash completion for stockade, made from its tables of commands and options\n"
			   "_stockade_profiles() {\n"
			   "\tstockade check --names \"$@\" 2>/dev/null\n"
			   "}\n\n"
			   "# The words from the FIRSTth on that are no options and no values of the others.\n"
			   "_stockade_plain() { # FIRST OPTION...\n"
			   "\tlocal i\n"
			   "\tplain=()\n"
			   "\tfor ((i = $1; i < COMP_CWORD; i++)); do\n"
			   "\t\tif [[ \" ${*:2} \" == *\" ${COMP_WORDS[i]} \"* ]]; then\n"
			   "\t\t\t[ \"${COMP_WORDS[i + 1]}\" != = ] || i=$((i + 1))\n"
			   "\t\t\ti=$((i + 1))\n"
			   "\t\telif [[ ${COMP_WORDS[i]} != -* ]]; then\n"
			   "\t\t\tplain+=(\"${COMP_WORDS[i]}\")\n"
			   "\t\tfi\n"
			   "\tdone\n"
			   "}\n\n"
			   "_stockade() {\n"
			   "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} "
			   "words=\"${COMP_WORDS[*]:1:2}\" options='' names='' paths='' plain=() i\n"
			   "\tCOMPREPLY=()\n"
			   "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n";

static const char tail[] = "\tif [[ $cur == -* ]]; then\n"
			   "\t\tmapfile -t COMPREPLY < <(compgen -W \"$options --help\" -- \"$cur\")\n"
			   "\telif [ -n \"$names\" ]; then\n"
			   "\t\tmapfile -t COMPREPLY < <(compgen -W \"$names\" -- \"$cur\")\n"
			   "\telif [ -n \"$paths\" ]; then\n"
			   "\t\tmapfile -t COMPREPLY < <(compgen \"$paths\" -- \"$cur\")\n"
			   "\tfi\n"
			   "}\n"
			   "complete -o filenames -F _stockade stockade\n";

/* After "--" stand another program's words. */
static const char rest[] = "\tfor ((i = 2; i < COMP_CWORD; i++)); do\n"
			   "\t\t[ \"${COMP_WORDS[i]}\" = -- ] || continue\n"
			   "\t\tif [ \"$i\" -eq $((COMP_CWORD - 1)) ]; then\n"
			   "\t\t\tmapfile -t COMPREPLY < <(compgen -c -- \"$cur\")\n"
			   "\t\telse\n"
			   "\t\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
			   "\t\tfi\n"
			   "\t\treturn\n"
			   "\tdone\n";

static const char *compgen_for(enum complete_kind kind)
{
	switch (kind) {
	case COMPLETE_FILES:
		return "-f";
	case COMPLETE_DIRECTORIES:
		return "-d";
	case COMPLETE_VARIABLES:
		return "-e";
	case COMPLETE_PROFILES:
	case COMPLETE_NOTHING:
		break;
	}
	return NULL;
}

static void write_values(FILE *out, const struct command_row *row)
{
	for (const struct option_row *o = row->options; o && o->name; o++) {
		const char *how = compgen_for(complete_value(o));
		if (!o->value)
			continue;
		fprintf(out, "\t\t--%s", o->name);
		if (o->letter)
			fprintf(out, "|-%c", o->letter);
		fputs(") ", out);
		if (how)
			fprintf(out, "mapfile -t COMPREPLY < <(compgen %s -- \"$cur\"); ", how);
		fputs("return ;;\n", out);
	}
}

/* A profile, then one of its scopes, then nothing. */
static void write_scopes(FILE *out, const struct command_row *row)
{
	fprintf(out, "\t\t_stockade_plain %u", complete_first(row));
	complete_valued(row, out);
	fputs("\n\t\t[ ${#plain[@]} -gt 1 ] || names=$(_stockade_profiles \"${plain[@]}\")\n", out);
}

static void write_command(FILE *out, const struct command_row *row)
{
	fprintf(out, "\t'%s' | '%s '*)\n\t\toptions='", row->name, row->name);
	for (const struct option_row *o = row->options; o && o->name; o++)
		fprintf(out, "%s--%s", o == row->options ? "" : " ", o->name);
	fputs("'\n", out);
	if (complete_scope(row))
		write_scopes(out, row);
	else if (complete_word(row) == COMPLETE_PROFILES)
		fputs("\t\tnames=$(_stockade_profiles)\n", out);
	else if (compgen_for(complete_word(row)))
		fprintf(out, "\t\tpaths=%s\n", compgen_for(complete_word(row)));
	fputs("\t\tcase $prev in\n", out);
	write_values(out, row);
	fputs("\t\tesac\n\t\t;;\n", out);
}

/* The second words of "audit show" and the like. */
static void write_second_words(FILE *out)
{
	fputs("\tif [ \"$COMP_CWORD\" -eq 2 ]; then\n\t\tcase $prev in\n", out);
	for (size_t i = 0; i < commands_n; i++) {
		const char *blank = strchr(commands[i]->name, ' ');
		if (blank)
			fprintf(out, "\t\t%.*s) names+=' %s' ;;&\n", (int)(blank - commands[i]->name),
				commands[i]->name, blank + 1);
	}
	fputs("\t\tesac\n\tfi\n", out);
}

void complete_bash(FILE *out)
{
	fputs(head, out);
	fputs("\t\tmapfile -t COMPREPLY < <(compgen -W '--help --version help", out);
	for (size_t i = 0; i < commands_n; i++)
		fprintf(out, " %.*s", (int)strcspn(commands[i]->name, " "), commands[i]->name);
	fputs("' -- \"$cur\" | sort -u)\n\t\treturn\n\tfi\n", out);
	fputs(rest, out);
	fputs("\tcase $words in\n", out);
	/* The longer names first: "approvals revoke" before "approvals". */
	for (int two = 1; two >= 0; two--)
		for (size_t i = 0; i < commands_n; i++)
			if ((strchr(commands[i]->name, ' ') != NULL) == two)
				write_command(out, commands[i]);
	fputs("\tesac\n", out);
	write_second_words(out);
	fputs(tail, out);
}
