/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_audit - stockade audit show, stockade audit verify: the log read and checked */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "audit/audit.h"
#include "audit/log_key.h"
#include "base/parse.h"
#include "base/text.h"
#include "supervisor/cmd_audit.h"
#include "supervisor/commands.h"
#include "supervisor/exit.h"

enum { FOLLOW_LINES = 10, PATH_SHOWN = 300 };

static const char own_key_words[] =
	"note: signatures were held against this account's own keys, which shows nothing against who can read the key "
	"or "
	"replace it: keep what 'stockade audit key' prints elsewhere, and give it with --key";

struct show_options {
	struct cmd_audit_filter filter;
	bool json, follow, denied;
	char *lines, *dir;
};

struct verify_options {
	bool json, read_only;
	char *session, *key, *dir;
};

static const struct option_row show_rows[] = {
	{ "follow", 'f', OPTION_FLAG, offsetof(struct show_options, follow), NULL,
		"wait for more, in all sessions, until interrupted; begins with the last 10" },
	{ "lines", 'n', OPTION_STR, offsetof(struct show_options, lines), "N",
		"of what is there already only the last N records" },
	{ "denied", 0, OPTION_FLAG, offsetof(struct show_options, denied), NULL,
		"what was denied, one row a server and a thing, with the line that would grant it" },
	{ "json", 0, OPTION_FLAG, offsetof(struct show_options, json), NULL,
		"the records as they are, one JSON object a line" },
	CMD_AUDIT_FILTER_ROWS(struct show_options),
	{ "dir", 0, OPTION_STR, offsetof(struct show_options, dir), "DIR",
		"the log in this directory, a copy or another user's" },
	{ NULL },
};

static const struct option_row verify_rows[] = {
	{ "json", 0, OPTION_FLAG, offsetof(struct verify_options, json), NULL,
		"one JSON object a finding, then one with the verdict" },
	{ "read-only", 0, OPTION_FLAG, offsetof(struct verify_options, read_only), NULL,
		"write nothing, not even the end of a killed session" },
	{ "key", 0, OPTION_STR, offsetof(struct verify_options, key), "PATH",
		"check signatures with the public keys in this file, or in the *.pub of this directory" },
	{ "dir", 0, OPTION_STR, offsetof(struct verify_options, dir), "DIR",
		"the log in this directory, a copy or another user's; nothing is written" },
	{ "session", 0, OPTION_STR, offsetof(struct verify_options, session), "ID",
		"only sessions whose id begins so, or matches with '*'" },
	{ NULL },
};

int cmd_audit_open_log(int *ret, struct diag *d)
{
	_cleanup_paths_ struct paths p = { 0 };
	int r = paths_init(&p, d);

	return r < 0 ? r : paths_open_state(&p, "audit", ret, d);
}

static int take_decision(const struct command_ctx *ctx, const char *word, enum event_decision *ret)
{
	static const char *const words[] = { "allow", "deny", "drop", "would deny" };
	static const enum event_decision decisions[] = { EVENT_ALLOW, EVENT_DENY, EVENT_DROP, EVENT_WOULD_DENY };
	char shown[128];

	if (!word)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(word, words[i]) == 0) {
			*ret = decisions[i];
			return 0;
		}
	}
	const char *near = text_nearest(word, words, ARRAY_LEN(words));
	return command_usage(ctx, "--decision takes allow, deny, drop or 'would deny', not '%s'%s%s%s",
		text_escape_str(word, shown, sizeof(shown)), near ? "; did you mean '" : "", near ? near : "",
		near ? "'?" : "");
}

int cmd_audit_take_filter(const struct command_ctx *ctx, const struct cmd_audit_filter *f, struct audit_filter *ret)
{
	*ret = (struct audit_filter){ .since = f->since,
		.until = f->until,
		.session = f->session,
		.server = ctx->args.n > 0 ? ctx->args.v[0] : f->server,
		.client = f->client,
		.tool = f->tool };
	if (f->server && ctx->args.n > 0)
		return command_usage(ctx, "the server is named twice: with --server and without; once is enough");
	return take_decision(ctx, f->decision, &ret->decision);
}

/* A follower wants to see what comes, not years of what was. */
static int take_lines(const struct show_options *o, struct audit_show_options *ret)
{
	char shown[64];

	ret->tail = o->lines || (o->follow && !o->filter.since);
	ret->last = FOLLOW_LINES;
	if (!o->lines || parse_u64(o->lines, 0, UINT64_MAX, &ret->last) == 0)
		return 0;
	command_error(
		"audit show: -n takes a number of records, not '%s'", text_escape_str(o->lines, shown, sizeof(shown)));
	return EXIT_USAGE;
}

/* A sum over the log has no end to wait at, and no last ones. */
static int take_denied(const struct command_ctx *ctx, const struct show_options *o)
{
	if (o->denied && (o->follow || o->lines || o->filter.decision))
		return command_usage(ctx, "--denied counts over the log: it goes with --since, --until, --session, "
					  "--server, --client, --tool, --dir and --json alone");
	return 0;
}

static int run_show(const struct command_ctx *ctx)
{
	const struct show_options *o = ctx->options;
	struct audit_show_options show = {
		.json = o->json,
		.follow = o->follow,
		.denied = o->denied,
		.colour = !o->json && command_colour(stdout),
	};
	_cleanup_close_ int dir = -1;
	struct diag d = { "" };
	int r;

	r = take_denied(ctx, o);
	if (r == 0)
		r = cmd_audit_take_filter(ctx, &o->filter, &show.filter);
	if (r == 0)
		r = take_lines(o, &show);
	if (r != 0)
		return r;
	r = o->dir ? cmd_audit_open_dir(o->dir, &dir, &d) : cmd_audit_open_log(&dir, &d);
	if (r == 0)
		r = audit_show(dir, &show, stdout, &d);
	/* Silence could as well be a wrong name or the log of another user. */
	if (r == AUDIT_NOTHING_SHOWN && !o->follow)
		fputs(o->denied ? "stockade: audit show: nothing that matches was denied in this user's log\n"
				: "stockade: audit show: no record of this user's log matches\n",
			stderr);
	/* Whoever reads has seen enough. */
	if (r == -EPIPE)
		return EXIT_OK;
	if (r < 0)
		command_error("%s", d.text);
	return r < 0 ? EXIT_REFUSED : EXIT_OK;
}

int cmd_audit_open_dir(const char *path, int *ret, struct diag *d)
{
	char shown[PATH_SHOWN];

	*ret = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret >= 0 ? 0
			 : diag_fail(d, -errno, "%s cannot be opened: %s", text_escape_str(path, shown, sizeof(shown)),
				   strerror(errno));
}

/* This user's log, the keys that signed it, and the one that signs the end of a session that was killed. */
static int open_own(int *ret, struct log_keys *keys, struct log_key *own, struct diag *d)
{
	_cleanup_paths_ struct paths p = { 0 };
	_cleanup_close_ int state = -1;
	int r = paths_init(&p, d);

	if (r == 0)
		r = paths_open_state(&p, "audit", ret, d);
	if (r == 0)
		r = paths_open_state(&p, "", &state, d);
	if (r == 0)
		r = log_keys_own(keys, state, d);
	if (r < 0 || keys->n == 0)
		return r;
	r = log_key_load(state, own, d);
	return r == -ENOENT ? 0 : r;
}

static int run_verify(const struct command_ctx *ctx)
{
	const struct verify_options *o = ctx->options;
	_cleanup_log_keys_ struct log_keys keys = { 0 };
	_cleanup_log_key_ struct log_key own = { .id = "" };
	struct audit_verify_options verify = { .session = o->session,
		.json = o->json,
		.read_only = o->read_only || o->dir,
		.keys = o->key || !o->dir ? &keys : NULL,
		.demand = o->key };
	_cleanup_close_ int dir = -1;
	struct diag d = { "" };
	int r = o->dir ? cmd_audit_open_dir(o->dir, &dir, &d) : open_own(&dir, &keys, &own, &d);

	verify.key = *own.id ? &own : NULL;
	if (r == 0 && o->key) {
		log_keys_done(&keys);
		r = log_keys_read(&keys, o->key, &d);
	}
	if (r == 0)
		r = audit_verify(dir, &verify, stdout, &d);
	if (r < 0)
		return command_refuse(&d, r);
	if (!o->key && !o->json && keys.n > 0)
		puts(own_key_words);
	return r == AUDIT_DAMAGED ? EXIT_FINDINGS : EXIT_OK;
}

const struct command_row cmd_audit_show = {
	.name = "audit show",
	.synopsis = "[-f] [-n N] [--denied] [--json] [--since TIME] [--until TIME] [--session ID] [--client NAME] "
		    "[--tool NAME] "
		    "[--decision WORD] [--dir DIR] [[--server] SERVER]",
	.summary = "print the records of all sessions in order of time",
	.details = "Each line: time (UTC), server, session, event, decision, tool or method, and what else the record "
		   "says. "
		   "What came from a\n"
		   "server is escaped. --json prints the records themselves, for jq and for a SIEM; their format is "
		   "in\n" STOCKADE_DOCDIR
		   "/audit.md. What a profile still lacks is what '--denied' says: each host, tool, resource or\n"
		   "prompt that was denied, how often, when last, by which rule, and the line that would grant it.",
	.options = show_rows,
	.options_size = sizeof(struct show_options),
	.max_args = 1,
	.run = run_show,
};

const struct command_row cmd_audit_verify = {
	.name = "audit verify",
	.synopsis = "[--json] [--read-only] [--key PATH] [--dir DIR] [--session ID]",
	.summary = "find what was altered, removed, reordered or cut off in the log",
	.details = "Exit status 0: the log is whole. 1: it is damaged, and each finding names file, line and record. "
		   "Sessions that run are\n"
		   "no damage, and neither are those whose supervisor was killed: their end is recorded now, unless "
		   "--read-only. With\n"
		   "--key what no key in PATH signed is damage too, and what no signature covers yet is said; the keys "
		   "are "
		   "what 'stockade\n"
		   "audit key' printed. Without it this account's own keys are used.",
	.options = verify_rows,
	.options_size = sizeof(struct verify_options),
	.run = run_verify,
};
