/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_run - stockade run: what a client starts instead of the server
 *
 * Order: describe, digest, consent, session. Nothing of the server runs before the digest is approved.
 */
#include <errno.h>
#include <string.h>
#include "base/text.h"
#include "supervisor/commands.h"
#include "supervisor/consent.h"
#include "supervisor/effective.h"
#include "supervisor/exit.h"
#include "supervisor/launch.h"
#include "supervisor/session.h"
#include "wire/control.h"

struct run_options {
	struct grants grants;
};

static const struct option_row run_rows[] = {
	GRANT_OPTION_ROWS(struct run_options, grants),
	{ NULL },
};

/* What a client may show to a model: true, harmless, and never the command that approves. */
struct client_words {
	char waits[CONTROL_TEXT_MAX], refused[CONTROL_TEXT_MAX], unfit[CONTROL_TEXT_MAX];
};

static void say_to_client(const char *name, struct client_words *ret)
{
	char shown[128];

	text_escape_str(name, shown, sizeof(shown));
	snprintf(ret->waits, sizeof(ret->waits),
		"stockade is waiting for the user's approval of '%s'; the user can see it with stockade approve",
		shown);
	snprintf(ret->refused, sizeof(ret->refused), "stockade did not start '%s': the user refused it", shown);
	snprintf(ret->unfit, sizeof(ret->unfit),
		"stockade did not start '%s': it is not what the user approved any more, since it was changed "
		"meanwhile. "
		"Its client has to start it again",
		shown);
}

/* On a terminal: there is no client to tell. */
static int refuse(const struct session_args *a, int outcome)
{
	const struct effective *e = a->effective;
	const char *status = outcome == CONSENT_REFUSED	  ? "refused"
			     : outcome == CONSENT_TIMEOUT ? "not answered"
							  : "cancelled";
	char shown[128];

	text_escape_str(e->name, shown, sizeof(shown));
	if (outcome == CONSENT_REFUSED)
		command_error("%s: refused, nothing was started", shown);
	else if (outcome == CONSENT_TIMEOUT)
		command_error("%s: not approved within %d s, nothing was started. The next start waits for the user's "
			      "approval again; the user can see it with stockade approve",
			shown, CONSENT_WAIT_S);
	else
		command_error("%s: the client went away before anybody answered", shown);
	return session_refuse(a, status);
}

/* Clients keep their server's stderr, and show it to a model that asks for it: the same rule (client_words). */
static void say_waiting(const struct consent_wait *w)
{
	char shown[128];

	command_error("%s: waiting for the user's approval, nothing is started before; the user can see it with "
		      "stockade approve",
		text_escape_str(w->effective->name, shown, sizeof(shown)));
}

/* A session that waited was approved (struct session_wait). */
static int approved(void *launch, const char **ret_approval, const char **ret_channel, struct diag *d)
{
	struct launch *l = launch;
	int r = launch_answered(l, d);

	approvals_done(&l->approvals);
	*ret_approval = l->approval.id;
	*ret_channel = l->approval.channel;
	return r;
}

static int run_waiting(struct launch *l, struct session_args *s)
{
	struct client_words words;
	const struct session_wait w = { .consent = { .paths = &l->paths,
						.approvals = &l->approvals,
						.effective = l->effective,
						.lineage = &l->lineage,
						.cancel_fd = -1,
						.signal_fd = -1,
						.waits = say_waiting },
		.words = words.waits,
		.refused = words.refused,
		.unfit = words.unfit,
		.approved = approved,
		.launch = l };
	int r;

	say_to_client(l->effective->name, &words);
	s->wait = &w;
	r = session_run(s);
	s->wait = NULL;
	return r;
}

/* On a terminal the person reads it; a client is told what it can tell, and the rule goes to stderr and the log. */
static int run_denied(struct launch *l, struct session_args *s)
{
	const char *status = l->unapproved ? "not approved" : "client not allowed";
	const char *why = l->unapproved ? l->unapproved : l->effective->client_refused;
	char words[CONTROL_TEXT_MAX], shown[128];
	const struct session_wait w = { .denied = why, .denied_status = status, .refused = words };
	int r;

	text_escape_str(l->effective->name, shown, sizeof(shown));
	if (consent_terminal_is_ours()) {
		command_error("%s: %s", shown, why);
		return session_refuse(s, status);
	}
	snprintf(words, sizeof(words), "stockade did not start '%s': %s", shown,
		l->unapproved ? "who manages this machine has not approved it"
			      : "the policy of this machine does not allow this client to start servers");
	s->wait = &w;
	r = session_run(s);
	s->wait = NULL;
	return r;
}

static int start(const struct command_ctx *ctx, const struct grants *g, struct launch *l, struct diag *d)
{
	int r = launch_approved(ctx, g, true, l, d);

	if (r < 0)
		return r;
	struct session_args s = { .paths = &l->paths,
		.effective = l->effective,
		.lineage = &l->lineage,
		.approval = l->approval.id,
		.channel = l->approval.channel ? l->approval.channel : "",
		.prepared = &l->prepared,
		.kills = &l->kills };
	if (r == CONSENT_UNKNOWN)
		return run_waiting(l, &s);
	if (r == CONSENT_DENIED)
		return run_denied(l, &s);
	/* A session lasts for days. */
	approvals_done(&l->approvals);
	return r == CONSENT_APPROVED ? session_run(&s) : refuse(&s, r);
}

static int run_run(const struct command_ctx *ctx)
{
	struct run_options *o = ctx->options;
	_cleanup_effective_ struct effective e = { .exit_hint = EXIT_REFUSED };
	_cleanup_launch_ struct launch l = { .effective = &e, .prepared = SPAWNED_NONE };
	struct diag d = { "" };
	int r = command_take_grants(ctx, &o->grants);

	if (r != 0)
		return r;
	r = start(ctx, &o->grants, &l, &d);
	return r >= 0 ? r : launch_failed(&l, r, &d);
}

static void run_done(void *options)
{
	grants_done(&((struct run_options *)options)->grants);
}

const struct command_row cmd_run = {
	.name = "run",
	.synopsis = "[--set P=V]... NAME\n[GRANT]... -- COMMAND [ARG]...",
	.summary = "start a server in its sandbox, in the place of the raw command",
	.details = "The exact command and everything it is granted is shown and asked for before the first start, and "
		   "again whenever any of it "
		   "changes. With NAME the rules are those of the profile; without one nothing is granted but what the "
		   "options name.",
	.options = run_rows,
	.options_size = sizeof(struct run_options),
	.options_done = run_done,
	.max_args = 1,
	.rest = true,
	.run = run_run,
};
