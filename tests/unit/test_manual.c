/* SPDX-License-Identifier: Apache-2.0 */
/* test_manual - the manual pages and the tables of commands and options say the same */
#include "tests/unit/unit.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include "supervisor/commands.h"

enum { PAGE_MAX = 64 << 10, WORD_MAX = 64, LINE_SIZE = 512 };

static void read_file(const char *name, char ret[PAGE_MAX])
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", STOCKADE_MAN, name);
	f = fopen(path, "re");
	if (!f)
		fail_msg("there is no %s", path);
	ret[fread(ret, 1, PAGE_MAX - 1, f)] = '\0';
	fclose(f);
}

/* The page of a command: "audit show" stands in stockade-audit. */
static void read_page(const char *command, size_t len, char ret[PAGE_MAX])
{
	char name[256];

	snprintf(name, sizeof(name), "stockade%s%.*s.1.scd", len ? "-" : "", (int)len, command);
	read_file(name, ret);
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

/* Without what scdoc takes for markup, on either side. */
static void put_plain(char ret[LINE_SIZE], const char *from, size_t n)
{
	size_t len = 0;

	for (size_t i = 0; i < n && len < LINE_SIZE - 1; i++)
		if (!strchr("*_\\", from[i]))
			ret[len++] = from[i];
	ret[len] = '\0';
}

/* "stockade COMMAND SYNOPSIS", as --help has the line at *at; *at behind it, NULL after the last. */
static void read_usage(const char *command, const char **at, char ret[LINE_SIZE])
{
	size_t n = strcspn(*at, "\n");
	char words[LINE_SIZE];

	snprintf(words, sizeof(words), "stockade %s%s%.*s", command, n ? " " : "", (int)n, *at);
	put_plain(ret, words, strlen(words));
	*at = (*at)[n] ? *at + n + 1 : NULL;
}

/* Is it one of those of the commands that the page is about? */
static bool is_usage(const char *page, size_t len, const char *line)
{
	char usage[LINE_SIZE];

	for (size_t i = 0; i < commands_n; i++) {
		const char *name = commands[i]->name, *at = commands[i]->synopsis;
		if (strncmp(name, page, len) != 0 || (name[len] && name[len] != ' '))
			continue;
		while (at) {
			read_usage(name, &at, usage);
			if (strcmp(usage, line) == 0)
				return true;
		}
	}
	return false;
}

/* The next line of the SYNOPSIS that says something; false: there is none. */
static bool read_line(const char **at, char ret[LINE_SIZE])
{
	for (ret[0] = '\0'; !*ret && **at && **at != '#'; *at += strcspn(*at, "\n") + 1)
		put_plain(ret, *at, strcspn(*at, "\n"));
	return *ret;
}

static const char *find_synopsis(const char *page)
{
	static const char head[] = "# SYNOPSIS\n";
	const char *at = strstr(page, head);

	if (!at)
		fail_msg("a page has no synopsis");
	return at + strlen(head);
}

static void test_the_synopsis_of_a_page_is_that_of_the_help(void **state)
{
	static char page[PAGE_MAX];
	char line[LINE_SIZE], usage[LINE_SIZE];

	for (size_t i = 0; i < commands_n; i++) {
		const char *name = commands[i]->name, *at = commands[i]->synopsis, *from;
		size_t len = strcspn(name, " ");
		read_page(name, len, page);
		for (from = find_synopsis(page); read_line(&from, line);)
			if (!is_usage(name, len, line))
				fail_msg("the page has '%s', and --help has not", line);
		while (at) {
			bool found = false;
			read_usage(name, &at, usage);
			for (from = find_synopsis(page); !found && read_line(&from, line);)
				found = strcmp(line, usage) == 0;
			if (!found)
				fail_msg("--help has '%s', and the page has not", usage);
		}
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

/* scdoc(5) takes the second of "__name_" for the end of what the first begins, and prints neither. */
static void test_no_page_loses_the_underscore_that_a_name_begins_with(void **state)
{
	static char page[PAGE_MAX];
	DIR *dir = opendir(STOCKADE_MAN);
	struct dirent *e;
	unsigned pages = 0;

	assert_non_null(dir);
	while ((e = readdir(dir))) {
		if (!strstr(e->d_name, ".scd"))
			continue;
		pages++;
		read_file(e->d_name, page);
		for (const char *at = page; (at = strstr(at, "__")); at += 2)
			if (at == page || strchr(" \t\n(", at[-1]))
				fail_msg("%s: write _\\_ for %.20s", e->d_name, at);
	}
	closedir(dir);
	assert_true(pages > commands_n / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_command_has_a_page_with_its_options),
		cmocka_unit_test(test_no_page_explains_an_option_that_is_not_there),
		cmocka_unit_test(test_the_synopsis_of_a_page_is_that_of_the_help),
		cmocka_unit_test(test_the_first_page_lists_every_command),
		cmocka_unit_test(test_no_page_loses_the_underscore_that_a_name_begins_with),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
