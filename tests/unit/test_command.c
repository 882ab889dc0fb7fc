/* SPDX-License-Identifier: Apache-2.0 */
/* test_command - options and commands by their tables */
#include "tests/unit/unit.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "supervisor/command.h"
#include "supervisor/command_options.h"
#include "supervisor/exit.h"

struct opts {
	bool flag, other;
	char *str;
	struct strv many;
	int64_t when;
	uint64_t count;
};

static const struct option_row rows[] = {
	{ "json", 'j', OPTION_FLAG, offsetof(struct opts, flag), NULL, "flag" },
	{ "all", 'a', OPTION_FLAG, offsetof(struct opts, other), NULL, "flag" },
	{ "cwd", 'c', OPTION_STR, offsetof(struct opts, str), "PATH", "string" },
	{ "ro", 0, OPTION_STRV, offsetof(struct opts, many), "PATH", "again and again" },
	{ "since", 0, OPTION_TIME, offsetof(struct opts, when), "TIME", "time" },
	{ "count", 'n', OPTION_U64, offsetof(struct opts, count), "N", "number" },
	{ 0 },
};

static int run_calls;
static int run_it(const struct command_ctx *ctx)
{
	run_calls++;
	return ctx->args.n > 0 ? 7 : EXIT_OK;
}

static const struct command_row row_rest = { .name = "go",
	.synopsis = "[--json] [NAME]\n-- CMD",
	.summary = "goes",
	.options = rows,
	.options_size = sizeof(struct opts),
	.max_args = 1,
	.rest = true,
	.run = run_it };
static const struct command_row row_words = { .name = "log show",
	.synopsis = "ID",
	.summary = "shows",
	.options = rows,
	.options_size = sizeof(struct opts),
	.min_args = 1,
	.max_args = 2,
	.run = run_it };
static const struct command_row row_plain = { .name = "log",
	.synopsis = "",
	.summary = "logs",
	.options = rows,
	.options_size = sizeof(struct opts),
	.run = run_it };

struct parsed {
	struct opts o;
	struct command_ctx ctx;
	struct diag d;
	int r;
};

static void parse(struct parsed *p, const struct command_row *row, const char *line)
{
	static char words[1024];
	char *v[32], *save = NULL;
	int n = 0;

	*p = (struct parsed){ .ctx = { .row = row } };
	p->ctx.options = &p->o;
	snprintf(words, sizeof(words), "%s", line);
	for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save))
		v[n++] = strcmp(w, "''") == 0 ? w + 2 : w;
	p->r = command_parse(&p->ctx, n, v, &p->d);
}

static void parsed_done(struct parsed *p)
{
	command_options_done(p->ctx.row, &p->o);
	strv_done(&p->ctx.args);
	strv_done(&p->ctx.rest);
}

static void test_options_in_every_form_reach_their_fields(void **state)
{
	struct parsed p;

	parse(&p, &row_rest, "--json --cwd /x --ro a --ro=b -n5 name --since 2026-10-01 -- cmd --json -- x");
	assert_int_equal(p.r, 0);
	assert_true(p.o.flag);
	assert_false(p.o.other);
	assert_string_equal(p.o.str, "/x");
	assert_int_equal(p.o.many.n, 2);
	assert_string_equal(p.o.many.v[1], "b");
	assert_int_equal(p.o.count, 5);
	assert_int_equal(p.o.when, 1790812800);
	assert_int_equal(p.ctx.args.n, 1);
	assert_true(p.ctx.rest_given);
	assert_int_equal(p.ctx.rest.n, 4);
	assert_string_equal(p.ctx.rest.v[1], "--json");
	parsed_done(&p);
	parse(&p, &row_rest, "-jac /y");
	assert_true(p.r == 0 && p.o.flag && p.o.other && strcmp(p.o.str, "/y") == 0);
	parsed_done(&p);
}

static void test_a_duration_means_so_long_ago(void **state)
{
	struct parsed p;

	parse(&p, &row_plain, "--since 2h");
	assert_int_equal(p.r, 0);
	assert_in_range((uintmax_t)p.o.when, (uintmax_t)time(NULL) - 7205, (uintmax_t)time(NULL) - 7195);
	parsed_done(&p);
}

/* Whoever follows the words must not be told the same again. */
static void test_every_time_that_the_refusal_names_is_one(void **state)
{
	struct parsed refused;
	unsigned times = 0;
	char *save = NULL;

	parse(&refused, &row_plain, "--since soon");
	for (char *w = strtok_r(refused.d.text, " ,()", &save); w; w = strtok_r(NULL, " ,()", &save)) {
		struct parsed p;
		char line[64];
		if (!strchr("0123456789", *w) && strcmp(w, "today") != 0 && strcmp(w, "yesterday") != 0)
			continue;
		snprintf(line, sizeof(line), "--since %s", w);
		parse(&p, &row_plain, line);
		if (p.r != 0)
			fail_msg("%s", p.d.text);
		parsed_done(&p);
		times++;
	}
	assert_int_equal(times, 7);
	parsed_done(&refused);
}

static void test_today_and_yesterday_begin_at_midnight(void **state)
{
	struct parsed p;
	time_t before = time(NULL), after;
	time_t today, yesterday;

	parse(&p, &row_plain, "--since today");
	assert_int_equal(p.r, 0);
	today = (time_t)p.o.when;
	parsed_done(&p);
	parse(&p, &row_plain, "--since yesterday");
	assert_int_equal(p.r, 0);
	yesterday = (time_t)p.o.when;
	parsed_done(&p);
	after = time(NULL);
	/* Midnight may pass between the two. */
	if (before / 86400 != after / 86400)
		return;
	assert_int_equal(today % 86400, 0);
	assert_true(today <= after && after - today < 86400);
	assert_int_equal(today - yesterday, 86400);
}

static void test_bad_usage_is_refused_in_words(void **state)
{
	static const struct {
		const struct command_row *row;
		const char *line, *words;
	} cases[] = {
		{ &row_plain, "--jsn", "did you mean --json?" },
		{ &row_plain, "--js", "unknown option --js" }, /* prefixes are not options */
		{ &row_plain, "--helpp", "did you mean --help?" },
		{ &row_plain, "-x", "unknown option -x" },
		{ &row_plain, "--json=1", "takes no value" },
		{ &row_plain, "--cwd", "needs a value: --cwd PATH" },
		{ &row_plain, "--cwd a --cwd b", "given twice" },
		{ &row_plain, "--count 5x", "is no number" },
		{ &row_plain, "--count -5", "is no number" },
		{ &row_plain, "--count ''", "is no number" },
		{ &row_plain, "--since soon", "is no time" },
		{ &row_plain, "extra", "one word too many: 'extra'" },
		{ &row_plain, "-- extra", "too many words" },
		{ &row_plain, "--\x1b[31m", "\\x1b" },
		{ &row_words, "", "a word is missing" },
		{ &row_words, "a b c", "one word too many" },
		{ &row_rest, "node server.js", "goes after \"--\"" },
		{ &row_rest, "node --inspekt-brk", "go after \"--\"" },
		{ &row_rest, "--", "no command stands after" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct parsed p;
		parse(&p, cases[i].row, cases[i].line);
		if (p.r != -EINVAL || !strstr(p.d.text, cases[i].words))
			fail_msg("'%s': %d, %s", cases[i].line, p.r, p.d.text);
		parsed_done(&p);
	}
}

static void test_help_wins_before_the_double_dash_only(void **state)
{
	struct parsed p;

	parse(&p, &row_rest, "--help");
	assert_int_equal(p.r, COMMAND_HELP);
	parsed_done(&p);
	parse(&p, &row_rest, "-h");
	assert_int_equal(p.r, COMMAND_HELP);
	parsed_done(&p);
	parse(&p, &row_rest, "-- cmd --help");
	assert_int_equal(p.r, 0);
	parsed_done(&p);
}

/* Runs command_main with stdout and stderr into a file each. */
static int run_main(const char *line, char out[4096], char err[4096])
{
	static const struct command_row *const table[] = { &row_rest, &row_words, &row_plain };
	FILE *files[2] = { tmpfile(), tmpfile() };
	int saved[2] = { dup(1), dup(2) }, status, n = 1;
	char words[512], *v[16] = { (char *)(uintptr_t) "stockade" }, *save = NULL;
	char *texts[2] = { out, err };

	snprintf(words, sizeof(words), "%s", line);
	for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save))
		v[n++] = w;
	fflush(NULL);
	for (int i = 0; i < 2; i++)
		dup2(fileno(files[i]), i + 1);
	status = command_main(table, ARRAY_LEN(table), n, v, NULL);
	fflush(NULL);
	for (int i = 0; i < 2; i++) {
		dup2(saved[i], i + 1);
		close(saved[i]);
		rewind(files[i]);
		texts[i][fread(texts[i], 1, 4095, files[i])] = '\0';
		fclose(files[i]);
	}
	return status;
}

static void test_commands_are_found_by_their_words(void **state)
{
	static const struct {
		const char *line;
		int status;
		const char *out, *err;
	} cases[] = {
		{ "", EXIT_USAGE, "", "usage: stockade COMMAND" },
		{ "--help", EXIT_OK, "log show", "" },
		{ "--help", EXIT_OK, "'stockade --version'", "" },
		{ "help go", EXIT_OK, "usage: stockade go [--json] [NAME]\n       stockade go -- CMD", "" },
		{ "go --help", EXIT_OK, "-c, --cwd PATH", "" },
		{ "--version", EXIT_OK, "stockade ", "" },
		{ "go", EXIT_OK, "", "" },
		{ "log", EXIT_OK, "", "" },
		{ "log show 5", 7, "", "" },
		{ "log show", EXIT_USAGE, "", "a word is missing" },
		{ "help nolog", EXIT_USAGE, "", "'nolog' is no command" },
		{ "show", EXIT_USAGE, "", "did you mean 'log show'" },
		{ "gi", EXIT_USAGE, "", "'gi' is no command" },
		{ "lgo", EXIT_USAGE, "", "is no command" },
		{ "log shov", EXIT_USAGE, "", "one word too many" },
		{ "logshow", EXIT_USAGE, "", "did you mean 'log show'" },
		{ "-x", EXIT_USAGE, "", "unknown option -x; a command comes first" },
		{ "--json go", EXIT_USAGE, "", "unknown option --json" },
		{ "help go there", EXIT_USAGE, "", "one word too many after 'go': 'there'" },
		{ "--version now", EXIT_USAGE, "", "one word too many after '--version': 'now'" },
		{ "go --jsom", EXIT_USAGE, "", "See 'stockade go --help'" },
	};
	char out[4096], err[4096];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int status = run_main(cases[i].line, out, err);
		if (status != cases[i].status || !strstr(out, cases[i].out) || !strstr(err, cases[i].err))
			fail_msg("'%s': %d\n%s\n%s", cases[i].line, status, out, err);
	}
}

static void test_colour_needs_a_terminal_and_no_objection(void **state)
{
	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	FILE *f = tmpfile();
	assert_false(command_colour(f));
	fclose(f);
	f = fopen("/dev/ptmx", "r+");
	assert_non_null(f);
	assert_true(command_colour(f));
	setenv("NO_COLOR", "1", 1);
	assert_false(command_colour(f));
	unsetenv("NO_COLOR");
	setenv("TERM", "dumb", 1);
	assert_false(command_colour(f));
	fclose(f);
}

/* A server's line may be written to the same stderr at any moment: ours is one write, or it is two lines' beginning. */
static void an_error_is_written_at_once_and_whole(void **state)
{
	char packet[8192];
	int p[2], kept = dup(STDERR_FILENO);

	/* With O_DIRECT each write is read as what it was. */
	assert_int_equal(pipe2(p, O_CLOEXEC | O_DIRECT), 0);
	assert_int_equal(dup2(p[1], STDERR_FILENO), STDERR_FILENO);
	command_error("%s: %s", "github", "nothing was started");
	assert_int_equal(dup2(kept, STDERR_FILENO), STDERR_FILENO);
	close(kept);
	close(p[1]);
	ssize_t n = read(p[0], packet, sizeof(packet) - 1);
	assert_true(n > 0);
	packet[n] = '\0';
	assert_string_equal(packet, "stockade: github: nothing was started\n");
	assert_int_equal(read(p[0], packet, sizeof(packet)), 0);
	close(p[0]);
}

static const struct option_row fd_rows[] = {
	{ "key-fd", 0, OPTION_FD, 0, "N", "a descriptor" },
	{ 0 },
};
static const struct command_row row_fd = { .name = "log open",
	.synopsis = "",
	.summary = "opens",
	.options = fd_rows,
	.options_size = sizeof(struct option_fd),
	.run = run_it };

/* The words, and the descriptors that are kept: "20 30". All of 20 to 24 are open. */
static const struct {
	const char *words, *kept;
} descriptor_cases[] = {
	{ "log open --key-fd 20", "20" },
	{ "log open --key-fd=20", "20" },
	{ "log open --key-fd 22 --key-fd=21 --key-fd 22", "21 22" },
	{ "log open --key-fd 0", "" },
	{ "log open --key-fd 2", "" },
	{ "log open --key-fd", "" },
	{ "log open --key-fd 020x", "" },
	{ "log open --key-fd 900", "" },
	{ "log open --key-f 20", "" },
	{ "log open xxkey-fd 20", "" },
	{ "log open -- --key-fd 20", "" },
	{ "log show --key-fd 20", "" },
	{ "log --key-fd 20", "" },
	{ "--key-fd 20", "" },
	{ "log open --key-fd 20 --key-fd 21 --key-fd 22 --key-fd 23 --key-fd 24", "20 21 22 23" },
};

static void test_only_descriptors_that_a_commands_own_options_name_are_kept(void **state)
{
	static const struct command_row *const table[] = { &row_words, &row_plain, &row_fd };

	for (int fd = 20; fd < 25; fd++)
		assert_int_equal(dup2(0, fd), fd);
	for (size_t i = 0; i < ARRAY_LEN(descriptor_cases); i++) {
		_cleanup_free_ char *line = strdup(descriptor_cases[i].words);
		char *v[16] = { strdup("stockade") }, *save = NULL, kept[64] = "";
		int n = 1, fds[COMMAND_FDS_MAX];

		for (char *w = strtok_r(line, " ", &save); w; w = strtok_r(NULL, " ", &save))
			v[n++] = w;
		size_t found = command_descriptors(table, ARRAY_LEN(table), n, v, fds);
		for (size_t k = 0; k < found; k++)
			snprintf(kept + strlen(kept), sizeof(kept) - strlen(kept), "%s%d", k ? " " : "", fds[k]);
		if (strcmp(kept, descriptor_cases[i].kept) != 0)
			fail_msg("%s: keeps '%s'", descriptor_cases[i].words, kept);
		for (size_t k = 0; k < found; k++)
			assert_true(fcntl(fds[k], F_GETFD) & FD_CLOEXEC);
		free(v[0]);
	}
	assert_int_equal(close_range(20, 24, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_error_is_written_at_once_and_whole),
		cmocka_unit_test(test_options_in_every_form_reach_their_fields),
		cmocka_unit_test(test_a_duration_means_so_long_ago),
		cmocka_unit_test(test_every_time_that_the_refusal_names_is_one),
		cmocka_unit_test(test_today_and_yesterday_begin_at_midnight),
		cmocka_unit_test(test_bad_usage_is_refused_in_words),
		cmocka_unit_test(test_help_wins_before_the_double_dash_only),
		cmocka_unit_test(test_commands_are_found_by_their_words),
		cmocka_unit_test(test_only_descriptors_that_a_commands_own_options_name_are_kept),
		cmocka_unit_test(test_colour_needs_a_terminal_and_no_objection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
