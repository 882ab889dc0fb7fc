/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_diff - `stockade diff`: what a server says now, beside what was pinned */
#include <errno.h>
#include <string.h>
#include "base/text.h"
#include "supervisor/commands.h"
#include "supervisor/exit.h"
#include "supervisor/launch.h"
#include "supervisor/output.h"
#include "supervisor/pin_diff.h"
#include "supervisor/pin_listing.h"
#include "supervisor/pin_show.h"

struct diff_options {
	struct grants grants;
	bool json, exit_code;
};

static const struct option_row diff_rows[] = {
	{ "exit-code", 0, OPTION_FLAG, offsetof(struct diff_options, exit_code), NULL,
		"exit with 1 when something has changed" },
	{ "json", 0, OPTION_FLAG, offsetof(struct diff_options, json), NULL, "the changes as a JSON object" },
	GRANT_OPTION_ROWS(struct diff_options, grants),
	{ 0 },
};

static void diff_done(void *options)
{
	grants_done(&((struct diff_options *)options)->grants);
}

static int print(const struct effective *e, const struct pin_listing *l, const struct pin_diff *d, bool json)
{
	if (!json) {
		int r = pin_diff_print(stdout, d, command_colour(stdout));
		return r ? r : pin_show_findings(stdout, &l->found);
	}
	return output_json(stdout,
		json_pack("{s:s, s:b, s:b, s:s, s:s, s:o, s:o}", "server", e->name, "changed", d->n > 0, "matters",
			d->matters, "pinned", e->pins.digest, "digest", l->set.digest, "changes", pin_diff_json(d),
			"findings", pin_show_findings_json(&l->found)),
		"the difference");
}

static int compare(const struct diff_options *o, struct launch *l, struct diag *d)
{
	const struct effective *e = l->effective;
	_cleanup_pin_listing_ struct pin_listing listing = { 0 };
	_cleanup_pin_diff_ struct pin_diff changes = { 0 };
	int r = pin_read_texts(&l->effective->pins, d);

	if (r == 0)
		r = pin_listing_run(l, &listing, d);
	if (r < 0)
		return r;
	r = pin_diff(&e->pins.definitions, &listing.set.definitions, &changes);
	if (r == 0)
		r = print(e, &listing, &changes, o->json);
	if (r < 0)
		return diag_fail(d, r, "cannot show the difference: %s", strerror(-r));
	return r == 0 && o->exit_code && changes.n > 0 ? EXIT_FINDINGS : r;
}

static int check_pinned(const struct effective *e, struct diag *d)
{
	char name[128];

	if (e->pinned)
		return 0;
	return diag_fail(d, -ENOENT,
		"%s: it is not pinned, so there is nothing to compare with: 'stockade pin' with the same words shows "
		"what "
		"it says and pins it",
		text_escape_str(e->name, name, sizeof(name)));
}

static int diff(const struct command_ctx *ctx, const struct diff_options *o, struct launch *l, struct diag *d)
{
	char name[128];
	int r;

	l->pin_texts = true;
	l->check = check_pinned;
	r = launch_approved(ctx, &o->grants, false, l, d);

	if (r < 0)
		return r;
	text_escape_str(l->effective->name, name, sizeof(name));
	if (r != CONSENT_APPROVED)
		return diag_fail(d, -EPERM, "%s: its launch was not approved, nothing was started", name);
	return compare(o, l, d);
}

static int run_diff(const struct command_ctx *ctx)
{
	struct diff_options *o = ctx->options;
	_cleanup_effective_ struct effective e = { .exit_hint = EXIT_REFUSED };
	_cleanup_launch_ struct launch l = { .effective = &e, .prepared = SPAWNED_NONE };
	struct diag d = { "" };
	int r = command_take_grants(ctx, &o->grants);

	if (r != EXIT_OK)
		return r;
	r = diff(ctx, o, &l, &d);
	return r >= 0 ? r : launch_failed(&l, r, &d);
}

const struct command_row cmd_diff = {
	.name = "diff",
	.synopsis = "[--exit-code] [--json] [--set P=V]... NAME\n"
		    "[--exit-code] [--json] [GRANT]... -- COMMAND [ARG]...",
	.summary = "show what a server says otherwise than when it was pinned",
	.details = "Starts the server in its sandbox, lists what it defines, and compares that with the pins word by "
		   "word. '!' marks the changes that can make a\n"
		   "model act otherwise: a text, a schema that takes more, a hint, anything new.",
	.options = diff_rows,
	.options_size = sizeof(struct diff_options),
	.options_done = diff_done,
	.max_args = 1,
	.rest = true,
	.run = run_diff,
};
