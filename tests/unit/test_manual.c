/* SPDX-License-Identifier: Apache-2.0 */
/* test_manual - the manual pages and the tables of commands and options say the same */
#include "tests/unit/unit.h"
#include <stdio.h>
#include <stdlib.h>
#include "supervisor/commands.h"

enum { PAGE_MAX = 64 << 10, WORD_MAX = 64 };

/* The page of a command: "audit show" stands in stockade-audit. */
static void read_page(const char *command, size_t len, char ret[PAGE_MAX])
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/stockade%s%.*s.1.scd", STOCKADE_MAN, len ? "-" : "", (int)len, command);
	f = fopen(path, "r");
	if (!f)
		fail_msg("there is no %s", path);
	ret[fread(ret, 1, PAGE_MAX - 1, f)] = '\0';
	fclose(f);
}

static void test_every_command_has_a_page_with_its_options(void **state)
{
	static char page[PAGE_MAX];

	for (size_t i = 0; i < commands_n; i++) {
		char words[WORD_MAX];
		read_page(commands[i]->name, strcspn(commands[i]->name, " "), page);
		snprintf(words, sizeof(words), "*stockade %s*", commands[i]->name);
		if (!strstr(page, words))
			fail_msg("the page does not show %s", words);
		for (const struct option_row *o = commands[i]->options; o && o->name; o++) {
			snprintf(words, sizeof(words), "*--%s*%s%s", o->name, o->value ? " _" : "",
				o->value ? o->value : "");
			if (!strstr(page, words))
				fail_msg("the page of %s does not explain %s", commands[i]->name, words);
			snprintf(words, sizeof(words), "*-%c*, *--%s*", o->letter, o->name);
			if (o->letter && !strstr(page, words))
				fail_msg("the page of %s does not explain %s", commands[i]->name, words);
		}
	}
}

static bool is_option(const char *command, size_t len, const char *option, size_t option_len)
{
	for (size_t i = 0; i < commands_n; i++) {
		if (strncmp(commands[i]->name, command, len) != 0 ||
			(commands[i]->name[len] && commands[i]->name[len] != ' '))
			continue;
		for (const struct option_row *o = commands[i]->options; o && o->name; o++)
			if (strlen(o->name) == option_len && strncmp(o->name, option, option_len) == 0)
				return true;
	}
	return option_len == 0; /* "*--*" before a command */
}

static void test_no_page_explains_an_option_that_is_not_there(void **state)
{
	static char page[PAGE_MAX];

	for (size_t i = 0; i < commands_n; i++) {
		size_t len = strcspn(commands[i]->name, " ");
		read_page(commands[i]->name, len, page);
		for (const char *at = page; (at = strstr(at, "*--")); at += 3)
			if (!is_option(commands[i]->name, len, at + 3, strcspn(at + 3, "*")))
				fail_msg("the page of %s explains %.20s", commands[i]->name, at);
	}
}

static void test_the_first_page_lists_every_command(void **state)
{
	static char page[PAGE_MAX];

	read_page("", 0, page);
	for (size_t i = 0; i < commands_n; i++) {
		char words[WORD_MAX];
		snprintf(words, sizeof(words), "*stockade-%.*s*(1)", (int)strcspn(commands[i]->name, " "),
			commands[i]->name);
		if (!strstr(page, words))
			fail_msg("stockade(1) does not list %s", words);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_command_has_a_page_with_its_options),
		cmocka_unit_test(test_no_page_explains_an_option_that_is_not_there),
		cmocka_unit_test(test_the_first_page_lists_every_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
