/* SPDX-License-Identifier: Apache-2.0 */
/* launch - see launch.h */
#include "supervisor/launch.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include "base/text.h"
#include "supervisor/consent/granted.h"
#include "supervisor/consent/standing.h"
#include "supervisor/exit.h"
#include "supervisor/kill/kill_launch.h"
#include "supervisor/signing/versions.h"

int launch_failed(const struct launch *l, int r, const struct diag *d)
{
	int status = l->effective->exit_hint;

	command_error("%s", d->text[0] ? d->text : strerror(-r));
	return status ? status : EXIT_REFUSED;
}

void launch_done(struct launch *l)
{
	spawned_done(&l->prepared);
	free(l->unapproved);
	approval_done(&l->approval);
	approvals_done(&l->approvals);
	lineage_done(&l->lineage);
	kill_bundle_done(&l->kills);
	paths_done(&l->paths);
}

/* At once: twenty silent seconds look like a program that hangs. */
static void say_waiting(const struct consent_wait *w)
{
	char shown[128];

	command_error("%s: waiting up to %u s for the user's approval, nothing is started before; the user can see it "
		      "with stockade approve",
		text_escape_str(w->effective->name, shown, sizeof(shown)), w->seconds);
}

/* What is killed meanwhile waits no longer. */
static int not_killed(const struct consent_wait *w, struct diag *d)
{
	return kill_launch_check(w->paths, w->lineage, w->kills, w->effective->name, d);
}

static int wait_for_approval(struct launch *l, bool said, struct diag *d)
{
	struct consent_wait w = { .paths = &l->paths,
		.effective = l->effective,
		.lineage = &l->lineage,
		.approvals = &l->approvals,
		.cancel_fd = -1,
		.signal_fd = -1,
		.seconds = CONSENT_WAIT_S,
		.waits = said ? NULL : say_waiting,
		.still = not_killed,
		.kills = &l->kills };
	_cleanup_close_ int signals = -1, client = -1;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 || (signals = signalfd(-1, &set, SFD_CLOEXEC)) < 0)
		return diag_fail(d, -errno, "cannot watch for signals: %s", strerror(errno));
	if (l->lineage.n > 0 && l->lineage.v[0].pid > 1)
		client = (int)syscall(SYS_pidfd_open, l->lineage.v[0].pid, 0);
	w.signal_fd = signals;
	w.cancel_fd = client;
	return consent_wait(&w, d);
}

static int draw_plan(struct launch *l, struct effective *e, struct diag *d)
{
	int r = command_build_plan(l->ctx, &l->paths, l->grants, e, d);

	if (!l->pin_texts)
		pin_drop_texts(&e->pins);
	kill_bundle_take(&l->kills, &e->bundle_kills);
	if (r == 0)
		r = kill_launch_check(&l->paths, &l->lineage, &l->kills, e->name, d);
	return r == 0 && l->check ? l->check(e, d) : r;
}

static int take_digest(const struct launch *l, struct effective *e, struct diag *d)
{
	int r = effective_look(e, d);

	if (r == 0)
		r = effective_identify(&l->paths, &l->lineage, e, d);
	return r < 0 ? r : effective_digest(&l->paths, &l->approvals, e, d);
}

/* A person took time to answer, and code, profile and policy can be changed meanwhile: what starts is what was shown,
 * or nothing. Pins are no part of what was shown: those of now hold. */
static int check_unchanged(struct launch *l, struct diag *d)
{
	_cleanup_effective_ struct effective other = { 0 };
	struct effective shown;
	char name[128];
	int r;

	approvals_done(&l->approvals);
	r = consent_list(&l->paths, &l->approvals, d);
	if (r == 0)
		r = draw_plan(l, &other, d);
	if (r == 0)
		r = take_digest(l, &other, d);
	if (r < 0)
		return r;
	if (strcmp(other.digest, l->effective->digest) != 0)
		return diag_fail(d, -EPERM,
			"%s: its code, its profile or what it is granted was changed while the question waited for an "
			"answer, so what was approved is not what would run; nothing was started: start it again",
			text_escape_str(l->effective->name, name, sizeof(name)));
	/* The log is open already, and is in no digest. */
	if (other.policy.audit.collector != l->effective->policy.audit.collector)
		return diag_fail(d, -EPERM,
			"%s: the policy changed where records go while the question waited for an answer; nothing was "
			"started: start it again",
			text_escape_str(l->effective->name, name, sizeof(name)));
	if (l->client && other.client_refused)
		return diag_fail(d, -EPERM, "%s", other.client_refused);
	shown = *l->effective;
	*l->effective = other;
	other = shown;
	return 0;
}

static int judge_channel(const struct launch *l, const char *channel, struct diag *d)
{
	return policy_judge_channel(&l->effective->policy.consent, channel, l->effective->name, d);
}

/* On a terminal under a client the keystrokes may be those of its agent, which can make itself as many terminals as it
 * likes: an answer there would be remembered, and `approve` refuses there for the same reason. */
static int may_ask_here(struct launch *l, bool *ret, struct diag *d)
{
	_cleanup_free_ char *why = NULL;
	char name[128];
	int r = 0;

	*ret = consent_terminal_is_ours() && judge_channel(l, "terminal", d) == 0;
	if (*ret)
		r = lineage_client_above(&l->lineage, &l->paths, &why, d);
	if (r < 0 || !why)
		return r;
	*ret = false;
	command_error(
		"%s: the question is not asked here: %s, and a client or its agent must not\n"
		"  approve for its user. It waits %d s for an answer from a plain terminal of your own, not one inside "
		"the client: type 'stockade approve' there",
		text_escape_str(l->effective->name, name, sizeof(name)), why, CONSENT_WAIT_S);
	return 0;
}

/* What was allowed without being remembered. */
static int note_answer(struct launch *l, const char *channel)
{
	return consent_note(l->effective, channel, &l->approval);
}

/* What the policy approved is kept for people, and for what a later plan differs in: no launch believes it. */
static int keep_granted(const struct launch *l, struct diag *d)
{
	for (size_t i = 0; i < l->approvals.n; i++)
		if (strcmp(l->approvals.v[i].digest, l->effective->digest) == 0)
			return CONSENT_APPROVED;
	return consent_remember(&l->paths, l->effective, GRANTED_CHANNEL, &l->lineage, d);
}

static int look_up(struct launch *l, struct diag *d)
{
	int r = consent_standing(&l->paths, l->effective, &l->approval, d);

	return r == CONSENT_APPROVED && l->effective->granted ? keep_granted(l, d) : r;
}

/* Nobody is asked whose answer would not count. A client may show this to a model: no command in it lifts it. */
static int refuse_unapproved(struct launch *l, bool client, struct diag *d)
{
	const struct effective *e = l->effective;
	const char *more = e->named_code       ? e->named_code
			   : e->home_code      ? e->home_code
			   : e->never_remember ? "It can rewrite its own code, so no approval of it would last"
			   : e->ungranted      ? e->ungranted
					       : "";
	char name[128];

	diag_set(d,
		"it is not approved, and on this machine only who manages it approves servers (%s), so nothing was "
		"started: send them its digest, %s%s%s",
		e->policy.consent.by_where, e->digest, *more ? ". The policy does not approve it by itself: " : "",
		more);
	l->unapproved = strdup(d->text);
	if (!l->unapproved)
		return -ENOMEM;
	if (!client)
		diag_prefix(d, "%s: ", text_escape_str(e->name, name, sizeof(name)));
	return client ? CONSENT_DENIED : -EPERM;
}

/* What a waiting launch was allowed through: the approval says so where one is remembered. */
static int take_answer(struct launch *l, struct diag *d)
{
	int r = look_up(l, d);

	if (r != CONSENT_UNKNOWN)
		return r;
	/* It is not remembered, or it came through a channel that does not count. */
	r = l->effective->never_remember || !l->effective->policy.consent.where ? judge_channel(l, "approve", d)
										: -EPERM;
	return r < 0 ? r : note_answer(l, "approve");
}

/* What is started from now on is no older, and the moment is past. */
static int note_start(const struct launch *l, struct diag *d)
{
	const struct effective *e = l->effective;
	char name[128];
	int r = e->bundle_version ? versions_remember(&l->paths, VERSIONS_BUNDLE, e->bundle_version, d) : 0;

	if (e->bundle_warning)
		command_error("%s: note: %s", text_escape_str(e->name, name, sizeof(name)), e->bundle_warning);
	if (e->fresh.soon)
		command_error("%s: note: %s", text_escape_str(e->name, name, sizeof(name)), e->fresh.soon);
	return r < 0 ? r : freshness_remember(&l->paths, &e->profile, &e->moments, d);
}

static int ask_here(struct launch *l, struct diag *d)
{
	int r = consent_ask_terminal(&l->approvals, l->effective, d);

	if (r == CONSENT_APPROVED)
		r = check_unchanged(l, d);
	if (r == CONSENT_APPROVED)
		r = note_start(l, d);
	if (r == CONSENT_APPROVED)
		r = note_answer(l, "terminal");
	if (r != CONSENT_APPROVED)
		return r;
	l->answered_here = true;
	return l->remembers_later ? r : launch_remember(l, d);
}

int launch_remember(struct launch *l, struct diag *d)
{
	if (!l->answered_here || l->effective->never_remember)
		return 0;
	return consent_remember(&l->paths, l->effective, "terminal", &l->lineage, d);
}

int launch_answered(struct launch *l, struct diag *d)
{
	int r = check_unchanged(l, d);

	if (r == 0)
		r = note_start(l, d);
	return r == 0 ? take_answer(l, d) : r;
}

/* CONSENT_APPROVED with id and channel of the approval filled, another outcome, or -errno. */
static int ask(struct launch *l, bool client, struct diag *d)
{
	bool here = false, terminal = consent_terminal_is_ours();
	int r = may_ask_here(l, &here, d);

	if (r < 0)
		return r;
	if (here)
		return ask_here(l, d);
	if (client && !terminal)
		return CONSENT_UNKNOWN;
	/* On a terminal under a client may_ask_here has said what this waits for. */
	r = wait_for_approval(l, terminal, d);
	return r == CONSENT_APPROVED ? launch_answered(l, d) : r;
}

/* Only for a server that has been approved: the others wait for a person anyway. With a network there are ports that
 * belong to a digest (supervisor/publish.h). What cannot be started here fails in its turn, where it is recorded. */
static void prepare(struct launch *l)
{
	struct diag later;

	if (!l->effective->plan.network.on && !l->effective->never_remember &&
		consent_earlier(&l->approvals, l->effective->subject, ""))
		(void)!spawn_session(l->effective, &l->prepared, &later);
}

int launch_approved(
	const struct command_ctx *ctx, const struct grants *g, bool client, struct launch *l, struct diag *d)
{
	int r = paths_init(&l->paths, d);

	l->ctx = ctx;
	l->grants = g;
	l->client = client;
	if (r == 0)
		r = lineage_read(&l->lineage, d);
	if (r == 0)
		r = draw_plan(l, l->effective, d);
	if (r == 0)
		r = consent_list(&l->paths, &l->approvals, d);
	if (r < 0)
		return r;
	if (client)
		prepare(l);
	r = take_digest(l, l->effective, d);
	if (r == 0)
		r = client && l->effective->client_refused ? CONSENT_DENIED : look_up(l, d);
	if (r == CONSENT_APPROVED)
		r = note_start(l, d);
	if (r != CONSENT_APPROVED)
		spawned_done(&l->prepared);
	if (r == CONSENT_UNKNOWN && l->effective->policy.consent.by == CONSENT_BY_ADMIN && geteuid() != 0)
		return refuse_unapproved(l, client, d);
	return r == CONSENT_UNKNOWN ? ask(l, client, d) : r;
}
