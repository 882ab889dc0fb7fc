/* SPDX-License-Identifier: Apache-2.0 */
/* command - see command.h */
#include "supervisor/command.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/text.h"
#include "build_id.h"
#include "supervisor/command_options.h"
#include "supervisor/exit.h"
#include "supervisor/lineage.h"

enum { COMMAND_NAMES_MAX = 64, SHOWN = 256, OPTION_WIDTH = 24, HELP_WIDTH = 80, MESSAGE_MAX = 1 << 20 };

struct command_table {
	const struct command_row *const *v;
	size_t n;
};

/* Whoever made the sentence escaped what is foreign in it; what slipped through is made harmless here, so that nothing
 * drives the terminal. */
__attribute__((format(printf, 2, 0))) static int put_harmless(struct buf *b, const char *fmt, va_list ap)
{
	_cleanup_free_ char *text = NULL;

	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	if (!text)
		return buf_puts(b, "there is no memory to say what");
	return text_escape(b, text, strlen(text), TEXT_KEEP_NEWLINE | TEXT_KEEP_TAB | TEXT_KEEP_BACKSLASH);
}

/* In one write: the shim passes a server's lines on to the same stderr, and one of those must not come to stand behind
 * our own "stockade: ". */
void command_error(const char *fmt, ...)
{
	_cleanup_buf_ struct buf b = BUF_INIT(MESSAGE_MAX);
	va_list ap;
	int r = buf_puts(&b, "stockade: ");

	va_start(ap, fmt);
	if (r == 0)
		r = put_harmless(&b, fmt, ap);
	va_end(ap);
	if (r == 0)
		r = buf_putc(&b, '\n');
	/* There is nobody to tell that to. */
	if (r < 0 || io_write_full(STDERR_FILENO, b.data, b.len) < 0)
		return;
}

int command_refuse(const struct diag *d, int error)
{
	command_error("%s", d->text[0] ? d->text : strerror(error < 0 ? -error : ENOMEM));
	return EXIT_REFUSED;
}

int command_need_terminal(const struct command_ctx *ctx, const char *not_done, const char *digest)
{
	if (isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1)
		return EXIT_OK;
	command_error(
		"%s asks a person, and standard input or standard error is no terminal: %s. Type it in a terminal;\n"
		"  a script that knows %s beforehand uses --digest",
		ctx->row->name, not_done, digest);
	return EXIT_REFUSED;
}

int command_usage(const struct command_ctx *ctx, const char *fmt, ...)
{
	_cleanup_buf_ struct buf b = BUF_INIT(MESSAGE_MAX);
	va_list ap;

	va_start(ap, fmt);
	if (put_harmless(&b, fmt, ap) < 0)
		buf_clear(&b);
	va_end(ap);
	command_error("%s: %s", ctx->row->name, b.data ? b.data : "");
	fprintf(stderr, "\nSee 'stockade %s --help'.\n", ctx->row->name);
	return EXIT_USAGE;
}

bool command_colour(FILE *f)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return !(no_color && *no_color) && term && strcmp(term, "dumb") != 0 && isatty(fileno(f)) == 1;
}

/* How many words of argv the row's name takes when they match it, else 0. */
static int words_matched(const char *name, int n, char *const *words)
{
	int used = 0;

	while (used < n) {
		size_t len = strcspn(name, " ");
		if (strlen(words[used]) != len || memcmp(words[used], name, len) != 0)
			return 0;
		used++;
		if (name[len] == '\0')
			return used;
		name += len + 1;
	}
	return 0;
}

static const struct command_row *find_row(struct command_table t, int n, char *const *words, int *ret_used)
{
	const struct command_row *found = NULL;

	*ret_used = 0;
	for (size_t i = 0; i < t.n; i++) {
		int used = words_matched(t.v[i]->name, n, words);
		if (used > *ret_used) {
			*ret_used = used;
			found = t.v[i];
		}
	}
	return found;
}

static bool is_descriptor_option(const struct command_row *row, const char *word, size_t n)
{
	for (const struct option_row *o = row->options; o && o->name; o++)
		if (o->kind == OPTION_FD && n > 2 && memcmp(word, "--", 2) == 0 && strlen(o->name) == n - 2 &&
			memcmp(word + 2, o->name, n - 2) == 0)
			return true;
	return false;
}

static size_t put_descriptor(uint64_t fd, int ret[COMMAND_FDS_MAX], size_t n)
{
	size_t at = n;

	for (size_t i = 0; i < n; i++)
		if (ret[i] == (int)fd)
			return n;
	if (n == COMMAND_FDS_MAX || fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
		return n;
	for (; at > 0 && ret[at - 1] > (int)fd; at--)
		ret[at] = ret[at - 1];
	ret[at] = (int)fd;
	return n + 1;
}

size_t command_descriptors(
	const struct command_row *const *table, size_t n, int argc, char **argv, int ret[COMMAND_FDS_MAX])
{
	struct command_table t = { table, n };
	int used = 0;
	const struct command_row *row = argc > 1 ? find_row(t, argc - 1, argv + 1, &used) : NULL;
	size_t found = 0;

	for (int i = 1 + used; row && i < argc && strcmp(argv[i], "--") != 0; i++) {
		const char *equals = strchr(argv[i], '=');
		const char *value = equals ? equals + 1 : i + 1 < argc ? argv[i + 1] : "";
		uint64_t fd;
		if (is_descriptor_option(row, argv[i], equals ? (size_t)(equals - argv[i]) : strlen(argv[i])) &&
			parse_u64(value, 3, INT_MAX, &fd) == 0)
			found = put_descriptor(fd, ret, found);
	}
	return found;
}

static void print_options(FILE *out, const struct command_row *row)
{
	fputs("\noptions:\n", out);
	for (const struct option_row *o = row->options; o && o->name; o++) {
		char left[SHOWN];
		snprintf(left, sizeof(left), "%s%c%s--%s%s%s", o->letter ? "-" : "", o->letter ? o->letter : ' ',
			o->letter ? ", " : "   ", o->name, o->value ? " " : "", o->value ? o->value : "");
		fprintf(out, "  %-*s", OPTION_WIDTH, left);
		if (strlen(left) > OPTION_WIDTH)
			fprintf(out, "\n  %-*s", OPTION_WIDTH, "");
		fprintf(out, "  %s\n", o->help);
	}
	fprintf(out, "  %-*s  %s\n", OPTION_WIDTH, "-h, --help", "show this text");
}

/* Words of a paragraph, broken at the column; line breaks of the source count as blanks, an empty line stays. */
static void print_wrapped(FILE *out, const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t blank = strspn(text, " \n"), len = strcspn(text + blank, " \n");
		bool paragraph = blank > 1 && text[0] == '\n' && text[1] == '\n';
		if (paragraph)
			fputs("\n\n", out);
		else if (column > 0)
			fputc(column + 1 + len > HELP_WIDTH ? '\n' : ' ', out);
		if (paragraph || column + 1 + len > HELP_WIDTH)
			column = 0;
		fprintf(out, "%.*s", (int)len, text + blank);
		column += (column > 0) + len;
		text += blank + len;
	}
	fputc('\n', out);
}

static void print_help(FILE *out, const struct command_row *row)
{
	fprintf(out, "stockade %s - %s\n\n", row->name, row->summary);
	for (const char *line = row->synopsis, *lead = "usage: "; line; lead = "       ") {
		size_t len = strcspn(line, "\n");
		fprintf(out, "%sstockade %s%s%.*s\n", lead, row->name, len ? " " : "", (int)len, line);
		line = line[len] ? line + len + 1 : NULL;
	}
	if (row->details) {
		fputc('\n', out);
		print_wrapped(out, row->details);
	}
	print_options(out, row);
}

static void print_list(FILE *out, struct command_table t)
{
	fputs("usage: stockade COMMAND [OPTION]...\n\nRuns local MCP servers inside a stockade: what a profile does "
	      "not grant does not exist.\n\n",
		out);
	for (size_t i = 0; i < t.n; i++)
		fprintf(out, "  %-18s  %s\n", t.v[i]->name, t.v[i]->summary);
	fputs("\n'stockade COMMAND --help' says more; so does the manual: man stockade-COMMAND. 'stockade --version'\n"
	      "says which version this is.\n",
		out);
}

static bool is_below(const char *name, const char *word)
{
	size_t len = strlen(word);

	return strncmp(name, word, len) == 0 && name[len] == ' ';
}

/* "audit --help", "help audit": no command, but the first word of some. */
static bool help_below(struct command_table t, const char *word)
{
	bool any = false;

	for (size_t i = 0; i < t.n; i++) {
		if (!is_below(t.v[i]->name, word))
			continue;
		if (any)
			putchar('\n');
		print_help(stdout, t.v[i]);
		any = true;
	}
	return any;
}

static int unknown_command(struct command_table t, int n, char *const *words)
{
	const char *names[COMMAND_NAMES_MAX];
	char shown[SHOWN], first[SHOWN];
	const char *nearest;
	size_t k = 0, below = 0;

	snprintf(first, sizeof(first), "%s%s%s", words[0], n > 1 ? " " : "", n > 1 ? words[1] : "");
	text_escape_str(words[0], shown, sizeof(shown));
	if (words[0][0] == '-') {
		command_error("unknown option %s; a command comes first, its options after it. See 'stockade --help'.",
			shown);
		return EXIT_USAGE;
	}
	for (size_t i = 0; i < t.n && k < ARRAY_LEN(names); i++) {
		names[k++] = t.v[i]->name;
		if (is_below(t.v[i]->name, words[0]))
			names[below++] = t.v[i]->name;
	}
	if (below > 0) {
		fprintf(stderr, n > 1 ? "stockade: '%s' is no command, it is:" : "stockade: '%s' needs one word more:",
			text_escape_str(first, shown, sizeof(shown)));
		for (size_t i = 0; i < below; i++)
			fprintf(stderr, "%s 'stockade %s'", i ? " or" : "", names[i]);
		fputc('\n', stderr);
		return EXIT_USAGE;
	}
	nearest = text_nearest(words[0], names, k);
	nearest = nearest ? nearest : text_nearest(first, names, k);
	for (size_t i = 0; i < k; i++) {
		const char *last = strchr(names[i], ' ');
		if (last && strcmp(last + 1, words[0]) == 0)
			nearest = names[i];
	}
	command_error("'%s' is no command%s%s%s See 'stockade --help'.", shown, nearest ? "; did you mean '" : ".",
		nearest ? nearest : "", nearest ? "'?" : "");
	return EXIT_USAGE;
}

/* An agent's own shell must not approve for its user (design.md, section 3). */
static int refuse_under_client(const struct command_row *row)
{
	_cleanup_lineage_ struct lineage l = { 0 };
	_cleanup_paths_ struct paths p = { 0 };
	_cleanup_free_ char *chain = NULL, *why = NULL;
	struct diag d = { "out of memory" };
	int r = paths_init(&p, &d);

	r = r < 0 ? r : lineage_read(&l, &d);
	r = r < 0 ? r : lineage_client_above(&l, &p, &why, &d);
	if (r < 0) {
		command_error(
			"%s: cannot tell which programs started this command, so it is refused: %s", row->name, d.text);
		return EXIT_REFUSED;
	}
	if (!why)
		return EXIT_OK;
	chain = lineage_words(&l);
	command_error("%s is refused here: %s, and a client or its agent must not\n"
		      "  approve for its user. Open a plain terminal of your own, not one inside the client, and say "
		      "it there.\n"
		      "  Started by: %s\n"
		      "  In personal mode this is a speed bump, not a wall: a program of yours that hides its parents "
		      "gets past it.",
		row->name, why, chain ? chain : "?");
	return EXIT_REFUSED;
}

/* What was printed must have arrived: a full disk behind a redirection is a failure, not a shorter list. */
static int close_stdout(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	command_error("cannot write to standard output: %s", strerror(errno));
	return status == EXIT_OK ? EXIT_REFUSED : status;
}

static int run_row(const struct command_row *row, int n, char *const *words, char **env)
{
	struct command_ctx ctx = { .row = row, .environ = env };
	struct diag d = { "out of memory" };
	int r, status;

	ctx.options = calloc(1, row->options_size ? row->options_size : 1);
	r = ctx.options ? command_parse(&ctx, n, words, &d) : -ENOMEM;
	if (r == COMMAND_HELP) {
		print_help(stdout, row);
		status = EXIT_OK;
	} else if (r == -ENOMEM) {
		command_error("%s", d.text);
		status = EXIT_REFUSED;
	} else if (r < 0) {
		status = command_usage(&ctx, "%s", d.text);
	} else {
		status = row->loosens ? refuse_under_client(row) : EXIT_OK;
		status = status == EXIT_OK ? row->run(&ctx) : status;
	}
	command_options_done(row, ctx.options);
	free(ctx.options);
	strv_done(&ctx.args);
	strv_done(&ctx.rest);
	return close_stdout(status);
}

static bool is_word(const char *word, const char *a, const char *b)
{
	return strcmp(word, a) == 0 || strcmp(word, b) == 0;
}

static int surplus_word(const char *of, const char *word)
{
	char shown[SHOWN];

	command_error("one word too many after '%s': '%s'. See 'stockade --help'.", of,
		text_escape_str(word, shown, sizeof(shown)));
	return EXIT_USAGE;
}

static int run_help(struct command_table t, int n, char *const *words)
{
	int used;
	const struct command_row *row = find_row(t, n, words, &used);

	if (n == 1 && !row && help_below(t, words[0]))
		return close_stdout(EXIT_OK);
	if (n > 0 && !row)
		return unknown_command(t, n, words);
	if (row && used != n)
		return surplus_word(row->name, words[used]);
	if (row)
		print_help(stdout, row);
	else
		print_list(stdout, t);
	return close_stdout(EXIT_OK);
}

int command_main(const struct command_row *const *table, size_t n, int argc, char **argv, char **env)
{
	struct command_table t = { table, n };
	const struct command_row *row;
	int used;

	if (argc < 2) {
		print_list(stderr, t);
		return EXIT_USAGE;
	}
	if (is_word(argv[1], "help", "--help") || strcmp(argv[1], "-h") == 0)
		return run_help(t, argc - 2, argv + 2);
	if (is_word(argv[1], "--version", "version")) {
		if (argc > 2)
			return surplus_word(argv[1], argv[2]);
		printf("stockade %s (%s)\n", STOCKADE_VERSION, STOCKADE_BUILD_ID);
		return close_stdout(EXIT_OK);
	}
	row = find_row(t, argc - 1, argv + 1, &used);
	if (!row && argc == 3 && is_word(argv[2], "--help", "-h") && help_below(t, argv[1]))
		return close_stdout(EXIT_OK);
	if (!row)
		return unknown_command(t, argc - 1, argv + 1);
	return run_row(row, argc - 1 - used, argv + 1 + used, env);
}
