/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_audit_export - stockade audit export: the log in the forms that others read */
#include <errno.h>
#include <string.h>
#include "audit/export/export.h"
#include "base/text.h"
#include "supervisor/cmd_audit.h"
#include "supervisor/commands.h"
#include "supervisor/exit.h"

struct options {
	struct cmd_audit_filter filter;
	bool follow;
	char *format, *framing, *cursor, *output, *dir;
};

static const struct option_row rows[] = {
	{ "format", 0, OPTION_STR, offsetof(struct options, format), "FORM",
		"jsonl, syslog (RFC 5424), journald, cef or otlp" },
	{ "cursor", 0, OPTION_STR, offsetof(struct options, cursor), "FILE",
		"go on where the export with this cursor ended, and remember how far this one came" },
	{ "output", 0, OPTION_STR, offsetof(struct options, output), "FILE",
		"write into FILE, with --cursor each record once whatever ends the export; - is standard output" },
	{ "dir", 0, OPTION_STR, offsetof(struct options, dir), "DIR", "the log in DIR: a copy, or another user's" },
	{ "follow", 'f', OPTION_FLAG, offsetof(struct options, follow), NULL,
		"wait for more, in all sessions, until interrupted" },
	{ "framing", 0, OPTION_STR, offsetof(struct options, framing), "WORD",
		"of syslog: lines (the default), or octets: a length before each message (RFC 6587)" },
	CMD_AUDIT_FILTER_ROWS(struct options),
	{ NULL },
};

static int take_format(const struct command_ctx *ctx, const char *word, enum export_format *ret)
{
	char shown[64];

	if (!word)
		return command_usage(ctx, "name a form: --format jsonl, syslog, journald, cef or otlp");
	for (unsigned i = 0; i < EXPORT_FORMAT_COUNT; i++) {
		if (strcmp(word, export_formats[i]) == 0) {
			*ret = i;
			return 0;
		}
	}
	const char *near = text_nearest(word, export_formats, EXPORT_FORMAT_COUNT);
	return command_usage(ctx, "--format takes jsonl, syslog, journald, cef or otlp, not '%s'%s%s%s",
		text_escape_str(word, shown, sizeof(shown)), near ? "; did you mean '" : "", near ? near : "",
		near ? "'?" : "");
}

static int take_framing(const struct command_ctx *ctx, const char *word, struct export_options *ret)
{
	char shown[64];

	if (!word)
		return 0;
	if (ret->format != EXPORT_SYSLOG)
		return command_usage(ctx, "--framing is of --format syslog alone");
	ret->octets = strcmp(word, "octets") == 0;
	if (ret->octets || strcmp(word, "lines") == 0)
		return 0;
	return command_usage(
		ctx, "--framing takes lines or octets, not '%s'", text_escape_str(word, shown, sizeof(shown)));
}

static int take_options(const struct command_ctx *ctx, struct export_options *ret)
{
	const struct options *o = ctx->options;
	int r;

	*ret = (struct export_options){ .follow = o->follow,
		.cursor = o->cursor,
		.output = o->output && strcmp(o->output, "-") != 0 ? o->output : NULL };
	r = take_format(ctx, o->format, &ret->format);
	if (r == 0)
		r = take_framing(ctx, o->framing, ret);
	return r ? r : cmd_audit_take_filter(ctx, &o->filter, &ret->filter);
}

static int run_export(const struct command_ctx *ctx)
{
	const struct options *o = ctx->options;
	_cleanup_close_ int dir = -1;
	struct export_options export;
	struct diag d = { "" };
	int r = take_options(ctx, &export);

	if (r != 0)
		return r;
	r = o->dir ? cmd_audit_open_dir(o->dir, &dir, &d) : cmd_audit_open_log(&dir, &d);
	if (r == 0)
		r = audit_export(dir, &export, stdout, &d);
	/* Without a cursor whoever reads has seen enough; with one, what was not taken has to come again. */
	if (r == -EPIPE && !export.cursor)
		return EXIT_OK;
	if (r < 0)
		command_error("%s", d.text);
	if (r == EXPORT_FINDINGS)
		command_error(
			"audit export: the log is not whole; the places are exported as export.damaged, export.gap "
			"and export.missing, and 'stockade audit verify' says more");
	return r < 0 ? EXIT_REFUSED : r == EXPORT_FINDINGS ? EXIT_FINDINGS : EXIT_OK;
}

const struct command_row cmd_audit_export = {
	.name = "audit export",
	.synopsis = "--format FORM [--cursor FILE] [--output FILE] [-f] [--framing WORD] [--dir DIR] [--since TIME] "
		    "[--until TIME] "
		    "[--session ID] [--client NAME] [--tool NAME] [--decision WORD] [[--server] SERVER]",
	.summary = "the records in the form that a log collector reads",
	.details =
		"Session after session, each in the order of its file. With --cursor and --output each record is in "
		"the "
		"file once, whatever\n"
		"ends the export; into a pipe a record may come twice after a crash, and (session, seq) tells. What "
		"the "
		"log lacks is exported\n"
		"as a record of its own, with exit status 1. What each form makes of a record is in\n" STOCKADE_DOCDIR
		"/audit.md.",
	.options = rows,
	.options_size = sizeof(struct options),
	.max_args = 1,
	.run = run_export,
};
