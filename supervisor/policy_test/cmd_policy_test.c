/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_policy_test - `stockade policy test`: what a policy that is not in force would change */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/io.h"
#include "base/text.h"
#include "supervisor/check_list.h"
#include "supervisor/cmd_audit.h"
#include "supervisor/commands.h"
#include "supervisor/consent/admin.h"
#include "supervisor/exit.h"
#include "supervisor/output.h"
#include "supervisor/policy_test/report.h"
#include "supervisor/question_words.h"
#include "supervisor/signing/vouch.h"

enum { PROGRESS_US = 500000, MIB = 1 << 20, PROGRESS_BYTES = 16 << 20 };

struct test_options {
	bool json, against_log;
	char *dir;
};

static const struct option_row test_rows[] = {
	{ "against-log", 0, OPTION_FLAG, offsetof(struct test_options, against_log), NULL,
		"ask about launches, calls and connections of the audit log, too" },
	{ "dir", 0, OPTION_STR, offsetof(struct test_options, dir), "DIR",
		"the log in this directory, a copy or another user's" },
	{ "json", 0, OPTION_FLAG, offsetof(struct test_options, json), NULL, "one JSON object instead of a table" },
	{ 0 },
};

struct test {
	const struct test_options *options;
	struct trial_args args;
	struct paths paths;
	struct approvals approvals;
	struct strv names; /* of profiles */
	struct trial **v;  /* one a name, then those of approvals */
	size_t n;
	json_t *servers, *judged; /* of the report */
	bool digests;		  /* of each launch: whose word starts it hangs on the policy, or on root */
	bool worse;
};

static void test_done(struct test *t)
{
	for (size_t i = 0; i < t->n; i++)
		trial_free(t->v[i]);
	free(t->v);
	strv_done(&t->names);
	approvals_done(&t->approvals);
	paths_done(&t->paths);
	json_decref(t->servers);
	json_decref(t->judged);
}
#define _cleanup_test_ _cleanup_(test_done)

/* The name of the profile that it is for; NULL: it is for a command without one. */
static const char *profile_of(const struct approval *a)
{
	static const char prefix[] = "profile:";

	return !a->damaged && strncmp(a->subject, prefix, strlen(prefix)) == 0 ? a->subject + strlen(prefix) : NULL;
}

static bool has_approval(const struct test *t, const char *name)
{
	for (size_t i = 0; i < t->approvals.n; i++) {
		const char *of = profile_of(&t->approvals.v[i]);
		if (of && strcmp(of, name) == 0)
			return true;
	}
	return false;
}

static int keep_server(struct test *t, struct trial *one)
{
	json_t *o = report_server(one, t->args.other->file, &t->worse);

	return json_array_append_new(t->servers, o) < 0 ? -ENOMEM : 0;
}

/* Those of a bundle that cannot be believed are none; that nothing starts then, the trials say. */
static int find_names(struct test *t, struct diag *d)
{
	_cleanup_vouching_ struct vouching v = { 0 };
	struct diag unsaid = { "" };

	if (vouching_load(&t->paths, &v, &unsaid) == -ENOMEM)
		return -ENOMEM;
	return check_list_names(&t->paths, &v.bundle, &t->names, d);
}

static int draw_profiles(struct test *t, struct diag *d)
{
	int r = find_names(t, d);

	if (r < 0)
		return r;
	if (t->names.n + t->approvals.n > TRIALS_MAX)
		return diag_fail(d, -E2BIG, "there are more than %d profiles and approvals", TRIALS_MAX);
	t->v = calloc(t->names.n + t->approvals.n + 1, sizeof(struct trial *));
	if (!t->v)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < t->names.n; i++) {
		const char *name = t->names.v[i];
		r = trial_of_profile(&t->args, name, t->digests || has_approval(t, name), &t->v[t->n]);
		r = r < 0 ? r : keep_server(t, t->v[t->n++]);
	}
	return r;
}

/* NULL: no profile of that name. */
static struct trial *find_profile(const struct test *t, const char *name)
{
	for (size_t i = 0; i < t->names.n; i++)
		if (strcmp(t->names.v[i], name) == 0)
			return t->v[i];
	return NULL;
}

static int judge_approval(struct test *t, const struct approval *a)
{
	const char *profile = profile_of(a);
	struct trial *one = profile ? find_profile(t, profile) : NULL;
	json_t *o;
	int r = 0;

	if (!profile || (one && one->written)) {
		r = trial_of_approval(&t->args, a, &t->v[t->n]);
		one = r < 0 ? NULL : t->v[t->n++];
	}
	if (r < 0)
		return r;
	o = report_approval(a, one, t->args.other->file, &t->worse);
	return json_array_append_new(t->judged, o) < 0 ? -ENOMEM : 0;
}

static int judge_approvals(struct test *t)
{
	int r = 0;

	/* A damaged one approves nothing, whatever the policy. */
	for (size_t i = 0; r == 0 && i < t->approvals.n; i++)
		if (!t->approvals.v[i].damaged)
			r = judge_approval(t, &t->approvals.v[i]);
	return r;
}

/* --- the log --- */

struct watched {
	struct replay replay; /* first: it is what progress gets */
	uint64_t next_us;
	bool said;
};

/* For who looks: a log of years takes a while, and a small one none. */
static void say_progress(uint64_t bytes, uint64_t of_bytes, void *arg)
{
	struct watched *w = arg;
	uint64_t now = io_now_us();

	if (of_bytes < PROGRESS_BYTES || now < w->next_us)
		return;
	w->next_us = now + PROGRESS_US;
	w->said = true;
	fprintf(stderr, "\rreading the log: %llu of %llu MiB ", (unsigned long long)(bytes / MIB),
		(unsigned long long)(of_bytes / MIB));
}

static int read_log(struct test *t, json_t **ret, struct diag *d)
{
	bool watched = isatty(STDERR_FILENO) == 1;
	struct watched w = { .replay = { .args = &t->args,
				     .trials = t->v,
				     .n_trials = t->n,
				     .progress = watched ? say_progress : NULL } };
	_cleanup_close_ int dir = -1;
	int r = t->options->dir ? cmd_audit_open_dir(t->options->dir, &dir, d) : cmd_audit_open_log(&dir, d);

	r = r < 0 ? r : replay_log(&w.replay, dir, d);
	if (w.said)
		fputs("\r\033[K", stderr);
	*ret = r < 0 ? NULL : report_log(&w.replay, &t->worse);
	replay_done(&w.replay);
	return r < 0 || *ret ? r : -ENOMEM;
}

/* --- the whole --- */

/* --- notes: what decides beside the rights of a launch --- */

struct noted {
	const struct policy *now, *then;
	bool observed, observes; /* now, then */
	bool log;		 /* was asked about */
};

static json_t *note_collector(const struct noted *n)
{
	if (!n->then->audit.collector || n->now->audit.collector)
		return NULL;
	return json_sprintf("%s: no session starts unless stockade-collector takes its records; 'stockade doctor' says "
			    "whether it does here",
		n->then->audit.where);
}

static json_t *note_clients(const struct noted *n)
{
	if (!n->then->clients.n || n->log)
		return NULL;
	return json_string("rules on clients are judged by what the log recorded of them (--against-log): which client "
			   "will start a server is not known before");
}

static json_t *note_observe(const struct noted *n)
{
	const struct policy_mode *m = &n->then->mode;

	if (n->observes)
		return json_sprintf(
			"%s: until %s what profiles deny of tools and hosts is let through, and recorded as "
			"\"would deny\"",
			m->where, m->until);
	if (m->observe)
		return json_sprintf("%s is past: nothing is observed any more, everything is enforced", m->until_where);
	if (n->observed && !n->log)
		return json_string(
			"observing would end: --against-log tells which calls and connections pass now for no "
			"other reason than to be recorded, and would be denied");
	return NULL;
}

/* Root's approvals are of digests, and no launch is there to ask about another one. */
static json_t *note_digests(const struct noted *n)
{
	const char *was = n->observed ? n->now->mode.until : "", *is = n->observes ? n->then->mode.until : "";

	if (n->then->consent.by != CONSENT_BY_ADMIN || strcmp(was, is) == 0)
		return NULL;
	return json_sprintf("%s: where observing begins, ends or is prolonged each plan has another digest, which root "
			    "has to approve anew",
		n->then->consent.by_where);
}

static json_t *notes_of(const struct policy *now, const struct policy *then, bool log)
{
	static json_t *(*const all[])(
		const struct noted *n) = { note_collector, note_clients, note_observe, note_digests };
	int64_t s = (int64_t)time(NULL);
	const struct noted n = { now, then, policy_mode_observes(&now->mode, s), policy_mode_observes(&then->mode, s),
		log };
	json_t *list = json_array();

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		json_t *one = all[i](&n);
		if (one && json_array_append_new(list, one) < 0)
			break;
	}
	return list;
}

static json_t *report_of(struct test *t, const struct policy *now, const struct policy *then, json_t *log)
{
	return json_pack("{s:o, s:o, s:b, s:O, s:O, s:o, s:o}", "file", question_shown_json(then->file), "policy",
		question_shown_json(now->file), "worse", t->worse, "servers", t->servers, "approvals", t->judged, "log",
		log ? log : json_null(), "notes", notes_of(now, then, log != NULL));
}

static int print(struct test *t, json_t *report, struct diag *d)
{
	int r;

	if (t->options->json || !report)
		return output_json(stdout, report, "what would change") == EXIT_OK ? 0 : -EIO;
	r = report_print(stdout, report, command_colour(stdout));
	json_decref(report);
	return r < 0 ? diag_fail(d, r, "cannot print: %s", strerror(-r)) : 0;
}

static int needs_digests(const struct policy *now, const struct policy *then, bool *ret, struct diag *d)
{
	_cleanup_approvals_ struct approvals roots = { 0 };
	int r = admin_list(&roots, d);

	*ret = now->consent.by != CONSENT_BY_ASK || then->consent.by != CONSENT_BY_ASK || roots.n;
	return r;
}

static int run(struct test *t, const struct policy *now, const struct policy *then, struct diag *d)
{
	json_t *log = NULL;
	int r = consent_list(&t->paths, &t->approvals, d);

	t->servers = json_array();
	t->judged = json_array();
	r = r < 0 ? r : needs_digests(now, then, &t->digests, d);
	r = r < 0 ? r : draw_profiles(t, d);
	r = r < 0 ? r : judge_approvals(t);
	if (r == 0 && t->options->against_log)
		r = read_log(t, &log, d);
	return r < 0 ? r : print(t, report_of(t, now, then, log), d);
}

/* Who owns it does not matter while it is only looked at; that others cannot write it does: it would not be what is
 * installed. */
static int load_both(struct test *t, const char *path, struct policy *now, struct policy *then, struct diag *d)
{
	char shown[256];
	int r = policy_read_file(path, FS_TRUST_USER, t->paths.uid, then, d);

	if (r == -ENOENT)
		return diag_fail(d, r, "there is no %s", text_escape_str(path, shown, sizeof(shown)));
	return r < 0 ? r : policy_load(now, d);
}

static int run_policy_test(const struct command_ctx *ctx)
{
	const struct test_options *o = ctx->options;
	_cleanup_free_ char *cwd = getcwd(NULL, 0), *path = realpath(ctx->args.v[0], NULL);
	struct effective_policy other = { path ? path : ctx->args.v[0], FS_TRUST_USER };
	_cleanup_policy_ struct policy now = { 0 }, then = { 0 };
	_cleanup_test_ struct test t = { .options = o };
	struct diag d = { "out of memory" };
	int r;

	if (o->dir && !o->against_log)
		return command_usage(ctx, "--dir says where the log is: it goes with --against-log");
	t.args = (struct trial_args){ &t.paths, &t.approvals, ctx->environ, cwd ? cwd : "/", &other };
	r = paths_init(&t.paths, &d);
	r = r < 0 ? r : load_both(&t, other.file, &now, &then, &d);
	r = r < 0 ? r : run(&t, &now, &then, &d);
	if (r == 0)
		return t.worse ? EXIT_FINDINGS : EXIT_OK;
	return command_refuse(&d, r);
}

const struct command_row cmd_policy_test = {
	.name = "policy test",
	.synopsis = "[--against-log [--dir DIR]] [--json] FILE",
	.summary = "what a policy that is not in force would change",
	.details =
		"FILE is read as /etc/stockade/policy.json would be, and nothing is changed: it is only looked at, so "
		"it\n"
		"need not be root's. Told is what each profile would gain and lose and by which rule, which approvals "
		"would\n"
		"stand, ask anew or be refused, whose word would start what, and with --against-log which recorded "
		"launches,\n"
		"calls and connections would be denied, or only recorded, how often and when last. Exit status 0: "
		"nothing that is allowed now would be denied; 1:\n"
		"something would.",
	.options = test_rows,
	.options_size = sizeof(struct test_options),
	.min_args = 1,
	.max_args = 1,
	.run = run_policy_test,
};
