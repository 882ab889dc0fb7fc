/* SPDX-License-Identifier: Apache-2.0 */
/* approve_waiting - see approve_waiting.h */
#include "supervisor/approve_waiting.h"
#include <errno.h>
#include <string.h>
#include <time.h>
#include "base/parse.h"
#include "base/text.h"
#include "supervisor/approve_calls.h"
#include "supervisor/command.h"
#include "supervisor/exit.h"
#include "supervisor/output.h"
#include "supervisor/question.h"

enum { NUMBER_MAX = 32, SHOWN = 512 };

/* Launches first, then calls; the numbers go through both. */
struct waiting {
	struct pendings launches;
	struct call_list calls;
};

static void waiting_done(struct waiting *l)
{
	pendings_done(&l->launches);
	call_list_done(&l->calls);
}
#define _cleanup_waiting_ _cleanup_(waiting_done)

static int fail(const struct diag *d)
{
	command_error("%s", d->text);
	return EXIT_REFUSED;
}

static int list(const struct approve_waiting *w, struct waiting *ret)
{
	struct diag d = { "out of memory" };

	if (pending_list(w->paths, &ret->launches, &d) < 0 || call_list_read(w->paths, &ret->calls, &d) < 0)
		return fail(&d);
	return EXIT_OK;
}

static int show(const struct pending *e)
{
	const struct question_options o = { .colour = command_colour(stderr), .width = consent_width() };
	char shown[SHOWN];
	int r = question_render(stderr, e->question, &o);

	if (r < 0) {
		command_error("cannot show the question: %s", strerror(-r));
		return EXIT_REFUSED;
	}
	fprintf(stderr, "  Asked for by %s\n\n", text_escape_str(e->lineage, shown, sizeof(shown)));
	return EXIT_OK;
}

/* First it is remembered, then the launch may go on: not the other way round, or a crash starts what nobody can find.
 */
/* A launch that waits hears of it as well; said here to whoever answers. */
static int judge_channel(const char *channel, const char *name, struct diag *d)
{
	_cleanup_policy_ struct policy policy = { 0 };
	int r = policy_load(&policy, d);

	return r < 0 ? r : policy_judge_channel(&policy.consent, channel, name, d);
}

static int answer(const struct approve_waiting *w, const struct pending *e, bool approved, const char *channel)
{
	const struct consent_facts f = { e->digest, e->name, e->subject, e->canonical, e->never_remember,
		json_object_get(e->question, "client"), json_object_get(e->question, "signers") };
	struct diag d = { "out of memory" };
	char name[SHOWN];

	if (approved && judge_channel(channel, e->name, &d) < 0)
		return fail(&d);
	if (approved && !e->never_remember && consent_remember_facts(w->paths, &f, channel, w->lineage, &d) < 0)
		return fail(&d);
	if (pending_answer(w->paths, e->digest, approved, &d) < 0)
		return fail(&d);
	fprintf(stderr, "%s: %s%s.\n", text_escape_str(e->name, name, sizeof(name)), approved ? "approved" : "refused",
		approved && e->never_remember ? " for this start; the next one asks again" : "");
	return approved ? EXIT_OK : EXIT_REFUSED;
}

static int damaged(const struct pending *e)
{
	command_error("the waiting launch %.16s cannot be answered: %s. Let it time out and start it again", e->digest,
		e->damaged);
	return EXIT_REFUSED;
}

static int ask_one(const struct approve_waiting *w, const struct pending *e)
{
	int status = e->damaged ? damaged(e) : show(e);

	if (status != EXIT_OK)
		return status;
	return answer(w, e, consent_yes_or_no("Start it? [y/N] ") == CONSENT_APPROVED, "approve");
}

static void print_launches(const struct pendings *l)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct pending *e = &l->v[i];
		const char *command = json_string_value(json_object_get(e->question, "command"));
		_cleanup_buf_ struct buf b = BUF_INIT(CONSENT_FILE_MAX);
		char name[SHOWN];
		if (e->damaged) {
			fprintf(stderr, "%3zu  %.16s (damaged)\n", i + 1, e->digest);
			continue;
		}
		if (text_escape(&b, command ? command : "", command ? strlen(command) : 0, TEXT_KEEP_BACKSLASH) < 0)
			continue;
		fprintf(stderr, "%3zu  %s, waiting for %lld s%s\n     %s\n", i + 1,
			text_escape_str(e->name, name, sizeof(name)), (long long)(time(NULL) - e->when),
			e->waiters > 1 ? ", more than once" : "", b.data);
	}
}

/* A client of the desktop may have another runtime directory than a shell of su or ssh. */
static int nothing(const struct approve_waiting *w)
{
	char shown[SHOWN];

	fprintf(stderr, "Nothing waits for an answer (looked in %s).\n",
		text_escape_str(w->paths->runtime, shown, sizeof(shown)));
	return EXIT_OK;
}

static int ask_number(const struct approve_waiting *w, const struct waiting *l, size_t n)
{
	if (n <= l->launches.n)
		return ask_one(w, &l->launches.v[n - 1]);
	return approve_calls_ask(w, &l->calls.v[n - 1 - l->launches.n]);
}

int approve_waiting_choose(const struct approve_waiting *w)
{
	_cleanup_waiting_ struct waiting l = { 0 };
	char line[NUMBER_MAX];
	uint64_t n;
	int status = list(w, &l), r;
	size_t all = l.launches.n + l.calls.n;

	if (status != EXIT_OK)
		return status;
	if (all == 0)
		return nothing(w);
	print_launches(&l.launches);
	approve_calls_list(&l.calls, l.launches.n + 1);
	r = consent_read_line("Number to look at (Enter: none): ", line, sizeof(line));
	if (r == -ENODATA || (r == 0 && line[0] == '\0'))
		return EXIT_OK;
	if (r < 0 || parse_u64(line, 1, all, &n) < 0) {
		command_error("that is no number from 1 to %zu; nothing was answered", all);
		return EXIT_USAGE;
	}
	return ask_number(w, &l, n);
}

int approve_waiting_number(const struct approve_waiting *w, uint64_t n)
{
	_cleanup_waiting_ struct waiting l = { 0 };
	int status = list(w, &l);
	size_t all = l.launches.n + l.calls.n;

	if (status != EXIT_OK)
		return status;
	if (n >= 1 && n <= all)
		return ask_number(w, &l, n);
	if (all == 0)
		command_error("nothing waits for an answer, so there is no number %llu", (unsigned long long)n);
	else
		command_error("there is no number %llu: %s%zu wait%s; 'stockade approve' lists them",
			(unsigned long long)n, all > 1 ? "1 to " : "only ", all, all > 1 ? "" : "s");
	return EXIT_FINDINGS;
}

/* What can be answered, shown; *ret counts it. */
static int show_all(const struct waiting *l, size_t *ret)
{
	int status = EXIT_OK;

	*ret = 0;
	for (size_t i = 0; status == EXIT_OK && i < l->launches.n; i++) {
		const struct pending *e = &l->launches.v[i];
		if (e->damaged)
			(void)damaged(e);
		else
			status = show(e);
		*ret += !e->damaged;
	}
	for (size_t i = 0; status == EXIT_OK && i < l->calls.n; i++) {
		if (!l->calls.v[i].damaged)
			status = approve_calls_show(&l->calls.v[i]);
		*ret += !l->calls.v[i].damaged;
	}
	return status;
}

static int answer_all(const struct approve_waiting *w, const struct waiting *l, bool yes)
{
	int last = EXIT_OK, status;

	for (size_t i = 0; i < l->launches.n; i++) {
		const struct pending *e = &l->launches.v[i];
		status = e->damaged ? EXIT_REFUSED : answer(w, e, yes, "approve");
		last = status != EXIT_OK ? status : last;
	}
	for (size_t i = 0; i < l->calls.n; i++) {
		const struct call_entry *e = &l->calls.v[i];
		status = e->damaged ? EXIT_REFUSED : approve_calls_answer(w, e, yes ? ASKER_ONCE : ASKER_NO);
		last = status != EXIT_OK ? status : last;
	}
	return last;
}

int approve_waiting_all(const struct approve_waiting *w)
{
	_cleanup_waiting_ struct waiting l = { 0 };
	char prompt[NUMBER_MAX * 3];
	size_t good = 0;
	int status = list(w, &l);

	if (status == EXIT_OK)
		status = show_all(&l, &good);
	if (status != EXIT_OK)
		return status;
	if (good == 0)
		return l.launches.n || l.calls.n ? EXIT_REFUSED : nothing(w);
	if (good == 1)
		snprintf(prompt, sizeof(prompt), "%s [y/N] ", l.calls.n ? "Let it through this once?" : "Start it?");
	else if (l.calls.n)
		snprintf(prompt, sizeof(prompt), "Yes to all %zu of them, to the calls this once? [y/N] ", good);
	else
		snprintf(prompt, sizeof(prompt), "Start all %zu of them? [y/N] ", good);
	return answer_all(w, &l, consent_yes_or_no(prompt) == CONSENT_APPROVED);
}

int approve_waiting_digest(const struct approve_waiting *w, const char *digest)
{
	_cleanup_waiting_ struct waiting l = { 0 };
	int status = list(w, &l);

	if (status != EXIT_OK)
		return status;
	for (size_t i = 0; i < l.launches.n; i++) {
		const struct pending *e = &l.launches.v[i];
		if (strcmp(e->digest, digest) == 0)
			return e->damaged ? damaged(e) : answer(w, e, true, "digest");
	}
	command_error(
		"no launch with the digest %s waits; name the plan as well: approve --digest D NAME, or ... -- COMMAND",
		digest);
	return EXIT_REFUSED;
}

static json_t *entry_json(const struct pending *e, size_t number)
{
	char since[OUTPUT_TIME_SIZE];

	if (e->damaged)
		return json_pack("{s:I, s:s, s:s, s:s}", "number", (json_int_t)number, "kind", "launch", "digest",
			e->digest, "damaged", e->damaged);
	return json_pack("{s:I, s:s, s:s, s:s, s:I, s:I, s:s, s:O}", "number", (json_int_t)number, "kind", "launch",
		"digest", e->digest, "waiting_since", output_time(e->when, since), "seconds_waiting",
		(json_int_t)(time(NULL) - e->when), "waiters", (json_int_t)e->waiters, "lineage", e->lineage,
		"question", e->question);
}

static json_t *list_json(const struct waiting *l)
{
	json_t *array = json_array();
	int r = 0;

	for (size_t i = 0; r == 0 && i < l->launches.n; i++)
		r = json_array_append_new(array, entry_json(&l->launches.v[i], i + 1));
	for (size_t i = 0; r == 0 && i < l->calls.n; i++)
		r = json_array_append_new(array, approve_calls_json(&l->calls.v[i], l->launches.n + i + 1));
	if (r == 0)
		return array;
	json_decref(array);
	return NULL;
}

int approve_waiting_json(const struct approve_waiting *w)
{
	_cleanup_waiting_ struct waiting l = { 0 };
	int status = list(w, &l);

	return status == EXIT_OK ? output_json(stdout, list_json(&l), "the list of what waits") : status;
}
