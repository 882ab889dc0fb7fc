/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_audit_export - stockade audit export: the log in the forms that others read */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "audit/export/export.h"
#include "audit/show.h"
#include "base/fs.h"
#include "base/text.h"
#include "supervisor/cmd_audit.h"
#include "supervisor/commands.h"
#include "supervisor/exit.h"
#include "supervisor/log/collected.h"

struct options {
	struct cmd_audit_filter filter;
	bool follow, collector;
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
	{ "collector", 0, OPTION_FLAG, offsetof(struct options, collector), NULL,
		"the logs of all users that the machine's collector keeps, each with a cursor and a file of its own: "
		"FILE.UID" },
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

/* --- one log, or those of all users --- */

static int export_one(const struct options *o, const struct export_options *export, struct diag *d)
{
	_cleanup_close_ int dir = -1;
	int r = o->dir ? cmd_audit_open_dir(o->dir, &dir, d) : cmd_audit_open_log(&dir, d);

	return r < 0 ? r : audit_export(dir, export, stdout, d);
}

static bool is_number(const char *s)
{
	return *s && strspn(s, "0123456789") == strlen(s);
}

/* NAME.UID: what one log is through with says nothing of another's. */
static int of_user(const char *name, const char *uid, char **ret)
{
	*ret = NULL;
	return name && asprintf(ret, "%s.%s", name, uid) < 0 ? -ENOMEM : 0;
}

static int export_user(const struct export_options *all, int logs, const char *uid, struct diag *d)
{
	_cleanup_close_ int dir = openat(logs, uid, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_free_ char *cursor = NULL, *output = NULL;
	struct export_options one = *all;
	int r = of_user(all->cursor, uid, &cursor);

	if (dir < 0)
		return diag_fail(d, -errno, COLLECTOR_LOGS "/%s cannot be opened: %s", uid, strerror(errno));
	r = r < 0 ? r : of_user(all->output, uid, &output);
	if (r < 0)
		return r;
	one.cursor = cursor;
	one.output = output;
	one.follow = false;
	return audit_export(dir, &one, stdout, d);
}

/* A log that cannot be exported holds up no other user's: the first is told in the end. */
static int export_users(const struct export_options *all, int logs, struct diag *d)
{
	_cleanup_closedir_ DIR *users = NULL;
	const struct dirent *e;
	int r = fs_list(logs, &users), ret = 0;

	if (r < 0)
		return diag_fail(d, r, COLLECTOR_LOGS " cannot be listed: %s", strerror(-r));
	while (r >= 0 && (e = readdir(users))) {
		struct diag why = { "" };
		if (!is_number(e->d_name))
			continue;
		r = export_user(all, logs, e->d_name, &why);
		if (r < 0 && ret >= 0)
			diag_set(d, "%s", why.text);
		ret = ret < 0 || r == 0 ? ret : r;
		r = r == -EPIPE ? r : 0;
	}
	return ret;
}

/* Users that come later are found by the next look. */
static int export_collected(const struct export_options *all, struct diag *d)
{
	_cleanup_close_ int logs = -1;
	struct follow f = { .signals = -1, .notify = -1 };
	int r = cmd_audit_open_dir(COLLECTOR_LOGS, &logs, d), ret, next = FOLLOW_MORE;

	if (r == -ENOENT)
		r = diag_fail(d, r, COLLECTOR_NEVER_RAN, COLLECTOR_LOGS);
	ret = r;
	if (r == 0 && all->follow)
		r = ret = follow_init(logs, &f, d);
	while (r == 0 && next == FOLLOW_MORE) {
		r = export_users(all, logs, d);
		ret = r == 0 ? ret : r;
		r = r > 0 ? 0 : r;
		next = r < 0 || !all->follow ? FOLLOW_STOP : follow_wait(&f, stdout);
	}
	follow_done(&f);
	return ret;
}

static int check_collector(const struct command_ctx *ctx)
{
	const struct options *o = ctx->options;

	if (o->collector && o->dir)
		return command_usage(ctx, "--collector is about " COLLECTOR_LOGS ", and --dir about another directory");
	if (o->collector && o->follow && !o->cursor)
		return command_usage(ctx, "--collector -f needs --cursor FILE: without one each look begins anew");
	return 0;
}

static int run_export(const struct command_ctx *ctx)
{
	const struct options *o = ctx->options;
	struct export_options export;
	struct diag d = { "" };
	int r = take_options(ctx, &export);

	if (r == 0)
		r = check_collector(ctx);
	if (r != 0)
		return r;
	r = o->collector ? export_collected(&export, &d) : export_one(o, &export, &d);
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
	.synopsis = "--format FORM [--cursor FILE] [--output FILE] [-f] [--framing WORD] [--dir DIR | --collector] "
		    "[--since TIME] "
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
