/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_pin - `stockade pin`: what a server says of itself becomes what it may say */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "base/fs.h"
#include "base/text.h"
#include "supervisor/canonical.h"
#include "supervisor/commands.h"
#include "supervisor/exit.h"
#include "supervisor/launch.h"
#include "supervisor/output.h"
#include "supervisor/pin_diff.h"
#include "supervisor/pin_gate.h"
#include "supervisor/pin_listing.h"
#include "supervisor/pin_record.h"
#include "supervisor/pin_show.h"

struct pin_options {
	struct grants grants;
	bool json, print_digest;
	char *digest, *output;
	struct strv accept;
};

static const struct option_row pin_rows[] = {
	{ "output", 'o', OPTION_STR, offsetof(struct pin_options, output), "FILE",
		"write the pins to FILE, to be shipped; nothing of this user changes" },
	{ "json", 0, OPTION_FLAG, offsetof(struct pin_options, json), NULL,
		"the definitions as a JSON array; nothing is asked or pinned" },
	{ "print-digest", 0, OPTION_FLAG, offsetof(struct pin_options, print_digest), NULL,
		"the definitions on stderr, the digest of their pins alone on stdout; nothing is pinned" },
	{ "digest", 0, OPTION_STR, offsetof(struct pin_options, digest), "D",
		"pin exactly what has digest D without asking" },
	{ "accept", 0, OPTION_STRV, offsetof(struct pin_options, accept), "ID",
		"pin although the scan's rule ID found something grave; not where the policy says what may be pinned" },
	GRANT_OPTION_ROWS(struct pin_options, grants),
	{ 0 },
};

static void pin_done(void *options)
{
	grants_done(&((struct pin_options *)options)->grants);
}

struct pinning {
	const struct pin_options *options;
	struct launch launch;
	struct pin_listing listing;
	char name[128]; /* escaped */
};

static void pinning_done(struct pinning *p)
{
	pin_listing_done(&p->listing);
	launch_done(&p->launch);
}

static int write_output(const struct pinning *p, struct diag *d)
{
	const struct buf *text = &p->listing.text;
	_cleanup_free_ char *path = strdup(p->options->output);
	char *slash = path ? strrchr(path, '/') : NULL;
	const char *dir = !slash ? "." : slash == path ? "/" : path;
	_cleanup_close_ int fd = -1;
	char shown[256];
	int r;

	if (!path)
		return -ENOMEM;
	if (slash)
		*slash = '\0';
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = fd < 0 ? -errno : fs_write_atomic(fd, slash ? slash + 1 : path, text->data, text->len, 0644, d);
	if (r < 0)
		return diag_fail(d, r, "cannot write %s: %s", text_escape_str(p->options->output, shown, sizeof(shown)),
			strerror(-r));
	return 0;
}

static int save(const struct pinning *p, struct diag *d)
{
	const struct effective *e = p->launch.effective;
	const struct record_alone_args who = { .paths = &p->launch.paths,
		.lineage = &p->launch.lineage,
		.server = e->name,
		.channel = p->options->digest ? "digest" : "pin",
		.plan = e->digest,
		.approval = p->launch.approval.id };
	int r = pin_record(
		&who, e->pinned ? &e->pins : NULL, &p->listing.set, &p->listing.found, p->options->output, d);
	char shown[256];

	if (r == 0)
		r = p->options->output ? write_output(p, d)
				       : pin_save(&p->launch.paths, e->name, e->subject, &p->listing.text, d);
	if (r < 0)
		return r;
	if (p->options->output)
		fprintf(stderr, "%s: %zu pins written to %s.\n", p->name, p->listing.set.definitions.n,
			text_escape_str(p->options->output, shown, sizeof(shown)));
	else
		fprintf(stderr, "%s: %zu definitions are pinned, from the next start on.\n", p->name,
			p->listing.set.definitions.n);
	return EXIT_OK;
}

static int check_findings(const struct pinning *p, struct diag *d)
{
	return pin_gate(&p->listing.found, &p->launch.effective->policy, &p->options->accept, p->name, d);
}

static int by_digest(const struct pinning *p, struct diag *d)
{
	int r;

	if (strcmp(p->options->digest, p->listing.set.digest) != 0)
		return diag_fail(d, -EPERM,
			"%s: the definitions are not those that were named, nothing was pinned: their digest is %s, "
			"--digest says %s",
			p->name, p->listing.set.digest, p->options->digest);
	r = check_findings(p, d);
	return r < 0 ? r : save(p, d);
}

/* Where there are pins already, a person has seen all but what is different. */
static int show(const struct pinning *p, struct diag *d)
{
	const struct effective *e = p->launch.effective;
	_cleanup_pin_diff_ struct pin_diff changes = { 0 };
	int r;

	if (!e->pinned || p->options->output)
		return pin_show_listing(stderr, e->name, &p->listing);
	r = pin_read_texts(&p->launch.effective->pins, d);
	if (r < 0)
		return r;
	fprintf(stderr, "%s is pinned already. What it says otherwise now, in its own words:\n\n", p->name);
	r = pin_diff(&e->pins.definitions, &p->listing.set.definitions, &changes);
	if (r == 0)
		r = pin_diff_print(stderr, &changes, command_colour(stderr));
	return r < 0 ? r : pin_show_findings(stderr, &p->listing.found);
}

static int by_question(const struct pinning *p, struct diag *d)
{
	const struct effective *e = p->launch.effective;
	bool replaces = e->pinned && !p->options->output;
	int r;

	if (replaces && strcmp(e->pins.digest, p->listing.set.digest) == 0) {
		fprintf(stderr, "%s: nothing has changed since it was pinned (%.16s).\n", p->name, e->pins.digest);
		return EXIT_OK;
	}
	r = show(p, d);
	if (r < 0)
		return d->text[0] ? r : diag_fail(d, r, "cannot show the definitions: %s", strerror(-r));
	r = check_findings(p, d);
	if (r < 0)
		return r;
	if (consent_yes_or_no(replaces ? "Replace the pins? A client will get what it says now. [y/N] "
				       : "Pin them? A client will get these and no others. [y/N] ") == CONSENT_APPROVED)
		return save(p, d);
	fprintf(stderr, "%s: nothing was pinned.\n", p->name);
	return EXIT_REFUSED;
}

static int show_digest(const struct pinning *p, struct diag *d)
{
	int r = pin_show_listing(stderr, p->launch.effective->name, &p->listing);

	if (r < 0)
		return diag_fail(d, r, "cannot show the definitions: %s", strerror(-r));
	puts(p->listing.set.digest);
	return EXIT_OK;
}

static int not_approved(const struct pinning *p, int outcome, struct diag *d)
{
	return diag_fail(d, -EPERM, "%s: %s, nothing was started and nothing was pinned", p->name,
		outcome == CONSENT_REFUSED ? "refused" : "its launch was not approved");
}

static int settle(const struct pinning *p, struct diag *d)
{
	const struct pin_options *o = p->options;

	if (o->json)
		return output_json(stdout, pin_show_json(&p->listing), "the list of definitions");
	if (o->print_digest)
		return show_digest(p, d);
	return o->digest ? by_digest(p, d) : by_question(p, d);
}

static bool pins_for_user(const struct pin_options *o)
{
	return !o->output && !o->json && !o->print_digest;
}

/* Pins first, then the approval of the launch that was given here: a launch that waits for it must not start without
 * them. */
static int remember(struct pinning *p, int status, struct diag *d)
{
	const struct pin_options *o = p->options;

	if (p->launch.effective->pinned)
		return status;
	if (status == EXIT_OK && pins_for_user(o)) {
		int r = launch_remember(&p->launch, d);
		return r < 0 ? r : status;
	}
	if (p->launch.answered_here)
		fprintf(stderr,
			"%s: nothing is pinned for this user, so the yes to its start was for this once and is not "
			"remembered.\n",
			p->name);
	return status;
}

static int check_shipped(const struct effective *e, struct diag *d)
{
	char name[128];

	if (!e->profile.pins)
		return 0;
	return diag_fail(d, -EPERM,
		"%s: its pins are those that its profile names (%s, beside it), and only whoever writes that file can "
		"change them: -o FILE writes a new one",
		text_escape_str(e->name, name, sizeof(name)), e->profile.pins);
}

static int pin(const struct command_ctx *ctx, struct pinning *p, struct diag *d)
{
	const struct pin_options *o = p->options;
	int r;

	p->launch.remembers_later = true;
	p->launch.pin_texts = true;
	p->launch.check = pins_for_user(o) ? check_shipped : NULL;
	r = launch_approved(ctx, &o->grants, false, &p->launch, d);
	if (r == CONSENT_APPROVED && p->launch.effective->pinned)
		r = launch_remember(&p->launch, d);
	if (r < 0)
		return r;
	text_escape_str(p->launch.effective->name, p->name, sizeof(p->name));
	if (r != CONSENT_APPROVED)
		return not_approved(p, r, d);
	r = pin_listing_run(&p->launch, &p->listing, d);
	if (r == 0)
		r = settle(p, d);
	return r < 0 ? r : remember(p, r, d);
}

static int refuse_rule(const struct command_ctx *ctx, const char *word, const char *near)
{
	char shown[128];

	return command_usage(ctx, "--accept takes the id of a rule of the scan, and '%s' is none%s%s%s",
		text_escape_str(word, shown, sizeof(shown)), near ? "; did you mean '" : "", near ? near : "",
		near ? "'?" : " (stockade-pin(1) says where they are listed)");
}

static int check_usage(const struct command_ctx *ctx)
{
	const struct pin_options *o = ctx->options;
	const char *near = NULL, *unknown = pin_gate_unknown(&o->accept, &near);

	if (unknown)
		return refuse_rule(ctx, unknown, near);
	if (o->json + o->print_digest + (o->digest != NULL) > 1)
		return command_usage(ctx, "--json, --print-digest and --digest exclude one another");
	if (o->output && (o->json || o->print_digest))
		return command_usage(ctx, "--json and --print-digest pin nothing: give no --output with them");
	if (o->output && (!*o->output || o->output[strlen(o->output) - 1] == '/'))
		return command_usage(ctx, "--output takes the path of a file");
	if (o->digest && !canonical_is_digest(o->digest))
		return command_usage(
			ctx, "--digest takes 64 hexadecimal digits in lower case, as --print-digest prints them");
	return EXIT_OK;
}

static int run_pin(const struct command_ctx *ctx)
{
	struct pin_options *o = ctx->options;
	_cleanup_effective_ struct effective e = { .exit_hint = EXIT_REFUSED };
	_cleanup_(pinning_done) struct pinning p = { .options = o,
		.launch = { .effective = &e, .prepared = SPAWNED_NONE } };
	struct diag d = { "" };
	int r = check_usage(ctx);

	if (r == EXIT_OK)
		r = command_take_grants(ctx, &o->grants);
	if (r == EXIT_OK && !o->json && !o->print_digest && !o->digest)
		r = command_need_terminal(ctx, "nothing was pinned", "the digest");
	if (r != EXIT_OK)
		return r;
	o->grants.writes_pins = o->output || o->json || o->print_digest;
	r = pin(ctx, &p, &d);
	return r >= 0 ? r : launch_failed(&p.launch, r, &d);
}

const struct command_row cmd_pin = {
	.name = "pin",
	.synopsis = "[-o FILE] [--accept ID]... [--json | --print-digest | --digest D] [--set P=V]... NAME\n"
		    "[-o FILE] [--accept ID]... [--json | --print-digest | --digest D] [GRANT]... -- COMMAND [ARG]...",
	.summary = "record what a server says of its tools as approved",
	.details = "Starts the server in its sandbox, lists its tools, prompts, resource templates and instructions, "
		   "shows them and asks. What is pinned is what a\n"
		   "client gets: whatever is new or changed is withheld until it is pinned again. Refused when an MCP "
		   "client is among the programs that started\n"
		   "this command; needs a terminal unless --digest is given.",
	.options = pin_rows,
	.options_size = sizeof(struct pin_options),
	.options_done = pin_done,
	.max_args = 1,
	.rest = true,
	.loosens = true,
	.run = run_pin,
};
